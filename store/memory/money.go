package memory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/finalbell/finalbell/store"
)

// ledger is the lines by all that they are asked for. Every list is in the order of position and place, and the lines
// stay in the store.Record that they came in, as the matches do.
type ledger struct {
	lines    []store.Record
	accounts map[store.Account][]store.Record
	last     map[store.Account]map[string]store.Record // by currency
	matches  map[string][]store.Record
	postings map[string][]store.Record
}

func newLedger() ledger {
	return ledger{
		accounts: map[store.Account][]store.Record{}, last: map[store.Account]map[string]store.Record{},
		matches: map[string][]store.Record{}, postings: map[string][]store.Record{},
	}
}

func lineIn(r store.Record) store.Line {
	l, _ := r.(store.Line)
	return l
}

func byLine(a, b store.Record) int {
	l, m := lineIn(a), lineIn(b)
	return cmp.Or(cmp.Compare(l.Position, m.Position), cmp.Compare(l.Place, m.Place))
}

func (g *ledger) put(l *store.Line, r store.Record) {
	g.lines = inOrder(g.lines, r)
	g.accounts[l.Account] = inOrder(g.accounts[l.Account], r)
	if g.last[l.Account] == nil {
		g.last[l.Account] = map[string]store.Record{}
	}
	g.last[l.Account][l.Currency] = r
	g.postings[l.Posting] = inOrder(g.postings[l.Posting], r)
	if l.Match != "" {
		g.matches[l.Match] = inOrder(g.matches[l.Match], r)
	}
}

// inOrder adds a line behind those before it: all but a few of the same commit.
func inOrder(list []store.Record, r store.Record) []store.Record {
	at := len(list)
	for at > 0 && byLine(list[at-1], r) > 0 {
		at--
	}
	return slices.Insert(list, at, r)
}

// asked are all lines that q asks for and more.
func (g *ledger) asked(q store.LineQuery) []store.Record {
	switch {
	case q.Posting != "":
		return slices.Clone(g.postings[q.Posting])
	case len(q.Touching) > 0:
		var lines []store.Record
		for posting := range g.touching(q) {
			lines = append(lines, g.postings[posting]...)
		}
		slices.SortFunc(lines, byLine)
		return lines
	case q.Match != "":
		return slices.Clone(g.matches[q.Match])
	}
	return slices.Clone(g.lines)
}

// touching are the postings that have a line of one of the accounts.
func (g *ledger) touching(q store.LineQuery) map[string]bool {
	found := map[string]bool{}
	for _, a := range q.Touching {
		for _, r := range slices.Backward(g.accounts[a]) {
			l := lineIn(r)
			if l.Position <= q.After {
				break
			}
			found[l.Posting] = true
		}
	}
	return found
}

// asks is what a line must have beside what asked has looked at.
func (g *ledger) asks(l *store.Line, q store.LineQuery) bool {
	return l.Position > q.After && (q.Match == "" || l.Match == q.Match) &&
		(q.Posting == "" || len(q.Touching) == 0 || slices.ContainsFunc(g.postings[l.Posting], func(r store.Record) bool {
			return slices.Contains(q.Touching, lineIn(r).Account)
		}))
}

// find are the lines that q asks for.
func (g *ledger) find(q store.LineQuery) []store.Record {
	return slices.DeleteFunc(g.asked(q), func(r store.Record) bool {
		l := lineIn(r)
		return !g.asks(&l, q)
	})
}

// balances are the last lines of accounts, by account and currency.
func (g *ledger) balances(accounts []store.Account) []store.Record {
	named := map[store.Account]bool{}
	var last []store.Record
	for _, a := range accounts {
		if named[a] {
			continue
		}
		named[a] = true
		for _, currency := range slices.Sorted(maps.Keys(g.last[a])) {
			last = append(last, g.last[a][currency])
		}
	}
	return last
}

// grants are those of all players by all that they are asked for. The lists are of ids and hold whom a grant was ever
// of; what it is today is for asks to look at.
type grants struct {
	byID    map[string]store.Record
	players map[string][]string
	matches map[string][]string
	windows map[windowName][]string
	states  map[string]map[string]bool // ids; only of what is in the state today
}

