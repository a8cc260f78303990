package transcript

import (
	"context"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// events lists what happened after a position.
func (s *Session) events(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	after := r.Int64("after")
	f := finalbell.EventFilter{Kinds: strictjson.List(r, "kinds", readKind)}
	if r.Has("match") {
		f.Matches = []string{strictjson.One(r, "match", readName)}
	}
	if r.Has("player") {
		f.Players = []string{strictjson.One(r, "player", readName)}
	}
	limit := limitOf(r)
	if after < 0 {
		r.Fail(v.Errorf("after: must not be negative"))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return List(s.engine.Events(ctx, uint64(after), f), limit) //nolint:gosec // not negative
}

// undelivered lists what the hooks that are fed from the log gave up.
func (s *Session) undelivered(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	limit := limitOf(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return List(s.engine.Undelivered(ctx), limit)
}

// replayEvents lets the hooks have what happened after a position once more.
func (s *Session) replayEvents(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("after")
	after := r.Int64("after")
	if after < 0 {
		r.Fail(v.Errorf("after: must not be negative"))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return struct {
		After int64 `json:"after"`
	}{after}, s.engine.ReplayEvents(ctx, uint64(after)) //nolint:gosec // not negative
}

func readKind(v strictjson.Value) (finalbell.EventKind, error) {
	kind, err := readName(v)
	return finalbell.EventKind(kind), err
}
