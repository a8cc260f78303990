package storetest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// contents is all that a store holds, kept in the plainest way: the model of the contract, and what the reads of
// a store are compared with. Rules that compare whole stores keep to windows and settingNames, for a store does
// not list those.
type contents struct {
	Head     store.Head
	Events   []store.Event
	Matches  []store.Match
	Entries  []store.Entry   // by window and id
	Windows  []store.Window  // by key: all that a store lists, so that one without a version has an entry
	Chunks   []store.Chunk   // by window and number
	Settings []store.Setting // by name
	Money    money
	Players  players
}

type entryKey struct {
	store.WindowKey
	id string
}

// in is the key of a window without partition, of the first generation.
func in(board, window string) store.WindowKey { return store.WindowKey{Board: board, Window: window} }

// windows differ in one part of their keys, or only in where a part ends.
func windows() []store.WindowKey {
	return []store.WindowKey{
		in("x", "yz"), in("xy", "z"), in("x", ""),
		{Board: "x", Window: "y", Partition: "z"}, {Board: "x", Window: "yz", Partition: "z"}, {Board: "x", Window: "yz", Generation: 1},
	}
}

func firstWindow() store.EntryQuery { return store.EntryQuery{WindowKey: windows()[0]} }

func settingNames() []string { return []string{"clock", "rules"} }

// contentsOf reads all of a store.
func contentsOf(t tb, s store.Store) contents {
	t.Helper()
	ctx := context.Background()
	head, err := s.Head(ctx)
	require.NoError(t, err, "Head")
	c := contents{
		Head:    head,
		Events:  all(t, s.Events(ctx, 0)),
		Matches: all(t, s.Matches(ctx, store.MatchQuery{})),
	}
	for _, key := range windows() {
		entries := all(t, s.Entries(ctx, store.EntryQuery{WindowKey: key}))
		requirePlaces(t, s, key, entries)
		c.Entries = append(c.Entries, entries...)
		c.Chunks = append(c.Chunks, all(t, s.Chunks(ctx, key, 0, math.MaxInt))...)
	}
	slices.SortFunc(c.Entries, byKey)
	slices.SortStableFunc(c.Chunks, func(a, b store.Chunk) int { return byWindow(a.WindowKey, b.WindowKey) })
	c.Windows = windowsOf(t, s, store.WindowQuery{})
	c.Money = moneyOf(t, s, c.Matches)
	c.Players = playersOf(t, s)
	for _, name := range settingNames() {
		value, err := s.Setting(ctx, name)
		if err == nil {
			c.Settings = append(c.Settings, store.Setting{Name: name, Value: value})
			continue
		}
		require.ErrorIs(t, err, store.ErrNotFound, "Setting")
	}
	return plain(c)
}

// after returns what c is when b is written. It copies everything first, so it is whole or nothing by nature.
func (c contents) after(b store.Batch) (contents, error) {
	next := contents{
		Head: c.Head, Events: slices.Clone(c.Events), Matches: slices.Clone(c.Matches),
		Entries: slices.Clone(c.Entries), Windows: slices.Clone(c.Windows), Chunks: slices.Clone(c.Chunks),
		Settings: slices.Clone(c.Settings), Money: c.Money.clone(), Players: c.Players.clone(),
	}
	for i, commit := range b.Commits {
		if err := next.refusal(commit); err != nil {
			return c, &store.CommitError{Index: i, Key: commit.Key, Err: err}
		}
		next.Events = append(next.Events, eventOf(commit))
		next.Head.Position++
		if commit.At.After(next.Head.At) {
			next.Head.At = commit.At
		}
		for _, r := range commit.Records {
			next.put(r)
		}
		for _, r := range commit.Records {
			if f, is := r.(store.Forget); is {
				next.forget(f)
			}
		}
	}
	for _, r := range b.Soft {
		if next.fitsSoftly(r) {
			next.put(r)
		}
	}
	return next, nil
}

func (c contents) fitsSoftly(r store.Record) bool {
	version, has := versionOf(r)
	if _, is := r.(store.Entry); is {
		return version != 0
	}
	return !has || version != 0 && version == c.version(r)
}

func (c contents) refusal(commit store.Commit) error {
	for _, e := range c.Events {
		switch {
		case e.Key != commit.Key:
		case e.Digest == commit.Digest:
			return store.ErrReplayed
		default:
			return store.ErrReused
		}
	}
	if commit.Position != c.Head.Position+1 {
		return store.ErrStale
	}
	for _, r := range commit.Records {
		if version, has := versionOf(r); has && version != c.version(r)+1 {
			return store.ErrStale
		}
	}
	return c.Money.refusal(commit)
}

