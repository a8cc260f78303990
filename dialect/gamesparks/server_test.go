package gamesparks_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/finalbelltest"
)

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	game := finalbelltest.New(t, rules())
	accounts, err := gamesparks.NewAccounts(gamesparks.AccountOptions{})
	require.NoError(t, err)
	access, err := dialect.NewAccess(dialect.Config{})
	require.NoError(t, err)
	for want, change := range map[string]func(*gamesparks.Options){
		"api key: is required":                             func(o *gamesparks.Options) { o.APIKey = "" },
		"secret: is required":                              func(o *gamesparks.Options) { o.Secret = "" },
		"server secret: it is the secret":                  func(o *gamesparks.Options) { o.ServerSecret = o.Secret },
		"access: is required":                              func(o *gamesparks.Options) { o.Access = nil },
		"accounts: is required":                            func(o *gamesparks.Options) { o.Accounts = nil },
		`origins[0]: "[" is no pattern`:                    func(o *gamesparks.Options) { o.Origins = []string{"["} },
		"limits: message":                                  func(o *gamesparks.Options) { o.Limits.Message = -1 },
		"limits: idle: -1s is negative":                    func(o *gamesparks.Options) { o.Limits.Idle = -time.Second },
		`events["X"]: mode: the rules have no mode "none"`: func(o *gamesparks.Options) { o.Events = map[string]gamesparks.Event{"X": {Mode: "none"}} },
		`events["X"]: "requestId" is no attribute`:         func(o *gamesparks.Options) { o.Events = map[string]gamesparks.Event{"X": {Outcome: "requestId"}} },
		`events["X"]: metrics: "wins" is not for reporting`: func(o *gamesparks.Options) {
			o.Events = map[string]gamesparks.Event{"X": {Metrics: map[string]string{"a": "wins"}}}
		},
	} {
		o := gamesparks.Options{APIKey: apiKey, Secret: secret, Access: access, Accounts: accounts}
		change(&o)
		_, err := gamesparks.New(game.Engine, o)
		require.ErrorContains(t, err, want)
	}
	_, err = gamesparks.New(nil, gamesparks.Options{})
	require.ErrorContains(t, err, "engine: is required")
	_, err = gamesparks.NewAccounts(gamesparks.AccountOptions{Iterations: -1})
	require.ErrorContains(t, err, "iterations: -1 is negative")
	_, err = gamesparks.NewAccounts(gamesparks.AccountOptions{TokenLife: -1})
	require.ErrorContains(t, err, "token life: -1ns is negative")
}

// A request that is under way is answered before its connection is closed, and nobody comes after that.
func TestAShutdownLosesNoRequest(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Request = func(_ context.Context, s *gamesparks.Script) error {
			if s.Class == ".LogEventRequest" {
				close(started)
				<-finish
			}
			return nil
		}
	})
	c, idle := w.sdk(t).signIn("phone"), w.sdk(t)
	c.write(frame{"@class": ".LogEventRequest", "eventKey": "hill", "SCORE": 5, "requestId": "1_1"})
	<-started
	down := make(chan error)
	go func() { down <- w.Server.Shutdown(context.Background()) }()
	require.Equal(t, "< closed 1001 the server is shutting down\n", idle.heard())
	close(finish)
	require.NotContains(t, c.read(), "error")
	require.Equal(t, "< closed 1001 the server is shutting down\n", c.heard())
	require.NoError(t, <-down)
	require.Len(t, w.ended(t, "hill"), 1)
	require.JSONEq(t, `{"@class":".AccountDetailsResponse","error":{"server":"UNAVAILABLE"}}`,
		string(w.Server.Do(context.Background(), "ann", []byte(`{"@class":".AccountDetailsRequest"}`))))
}

func TestAShutdownThatTakesTooLongCutsOff(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Request = func(context.Context, *gamesparks.Script) error {
			close(started)
			<-finish
			return nil
		}
	})
	c := w.sdk(t)
	c.write(frame{"@class": ".DeviceAuthenticationRequest", "deviceId": "phone", "deviceOS": "IOS"})
	<-started
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.Server.Shutdown(ctx), context.DeadlineExceeded)
	_, err := c.next()
	require.Error(t, err)
	close(finish)
}

func TestThereAreOnlySoManyConnections(t *testing.T) {
	w := newWorld(t, func(o *gamesparks.Options) { o.Limits.Connections = 1 })
	c := w.sdk(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, reply, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(w.HTTP.URL, "http")+c.path, nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, reply.StatusCode)
}

func TestOriginsAreRestrictedWhereTheOptionsSaySo(t *testing.T) {
	w := newWorld(t, func(o *gamesparks.Options) { o.Origins = []string{"game.example"} })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for origin, status := range map[string]int{"https://game.example": http.StatusSwitchingProtocols, "https://other.example": http.StatusForbidden} {
		socket, reply, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(w.HTTP.URL, "http")+"/ws/"+apiKey, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		require.Equal(t, status, reply.StatusCode, origin)
		if err == nil {
			require.NoError(t, socket.CloseNow())
		}
	}
}

func TestBinaryFramesAreNoneOfTheProtocol(t *testing.T) {
	c := newWorld(t).sdk(t)
	require.NoError(t, c.socket.Write(context.Background(), websocket.MessageBinary, []byte("x")))
	require.Equal(t, "< closed 1003 expected text\n", c.heard())
}

// busyAccounts have no time for every second login.
type busyAccounts struct {
	gamesparks.Accounts
	logins int
}

