package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/internal/web"
)

// limits are what a server takes from the network. Those of time begin at a connection's first byte of a request.
type limits struct {
	header      time.Duration // until the headers are there
	read        time.Duration // until the body is there
	write       time.Duration // until the reply is written
	idle        time.Duration // between two requests
	headers     int           // bytes
	inFlight    int           // requests at a time
	connections int           // open at a time, whatever comes by them
	grace       time.Duration // for those in flight, when the server is to end
}

func defaultLimits() limits {
	return limits{
		header: 5 * time.Second, read: 10 * time.Second, write: time.Minute, idle: 2 * time.Minute, headers: 32 << 10,
		inFlight: 1024, connections: 16 << 10, grace: 10 * time.Second,
	}
}

// server answers requests: at first that it is not ready, then by the handlers that are opened to it.
type server struct {
	http    *http.Server
	log     *slog.Logger
	limits  limits
	flying  chan struct{} // a place for each request in flight
	opened  atomic.Pointer[opened]
	closing atomic.Bool
	failed  sync.Once // the log is told that the engine has stopped
}

// opened is what a server serves once it does.
type opened struct {
	engine *finalbell.Engine
	mounts []mount
}

func newServer(l limits, log *slog.Logger) *server {
	s := &server{log: log, limits: l, flying: make(chan struct{}, l.inFlight)}
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.logged), ReadHeaderTimeout: l.header, ReadTimeout: l.read, WriteTimeout: l.write, IdleTimeout: l.idle,
		MaxHeaderBytes: l.headers, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s
}

// open lets the server serve.
func (s *server) open(e *finalbell.Engine, mounts []mount) { s.opened.Store(&opened{e, mounts}) }

// stop lets the requests in flight finish and takes no more. Who is not done in time is cut off.
func (s *server) stop() {
	s.closing.Store(true)
	ctx, cancel := context.WithTimeout(background(), s.limits.grace)
	defer cancel()
	var lasting sync.WaitGroup
	if o := s.opened.Load(); o != nil {
		for _, m := range o.mounts {
			if m.shutdown == nil {
				continue
			}
			lasting.Go(func() {
				if err := m.shutdown(ctx); err != nil {
					s.log.Warn("connections were cut off", "route", m.prefix, "cause", err.Error())
				}
			})
		}
	}
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("requests were cut off", "cause", err.Error())
		_ = s.http.Close() // they have had their time
	}
	lasting.Wait()
}

// refusedReply is how the server itself refuses: as the calls do.
func refusedReply(w http.ResponseWriter, status int, kind finalbell.Kind, message string) {
	web.Write(w, status, transcript.Refused{Error: transcript.Refusal{Kind: kind, Message: message}})
}

func unavailable(w http.ResponseWriter, message string) {
	w.Header().Set("Retry-After", "1")
	refusedReply(w, http.StatusServiceUnavailable, finalbell.ErrUnavailable, message)
}

// logged serves a request, and says so in the log: without its headers, body and query, and of its path only what the
// server knows of, for all of them may hold secrets.
func (s *server) logged(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := rand.Text()
	reply := &reply{ResponseWriter: w}
	reply.Header().Set("X-Request-Id", id)
	var caller atomic.Value
	route := ""
	defer func() {
		failed := recover()
		cut := failed != nil && (failed == http.ErrAbortHandler || reply.status != 0)
		if failed != nil && failed != http.ErrAbortHandler {
			s.log.Error("panic", "request", id, "route", route, "cause", panicText(failed), "stack", string(debug.Stack()))
			if !cut {
				refusedReply(reply, http.StatusInternalServerError, "failed", "the server failed")
			}
		}
		who, _ := caller.Load().(string)
		s.log.LogAttrs(background(), slog.LevelInfo, "request", slog.String("request", id), slog.String("method", methodText(r.Method)), slog.String("route", route),
			slog.Int("status", reply.statusOr(http.StatusOK)), slog.Int64("bytes", reply.bytes), slog.Float64("ms", float64(time.Since(began).Microseconds())/1000),
			slog.String("remote", remoteIP(r)), slog.String("caller", who), slog.Bool("cut", cut))
		if cut {
			panic(http.ErrAbortHandler) // half a reply must not look like a whole one
		}
	}()
	r = r.WithContext(web.WithCaller(r.Context(), func(name string) { caller.Store(name) }))
	s.serve(reply, r, &route)
}

