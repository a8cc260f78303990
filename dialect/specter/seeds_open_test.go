package specter_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect/specter"
	"github.com/stretchr/testify/require"
)

// `POST /v2/client/matches/create-session` `{matchId*, userInfo*:[{id*,entryId?}] (min 1), competitionId?}` → 201
// `{matchSessionId, slotId?}` (slotId for instant battles). Rules: all users must exist; competitionId ⇔ every user has entryId;
// state `created`
func TestSeedS26ASessionIsCreated(t *testing.T) {
	w := open(t, func(o *specter.Options) {
		o.Exists = func(_ context.Context, user string) (bool, error) { return user != "nobody", nil }
	})
	create := func(body string) answer { return w.post(t, "ann", createPath, body) }
	a := create(`{"matchId":"duel","userInfo":[{"id":"ann"},{"id":"bob"}]}`)
	require.Equal(t, `{"status":"success","code":201,"message":"Match session successfully created","errors":[],"data":{"matchSessionId":"id-1"}}`, a.Body)
	require.Equal(t, finalbell.Created, w.match(t, "id-1").State)

	a = create(`{"matchId":"duel","competitionId":"spring","userInfo":[{"id":"ann","entryId":"e1"},{"id":"bob","entryId":"e2"}]}`)
	m := w.match(t, a.session(t))
	require.Equal(t, map[string]string{"competitionId": "spring"}, m.Attributes)
	require.Equal(t, map[string]string{"entryId": "e2"}, standing(t, m, "bob").Attributes)

	for body, text := range map[string]string{
		`{"userInfo":[{"id":"ann"}]}`:                                 "matchId: the field is missing",
		`{"matchId":"duel"}`:                                          "userInfo: the field is missing",
		`{"matchId":"duel","userInfo":[]}`:                            "userInfo: expected at least one user",
		`{"matchId":"duel","userInfo":[{"entryId":"e1"}]}`:            "userInfo[0].id: the field is missing",
		`{"matchId":"duel","userInfo":[{"id":"ann","entryId":"e1"}]}`: "competitionId: the field is missing, for userInfo[0] has an entryId",
		`{"matchId":"duel","competitionId":"c","userInfo":[{"id":"ann","entryId":"e"},{"id":"x"}]}`: "userInfo[1].entryId: the field is missing, for there is a competitionId",
	} {
		refused(t, create(body), http.StatusBadRequest, text)
	}
	refused(t, create(`{"matchId":"duel","userInfo":[{"id":"ann"},{"id":"nobody"}]}`), http.StatusUnprocessableEntity, `userInfo[1].id: there is no user "nobody"`)
	refused(t, create(`{"matchId":"chess","userInfo":[{"id":"ann"}]}`), http.StatusNotFound, "Match not found")
}

func TestAPlayerOpensSessionsOfTheirOwn(t *testing.T) {
	w := open(t)
	w.credit(t, "ann", 100)
	w.credit(t, "bob", 100)
	for _, path := range []string{createPath, startPath} {
		a := w.post(t, "ann", path, `{"matchId":"duel","userInfo":[{"id":"bob"}]}`)
		refused(t, a, http.StatusForbidden, "a player may not open a session without them in it")
		a = w.post(t, "ann", path, `{"matchId":"paid","userInfo":[{"id":"ann"},{"id":"bob"}]}`)
		refused(t, a, http.StatusForbidden, "a player may not open a session in which others pay")
	}
	ofBoth := w.post(t, "", serverCreatePath, `{"matchId":"paid","userInfo":[{"id":"ann"},{"id":"bob"}]}`).session(t)
	refused(t, w.post(t, "ann", startPath, `{"matchId":"paid","sessionId":"`+ofBoth+`"}`), http.StatusForbidden,
		"a player may not start a session in which others pay or bots play")
	refused(t, w.post(t, "cid", startPath, `{"matchId":"paid","sessionId":"`+ofBoth+`"}`), http.StatusNotFound, "Session not found")
	wallet, err := w.Engine.Wallet(context.Background(), "bob")
	require.NoError(t, err)
	require.Equal(t, int64(90), wallet.Balances["coins"], "held by the server's session alone")
	require.Equal(t, http.StatusCreated, w.post(t, "ann", createPath, `{"matchId":"paid","userInfo":[{"id":"ann"}]}`).Status)

	bots, err := w.Engine.Create(context.Background(), finalbell.NewMatch{Mode: "duel", Players: []finalbell.Participant{{Player: "ann"}, {Player: "hal", Bot: true}}})
	require.NoError(t, err)
	refused(t, w.post(t, "ann", startPath, `{"matchId":"duel","matchSessionId":"`+bots.ID+`"}`), http.StatusForbidden,
		"a player may not start a session in which others pay or bots play")
}

