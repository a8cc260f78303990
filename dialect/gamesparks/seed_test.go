package gamesparks_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect/gamesparks"
)

// "Records the end of the current player's active session." There are no parameters, and the match that the player is in goes on.
func TestSeedP1EndSessionIsOfTheCurrentPlayer(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann, bob := w.sdk(t).signIn("phone of ann"), w.sdk(t).signIn("phone of bob")
	m, err := w.Engine.Create(ctx, finalbell.NewMatch{Mode: "hill", Players: finalbell.Players(ann.userID, bob.userID)})
	require.NoError(t, err)
	_, err = w.Engine.Start(ctx, m.ID)
	require.NoError(t, err)

	require.Equal(t, ".EndSessionResponse", ann.did("EndSessionRequest", nil)["@class"])
	require.False(t, w.sessions(t, ann.userID)[0].EndedAt.IsZero())
	require.True(t, w.sessions(t, bob.userID)[0].EndedAt.IsZero())
	m, err = w.Engine.Match(ctx, m.ID)
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State)

	got := w.sdk(t).ask("EndSessionRequest", nil)
	require.Equal(t, map[string]any{"authentication": "NOTAUTHORIZED"}, got["error"])
}

// "The SDK will automatically create a new session ID when the application is started, this method can be useful to call when the
// app goes into the background to allow reporting on player session length."
func TestSeedP2EveryStartOfTheApplicationIsASession(t *testing.T) {
	w := newWorld(t)
	first := w.sdk(t).signIn("phone")
	w.Clock.Advance(time.Minute)
	second := w.sdk(t).signIn("phone")
	require.NotEqual(t, first.sessionID, second.sessionID)
	require.Equal(t, first.userID, second.userID)
	all := w.sessions(t, first.userID)
	require.Len(t, all, 2)
	require.Equal(t, "replaced", all[0].Reason)

	// In the background nothing but keep-alives come; who plays again has another session.
	w.Clock.Advance(time.Minute)
	second.did("EndSessionRequest", nil)
	second.writeText(" ")
	require.NotContains(t, second.did("EndSessionRequest", nil), "sessionDuration", "a keep-alive begins no session")
	require.Len(t, w.sessions(t, first.userID), 2)
	second.did("AccountDetailsRequest", nil)
	require.Len(t, w.sessions(t, first.userID), 3)
}

// Where players have one device, one that was left for another does not take the session back by playing on.
func TestADeviceThatWasLeftStaysWithoutASession(t *testing.T) {
	w := newWorld(t)
	phone, tablet := w.sdk(t).signIn("device"), w.sdk(t).signIn("device")
	phone.did("AccountDetailsRequest", nil)
	tablet.did("AccountDetailsRequest", nil)
	all := w.sessions(t, phone.userID)
	require.Len(t, all, 2)
	require.Equal(t, tablet.sessionID, all[1].Device)
	require.True(t, all[1].EndedAt.IsZero())
}

// "scriptData: A JSON Map of any data added either to the Request or the Response by your Cloud Code"; "sessionDuration number: The
// length of this session".
func TestSeedP3TheResponseHasTheLengthAndWhatScriptsAdded(t *testing.T) {
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Request = func(_ context.Context, s *gamesparks.Script) error {
			s.ScriptData["before"] = s.Class
			return nil
		}
		o.Response = func(_ context.Context, s *gamesparks.Script) error {
			s.ScriptData["after"] = s.Response["sessionDuration"]
			return nil
		}
	})
	c := w.sdk(t).signIn("phone")
	w.Clock.Advance(90*time.Second + 250*time.Millisecond)
	got := c.did("EndSessionRequest", nil)
	require.Equal(t, json.Number("90250"), got["sessionDuration"], "in milliseconds")
	require.Equal(t, map[string]any{"before": ".EndSessionRequest", "after": json.Number("90250")}, got["scriptData"])
	require.NotContains(t, c.did("EndSessionRequest", nil), "sessionDuration", "it is nullable")
}

