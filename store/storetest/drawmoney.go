package storetest

import (
	"context"
	"slices"

	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// Whole records for the round trip.

func drawLine(t *rapid.T, position uint64) store.Line {
	return store.Line{
		Account:  store.Account{Kind: name().Draw(t, "account"), ID: text().Draw(t, "of")},
		Currency: text().Draw(t, "currency"),
		Amount:   integer().Filter(func(n int64) bool { return n != 0 }).Draw(t, "amount"),
		Balance:  integer().Draw(t, "balance"),
		Kind:     text().Draw(t, "kind"),
		Posting:  name().Draw(t, "posting"),
		Position: position,
		At:       moment().Draw(t, "at"),
		Match:    text().Draw(t, "match"),
		Board:    text().Draw(t, "board"),
		Window:   text().Draw(t, "window"),
		Grant:    text().Draw(t, "grant"),
	}
}

func drawGrant(t *rapid.T) store.Grant {
	g := store.Grant{
		ID:       name().Draw(t, "id"),
		Player:   name().Draw(t, "player"),
		Match:    text().Draw(t, "match"),
		Rule:     text().Draw(t, "rule"),
		Kind:     text().Draw(t, "kind"),
		What:     text().Draw(t, "what"),
		Amount:   integer().Draw(t, "amount"),
		Old:      integer().Draw(t, "old"),
		New:      integer().Draw(t, "new"),
		State:    text().Draw(t, "state"),
		At:       moment().Draw(t, "at"),
		Expires:  moment().Draw(t, "expires"),
		Due:      moment().Draw(t, "due"),
		Attempts: count().Draw(t, "attempts"), Turn: count().Draw(t, "turn"),
		Problem: text().Draw(t, "problem"),
	}
	if rapid.Bool().Draw(t, "of a window") {
		g.WindowKey = rapid.Custom(drawKey).Draw(t, "window")
	}
	return g
}

func drawFacts(t *rapid.T) store.Facts {
	return store.Facts{Player: name().Draw(t, "player"), Data: document().Draw(t, "data")}
}

// document is JSON, or nothing.
func document() *rapid.Generator[[]byte] {
	return rapid.SampledFrom([][]byte{nil, []byte(`{}`), []byte(`null`), []byte(`{"b":1, "a":[1.0,1e400,-0], "a":2}`), []byte(`"\u00e9é <&>"`)})
}

// places are distinct, in any order.
func places(t *rapid.T, n int) []int {
	return rapid.SliceOfNDistinct(rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, store.MaxPlace), rapid.Just(store.MaxPlace)), n, n, rapid.ID).
		Draw(t, "places")
}

// numberLines gives the lines of a commit their numbers in the order that they are in, and places that ascend for each account.
func numberLines(t *rapid.T, m money, records []store.Record) {
	byPurse := map[store.Line][]int{} // by a line with nothing but the account and the currency
	lines := 0
	for i, r := range records {
		if l, is := r.(store.Line); is {
			key := store.Line{Account: l.Account, Currency: l.Currency}
			byPurse[key] = append(byPurse[key], i)
			lines++
		}
	}
	free := places(t, lines)
	for i, r := range records {
		l, is := r.(store.Line)
		if !is {
			continue
		}
		key := store.Line{Account: l.Account, Currency: l.Currency}
		of := byPurse[key]
		if i != of[0] {
			continue
		}
		own := slices.Sorted(slices.Values(free[:len(of)]))
		free = free[len(of):]
		seq := m.last(l.Account, l.Currency).Seq
		for n, at := range of {
			next, _ := records[at].(store.Line)
			seq++
			next.Seq, next.Place = seq, own[n]
			records[at] = next
		}
	}
}

// Small ones for the machine, so that they meet.

func smallAccounts() []store.Account {
	return []store.Account{{Kind: "house"}, {Kind: "player", ID: "a"}, {Kind: "player", ID: "A"}, {Kind: "hous", ID: "e"}}
}

func drawAccounts(t *rapid.T) []store.Account {
	return rapid.SliceOfN(rapid.SampledFrom(append(smallAccounts(), store.Account{Kind: "player"})), 0, 3).Draw(t, "accounts")
}

