package gamezop

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

const podium = `[{"rank":1,"sub":"dhruv-123","score":10},{"rank":2,"sub":"kamal-123","score":8},{"rank":3,"sub":"shivam-123","score":5}]`

var three = []string{"dhruv-123", "kamal-123", "shivam-123"}

// "While the room_id will remain same each time, the winners may differ across matches. That is why winners are scoped against a
// match_id and not against a room_id."
func TestSeedG1(t *testing.T) {
	f := newFixture(t)
	first := f.create(t, "ABC01", "MATCH_FOUND", []string{"alice", "bob"})
	require.NotEmpty(t, first)
	require.Equal(t, first, f.create(t, "ABC01", "MATCH_FOUND", []string{"alice", "bob"}), "while it runs it is a retry")
	code, _ := f.winners(t, first, `[{"rank":1,"sub":"alice","score":1},{"rank":2,"sub":"bob","score":0}]`)
	require.Equal(t, http.StatusOK, code)
	second := f.create(t, "ABC01", "MATCH_FOUND", []string{"alice", "bob"})
	require.NotEqual(t, first, second)
	code, _ = f.winners(t, second, `[{"rank":1,"sub":"bob","score":1},{"rank":2,"sub":"alice","score":0}]`)
	require.Equal(t, http.StatusOK, code)
	for match, winner := range map[string]string{first: "alice", second: "bob"} {
		code, body := f.result(t, match)
		require.Equal(t, http.StatusOK, code)
		require.Contains(t, body, `"room_id":"ABC01"`)
		require.Contains(t, body, `"scores":[{"sub":"`+winner+`","is_bot":false,"rank":1,"score":1}`)
	}
}

// "This receives user-objects from Gamezop, and returns a unique match_id." "We can add in a bearer token in the authorization headers
// if you require us to." "One of 2 options will be passed: MATCH_FOUND or NO_MATCH_FOUND." "Array of sub values matched together."
func TestSeedG2(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", three)
	m, err := f.Engine.Match(t.Context(), match)
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State)
	require.Equal(t, "ABC01", m.Room)
	for i, s := range m.Standings {
		require.Equal(t, three[i], s.Player)
	}
	code, _ := f.call(t, "POST", "/games/create-match", createBody(t, "ABC01", "MATCH_FOUND", three), "Authorization", "")
	require.Equal(t, http.StatusUnauthorized, code)
}

// "match_id": "XYZ_match_number_1" // empty in case NO_MATCH_FOUND
func TestSeedG3(t *testing.T) {
	f := newFixture(t)
	code, body := f.call(t, "POST", "/games/create-match", createBody(t, "ABC01", "NO_MATCH_FOUND", three))
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, `{"success":true,"match_id":""}`, body)
	code, body = f.call(t, "POST", "/games/create-match", createBody(t, "ABC01", "MATCH_FOUND", three))
	require.Equal(t, http.StatusOK, code)
	require.Regexp(t, regexp.MustCompile(`^{"success":true,"match_id":"[0-9a-f]{32}"}$`), body)
	seen := make(map[string]bool)
	for _, players := range [][]string{{"a", "b"}, {"ab"}, {"a"}, {"b", "c"}} {
		for _, room := range []string{"R1", "R2", "a"} {
			match := f.create(t, room, "MATCH_FOUND", players)
			require.False(t, seen[match], "unique")
			seen[match] = true
		}
	}
}

