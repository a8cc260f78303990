package memory

import (
	"maps"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// forget takes a name away. It looks at everything: what is kept has no index by all that may name a player.
func (d *data) forget(f store.Forget) {
	d.forgetMatches(f)
	d.forgetEntries(f)
	d.forgetMoney(f)
	if facts, there := d.facts[f.Player]; there {
		delete(d.facts, f.Player)
		facts.Player = f.As
		d.facts[f.As] = facts
	}
	for slot, r := range d.sessions.all {
		if r.Player == f.Player {
			r.Player, r.Device, r.Attributes, r.Data = f.As, "", nil, nil
			d.sessions.all[slot] = r
		}
	}
	move(d.sessions.players, f.Player, f.As)
	for slot, r := range d.rooms.all {
		r.Members = slices.Clone(r.Members)
		for i := range r.Members {
			m := &r.Members[i]
			if m.Player == f.Player {
				m.Player, m.Attributes = f.As, nil
			}
			m.Team = renamed(m.Team, f)
		}
		d.rooms.all[slot] = r
	}
	d.forgetEvents(f)
}

// renamed is a name as it is from then on.
func renamed(name string, f store.Forget) string {
	if name == f.Player {
		return f.As
	}
	return name
}

// kept are the attributes that stay.
func kept(attributes []store.Attribute, f store.Forget) []store.Attribute {
	var left []store.Attribute
	for _, a := range attributes {
		if slices.Contains(f.Keep, a.Name) {
			left = append(left, a)
		}
	}
	return left
}

// move gives what is at one key of a map to another.
func move[T any](m map[string]T, from, to string) {
	if v, there := m[from]; there {
		delete(m, from)
		m[to] = v
	}
}

func (d *data) forgetMatches(f store.Forget) {
	for slot, r := range d.matches {
		d.matches[slot] = forgetMatch(matchIn(r), f)
	}
	for id, list := range d.revisions {
		list = slices.Clone(list)
		for i, m := range list {
			list[i] = forgetMatch(m, f)
		}
		d.revisions[id] = list
	}
	move(d.players, f.Player, f.As)
	move(d.teams, f.Player, f.As)
}

func forgetMatch(m store.Match, f store.Forget) store.Match {
	m.Participants = slices.Clone(m.Participants)
	for i := range m.Participants {
		p := &m.Participants[i]
		if p.Player == f.Player {
			p.Player, p.Attributes = f.As, kept(p.Attributes, f)
		}
		p.Team = renamed(p.Team, f)
		p.Boards = slices.Clone(p.Boards)
		for b := range p.Boards {
			p.Boards[b].ID = renamed(p.Boards[b].ID, f)
		}
	}
	m.Teams = slices.Clone(m.Teams)
	for i := range m.Teams {
		m.Teams[i].Team = renamed(m.Teams[i].Team, f)
	}
	m.Moves = slices.Clone(m.Moves)
	for i := range m.Moves {
		m.Moves[i].ID = renamed(m.Moves[i].ID, f)
		m.Moves[i].Passed = slices.Clone(m.Moves[i].Passed)
		for j, id := range m.Moves[i].Passed {
			m.Moves[i].Passed[j] = renamed(id, f)
		}
	}
	return m
}

func (d *data) forgetEntries(f store.Forget) {
	for _, w := range d.windows {
		slot, there := w.slots[f.Player]
		if !there {
			continue
		}
		e := entryIn(w.entries[slot])
		e.ID = f.As
		w.entries[slot] = e
		move(w.slots, f.Player, f.As)
	}
}

func (d *data) forgetMoney(f store.Forget) {
	grants := map[string]string{}
	for _, g := range f.Grants {
		grants[g.From] = g.To
	}
	keys := map[string]string{}
	for _, e := range f.Events {
		if old := d.events[e.Position-1]; old.Key != e.Key {
			keys[old.Key] = e.Key
		}
	}
	old := d.ledger.lines
	d.ledger = newLedger()
	for _, r := range old {
		l := lineIn(r)
		if slices.Contains(f.Accounts, l.Account.Kind) {
			l.Account.ID = renamed(l.Account.ID, f)
		}
		if id, there := grants[l.Grant]; there {
			l.Grant = id
		}
		if key, there := keys[l.Posting]; there {
			l.Posting = key
		}
		d.ledger.put(&l, l)
	}
	all := slices.Collect(maps.Values(d.grants.byID))
	d.grants = newGrants()
	for _, r := range all {
		g := grantIn(r)
		g.Player = renamed(g.Player, f)
		if id, there := grants[g.ID]; there {
			g.ID = id
		}
		d.grants.put(&g, g)
	}
}

// forgetEvents replaces the list and its events: a reader may be on its way through them.
func (d *data) forgetEvents(f store.Forget) {
	d.events = slices.Clone(d.events)
	for _, e := range f.Events {
		delete(d.keys, d.events[e.Position-1].Key)
	}
	for _, e := range f.Events {
		now := *d.events[e.Position-1]
		now.Key, now.ID, now.Body = e.Key, e.ID, e.Body
		d.events[e.Position-1] = &now
		d.keys[now.Key] = &now
	}
}
