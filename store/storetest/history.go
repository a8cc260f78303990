package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// newestFirst brings matches, which are in the order of creation, into that of the latest.
func newestFirst(matches []store.Match) {
	slices.Reverse(matches)
	slices.SortStableFunc(matches, func(a, b store.Match) int {
		return cmp.Or(b.EndedAt.Compare(a.EndedAt), cmp.Compare(b.Position, a.Position))
	})
}

func historyRules() []rule {
	return []rule{
		one("the newest matches are those that ended last, at the highest position, created last", newest),
		one("a query restricts the newest as it restricts all", newestAsked),
		one("an opponent is another participant of the same match", opponents),
		one("a match is of a time by when it ended, and of none if it has not", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for i, ms := range []int64{-5, 0, 5, 10} {
				p.write(ended(fmt.Sprint(ms), uint64(i)+1, time.UnixMilli(ms).UTC()))
			}
			p.write(store.Match{ID: "running", Version: 1, Created: 5})
			at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
			for _, c := range []struct {
				from, to time.Time
				want     []string
			}{
				{at(0), time.Time{}, []string{"0", "5", "10"}}, {time.Time{}, at(5), []string{"-5", "0"}}, {at(0), at(10), []string{"0", "5"}},
				{at(0).Add(1), at(10).Add(1), []string{"5", "10"}}, {at(-5), at(-5), nil}, {at(10), at(-5), nil}, {at(11), time.Time{}, nil},
			} {
				requireIDs(t, s, store.MatchQuery{From: c.from, To: c.to}, c.want...)
				slices.Reverse(c.want)
				requireIDs(t, s, store.MatchQuery{From: c.from, To: c.to, Newest: true}, c.want...)
			}
		}),
		one("the newest of very many come whole and in order", newestOfMany),
		one("the newest go on while others end", newestHeld),
	}
}

func ended(id string, position uint64, at time.Time, players ...string) store.Match {
	m := store.Match{ID: id, Version: 1, Created: position, Position: position, State: "ended", EndedAt: at}
	for _, p := range players {
		m.Participants = append(m.Participants, store.Participant{Player: p})
	}
	return m
}

func newest(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	p.write(ended("late", 1, at(9), "ann"), ended("twin", 1, at(5), "ann"), ended("other twin", 1, at(5), "ann"))
	p.write(ended("early", 2, at(-9), "ann"), ended("later position", 2, at(5), "ann"))
	running := store.Match{ID: "running", Version: 1, Created: 3, State: "started", Participants: []store.Participant{{Player: "ann"}}}
	p.write(running, ended("at nobody knows when", 3, time.Time{}, "ann"), ended("1970", 3, at(0), "ann"))
	want := []string{"late", "later position", "other twin", "twin", "1970", "early", "at nobody knows when", "running"}
	requireIDs(t, s, store.MatchQuery{Newest: true}, want...)
	requireIDs(t, s, store.MatchQuery{Player: "ann", Newest: true}, want...)
	over := running
	over.Version, over.Position, over.State, over.EndedAt = 2, 4, "ended", at(9)
	p.write(over)
	want = append([]string{"running"}, want[:len(want)-1]...)
	requireIDs(t, s, store.MatchQuery{Newest: true}, want...)
	requireIDs(t, s, store.MatchQuery{Player: "ann", Newest: true}, want...)
	again := ended("twin", 5, at(5), "ann") // the oldest but one ends once more, at the same time
	again.Version, again.Created = 2, 1
	p.write(again)
	want = []string{"running", "late", "twin", "later position", "other twin", "1970", "early", "at nobody knows when"}
	requireIDs(t, s, store.MatchQuery{Newest: true}, want...)
	requireIDs(t, s, store.MatchQuery{Player: "ann", Newest: true}, want...)
	requireIDs(t, s, store.MatchQuery{}, "late", "twin", "other twin", "early", "later position", "running", "at nobody knows when", "1970")
}

