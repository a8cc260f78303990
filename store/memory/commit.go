package memory

import (
	"fmt"

	"github.com/finalbell/finalbell/store"
)

// pending is what the commits of a batch that were checked so far would change.
type pending struct {
	keys    map[string]store.Digest
	matches map[string]uint64 // versions
	entries map[entryKey]uint64
	records map[store.WindowKey]uint64
	// emptied are the windows that a commit drops and a later one may begin anew, as the commits so far leave them: the
	// versions in there are not to be had from the records alone.
	emptied map[store.WindowKey]*window
	money   *moneyAhead // nil: nothing of it yet
}

// check finds what is wrong with a batch while nothing of it is written.
func (d *data) check(b store.Batch) error {
	if err := b.Check(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	ahead := &pending{
		keys:    map[string]store.Digest{},
		matches: map[string]uint64{},
		entries: map[entryKey]uint64{},
		records: map[store.WindowKey]uint64{},
		emptied: d.emptied(b.Commits),
	}
	for i := range b.Commits {
		c := &b.Commits[i]
		if err := d.refusal(c, d.head.Position+uint64(i)+1, ahead); err != nil {
			return &store.CommitError{Index: i, Key: c.Key, Err: err}
		}
		if len(ahead.emptied) > 0 {
			for _, r := range c.Records {
				if w := ahead.emptied[keyOf(r)]; w != nil {
					w.put(r)
				}
			}
		}
	}
	return nil
}

// emptied copies the windows that a commit drops while another follows.
func (d *data) emptied(commits []store.Commit) map[store.WindowKey]*window {
	var emptied map[store.WindowKey]*window
	for i := range max(len(commits)-1, 0) {
		for _, r := range commits[i].Records {
			drop, is := r.(store.Drop)
			if !is || !drop.All || emptied[drop.WindowKey] != nil {
				continue
			}
			if emptied == nil {
				emptied = map[store.WindowKey]*window{}
			}
			emptied[drop.WindowKey] = d.windows[drop.WindowKey].clone()
		}
	}
	return emptied
}

func (d *data) refusal(c *store.Commit, position uint64, ahead *pending) error {
	digest, used := ahead.keys[c.Key]
	if e := d.keys[c.Key]; e != nil {
		digest, used = e.Digest, true
	}
	switch {
	case used && digest == c.Digest:
		return store.ErrReplayed
	case used:
		return store.ErrReused
	case c.Position != position:
		return store.ErrStale
	}
	ahead.keys[c.Key] = c.Digest
	for _, r := range c.Records {
		if !d.current(r, position, ahead) {
			return store.ErrStale
		}
	}
	return nil
}

// current reports whether a record of the commit at a position may be written, by its version above all, and if so counts
// it as taken.
func (d *data) current(r store.Record, position uint64, ahead *pending) bool {
	switch r := r.(type) {
	case store.Match:
		return follows(ahead.matches, r.ID, d.match(r.ID).Version, r.Version)
	case store.Entry:
		if w := ahead.emptied[r.WindowKey]; w != nil {
			return r.Version == w.entry(r.ID).Version+1
		}
		key := entryKey{r.WindowKey, r.ID}
		stored, there := ahead.entries[key]
		if !there {
			stored = d.windows[r.WindowKey].entry(r.ID).Version
		}
		ahead.entries[key] = r.Version
		return r.Version == stored+1
	case store.Window:
		if w := ahead.emptied[r.WindowKey]; w != nil {
			return r.Version == w.record.Version+1
		}
		stored, there := ahead.records[r.WindowKey]
		if !there {
			stored = d.windows[r.WindowKey].version()
		}
		ahead.records[r.WindowKey] = r.Version
		return r.Version == stored+1
	case store.Line:
		return d.lineFits(&r, position, ahead.moneyAhead())
	case store.Grant:
		return d.grantFits(&r, position, ahead.moneyAhead())
	case store.Facts:
		return follows(ahead.moneyAhead().facts, r.Player, d.facts[r.Player].Version, r.Version)
	case store.Session:
		return follows(ahead.moneyAhead().sessions, r.ID, d.sessions.version(r.ID), r.Version)
	case store.Room:
		return follows(ahead.moneyAhead().rooms, r.ID, d.rooms.version(r.ID), r.Version)
	case store.Revision:
		return d.revisionFits(&r, ahead.moneyAhead())
	case store.Forget:
		for _, e := range r.Events {
			if e.Position == 0 || e.Position > position {
				return false
			}
		}
	}
	return true
}

func (d *data) write(b store.Batch) {
	for i := range b.Commits {
		c := &b.Commits[i]
		e := &store.Event{
			Position: c.Position, Key: c.Key, Digest: c.Digest, At: c.At, Kind: c.Kind, ID: c.ID, Body: c.Body,
		}
		d.events = append(d.events, e)
		d.keys[c.Key] = e
		d.head.Position = c.Position
		if c.At.After(d.head.At) {
			d.head.At = c.At
		}
		var forgets []store.Forget
		for _, r := range c.Records {
			if f, is := r.(store.Forget); is {
				forgets = append(forgets, f)
				continue
			}
			d.put(r)
		}
		for _, f := range forgets {
			d.forget(f)
		}
	}
	for _, r := range b.Soft {
		d.putSoft(r)
	}
}

func (d *data) put(record store.Record) {
	switch r := record.(type) {
	case store.Match:
		d.putMatch(&r, record)
	case store.Entry:
		d.putIn(r.WindowKey, record)
	case store.Window:
		d.putIn(r.WindowKey, record)
	case store.Chunk:
		d.putIn(r.WindowKey, record)
	case store.Drop:
		d.drop(r)
	case store.Setting:
		d.settings[r.Name] = r
	case store.Line:
		d.ledger.put(&r, record)
	case store.Grant:
		d.grants.put(&r, record)
	case store.Facts:
		d.facts[r.Player] = r
	case store.Revision:
		d.putRevision(r)
	case store.Session:
		d.sessions.put(r)
	case store.Room:
		d.rooms.put(r)
	case store.Moves:
		// Position 0 is that of every match that has not ended, and of none.
		if m := d.match(r.Match); r.Position != 0 && m.Position == r.Position {
			m.Moves = r.Moves
			d.putMatch(&m, m)
		}
	}
}

// putSoft leaves out a record that another version has overtaken, or that has none.
func (d *data) putSoft(record store.Record) {
	switch r := record.(type) {
	case store.Match:
		if r.Version == 0 || d.match(r.ID).Version != r.Version {
			return
		}
	case store.Window:
		if r.Version == 0 || d.windows[r.WindowKey].version() != r.Version {
			return
		}
	case store.Session:
		if r.Version == 0 || d.sessions.version(r.ID) != r.Version {
			return
		}
	case store.Entry:
		if r.Version == 0 {
			return
		}
	}
	d.put(record)
}