// {"@class":".EndSessionRequest","requestId":"<ms>_<n>"} → {"@class":".EndSessionResponse","requestId":…,"sessionDuration":n,"scriptData":{}}
func TestSeedP4TheFramesAreTheSDKs(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t)
	require.NotEmpty(t, c.sessionID, "sessionId given in .AuthenticatedConnectResponse")
	c.signIn("phone")
	w.Clock.Advance(time.Second)
	c.write(frame{"@class": ".EndSessionRequest", "requestId": "1456_7"})
	require.Equal(t, frame{"@class": ".EndSessionResponse", "requestId": "1456_7", "sessionDuration": json.Number("1000"),
		"scriptData": map[string]any{}}, c.read())
}

// A session goes on when the SDK comes back in time, with the token and the session id that it was given.
func TestSeedP4AReconnectResumesThePlayerAndTheSession(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t).signIn("phone")
	session, token := c.sessionID, c.authToken
	w.Clock.Advance(time.Minute)
	got := c.connect()
	require.Equal(t, frame{"@class": ".AuthenticatedConnectResponse", "sessionId": session, "authToken": token, "userId": c.userID}, got)
	w.Clock.Advance(time.Minute)
	require.Equal(t, json.Number("120000"), c.did("EndSessionRequest", nil)["sessionDuration"])
	require.Len(t, w.sessions(t, c.userID), 1)

	c.did("AccountDetailsRequest", nil)
	w.Clock.Advance(3 * time.Minute)
	c.connect()
	require.Len(t, w.sessions(t, c.userID), 3, "too late to go on")

	c.authToken = "nobody's"
	require.NotContains(t, c.connect(), "userId")
	require.Equal(t, map[string]any{"authentication": "NOTAUTHORIZED"}, c.ask("AccountDetailsRequest", nil)["error"])

	c.authToken = "ann-token" // of the host's own
	require.Equal(t, "ann", c.connect()["userId"])
}

// "error":{"<field>":"<CODE>"}: REQUIRED, INVALID, UNRECOGNISED, ONLY_ONE, NOTSOCIAL.
func TestSeedP5ErrorsAreMapsOfFieldAndCode(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t).signIn("phone")
	for _, x := range []struct {
		class   string
		request frame
		want    map[string]any
	}{
		{"LogEventRequest", frame{}, map[string]any{"eventKey": "REQUIRED"}},
		{"LogEventRequest", frame{"eventKey": 7}, map[string]any{"eventKey": "INVALID"}},
		{"AuthenticationRequest", frame{"userName": "ann", "password": "wrong"}, map[string]any{"DETAILS": "UNRECOGNISED"}},
		{"LeaderboardDataRequest", frame{"leaderboardShortCode": "HIGH_SCORE", "challengeInstanceId": "x", "entryCount": 1},
			map[string]any{"leaderboardShortCode|challengeInstanceId": "ONLY_ONE"}},
		{"LeaderboardDataRequest", frame{"leaderboardShortCode": "HIGH_SCORE", "social": true}, map[string]any{"currentUser": "NOTSOCIAL"}},
		{"BuyVirtualGoodsRequest", frame{}, map[string]any{"@class": "UNRECOGNISED"}},
	} {
		require.Equal(t, x.want, c.ask(x.class, x.request)["error"], x.class)
	}
}

// "Automatically end player sessions" after N minutes of disconnect: without EndSessionRequest a session ends by itself.
func TestSeedP6ASessionEndsByItselfWhenNobodyIsThere(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c := w.sdk(t).signIn("phone")
	for range 10 { // five minutes of keep-alives
		w.Clock.Advance(30 * time.Second)
		c.writeText(" ")
		c.ask("NoSuchRequest", nil) // answered after the keep-alive was seen
	}
	_, err := w.Engine.Tick(ctx)
	require.NoError(t, err)
	require.True(t, w.sessions(t, c.userID)[0].EndedAt.IsZero())

	c.hangUp()
	seen := w.Clock.Now()
	w.Clock.Advance(6 * time.Minute)
	_, err = w.Engine.Tick(ctx)
	require.NoError(t, err)
	session := w.sessions(t, c.userID)[0]
	require.Equal(t, "idle", session.Reason)
	require.Equal(t, seen, session.EndedAt, "nobody was heard of after that")
}

