package gamesparks_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/finalbelltest"
)

// pipes is a network in memory, on which time can be faked.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	server, client := net.Pipe()
	p <- server
	return client, nil
}

// inABubble plays with a server on a network in memory: hours pass in no time.
func inABubble(t *testing.T, play func(t *testing.T, c *sdk)) {
	synctest.Test(t, func(t *testing.T) {
		game := finalbelltest.New(t, rules())
		accounts, err := gamesparks.NewAccounts(gamesparks.AccountOptions{Iterations: 1})
		require.NoError(t, err)
		access, err := dialect.NewAccess(dialect.Config{})
		require.NoError(t, err)
		s, err := gamesparks.New(game.Engine, gamesparks.Options{APIKey: apiKey, Secret: secret, Access: access, Accounts: accounts})
		require.NoError(t, err)
		network := make(pipes)
		host := &http.Server{Handler: s}
		served := make(chan error)
		go func() { served <- host.Serve(network) }()
		w := &world{Game: game, Server: s, Accounts: accounts, HTTP: &httptest.Server{URL: "http://memory"}}
		c := &sdk{t: t, w: w, path: "/ws/" + apiKey, secret: secret, client: &http.Client{Transport: &http.Transport{DialContext: network.dial}}}
		play(t, c)
		c.hangUp()
		require.NoError(t, s.Shutdown(context.Background()))
		close(network)
		require.Error(t, <-served)
		require.NoError(t, host.Close())
	})
}

// requireClosed waits for the end of a connection, which comes so much later.
func (c *sdk) requireClosed(want time.Duration) {
	c.t.Helper()
	start := time.Now()
	_, _, err := c.socket.Read(context.Background())
	require.Error(c.t, err)
	require.Equal(c.t, want, time.Since(start))
}

func TestAConnectionThatIsSilentIsClosed(t *testing.T) {
	inABubble(t, func(t *testing.T, c *sdk) {
		c.connect()
		c.requireClosed(75 * time.Second)
	})
}

func TestAKeepAliveKeepsAConnection(t *testing.T) {
	inABubble(t, func(t *testing.T, c *sdk) {
		c.connect()
		for range 10 {
			time.Sleep(30 * time.Second)
			c.writeText(" ")
		}
		c.signIn("phone")
		c.requireClosed(75 * time.Second)
	})
}

// The SDK of servers sends no keep-alives, but pings.
func TestAPingKeepsAConnection(t *testing.T) {
	inABubble(t, func(t *testing.T, c *sdk) {
		c.connect()
		start, ended := time.Now(), make(chan time.Time)
		go func() {
			_, _, _ = c.socket.Read(context.Background())
			ended <- time.Now()
		}()
		for range 10 {
			time.Sleep(60 * time.Second)
			require.NoError(t, c.socket.Ping(context.Background()))
		}
		require.Equal(t, 10*time.Minute+75*time.Second, (<-ended).Sub(start))
	})
}

func TestWhoDoesNotSignTheNonceIsGivenUp(t *testing.T) {
	inABubble(t, func(t *testing.T, c *sdk) {
		c.open()
		c.read()
		time.Sleep(6 * time.Second)
		c.writeText(" ") // which is no signature
		c.requireClosed(4 * time.Second)
	})
}

// The SDK comes again as soon as it is closed.
func TestARefusedConnectionIsClosedAWhileLater(t *testing.T) {
	inABubble(t, func(t *testing.T, c *sdk) {
		c.open()
		c.read()
		c.writeText("no handshake")
		require.Equal(t, map[string]any{"request": "INVALID"}, c.read()["error"])
		start := time.Now()
		require.Equal(t, "< closed 1008 the handshake was refused\n", c.heard())
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}
