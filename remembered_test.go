package finalbell

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever was written or read last is remembered, as many as there is room for and no more.
func TestTheFactsOfTheLastPlayersAreRemembered(t *testing.T) {
	r := newRemembered()
	name := func(i int) string { return strconv.Itoa(i) }
	for i := range 5 * rememberedFacts {
		r.note([]playerFacts{{player: name(i), version: uint64(i)}}, 7)
		_, there := r.get(name(i / 2 * 2)) // every other one is read again and again
		require.True(t, there)
		require.LessOrEqual(t, len(r.young)+len(r.old), 2*rememberedFacts)
	}
	last := 5*rememberedFacts - 1
	for i := range rememberedFacts {
		f, there := r.get(name(last - i))
		require.True(t, there)
		require.EqualValues(t, last-i+1, f.version, "as the commit left it")
	}
	_, there := r.get(name(0))
	require.False(t, there)
	r.clear()
	_, there = r.get(name(last))
	require.False(t, there)
}

// What is remembered has the position of its commit, and is nobody's to change.
func TestRememberedFactsAreAsTheyAreStored(t *testing.T) {
	r := newRemembered()
	f := facts{Markers: map[string]int64{"xp": 1}, Items: map[string]int64{"cup": 1}, Last: moment{at: 1, position: unplaced}, Stats: &statistics{last: moment{at: 1, position: unplaced}}}
	r.note([]playerFacts{{player: "ann", version: 1, facts: f}}, 7)
	for range 2 {
		got, there := r.get("ann")
		require.True(t, there)
		require.Equal(t, string(f.encode(7)), string(got.facts.encode(9)))
		mine := got.facts.apart()
		set(&mine.Markers, "xp", 5)
		set(&mine.Items, "cup", 0)
	}
	require.EqualValues(t, uint64(unplaced), f.Stats.last.position, "the decision's own is another one")
}
