package transcript

import (
	"context"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// explain takes an entry of a board, a player's standing in a match, or a grant.
func (s *Session) explain(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	ways := 0
	for _, subject := range []string{"board", "match", "grant"} {
		if r.Has(subject) {
			ways++
		}
	}
	if ways != 1 {
		r.Fail(v.Errorf("either board and player, or match and player, or grant"))
		return nil, r.Done()
	}
	if r.Has("grant") {
		grant := strictjson.One(r, "grant", readName)
		if err := r.Done(); err != nil {
			return nil, err
		}
		return s.engine.ExplainGrant(ctx, grant)
	}
	r.Require("player")
	player := strictjson.One(r, "player", readName)
	if r.Has("match") {
		match := strictjson.One(r, "match", readName)
		if err := r.Done(); err != nil {
			return nil, err
		}
		return s.engine.ExplainStanding(ctx, match, player)
	}
	b := s.engine.Board(strictjson.One(r, "board", readName))
	if r.Has("window") {
		b = b.Window(strictjson.One(r, "window", readName))
	}
	if r.Has("partition") {
		b = b.Partition(strictjson.One(r, "partition", readName))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Explain(ctx, player)
}
