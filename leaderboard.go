package finalbell

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// Board reads one leaderboard, in one of its windows. What it returns is durable, and a match is in it whole or not
// at all. A window that is over is read like the open one, from its frozen ranks, which are not in memory.
type Board struct {
	engine    *engine
	id        string
	period    string // empty: the open window
	partition string
	atLeast   uint64
}

// Page is a run of entries of a board's window, by position.
type Page struct {
	Board, Window string
	Partition     string
	Start, End    time.Time // zero: open
	State         WindowState
	Size          int // entries in the window
	Entries       []Entry
	Keys          []Key  // of the entries' values: in a window that was over before the board was rebuilt, those of then
	Next          string // from After: the cursor of what follows; empty at the end
	// Position is that of a commit which the page shows, with all before it.
	Position uint64
}

// Entry is one line of a board.
type Entry struct {
	Rank      int // 1 + the number of entries above; equal ones share it unless the board's ties are FirstRank
	Position  int // 1, 2, 3 …; equal entries by the moment at which they came to their values
	Player    string
	Values    []Value
	ReachedAt time.Time // when the entry came to its values, as in Explain; not written as JSON
}

// Value is what an entry has under one key: a number, or for countback a count per place without trailing
// zeros.
type Value struct {
	Number Number
	Places []int64 // not nil: a countback
}

// Placing is where one player stands on a board.
type Placing struct {
	Player     string
	Rank       int // 0 in the answer of Ranks: has no entry
	Position   int
	Size       int    // entries in the window
	Percentile Number // 100 × (size − rank) / (size − 1), half to even to 2 decimals; 100 when alone
	Values     []Value
}

// Bucket is a range of a histogram: From ≤ value < To; an unknown end is open.
type Bucket struct {
	From, To Number
	Count    int
}

const (
	defaultPage = 10
	maxPage     = 1000
)

// Board returns the board of that id. One that the rules do not have answers every read with ErrNotFound.
func (e *Engine) Board(id string) *Board { return &Board{engine: e.engine, id: id} }

// Window returns the same board in the window of that id instead of the open one. One that the board never has, or
// that has not begun, answers every read with ErrNotFound.
func (b *Board) Window(id string) *Board {
	other := *b
	other.period = id
	return &other
}

// Partition returns one partition of the board: those with this value of the attribute that its rule names. One
// that nobody is in is empty. A board with partitions is read in one of them; any other has none.
func (b *Board) Partition(value string) *Board {
	other := *b
	other.partition = value
	return &other
}

// AtLeast returns the same board for reads that show the commit at a position, such as that of a match which another
// part of the program has ended: they wait until it is there, or fail with ErrUnavailable when their ctx ends or the
// engine cannot come to have it.
func (b *Board) AtLeast(position uint64) *Board {
	other := *b
	other.atLeast = position
	return &other
}

// Top returns the first n entries, 10 if n is 0, at most 1000.
func (b *Board) Top(ctx context.Context, n int) (Page, error) { return b.Page(ctx, 0, n) }

// Page returns up to limit entries (10 if 0, at most 1000) from the 0-based offset; past the end none.
func (b *Board) Page(ctx context.Context, offset, limit int) (Page, error) {
	return b.page(ctx, Read{Offset: offset, Limit: limit})
}

// Around returns the player's entry with up to by entries on each side, at most 1000, fewer at an edge.
// ErrNotFound if the player has none.
func (b *Board) Around(ctx context.Context, player string, by int) (Page, error) {
	return b.page(ctx, Read{Around: player, around: true, By: by})
}

func (b *Board) page(ctx context.Context, r Read) (Page, error) {
	var p Page
	v, err := b.look(ctx)
	if err == nil {
		p, err = v.page(ctx, r)
	}
	return p, failed("read board", b.id, err)
}

