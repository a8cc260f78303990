package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/api"
	"github.com/finalbell/finalbell/store/memory"
)

// A host mounts the calls under a path of its own.
func Example() {
	e, err := finalbell.New(context.Background(), memory.New(), finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}, finalbell.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	access, err := dialect.NewAccess(dialect.Config{Keys: []dialect.Key{{Name: "prod", Digest: dialect.DigestOf("a secret of 256 random bits")}}})
	if err != nil {
		panic(err)
	}
	calls, err := api.Handler(e, api.Options{Access: access})
	if err != nil {
		panic(err)
	}
	routes := http.NewServeMux()
	routes.Handle("/calls/", http.StripPrefix("/calls", calls))
	server := httptest.NewServer(routes)
	defer server.Close()

	r, _ := http.NewRequest(http.MethodPost, server.URL+"/calls/", strings.NewReader(`{"wallet":"ann"}`))
	r.Header.Set("Authorization", "Bearer a secret of 256 random bits")
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer reply.Body.Close()
	text, _ := io.ReadAll(reply.Body)
	fmt.Print(reply.Status, " ", string(text))
	// Output: 200 OK {"ok":{"balances":{},"held":{}}}
}