func newestAsked(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	for i, m := range []store.Match{
		{ID: "1", Mode: "duel", Room: "hall", State: "ended", Participants: []store.Participant{{Player: "ann", Team: "red"}, {Player: "bob", Team: "blue"}}},
		{ID: "2", Mode: "duel", Room: "yard", State: "started", Participants: []store.Participant{{Player: "ann", Team: "red"}, {Player: "cid", Team: "red"}}},
		{ID: "3", Mode: "race", Room: "hall", State: "ended", Participants: []store.Participant{{Player: "bob"}, {Player: "cid", Bot: true}, {Player: "red"}}},
		{ID: "4", State: "void", Room: "hall"},
	} {
		m.Version, m.Created, m.EndedAt = 1, p.position+1, time.UnixMilli(int64(i)+100).UTC()
		p.write(m)
	}
	for _, c := range []struct {
		q    store.MatchQuery
		want []string
	}{
		{store.MatchQuery{}, []string{"4", "3", "2", "1"}}, {store.MatchQuery{Player: "ann"}, []string{"2", "1"}}, {store.MatchQuery{Player: "eve"}, nil},
		{store.MatchQuery{Team: "red"}, []string{"2", "1"}}, {store.MatchQuery{Team: "ann"}, nil}, {store.MatchQuery{Room: "hall"}, []string{"4", "3", "1"}},
		{store.MatchQuery{Mode: "duel"}, []string{"2", "1"}}, {store.MatchQuery{States: []string{"void", "ended"}}, []string{"4", "3", "1"}},
		{store.MatchQuery{States: []string{"started"}}, []string{"2"}}, {store.MatchQuery{Player: "bob", Mode: "race"}, []string{"3"}},
		{store.MatchQuery{Player: "ann", Team: "blue"}, []string{"1"}}, {store.MatchQuery{Room: "hall", Player: "cid"}, []string{"3"}},
		{store.MatchQuery{Player: "bob", Opponent: "cid"}, []string{"3"}},
		{store.MatchQuery{Player: "ann", From: time.UnixMilli(101).UTC()}, []string{"2"}}, {store.MatchQuery{Room: "hall", To: time.UnixMilli(103).UTC()}, []string{"3", "1"}},
	} {
		c.q.Newest = true
		requireIDs(t, s, c.q, c.want...)
	}
	// Who is no longer in it.
	p.write(store.Match{ID: "2", Version: 2, Created: 2, EndedAt: time.UnixMilli(500).UTC(), Participants: []store.Participant{{Player: "bob"}}})
	requireIDs(t, s, store.MatchQuery{Player: "ann", Newest: true}, "1")
	requireIDs(t, s, store.MatchQuery{Team: "red", Newest: true}, "1")
	requireIDs(t, s, store.MatchQuery{Player: "bob", Newest: true}, "2", "3", "1")
}

func opponents(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	p.write(ended("1", 1, time.UnixMilli(1).UTC(), "ann", "bob"), ended("2", 1, time.UnixMilli(2).UTC(), "bob", "cid", "ann"), ended("3", 1, time.UnixMilli(3).UTC(), "ann"),
		ended("4", 1, time.UnixMilli(4).UTC(), "bob", "cid"), ended("5", 1, time.UnixMilli(5).UTC(), "ann", "eve"))
	p.write(store.Match{ID: "5", Version: 2, Created: 1, Participants: []store.Participant{{Player: "ann"}}}) // eve is no longer in it
	for _, c := range []struct {
		player, opponent string
		want             []string
	}{
		{"ann", "bob", []string{"1", "2"}}, {"bob", "ann", []string{"1", "2"}}, {"cid", "bob", []string{"2", "4"}}, {"ann", "ann", nil}, {"ann", "nobody", nil},
		{"nobody", "ann", nil}, {"ann", "eve", nil},
	} {
		requireIDs(t, s, store.MatchQuery{Player: c.player, Opponent: c.opponent}, c.want...)
		slices.Reverse(c.want)
		requireIDs(t, s, store.MatchQuery{Player: c.player, Opponent: c.opponent, Newest: true}, c.want...)
	}
}

// newestOfMany is longer than any page or buffer that a store may read in, with many that ended at once.
func newestOfMany(t *testing.T, s store.Store) {
	const n = 9000
	ctx := context.Background()
	p := pen{t: t, s: s}
	c := p.next()
	var want []store.Match
	for i := range n {
		m := ended(fmt.Sprint(i), 1, time.UnixMilli(int64(i*7919%100)).UTC(), "ann")
		if i%50 == 0 {
			m.EndedAt = time.Time{}
		}
		m.Position, m.Room = uint64(i%3), "hall" //nolint:gosec // small
		want = append(want, m)
		c.Records = append(c.Records, m)
	}
	p.batch(store.Batch{Commits: []store.Commit{c}})
	newestFirst(want)
	for _, q := range []store.MatchQuery{{Newest: true}, {Player: "ann", Newest: true}, {Room: "hall", Newest: true}} {
		requireEach(t, want, all(t, s.Matches(ctx, q)))
	}
}

// newestHeld reads on while what it reads changes: what has stayed as it was comes, in order, and once.
func newestHeld(t *testing.T, s store.Store) {
	const n = 300
	ctx := context.Background()
	p := pen{t: t, s: s}
	c := p.next()
	for i := range n {
		c.Records = append(c.Records, ended(fmt.Sprint(i), 1, time.UnixMilli(int64(i)).UTC(), "ann"))
	}
	p.batch(store.Batch{Commits: []store.Commit{c}})
	finishes(t, "the newest", func() bool {
		seen := map[string]bool{}
		last := time.UnixMilli(n).UTC()
		for m, err := range s.Matches(ctx, store.MatchQuery{Player: "ann", Newest: true}) {
			if err != nil || seen[m.ID] || m.EndedAt.After(last) {
				return false
			}
			seen[m.ID], last = true, m.EndedAt
			if len(seen)%40 == 1 {
				// A new one, and the oldest ones end once more.
				old := ended(fmt.Sprint(len(seen)/40), 1, time.UnixMilli(n+1).UTC(), "ann")
				old.Version = 2
				p.write(ended(fmt.Sprint("new ", len(seen)), p.position+1, time.UnixMilli(n).UTC(), "ann"), old)
			}
		}
		for i := 50; i < n; i++ {
			if !seen[fmt.Sprint(i)] {
				return false
			}
		}
		return true
	})
	requireIDs(t, s, store.MatchQuery{Player: "nobody", Newest: true})
	require.Len(t, all(t, s.Matches(ctx, store.MatchQuery{Player: "ann", Newest: true})), n+8)
}
