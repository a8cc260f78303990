package finalbell_test

import (
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// hostile is a store in memory in which somebody has changed a record.
type hostile struct {
	*memory.Store
	match func(m *store.Match)
	entry func(e *store.Entry)
	event func(e *store.Event)
}

func (h *hostile) Match(ctx context.Context, id string) (store.Match, error) {
	m, err := h.Store.Match(ctx, id)
	m.Participants = slices.Clone(m.Participants)
	h.match(&m)
	return m, err
}

func changed[T any](seq iter.Seq2[T, error], change func(*T)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for r, err := range seq {
			change(&r)
			if !yield(r, err) {
				return
			}
		}
	}
}

func (h *hostile) Matches(ctx context.Context, q store.MatchQuery) iter.Seq2[store.Match, error] {
	return changed(h.Store.Matches(ctx, q), func(m *store.Match) {
		m.Participants = slices.Clone(m.Participants)
		h.match(m)
	})
}

func (h *hostile) Entries(ctx context.Context, q store.EntryQuery) iter.Seq2[store.Entry, error] {
	return changed(h.Store.Entries(ctx, q), h.entry)
}

func (h *hostile) Events(ctx context.Context, after uint64) iter.Seq2[store.Event, error] {
	return changed(h.Store.Events(ctx, after), h.event)
}

// drawHostile draws one change, to the same record however it is read.
func drawHostile(t *rapid.T, data *memory.Store, matches []store.Match) *hostile {
	h := &hostile{Store: data, match: func(*store.Match) {}, entry: func(*store.Entry) {}, event: func(*store.Event) {}}
	number := rapid.SampledFrom([]int{-1, 0, 1, 2, 5, 64, 65, 1 << 40, math.MaxInt, math.MinInt}).Draw(t, "number")
	text := rapid.SampledFrom([]string{"", "ann", "nobody", "red", "\xff", "a\x00b"}).Draw(t, "text")
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
	victim := rapid.SampledFrom(matches).Draw(t, "match")
	seat := rapid.IntRange(0, len(victim.Participants)-1).Draw(t, "seat")
	ofSeat := func(change func(p *store.Participant)) {
		h.match = func(m *store.Match) {
			if m.ID == victim.ID && seat < len(m.Participants) {
				change(&m.Participants[seat])
			}
		}
	}
	ofMatch := func(change func(m *store.Match)) {
		h.match = func(m *store.Match) {
			if m.ID == victim.ID {
				change(m)
			}
		}
	}
	ofEntry := func(change func(e *store.Entry)) {
		h.entry = func(e *store.Entry) {
			if e.ID == victim.Participants[seat].Player || e.ID == victim.Participants[seat].Team {
				change(e)
			}
		}
	}
	broken := store.Number{Units: int64(number), Scale: rapid.Uint8().Draw(t, "scale"), Known: rapid.Bool().Draw(t, "known")}
	changes := map[string]func(){
		"rank":     func() { ofSeat(func(p *store.Participant) { p.Rank = number }) },
		"position": func() { ofSeat(func(p *store.Participant) { p.Position = number }) },
		"reported": func() { ofSeat(func(p *store.Participant) { p.Reported = number }) },
		"status":   func() { ofSeat(func(p *store.Participant) { p.Status = text }) },
		"result":   func() { ofSeat(func(p *store.Participant) { p.Result = text }) },
		"player":   func() { ofSeat(func(p *store.Participant) { p.Player = text }) },
		"team":     func() { ofSeat(func(p *store.Participant) { p.Team = text }) },
		"outcome":  func() { ofSeat(func(p *store.Participant) { p.Outcome = broken }) },
		"metric": func() {
			ofSeat(func(p *store.Participant) { p.Metrics = []store.Metric{{Name: "kills", Value: broken}} })
		},
		"board values": func() { ofSeat(func(p *store.Participant) { p.Boards = drawBoardValues(t, p.Boards, int64(number)) }) },
		"roster":       func() { ofMatch(func(m *store.Match) { m.Roster = number }) },
		"nobody":       func() { ofMatch(func(m *store.Match) { m.Participants = nil }) },
		"fewer":        func() { ofMatch(func(m *store.Match) { m.Participants = m.Participants[:len(m.Participants)-1] }) },
		"state": func() {
			ofMatch(func(m *store.Match) {
				m.State = rapid.SampledFrom([]string{"ended", "started", "created", text}).Draw(t, "state")
			})
		},
		"no contest":     func() { ofMatch(func(m *store.Match) { m.NoContest = !m.NoContest }) },
		"mode":           func() { ofMatch(func(m *store.Match) { m.Mode = text }) },
		"round":          func() { ofMatch(func(m *store.Match) { m.Round = text }) },
		"match position": func() { ofMatch(func(m *store.Match) { m.Position = uint64(number) }) },
		"version":        func() { ofMatch(func(m *store.Match) { m.Version = uint64(number) }) },
		"ended at":       func() { ofMatch(func(m *store.Match) { m.EndedAt = time.UnixMilli(int64(number)) }) },
		"deadline":       func() { ofMatch(func(m *store.Match) { m.Deadline = time.UnixMilli(int64(number)) }) },
		"team outcome":   func() { ofMatch(func(m *store.Match) { m.Teams = []store.TeamOutcome{{Team: text, Outcome: broken}} }) },
		"moves": func() {
			ofMatch(func(m *store.Match) {
				m.Moves = []store.Move{{WindowKey: store.WindowKey{Board: "b0"}, ID: text, Old: number, New: number}}
			})
		},
		"entry values": func() { ofEntry(func(e *store.Entry) { e.Values = drawValues(t, e.Values, int64(number)) }) },
		"entry sort":   func() { ofEntry(func(e *store.Entry) { e.Sort = bytes }) },
		"entry state":  func() { ofEntry(func(e *store.Entry) { e.State = bytes }) },
		"entered":      func() { ofEntry(func(e *store.Entry) { e.Entered = !e.Entered }) },
		"entry moment": func() {
			ofEntry(func(e *store.Entry) { e.Changed = store.Moment{Position: uint64(number), Place: number} })
		},
		"entry id":        func() { ofEntry(func(e *store.Entry) { e.ID = text }) },
		"event position":  func() { h.event = func(e *store.Event) { e.Position += uint64(number) } },
		"event of others": func() { h.event = func(e *store.Event) { e.ID = text } },
		"event kind":      func() { h.event = func(e *store.Event) { e.Kind = "ended" } },
	}
	changes[rapid.SampledFrom(slices.Sorted(maps.Keys(changes))).Draw(t, "change")]()
	return h
}

