package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/finalbell/finalbell"
)

// server is the tick loop with all that it steps. Everything here is the loop's own: no other goroutine touches it, so
// nothing is locked.
type server struct {
	engine   *finalbell.Engine
	log      *slog.Logger
	out      io.Writer
	dice     *rand.Rand
	arenas   []*arena
	players  []*player
	tick     int
	ended    int // matches since the start
	wanted   int // of them; 0: no end
	answers  chan answer
	clerks   sync.WaitGroup
	stopping bool   // nothing new is ordered
	run      string // tells the sessions of one run from those of another
	sessions int    // started in it
}

func newServer(engine *finalbell.Engine, s setup, out io.Writer, log *slog.Logger) *server {
	v := &server{engine: engine, log: log, out: out, wanted: s.matches, dice: rand.New(rand.NewPCG(s.seed, 0)),
		answers: make(chan answer, 64), run: strconv.FormatInt(time.Now().UnixNano(), 36)}
	for i := range 5 * s.arenas {
		v.player(nameOf(i)).next = i * ticksPerSecond / 2 // not all at once
	}
	return v
}

// takeUp opens the arenas' rooms, and goes on where the run before was stopped or killed. The loop does not run yet, so this
// may wait for the disk.
func (v *server) takeUp(ctx context.Context, arenas int) error {
	for _, o := range v.engine.Orphans() {
		v.log.Info("was running when the process died", "match", o.Match, "policy", o.Policy)
	}
	if _, err := v.engine.Tick(ctx); err != nil { // matches that nobody ended in time, members who waited too long
		return err
	}
	open := finalbell.RoomFilter{Mode: mode, States: []finalbell.RoomState{finalbell.RoomOpen}}
	for room, err := range v.engine.Rooms(ctx, open) { // all of them: somebody may be in one that is one too many today
		if err != nil {
			return err
		}
		if err := v.arena(room.ID).takeUp(ctx, room); err != nil {
			return err
		}
	}
	for i := range arenas {
		id := fmt.Sprintf("arena-%d", i+1)
		if slices.ContainsFunc(v.arenas, func(a *arena) bool { return a.room == id }) {
			continue
		}
		if _, err := v.engine.OpenRoom(ctx, finalbell.NewRoom{ID: id, Mode: mode, Players: finalbell.Limits{Min: least, Max: most}, Wait: 5 * time.Minute}); err != nil {
			return err
		}
		v.arena(id)
	}
	return nil
}

// arena adds one.
func (v *server) arena(room string) *arena {
	a := &arena{server: v, room: room, orders: make(chan order, 1)}
	v.arenas = append(v.arenas, a)
	return a
}

// employ starts a clerk for each arena.
func (v *server) employ(ctx context.Context) {
	for _, a := range v.arenas {
		v.clerks.Go(func() { clerk(ctx, a.orders, v.answers) })
	}
}

// loop ticks until ctx ends, enough matches have, or something is wrong. Then it lets what is on its way finish.
func (v *server) loop(ctx context.Context, every time.Duration) error {
	beat := time.NewTicker(every)
	defer beat.Stop()
	var err error
	for err == nil && !v.enough() {
		select {
		case <-ctx.Done():
			v.log.Info("stopping")
			return v.windDown(nil)
		case <-beat.C:
			err = v.step()
		}
	}
	return v.windDown(err)
}

func (v *server) enough() bool { return v.wanted > 0 && v.ended >= v.wanted }

// step is one tick. It never waits: orders that their clerk has no room for stay until the next one.
func (v *server) step() error {
	if err := v.hear(); err != nil {
		return err
	}
	v.tick++
	for _, p := range v.players {
		v.live(p)
	}
	for _, a := range v.arenas {
		a.step()
		a.send()
	}
	return nil
}

// hear takes the answers that are there.
func (v *server) hear() error {
	for {
		select {
		case a := <-v.answers:
			if err := v.take(a); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (v *server) take(a answer) error {
	if unsettled(a.err) {
		return a.err
	}
	return a.then(a.err)
}

// windDown has every running match report once more, waits for the clerks, and returns why the loop has stopped. Whatever
// runs is taken up at the next start.
func (v *server) windDown(failed error) error {
	for _, a := range v.arenas {
		a.reporting = false // the one that is on its way is older
		a.report()
	}
	v.stopping = true
	for _, a := range v.arenas {
		v.clerks.Go(func() {
			for _, o := range a.outbox {
				a.orders <- o
			}
			close(a.orders)
		})
	}
	go func() {
		v.clerks.Wait()
		close(v.answers)
	}()
	for a := range v.answers {
		if err := v.take(a); failed == nil {
			failed = err
		}
	}
	return failed
}

// newID is an id for a session, made before the call so that the call may be made again.
func (v *server) newID() string {
	v.sessions++
	return v.run + "-" + strconv.Itoa(v.sessions)
}

// player is the player of that name, who is made if there is none yet.
func (v *server) player(name string) *player {
	i, there := slices.BinarySearchFunc(v.players, name, func(p *player, name string) int { return cmp.Compare(p.name, name) })
	if !there {
		v.players = slices.Insert(v.players, i, &player{name: name, state: offline})
	}
	return v.players[i]
}
