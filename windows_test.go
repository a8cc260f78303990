package finalbell_test

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
)

// The sentences about boards and time, each by its name. That everything together is as a model has it is the
// machines' matter.

// league is a mode that feeds boards of these periods, each the sum of outcomes.
func league(windows ...finalbell.WindowRule) finalbell.Rules {
	mode := finalbell.Mode{ID: "match", AutoStart: true}
	var rules finalbell.Rules
	for i, w := range windows {
		id := "board-" + strconv.Itoa(i+1)
		mode.Boards = append(mode.Boards, id)
		rules.Boards = append(rules.Boards, finalbell.BoardRule{ID: id, Window: w, Keys: []finalbell.Key{{Metric: "outcome"}}})
	}
	rules.Modes = []finalbell.Mode{mode}
	return rules
}

// drawCalendar draws the period of a board that the calendar ends.
func drawCalendar(t *rapid.T) finalbell.WindowRule {
	return finalbell.WindowRule{
		Every: rapid.SampledFrom([]finalbell.Every{finalbell.Daily, finalbell.Weekly, finalbell.Monthly}).Draw(t, "every"),
		Zone:  rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Tokyo"}).Draw(t, "zone"),
		Grace: time.Duration(rapid.IntRange(0, 50).Draw(t, "grace")) * time.Hour,
		By:    rapid.SampledFrom([]finalbell.Attribution{finalbell.ByEnd, finalbell.ByStart}).Draw(t, "by"),
	}
}

// lasted plays a match of these players with one point each that lasted from one time to another.
func lasted(t require.TestingT, e *finalbell.Engine, from, to time.Time, players ...string) finalbell.Match {
	ctx := context.Background()
	m, err := e.At(from).Create(ctx, finalbell.NewMatch{Mode: "match", Players: finalbell.Players(players...)})
	require.NoError(t, err)
	_, err = e.At(from).Start(ctx, m.ID)
	require.NoError(t, err)
	outcomes := make([]finalbell.Outcome, len(players))
	for i, player := range players {
		outcomes[i] = finalbell.Score(player, 1)
	}
	m, err = e.At(to).End(ctx, m.ID, outcomes...)
	require.NoError(t, err)
	return m
}

// playedAt is lasted for a match that was over at once.
func playedAt(t require.TestingT, e *finalbell.Engine, at time.Time, players ...string) finalbell.Match {
	return lasted(t, e, at, at, players...)
}

// openWindow is the window of the board that is open, as the engine lists it.
func openWindow(t require.TestingT, b *finalbell.Board) finalbell.Window {
	all, err := b.Windows(context.Background())
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(w finalbell.Window) bool { return w.State == finalbell.WindowOpen })
	require.GreaterOrEqual(t, i, 0, "none of %v is open", all)
	return all[i]
}

// points are the players of a window with their points, best first.
func points(t require.TestingT, b *finalbell.Board, window string) []string {
	page, err := b.Window(window).Top(context.Background(), 1000)
	require.NoError(t, err)
	all := []string{}
	for _, e := range page.Entries {
		all = append(all, fmt.Sprint(e.Player, " ", e.Values[0].Number))
	}
	return all
}

func TestOneResultFeedsEveryBoardThatItsModeNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		windows := make([]finalbell.WindowRule, rapid.IntRange(1, 6).Draw(t, "boards"))
		for i := range windows {
			if i > 0 {
				windows[i] = drawCalendar(t)
			}
		}
		rules := league(windows...)
		rules.Modes = append(rules.Modes, finalbell.Mode{ID: "friendly"})
		game := finalbelltest.New(t, rules)
		m := playedAt(t, game.Engine, game.Clock.Now(), "ann", "bob")
		for _, s := range m.Standings {
			var fed []string
			for _, move := range s.Boards {
				require.Equal(t, 1, move.Rank)
				fed = append(fed, move.Board)
			}
			require.Equal(t, rules.Modes[0].Boards, fed)
		}
		for _, rule := range rules.Boards {
			b := game.Engine.Board(rule.ID)
			require.Equal(t, []string{"ann 1", "bob 1"}, points(t, b, openWindow(t, b).ID))
		}
	})
}

