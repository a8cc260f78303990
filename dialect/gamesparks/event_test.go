package gamesparks_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/finalbelltest"
)

// ended are the matches of a mode that have ended.
func (w *world) ended(t *testing.T, mode string) []finalbell.Match {
	t.Helper()
	var all []finalbell.Match
	for m, err := range w.Engine.Matches(context.Background(), finalbell.MatchFilter{Mode: mode, States: []finalbell.State{finalbell.Ended}}) {
		require.NoError(t, err)
		all = append(all, m)
	}
	return all
}

func TestAnEventThatIsSentAgainScoresOnce(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t).signIn("phone")
	event := frame{"@class": ".LogEventRequest", "eventKey": "hill", "SCORE": 5, "requestId": "1_1"}
	for range 2 {
		c.write(event)
		require.NotContains(t, c.read(), "error")
	}
	c.connect() // the answer was lost, the session is the same
	c.write(event)
	require.NotContains(t, c.read(), "error")
	require.Len(t, w.ended(t, "hill"), 1)

	other := w.sdk(t).signIn("phone") // the game was started again: its requests are counted from 1 again
	other.write(event)
	require.NotContains(t, other.read(), "error")
	require.Len(t, w.ended(t, "hill"), 2)

	event["requestId"] = "d_1_1" // kept by the SDK until it is answered, also when the game is started again
	for _, client := range []*sdk{c, other} {
		client.write(event)
		require.NotContains(t, client.read(), "error")
	}
	require.Len(t, w.ended(t, "hill"), 3)
}

func TestAnEventInAMatchIsThePlayersOwnLiveScore(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann, bob := w.sdk(t).signIn("of ann"), w.sdk(t).signIn("of bob")
	m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "race", Players: finalbell.Players(ann.userID, bob.userID)})
	require.NoError(t, err)
	request := frame{"eventKey": "race", "SCORE": 30, "laps": 2, "matchId": m.ID, "playerId": bob.userID, "player": bob.userID}
	ann.did("LogEventRequest", request)
	m, err = w.Engine.Match(ctx, m.ID)
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State, "a player ends no match")
	for _, s := range m.Standings {
		require.Equal(t, s.Player == ann.userID, s.Outcome.Known(), "nobody reports for others")
	}
	require.Equal(t, map[string]any{"eventKey": "INVALID"},
		ann.ask("LogEventRequest", frame{"eventKey": "hill", "SCORE": 1, "matchId": m.ID})["error"], "a match of another mode")

	_, err = w.Engine.End(ctx, m.ID, finalbell.Score(ann.userID, 30), finalbell.Score(bob.userID, 20))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"matchId": "ALREADY_ENDED"}, ann.ask("LogEventRequest", request)["error"])
}

func TestEventsMeanWhatTheOptionsSay(t *testing.T) {
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Events = map[string]gamesparks.Event{
			"FINISH": {Mode: "race", Outcome: "TIME", Metrics: map[string]string{"ROUNDS": "laps"}, Match: "GAME"},
			"CUP":    {Mode: "cup"},
			"LIVE":   {},
		}
	})
	_, err := w.Engine.Credit(context.Background(), finalbell.Money{Player: "ann", Currency: "gold", Amount: 10})
	require.NoError(t, err)
	c := &sdk{t: t, w: w, path: "/ws/" + apiKey, secret: secret, authToken: "ann-token"}
	c.connect()
	c.did("LogEventRequest", frame{"eventKey": "FINISH", "TIME": 31, "ROUNDS": 4, "laps": 99})
	row := c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "laps"})["data"].([]any)[0].(map[string]any)
	require.Equal(t, json.Number("31"), row["SCORE"])
	require.Equal(t, json.Number("4"), row["laps"])
	require.Equal(t, map[string]any{"GAME": "INVALID"}, c.ask("LogEventRequest", frame{"eventKey": "FINISH", "TIME": 1, "GAME": "x"})["error"])
	require.Equal(t, map[string]any{"TIME": "REQUIRED"}, c.ask("LogEventRequest", frame{"eventKey": "FINISH", "SCORE": 1})["error"])
	require.Equal(t, map[string]any{"eventKey": "INVALID"}, c.ask("LogEventRequest", frame{"eventKey": "hill", "SCORE": 1})["error"], "it is not listed")
	require.Equal(t, map[string]any{"matchId": "REQUIRED"}, c.ask("LogEventRequest", frame{"eventKey": "LIVE", "SCORE": 1})["error"])

	c.did("LogEventRequest", frame{"eventKey": "CUP", "SCORE": 1}) // the host has listed a mode with a fee
	require.Equal(t, map[string]any{"eventKey": "UNPAID"}, c.ask("LogEventRequest", frame{"eventKey": "CUP", "SCORE": 2})["error"])
	for m, err := range w.Engine.Matches(context.Background(), finalbell.MatchFilter{Mode: "cup", States: []finalbell.State{finalbell.Created, finalbell.Started}}) {
		require.NoError(t, err)
		t.Errorf("match %s was left behind", m.ID)
	}
}

