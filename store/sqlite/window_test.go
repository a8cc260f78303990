package sqlite

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// empty is a store with nothing in it.
func empty(t *testing.T) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "game.db"), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// plan is how SQLite means to run a query, a step a line.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	rows, err := s.pool.Query("EXPLAIN QUERY PLAN "+query, args...)
	require.NoError(t, err)
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		plan = append(plan, step)
	}
	require.NoError(t, rows.Err())
	return strings.Join(plan, "\n")
}

// Frozen windows become ever more, and every engine that opens asks for the others.
func TestTheUnfrozenWindowsAreFoundWithoutALookAtTheFrozen(t *testing.T) {
	s := empty(t)
	for _, c := range []struct {
		q  store.WindowQuery
		by string
	}{
		{q: store.WindowQuery{Unfrozen: true}, by: "SEARCH w USING INDEX windows_unfrozen (id>?)"},
		{q: store.WindowQuery{Board: "b", Unfrozen: true}, by: "SEARCH w USING INDEX windows_unfrozen (id>?)"},
		{q: store.WindowQuery{Window: "w", Unfrozen: true}, by: "SEARCH w USING INDEX windows_unfrozen (id>?)"},
		{q: store.WindowQuery{Board: "b", Window: "w", Unfrozen: true}, by: "SEARCH w USING INDEX sqlite_autoindex_windows_1 (board=? AND window=?)"},
		{q: store.WindowQuery{Board: "b", Window: "w"}, by: "SEARCH w USING INDEX sqlite_autoindex_windows_1 (board=? AND window=?)"},
		{q: store.WindowQuery{}, by: "SEARCH w USING INTEGER PRIMARY KEY (rowid>?)"},
	} {
		query, args := listingWindows(c.q)
		got := plan(t, s, query, append(args, int64(0), rowSlice)...)
		assert.Contains(t, got, c.by, "%+v", c.q)
		assert.Contains(t, got, "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", "whether it has an entry: one look, %+v", c.q)
		assert.NotContains(t, got, "SCAN", "%+v", c.q)
	}
	var partial bool
	require.NoError(t, s.pool.QueryRow("SELECT partial FROM pragma_index_list('windows') WHERE name = 'windows_unfrozen'").Scan(&partial))
	assert.True(t, partial, "the frozen ones are not in it")
}

// A window is found by its whole key, or the queries would look at every partition of it.
func TestAWindowIsFoundByItsWholeKey(t *testing.T) {
	s := empty(t)
	const byKey = "SEARCH w USING COVERING INDEX sqlite_autoindex_windows_1 (board=? AND window=? AND partition=? AND generation=?)"
	for query, args := range map[string][]any{
		placesQuery:   {"b", "w", "p", 1, 0, 1, 1},
		allEntries:    {"b", "w", "p", 1, 0, 1},
		someEntries:   {"b", "w", "p", 1, "[]"},
		chunksQuery:   {"b", "w", "p", 1, 0, 1, 1},
		deleteChunks:  {0, 1, 1},
		deleteEntries: {0, 1, 1},
	} {
		got := plan(t, s, query, args...)
		if strings.HasPrefix(query, "SELECT") {
			assert.Contains(t, got, byKey, query)
		}
		assert.NotContains(t, strings.ReplaceAll(got, "SCAN json_each", ""), "SCAN", query)
	}
}

// A number that would not fit beside that of its window is refused before anything is written.
func TestAChunkWhoseNumberDoesNotFitIsRefused(t *testing.T) {
	ctx := context.Background()
	s := empty(t)
	for _, n := range []int64{-1, maxChunk + 1} {
		if int64(int(n)) != n {
			continue // it does not fit an int either
		}
		bad := store.Chunk{WindowKey: all, N: int(n)}
		require.ErrorContains(t, s.Commit(ctx, store.Batch{Soft: []store.Record{store.Chunk{WindowKey: all}, bad}}), fmt.Sprint(n))
		require.ErrorContains(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: "k", Position: 1, Records: []store.Record{bad}}}}), fmt.Sprint(n))
	}
	require.NoError(t, s.Commit(ctx, manyCommits(1, 1)), "the store goes on")
	for range s.Chunks(ctx, all, 0, 10) {
		require.Fail(t, "a part of a refused batch")
	}
}

// What no engine writes is an error, whoever reads it.
func TestADamagedRowIsAnError(t *testing.T) {
	ctx := context.Background()
	for change, read := range map[string]func(s *Store) error{
		"UPDATE entries SET hidden = ''": func(s *Store) error { return failureOf(s.Entries(ctx, store.EntryQuery{WindowKey: all})) },
		"UPDATE matches SET participants = replace(participants, ']]', '],{}]')": func(s *Store) error {
			return failureOf(s.Matches(ctx, store.MatchQuery{}))
		},
		"UPDATE matches SET participants = replace(participants, ']]', '],{},0,0]')": func(s *Store) error {
			return failureOf(s.Matches(ctx, store.MatchQuery{}))
		},
		`UPDATE matches SET participants = replace(participants, ']]', '],{"a":"b"},0,0]')`: func(s *Store) error {
			return failureOf(s.Matches(ctx, store.MatchQuery{}))
		},
		"UPDATE matches SET participants = replace(participants, ']]', '],{},1]')": func(s *Store) error {
			return failureOf(s.Matches(ctx, store.MatchQuery{}))
		},
		"UPDATE matches SET participants = replace(participants, '[]]', '[[1,0,nul]]]')": func(s *Store) error {
			return failureOf(s.Matches(ctx, store.MatchQuery{}))
		},
	} {
		s := empty(t)
		require.NoError(t, s.Commit(ctx, manyCommits(1, 3)))
		require.NoError(t, read(s))
		_, err := s.writer.conn.ExecContext(ctx, change)
		require.NoError(t, err)
		require.ErrorIs(t, read(s), errDamaged, change)
	}
}

