package strictjson

import (
	"fmt"
	"strconv"
	"strings"
)

// Errorf makes an error about v that begins with its path.
func (v Value) Errorf(format string, args ...any) error {
	reason := fmt.Errorf(format, args...)
	if path := v.Path(); path != "" {
		return fmt.Errorf("%s: %w", path, reason)
	}
	return reason
}

// Expected is the error that v is not what was wanted: modes[0].order: expected "desc" or "asc", found "up".
func (v Value) Expected(wanted string) error {
	return v.Errorf("expected %s, found %s", wanted, v.found())
}

func (v Value) found() string {
	switch v.Kind() {
	case Array:
		return "a list"
	case Object:
		return "an object"
	case String:
		return quote(v.Text())
	}
	if text := v.Text(); len(text) > longest {
		return text[:longest] + "…"
	}
	return v.Text()
}

// AsString returns the content of a string.
func (v Value) AsString() (string, error) {
	if v.Kind() != String {
		return "", v.Expected("a string")
	}
	return v.Text(), nil
}

// AsBool returns a boolean.
func (v Value) AsBool() (bool, error) {
	if v.Kind() != Bool {
		return false, v.Expected("true or false")
	}
	return v.Text() == "true", nil
}

// AsNumber returns the text of a number.
func (v Value) AsNumber() (string, error) {
	if v.Kind() != Number {
		return "", v.Expected("a number")
	}
	return v.Text(), nil
}

// AsInt64 returns a number written without point and exponent.
func (v Value) AsInt64() (int64, error) {
	n, err := strconv.ParseInt(v.Text(), 10, 64)
	if err != nil || v.Kind() != Number {
		return 0, v.Expected("a whole number")
	}
	return n, nil
}

// AsInt is AsInt64 for an int.
func (v Value) AsInt() (int, error) {
	n, err := v.AsInt64()
	if err == nil && int64(int(n)) != n {
		return 0, v.Expected("a smaller number")
	}
	return int(n), err
}

// Reader reads the fields of one object. Its getters return the zero value for a field that is absent or
// wrong; the first error is kept for Done, so that a decoder reads as the list of its fields:
//
//	r := strictjson.Fields(v)
//	r.Require("player")
//	p := Participant{Player: r.String("player"), Bot: r.Bool("bot")}
//	return p, r.Done()
//
// A null is a value like others, and refused where something else is expected.
type Reader struct {
	object Value
	asked  uint64 // a bit for each of the first 64 members; no schema has more
	err    error
}

// Fields begins to read an object. Of anything else every field is absent and Done says so.
func Fields(v Value) *Reader {
	r := &Reader{object: v}
	if v.Kind() != Object {
		r.err = v.Expected("an object")
	}
	return r
}

// Done returns the first error: a wrong field, one reported with Fail, or the first field that nobody asked
// for.
func (r *Reader) Done() error {
	if r.err != nil {
		return r.err
	}
	for _, field := range r.object.Members() {
		if index := field.node().index; index >= 64 || r.asked&(1<<index) == 0 {
			return field.Errorf("unknown field")
		}
	}
	return nil
}

// Fail keeps err for Done, unless it is nil or not the first.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Has reports whether a field is there. It does not make the field known.
func (r *Reader) Has(name string) bool {
	_, _, ok := r.object.member(name)
	return ok
}

// Require fails unless every field named is there.
func (r *Reader) Require(names ...string) {
	for _, name := range names {
		if !r.Has(name) {
			r.Fail(fmt.Errorf("%s: the field is missing", Child(r.object.Path(), name)))
		}
	}
}

// Value returns a field of any kind.
func (r *Reader) Value(name string) (Value, bool) {
	v, index, ok := r.object.member(name)
	if ok && index < 64 {
		r.asked |= 1 << index
	}
	return v, ok
}

// String returns a string.
func (r *Reader) String(name string) string { return One(r, name, Value.AsString) }

// Bool returns a boolean.
func (r *Reader) Bool(name string) bool { return One(r, name, Value.AsBool) }

// Int returns a whole number.
func (r *Reader) Int(name string) int { return One(r, name, Value.AsInt) }

// Int64 returns a whole number.
func (r *Reader) Int64(name string) int64 { return One(r, name, Value.AsInt64) }

// Word returns a string that must be one of those allowed.
func Word[T ~string](r *Reader, name string, allowed ...T) T {
	return One(r, name, func(v Value) (T, error) {
		for _, word := range allowed {
			if v.Kind() == String && v.Text() == string(word) {
				return word, nil
			}
		}
		return "", v.Expected(OneOf(allowed...))
	})
}

// OneOf says the words allowed: "a", "b" or "c".
func OneOf[T ~string](words ...T) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(string(word)))
	}
	return b.String()
}

// One returns a field read by decode, whose errors should begin with the value's path, as Errorf's do.
func One[T any](r *Reader, name string, decode func(Value) (T, error)) T {
	var zero T
	v, ok := r.Value(name)
	if !ok {
		return zero
	}
	t, err := decode(v)
	if err != nil {
		r.Fail(err)
		return zero
	}
	return t
}

// Maybe is One for a field whose absence means something: it returns nil then.
func Maybe[T any](r *Reader, name string, decode func(Value) (T, error)) *T {
	if !r.Has(name) {
		return nil
	}
	t := One(r, name, decode)
	return &t
}

// List returns a list whose elements are read by decode; an empty one is nil.
func List[T any](r *Reader, name string, decode func(Value) (T, error)) []T {
	return One(r, name, func(v Value) ([]T, error) { return Items(v, decode) })
}

// Items reads the elements of a list; an empty one is nil.
func Items[T any](v Value, decode func(Value) (T, error)) ([]T, error) {
	if v.Kind() != Array {
		return nil, v.Expected("a list")
	}
	if v.Len() == 0 {
		return nil, nil
	}
	list := make([]T, 0, v.Len())
	for item := range v.Items() {
		t, err := decode(item)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// Map returns an object whose names are free and whose values are read by decode; an empty one is nil.
func Map[T any](r *Reader, name string, decode func(Value) (T, error)) map[string]T {
	return One(r, name, func(v Value) (map[string]T, error) {
		if v.Kind() != Object {
			return nil, v.Expected("an object")
		}
		if v.Len() == 0 {
			return nil, nil
		}
		m := make(map[string]T, v.Len())
		for name, member := range v.Members() {
			t, err := decode(member)
			if err != nil {
				return nil, err
			}
			m[name] = t
		}
		return m, nil
	})
}