func TestWhatNobodyLooksAtIsNotKept(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t).signIn("phone")
	c.did("LogEventRequest", frame{"eventKey": "race", "SCORE": 3, "laps": 2, "rank": 1, "wins": 7, "noise": 1})
	got := w.ended(t, "race")[0].Standings[0]
	require.Equal(t, map[string]finalbell.Number{"laps": finalbell.Int(2)}, got.Metrics)
	require.Equal(t, "3", got.Outcome.String())

	c.did("LogEventRequest", frame{"eventKey": "hill", "ONLY": 9})
	require.Equal(t, "9", w.ended(t, "hill")[0].Standings[0].Outcome.String(), "the only number is the outcome")
}

func TestLeaderboardsAreReadByRankAndAround(t *testing.T) {
	r := rules()
	r.Boards = append(r.Boards,
		finalbell.BoardRule{ID: "lands", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}, {Metric: "outcome"}, {Fold: finalbell.FoldCount}},
			Partition: &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "COUNTRY"}},
		finalbell.BoardRule{ID: "clubs", Of: finalbell.OfTeams, Keys: []finalbell.Key{{Metric: "outcome"}}})
	r.Modes[0].Boards = append(r.Modes[0].Boards, "lands", "clubs")
	w := worldOf(t, finalbelltest.New(t, r), func(o *gamesparks.Options) { o.Columns = map[string]string{"laps": "LAPS"} })
	ctx := context.Background()
	var roster []finalbell.Participant
	var outcomes []finalbell.Outcome
	for i, player := range []string{"a", "b", "ann", "d", "e"} {
		roster = append(roster, finalbell.Participant{Player: player, Team: "reds", Attributes: map[string]string{"COUNTRY": "GB"}})
		outcomes = append(outcomes, finalbell.Score(player, 10-i/2*2)) // 10, 10, 8, 8, 6
	}
	m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "hill", Players: roster})
	require.NoError(t, err)
	_, err = w.Engine.Start(ctx, m.ID)
	require.NoError(t, err)
	_, err = w.Engine.End(ctx, m.ID, outcomes...)
	require.NoError(t, err)

	c := &sdk{t: t, w: w, path: "/ws/" + apiKey, secret: secret, authToken: "ann-token"}
	c.connect()
	ranks := func(rows any) (all []string) {
		for _, row := range rows.([]any) {
			all = append(all, row.(map[string]any)["rank"].(json.Number).String()+" "+row.(map[string]any)["userId"].(string))
		}
		return all
	}
	got := c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "HIGH_SCORE", "entryCount": 2, "offset": 1, "includeFirst": 1, "includeLast": 2})
	require.Equal(t, []string{"1 b", "3 ann"}, ranks(got["data"]))
	require.Equal(t, []string{"1 a"}, ranks(got["first"]))
	require.Equal(t, []string{"3 d", "5 e"}, ranks(got["last"]))
	got = c.did("AroundMeLeaderboardRequest", frame{"leaderboardShortCode": "high_score", "entryCount": 1})
	require.Equal(t, []string{"1 b", "3 ann", "3 d"}, ranks(got["data"]), "the one before, me and the one behind")
	got = c.did("AroundMeLeaderboardRequest", frame{"leaderboardShortCode": "HIGH_SCORE", "social": true, "dontErrorOnNotSocial": true})
	require.Equal(t, []string{"3 ann"}, ranks(got["data"]))

	got = c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "lands.COUNTRY.GB", "entryCount": 1})
	require.Equal(t, []any{map[string]any{"rank": json.Number("1"), "userId": "a", "userName": "", "when": "2026-03-02T09:00Z",
		"SCORE": json.Number("10"), "SCORE_SUM": json.Number("10"), "COUNT": json.Number("1")}}, got["data"])
	require.Equal(t, map[string]any{"leaderboardShortCode": "INVALID"}, c.ask("LeaderboardDataRequest", frame{"leaderboardShortCode": "lands"})["error"])
	got = c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "clubs"})
	require.Equal(t, []any{map[string]any{"rank": json.Number("1"), "teamId": "reds", "teamName": "reds", "when": "2026-03-02T09:00Z",
		"SCORE": json.Number("42")}}, got["data"])
}

// "new LogEventRequest().SetEventKey("SUBMIT_SCORE").SetEventAttribute("SCORE", "1234")": games send numbers as strings too.
func TestANumberMayComeAsAString(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t).signIn("phone")
	c.did("LogEventRequest", frame{"eventKey": "race", "SCORE": "12.0", "laps": "3"})
	got := w.ended(t, "race")[0].Standings[0]
	require.Equal(t, "12", got.Outcome.String())
	require.Equal(t, map[string]finalbell.Number{"laps": finalbell.Int(3)}, got.Metrics)
	c.did("LogEventRequest", frame{"eventKey": "hill", "POINTS": "7", "name": "Ann"})
	require.Equal(t, "7", w.ended(t, "hill")[0].Standings[0].Outcome.String(), "the only number")
	for _, class := range []string{"LeaderboardDataRequest", "AroundMeLeaderboardRequest"} {
		require.Len(t, c.did(class, frame{"leaderboardShortCode": "laps", "entryCount": "10", "offset": "0"})["data"], 1)
		require.Equal(t, map[string]any{"entryCount": "INVALID"},
			c.ask(class, frame{"leaderboardShortCode": "laps", "entryCount": "ten"})["error"])
	}
	for _, score := range []any{"", "x", "1,5", "0x10", "NaN", "[1]", `"1"`, true, []int{1}} {
		require.Equal(t, map[string]any{"SCORE": "INVALID"}, c.ask("LogEventRequest", frame{"eventKey": "hill", "SCORE": score})["error"], score)
	}
	require.Len(t, w.ended(t, "hill"), 1)
}

