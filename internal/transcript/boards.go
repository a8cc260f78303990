package transcript

import (
	"context"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls that read boards.

const defaultBy = 5 // entries on each side of a player

// readBoard begins a line about a board: its id under the given name, and a window.
func (s *Session) readBoard(v strictjson.Value, id string) (*finalbell.Board, *strictjson.Reader) {
	r := strictjson.Fields(v)
	r.Require(id)
	b := s.engine.Board(strictjson.One(r, id, readName))
	if r.Has("window") {
		b = b.Window(strictjson.One(r, "window", readName))
	}
	return b, r
}

// board reads a page in one of three ways: the top, from an offset, or around a player.
func (s *Session) board(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "id")
	ways := 0
	for _, asked := range []bool{r.Has("top"), r.Has("offset") || r.Has("limit"), r.Has("around") || r.Has("by")} {
		if asked {
			ways++
		}
	}
	if ways > 1 {
		r.Fail(v.Errorf("either top, or offset and limit, or around and by"))
	}
	if r.Has("around") || r.Has("by") {
		return around(ctx, b, r)
	}
	limit := strictjson.One(r, "limit", readLimit)
	if r.Has("top") {
		limit = strictjson.One(r, "top", readLimit)
	}
	offset := r.Int("offset")
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Page(ctx, offset, limit)
}

func around(ctx context.Context, b *finalbell.Board, r *strictjson.Reader) (any, error) {
	r.Require("around")
	player := strictjson.One(r, "around", readName)
	by := defaultBy
	if r.Has("by") {
		by = r.Int("by")
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Around(ctx, player, by)
}

func (s *Session) windows(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("board")
	b := s.engine.Board(strictjson.One(r, "board", readName))
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Windows(ctx)
}

func (s *Session) rank(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("player")
	player := strictjson.One(r, "player", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Rank(ctx, player)
}

func (s *Session) ranks(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("players")
	players := strictjson.List(r, "players", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Ranks(ctx, players...)
}

// count is the answer to count.
type count struct {
	Count int `json:"count"`
}

func (s *Session) count(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("values")
	values := strictjson.List(r, "values", readNumber)
	if err := r.Done(); err != nil {
		return nil, err
	}
	n, err := b.CountAtOrAbove(ctx, values...)
	return count{n}, err
}

func (s *Session) histogram(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("bounds")
	bounds := strictjson.List(r, "bounds", readNumber)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.Histogram(ctx, bounds...)
}
