package gamezop

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/web"
)

// matches are all the matches of a room.
func (f *fixture) matches(t testing.TB, room string) []finalbell.Match {
	t.Helper()
	var all []finalbell.Match
	for m, err := range f.Engine.Matches(t.Context(), finalbell.MatchFilter{Room: room}) {
		require.NoError(t, err)
		all = append(all, m)
	}
	return all
}

// However many equal calls come at once, in whatever order they name the players, they make one match: with a delivery id and
// without, in a room that was opened and in one that is a label.
func TestEqualCallsAtOnceMakeOneMatch(t *testing.T) {
	f := newFixture(t)
	f.open(t, "opened", "ann", "bob")
	for _, room := range []string{"opened", "label", "label2", "label3", "label4", "label5"} {
		for _, headers := range [][]string{nil, {web.HeaderID, "d1"}} {
			ids, replies := make([]string, 16), make([]string, 16)
			var all sync.WaitGroup
			for i := range ids {
				all.Go(func() {
					players := []string{`"ann","bob"`, `"bob","ann"`}[i%2*(1-len(headers)/2)] // a delivery is always the same
					r := httptest.NewRequest("POST", "/games/create-match", strings.NewReader(`{"room_id":"`+room+`","status":"MATCH_FOUND","players":[`+players+`]}`))
					r.Header.Set("Authorization", "Bearer "+token)
					r.Header.Set("Content-Type", "application/json")
					if headers != nil {
						r.Header.Set(headers[0], headers[1])
					}
					w := httptest.NewRecorder()
					f.ServeHTTP(w, r)
					var said struct {
						MatchID string `json:"match_id"`
					}
					assert.NoError(t, json.Unmarshal(w.Body.Bytes(), &said))
					ids[i], replies[i] = said.MatchID, w.Body.String()
				})
			}
			all.Wait()
			require.NotEmpty(t, ids[0])
			for _, id := range ids {
				require.Equal(t, ids[0], id, replies)
			}
			require.Len(t, f.matches(t, room), 1)
		}
	}
}

// A delivery that was heard before gets its answer, whatever has happened since, and one of other content under its name is refused.
func TestADeliveryHeardBeforeGetsItsAnswer(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Mode = "ludo" })
	players := []string{"ann", "bob"}
	first := f.create(t, "R", "MATCH_FOUND", players, web.HeaderID, "d1")
	again, err := Handler(f.Engine, f.options) // another process: it knows what the engine knows
	require.NoError(t, err)
	for range 3 {
		last := f.create(t, "R", "MATCH_FOUND", players)
		_, _ = f.winners(t, last, `[{"rank":1,"sub":"ann","score":3},{"rank":2,"sub":"bob","score":2}]`)
	}
	require.Len(t, f.matches(t, "R"), 3)
	require.Equal(t, first, f.create(t, "R", "MATCH_FOUND", players, web.HeaderID, "d1"))
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, "R", "MATCH_FOUND", []string{"ann"}), web.HeaderID, "d1")
	require.Equal(t, http.StatusConflict, code)
	require.Equal(t, `{"success":false,"message":"webhook-id: the delivery has been heard with other content"}`, body)
	other := f.create(t, "S", "MATCH_FOUND", players, web.HeaderID, "d1")
	require.NotEqual(t, first, other, "of another room it is another delivery")
	f.Handler = again
	require.Equal(t, first, f.create(t, "R", "MATCH_FOUND", players, web.HeaderID, "d1"))
	require.Len(t, f.matches(t, "R"), 3)
}