// "check buy-in validity again for all users in the request body before generating a match_id. If any player has not paid to join that
// match, then refund the entry fees charged to all other players and do not return a match_id."
func TestSeedG4(t *testing.T) {
	paid := func(o *Options) { o.Mode = "paid" }
	t.Run("who is in the room has paid", func(t *testing.T) {
		f := newFixture(t, paid)
		f.open(t, "FEE10", "ann", "bob")
		require.Equal(t, [2]int64{0, 10}, f.wallet(t, "ann"))
		match := f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob"})
		require.NotEmpty(t, match)
		require.Equal(t, [2]int64{0, 0}, f.wallet(t, "ann"), "it is in the pot")
	})
	t.Run("somebody is not in the room", func(t *testing.T) {
		f := newFixture(t, paid)
		f.open(t, "FEE10", "ann", "bob", "dan")
		require.Empty(t, f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "cyd", "bob"}))
		require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
		require.Equal(t, [2]int64{10, 0}, f.wallet(t, "bob"))
		require.Equal(t, [2]int64{0, 10}, f.wallet(t, "dan"), "who is not named waits on")
	})
	t.Run("somebody in the room cannot pay once more", func(t *testing.T) {
		f := newFixture(t, paid)
		f.open(t, "FEE10", "ann", "bob")
		first := f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob"})
		_, err := f.Engine.End(t.Context(), first, finalbell.Outcome{Player: "ann", Value: finalbell.Int(2), Rank: 1}, finalbell.Outcome{Player: "bob", Value: finalbell.Int(1), Rank: 2})
		require.NoError(t, err)
		_, err = f.Engine.Debit(t.Context(), finalbell.Money{Key: "spent", Player: "bob", Currency: "gold", Amount: 95})
		require.NoError(t, err)
		require.Empty(t, f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob"}))
		require.Equal(t, [2]int64{107, 0}, f.wallet(t, "ann"))
		require.Equal(t, [2]int64{5, 0}, f.wallet(t, "bob"))
		room, err := f.Engine.Room(t.Context(), "FEE10")
		require.NoError(t, err)
		require.Empty(t, room.Members)
		require.Empty(t, room.Match)
	})
	t.Run("nobody opened the room", func(t *testing.T) {
		f := newFixture(t, paid)
		f.rich(t, "ann", "bob")
		require.Empty(t, f.create(t, "label", "MATCH_FOUND", []string{"ann", "bob", "poor"}))
		require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
		require.NotEmpty(t, f.create(t, "label", "MATCH_FOUND", []string{"ann", "bob"}))
		require.Equal(t, [2]int64{0, 0}, f.wallet(t, "ann"))
		require.Empty(t, f.create(t, "label", "MATCH_FOUND", []string{"ann", "bob", "poor"}), "the fees are in a match")
	})
	t.Run("a bot pays nothing", func(t *testing.T) {
		f := newFixture(t, paid)
		f.open(t, "FEE10", "ann", "bob")
		require.NotEmpty(t, f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob", "bot-1"}))
	})
}

// open opens a room with an entry fee, of which players are members who have paid.
func (f *fixture) open(t testing.TB, room string, players ...string) {
	t.Helper()
	_, err := f.Engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: room, Mode: "paid"})
	require.NoError(t, err)
	f.rich(t, players...)
	for _, p := range finalbell.Players(players...) {
		_, err := f.Engine.Join(t.Context(), room, p)
		require.NoError(t, err)
	}
}

// "When we send you a NO_MATCH_FOUND status, then you should refund the entry fee charged, if any, for the users in the request body."
func TestSeedG5(t *testing.T) {
	f := newFixture(t)
	f.open(t, "FEE10", "ann", "bob")
	require.Empty(t, f.create(t, "FEE10", "NO_MATCH_FOUND", []string{"ann", "stranger"}))
	require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
	require.Equal(t, [2]int64{0, 10}, f.wallet(t, "bob"), "only those in the body")
	require.Empty(t, f.create(t, "FEE10", "NO_MATCH_FOUND", []string{"ann"}), "once more is nothing more")
	require.Equal(t, [2]int64{10, 0}, f.wallet(t, "ann"))
}

