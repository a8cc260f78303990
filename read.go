package finalbell

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// How a page of a board is found: by offset, around a player or behind a cursor, on one board or on several.

// Read asks for one page of a board, in one of three ways: around a player, behind a cursor, or else from Offset.
type Read struct {
	Board     string
	Window    string // empty: the open one
	Partition string
	Offset    int    // 0-based
	Limit     int    // 0: 10; at most 1000
	Around    string // a player
	By        int    // entries on each side of Around, at most 1000
	// Cursor is a Page's Next. "start" begins a walk; Window and Partition are the cursor's from then on.
	Cursor string

	around bool // even if Around is empty
}

// CursorStart is the cursor at which a walk begins.
const CursorStart = "start"

// After returns up to limit entries (10 if 0, at most 1000) that come after a cursor, which is the Next of the page
// before; CursorStart begins. A cursor is a place in the order, not a count: whoever does not move during a walk is
// on exactly one of its pages, whatever the others do. Who moves behind the cursor may come twice, who moves ahead
// of it not at all, always with the rank of that instant. The walk stays in the window in which it began, also when
// that is over. A cursor that is damaged, or of a board that was rebuilt since, is ErrInvalid.
func (b *Board) After(ctx context.Context, cursor string, limit int) (Page, error) {
	r := Read{Cursor: cursor, Limit: limit}
	if cursor == "" {
		return Page{}, failed("read board", b.id, refuse(ErrInvalid, "cursor: is empty; a walk begins with "+quote(CursorStart)))
	}
	of := *b
	if err := of.follow(r); err != nil {
		return Page{}, failed("read board", b.id, err)
	}
	return of.page(ctx, r)
}

// Boards reads several boards as they stand after one and the same match, in the order asked.
func (e *Engine) Boards(ctx context.Context, reads ...Read) ([]Page, error) {
	if len(reads) > maxPage {
		return nil, failed("read boards", "", refuse(ErrInvalid, fmt.Sprintf("%d reads are more than %d", len(reads), maxPage)))
	}
	views := make([]*view, len(reads))
	for i, r := range reads {
		b := &Board{engine: e.engine, id: r.Board, period: r.Window, partition: r.Partition}
		err := b.follow(r)
		if err == nil {
			views[i], err = b.look(ctx)
		}
		if err != nil {
			return nil, failed("read board", r.Board, err)
		}
	}
	pages := make([]Page, len(reads))
	read := func(over bool) error {
		for i, r := range reads {
			if _, archived := views[i].source.(*archive); archived != over {
				continue
			}
			var err error
			if pages[i], err = views[i].page(ctx, r); err != nil {
				return failed("read board", r.Board, err)
			}
		}
		return nil
	}
	// What is over cannot change, and is read from the store, for which nobody shall wait.
	if err := read(true); err != nil {
		return nil, err
	}
	// No match is on some of its boards only while this is held.
	e.committer.applying.Lock()
	defer e.committer.applying.Unlock()
	position := e.committer.applied.Load()
	if err := read(false); err != nil {
		return nil, err
	}
	for i := range pages {
		pages[i].Position = position
	}
	return pages, nil
}

// look finds the window that the board is read in.
func (b *Board) look(ctx context.Context) (*view, error) {
	e := b.engine
	if err := e.readable(ctx); err != nil {
		return nil, err
	}
	if err := e.committer.reaches(ctx, b.atLeast); err != nil {
		return nil, err
	}
	board, there := e.ruleset().boards[b.id]
	if !there {
		return nil, refuse(ErrNotFound, "no such board")
	}
	switch {
	case board.rule.Partition != nil && b.partition == "":
		return nil, refuse(ErrInvalid, "partition: the board has one for each "+quote(board.rule.Partition.Attribute)+"; name it")
	case board.rule.Partition == nil && b.partition != "":
		return nil, refuse(ErrInvalid, "partition: the board has none")
	}
	now := e.now()
	if err := e.closeToRead(ctx, board, now); err != nil {
		return nil, err
	}
	v := &view{rule: board.rule, layout: board.layout, position: e.committer.applied.Load()}
	id := b.period
	if id == "" {
		w, open := board.current(now)
		if !open {
			return nil, refuse(ErrNotFound, "no window is open")
		}
		id = w.ID
	}
	v.key = board.key(id, b.partition)
	if p := board.period(id); p != nil {
		v.window, v.state, v.source = p.bounds(), p.state(now), empty{}
		v.rule, v.layout, v.key.Generation = p.board.rule, p.board.layout, p.board.generation // perhaps of before a rebuild
		w := p.find(b.partition)
		if w == nil && p.isFinal() {
			return v, e.lookBack(ctx, board, v, now) // perhaps frozen before the other partitions
		}
		if w != nil {
			v.source = w
		}
		return v, nil
	}
	if w, open := board.current(now); open && w.ID == id && board.rule.Window.endless() {
		v.window, v.state, v.source = w, WindowOpen, empty{} // nobody was in it, or it would be in memory
		return v, nil
	}
	return v, e.lookBack(ctx, board, v, now)
}

