package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steps of a program that is not ours.
var steps = []string{
	"CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (1), (2)",
	"ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'y' || x; CREATE INDEX by_y ON a (y)",
	"CREATE TABLE b AS SELECT x FROM a; DELETE FROM a WHERE x = 1",
}

func migrating(t *testing.T, path string) *writer {
	t.Helper()
	w, err := openWriter(context.Background(), path, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.close() })
	return w
}

// everything is the schema and the rows of a database, and its two numbers.
func everything(t *testing.T, conn *sql.Conn) string {
	t.Helper()
	ctx := context.Background()
	var out strings.Builder
	var id, version int
	require.NoError(t, conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id))
	require.NoError(t, conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version))
	fmt.Fprintf(&out, "%#x %d\n", id, version)
	rows, err := conn.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema ORDER BY name")
	require.NoError(t, err)
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name, text string
		require.NoError(t, rows.Scan(&name, &text))
		fmt.Fprintf(&out, "%s: %s\n", name, text)
		if strings.HasPrefix(text, "CREATE TABLE") {
			tables = append(tables, name)
		}
	}
	require.NoError(t, rows.Err())
	for _, table := range tables {
		var content sql.NullString
		require.NoError(t, conn.QueryRowContext(ctx, "SELECT group_concat(x) FROM "+table).Scan(&content)) //nolint:gosec // ours
		fmt.Fprintf(&out, "%s has %s\n", table, content.String)
	}
	return out.String()
}

func TestEveryStepOfASchemaIsTakenOnceAndInOrder(t *testing.T) {
	ctx := context.Background()
	at := make([]string, len(steps)+1)
	stepwise := migrating(t, filepath.Join(t.TempDir(), "game.db"))
	for n := range len(steps) + 1 {
		require.NoError(t, migrate(ctx, stepwise.conn, steps[:n]))
		at[n] = everything(t, stepwise.conn)
	}
	assert.Contains(t, at[2], "0x6662656c 2\n")
	assert.Contains(t, at[3], "a has 2\nb has 1,2\n")
	// From any of them to any other.
	for from := range at {
		for to := from; to < len(at); to++ {
			w := migrating(t, filepath.Join(t.TempDir(), "game.db"))
			require.NoError(t, migrate(ctx, w.conn, steps[:from]))
			require.Equal(t, at[from], everything(t, w.conn))
			for range 2 { // again changes nothing
				require.NoError(t, migrate(ctx, w.conn, steps[:to]))
				require.Equal(t, at[to], everything(t, w.conn))
			}
		}
	}
}

func TestAStepThatFailsTakesTheOthersBack(t *testing.T) {
	ctx := context.Background()
	for from := range len(steps) {
		for broken := from; broken < len(steps); broken++ {
			path := filepath.Join(t.TempDir(), "game.db")
			w := migrating(t, path)
			require.NoError(t, migrate(ctx, w.conn, steps[:from]))
			before := everything(t, w.conn)
			bad := append([]string(nil), steps...)
			bad[broken] += "; INSERT INTO a (x) VALUES ('no number')"
			err := migrate(ctx, w.conn, bad)
			require.ErrorContains(t, err, fmt.Sprintf("schema step %d: ", broken+1))
			require.Equal(t, before, everything(t, w.conn), "from %d, broken at %d", from, broken)
			// Not the same connection alone.
			require.NoError(t, w.close())
			w = migrating(t, path)
			require.Equal(t, before, everything(t, w.conn))
			require.NoError(t, migrate(ctx, w.conn, steps))
		}
	}
}

func TestAMigrationIsNotBegunForWhoeverHasLeft(t *testing.T) {
	w := migrating(t, filepath.Join(t.TempDir(), "game.db"))
	before := everything(t, w.conn)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, migrate(ctx, w.conn, steps), context.Canceled)
	require.Equal(t, before, everything(t, w.conn))
}
