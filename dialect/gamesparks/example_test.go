package gamesparks_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/store/memory"
)

// A host mounts the server, adds a script, and sends a request of its own.
func Example() {
	ctx := context.Background()
	engine, err := finalbell.New(ctx, memory.New(), finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "hill", Boards: []string{"HIGH_SCORE"}}},
		Boards: []finalbell.BoardRule{{ID: "HIGH_SCORE", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}}},
	}, finalbell.Options{Now: func() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }})
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := gamesparks.NewAccounts(gamesparks.AccountOptions{})
	if err != nil {
		log.Fatal(err)
	}
	access, err := dialect.NewAccess(dialect.Config{Player: accounts.Player})
	if err != nil {
		log.Fatal(err)
	}
	server, err := gamesparks.New(engine, gamesparks.Options{
		APIKey: "demo", Secret: "of the game", Access: access, Accounts: accounts,
		Response: func(_ context.Context, s *gamesparks.Script) error {
			if s.Class == ".LogEventRequest" {
				s.ScriptData["thanks"] = s.Request["SCORE"]
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/gamesparks/", http.StripPrefix("/gamesparks", server))

	fmt.Println(string(server.Do(ctx, "ann", []byte(`{"@class":".LogEventRequest","eventKey":"HILL","SCORE":12}`))))
	fmt.Println(string(server.Do(ctx, "ann", []byte(`{"@class":".LeaderboardDataRequest","leaderboardShortCode":"HIGH_SCORE","entryCount":3}`))))
	fmt.Println(server.Shutdown(ctx), engine.Close())
	// Output:
	// {"@class":".LogEventResponse","scriptData":{"thanks":12}}
	// {"@class":".LeaderboardDataResponse","data":[{"SCORE":12,"rank":1,"userId":"ann","userName":"","when":"2026-03-02T09:30Z"}],"leaderboardShortCode":"HIGH_SCORE","scriptData":{}}
	// <nil> <nil>
}
