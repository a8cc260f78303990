package specter_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/specter"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/webtest"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the replies of today to testdata")

// gameRules are those of every test here, but for the few that need others.
const gameRules = `{
 "currencies":[{"id":"coins"}],
 "modes":[
  {"id":"duel","points":{"win":3,"draw":1,"loss":0},"players":{"min":1,"max":4},"boards":["table"],
   "bounds":{"outcome":{"min":-1000000,"max":1000000}},
   "prizes":[{"id":"purse","from":1,"to":1,"currency":"coins","amount":50},{"id":"cup","from":1,"to":1,"item":"cup"}],
   "xp":[{"marker":"xp","amount":10}]},
  {"id":"race","order":"asc"},
  {"id":"quick","expire_created":"10m","expire_started":"10m"},
  {"id":"paid","fee":{"currency":"coins","amount":10}},
  {"id":"closed"},
  {"id":"arena","exclusive":true},
  {"id":"sides","teams":{}},
  {"id":"walk","walk_ins":true}],
 "boards":[{"id":"table","keys":[{"metric":"points"}],"partition":{"attribute":"competitionId","of":"match"}}],
 "achievements":[{"id":"first-win","metric":"wins","threshold":1,"rewards":[{"currency":"coins","amount":5}]}],
 "levels":[{"marker":"xp","thresholds":[0,10],"rewards":{"2":[{"currency":"coins","amount":7}]}}]}`

// The secrets of the callers. The key of the game is in everybody's hands, the one of the server is not.
const (
	serverKey = "the-servers-key"
	gameKey   = "the-games-key"
)

func token(player string) string { return player + "-token" }

// world is an engine behind a handler.
type world struct {
	*finalbelltest.Game
	http.Handler
}

type option func(*specter.Options)

func open(t testing.TB, options ...option) world {
	t.Helper()
	return openWith(t, nil, options...)
}

func openWith(t testing.TB, change func(*finalbell.Options), options ...option) world {
	t.Helper()
	rules, err := finalbell.ParseRules([]byte(gameRules))
	require.NoError(t, err)
	game := finalbelltest.New(t, rules, func(o *finalbell.Options) {
		if change != nil {
			change(o)
		}
	})
	return serve(t, game, options...)
}

// serve puts a handler before the engine of a game.
func serve(t testing.TB, game *finalbelltest.Game, options ...option) world {
	t.Helper()
	o := specter.Options{Game: "arcadia", Access: access(t, game, dialect.Rate{PerSecond: 1e9, Burst: 1e9})}
	for _, set := range options {
		set(&o)
	}
	h, err := specter.Handler(game.Engine, o)
	require.NoError(t, err)
	return world{game, h}
}

// restart is the world as after a restart of its process.
func (w world) restart(t testing.TB, options ...option) world {
	t.Helper()
	w.Reopen(t)
	return serve(t, w.Game, options...)
}

func access(t testing.TB, game *finalbelltest.Game, rate dialect.Rate) *dialect.Access {
	t.Helper()
	c := dialect.Config{
		Keys: []dialect.Key{
			{Name: "server", Digest: dialect.DigestOf(serverKey)},
			{Name: "game", Digest: dialect.DigestOf(gameKey), Client: true},
		},
		PlayerRate: rate,
		Now:        game.Clock.Now,
	}
	for _, player := range []string{"ann", "bob", "cid", "dan"} {
		c.Tokens = append(c.Tokens, dialect.Token{Player: player, Digest: dialect.DigestOf(token(player))})
	}
	a, err := dialect.NewAccess(c)
	require.NoError(t, err)
	return a
}

func mayEnd(o *specter.Options)       { o.PlayersMayEnd = true }
func maySetOthers(o *specter.Options) { o.PlayersMayEnd, o.PlayersMaySetOthers = true, true }
func keeps(o *specter.Options)        { o.KeepsParams = true }

// answer is a reply, read.
type answer struct {
	Status int
	Body   string
	Envelope
}

type Envelope struct {
	Result  string          `json:"status"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Errors  []problem       `json:"errors"`
	Data    json.RawMessage `json:"data"`
	Error   string          `json:"error"` // a gateway's
}

type problem struct {
	Code    int    `json:"errorCode"`
	Message string `json:"errorMessage"`
}

// session is the id that the reply is about.
func (a answer) session(t testing.TB) string {
	t.Helper()
	var data struct {
		Session string `json:"matchSessionId"`
	}
	require.NoError(t, json.Unmarshal(a.Data, &data), a.Body)
	require.NotEmpty(t, data.Session, a.Body)
	return data.Session
}

// post sends a request as a player with the key of the game, or as the server if the player is empty.
func (w world) post(t testing.TB, player, path, body string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("api-key", serverKey)
	if player != "" {
		r.Header.Set("api-key", gameKey)
		r.Header.Set("Authorization", "Bearer "+token(player))
	}
	return w.send(t, r)
}

func (w world) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	a := answer{Status: rec.Code, Body: strings.TrimSuffix(rec.Body.String(), "\n")}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &a.Envelope), a.Body)
	return a
}

const (
	createPath  = "/v2/client/matches/create-session"
	startPath   = "/v2/client/matches/start-session"
	endPath     = "/v2/client/matches/end-session"
	resultsPath = "/v2/client/matches/get-match-session-results"
	detailsPath = "/v2/client/matches/get-session-details"
	historyPath = "/v2/client/player/me/get-match-history"

	serverCreatePath = "/v2/client/matchmaking/create-match-session"
	serverStartPath  = "/v2/client/matchmaking/start-match-session"
	serverEndPath    = "/v2/client/matchmaking/end-match-session"
)

// started is the id of a session of these users that the server has created and started.
func (w world) started(t testing.TB, mode string, users ...string) string {
	t.Helper()
	a := w.post(t, "", serverStartPath, `{"matchId":"`+mode+`","userInfo":`+userInfo(users...)+`}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Body)
	return a.session(t)
}