// Rank returns where the player stands; ErrNotFound without an entry.
func (b *Board) Rank(ctx context.Context, player string) (Placing, error) {
	all, err := b.ranks(ctx, []string{player})
	if err == nil && all[0].Rank == 0 {
		err = noEntry(player)
	}
	if err != nil {
		return Placing{}, failed("rank on board", b.id, err)
	}
	return all[0], nil
}

// Ranks returns where the players stand, in the order asked and all at one instant; a player without an entry
// has Rank 0.
func (b *Board) Ranks(ctx context.Context, players ...string) ([]Placing, error) {
	all, err := b.ranks(ctx, players)
	return all, failed("rank on board", b.id, err)
}

func (b *Board) ranks(ctx context.Context, players []string) ([]Placing, error) {
	v, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	if len(players) > maxPage {
		return nil, refuse(ErrInvalid, fmt.Sprintf("%d players are more than %d", len(players), maxPage))
	}
	out := make([]Placing, len(players))
	err = v.source.read(ctx, func(r reader) error {
		for i, player := range players {
			out[i].Player = player
			position, l, err := r.find(player)
			if err == errAbsent {
				continue
			}
			if err != nil {
				return err
			}
			rank, err := v.rank(r, l, position)
			if err != nil {
				return err
			}
			out[i] = Placing{Player: player, Rank: rank, Position: position + 1, Size: r.size(),
				Percentile: percentile(r.size(), rank), Values: v.values(l)}
		}
		return nil
	})
	return out, err
}

func percentile(size, rank int) Number {
	if size == 1 {
		return Int(100)
	}
	return fromUnits(divHalfEven(int64(size-rank)*100_00, int64(size-1)), 2)
}

// CountAtOrAbove returns how many entries are at least as good as the given values of the board's first keys.
// One value asks for the first key alone.
func (b *Board) CountAtOrAbove(ctx context.Context, values ...Number) (int, error) {
	n, err := b.count(ctx, values, true)
	return n, failed("count on board", b.id, err)
}

// RankAt returns the rank of an entry that has the given values of the board's first keys, or would have it if
// there were one: 1 + the number of those that are better. Further keys are taken to be equal.
func (b *Board) RankAt(ctx context.Context, values ...Number) (int, error) {
	n, err := b.count(ctx, values, false)
	if err != nil {
		return 0, failed("rank on board", b.id, err)
	}
	return n + 1, nil
}

func (b *Board) count(ctx context.Context, values []Number, orEqual bool) (n int, err error) {
	v, err := b.look(ctx)
	if err != nil {
		return 0, err
	}
	words, err := v.layout.probe(values)
	if err != nil {
		return 0, err
	}
	err = v.source.read(ctx, func(r reader) error {
		n, err = r.count(words, orEqual)
		return err
	})
	return n, err
}

// AtRank returns the entry that one has to equal for a rank: the one at that position. ErrNotFound beyond the last.
func (b *Board) AtRank(ctx context.Context, rank int) (Entry, error) {
	var p Page
	v, err := b.look(ctx)
	if err == nil && rank < 1 {
		err = refuse(ErrInvalid, fmt.Sprintf("rank %d is less than 1", rank))
	}
	if err == nil {
		p, err = v.page(ctx, Read{Offset: rank - 1, Limit: 1})
	}
	if err == nil && len(p.Entries) == 0 {
		err = refuse(ErrNotFound, fmt.Sprintf("rank %d is beyond the last of %s", rank, plural(p.Size, "entry")))
	}
	if err != nil {
		return Entry{}, failed("read board", b.id, err)
	}
	return p.Entries[0], nil
}

// Histogram counts the entries by the value of the board's first key: those below the first bound, those
// between each two, those at or above the last. Bounds must ascend.
func (b *Board) Histogram(ctx context.Context, bounds ...Number) ([]Bucket, error) {
	buckets, err := b.histogram(ctx, bounds)
	return buckets, failed("histogram of board", b.id, err)
}

