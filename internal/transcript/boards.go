package transcript

import (
	"context"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls that read boards.

const defaultBy = 5 // entries on each side of a player

// readBoard begins a line about a board: its id under the given name, a window and a partition.
func (s *Session) readBoard(v strictjson.Value, id string) (*finalbell.Board, *strictjson.Reader) {
	r := strictjson.Fields(v)
	r.Require(id)
	b := s.engine.Board(strictjson.One(r, id, readName))
	if r.Has("window") {
		b = b.Window(strictjson.One(r, "window", readName))
	}
	if r.Has("partition") {
		b = b.Partition(strictjson.One(r, "partition", readName))
	}
	return b, r
}

// board reads a page in one of four ways: the top, from an offset, around a player or behind a cursor.
func (s *Session) board(ctx context.Context, v strictjson.Value) (any, error) {
	asked, err := readRead(v)
	if err != nil {
		return nil, err
	}
	b := s.engine.Board(asked.Board)
	if asked.Window != "" {
		b = b.Window(asked.Window)
	}
	if asked.Partition != "" {
		b = b.Partition(asked.Partition)
	}
	switch {
	case asked.Around != "":
		return b.Around(ctx, asked.Around, asked.By)
	case asked.Cursor != "":
		return b.After(ctx, asked.Cursor, asked.Limit)
	}
	return b.Page(ctx, asked.Offset, asked.Limit)
}

func readRead(v strictjson.Value) (finalbell.Read, error) {
	r := strictjson.Fields(v)
	r.Require("id")
	read := finalbell.Read{
		Board:     strictjson.One(r, "id", readName),
		Window:    strictjson.One(r, "window", readName),
		Partition: strictjson.One(r, "partition", readName),
		Offset:    r.Int("offset"),
		Limit:     strictjson.One(r, "limit", readLimit),
		Around:    strictjson.One(r, "around", readName),
		Cursor:    strictjson.One(r, "cursor", readName),
	}
	ways := 0
	for _, asked := range []bool{
		r.Has("top"), r.Has("offset") || r.Has("limit") && !r.Has("cursor"), r.Has("around") || r.Has("by"), r.Has("cursor"),
	} {
		if asked {
			ways++
		}
	}
	if ways > 1 {
		r.Fail(v.Errorf("either top, or offset and limit, or around and by, or cursor and limit"))
	}
	if r.Has("top") {
		read.Limit = strictjson.One(r, "top", readLimit)
	}
	if r.Has("around") || r.Has("by") {
		r.Require("around")
		read.By = defaultBy
		if r.Has("by") {
			read.By = r.Int("by")
		}
	}
	return read, r.Done()
}

// mostPages is how many pages are read at once where others wait for the same server.
const mostPages = 100

// boards reads several pages at one instant.
func (s *Session) boards(ctx context.Context, v strictjson.Value) (any, error) {
	if s.manual == nil && v.Len() > mostPages {
		return nil, v.Errorf("%d pages; at most %d at once", v.Len(), mostPages)
	}
	reads, err := strictjson.Items(v, readRead)
	if err != nil {
		return nil, err
	}
	return s.engine.Boards(ctx, reads...)
}

func (s *Session) windows(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("board")
	b := s.engine.Board(strictjson.One(r, "board", readName))
	if r.Has("partition") {
		b = b.Partition(strictjson.One(r, "partition", readName))
	}
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

// rankOf is the answer to rank_at.
type rankOf struct {
	Rank int `json:"rank"`
}

func (s *Session) rankAt(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("values")
	values := strictjson.List(r, "values", readNumber)
	if err := r.Done(); err != nil {
		return nil, err
	}
	n, err := b.RankAt(ctx, values...)
	return rankOf{n}, err
}

func (s *Session) atRank(ctx context.Context, v strictjson.Value) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("rank")
	rank := strictjson.One(r, "rank", readRank)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.AtRank(ctx, rank)
}

func (s *Session) beginSeason(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("board", "id")
	b, id := s.engine.Board(strictjson.One(r, "board", readName)), strictjson.One(r, "id", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.BeginSeason(ctx, id)
}

func (s *Session) closeWindow(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("board")
	b := s.engine.Board(strictjson.One(r, "board", readName))
	if r.Has("window") {
		b = b.Window(strictjson.One(r, "window", readName))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b.CloseWindow(ctx)
}

// shown is the answer to hide and restore.
type shown struct {
	Player string `json:"player"`
	Hidden bool   `json:"hidden,omitempty"`
}

func (s *Session) hide(ctx context.Context, v strictjson.Value) (any, error) {
	return s.show(ctx, v, (*finalbell.Board).Hide, true)
}

func (s *Session) restore(ctx context.Context, v strictjson.Value) (any, error) {
	return s.show(ctx, v, (*finalbell.Board).Restore, false)
}

func (s *Session) show(ctx context.Context, v strictjson.Value, call func(b *finalbell.Board, ctx context.Context, player, reason string) error, hidden bool) (any, error) {
	b, r := s.readBoard(v, "board")
	r.Require("player", "reason")
	player, reason := strictjson.One(r, "player", readName), r.String("reason")
	if err := r.Done(); err != nil {
		return nil, err
	}
	return shown{player, hidden}, call(b, ctx, player, reason)
}

// rebuild takes rules as a rules file has them.
func (s *Session) rebuild(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("rules")
	rules := strictjson.One(r, "rules", func(v strictjson.Value) (finalbell.Rules, error) {
		return finalbell.ParseRules(v.Append(nil))
	})
	options := finalbell.RebuildOptions{DryRun: r.Bool("dry_run")}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.Rebuild(ctx, rules, options)
}
