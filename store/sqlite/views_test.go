package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// threeChapters are rules under which the board daily had one scale up to position 3, another up to 6 and has a third
// today, when it and the board moved are of another generation.
const threeChapters = `[
	{"after":0,"rules":{"boards":[{"id":"daily","keys":[{"metric":"points","scale":1},{"fold":"countback"}]},{"id":"plain","keys":[{"fold":"count"}]},{"id":"gone","keys":[{"metric":"x","scale":3}]}]}},
	{"after":3,"rules":{"boards":[{"id":"daily","keys":[{"metric":"points","scale":2},{"fold":"countback"}]},{"id":"plain","keys":[{"fold":"count"}]},{"id":"moved","keys":[{"metric":"x"}]}]}},
	{"after":6,"rules":{"boards":[{"id":"daily","keys":[{"metric":"points","fold":"best"},{"fold":"countback"}]},{"id":"plain","keys":[{"fold":"count"}]},{"id":"moved","keys":[{"metric":"x"}]}]},
	 "generations":{"daily":1,"moved":2}}]`

// asked is what a query gives, a row a line.
func asked(t *testing.T, s *Store, query string, args ...any) (lines []string) {
	t.Helper()
	rows, err := s.pool.Query(query, args...)
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	row := make([]any, len(names))
	into := make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(row...), "\n"))
	}
	require.NoError(t, rows.Err())
	return lines
}

func withRules(t *testing.T, rules string, soft ...store.Record) *Store {
	t.Helper()
	s := empty(t)
	require.NoError(t, s.Commit(context.Background(), store.Batch{
		Commits: []store.Commit{{Key: "k", Position: 1, Records: []store.Record{store.Setting{Name: "rules", Value: []byte(rules)}}}},
	}))
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{{Key: "l", Position: 2, Records: soft}}}))
	return s
}

func shownEntry(key store.WindowKey, id string, units int64, hidden string) store.Entry {
	return store.Entry{WindowKey: key, ID: id, Version: 1, Entered: true, Hidden: hidden, Sort: []byte{byte(units)}, Values: [][]int64{{units}, {1, 2}}}
}

// A closed window is told by the rules that it was closed under, an open one by today's.
func TestTheBoardsViewTellsEveryWindowByTheRulesOfItsTime(t *testing.T) {
	var records []store.Record
	for final := range uint64(9) {
		key := store.WindowKey{Board: "daily", Window: fmt.Sprint(final), Generation: 1}
		records = append(records, shownEntry(key, "ann", 15, ""), store.Window{WindowKey: key, Version: 1, Final: final})
	}
	never := store.WindowKey{Board: "daily", Window: "never written", Generation: 1}
	gone := store.WindowKey{Board: "gone", Window: "w"}
	records = append(records, shownEntry(never, "ann", 15, ""), shownEntry(gone, "ann", 1500, ""), store.Window{WindowKey: gone, Version: 1, Final: 2})
	s := withRules(t, threeChapters, records...)
	require.Equal(t, []string{
		"0 [15,[1,2]]", "1 [1.5,[1,2]]", "2 [1.5,[1,2]]", "3 [1.5,[1,2]]", "4 [0.15,[1,2]]", "5 [0.15,[1,2]]", "6 [0.15,[1,2]]",
		"7 [15,[1,2]]", "8 [15,[1,2]]", "never written [15,[1,2]]",
	}, asked(t, s, `SELECT window, "values" FROM boards WHERE board = 'daily' ORDER BY window`))
	require.Equal(t, []string{"[1.5,null]"}, asked(t, s, `SELECT "values" FROM boards WHERE board = 'gone'`)) // a key that it did not have
	require.Equal(t, []string{"daily 0 points best 0", "daily 1 <nil> countback 0", "moved 0 x sum 0", "plain 0 <nil> count 0"},
		asked(t, s, "SELECT board, n, metric, fold, scale FROM board_keys ORDER BY board, n"), "today's")
}