// current is the window that is open at a time.
func (b *board) current(now time.Time) (schedule.Window, bool) {
	if !b.rule.Window.forgotten() {
		return b.at(now)
	}
	for _, p := range slices.Backward(b.live()) {
		if !p.isFinal() {
			return p.bounds(), true
		}
	}
	return schedule.Window{}, false
}

// page reads one page.
func (v *view) page(ctx context.Context, r Read) (Page, error) {
	limit := r.Limit
	if limit == 0 {
		limit = defaultPage
	}
	switch {
	case limit < 0 || limit > maxPage:
		return Page{}, refuse(ErrInvalid, fmt.Sprintf("limit %d is not between 1 and %d", limit, maxPage))
	case r.Offset < 0:
		return Page{}, refuse(ErrInvalid, fmt.Sprintf("offset %d is negative", r.Offset))
	case r.By < 0 || r.By > maxPage:
		return Page{}, refuse(ErrInvalid, fmt.Sprintf("by %d is not between 0 and %d", r.By, maxPage))
	}
	p := Page{Board: v.rule.ID, Window: v.window.ID, Partition: v.key.Partition, Start: v.window.Start, End: v.window.End,
		State: v.state, Keys: slices.Clone(v.rule.Keys), Position: v.position}
	err := v.source.read(ctx, func(q reader) (err error) {
		first := r.Offset
		switch {
		case r.Around != "" || r.around:
			position, _, err := q.find(r.Around)
			if err == errAbsent {
				return noEntry(r.Around)
			}
			if err != nil {
				return err
			}
			first = max(0, position-r.By)
			limit = position + r.By + 1 - first
		case r.Cursor != "" && r.Cursor != CursorStart:
			c, err := readCursor(r.Cursor)
			if err != nil {
				return err
			}
			if c.key.Generation != v.key.Generation || len(c.row) != v.layout.width {
				return refuse(ErrInvalid, "cursor: the board was rebuilt since")
			}
			if first, err = q.count(c.row, true); err != nil {
				return err
			}
		}
		p.Size = q.size()
		lines, err := q.run(first, limit)
		if err != nil {
			return err
		}
		if p.Entries, err = v.entries(q, lines, first); err != nil {
			return err
		}
		if n := len(lines); r.Cursor != "" && first+n < p.Size {
			p.Next = cursor{v.key, lines[n-1].row}.text()
		}
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	return p, nil
}

// empty is the ranking of a window in which nobody is.
type empty struct{}

func (empty) read(_ context.Context, f func(r reader) error) error { return f(empty{}) }
func (empty) size() int                                            { return 0 }
func (empty) run(int, int) ([]line, error)                         { return nil, nil }
func (empty) find(string) (int, line, error)                       { return 0, line{}, errAbsent }
func (empty) count([]uint64, bool) (int, error)                    { return 0, nil }

// cursor is the place behind a line of a window.
type cursor struct {
	key store.WindowKey
	row []uint64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const cursorVersion = 1

func (c cursor) text() string {
	b := []byte{cursorVersion}
	for _, s := range []string{c.key.Board, c.key.Window, c.key.Partition} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendUvarint(b, uint64(c.key.Generation))
	for _, word := range c.row {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
}

// readCursor reads what text wrote and nothing else.
func readCursor(text string) (cursor, error) {
	bad := refuse(ErrInvalid, "cursor: "+quote(text)+" is none that a page gave")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 5 || b[0] != cursorVersion {
		return cursor{}, bad
	}
	body := b[:len(b)-4]
	if binary.BigEndian.Uint32(b[len(body):]) != crc32.Checksum(body, castagnoli) {
		return cursor{}, bad
	}
	var c cursor
	rest := body[1:]
	for _, s := range []*string{&c.key.Board, &c.key.Window, &c.key.Partition} {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return cursor{}, bad
		}
		*s, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	generation, size := binary.Uvarint(rest)
	if size <= 0 || (len(rest)-size)%8 != 0 || generation > 1<<31 {
		return cursor{}, bad
	}
	c.key.Generation, rest = int(generation), rest[size:]
	for ; len(rest) > 0; rest = rest[8:] {
		c.row = append(c.row, binary.BigEndian.Uint64(rest))
	}
	return c, nil
}

// follow takes a read's window from its cursor, which must be the board's.
func (b *Board) follow(r Read) error {
	if r.Cursor == "" || r.Cursor == CursorStart {
		return nil
	}
	c, err := readCursor(r.Cursor)
	if err != nil {
		return err
	}
	switch {
	case c.key.Board != b.id, b.period != "" && c.key.Window != b.period, b.partition != "" && c.key.Partition != b.partition:
		return refuse(ErrInvalid, "cursor: it is of window "+quote(c.key.Window)+" of board "+quote(c.key.Board))
	}
	b.period, b.partition = c.key.Window, c.key.Partition
	return nil
}