// serve finds who answers, and notes the route.
func (s *server) serve(w *reply, r *http.Request, route *string) {
	switch r.URL.Path {
	case "/healthz":
		*route = r.URL.Path
		s.health(w, r, "ok", nil)
		return
	case "/readyz":
		*route = r.URL.Path
		s.health(w, r, "ready", s.ready(r.Context()))
		return
	}
	o := s.opened.Load()
	if o == nil {
		unavailable(w, "the server is starting; try again")
		return
	}
	m, rest, found := o.find(r.URL.Path)
	if !found || r.URL.RawPath != "" { // written otherwise than it has to be, which a proxy in front may not look through
		refusedReply(w, http.StatusNotFound, finalbell.ErrNotFound, "no such route")
		return
	}
	*route = m.prefix
	if !m.lasting {
		select {
		case s.flying <- struct{}{}:
			defer func() { <-s.flying }()
		default:
			unavailable(w, "the server is busy; try again")
			return
		}
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath, inner.Pattern = rest, "", ""
	m.handler.ServeHTTP(w, inner)
	if _, pattern, is := strings.Cut(inner.Pattern, "/"); is {
		*route = m.prefix + "/" + pattern
	}
	if w.status == http.StatusServiceUnavailable {
		_ = s.ready(r.Context()) // no caller is told the cause: the log is
	}
}

// find finds the handler of a path, and what is left of the path for it.
func (o *opened) find(p string) (mount, string, bool) {
	if clean := path.Clean(p); clean != p && clean+"/" != p {
		return mount{}, "", false // no two paths are one
	}
	for _, m := range o.mounts {
		rest, is := strings.CutPrefix(p, m.prefix)
		if is && (rest == "" || rest[0] == '/') {
			return m, "/" + strings.TrimPrefix(rest, "/"), true
		}
	}
	return mount{}, "", false
}

// health answers whether all is well.
func (s *server) health(w http.ResponseWriter, r *http.Request, status string, wrong error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refusedReply(w, http.StatusMethodNotAllowed, finalbell.ErrInvalid, "expected GET")
		return
	}
	if wrong != nil {
		unavailable(w, wrong.Error())
		return
	}
	web.Write(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{status})
}

// ready is nil while calls that change something are taken.
func (s *server) ready(ctx context.Context) error {
	o := s.opened.Load()
	switch {
	case s.closing.Load():
		return errors.New("the server is stopping")
	case o == nil:
		return errors.New("the server is starting")
	}
	// Nobody's heartbeat changes nothing, and is refused for another reason by an engine that takes calls.
	if _, err := o.engine.Heartbeat(context.WithoutCancel(ctx), "", ""); errors.Is(err, finalbell.ErrUnavailable) {
		s.failed.Do(func() { s.log.Error("the engine has stopped", "cause", err.Error()) })
		return errors.New("the engine has stopped")
	}
	return nil
}

// reply notes what is answered.
type reply struct {
	http.ResponseWriter
	status int // 0: nothing yet
	bytes  int64
}

func (r *reply) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *reply) Write(text []byte) (int, error) {
	r.status = r.statusOr(http.StatusOK)
	n, err := r.ResponseWriter.Write(text)
	r.bytes += int64(n)
	return n, err
}

// Hijack lets a handler take the connection over.
func (r *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController find what the connection can do.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *reply) statusOr(otherwise int) int {
	if r.status == 0 {
		return otherwise
	}
	return r.status
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// methodText is a method as the log has it: one that nobody knows is somebody's text.
func methodText(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "other"
}

// panicText is what a panic may say in the log: the runtime's own words, else only of which type it was, for it may quote a
// request.
func panicText(failed any) string {
	if err, is := failed.(runtime.Error); is {
		return err.Error()
	}
	return fmt.Sprintf("%T", failed)
}