// Only what counts is shown: the generation of today, what older ones have closed, and nobody hidden.
func TestTheBoardsViewShowsWhatCounts(t *testing.T) {
	key := func(board, window, partition string, generation int) store.WindowKey {
		return store.WindowKey{Board: board, Window: window, Partition: partition, Generation: generation}
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 5e6, time.UTC)
	closed := store.Window{WindowKey: key("daily", "closed", "", 0), Version: 1, Start: at, End: at.Add(time.Hour), Final: 2, ClosedAt: at.Add(2 * time.Hour), Size: 7}
	frozen := closed
	frozen.WindowKey, frozen.Frozen = key("daily", "closed", "eu", 0), true
	s := withRules(t, threeChapters,
		shownEntry(key("plain", "w", "", 0), "ann", 3, ""), shownEntry(key("plain", "w", "", 0), "bob", 5, "banned"), shownEntry(key("plain", "w", "", 0), "cid", 3, ""),
		shownEntry(key("plain", "w", "eu", 0), "ann", 1, ""), shownEntry(key("plain", "w", "", 1), "nobody", 1, ""), // a generation that is being made
		closed, shownEntry(closed.WindowKey, "ann", 1, ""), frozen, shownEntry(frozen.WindowKey, "eve", 1, "asked for it"),
		shownEntry(key("daily", "open", "", 0), "nobody", 1, ""), shownEntry(key("daily", "open", "", 1), "ann", 1, ""), // made anew
		store.Window{WindowKey: key("moved", "w", "", 1), Version: 1, Size: 4}, store.Window{WindowKey: key("moved", "w", "", 2), Version: 1, Size: 4, Start: at},
		store.Window{WindowKey: key("moved", "v", "", 3), Version: 1, Final: 1},
		store.Chunk{WindowKey: key("plain", "chunks only", "", 0)},
	)
	require.Equal(t, []string{
		"daily closed  1 1 ann", "daily open  1 1 ann", "plain w  1 1 ann", "plain w  1 2 cid", "plain w eu 1 1 ann",
	}, asked(t, s, "SELECT board, window, partition, rank, position, player FROM boards ORDER BY board, window, partition, position"))
	require.Equal(t, []string{
		"daily closed  2026-03-02T09:00:00.005Z 2026-03-02T10:00:00.005Z final <nil> 2026-03-02T11:00:00.005Z",
		"daily closed eu 2026-03-02T09:00:00.005Z 2026-03-02T10:00:00.005Z final 7 2026-03-02T11:00:00.005Z",
		"daily open  <nil> <nil> open <nil> <nil>", "moved w  2026-03-02T09:00:00.005Z <nil> open <nil> <nil>",
		"plain w  <nil> <nil> open <nil> <nil>", "plain w eu <nil> <nil> open <nil> <nil>",
	}, asked(t, s, "SELECT board, window, partition, starts, ends, state, size, closed_at FROM board_windows ORDER BY board, window, partition"))
}

// Whoever asks for one window does not wait for all that were ever closed.
func TestTheBoardsViewReadsOnlyTheWindowsAskedFor(t *testing.T) {
	s := empty(t)
	for _, where := range []string{"board = 'b'", "board = 'b' AND window = 'w'", "board = 'b' AND window = 'w' AND partition = ''"} {
		assert.Contains(t, plan(t, s, "SELECT * FROM boards WHERE "+where), "SEARCH w USING INDEX sqlite_autoindex_windows_1 (board=?", where)
	}
}

// Without any rules, which no engine leaves, there is no generation but the first and no scale.
func TestTheViewsWithoutRules(t *testing.T) {
	s := empty(t)
	require.NoError(t, s.Commit(context.Background(), store.Batch{Soft: []store.Record{shownEntry(all, "ann", 5, "")}}))
	require.Equal(t, []string{"b all 1 [null,null]"}, asked(t, s, `SELECT board, window, rank, "values" FROM boards`))
	require.Equal(t, []string{"b all open"}, asked(t, s, "SELECT board, window, state FROM board_windows"))
	require.Empty(t, asked(t, s, "SELECT * FROM board_keys"))
}

func TestTheStandingsViewHasTheParticipantsAttributes(t *testing.T) {
	s := empty(t)
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{{Key: "k", Position: 1, Records: []store.Record{
		store.Match{ID: "m", Version: 1, Created: 1, Participants: []store.Participant{
			{Player: "ann", Attributes: []store.Attribute{{Name: "car", Value: "7 \"red\""}}},
			{Player: "bob", Boards: []store.BoardValues{{WindowKey: all, ID: "bob", Late: true}}},
		}},
	}}}}))
	require.Equal(t, []string{`ann {"car":"7 \"red\""} 7 "red"`, "bob <nil> <nil>"}, asked(t, s, "SELECT player, attributes, attributes ->> '$.car' FROM standings"))
}
