package finalbell_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/sqlite"
)

// The views tell in SQL what the engine tells in Go: the same ranks, positions, values, outcomes and results,
// while the engine runs.
func TestTheViewsTellWhatTheEngineTells(t *testing.T) {
	open := inFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		m.game = finalbelltest.NewOn(t, open, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		for range rapid.IntRange(1, 12).Draw(t, "matches") {
			m.play(t)
			rapid.SampledFrom([]func(*rapid.T){m.advance, m.jump, m.tick, m.hide, m.beginSeason, m.closeWindow}).Draw(t, "between")(t)
		}
		db, err := sql.Open("sqlite", "file:"+m.game.Store.(*sqlite.Store).Path()+"?mode=ro")
		require.NoError(t, err)
		defer db.Close()
		for _, rule := range m.rules.Boards {
			requireBoardView(t, db, m.engine, rule)
		}
		players := make(map[string][]string) // ended matches by player
		for match, err := range m.engine.Matches(context.Background(), finalbell.MatchFilter{States: []finalbell.State{finalbell.Ended}}) {
			require.NoError(t, err)
			requireStandingsView(t, db, match)
			for _, s := range match.Standings {
				players[s.Player] = append(players[s.Player], match.ID)
			}
		}
		for player, want := range players {
			var got []string
			rows(t, db, "SELECT match FROM history WHERE player = ? ORDER BY ended_at DESC, commit_position DESC", func(row []any) {
				got = append(got, row[0].(string))
			}, player)
			slices.Sort(got)
			slices.Sort(want)
			require.Equal(t, want, got, "history of %s", player)
		}
	})
}

// requireBoardView holds every window and partition of a board.
func requireBoardView(t *rapid.T, db *sql.DB, e *finalbell.Engine, rule finalbell.BoardRule) {
	ctx := context.Background()
	windows, err := e.Board(rule.ID).Windows(ctx)
	require.NoError(t, err)
	for _, w := range windows {
		partitions := []string{""}
		if rule.Partition != nil {
			partitions, err = e.Board(rule.ID).Window(w.ID).Partitions(ctx)
			require.NoError(t, err)
		}
		listed := 0
		for _, partition := range partitions {
			page, err := e.Board(rule.ID).Window(w.ID).Partition(partition).Page(ctx, 0, 1000)
			require.NoError(t, err)
			requirePartView(t, db, page)
			listed += len(page.Entries)
		}
		rows(t, db, `SELECT count(*) FROM boards WHERE board = ? AND window = ?`, func(row []any) {
			require.Equal(t, int64(listed), row[0], "the view has other partitions")
		}, rule.ID, w.ID)
	}
}

func requirePartView(t *rapid.T, db *sql.DB, page finalbell.Page) {
	i := 0
	rows(t, db, `SELECT rank, position, player, "values" FROM boards WHERE board = ? AND window = ? AND partition = ? ORDER BY position`, func(row []any) {
		require.Less(t, i, len(page.Entries), "the view has more")
		want := page.Entries[i]
		require.Equal(t, []any{int64(want.Rank), int64(want.Position), want.Player}, row[:3], "board %s", page.Board)
		requireValues(t, want.Values, row[3].(string))
		i++
	}, page.Board, page.Window, page.Partition)
	require.Len(t, page.Entries, i, "board %s", page.Board)
}

func requireValues(t *rapid.T, want []finalbell.Value, text string) {
	var got []any
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Len(t, got, len(want))
	for i, v := range want {
		if v.Places == nil {
			requireNear(t, v.Number, got[i])
			continue
		}
		places := got[i].([]any)
		require.Len(t, places, len(v.Places))
		for at, n := range v.Places {
			require.InDelta(t, n, places[at], 0)
		}
	}
}

// requireNear compares an exact number with SQL's division of it.
func requireNear(t *rapid.T, want finalbell.Number, got any) {
	exact, err := strconv.ParseFloat(want.String(), 64)
	require.NoError(t, err)
	switch got := got.(type) {
	case int64:
		require.InDelta(t, exact, float64(got), 0)
	default:
		require.InDelta(t, exact, got, math.Abs(exact)*1e-15)
	}
}

func requireStandingsView(t *rapid.T, db *sql.DB, match finalbell.Match) {
	byPlayer := make(map[string][]any)
	rows(t, db, "SELECT player, rank, position, team, outcome, status, result FROM standings WHERE match = ?", func(row []any) {
		byPlayer[row[0].(string)] = slices.Clone(row)
	}, match.ID)
	require.Len(t, byPlayer, len(match.Standings))
	for _, s := range match.Standings {
		row := byPlayer[s.Player]
		require.Equal(t, []any{orNull(s.Rank), orNull(s.Position), orNull(s.Team), orNull(string(s.Status)), orNull(string(s.Result))},
			[]any{row[1], row[2], row[3], row[5], row[6]}, "match %s, %s", match.ID, s.Player)
		if s.Outcome.Known() {
			requireNear(t, s.Outcome, row[4])
		} else {
			require.Nil(t, row[4])
		}
	}
}

// orNull is how a field stands in a view.
func orNull[T comparable](v T) any {
	var none T
	if v == none {
		return nil
	}
	if n, ok := any(v).(int); ok {
		return int64(n)
	}
	return v
}

func rows(t *rapid.T, db *sql.DB, query string, take func(row []any), args ...any) {
	found, err := db.Query(query, args...)
	require.NoError(t, err)
	defer found.Close()
	names, err := found.Columns()
	require.NoError(t, err)
	row := make([]any, len(names))
	into := make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	for found.Next() {
		require.NoError(t, found.Scan(into...))
		take(row)
	}
	require.NoError(t, found.Err())
}
