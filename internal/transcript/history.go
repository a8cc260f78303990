package transcript

import (
	"context"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls that read what players have done.

func (s *Session) player(ctx context.Context, v strictjson.Value) (any, error) {
	id, err := readName(v)
	if err != nil {
		return nil, err
	}
	return s.engine.Player(ctx, id)
}

func (s *Session) history(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	f := finalbell.HistoryFilter{
		Player:   strictjson.One(r, "player", readName),
		Mode:     strictjson.One(r, "mode", readName),
		Room:     strictjson.One(r, "room", readName),
		Opponent: strictjson.One(r, "opponent", readName),
		From:     strictjson.One(r, "from", ReadTime),
		To:       strictjson.One(r, "to", ReadTime),
	}
	offset, limit := r.Int("offset"), limitOf(r)
	if offset < 0 {
		r.Fail(v.Errorf("the offset %d is negative", offset))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	rows := []finalbell.HistoryRow{}
	for row, err := range s.engine.History(ctx, f) {
		if err != nil {
			return nil, err
		}
		if offset > 0 {
			offset--
			continue
		}
		if rows = append(rows, row); len(rows) == limit {
			break
		}
	}
	return rows, nil
}

func (s *Session) headToHead(ctx context.Context, v strictjson.Value) (any, error) {
	players, err := strictjson.Items(v, readName)
	if err != nil {
		return nil, err
	}
	if len(players) != 2 {
		return nil, v.Expected("two players")
	}
	return s.engine.HeadToHead(ctx, players[0], players[1])
}
