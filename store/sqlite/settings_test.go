package sqlite

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The driver sets the settings in an order of its own, and one that comes too late is ignored without a word.
func TestEverySettingTakesEffect(t *testing.T) {
	ctx := context.Background()
	for _, normal := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "game.db")
		for range 2 { // made and opened again
			s, err := Open(ctx, path, Options{Normal: normal})
			require.NoError(t, err)
			reading, err := s.pool.Conn(ctx)
			require.NoError(t, err)
			synchronous := map[bool]string{false: "2", true: "1"}[normal]
			for query, want := range map[string]string{
				"PRAGMA page_size": strconv.Itoa(pageBytes), "PRAGMA journal_mode": "wal", "PRAGMA synchronous": synchronous,
				"PRAGMA wal_autocheckpoint": strconv.Itoa(checkpointPages), "PRAGMA busy_timeout": "5000", "PRAGMA trusted_schema": "0",
				"PRAGMA cache_size": "-16384",
			} {
				var got string
				require.NoError(t, s.writer.conn.QueryRowContext(ctx, query).Scan(&got))
				assert.Equal(t, want, got, query)
			}
			for query, want := range map[string]string{"PRAGMA busy_timeout": "5000", "PRAGMA trusted_schema": "0", "PRAGMA cache_size": "-16384"} {
				var got string
				require.NoError(t, reading.QueryRowContext(ctx, query).Scan(&got))
				assert.Equal(t, want, got, query)
			}
			_, err = reading.ExecContext(ctx, "INSERT INTO names (name) VALUES ('x')")
			assert.ErrorContains(t, err, "readonly", "readers cannot write")
			_, err = reading.ExecContext(ctx, `SELECT "no such column"`)
			assert.ErrorContains(t, err, "no such column", "a name in double quotes is a name")
			_, err = s.writer.conn.ExecContext(ctx, "PRAGMA writable_schema = 1; DELETE FROM sqlite_schema")
			assert.Error(t, err, "nobody writes the schema by hand")
			require.NoError(t, reading.Close())
			require.NoError(t, s.Close())
		}
	}
}
