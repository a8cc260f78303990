package sqlite_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/transcript"
)

// keptWindowRules are those of the second schema: beside all of the first, boards of days and of seasons, divided or not,
// one of which has been rebuilt.
func keptWindowRules() finalbell.Rules { return windowRules(finalbell.FoldSum) }

func windowRules(fold finalbell.Fold) finalbell.Rules {
	rules := keptRules()
	rules.Modes = append(rules.Modes, finalbell.Mode{ID: "sprint", Boards: []string{"daily", "cup", "records"}})
	rules.Boards = append(rules.Boards,
		finalbell.BoardRule{ID: "daily", Keys: []finalbell.Key{{Metric: "outcome", Fold: fold, Scale: 1}},
			Window:    finalbell.WindowRule{Every: finalbell.Daily, Zone: "Europe/Berlin", Grace: time.Hour},
			Partition: &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}},
		finalbell.BoardRule{ID: "cup", Keys: []finalbell.Key{{Fold: finalbell.FoldCount}}, Window: finalbell.WindowRule{Every: finalbell.Season}},
		finalbell.BoardRule{ID: "records", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest, Scale: 1}},
			Partition: &finalbell.Partition{Attribute: "track"}},
	)
	return rules
}

// writeWindows adds to a database of the first kind: windows that are open, in their grace, over and written as chunks,
// results that came too late, entries that are hidden, and boards of a second generation.
func writeWindows(t *testing.T, path string) {
	before := windowRules(finalbell.FoldBest)
	writeKept(t, path, before)
	ctx := context.Background()
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC))
	e, err := finalbell.Open(ctx, path, before, finalbell.Options{Now: clock.Now, MustExist: true})
	require.NoError(t, err)
	defer e.Close()
	tick := func() {
		t.Helper()
		_, err := e.Tick(ctx)
		require.NoError(t, err)
	}
	sprints := 0
	sprint := func(at *finalbell.Engine, scores ...string) {
		t.Helper()
		sprints++
		playSprint(t, at, fmt.Sprint("sprint ", sprints), scores...)
		clock.Advance(time.Minute)
	}
	_, err = e.Board("cup").BeginSeason(ctx, "spring \"26\"")
	require.NoError(t, err)
	sprint(e, "ann", "9.5", "çağla", "8", "日本", "7")
	sprint(e, "ann", "1.5", "bob", "8")
	require.NoError(t, e.Board("daily").Partition("DE").Hide(ctx, "bob", "he \\ \"cheats\""))
	require.NoError(t, e.Board("cup").Hide(ctx, "日本", "asked for it"))
	clock.Advance(24 * time.Hour)
	sprint(e, "ann", "2", "bob", "3")
	tick() // the first day is over
	past := e.At(time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC))
	sprint(past, "ann", "50", "eve", "60") // too late for it
	_, err = e.Board("cup").BeginSeason(ctx, "summer")
	require.NoError(t, err)
	sprint(e, "eve", "4", "çağla", "5")
	_, err = e.Rebuild(ctx, keptWindowRules(), finalbell.RebuildOptions{})
	require.NoError(t, err)
	sprint(e, "ann", "2.5", "bob", "3")
	clock.Advance(24 * time.Hour)
	sprint(e, "eve", "1", "ann", "1")
	tick()
	clock.Set(time.Date(2026, 3, 4, 23, 30, 0, 0, time.UTC)) // in the grace of the last day
	sprint(e, "ann", "6", "日本", "6")
	require.NoError(t, e.Close())
}

// playSprint plays one with players and their scores in turn, who come from two countries and from nowhere.
func playSprint(t *testing.T, e *finalbell.Engine, id string, scores ...string) {
	t.Helper()
	ctx := context.Background()
	country := map[string]string{"ann": "DE", "bob": "DE", "çağla": "TR", "eve": ""}
	n := finalbell.NewMatch{ID: id, Mode: "sprint", Attributes: map[string]string{"track": "Spa \"wet\""}}
	var outcomes []finalbell.Outcome
	for i := 0; i < len(scores); i += 2 {
		p := finalbell.Participant{Player: scores[i]}
		if of, there := country[p.Player]; there {
			p.Attributes = map[string]string{"country": of, "car": "\\ 7"}
		}
		n.Players = append(n.Players, p)
		outcomes = append(outcomes, finalbell.Score(p.Player, finalbell.Decimal(scores[i+1])))
	}
	_, err := e.Create(ctx, n)
	require.NoError(t, err)
	_, err = e.Start(ctx, id)
	require.NoError(t, err)
	_, err = e.End(ctx, id, outcomes...)
	require.NoError(t, err)
}

// playWindowsOn closes what is due, after which the late ones are late there, too, and plays in what is open.
func playWindowsOn(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	ctx := context.Background()
	playOn(t, e)
	playSprint(t, e, "before the tick", "ann", "7", "çağla", "1.5")
	_, err := e.Tick(ctx)
	require.NoError(t, err)
	windows, err := e.Board("daily").Windows(ctx)
	require.NoError(t, err)
	for _, w := range windows[:len(windows)-1] {
		require.Equal(t, finalbell.WindowFinal, w.State, w.ID)
	}
	playSprint(t, e.At(time.Date(2026, 3, 4, 20, 0, 0, 0, time.UTC)), "late again", "ann", "70", "bob", "1")
	require.NoError(t, e.Board("daily").Partition("DE").Restore(ctx, "ann", "")) // who is not hidden
	require.ErrorIs(t, e.Board("daily").Window("2026-03-02").Partition("DE").Restore(ctx, "bob", ""), finalbell.ErrClosed)
	require.NoError(t, e.Board("cup").Hide(ctx, "ann", "again"))
	_, err = e.Board("cup").CloseWindow(ctx)
	require.NoError(t, err)
	_, err = e.Board("cup").BeginSeason(ctx, "autumn")
	require.NoError(t, err)
	playSprint(t, e, "in autumn", "ann", "7", "bob", "8")
}

// windowContents is contents with every window and partition that somebody was in. It leaves out what time alone
// changes: whether a window is over.
func windowContents(e *finalbell.Engine) (string, error) {
	ctx := context.Background()
	var out strings.Builder
	line := func(v any, err error) error {
		if err != nil {
			return err
		}
		text, err := transcript.Encode(v)
		fmt.Fprintf(&out, "%s\n", text)
		return err
	}
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
		if err := line(m, err); err != nil {
			return "", err
		}
	}
	for _, rule := range e.Rules().Boards {
		windows, err := e.Board(rule.ID).Windows(ctx)
		if err != nil {
			return "", err
		}
		for _, w := range windows {
			if w.Size == 0 {
				continue // today's
			}
			rankings := []*finalbell.Board{e.Board(rule.ID).Window(w.ID)}
			if rule.Partition != nil {
				partitions, err := rankings[0].Partitions(ctx)
				if err != nil {
					return "", err
				}
				whole := rankings[0]
				rankings = nil
				for _, value := range partitions {
					rankings = append(rankings, whole.Partition(value))
				}
			}
			w.State = ""
			if err := line(w, nil); err != nil {
				return "", err
			}
			for _, b := range rankings {
				page, err := b.Top(ctx, 1000)
				page.State = ""
				if err := line(page, err); err != nil {
					return "", err
				}
			}
		}
	}
	return out.String(), nil
}
