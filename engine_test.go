package finalbell

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// ladder is rules with one mode and one board of wins.
func ladder(change func(m *Mode)) Rules {
	mode := Mode{ID: "duel", Boards: []string{"ladder"}}
	if change != nil {
		change(&mode)
	}
	return Rules{Modes: []Mode{mode}, Boards: []BoardRule{{ID: "ladder", Keys: []Key{{Metric: "wins"}}}}}
}

func engineOn(t *testing.T, s store.Store, rules Rules, o Options) *Engine {
	t.Helper()
	e, err := New(context.Background(), s, rules, o)
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

func play(t *testing.T, e *Engine, id string, outcomes ...Outcome) Match {
	t.Helper()
	var roster []Participant
	for _, o := range outcomes {
		roster = append(roster, Participant{Player: o.Player})
	}
	ctx := context.Background()
	_, err := e.Create(ctx, NewMatch{ID: id, Mode: "duel", Players: roster})
	require.NoError(t, err)
	_, err = e.Start(ctx, id)
	require.NoError(t, err)
	m, err := e.End(ctx, id, outcomes...)
	require.NoError(t, err)
	return m
}

func TestAMatchWithoutAnIDGetsAUUIDOfVersion7FromTheClock(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e := engineOn(t, memory.New(), ladder(nil), Options{Now: func() time.Time { return at }})
	m, err := e.Create(t.Context(), NewMatch{Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	assert.Regexp(t, `^019cadc6-9a80-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, m.ID)
}

func TestABackgroundLoopExpiresMatchesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := ladder(func(m *Mode) { m.ExpireCreated, m.ExpireStarted = time.Minute, time.Hour })
		e, err := New(t.Context(), memory.New(), rules, Options{})
		require.NoError(t, err)
		defer e.Close()
		for _, id := range []string{"a", "b"} {
			_, err = e.Create(t.Context(), NewMatch{ID: id, Mode: "duel", Players: Players("ann")})
			require.NoError(t, err)
		}
		_, err = e.Start(t.Context(), "b")
		require.NoError(t, err)
		state := func(id string) State {
			r, err := e.store.Match(t.Context(), id) // not through a verb, which would expire it
			require.NoError(t, err)
			return State(r.State)
		}
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		assert.Equal(t, Expired, state("a"))
		assert.Equal(t, Started, state("b"))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, Expired, state("b"))
	})
}

func TestManualTickLeavesWhatIsDueToTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(t.Context(), memory.New(), ladder(func(m *Mode) { m.ExpireCreated = time.Minute }), Options{ManualTick: true})
		require.NoError(t, err)
		defer e.Close()
		_, err = e.Create(t.Context(), NewMatch{ID: "a", Mode: "duel", Players: Players("ann")})
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		r, err := e.store.Match(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, string(Created), r.State)
		done, err := e.Tick(t.Context())
		require.NoError(t, err)
		require.Len(t, done, 1)
		assert.Equal(t, r.CreatedAt.Add(time.Minute), done[0].Due)
	})
}

func TestADeadlineThatPassedWhileTheProcessWasDownIsDoneOnceAtItsDueTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := memory.New()
	o := Options{Now: func() time.Time { return now }}
	rules := ladder(func(m *Mode) { m.ExpireCreated = time.Minute })
	e := engineOn(t, s, rules, o)
	_, err := e.Create(t.Context(), NewMatch{ID: "a", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	now = now.Add(24 * time.Hour)
	e = engineOn(t, s.Reopen(), rules, o)
	done, err := e.Tick(t.Context())
	require.NoError(t, err)
	require.Len(t, done, 1)
	m, err := e.Match(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, Expired, m.State)
	assert.Equal(t, time.Date(2026, 3, 2, 9, 1, 0, 0, time.UTC), m.EndedAt)
	done, err = e.Tick(t.Context())
	require.NoError(t, err)
	assert.Empty(t, done)
}

func TestAClockThatStepsBackIsHeldAtTheLastStoredTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e := engineOn(t, memory.New(), ladder(nil), Options{Now: func() time.Time { return now }})
	play(t, e, "a", Score("ann", 1))
	was := now
	now = now.Add(-time.Hour)
	m := play(t, e, "b", Score("ann", 1))
	assert.Equal(t, was, m.CreatedAt)
	assert.Equal(t, was, m.EndedAt)
}

func TestHooks(t *testing.T) {
	no := errors.New("cheater")
	var e *Engine
	var inside []error
	hooks := Hooks{
		Before: func(ctx context.Context, c *Call) error {
			_, tick := e.Tick(ctx)
			inside = append(inside, tick, e.Close())
			switch {
			case c.Op == "end match" && c.Outcomes[0].Value == Int(666):
				return no
			case c.Op == "end match" && c.Outcomes[0].Value == Int(667):
				panic("hook lost its nerve")
			}
			c.Data["arena"] = "north"
			return nil
		},
		Reply: func(_ context.Context, c Call, data map[string]string) {
			data["shown"] = c.Op
			if len(c.Outcomes) > 0 && c.Outcomes[0].Value == Int(13) {
				panic("reply lost its nerve")
			}
		},
	}
	e = engineOn(t, memory.New(), ladder(nil), Options{Hooks: hooks})
	ctx := t.Context()
	m, err := e.Create(ctx, NewMatch{ID: "a", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"arena": "north", "shown": "create match"}, m.Data)
	_, err = e.Start(ctx, "a")
	require.NoError(t, err)

	_, err = e.End(ctx, "a", Score("ann", 666))
	require.ErrorIs(t, err, ErrRefused, "Before may refuse")
	require.ErrorIs(t, err, no, "the caller gets its error")
	_, err = e.End(ctx, "a", Score("ann", 667))
	require.ErrorIs(t, err, ErrRefused, "a panicking hook fails its call, never the process")
	for _, err := range inside {
		assert.ErrorIs(t, err, ErrRefused, "a hook that calls Close or Tick is refused")
	}
	m, err = e.End(ctx, "a", Score("ann", 13))
	require.NoError(t, err, "Reply cannot fail the call")
	assert.Equal(t, map[string]string{"arena": "north"}, m.Data)
	m, err = e.Match(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"arena": "north"}, m.Data, "what Reply adds is not stored")
	calls := len(inside)
	m, err = e.End(ctx, "a", Score("ann", 13))
	require.NoError(t, err)
	assert.True(t, m.Replayed)
	assert.Len(t, inside, calls, "Before runs after the replay check")
}

func TestRulesThatDoNotFitTheDataAreRefusedByNameAndNewOnesTaken(t *testing.T) {
	s := memory.New()
	e := engineOn(t, s, ladder(nil), Options{})
	play(t, e, "a", Score("ann", 2), Score("bob", 1))
	require.NoError(t, e.Close())
	reopen := func(change func(r *Rules)) error {
		rules := ladder(nil)
		change(&rules)
		e, err := New(t.Context(), s.Reopen(), rules, Options{})
		if err == nil {
			defer e.Close()
			v, verr := e.Verify(t.Context())
			require.NoError(t, verr)
			assert.Empty(t, v.Problems)
		}
		return err
	}
	for want, change := range map[string]func(r *Rules){
		"":                func(r *Rules) {},
		"keys[0]":         func(r *Rules) { r.Boards[0].Keys[0].Metric = "losses" },
		"number of keys":  func(r *Rules) { r.Boards[0].Keys = append(r.Boards[0].Keys, Key{Metric: "kills"}) },
		"ties":            func(r *Rules) { r.Boards[0].Ties = FirstRank },
		`"ladder" of the`: func(r *Rules) { r.Boards, r.Modes[0].Boards = nil, nil },
		`"new" is new`: func(r *Rules) {
			r.Boards = append(r.Boards, BoardRule{ID: "new", Keys: []Key{{Metric: "wins"}}})
			r.Modes[0].Boards = append(r.Modes[0].Boards, "new")
		},
	} {
		err := reopen(change)
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrInvalid, want)
		assert.ErrorContains(t, err, want)
	}
	assert.NoError(t, reopen(func(r *Rules) {
		r.Boards = append(r.Boards, BoardRule{ID: "new", Keys: []Key{{Metric: "wins"}}})
		r.Modes = append(r.Modes, Mode{ID: "brawl", Boards: []string{"ladder", "new"}})
		r.Modes[0].Order, r.Modes[0].Unfinished.Boards = Asc, Exclude // from now on
	}), "new modes, new boards without history and new rules for matches to come are taken")
}

// What is given for matches may change whenever the database is opened: it is given from then on.
func TestNewPrizesFeesAndAchievementsNeedNoRebuild(t *testing.T) {
	s := memory.New()
	e := engineOn(t, s, ladder(nil), Options{})
	play(t, e, "a", Score("ann", 2), Score("bob", 1))
	require.NoError(t, e.Close())
	cup := Prize{ID: "cup", From: 1, To: 1, Item: "cup"}
	rules := ladder(nil)
	for what, change := range map[string]func(){
		"currencies":           func() { rules.Currencies = []Currency{{ID: "coins"}} },
		"a board's prizes":     func() { rules.Boards[0].Prizes = []Prize{cup} },
		"a mode's prizes":      func() { rules.Modes[0].Prizes = []Prize{cup} },
		"xp":                   func() { rules.Modes[0].XP = []Gain{{Amount: 10}} },
		"achievements":         func() { rules.Achievements = []Achievement{{ID: "a", Metric: "wins", Threshold: Int(1)}} },
		"levels":               func() { rules.Levels = []Level{{Marker: "xp", Thresholds: []int64{100}}} },
		"what bots are given":  func() { rules.Modes[0].Bots = BotPolicy{Prizes: PassDown, Achievements: Include} },
		"a board's new prizes": func() { rules.Boards[0].Prizes = []Prize{{ID: "hat", From: 1, To: 3, Custom: "hat"}} },
	} {
		change()
		s = s.Reopen()
		e, err := New(t.Context(), s, rules, Options{})
		require.NoError(t, err, what)
		v, err := e.Verify(t.Context())
		require.NoError(t, err)
		assert.Empty(t, v.Problems, what)
		require.NoError(t, e.Close())
	}
	rules = ladder(nil)
	rules.Boards[0].Prizes, rules.Boards[0].Ties = []Prize{cup}, FirstRank
	_, err := New(t.Context(), s.Reopen(), rules, Options{})
	assert.ErrorContains(t, err, "ties differs", "what else differs still needs a rebuild")
}

func TestOldMatchesAreReadByTheRulesOfTheirTime(t *testing.T) {
	s := memory.New()
	e := engineOn(t, s, ladder(nil), Options{})
	play(t, e, "a", Score("ann", 2), Score("bob", 1))
	require.NoError(t, e.Close())
	rules := ladder(func(m *Mode) { m.Order = Asc })
	e = engineOn(t, s.Reopen(), rules, Options{})
	m := play(t, e, "b", Score("ann", 2), Score("bob", 1))
	assert.Equal(t, "bob", m.Standings[0].Player)
	require.NoError(t, e.Close())
	e = engineOn(t, s.Reopen(), rules, Options{})
	v, err := e.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, v.Problems)
	m, err = e.End(t.Context(), "a", Score("bob", 1), Score("ann", 2))
	require.NoError(t, err)
	assert.True(t, m.Replayed)
}

func TestVerifyNamesWhatDiffers(t *testing.T) {
	for name, damage := range map[string]struct {
		kind  string
		apply func(t *testing.T, e *Engine)
	}{
		"a stored rank": {"match", func(t *testing.T, e *Engine) {
			r, err := e.store.Match(t.Context(), "b")
			require.NoError(t, err)
			r.Participants = append([]store.Participant(nil), r.Participants...)
			r.Participants[0].Rank = 2
			require.NoError(t, e.store.Commit(t.Context(), store.Batch{Soft: []store.Record{r}}))
		}},
		"a rank move": {"match", func(t *testing.T, e *Engine) {
			r, err := e.store.Match(t.Context(), "b")
			require.NoError(t, err)
			moves := append([]store.Move(nil), r.Moves...)
			moves[0].New++
			require.NoError(t, e.store.Commit(t.Context(), store.Batch{Soft: []store.Record{
				store.Moves{Match: "b", Position: r.Position, Moves: moves}}}))
		}},
		"an entry": {"entry", func(t *testing.T, e *Engine) {
			for r, err := range e.store.Entries(t.Context(), store.EntryQuery{WindowKey: store.WindowKey{Board: "ladder", Window: "all"}, IDs: []string{"bob"}}) {
				require.NoError(t, err)
				r.Version++
				r.Values = [][]int64{{77}}
				head, err := e.store.Head(t.Context())
				require.NoError(t, err)
				require.NoError(t, e.store.Commit(t.Context(), store.Batch{Commits: []store.Commit{{
					Key: "forged", Position: head.Position + 1, At: head.At, Kind: "forged", Records: []store.Record{r}}}}))
			}
		}},
		"the live board": {"rank", func(t *testing.T, e *Engine) {
			e.ruleset().boards["ladder"].period("all").ranking("").apply([]placed{{id: "cid", entered: true, values: [][]int64{{9}}, changed: moment{position: 1}}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := engineOn(t, memory.New(), ladder(nil), Options{})
			play(t, e, "a", Score("ann", 2), Score("bob", 1))
			play(t, e, "b", Score("ann", 2), Score("bob", 1))
			e.committer.flush()
			play(t, e, "c", Score("dan", 2), Score("bob", 1))
			v, err := e.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			assert.Equal(t, 3, v.Matches)
			damage.apply(t, e)
			v, err = e.Verify(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, v.Problems)
			assert.Equal(t, damage.kind, v.Problems[0].Kind, "%v", v.Problems)
		})
	}
}

func TestManyCallersEndMatchesOfTheSamePlayersAtOnce(t *testing.T) {
	e := engineOn(t, memory.New(), ladder(nil), Options{})
	const callers, each = 16, 20
	players := []string{"a", "b", "c", "d", "e"}
	var wait sync.WaitGroup
	for c := range callers {
		wait.Go(func() {
			for i := range each {
				id := string(rune('A'+c)) + string(rune('A'+i))
				x, y := players[(c+i)%5], players[(c+2*i+1)%5]
				if x == y {
					y = "f"
				}
				ctx := context.Background()
				_, err := e.Create(ctx, NewMatch{ID: id, Mode: "duel", Players: Players(x, y)})
				assert.NoError(t, err)
				_, err = e.Start(ctx, id)
				assert.NoError(t, err)
				_, err = e.End(ctx, id, Score(x, i), Score(y, c))
				assert.NoError(t, err)
				_, err = e.Board("ladder").Top(ctx, 5)
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
	v, err := e.Verify(t.Context())
	require.NoError(t, err)
	assert.Equal(t, callers*each, v.Matches)
	assert.Empty(t, v.Problems)
}

func TestALateReportIsRefusedAndKeptOnce(t *testing.T) {
	s := memory.New()
	e := engineOn(t, s, ladder(nil), Options{})
	ctx := t.Context()
	_, err := e.Create(ctx, NewMatch{ID: "a", Mode: "duel", Players: Players("ann", "bob")})
	require.NoError(t, err)
	_, err = e.Cancel(ctx, "a", "rain")
	require.NoError(t, err)
	for range 3 {
		_, err = e.End(ctx, "a", Score("ann", 1), Score("bob", 2))
		require.ErrorIs(t, err, ErrCancelled)
		_, err = e.End(ctx, "a", Score("bob", 2), Score("ann", 1)) // the same report
		require.ErrorIs(t, err, ErrCancelled)
	}
	kept := 0
	for event, err := range s.Events(ctx, 0) {
		require.NoError(t, err)
		if event.Kind == refusedEvent {
			kept++
			assert.JSONEq(t, `{"outcomes":[{"player":"ann","outcome":1},{"player":"bob","outcome":2}]}`, string(event.Body))
		}
	}
	assert.Equal(t, 1, kept)
}

func TestAReportedMapStaysTheCallers(t *testing.T) {
	e := engineOn(t, memory.New(), ladder(func(m *Mode) { m.Points = &Points{Win: Int(3)} }), Options{})
	mine := map[string]Number{"kills": Int(3)}
	m := play(t, e, "a", Outcome{Player: "ann", Value: Int(1), Metrics: mine})
	assert.Len(t, m.Standings[0].Metrics, 2)
	assert.Len(t, mine, 1)
}
