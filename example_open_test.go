//go:build !js && !finalbell_nosqlite

package finalbell_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/finalbell/finalbell"
)

func Example() {
	defer inTempDir()() // for game.db
	ctx := context.Background()
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "duel", Boards: []string{"ladder"}}}, // higher wins, 1-2-2-4, missing = dnf: the zero value is right
		Boards: []finalbell.BoardRule{{ID: "ladder", Keys: []finalbell.Key{{Metric: "wins"}}}},
	}
	e, err := finalbell.Open(ctx, "game.db", rules, finalbell.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	m, err := e.Create(ctx, finalbell.NewMatch{Mode: "duel", Players: finalbell.Players("ann", "bob")})
	if err == nil {
		m, err = e.Start(ctx, m.ID)
	}
	if err == nil {
		m, err = e.End(ctx, m.ID, finalbell.Score("ann", 10), finalbell.Score("bob", 8))
	}
	if err != nil {
		log.Fatal(err) // errors.Is(err, finalbell.ErrNotStarted)…
	}
	for _, s := range m.Standings {
		fmt.Println(s.Rank, s.Player, s.Result, s.Boards[0].Rank)
	}
	page, err := e.Board("ladder").Top(ctx, 10)
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range page.Entries {
		fmt.Println(line.Rank, line.Player, line.Values[0].Number)
	}
	// Output:
	// 1 ann win 1
	// 2 bob loss 2
	// 1 ann 1
	// 2 bob 0
}

// inTempDir makes an empty directory the working directory, until the function that it returns is called.
func inTempDir() (leave func()) {
	was, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "finalbell")
	if err == nil {
		err = os.Chdir(dir)
	}
	if err != nil {
		log.Fatal(err)
	}
	return func() {
		if err := os.Chdir(was); err != nil {
			log.Fatal(err)
		}
		os.RemoveAll(dir)
	}
}
