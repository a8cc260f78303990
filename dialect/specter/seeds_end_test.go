package specter_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/stretchr/testify/require"
)

// `POST /v2/client/matches/end-session` (SDK also still has v1: `/v1/client/matches/end-session`)
func TestSeedS1TheRouteOfTheEnd(t *testing.T) {
	w := open(t, mayEnd)
	for _, path := range []string{"/v2/client/matches/end-session", "/v1/client/matches/end-session"} {
		id := w.started(t, "duel", "ann")
		a := w.post(t, "ann", path, `{"matchSessionId":"`+id+`"}`)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
	}
}

// `Content-Type: application/json`; `api-key` (environment-specific; the prose spells it "Api Key", hackmd copy "Api-Key"; header
// names are case-insensitive); `Authorization: Bearer <token>`
func TestSeedS2TheHeaders(t *testing.T) {
	w := open(t, mayEnd)
	body := `{"matchSessionId":"` + w.started(t, "duel", "ann") + `"}`
	send := func(without string, key string) int {
		r := httptest.NewRequest(http.MethodPost, endPath, strings.NewReader(body))
		for name, value := range map[string]string{key: gameKey, "Authorization": "Bearer " + token("ann"), "Content-Type": "application/json"} {
			if name != without {
				r.Header.Set(name, value)
			}
		}
		return w.send(t, r).Status
	}
	require.Equal(t, http.StatusUnsupportedMediaType, send("Content-Type", "api-key"))
	require.Equal(t, http.StatusUnauthorized, send("api-key", "api-key"))
	require.Equal(t, http.StatusUnauthorized, send("Authorization", "api-key"))
	for _, spelling := range []string{"api-key", "Api-Key", "API-KEY"} {
		require.Equal(t, http.StatusOK, send("", spelling))
	}
}

// `matchSessionId`: string, **required**
func TestSeedS3TheSessionIsRequired(t *testing.T) {
	w := open(t, mayEnd)
	refused(t, w.post(t, "ann", endPath, `{"userInfo":[]}`), http.StatusBadRequest, "matchSessionId: the field is missing")
	refused(t, w.post(t, "ann", endPath, `{"matchSessionId":7}`), http.StatusBadRequest, "matchSessionId: expected a string, found 7")
	refused(t, w.post(t, "ann", endPath, `{"matchSessionId":""}`), http.StatusBadRequest, "matchSessionId: must not be empty")
}

// `userInfo`: array of objects, **optional** — so ending with no outcomes at all is a legal call
func TestSeedS4AnEndWithoutOutcomesIsLegal(t *testing.T) {
	w := open(t, mayEnd)
	for _, rest := range []string{``, `,"userInfo":[]`} {
		id := w.started(t, "duel", "ann", "bob")
		a := w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`"`+rest+`}`)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
		m := w.match(t, id)
		require.Equal(t, finalbell.Ended, m.State)
		require.True(t, m.NoContest)
	}
	refused(t, w.post(t, "ann", endPath, `{"matchSessionId":"x","userInfo":{}}`), http.StatusBadRequest, "userInfo: expected a list, found an object")
}

// `userInfo[].id`: string, user id
func TestSeedS5AnOutcomeIsOfAUser(t *testing.T) {
	w := open(t, maySetOthers)
	id := w.started(t, "duel", "ann", "bob")
	end := func(users string) answer {
		return w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":`+users+`}`)
	}
	refused(t, end(`[{"outcome":1}]`), http.StatusBadRequest, "userInfo[0].id: the field is missing")
	refused(t, end(`[{"id":5,"outcome":1}]`), http.StatusBadRequest, "userInfo[0].id: expected a string, found 5")
	require.Equal(t, http.StatusUnprocessableEntity, end(`[{"id":"cid","outcome":1}]`).Status, "not in the session")
	require.Equal(t, http.StatusUnprocessableEntity, end(`[{"id":"ann","outcome":1},{"id":"ann","outcome":1}]`).Status, "twice")
	require.Equal(t, http.StatusOK, end(`[{"id":"ann","outcome":1},{"id":"bob","outcome":0}]`).Status)
}

