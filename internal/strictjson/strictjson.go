// Package strictjson reads one JSON text into a tree and refuses what encoding/json lets through in silence:
// duplicate and case-folded keys, text after the value, invalid UTF-8, lone surrogates. Two ids that differ
// in such a byte must not become one, and a misspelt field must not be dropped.
//
// Numbers stay the text that they were: whoever reads one decides what fits, and nothing passes through a
// float.
package strictjson

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// Kind is what a Value is.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is one value of a parsed text. It is small and passed by value; the zero Value is a null. Its strings
// are parts of one copy of the text, so that a string kept for long keeps that copy: clone those that are few.
type Value struct {
	tree *tree
	at   int32
}

// tree holds the values in the order of the text; children are linked, for they are not neighbours.
type tree struct{ nodes []node }

type node struct {
	name   string // of an object's member
	text   string // of a string without its escapes; of a number, boolean or null as written
	parent int32
	index  int32 // among its siblings
	first  int32 // child; 0: none, for the root is nobody's
	next   int32 // sibling; 0: none
	count  int32 // of children
	kind   Kind
}

func (v Value) node() *node {
	if v.tree == nil {
		return &node{text: "null"}
	}
	return &v.tree.nodes[v.at]
}

// Kind says what v is.
func (v Value) Kind() Kind { return v.node().kind }

// Text is a string's content, a number's text as written, "true", "false" or "null"; empty for a list or an
// object.
func (v Value) Text() string { return v.node().text }

// Len is the number of a list's elements or an object's members.
func (v Value) Len() int { return int(v.node().count) }

// Items yields a list's elements in order.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, item := range v.Members() {
			if !yield(item) {
				return
			}
		}
	}
}

// Members yields an object's members in the order of the text. Names are unique.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for at := v.node().first; at != 0; at = v.tree.nodes[at].next {
			if !yield(v.tree.nodes[at].name, Value{v.tree, at}) {
				return
			}
		}
	}
}

// member finds an object's member and its index.
func (v Value) member(name string) (Value, int32, bool) {
	if v.Kind() != Object {
		return Value{}, 0, false
	}
	for at := v.node().first; at != 0; at = v.tree.nodes[at].next {
		if n := &v.tree.nodes[at]; n.name == name {
			return Value{v.tree, at}, n.index, true
		}
	}
	return Value{}, 0, false
}

// Path is where v stands in the text: modes[0].boards[1]. The outermost value's is empty.
func (v Value) Path() string {
	if v.tree == nil || v.at == 0 {
		return ""
	}
	n := v.node()
	parent := Value{v.tree, n.parent}
	if parent.Kind() == Array {
		return parent.Path() + "[" + strconv.Itoa(int(n.index)) + "]"
	}
	return Child(parent.Path(), n.name)
}

// Child is the path of a member: path.name, or path["odd name"] where a dot would mislead.
func Child(path, name string) string {
	if !plain(name) {
		return path + "[" + quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plain(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c != '_' && c != '-' && !digit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != "" && len(name) <= longest
}

// longest is how much of somebody's text an error repeats.
const longest = 140

func quote(s string) string {
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return strconv.Quote(s)
}

// Append writes the value as JSON again: the same strings, numbers as they were written, members in their order.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind() {
	case String:
		return appendString(dst, v.Text())
	case Array:
		dst = append(dst, '[')
		i := 0
		for item := range v.Items() {
			if i++; i > 1 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		i := 0
		for name, member := range v.Members() {
			if i++; i > 1 {
				dst = append(dst, ',')
			}
			dst = member.Append(append(appendString(dst, name), ':'))
		}
		return append(dst, '}')
	}
	return append(dst, v.Text()...)
}

// appendString writes a string, which is valid UTF-8.
func appendString(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return append(dst, text...)
}