func TestAMatchBelongsToTheWindowOfItsEndOrIfTheBoardSaysSoOfItsStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawCalendar(t)
		rule.Grace = 40 * 24 * time.Hour // both windows still count
		game := finalbelltest.New(t, league(rule))
		b := game.Engine.Board("board-1")
		first := openWindow(t, b)
		start := game.Clock.Now()
		end := first.End.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "seconds after the boundary")) * time.Second)
		game.Clock.Set(end)
		second := openWindow(t, b)
		want := second.ID
		if rule.By == finalbell.ByStart {
			want = first.ID
		}
		m := lasted(t, game.Engine, start, end, "ann")
		require.Equal(t, want, m.Standings[0].Boards[0].Window)
		require.Equal(t, []string{"ann 1"}, points(t, b, want))
	})
}

func TestTheInstantOfABoundaryBelongsToTheWindowThatBeginsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawCalendar(t)
		game := finalbelltest.New(t, league(rule))
		b := game.Engine.Board("board-1")
		first := openWindow(t, b)
		game.Clock.Set(first.End.Add(-time.Millisecond))
		require.Equal(t, first, openWindow(t, b))
		require.Equal(t, first.ID, playedAt(t, game.Engine, game.Clock.Now(), "ann").Standings[0].Boards[0].Window)
		game.Clock.Set(first.End)
		second := openWindow(t, b)
		require.Equal(t, first.End, second.Start)
		require.Equal(t, second.ID, playedAt(t, game.Engine, game.Clock.Now(), "ann").Standings[0].Boards[0].Window)
	})
}

func TestInGraceALateResultStillCountsInTheOldWindowAndNotAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawCalendar(t)
		rule.Grace += time.Minute
		game := finalbelltest.New(t, league(rule))
		b := game.Engine.Board("board-1")
		at := game.Clock.Now()
		first := openWindow(t, b)
		game.Clock.Set(first.End.Add(rule.Grace - time.Millisecond))
		move := playedAt(t, game.Engine, at, "ann").Standings[0].Boards[0]
		require.Equal(t, first.ID, move.Window)
		require.False(t, move.Late)
		game.Clock.Set(first.End.Add(rule.Grace))
		move = playedAt(t, game.Engine, at, "ann", "bob").Standings[0].Boards[0]
		require.Equal(t, finalbell.BoardMove{Board: "board-1", Window: first.ID, Late: true}, shownMove(move))
		require.Equal(t, []string{"ann 1"}, points(t, b, first.ID), "a final window does not change")
	})
}

// shownMove is what a caller sees of a move.
func shownMove(m finalbell.BoardMove) finalbell.BoardMove {
	return finalbell.BoardMove{Board: m.Board, Window: m.Window, Partition: m.Partition, Late: m.Late, OldRank: m.OldRank, Rank: m.Rank, Size: m.Size, Passed: m.Passed, Values: m.Values}
}

// What came too late is in history, and stays there.
func TestALateResultIsInHistoryAndOnNoBoard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawCalendar(t)
		game := finalbelltest.New(t, league(rule))
		b := game.Engine.Board("board-1")
		at, first := game.Clock.Now(), openWindow(t, b)
		onTime := rapid.Bool().Draw(t, "somebody was in time")
		if onTime {
			playedAt(t, game.Engine, at, "bob")
		}
		game.Clock.Set(first.End.Add(rule.Grace))
		late := playedAt(t, game.Engine, at, "ann", "bob")
		if rapid.Bool().Draw(t, "reopened") {
			game.Reopen(t)
		}
		stored, err := game.Engine.Match(context.Background(), late.ID)
		require.NoError(t, err)
		for _, s := range stored.Standings {
			require.Equal(t, 1, s.Rank)
			require.True(t, s.Boards[0].Late)
		}
		want := []string{}
		if onTime {
			want = []string{"bob 1"}
		}
		require.Equal(t, want, points(t, game.Engine.Board("board-1"), first.ID))
		found, err := game.Engine.Verify(context.Background())
		require.NoError(t, err)
		require.Empty(t, found.Problems)
	})
}

// closings are the windows that the store's events tell to be closed, in order, each with its time.
func closings(t require.TestingT, s store.Store) []string {
	var all []string
	for event, err := range s.Events(context.Background(), 0) {
		require.NoError(t, err)
		if event.Kind == "window_closed" {
			all = append(all, event.ID+" "+event.At.Format(time.RFC3339))
		}
	}
	return all
}

