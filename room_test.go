package finalbell_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/stretchr/testify/require"
)

func entry(currency string, amount int64) finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "coins"}, {ID: "gems"}},
		Modes:      []finalbell.Mode{{ID: "duel", AutoStart: true, Fee: &finalbell.Fee{Currency: currency, Amount: amount}}},
	}
}

// waiting is a game in which ann and bob, who have 100 of each currency, are in a room, at a fee of 10 coins.
func waiting(t *testing.T) *finalbelltest.Game {
	game := finalbelltest.New(t, entry("coins", 10))
	_, err := game.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "r1", Mode: "duel", Wait: time.Hour})
	require.NoError(t, err)
	for _, player := range []string{"ann", "bob"} {
		for _, currency := range []string{"coins", "gems"} {
			_, err = game.Engine.Credit(t.Context(), finalbell.Money{Player: player, Currency: currency, Amount: 100})
			require.NoError(t, err)
		}
		_, err = game.Engine.Join(t.Context(), "r1", finalbell.Participant{Player: player})
		require.NoError(t, err)
	}
	return game
}

func requireWallet(t *testing.T, e *finalbell.Engine, player string, coins, gems, heldCoins, heldGems int64) {
	t.Helper()
	w, err := e.Wallet(t.Context(), player)
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"coins": coins, "gems": gems}, w.Balances)
	require.Equal(t, map[string]int64{"coins": heldCoins, "gems": heldGems}, w.Held)
}

func requireSound(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	found, err := e.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}

// A fee that was changed while members waited holds from the next match on: they have back what the room held, in its
// currency, and the new one is held of them.
func TestAFeeThatChangedWhileMembersWaitedIsHeldAnew(t *testing.T) {
	for name, x := range map[string]struct {
		rules                       finalbell.Rules
		coins, gems, heldC, heldG   int64 // in the match
		coinsAfter, gemsAfter, held int64 // of bob, who leaves before it
	}{
		"less":           {entry("coins", 4), 96, 100, 4, 0, 100, 100, 4},
		"more":           {entry("coins", 100), 0, 100, 100, 0, 100, 100, 100},
		"too much":       {entry("coins", 101), 100, 100, 0, 0, 100, 100, 0},
		"other currency": {entry("gems", 10), 100, 90, 0, 10, 100, 100, 10},
	} {
		t.Run(name, func(t *testing.T) {
			game := waiting(t)
			game.Rules = x.rules
			game.Reopen(t)
			_, err := game.Engine.Leave(t.Context(), "r1", "bob")
			require.NoError(t, err)
			requireWallet(t, game.Engine, "bob", x.coinsAfter, x.gemsAfter, 0, 0)
			requireSound(t, game.Engine)
			m, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Room: "r1"})
			require.NoError(t, err)
			require.Equal(t, x.held, m.Standings[0].Held)
			requireWallet(t, game.Engine, "ann", x.coins, x.gems, x.heldC, x.heldG)
			requireSound(t, game.Engine)
		})
	}
}

// A fee that was done away with while members waited is given back to who plays, and to who leaves.
func TestAFeeThatIsNoMoreIsGivenBack(t *testing.T) {
	game := waiting(t)
	game.Rules = entry("coins", 10)
	game.Rules.Modes[0].Fee = nil
	game.Reopen(t)
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Room: "r1", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	requireWallet(t, game.Engine, "ann", 100, 100, 0, 0)
	requireWallet(t, game.Engine, "bob", 90, 100, 10, 0)
	requireSound(t, game.Engine)
	_, err = game.Engine.End(t.Context(), "m1", finalbell.Score("ann", 1))
	require.NoError(t, err)
	_, err = game.Engine.CloseRoom(t.Context(), "r1", "")
	require.NoError(t, err)
	requireWallet(t, game.Engine, "bob", 100, 100, 0, 0)
	requireSound(t, game.Engine)
}

