package gamesparks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/web"
)

// Server is the http.Handler. It is safe for concurrent use.
type Server struct {
	engine   *finalbell.Engine
	options  Options
	attempts *attempts

	mu          sync.Mutex
	connections map[*connection]struct{}
	connected   int // and those that are about to be
	closing     bool
	running     sync.WaitGroup // connections and calls of Do
}

// New makes a Server. An error names the option that makes no sense.
func New(e *finalbell.Engine, o Options) (*Server, error) {
	if e == nil {
		return nil, errors.New("engine: is required")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkEvents(o.Events, e.Rules()); err != nil {
		return nil, err
	}
	return &Server{engine: e, options: o, attempts: newAttempts(o.Now), connections: make(map[*connection]struct{})}, nil
}

// ServeHTTP opens a WebSocket on /ws/{key}, /ws/{credential}/{key} and /ws/secure/{name}/{key} for a game, and on /ws/server/{key} and
// /ws/server-send/{key} for a server. It returns when the connection is over. A wrapped ResponseWriter must have Unwrap.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	authority, err := s.route(w, r)
	if err != nil {
		web.Write(w, web.Status(err), fields{"error": web.Text(err)})
		return
	}
	if err := s.begin(true); err != nil {
		web.Wait(w, err)
		web.Write(w, web.Status(err), fields{"error": web.Text(err)})
		return
	}
	defer s.end(true)
	c := newConnection(s, authority)
	c.socket, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		OriginPatterns: s.options.Origins, InsecureSkipVerify: len(s.options.Origins) == 0, OnPingReceived: c.pinged,
	})
	if err != nil {
		return // Accept has answered
	}
	defer c.cut()
	if s.admit(c) {
		defer s.dismiss(c)
		c.serve(r.Context())
	}
}

// route takes the path of a request for a WebSocket and tells whether it is a server's.
func (s *Server) route(w http.ResponseWriter, r *http.Request) (authority bool, err error) {
	missing := &web.Refusal{Status: http.StatusNotFound, Text: "there is nothing here"}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	key := parts[len(parts)-1]
	if parts[0] != "ws" || key == "" {
		return false, missing
	}
	switch {
	case len(parts) == 2:
	case len(parts) == 3:
		authority = parts[1] == "server" || parts[1] == "server-send"
	case len(parts) == 4 && parts[1] == "secure":
	default:
		return false, missing
	}
	if authority && s.options.ServerSecret == "" {
		return false, missing
	}
	if err := web.Method(w, r, http.MethodGet); err != nil {
		return false, err
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		return false, &web.Refusal{Status: http.StatusUpgradeRequired, Text: "expected a WebSocket"}
	}
	if key != s.options.APIKey {
		return false, dialect.ErrCaller
	}
	return authority, nil
}

// begin counts a call, and a connection, unless there are too many or the server is shutting down.
func (s *Server) begin(connects bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || connects && s.connected >= s.options.Limits.Connections {
		return finalbell.ErrUnavailable
	}
	if connects {
		s.connected++
	}
	s.running.Add(1)
	return nil
}

func (s *Server) end(connects bool) {
	s.mu.Lock()
	if connects {
		s.connected--
	}
	s.mu.Unlock()
	s.running.Done()
}

// admit lets Shutdown know of a connection. False: it has begun already.
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.connections[c] = struct{}{}
	}
	return !s.closing
}

func (s *Server) dismiss(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c)
}

// Shutdown ends every connection, each after the request that it is at, and refuses new ones: http.Server.Shutdown does not know
// of WebSockets. Call it before the engine is closed. When ctx ends first, what is left is cut off, and the error is the ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	open := make([]*connection, 0, len(s.connections))
	for c := range s.connections {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		go c.leave(ctx)
	}
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range open {
		go c.cut() // it waits, seconds at most, for one that is being closed
	}
	return ctx.Err()
}

// Do answers a request of the host's own for a player, as Cloud Code sends one: by the same rules and with the same scripts, but
// without counting it and without beginning a session. Within a script it runs no script. The request is the JSON of a frame,
// of which the requestId may be left out; the response is a frame.
func (s *Server) Do(ctx context.Context, player string, request []byte) json.RawMessage {
	x := &exchange{server: s, player: player, trusted: true}
	if err := s.begin(false); err != nil {
		x.read(request)
		return x.refused(codes(err, "server"))
	}
	defer s.end(false)
	return x.answer(ctx, request)
}
