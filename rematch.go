package finalbell

import (
	"context"
	"errors"
)

// Rematch creates another match of the mode, room, round and attributes of one that is over, with the same players, those
// who walked in included, and their teams and attributes; it has no deadline. In a room that was opened those of them play
// who are still members, and what Create says of rooms holds. Without an id it gets a new one; the same id again returns that
// match as it is now, Replayed; the id of a match with other content, or of an older one, is ErrExists. A match that is not over
// is ErrState.
func (e *Engine) Rematch(ctx context.Context, match, id string) (Match, error) {
	const op = "rematch"
	e = e.undated()
	n, err := e.asks(ctx, match, id)
	if err != nil {
		return Match{}, failed(op, match, err)
	}
	m, err := e.create(ctx, op, n)
	var failure *Error
	if errors.As(err, &failure) {
		failure.ID = match // which the call is about
	}
	return m, err
}

// asks is what a rematch asks for, once what is due for the match is done.
func (e *Engine) asks(ctx context.Context, match, id string) (asked, error) {
	if err := e.writable(ctx); err != nil {
		return asked{}, err
	}
	if err := checkID("match id", match); err != nil {
		return asked{}, err
	}
	if id == "" {
		id = e.newID()
	}
	if err := checkID("id", id); err != nil {
		return asked{}, err
	}
	m, err := e.find(ctx, match)
	if err != nil {
		return asked{}, err
	}
	if due, expires := deadline(m, e.mode(m)); expires && !due.After(e.now()) {
		if err := e.expire(ctx, match); err != nil {
			return asked{}, err
		}
		if m, err = e.find(ctx, match); err != nil {
			return asked{}, err
		}
	}
	if _, _, err := move(verbRematch, m, false); err != nil {
		return asked{}, err
	}
	n := asked{rematch: true, after: m.created, NewMatch: NewMatch{ID: id, Mode: m.Mode, Room: m.Room, Round: m.Round, Attributes: m.Attributes}}
	for _, s := range m.roster {
		n.Players = append(n.Players, s.participant())
	}
	n.body, err = marshal(rematchBody{match})
	return n, err
}

// rematchBody is what the event of a rematch says beside that a match was created.
type rematchBody struct {
	Rematch string `json:"rematch"` // of which match
}
