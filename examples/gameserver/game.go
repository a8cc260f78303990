package main

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/finalbell/finalbell"
)

// The field, and how long a match lasts.
const (
	width, height  = 16, 9
	ticksPerSecond = 30
	matchTicks     = 20 * ticksPerSecond
)

// game is one match: its players run for coins, of which one at a time lies on the field. Whoever gets there first has it.
// All that happens follows from the match's id, the tick, and who is there, so that a game that was rebuilt from a report
// goes on as it would have gone on.
type game struct {
	match   string
	tick    int
	runners []runner // by name
}

type runner struct {
	player string
	cell   int
	coins  int
	away   bool // stands still until they are back, and is not in the final report
}

// What a live report says of a player beside the coins: as much as it takes to rebuild the game.
const (
	tickMetric = "tick"
	cellMetric = "cell"
)

// newGame makes the game of a match, as its last live report left it if there was one.
func newGame(m finalbell.Match) *game {
	g := &game{match: m.ID}
	number := func(n finalbell.Number) int {
		whole, _ := n.Int64() // 0 if nothing was reported
		return int(whole)
	}
	for _, s := range m.Standings {
		g.tick = max(g.tick, number(s.Metrics[tickMetric]))
		g.runners = append(g.runners, runner{player: s.Player, cell: number(s.Metrics[cellMetric]), coins: number(s.Outcome)})
	}
	// A report lists them by rank, which changes; the dice go by place.
	slices.SortFunc(g.runners, func(a, b runner) int { return cmp.Compare(a.player, b.player) })
	return g
}

func (g *game) over() bool { return g.tick >= matchTicks }

// step plays one tick: everybody takes a step towards the coin, or stumbles.
func (g *game) step() {
	g.tick++
	coin := g.coin()
	n := len(g.runners)
	for i := range n {
		place := (g.tick + i) % n // nobody is always the first
		r := &g.runners[place]
		if r.away || g.dice(g.tick*n+place, 3) == 0 {
			continue
		}
		r.cell = toward(r.cell, coin)
		if r.cell == coin {
			r.coins++
			coin = g.coin()
		}
	}
}

// coin is the cell with the coin: each that is taken brings the next.
func (g *game) coin() int {
	taken := 0
	for _, r := range g.runners {
		taken += r.coins
	}
	return g.dice(-1-taken, width*height)
}

// dice is a number below n that follows from the match and the throw.
func (g *game) dice(throw, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(g.match))
	return rand.New(rand.NewPCG(h.Sum64(), uint64(throw))).IntN(n)
}

// toward is the cell that is one step, also a slanting one, nearer to another.
func toward(from, to int) int {
	x := from%width + cmp.Compare(to%width, from%width)
	y := from/width + cmp.Compare(to/width, from/width)
	return y*width + x
}

// live is how everybody stands, for a report while the match runs.
func (g *game) live() []finalbell.Outcome {
	var report []finalbell.Outcome
	for _, r := range g.runners {
		o := finalbell.Score(r.player, r.coins)
		o.Metrics = map[string]finalbell.Number{tickMetric: finalbell.Int(int64(g.tick)), cellMetric: finalbell.Int(int64(r.cell))}
		report = append(report, o)
	}
	return report
}

// final is the report that ends the match. Who is away is left to the engine: it knows who has ended their session.
func (g *game) final() []finalbell.Outcome {
	var report []finalbell.Outcome
	for _, r := range g.runners {
		if !r.away {
			report = append(report, finalbell.Score(r.player, r.coins))
		}
	}
	return report
}
