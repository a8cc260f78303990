// Package faulty wraps a store so that it fails on purpose, at the calls that a test chooses: before anything was done,
// after everything was done, late, or from some call on for ever.
package faulty

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/finalbell/finalbell/store"
)

// ErrStopped is the answer of a stopped store.
var ErrStopped = errors.New("faulty: the store has stopped")

// Call is what a fault is chosen by.
type Call struct {
	Method string      // of store.Store, such as "Commit"
	N      int         // counts the calls of that method from 1; a sequence counts each time it is ranged over
	Batch  store.Batch // of a Commit
}

// Fault is what happens to a call. The zero Fault lets it through.
type Fault struct {
	// Wait, if set, runs before all else. It may block: on a channel, or in time.Sleep under testing/synctest.
	Wait func()
	// Err, if set, is the caller's answer instead of the inner store's. A sequence ends with it.
	Err error
	// Done lets the inner store do its work before Err or Stop: a commit is written or refused and nobody hears of
	// it, a sequence comes whole and then fails. Without Done the inner store never sees the call.
	Done bool
	// Stop ends the process: this call, those that still Wait and all later ones fail with ErrStopped, this one with
	// Err if that is set. The inner store hears no more.
	Stop bool
}

// Store passes calls on to an inner store, faults aside. A new Store on the same inner one restarts a stopped one.
type Store struct {
	inner store.Store
	next  func(Call) Fault

	mu      sync.Mutex
	counts  map[string]int
	stopped bool
}

var _ store.Store = (*Store)(nil)

// New wraps inner. next chooses the fault of each call; it is called for one at a time and must not use the store.
func New(inner store.Store, next func(Call) Fault) *Store {
	return &Store{inner: inner, next: next, counts: map[string]int{}}
}

// On returns a next that lets everything through but the nth call of a method.
func On(method string, n int, f Fault) func(Call) Fault {
	return func(c Call) Fault {
		if c.Method == method && c.N == n {
			return f
		}
		return Fault{}
	}
}

// Commit is store.Store's, faults aside; so are the other methods.
func (s *Store) Commit(ctx context.Context, b store.Batch) error {
	_, err := call(s, Call{Method: "Commit", Batch: b}, func() (any, error) { return nil, s.inner.Commit(ctx, b) })
	return err
}

func (s *Store) Match(ctx context.Context, id string) (store.Match, error) {
	return call(s, Call{Method: "Match"}, func() (store.Match, error) { return s.inner.Match(ctx, id) })
}

func (s *Store) Matches(ctx context.Context, q store.MatchQuery) iter.Seq2[store.Match, error] {
	return sequence(s, "Matches", s.inner.Matches(ctx, q))
}

func (s *Store) Entries(ctx context.Context, q store.EntryQuery) iter.Seq2[store.Entry, error] {
	return sequence(s, "Entries", s.inner.Entries(ctx, q))
}

func (s *Store) Windows(ctx context.Context, q store.WindowQuery) iter.Seq2[store.Window, error] {
	return sequence(s, "Windows", s.inner.Windows(ctx, q))
}

func (s *Store) Chunks(ctx context.Context, key store.WindowKey, from, to int) iter.Seq2[store.Chunk, error] {
	return sequence(s, "Chunks", s.inner.Chunks(ctx, key, from, to))
}

func (s *Store) Lines(ctx context.Context, q store.LineQuery) iter.Seq2[store.Line, error] {
	return sequence(s, "Lines", s.inner.Lines(ctx, q))
}

func (s *Store) Balances(ctx context.Context, accounts []store.Account) iter.Seq2[store.Line, error] {
	return sequence(s, "Balances", s.inner.Balances(ctx, accounts))
}

func (s *Store) Grants(ctx context.Context, q store.GrantQuery) iter.Seq2[store.Grant, error] {
	return sequence(s, "Grants", s.inner.Grants(ctx, q))
}

func (s *Store) Facts(ctx context.Context, players []string) iter.Seq2[store.Facts, error] {
	return sequence(s, "Facts", s.inner.Facts(ctx, players))
}

func (s *Store) Revisions(ctx context.Context, match string) iter.Seq2[store.Match, error] {
	return sequence(s, "Revisions", s.inner.Revisions(ctx, match))
}

func (s *Store) Sessions(ctx context.Context, q store.SessionQuery) iter.Seq2[store.Session, error] {
	return sequence(s, "Sessions", s.inner.Sessions(ctx, q))
}

func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) iter.Seq2[store.Room, error] {
	return sequence(s, "Rooms", s.inner.Rooms(ctx, q))
}

func (s *Store) Events(ctx context.Context, after uint64) iter.Seq2[store.Event, error] {
	return sequence(s, "Events", s.inner.Events(ctx, after))
}

func (s *Store) Head(ctx context.Context) (store.Head, error) {
	return call(s, Call{Method: "Head"}, func() (store.Head, error) { return s.inner.Head(ctx) })
}

func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	return call(s, Call{Method: "Setting"}, func() ([]byte, error) { return s.inner.Setting(ctx, name) })
}

func (s *Store) Close() error {
	_, err := call(s, Call{Method: "Close"}, func() (any, error) { return nil, s.inner.Close() })
	return err
}

// begin returns whether to ask the inner store, and the answer to give instead of its own, if any.
func (s *Store) begin(c Call) (ask bool, instead error) {
	s.mu.Lock()
	s.counts[c.Method]++
	c.N = s.counts[c.Method]
	var f Fault
	if !s.stopped {
		f = s.next(c)
	}
	s.mu.Unlock()
	if f.Wait != nil {
		f.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped { // perhaps while it waited
		return false, ErrStopped
	}
	if s.stopped = f.Stop; f.Stop && f.Err == nil {
		f.Err = ErrStopped
	}
	return f.Done || f.Err == nil, f.Err
}

func call[T any](s *Store, c Call, do func() (T, error)) (none T, err error) {
	ask, instead := s.begin(c)
	if !ask {
		return none, instead
	}
	if answer, err := do(); instead == nil {
		return answer, err
	}
	return none, instead
}

func sequence[T any](s *Store, method string, inner iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ask, instead := s.begin(Call{Method: method})
		if ask {
			for v, err := range inner {
				if !yield(v, err) {
					return
				}
			}
		}
		if instead != nil {
			var none T
			yield(none, instead)
		}
	}
}
