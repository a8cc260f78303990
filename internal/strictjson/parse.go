package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may nest: no format here needs ten, and readers recurse.
const maxDepth = 32

// Parse reads the one JSON value of text, which stays the caller's. An error names the byte offset, what is
// wrong, and the path where one is known.
func Parse(text []byte) (Value, error) {
	if len(text) > math.MaxInt32 {
		return Value{}, errors.New("the text is longer than 2 GiB")
	}
	p := parser{text: string(text), tree: &tree{}}
	if !utf8.ValidString(p.text) {
		p.at = invalidUTF8(p.text)
		return Value{}, p.errorf(0, "invalid UTF-8")
	}
	if strings.HasPrefix(p.text, "\uFEFF") {
		return Value{}, p.errorf(0, "the text begins with a byte order mark")
	}
	// A value has a comma or an opening bracket before it, but for the first. Commas within strings make this
	// a guess; it is capped, so that a text full of commas does not claim memory before it is refused.
	guess := 1 + bytes.Count(text, []byte{','}) + bytes.Count(text, []byte{'{'}) + bytes.Count(text, []byte{'['})
	p.tree.nodes = append(make([]node, 0, min(guess, 1024)), node{})
	p.space()
	if p.at == len(p.text) {
		return Value{}, p.errorf(0, "the text is empty")
	}
	if err := p.value(0, 0); err != nil {
		return Value{}, err
	}
	p.space()
	if p.at < len(p.text) {
		return Value{}, p.errorf(0, "text after the value")
	}
	return Value{tree: p.tree}, nil
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return len(s)
}

type parser struct {
	text string
	at   int
	tree *tree
}

// errorf makes an error at the current byte, in the value at node.
func (p *parser) errorf(node int32, format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	if path := (Value{p.tree, node}).Path(); path != "" {
		return fmt.Errorf("byte %d: %s: %s", p.at, path, reason)
	}
	return fmt.Errorf("byte %d: %s", p.at, reason)
}

