package finalbell_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/memory"
)

// A rebuilt board equals one that was there from the start: its windows, those that are over included, and every rank,
// also after it was opened again, and also for what comes later.
func TestARebuiltBoardEqualsOneThatWasThereFromTheStart(t *testing.T) {
	rebuiltEquals(t, finalbelltest.InMemory)
}

// So it is with a database behind it.
func TestABoardRebuiltInADatabaseEqualsOneThatWasThereFromTheStart(t *testing.T) {
	rebuiltEquals(t, inFiles(t))
}

func rebuiltEquals(t *testing.T, open finalbelltest.Opener) {
	rapid.Check(t, func(t *rapid.T) {
		after, before := drawChange(t)
		begin := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
		clock := finalbelltest.NewClock(begin)
		options := func(o *finalbell.Options) { o.Now = clock.Now }
		always := finalbelltest.NewOn(t, finalbelltest.InMemory, after, options)
		rebuilt := finalbelltest.NewOn(t, open, before, options)
		// As in a replay, all is of the past and nothing is closed before the end. One after the other would depend on
		// when somebody has looked at the board, of which history tells nothing.
		backfill := rapid.IntRange(0, 3).Draw(t, "backfill") == 3
		at := rapid.IntRange(0, 12).Draw(t, "rebuilt after")
		for n := range rapid.IntRange(at, 14).Draw(t, "matches") {
			if n == at {
				rebuild(t, rebuilt, after)
				requireSameBoards(t, after, always.Engine, rebuilt.Engine)
			}
			if backfill {
				playOnBoth(t, after, clock, n, always.Engine.Backfill(), rebuilt.Engine.Backfill())
				continue
			}
			playOnBoth(t, after, clock, n, always.Engine, rebuilt.Engine)
			if rapid.IntRange(0, 5).Draw(t, "reopen") == 5 {
				rebuilt.Reopen(t)
			}
			if rapid.IntRange(0, 3).Draw(t, "tick") == 3 {
				tick(t, always.Engine, rebuilt.Engine)
			}
		}
		if at >= 14 {
			return
		}
		tick(t, always.Engine, rebuilt.Engine)
		rebuild(t, rebuilt, after) // nothing to do, or what was not done yet
		requireSameBoards(t, after, always.Engine, rebuilt.Engine)
		rebuilt.Reopen(t)
		requireSameBoards(t, after, always.Engine, rebuilt.Engine)
		found, err := rebuilt.Engine.Verify(context.Background())
		require.NoError(t, err)
		require.Empty(t, found.Problems)
	})
}

func tick(t *rapid.T, engines ...*finalbell.Engine) {
	for _, e := range engines {
		_, err := e.Tick(context.Background())
		require.NoError(t, err)
	}
}

// rebuild puts rules in force after a dry run that says the same and changes nothing.
func rebuild(t *rapid.T, game *finalbelltest.Game, rules finalbell.Rules) {
	ctx := context.Background()
	head, err := game.Store.Head(ctx)
	require.NoError(t, err)
	told, err := game.Engine.Rebuild(ctx, rules, finalbell.RebuildOptions{DryRun: true})
	require.NoError(t, err)
	same, err := game.Store.Head(ctx)
	require.NoError(t, err)
	require.Equal(t, head, same, "a dry run writes nothing")
	done, err := game.Engine.Rebuild(ctx, rules, finalbell.RebuildOptions{})
	require.NoError(t, err)
	require.Equal(t, text(t, told), text(t, done))
	game.Rules = rules
}

func text(t *rapid.T, v interface{ MarshalJSON() ([]byte, error) }) string {
	out, err := v.MarshalJSON()
	require.NoError(t, err)
	return string(out)
}

// drawChange draws rules, and others that lack some of their boards, or have them with other keys where no window is
// ever over.
func drawChange(t *rapid.T) (after, before finalbell.Rules) {
	after = finalbelltest.Rules().Draw(t, "rules")
	before = finalbell.Rules{Modes: slices.Clone(after.Modes)}
	for i, b := range after.Boards {
		b.Window, b.Partition = drawWindow(t), drawPartition(t, b)
		after.Boards[i] = b
		switch rapid.SampledFrom([]string{"new", "changed", "same"}).Draw(t, "board") {
		case "new":
			for i, m := range before.Modes {
				before.Modes[i].Boards = slices.DeleteFunc(slices.Clone(m.Boards), func(id string) bool { return id == b.ID })
			}
			continue
		case "changed":
			if b.Window.Every == "" {
				b.Keys = []finalbell.Key{{Fold: finalbell.FoldCount}}
				b.Ties = finalbell.FirstRank
			}
		}
		before.Boards = append(before.Boards, b)
	}
	return after, before
}

func drawWindow(t *rapid.T) finalbell.WindowRule {
	w := finalbell.WindowRule{Every: rapid.SampledFrom([]finalbell.Every{"", finalbell.Daily, finalbell.Weekly}).Draw(t, "every")}
	if w.Every != "" {
		w.Zone = rapid.SampledFrom([]string{"", "Europe/Berlin", "Australia/Sydney"}).Draw(t, "zone")
		w.Grace = rapid.SampledFrom([]time.Duration{0, 2 * time.Hour, 30 * time.Hour}).Draw(t, "grace")
		w.By = rapid.SampledFrom([]finalbell.Attribution{"", finalbell.ByStart}).Draw(t, "by")
	}
	return w
}