// versionOf is the version of a match, entry, window, session or room.
func versionOf(r store.Record) (version uint64, has bool) {
	switch r := r.(type) {
	case store.Match:
		return r.Version, true
	case store.Entry:
		return r.Version, true
	case store.Window:
		return r.Version, true
	case store.Session:
		return r.Version, true
	case store.Room:
		return r.Version, true
	}
	return 0, false
}

// version returns the stored version of a match, entry, window, session or room, 0 for none.
func (c contents) version(r store.Record) uint64 {
	switch r := r.(type) {
	case store.Match:
		for _, m := range c.Matches {
			if m.ID == r.ID {
				return m.Version
			}
		}
	case store.Entry:
		for _, e := range c.Entries {
			if byKey(e, r) == 0 {
				return e.Version
			}
		}
	case store.Window:
		for _, w := range c.Windows {
			if w.WindowKey == r.WindowKey {
				return w.Version
			}
		}
	case store.Session:
		return c.Players.session(r.ID)
	case store.Room:
		return c.Players.room(r.ID)
	}
	return 0
}

func (c *contents) put(r store.Record) {
	switch r := r.(type) {
	case store.Match:
		i := slices.IndexFunc(c.Matches, func(m store.Match) bool { return m.ID == r.ID })
		if i < 0 {
			c.Matches = append(c.Matches, r)
			return
		}
		c.Matches[i] = r
	case store.Entry:
		c.Entries = slices.DeleteFunc(c.Entries, func(e store.Entry) bool { return byKey(e, r) == 0 })
		c.Entries = append(c.Entries, r)
		slices.SortFunc(c.Entries, byKey)
		c.list(store.Window{WindowKey: r.WindowKey})
	case store.Window:
		c.Windows = slices.DeleteFunc(c.Windows, func(w store.Window) bool { return w.WindowKey == r.WindowKey })
		c.list(r)
	case store.Chunk:
		c.Chunks = slices.DeleteFunc(c.Chunks, func(o store.Chunk) bool { return byNumber(o, r) == 0 })
		c.Chunks = append(c.Chunks, r)
		slices.SortFunc(c.Chunks, byNumber)
	case store.Drop:
		c.drop(r)
	case store.Moves:
		for i, m := range c.Matches {
			if m.ID == r.Match && m.Position != 0 && m.Position == r.Position {
				c.Matches[i].Moves = r.Moves
			}
		}
	case store.Setting:
		c.Settings = slices.DeleteFunc(c.Settings, func(s store.Setting) bool { return s.Name == r.Name })
		c.Settings = append(c.Settings, r)
		slices.SortFunc(c.Settings, func(a, b store.Setting) int { return strings.Compare(a.Name, b.Name) })
	case store.Session, store.Room:
		c.Players.put(r)
	default:
		c.Money.put(r)
	}
}

// list adds a window to those listed, unless it is.
func (c *contents) list(w store.Window) {
	if slices.ContainsFunc(c.Windows, func(o store.Window) bool { return o.WindowKey == w.WindowKey }) {
		return
	}
	c.Windows = append(c.Windows, w)
	slices.SortFunc(c.Windows, func(a, b store.Window) int { return byWindow(a.WindowKey, b.WindowKey) })
}

// drop takes away everything at once: the model is of windows with fewer entries and chunks than one drop may take.
func (c *contents) drop(r store.Drop) {
	c.Chunks = slices.DeleteFunc(c.Chunks, func(o store.Chunk) bool {
		return o.WindowKey == r.WindowKey && (r.All || (r.From <= o.N && o.N < r.To))
	})
	if r.All {
		c.Entries = slices.DeleteFunc(c.Entries, func(e store.Entry) bool { return e.WindowKey == r.WindowKey })
		c.Windows = slices.DeleteFunc(c.Windows, func(w store.Window) bool { return w.WindowKey == r.WindowKey })
	}
}

// windows answers a query by looking at every window.
func (c contents) windows(q store.WindowQuery) []store.Window {
	var found []store.Window
	for _, w := range c.Windows {
		if (q.Board == "" || q.Board == w.Board) && (q.Window == "" || q.Window == w.Window) && (!q.Unfrozen || !w.Frozen) {
			found = append(found, w)
		}
	}
	return found
}