func (p *parser) unexpected(node int32, wanted string) error {
	if p.at >= len(p.text) {
		return p.errorf(node, "expected %s, found the end of the text", wanted)
	}
	_, size := utf8.DecodeRuneInString(p.text[p.at:])
	return p.errorf(node, "expected %s, found %s", wanted, quote(p.text[p.at:p.at+size]))
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// take steps over c, and the space after it, if c is next.
func (p *parser) take(c byte) bool {
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	p.space()
	return true
}

// value reads the value of a node that is already in the tree, so that errors know its path.
func (p *parser) value(node int32, depth int) error {
	if p.at == len(p.text) {
		return p.unexpected(node, "a value")
	}
	n := &p.tree.nodes[node]
	var err error
	switch c := p.text[p.at]; {
	case c == '{' || c == '[':
		if depth == maxDepth {
			return p.errorf(node, "nested deeper than %d", maxDepth)
		}
		if c == '{' {
			n.kind = Object
			return p.object(node, depth)
		}
		n.kind = Array
		return p.array(node, depth)
	case c == '"':
		n.kind = String
		n.text, err = p.string(node)
		return err
	case c == '-' || digit(c):
		n.kind = Number
		n.text, err = p.number(node)
		return err
	}
	for i, word := range [...]string{"null", "true", "false"} {
		if strings.HasPrefix(p.text[p.at:], word) {
			n.kind, n.text = Kind(min(i, int(Bool))), word
			p.at += len(word)
			return nil
		}
	}
	return p.unexpected(node, "a value")
}

func (p *parser) array(node int32, depth int) error {
	p.at++
	p.space()
	if p.take(']') {
		return nil
	}
	var last int32
	for {
		last = p.add(node, last, "")
		if err := p.value(last, depth+1); err != nil {
			return err
		}
		p.space()
		if p.take(']') {
			return nil
		}
		if !p.take(',') {
			return p.unexpected(node, `"," or "]"`)
		}
	}
}

func (p *parser) object(node int32, depth int) error {
	p.at++
	p.space()
	if p.take('}') {
		return nil
	}
	names := nameSet{tree: p.tree, object: node}
	var last int32
	for {
		if p.at == len(p.text) || p.text[p.at] != '"' {
			return p.unexpected(node, "a key")
		}
		start := p.at
		name, err := p.string(node)
		if err != nil {
			return err
		}
		if !names.add(name) {
			p.at = start
			return p.errorf(node, "the key %s comes twice", quote(name))
		}
		last = p.add(node, last, name)
		p.space()
		if !p.take(':') {
			return p.unexpected(node, `":"`)
		}
		if err := p.value(last, depth+1); err != nil {
			return err
		}
		p.space()
		if p.take('}') {
			return nil
		}
		if !p.take(',') {
			return p.unexpected(node, `"," or "}"`)
		}
	}
}

// add links a new child behind last, its latest sibling (0: none).
func (p *parser) add(parent, last int32, name string) int32 {
	nodes := append(p.tree.nodes, node{name: name, parent: parent, index: p.tree.nodes[parent].count})
	at := int32(len(nodes) - 1)
	nodes[parent].count++
	if last == 0 {
		nodes[parent].first = at
	} else {
		nodes[last].next = at
	}
	p.tree.nodes = nodes
	return at
}

// nameSet finds duplicate keys: by looking through the few, by a map once they are many, for a text of
// nothing but keys must not take quadratic time.
type nameSet struct {
	tree   *tree
	object int32
	seen   map[string]bool
}

func (s *nameSet) add(name string) bool {
	const few = 16
	object := Value{s.tree, s.object}
	if object.Len() < few {
		_, _, found := object.member(name)
		return !found
	}
	if s.seen == nil {
		s.seen = make(map[string]bool, 4*few)
		for name := range object.Members() {
			s.seen[name] = true
		}
	}
	if s.seen[name] {
		return false
	}
	s.seen[name] = true
	return true
}

// number reads the grammar of RFC 8259, section 6.
func (p *parser) number(node int32) (string, error) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	zero := p.at < len(p.text) && p.text[p.at] == '0'
	if whole := p.digits(); whole == 0 || zero && whole > 1 {
		p.at = start
		return "", p.errorf(node, "a number has no leading zeros and at least one digit")
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if p.digits() == 0 {
			return "", p.unexpected(node, "a digit")
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return "", p.unexpected(node, "a digit")
		}
	}
	return p.text[start:p.at], nil
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.text) && digit(p.text[p.at]) {
		p.at++
	}
	return p.at - start
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// string reads a string; without escapes it is a part of the text and costs nothing.
func (p *parser) string(node int32) (string, error) {
	p.at++
	start := p.at
	var unescaped []byte
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			rest := p.text[start:p.at]
			p.at++
			if unescaped == nil {
				return rest, nil
			}
			return string(append(unescaped, rest...)), nil
		case c == '\\':
			unescaped = append(unescaped, p.text[start:p.at]...)
			r, err := p.escape(node)
			if err != nil {
				return "", err
			}
			unescaped = utf8.AppendRune(unescaped, r)
			start = p.at
		case c < ' ':
			return "", p.errorf(node, "the control character 0x%02x in a string", c)
		default:
			p.at++
		}
	}
	return "", p.unexpected(node, "the end of the string")
}

func (p *parser) escape(node int32) (rune, error) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if p.at+1 < len(p.text) {
		if i := strings.IndexByte(letters, p.text[p.at+1]); i >= 0 {
			p.at += 2
			return rune(meanings[i]), nil
		}
	}
	r, ok := p.hex(p.at)
	if !ok {
		return 0, p.errorf(node, "an unknown escape in a string")
	}
	if !utf16.IsSurrogate(r) {
		p.at += 6
		return r, nil
	}
	low, _ := p.hex(p.at + 6)
	pair := utf16.DecodeRune(r, low)
	if pair == utf8.RuneError {
		return 0, p.errorf(node, "the lone surrogate %s in a string", p.text[p.at:p.at+6])
	}
	p.at += 12
	return pair, nil
}

// hex reads the escape \uXXXX at a place.
func (p *parser) hex(at int) (rune, bool) {
	if at+6 > len(p.text) || p.text[at:at+2] != `\u` {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[at+2 : at+6]) {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
