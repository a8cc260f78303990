package specter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/specter"
	"github.com/finalbell/finalbell/store/memory"
)

// A game's backend mounts the handler under a path of its own.
func ExampleHandler() {
	rules := finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}
	newID := func() string { return "m1" }
	engine, err := finalbell.New(context.Background(), memory.New(), rules, finalbell.Options{NewID: newID, Hooks: finalbell.Hooks{Before: specter.Keep}})
	if err != nil {
		panic(err)
	}
	defer engine.Close()
	access, err := dialect.NewAccess(dialect.Config{
		Keys:   []dialect.Key{{Name: "game", Digest: dialect.DigestOf("the key in the game"), Client: true}},
		Tokens: []dialect.Token{{Player: "ann", Digest: dialect.DigestOf("the token of ann")}},
	})
	if err != nil {
		panic(err)
	}
	handler, err := specter.Handler(engine, specter.Options{Access: access, PlayersMayEnd: true, KeepsParams: true})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/specter/", http.StripPrefix("/specter", handler))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, call := range [][2]string{
		{"start-session", `{"matchId":"duel"}`},
		{"end-session", `{"sessionId":"m1","score":5000}`},
	} {
		r, _ := http.NewRequest(http.MethodPost, server.URL+"/specter/v2/client/matches/"+call[0], strings.NewReader(call[1]))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("api-key", "the key in the game")
		r.Header.Set("Authorization", "Bearer the token of ann")
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(reply.Body)
		_ = reply.Body.Close()
		fmt.Println(reply.Status, string(body))
	}
	// Output:
	// 201 Created {"status":"success","code":201,"message":"Successfully started match session","errors":[],"data":{"matchSessionId":"m1"}}
	//
	// 200 OK {"status":"success","code":200,"message":"Successfully ended match session","errors":[],"data":{"matchSessionId":"m1"}}
}
