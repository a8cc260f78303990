package main

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// The winner takes the pool, those who tie share it, and the house has its ten percent of it.
func TestAPaidDuel(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.does("POST", "/duels", `{"id":"d1","players":["ann","bob"]}`)
	g.has("ann", 900, 100)
	g.does("POST", "/duels/d1/start", "")
	g.has("ann", 900, 0)
	g.does("POST", "/duels/d1/end", `{"outcomes":[`+beats("ann", "bob")+`]}`)
	g.has("ann", 900+180+20, 0) // and for the second level
	g.has("bob", 900, 0)
	g.duel("d2", "ann", "bob", `{"player":"ann","outcome":1.5},{"player":"bob","outcome":1.50}`)
	g.has("ann", 1100-100+90, 0)
	g.has("bob", 900-100+90, 0)
	g.duel("d3", "ann", "bob", `{"player":"ann","outcome":1},{"player":"bob","status":"forfeit"}`)
	g.has("ann", 1090-100+180, 0)
	require.Contains(t, g.duel("d4", "ann", "bob", ""), `"no_contest":true`)
	g.has("ann", 1170, 0)
	g.has("bob", 790, 0)
	g.isWhole()
}

// Nothing is lost by asking again, and nothing is given twice; with other content the second call is refused.
func TestEveryCallMayBeRepeated(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.duel("d1", "ann", "bob", beats("ann", "bob"))
	g.does("POST", "/duels/d1/void", `{"reason":"ann cheated"}`)
	g.duel("d2", "bob", "ann", beats("bob", "ann"))
	for range 2 {
		for _, c := range [][2]string{
			{"/players/ann/gift", `{"amount":1000,"key":"welcome-ann"}`},
			{"/duels", `{"id":"d2","players":["bob","ann"]}`},
			{"/duels/d2/start", ""},
			{"/duels/d2/end", `{"outcomes":[` + beats("bob", "ann") + `]}`},
			{"/duels/d2/end", `{"outcomes":[{"player":"ann","outcome":1.0},{"player":"bob","outcome":3}]}`}, // says the same
			{"/duels/d1/void", `{"reason":"ann cheated"}`},
		} {
			require.Contains(t, g.does("POST", c[0], c[1]), `"replayed":true`, c)
		}
	}
	g.refuses(http.StatusConflict, "conflict", "POST", "/players/ann/gift", `{"amount":2000,"key":"welcome-ann"}`)
	g.refuses(http.StatusConflict, "exists", "POST", "/duels", `{"id":"d2","players":["ann","cid"]}`)
	ids := g.refuses(http.StatusConflict, "already_ended", "POST", "/duels/d2/end", `{"outcomes":[`+beats("ann", "bob")+`]}`)
	require.Equal(t, []string{"d2"}, ids)
	g.has("ann", 900, 0)
	g.has("bob", 900+180+20, 0)
	g.isWhole()
}

// Who cannot pay keeps the duel from starting, and nobody's fee stays held for it.
func TestADuelThatIsNotPaidDoesNotStart(t *testing.T) {
	g := newGame(t)
	g.gives("ann")
	g.does("POST", "/duels", `{"id":"d1","players":["ann","cid"]}`)
	g.has("ann", 900, 100)
	require.Equal(t, []string{"cid"}, g.refuses(http.StatusPaymentRequired, "unpaid", "POST", "/duels/d1/start", ""))
	g.has("ann", 1000, 0)
	g.gives("cid")
	g.does("POST", "/duels/d1/start", "")
	g.has("cid", 900, 0)
	g.isWhole()
}

// A duel that nobody starts, or ends, gives the fees back when its time is over.
func TestAnAbandonedDuelIsRefunded(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.does("POST", "/duels", `{"id":"d1","players":["ann","bob"]}`)
	g.clock.Advance(10 * time.Minute)
	g.tick()
	g.has("ann", 1000, 0)
	g.refuses(http.StatusConflict, "expired", "POST", "/duels/d1/start", "")
	g.does("POST", "/duels", `{"id":"d2","players":["ann","bob"]}`)
	g.does("POST", "/duels/d2/start", "")
	g.clock.Advance(time.Hour)
	g.refuses(http.StatusConflict, "expired", "POST", "/duels/d2/end", `{"outcomes":[`+beats("ann", "bob")+`]}`)
	require.Contains(t, g.does("GET", "/duels/d2", ""), `"state":"expired"`)
	g.has("ann", 1000, 0)
	g.has("bob", 1000, 0)
	g.isWhole()
}

