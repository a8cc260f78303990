package specter

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/web"
)

// running knows in which running sessions players may be, whoever started them, so that a start need not look through the whole
// past of its players. What it knows of is looked at before anybody is refused for it; what it does not know of is what
// somebody else than the handler started in this instant.
type running struct {
	mu       sync.Mutex
	sessions map[string][]string // by player
	players  map[string][]string // by session
}

// follow makes a running of an engine's matches, which goes on until the engine is closed.
func follow(e *finalbell.Engine) (*running, error) {
	r := &running{sessions: make(map[string][]string), players: make(map[string][]string)}
	ctx := context.Background()
	events := e.Subscribe(ctx, finalbell.Subscription{Buffer: 1 << 12, EventFilter: finalbell.EventFilter{Kinds: []finalbell.EventKind{
		finalbell.EventMatchStarted, finalbell.EventPlayersJoined,
		finalbell.EventMatchEnded, finalbell.EventMatchCancelled, finalbell.EventMatchExpired,
	}}})
	if err := r.load(ctx, e); err != nil {
		return nil, err
	}
	go func() {
		for ev, err := range events {
			switch {
			case err != nil: // the engine writes nothing any more
			case ev.Kind == finalbell.EventMissed:
				_ = r.load(ctx, e) // it fails if the engine has: then nothing starts either
			case ev.Match != nil:
				r.note(*ev.Match)
			}
		}
	}()
	return r, nil
}

// load adds what runs now, and looks at what was thought to: its end may be among the events that are missing.
func (r *running) load(ctx context.Context, e *finalbell.Engine) error {
	r.mu.Lock()
	unseen := maps.Clone(r.players)
	r.mu.Unlock()
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{States: []finalbell.State{finalbell.Started, finalbell.Disputed}}) {
		if err != nil {
			return err
		}
		r.note(m)
		delete(unseen, m.ID)
	}
	for id := range unseen {
		m, err := look(ctx, e, id)
		if err != nil {
			return err
		}
		if !isRunning(m) {
			r.note(m)
		}
	}
	return nil
}

// note takes in a session as it is now.
func (r *running) note(m finalbell.Match) {
	var players []string
	if isRunning(m) {
		players, _ = people(m, "")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.players[m.ID] {
		r.sessions[p] = slices.DeleteFunc(r.sessions[p], func(id string) bool { return id == m.ID })
		if len(r.sessions[p]) == 0 {
			delete(r.sessions, p)
		}
	}
	delete(r.players, m.ID)
	if players == nil {
		return
	}
	r.players[m.ID] = players
	for _, p := range players {
		r.sessions[p] = append(r.sessions[p], m.ID)
	}
}

func (r *running) of(player string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sessions[player])
}

// busy reports whether one of the players is in a running session other than the given one.
func (h *handler) busy(ctx context.Context, players []string, but string) (bool, error) {
	for _, p := range players {
		for _, id := range h.running.of(p) {
			if id == but {
				continue
			}
			m, err := look(ctx, h.engine, id)
			if err != nil {
				return false, err
			}
			if isRunning(m) && seatOf(m, p) != nil {
				return true, nil
			}
			h.running.note(m)
		}
	}
	return false, nil
}

// look reads a session that was thought to run. One that is not there does not.
func look(ctx context.Context, e *finalbell.Engine, id string) (finalbell.Match, error) {
	m, err := e.Match(ctx, id)
	if kind, _ := web.Kind(err); err != nil && kind != finalbell.ErrNotFound {
		return finalbell.Match{}, err
	}
	m.ID = id
	return m, nil
}

func isRunning(m finalbell.Match) bool {
	return m.State == finalbell.Started || m.State == finalbell.Disputed
}