// A game keeps the keys of its events: with no Events, a key that is no mode's is a score of the match that it names, or else of the
// only mode that can be played alone.
func TestAScoreUnderAnUnknownKeyIsOfTheOnlyModeToPlayAlone(t *testing.T) {
	unknown := map[string]any{"eventKey": "INVALID"}
	r := rules()
	paid := finalbell.BoardRule{ID: "paid", Keys: r.Boards[0].Keys, Prizes: []finalbell.Prize{{ID: "first", From: 1, To: 1, Currency: "gold", Amount: 5}}}
	r.Boards = append(r.Boards, paid)
	r.Modes = append(r.Modes[:1], append(r.Modes[2:], finalbell.Mode{ID: "pro", Boards: []string{"paid"}}, finalbell.Mode{ID: "squads", Teams: &finalbell.Teams{}})...)
	w, ctx := worldOf(t, finalbelltest.New(t, r)), context.Background()
	c := w.sdk(t).signIn("phone")
	c.did("LogEventRequest", frame{"eventKey": "SUBMIT_SCORE", "SCORE": 12})
	require.Equal(t, "12", w.ended(t, "hill")[0].Standings[0].Outcome.String())
	require.Equal(t, unknown, c.ask("LogEventRequest", frame{"eventKey": "SAVE_PLAYER", "XP": 12})["error"], "nothing says that it is a score")
	require.Equal(t, map[string]any{"eventKey": "NOT_ALLOWED"}, c.ask("LogEventRequest", frame{"eventKey": "pro", "SCORE": 1})["error"], "there are prizes on its board")

	m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "duel", Players: finalbell.Players(c.userID, "bob")})
	require.NoError(t, err)
	_, err = w.Engine.Start(ctx, m.ID)
	require.NoError(t, err)
	c.did("LogEventRequest", frame{"eventKey": "SUBMIT_SCORE", "SCORE": 3, "matchId": m.ID})
	m, err = w.Engine.Match(ctx, m.ID)
	require.NoError(t, err)
	require.Equal(t, "3", m.Standings[0].Outcome.String())
	for _, match := range []string{"none", w.open(t, "duel")} {
		require.Equal(t, map[string]any{"matchId": "INVALID"}, c.ask("LogEventRequest", frame{"eventKey": "X", "SCORE": 3, "matchId": match})["error"])
	}
	require.Len(t, w.ended(t, "hill"), 1)

	two := newWorld(t).sdk(t).signIn("phone")
	require.Equal(t, unknown, two.ask("LogEventRequest", frame{"eventKey": "SUBMIT_SCORE", "SCORE": 1})["error"], "hill or race, nobody can tell")
	listed := newWorld(t, func(o *gamesparks.Options) { o.Events = map[string]gamesparks.Event{"FINISH": {Mode: "hill"}} }).sdk(t).signIn("phone")
	require.Equal(t, unknown, listed.ask("LogEventRequest", frame{"eventKey": "SUBMIT_SCORE", "SCORE": 1})["error"], "the host has said what is an event")
}

// open is a match of others that runs.
func (w *world) open(t *testing.T, mode string) string {
	t.Helper()
	m, err := w.Engine.Create(context.Background(), finalbell.NewMatch{Mode: mode, Players: finalbell.Players("bob", "cid")})
	require.NoError(t, err)
	_, err = w.Engine.Start(context.Background(), m.ID)
	require.NoError(t, err)
	return m.ID
}

// A board is there before its season begins: the game shows it empty, not as a board that it should not ask for.
func TestABoardBetweenItsSeasonsIsEmpty(t *testing.T) {
	r := rules()
	r.Boards = append(r.Boards, finalbell.BoardRule{ID: "SEASON", Keys: []finalbell.Key{{Metric: "outcome"}}, Window: finalbell.WindowRule{Every: finalbell.Season}})
	c := worldOf(t, finalbelltest.New(t, r)).sdk(t).signIn("phone")
	for _, class := range []string{"LeaderboardDataRequest", "AroundMeLeaderboardRequest"} {
		got := c.did(class, frame{"leaderboardShortCode": "SEASON", "includeFirst": 2, "includeLast": 2})
		for _, rows := range []string{"data", "first", "last"} {
			require.Empty(t, got[rows])
		}
		require.NotNil(t, got["data"])
		require.Equal(t, "SEASON", got["leaderboardShortCode"])
	}
}
