package specter_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect/specter"
	"github.com/stretchr/testify/require"
)

// skills doc for the *same route*: `{sessionId*, score*, result?:"won"|"lost"|"draw", customParams?}` vs seed+SDK
// `{matchSessionId,userInfo}` → accept both, seed shape is canonical
func TestSeedS28AnEndIsTakenByEitherBody(t *testing.T) {
	w := open(t, mayEnd)
	for _, one := range []struct{ rest, outcome, result string }{
		{`"score":5000`, "5000", ""},
		{`"score":12.50,"result":"won"`, "12.5", "2"},
		{`"score":5,"result":"draw"`, "5", "1"},
		{`"score":5,"result":"lost"`, "5", "0"},
		{`"result":"won"`, "2", ""},
		{`"result":"draw"`, "1", ""},
		{`"result":"lost"`, "0", ""},
	} {
		id := w.started(t, "duel", "ann", "bob")
		body := `{"sessionId":"` + id + `",` + one.rest + `,"customParams":{"enemiesDefeated":25,"perfect":true}}`
		a := w.post(t, "ann", endPath, body)
		require.Equal(t, `{"status":"success","code":200,"message":"Successfully ended match session","errors":[],"data":{"matchSessionId":"`+id+`"}}`, a.Body)
		s := standing(t, w.match(t, id), "ann")
		require.Equal(t, one.outcome, s.Outcome.String(), body)
		require.Equal(t, one.result, s.Metrics["result"].String(), body)
		require.Equal(t, "25", s.Metrics["enemiesDefeated"].String())
		require.Equal(t, "1", s.Metrics["perfect"].String())
	}
	id := w.started(t, "duel", "ann")
	for rest, text := range map[string]string{
		``:                         "score: the field is missing",
		`,"score":"5"`:             `score: expected a number, found "5"`,
		`,"score":1,"result":"no"`: `result: expected "won", "lost" or "draw", found "no"`,
		`,"score":1,"userInfo":[]`: "userInfo: unknown field",
		`,"score":1,"matchSessionId":"` + id + `"`:                    "matchSessionId: unknown field",
		`,"score":1,"customParams":{"map":"mill"}`:                    "customParams.map: only numbers, true and false are kept here, of players at the end of their session",
		`,"score":1,"result":"won","customParams":{"result":5}`:       "result: the name is used twice",
		`,"score":1,"customParams":{"a":1},"specterParams":{"a":"b"}`: "specterParams: unknown field",
	} {
		refused(t, w.post(t, "ann", endPath, `{"sessionId":"`+id+`"`+rest+`}`), http.StatusBadRequest, text)
	}
	require.Equal(t, finalbell.Started, w.match(t, id).State)
}

