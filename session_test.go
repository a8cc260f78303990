package finalbell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// sessionRules are of a mode in which whoever has no session has left.
func sessionRules(sessions SessionRule) Rules {
	return Rules{Modes: []Mode{{ID: "duel", OnSessionEnd: LeaveSeat}}, Sessions: sessions}
}

func TestHooksServeSessions(t *testing.T) {
	no := errors.New("banned")
	var ops []string
	hooks := Hooks{
		Timeout: time.Hour,
		Before: func(ctx context.Context, c *Call) error {
			due, limited := ctx.Deadline()
			require.True(t, limited)
			require.Greater(t, time.Until(due), 50*time.Minute)
			ops = append(ops, c.Op+" "+c.Session.ID+" "+c.Session.Reason)
			if c.Session.Player == "bob" {
				return no
			}
			c.Data[c.Op] = "kept"
			return nil
		},
		Reply: func(ctx context.Context, c Call, data map[string]string) {
			_, limited := ctx.Deadline()
			require.True(t, limited)
			data["seen"] = fmt.Sprint(c.Session.Replayed, len(data))
			if c.Session.Attributes["boo"] != "" {
				panic("reply lost its nerve")
			}
		},
	}
	e := engineOn(t, memory.New(), sessionRules(SessionRule{ReconnectWithin: time.Hour}), Options{Hooks: hooks})
	ctx := t.Context()
	s, err := e.StartSession(ctx, NewSession{ID: "a", Player: "ann"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"start session": "kept", "seen": "false 1"}, s.Data)
	s, err = e.StartSession(ctx, NewSession{ID: "b", Player: "ann"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"start session": "kept", "seen": "true 1"}, s.Data)
	s, err = e.Heartbeat(ctx, "ann", "")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"start session": "kept"}, s.Data, "a heartbeat has no hooks")
	_, err = e.StartSession(ctx, NewSession{ID: "c", Player: "bob"})
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorIs(t, err, no)
	s, err = e.EndSession(ctx, "ann", "")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"start session": "kept", "end session": "kept", "seen": "false 2"}, s.Data)
	s, err = e.Session(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"start session": "kept", "end session": "kept"}, s.Data, "what Reply adds is not stored")
	_, err = e.Session(ctx, "c")
	require.ErrorIs(t, err, ErrNotFound)
	s, err = e.StartSession(ctx, NewSession{ID: "d", Player: "ann", Attributes: map[string]string{"boo": "!"}})
	require.NoError(t, err, "Reply cannot fail the call")
	assert.Equal(t, map[string]string{"start session": "kept"}, s.Data)
	assert.Equal(t, []string{"start session a ", "start session c ", "end session a ", "start session d "}, ops)
}

// A hook that heeds its ctx is over when its time is.
func TestAHookHasATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: time.Second} {
			hooks := Hooks{Timeout: timeout, Before: func(ctx context.Context, _ *Call) error { <-ctx.Done(); return context.Cause(ctx) }}
			e := engineOn(t, memory.New(), sessionRules(SessionRule{}), Options{Hooks: hooks, ManualTick: true})
			began := time.Now()
			_, err := e.StartSession(t.Context(), NewSession{Player: "ann"})
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, want, time.Since(began))
			_, err = e.Create(t.Context(), NewMatch{Mode: "duel", Players: Players("ann")})
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	})
	_, err := New(t.Context(), memory.New(), Rules{}, Options{Hooks: Hooks{Timeout: -1}})
	require.ErrorIs(t, err, ErrInvalid)
}