// drawSmallMoney draws records for the commit at a position that fit, but for the numbers and places of the lines.
func drawSmallMoney(t *rapid.T, position uint64, c contents) (records []store.Record) {
	for _, posting := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool()), 0, 2, rapid.ID).Draw(t, "postings") {
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			records = append(records, store.Line{
				Account: rapid.SampledFrom(smallAccounts()).Draw(t, "account"), Currency: rapid.SampledFrom([]string{"", "gold"}).Draw(t, "currency"),
				Amount: rapid.SampledFrom([]int64{1, -1}).Draw(t, "amount"), Balance: integer().Draw(t, "balance"), Position: position,
				Posting: rapid.SampledFrom([]string{posting, ""}).Draw(t, "posting") + commitAt(position).Key, // those of a posting are in one commit
				Match:   rapid.SampledFrom(append(pool(), "")).Draw(t, "match"),
				Grant:   rapid.SampledFrom(append(pool(), "")).Draw(t, "grant"),
			})
		}
	}
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(append(pool(), "g")), 0, 2, rapid.ID).Draw(t, "grants")
	for i, place := range places(t, len(ids)) {
		g, old := drawSmallGrant(t, ids[i]), c.Money.grant(ids[i])
		if g.Version, g.Position, g.Place = old.Version+1, old.Position, old.Place; old.Version == 0 {
			g.Position, g.Place = position, place
		}
		records = append(records, g)
	}
	for _, player := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool()), 0, 2, rapid.ID).Draw(t, "players") {
		records = append(records, store.Facts{Player: player, Version: c.Money.factsVersion(player) + 1, Data: document().Draw(t, "data")})
	}
	if len(c.Matches) > 0 && rapid.IntRange(0, 3).Draw(t, "revises") == 0 {
		r := store.Revision{Match: rapid.SampledFrom(c.Matches).Draw(t, "revised")}
		r.Match.Revision = rapid.IntRange(0, 9).Draw(t, "revision")
		if c.Money.fits(r, position) {
			records = append(records, r)
		}
	}
	return records
}

func drawSmallGrant(t *rapid.T, id string) store.Grant {
	g := store.Grant{
		ID: id, Player: rapid.SampledFrom(pool()).Draw(t, "player"), Match: rapid.SampledFrom(append(pool(), "")).Draw(t, "match"),
		State: rapid.SampledFrom(grantStates()).Draw(t, "state"), New: integer().Draw(t, "new"),
	}
	if g.Match == "" {
		g.WindowKey = rapid.SampledFrom(windows()).Draw(t, "window")
	}
	return g
}

func grantStates() []string { return []string{"pending", "granted", "failed"} }

func drawLineQuery(t *rapid.T, c contents) store.LineQuery {
	q := store.LineQuery{
		Touching: drawAccounts(t),
		Match:    rapid.SampledFrom(append(pool(), "", "", "")).Draw(t, "match"),
		After:    rapid.Uint64Range(0, c.Head.Position).Draw(t, "after"),
	}
	if len(c.Money.Lines) > 0 && rapid.IntRange(0, 3).Draw(t, "one posting") == 0 {
		q.Posting = rapid.SampledFrom(c.Money.Lines).Draw(t, "posting of").Posting
	}
	return q
}

func drawGrantQuery(t *rapid.T) store.GrantQuery {
	return store.GrantQuery{
		IDs:    rapid.SliceOfN(rapid.SampledFrom(append(pool(), "g", "none")), 0, 2).Draw(t, "ids"),
		Player: rapid.SampledFrom(append(pool(), "", "", "")).Draw(t, "player"),
		Match:  rapid.SampledFrom(append(pool(), "", "", "", "")).Draw(t, "match"),
		Board:  rapid.SampledFrom([]string{"", "", "x", "xy", "none"}).Draw(t, "board"),
		Window: rapid.SampledFrom([]string{"", "", "yz", "z", "none"}).Draw(t, "window"),
		States: rapid.SliceOfN(rapid.SampledFrom(grantStates()), 0, 2).Draw(t, "states"),
	}
}

// spoilMoney makes one thing about a record wrong, or with luck leaves it right.
func spoilMoney(t *rapid.T, r store.Record) store.Record {
	wrong := func(n uint64) uint64 { return rapid.Uint64Range(0, n+1).Draw(t, "wrong") }
	switch r := r.(type) {
	case store.Line:
		switch rapid.SampledFrom([]string{"seq", "position", "place"}).Draw(t, "of a line") {
		case "seq":
			r.Seq = wrong(r.Seq)
		case "position":
			r.Position = wrong(r.Position)
		default:
			r.Place = rapid.IntRange(0, 5).Draw(t, "place")
		}
		return r
	case store.Grant:
		switch rapid.SampledFrom([]string{"version", "position", "place"}).Draw(t, "of a grant") {
		case "version":
			r.Version = wrong(r.Version)
		case "position":
			r.Position = wrong(r.Position)
		default:
			r.Place = rapid.IntRange(0, 5).Draw(t, "place")
		}
		return r
	case store.Facts:
		r.Version = wrong(r.Version)
		return r
	case store.Revision:
		r.Match.Revision = rapid.IntRange(0, 9).Draw(t, "revision")
		return r
	}
	return r
}