// A week of duels: levels and achievements as it goes, and on Monday the prizes, of which the first is to be claimed
// within seven days.
func TestAWeek(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob", "cid", "dan")
	var last string
	for _, id := range []string{"d1", "d2", "d3"} {
		last = g.duel(id, "ann", "bob", beats("ann", "bob"))
	}
	require.Contains(t, last, `"achievement":"three-in-a-row"`)
	g.has("ann", 1000+3*80+20+50+150, 0) // the levels 2 and 3, and three in a row
	g.duel("d4", "bob", "cid", beats("bob", "cid"))
	last = g.duel("d5", "bob", "cid", `{"player":"bob","outcome":0},{"player":"cid","outcome":0}`)
	require.Contains(t, last, `"item":"regulars-cape","amount":1,"state":"pending"`)
	require.JSONEq(t, `[{"grant":"achievement/regular/all/0/bob","item":"regulars-cape","amount":1}]`, g.does("GET", "/players/bob/items", ""))
	g.does("POST", "/duels", `{"id":"d6","players":["ann","dan"]}`)
	g.does("POST", "/duels/d6/start", "")

	var page struct {
		Window, State string
		Entries       []struct {
			Rank   int
			Player string
		}
	}
	read := func(path string) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(g.does("GET", path, "")), &page))
	}
	read("/weekly?around=bob")
	require.Len(t, page.Entries, 3)
	read("/weekly?top=2")
	require.Len(t, page.Entries, 2)
	require.Equal(t, "2026-03-02", page.Window)
	annHad, bobHad := g.coins("ann"), g.coins("bob")

	// The backend is down over midnight. What was due then is done when it is up again, as of its own time.
	require.NoError(t, g.backend.Close())
	g.clock.Set(time.Date(2026, 3, 9, 6, 0, 0, 0, time.UTC))
	g.open(hostKey)
	g.tick()
	read("/weekly?window=2026-03-02")
	require.Equal(t, "final", page.State)
	require.Equal(t, "cid", page.Entries[2].Player)
	require.Equal(t, annHad+100, g.coins("ann")) // the fee of d6, which has expired; the prize waits
	require.Equal(t, bobHad+200, g.coins("bob"))
	require.Contains(t, g.does("GET", "/players/cid/items", ""), `"item":"bronze-chest"`)
	require.Contains(t, g.does("GET", "/players/ann/wallet", ""), `"unclaimed":{"coins":500}`)

	const first = `{"grant":"window/weekly/2026-03-02//first/ann"}`
	require.Contains(t, g.does("GET", "/players/ann/grants", ""), `"state":"pending","expires":"2026-03-16T00:00:00Z"`)
	g.refuses(http.StatusNotFound, "not_found", "POST", "/players/bob/claims", first)
	g.clock.Set(time.Date(2026, 3, 15, 23, 0, 0, 0, time.UTC))
	for range 2 {
		require.Contains(t, g.does("POST", "/players/ann/claims", first), `"state":"granted"`)
		require.Equal(t, annHad+600, g.coins("ann"))
	}

	// The next week is dan's, who forgets to claim.
	g.duel("d7", "dan", "ann", beats("dan", "ann"))
	g.clock.Set(time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC))
	g.tick()
	g.refuses(http.StatusConflict, "expired", "POST", "/players/dan/claims", `{"grant":"window/weekly/2026-03-09//first/dan"}`)
	g.isWhole()
}

// What a voided duel did is undone everywhere.
func TestAVoidedDuel(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.duel("d1", "ann", "bob", beats("ann", "bob"))
	require.Contains(t, g.does("POST", "/duels/d1/void", `{"reason":"bob had no connection"}`), `"state":"voided"`)
	g.has("ann", 1000, 0)
	g.has("bob", 1000, 0)
	require.Contains(t, g.does("GET", "/weekly", ""), `"size":0`)
	require.Contains(t, g.does("GET", "/players/ann/progress", ""), `{"marker":"xp","value":0,"level":1,"next":50}`)
	g.isWhole()
}

// The engine may hand over a delivery again; the host has it once.
func TestAnItemIsDeliveredOnce(t *testing.T) {
	g := newGame(t)
	cape := finalbell.Grant{ID: "achievement/regular/all/0/ann", Player: "ann", Kind: finalbell.ItemGrant, What: "regulars-cape", Amount: 1}
	for range 3 {
		require.NoError(t, g.backend.items.deliver(t.Context(), cape))
	}
	require.JSONEq(t, `[{"grant":"achievement/regular/all/0/ann","item":"regulars-cape","amount":1}]`, g.does("GET", "/players/ann/items", ""))
}