// `POST /v2/client/matchmaking/end-match-session` (api-key only): `{matchSessionId*, userInfo*:[{id*,outcome*
// (integer),entryId?,teamId?,specterParams?,customParams?}] min 1, meta?}`; fires `match_session_ended` task validation per user
func TestSeedS29AServerEndsWithItsKeyAlone(t *testing.T) {
	w := openWith(t, keeping, keeps)
	id := w.post(t, "", serverStartPath, `{"matchId":"duel","competitionId":"c","userInfo":[{"id":"ann","entryId":"e1"},{"id":"bob","entryId":"e2"}]}`).session(t)
	body := `{"matchSessionId":"` + id + `","userInfo":[
		{"id":"ann","outcome":100,"entryId":"e1","specterParams":{"kills":10,"deaths":2},"customParams":{"mvp":true,"note":"gg"}},
		{"id":"bob","outcome":85.0,"entryId":"e2"}],
		"meta":{"matchDuration":1200,"mapId":"desert-arena"}}`
	require.Equal(t, http.StatusForbidden, w.post(t, "ann", serverEndPath, body).Status, "not with the key of the game")
	first := w.post(t, "", serverEndPath, body)
	require.Equal(t, `{"status":"success","code":200,"message":"Successfully ended match session","errors":[],"data":{"matchSessionId":"`+id+`"}}`, first.Body)
	m := w.match(t, id)
	require.Equal(t, map[string]string{"meta.matchDuration": "1200", "meta.mapId": "desert-arena", "userInfo[0].customParams.note": "gg"}, m.Data)
	ann := standing(t, m, "ann")
	require.Equal(t, "10", ann.Metrics["kills"].String())
	require.Equal(t, "1", ann.Metrics["mvp"].String())
	progress, err := w.Engine.Progress(context.Background(), "ann")
	require.NoError(t, err)
	require.True(t, progress.Goals[0].Reached, "the task of who has won")

	require.Equal(t, first, w.post(t, "", serverEndPath, body))
	refused(t, w.post(t, "", serverEndPath, strings.Replace(body, "desert-arena", "mill", 1)), http.StatusConflict, "Session already completed")

	for users, text := range map[string]string{
		`[]`:                           "userInfo: expected at least one user",
		`[{"id":"ann"}]`:               "userInfo[0].outcome: the field is missing",
		`[{"id":"ann","outcome":1.5}]`: "userInfo[0].outcome: expected a whole number, found 1.5",
		`[{"id":"ann","outcome":1,"entryId":"e2"}]`:                                 "userInfo[0].entryId: not the one with which the user is in the session",
		`[{"id":"ann","outcome":1,"specterParams":{"a":1},"customParams":{"a":2}}]`: "userInfo[0].customParams.a: the name is used twice",
	} {
		refused(t, w.post(t, "", serverEndPath, `{"matchSessionId":"`+id+`","userInfo":`+users+`}`), http.StatusBadRequest, text)
	}
	a := w.post(t, "", serverEndPath, `{"matchSessionId":"`+w.started(t, "duel", "ann")+`","userInfo":[{"id":"ann","outcome":1,"teamId":"red"}]}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.Status, "the user plays for no team")
}

func TestTextThatCannotBeKeptIsRefused(t *testing.T) {
	w := open(t)
	id := w.started(t, "duel", "ann")
	end := func(rest string) answer {
		return w.post(t, "", serverEndPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":1}]`+rest+`}`)
	}
	refused(t, end(`,"meta":{"b":1,"a":2}`), http.StatusBadRequest, "meta.a: only numbers, true and false are kept here, of players at the end of their session")
	require.Equal(t, finalbell.Started, w.match(t, id).State)
	require.Equal(t, http.StatusOK, end(`,"meta":{}`).Status)
}

// `created` → `started` → `ended` (`state` field); internal text "has started"/"has ended"
func TestSeedS30TheStatesOfASession(t *testing.T) {
	w := open(t)
	state := func(id string) string {
		t.Helper()
		a := w.post(t, "", resultsPath, `{"matchSessionIds":["`+id+`"]}`)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
		_, rest, _ := strings.Cut(a.Body, `"state":"`)
		state, _, _ := strings.Cut(rest, `"`)
		return state
	}
	ctx := context.Background()
	id := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`).session(t)
	require.Equal(t, "created", state(id))
	w.post(t, "ann", startPath, `{"matchId":"duel","sessionId":"`+id+`"}`)
	require.Equal(t, "started", state(id))
	w.post(t, "", serverEndPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"ann","outcome":1}]}`)
	require.Equal(t, "ended", state(id))
	_, err := w.Engine.Void(ctx, id, "")
	require.NoError(t, err)
	require.Equal(t, "ended", state(id), "voided")

	id = w.started(t, "quick", "ann")
	w.Clock.Advance(11 * time.Minute)
	_, err = w.Engine.Tick(ctx)
	require.NoError(t, err)
	require.Equal(t, "ended", state(id), "expired")
	id = w.started(t, "duel", "ann")
	_, err = w.Engine.Cancel(ctx, id, "")
	require.NoError(t, err)
	require.Equal(t, "ended", state(id), "cancelled")
}

