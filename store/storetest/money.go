package storetest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// money is the part of the model that is beside matches and boards.
type money struct {
	Lines     []store.Line     // by position and place
	Grants    []store.Grant    // likewise
	Facts     []store.Facts    // by player
	Revisions []store.Revision // by match and revision
}

func (m money) clone() money {
	return money{slices.Clone(m.Lines), slices.Clone(m.Grants), slices.Clone(m.Facts), slices.Clone(m.Revisions)}
}

// moneyOf reads all that a store has of it. A store does not list revisions: those of some matches and of the pool are read.
func moneyOf(t tb, s store.Store, matches []store.Match) money {
	t.Helper()
	ctx := context.Background()
	m := money{
		Lines: all(t, s.Lines(ctx, store.LineQuery{})), Grants: all(t, s.Grants(ctx, store.GrantQuery{})), Facts: factsOf(t, s, nil),
	}
	ids := pool()
	for _, match := range matches {
		ids = append(ids, match.ID)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		m.Revisions = append(m.Revisions, revisionsOf(t, s, id)...)
	}
	return m
}

// factsOf are the facts that a store yields, by player.
func factsOf(t tb, s store.Store, players []string) []store.Facts {
	t.Helper()
	facts := all(t, s.Facts(context.Background(), players))
	slices.SortFunc(facts, byPlayer)
	return facts
}

func revisionsOf(t tb, s store.Store, match string) (revisions []store.Revision) {
	t.Helper()
	for _, m := range all(t, s.Revisions(context.Background(), match)) {
		revisions = append(revisions, store.Revision{Match: m})
	}
	return revisions
}

// balancesOf are the balances that a store yields, by account and currency.
func balancesOf(t tb, s store.Store, accounts ...store.Account) []store.Line {
	t.Helper()
	lines := all(t, s.Balances(context.Background(), accounts))
	slices.SortFunc(lines, byPurse)
	return lines
}

// refusal looks at the records of one commit in their order.
func (m money) refusal(commit store.Commit) error {
	ahead := m.clone()
	for _, r := range commit.Records {
		if !ahead.fits(r, commit.Position) {
			return store.ErrStale
		}
		ahead.put(r)
	}
	return nil
}

func (m money) fits(r store.Record, position uint64) bool {
	switch r := r.(type) {
	case store.Line:
		last := m.last(r.Account, r.Currency)
		return r.Seq == last.Seq+1 && r.Position == position && byPlace(last, r) < 0 &&
			!slices.ContainsFunc(m.Lines, func(l store.Line) bool { return byPlace(l, r) == 0 })
	case store.Grant:
		old := m.grant(r.ID)
		if old.Version > 0 {
			return r.Version == old.Version+1 && byGrantPlace(old, r) == 0
		}
		return r.Version == 1 && r.Position == position &&
			!slices.ContainsFunc(m.Grants, func(g store.Grant) bool { return byGrantPlace(g, r) == 0 })
	case store.Facts:
		return r.Version == m.factsVersion(r.Player)+1
	case store.Revision:
		return !slices.ContainsFunc(m.Revisions, func(o store.Revision) bool { return byRevision(o, r) == 0 })
	}
	return true
}

// last is the last line of an account in a currency, a zero one if there is none.
func (m money) last(a store.Account, currency string) (last store.Line) {
	last.Place = -1
	for _, l := range m.Lines {
		if l.Account == a && l.Currency == currency {
			last = l
		}
	}
	return last
}

func (m money) grant(id string) store.Grant {
	for _, g := range m.Grants {
		if g.ID == id {
			return g
		}
	}
	return store.Grant{}
}

func (m money) factsVersion(player string) uint64 {
	for _, f := range m.Facts {
		if f.Player == player {
			return f.Version
		}
	}
	return 0
}

func (m *money) put(r store.Record) {
	switch r := r.(type) {
	case store.Line:
		m.Lines = append(m.Lines, r)
		slices.SortFunc(m.Lines, byPlace)
	case store.Grant:
		m.Grants = append(slices.DeleteFunc(m.Grants, func(g store.Grant) bool { return g.ID == r.ID }), r)
		slices.SortFunc(m.Grants, byGrantPlace)
	case store.Facts:
		m.Facts = append(slices.DeleteFunc(m.Facts, func(f store.Facts) bool { return f.Player == r.Player }), r)
		slices.SortFunc(m.Facts, byPlayer)
	case store.Revision:
		m.Revisions = append(m.Revisions, r)
		slices.SortFunc(m.Revisions, byRevision)
	}
}

// lines answers a query by looking at every line.
func (m money) lines(q store.LineQuery) (found []store.Line) {
	touched := map[string]bool{}
	for _, l := range m.Lines {
		if slices.Contains(q.Touching, l.Account) {
			touched[l.Posting] = true
		}
	}
	for _, l := range m.Lines {
		if (len(q.Touching) == 0 || touched[l.Posting]) && (q.Match == "" || l.Match == q.Match) &&
			(q.Posting == "" || l.Posting == q.Posting) && l.Position > q.After {
			found = append(found, l)
		}
	}
	return found
}

// balances are the last lines of accounts, by account and currency.
func (m money) balances(accounts ...store.Account) (found []store.Line) {
	for _, l := range m.Lines {
		if slices.Contains(accounts, l.Account) && m.last(l.Account, l.Currency) == l {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, byPurse)
	return found
}

// grants answers a query by looking at every grant.
func (m money) grants(q store.GrantQuery) (found []store.Grant) {
	for _, g := range m.Grants {
		if (len(q.IDs) == 0 || slices.Contains(q.IDs, g.ID)) && (q.Player == "" || g.Player == q.Player) &&
			(q.Match == "" || g.Match == q.Match) && (q.Board == "" || g.Board == q.Board) &&
			(q.Window == "" || g.Window == q.Window) && (len(q.States) == 0 || slices.Contains(q.States, g.State)) {
			found = append(found, g)
		}
	}
	return found
}

// facts are those of some players, of all if it is nil.
func (m money) facts(players []string) (found []store.Facts) {
	for _, f := range m.Facts {
		if players == nil || slices.Contains(players, f.Player) {
			found = append(found, f)
		}
	}
	return found
}

func byPlace(a, b store.Line) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Place, b.Place))
}

func byGrantPlace(a, b store.Grant) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Place, b.Place))
}

func byPurse(a, b store.Line) int {
	return cmp.Or(strings.Compare(a.Account.Kind, b.Account.Kind), strings.Compare(a.ID, b.ID), strings.Compare(a.Currency, b.Currency))
}

func byPlayer(a, b store.Facts) int { return strings.Compare(a.Player, b.Player) }

func byRevision(a, b store.Revision) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Match.Revision, b.Match.Revision))
}

func requireLines(t tb, s store.Store, q store.LineQuery, want ...store.Line) {
	t.Helper()
	requireSame(t, want, all(t, s.Lines(context.Background(), q)), "%+v", q)
}

func requireGrants(t tb, s store.Store, q store.GrantQuery, want ...string) {
	t.Helper()
	var ids []string
	for _, g := range all(t, s.Grants(context.Background(), q)) {
		ids = append(ids, g.ID)
	}
	require.Equal(t, want, ids, "%+v", q)
}