func newGrants() grants {
	return grants{
		byID: map[string]store.Record{}, players: map[string][]string{}, matches: map[string][]string{},
		windows: map[windowName][]string{}, states: map[string]map[string]bool{},
	}
}

func grantIn(r store.Record) store.Grant {
	g, _ := r.(store.Grant)
	return g
}

func (s *grants) put(g *store.Grant, r store.Record) {
	old := grantIn(s.byID[g.ID])
	s.byID[g.ID] = r
	fresh := old.Version == 0
	enter(s.players, old.Player, g.Player, g.ID, fresh)
	enter(s.matches, old.Match, g.Match, g.ID, fresh)
	enter(s.windows, nameOf(old.WindowKey), nameOf(g.WindowKey), g.ID, fresh)
	if !fresh {
		delete(s.states[old.State], g.ID)
	}
	if s.states[g.State] == nil {
		s.states[g.State] = map[string]bool{}
	}
	s.states[g.State][g.ID] = true
}

// enter adds an id to the list of its key, unless it is there from before. No query asks for a zero key.
func enter[K comparable](lists map[K][]string, old, key K, id string, fresh bool) {
	var none K
	if key != none && (fresh || key != old && !slices.Contains(lists[key], id)) {
		lists[key] = append(lists[key], id)
	}
}

// find are the grants that q asks for.
func (s *grants) find(q store.GrantQuery) []store.Record {
	var found []store.Record
	look := func(id string) {
		if r, there := s.byID[id]; there {
			if g := grantIn(r); s.asks(&g, q) {
				found = append(found, r)
			}
		}
	}
	ids := q.IDs
	switch {
	case len(q.IDs) > 0:
		ids = slices.Compact(slices.Sorted(slices.Values(q.IDs)))
	case q.Player != "":
		ids = s.players[q.Player]
	case q.Match != "":
		ids = s.matches[q.Match]
	case q.Board != "" && q.Window != "":
		ids = s.windows[windowName{q.Board, q.Window}]
	case len(q.States) > 0:
		for _, state := range slices.Compact(slices.Sorted(slices.Values(q.States))) {
			ids = slices.AppendSeq(ids, maps.Keys(s.states[state]))
		}
	default:
		ids = slices.AppendSeq(ids, maps.Keys(s.byID))
	}
	for _, id := range ids {
		look(id)
	}
	slices.SortFunc(found, func(a, b store.Record) int {
		g, h := grantIn(a), grantIn(b)
		return cmp.Or(cmp.Compare(g.Position, h.Position), cmp.Compare(g.Place, h.Place))
	})
	return found
}

func (s *grants) asks(g *store.Grant, q store.GrantQuery) bool {
	return (q.Player == "" || g.Player == q.Player) && (q.Match == "" || g.Match == q.Match) &&
		(q.Board == "" || g.Board == q.Board) && (q.Window == "" || g.Window == q.Window) &&
		(len(q.States) == 0 || slices.Contains(q.States, g.State)) && (len(q.IDs) == 0 || slices.Contains(q.IDs, g.ID))
}

// factsOf are the facts of players, of all if there are none, by player.
func (d *data) factsOf(players []string) []store.Facts {
	var found []store.Facts
	if players == nil {
		found = slices.Collect(maps.Values(d.facts))
	}
	named := map[string]bool{}
	for _, player := range players {
		if f, there := d.facts[player]; there && !named[player] {
			named[player] = true
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b store.Facts) int { return strings.Compare(a.Player, b.Player) })
	return found
}

// putRevision keeps a match as it was, in the order of its revisions.
func (d *data) putRevision(r store.Revision) {
	list := d.revisions[r.ID]
	at, _ := revision(list, r.Match.Revision)
	d.revisions[r.ID] = slices.Insert(list, at, r.Match)
}

func revision(list []store.Match, n int) (at int, there bool) {
	return slices.BinarySearchFunc(list, n, func(m store.Match, n int) int { return cmp.Compare(m.Revision, n) })
}