// Windows that became due while nobody was there are closed when somebody is, each once, in order of their due times
// and as of them.
func TestWindowsDueWhileTheProcessWasDownAreClosedOnceInOrderAndStampedWithTheirDueTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule, other := drawCalendar(t), drawCalendar(t)
		rule.Every, rule.By = finalbell.Daily, finalbell.ByEnd
		other.Grace = rule.Grace
		game := finalbelltest.New(t, league(rule, other))
		days := rapid.IntRange(1, 5).Draw(t, "days")
		e := game.Engine.Backfill() // the windows are over, and none is closed
		start := game.Clock.Now()
		game.Clock.Advance(120 * 24 * time.Hour)
		var want []finalbell.Done
		for day := range days {
			at := start.AddDate(0, 0, day)
			for _, move := range playedAt(t, e, at, "ann").Standings[0].Boards {
				of := rule
				if move.Board != "board-1" {
					of = other
				}
				end := openAt(t, of, at).End
				want = append(want, finalbell.Done{Kind: "close", ID: move.Board + "/" + move.Window, Due: end.Add(of.Grace)})
			}
		}
		require.Empty(t, closings(t, game.Store))
		game.Reopen(t)
		slices.SortFunc(want, func(a, b finalbell.Done) int { return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID)) })
		want = slices.Compact(want)
		done, err := game.Engine.Tick(context.Background())
		require.NoError(t, err)
		require.Equal(t, want, done)
		var stamped []string
		for _, d := range want {
			stamped = append(stamped, d.ID+" "+d.Due.Format(time.RFC3339))
		}
		require.Equal(t, stamped, closings(t, game.Store))
		game.Reopen(t)
		done, err = game.Engine.Tick(context.Background())
		require.NoError(t, err)
		require.Empty(t, done)
		require.Equal(t, stamped, closings(t, game.Store), "exactly once")
	})
}

// openAt is the window of a rule that holds a time, as an engine says that stands there.
func openAt(t *rapid.T, rule finalbell.WindowRule, at time.Time) finalbell.Window {
	game := finalbelltest.New(t, league(rule))
	game.Clock.Set(at)
	return openWindow(t, game.Engine.Board("board-1"))
}

// Ends race a close: each counts in the window or comes too late, and the window has what counted, no more and no less.
func TestAnEndThatLosesAgainstACloseDecidesAgain(t *testing.T) {
	ctx := t.Context()
	for range 20 {
		game := finalbelltest.New(t, league(finalbell.WindowRule{Every: finalbell.Daily}, finalbell.WindowRule{}))
		today := game.Engine.Board("board-1").Window("2026-03-02")
		const matches = 40
		for i := range matches {
			_, err := game.Engine.Create(ctx, finalbell.NewMatch{ID: strconv.Itoa(i), Mode: "match", Players: finalbell.Players("p" + strconv.Itoa(i%7))})
			require.NoError(t, err)
		}
		var all sync.WaitGroup
		var lock sync.Mutex
		counted, late := 0, 0
		for i := range matches {
			all.Go(func() {
				m, err := game.Engine.End(ctx, strconv.Itoa(i), finalbell.Score("p"+strconv.Itoa(i%7), 1))
				lock.Lock()
				defer lock.Unlock()
				switch {
				case err != nil:
					t.Errorf("end: %v", err)
				case m.Standings[0].Boards[0].Late:
					late++
				default:
					counted++
				}
			})
			if i == matches/2 {
				all.Go(func() {
					runtime.Gosched() // some of the ends shall be on their way
					if _, err := today.CloseWindow(ctx); err != nil {
						t.Errorf("close: %v", err)
					}
				})
			}
		}
		all.Wait()
		require.Equal(t, matches, counted+late)
		sum := 0
		page, err := today.Top(ctx, 0)
		require.NoError(t, err)
		require.Equal(t, finalbell.WindowFinal, page.State)
		for _, e := range page.Entries {
			n, err := strconv.Atoi(e.Values[0].Number.String())
			require.NoError(t, err)
			sum += n
		}
		require.Equal(t, counted, sum)
		found, err := game.Engine.Verify(ctx)
		require.NoError(t, err)
		require.Empty(t, found.Problems)
		game.Reopen(t)
		_, err = game.Engine.Tick(ctx)
		require.NoError(t, err)
		again, err := game.Engine.Board("board-1").Window("2026-03-02").Top(ctx, 0)
		require.NoError(t, err)
		require.Equal(t, page.Entries, again.Entries)
	}
}