// Nobody ticks: every verb about a session, and every one about a match in which it counts, ends it first when it is idle.
func TestEveryVerbFirstEndsIdleSessions(t *testing.T) {
	for name, verb := range map[string]func(ctx context.Context, e *Engine) error{
		"start session": func(ctx context.Context, e *Engine) error {
			s, err := e.StartSession(ctx, NewSession{Player: "ann"})
			assert.False(t, s.Replayed, "it could have gone on for an hour")
			return err
		},
		"heartbeat": func(ctx context.Context, e *Engine) error {
			_, err := e.Heartbeat(ctx, "ann", "")
			assert.ErrorIs(t, err, ErrNotFound)
			return nil
		},
		"end session": func(ctx context.Context, e *Engine) error {
			_, err := e.EndSession(ctx, "ann", "")
			assert.ErrorIs(t, err, ErrNotFound)
			return nil
		},
		"end": func(ctx context.Context, e *Engine) error {
			m, err := e.End(ctx, "m", Score("bob", 1))
			assert.Equal(t, Left, m.Standings[1].Status)
			return err
		},
		"report": func(ctx context.Context, e *Engine) error {
			m, err := e.Report(ctx, "m", Score("bob", 1))
			assert.Equal(t, Left, m.Standings[1].Gone)
			return err
		},
		"cancel": func(ctx context.Context, e *Engine) error {
			m, err := e.Cancel(ctx, "m", "")
			assert.Equal(t, Left, m.Standings[0].Gone)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
			began := now
			e := engineOn(t, memory.New(), sessionRules(SessionRule{IdleAfter: time.Minute, ReconnectWithin: time.Hour}), Options{Now: func() time.Time { return now }})
			ctx := t.Context()
			_, err := e.Create(ctx, NewMatch{ID: "m", Mode: "duel", Players: Players("ann", "bob")})
			require.NoError(t, err)
			_, err = e.Start(ctx, "m")
			require.NoError(t, err)
			_, err = e.StartSession(ctx, NewSession{ID: "s", Player: "ann"})
			require.NoError(t, err)
			now = now.Add(time.Second)
			_, err = e.Heartbeat(ctx, "ann", "")
			require.NoError(t, err)
			now = now.Add(time.Minute)
			require.NoError(t, verb(ctx, e))
			s, err := e.Session(ctx, "s")
			require.NoError(t, err)
			assert.Equal(t, "idle", s.Reason)
			assert.Equal(t, began.Add(time.Second), s.EndedAt)
			for event, err := range e.store.Events(ctx, 0) {
				require.NoError(t, err)
				if event.Kind == sessionEndedEvent {
					assert.Equal(t, now, event.At, "when it was due")
				}
			}
		})
	}
}

// A match whose deadline has passed by the time a session ends is over, and takes no notice; one a moment later does.
func TestAMatchThatIsOverTakesNoNoticeOfASession(t *testing.T) {
	for idleAfter, want := range map[time.Duration]Status{time.Minute - time.Millisecond: Left, time.Minute: "", time.Minute + time.Millisecond: ""} {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		rules := sessionRules(SessionRule{IdleAfter: idleAfter})
		rules.Modes[0].ExpireStarted = time.Minute
		e := engineOn(t, memory.New(), rules, Options{Now: func() time.Time { return now }})
		ctx := t.Context()
		_, err := e.Create(ctx, NewMatch{ID: "m", Mode: "duel", Players: Players("ann", "bob")})
		require.NoError(t, err)
		_, err = e.Start(ctx, "m")
		require.NoError(t, err)
		_, err = e.StartSession(ctx, NewSession{ID: "a", Player: "ann"}) // ties with the match are done in order of their ids
		require.NoError(t, err)
		now = now.Add(time.Hour)
		_, err = e.Tick(ctx)
		require.NoError(t, err)
		m, err := e.Match(ctx, "m")
		require.NoError(t, err)
		require.Equal(t, Expired, m.State)
		require.Equal(t, want, m.Standings[0].Gone, idleAfter)
	}
}

// A retry writes nothing, and a session that is ended twice is ended once.
func TestARetryAboutASessionWritesNothing(t *testing.T) {
	s := memory.New()
	e := engineOn(t, s, sessionRules(SessionRule{}), Options{})
	ctx := t.Context()
	_, err := e.StartSession(ctx, NewSession{ID: "a", Player: "ann"})
	require.NoError(t, err)
	again, err := e.StartSession(ctx, NewSession{ID: "a", Player: "ann", Attributes: map[string]string{"a": "b"}})
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	assert.Empty(t, again.Attributes)
	_, err = e.EndSession(ctx, "ann", "")
	require.NoError(t, err)
	_, err = e.EndSession(ctx, "ann", "")
	require.ErrorIs(t, err, ErrNotFound)
	again, err = e.StartSession(ctx, NewSession{ID: "a", Player: "ann"})
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	assert.False(t, again.EndedAt.IsZero())
	head, err := s.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, uint64(2), head.Position)
}

