package finalbell

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store/memory"
)

// A window that is closed while its board is rebuilt stays as it was closed, also after the engine was opened again:
// nothing of what the rebuild had written for it is left.
func TestAWindowThatIsClosedDuringARebuildStaysAsItWas(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rules := func(metric string) Rules {
		return Rules{
			Modes:  []Mode{{ID: "race", AutoStart: true, Boards: []string{"daily"}}},
			Boards: []BoardRule{{ID: "daily", Keys: []Key{{Metric: metric}}, Window: WindowRule{Every: Daily}}},
		}
	}
	s := memory.New()
	options := Options{Now: func() time.Time { return now }}
	e, err := New(ctx, s, rules("outcome"), options)
	require.NoError(t, err)
	race(t, e, "m1", "ann", "bob", "cid")

	// The steps of run, and the boundary between the writing and the switch.
	r, err := e.newRebuild(ctx, rules("wins").withDefaults(), RebuildOptions{})
	require.NoError(t, err)
	require.NoError(t, r.follow(ctx))
	require.NoError(t, r.flush(ctx))
	now = now.Add(24 * time.Hour)
	race(t, e, "m2", "bob", "ann")
	want, err := e.Board("daily").Window("2026-03-02").Top(ctx, 10)
	require.NoError(t, err)
	require.Equal(t, WindowFinal, want.State)
	require.NoError(t, r.run(ctx))

	_, err = e.Tick(ctx)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	again, err := New(ctx, s.Reopen(), rules("wins"), options)
	require.NoError(t, err)
	got, err := again.Board("daily").Window("2026-03-02").Top(ctx, 10)
	require.NoError(t, err)
	want.Position, got.Position = 0, 0
	require.Equal(t, want, got)
	found, err := again.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.NoError(t, again.Close())
}
