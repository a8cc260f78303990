package gamesparks

import (
	"bytes"
	"context"
	"math"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// connection is a client's WebSocket. Its requests are served one after the other, in the order in which they come: a client that sends
// faster than it is served waits.
type connection struct {
	server    *Server
	socket    *websocket.Conn
	authority bool // a server's
	frames    *rate.Limiter
	signIns   *rate.Limiter

	session  string // the SDK's, which it brings again after a reconnect; the device of the player's session
	about    map[string]string
	player   string // who is signed in; empty: nobody
	failures int    // to log in

	idle *time.Timer   // cuts the connection when nothing comes
	turn chan struct{} // held while a frame is served
	gone chan struct{} // closed when the connection is to end
	once sync.Once
}

// How often a connection may send, whoever it is: enough for a game, and too little for a flood.
const (
	framesPerSecond = 100
	framesAtOnce    = 400
	// Whoever signs in makes accounts and sessions.
	signInsPerSecond = 0.2
	signInsAtOnce    = 20
)

const writeTimeout = 10 * time.Second

func newConnection(s *Server, authority bool) *connection {
	c := &connection{server: s, authority: authority,
		frames: rate.NewLimiter(framesPerSecond, framesAtOnce), signIns: rate.NewLimiter(signInsPerSecond, signInsAtOnce),
		turn: make(chan struct{}, 1), gone: make(chan struct{})}
	c.idle = time.AfterFunc(math.MaxInt64, c.cut) // until something is waited for
	return c
}

// serve shakes hands and then answers frames until the connection ends.
func (c *connection) serve(ctx context.Context) {
	defer c.idle.Stop()
	c.socket.SetReadLimit(c.server.options.Limits.Message)
	// What was begun is brought to its end, and the answer told, also when the client goes meanwhile.
	ctx = context.WithoutCancel(ctx)
	if !c.shake(ctx) {
		return
	}
	for {
		frame, ok := c.read(ctx)
		if !ok || !c.take(ctx, frame) {
			return
		}
	}
}

// read waits for a frame. False: there is none any more.
func (c *connection) read(ctx context.Context) ([]byte, bool) {
	c.idle.Reset(c.server.options.Limits.Idle)
	defer c.idle.Stop()
	kind, frame, err := c.socket.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		_ = c.socket.Close(websocket.StatusUnsupportedData, "expected text") // it is over either way
		return nil, false
	}
	return frame, err == nil
}

// pinged notes a ping, which is how the SDK of servers keeps its connections.
func (c *connection) pinged(context.Context, []byte) bool {
	c.idle.Reset(c.server.options.Limits.Idle)
	return true
}

// take answers a frame. False: the connection is to end.
func (c *connection) take(ctx context.Context, frame []byte) bool {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-c.gone:
	}
	select {
	case <-c.gone:
		return false
	default:
	}
	within := c.frames.AllowN(c.server.options.Now(), 1) || c.authority
	if len(bytes.TrimSpace(frame)) == 0 { // the SDK's keep-alive
		if within {
			c.present(ctx)
		}
		return true
	}
	x := &exchange{server: c.server, connection: c, player: c.player, trusted: c.authority}
	if !within {
		x.read(frame)
		return c.write(ctx, x.refused(throttled))
	}
	ctx, cancel := context.WithTimeout(ctx, c.server.options.Limits.Request)
	defer cancel()
	return c.write(ctx, x.answer(ctx, frame))
}

// write sends a frame. A client that does not read it in time is cut off.
func (c *connection) write(ctx context.Context, frame []byte) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return c.socket.Write(ctx, websocket.MessageText, frame) == nil
}

// hold waits until a refused client has gone, or for Limits.Refused, and closes the connection.
func (c *connection) hold(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.server.options.Limits.Refused)
	defer cancel()
	frames := make(chan error)
	go func() {
		for {
			// The ctx of a Read cuts the connection off when it ends; this one lasts until the connection is closed.
			_, _, err := c.socket.Read(context.WithoutCancel(ctx))
			if err != nil {
				frames <- err
				return
			}
		}
	}()
	select {
	case <-frames:
		return
	case <-ctx.Done():
	case <-c.gone:
	}
	_ = c.socket.Close(websocket.StatusPolicyViolation, "the handshake was refused")
	<-frames
}

// leave ends the connection when the frame that it is at has been answered.
func (c *connection) leave(ctx context.Context) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return
	case <-c.gone:
		return
	}
	defer func() { <-c.turn }()
	_ = c.socket.Close(websocket.StatusGoingAway, "the server is shutting down")
	c.once.Do(func() { close(c.gone) })
}

// cut ends the connection at once.
func (c *connection) cut() {
	c.once.Do(func() { close(c.gone) })
	_ = c.socket.CloseNow()
}
