package sqlite

import (
	"strconv"
	"strings"

	"github.com/finalbell/finalbell/store"
)

// The JSON of the columns is written and read here: only what the schema's comments describe, fast, and exact to
// the byte, which encoding/json is not (it changes invalid UTF-8).

// pen writes JSON. Commas are set by item.
type pen struct{ b []byte }

// item begins the next element of an array or object.
func (p *pen) item() {
	if n := len(p.b); n > 0 {
		switch p.b[n-1] {
		case '[', '{', ':':
			return
		}
		p.b = append(p.b, ',')
	}
}

func (p *pen) open(c byte) { p.item(); p.b = append(p.b, c) }

func (p *pen) close(c byte) { p.b = append(p.b, c) }

func (p *pen) int(n int64) { p.item(); p.b = strconv.AppendInt(p.b, n, 10) }

func (p *pen) bool(b bool) {
	if b {
		p.int(1)
	} else {
		p.int(0)
	}
}

func (p *pen) null() { p.item(); p.b = append(p.b, "null"...) }

func (p *pen) text(s string) {
	p.item()
	p.b = append(p.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			p.b = append(p.b, '\\', c)
		case c < 0x20:
			const hex = "0123456789abcdef"
			p.b = append(p.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			p.b = append(p.b, c)
		}
	}
	p.b = append(p.b, '"')
}

func (p *pen) name(s string) { p.text(s); p.b = append(p.b, ':') }

// number writes units and scale, or null twice.
func (p *pen) number(n store.Number) {
	if !n.Known {
		p.null()
		p.null()
		return
	}
	p.int(n.Units)
	p.int(int64(n.Scale))
}

func (p *pen) values(values [][]int64) {
	p.open('[')
	for _, v := range values {
		p.open('[')
		for _, n := range v {
			p.int(n)
		}
		p.close(']')
	}
	p.close(']')
}

// eye reads what a pen wrote, and nothing that a pen would have written otherwise: what is damaged has no second
// spelling to hide behind. After the first thing that is not as it should be it is bad, reads zeros, and every loop
// over more ends.
type eye struct {
	b   string
	at  int
	bad bool
}

func (e *eye) peek() byte {
	if e.bad || e.at >= len(e.b) {
		return 0
	}
	return e.b[e.at]
}

func (e *eye) take(c byte) bool {
	if e.peek() != c {
		return false
	}
	e.at++
	return true
}

func (e *eye) expect(c byte) {
	if !e.take(c) {
		e.bad = true
	}
}

// item passes the comma before any element but the first.
func (e *eye) item() {
	if e.at == 0 {
		return
	}
	switch e.b[e.at-1] {
	case '[', '{', ':', ',': // null may have passed the comma in looking
		return
	}
	e.expect(',')
}

func (e *eye) open(c byte) { e.item(); e.expect(c) }

// more reports whether the array or object goes on, and passes its end if it does not.
func (e *eye) more(end byte) bool {
	if e.take(end) {
		return false
	}
	if e.peek() == 0 {
		e.bad = true
		return false
	}
	return true
}

func (e *eye) int() int64 {
	e.item()
	from := e.at
	e.take('-')
	for c := e.peek(); c >= '0' && c <= '9'; c = e.peek() {
		e.at++
	}
	digits := e.b[from:e.at]
	n, err := strconv.ParseInt(digits, 10, 64)
	if zeros := strings.HasPrefix(strings.TrimPrefix(digits, "-"), "0"); err != nil || zeros && digits != "0" {
		e.bad = true
		return 0
	}
	return n
}

func (e *eye) bool() bool {
	n := e.int()
	e.bad = e.bad || n != 0 && n != 1
	return n == 1
}

// null reports whether a null stands here, and passes it.
func (e *eye) null() bool {
	e.item()
	if e.peek() != 'n' {
		return false
	}
	for _, c := range []byte("null") {
		e.expect(c)
	}
	return true
}

func (e *eye) text() string {
	e.item()
	e.expect('"')
	from := e.at
	var copied []byte // nil as long as nothing was escaped
	for {
		switch c := e.peek(); {
		case c == '"':
			part := e.b[from:e.at]
			e.at++
			if copied == nil {
				return part
			}
			return string(append(copied, part...))
		case c == '\\':
			copied = append(copied, e.b[from:e.at]...)
			e.at++
			copied = append(copied, e.escaped())
			from = e.at
		case c < 0x20: // the end, too
			e.bad = true
			return ""
		default:
			e.at++
		}
	}
}

// escaped reads what follows a backslash.
func (e *eye) escaped() byte {
	c := e.peek()
	switch c {
	case '"', '\\':
		e.at++
		return c
	}
	if rest := e.b[e.at:]; strings.HasPrefix(rest, "u00") && len(rest) >= 5 {
		const hex = "0123456789abcdef"
		high, low := strings.IndexByte(hex[:2], rest[3]), strings.IndexByte(hex, rest[4])
		if high >= 0 && low >= 0 {
			e.at += 5
			return byte(high<<4 | low) //nolint:gosec // below 0x20
		}
	}
	e.bad = true
	return 0
}

// key reads a member's name, up to its value.
func (e *eye) key() string {
	s := e.text()
	e.expect(':')
	return s
}

func (e *eye) number() store.Number {
	if e.null() {
		if !e.null() {
			e.bad = true
		}
		return store.Number{}
	}
	n := store.Number{Units: e.int(), Known: true}
	scale := e.int()
	if scale < 0 || scale > 255 {
		e.bad = true
		return n
	}
	n.Scale = uint8(scale) //nolint:gosec // checked
	return n
}

func (e *eye) values() [][]int64 {
	var values [][]int64
	e.open('[')
	for e.more(']') {
		e.open('[')
		v := []int64{}
		for e.more(']') {
			v = append(v, e.int())
		}
		values = append(values, v)
	}
	return values
}

// err is what was wrong, once everything has been read.
func (e *eye) err() error {
	if e.bad || e.at != len(e.b) {
		return errDamaged
	}
	return nil
}