func (b *Board) histogram(ctx context.Context, bounds []Number) ([]Bucket, error) {
	v, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	if len(bounds) == 0 || len(bounds) > maxPage {
		return nil, refuse(ErrInvalid, fmt.Sprintf("a histogram takes 1 to %d bounds, not %d", maxPage, len(bounds)))
	}
	words := make([][]uint64, len(bounds))
	for i, bound := range bounds {
		if words[i], err = v.layout.probe(bounds[i : i+1]); err != nil {
			return nil, err
		}
		if i > 0 && bound.Cmp(bounds[i-1]) <= 0 {
			return nil, refuse(ErrInvalid, fmt.Sprintf("bounds[%d]: %s does not ascend", i, bound))
		}
	}
	descending := v.rule.Keys[0].Order == Desc
	buckets := make([]Bucket, len(bounds)+1)
	err = v.source.read(ctx, func(r reader) error {
		below := 0
		for i := range buckets {
			upTo := r.size() // entries with a value below bounds[i]
			if i < len(bounds) {
				buckets[i].To = bounds[i]
				n, err := r.count(words[i], descending)
				if err != nil {
					return err
				}
				if descending {
					n = r.size() - n
				}
				upTo = n
			}
			if i > 0 {
				buckets[i].From = bounds[i-1]
			}
			buckets[i].Count, below = upTo-below, upTo
		}
		return nil
	})
	return buckets, err
}

// line is one entry of a ranking. The row is good for as long as the reader that gave it.
type line struct {
	id  string
	row []uint64
}

// reader answers about a ranking as it stands at one instant.
type reader interface {
	size() int
	// run are up to limit entries from an offset.
	run(offset, limit int) ([]line, error)
	// find is the 0-based position and the line of an entry, errAbsent if there is none.
	find(id string) (int, line, error)
	// count is the number of entries whose first words are better than the given ones, or equal to them.
	count(words []uint64, orEqual bool) (int, error)
}

// source is a ranking wherever it is kept. read gives f one that stands still meanwhile.
type source interface {
	read(ctx context.Context, f func(r reader) error) error
}

var errAbsent = refuse(ErrNotFound, "no entry")

func noEntry(player string) error {
	return refuse(ErrNotFound, "no entry of "+quote(player), player)
}

// view is a window that is being read.
type view struct {
	rule     BoardRule
	layout   layout
	key      store.WindowKey
	source   source
	window   schedule.Window
	state    WindowState
	position uint64
}

// rank is the rank of a line at a 0-based position.
func (v *view) rank(r reader, l line, position int) (int, error) {
	if v.rule.Ties == FirstRank {
		return position + 1, nil
	}
	n, err := r.count(l.row[:v.layout.valueWords], false)
	return n + 1, err
}

func (v *view) values(l line) []Value { return v.rule.shown(v.layout.values(l.row)) }

// entries are lines with their ranks; the first is at the 0-based position given.
func (v *view) entries(r reader, lines []line, first int) ([]Entry, error) {
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		position := first + i
		rank := position + 1 // right if the one before is strictly better
		var err error
		if n := v.layout.valueWords; i == 0 {
			rank, err = v.rank(r, l, position)
		} else if v.rule.Ties != FirstRank && slices.Equal(lines[i-1].row[:n], l.row[:n]) {
			rank = entries[i-1].Rank
		}
		if err != nil {
			return nil, err
		}
		reached := time.UnixMilli(v.layout.moment(l.row).at).UTC()
		entries[i] = Entry{Rank: rank, Position: position + 1, Player: l.id, Values: v.values(l), ReachedAt: reached}
	}
	return entries, nil
}

// shown turns an entry's stored values into those that are given away.
func (b BoardRule) shown(values [][]int64) []Value {
	out := make([]Value, len(values))
	for i, v := range values {
		if i >= len(b.Keys) {
			return out[:i]
		}
		switch {
		case b.Keys[i].Fold == FoldCountback:
			out[i].Places = append([]int64{}, v...)
		case len(v) == 1:
			out[i].Number = fromUnits(v[0], b.Keys[i].Scale)
		}
	}
	return out
}