func failureOf[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// atSchema makes a database of an older schema.
func atSchema(t *testing.T, path string, steps int, fill string) {
	t.Helper()
	ctx := context.Background()
	w, err := openWriter(ctx, path, Options{})
	require.NoError(t, err)
	require.NoError(t, migrate(ctx, w.conn, migrations[:steps]))
	_, err = w.conn.ExecContext(ctx, fill)
	require.NoError(t, err)
	require.NoError(t, w.close()) // which moves the log into the file
}

// A board of millions is not written anew because there is a new column or table.
func TestLaterStepsWriteNoEntryAnew(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "game.db")
	const count = 20_000
	atSchema(t, path, 1, fmt.Sprintf(`
		INSERT INTO windows (id, board, window) VALUES (3, 'ladder', 'all'), (7, 'cup', '');
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO names SELECT i, 'player ' || i FROM n;
		INSERT INTO entries (id, version, entered, sort, "values", changed_at, changed_position, changed_place, fold)
		SELECT (3 << 32) + id, 1, 1, x'80', '[[1]]', 5, 6, 7, x'000000000000' FROM names;
		INSERT INTO entries SELECT (7 << 32) + 1, 2, 0, NULL, NULL, NULL, 0, 0, x'0000000000'`, count))
	w := migrating(t, path)
	require.NoError(t, migrate(ctx, w.conn, migrations))
	var pages, logged, moved int
	require.NoError(t, w.conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages))
	require.NoError(t, w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(new(int), &logged, &moved))
	require.Greater(t, pages, 500)
	require.Less(t, logged, 60, "pages written")
	require.NoError(t, w.close())

	s, err := Open(ctx, path, Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Check(ctx))
	var listed []store.Window
	for w, err := range s.Windows(ctx, store.WindowQuery{Unfrozen: true}) {
		require.NoError(t, err)
		listed = append(listed, w)
	}
	ladder, cup := store.WindowKey{Board: "ladder", Window: "all"}, store.WindowKey{Board: "cup"}
	require.Equal(t, []store.Window{{WindowKey: ladder}, {WindowKey: cup}}, listed)
	places := 0
	for some, err := range s.Places(ctx, ladder) {
		require.NoError(t, err)
		for _, p := range some {
			require.False(t, p.Hidden)
			require.True(t, p.Entered)
		}
		places += len(some)
	}
	require.Equal(t, count, places)
	for e, err := range s.Entries(ctx, store.EntryQuery{WindowKey: cup}) {
		require.NoError(t, err)
		require.Equal(t, store.Entry{WindowKey: cup, ID: "player 1", Version: 2}, e)
		e.Hidden, e.Version, e.Changed.At = "banned", 3, time.UnixMilli(9).UTC()
		require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: "k", Position: 1, Records: []store.Record{e}}}}))
	}
	for e, err := range s.Entries(ctx, store.EntryQuery{WindowKey: cup}) {
		require.NoError(t, err)
		require.Equal(t, "banned", e.Hidden)
	}
}

// An entry that is put again after a drop is known without a look at the file, and what went is not.
func TestWhatADropTookIsForgottenAndTheRestIsKnownAgain(t *testing.T) {
	ctx := context.Background()
	s := empty(t)
	entry := store.Entry{WindowKey: all, ID: "ann", Version: 1}
	known := func() bool {
		_, there := s.recent.all(store.EntryQuery{WindowKey: all, IDs: []string{"ann"}})
		return there
	}
	for range 3 {
		require.NoError(t, s.Commit(ctx, store.Batch{Soft: []store.Record{entry}}))
		require.True(t, known())
		require.NoError(t, s.Commit(ctx, store.Batch{Soft: []store.Record{store.Drop{WindowKey: all, All: true}}}))
		require.False(t, known())
		require.NoError(t, s.Commit(ctx, store.Batch{Soft: []store.Record{entry, store.Drop{WindowKey: all, All: true}}}))
		require.False(t, known())
		require.NoError(t, s.Commit(ctx, store.Batch{Soft: []store.Record{entry, store.Drop{WindowKey: all, All: true}, entry}}))
		require.True(t, known())
		s.recent.forget(changes{entries: map[entryKey]store.Entry{{WindowKey: all, id: "ann"}: entry}})
		require.False(t, known(), "as before every commit")
	}
}