// "at the end of each match, we will send the user objects along with their ranks and scores back to your system." The ranks are
// Gamezop's: a mode that accepts them records them, one that computes its own refuses others.
func TestSeedG6(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.ModeOf = func(room string) string { return map[string]string{"S": "snake", "L": "ludo"}[room] }
	})
	match := f.create(t, "S", "MATCH_FOUND", []string{"ann", "bob"})
	code, _ := f.winners(t, match, `[{"rank":1,"sub":"ann","score":3},{"rank":2,"sub":"bob","score":10}]`)
	require.Equal(t, http.StatusOK, code)
	m, err := f.Engine.Match(t.Context(), match)
	require.NoError(t, err)
	require.Equal(t, "ann", m.Standings[0].Player, "less, and first all the same")
	require.Equal(t, finalbell.Int(3), m.Standings[0].Outcome)

	match = f.create(t, "L", "MATCH_FOUND", []string{"ann", "bob"})
	code, body := f.winners(t, match, `[{"rank":1,"sub":"ann","score":3},{"rank":2,"sub":"bob","score":10}]`)
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, body, `{"success":false,"message":`)
	code, _ = f.winners(t, match, `[{"rank":2,"sub":"ann","score":3},{"rank":1,"sub":"bob","score":10}]`)
	require.Equal(t, http.StatusOK, code)
}

// "If you have a prize amount that you're crediting the winners with, you can pass that as the prize value, along with an icon for your
// currency in the currency_icon value. Both of these values are optional."
func TestSeedG7(t *testing.T) {
	f := newFixture(t)
	f.open(t, "FEE10", append([]string{"last"}, three...)...)
	match := f.create(t, "FEE10", "MATCH_FOUND", append([]string{"last"}, three...))
	scores := strings.TrimSuffix(podium, "]") + `,{"rank":4,"sub":"last","score":0}]`
	want := `{"success":true,"scores":[` +
		`{"rank":1,"sub":"dhruv-123","score":10,"prize":100,"currency_icon":"https://example.com/icon.png"},` +
		`{"rank":2,"sub":"kamal-123","score":8,"prize":100,"currency_icon":"https://example.com/icon.png"},` +
		`{"rank":3,"sub":"shivam-123","score":5,"prize":100,"currency_icon":"https://example.com/icon.png"},` +
		`{"rank":4,"sub":"last","score":0}]}`
	for range 2 { // a repeat has the same answer
		code, body := f.winners(t, match, scores)
		require.Equal(t, http.StatusOK, code, body)
		require.Equal(t, want, body)
	}
	require.Equal(t, [2]int64{107, 0}, f.wallet(t, "dhruv-123"))
}

// "you can use either or both of the following options: Receive Winners API, Gamezop Get Match Result API": they say the same.
func TestSeedG8(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", three)
	_, pushed := f.winners(t, match, podium)
	_, pulled := f.result(t, match)
	var a struct{ Scores []score }
	var b struct{ Data struct{ Scores []score } }
	require.NoError(t, json.Unmarshal([]byte(pushed), &a))
	require.NoError(t, json.Unmarshal([]byte(pulled), &b))
	require.Len(t, a.Scores, 3)
	require.Equal(t, a.Scores, b.Data.Scores)
}

// "GET https://api.gamezop.com/v1/match-result?match_id={your-match-id}": "This is the same match_id that you return to us via your
// Create Match API."
func TestSeedG9(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", three)
	code, body := f.result(t, match)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `"match_id":"`+match+`"`)
	code, _ = f.call(t, "GET", "/v1/match-result?match_id="+match, "", "Authorization", "")
	require.Equal(t, http.StatusUnauthorized, code)
}

