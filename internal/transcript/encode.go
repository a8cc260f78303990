package transcript

import (
	"bytes"
	"encoding/json"
)

// Encode writes a value as one line of JSON, with <, > and & as they are: no browser reads it.
func Encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return unescapeHTML(text), nil
}

// unescapeHTML takes back what encoding/json escapes for the sake of HTML. An encoder that is told not to do
// so still keeps the escapes that a MarshalJSON method within it has made.
func unescapeHTML(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u00`)) {
		return text
	}
	out := text[:0]
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		switch {
		case bytes.HasPrefix(text[i:], []byte(`\u003c`)):
			out, i = append(out, '<'), i+5
		case bytes.HasPrefix(text[i:], []byte(`\u003e`)):
			out, i = append(out, '>'), i+5
		case bytes.HasPrefix(text[i:], []byte(`\u0026`)):
			out, i = append(out, '&'), i+5
		default: // both bytes, lest the second one of \\ begins another escape
			out, i = append(out, text[i], text[i+1]), i+1
		}
	}
	return out
}