// `userInfo[].outcome`: number: "outcome status **or** score". SDK type `double`; sister endpoint says integer; history returns
// `long` — the peers' own types disagree
func TestSeedS6AnOutcomeIsANumberAndExact(t *testing.T) {
	w := open(t, mayEnd)
	for written, exact := range map[string]string{
		"12.50": "12.5", "1e3": "1000", "-0.0": "0", "0.1": "0.1", "2": "2", "999999.000000001": "999999.000000001", "-7": "-7",
	} {
		id := w.started(t, "duel", "ann")
		a := w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":`+written+`}]}`)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
		require.Equal(t, exact, w.match(t, id).Standings[0].Outcome.String())
	}
	id := w.started(t, "duel", "ann")
	for _, wrong := range []string{`"12"`, `null`, `true`, `[1]`, `1e400`, `0.0000000001`, `1234567890123456`} {
		a := w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":`+wrong+`}]}`)
		require.Equal(t, http.StatusBadRequest, a.Status, a.Body)
		require.Contains(t, a.Errors[0].Message, "userInfo[0].outcome: ")
	}
}

// Response envelope: `{"status":string,"code":integer(HTTP),"message":string,"errors":array,"data":object}`
func TestSeedS7TheEnvelope(t *testing.T) {
	w := open(t, mayEnd)
	id := w.started(t, "duel", "ann")
	a := w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`"}`)
	require.Equal(t, `{"status":"success","code":200,"message":"Successfully ended match session","errors":[],"data":{"matchSessionId":"`+id+`"}}`, a.Body)
}

// `data.matchSessionId`: string, echo; nothing else (no ranks, no rewards in the reply; ours adds the full match only when asked:
// `?include=match`)
func TestSeedS8TheReplyHasNothingButTheSession(t *testing.T) {
	w := open(t, mayEnd)
	id := w.started(t, "duel", "ann")
	body := `{"matchSessionId":"` + id + `","userInfo":[{"id":"ann","outcome":3}]}`
	require.Equal(t, `{"matchSessionId":"`+id+`"}`, string(w.post(t, "ann", endPath, body).Data))
	a := w.post(t, "ann", endPath+"?include=match", body)
	want, err := json.Marshal(w.match(t, id))
	require.NoError(t, err)
	require.JSONEq(t, `{"matchSessionId":"`+id+`","match":`+strings.Replace(string(want), `"standings"`, `"replayed":true,"standings"`, 1)+`}`, string(a.Data))
	refused(t, w.post(t, "ann", endPath+"?include=all", body), http.StatusBadRequest, "the query: expected include=match, found include=all")
}

// Success values: `status:"success"`, end: `code:200,"Successfully ended match session"`; create/start: `code:201`
func TestSeedS9TheValuesOfSuccess(t *testing.T) {
	w := open(t, mayEnd)
	created := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`)
	id := created.session(t)
	for _, one := range []struct {
		answer
		code    int
		message string
	}{
		{created, 201, "Match session successfully created"},
		{w.post(t, "ann", startPath, `{"matchId":"duel","sessionId":"`+id+`"}`), 201, "Successfully started match session"},
		{w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`"}`), 200, "Successfully ended match session"},
	} {
		require.Equal(t, "success", one.Result)
		require.Equal(t, one.code, one.Status)
		require.Equal(t, one.code, one.Code)
		require.Equal(t, one.message, one.Message)
	}
}

// Error values: `status:"error"`, `data:null`, `errors:[{"errorCode":int,"errorMessage":string}]`; seed only says "array of error
// messages". Gateway errors are a different body: `{"error":"..."}` 400/401/402/403/429 (`errorCode` 1199 + `retryAfterSeconds` on
// rate limit)
func TestSeedS10TheValuesOfErrors(t *testing.T) {
	w := open(t, mayEnd)
	a := w.post(t, "ann", endPath, `{"matchSessionId":"none"}`)
	require.Equal(t, `{"status":"error","code":404,"message":"Session not found","errors":[{"errorCode":2004,"errorMessage":"Session not found"}],"data":null}`, a.Body)
	a = w.post(t, "ann", serverEndPath, `{}`)
	require.Equal(t, http.StatusForbidden, a.Status)
	require.Equal(t, `{"error":"the key of a game may not do this"}`, a.Body)
	a = w.post(t, "ann", endPath, `{`)
	require.Equal(t, http.StatusBadRequest, a.Status)
	require.Contains(t, a.Body, `{"error":"the body is not valid JSON: `)
	a = w.post(t, "eve", endPath, `{}`)
	require.Equal(t, http.StatusUnauthorized, a.Status)
	require.Equal(t, `{"error":"the credentials are invalid or missing"}`, a.Body)
}