// "Expected response body": the example of the document, to the byte but for its spaces.
func TestSeedG10(t *testing.T) {
	text, err := os.ReadFile("testdata/match-result.http")
	require.NoError(t, err)
	require.Contains(t, string(text), `< {"data":{"property_id":"1234","game_code":"rJWyhp79RS","room_id":"SNAKE_AND_LADDERS_5e0","match_id":"ab9ce5a2995c5da2047a",`+
		`"scores":[{"sub":"1257722","is_bot":false,"rank":1,"score":10},{"sub":"3800","is_bot":true,"rank":2,"score":9}],`+
		`"match_status":"COMPLETED","match_start_time":"2025-06-11T06:00:00.000Z"},"success":true,"message":""}`)

	f := newFixture(t)
	f.Clock.Set(time.Date(2025, 6, 11, 6, 0, 0, 0, time.UTC))
	match := f.create(t, "ABC01", "MATCH_FOUND", []string{"1257722", "bot-3800"})
	code, body := f.winners(t, match, `[{"rank":1,"sub":"1257722","score":10},{"rank":2,"sub":"bot-3800","score":9}]`)
	require.Equal(t, http.StatusOK, code, body)
	_, body = f.result(t, match)
	require.Equal(t, `{"data":{"property_id":"1234","game_code":"snake","room_id":"ABC01","match_id":"`+match+`",`+
		`"scores":[{"sub":"1257722","is_bot":false,"rank":1,"score":10},{"sub":"bot-3800","is_bot":true,"rank":2,"score":9}],`+
		`"match_status":"COMPLETED","match_start_time":"2025-06-11T06:00:00.000Z"},"success":true,"message":""}`, body)
}

// "You can receive one of 2 values: COMPLETED or IN_PROGESS." "score represents that player's latest score within that match."
func TestSeedG11(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", []string{"ann", "bob"})
	for _, step := range []struct {
		report []finalbell.Outcome
		scores string
	}{
		{nil, `[{"sub":"ann","is_bot":false,"rank":0,"score":0},{"sub":"bob","is_bot":false,"rank":0,"score":0}]`},
		{[]finalbell.Outcome{finalbell.Score("bob", 4)}, `[{"sub":"bob","is_bot":false,"rank":1,"score":4},{"sub":"ann","is_bot":false,"rank":2,"score":0}]`},
		{[]finalbell.Outcome{finalbell.Score("ann", 7)}, `[{"sub":"ann","is_bot":false,"rank":1,"score":7},{"sub":"bob","is_bot":false,"rank":2,"score":4}]`},
	} {
		_, err := f.Engine.Report(t.Context(), match, step.report...)
		require.NoError(t, err)
		_, body := f.result(t, match)
		require.Contains(t, body, `"scores":`+step.scores+`,"match_status":"IN_PROGESS"`)
	}
	_, _ = f.winners(t, match, `[{"rank":1,"sub":"ann","score":7},{"rank":2,"sub":"bob","score":6}]`)
	_, body := f.result(t, match)
	require.Contains(t, body, `"score":6}],"match_status":"COMPLETED"`)
}

// "This is the UTC timestamp representing the time at which the match started.": with milliseconds, also where there are none.
func TestSeedG12(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Date(2025, 6, 11, 6, 0, 0, 0, time.UTC):                                         "2025-06-11T06:00:00.000Z",
		time.Date(2025, 6, 11, 6, 0, 0, int(70*time.Millisecond), time.UTC):                  "2025-06-11T06:00:00.070Z",
		time.Date(2025, 6, 11, 6, 0, 0, 0, time.FixedZone("", int((2*time.Hour).Seconds()))): "2025-06-11T04:00:00.000Z",
	} {
		f := newFixture(t)
		f.Clock.Set(at)
		match := f.create(t, "ABC01", "MATCH_FOUND", three)
		f.Clock.Advance(time.Minute)
		_, body := f.result(t, match)
		require.Contains(t, body, `"match_start_time":"`+want+`"}`)
		require.NotContains(t, body, "end_time")
	}
}

