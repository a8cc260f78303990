package storetest

import (
	"fmt"
	"testing"

	"github.com/finalbell/finalbell/store"
)

func queryRules() []rule {
	return []rule{
		one("matches come in the order of creation", creationOrder),
		one("a query restricts by every field that it sets", everyField),
		one("a match is found by what it is, not by what it was", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for i := range uint64(3) {
				p.write(store.Match{ID: fmt.Sprint(i), Version: 1, Created: i + 1, Mode: "duel", Room: "hall", State: "created",
					Participants: []store.Participant{{Player: "ann", Team: "red"}}})
			}
			p.write(store.Match{ID: "1", Version: 2, Created: 2, Mode: "race", Room: "yard", State: "started",
				Participants: []store.Participant{{Player: "bob", Team: "blue"}}})
			for _, old := range []store.MatchQuery{
				{Player: "ann"}, {Team: "red"}, {Mode: "duel"}, {Room: "hall"}, {States: []string{"created"}},
			} {
				requireIDs(t, s, old, "0", "2")
			}
			for _, now := range []store.MatchQuery{
				{Player: "bob"}, {Team: "blue"}, {Mode: "race"}, {Room: "yard"}, {States: []string{"started"}},
			} {
				requireIDs(t, s, now, "1")
			}
			p.write(store.Match{ID: "1", Version: 3, Created: 2, Room: "hall", State: "created",
				Participants: []store.Participant{{Player: "bob", Team: "red"}, {Player: "ann"}}})
			for _, back := range []store.MatchQuery{
				{Player: "ann"}, {Team: "red"}, {Room: "hall"}, {States: []string{"created"}},
			} {
				requireIDs(t, s, back, "0", "1", "2")
			}
		}),
	}
}

func everyField(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	for _, m := range []store.Match{
		{ID: "1", Mode: "duel", Room: "hall", State: "created",
			Participants: []store.Participant{{Player: "ann", Team: "red"}, {Player: "bob", Team: "blue"}}},
		{ID: "2", Mode: "duel", Room: "yard", State: "ended",
			Participants: []store.Participant{{Player: "ann", Team: "red"}, {Player: "cid", Team: "red"}}},
		{ID: "3", Mode: "race", Room: "hall", State: "ended",
			Participants: []store.Participant{{Player: "bob"}, {Player: "cid", Bot: true}, {Player: "red"}}},
		{ID: "4", State: "void"},
	} {
		m.Version, m.Created = 1, p.position+1
		p.write(m)
	}
	for _, c := range []struct {
		q    store.MatchQuery
		want []string
	}{
		{store.MatchQuery{}, []string{"1", "2", "3", "4"}},
		{store.MatchQuery{States: []string{}}, []string{"1", "2", "3", "4"}},
		{store.MatchQuery{Player: "ann"}, []string{"1", "2"}},
		{store.MatchQuery{Player: "cid"}, []string{"2", "3"}},
		{store.MatchQuery{Player: "red"}, []string{"3"}},
		{store.MatchQuery{Player: "eve"}, nil},
		{store.MatchQuery{Team: "red"}, []string{"1", "2"}},
		{store.MatchQuery{Team: "ann"}, nil},
		{store.MatchQuery{Mode: "duel"}, []string{"1", "2"}},
		{store.MatchQuery{Room: "hall"}, []string{"1", "3"}},
		{store.MatchQuery{States: []string{"ended"}}, []string{"2", "3"}},
		{store.MatchQuery{States: []string{"ended", "created", "none"}}, []string{"1", "2", "3"}},
		{store.MatchQuery{States: []string{"ended", "ended"}}, []string{"2", "3"}},
		{store.MatchQuery{Player: "ann", Team: "blue"}, []string{"1"}}, // a team of any participant
		{store.MatchQuery{Player: "bob", Mode: "race"}, []string{"3"}},
		{store.MatchQuery{Team: "red", States: []string{"ended"}}, []string{"2"}},
		{store.MatchQuery{Room: "hall", Player: "cid"}, []string{"3"}},
		{store.MatchQuery{Room: "hall", Mode: "duel", States: []string{"ended"}}, nil},
		{store.MatchQuery{Player: "ann", Team: "red", Mode: "duel", Room: "yard", States: []string{"ended"}},
			[]string{"2"}},
	} {
		requireIDs(t, s, c.q, c.want...)
	}
}

// creationOrder has ids that sort the other way, several matches in a commit and commits in a batch, and changes
// them in another order: a player who walks in late, a state that is reached late.
func creationOrder(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	roster := []store.Participant{{Player: "ann"}}
	match := func(id string, created uint64) store.Match {
		return store.Match{ID: id, Version: 1, Created: created, State: "created", Participants: roster}
	}
	p.write(match("f", 1), match("e", 1))
	p.batch(store.Batch{Commits: []store.Commit{p.next(match("d", 2)), p.next(match("c", 3))}})
	p.write(match("b", 4), match("a", 4))
	requireIDs(t, s, store.MatchQuery{}, "f", "e", "d", "c", "b", "a")
	for i, id := range []string{"c", "a", "f"} {
		p.write(store.Match{ID: id, Version: 2, Created: []uint64{3, 4, 1}[i], Room: "hall", State: "started",
			Participants: append(roster, store.Participant{Player: "bob", Team: "blue"})})
	}
	requireIDs(t, s, store.MatchQuery{}, "f", "e", "d", "c", "b", "a")
	requireIDs(t, s, store.MatchQuery{Player: "ann"}, "f", "e", "d", "c", "b", "a")
	requireIDs(t, s, store.MatchQuery{States: []string{"created"}}, "e", "d", "b")
	requireIDs(t, s, store.MatchQuery{States: []string{"started", "created"}}, "f", "e", "d", "c", "b", "a")
	for _, q := range []store.MatchQuery{{Player: "bob"}, {Team: "blue"}, {Room: "hall"}, {States: []string{"started"}}} {
		requireIDs(t, s, q, "f", "c", "a")
	}
}
