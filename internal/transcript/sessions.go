package transcript

import (
	"context"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls about players' sessions, and about the matches that a crash has left.

func (s *Session) sessionStart(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	n := finalbell.NewSession{
		ID:         strictjson.One(r, "id", readName),
		Player:     strictjson.One(r, "player", readName),
		Device:     strictjson.One(r, "device", readName),
		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}
	at := strictjson.One(r, "at", ReadTime)
	if err := r.Done(); err != nil {
		return nil, err
	}
	started, err := s.engine.At(at).StartSession(ctx, n)
	if err != nil {
		return nil, err
	}
	s.note(started.ID)
	return started, nil
}

func (s *Session) sessionEnd(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	player, device := strictjson.One(r, "player", readName), strictjson.One(r, "device", readName)
	at := strictjson.One(r, "at", ReadTime)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.At(at).EndSession(ctx, player, device)
}

func (s *Session) heartbeat(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	player, device := strictjson.One(r, "player", readName), strictjson.One(r, "device", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.Heartbeat(ctx, player, device)
}

func (s *Session) session(ctx context.Context, v strictjson.Value) (any, error) {
	id, err := readName(v)
	if err != nil {
		return nil, err
	}
	return s.engine.Session(ctx, id)
}

// listed is the answer to sessions.
type listed struct {
	Totals   finalbell.SessionTotals `json:"totals"`
	Sessions []finalbell.Session     `json:"sessions"`
}

// sessions adds up all that are asked for, and lists as many as the limit says.
func (s *Session) sessions(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	f := finalbell.SessionFilter{Player: strictjson.One(r, "player", readName), Open: r.Bool("open"), Newest: r.Bool("newest")}
	limit := limitOf(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	totals, err := s.engine.SessionTotals(ctx, f)
	if err != nil {
		return nil, err
	}
	list, err := List(s.engine.Sessions(ctx, f), limit)
	return listed{totals, list}, err
}

// orphans takes true, as verify does.
func (s *Session) orphans(_ context.Context, v strictjson.Value) (any, error) {
	if v.Kind() != strictjson.Bool || v.Text() != "true" {
		return nil, v.Expected("true")
	}
	list := s.engine.Orphans()
	if list == nil {
		list = []finalbell.Orphan{}
	}
	return list, nil
}