// Who runs in an exclusive mode can play in no other: another player does not bring them to that.
func TestAPlayerKeepsNobodyElseFromTheirSessions(t *testing.T) {
	const text = "a player may not open or start a session that keeps others from theirs"
	w := open(t)
	for _, path := range []string{createPath, startPath} {
		refused(t, w.post(t, "ann", path, `{"matchId":"arena","userInfo":[{"id":"ann"},{"id":"bob"}]}`), http.StatusForbidden, text)
	}
	ofBoth := w.post(t, "", serverCreatePath, `{"matchId":"arena","userInfo":[{"id":"ann"},{"id":"bob"}]}`).session(t)
	refused(t, w.post(t, "ann", startPath, `{"matchId":"arena","sessionId":"`+ofBoth+`"}`), http.StatusForbidden, text)
	require.Equal(t, http.StatusCreated, w.post(t, "ann", startPath, `{"matchId":"arena"}`).Status, "alone")
}

// `POST /v2/client/matches/start-session`. **Two shapes**: SDK `{matchSessionId, matchId, competitionId?, userInfo:[{id}]}`; docs
// `{matchId*, sessionId?, customParams?}`. Errors: Match not found / Match is not active / "User already has an active session"
func TestSeedS27ASessionIsStartedByEitherBody(t *testing.T) {
	w := openWith(t, keeping, keeps, func(o *specter.Options) {
		o.Active = func(_ context.Context, mode string) (bool, error) { return mode != "closed", nil }
	})
	start := func(player, body string) answer { return w.post(t, player, startPath, body) }
	created := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"},{"id":"bob"}]}`).session(t)
	a := start("ann", `{"matchSessionId":"`+created+`","matchId":"duel","userInfo":[{"id":"bob"},{"id":"ann"}],"projectId":"p"}`)
	require.Equal(t, `{"status":"success","code":201,"message":"Successfully started match session","errors":[],"data":{"matchSessionId":"`+created+`"}}`, a.Body)
	require.Equal(t, finalbell.Started, w.match(t, created).State)
	require.Equal(t, a, start("bob", `{"matchId":"duel","sessionId":"`+created+`"}`), "started once, answered twice")

	a = start("cid", `{"matchId":"duel","customParams":{"difficulty":"hard","seed":7,"mods":["a",{"b":null}]}}`)
	m := w.match(t, a.session(t))
	require.Equal(t, finalbell.Started, m.State)
	require.Len(t, m.Standings, 1)
	require.Equal(t, "cid", m.Standings[0].Player)
	require.Equal(t, map[string]string{"customParams.difficulty": "hard", "customParams.seed": "7", "customParams.mods": `["a",{"b":null}]`}, m.Data)

	refused(t, start("dan", `{"matchId":"chess"}`), http.StatusNotFound, "Match not found")
	refused(t, start("dan", `{"matchId":"closed"}`), http.StatusConflict, "Match is not active")
	refused(t, start("ann", `{"matchId":"race"}`), http.StatusConflict, "User already has an active session")
	refused(t, start("dan", `{"matchId":"race","userInfo":[{"id":"dan"},{"id":"ann"}]}`), http.StatusConflict, "User already has an active session")
	refused(t, start("dan", `{}`), http.StatusBadRequest, "matchId: the field is missing")
	refused(t, start("dan", `{"matchId":"duel","sessionId":"`+created+`"}`), http.StatusNotFound, "Session not found")
	refused(t, start("dan", `{"matchId":"duel","sessionId":"none"}`), http.StatusNotFound, "Session not found")
	refused(t, start("ann", `{"matchId":"race","sessionId":"`+created+`"}`), http.StatusBadRequest, `matchId: the session is of "duel"`)
	refused(t, start("ann", `{"matchId":"duel","sessionId":"`+created+`","userInfo":[{"id":"ann"}]}`), http.StatusBadRequest, "userInfo: unknown field")
	refused(t, start("ann", `{"matchId":"duel","matchSessionId":"`+created+`","userInfo":[{"id":"ann"}]}`), http.StatusBadRequest,
		"userInfo: expected each user of the session once")
}