// Who listened in cannot throw those out again who have come back.
func TestARepeatedDeliveryRefundsNobodyTwice(t *testing.T) {
	f := newFixture(t)
	f.open(t, "FEE10", "ann", "bob")
	body := createBody(t, "FEE10", "NO_MATCH_FOUND", []string{"ann"})
	code, _ := f.signed(t, "/games/create-match", "d1", body)
	require.Equal(t, http.StatusOK, code)
	_, err := f.Engine.Join(t.Context(), "FEE10", finalbell.Participant{Player: "ann"})
	require.NoError(t, err)
	code, _ = f.signed(t, "/games/create-match", "d1", body)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, [2]int64{0, 10}, f.wallet(t, "ann"), "she waits, and has paid")
	body = createBody(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob", "cyd"})
	code, said := f.signed(t, "/games/create-match", "d2", body)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, `{"success":true,"match_id":""}`, said)
	_, err = f.Engine.Join(t.Context(), "FEE10", finalbell.Participant{Player: "ann"})
	require.NoError(t, err)
	_, _ = f.signed(t, "/games/create-match", "d2", body)
	require.Equal(t, [2]int64{0, 10}, f.wallet(t, "ann"))
}

// Only so many deliveries are remembered, the last ones.
func TestTheOldestDeliveriesAreForgotten(t *testing.T) {
	h := newHeard()
	for i := range 2*mostHeard + 7 {
		h.note(delivery{"R", strconv.Itoa(i + 1)}, answer{match: strconv.Itoa(i + 1)})
	}
	require.Len(t, h.answers, mostHeard)
	_, there := h.answer(delivery{"R", strconv.Itoa(mostHeard + 7)})
	require.False(t, there)
	a, there := h.answer(delivery{"R", strconv.Itoa(mostHeard + 8)})
	require.True(t, there)
	require.Equal(t, strconv.Itoa(mostHeard+8), a.match)
	h.note(delivery{"R", ""}, answer{match: "x"})
	require.Len(t, h.answers, mostHeard, "without an id it is no delivery")
}

