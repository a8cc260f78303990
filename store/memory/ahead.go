package memory

import "github.com/finalbell/finalbell/store"

// moneyAhead is what the commits of a batch that were checked so far would change beside matches and boards. Most
// batches change nothing of it.
type moneyAhead struct {
	purses    map[purse]store.Line   // the last line
	grants    map[string]store.Grant // by id
	lines     map[spot]bool
	given     map[spot]bool
	facts     map[string]uint64 // versions
	revisions map[revisionKey]bool
	sessions  map[string]uint64 // versions
	rooms     map[string]uint64
}

// purse is what has a balance: an account in one currency.
type purse struct {
	store.Account
	currency string
}

// spot is where a line or a grant is.
type spot struct {
	position uint64
	place    int
}

type revisionKey struct {
	match string
	n     int
}

func (p *pending) moneyAhead() *moneyAhead {
	if p.money == nil {
		p.money = &moneyAhead{
			purses: map[purse]store.Line{}, grants: map[string]store.Grant{}, lines: map[spot]bool{}, given: map[spot]bool{},
			facts: map[string]uint64{}, revisions: map[revisionKey]bool{}, sessions: map[string]uint64{}, rooms: map[string]uint64{},
		}
	}
	return p.money
}

func (d *data) lineFits(l *store.Line, position uint64, ahead *moneyAhead) bool {
	key, at := purse{l.Account, l.Currency}, spot{l.Position, l.Place}
	last, there := ahead.purses[key]
	if !there {
		last = lineIn(d.ledger.last[l.Account][l.Currency])
	}
	if l.Seq != last.Seq+1 || l.Position != position || ahead.lines[at] || last.Position == position && last.Place > l.Place {
		return false
	}
	ahead.purses[key] = *l
	ahead.lines[at] = true
	return true
}

func (d *data) grantFits(g *store.Grant, position uint64, ahead *moneyAhead) bool {
	at := spot{g.Position, g.Place}
	old, there := ahead.grants[g.ID]
	if !there {
		old = grantIn(d.grants.byID[g.ID])
	}
	switch {
	case g.Version != old.Version+1:
		return false
	case old.Version > 0 && at != spot{old.Position, old.Place}:
		return false
	case old.Version == 0 && (g.Position != position || ahead.given[at]):
		return false
	}
	ahead.grants[g.ID] = *g
	ahead.given[at] = true
	return true
}

// follows reports whether a version is the next one, and counts it as taken.
func follows(ahead map[string]uint64, id string, stored, version uint64) bool {
	if taken, there := ahead[id]; there {
		stored = taken
	}
	ahead[id] = version
	return version == stored+1
}

func (d *data) revisionFits(r *store.Revision, ahead *moneyAhead) bool {
	key := revisionKey{r.ID, r.Match.Revision}
	_, there := revision(d.revisions[r.ID], r.Match.Revision)
	if there || ahead.revisions[key] {
		return false
	}
	ahead.revisions[key] = true
	return true
}