// "rank identifies that player's rank within the match. The player with rank 1 is the winner of the match." Of equals nothing is said:
// reported ranks are recorded as they come, ours share the better rank.
func TestSeedG13(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.ModeOf = func(room string) string { return room } })
	for mode, scores := range map[string]string{
		"snake": `[{"rank":1,"sub":"dhruv-123","score":10},{"rank":2,"sub":"kamal-123","score":10},{"rank":3,"sub":"shivam-123","score":5}]`,
		"ludo":  `[{"rank":1,"sub":"dhruv-123","score":10},{"rank":1,"sub":"kamal-123","score":10},{"rank":3,"sub":"shivam-123","score":5}]`,
	} {
		match := f.create(t, mode, "MATCH_FOUND", three)
		code, body := f.winners(t, match, scores)
		require.Equal(t, http.StatusOK, code, body)
		require.Equal(t, `{"success":true,"scores":`+scores+`}`, body)
	}
}

// "is_bot is a boolean that helps you identify if that particular player was a bot."
func TestSeedG14(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", []string{"ann", "bot-1"})
	m, err := f.Engine.Match(t.Context(), match)
	require.NoError(t, err)
	require.True(t, m.Standings[1].Bot)
	code, _ := f.winners(t, match, `[{"rank":1,"sub":"ann","score":3},{"rank":2,"sub":"bot-1","score":2},{"rank":3,"sub":"bot-2","score":1}]`)
	require.Equal(t, http.StatusOK, code, "the second bot walks in")
	_, body := f.result(t, match)
	require.Contains(t, body, `{"sub":"ann","is_bot":false,"rank":1,"score":3},{"sub":"bot-1","is_bot":true,"rank":2,"score":2},{"sub":"bot-2","is_bot":true,"rank":3,"score":1}`)
}

// "success: Boolean value that is always true, unless there is an error in the API response. message: String value that is always
// empty, unless there is an error": "Bearer token is invalid or missing", "match_id is invalid or missing".
func TestSeedG15(t *testing.T) {
	f := newFixture(t)
	code, body := f.result(t, "unknown")
	require.Equal(t, http.StatusBadRequest, code)
	require.Equal(t, `{"success":false,"message":"match_id is invalid or missing"}`, body)
	code, body = f.call(t, "GET", "/v1/match-result?match_id=unknown", "", "Authorization", "Bearer wrong")
	require.Equal(t, http.StatusUnauthorized, code)
	require.Equal(t, `{"success":false,"message":"Bearer token is invalid or missing"}`, body)
}

// "Gamezop automatically removes the concept of multiple leaderboards from multiplayer matches. Consequently, no leaderboardId needs
// to be passed.": a result goes to the boards of its mode, whatever is not passed.
func TestSeedG16(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", three)
	code, body := f.winners(t, match, strings.Replace(podium, `"score":10`, `"score":10,"leaderboardId":"x"`, 1))
	require.Equal(t, http.StatusBadRequest, code)
	require.Equal(t, `{"success":false,"message":"scores[0].leaderboardId: unknown field"}`, body)
	code, _ = f.winners(t, match, podium)
	require.Equal(t, http.StatusOK, code)
	pages, err := f.Engine.Boards(t.Context(), finalbell.Read{Board: "best"})
	require.NoError(t, err)
	require.Len(t, pages[0].Entries, 3)
	require.Equal(t, "dhruv-123", pages[0].Entries[0].Player)
}

