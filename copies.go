package finalbell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/finalbell/finalbell/internal/ranktree"
	"github.com/finalbell/finalbell/store"
)

// To open a board of millions from its entries, row by row, takes seconds. So a large ranking is copied now and then
// into chunks, as an archive is, while it moves: the copy was begun at a position, and whoever was in no match since
// is in it once, at the right place. Opening takes the others from their entries. A copy is never needed: without one,
// or with one that is too old or damaged, everybody is taken from their entries.

const (
	copyLeast  = 10_000    // smaller rankings are not copied
	copySet    = 1_000_000 // chunk numbers of a copy: two copies take turns,
	copyOthers = 500_000   // and from here in each those who are not ranked
	copyHeader = 2         // begins the chunk 0 of a window that has a copy; an archive has its directory there
)

// copyHead says where a ranking's copy is.
type copyHead struct {
	position uint64 // at which it was begun; 0: there is none
	set      int    // its first chunk is the number after set
	chunks   int
	others   int // chunks of those who are not ranked
}

func (h copyHead) encode() []byte {
	b := []byte{copyHeader}
	for _, n := range []uint64{h.position, uint64(h.set), uint64(h.chunks), uint64(h.others)} {
		b = binary.AppendUvarint(b, n)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func readCopyHead(data []byte) (copyHead, bool) {
	if len(data) < 5 || data[0] != copyHeader {
		return copyHead{}, false
	}
	body := data[:len(data)-4]
	if binary.BigEndian.Uint32(data[len(body):]) != crc32.Checksum(body, castagnoli) {
		return copyHead{}, false
	}
	d := chunkReader{rest: body[1:]}
	h := copyHead{position: d.number(), set: int(d.number()), chunks: int(d.number()), others: int(d.number())}
	ok := !d.failed && len(d.rest) == 0 && (h.set == copySet || h.set == 2*copySet) &&
		h.chunks >= 0 && h.chunks < copyOthers && h.others >= 0 && h.others < copyOthers
	return h, ok
}

// copyLarge copies the rankings of which the copy has become too old to be of use, or at the end of an engine's life
// those that have moved at all.
func (e *engine) copyLarge(ctx context.Context, last bool) error {
	rs := e.ruleset()
	for _, rule := range rs.rules.Boards {
		for _, p := range rs.boards[rule.ID].live() {
			for _, w := range p.rankings() {
				size := w.size()
				most := uint64(max(copyLeast, size/50))
				if last {
					most = uint64(size / 1000)
				}
				since := e.committer.applied.Load() - w.copied().position
				if p.isFinal() || size < copyLeast || since <= most && (!last || w.copied().position > 0) {
					continue
				}
				if err := e.copy(ctx, w); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *ranking) copied() copyHead {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.copy
}

// copy writes a ranking down as it is now, while it moves.
func (e *engine) copy(ctx context.Context, w *ranking) error {
	old := w.copied()
	next := copyHead{position: e.committer.applied.Load(), set: copySet}
	if old.set == copySet {
		next.set = 2 * copySet
	}
	var last []uint64
	for {
		data, err := w.chunkAfter(&last, e.copyRun)
		if err != nil {
			return err
		}
		if data == nil {
			break
		}
		next.chunks++
		if e.copying != nil {
			e.copying()
		}
		if err := e.committer.follow(ctx, store.Chunk{WindowKey: w.key, N: next.set + next.chunks, Data: data}); err != nil {
			return err
		}
	}
	for ids := range slices.Chunk(w.others(), chunkEntries) {
		lines := make([]line, len(ids))
		for i, id := range ids {
			lines[i] = line{id, make([]uint64, w.layout.width)}
		}
		next.others++
		c := store.Chunk{WindowKey: w.key, N: next.set + copyOthers + next.others, Data: encodeChunk(w.layout, lines)}
		if err := e.committer.follow(ctx, c); err != nil {
			return err
		}
	}
	// Only now is it the copy: a crash before leaves the old one.
	if err := e.committer.follow(ctx, store.Chunk{WindowKey: w.key, Data: next.encode()}); err != nil {
		return err
	}
	w.mu.Lock()
	w.copy = next
	w.mu.Unlock()
	return e.dropCopy(ctx, w.key, old)
}

// dropCopy takes away the chunks of a copy that nobody needs any more.
func (e *engine) dropCopy(ctx context.Context, key store.WindowKey, h copyHead) error {
	const slice = 1000 // as many as a Drop takes
	for _, run := range [][2]int{{h.set + 1, h.chunks}, {h.set + copyOthers + 1, h.others}} {
		for from := run[0]; from < run[0]+run[1]; from += slice {
			if err := e.committer.follow(ctx, store.Drop{WindowKey: key, From: from, To: min(from+slice, run[0]+run[1])}); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunkAfter is the next run of entries after a row, nil for none.
func (w *ranking) chunkAfter(last *[]uint64, entries int) (data []byte, err error) {
	err = w.read(context.Background(), func(r reader) error {
		offset := 0
		if *last != nil {
			if offset, err = r.count(*last, true); err != nil {
				return err
			}
		}
		lines, err := r.run(offset, entries)
		if err != nil || len(lines) == 0 {
			return err
		}
		*last = slices.Clone(lines[len(lines)-1].row)
		data = encodeChunk(w.layout, lines)
		return nil
	})
	return data, err
}

// others are those who have an entry but are not ranked.
func (w *ranking) others() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.waiting))
	for slot := range w.waiting {
		ids = append(ids, w.ids.id(slot))
	}
	slices.Sort(ids)
	return ids
}

// errNoCopy is that a ranking has to be filled from its entries.
var errNoCopy = errors.New("no copy that can be used")

// loadCopy fills a ranking from its copy and from the entries of those who were in a match since.
func (e *engine) loadCopy(ctx context.Context, w *ranking, since *since) error {
	h, err := e.copyHead(ctx, w.key)
	if err != nil {
		return err
	}
	w.copy = h // used or not, it is what the next one takes the place of
	size := h.chunks * chunkEntries
	if h.position == 0 || h.position > since.head || since.head-h.position > uint64(max(1000, size/50)) {
		return errNoCopy
	}
	touched, err := since.touched(ctx, h.position, w.rule.Of)
	if err != nil {
		return err
	}
	room := min(size, 1<<24) // what a damaged header says must not cost all memory
	w.ids.reserve(room)
	l := w.loader()
	l.items = make([]ranktree.Item, 0, room)
	if err := e.copiedLines(ctx, w, h.set+1, h.chunks, touched, l.addLine); err != nil {
		return err
	}
	err = e.copiedLines(ctx, w, h.set+copyOthers+1, h.others, touched, func(slot uint32, _ []uint64) {
		w.waiting[slot] = struct{}{}
	})
	if err != nil {
		return err
	}
	copied := len(l.items)
	for ids := range slices.Chunk(names(touched), chunkEntries) {
		for r, err := range e.store.Entries(ctx, store.EntryQuery{WindowKey: w.key, IDs: ids}) {
			if err != nil {
				return unavailable(err)
			}
			if err := l.add(&store.Place{ID: r.ID, Entered: r.Entered, Hidden: r.Hidden != "", Sort: r.Sort, Changed: r.Changed}); err != nil {
				return unavailable(fmt.Errorf("entry of %q on board %q: %w", r.ID, w.key.Board, err))
			}
		}
	}
	slices.SortFunc(l.items[copied:], l.compare)
	if !slices.IsSortedFunc(l.items[:copied], l.compare) {
		return errNoCopy
	}
	return w.tree.Load(merged(l.items[:copied], l.items[copied:], l.compare))
}

// copyHead reads where a window's copy is.
func (e *engine) copyHead(ctx context.Context, key store.WindowKey) (copyHead, error) {
	for c, err := range e.store.Chunks(ctx, key, 0, 1) {
		if err != nil {
			return copyHead{}, unavailable(err)
		}
		if h, ok := readCopyHead(c.Data); ok {
			return h, nil
		}
	}
	return copyHead{}, errNoCopy
}

// copiedLines gives what is in a run of chunks, but for those who were touched. Chunks are decoded on the side, while
// those before are taken in.
func (e *engine) copiedLines(ctx context.Context, w *ranking, from, chunks int, touched map[string]bool, take func(slot uint32, row []uint64)) error {
	ctx, stop := context.WithCancel(ctx)
	decoded := make(chan []line, 4)
	var failure error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(decoded)
		n := 0
		for c, err := range e.store.Chunks(ctx, w.key, from, from+chunks) {
			var lines []line
			if err == nil {
				lines, err = decodeChunk(w.layout, c.Data)
			}
			if err == nil && c.N != from+n {
				err = errChunk
			}
			if err != nil {
				failure = err
				return
			}
			n++
			select {
			case decoded <- lines:
			case <-ctx.Done():
				return
			}
		}
		if n < chunks {
			failure = errChunk
		}
	})
	var bad error
	for lines := range decoded {
		for i := range lines {
			if touched[lines[i].id] || bad != nil {
				continue
			}
			if bad = checkID("id", lines[i].id); bad == nil {
				take(w.ids.enter(lines[i].id), lines[i].row)
			}
		}
	}
	stop()
	reading.Wait()
	if failure != nil || bad != nil {
		return errors.Join(errNoCopy, failure, bad)
	}
	return nil
}

// addLine takes one entry of a copy.
func (l *loader) addLine(slot uint32, row []uint64) {
	copy(l.ranking.rows.make(slot), row)
	l.items = append(l.items, ranktree.Item{Key: ranktree.Key{S: row[0], T: row[1]}, Slot: slot})
}

// since knows who was in a match after a position.
type since struct {
	engine *engine
	head   uint64
	from   uint64 // what is known begins after this position
	known  bool
	seen   []touch
	err    error // why not all of it is known
}

// touch is that somebody's entries may have changed by a commit.
type touch struct {
	position uint64
	of       Subject
	id       string
}

// touched are those whose entries may have changed after a position: everybody in a match that has ended since, and
// whose entry was hidden or restored.
func (s *since) touched(ctx context.Context, after uint64, of Subject) (map[string]bool, error) {
	if !s.known || after < s.from {
		s.known, s.from, s.seen = true, after, nil
		s.err = s.read(ctx)
	}
	if s.err != nil {
		return nil, s.err
	}
	touched := make(map[string]bool)
	for _, t := range s.seen {
		if t.position > after && t.of == of {
			touched[t.id] = true
		}
	}
	return touched, nil
}

// read takes in the events after from.
func (s *since) read(ctx context.Context) error {
	for event, err := range s.engine.store.Events(ctx, s.from) {
		if err != nil {
			return unavailable(err)
		}
		if err := s.take(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

func (s *since) take(ctx context.Context, event store.Event) error {
	switch event.Kind {
	case createdEvent, startedEvent, joinedEvent, cancelledEvent, expiredEvent, refusedEvent, windowClosedEvent, seasonBegunEvent,
		feesReleasedEvent, creditedEvent, debitedEvent, transferredEvent, grantClaimedEvent, grantExpiredEvent, deliveredEvent,
		undeliveredEvent, redeliverEvent, prizesPaidEvent, sessionStartedEvent, sessionEndedEvent,
		roomOpenedEvent, roomJoinedEvent, roomLeftEvent, roomDismissedEvent, roomClosedEvent,
		afterFailedEvent, replayedEvent,
		forgottenEvent, // whose commit has written the copies anew
		rebuiltEvent:   // whose boards begin without a copy
		return nil
	case entryHiddenEvent, entryRestoredEvent:
		s.seen = append(s.seen, touch{event.Position, OfPlayers, event.ID}, touch{event.Position, OfTeams, event.ID})
		return nil
	}
	m, err := s.engine.store.Match(ctx, event.ID)
	if errors.Is(err, store.ErrNotFound) {
		return errNoCopy // whatever it was, entries may have changed
	}
	if err != nil {
		return unavailable(err)
	}
	for _, p := range m.Participants {
		s.seen = append(s.seen, touch{event.Position, OfPlayers, strings.Clone(p.Player)})
		if p.Team != "" {
			s.seen = append(s.seen, touch{event.Position, OfTeams, strings.Clone(p.Team)})
		}
	}
	return nil
}
