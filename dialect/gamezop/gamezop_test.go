package gamezop

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/web"
	"github.com/finalbell/finalbell/internal/webtest"
)

var update = flag.Bool("update", false, "write the replies of today into testdata")

const (
	token    = "the-token-of-gamezop"
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	property = "1234"
	icon     = "https://example.com/icon.png"
)

// arcade are a game for nothing, of which Gamezop's ranks count; one of which ours do; and one with an entry fee, that pays the
// first three, where whoever wins for the first time gets seven coins on top, which are no prize of the match.
func arcade() finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "gold"}, {ID: "gems"}},
		Modes: []finalbell.Mode{
			{ID: "snake", Ranks: finalbell.AcceptRanks, WalkIns: true, Boards: []string{"best"}},
			{ID: "ludo"},
			{ID: "paid", Ranks: finalbell.AcceptRanks, Players: finalbell.Limits{Min: 2}, Fee: &finalbell.Fee{Currency: "gold", Amount: 10}, Prizes: []finalbell.Prize{
				{ID: "gem", From: 1, Item: "cup"}, {ID: "podium", From: 1, To: 3, Currency: "gold", Amount: 100}, {ID: "more", From: 1, To: 1, Currency: "gems", Amount: 5},
			}},
		},
		Achievements: []finalbell.Achievement{{
			ID: "first win", Metric: "wins", Threshold: finalbell.Int(1), Modes: []string{"paid"}, Rewards: []finalbell.Reward{{Currency: "gold", Amount: 7}},
		}},
		Boards: []finalbell.BoardRule{{ID: "best", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}}},
	}
}

// fixture is a handler with its engine, at the time of Gamezop's own example.
type fixture struct {
	*finalbelltest.Game
	http.Handler
	options Options
}

func newFixture(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	g := finalbelltest.New(t, arcade())
	g.Clock.Set(time.Date(2025, 6, 11, 6, 0, 0, 0, time.UTC))
	access, err := dialect.NewAccess(dialect.Config{Now: g.Clock.Now, Keys: []dialect.Key{
		{Name: "server", Digest: dialect.DigestOf("a-server-key")}, {Name: "game", Digest: dialect.DigestOf("a-client-key"), Client: true},
	}})
	require.NoError(t, err)
	o := Options{
		Access: access, Bearer: dialect.DigestOf(token), IncomingSecret: secret, PropertyID: property, Mode: "snake",
		IsBot: func(sub string) bool { return strings.HasPrefix(sub, "bot-") }, Icons: map[string]string{"gold": icon}, Now: g.Clock.Now,
	}
	for _, f := range change {
		f(&o)
	}
	h, err := Handler(g.Engine, o)
	require.NoError(t, err)
	return &fixture{g, h, o}
}

// call makes a call with the bearer token, and headers in pairs.
func (f *fixture) call(t testing.TB, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n")
}

