package finalbell_test

import (
	"context"
	"fmt"
	"log"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// runs is a rulebook of one mode with one board.
func runs() finalbell.Rules {
	return finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "run", AutoStart: true, Boards: []string{"scores"}}},
		Boards: []finalbell.BoardRule{{ID: "scores", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}}},
	}
}

// runAlone plays a run of one player.
func runAlone(e *finalbell.Engine, id, player string, score int) {
	ctx := context.Background()
	_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "run", Players: finalbell.Players(player)})
	if err == nil {
		_, err = e.End(ctx, id, finalbell.Score(player, score))
	}
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleEngine_Subscribe() {
	ctx := context.Background()
	e, err := finalbell.New(ctx, memory.New(), runs(), finalbell.Options{ManualTick: true})
	if err != nil {
		log.Fatal(err)
	}
	events := e.Subscribe(ctx, finalbell.Subscription{EventFilter: finalbell.EventFilter{
		Boards: []string{"scores"}, Kinds: []finalbell.EventKind{finalbell.EventNewLeader, finalbell.EventOvertaken},
	}})
	runAlone(e, "r1", "ann", 50)
	runAlone(e, "r2", "bob", 40)
	runAlone(e, "r3", "bob", 60)
	if err := e.Close(); err != nil { // else it would go on
		log.Fatal(err)
	}
	for ev, err := range events {
		if err != nil {
			log.Fatal(err)
		}
		switch ev.Kind {
		case finalbell.EventNewLeader:
			fmt.Println(ev.ID, ev.Player, "leads", ev.Board)
		case finalbell.EventOvertaken:
			fmt.Println(ev.ID, ev.Player, "was overtaken by", ev.By)
		case finalbell.EventMissed:
			fmt.Println(ev.Missed, "events are missing after", ev.Position)
		}
	}
	// Output:
	// end/r1#1 ann leads scores
	// end/r3#1 bob leads scores
	// end/r3#3 ann was overtaken by bob
}

func ExampleHooks_after() {
	ctx := context.Background()
	seen := make(map[string]bool) // kept with what the hook writes, so that it outlives a crash as well
	hooks := finalbell.Hooks{
		After: func(_ context.Context, ev finalbell.Event) error {
			if seen[ev.ID] {
				return nil // handed over again
			}
			seen[ev.ID] = true
			fmt.Println(ev.Kind, ev.ID)
			return nil
		},
		Release: func(_ context.Context, m finalbell.Match) error {
			fmt.Println("the server of", m.ID, "is free")
			return nil
		},
	}
	// With ManualTick the hooks are fed by Tick; else by a goroutine of the engine's.
	e, err := finalbell.New(ctx, memory.New(), runs(), finalbell.Options{ManualTick: true, Hooks: hooks})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	runAlone(e, "r1", "ann", 50)
	if _, err := e.Tick(ctx); err != nil {
		log.Fatal(err)
	}
	if err := e.ReplayEvents(ctx, 0); err != nil { // everything again, which the hook knows
		log.Fatal(err)
	}
	if _, err := e.Tick(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// match_created create/r1
	// the server of r1 is free
	// match_ended end/r1
	// new_leader end/r1#1
	// entered_top end/r1#2
	// the server of r1 is free
}
