package finalbell_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
	"github.com/stretchr/testify/require"
)

// A crash is an engine that is not closed; life goes on in another one on the same data.
type lives struct {
	t     *testing.T
	data  *memory.Store
	clock *finalbelltest.Clock
	rules finalbell.Rules
	hooks finalbell.Hooks
	*finalbell.Engine
}

func newLives(t *testing.T, modes ...finalbell.Mode) *lives {
	l := &lives{t: t, data: memory.New(), clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		rules: finalbell.Rules{Modes: modes, Currencies: []finalbell.Currency{{ID: "coins"}}}}
	l.crash()
	return l
}

// crash leaves the engine as it is and opens another one.
func (l *lives) crash() {
	l.t.Helper()
	l.open(l.data.Reopen())
}

func (l *lives) open(s store.Store) {
	l.t.Helper()
	e, err := finalbell.New(l.t.Context(), s, l.rules, finalbell.Options{Now: l.clock.Now, Hooks: l.hooks})
	require.NoError(l.t, err)
	l.Engine = e
	l.t.Cleanup(func() { _ = e.Close() })
}

// runs creates and starts a match of ann and bob.
func (l *lives) runs(id, mode string) {
	l.t.Helper()
	_, err := l.Create(l.t.Context(), finalbell.NewMatch{ID: id, Mode: mode, Players: finalbell.Players("ann", "bob")})
	require.NoError(l.t, err)
	_, err = l.Start(l.t.Context(), id)
	require.NoError(l.t, err)
}

func (l *lives) state(id string) finalbell.Match {
	l.t.Helper()
	m, err := l.Match(l.t.Context(), id)
	require.NoError(l.t, err)
	return m
}

func (l *lives) verified() {
	l.t.Helper()
	found, err := l.Verify(l.t.Context())
	require.NoError(l.t, err)
	require.Empty(l.t, found.Problems)
}

func threePolicies() []finalbell.Mode {
	fee := &finalbell.Fee{Currency: "coins", Amount: 10}
	return []finalbell.Mode{
		{ID: "resume", Fee: fee}, {ID: "cancel", Fee: fee, OnCrash: finalbell.CancelMatches}, {ID: "settle", Fee: fee, OnCrash: finalbell.SettleMatches},
	}
}

