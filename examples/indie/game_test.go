package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

const hostKey = "secret"

// game is the backend on a clock that the test moves.
type game struct {
	t       *testing.T
	backend *backend
	handler http.Handler
	clock   *finalbelltest.Clock
	db      string
}

// newGame opens a backend on new files, on a Monday at nine.
func newGame(t *testing.T) *game {
	t.Helper()
	g := &game{t: t, clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), db: filepath.Join(t.TempDir(), "game.db")}
	g.open(hostKey)
	t.Cleanup(func() { _ = g.backend.Close() }) // whoever failed on it has said so
	return g
}

func (g *game) open(key string) {
	g.t.Helper()
	b, err := open(g.t.Context(), g.db, key, slog.New(slog.DiscardHandler), finalbell.Options{Now: g.clock.Now})
	require.NoError(g.t, err)
	g.backend, g.handler = b, b.routes()
}

// send sends a request, and then does what is due, as the engine itself does where the clock is the system's.
func (g *game) send(r *http.Request) (status int, answer string) {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	require.Equal(g.t, "application/json", w.Header().Get("Content-Type"), w.Body)
	g.tick()
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n")
}

func (g *game) tick() {
	g.t.Helper()
	_, err := g.backend.engine.Tick(g.t.Context())
	require.NoError(g.t, err)
}

// ask sends a request as the host.
func (g *game) ask(method, path, body string) (status int, answer string) {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Host-Key", hostKey)
	return g.send(r)
}

// does asks for what must go well.
func (g *game) does(method, path, body string) string {
	g.t.Helper()
	status, answer := g.ask(method, path, body)
	require.Equal(g.t, http.StatusOK, status, answer)
	return answer
}

// refuses asks for what must be refused, and returns whom the refusal names.
func (g *game) refuses(status int, kind, method, path, body string) []string {
	g.t.Helper()
	got, answer := g.ask(method, path, body)
	require.Equal(g.t, status, got, answer)
	var refusal struct {
		Error struct {
			Kind, Message string
			IDs           []string
		}
	}
	require.NoError(g.t, json.Unmarshal([]byte(answer), &refusal))
	require.Equal(g.t, kind, refusal.Error.Kind, answer)
	require.NotEmpty(g.t, refusal.Error.Message)
	return refusal.Error.IDs
}

// gives gives every player 1000 coins.
func (g *game) gives(players ...string) {
	g.t.Helper()
	for _, p := range players {
		g.does("POST", "/players/"+p+"/gift", `{"amount":1000,"key":"welcome-`+p+`"}`)
	}
}

// duel plays a duel from one end to the other and returns the last answer.
func (g *game) duel(id, first, second, outcomes string) string {
	g.t.Helper()
	g.does("POST", "/duels", `{"id":"`+id+`","players":["`+first+`","`+second+`"]}`)
	g.does("POST", "/duels/"+id+"/start", "")
	return g.does("POST", "/duels/"+id+"/end", `{"outcomes":[`+outcomes+`]}`)
}

// beats is the report of a duel that the first player won.
func beats(first, second string) string {
	return `{"player":"` + first + `","outcome":3},{"player":"` + second + `","outcome":1}`
}

// has requires what a player can spend and what is held.
func (g *game) has(player string, coins, held int64) {
	g.t.Helper()
	w, err := g.backend.engine.Wallet(g.t.Context(), player)
	require.NoError(g.t, err)
	require.Equal(g.t, [2]int64{coins, held}, [2]int64{w.Balances["coins"], w.Held["coins"]}, player)
}

// isWhole requires of the database that nothing is wrong with it.
func (g *game) isWhole() {
	g.t.Helper()
	found, err := g.backend.engine.Verify(g.t.Context())
	require.NoError(g.t, err)
	require.Empty(g.t, found.Problems)
}