// A signed call needs no token, and holds for five minutes, for its body and id alone.
func TestSignedCallsAreVerified(t *testing.T) {
	f := newFixture(t)
	body := createBody(t, "R", "MATCH_FOUND", []string{"ann", "bob"})
	code, _ := f.signed(t, "/games/create-match", "d1", body)
	require.Equal(t, http.StatusOK, code)
	h := f.sign(t, "d2", body)
	send := func(id, body string) int {
		code, _ := f.call(t, "POST", "/games/create-match", body, "Authorization", "", web.HeaderID, id, web.HeaderTimestamp, h.Get(web.HeaderTimestamp), web.HeaderSignature, h.Get(web.HeaderSignature))
		return code
	}
	require.Equal(t, http.StatusUnauthorized, send("d3", body))
	require.Equal(t, http.StatusUnauthorized, send("d2", strings.Replace(body, "bob", "eve", 1)))
	f.Clock.Advance(web.Tolerance)
	require.Equal(t, http.StatusOK, send("d2", body))
	f.Clock.Advance(time.Second)
	require.Equal(t, http.StatusUnauthorized, send("d2", body))
	code, said := f.signed(t, "/games/receive-winners", "d4", `{"match_id":"nope","scores":[{"rank":1,"sub":"ann","score":1}]}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Equal(t, `{"success":false,"message":"match_id is invalid or missing"}`, said)
	h = f.sign(t, "d5", "")
	code, _ = f.call(t, "GET", "/v1/match-result?match_id=x", "", "Authorization", "", web.HeaderID, "d5", web.HeaderTimestamp, h.Get(web.HeaderTimestamp), web.HeaderSignature, h.Get(web.HeaderSignature))
	require.Equal(t, http.StatusUnauthorized, code, "what is asked for is not in the body")
	f.options.IncomingSecret = ""
	var err error
	f.Handler, err = Handler(f.Engine, f.options)
	require.NoError(t, err)
	code, _ = f.signed(t, "/games/create-match", "d6", body)
	require.Equal(t, http.StatusUnauthorized, code)
}

// A process that dies between create and start leaves a match that the retry starts, or that NO_MATCH_FOUND cancels.
func TestACallThatWasCutOffIsCompletedByItsRetry(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Mode = "paid" })
	h, is := f.Handler.(*handler)
	require.True(t, is)
	f.rich(t, "ann", "bob")
	players := []string{"ann", "bob"}
	s := h.series("R", players)
	cutOff := func(number int) string {
		n, err := h.newMatch(finalbell.Room{}, call{room: "R", players: players})
		require.NoError(t, err)
		n.ID = s.id(number)
		_, err = f.Engine.Create(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, [2]int64{0, 10}, f.wallet(t, "ann"))
		return n.ID
	}
	first := cutOff(1)
	require.Empty(t, f.create(t, "R", "NO_MATCH_FOUND", players))
	require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
	second := cutOff(2)
	require.NotEqual(t, first, second)
	require.Equal(t, second, f.create(t, "R", "MATCH_FOUND", []string{"bob", "ann"}))
	m, err := f.Engine.Match(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State)
	code, _ := f.call(t, "POST", "/games/create-match", createBody(t, "R", "NO_MATCH_FOUND", players))
	require.Equal(t, http.StatusConflict, code, "they play")
	require.Equal(t, [2]int64{0, 0}, f.wallet(t, "ann"))
}

// A match that the host made in the room is the one that create-match is asked for, if the same play it.
func TestTheHostsOwnMatchInARoomIsTaken(t *testing.T) {
	f := newFixture(t)
	f.open(t, "FEE10", "ann", "bob", "cyd")
	_, err := f.Engine.Create(t.Context(), finalbell.NewMatch{ID: "own", Room: "FEE10", Players: finalbell.Players("ann", "bob")})
	require.NoError(t, err)
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, "FEE10", "MATCH_FOUND", []string{"ann", "cyd"}))
	require.Equal(t, http.StatusConflict, code, body)
	code, _ = f.call(t, "POST", "/games/create-match", createBody(t, "FEE10", "MATCH_FOUND", []string{"ann"}))
	require.Equal(t, http.StatusConflict, code, "bob is in it, and no bot")
	require.Equal(t, "own", f.create(t, "FEE10", "MATCH_FOUND", []string{"bob", "ann"}))
	m, err := f.Engine.Match(t.Context(), "own")
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State)
}

// Where there is no fee, whoever is named joins the room.
func TestARoomWithoutAFeeLetsIn(t *testing.T) {
	f := newFixture(t)
	_, err := f.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "free", Mode: "ludo", Players: finalbell.Limits{Max: 2}})
	require.NoError(t, err)
	match := f.create(t, "free", "MATCH_FOUND", []string{"ann", "bob"})
	room, err := f.Engine.Room(t.Context(), "free")
	require.NoError(t, err)
	require.Equal(t, match, room.Match)
	require.Len(t, room.Members, 2)
	_, err = f.Engine.Cancel(t.Context(), match, "")
	require.NoError(t, err)
	code, _ := f.call(t, "POST", "/games/create-match", createBody(t, "free", "MATCH_FOUND", []string{"ann", "bob", "cyd"}))
	require.Equal(t, http.StatusUnprocessableEntity, code, "it is full")
}

// A start that is refused for another reason leaves no fee held, and no match.
func TestAMatchThatCannotStartIsCancelled(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Mode = "paid" })
	g := finalbelltest.New(t, arcade(), func(o *finalbell.Options) {
		o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
			if c.Op == "start match" {
				return errors.New("no server is free")
			}
			return nil
		}
	})
	f.Game = g
	var err error
	f.Handler, err = Handler(g.Engine, f.options)
	require.NoError(t, err)
	f.rich(t, "ann", "bob")
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, "R", "MATCH_FOUND", []string{"ann", "bob"}))
	require.Equal(t, http.StatusForbidden, code)
	require.Contains(t, body, "no server is free")
	require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
	require.Equal(t, finalbell.Cancelled, f.matches(t, "R")[0].State)
}

// Where nobody says which mode, it is the first.
func TestTheFirstModeIsTheDefault(t *testing.T) {
	f := newFixture(t)
	f.Game = finalbelltest.New(t, finalbell.Rules{Modes: []finalbell.Mode{{ID: "chess"}, {ID: "draughts"}}})
	f.options.Mode = ""
	var err error
	f.Handler, err = Handler(f.Engine, f.options)
	require.NoError(t, err)
	require.NotEmpty(t, f.create(t, "R", "MATCH_FOUND", []string{"ann"}))
	require.Equal(t, "chess", f.matches(t, "R")[0].Mode)
}

// A room of which nobody says what is played in it takes no match.
func TestARoomWithoutAModeIsUnknown(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.ModeOf = func(string) string { return "" } })
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, "R", "MATCH_FOUND", []string{"ann"}))
	require.Equal(t, http.StatusBadRequest, code)
	require.Equal(t, `{"success":false,"message":"room_id is invalid or missing"}`, body)
}

// Whatever the room and the players do, nobody's money is lost or made: a fee is in the wallet, held, or in the pot of the match whose
// id was answered.
func TestNoFeeIsLostWhateverIsFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		_, err := f.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "R", Mode: "paid"})
		require.NoError(rt, err)
		all := []string{"ann", "bob", "cyd", "dan"}
		f.rich(t, all...)
		for range rapid.IntRange(1, 8).Draw(rt, "calls") {
			player := rapid.SampledFrom(all).Draw(rt, "player")
			named := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 4, rapid.ID[string]).Draw(rt, "named")
			switch rapid.SampledFrom([]string{"join", "join", "join", "found", "not found", "cancel"}).Draw(rt, "call") {
			case "join":
				_, _ = f.Engine.Join(t.Context(), "R", finalbell.Participant{Player: player})
			case "found":
				f.call(t, "POST", "/games/create-match", createBody(t, "R", "MATCH_FOUND", named))
			case "not found":
				f.call(t, "POST", "/games/create-match", createBody(t, "R", "NO_MATCH_FOUND", named))
			case "cancel":
				room, err := f.Engine.Room(t.Context(), "R")
				require.NoError(rt, err)
				if room.Match != "" {
					_, err := f.Engine.Cancel(t.Context(), room.Match, "")
					require.NoError(rt, err)
				}
			}
			room, err := f.Engine.Room(t.Context(), "R")
			require.NoError(rt, err)
			pot := make(map[string]int64)
			if room.Match != "" {
				m, err := f.Engine.Match(t.Context(), room.Match)
				require.NoError(rt, err)
				require.Equal(rt, finalbell.Started, m.State, "none is left that has not started")
				for _, s := range m.Standings {
					pot[s.Player] = s.Paid
				}
			}
			for _, p := range all {
				w := f.wallet(t, p)
				require.EqualValues(rt, 10, w[0]+w[1]+pot[p], p)
			}
		}
	})
}

// Of any number of matches the last is found, and with few reads.
func TestTheLastOfASeriesIsFound(t *testing.T) {
	f := newFixture(t)
	h, is := f.Handler.(*handler)
	require.True(t, is)
	s := h.series("R", []string{"ann"})
	for number := range 20 {
		m, last, err := s.last(t.Context())
		require.NoError(t, err)
		require.Equal(t, number, last)
		if number > 0 {
			require.Equal(t, s.id(number), m.ID)
		}
		_, err = f.Engine.Create(t.Context(), finalbell.NewMatch{ID: s.id(number + 1), Mode: "snake", Players: finalbell.Players("ann")})
		require.NoError(t, err)
	}
}

// No body and no header make the handler panic, or let anybody in who has not signed.
func FuzzSignedCall(f *testing.F) {
	f.Add("d1", "1749621600", "v1,AAAA", []byte(`{"room_id":"R","status":"MATCH_FOUND","players":["ann"]}`))
	f.Add("", "", "", []byte{})
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		x := newFixture(t, func(o *Options) { o.IncomingSecret = "a secret that nobody knows" })
		r := httptest.NewRequest("POST", "/games/create-match", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(web.HeaderID, id)
		r.Header.Set(web.HeaderTimestamp, stamp)
		r.Header.Set(web.HeaderSignature, signature)
		w := httptest.NewRecorder()
		x.ServeHTTP(w, r)
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusRequestEntityTooLarge}, w.Code)
	})
}