func userInfo(users ...string) string {
	list := make([]string, len(users))
	for i, u := range users {
		list[i] = `{"id":"` + u + `"}`
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (w world) match(t testing.TB, id string) finalbell.Match {
	t.Helper()
	m, err := w.Engine.Match(context.Background(), id)
	require.NoError(t, err)
	return m
}

func (w world) credit(t testing.TB, player string, amount int64) {
	t.Helper()
	_, err := w.Engine.Credit(context.Background(), finalbell.Money{Player: player, Currency: "coins", Amount: amount})
	require.NoError(t, err)
}

func standing(t testing.TB, m finalbell.Match, player string) finalbell.Standing {
	t.Helper()
	for _, s := range m.Standings {
		if s.Player == player {
			return s
		}
	}
	require.Fail(t, "not in the match: "+player)
	return finalbell.Standing{}
}

// refused requires an error in the documented shape.
func refused(t testing.TB, a answer, status int, text string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Body)
	require.Equal(t, "error", a.Result, a.Body)
	require.Equal(t, status, a.Code, a.Body)
	require.Equal(t, "null", string(a.Data), a.Body)
	require.Len(t, a.Errors, 1, a.Body)
	require.Equal(t, text, a.Errors[0].Message)
	require.GreaterOrEqual(t, a.Errors[0].Code, 2000)
}

func TestEveryRouteAnswersAsWritten(t *testing.T) {
	webtest.Play(t, "testdata/*.http", *update, func(t *testing.T) http.Handler {
		return openWith(t, keeping, keeps, func(o *specter.Options) {
			o.Active = func(_ context.Context, mode string) (bool, error) { return mode != "closed", nil }
			o.Exists = func(_ context.Context, user string) (bool, error) { return user != "nobody", nil }
		})
	})
}

func TestAPlayerWhoMayEndIsAnsweredAsWritten(t *testing.T) {
	webtest.Play(t, "testdata/players/*.http", *update, func(t *testing.T) http.Handler { return open(t, mayEnd) })
}

func TestWhoCallsTooOftenIsAnsweredAsWritten(t *testing.T) {
	webtest.Play(t, "testdata/rate/*.http", *update, func(t *testing.T) http.Handler {
		w := open(t)
		h, err := specter.Handler(w.Engine, specter.Options{Access: access(t, w.Game, dialect.Rate{PerSecond: 0.1, Burst: 2})})
		require.NoError(t, err)
		return h
	})
}

func keeping(o *finalbell.Options) { o.Hooks.Before = specter.Keep }

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	w := open(t)
	_, err := specter.Handler(w.Engine, specter.Options{})
	require.EqualError(t, err, "options.Access: required")
	_, err = specter.Handler(w.Engine, specter.Options{Access: access(t, w.Game, dialect.Rate{}), PlayersMaySetOthers: true})
	require.EqualError(t, err, "options.PlayersMaySetOthers: means nothing without PlayersMayEnd")
}

// What is the server's own affair is not for a caller, and what may pass is to be tried again.
func TestAFailureOfTheServersTellsNothing(t *testing.T) {
	w := open(t, func(o *specter.Options) {
		o.Exists = func(context.Context, string) (bool, error) { return false, errors.New("dial 10.0.0.7: password") }
	})
	a := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`)
	require.Equal(t, `{"status":"error","code":500,"message":"the server failed","errors":[{"errorCode":2000,"errorMessage":"the server failed"}],"data":null}`, a.Body)

	require.NoError(t, w.Engine.Close())
	r := httptest.NewRequest(http.MethodPost, serverEndPath, strings.NewReader(`{"matchSessionId":"x","userInfo":[{"id":"ann","outcome":1}]}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("api-key", serverKey)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Equal(t, "1", rec.Header().Get("Retry-After"))
	require.Contains(t, rec.Body.String(), `"errorCode":2030`)
	_, err := specter.Handler(w.Engine, specter.Options{Access: access(t, w.Game, dialect.Rate{})})
	require.ErrorIs(t, err, finalbell.ErrUnavailable)
}