// After a crash every match that was running is an orphan, and its mode's policy is applied once.
func TestOrphansOfACrashAreListedAndTheirPolicyIsApplied(t *testing.T) {
	l := newLives(t, threePolicies()...)
	ctx := t.Context()
	for _, player := range []string{"ann", "bob"} {
		_, err := l.Credit(ctx, finalbell.Money{Player: player, Currency: "coins", Amount: 100, Key: player})
		require.NoError(t, err)
	}
	l.runs("r", "resume")
	l.runs("c", "cancel")
	l.runs("s", "settle")
	l.runs("none", "settle")
	_, err := l.Create(ctx, finalbell.NewMatch{ID: "waits", Mode: "cancel", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = l.Report(ctx, "s", finalbell.Score("ann", 1), finalbell.Score("bob", 2))
	require.NoError(t, err)
	_, err = l.EndSession(ctx, "ann", "")
	require.ErrorIs(t, err, finalbell.ErrNotFound)
	require.NoError(t, l.Close()) // writes the report
	l.crash()
	require.Empty(t, l.Orphans(), "it was closed")
	_, err = l.Credit(ctx, finalbell.Money{Player: "cat", Currency: "coins", Amount: 1, Key: "cat"})
	require.NoError(t, err)
	asked := 0
	l.hooks = finalbell.Hooks{Before: func(context.Context, *finalbell.Call) error { asked++; return context.Canceled }}
	l.clock.Advance(time.Minute)
	l.crash()
	require.Equal(t, []finalbell.Orphan{
		{Match: "r", Mode: "resume", Policy: finalbell.ResumeMatches, State: finalbell.Started},
		{Match: "c", Mode: "cancel", Policy: finalbell.CancelMatches, State: finalbell.Cancelled},
		{Match: "s", Mode: "settle", Policy: finalbell.SettleMatches, State: finalbell.Ended},
		{Match: "none", Mode: "settle", Policy: finalbell.SettleMatches, State: finalbell.Ended},
	}, l.Orphans())
	require.Zero(t, asked, "nobody called, so no hook is asked")
	require.Equal(t, "the process ended while the match was running", l.state("c").Reason)
	settled := l.state("s")
	require.Equal(t, "bob", settled.Standings[0].Player)
	require.Equal(t, finalbell.Win, settled.Standings[0].Result)
	require.True(t, l.clock.Now().Equal(settled.EndedAt))
	require.True(t, l.state("none").NoContest)
	require.Equal(t, finalbell.Created, l.state("waits").State)
	w, err := l.Wallet(ctx, "ann")
	require.NoError(t, err)
	require.Equal(t, int64(100-10-10-10), w.Balances["coins"], "the fees of what goes on, is settled and waits; the others are back")
	l.verified()
	replayed, err := l.End(ctx, "s", finalbell.Score("bob", 2), finalbell.Score("ann", 1))
	require.NoError(t, err)
	require.True(t, replayed.Replayed, "the report that was settled by may still come")

	require.NoError(t, l.Close())
	l.crash()
	require.Empty(t, l.Orphans())
}

// A crash while nothing but live scores was written is one too; a process that has written nothing has not crashed.
func TestSoftRecordsAloneTellThatAnEngineRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLives(t, finalbell.Mode{ID: "cancel", OnCrash: finalbell.CancelMatches})
		l.runs("m", "cancel")
		require.NoError(t, l.Close())
		l.crash()
		l.crash()
		require.Empty(t, l.Orphans(), "the one before wrote nothing")
		_, err := l.Report(t.Context(), "m", finalbell.Score("ann", 1))
		require.NoError(t, err)
		time.Sleep(time.Second) // of the bubble: live scores are written by then
		synctest.Wait()
		l.crash()
		require.Len(t, l.Orphans(), 1)
		require.Equal(t, finalbell.Cancelled, l.state("m").State)
	})
}

// A database of before, in which nobody has said whether an engine runs, counts as closed.
func TestADatabaseWithoutTheSettingCountsAsClosed(t *testing.T) {
	l := newLives(t, finalbell.Mode{ID: "cancel", OnCrash: finalbell.CancelMatches})
	l.runs("m", "cancel")
	old := memory.New()
	m, err := l.data.Match(t.Context(), "m")
	require.NoError(t, err)
	m.Version = 1
	rules, err := l.data.Setting(t.Context(), "rules")
	require.NoError(t, err)
	require.NoError(t, old.Commit(t.Context(), store.Batch{Commits: []store.Commit{{Key: "k", Position: 1, Records: []store.Record{m, store.Setting{Name: "rules", Value: rules}}}}}))
	l.open(old)
	require.Empty(t, l.Orphans())
	require.Equal(t, finalbell.Started, l.state("m").State)
}

// Deadlines that have passed meanwhile come first: such a match expires, and is no orphan.
func TestAMatchWhoseDeadlinePassedWhileTheProcessWasDownExpires(t *testing.T) {
	var modes []finalbell.Mode
	for _, p := range []finalbell.CrashPolicy{finalbell.ResumeMatches, finalbell.CancelMatches, finalbell.SettleMatches} {
		modes = append(modes, finalbell.Mode{ID: string(p), OnCrash: p, ExpireStarted: time.Minute})
	}
	l := newLives(t, modes...)
	for _, mode := range modes {
		l.runs(mode.ID, mode.ID)
	}
	l.clock.Advance(time.Minute)
	l.crash()
	require.Empty(t, l.Orphans())
	_, err := l.Tick(t.Context())
	require.NoError(t, err)
	for _, mode := range modes {
		m := l.state(mode.ID)
		require.Equal(t, finalbell.Expired, m.State)
		require.True(t, m.StartedAt.Add(time.Minute).Equal(m.EndedAt))
	}
	for event, err := range l.data.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NotEqual(t, "report_refused", event.Kind)
	}
	l.verified()
}

