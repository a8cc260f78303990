package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func softRules() []rule {
	ended := endedMatch()
	return []rule{
		one("a soft match replaces the stored one of the same version", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			soft := store.Match{ID: "m", Version: 1, Created: 1, Position: 1, State: "disputed",
				Participants: []store.Participant{{Player: "ann"}}}
			p.soft(soft)
			requireMatch(t, s, soft)
			requireIDs(t, s, store.MatchQuery{States: []string{"disputed"}, Player: "ann"}, "m")
			requireIDs(t, s, store.MatchQuery{States: []string{"ended"}})
		}),
		one("a soft match of another version is left out without an error", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			current := ended
			current.Version = 2
			p.write(current)
			p.soft(store.Match{ID: "m", Version: 1, Reason: "old"})
			p.soft(store.Match{ID: "m", Version: 3, Reason: "not yet"})
			p.soft(store.Match{ID: "m", Reason: "none"})
			requireMatch(t, s, current)
		}),
		one("a soft match of an unknown id is left out without an error", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			p.soft(store.Match{ID: "n", Version: 1}, store.Match{ID: "o"})
			requireIDs(t, s, store.MatchQuery{}, "m")
		}),
		one("soft records follow the commits of their batch", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			second, soft := ended, ended
			second.Version, soft.Version, soft.Reason = 2, 2, "soft"
			p.batch(store.Batch{
				Commits: []store.Commit{p.next(second)},
				Soft:    []store.Record{store.Match{ID: "m", Version: 1, Reason: "overtaken"}, soft},
			})
			requireMatch(t, s, soft)
		}),
		one("a soft record that is left out keeps no other out", leftOut),
		one("soft records make no event and leave the head alone", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			before := contentsOf(t, s)
			p.soft(ended, store.Moves{Match: "m", Position: 1, Moves: []store.Move{{WindowKey: in("x", ""), New: 1}}})
			after := contentsOf(t, s)
			requireSame(t, before.Head, after.Head)
			requireSame(t, before.Events, after.Events)
		}),
		one("moves are set on the match that ended at their position", setMoves),
		one("moves are left out for a match that did not end at their position", strayMoves),
		one("a commit follows a soft match and moves by its version alone", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(ended)
			p.soft(ended, store.Moves{Match: "m", Position: 1, Moves: []store.Move{{WindowKey: in("x", ""), New: 1}}})
			second := ended
			second.Version, second.Position = 2, 2
			p.write(second)
			requireMatch(t, s, second) // without moves: a record replaces all of the stored one
		}),
	}
}

func endedMatch() store.Match {
	return store.Match{ID: "m", Version: 1, Created: 1, Position: 1, State: "ended", Reason: "as committed"}
}

func leftOut(t *testing.T, s store.Store) {
	ended := endedMatch()
	p := pen{t: t, s: s}
	p.write(ended)
	soft := ended
	soft.Reason = "soft"
	p.batch(store.Batch{
		Commits: []store.Commit{p.next(store.Match{ID: "n", Version: 1, Created: 2})},
		Soft:    []store.Record{store.Match{ID: "m", Version: 9}, store.Moves{Match: "o", Position: 1}, soft},
	})
	requireMatch(t, s, soft)
	requireIDs(t, s, store.MatchQuery{}, "m", "n")
}

func setMoves(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	p.write(store.Match{ID: "m", Version: 1, Created: 1, Room: "hall", Participants: []store.Participant{{Player: "ann"}}})
	m := store.Match{ID: "m", Version: 2, Created: 1, Position: 2, Room: "hall", State: "ended",
		Participants: []store.Participant{{Player: "ann"}}}
	first := []store.Move{{WindowKey: in("x", "yz"), ID: "ann", New: 3}, {WindowKey: in("w", ""), ID: "bob", Old: 1, New: 2}}
	p.batch(store.Batch{
		Commits: []store.Commit{p.next(m), p.next(store.Match{ID: "n", Version: 1, Created: 3, Position: 3})},
		Soft:    []store.Record{store.Moves{Match: "m", Position: 2, Moves: first}},
	})
	m.Moves = first
	requireMatch(t, s, m)
	requireMatch(t, s, store.Match{ID: "n", Version: 1, Created: 3, Position: 3})

	m.Moves = []store.Move{{WindowKey: in("x", "yz"), ID: "ann", Old: 3, New: 1}}
	p.soft(store.Moves{Match: "m", Position: 2, Moves: m.Moves})
	requireMatch(t, s, m)
	requireSame(t, []store.Match{m}, all(t, s.Matches(context.Background(), store.MatchQuery{Player: "ann"})))
}

func strayMoves(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	running := store.Match{ID: "running", Version: 1, Created: 1}
	again := store.Match{ID: "again", Version: 2, Created: 2, Position: 3} // ended at 2, then once more at 3
	p.write(running)
	p.write(store.Match{ID: "again", Version: 1, Created: 2, Position: 2})
	p.write(again)
	moves := []store.Move{{WindowKey: in("x", ""), New: 1}}
	p.soft(
		store.Moves{Match: "running", Position: 1, Moves: moves}, // where it was created
		store.Moves{Match: "running", Position: 0, Moves: moves}, // it has not ended
		store.Moves{Match: "again", Position: 2, Moves: moves},
		store.Moves{Match: "again", Position: 4, Moves: moves},
		store.Moves{Match: "unknown", Position: 3, Moves: moves},
	)
	requireMatch(t, s, running)
	requireMatch(t, s, again)
	requireIDs(t, s, store.MatchQuery{}, "running", "again")
}

func requireMatch(t tb, s store.Store, want store.Match) {
	t.Helper()
	got, err := s.Match(context.Background(), want.ID)
	require.NoError(t, err, "Match %q", want.ID)
	requireSame(t, want, got)
}

func requireIDs(t tb, s store.Store, q store.MatchQuery, want ...string) {
	t.Helper()
	var ids []string
	for _, m := range all(t, s.Matches(context.Background(), q)) {
		ids = append(ids, m.ID)
	}
	require.Equal(t, want, ids, "%+v", q)
}
