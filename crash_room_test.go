package finalbell_test

import (
	"context"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
	"github.com/stretchr/testify/require"
)

// Wherever the process ends while somebody joins or leaves a room, plays in it or is sent away, the room and the money are
// as before the call or as after it, and the call again makes them as after.
func TestTheProcessMayEndAtEveryWriteOfARoom(t *testing.T) {
	for _, x := range []struct {
		name    string
		before  []step
		later   time.Duration
		step    step
		commits int // at least
	}{
		{"open", nil, 0, opens("r1"), 1},
		{"join", []step{opens("r1")}, 0, joins("ann"), 1},
		{"join after the others were dismissed", []step{opens("r1"), joins("bob")}, time.Hour, joins("ann"), 2},
		{"leave", []step{opens("r1"), joins("ann"), joins("bob")}, 0, leaves("ann"), 1},
		{"create", []step{opens("r1"), joins("ann"), joins("bob")}, 0, seats("m3"), 1},
		{"create after the last match expired", []step{opens("r1"), joins("ann"), seats("m3")}, 2 * time.Hour, seats("m4"), 2},
		{"cancel", []step{opens("r1"), joins("ann"), seats("m3")}, 0, cancels("m3"), 1},
		{"end", []step{opens("r1"), joins("ann"), joins("bob"), seats("m3")}, 0, endsDuel("m3"), 1},
		{"rematch", []step{opens("r1"), joins("ann"), joins("bob"), seats("m3"), endsDuel("m3")}, 0, rematches("m3", "m4"), 1},
		{"dismiss", []step{opens("r1"), joins("ann"), joins("bob")}, 0, dismisses(), 1},
		{"close", []step{opens("r1"), joins("ann"), joins("bob")}, 0, closes(), 1},
		{"deadline", []step{opens("r1"), joins("ann"), joins("bob")}, time.Hour, ticks(), 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			for writes := 0; ; writes++ {
				hit := false
				for _, written := range []bool{false, true} {
					c := newRoomCrash(t)
					for _, s := range x.before {
						c.doing(s)
					}
					c.clock.Advance(x.later)
					hit = c.endsInRoom(x.step, writes, written) || hit
				}
				if !hit {
					require.GreaterOrEqual(t, writes, x.commits)
					return
				}
			}
		})
	}
}

// newRoomCrash has players with money and no rooms.
func newRoomCrash(t *testing.T) *crash {
	rules := cupRules()
	rules.Modes[0].ExpireCreated = time.Hour
	m := &machine{rules: rules, clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), failing: &failing{data: memory.New()}}
	m.model = finalbelltest.NewModel(m.rules, m.clock.Now)
	c := &crash{m, t}
	c.reopen()
	t.Cleanup(func() { _ = c.engine.Close() })
	for _, player := range []string{"ann", "bob"} {
		c.both(paying("credit", finalbell.Money{Player: player, Currency: "coins", Amount: 50, Key: "to " + player}))
	}
	return c
}

// endsInRoom is ends for calls that touch a room, of which due things come first.
func (c *crash) endsInRoom(s step, writes int, written bool) bool {
	t := c.t
	due := c.model.Clone()
	_, _ = due.Leave("r1", "nobody")
	states := []*finalbelltest.Model{c.model.Clone(), due, c.model}
	c.failing.arm("Commit", writes, faulty.Fault{Stop: true, Done: written})
	err := s.engine(c.engine)
	require.NoError(t, s.model(c.model))
	hit := c.failing.hit()
	c.failing.disarm()
	if hit {
		require.Error(t, err)
		c.reopen()
		c.checkBooks(t, c.failing.data)
		whole := false
		for _, state := range states {
			whole = whole || state.DiffMoney(c.engine) == ""
		}
		require.True(t, whole, "half done: %s", c.model.DiffMoney(c.engine))
		err = s.engine(c.engine)
	}
	require.NoError(t, err)
	c.doing(ticks())
	c.same()
	c.checkBooks(t, c.failing.data)
	found, err := c.engine.Verify(context.Background())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	return hit
}

func both[T any](engine func(*finalbell.Engine) (T, error), model func(*finalbelltest.Model) (T, error)) step {
	return step{
		func(e *finalbell.Engine) error { _, err := engine(e); return err },
		func(m *finalbelltest.Model) error { _, err := model(m); return err },
	}
}

func opens(id string) step {
	n := finalbell.NewRoom{ID: id, Mode: "cup", Wait: time.Hour}
	return both(func(e *finalbell.Engine) (finalbell.Room, error) { return e.OpenRoom(context.Background(), n) },
		func(m *finalbelltest.Model) (finalbell.Room, error) { return m.OpenRoom(n) })
}

func joins(player string) step {
	p := finalbell.Participant{Player: player}
	return both(func(e *finalbell.Engine) (finalbell.Room, error) { return e.Join(context.Background(), "r1", p) },
		func(m *finalbelltest.Model) (finalbell.Room, error) { return m.Join("r1", p) })
}

func leaves(player string) step {
	return both(func(e *finalbell.Engine) (finalbell.Room, error) { return e.Leave(context.Background(), "r1", player) },
		func(m *finalbelltest.Model) (finalbell.Room, error) { return m.Leave("r1", player) })
}

func dismisses() step {
	return both(func(e *finalbell.Engine) (finalbell.Room, error) { return e.Dismiss(context.Background(), "r1", "") },
		func(m *finalbelltest.Model) (finalbell.Room, error) { return m.Dismiss("r1", "") })
}

func closes() step {
	return both(func(e *finalbell.Engine) (finalbell.Room, error) { return e.CloseRoom(context.Background(), "r1", "") },
		func(m *finalbelltest.Model) (finalbell.Room, error) { return m.CloseRoom("r1", "") })
}

func seats(id string) step {
	n := finalbell.NewMatch{ID: id, Room: "r1"}
	return both(func(e *finalbell.Engine) (finalbell.Match, error) { return e.Create(context.Background(), n) },
		func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Create(n) })
}

func rematches(id, next string) step {
	return both(func(e *finalbell.Engine) (finalbell.Match, error) { return e.Rematch(context.Background(), id, next) },
		func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Rematch(id, next) })
}

func cancels(id string) step {
	return both(func(e *finalbell.Engine) (finalbell.Match, error) { return e.Cancel(context.Background(), id, "") },
		func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Cancel(id, "") })
}

func endsDuel(id string) step {
	outcomes := []finalbell.Outcome{finalbell.Score("ann", 2), finalbell.Score("bob", 1)}
	return both(func(e *finalbell.Engine) (finalbell.Match, error) {
		return e.End(context.Background(), id, outcomes...)
	},
		func(m *finalbelltest.Model) (finalbell.Match, error) { return m.End(id, outcomes...) })
}