// Who is idle by the time of the settlement is gone, as before every end.
func TestASettledMatchKnowsWhoHasLeft(t *testing.T) {
	l := newLives(t, finalbell.Mode{ID: "m", OnCrash: finalbell.SettleMatches, OnSessionEnd: finalbell.ForfeitSeat,
		Points: &finalbell.Points{Win: finalbell.Int(3)}})
	l.rules.Sessions.IdleAfter = time.Minute
	l.crash()
	l.runs("m", "m")
	_, err := l.StartSession(t.Context(), finalbell.NewSession{Player: "ann"})
	require.NoError(t, err)
	_, err = l.Report(t.Context(), "m", finalbell.Outcome{Player: "bob", Value: finalbell.Int(1), Metrics: map[string]finalbell.Number{"kills": finalbell.Int(7)}})
	require.NoError(t, err)
	_, err = l.StartSession(t.Context(), finalbell.NewSession{Player: "bob"})
	require.NoError(t, err)
	_, err = l.EndSession(t.Context(), "bob", "") // takes the report with it
	require.NoError(t, err)
	l.clock.Advance(time.Minute)
	l.crash()
	require.Len(t, l.Orphans(), 1)
	m := l.state("m")
	require.Equal(t, finalbell.Ended, m.State)
	require.Equal(t, "bob", m.Standings[0].Player)
	require.Equal(t, finalbell.Finished, m.Standings[0].Status, "a report wins over the mark")
	require.Equal(t, map[string]finalbell.Number{"kills": finalbell.Int(7), "points": finalbell.Int(3)}, m.Standings[0].Metrics)
	require.Equal(t, finalbell.Forfeit, m.Standings[1].Status)
	l.verified()
}

// A policy that cannot be applied leaves the match running and says why.
func TestAnOrphanThatCannotBeSettledSaysWhy(t *testing.T) {
	l := newLives(t, finalbell.Mode{ID: "m", OnCrash: finalbell.SettleMatches, Missing: finalbell.Missing{Reject: true}})
	l.runs("m", "m")
	_, err := l.Report(t.Context(), "m", finalbell.Score("ann", 1))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	l.crash()
	l.runs("other", "m")
	l.crash()
	require.Equal(t, []finalbell.Orphan{
		{Match: "m", Mode: "m", Policy: finalbell.SettleMatches, State: finalbell.Started, Problem: `end match "m": no outcome for: "bob"`},
		{Match: "other", Mode: "m", Policy: finalbell.SettleMatches, State: finalbell.Ended},
	}, l.Orphans())
}

// A crash while the policies are applied leaves the others for the next open.
func TestACrashWhileOrphansAreTakenUpLeavesTheOthersForTheNextOpen(t *testing.T) {
	for _, policy := range []finalbell.CrashPolicy{finalbell.CancelMatches, finalbell.SettleMatches} {
		for _, done := range []bool{false, true} {
			l := newLives(t, finalbell.Mode{ID: "m", OnCrash: policy})
			for _, id := range []string{"m1", "m2", "m3"} {
				l.runs(id, "m")
			}
			f := &failing{data: l.data}
			s := f.open()
			f.arm("Commit", 1, faulty.Fault{Stop: true, Done: done})
			_, err := finalbell.New(t.Context(), s, l.rules, finalbell.Options{Now: l.clock.Now})
			require.ErrorIs(t, err, finalbell.ErrUnknown)
			l.crash()
			var left []string
			for _, o := range l.Orphans() {
				left = append(left, o.Match)
			}
			want := []string{"m2", "m3"}
			if done {
				want = want[1:]
			}
			require.Equal(t, want, left)
			for _, id := range []string{"m1", "m2", "m3"} {
				require.NotEqual(t, finalbell.Started, l.state(id).State)
			}
			l.verified()
		}
	}
}
