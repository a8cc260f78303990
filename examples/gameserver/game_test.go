package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
)

// A game that is rebuilt from any of its live reports goes on as it would have gone on.
func TestAGameGoesOnFromItsReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := finalbell.Match{ID: rapid.StringN(1, 8, -1).Draw(t, "match")}
		for i := range rapid.IntRange(least, most).Draw(t, "players") {
			m.Standings = append(m.Standings, finalbell.Standing{Player: nameOf(i)})
		}
		absent := rapid.IntRange(0, len(m.Standings)-1).Draw(t, "absent")
		from := rapid.IntRange(0, matchTicks).Draw(t, "from")
		until := rapid.IntRange(from, matchTicks).Draw(t, "until")
		step := func(g *game) {
			g.runners[absent].away = g.tick >= from && g.tick < until
			g.step()
		}
		died := rapid.IntRange(0, matchTicks-1).Draw(t, "died")
		g, rebuilt := newGame(m), (*game)(nil)
		for !g.over() {
			if g.tick == died {
				left := finalbell.Match{ID: m.ID, Provisional: true}
				for _, o := range g.live() {
					left.Standings = append(left.Standings, finalbell.Standing{Player: o.Player, Outcome: o.Value, Metrics: o.Metrics})
				}
				slices.SortStableFunc(left.Standings, func(a, b finalbell.Standing) int { return b.Outcome.Cmp(a.Outcome) })
				rebuilt = newGame(left)
			}
			step(g)
		}
		for !rebuilt.over() {
			step(rebuilt)
		}
		require.Equal(t, g, rebuilt)
	})
}

// Coins lie where somebody can get them, and are got.
func TestCoinsAreTaken(t *testing.T) {
	g := newGame(finalbell.Match{ID: "m", Standings: []finalbell.Standing{{Player: "ada"}, {Player: "ben"}}})
	for !g.over() {
		g.step()
		for _, r := range g.runners {
			require.Less(t, r.cell, width*height)
		}
	}
	require.Greater(t, g.runners[0].coins, 10)
	require.Greater(t, g.runners[1].coins, 10)
}
