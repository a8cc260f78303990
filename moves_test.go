package finalbell

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/schedule"
)

// Those whom an entry has passed are, best first, at most five of those who were above it and are below it now; who is
// first and was not leads. Compared with the whole board before and after, with ties, hidden entries and large matches.
func TestWhomAnEntryHasPassedIsToldByTheBoardsBeforeAndAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := BoardRule{ID: "board", Keys: []Key{{Metric: "score", Order: rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "order")}},
			Ties: rapid.SampledFrom([]BoardTies{ShareRank, FirstRank}).Draw(t, "ties")}.withDefaults()
		b, err := newBoard(rule, 0, newIndex())
		if err != nil {
			t.Fatal(err)
		}
		w := newRanking(b.newPeriod(schedule.Window{ID: allTimeWindow}), "")
		players := rapid.IntRange(1, 40).Draw(t, "players")
		for position := range rapid.IntRange(1, 12).Draw(t, "matches") {
			var match []placed
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, players), 1, 12, rapid.ID[int]).Draw(t, "match") {
				match = append(match, placed{id: "p" + strconv.Itoa(n), entered: rapid.IntRange(0, 9).Draw(t, "entered") > 0, hidden: rapid.IntRange(0, 9).Draw(t, "hidden") == 0,
					values: [][]int64{{rapid.Int64Range(0, 9).Draw(t, "score")}}, changed: moment{position: uint64(position + 1), place: len(match)}})
			}
			before := listing(t, w)
			moves := w.apply(match)
			requireMoves(t, before, listing(t, w), match, moves)
		}
	})
}

// listing is a ranking by position, with ranks.
func listing(t *rapid.T, w *ranking) []line {
	lines, err := locked{w}.run(0, w.tree.Len())
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func requireMoves(t *rapid.T, before, after []line, match []placed, moves []rankMove) {
	index := func(in []line, id string) int { return slices.IndexFunc(in, func(l line) bool { return l.id == id }) }
	first := func(in []line) string {
		if len(in) == 0 {
			return ""
		}
		return in[0].id
	}
	if leads := first(after); leads != "" && leads != first(before) {
		if len(moves) == 0 || moves[0].rank != 0 || moves[0].id != leads || slices.Compact(append(slices.Clone(moves[0].passed), ""))[0] != first(before) {
			t.Fatalf("%s leads after %q, but is told so by %+v", leads, first(before), moves)
		}
		moves = moves[1:]
	}
	last := -1
	for _, m := range moves {
		is, was := index(after, m.id), index(before, m.id)
		if m.rank == 0 || is <= last || m.size != len(after) || (was >= 0) != (m.old > 0) {
			t.Fatalf("%+v: was at %d, is at %d of %d, behind %d", m, was, is, len(after), last)
		}
		last = is
		var passed []string
		for _, l := range after[is+1:] {
			if above := index(before, l.id); was >= 0 && above >= 0 && above < was && len(passed) < mostPassed {
				passed = append(passed, l.id)
			}
		}
		if !slices.Equal(passed, m.passed) {
			t.Fatalf("%s went from %d to %d and passed %v, not %v\n%v\n%v", m.id, was, is, passed, m.passed, before, after)
		}
	}
	listed := slices.DeleteFunc(slices.Clone(match), func(p placed) bool { return index(after, p.id) < 0 })
	if len(listed) != len(moves) {
		t.Fatalf("%d of a match are on the board, %d moved", len(listed), len(moves))
	}
}
