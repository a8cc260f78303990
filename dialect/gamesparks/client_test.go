package gamesparks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/finalbelltest"
)

const (
	apiKey       = "demo"
	secret       = "of-the-game"
	serverSecret = "of-the-server"
)

func rules() finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "gold"}, {ID: "gems"}},
		Modes: []finalbell.Mode{
			{ID: "hill", Boards: []string{"HIGH_SCORE"}},
			{ID: "race", Order: finalbell.Asc, AutoStart: true, Boards: []string{"laps"},
				Bounds: map[string]finalbell.Bound{"outcome": {Min: finalbell.Int(1), Max: finalbell.Int(1000)}}},
			{ID: "duel", Players: finalbell.Limits{Min: 2, Max: 2}},
			{ID: "cup", Fee: &finalbell.Fee{Currency: "gold", Amount: 10}},
		},
		Boards: []finalbell.BoardRule{
			{ID: "HIGH_SCORE", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}},
			{ID: "laps", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest, Order: finalbell.Asc}, {Metric: "laps"}}},
		},
		Achievements: []finalbell.Achievement{{ID: "first_steps", Metric: "played", Threshold: finalbell.Int(1),
			Rewards: []finalbell.Reward{{Item: "badge"}}}},
		Sessions: finalbell.SessionRule{IdleAfter: 5 * time.Minute, ReconnectWithin: 2 * time.Minute},
	}
}

// counter is a source of "random" bytes that are the same in every run.
type counter struct {
	mu sync.Mutex
	n  uint64
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range p {
		if i%8 == 0 {
			c.n++
		}
		var word [8]byte
		binary.BigEndian.PutUint64(word[:], c.n)
		sum := sha256.Sum256(word[:])
		p[i] = sum[i%8]
	}
	return len(p), nil
}

// world is a game with a server of it on loopback.
type world struct {
	*finalbelltest.Game
	Server   *gamesparks.Server
	Accounts gamesparks.Accounts
	HTTP     *httptest.Server
}

func newWorld(t *testing.T, change ...func(*gamesparks.Options)) *world {
	t.Helper()
	return worldOf(t, finalbelltest.New(t, rules()), change...)
}

func worldOf(t *testing.T, game *finalbelltest.Game, change ...func(*gamesparks.Options)) *world {
	t.Helper()
	random := &counter{}
	accounts, err := gamesparks.NewAccounts(gamesparks.AccountOptions{Iterations: 1, Now: game.Clock.Now, Random: random})
	require.NoError(t, err)
	access, err := dialect.NewAccess(dialect.Config{Now: game.Clock.Now, Tokens: []dialect.Token{{Player: "ann", Digest: dialect.DigestOf("ann-token")}}})
	require.NoError(t, err)
	o := gamesparks.Options{APIKey: apiKey, Secret: secret, ServerSecret: serverSecret, Access: access, Accounts: accounts,
		Now: game.Clock.Now, Random: random, Limits: gamesparks.Limits{Refused: time.Millisecond}}
	for _, c := range change {
		c(&o)
	}
	s, err := gamesparks.New(game.Engine, o)
	require.NoError(t, err)
	w := &world{Game: game, Server: s, Accounts: o.Accounts, HTTP: httptest.NewServer(s)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.Shutdown(ctx))
		w.HTTP.Close()
	})
	return w
}

// sdk does what the SDK does with a connection: it signs the nonce, keeps the session and the token, and numbers its requests.
type sdk struct {
	t         *testing.T
	w         *world
	path      string
	secret    string
	platform  any
	client    *http.Client // nil: the default
	socket    *websocket.Conn
	sessionID string
	authToken string
	userID    string
	requests  int
}

type frame map[string]any

func (w *world) sdk(t *testing.T) *sdk {
	t.Helper()
	c := &sdk{t: t, w: w, path: "/ws/" + apiKey, secret: secret, platform: "Chrome"}
	c.connect()
	return c
}

// connect opens a connection, again if there was one, and shakes hands.
func (c *sdk) connect() frame {
	c.t.Helper()
	c.hangUp()
	c.open()
	hello := c.read()
	require.Equal(c.t, ".AuthenticatedConnectResponse", hello["@class"])
	reply := frame{"@class": ".AuthenticatedConnectRequest", "hmac": c.sign(hello["nonce"].(string)), "platform": c.platform, "os": "Linux"}
	if c.authToken != "" {
		reply["authToken"] = c.authToken
	}
	if c.sessionID != "" {
		reply["sessionId"] = c.sessionID
	}
	c.write(reply)
	return c.read()
}

func (c *sdk) sign(nonce string) string {
	mac := hmac.New(sha256.New, []byte(c.secret))
	_, _ = io.WriteString(mac, nonce)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (c *sdk) open() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.w.HTTP.URL, "http")+c.path, &websocket.DialOptions{
		HTTPClient: c.client, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}}})
	require.NoError(c.t, err)
	socket.SetReadLimit(1 << 20)
	c.socket = socket
	c.t.Cleanup(func() { _ = socket.CloseNow() })
}

func (c *sdk) hangUp() {
	if c.socket != nil {
		_ = c.socket.CloseNow()
	}
}

func (c *sdk) write(f any) {
	c.t.Helper()
	text, err := json.Marshal(f)
	require.NoError(c.t, err)
	c.writeText(string(text))
}

func (c *sdk) writeText(text string) {
	c.t.Helper()
	require.NoError(c.t, c.socket.Write(context.Background(), websocket.MessageText, []byte(text)))
}

// read takes the token and the session from a message, as the SDK does with any.
func (c *sdk) read() frame {
	c.t.Helper()
	f, err := c.next()
	require.NoError(c.t, err)
	return f
}

func (c *sdk) next() (frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, text, err := c.socket.Read(ctx)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var f frame
	require.NoError(c.t, d.Decode(&f))
	if token, is := f["authToken"].(string); is {
		c.authToken = token
	}
	if id, is := f["sessionId"].(string); is {
		c.sessionID = id
	}
	if id, is := f["userId"].(string); is && f["newPlayer"] != nil {
		c.userID = id
	}
	return f, nil
}

// ask sends a request, and returns the response that has its id.
func (c *sdk) ask(class string, request frame) frame {
	c.t.Helper()
	c.requests++
	sent := frame{"@class": "." + class, "requestId": fmt.Sprintf("%d_%d", c.w.Clock.Now().UnixMilli(), c.requests)}
	for name, v := range request {
		sent[name] = v
	}
	c.write(sent)
	got := c.read()
	require.Equal(c.t, sent["requestId"], got["requestId"])
	require.True(c.t, strings.HasSuffix(got["@class"].(string), "Response"), got["@class"])
	delete(got, "requestId")
	return got
}

// did is ask for a request that has to succeed.
func (c *sdk) did(class string, request frame) frame {
	c.t.Helper()
	got := c.ask(class, request)
	require.Nil(c.t, got["error"], "%s", class)
	return got
}

func (c *sdk) signIn(device string) *sdk {
	c.t.Helper()
	c.did("DeviceAuthenticationRequest", frame{"deviceId": device, "deviceOS": "IOS", "deviceName": nil})
	return c
}

func (w *world) sessions(t *testing.T, player string) []finalbell.Session {
	t.Helper()
	var all []finalbell.Session
	for s, err := range w.Engine.Sessions(context.Background(), finalbell.SessionFilter{Player: player}) {
		require.NoError(t, err)
		all = append(all, s)
	}
	return all
}