func drawPartition(t *rapid.T, b finalbell.BoardRule) *finalbell.Partition {
	switch rapid.IntRange(0, 3).Draw(t, "partition") {
	case 3:
		if b.Of != finalbell.OfTeams {
			return &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}
		}
	case 2:
		return &finalbell.Partition{Attribute: "server"}
	}
	return nil
}

// playOnBoth plays the same match on several engines, hours after the one before, perhaps as of some time ago, and
// perhaps hides somebody.
func playOnBoth(t *rapid.T, rules finalbell.Rules, clock *finalbelltest.Clock, number int, engines ...*finalbell.Engine) {
	ctx := context.Background()
	clock.Advance(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
	n := finalbelltest.NewMatch(rules).Draw(t, "match")
	n.ID = "m" + strconv.Itoa(number)
	if server := rapid.SampledFrom([]string{"", "eu", "us"}).Draw(t, "server"); server != "" {
		n.Attributes = map[string]string{"server": server}
	}
	for i := range n.Players {
		if country := rapid.SampledFrom([]string{"", "fr", "de"}).Draw(t, "country"); country != "" {
			n.Players[i].Attributes = map[string]string{"country": country}
		}
	}
	mode := rules.Modes[slices.IndexFunc(rules.Modes, func(m finalbell.Mode) bool { return m.ID == n.Mode })]
	outcomes := finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes")
	begun := clock.Now().Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "hours ago")) * time.Hour)
	ended := begun.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "hours long")) * time.Hour)
	if ended.After(clock.Now()) {
		ended = begun
	}
	var errs []error
	for _, e := range engines {
		_, err := e.At(begun).Create(ctx, n)
		if err == nil {
			_, err = e.At(begun).Start(ctx, n.ID)
		}
		if err == nil {
			_, err = e.At(ended).End(ctx, n.ID, outcomes...)
		}
		errs = append(errs, err)
	}
	require.Equal(t, finalbelltest.KindOf(errs[0]), finalbelltest.KindOf(errs[1]), "%v, %v", errs[0], errs[1])
}

// requireSameBoards holds every window of two engines against each other.
func requireSameBoards(t *rapid.T, rules finalbell.Rules, want, got *finalbell.Engine) {
	ctx := context.Background()
	for _, rule := range rules.Boards {
		windows, err := want.Board(rule.ID).Windows(ctx)
		require.NoError(t, err)
		same, err := got.Board(rule.ID).Windows(ctx)
		require.NoError(t, err)
		require.Equal(t, windows, same, "board %s", rule.ID)
		for _, w := range windows {
			partitions := []string{""}
			if rule.Partition != nil {
				partitions, err = want.Board(rule.ID).Window(w.ID).Partitions(ctx)
				require.NoError(t, err)
				others, err := got.Board(rule.ID).Window(w.ID).Partitions(ctx)
				require.NoError(t, err)
				require.Equal(t, partitions, others)
			}
			for _, partition := range partitions {
				a, err := want.Board(rule.ID).Window(w.ID).Partition(partition).Top(ctx, 1000)
				require.NoError(t, err)
				b, err := got.Board(rule.ID).Window(w.ID).Partition(partition).Top(ctx, 1000)
				require.NoError(t, err)
				a.Position, b.Position = 0, 0
				require.Equal(t, a, b)
			}
		}
	}
}

// Reads and writes go on while boards are rebuilt, and what is written meanwhile is on the rebuilt boards.
func TestCallsGoOnDuringARebuild(t *testing.T) {
	ctx := context.Background()
	keys := func(metric string) []finalbell.BoardRule {
		return []finalbell.BoardRule{{ID: "ladder", Keys: []finalbell.Key{{Metric: metric}}}, {ID: "daily", Keys: []finalbell.Key{{Metric: "wins"}}, Window: finalbell.WindowRule{Every: finalbell.Daily}}}
	}
	modes := []finalbell.Mode{{ID: "duel", AutoStart: true, Points: &finalbell.Points{Win: finalbell.Int(3)}, Boards: []string{"ladder", "daily"}}}
	e, err := finalbell.New(ctx, memory.New(), finalbell.Rules{Modes: modes, Boards: keys("wins")}, finalbell.Options{})
	require.NoError(t, err)
	defer e.Close()
	duel := func(id string) error {
		_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob-"+id)})
		if err == nil {
			_, err = e.End(ctx, id, finalbell.Score("ann", 2), finalbell.Score("bob-"+id, 1))
		}
		return err
	}
	for n := range 3000 {
		require.NoError(t, duel(fmt.Sprint("m", n)))
	}
	stop := make(chan struct{})
	var calls sync.WaitGroup
	errs := make([]error, 3)
	played := make([]int, 2)
	for i := range 2 {
		calls.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if errs[i] = duel(fmt.Sprint("w", i, "-", played[i])); errs[i] != nil {
					return
				}
				played[i]++
			}
		})
	}
	calls.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, errs[2] = e.Board("ladder").Rank(ctx, "ann"); errs[2] != nil {
				return
			}
		}
	})
	for _, metric := range []string{"outcome", "points", "outcome"} {
		_, err := e.Rebuild(ctx, finalbell.Rules{Modes: modes, Boards: keys(metric)}, finalbell.RebuildOptions{})
		require.NoError(t, err)
	}
	close(stop)
	calls.Wait()
	require.NoError(t, errors.Join(errs...))
	p, err := e.Board("ladder").Rank(ctx, "ann")
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(2*(3000+played[0]+played[1])), p.Values[0].Number.String())
	found, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}