func drawValues(t *rapid.T, values [][]int64, number int64) [][]int64 {
	switch rapid.SampledFrom([]string{"one", "none", "empty", "longer", "shorter"}).Draw(t, "values") {
	case "one":
		return [][]int64{{number}}
	case "none":
		return nil
	case "empty":
		return make([][]int64, len(values))
	case "shorter":
		return values[:max(0, len(values)-1)]
	}
	longer := slices.Clone(values)
	for i := range longer {
		longer[i] = append(slices.Clone(longer[i]), number, number)
	}
	return longer
}

func drawBoardValues(t *rapid.T, boards []store.BoardValues, number int64) []store.BoardValues {
	boards = slices.Clone(boards)
	for i := range boards {
		boards[i].Values = drawValues(t, boards[i].Values, number)
	}
	return boards
}

// Whatever somebody has written into the store, an engine on it refuses, reports or goes on, and never panics.
func TestNoStoredValueMakesAnEnginePanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := finalbelltest.Rules().Draw(t, "rules")
		game := finalbelltest.New(t, rules)
		ctx := context.Background()
		type done struct {
			n        finalbell.NewMatch
			outcomes []finalbell.Outcome
		}
		var played []done
		play := func(e *finalbell.Engine, n finalbell.NewMatch, outcomes []finalbell.Outcome) {
			// What an engine answers on such a store does not matter.
			m, err := e.Create(ctx, n)
			if err != nil {
				return
			}
			_, _ = e.Start(ctx, m.ID)
			_, _ = e.Report(ctx, m.ID, outcomes...)
			_, _ = e.End(ctx, m.ID, outcomes...)
		}
		season := rapid.IntRange(1, 5).Draw(t, "matches")
		for i := range season {
			n := finalbelltest.NewMatch(rules).Draw(t, "match")
			n.ID = string(rune('a' + i))
			mode := rules.Modes[slices.IndexFunc(rules.Modes, func(m finalbell.Mode) bool { return m.ID == n.Mode })]
			outcomes := finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes")
			if rapid.IntRange(0, 5).Draw(t, "left running") > 0 {
				play(game.Engine, n, outcomes)
			} else {
				_, _ = game.Engine.Create(ctx, n)
			}
			game.Clock.Advance(time.Second)
			played = append(played, done{n, outcomes})
		}
		require.NoError(t, game.Engine.Close())
		data := game.Store.(*memory.Store).Reopen()
		var matches []store.Match
		for m, err := range data.Matches(ctx, store.MatchQuery{}) {
			require.NoError(t, err)
			matches = append(matches, m)
		}
		if len(matches) == 0 {
			return
		}
		e, err := finalbell.New(ctx, drawHostile(t, data, matches), rules, finalbell.Options{Now: game.Clock.Now})
		if err != nil {
			return
		}
		defer e.Close()
		for range e.Matches(ctx, finalbell.MatchFilter{}) {
		}
		for _, b := range rules.Boards {
			page, _ := e.Board(b.ID).Top(ctx, 100)
			for _, entry := range page.Entries {
				_, _ = e.Board(b.ID).Around(ctx, entry.Player, 2)
				_, _ = e.Board(b.ID).Rank(ctx, entry.Player)
			}
		}
		_, _ = e.Verify(ctx)
		_, _ = e.Tick(ctx)
		for _, again := range played {
			play(e, again.n, again.outcomes)
			again.n.Players = append(slices.Clone(again.n.Players), finalbell.Participant{Player: "zoe", Team: "red"})
			play(e, again.n, again.outcomes)
			again.n.ID += " again"
			play(e, again.n, again.outcomes)
			again.n.ID += " late"
			play(e.At(game.Clock.Now().Add(-time.Duration(season)*time.Second+time.Millisecond)), again.n, again.outcomes)
		}
		_, _ = e.Verify(ctx)
	})
}