// Two backups that were made one after the other fit together if the game was first: it delivers again what it does
// not know to be delivered.
func TestTheGameIsBackedUpBeforeTheItems(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	for _, id := range []string{"d1", "d2", "d3", "d4"} {
		g.duel(id, "ann", "bob", beats("ann", "bob"))
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, g.backend.engine.Backup(t.Context(), copied))
	g.duel("d5", "ann", "bob", beats("ann", "bob"))
	_, err := g.backend.items.db.Exec("VACUUM INTO ?", strings.TrimSuffix(copied, ".db")+".items.db")
	require.NoError(t, err)
	require.NoError(t, g.backend.Close())
	g.db = copied
	g.open(hostKey)
	g.duel("d5", "ann", "bob", beats("ann", "bob"))
	for _, p := range []string{"ann", "bob"} {
		require.JSONEq(t, `[{"grant":"achievement/regular/all/0/`+p+`","item":"regulars-cape","amount":1}]`, g.does("GET", "/players/"+p+"/items", ""))
		require.NotContains(t, g.does("GET", "/players/"+p+"/grants", ""), "pending")
	}
	g.isWhole()
}

// What is wrong is refused with its status and kind, and changes nothing.
func TestWhatIsWrongIsRefused(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.does("POST", "/duels", `{"id":"d1","players":["ann","bob"]}`)
	g.does("POST", "/duels", `{"id":"d2","players":["ann","bob"]}`)
	g.does("POST", "/duels/d2/start", "")
	for _, c := range []struct {
		status             int
		kind               string
		method, path, body string
	}{
		{404, "not_found", "GET", "/", ""},
		{404, "not_found", "GET", "/players/ann", ""},
		{405, "method", "GET", "/duels", ""},
		{405, "method", "PUT", "/players/ann/gift", `{"amount":1,"key":"k"}`},
		{405, "method", "DELETE", "/duels/d1", ""},
		{405, "method", "GET", "/duels/d1/end", ""},
		{405, "method", "POST", "/weekly", ""},
		{413, "too_large", "POST", "/duels", `{"id":"` + strings.Repeat("x", mostBody) + `","players":["ann","bob"]}`},
		{413, "too_large", "POST", "/duels", `{"id":"d3","players":["ann","bob"]}` + strings.Repeat(" ", mostBody)},
		{400, "invalid", "POST", "/duels", ``},
		{400, "invalid", "POST", "/duels", `{`},
		{400, "invalid", "POST", "/duels", `[]`},
		{400, "invalid", "POST", "/duels", `null`},
		{400, "invalid", "POST", "/duels", `{"players":["ann","bob"]}`},
		{400, "invalid", "POST", "/duels", `{"id":"d3","players":["ann",""]}`},
		{400, "invalid", "POST", "/duels", `{"id":"d3","players":"ann"}`},
		{400, "invalid", "POST", "/duels", `{"id":"d3","players":["ann","bob"],"fee":0}`},
		{400, "invalid", "POST", "/duels", `{"id":"d3","players":["ann","bob"]} {}`},
		{400, "invalid", "POST", "/duels", `{"id":"d3","players":["ann","bob"]} x`},
		{422, "players", "POST", "/duels", `{"id":"d3","players":["ann"]}`},
		{422, "players", "POST", "/duels", `{"id":"d3","players":["ann","bob","cid"]}`},
		{422, "duplicate_player", "POST", "/duels", `{"id":"d3","players":["ann","ann"]}`},
		{400, "invalid", "POST", "/players/ann/gift", `{"amount":1}`},
		{400, "invalid", "POST", "/players/ann/gift", `{"amount":0,"key":"k"}`},
		{400, "invalid", "POST", "/players/ann/gift", `{"amount":-5,"key":"k"}`},
		{400, "invalid", "POST", "/players/ann/gift", `{"amount":1.5,"key":"k"}`},
		{400, "invalid", "POST", "/players/ann/gift", `{"amount":1e300,"key":"k"}`},
		{400, "invalid", "POST", "/players/%00/gift", `{"amount":1,"key":"k"}`},
		{404, "not_found", "POST", "/duels/nope/start", ``},
		{404, "not_found", "GET", "/duels/nope", ``},
		{409, "not_started", "POST", "/duels/d1/end", `{"outcomes":[` + beats("ann", "bob") + `]}`},
		{409, "state", "POST", "/duels/d2/void", `{"reason":"why"}`},
		{400, "invalid", "POST", "/duels/d2/end", `{}`},
		{400, "invalid", "POST", "/duels/d2/end", `{"outcomes":null}`},
		{400, "invalid", "POST", "/duels/d2/end", `{"outcomes":[{"player":"ann","outcome":"3"}]}`},
		{400, "invalid", "POST", "/duels/d2/end", `{"outcomes":[{"player":"ann","score":3}]}`},
		{422, "unknown_player", "POST", "/duels/d2/end", `{"outcomes":[` + beats("ann", "eve") + `]}`},
		{422, "duplicate_player", "POST", "/duels/d2/end", `{"outcomes":[` + beats("ann", "ann") + `]}`},
		{422, "outcome", "POST", "/duels/d2/end", `{"outcomes":[{"player":"ann","outcome":3,"status":"asleep"}]}`},
		{400, "invalid", "POST", "/duels/d2/end", `{"outcomes":[{"player":"ann","outcome":0.12345678901234567890}]}`},
		{400, "invalid", "GET", "/weekly?top=ten", ``},
		{400, "invalid", "GET", "/weekly?top=1001", ``},
		{400, "invalid", "GET", "/weekly?top=-1", ``},
		{404, "not_found", "GET", "/weekly?around=nobody", ``},
		{404, "not_found", "GET", "/weekly?window=2030-01-07", ``},
		{404, "not_found", "POST", "/players/ann/claims", `{"grant":"no/such"}`},
		{404, "not_found", "POST", "/players/ann/claims", `{"grant":""}`},
		{400, "invalid", "POST", "/players/ann/claims", `{"grant":7}`},
	} {
		t.Run(c.kind+" "+c.method+" "+c.path, func(t *testing.T) {
			of := *g
			of.t = t
			of.refuses(c.status, c.kind, c.method, c.path, c.body)
		})
	}
	g.has("ann", 800, 100)
	g.isWhole()
}