// Whatever happens at once, a live score is not lost to a mark nor a mark to a live score, and a player has one open
// session.
func TestSessionsAndReportsAtOnce(t *testing.T) {
	for range 60 {
		e := engineOn(t, memory.New(), sessionRules(SessionRule{}), Options{})
		ctx := t.Context()
		_, err := e.Create(ctx, NewMatch{ID: "m", Mode: "duel", Players: Players("ann", "bob", "cat")})
		require.NoError(t, err)
		_, err = e.StartSession(ctx, NewSession{Player: "ann"})
		require.NoError(t, err)
		_, err = e.Start(ctx, "m")
		require.NoError(t, err)
		var all sync.WaitGroup
		at := func(f func() error) {
			all.Go(func() { assert.NoError(t, f()) })
		}
		at(func() error { _, err := e.EndSession(ctx, "ann", ""); return err })
		at(func() error { _, err := e.Report(ctx, "m", Score("bob", 3)); return err })
		at(func() error { _, err := e.Report(ctx, "m", Score("cat", 4)); return err })
		for range 3 {
			at(func() error { _, err := e.StartSession(ctx, NewSession{Player: "bob"}); return err })
		}
		all.Wait()
		m, err := e.Match(ctx, "m")
		require.NoError(t, err)
		require.Equal(t, Int(4), m.Standings[0].Outcome)
		require.Equal(t, Int(3), m.Standings[1].Outcome)
		require.Equal(t, Left, m.Standings[2].Gone)
		totals, err := e.SessionTotals(ctx, SessionFilter{Player: "bob"})
		require.NoError(t, err)
		require.Equal(t, 1, totals.Open)
		require.Equal(t, 2, totals.Sessions)
		found, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Empty(t, found.Problems)
		require.NoError(t, e.Close())
	}
}

// A match that starts while a player's last session ends either has them gone or had not started.
func TestAMatchThatStartsAtOnceWithTheEndOfASessionKnowsOrderFromDisorder(t *testing.T) {
	for range 200 {
		s := memory.New()
		e := engineOn(t, s, sessionRules(SessionRule{}), Options{})
		ctx := t.Context()
		_, err := e.Create(ctx, NewMatch{ID: "m", Mode: "duel", Players: Players("ann", "bob")})
		require.NoError(t, err)
		_, err = e.StartSession(ctx, NewSession{Player: "ann"})
		require.NoError(t, err)
		var all sync.WaitGroup
		all.Go(func() { _, err := e.EndSession(ctx, "ann", ""); assert.NoError(t, err) })
		all.Go(func() { _, err := e.Start(ctx, "m"); assert.NoError(t, err) })
		all.Wait()
		var order []string
		for event, err := range s.Events(ctx, 2) {
			require.NoError(t, err)
			order = append(order, event.Kind)
		}
		m, err := e.Match(ctx, "m")
		require.NoError(t, err)
		want := Status("")
		if order[0] == startedEvent {
			want = Left
		}
		require.Equal(t, want, m.Standings[0].Gone, "%v", order)
	}
}

// A heartbeat is written within a second, survives a crash from then on, and is not lost to what is written meanwhile.
func TestHeartbeatsAreWrittenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		e := engineOn(t, s, Rules{}, Options{ManualTick: true})
		_, err := e.StartSession(t.Context(), NewSession{ID: "s", Player: "ann"})
		require.NoError(t, err)
		time.Sleep(time.Second)
		seen, err := e.Heartbeat(t.Context(), "ann", "")
		require.NoError(t, err)
		require.Equal(t, time.Second, seen.Duration())
		time.Sleep(time.Second)
		synctest.Wait()
		after := engineOn(t, s.Reopen(), Rules{}, Options{ManualTick: true})
		stored, err := after.Session(t.Context(), "s")
		require.NoError(t, err)
		require.Equal(t, seen.SeenAt, stored.SeenAt)
	})
}

