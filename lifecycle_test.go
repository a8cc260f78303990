package finalbell

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store/memory"
)

var states = []State{Created, Started, Disputed, Ended, Cancelled, Expired, Voided}

// cells is the table of semantics.md, typed off it: a new state, "stored", a kind, or both for End, which
// tells the same report from another.
var cells = map[verb][7]string{
	verbStart:  {"started", "stored", "state", "stored", "cancelled", "expired", "state"},
	verbReport: {"not_started", "started", "state", "already_ended", "cancelled", "expired", "state"},
	verbEnd:    {"not_started", "ended", "ended", "same", "cancelled", "expired", "same"},
	verbCancel: {"cancelled!", "cancelled!", "cancelled!", "already_ended", "stored", "expired", "state"},
	verbVoid:   {"state", "state", "state", "voided", "state", "state", "stored"},
	verbAmend:  {"state", "state", "state", "again", "state", "state", "state"},

	verbRematch: {"state", "state", "state", "created", "created", "created", "created"},
}

func TestEveryCellOfTheVerbStateTable(t *testing.T) {
	require.Len(t, law, len(cells))
	for v, row := range cells {
		require.Len(t, law[v], len(states))
		for i, state := range states {
			for _, same := range []bool{false, true} {
				to, replayed, err := move(v, Match{State: state}, same)
				got := string(to)
				var kind Kind
				switch {
				case errors.As(err, &kind):
					got = string(kind)
					assert.ErrorIs(t, err, ErrState, "every state kind is ErrState too")
				case replayed:
					got = "stored"
					assert.Equal(t, state, to)
				case v == verbCancel:
					got += "!" // the state, not the kind of that name
				}
				want := row[i]
				switch want {
				case "again":
					want = map[bool]string{true: "stored", false: "ended"}[same]
				case "same":
					want = map[bool]string{true: "stored", false: "already_ended"}[same]
				}
				assert.Equal(t, want, got, "%s in %s, same report %t", v, state, same)
			}
		}
	}
}

func TestAVerbThatTheTableDoesNotListIsRefused(t *testing.T) {
	_, _, err := move("explode", Match{State: Started}, false)
	assert.ErrorIs(t, err, ErrState)
	_, _, err = move(verbEnd, Match{State: "limbo"}, true)
	assert.ErrorIs(t, err, ErrState)
}

// scenario is a call of End with things wrong about it.
type scenario struct {
	engine   *Engine
	now      time.Time
	id       string
	outcomes []Outcome
	hook     bool
	unborn   bool // never started
}

// refusals are the reasons to refuse an End in the order in which they count.
var refusals = []struct {
	name  string
	kind  Kind
	apply func(s *scenario)
}{
	{"engine stopped", ErrUnavailable, func(s *scenario) { s.engine.Close() }},
	{"syntax", ErrInvalid, func(s *scenario) { s.outcomes = append(s.outcomes, Outcome{}) }},
	{"not found", ErrNotFound, func(s *scenario) { s.id = "nobody-made-this" }},
	{"what is due is done first", ErrExpired, func(s *scenario) { s.now = s.now.Add(2 * time.Hour) }},
	{"state", ErrNotStarted, func(s *scenario) { s.unborn = true }},
	{"duplicate player", ErrDuplicatePlayer, func(s *scenario) { s.outcomes = append(s.outcomes, Score("ann", 1)) }},
	{"unknown player", ErrUnknownPlayer, func(s *scenario) { s.outcomes = append(s.outcomes, Score("eve", 1)) }},
	{"outcome", ErrOutcome, func(s *scenario) { s.outcomes[1].Value = Decimal("1e400") }},
	{"Before hook", ErrRefused, func(s *scenario) { s.hook = true }},
}

func TestRefusalsComeInTheDocumentedOrder(t *testing.T) {
	for first := range refusals {
		for second := first; second < len(refusals); second++ {
			a, b := refusals[first], refusals[second]
			t.Run(fmt.Sprintf("%s before %s", a.name, b.name), func(t *testing.T) {
				s := &scenario{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), id: "m1",
					outcomes: []Outcome{Score("ann", 10), Score("bob", 8)}}
				mode := Mode{ID: "duel", ExpireCreated: time.Hour, ExpireStarted: time.Hour}
				ctx := context.Background()
				var err error
				s.engine, err = New(ctx, memory.New(), Rules{Modes: []Mode{mode}}, Options{
					Now: func() time.Time { return s.now },
					Hooks: Hooks{Before: func(_ context.Context, c *Call) error {
						if s.hook && c.Op == "end match" {
							return errors.New("the host says no")
						}
						return nil
					}},
				})
				require.NoError(t, err)
				defer s.engine.Close()
				// The state and the match are made before the call goes wrong in the other ways.
				if a.name == "state" || b.name == "state" {
					s.unborn = true
				}
				_, err = s.engine.Create(ctx, NewMatch{ID: "m1", Mode: "duel", Players: Players("ann", "bob")})
				require.NoError(t, err)
				if !s.unborn {
					_, err = s.engine.Start(ctx, "m1")
					require.NoError(t, err)
				}
				b.apply(s)
				if first != second {
					a.apply(s)
				}
				_, err = s.engine.End(ctx, s.id, s.outcomes...)
				require.Error(t, err)
				assert.ErrorIs(t, err, a.kind)
				var kind Kind
				require.ErrorAs(t, err, &kind)
				assert.Equal(t, a.kind, kind)
			})
		}
	}
}

func TestARefusedCallChangesNothing(t *testing.T) {
	ctx := context.Background()
	s := memory.New()
	e, err := New(ctx, s, Rules{Modes: []Mode{{ID: "duel"}}}, Options{})
	require.NoError(t, err)
	defer e.Close()
	_, err = e.Create(ctx, NewMatch{ID: "m1", Mode: "duel", Players: Players("ann", "bob")})
	require.NoError(t, err)
	_, err = e.Start(ctx, "m1")
	require.NoError(t, err)
	head, err := s.Head(ctx)
	require.NoError(t, err)
	for _, r := range refusals[5:8] {
		sc := &scenario{engine: e, outcomes: []Outcome{Score("ann", 10), Score("bob", 8)}}
		r.apply(sc)
		_, err := e.End(ctx, "m1", sc.outcomes...)
		require.ErrorIs(t, err, r.kind)
	}
	after, err := s.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, head, after)
	m, err := e.Match(ctx, "m1")
	require.NoError(t, err)
	assert.Equal(t, Started, m.State)
}

func TestTheRoundOfALabelIsItsLastRunOfDigits(t *testing.T) {
	for label, want := range map[string]int{"7": 7, "Matchday 7": 7, "Round 3 of 10": 10, "2x": 2, "R007": 7, "0": 0} {
		n, ok := roundNumber(label)
		assert.True(t, ok, label)
		assert.Equal(t, want, n, label)
	}
	for _, label := range []string{"", "final", "99999999999999999999"} {
		_, ok := roundNumber(label)
		assert.False(t, ok, label)
	}
}
