package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls by which a player is forgotten, and told what is kept of them.

// pseudonymPrefix is what the engine puts before an id that it makes for who is forgotten.
const pseudonymPrefix = "forgotten-"

func (s *Session) forget(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	player := strictjson.One(r, "player", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	as, err := s.engine.Forget(ctx, player)
	if err != nil {
		return nil, err
	}
	s.note(strings.TrimPrefix(as, pseudonymPrefix))
	return struct {
		As string `json:"as"`
	}{as}, nil
}

func (s *Session) export(ctx context.Context, v strictjson.Value) (any, error) {
	player, err := readName(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := s.engine.Export(ctx, player, &out); err != nil {
		return nil, err
	}
	var lines []json.RawMessage
	for line := range bytes.Lines(out.Bytes()) {
		lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
	}
	return struct {
		Lines []json.RawMessage `json:"lines"`
	}{lines}, nil
}
