package gamesparks

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/dialect"
)

// Of two who come at the same time for a name, or a device, the second one is told, and takes nothing.
func TestRecordsTakeANameAndADeviceOnce(t *testing.T) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "accounts.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = OpenAccounts(ctx, db, AccountOptions{})
	require.NoError(t, err)
	for name, r := range map[string]records{"memory": newMemory(), "sqlite": &database{db}} {
		t.Run(name, func(t *testing.T) {
			now := time.UnixMilli(0)
			for _, a := range []record{
				{player: "1", userName: "ann", password: "x", madeAt: now},
				{player: "2", device: dialect.DigestOf("phone"), madeAt: now},
			} {
				added, err := r.add(ctx, a)
				require.NoError(t, err)
				require.True(t, added)
				a.player, a.displayName = "3", "Another"
				added, err = r.add(ctx, a)
				require.NoError(t, err)
				require.False(t, added)
			}
			names, err := r.names(ctx, []string{"1", "2", "3"})
			require.NoError(t, err)
			require.Empty(t, names)
		})
	}
}
