package finalbell

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// An engine to which nobody listens pays nothing for that somebody might.
func TestNobodyWhoListensCostsNothing(t *testing.T) {
	e := engineOn(t, memory.New(), ladder(nil), Options{ManualTick: true})
	var j job = &matchJob{engine: e.engine, decision: &decision{moves: []rankMove{{id: "ann", rank: 1, passed: []string{"bob"}}}}}
	c := &store.Commit{Key: "end/m1", Position: 1, Kind: endedEvent, ID: "m1"}
	require.Zero(t, testing.AllocsPerRun(100, func() { e.publish(c, j) }))
}

// BenchmarkEndHeard takes matches of 10 players on 2 boards of 20,000 to their end in memory, while nobody listens, while
// somebody does, and with a hook that is fed afterwards. A match is an op.
func BenchmarkEndHeard(b *testing.B) {
	const players = 20_000
	rules := Rules{Modes: []Mode{{ID: "duel", AutoStart: true, Boards: []string{"ladder", "best"}}},
		Boards: []BoardRule{{ID: "ladder", Keys: []Key{{Metric: "outcome"}}}, {ID: "best", Keys: []Key{{Metric: "outcome", Fold: FoldBest}}}}}
	for _, x := range []struct {
		name   string
		hooks  Hooks
		listen bool
	}{
		{name: "nobody"},
		{name: "a subscriber", listen: true},
		{name: "a hook", hooks: Hooks{After: func(context.Context, Event) error { return nil }}},
	} {
		b.Run(x.name, func(b *testing.B) {
			ctx := context.Background()
			e, err := New(ctx, memory.New(), rules, Options{ManualTick: true, Hooks: x.hooks})
			require.NoError(b, err)
			if x.listen {
				events := e.Subscribe(ctx, Subscription{Buffer: 1 << 16})
				go func() {
					for range events { //nolint:revive // they are only taken
					}
				}()
			}
			n := 0
			play := func() {
				id := fmt.Sprint("m", n)
				roster, outcomes := make([]Participant, 10), make([]Outcome, 10)
				for i := range roster {
					roster[i].Player = fmt.Sprint("p", (n*7919+i*(players/10+1))%players)
					outcomes[i] = Score(roster[i].Player, (n*31+i*17)%100)
				}
				n++
				_, err := e.Create(ctx, NewMatch{ID: id, Mode: "duel", Players: roster})
				if err == nil {
					_, err = e.End(ctx, id, outcomes...)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			for range players / 5 {
				play()
			}
			b.ReportAllocs()
			for b.Loop() {
				play()
				if x.hooks.After != nil && n%64 == 0 {
					if _, err := e.Tick(ctx); err != nil {
						b.Fatal(err)
					}
				}
			}
			require.NoError(b, e.Close())
		})
	}
}