// windowsOf are the windows that a store lists, by key.
func windowsOf(t tb, s store.Store, q store.WindowQuery) []store.Window {
	t.Helper()
	listed := all(t, s.Windows(context.Background(), q))
	slices.SortFunc(listed, func(a, b store.Window) int { return byWindow(a.WindowKey, b.WindowKey) })
	return listed
}

// matches answers a query by looking at every match.
func (c contents) matches(q store.MatchQuery) []store.Match {
	var found []store.Match
	for _, m := range c.Matches {
		player, team, opponent := q.Player == "", q.Team == "", q.Opponent == ""
		for _, p := range m.Participants {
			player = player || p.Player == q.Player
			opponent = opponent || p.Player == q.Opponent && p.Player != q.Player
			team = team || p.Team == q.Team
		}
		if player && team && opponent && within(m.EndedAt, q.From, q.To) && (q.Mode == "" || m.Mode == q.Mode) && (q.Room == "" || m.Room == q.Room) &&
			(len(q.States) == 0 || slices.Contains(q.States, m.State)) {
			found = append(found, m)
		}
	}
	if q.Newest {
		newestFirst(found)
	}
	return found
}

func eventOf(c store.Commit) store.Event {
	return store.Event{
		Position: c.Position, Key: c.Key, Digest: c.Digest, At: c.At, Kind: c.Kind, ID: c.ID, Body: c.Body,
	}
}

func byKey(a, b store.Entry) int {
	return cmp.Or(byWindow(a.WindowKey, b.WindowKey), strings.Compare(a.ID, b.ID))
}

func byNumber(a, b store.Chunk) int {
	return cmp.Or(byWindow(a.WindowKey, b.WindowKey), cmp.Compare(a.N, b.N))
}

func byWindow(a, b store.WindowKey) int {
	return cmp.Or(strings.Compare(a.Board, b.Board), strings.Compare(a.Window, b.Window),
		strings.Compare(a.Partition, b.Partition), cmp.Compare(a.Generation, b.Generation))
}

// requirePlaces holds a store that has places ready to what its entries tell. Nobody writes meanwhile.
func requirePlaces(t tb, s store.Store, key store.WindowKey, entries []store.Entry) {
	t.Helper()
	placer, can := s.(store.Placer)
	if !can {
		return
	}
	byID := func(a, b store.Place) int { return strings.Compare(a.ID, b.ID) }
	var want, got []store.Place
	for _, e := range entries {
		want = append(want, store.Place{ID: e.ID, Entered: e.Entered, Hidden: e.Hidden != "", Sort: e.Sort, Changed: e.Changed})
	}
	for _, some := range all(t, placer.Places(context.Background(), key)) {
		got = append(got, some...)
	}
	slices.SortFunc(want, byID)
	slices.SortFunc(got, byID)
	requireSame(t, want, got, "Places")
}

// commitAt returns a commit whose key, digest and time follow from its position.
func commitAt(position uint64, records ...store.Record) store.Commit {
	return store.Commit{
		Key:      fmt.Sprintf("key %d", position),
		Digest:   store.Digest{1, byte(position), byte(position >> 8)},
		Position: position,
		At:       time.UnixMilli(1_700_000_000_000 + int64(position)*1001).UTC(),
		Kind:     "written",
		ID:       "some match",
		Records:  records,
	}
}

// all reads a sequence to its end.
func all[T any](t tb, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var read []T
	for v, err := range seq {
		require.NoError(t, err, "in a sequence")
		read = append(read, v)
	}
	return plain(read)
}

func requireSame(t tb, want, got any, about ...any) {
	t.Helper()
	require.Equal(t, plain(want), plain(got), about...)
}

// plain returns a deep copy in which every empty slice is nil: a store may give back either for the other.
func plain[T any](v T) T {
	copied := reflect.New(reflect.TypeFor[T]()).Elem()
	copyPlain(copied, reflect.ValueOf(&v).Elem())
	return copied.Interface().(T)
}

func copyPlain(to, from reflect.Value) {
	to.Set(from)
	switch from.Kind() {
	case reflect.Interface:
		if !from.IsNil() {
			inner := reflect.New(from.Elem().Type()).Elem()
			copyPlain(inner, from.Elem())
			to.Set(inner)
		}
	case reflect.Slice:
		to.SetZero()
		if from.Len() > 0 {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				copyPlain(to.Index(i), from.Index(i))
			}
		}
	case reflect.Struct:
		if from.Type() == reflect.TypeFor[time.Time]() {
			return // a value like a number, and its fields are not ours to set
		}
		for i := range from.NumField() {
			copyPlain(to.Field(i), from.Field(i))
		}
	}
}