// moneyDrawn is whose grants, facts, lines and revisions every commit of a round trip has.
type moneyDrawn struct {
	lines     int
	grants    []store.Grant
	facts     []store.Facts
	revisions []string
}

func drawMoney(t *rapid.T) moneyDrawn {
	return moneyDrawn{
		lines:     rapid.IntRange(0, 3).Draw(t, "lines"),
		grants:    rapid.SliceOfNDistinct(rapid.Custom(drawGrant), 0, 2, func(g store.Grant) string { return g.ID }).Draw(t, "grants"),
		facts:     rapid.SliceOfNDistinct(rapid.Custom(drawFacts), 0, 2, func(f store.Facts) string { return f.Player }).Draw(t, "facts"),
		revisions: rapid.SliceOfN(name(), 0, 2).Draw(t, "revisions"),
	}
}

// of draws the records of the commit at a position, which is the version of them, after what has been so far.
func (d moneyDrawn) of(t *rapid.T, version uint64, so money) (records []store.Record) {
	postings := map[string]bool{}
	for _, l := range so.Lines {
		postings[l.Posting] = true
	}
	for range d.lines {
		// Those of a posting are in one commit.
		if l := drawLine(t, version); !postings[l.Posting] {
			records = append(records, l)
		}
	}
	numberLines(t, so, records)
	for i, place := range places(t, len(d.grants)) {
		g := drawGrant(t)
		g.ID, g.Version, g.Position, g.Place = d.grants[i].ID, version, version, place
		if version > 1 {
			old := so.grant(g.ID)
			g.Position, g.Place = old.Position, old.Place
		}
		records = append(records, g)
	}
	for _, f := range d.facts {
		records = append(records, store.Facts{Player: f.Player, Version: version, Data: document().Draw(t, "data")})
	}
	ahead := so.clone()
	for _, id := range d.revisions {
		if r := (store.Revision{Match: drawMatch(t, id, version)}); ahead.fits(r, version) {
			ahead.put(r)
			records = append(records, r)
		}
	}
	return records
}

// requireMoneyIn reads the same by every way that leads to it.
func (g given) requireMoneyIn(t tb, s store.Store) {
	t.Helper()
	ctx := context.Background()
	var queries []store.LineQuery
	for _, l := range g.want.Money.Lines {
		queries = append(queries, store.LineQuery{Match: l.Match}, store.LineQuery{Posting: l.Posting, After: l.Position - 1},
			store.LineQuery{Touching: []store.Account{l.Account}}, store.LineQuery{Touching: []store.Account{l.Account}, Match: l.Match, Posting: l.Posting})
		requireSame(t, g.want.Money.balances(l.Account), balancesOf(t, s, l.Account))
	}
	for _, q := range append(queries, store.LineQuery{}) {
		requireSame(t, g.want.Money.lines(q), all(t, s.Lines(ctx, q)), "%+v", q)
	}
	requireSame(t, g.want.Money.Grants, all(t, s.Grants(ctx, store.GrantQuery{})))
	for _, r := range g.want.Money.Grants {
		for _, q := range []store.GrantQuery{
			{IDs: []string{r.ID}}, {Player: r.Player}, {Match: r.Match}, {Board: r.Board, Window: r.Window}, {States: []string{r.State}},
			{IDs: []string{r.ID}, Player: r.Player, Match: r.Match, Board: r.Board, Window: r.Window, States: []string{r.State}},
		} {
			requireSame(t, g.want.Money.grants(q), all(t, s.Grants(ctx, q)), "%+v", q)
		}
	}
	requireSame(t, g.want.Money.Facts, factsOf(t, s, nil))
	for _, f := range g.want.Money.Facts {
		requireSame(t, []store.Facts{f}, factsOf(t, s, []string{f.Player}))
	}
	for _, r := range g.want.Money.Revisions {
		var want []store.Revision
		for _, other := range g.want.Money.Revisions {
			if other.ID == r.ID {
				want = append(want, other)
			}
		}
		requireSame(t, want, revisionsOf(t, s, r.ID))
	}
}
