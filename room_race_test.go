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
	"github.com/stretchr/testify/require"
)

// What happens to a room while a match in it is decided is seen: a Before hook, which holds nothing, is asked again, about the
// match as it would be now.
func TestAMatchInARoomIsDecidedAgainWhenTheRoomHasMovedOn(t *testing.T) {
	ctx := t.Context()
	for name, x := range map[string]struct {
		meanwhile func(t *testing.T, e *finalbell.Engine)
		asked     [][]string
		kind      finalbell.Kind
	}{
		"somebody joins":     {func(t *testing.T, e *finalbell.Engine) { joinsRoom(t, e, "cat") }, [][]string{{"ann", "bob"}, {"ann", "bob", "cat"}}, ""},
		"nothing happens":    {func(*testing.T, *finalbell.Engine) {}, [][]string{{"ann", "bob"}}, ""},
		"everybody is gone":  {func(t *testing.T, e *finalbell.Engine) { _, err := e.Dismiss(ctx, "r1", ""); require.NoError(t, err) }, [][]string{{"ann", "bob"}}, finalbell.ErrPlayers},
		"the room is closed": {func(t *testing.T, e *finalbell.Engine) { _, err := e.CloseRoom(ctx, "r1", ""); require.NoError(t, err) }, [][]string{{"ann", "bob"}}, finalbell.ErrState},
	} {
		t.Run(name, func(t *testing.T) {
			var asked [][]string
			var game *finalbelltest.Game
			game = finalbelltest.New(t, entry("coins", 10), func(o *finalbell.Options) {
				o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
					var players []string
					for _, s := range c.Match.Standings {
						players = append(players, s.Player)
					}
					if asked = append(asked, players); len(asked) == 1 {
						x.meanwhile(t, game.Engine)
					}
					return nil
				}
			})
			_, err := game.Engine.OpenRoom(ctx, finalbell.NewRoom{ID: "r1", Mode: "duel"})
			require.NoError(t, err)
			for _, player := range []string{"ann", "bob", "cat"} {
				_, err := game.Engine.Credit(ctx, finalbell.Money{Player: player, Currency: "coins", Amount: 10})
				require.NoError(t, err)
			}
			joinsRoom(t, game.Engine, "ann")
			joinsRoom(t, game.Engine, "bob")
			_, err = game.Engine.Create(ctx, finalbell.NewMatch{ID: "m1", Room: "r1"})
			require.Equal(t, x.kind, finalbelltest.KindOf(err), "%v", err)
			require.Equal(t, x.asked, asked)
			requireSound(t, game.Engine)
		})
	}
}

func joinsRoom(t *testing.T, e *finalbell.Engine, player string) {
	t.Helper()
	_, err := e.Join(t.Context(), "r1", finalbell.Participant{Player: player})
	require.NoError(t, err)
}

// gated is a store of which each commit waits for a token.
type gated struct {
	*memory.Store
	gate chan struct{}
}

func (g gated) Commit(ctx context.Context, b store.Batch) error {
	<-g.gate
	return g.Store.Commit(ctx, b)
}

// A match whose room is opened while it waits for its turn does not slip in beside the room.
func TestAMatchDoesNotSlipIntoARoomThatIsBeingOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gated{memory.New(), make(chan struct{})}
		now := time.Now()
		e, err := finalbell.New(t.Context(), s, entry("coins", 10), finalbell.Options{Now: func() time.Time { return now }})
		require.NoError(t, err)
		var credited, created, opened error
		go func() {
			_, credited = e.Credit(t.Context(), finalbell.Money{Player: "ann", Currency: "coins", Amount: 10, Key: "gift"})
		}()
		synctest.Wait() // ann is reserved
		go func() {
			_, created = e.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "duel", Room: "hall", Players: finalbell.Players("ann")})
		}()
		synctest.Wait() // nobody has opened the room yet
		go func() { _, opened = e.OpenRoom(t.Context(), finalbell.NewRoom{ID: "hall", Mode: "duel"}) }()
		synctest.Wait()
		s.gate <- struct{}{} // the gift; the match goes on while the room is being written
		synctest.Wait()
		close(s.gate)
		synctest.Wait()
		require.NoError(t, credited)
		require.NoError(t, opened)
		require.ErrorIs(t, created, finalbell.ErrUnknownPlayer)
		requireSound(t, e)
		require.NoError(t, e.Close())
	})
}
