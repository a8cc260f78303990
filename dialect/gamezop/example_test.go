package gamezop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamezop"
	"github.com/finalbell/finalbell/store/memory"
)

// A publisher mounts the handler under a prefix, and gives Gamezop the address and the token.
func ExampleHandler() {
	ctx := context.Background()
	rules := finalbell.Rules{Modes: []finalbell.Mode{{ID: "snake", Ranks: finalbell.AcceptRanks}}}
	e, err := finalbell.New(ctx, memory.New(), rules, finalbell.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	access, err := dialect.NewAccess(dialect.Config{})
	if err != nil {
		panic(err)
	}
	token := dialect.NewSecret()
	h, err := gamezop.Handler(e, gamezop.Options{Access: access, Bearer: dialect.DigestOf(token), Mode: "snake"})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/gamezop/", http.StripPrefix("/gamezop", h))

	r := httptest.NewRequest("POST", "/gamezop/games/create-match", strings.NewReader(`{"room_id":"ABC01","status":"NO_MATCH_FOUND","players":["ann"]}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 {"success":true,"match_id":""}
}

// Who runs the matches pushes the winners, from the engine's outbox.
func ExampleNewPublisher() {
	p, err := gamezop.NewPublisher(gamezop.PublisherOptions{URL: "https://api.publisher-xyz.com/games/receive-winners", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
	if err != nil {
		panic(err)
	}
	e, err := finalbell.New(context.Background(), memory.New(), finalbell.Rules{}, finalbell.Options{Hooks: finalbell.Hooks{After: p.After}})
	fmt.Println(err)
	defer e.Close()
	// Output: <nil>
}

func ExampleParseRoomDetails() {
	link := gamezop.RoomDetails{RoomID: "ABC01", User: gamezop.User{Name: "Ann", Sub: "ann"}, MaxPlayers: 2, MaxWait: 60}.Encode()
	d, err := gamezop.ParseRoomDetails(link)
	room := d.Room("snake") // for Engine.OpenRoom
	fmt.Println(d.User.Sub, room.ID, room.Players.Max, room.Wait, err)
	// Output: ann ABC01 2 1m0s <nil>
}