// End errors: validation; "Session not found"; "Session already completed" (double end); "Session has timed out" (expired). HTTP
// codes not documented
func TestSeedS11TheErrorsOfTheEnd(t *testing.T) {
	w := open(t, mayEnd)
	end := func(id, outcome string) answer {
		return w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":`+outcome+`}]}`)
	}
	refused(t, end("none", "1"), http.StatusNotFound, "Session not found")
	id := w.started(t, "duel", "ann")
	require.Equal(t, http.StatusOK, end(id, "1").Status)
	refused(t, end(id, "2"), http.StatusConflict, "Session already completed")
	require.Equal(t, "1", w.match(t, id).Standings[0].Outcome.String())

	id = w.started(t, "quick", "ann")
	w.Clock.Advance(11 * time.Minute)
	refused(t, end(id, "1"), http.StatusConflict, "Session has timed out")
}

// Note Authorization: valid player token required
func TestSeedS12AValidPlayersTokenIsRequired(t *testing.T) {
	w := open(t, mayEnd)
	body := `{"matchSessionId":"` + w.started(t, "duel", "ann") + `"}`
	for _, authorization := range []string{"", "Bearer", "Bearer wrong", "Basic " + token("ann"), token("ann")} {
		r := httptest.NewRequest(http.MethodPost, endPath, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("api-key", serverKey) // not even a server's key does without
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		a := w.send(t, r)
		require.Equal(t, http.StatusUnauthorized, a.Status, a.Body)
		require.Equal(t, `{"error":"the credentials are invalid or missing"}`, a.Body)
	}
	require.Equal(t, http.StatusOK, w.post(t, "ann", endPath, body).Status)
}

// Note Lifecycle: session must have been **created and started** before it can be ended
func TestSeedS13OnlyWhatWasStartedEnds(t *testing.T) {
	w := open(t, mayEnd)
	id := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`).session(t)
	end := `{"matchSessionId":"` + id + `"}`
	a := w.post(t, "ann", endPath, end)
	require.Equal(t, http.StatusConflict, a.Status, a.Body)
	require.Contains(t, a.Body, `"errorCode":2005,`, "not started, and not ended before")
	require.Equal(t, finalbell.Created, w.match(t, id).State)
	require.Equal(t, http.StatusCreated, w.post(t, "ann", startPath, `{"matchId":"duel","sessionId":"`+id+`"}`).Status)
	require.Equal(t, http.StatusOK, w.post(t, "ann", endPath, end).Status)
}

// Note Outcome records: outcomes determine rankings, winners **and losers**
func TestSeedS14OutcomesDetermineRankings(t *testing.T) {
	w := open(t, maySetOthers)
	id := w.started(t, "duel", "ann", "bob", "cid")
	w.post(t, "bob", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":1},{"id":"bob","outcome":9.5},{"id":"cid","outcome":9.5}]}`)
	m := w.match(t, id)
	for player, want := range map[string]struct {
		rank   int
		result finalbell.Result
	}{"bob": {1, finalbell.Draw}, "cid": {1, finalbell.Draw}, "ann": {3, finalbell.Loss}} {
		s := standing(t, m, player)
		require.Equal(t, want.rank, s.Rank, player)
		require.Equal(t, want.result, s.Result, player)
	}
}