// `POST …/matches/get-match-session-results` filters `matchSessionIds,competitionIds,matchIds,gameIds,offset,limit` →
// `{matchSessions:[{id,matchId,gameId,gameName,competitionId|null,state,startedAt,endedAt,results:[{id,outcome,rank,prizes:[{type,id,amount}]}]}],totalCount}`
// (SDK calls `/get-session-details`)
func TestSeedS31ResultsAreRead(t *testing.T) {
	w := open(t, func(o *specter.Options) {
		o.Describe = func(of specter.Kind, id string) specter.Resource {
			return specter.Resource{Name: string(of) + " " + id, IconURL: "https://cdn.example/" + id}
		}
	})
	first := w.post(t, "", serverStartPath, `{"matchId":"duel","competitionId":"c","userInfo":[{"id":"ann","entryId":"e1"},{"id":"bob","entryId":"e2"}]}`).session(t)
	w.Clock.Advance(time.Minute)
	w.post(t, "", serverEndPath, `{"matchSessionId":"`+first+`","userInfo":[{"id":"ann","outcome":100},{"id":"bob","outcome":85}]}`)
	second := w.started(t, "race", "bob", "cid")

	read := func(player, body string) string {
		t.Helper()
		a := w.post(t, player, resultsPath, body)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
		return string(a.Data)
	}
	session1 := `{"id":"` + first + `","matchId":"duel","gameId":"arcadia","gameName":"game arcadia","competitionId":"c","state":"ended",` +
		`"startedAt":"2026-03-02T09:00:00.000Z","endedAt":"2026-03-02T09:01:00.000Z","results":[` +
		`{"id":"ann","outcome":100,"rank":1,"prizes":[{"type":"currency","id":"coins","amount":50},{"type":"item","id":"cup","amount":1},{"type":"progressionMarker","id":"xp","amount":10},` +
		`{"type":"currency","id":"coins","amount":5},{"type":"currency","id":"coins","amount":7}]},` +
		`{"id":"bob","outcome":85,"rank":2,"prizes":[{"type":"progressionMarker","id":"xp","amount":10},{"type":"currency","id":"coins","amount":7}]}]}`
	session2 := `{"id":"` + second + `","matchId":"race","gameId":"arcadia","gameName":"game arcadia","competitionId":null,"state":"started",` +
		`"startedAt":"2026-03-02T09:01:00.000Z","endedAt":null,"results":[]}`
	both := `{"matchSessions":[` + session1 + `,` + session2 + `],"totalCount":2}`
	only1, only2 := `{"matchSessions":[`+session1+`],"totalCount":1}`, `{"matchSessions":[`+session2+`],"totalCount":1}`
	none := `{"matchSessions":[],"totalCount":0}`
	for _, one := range []struct{ player, body, want string }{
		{"", `{}`, both}, {"bob", `{}`, both}, {"ann", `{}`, only1}, {"cid", `{}`, only2}, {"dan", `{}`, none},
		{"", `{"matchSessionIds":["` + second + `","` + second + `","no"]}`, only2},
		{"ann", `{"matchSessionIds":["` + second + `"]}`, none}, // not hers
		{"", `{"competitionIds":["c"]}`, only1}, {"", `{"competitionIds":["d"]}`, none},
		{"", `{"matchIds":["race"]}`, only2}, {"", `{"matchIds":["race","duel"]}`, both}, {"", `{"matchIds":["race","chess"]}`, only2},
		{"", `{"gameIds":["arcadia"]}`, both}, {"", `{"gameIds":["chess"]}`, none},
		{"", `{"matchIds":["race"],"competitionIds":["c"]}`, none},
		{"", `{"limit":1,"projectId":"p"}`, `{"matchSessions":[` + session1 + `],"totalCount":2}`},
		{"", `{"offset":1,"limit":1}`, `{"matchSessions":[` + session2 + `],"totalCount":2}`},
		{"", `{"offset":9}`, `{"matchSessions":[],"totalCount":2}`},
	} {
		require.Equal(t, one.want, read(one.player, one.body), one.player+one.body)
	}
	for body, text := range map[string]string{
		`{"limit":0}`: "limit: expected 1 to 100, found 0", `{"limit":101}`: "limit: expected 1 to 100, found 101",
		`{"offset":-1}`: "offset: -1 is below 0", `{"limit":1.5}`: "limit: expected a whole number, found 1.5",
		`{"matchIds":"duel"}`: `matchIds: expected a list, found "duel"`, `{"sort":"x"}`: "sort: unknown field",
		`{"matchIds":[` + strings.Repeat(`"a",`, 100) + `"a"]}`: "matchIds: expected at most 100 ids, found 101",
	} {
		refused(t, w.post(t, "", resultsPath, body), http.StatusBadRequest, text)
	}
	third := w.started(t, "walk", "dan")
	w.Clock.Advance(time.Minute)
	w.post(t, "", serverEndPath, `{"matchSessionId":"`+third+`","userInfo":[{"id":"dan","outcome":1}]}`)
	newest := regexp.MustCompile(`"id":"` + third + `".*"id":"` + first + `".*"id":"` + second + `"`)
	require.Regexp(t, newest, read("", `{}`), "the latest end first, then what runs")

	a := w.post(t, "ann", detailsPath, `{}`)
	require.Equal(t, `[{"matchSessionId":"`+first+`",`+
		`"match":{"uuid":"duel","id":"duel","name":"match duel","description":"","iconUrl":"https://cdn.example/duel"},`+
		`"game":{"uuid":"arcadia","id":"arcadia","name":"game arcadia","description":"","iconUrl":"https://cdn.example/arcadia"},`+
		`"competition":{"uuid":"c","id":"c","name":"competition c","description":"","iconUrl":"https://cdn.example/c"},`+
		`"userInfo":[{"uuid":"ann","id":"ann","entryId":"e1","score":100,"rank":1},{"uuid":"bob","id":"bob","entryId":"e2","score":85,"rank":2}],`+
		`"playedAt":"2026-03-02T09:01:00.000Z"}]`, string(a.Data))
}

