package finalbell

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/finalbell/finalbell/store"
)

// Players' facts are needed at every end of a match, and most players play again soon: the last ones are remembered.

// rememberedFacts is how many players there are at least of whom facts are remembered; at most twice as many.
const rememberedFacts = 1 << 13

// remembered are facts as they are stored, of those who were read or written last. What it gives is not to be changed.
type remembered struct {
	mu         sync.Mutex
	young, old map[string]playerFacts
}

func newRemembered() *remembered { return &remembered{young: make(map[string]playerFacts)} }

func (r *remembered) get(player string) (playerFacts, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, there := r.young[player]
	if !there {
		if f, there = r.old[player]; there {
			r.keep(f)
		}
	}
	return f, there
}

// note takes in facts that a commit at a position has changed.
func (r *remembered) note(changed []playerFacts, position uint64) {
	if len(changed) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range changed {
		r.keep(playerFacts{player: f.player, version: f.version + 1, facts: f.facts.placed(position)})
	}
}

// keep remembers facts. The lock is held.
func (r *remembered) keep(f playerFacts) {
	if len(r.young) >= rememberedFacts {
		r.young, r.old = make(map[string]playerFacts), r.young
	}
	r.young[f.player] = f
}

// clear forgets everything: somebody else has written to the store.
func (r *remembered) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.young, r.old = make(map[string]playerFacts), nil
}

// placed are facts after the commit at a position.
func (f facts) placed(position uint64) facts {
	f.Last = f.Last.placed(position)
	if f.Stats != nil {
		s := *f.Stats
		s.last = s.last.placed(position)
		f.Stats = &s
	}
	return f
}

// placed gives a moment of the commit at hand its position.
func (m moment) placed(position uint64) moment {
	if m.position == unplaced {
		m.position = position
	}
	return m
}

// apart are facts of which the markers and items, which are changed in place, are the caller's.
func (f facts) apart() facts {
	f.Markers, f.Items = maps.Clone(f.Markers), maps.Clone(f.Items)
	return f
}

// tallySetting says of a store that every player's statistics have been kept from its first commit on, so that of whom
// there are none there is nothing to count.
const tallySetting = "statistics"

// isTallied reports whether it says so, or will.
func isTallied(ctx context.Context, s store.Store, head store.Head) (bool, error) {
	_, err := s.Setting(ctx, tallySetting)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return head.Position == 0, nil
	case err != nil:
		return false, unavailable(err)
	}
	return true, nil
}