// Note Leaderboards: results "may be automatically applied to relevant leaderboards, especially if part of a competition"
func TestSeedS15ResultsAreOnTheLeaderboardsOfTheCompetition(t *testing.T) {
	w := open(t)
	a := w.post(t, "", serverStartPath, `{"matchId":"duel","competitionId":"spring","userInfo":[{"id":"ann","entryId":"e1"},{"id":"bob","entryId":"e2"}]}`)
	w.post(t, "", serverEndPath, `{"matchSessionId":"`+a.session(t)+`","userInfo":[{"id":"ann","outcome":1},{"id":"bob","outcome":2}]}`)
	page, err := w.Engine.Board("table").Partition("spring").Top(context.Background(), 10)
	require.NoError(t, err)
	finalbelltest.RequireRanks(t, page, "1 bob", "2 ann")
	_, err = w.Engine.Board("table").Partition("autumn").Rank(context.Background(), "bob")
	require.ErrorIs(t, err, finalbell.ErrNotFound)
}

// Note Resource release: end releases resources and "completes any pending processes related to the session"
func TestSeedS16TheEndLetsGo(t *testing.T) {
	var released []string
	w := openWith(t, func(o *finalbell.Options) {
		o.Hooks.Release = func(_ context.Context, m finalbell.Match) error { released = append(released, m.ID); return nil }
	}, mayEnd)
	id := w.started(t, "duel", "ann")
	again := `{"matchId":"race"}`
	refused(t, w.post(t, "ann", startPath, again), http.StatusConflict, "User already has an active session")
	w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`"}`)
	require.Equal(t, http.StatusCreated, w.post(t, "ann", startPath, again).Status, "the player is free again")
	_, err := w.Engine.Tick(context.Background())
	require.NoError(t, err)
	require.Equal(t, []string{id}, released)
}

// Note History: ended sessions feed match history and statistics
func TestSeedS17EndedSessionsAreHistory(t *testing.T) {
	w := open(t, mayEnd)
	id := w.started(t, "duel", "ann", "bob")
	require.Equal(t, `[]`, string(w.post(t, "ann", historyPath, `{}`).Data), "not before the end")
	w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":4}]}`)
	require.Contains(t, string(w.post(t, "ann", historyPath, `{}`).Data), `"matchSessionId":"`+id+`"`)
	p, err := w.Engine.Player(context.Background(), "ann")
	require.NoError(t, err)
	b, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(b), `"overall":{"played":1,"won":1`)
}

// Note Rewarding: rewards, progression, achievements processed from outcomes after end
func TestSeedS18RewardsProgressionAndAchievements(t *testing.T) {
	w := open(t)
	id := w.started(t, "duel", "ann", "bob")
	w.post(t, "", serverEndPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":4},{"id":"bob","outcome":2}]}`)
	wallet, err := w.Engine.Wallet(context.Background(), "ann")
	require.NoError(t, err)
	require.Equal(t, int64(50+5+7), wallet.Balances["coins"], "the prize, the achievement's reward and the level's")
	progress, err := w.Engine.Progress(context.Background(), "ann")
	require.NoError(t, err)
	require.Equal(t, int64(10), progress.Markers[0].Value)
	require.Equal(t, 2, progress.Markers[0].Level)
}

// Tip Result verification: verify results before ending → we: server-side validators + optional consensus
func TestSeedS19AVerifiedResultIsNotLost(t *testing.T) {
	fair := false
	w := openWith(t, func(o *finalbell.Options) {
		o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
			if c.Op == "end match" && !fair {
				return errors.New("the replay is not checked yet")
			}
			return nil
		}
	}, mayEnd)
	id := w.started(t, "duel", "ann")
	body := `{"matchSessionId":"` + id + `","userInfo":[{"id":"ann","outcome":4}]}`
	a := w.post(t, "ann", endPath, body)
	require.Equal(t, http.StatusForbidden, a.Status, a.Body)
	require.Contains(t, a.Message, "the replay is not checked yet")
	tooMuch := `{"matchSessionId":"` + id + `","userInfo":[{"id":"ann","outcome":1000001}]}`
	require.Equal(t, http.StatusUnprocessableEntity, w.post(t, "ann", endPath, tooMuch).Status, "beyond the bounds of the mode")
	require.Equal(t, finalbell.Started, w.match(t, id).State, "nothing is lost")
	fair = true
	require.Equal(t, http.StatusOK, w.post(t, "ann", endPath, body).Status)
	require.Equal(t, "4", w.match(t, id).Standings[0].Outcome.String())
}

