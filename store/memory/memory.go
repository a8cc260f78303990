// Package memory keeps an engine's data until the process ends. It is what tests run on and the model that the
// other stores are held to.
package memory

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/finalbell/finalbell/store"
)

// Store is a store.Store in Go maps.
//
// It promises to survive nothing but Close: see Reopen. A read whose context is done fails with the context's
// error, also in the middle of a sequence; a commit takes no notice of its context, because it is over before
// anyone could give up on it. A sequence is a snapshot of the moment at which it is ranged over.
type Store struct {
	data   *data
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

var errClosed = errors.New("memory: the store is closed")

// New returns an empty store.
func New() *Store { return &Store{data: newData()} }

// Reopen returns an open store on the same data, as opening a file again would. The receiver stays as it is: a
// closed one still fails.
func (s *Store) Reopen() *Store { return &Store{data: s.data} }

// Close makes every later call on s fail, another Close too. The data stay for Reopen.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return errClosed
	}
	return nil
}

// Commit writes everything in b or nothing.
func (s *Store) Commit(_ context.Context, b store.Batch) error {
	if s.closed.Load() {
		return errClosed
	}
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	if err := s.data.check(b); err != nil {
		return err
	}
	s.data.write(b)
	return nil
}

// Match returns the match with the id, or store.ErrNotFound.
func (s *Store) Match(ctx context.Context, id string) (store.Match, error) {
	m, err := read(ctx, s, func(d *data) store.Match { return d.match(id) })
	if err == nil && m.Version == 0 {
		err = store.ErrNotFound
	}
	return m, err
}

// Matches yields the matches that q asks for in the order of their creation.
func (s *Store) Matches(ctx context.Context, q store.MatchQuery) iter.Seq2[store.Match, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.candidates(q) },
		matchIn,
		func(m *store.Match) bool { return asked(m, q) })
}

// Entries yields the entries that q asks for in the order of their creation, or of their ids if it names some.
func (s *Store) Entries(ctx context.Context, q store.EntryQuery) iter.Seq2[store.Entry, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.entries(q) },
		entryIn,
		func(*store.Entry) bool { return true })
}

// Windows yields the windows that q asks for in the order of their keys.
func (s *Store) Windows(ctx context.Context, q store.WindowQuery) iter.Seq2[store.Window, error] {
	return sequence(ctx, s,
		func(d *data) []store.Window { return d.periods(q) },
		func(w store.Window) store.Window { return w },
		func(*store.Window) bool { return true })
}

// Chunks yields the chunks of a window whose number is at least from and below to, by number.
func (s *Store) Chunks(ctx context.Context, key store.WindowKey, from, to int) iter.Seq2[store.Chunk, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.chunks(key, from, to) },
		chunkIn,
		func(*store.Chunk) bool { return true })
}

// Lines yields the lines of the ledger that q asks for, by position and then by their place in it.
func (s *Store) Lines(ctx context.Context, q store.LineQuery) iter.Seq2[store.Line, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.ledger.find(q) },
		lineIn,
		func(*store.Line) bool { return true })
}

// Balances yields the last line of each of the accounts in each currency, in the order in which they were named.
func (s *Store) Balances(ctx context.Context, accounts []store.Account) iter.Seq2[store.Line, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.ledger.balances(accounts) },
		lineIn,
		func(*store.Line) bool { return true })
}

// Grants yields the grants that q asks for, by position and then by their place in it.
func (s *Store) Grants(ctx context.Context, q store.GrantQuery) iter.Seq2[store.Grant, error] {
	return sequence(ctx, s,
		func(d *data) []store.Record { return d.grants.find(q) },
		grantIn,
		func(*store.Grant) bool { return true })
}

// Facts yields what is kept of the players, or of all if players is nil, by player.
func (s *Store) Facts(ctx context.Context, players []string) iter.Seq2[store.Facts, error] {
	return sequence(ctx, s,
		func(d *data) []store.Facts { return d.factsOf(players) },
		func(f store.Facts) store.Facts { return f },
		func(*store.Facts) bool { return true })
}

// Revisions yields what a match was before it was amended, by revision.
func (s *Store) Revisions(ctx context.Context, match string) iter.Seq2[store.Match, error] {
	return sequence(ctx, s,
		func(d *data) []store.Match { return slices.Clone(d.revisions[match]) },
		func(m store.Match) store.Match { return m },
		func(*store.Match) bool { return true })
}

// Sessions yields the sessions that q asks for.
func (s *Store) Sessions(ctx context.Context, q store.SessionQuery) iter.Seq2[store.Session, error] {
	return sequence(ctx, s,
		func(d *data) []store.Session { return d.sessions.find(q) },
		func(r store.Session) store.Session { return r },
		func(*store.Session) bool { return true })
}

// Rooms yields the rooms that q asks for.
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) iter.Seq2[store.Room, error] {
	return sequence(ctx, s,
		func(d *data) []store.Room { return d.rooms.find(q) },
		func(r store.Room) store.Room { return r },
		func(*store.Room) bool { return true })
}

// Events yields the events after a position, in order.
func (s *Store) Events(ctx context.Context, after uint64) iter.Seq2[store.Event, error] {
	return sequence(ctx, s,
		// No copy: events are only ever appended, and a Forget makes a list of its own.
		func(d *data) []*store.Event { return d.events[min(after, uint64(len(d.events))):] },
		func(e *store.Event) store.Event { return *e },
		func(*store.Event) bool { return true })
}

// Head returns the last position and the latest time.
func (s *Store) Head(ctx context.Context) (store.Head, error) {
	return read(ctx, s, func(d *data) store.Head { return d.head })
}

// Setting returns the value of a setting, or store.ErrNotFound.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	there := false
	set, err := read(ctx, s, func(d *data) (set store.Setting) {
		set, there = d.settings[name]
		return set
	})
	if err == nil && !there {
		err = store.ErrNotFound
	}
	return set.Value, err
}

// read is the one way to the data, so that no read forgets the lock, the context or Close.
func read[T any](ctx context.Context, s *Store, look func(*data) T) (found T, err error) {
	if s.closed.Load() {
		return found, errClosed
	}
	if err := ctx.Err(); err != nil {
		return found, err
	}
	s.data.mu.RLock()
	defer s.data.mu.RUnlock()
	return look(s.data), nil
}

// sequence lists rows under the lock and yields without it.
func sequence[R, T any](
	ctx context.Context, s *Store, list func(*data) []R, in func(R) T, keep func(*T) bool,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := read(ctx, s, list)
		if err != nil {
			yield(none, err)
			return
		}
		var row T // one for all: keep makes it escape
		for _, r := range rows {
			row = in(r)
			if !keep(&row) {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
