package main

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell"
)

// player stands for a client with its connection. In a server of yours the network would move it from state to state; here
// the dice do.
type player struct {
	name    string
	state   presence
	arena   *arena // nil: nowhere
	next    int    // the tick at which an absent one comes
	beat    int    // the tick of the next heartbeat
	beating bool   // one is on its way
}

// presence is where a player stands towards an arena.
type presence int

const (
	offline   presence = iota
	arriving           // into the room
	here               // waits, or plays
	away               // has dropped out of the game; the seat is kept
	returning          // to it
	departing          // for good
)

const (
	beatTicks = 10 * ticksPerSecond // between heartbeats
	dropTicks = 60 * ticksPerSecond // that somebody plays on average until they drop out
)

// nameOf is the name of the i-th player.
func nameOf(i int) string {
	names := []string{"ada", "ben", "cleo", "dan", "eve", "finn", "gus", "hal", "ida", "jon", "kim", "leo", "mia", "ned", "ora", "pia", "quin", "ray", "sol", "tess"}
	if i < len(names) {
		return names[i]
	}
	return names[i%len(names)] + strconv.Itoa(i/len(names)+1)
}

// soon is a tick between so many seconds from now.
func (v *server) soon(from, to int) int {
	return v.tick + from*ticksPerSecond + v.dice.IntN((to-from)*ticksPerSecond)
}

// live is what a player does in a tick.
func (v *server) live(p *player) {
	switch a := p.arena; {
	case p.state == offline && v.tick >= p.next:
		v.come(p)
	case p.state == away && v.tick >= p.next:
		a.comeBack(p)
	case p.state != here:
	case v.tick >= p.beat && !p.beating:
		a.heartbeat(p)
	case a.game != nil && !a.busy && v.dice.IntN(dropTicks) == 0:
		a.drop(p)
	}
}

// come brings a player into the arena that lacks the fewest.
func (v *server) come(p *player) {
	var best *arena
	for _, a := range v.arenas {
		if !a.busy && a.game == nil && len(a.members) < most && (best == nil || len(a.members) > len(best.members)) {
			best = a
		}
	}
	if best == nil {
		p.next = v.soon(1, 2)
		return
	}
	p.arena = best
	best.members = append(best.members, p)
	best.join(p, v.newID())
}

// join starts a player's session, if it has an id, and makes them a member of the room.
func (a *arena) join(p *player, session string) {
	p.state = arriving
	var room finalbell.Room
	a.order(func(ctx context.Context) (err error) {
		if session != "" {
			_, err = a.server.engine.StartSession(ctx, finalbell.NewSession{ID: session, Player: p.name})
		}
		if err == nil {
			room, err = a.server.engine.Join(ctx, a.room, finalbell.Participant{Player: p.name})
		}
		return err
	}, func(err error) error {
		if err != nil {
			return err
		}
		a.arrived(p)
		for _, other := range a.members { // the engine may have dismissed those who were there before
			if other.state == here && !slices.ContainsFunc(room.Members, func(m finalbell.Member) bool { return m.Player == other.name }) {
				a.rejoin(other)
			}
		}
		return nil
	})
}

func (a *arena) rejoin(p *player) { a.join(p, "") }

func (a *arena) arrived(p *player) { p.state, p.beat = here, a.server.tick+beatTicks }

// heartbeat tells the engine that a player is still there. If the process has slept for longer than a session lasts, the next
// one begins.
func (a *arena) heartbeat(p *player) {
	p.beating, p.beat = true, a.server.tick+beatTicks
	session := a.server.newID()
	a.order(func(ctx context.Context) error {
		_, err := a.server.engine.Heartbeat(ctx, p.name, "")
		if errors.Is(err, finalbell.ErrNotFound) {
			_, err = a.server.engine.StartSession(ctx, finalbell.NewSession{ID: session, Player: p.name})
		}
		return err
	}, func(err error) error {
		p.beating = false
		return err
	})
}

// drop ends the session of a player in a match. The mode says that they have left it, unless they come back.
func (a *arena) drop(p *player) {
	p.state, p.next = away, a.server.soon(2, 8)
	a.order(func(ctx context.Context) error { return a.server.endSession(ctx, p.name) }, done)
}

// comeBack starts a new session for who has dropped out: they are in their match again.
func (a *arena) comeBack(p *player) {
	p.state = returning
	session := a.server.newID()
	a.order(func(ctx context.Context) error {
		_, err := a.server.engine.StartSession(ctx, finalbell.NewSession{ID: session, Player: p.name})
		return err
	}, func(err error) error {
		a.arrived(p)
		return err
	})
}

// depart takes a player out of the room.
func (a *arena) depart(p *player) {
	p.state = departing
	a.members = slices.DeleteFunc(a.members, func(m *player) bool { return m == p })
	a.order(func(ctx context.Context) error {
		_, err := a.server.engine.Leave(ctx, a.room, p.name)
		if err == nil {
			err = a.server.endSession(ctx, p.name)
		}
		return err
	}, func(err error) error {
		p.state, p.arena, p.next = offline, nil, a.server.soon(5, 15) // not before: another arena has another clerk
		return err
	})
}

// endSession ends a player's session. It may be made again: then there is none any more.
func (v *server) endSession(ctx context.Context, player string) error {
	if _, err := v.engine.EndSession(ctx, player, ""); !errors.Is(err, finalbell.ErrNotFound) {
		return err
	}
	return nil
}

// done is for orders of which the loop only needs to know that they are carried out.
func done(err error) error { return err }