// `POST …/player/me/get-match-history` `{attributes:["competition","playerDetails"],matchSessionId,limit,offset}` → array
// `{uuid,id,name,description,iconUrl,game,matchSessionId,playedAt,score|null,…}` newest first
func TestSeedS32AHistoryIsRead(t *testing.T) {
	w := open(t)
	var ids []string
	for i := range 3 {
		id := w.started(t, "duel", "ann", "bob")
		ids = append(ids, id)
		w.Clock.Advance(time.Minute)
		w.post(t, "", serverEndPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"bob","outcome":`+string('1'+rune(i))+`}]}`)
	}
	w.started(t, "race", "ann")
	read := func(player, body string) string {
		t.Helper()
		a := w.post(t, player, historyPath, body)
		require.Equal(t, http.StatusOK, a.Status, a.Body)
		return string(a.Data)
	}
	row := func(i int, score, more string) string {
		return `{"uuid":"duel","id":"duel","name":"duel","description":"","iconUrl":"",` +
			`"game":{"uuid":"arcadia","id":"arcadia","name":"arcadia","description":"","iconUrl":""}` + strings.Split(more, "|")[0] + `,"matchSessionId":"` + ids[i] + `",` +
			`"playedAt":"2026-03-02T09:0` + string('1'+rune(i)) + `:00.000Z","score":` + score + strings.Split(more+"|", "|")[1] + `}`
	}
	require.Equal(t, `[`+row(2, "3", "")+`,`+row(1, "2", "")+`,`+row(0, "1", "")+`]`, read("bob", `{}`))
	require.Equal(t, `[`+row(2, "null", "")+`,`+row(1, "null", "")+`]`, read("ann", `{"limit":2}`), "without a score of her own")
	require.Equal(t, `[`+row(1, "2", "")+`]`, read("bob", `{"offset":1,"limit":1}`))
	require.Equal(t, `[`+row(0, "1", "")+`]`, read("bob", `{"matchSessionId":"`+ids[0]+`"}`))
	require.Equal(t, `[]`, read("cid", `{"matchSessionId":"`+ids[0]+`"}`), "not of somebody else")
	details := `|,"playerDetails":[{"uuid":"bob","id":"bob","firstName":"","lastName":"","username":"bob","displayName":"bob","thumbUrl":"","score":1,"rank":1},` +
		`{"uuid":"ann","id":"ann","firstName":"","lastName":"","username":"ann","displayName":"ann","thumbUrl":"","score":null,"rank":2}]`
	require.Equal(t, `[`+row(0, "1", `,"competition":null`+details)+`]`, read("bob", `{"attributes":["competition","playerDetails"],"offset":2}`))
	refused(t, w.post(t, "ann", historyPath, `{"attributes":["score"]}`), http.StatusBadRequest,
		`attributes[0]: expected "competition" or "playerDetails", found "score"`)
	_, err := w.Engine.Void(context.Background(), ids[2], "")
	require.NoError(t, err)
	require.Equal(t, `[`+row(2, "null", "")+`]`, read("bob", `{"limit":1}`), "what was voided has no score")
}

// HTTP 207 `status:"multi-status"`, `failedRewards[{source,itemsFailed[{id,amount,message,reason,code}],…}]`
func TestSeedS36AnEndWhoseRewardsFailedSaysSo(t *testing.T) {
	w := openWith(t, func(o *finalbell.Options) {
		o.Hooks.Deliver = func(context.Context, finalbell.Grant) error { return errors.New("the shop is closed") }
	})
	id := w.started(t, "duel", "ann")
	body := `{"matchSessionId":"` + id + `","userInfo":[{"id":"ann","outcome":4}]}`
	require.Equal(t, http.StatusOK, w.post(t, "", serverEndPath+"?include=match", body).Status, "not yet delivered is not failed")
	for range 20 {
		w.Clock.Advance(time.Hour)
		_, err := w.Engine.Tick(context.Background())
		require.NoError(t, err)
	}
	require.Equal(t, http.StatusOK, w.post(t, "", serverEndPath, body).Status, "the documented reply has no place for it")
	a := w.post(t, "", serverEndPath+"?include=match", body)
	require.Equal(t, http.StatusMultiStatus, a.Status, a.Body)
	require.Equal(t, "multi-status", a.Result)
	require.Contains(t, string(a.Data), `"failedRewards":[{"source":"match","userId":"ann","itemsFailed":[{"id":"cup","amount":1,`+
		`"message":"the reward could not be delivered","reason":"the shop is closed","code":2021}]}]`)
}

func TestAPlayerEndsOnlyWhereTheyMay(t *testing.T) {
	own, others, nobody := `[{"id":"ann","outcome":1}]`, `[{"id":"ann","outcome":1},{"id":"bob","outcome":0}]`, `[]`
	for _, one := range []struct {
		name    string
		options []option
		users   string
		status  int
	}{
		{"not by themselves", nil, own, http.StatusForbidden},
		{"not by themselves", nil, nobody, http.StatusForbidden},
		{"their own outcome", []option{mayEnd}, own, http.StatusOK},
		{"nobody's outcome", []option{mayEnd}, nobody, http.StatusOK},
		{"not another's outcome", []option{mayEnd}, others, http.StatusForbidden},
		{"another's outcome", []option{maySetOthers}, others, http.StatusOK},
	} {
		w := open(t, one.options...)
		id := w.started(t, "duel", "ann", "bob")
		body := `{"matchSessionId":"` + id + `","userInfo":` + one.users + `}`
		refused(t, w.post(t, "cid", endPath, body), http.StatusNotFound, "Session not found")
		a := w.post(t, "ann", endPath, body)
		require.Equal(t, one.status, a.Status, one.name+a.Body)
		require.Equal(t, one.status == http.StatusOK, w.match(t, id).State == finalbell.Ended)
	}
	w := open(t, mayEnd)
	id := w.started(t, "walk", "ann")
	a := w.post(t, "cid", endPath, `{"matchSessionId":"`+id+`","userInfo":[{"id":"cid","outcome":1}]}`)
	refused(t, a, http.StatusNotFound, "Session not found") // nobody walks in by their own word
}

// Match definition, leaderboard methods, prize rules, partial grant, markers, wallet, live events: each has its table.
func TestSeedsS33ToS39AreMappedInTheDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/specter.md")
	require.NoError(t, err)
	text := string(b)
	for _, row := range []string{"S33", "S34", "S35", "S36", "S37", "S38", "S39"} {
		require.Contains(t, text, "\n## "+row+": ")
	}
	for _, word := range strings.Fields(`minPlayers maxPlayers formatType single_player multi_player score completion_time win_loss_draw finish_position
		winnings_collected winCondition numberOfPositions defaultOutcomeValue howTo tags meta matchmaking runtime.timeout runtime.maxDuration skill.algorithm
		queue party team regions high_score time_trial win_draw_loss_points position_weighting cumulative_score custom all_time startRank endRank items bundles
		currencies progressionMarkers timeOffsetSeconds fixed dynamic RMG IAP flat percentage multi-status failedRewards itemsFailed update-marker add
		subtract currentLevelNo previousLevelNo amountToNextLevel levelUpOccurred update-balance walletType balance requested applied wasAdjusted adjustmentReason
		match:started match:rejoined match:update-score match:leaderboard-update match:ended finalLeaderboard finalTeamScores match:player-disconnected
		match:player-reconnected match:player-abandoned match:player-left reward.pending reward.granted reward.failed`) {
		require.Contains(t, text, "`"+word+"`")
	}
	_, rest, found := strings.Cut(text, "```json\n")
	require.True(t, found)
	rules, _, _ := strings.Cut(rest, "```")
	_, err = finalbell.ParseRules([]byte(rules))
	require.NoError(t, err)
	for _, kind := range []finalbell.EventKind{
		finalbell.EventMatchStarted, finalbell.EventMatchEnded, finalbell.EventSessionStarted, finalbell.EventSessionEnded, finalbell.EventRoomLeft, finalbell.EventOvertaken,
		finalbell.EventNewLeader, finalbell.EventEnteredTop, finalbell.EventGrantClaimed, finalbell.EventGrantDelivered, finalbell.EventGrantUndelivered, finalbell.EventPrizesPaid,
	} {
		require.Contains(t, text, "`"+string(kind)+"`")
	}
}