func (b *busyAccounts) LogIn(ctx context.Context, userName, password string) (gamesparks.Account, error) {
	if b.logins++; b.logins%2 == 0 {
		return gamesparks.Account{}, gamesparks.ErrBusy
	}
	return b.Accounts.LogIn(ctx, userName, password)
}

// A login that nobody had time for is no failed one, and takes none of those back: else who keeps the server busy may try for ever.
func TestABusyServerForgetsNoFailedLogins(t *testing.T) {
	w := newWorld(t, func(o *gamesparks.Options) { o.Accounts = &busyAccounts{Accounts: o.Accounts} })
	said := map[string]int{}
	for range 25 {
		got := w.sdk(t).ask("AuthenticationRequest", frame{"userName": "ann", "password": "wrong"})
		said[fmt.Sprint(got["error"])]++
	}
	require.Equal(t, map[string]int{"map[DETAILS:UNRECOGNISED]": 10, "map[server:BUSY]": 9, "map[DETAILS:LOCKED]": 6}, said)
}

// A user name is locked after ten failed logins, for everybody; so is a connection that tries many of them.
func TestFailedLoginsAreLocked(t *testing.T) {
	w := newWorld(t)
	c := w.sdk(t)
	c.did("RegistrationRequest", frame{"userName": "ann", "password": "right", "displayName": "Ann"})
	for _, name := range []string{"ann", "nobody"} {
		for range 10 {
			got := w.sdk(t).ask("AuthenticationRequest", frame{"userName": name, "password": "wrong"})
			require.Equal(t, map[string]any{"DETAILS": "UNRECOGNISED"}, got["error"])
		}
		got := w.sdk(t).ask("AuthenticationRequest", frame{"userName": name, "password": "right"})
		require.Equal(t, map[string]any{"DETAILS": "LOCKED"}, got["error"], "known or not: nobody learns which")
	}
	w.Clock.Advance(10 * time.Minute)
	c.did("AuthenticationRequest", frame{"userName": "ann", "password": "right"})

	for i := range 11 {
		got := c.ask("AuthenticationRequest", frame{"userName": "name " + strconv.Itoa(i), "password": "x"})
		want := "UNRECOGNISED"
		if i == 10 {
			want = "LOCKED"
		}
		require.Equal(t, map[string]any{"DETAILS": want}, got["error"])
	}
}

func TestWhoAsksTooOftenIsToldSo(t *testing.T) {
	throttled := map[string]any{"request": "THROTTLED"}
	w := newWorld(t, func(o *gamesparks.Options) {
		access, err := dialect.NewAccess(dialect.Config{PlayerRate: dialect.Rate{PerSecond: 1, Burst: 2}, Now: o.Now})
		require.NoError(t, err)
		o.Access = access
	})
	c := w.sdk(t).signIn("phone")
	c.did("AccountDetailsRequest", nil)
	require.Equal(t, throttled, c.ask("AccountDetailsRequest", nil)["error"])
	w.Clock.Advance(time.Second)
	c.did("AccountDetailsRequest", nil)

	other := w.sdk(t)
	for range 20 {
		require.Equal(t, map[string]any{"deviceId": "REQUIRED"}, other.ask("DeviceAuthenticationRequest", frame{"deviceOS": "IOS"})["error"])
	}
	require.Equal(t, throttled, other.ask("DeviceAuthenticationRequest", frame{"deviceOS": "IOS"})["error"])
	w.Clock.Advance(5 * time.Second)
	other.signIn("another phone")

	stranger := w.sdk(t)
	for range 400 {
		require.NotEqual(t, throttled, stranger.ask("Request", nil)["error"])
	}
	require.Equal(t, throttled, stranger.ask("Request", nil)["error"])
}

// Neither secrets nor tokens nor passwords are logged, and what failed in the server is logged and not told.
func TestFailuresAreLoggedWithoutSecrets(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Response = func(context.Context, *gamesparks.Script) error { panic("of a script") }
	})
	c := w.sdk(t)
	got := c.ask("RegistrationRequest", frame{"userName": "ann", "password": "pa55", "displayName": "Ann"})
	require.Equal(t, map[string]any{"script": "FAILED"}, got["error"])
	c.hangUp()
	require.NoError(t, w.Server.Shutdown(context.Background()))
	require.Contains(t, log.String(), "of a script")
	for _, hidden := range []string{"pa55", secret, serverSecret} {
		require.NotContains(t, log.String(), hidden)
	}
}

// Who signs in as somebody else plays as the one before no longer; and a hook of the host may refuse.
func TestSigningInAsSomebodyElseEndsTheSession(t *testing.T) {
	refuse := false
	game := finalbelltest.New(t, rules(), func(o *finalbell.Options) {
		o.Hooks.Before = func(context.Context, *finalbell.Call) error {
			if refuse {
				return context.Canceled
			}
			return nil
		}
	})
	w := worldOf(t, game)
	c := w.sdk(t).signIn("of ann")
	ann := c.userID
	c.signIn("of ann")
	require.Len(t, w.sessions(t, ann), 1)
	c.signIn("of bob")
	require.Equal(t, "ended", w.sessions(t, ann)[0].Reason)
	refuse = true
	got := c.ask("DeviceAuthenticationRequest", frame{"deviceId": "of cid", "deviceOS": "IOS"})
	require.Equal(t, map[string]any{"session": "REFUSED"}, got["error"])
	c.did("AccountDetailsRequest", nil)
}
