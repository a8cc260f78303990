package finalbell_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// The promise of a cursor: whatever is written between its pages, whoever does not move comes by once, also when the
// window goes final in the middle and leaves the memory.
func TestAWalkDuringWritesShowsEveryUntouchedPlayerExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		rules := league(finalbell.WindowRule{Every: finalbell.Daily, Grace: time.Hour})
		rules.Boards[0].Ties = rapid.SampledFrom([]finalbell.BoardTies{finalbell.ShareRank, finalbell.FirstRank}).Draw(t, "ties")
		w := &walking{Game: finalbelltest.New(t, rules), still: make(map[string]bool)}
		for i := range rapid.IntRange(0, 40).Draw(t, "players") {
			w.players = append(w.players, "p"+strconv.Itoa(i))
			w.still[w.players[i]] = true
		}
		if len(w.players) > 0 {
			w.play(t, w.players...)
		}
		seen := make(map[string]int)
		for cursor := finalbell.CursorStart; cursor != ""; {
			page, err := w.Engine.Board("board-1").After(ctx, cursor, rapid.IntRange(1, 9).Draw(t, "limit"))
			require.NoError(t, err)
			require.Equal(t, "2026-03-02", page.Window)
			for _, e := range page.Entries {
				seen[e.Player]++
				placing, err := w.Engine.Board("board-1").Window(page.Window).Rank(ctx, e.Player)
				require.NoError(t, err)
				require.Equal(t, []int{placing.Rank, placing.Position}, []int{e.Rank, e.Position}, "the rank of that instant")
			}
			for range rapid.IntRange(0, 2).Draw(t, "writes") {
				w.write(t)
			}
			cursor = page.Next
		}
		for _, player := range slices.Sorted(maps.Keys(w.still)) {
			require.Equal(t, 1, seen[player], "%s, whom nothing touched", player)
		}
	})
}

// walking is a game during a walk.
type walking struct {
	*finalbelltest.Game
	players []string
	still   map[string]bool // whom nothing has touched
	matches int
}

// write does something between two pages.
func (w *walking) write(t *rapid.T) {
	ctx := context.Background()
	b := w.Engine.Board("board-1").Window("2026-03-02")
	someone := rapid.SampledFrom(append([]string{"nobody"}, w.players...)).Draw(t, "player")
	switch rapid.SampledFrom([]string{"play", "play", "enter", "hide", "restore", "end of the window", "reopen"}).Draw(t, "write") {
	case "play":
		w.touch(someone)
		w.play(t, someone)
	case "enter":
		w.matches++
		w.play(t, "new"+strconv.Itoa(w.matches))
	case "hide":
		w.touch(someone)
		_ = b.Hide(ctx, someone, "looks strange") // perhaps there is none, or the window is over
	case "restore":
		w.touch(someone)
		_ = b.Restore(ctx, someone, "")
	case "end of the window":
		w.Clock.Advance(time.Duration(rapid.IntRange(1, 24).Draw(t, "hours")) * time.Hour)
		if rapid.Bool().Draw(t, "tick") { // which takes the window out of memory
			_, err := w.Engine.Tick(ctx)
			require.NoError(t, err)
		}
	case "reopen":
		w.Reopen(t)
	}
}

func (w *walking) touch(player string) { delete(w.still, player) }

// play gives everybody one of a few scores, so that many are equal.
func (w *walking) play(t *rapid.T, players ...string) {
	ctx := context.Background()
	m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "match", Players: finalbell.Players(players...)})
	require.NoError(t, err)
	var outcomes []finalbell.Outcome
	for _, player := range players {
		outcomes = append(outcomes, finalbell.Score(player, rapid.IntRange(-1, 3).Draw(t, "score")))
	}
	_, err = w.Engine.End(ctx, m.ID, outcomes...)
	require.NoError(t, err)
}