// "roomDetails": encodeURIComponent(btoa(JSON.stringify({roomId, user, maxPlayers, minPlayers, maxWait, …}))), as a browser made it.
// Only players of the same roomId are matched.
func TestSeedG17(t *testing.T) {
	// JSON.stringify({roomId:"FEE10",user:{name:"Ann",photo:"https://example.com/a.png",sub:"ann"},maxPlayers:4,minPlayers:2,maxWait:60,rounds:3,cta:"close",text:"Play?",allowBots:true})
	const param = "eyJyb29tSWQiOiJGRUUxMCIsInVzZXIiOnsibmFtZSI6IkFubiIsInBob3RvIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9hLnBuZyIsInN1YiI6ImFubiJ9LCJtYXhQbGF5ZXJzIjo0LCJtaW5QbGF5ZXJzIjoyLCJtYXhXYWl0Ijo2MCwicm91bmRzIjozLCJjdGEiOiJjbG9zZSIsInRleHQiOiJQbGF5PyIsImFsbG93Qm90cyI6dHJ1ZX0%3D"
	d, err := ParseRoomDetails(param)
	require.NoError(t, err)
	require.Equal(t, RoomDetails{
		RoomID: "FEE10", User: User{Name: "Ann", Photo: "https://example.com/a.png", Sub: "ann"},
		MinPlayers: 2, MaxPlayers: 4, MaxWait: 60, Rounds: 3, CTA: "close", Text: "Play?", AllowBots: true,
	}, d)
	require.Equal(t, param, d.Encode())
	f := newFixture(t)
	f.rich(t, "ann", "bob")
	for _, sub := range []string{"ann", "bob"} {
		d.User = User{Sub: sub}
		room, err := f.Engine.OpenRoom(t.Context(), d.Room("paid"))
		require.NoError(t, err, "the link of everybody opens the same room")
		require.Equal(t, finalbell.Limits{Min: 2, Max: 4}, room.Players)
		require.Equal(t, time.Minute, room.Wait)
		_, err = f.Engine.Join(t.Context(), room.ID, finalbell.Participant{Player: sub})
		require.NoError(t, err)
	}
	require.NotEmpty(t, f.create(t, "FEE10", "MATCH_FOUND", []string{"ann", "bob"}))
}

// "We can also dispatch client-side callbacks for key events related to multiplayer matches."
func TestSeedG18(t *testing.T) {
	f := newFixture(t)
	match := f.create(t, "ABC01", "MATCH_FOUND", []string{"ann", "bób"})
	m, err := f.Engine.Match(t.Context(), match)
	require.NoError(t, err)
	m.ID = "m1"
	require.Equal(t, `{"event":"match_found","gameCode":"rJWyhp79RS","matchId":"m1","players":["ann","b\u00f3b"]}`, MatchFound("rJWyhp79RS", m))
	require.Equal(t, `{"event":"match_not_found","gameCode":"rJWyhp79RS"}`, MatchNotFound("rJWyhp79RS"))
	show := func(sub string) User {
		if sub == "ann" {
			return User{Name: "Ann", Photo: "https://example.com/a.png?x=1&y=2", Sub: "gzp-7"}
		}
		return User{Name: "😀"}
	}
	require.Equal(t, `{"event":"match_start","gameCode":"rJWyhp79RS","matchId":"m1","players":[{"firstName":"Ann","photo":"https://example.com/a.png?x=1&y=2","gzpId":"gzp-7"},`+
		`{"firstName":"\ud83d\ude00","photo":"","gzpId":"b\u00f3b"}]}`, MatchStart("rJWyhp79RS", m, show))
	require.Contains(t, MatchStart("x", m, nil), `{"firstName":"","photo":"","gzpId":"ann"}`)
}

// Asynchronous games are "the same single-player game side by side": scores come live, and the highest wins.
func TestSeedG19(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Mode = "ludo" })
	match := f.create(t, "ABC01", "MATCH_FOUND", three)
	for i, sub := range three {
		_, err := f.Engine.Report(t.Context(), match, finalbell.Score(sub, 10*(i+1)))
		require.NoError(t, err)
	}
	_, body := f.result(t, match)
	require.Contains(t, body, `"scores":[{"sub":"shivam-123","is_bot":false,"rank":1,"score":30}`)
	code, body := f.winners(t, match, `[{"rank":3,"sub":"dhruv-123","score":10},{"rank":2,"sub":"kamal-123","score":20},{"rank":1,"sub":"shivam-123","score":30}]`)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `"scores":[{"rank":1,"sub":"shivam-123","score":30}`)
}