// A path that takes another method says which one.
func TestAWrongMethodIsToldTheRightOne(t *testing.T) {
	g := newGame(t)
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, httptest.NewRequest("PATCH", "/duels/d1/start", nil))
	require.Equal(t, "POST", w.Header().Get("Allow"))
}

// What makes money or says who won takes the host's key; where there is none it is off.
func TestOnlyTheHost(t *testing.T) {
	g := newGame(t)
	g.gives("ann", "bob")
	g.does("POST", "/duels", `{"id":"d1","players":["ann","bob"]}`)
	g.does("POST", "/duels/d1/start", "")
	tried := func(keys ...string) {
		t.Helper()
		for _, c := range [][2]string{
			{"/players/eve/gift", `{"amount":1000,"key":"mine"}`},
			{"/duels/d1/end", `{"outcomes":[` + beats("ann", "bob") + `]}`},
			{"/duels/d1/void", `{}`},
			{"/weekly/close", ""},
		} {
			for _, key := range keys {
				r := httptest.NewRequest("POST", c[0], strings.NewReader(c[1]))
				r.Header.Set("Host-Key", key)
				status, answer := g.send(r)
				require.Equal(t, http.StatusForbidden, status)
				require.JSONEq(t, `{"error":{"kind":"forbidden","message":"only the host may do this"}}`, answer)
			}
		}
	}
	tried("", "wrong", hostKey+"x", hostKey[1:])
	require.NoError(t, g.backend.Close())
	g.open("")
	tried("", hostKey)
	g.has("eve", 0, 0)
	require.Contains(t, g.does("GET", "/duels/d1", ""), `"state":"started"`)
}

// A page of another site cannot play through a player's browser.
func TestAnotherSiteIsRefused(t *testing.T) {
	g := newGame(t)
	r := httptest.NewRequest("POST", "/duels", strings.NewReader(`{"id":"d1","players":["ann","bob"]}`))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	status, _ := g.send(r)
	require.Equal(t, http.StatusForbidden, status)
	g.refuses(http.StatusNotFound, "not_found", "GET", "/duels/d1", "")
}

// Every kind of error has its status.
func TestEveryKindHasAStatus(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "errors.go"))
	require.NoError(t, err)
	kinds := regexp.MustCompile(`Kind = "(\w+)"`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, kinds, len(statuses))
	for _, kind := range kinds {
		p := problemOf(&finalbell.Error{Op: "do", ID: "d1", Err: finalbell.Kind(kind[1])})
		require.Equal(t, kind[1], p.Kind)
		require.Equal(t, p.status < 500, p.IDs != nil)
	}
	require.Equal(t, http.StatusInternalServerError, problemOf(sql.ErrConnDone).status)
}

// What is wrong with the files is no answer to a client, and every call says that it may be made again.
func TestAClosedEngineTellsNobodyWhy(t *testing.T) {
	g := newGame(t)
	require.NoError(t, g.backend.Close())
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, httptest.NewRequest("POST", "/duels/d1/start", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"error":{"kind":"unavailable","message":"ask again"}}`, w.Body.String())
}

func (g *game) coins(player string) int64 {
	g.t.Helper()
	w, err := g.backend.engine.Wallet(g.t.Context(), player)
	require.NoError(g.t, err)
	return w.Balances["coins"]
}
