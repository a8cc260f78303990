package api

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/internal/webtest"
)

var update = flag.Bool("update", false, "write the replies of today into the files")

const rulesText = `{"currencies":[{"id":"coins"}],
 "modes":[{"id":"duel","players":{"min":2},"boards":["ladder"]},
  {"id":"paid","players":{"min":2},"fee":{"currency":"coins","amount":10},"boards":["ladder"],"prizes":[{"id":"pot","from":1,"to":1,"shares":[100]},{"id":"medal","from":1,"to":1,"item":"medal","claim":true}]}],
 "boards":[{"id":"ladder","keys":[{"metric":"wins"},{"metric":"outcome"}]}]}`

func newGame(t testing.TB) *finalbelltest.Game {
	rules, err := finalbell.ParseRules([]byte(rulesText))
	require.NoError(t, err)
	return finalbelltest.New(t, rules, func(o *finalbell.Options) {
		o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
			if c.Op == "cancel match" && c.Match.ID == "m4" {
				return errors.New("nothing is cancelled here")
			}
			return nil
		}
	})
}

func access(t testing.TB, g *finalbelltest.Game, change ...func(*dialect.Config)) *dialect.Access {
	over := g.Clock.Now().Add(-time.Second)
	c := dialect.Config{
		Keys: []dialect.Key{
			{Name: "prod", Digest: dialect.DigestOf("server-key")}, {Name: "prod", Digest: dialect.DigestOf("next-key")},
			{Name: "prod", Digest: dialect.DigestOf("old-key"), Expires: over}, {Name: "game", Digest: dialect.DigestOf("game-key"), Client: true},
		},
		Tokens: []dialect.Token{
			{Player: "ann", Digest: dialect.DigestOf("ann-token")}, {Player: "bob", Digest: dialect.DigestOf("bob-token")},
			{Player: "cid", Digest: dialect.DigestOf("cid-token")}, {Player: "ann", Digest: dialect.DigestOf("old-token"), Expires: over},
		},
		Now: g.Clock.Now,
	}
	for _, f := range change {
		f(&c)
	}
	a, err := dialect.NewAccess(c)
	require.NoError(t, err)
	return a
}

func handle(t testing.TB, g *finalbelltest.Game, o Options) http.Handler {
	h, err := Handler(g.Engine, o)
	require.NoError(t, err)
	return h
}

// Every file in testdata is answered as it says.
func TestExchanges(t *testing.T) {
	webtest.Play(t, "testdata/*.http", *update, func(t *testing.T) http.Handler {
		g := newGame(t)
		return handle(t, g, Options{Access: access(t, g)})
	})
	webtest.Play(t, "testdata/reports/*.http", *update, func(t *testing.T) http.Handler {
		g := newGame(t)
		return handle(t, g, Options{Access: access(t, g), PlayerReports: true})
	})
	webtest.Play(t, "testdata/many/*.http", *update, func(t *testing.T) http.Handler {
		g := newGame(t)
		rates := func(c *dialect.Config) {
			c.KeyRate, c.PlayerRate = dialect.Rate{PerSecond: 0.4, Burst: 2}, dialect.Rate{PerSecond: 2, Burst: 2}
		}
		return handle(t, g, Options{Access: access(t, g, rates)})
	})
	webtest.Play(t, "testdata/stopped/*.http", *update, func(t *testing.T) http.Handler {
		g := newGame(t)
		h := handle(t, g, Options{Access: access(t, g)})
		require.NoError(t, g.Engine.Close())
		return h
	})
}

// Every verb of a script has a rule for players, and every rule a verb: a new verb is open to nobody before somebody has
// thought about it.
func TestEveryVerbHasARule(t *testing.T) {
	var ruled []string
	for verb := range rules {
		ruled = append(ruled, verb)
	}
	slices.Sort(ruled)
	require.Equal(t, transcript.Verbs(), ruled)
	for verb, r := range rules {
		require.False(t, r.any && r.fields != nil, verb)
		if r.fields == nil && r.checks == nil && !r.any {
			require.Equal(t, rule{}, r, "%s: a rule that opens nothing says nothing", verb)
		}
	}
}

