package sqlite

import (
	"slices"
	"sync"

	"github.com/finalbell/finalbell/store"
)

// recent holds the records that were written last, so that a match that runs is not read back from the file, nor
// an entry that changes often. It is bounded, and what it holds is what the
// file holds: records are taken out before they are committed anew and put back when that is durable.
type recent struct {
	mu      sync.Mutex
	matches twoGenerations[string, store.Match]
	entries twoGenerations[entryKey, store.Entry]
	// drops counts the drops that took entries of a window: those that are kept from before are forgotten with time.
	drops map[store.WindowKey]int
}

// entryKey is of an entry as it is between two drops of its window.
type entryKey struct {
	store.WindowKey
	id    string
	drops int
}

const (
	recentMatches = 1 << 13
	recentEntries = 1 << 15
)

func newRecent() *recent {
	return &recent{
		matches: generations[string, store.Match](recentMatches),
		entries: generations[entryKey, store.Entry](recentEntries),
		drops:   make(map[store.WindowKey]int),
	}
}

func (r *recent) match(id string) (store.Match, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.matches.get(id)
}

// all returns the entries of a window by id, or false if not all of them are known to be there.
func (r *recent) all(q store.EntryQuery) ([]store.Entry, bool) {
	ids := slices.Clone(q.IDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	entries := make([]store.Entry, len(ids))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, id := range ids {
		there := false
		if entries[i], there = r.entries.get(entryKey{q.WindowKey, id, r.drops[q.WindowKey]}); !there {
			return nil, false
		}
	}
	return entries, true
}

// changes are the records that a transaction writes, the last state of each.
type changes struct {
	matches map[string]store.Match
	entries map[entryKey]store.Entry
	dropped map[store.WindowKey]bool // windows of which entries went
	renamed bool                     // somebody was forgotten: any record may name them
}

// forget takes out what is about to change: until it is known again, the file tells.
func (r *recent) forget(c changes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.renamed {
		r.matches, r.entries = generations[string, store.Match](recentMatches), generations[entryKey, store.Entry](recentEntries)
		return
	}
	for id := range c.matches {
		r.matches.drop(id)
	}
	for key := range c.entries {
		key.drops = r.drops[key.WindowKey]
		r.entries.drop(key)
	}
	for key := range c.dropped {
		r.drops[key]++
	}
}

// note takes in what is durable now.
func (r *recent) note(c changes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, m := range c.matches {
		if m.Position == 0 { // who asks for a match that is over does not ask again soon
			r.matches.put(id, m)
		}
	}
	for key, e := range c.entries {
		key.drops = r.drops[key.WindowKey]
		r.entries.put(key, e)
	}
}

// twoGenerations is a map that forgets what was not used for long: between size and twice size pairs are kept.
type twoGenerations[K comparable, V any] struct {
	size       int
	young, old map[K]V
}

func generations[K comparable, V any](size int) twoGenerations[K, V] {
	return twoGenerations[K, V]{size: size, young: make(map[K]V)}
}

func (g *twoGenerations[K, V]) get(key K) (V, bool) {
	if v, there := g.young[key]; there {
		return v, true
	}
	v, there := g.old[key]
	if there {
		g.put(key, v)
	}
	return v, there
}

func (g *twoGenerations[K, V]) put(key K, v V) {
	if _, there := g.young[key]; !there && len(g.young) >= g.size {
		g.old, g.young = g.young, make(map[K]V, g.size)
	}
	g.young[key] = v
}

func (g *twoGenerations[K, V]) drop(key K) {
	delete(g.young, key)
	delete(g.old, key)
}