// create calls create-match and returns the match_id of a reply that must be one.
func (f *fixture) create(t testing.TB, room, status string, players []string, headers ...string) string {
	t.Helper()
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, room, status, players), headers...)
	require.Equal(t, http.StatusOK, code, body)
	var said struct {
		Success bool    `json:"success"`
		MatchID *string `json:"match_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &said))
	require.True(t, said.Success)
	require.NotNil(t, said.MatchID)
	return *said.MatchID
}

func createBody(t testing.TB, room, status string, players []string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"room_id": room, "status": status, "players": players})
	require.NoError(t, err)
	return string(text)
}

func (f *fixture) winners(t testing.TB, match, scores string) (int, string) {
	t.Helper()
	return f.call(t, "POST", "/games/receive-winners", `{"match_id":"`+match+`","scores":`+scores+`}`)
}

func (f *fixture) result(t testing.TB, match string) (int, string) {
	t.Helper()
	return f.call(t, "GET", "/v1/match-result?match_id="+match, "")
}

// rich gives players money.
func (f *fixture) rich(t testing.TB, players ...string) {
	t.Helper()
	for _, p := range players {
		_, err := f.Engine.Credit(t.Context(), finalbell.Money{Key: "rich " + p, Player: p, Currency: "gold", Amount: 10})
		require.NoError(t, err)
	}
}

// wallet is what a player has of gold, and what is held of it.
func (f *fixture) wallet(t testing.TB, player string) [2]int64 {
	t.Helper()
	w, err := f.Engine.Wallet(t.Context(), player)
	require.NoError(t, err)
	return [2]int64{w.Balances["gold"], w.Held["gold"]}
}

// played is an engine with a match in every state there is.
func (f *fixture) played(t testing.TB) {
	t.Helper()
	ctx, e := t.Context(), f.Engine
	do := func(_ finalbell.Match, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	attributes := map[string]string{"property_id": property, "game_code": "rJWyhp79RS"}
	for _, id := range []string{"ab9ce5a2995c5da2047a", "running", "silent", "waiting", "cancelled", "voided", "foreign", "empty"} {
		n := finalbell.NewMatch{ID: id, Mode: "snake", Room: "SNAKE_AND_LADDERS_5e0", Players: finalbell.Players("1257722"), Attributes: attributes}
		n.Players = append(n.Players, finalbell.Participant{Player: "3800", Bot: true})
		switch id {
		case "foreign":
			n.Attributes = map[string]string{"property_id": "9999"}
		case "running":
			n.Attributes = nil
		}
		do(e.Create(ctx, n))
		if id != "waiting" {
			do(e.Start(ctx, id))
		}
	}
	end := []finalbell.Outcome{{Player: "1257722", Value: finalbell.Int(10), Rank: 1}, {Player: "3800", Value: finalbell.Int(9), Rank: 2}}
	do(e.End(ctx, "ab9ce5a2995c5da2047a", end...))
	do(e.End(ctx, "voided", end...))
	do(e.Void(ctx, "voided", "cheating"))
	do(e.End(ctx, "empty"))
	do(e.Cancel(ctx, "cancelled", ""))
	do(e.Report(ctx, "running", finalbell.Score("3800", 3)))
}

func TestEveryRequestHasItsReply(t *testing.T) {
	webtest.Play(t, "testdata/*.http", *update, func(t *testing.T) http.Handler {
		f := newFixture(t)
		f.played(t)
		f.rich(t, "ann", "bob")
		_, err := f.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "FEE10", Mode: "paid"})
		require.NoError(t, err)
		for _, p := range finalbell.Players("ann", "bob") {
			_, err := f.Engine.Join(t.Context(), "FEE10", p)
			require.NoError(t, err)
		}
		_, err = f.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "THEIRS", Mode: "snake", Attributes: map[string]string{"property_id": "9999"}})
		require.NoError(t, err)
		return f
	})
}

func TestOptionsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	f := newFixture(t)
	for field, change := range map[string]func(*Options){
		"Access":         func(o *Options) { o.Access = nil },
		"Bearer":         func(o *Options) { o.Bearer = dialect.DigestOf("") },
		"IncomingSecret": func(o *Options) { o.IncomingSecret = "whsec_!" },
		"Mode":           func(o *Options) { o.Mode = "chess" },
	} {
		o := f.options
		change(&o)
		_, err := Handler(f.Engine, o)
		require.ErrorContains(t, err, field)
	}
	_, err := Handler(nil, f.options)
	require.Error(t, err)
	_, err = Handler(f.Engine, Options{Access: f.options.Access})
	require.NoError(t, err)
}

// Without a Bearer its zero digest opens nothing: not for an empty token, and not for any other.
func TestTheZeroBearerOpensNothing(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Bearer = dialect.Digest{} })
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer " + token, "Bearer a-client-key"} {
		code, body := f.call(t, "GET", "/v1/match-result?match_id=x", "", "Authorization", header)
		require.Equal(t, http.StatusUnauthorized, code, header)
		require.Equal(t, `{"success":false,"message":"Bearer token is invalid or missing"}`, body)
	}
	code, _ := f.call(t, "GET", "/v1/match-result?match_id=x", "", "Authorization", "Bearer a-server-key")
	require.Equal(t, http.StatusBadRequest, code)
}

// Calls by the bearer, and signed ones, are counted together, and whoever calls too often is told when to come back.
func TestCallsAreCountedUnderOneName(t *testing.T) {
	f := newFixture(t)
	access, err := dialect.NewAccess(dialect.Config{KeyRate: dialect.Rate{PerSecond: 0.5, Burst: 2}, Now: f.Clock.Now})
	require.NoError(t, err)
	f.options.Access = access
	f.Handler, err = Handler(f.Engine, f.options)
	require.NoError(t, err)
	code, _ := f.result(t, "x")
	require.Equal(t, http.StatusBadRequest, code)
	code, _ = f.signed(t, "/games/create-match", "d1", createBody(t, "R", "NO_MATCH_FOUND", nil))
	require.Equal(t, http.StatusBadRequest, code, "null is no list")
	r := httptest.NewRequest("GET", "/v1/match-result?match_id=x", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"success":false,"message":"too many calls; try again in 2s"}`, w.Body.String())
}

// Anybody can send what looks signed, and slowly: that keeps nobody waiting who has a token.
func TestSlowUnknownCallersAreFew(t *testing.T) {
	f := newFixture(t)
	var wait sync.WaitGroup
	reading, over := make(chan bool), make(chan struct{})
	for range mostUnknown {
		wait.Go(func() {
			r := httptest.NewRequest("POST", "/games/create-match", slowBody{reading, over})
			r.Header.Set(web.HeaderSignature, "v1,x")
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			require.Equal(t, http.StatusUnauthorized, w.Code)
		})
		<-reading
	}
	body := createBody(t, "room", "MATCH_FOUND", []string{"ann", "bob"})
	status, text := f.signed(t, "/games/create-match", "d1", body)
	require.Equal(t, http.StatusServiceUnavailable, status, text)
	require.NotEmpty(t, f.create(t, "room", "MATCH_FOUND", []string{"ann", "bob"}))
	close(over)
	wait.Wait()
	status, text = f.signed(t, "/games/create-match", "d1", body)
	require.Equal(t, http.StatusOK, status, text)
}

// slowBody says that it is read, and is over when it is told.
type slowBody struct {
	reading chan<- bool
	over    <-chan struct{}
}

func (b slowBody) Read([]byte) (int, error) {
	b.reading <- true
	<-b.over
	return 0, io.EOF
}

// signed makes a call without a token, signed.
func (f *fixture) signed(t testing.TB, target, id, body string) (int, string) {
	t.Helper()
	h := f.sign(t, id, body)
	return f.call(t, "POST", target, body, "Authorization", "", web.HeaderID, id, web.HeaderTimestamp, h.Get(web.HeaderTimestamp), web.HeaderSignature, h.Get(web.HeaderSignature))
}

func (f *fixture) sign(t testing.TB, id, body string) http.Header {
	t.Helper()
	key, err := web.WebhookKey(secret)
	require.NoError(t, err)
	h := make(http.Header)
	web.Sign(h, key, id, f.Clock.Now(), []byte(body))
	return h
}