// Verify names a room that is not what its matches and the ledger make of it.
func TestVerifyNamesARoomThatIsWrong(t *testing.T) {
	for name, x := range map[string]struct {
		damage func(r *store.Room)
		kind   string
	}{
		"a match that is not there":     {func(r *store.Room) { r.Match, r.Deadline = "m9", time.Time{} }, "room"},
		"a match that is over":          {func(r *store.Room) { r.Match, r.Deadline = "m1", time.Time{} }, "room"},
		"a match too many":              {func(r *store.Room) { r.Matches++ }, "room"},
		"a deadline of nobody":          {func(r *store.Room) { r.Members, r.Deadline = nil, r.OpenedAt.Add(time.Hour) }, "room"},
		"a member twice":                {func(r *store.Room) { r.Members = append(r.Members[:2:2], r.Members[1]) }, "room"},
		"a member in a closed room":     {func(r *store.Room) { r.State = "closed" }, "room"},
		"a hold of less than is held":   {func(r *store.Room) { r.Members = append([]store.Member{{Player: "ann"}}, r.Members[1]) }, "account"},
		"a hold of more than is held":   {func(r *store.Room) { r.Members = append(r.Members[:1:1], store.Member{Player: "bob", Held: 11}) }, "account"},
		"a hold of who has none at all": {func(r *store.Room) { r.Members = append(r.Members[:2:2], store.Member{Player: "cid", Held: 1}) }, "account"},
	} {
		t.Run(name, func(t *testing.T) {
			game := waiting(t)
			e := game.Engine
			_, err := e.Create(t.Context(), finalbell.NewMatch{ID: "m1", Room: "r1"})
			require.NoError(t, err)
			_, err = e.End(t.Context(), "m1", finalbell.Score("ann", 1))
			require.NoError(t, err)
			for _, player := range []string{"ann", "bob"} {
				_, err = e.Leave(t.Context(), "r1", player)
				require.NoError(t, err)
				_, err = e.Join(t.Context(), "r1", finalbell.Participant{Player: player})
				require.NoError(t, err)
			}
			requireSound(t, e)
			for r, err := range game.Store.Rooms(t.Context(), store.RoomQuery{ID: "r1"}) {
				require.NoError(t, err)
				x.damage(&r)
				r.Version++
				head, err := game.Store.Head(t.Context())
				require.NoError(t, err)
				require.NoError(t, game.Store.Commit(t.Context(), store.Batch{Commits: []store.Commit{{
					Key: "forged", Position: head.Position + 1, At: head.At, Kind: "forged", Records: []store.Record{r}}}}))
			}
			found, err := e.Verify(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, found.Problems)
			require.Equal(t, x.kind, found.Problems[0].Kind, "%+v", found.Problems)
		})
	}
}

// However many join, leave and play at once, everybody gets an answer, and rooms do not wait for each other's stores.
func TestManyPlayersInManyRooms(t *testing.T) {
	rules := entry("coins", 1)
	game := finalbelltest.New(t, rules)
	e := game.Engine
	ctx := context.Background()
	var players sync.WaitGroup
	for room := range 4 {
		id := "r" + strconv.Itoa(room)
		_, err := e.OpenRoom(ctx, finalbell.NewRoom{ID: id, Mode: "duel"})
		require.NoError(t, err)
		for n := range 24 {
			player := "p" + strconv.Itoa(n) // in every room at once
			_, err := e.Credit(ctx, finalbell.Money{Player: player, Currency: "coins", Amount: 10, Key: player + " in " + id})
			require.NoError(t, err)
			players.Go(func() {
				_, err := e.Join(ctx, id, finalbell.Participant{Player: player})
				require.NoError(t, err)
			})
		}
	}
	players.Wait()
	for room := range 4 {
		r, err := e.Room(ctx, "r"+strconv.Itoa(room))
		require.NoError(t, err)
		require.Len(t, r.Members, 24)
		players.Go(func() {
			_, err := e.Create(ctx, finalbell.NewMatch{ID: "m-" + r.ID, Room: r.ID})
			require.NoError(t, err)
		})
	}
	players.Wait()
	requireSound(t, e)
}

// A hook is asked about a rematch as about any match that is to be, and the event says which match it follows.
func TestARematchIsAMatchToHooksAndEvents(t *testing.T) {
	var ops []string
	game := finalbelltest.New(t, entry("coins", 10), func(o *finalbell.Options) {
		o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
			ops = append(ops, c.Op+" "+c.Match.ID)
			c.Data["asked"] = "yes"
			return nil
		}
		o.Hooks.Reply = func(_ context.Context, c finalbell.Call, _ map[string]string) { ops = append(ops, "reply to "+c.Op) }
	})
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "duel", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = game.Engine.Cancel(t.Context(), "m1", "")
	require.NoError(t, err)
	ops = nil
	m, err := game.Engine.Rematch(t.Context(), "m1", "m2")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"asked": "yes"}, m.Data)
	require.Equal(t, []string{"rematch m2", "reply to rematch"}, ops)
	var last store.Event
	for event, err := range game.Store.Events(t.Context(), 0) {
		require.NoError(t, err)
		last = event
	}
	require.Equal(t, "match_created", last.Kind)
	require.JSONEq(t, `{"rematch":"m1"}`, string(last.Body))
}
