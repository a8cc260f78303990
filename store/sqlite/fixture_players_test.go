package sqlite_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// keptPlayerRules are those of the fourth schema: beside all of the third, sessions that end, and mean something for who is
// in a duel.
func keptPlayerRules() finalbell.Rules {
	rules := keptMoneyRules()
	rules.Sessions = finalbell.SessionRule{IdleAfter: 10 * time.Minute, ReconnectWithin: 30 * time.Second, Devices: finalbell.ManyDevices}
	for i := range rules.Modes {
		if rules.Modes[i].ID == "duel" {
			rules.Modes[i].OnSessionEnd = finalbell.ForfeitSeat
		}
	}
	return rules
}

// writePlayers adds to a database of the third kind what players do over time: sessions that ended, that went idle and that
// go on, one that ended in the middle of a duel, rooms with and without members and matches, a rematch, and one who is
// forgotten.
func writePlayers(t *testing.T, path string) {
	writeMoney(t, path)
	ctx := context.Background()
	clock := finalbelltest.NewClock(time.Date(2026, 3, 6, 13, 0, 0, 0, time.UTC))
	next := 0
	e, err := finalbell.Open(ctx, path, keptPlayerRules(), finalbell.Options{Now: clock.Now, MustExist: true, NewID: func() string {
		next++
		return fmt.Sprint("made-", next)
	}})
	require.NoError(t, err)
	defer e.Close()
	for _, s := range []finalbell.NewSession{
		{ID: "s1", Player: "ann", Device: "phone"}, {ID: "s2", Player: "ann", Device: "tablet \"6\""},
		{ID: "s3", Player: "日本", Attributes: map[string]string{"os": "\\ 日本"}}, {ID: "s4", Player: "gone"},
	} {
		_, err := e.StartSession(ctx, s)
		require.NoError(t, err)
	}
	clock.Advance(5 * time.Minute)
	_, err = e.EndSession(ctx, "ann", "phone")
	require.NoError(t, err)
	_, err = e.EndSession(ctx, "日本", "") // in the middle of "in the pot"
	require.NoError(t, err)
	_, err = e.EndSession(ctx, "gone", "")
	require.NoError(t, err)
	for _, r := range []finalbell.NewRoom{
		{ID: "hall", Mode: "fun", Players: finalbell.Limits{Min: 2, Max: 4}, Wait: 90 * time.Second, Attributes: map[string]string{"skill": "\\ low"}},
		{ID: "duels", Mode: "duel"}, {ID: "over", Mode: "fun"},
	} {
		_, err := e.OpenRoom(ctx, r)
		require.NoError(t, err)
	}
	join := func(room string, p finalbell.Participant) {
		_, err := e.Join(ctx, room, p)
		require.NoError(t, err)
	}
	join("hall", finalbell.Participant{Player: "çağla", Attributes: map[string]string{"land": "tr"}})
	join("hall", finalbell.Participant{Player: "a bot", Bot: true})
	join("duels", finalbell.Participant{Player: "bob"})
	join("duels", finalbell.Participant{Player: "çağla"})
	_, err = e.Create(ctx, finalbell.NewMatch{ID: "friendly", Room: "hall"})
	require.NoError(t, err)
	_, err = e.Start(ctx, "friendly")
	require.NoError(t, err)
	_, err = e.End(ctx, "friendly", finalbell.Score("çağla", 3), finalbell.Score("a bot", 9))
	require.NoError(t, err)
	_, err = e.Rematch(ctx, "friendly", "again")
	require.NoError(t, err)
	_, err = e.CloseRoom(ctx, "over", "nobody came")
	require.NoError(t, err)
	m, err := e.Create(ctx, finalbell.NewMatch{ID: "with one who is gone", Mode: "fun", Players: finalbell.Players("gone", "ann")})
	require.NoError(t, err)
	_, err = e.Start(ctx, m.ID)
	require.NoError(t, err)
	_, err = e.End(ctx, m.ID, finalbell.Score("gone", 1))
	require.NoError(t, err)
	_, err = e.Forget(ctx, "gone")
	require.NoError(t, err)
	clock.Advance(time.Hour) // the tablet is idle
	_, err = e.Tick(ctx)
	require.NoError(t, err)
	_, err = e.StartSession(ctx, finalbell.NewSession{ID: "s5", Player: "ann"})
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

// playPlayersOn plays on in it.
func playPlayersOn(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	ctx := context.Background()
	playMoneyOn(t, e)
	_, err := e.Create(ctx, finalbell.NewMatch{ID: "from the room", Room: "duels"})
	require.NoError(t, err)
	_, err = e.Start(ctx, "from the room")
	require.NoError(t, err)
	_, err = e.End(ctx, "from the room", finalbell.Score("bob", 1), finalbell.Score("çağla", 2))
	require.NoError(t, err)
	_, err = e.StartSession(ctx, finalbell.NewSession{ID: "s6", Player: "çağla"})
	require.NoError(t, err)
	_, err = e.Dismiss(ctx, "duels", "nobody there")
	require.NoError(t, err)
}

// playerContents is what an engine says of everything, players and rooms too.
func playerContents(e *finalbell.Engine) (string, error) {
	text, err := moneyContents(e)
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	var b strings.Builder
	b.WriteString(text)
	write := func(v interface{ MarshalJSON() ([]byte, error) }) error {
		line, err := v.MarshalJSON()
		fmt.Fprintf(&b, "%s\n", line)
		return err
	}
	for s, err := range e.Sessions(ctx, finalbell.SessionFilter{}) {
		if err == nil {
			err = write(s)
		}
		if err != nil {
			return "", err
		}
	}
	for r, err := range e.Rooms(ctx, finalbell.RoomFilter{}) {
		if err == nil {
			err = write(r)
		}
		if err != nil {
			return "", err
		}
	}
	for _, player := range []string{"ann", "bob", "日本", "çağla", "forgotten-made-1"} {
		p, err := e.Player(ctx, player)
		if err == nil {
			err = write(p)
		}
		if err != nil {
			return "", err
		}
		for row, err := range e.History(ctx, finalbell.HistoryFilter{Player: player}) {
			if err == nil {
				err = write(row)
			}
			if err != nil {
				return "", err
			}
		}
	}
	return b.String(), nil
}
