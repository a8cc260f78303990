package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// keptPlayers are the records that a database of the fourth schema has beside those of the third.
func keptPlayers() []store.Record {
	at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	told := []store.Attribute{{Name: "os", Value: "\\ \"6\" 日本"}}
	return []store.Record{
		store.Session{ID: "over", Version: 1, Player: "ann", Device: "phone", StartedAt: at, SeenAt: at.Add(time.Minute), EndedAt: at.Add(time.Hour), Reason: "idle", Data: told},
		store.Session{ID: "open", Version: 1, Player: "日本", StartedAt: at.Add(time.Hour), SeenAt: at.Add(2 * time.Hour), Attributes: told},
		store.Room{ID: "hall", Version: 1, Mode: "fun", State: "closed", Min: 2, Max: 8, Wait: 90 * time.Second, OpenedAt: at, ClosedAt: at.Add(time.Hour),
			Deadline: at.Add(time.Minute), Matches: 2, Reason: "empty", Attributes: told, Members: []store.Member{
				{Player: "çağla", Team: "red", JoinedAt: at, Attributes: told}, {Player: "new \"here\"", Bot: true, JoinedAt: at.Add(time.Second)},
			}},
	}
}

// writePlayers adds to a database of the third kind what players do over time.
func writePlayers(t *testing.T, path string) {
	writeMoney(t, path)
	ctx := context.Background()
	s := open(t, path)
	defer s.Close()
	head, err := s.Head(ctx)
	require.NoError(t, err)
	c := store.Commit{Key: "kept players", Position: head.Position + 1, At: head.At, Kind: "kept", Records: keptPlayers()}
	require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
}

func TestTheKeptPlayersAreThereAsTheyWereWritten(t *testing.T) {
	ctx := context.Background()
	s, err := sqlite.View(ctx, copyDatabase(t, databasesDir+"/schema-0004.db"))
	require.NoError(t, err)
	defer s.Close()
	var got []store.Record
	for r, err := range s.Sessions(ctx, store.SessionQuery{}) {
		require.NoError(t, err)
		got = append(got, r)
	}
	for r, err := range s.Rooms(ctx, store.RoomQuery{}) {
		require.NoError(t, err)
		got = append(got, r)
	}
	require.Equal(t, keptPlayers(), got)
}
