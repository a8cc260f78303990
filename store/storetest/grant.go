package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func grantRules() []rule {
	ctx := context.Background()
	return []rule{
		one("grants come by position and then by place, whenever they changed", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			grant := func(id string, version, position uint64, place int) store.Grant {
				return store.Grant{ID: id, Version: version, Player: "ann", State: "pending", Position: position, Place: place}
			}
			p.write(grant("d", 1, 1, 9), grant("e", 1, 1, 2), grant("c", 1, 1, 10))
			p.write(grant("b", 1, 2, store.MaxPlace), grant("a", 1, 2, 0))
			p.write(grant("e", 2, 1, 2), grant("a", 2, 2, 0))
			p.write(grant("d", 2, 1, 9), grant("f", 1, 4, 1))
			for _, q := range []store.GrantQuery{
				{}, {Player: "ann"}, {States: []string{"pending"}}, {IDs: []string{"f", "a", "d", "b", "c", "e", "a", "none"}},
			} {
				requireGrants(t, s, q, "e", "d", "c", "a", "b", "f")
			}
		}),
		one("a grant comes back with every field and is replaced whole", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
			g := store.Grant{ID: "g", Version: 1, Player: "ann", Match: "m", WindowKey: store.WindowKey{Board: "x", Window: "w", Partition: "eu", Generation: 2},
				Rule: "r", Kind: "item", What: "sword", Amount: 2, Old: 1, New: 3, State: "pending", Position: 1, Place: 7, At: at,
				Expires: at.Add(time.Hour), Due: at.Add(time.Minute), Attempts: 4, Turn: 2, Problem: "nobody there"}
			p.write(g)
			requireSame(t, []store.Grant{g}, all(t, s.Grants(ctx, store.GrantQuery{})))
			require.Empty(t, windowsOf(t, s, store.WindowQuery{}), "a grant alone makes no window")
			g = store.Grant{ID: "g", Version: 2, Player: "bob", Position: 1, Place: 7}
			p.write(g)
			requireSame(t, []store.Grant{g}, all(t, s.Grants(ctx, store.GrantQuery{IDs: []string{"g"}})))
		}),
		one("grants are those that a query asks for by every field that it sets", askedGrants),
		one("a grant is found by what it is, not by what it was", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			then := store.Grant{ID: "g", Version: 1, Player: "ann", Match: "m", WindowKey: in("x", "w"), State: "pending", Position: 1}
			p.write(then, store.Grant{ID: "h", Version: 1, Player: "ann", Match: "m", WindowKey: in("x", "w"), State: "pending", Position: 1, Place: 1})
			now := store.Grant{ID: "g", Version: 2, Player: "bob", Match: "n", WindowKey: in("y", "v"), State: "granted", Position: 1}
			p.write(now)
			was := []store.GrantQuery{{Player: "ann"}, {Match: "m"}, {Board: "x", Window: "w"}, {Board: "x"}, {Window: "w"}, {States: []string{"pending"}}}
			is := []store.GrantQuery{{Player: "bob"}, {Match: "n"}, {Board: "y", Window: "v"}, {Board: "y"}, {Window: "v"}, {States: []string{"granted"}}}
			for i := range was {
				requireGrants(t, s, was[i], "h")
				requireGrants(t, s, is[i], "g")
			}
			requireGrants(t, s, store.GrantQuery{States: []string{"pending", "granted"}}, "g", "h") // each once
			then.Version = 3
			p.write(then)
			for i := range was {
				requireGrants(t, s, was[i], "g", "h")
				requireGrants(t, s, is[i])
			}
		}),
	}
}

func askedGrants(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	partition, generation := store.WindowKey{Board: "x", Window: "w", Partition: "p"}, store.WindowKey{Board: "x", Window: "w", Generation: 1}
	var records []store.Record
	for i, g := range []store.Grant{
		{ID: "1", Player: "ann", Match: "m", State: "pending"}, {ID: "2", Player: "ann", WindowKey: in("x", "w"), State: "granted"},
		{ID: "3", Player: "bob", WindowKey: partition, State: "pending"}, {ID: "4", Player: "bob", Match: "m", WindowKey: generation, State: "failed"},
		{ID: "5", Player: "m", WindowKey: in("y", "w"), State: "pending"}, {ID: "ann", Player: "1", Match: "n", State: "granted"},
	} {
		g.Version, g.Position, g.Place = 1, 1, i
		records = append(records, g)
	}
	p.write(records...)
	for _, c := range []struct {
		q    store.GrantQuery
		want []string
	}{
		{store.GrantQuery{}, []string{"1", "2", "3", "4", "5", "ann"}},
		{store.GrantQuery{IDs: []string{}, States: []string{}}, []string{"1", "2", "3", "4", "5", "ann"}},
		{store.GrantQuery{IDs: []string{"4", "ann", "1", "9"}}, []string{"1", "4", "ann"}},
		{store.GrantQuery{Player: "ann"}, []string{"1", "2"}},
		{store.GrantQuery{Player: "none"}, nil},
		{store.GrantQuery{Match: "m"}, []string{"1", "4"}},
		{store.GrantQuery{Match: "none"}, nil},
		{store.GrantQuery{Board: "x"}, []string{"2", "3", "4"}},
		{store.GrantQuery{Window: "w"}, []string{"2", "3", "4", "5"}},
		{store.GrantQuery{Board: "x", Window: "w"}, []string{"2", "3", "4"}},
		{store.GrantQuery{Board: "x", Window: "v"}, nil},
		{store.GrantQuery{States: []string{"pending"}}, []string{"1", "3", "5"}},
		{store.GrantQuery{States: []string{"failed", "none", "granted", "failed"}}, []string{"2", "4", "ann"}},
		{store.GrantQuery{Player: "bob", Match: "m"}, []string{"4"}},
		{store.GrantQuery{Player: "bob", Board: "x", States: []string{"pending"}}, []string{"3"}},
		{store.GrantQuery{Match: "m", Window: "w"}, []string{"4"}},
		{store.GrantQuery{IDs: []string{"1", "2"}, States: []string{"granted"}}, []string{"2"}},
		{store.GrantQuery{IDs: []string{"1"}, Player: "bob"}, nil},
		{store.GrantQuery{IDs: []string{"4"}, Player: "bob", Match: "m", Board: "x", Window: "w", States: []string{"failed"}}, []string{"4"}},
	} {
		requireGrants(t, s, c.q, c.want...)
	}
}