// ended ends a session of ann and bob, who loses, and returns the match of the reply.
func ended(t *testing.T, w world) finalbell.Match {
	t.Helper()
	id := w.started(t, "duel", "ann", "bob")
	a := w.post(t, "", serverEndPath+"?include=match", `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":4},{"id":"bob","outcome":2}]}`)
	require.Equal(t, http.StatusOK, a.Status, a.Body)
	require.Contains(t, string(a.Data), `"match":{"id":"`+id+`"`)
	return w.match(t, id)
}

// inReply is a part of the match in the reply of the end.
func inReply(t *testing.T, w world, id, part string) {
	t.Helper()
	a := w.post(t, "", serverEndPath+"?include=match", `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":4},{"id":"bob","outcome":2}]}`)
	require.Contains(t, string(a.Data), part)
}

// Tip Match summary: data for a summary screen → we: End returns full `Result`
func TestSeedS20TheReplyHasTheSummary(t *testing.T) {
	w := open(t)
	m := ended(t, w)
	inReply(t, w, m.ID, `"summary":{"played":1,"streak":1,"personal_best":true}`)
	inReply(t, w, m.ID, `"rank":1,"position":1,"result":"win"`)
}

// Tip Reward animations: per-reward detail in the result (what, amount, old→new)
func TestSeedS21TheReplyHasEachReward(t *testing.T) {
	w := open(t)
	m := ended(t, w)
	inReply(t, w, m.ID, `"rule":"purse","kind":"currency","currency":"coins","amount":50,"old":0,"new":50,"state":"granted"`)
}

// Tip Rematch: play again with same participants → `Rematch(match)`
func TestSeedS22ARematchIsASessionToo(t *testing.T) {
	w := open(t)
	m := ended(t, w)
	again, err := w.Engine.Rematch(context.Background(), m.ID, "")
	require.NoError(t, err)
	a := w.post(t, "ann", startPath, `{"matchSessionId":"`+again.ID+`","matchId":"duel","userInfo":[{"id":"ann"},{"id":"bob"}]}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Body)
	require.Equal(t, again.ID, a.session(t))
	require.Equal(t, finalbell.Started, w.match(t, again.ID).State)
}

// Tip Post-match analysis: per-player stats, deltas, percentile → `Result.Players[i].Delta`
func TestSeedS23TheReplyHasTheMovesOnBoards(t *testing.T) {
	w := open(t)
	a := w.post(t, "", serverStartPath, `{"matchId":"duel","competitionId":"spring","userInfo":[{"id":"ann","entryId":"e1"},{"id":"bob","entryId":"e2"}]}`)
	inReply(t, w, a.session(t), `"boards":[{"board":"table","window":"all","partition":"spring","rank":1,"size":2,"percentile":100,"values":[3]`)
}

// Tip Error handling: "ensuring match data isn't lost" when end fails → idempotent End + durable pending results
func TestSeedS24TheSameEndAgainIsTheFirstAnswer(t *testing.T) {
	w := open(t, maySetOthers)
	id := w.started(t, "duel", "ann", "bob")
	end := func(users string) answer {
		return w.post(t, "ann", endPath, `{"matchSessionId":"`+id+`","userInfo":`+users+`}`)
	}
	first := end(`[{"id":"ann","outcome":4},{"id":"bob","outcome":2}]`)
	require.Equal(t, first, end(`[{"id":"bob","outcome":2.0},{"id":"ann","outcome":4}]`))
	w = w.restart(t, maySetOthers)
	require.Equal(t, first, end(`[{"id":"ann","outcome":4},{"id":"bob","outcome":2}]`), "also of another process")
	wallet, err := w.Engine.Wallet(context.Background(), "ann")
	require.NoError(t, err)
	require.Equal(t, int64(62), wallet.Balances["coins"], "once")
}

// Tags: matches, session, end, finalize, results, scores, multiplayer, matchmaking, esports
func TestSeedS25TheDocumentHasTheTags(t *testing.T) {
	text, err := os.ReadFile("../../docs/specter.md")
	require.NoError(t, err)
	for _, tag := range []string{"matches", "session", "end", "finalize", "results", "scores", "multiplayer", "matchmaking", "esports"} {
		require.Contains(t, string(text), "`"+tag+"`")
	}
}