// Verify names sessions that no engine would have written.
func TestVerifyFindsImpossibleSessions(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 2, 9, 0, s, 0, time.UTC) }
	for want, sessions := range map[string][]store.Session{
		`"b" open beside "a" of the same player`:                       {{ID: "a", StartedAt: at(1), SeenAt: at(1)}, {ID: "b", StartedAt: at(1), SeenAt: at(1), Device: "phone"}},
		`"a" seen at 2026-03-02T09:00:01Z, before it`:                  {{ID: "a", StartedAt: at(2), SeenAt: at(1)}},
		`"a" ended at 2026-03-02T09:00:02Z, before it was`:             {{ID: "a", StartedAt: at(1), SeenAt: at(3), EndedAt: at(2), Reason: "ended"}},
		`"a" ended at "" for the reason "idle"`:                        {{ID: "a", StartedAt: at(1), SeenAt: at(3), Reason: "idle"}},
		`"a" ended at "2026-03-02T09:00:03Z" for the reason ""`:        {{ID: "a", StartedAt: at(1), SeenAt: at(3), EndedAt: at(3)}},
		`"a" ended at "2026-03-02T09:00:03Z" for the reason "boredom"`: {{ID: "a", StartedAt: at(1), SeenAt: at(3), EndedAt: at(3), Reason: "boredom"}},
		``: {{ID: "a", StartedAt: at(1), SeenAt: at(1)}, {ID: "b", Player: "bob", StartedAt: at(1), SeenAt: at(3), EndedAt: at(3), Reason: "idle"}},
	} {
		s := memory.New()
		commit := store.Commit{Key: "k", Position: 1, At: at(9), Kind: sessionStartedEvent, ID: "a"}
		for _, r := range sessions {
			r.Version, r.Created = 1, 1
			if r.Player == "" {
				r.Player = "ann"
			}
			commit.Records = append(commit.Records, r)
		}
		require.NoError(t, s.Commit(t.Context(), store.Batch{Commits: []store.Commit{commit}}))
		e := engineOn(t, s, Rules{}, Options{})
		found, err := e.Verify(t.Context())
		require.NoError(t, err)
		require.Equal(t, len(sessions), found.Sessions)
		if want == "" {
			require.Empty(t, found.Problems)
			continue
		}
		require.Len(t, found.Problems, 1, want)
		require.Equal(t, "session", found.Problems[0].Kind)
		require.Contains(t, fmt.Sprintf("%q %s", found.Problems[0].ID, found.Problems[0].Message), want)
	}
}

// The mean is the whole millisecond that is nearest, of two the even one.
func TestTheMeanIsRoundedHalfToEven(t *testing.T) {
	for total, want := range map[int]time.Duration{0: 0, 1: 0, 2: 1, 3: 2, 5: 2, 7: 4, 8: 4} {
		require.Equal(t, want*time.Millisecond, mean(time.Duration(total)*time.Millisecond, 2), total)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		total := time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "ms")) * time.Millisecond
		off := mean(total, n)*time.Duration(n) - total
		require.LessOrEqual(t, 2*off.Abs(), time.Duration(n)*time.Millisecond)
	})
}

func TestASessionPrintsItsFieldsInThisOrder(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	text, err := json.Marshal(Session{ID: "s", Player: "ann", Device: "phone", StartedAt: at, SeenAt: at, EndedAt: at.Add(time.Second), Reason: "ended",
		Attributes: map[string]string{"a": "b"}, Data: map[string]string{"c": "d"}, Replayed: true})
	require.NoError(t, err)
	require.Equal(t, `{"session":"s","player":"ann","device":"phone","started_at":"2026-03-02T09:00:00Z","seen_at":"2026-03-02T09:00:00Z",`+
		`"ended_at":"2026-03-02T09:00:01Z","duration_ms":1000,"reason":"ended","attributes":{"a":"b"},"data":{"c":"d"},"replayed":true}`, string(text))
}