func ask(h http.Handler, secret, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// What a player may not see is answered, byte for byte, as what is not there.
func TestWhatIsHiddenIsAnsweredAsWhatIsNotThere(t *testing.T) {
	g := newGame(t)
	h := handle(t, g, Options{Access: access(t, g), PlayerReports: true})
	for _, call := range []string{`{"create":{"id":"there","mode":"duel","players":["ann","bob"]}}`, `{"start":"there"}`, `{"session_start":{"id":"there","player":"ann"}}`} {
		status, reply := ask(h, "server-key", call)
		require.Equal(t, http.StatusOK, status, reply)
	}
	for _, call := range []string{
		`{"match":"?"}`, `{"revisions":{"match":"?"}}`, `{"explain":{"match":"?","player":"cid"}}`, `{"session":"?"}`, `{"report":{"match":"?","outcomes":[{"player":"cid","outcome":1}]}}`,
	} {
		hidden, there := ask(h, "cid-token", strings.ReplaceAll(call, "?", "there"))
		missing, nowhere := ask(h, "cid-token", strings.ReplaceAll(call, "?", "wheree"))
		require.Equal(t, http.StatusNotFound, hidden, there)
		require.Equal(t, missing, hidden)
		require.Equal(t, nowhere, strings.ReplaceAll(there, "there", "wheree"), call)
	}
	// A name that nobody has is refused as one that somebody has.
	for _, call := range []string{`{"wallet":"?"}`, `{"player":"?"}`, `{"history":{"player":"?"}}`, `{"session_end":{"player":"?"}}`} {
		hidden, ann := ask(h, "cid-token", strings.ReplaceAll(call, "?", "ann"))
		_, nobody := ask(h, "cid-token", strings.ReplaceAll(call, "?", "nob"))
		require.Equal(t, http.StatusNotFound, hidden, ann)
		require.Equal(t, nobody, strings.ReplaceAll(ann, "ann", "nob"))
	}
}

// What others got and have is in no answer to a player, wherever it is asked for; what is their own is.
func TestNoAnswerTellsAPlayerWhatOthersHave(t *testing.T) {
	g := newGame(t)
	h := handle(t, g, Options{Access: access(t, g)})
	for _, call := range []string{
		`{"credit":{"player":"ann","currency":"coins","amount":777001,"key":"a"}}`, `{"credit":{"player":"bob","currency":"coins","amount":888001,"key":"b"}}`,
		`{"create":{"id":"m","mode":"paid","players":["ann","bob"]}}`, `{"start":"m"}`, `{"end":{"match":"m","outcomes":[{"player":"ann","outcome":1},{"player":"bob","outcome":2}]}}`,
	} {
		status, reply := ask(h, "server-key", call)
		require.Equal(t, http.StatusOK, status, reply)
	}
	for call, own := range map[string]bool{`{"match":"m"}`: false, `{"matches":{"player":"ann"}}`: false, `{"revisions":"m"}`: false, `{"ledger":{"player":"ann"}}`: true, `{"history":{"player":"ann"}}`: false, `{"wallet":"ann"}`: true} {
		status, reply := ask(h, "ann-token", call)
		require.Equal(t, http.StatusOK, status, reply)
		require.NotContains(t, reply, "888", call)
		if own {
			require.Contains(t, reply, "77", call)
		}
		require.True(t, json.Valid([]byte(reply)))
	}
	_, reply := ask(h, "bob-token", `{"match":"m"}`)
	require.Contains(t, reply, "888", "bob's own")
}

// Options that make no sense are refused by their name.
func TestAccessIsRequired(t *testing.T) {
	g := newGame(t)
	_, err := Handler(g.Engine, Options{})
	require.EqualError(t, err, "Options.Access is required")
	_, err = Handler(nil, Options{Access: access(t, g)})
	require.EqualError(t, err, "an engine is required")
}