func TestASessionThatCannotBeStartedIsNotLeftBehind(t *testing.T) {
	w := open(t)
	w.credit(t, "ann", 9)
	a := w.post(t, "ann", startPath, `{"matchId":"paid"}`)
	require.Equal(t, http.StatusPaymentRequired, a.Status, a.Body)
	for m, err := range w.Engine.Matches(context.Background(), finalbell.MatchFilter{}) {
		require.NoError(t, err)
		require.Equal(t, finalbell.Cancelled, m.State)
	}
}

func TestASessionThatSomebodyElseStartedCountsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		ctx := context.Background()
		start := func() answer { return w.post(t, "ann", startPath, `{"matchId":"race"}`) }
		m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "duel", Players: finalbell.Players("ann", "bob")})
		require.NoError(t, err)
		_, err = w.Engine.Start(ctx, m.ID)
		require.NoError(t, err)
		synctest.Wait()
		refused(t, start(), http.StatusConflict, "User already has an active session")
		w = w.restart(t)
		refused(t, start(), http.StatusConflict, "User already has an active session")
		_, err = w.Engine.Cancel(ctx, m.ID, "")
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, start().Status, "at once")
		require.NoError(t, w.Engine.Close())
	})
}

// inStart lets the starts of sessions wait where the engine is about to write them, and counts those that came so far.
func inStart(gate chan struct{}, came *atomic.Int32) func(*finalbell.Options) {
	return func(o *finalbell.Options) {
		o.Hooks.Before = func(_ context.Context, c *finalbell.Call) error {
			if c.Op == "start match" {
				came.Add(1)
				<-gate
			}
			return nil
		}
	}
}

func TestOfManyStartsOfOnePlayerOneSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, came := make(chan struct{}), new(atomic.Int32)
		w := openWith(t, inStart(gate, came))
		const many = 16
		var statuses [many]int
		for i := range many {
			mode, other := []string{"duel", "race"}[i%2], fmt.Sprintf("p%d", i)
			id := w.post(t, "", serverCreatePath, `{"matchId":"`+mode+`","userInfo":`+userInfo(other, "shared")+`}`).session(t)
			go func() {
				statuses[i] = w.post(t, "", serverStartPath, `{"matchSessionId":"`+id+`","userInfo":`+userInfo("shared", other)+`}`).Status
			}()
		}
		synctest.Wait()
		require.Equal(t, int32(1), came.Load(), "the others wait until it is known how that ends")
		close(gate)
		synctest.Wait()
		slices.Sort(statuses[:])
		require.Equal(t, http.StatusCreated, statuses[0])
		require.Equal(t, slices.Repeat([]int{http.StatusConflict}, many-1), statuses[1:])
		require.NoError(t, w.Engine.Close())
	})
}

func TestTheSameStartTwiceAtOnceIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, came := make(chan struct{}), new(atomic.Int32)
		w := openWith(t, inStart(gate, came))
		id := w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`).session(t)
		var statuses [2]int
		for i := range statuses {
			go func() { statuses[i] = w.post(t, "ann", startPath, `{"matchId":"duel","sessionId":"`+id+`"}`).Status }()
		}
		synctest.Wait()
		require.Equal(t, int32(1), came.Load())
		close(gate)
		synctest.Wait()
		require.Equal(t, [2]int{http.StatusCreated, http.StatusCreated}, statuses)
		require.NoError(t, w.Engine.Close())
	})
}

func TestAStartAgainIsTheFirstAnswerWhateverCameSince(t *testing.T) {
	w := open(t, mayEnd)
	start := `{"matchId":"duel","sessionId":"` + w.post(t, "ann", createPath, `{"matchId":"duel","userInfo":[{"id":"ann"}]}`).session(t) + `"}`
	first := w.post(t, "ann", startPath, start)
	w.post(t, "ann", endPath, `{"matchSessionId":"`+first.session(t)+`"}`)
	w.started(t, "race", "ann")
	require.Equal(t, first, w.post(t, "ann", startPath, start))
}