// Request script → (may setScriptError = reject) → platform → response script.
func TestSeedP7ScriptsAddAndReject(t *testing.T) {
	var fail error
	var panics bool
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Request = func(_ context.Context, s *gamesparks.Script) error {
			if s.Class != ".LogEventRequest" {
				return nil
			}
			require.NotEmpty(t, s.Player)
			s.ScriptData["asked"] = s.Request["SCORE"]
			return fail
		}
		o.Response = func(_ context.Context, s *gamesparks.Script) error {
			if s.Class == ".LogEventRequest" && panics {
				panic("of a script")
			}
			require.NotContains(t, s.Request, "password")
			return nil
		}
	})
	c := w.sdk(t).signIn("phone")
	logEvent := func(score int) frame { return c.ask("LogEventRequest", frame{"eventKey": "hill", "SCORE": score}) }

	fail = gamesparks.Refusal{"SCORE": "CHEATING"}
	got := logEvent(5)
	require.Equal(t, map[string]any{"SCORE": "CHEATING"}, got["error"])
	require.Equal(t, map[string]any{"asked": json.Number("5")}, got["scriptData"])
	fail = errors.New("of the game's own")
	require.Equal(t, map[string]any{"script": "FAILED"}, logEvent(6)["error"])
	require.Empty(t, c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "HIGH_SCORE"})["data"], "rejected before the platform")

	fail, panics = nil, true
	require.Equal(t, map[string]any{"script": "FAILED"}, logEvent(7)["error"])
	require.Len(t, c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "HIGH_SCORE"})["data"], 1, "nothing is lost by a panic")
}

// "var request = new SparkRequests.EndSessionRequest(); var response = request.Send();"
func TestSeedP8ServerCodeIssuesTheSameRequests(t *testing.T) {
	var w *world
	w = newWorld(t, func(o *gamesparks.Options) {
		o.Request = func(ctx context.Context, s *gamesparks.Script) error {
			s.ScriptData["script"] = true
			if s.Class == ".LogEventRequest" {
				// Within a script no script runs: this one would call itself for ever.
				reply := w.Server.Do(ctx, s.Player, []byte(`{"@class":".LogEventRequest","eventKey":"race","SCORE":9}`))
				s.ScriptData["bonus"] = json.RawMessage(reply)
			}
			return nil
		}
	})
	c := w.sdk(t).signIn("phone")
	w.Clock.Advance(time.Second)
	reply := w.Server.Do(context.Background(), c.userID, []byte(`{"@class":".EndSessionRequest"}`))
	require.JSONEq(t, `{"@class":".EndSessionResponse","sessionDuration":1000,"scriptData":{"script":true}}`, string(reply))
	require.False(t, w.sessions(t, c.userID)[0].EndedAt.IsZero())

	got := c.did("LogEventRequest", frame{"eventKey": "hill", "SCORE": 3})
	require.Equal(t, map[string]any{"script": true, "bonus": map[string]any{"@class": ".LogEventResponse", "scriptData": map[string]any{}}}, got["scriptData"])
	require.Len(t, c.did("LeaderboardDataRequest", frame{"leaderboardShortCode": "laps"})["data"], 1)
	require.JSONEq(t, `{"@class":".AccountDetailsResponse","error":{"authentication":"NOTAUTHORIZED"}}`,
		string(w.Server.Do(context.Background(), "", []byte(`{"@class":".AccountDetailsRequest"}`))))
}

// C#, ActionScript 3, Objective-C, C++, Java and Cloud Code JS are shown: their frames are the same, and what they say of themselves
// is kept with the session.
func TestSeedP9EveryLanguageIsServed(t *testing.T) {
	w := newWorld(t)
	for _, platform := range []any{"WindowsPlayer", "AS3", "IOS", "C++", "Java", "node-js", "", nil} {
		c := &sdk{t: t, w: w, path: "/ws/device/" + apiKey, secret: secret, platform: platform}
		c.connect()
		c.did("DeviceAuthenticationRequest", frame{"deviceId": "device of " + c.sessionID, "deviceOS": "WP8", "segments": frame{"a": "b"}, "analyticsData": nil})
		want, _ := platform.(string)
		require.Equal(t, want, w.sessions(t, c.userID)[0].Attributes["platform"])
		require.Equal(t, "Linux", w.sessions(t, c.userID)[0].Attributes["os"])
		c.did("LogEventRequest", frame{"eventKey": "hill", "SCORE": 1, "analyticsData": frame{"n": 1}})
		require.Contains(t, c.did("EndSessionRequest", nil), "sessionDuration")
	}
}