// A rank of 0 in an ended match was once taken for a place to count at.
func TestAMatchThatNoEngineWroteIsReportedAndNotServed(t *testing.T) {
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "race", Boards: []string{"places"}}},
		Boards: []finalbell.BoardRule{{ID: "places", Keys: []finalbell.Key{{Fold: finalbell.FoldCountback, Modes: []string{"race"}}}}},
	}
	ctx := t.Context()
	for says, change := range map[string]func(m *store.Match){
		`"bob" has rank 0, position 2, reported rank 0`:  func(m *store.Match) { m.Participants[1].Rank = 0 },
		`"bob" has rank 2, position -2, reported rank 0`: func(m *store.Match) { m.Participants[1].Position = -2 },
		`3 of its 2 players were there at create`:        func(m *store.Match) { m.Roster = 3 },
		`it is "endad"`: func(m *store.Match) { m.State = "endad" },
		`"bob" has status "finisied", result "loss"`:   func(m *store.Match) { m.Participants[1].Status = "finisied" },
		`"bob" has status "finished", result "lost"`:   func(m *store.Match) { m.Participants[1].Result = "lost" },
		`"bob" has an outcome of 1 units at scale 200`: func(m *store.Match) { m.Participants[1].Outcome.Scale = 200 },
		`"bob" has "kills" of -9223372036854775808 units at s`: func(m *store.Match) {
			m.Participants[1].Metrics = []store.Metric{{Name: "kills", Value: store.Number{Units: math.MinInt64, Known: true}}}
		},
		`"bob" counts -1 matches`: func(m *store.Match) { m.Participants[1].Counted = -1 },
		`"bob" counts 1 matches, has a best outcome of 0 units at scale 0 and is gone by "dnf"`: func(m *store.Match) { m.Participants[1].Gone = "dnf" },
		`"bob" counts 1 matches, has a best outcome of 0 units at scale 99`: func(m *store.Match) {
			m.Participants[1].Best = store.Number{Scale: 99, Known: true}
			m.Participants[1].Counted = 1
		},
		`team "red" has an outcome of 1 units at scale 10`: func(m *store.Match) {
			m.Teams = []store.TeamOutcome{{Team: "red", Outcome: store.Number{Units: 1, Scale: 10, Known: true}}}
		},
	} {
		game := finalbelltest.New(t, rules)
		n := finalbell.NewMatch{ID: "m", Mode: "race", Players: finalbell.Players("ann", "bob")}
		_, err := game.Engine.Create(ctx, n)
		require.NoError(t, err)
		_, err = game.Engine.Start(ctx, "m")
		require.NoError(t, err)
		_, err = game.Engine.End(ctx, "m", finalbell.Score("ann", 2), finalbell.Score("bob", 1))
		require.NoError(t, err)
		require.NoError(t, game.Engine.Close())
		e, err := finalbell.New(ctx, &hostile{Store: game.Store.(*memory.Store).Reopen(), match: change,
			entry: func(*store.Entry) {}, event: func(*store.Event) {}}, rules, finalbell.Options{Now: game.Clock.Now})
		require.NoError(t, err)
		found, err := e.Verify(ctx)
		require.NoError(t, err)
		require.NotEmpty(t, found.Problems, says)
		require.Equal(t, "m", found.Problems[0].ID)
		_, err = e.Match(ctx, "m")
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
		require.ErrorContains(t, err, says)
		for _, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
			require.ErrorContains(t, err, says)
		}
		_, err = e.End(ctx, "m", finalbell.Score("ann", 2), finalbell.Score("bob", 1))
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
		require.NoError(t, e.Close())
	}
}
