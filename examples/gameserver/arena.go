package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/finalbell/finalbell"
)

// What an arena is for, as in rules.json.
const (
	mode        = "rush"
	least, most = 2, 4 // players in a match
)

const (
	reportTicks   = ticksPerSecond     // between live reports
	patienceTicks = 5 * ticksPerSecond // until a match is made of fewer than could play
)

// arena is a place for one match after the other. Its players wait in a room of the engine's.
type arena struct {
	server    *server
	room      string
	made      int       // matches in the room so far
	members   []*player // of the room, and who is about to be one
	game      *game     // nil: no match is running
	busy      bool      // a match is being made or ended; nobody comes or goes until that is answered
	reporting bool      // a live report is on its way
	waited    int       // ticks since a match could have been made
	orders    chan order
	outbox    []order // not handed to the clerk yet
}

// order places an order. The answer comes at a later tick.
func (a *arena) order(do func(ctx context.Context) error, then func(err error) error) {
	if !a.server.stopping {
		a.outbox = append(a.outbox, order{do, then})
	}
}

// send hands the clerk as many orders as it takes without waiting.
func (a *arena) send() {
	for len(a.outbox) > 0 {
		select {
		case a.orders <- a.outbox[0]:
			a.outbox = a.outbox[1:]
		default:
			return
		}
	}
}

// takeUp goes on with a room as it was left. Everybody has lost the connection, and comes back soon or not.
func (a *arena) takeUp(ctx context.Context, room finalbell.Room) error {
	a.made = room.Matches
	for _, m := range room.Members {
		p := a.server.player(m.Player)
		p.arena, p.state, p.next = a, away, a.server.soon(1, 3)
		a.members = append(a.members, p)
	}
	if room.Match == "" {
		return nil
	}
	m, err := a.server.engine.Match(ctx, room.Match)
	if err == nil && m.State == finalbell.Created { // everybody was there for it: it starts, a little late
		m, err = a.server.engine.Start(ctx, m.ID)
	}
	if err != nil {
		return err
	}
	a.game = newGame(m)
	a.server.log.Info("taken up", "match", m.ID, "tick", a.game.tick, "of", matchTicks)
	return nil
}

// step plays the arena's part of a tick.
func (a *arena) step() {
	switch {
	case a.busy:
	case a.game == nil:
		a.gather()
	default:
		a.play()
	}
}

// gather makes a match when the room is full, or when those who are there have waited long enough.
func (a *arena) gather() {
	if len(a.members) < least || !a.allHere() {
		return
	}
	if a.waited++; len(a.members) < most && a.waited < patienceTicks {
		return
	}
	id := a.nextMatch()
	a.begin(id, func(ctx context.Context) error {
		_, err := a.server.engine.Create(ctx, finalbell.NewMatch{ID: id, Room: a.room})
		return err
	})
}

func (a *arena) allHere() bool {
	return !slices.ContainsFunc(a.members, func(p *player) bool { return p.state != here })
}

// nextMatch is the id of the next match. The room counts its matches, so this is the same one also after a crash.
func (a *arena) nextMatch() string { return fmt.Sprintf("%s-%d", a.room, a.made+1) }

// begin has a match made and started.
func (a *arena) begin(id string, create func(ctx context.Context) error) {
	a.busy, a.waited = true, 0
	var m finalbell.Match
	a.order(func(ctx context.Context) error {
		err := create(ctx)
		if err == nil {
			m, err = a.server.engine.Start(ctx, id)
		}
		return err
	}, func(err error) error {
		a.busy = false
		if errors.Is(err, finalbell.ErrPlayers) { // they have waited too long, and the engine has dismissed them
			for _, p := range a.members {
				a.rejoin(p)
			}
			return nil
		}
		if err != nil {
			return err
		}
		a.made++
		a.game = newGame(m)
		return nil
	})
}

// play plays one tick of the match, and says now and then how it stands.
func (a *arena) play() {
	for i := range a.game.runners {
		r := &a.game.runners[i]
		r.away = a.server.player(r.player).state != here
	}
	a.game.step()
	switch {
	case a.game.over():
		a.end()
	case a.game.tick%reportTicks == 0:
		a.report()
	}
}

// report says how the match stands. A report is soft, so one that finds another on its way need not be made.
func (a *arena) report() {
	if a.game == nil || a.busy || a.reporting {
		return
	}
	a.reporting = true
	match, standing := a.game.match, a.game.live()
	a.order(func(ctx context.Context) error {
		_, err := a.server.engine.Report(ctx, match, standing...)
		return err
	}, func(err error) error {
		a.reporting = false
		if errors.Is(err, finalbell.ErrState) { // it has expired; the end hears of it too
			return nil
		}
		return err
	})
}

// end has the match ended. The scores are what they are now, however often it takes to say so.
func (a *arena) end() {
	a.busy = true
	match, scores := a.game.match, a.game.final()
	var m finalbell.Match
	a.order(func(ctx context.Context) (err error) {
		m, err = a.server.engine.End(ctx, match, scores...)
		return err
	}, func(err error) error {
		a.busy, a.game = false, nil
		switch {
		case errors.Is(err, finalbell.ErrState): // it has expired: the server was down for too long
			a.server.log.Warn("a match does not count", "match", match, "error", err)
			return nil
		case err != nil:
			return err
		}
		a.server.ended++
		a.server.print(m)
		a.afterwards(m.ID)
		return nil
	})
}

// afterwards lets go who wants to; the others play again at once, or wait for more.
func (a *arena) afterwards(match string) {
	v := a.server
	for _, p := range slices.Clone(a.members) {
		if p.state == away || p.state == here && v.dice.IntN(4) == 0 {
			a.depart(p)
		}
	}
	if len(a.members) < least || v.dice.IntN(2) == 0 {
		return
	}
	id := a.nextMatch()
	a.begin(id, func(ctx context.Context) error {
		_, err := v.engine.Rematch(ctx, match, id) // of those who are still in the room
		return err
	})
}
