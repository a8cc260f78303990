package specter

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// params are what a request says beside the outcomes, in customParams, specterParams and meta.
type params struct {
	metrics map[string]finalbell.Number // of one player: numbers, and 1 and 0 for true and false
	texts   map[string]string           // everything else, by its path in the request
}

// read takes the members of an object. Those that are numbers become metrics where there is a player whose they are.
func (p *params) read(v strictjson.Value, metrics bool) error {
	if v.Kind() != strictjson.Object {
		return v.Expected("an object")
	}
	for name, member := range v.Members() {
		number := finalbell.Decimal(member.Text())
		switch kind := member.Kind(); {
		case metrics && kind == strictjson.Bool:
			number = finalbell.Int(0)
			if member.Text() == "true" {
				number = finalbell.Int(1)
			}
		case !metrics || kind != strictjson.Number:
			p.keep(member.Path(), written(member))
			continue
		}
		if err := p.count(name, number); err != nil {
			return member.Errorf("%w", err)
		}
	}
	return nil
}

func (p *params) keep(path, text string) {
	if p.texts == nil {
		p.texts = make(map[string]string)
	}
	p.texts[path] = text
}

// errTwice is for a name that customParams and specterParams, or result, have both: one player has one metric of a name.
var errTwice = errors.New("the name is used twice")

func (p *params) count(name string, n finalbell.Number) error {
	if _, twice := p.metrics[name]; twice {
		return errTwice
	}
	if p.metrics == nil {
		p.metrics = make(map[string]finalbell.Number)
	}
	p.metrics[strings.Clone(name)] = n
	return nil
}

// written is a string's content, and of anything else its JSON.
func written(v strictjson.Value) string {
	if v.Kind() == strictjson.String {
		return strings.Clone(v.Text())
	}
	var b strings.Builder
	write(&b, v)
	return b.String()
}

func write(b *strings.Builder, v strictjson.Value) {
	comma := ""
	switch v.Kind() {
	case strictjson.Array:
		b.WriteByte('[')
		for item := range v.Items() {
			b.WriteString(comma)
			write(b, item)
			comma = ","
		}
		b.WriteByte(']')
	case strictjson.Object:
		b.WriteByte('{')
		for name, member := range v.Members() {
			b.WriteString(comma + quoted(name) + ":")
			write(b, member)
			comma = ","
		}
		b.WriteByte('}')
	case strictjson.String:
		b.WriteString(quoted(v.Text()))
	default:
		b.WriteString(v.Text())
	}
}

type textsKey struct{}

// saying lets Keep know what a request said.
func (h *handler) saying(ctx context.Context, texts map[string]string) (context.Context, error) {
	if len(texts) == 0 {
		return ctx, nil
	}
	if !h.options.KeepsParams {
		first := ""
		for path := range texts {
			if first == "" || path < first {
				first = path
			}
		}
		return ctx, invalid(clip(first) + ": only numbers, true and false are kept here, of players at the end of their session")
	}
	return context.WithValue(ctx, textsKey{}, texts), nil
}

// Keep is a Before hook, or is called by one. It puts what a request said in customParams, specterParams and meta, and what is no
// metric, into the Data of the match, by its path in the request: "meta.mapId". Calls that do not come from a Handler have
// none.
func Keep(ctx context.Context, c *finalbell.Call) error {
	texts, _ := ctx.Value(textsKey{}).(map[string]string)
	for path, text := range texts {
		c.Data[path] = text
	}
	return nil
}

// lost reports whether a repeated call said something that the one before it had not.
func lost(m finalbell.Match, texts map[string]string) bool {
	for path, text := range texts {
		if m.Data[path] != text {
			return true
		}
	}
	return false
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // a string always can be
	return string(b)
}
