package transcript

import (
	"bytes"
	"encoding/json"
)

// Encode writes a value as one line of JSON, with <, > and & as they are: no browser reads it.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
