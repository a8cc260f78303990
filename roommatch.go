package finalbell

import (
	"context"
	"errors"

	"github.com/finalbell/finalbell/store"
)

// A match in a room: who plays is the room's to say, the fees that it holds become the match's, and no other match is in it
// until this one is over.

// decideNew decides about a match that is not there yet. A room that was opened completes it.
func (e *engine) decideNew(ctx context.Context, r request) (*decision, error) {
	n := r.create.NewMatch
	if _, there := e.opened.mode(n.Room); !there {
		return decideCreate(e, n, r)
	}
	err := e.dueInRoom(ctx, n.Room, r.now)
	var room Room
	if err == nil {
		room, err = e.findRoom(ctx, n.Room)
	}
	if errors.Is(err, ErrNotFound) {
		return decideCreate(e, n, r) // it is being opened at this moment
	}
	if err != nil {
		return nil, err
	}
	if n, err = room.seats(n, r.create.rematch); err != nil {
		return nil, err
	}
	if err := e.checkNew(n); err != nil { // the members joined by rules that may have been others
		return nil, err
	}
	d, err := decideCreate(e, n, r)
	if err == nil {
		room = room.takes(n.ID)
		d.room = &room
	}
	return d, err
}

// stillSeated reports, under the reservation, whether a room is as it was when a match in it was decided.
func (e *engine) stillSeated(ctx context.Context, d *decision) error {
	if !d.inRoom(e) {
		return nil
	}
	room, err := e.findRoom(ctx, d.next.Room)
	switch {
	case errors.Is(err, ErrNotFound) && d.room == nil:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case d.room == nil || room.version+1 != d.room.version:
		return store.ErrStale
	}
	return nil
}

// inRoom reports whether a decision puts its match into an opened room, or may take it out of one.
func (d *decision) inRoom(e *engine) bool {
	switch d.kind {
	case createdEvent, endedEvent, cancelledEvent, expiredEvent:
		_, there := e.opened.mode(d.next.Room)
		return there
	}
	return false
}

// unseated reports whether the room of a new match was opened after the match was decided without it.
func (d *decision) unseated(e *engine) bool {
	return d.kind == createdEvent && d.room == nil && d.inRoom(e)
}

// freeRoom lets the room of a match that is over take the next one.
func (e *engine) freeRoom(ctx context.Context, d *decision) error {
	if d.room != nil || d.kind == createdEvent || !d.inRoom(e) {
		return nil
	}
	room, err := e.findRoom(ctx, d.next.Room)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || room.Match != d.next.ID {
		return err // the match is older than the room
	}
	room.Match = ""
	room.version++
	d.room = &room
	return nil
}

// takeHolds makes what a room holds of the players of a new match the match's, where that is the fee. Else it is given back;
// then the fee is held of what they have. It returns how much each gets back in the fee's currency.
func (d *decision) takeHolds(mode Mode) map[string]int64 {
	back := make(map[string]int64)
	if d.room == nil {
		return back
	}
	for i := range d.next.roster {
		s := &d.next.roster[i]
		m := &d.room.Members[d.room.member(s.Player)]
		if m.Held == 0 {
			continue
		}
		fits := mode.Fee != nil && mode.pays(*s) && m.Held == mode.Fee.Amount && m.currency == mode.Fee.Currency
		if fits {
			s.Held = m.Held
			hold := account{holdAccount, s.Player}
			lines := feeMove("", m.currency, hold, hold, feeHeld, m.Held)
			lines[1].match = d.next.ID // what is paid out of the room comes in for the match
			d.lines = append(d.lines, lines...)
		} else {
			d.lines = append(d.lines, m.release()...)
			if mode.Fee != nil && m.currency == mode.Fee.Currency {
				back[s.Player] = m.Held
			}
		}
		m.Held = 0
	}
	return back
}
