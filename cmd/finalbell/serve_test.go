package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/web"
	"github.com/finalbell/finalbell/internal/webtest"
	"github.com/finalbell/finalbell/store/memory"
)

const (
	serverKey = "server-key-3b1f"
	gameKey   = "game-key-77ac"
	annToken  = "ann-token-9d20"
)

// digestText is a secret's digest as serve.json has it.
func digestText(secret string) string {
	digest := dialect.DigestOf(secret)
	return hex.EncodeToString(digest[:])
}

// serveText is a serve.json with more fields.
func serveText(more string) string {
	return fmt.Sprintf(`{"api_keys":[{"name":"prod","sha256":%q},{"name":"game","sha256":%q,"client":true}],"players":[{"id":"ann","token_sha256":%q}]%s}`,
		digestText(serverKey), digestText(gameKey), digestText(annToken), more)
}

// book is a log that is read while it is written.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// served is a server of this process, on a listener of its own.
type served struct {
	url  string
	log  *book
	stop func() error // as by a signal
}

// serveHere serves duels.
func serveHere(t testing.TB, l limits, config string) *served {
	s := &served{log: &book{}}
	s.url, s.stop = serveOn(t, l, config, nil, s.log)
	return s
}

// serveOn serves duels from a database, or from memory, and returns where, and how to stop as by a signal.
func serveOn(t testing.TB, l limits, config string, db *string, log io.Writer) (url string, stop func() error) {
	dir := t.TempDir()
	c := serveCommand{Config: filepath.Join(dir, "serve.json"), Addr: "127.0.0.1:0"}
	c.Rules, c.DB = filepath.Join(dir, "rules.json"), db
	require.NoError(t, os.WriteFile(c.Config, []byte(config), 0o600))
	require.NoError(t, os.WriteFile(c.Rules, []byte(duelRules), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.serve(ctx, streams{nil, in, log}, l)
		_ = in.CloseWithError(err)
		ended <- err
	}()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	_, err := fmt.Fscanf(out, "listening on %s\n", &url)
	require.NoError(t, err)
	return url, stop
}

// post makes a call as somebody.
func (s *served) post(t testing.TB, secret, body string) (int, string) {
	status, text, err := postTo(http.DefaultClient, s.url, secret, body)
	require.NoError(t, err)
	return status, text
}

func postTo(client *http.Client, url, secret, body string) (int, string, error) {
	r, err := http.NewRequest(http.MethodPost, url+"/api/call", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	reply, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string(text), err
}

// here is a server without a network, for what it answers.
func here(t *testing.T, l limits, log io.Writer, more ...mount) *server {
	rules, err := finalbell.ParseRules([]byte(duelRules))
	require.NoError(t, err)
	e, err := finalbell.New(t.Context(), memory.New(), rules, finalbell.Options{Now: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	set, err := parseSettings(serveText(""))
	require.NoError(t, err)
	s := newServer(l, slog.New(slog.NewJSONHandler(log, nil)))
	d, err := newDialects(set, nil, s.log)
	require.NoError(t, err)
	all, err := d.mounts(t.Context(), e)
	require.NoError(t, err)
	s.open(e, append(all, more...))
	return s
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// The server's own routes, and those that are not there, are answered as the files say: while it starts, while it serves and
// when its engine has stopped.
func TestServeExchanges(t *testing.T) {
	webtest.Play(t, "testdata/serving/*.http", *update, func(t *testing.T) http.Handler { return here(t, defaultLimits(), io.Discard).http.Handler })
	webtest.Play(t, "testdata/starting/*.http", *update, func(*testing.T) http.Handler {
		return newServer(defaultLimits(), slog.New(slog.DiscardHandler)).http.Handler
	})
	webtest.Play(t, "testdata/stopped/*.http", *update, func(t *testing.T) http.Handler {
		s := here(t, defaultLimits(), io.Discard)
		require.NoError(t, s.opened.Load().engine.Close())
		return s.http.Handler
	})
}

// A server that is to stop is not ready any more, and lets who is at it finish; what it does not know of is told.
func TestAServerThatStopsLetsTheRequestsInFlightFinish(t *testing.T) {
	arrived, leave, told := make(chan bool), make(chan bool), make(chan bool, 1)
	s := here(t, defaultLimits(), io.Discard, mount{prefix: "/slow", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
		_, _ = io.WriteString(w, "whole")
	}), shutdown: func(context.Context) error {
		told <- true
		return nil
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.http.Serve(listener) }()
	replied := make(chan string, 1)
	go func() {
		reply, err := http.Get("http://" + listener.Addr().String() + "/slow")
		if err != nil {
			replied <- err.Error()
			return
		}
		defer reply.Body.Close()
		text, _ := io.ReadAll(reply.Body)
		replied <- string(text)
	}()
	<-arrived
	stopped := make(chan bool)
	go func() {
		s.stop()
		close(stopped)
	}()
	<-told
	require.Equal(t, http.StatusServiceUnavailable, get(s.http.Handler, "/readyz").Code)
	require.Equal(t, http.StatusOK, get(s.http.Handler, "/healthz").Code)
	select {
	case <-stopped:
		t.Fatal("stopped before the request was answered")
	default:
	}
	leave <- true
	require.Equal(t, "whole", <-replied)
	<-stopped
	_, err = net.Dial("tcp", listener.Addr().String())
	require.Error(t, err)
}

// A server that stops closes its engine: what was reported a moment before is kept too.
func TestAServerThatStopsClosesItsEngine(t *testing.T) {
	db := filepath.Join(t.TempDir(), "game.db")
	url, stop := serveOn(t, defaultLimits(), serveText(""), &db, io.Discard)
	for _, call := range []string{`{"create":{"id":"m1","mode":"duel","players":["ann","bob"]}}`, `{"start":"m1"}`, `{"report":{"match":"m1","outcomes":[{"player":"ann","outcome":7}]}}`} {
		status, text, err := postTo(http.DefaultClient, url, serverKey, call)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, text)
	}
	require.NoError(t, stop())
	require.Contains(t, succeed(t, "match", db, "m1", "--json"), `"provisional":true`)
}

// Who is not done in time is cut off.
func TestAServerDoesNotWaitForEver(t *testing.T) {
	l := defaultLimits()
	l.grace = 10 * time.Millisecond
	arrived, leave := make(chan bool), make(chan bool)
	var log book
	s := here(t, l, &log, mount{prefix: "/slow", handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-leave
	})})
	defer close(leave)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.http.Serve(listener) }()
	replied := make(chan error, 1)
	go func() {
		_, err := http.Get("http://" + listener.Addr().String() + "/slow")
		replied <- err
	}()
	<-arrived
	s.stop()
	require.Error(t, <-replied)
	require.Contains(t, log.String(), "requests were cut off")
}

// Who sends headers byte by byte, or too many of them, or too large a body, is cut off or refused; so is who comes when there
// is no place, but for the checks of the server's health.
func TestTheServerIsBounded(t *testing.T) {
	l := defaultLimits()
	l.header, l.headers = 50*time.Millisecond, 4<<10
	s := serveHere(t, l, serveText(""))
	address := strings.TrimPrefix(s.url, "http://")

	slow, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer slow.Close()
	_, err = io.WriteString(slow, "POST /api/call HTTP/1.1\r\nHost: h\r\nX-Slow: ")
	require.NoError(t, err)
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(10*time.Second)))
	answered, err := io.ReadAll(slow)
	require.NoError(t, err, "the server hangs up")
	require.NotContains(t, string(answered), " 200 ")

	long, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer long.Close()
	_, err = io.WriteString(long, "POST /api/call HTTP/1.1\r\nHost: h\r\nX-Long: "+strings.Repeat("x", 16<<10)+"\r\n\r\n")
	require.NoError(t, err)
	head := make([]byte, len("HTTP/1.1 431"))
	_, err = io.ReadFull(long, head)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 431", string(head))

	status, text := s.post(t, serverKey, `{"match":"`+strings.Repeat("x", web.MaxBody)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, status, text)
	require.NoError(t, s.stop())
}

func TestWhoComesWhenThereIsNoPlaceIsSentAway(t *testing.T) {
	l := defaultLimits()
	l.inFlight = 1
	arrived, leave := make(chan bool), make(chan bool)
	wait := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-leave
	})
	s := here(t, l, io.Discard, mount{prefix: "/slow", handler: wait}, mount{prefix: "/socket", handler: wait, lasting: true})
	var done sync.WaitGroup
	for _, path := range []string{"/slow", "/socket"} { // who is connected for long takes no place
		done.Go(func() { get(s.http.Handler, path) })
		<-arrived
	}
	full := get(s.http.Handler, "/slow")
	require.Equal(t, http.StatusServiceUnavailable, full.Code)
	require.Equal(t, "1", full.Header().Get("Retry-After"))
	require.JSONEq(t, `{"error":{"kind":"unavailable","message":"the server is busy; try again"}}`, full.Body.String())
	require.Equal(t, http.StatusOK, get(s.http.Handler, "/healthz").Code)
	require.Equal(t, http.StatusOK, get(s.http.Handler, "/readyz").Code)
	leave <- true
	leave <- true
	done.Wait()
	require.Equal(t, http.StatusMethodNotAllowed, get(s.http.Handler, "/api/call").Code, "there is a place again")
}

// There are only so many connections at a time: who comes then waits until one of them ends, or the server.
func TestConnectionsAreBounded(t *testing.T) {
	l := defaultLimits()
	l.connections = 1
	s := serveHere(t, l, serveText(""))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
		require.NoError(t, err)
		return c
	}
	answered := func(c net.Conn, within time.Duration) error {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(within)))
		_, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200")))
		return err
	}
	first := dial()
	require.NoError(t, answered(first, 10*time.Second))
	second := dial()
	defer second.Close()
	require.ErrorIs(t, answered(second, 50*time.Millisecond), os.ErrDeadlineExceeded)
	require.NoError(t, first.Close())
	require.NoError(t, answered(second, 10*time.Second))
	require.NoError(t, s.stop(), "also while somebody waits")
	require.Contains(t, s.log.String(), "all connections are taken")
}

// To stop while the database is being opened is no failure: nothing was asked for that was not done.
func TestAServerMayBeToldToStopBeforeItBegins(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	write(t, "serve.json", serveText(`,"gamesparks":{"api_key":"demo","secret":"x"}`))
	db := "game.db"
	c := serveCommand{Config: "serve.json", Addr: "127.0.0.1:0"}
	c.Rules, c.DB = "rules.json", &db
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out strings.Builder
	var log book
	require.NoError(t, c.serve(ctx, streams{nil, &out, &log}, defaultLimits()))
	require.Empty(t, out.String())
	require.Contains(t, log.String(), `"msg":"stopped"`)
}

// The log says once why nothing is taken any more, which no caller is told.
func TestTheLogSaysWhyTheEngineHasStopped(t *testing.T) {
	var log book
	s := here(t, defaultLimits(), &log)
	require.NoError(t, s.opened.Load().engine.Close())
	for range 2 {
		r := httptest.NewRequest("POST", "/api/call", strings.NewReader(`{"start":"m1"}`))
		r.Header.Set("Authorization", "Bearer "+serverKey)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.NotContains(t, w.Body.String(), "closed")
	}
	require.Equal(t, 1, strings.Count(log.String(), `"msg":"the engine has stopped","cause":`), log.String())
	require.Contains(t, log.String(), "the engine is closed")
}

// A panic is answered and logged, without what it quotes; after half a reply the connection ends.
func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	var log book
	s := here(t, defaultLimits(), &log,
		mount{prefix: "/panic", handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-of-a-body") })},
		mount{prefix: "/half", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n, _ := io.WriteString(w, "half")
			_ = []byte("half")[n]
		})})
	w := get(s.http.Handler, "/panic")
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.JSONEq(t, `{"error":{"kind":"failed","message":"the server failed"}}`, w.Body.String())
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { get(s.http.Handler, "/half") })
	require.Contains(t, log.String(), "index out of range")
	require.Contains(t, log.String(), "serve_test.go:") // where
	require.NotContains(t, log.String(), "secret-of-a-body")
}

// The log says of every request who called what and how it went, and no secret, wherever one was sent.
func TestTheLogHoldsNoSecret(t *testing.T) {
	s := serveHere(t, defaultLimits(), serveText(`,"gamesparks":{"api_key":"demo-key-51","secret":"gs-secret-52"},"gamezop":{"property_id":"1","bearer_sha256":"`+digestText("gz-53")+`","publisher":{"url":"https://example.com/hook-54","secret":"gz-secret-55"}}`))
	secrets := []string{serverKey, gameKey, annToken, digestText(serverKey), digestText(annToken), "wrong-secret-11", "header-secret-12", "body-secret-13", "query-secret-14", "path-secret-15", "user-secret-16",
		"cookie-secret-17", "demo-key-51", "gs-secret-52", "hook-54", "gz-secret-55", "METHODSECRET18"}
	for _, c := range []struct{ method, path, secret, body string }{
		{"POST", "/api/call?token=query-secret-14", serverKey, `{"create":{"id":"m1","mode":"duel","players":["ann","bob"]}}`},
		{"POST", "/api/call", serverKey, `{"match":"body-secret-13"}`},
		{"POST", "/api/call", serverKey, `{"body-secret-13`},
		{"POST", "/api/call", annToken, `{"wallet":"ann"}`},
		{"POST", "/api/call", gameKey, `{"wallet":"ann"}`},
		{"POST", "/api/call", "wrong-secret-11", `{"wallet":"ann"}`},
		{"POST", "/api/call/path-secret-15", serverKey, `{"wallet":"ann"}`},
		{"GET", "/path-secret-15/../path-secret-15?query-secret-14=1", serverKey, ""},
		{"GET", "/api/call/%70ath-secret-15;query-secret-14", serverKey, ""},
		{"METHODSECRET18", "/readyz?query-secret-14", serverKey, ""},
		{"GET", "/healthz?query-secret-14", serverKey, ""},
	} {
		r, err := http.NewRequest(c.method, s.url+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+c.secret)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Header", "header-secret-12")
		r.Header.Set("Cookie", "a=cookie-secret-17")
		reply, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(reply.Body)
		require.NoError(t, err)
		require.NotContains(t, string(text), c.secret)
		require.NotEmpty(t, reply.Header.Get("X-Request-Id"))
		require.NoError(t, reply.Body.Close())
	}
	broken, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	_, err = io.WriteString(broken, "GET http://user-secret-16@h/path-secret-15 HTTP/1.1\r\nbroken header-secret-12\r\n\r\n")
	require.NoError(t, err)
	_, _ = io.ReadAll(broken)
	require.NoError(t, broken.Close())
	require.NoError(t, s.stop())
	log := s.log.String()
	for _, secret := range secrets {
		require.NotContains(t, log, secret)
	}
	type line struct {
		Msg, Request, Method, Route, Remote, Caller string
		Status, Bytes                               int
		Ms                                          *float64
	}
	var lines []line
	for text := range strings.Lines(log) {
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l), text)
		if l.Msg == "request" {
			require.NotNil(t, l.Ms)
			require.NotEmpty(t, l.Request)
			require.Equal(t, "127.0.0.1", l.Remote)
			require.Positive(t, l.Bytes)
			l.Request, l.Remote, l.Msg, l.Ms, l.Bytes = "", "", "", nil, 0
			lines = append(lines, l)
		}
	}
	require.Equal(t, []line{
		{Method: "POST", Route: "/api/call/{$}", Caller: "prod", Status: 200}, {Method: "POST", Route: "/api/call/{$}", Caller: "prod", Status: 404},
		{Method: "POST", Route: "/api/call/{$}", Caller: "prod", Status: 400}, {Method: "POST", Route: "/api/call/{$}", Caller: "ann", Status: 200},
		{Method: "POST", Route: "/api/call/{$}", Caller: "game", Status: 403}, {Method: "POST", Route: "/api/call/{$}", Status: 401},
		{Method: "POST", Route: "/api/call/", Status: 404}, {Method: "GET", Status: 404}, {Method: "GET", Status: 404},
		{Method: "other", Route: "/readyz", Status: 405}, {Method: "GET", Route: "/healthz", Status: 200},
	}, lines)
}

// An engine that is served does by itself what is due.
func TestAServedEngineTicksByItself(t *testing.T) {
	rules, err := finalbell.ParseRules([]byte(duelRules))
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		var c serveCommand
		e, err := c.engine(t.Context(), rules, finalbell.Options{Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		_, err = e.Create(t.Context(), finalbell.NewMatch{ID: "m", Mode: "duel", Players: []finalbell.Participant{{Player: "ann"}, {Player: "bob"}}, Deadline: time.Now().Add(time.Second)})
		require.NoError(t, err)
		time.Sleep(10 * time.Second) // of the bubble's clock
		m, err := e.Match(t.Context(), "m")
		require.NoError(t, err)
		require.Equal(t, finalbell.Expired, m.State)
		require.NoError(t, e.Close())
	})
}

// What keeps the server from its port or its output is one line, and leaves no database behind.
func TestAServerThatCannotServeLeavesNoDatabase(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	write(t, "serve.json", serveText(""))
	var stderr strings.Builder
	require.Equal(t, failure, run([]string{"serve", "--rules", "rules.json", "--db", "game.db", "--config", "serve.json", "--addr", taken.Addr().String()}, nil, io.Discard, &stderr))
	require.Regexp(t, "^finalbell: --addr: listen tcp .*: address already in use\n$", stderr.String())
	_, err = os.Stat("game.db")
	require.ErrorIs(t, err, os.ErrNotExist)
	stderr.Reset()
	require.Equal(t, failure, run([]string{"serve", "--rules", "rules.json", "--config", "serve.json", "--addr", "127.0.0.1:0"}, nil, brokenWriter{}, &stderr))
	require.Contains(t, stderr.String(), "finalbell: standard output: no space left on device\n")
}

// The settings are warned of once when others can read the secrets in them.
func TestAFileOfSecretsThatOthersCanReadIsWarnedOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serve.json")
	secret := serveText(`,"gamesparks":{"api_key":"demo","secret":"s"}`)
	for _, c := range []struct {
		text string
		mode os.FileMode
		want int
	}{{secret, 0o644, 1}, {secret, 0o640, 1}, {secret, 0o600, 0}, {serveText(""), 0o644, 0}} {
		require.NoError(t, os.WriteFile(file, []byte(c.text), c.mode))
		require.NoError(t, os.Chmod(file, c.mode))
		set, err := loadSettings(file)
		require.NoError(t, err)
		var log strings.Builder
		require.NoError(t, warnOfReaders(slog.New(slog.NewJSONHandler(&log, nil)), file, set))
		require.Equal(t, c.want, strings.Count(log.String(), "others can read"))
	}
}

// A key or token that finalbell token makes is one that serve.json takes, by its digest alone.
func TestATokenIsTakenByItsDigest(t *testing.T) {
	for _, c := range []struct {
		args []string
		list string
		want func(s settings) dialect.Digest
	}{
		{[]string{"--name", "prod"}, "api_keys", func(s settings) dialect.Digest { return s.keys[0].Digest }},
		{[]string{"--name", "game", "--client"}, "api_keys", func(s settings) dialect.Digest {
			require.True(t, s.keys[0].Client)
			return s.keys[0].Digest
		}},
		{[]string{"--player", "ann"}, "players", func(s settings) dialect.Digest { return s.tokens[0].Digest }},
	} {
		var made struct {
			Secret, List string
			Entry        json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(succeed(t, append([]string{"token", "--json"}, c.args...)...)), &made))
		require.Equal(t, c.list, made.List)
		require.NotContains(t, string(made.Entry), made.Secret)
		keys := `"api_keys":[]`
		if c.list != "api_keys" {
			keys += ","
		} else {
			keys = ""
		}
		set, err := parseSettings("{" + keys + `"` + c.list + `":[` + string(made.Entry) + "]}")
		require.NoError(t, err)
		require.Equal(t, dialect.DigestOf(made.Secret), c.want(set))
		text := succeed(t, append([]string{"token"}, c.args...)...)
		require.NotContains(t, text, made.Secret, "another one each time")
		require.Regexp(t, `^the secret, shown this once:\n  [A-Za-z0-9_-]{43}\nthe entry for "`+c.list+`" in serve.json:\n  \{.*\}\n$`, text)
	}
}

// What docs/serve.md tells to type is what works.
func TestTheStepsOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/serve.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "cat > rules.json <<'END'\n")
	require.True(t, found)
	rules, rest, found := strings.Cut(rest, "END\n")
	require.True(t, found)
	_, err = finalbell.ParseRules([]byte(rules))
	require.NoError(t, err)
	_, rest, found = strings.Cut(rest, "curl -d '")
	require.True(t, found)
	call, _, _ := strings.Cut(rest, "'")
	s := serveHere(t, defaultLimits(), serveText(""))
	status, body := s.post(t, serverKey, call)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `{"ok":{"id":"m1","mode":"duel","state":"created",`)
}

// The outbox tries for hours: an operator reads at once that a publisher does not answer, and why.
func TestAPushThatFailsIsLogged(t *testing.T) {
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer publisher.Close()
	s := serveHere(t, defaultLimits(), serveText(`,"gamezop":{"property_id":"1","bearer_sha256":"`+digestText("gz")+`","publisher":{"url":"`+publisher.URL+`/hook-61","secret":"gz-62","private":true}}`))
	for _, call := range []string{
		`{"create":{"id":"m1","mode":"duel","players":["ann","bob"]}}`, `{"start":{"match":"m1"}}`,
		`{"end":{"match":"m1","outcomes":[{"player":"ann","outcome":2},{"player":"bob","outcome":1}]}}`,
	} {
		status, body := s.post(t, serverKey, call)
		require.Equal(t, http.StatusOK, status, body)
	}
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "answered 418") }, 5*time.Second, time.Millisecond)
	require.Contains(t, s.log.String(), `"level":"WARN","msg":"winners were not pushed","event":"`)
	require.NoError(t, s.stop())
	require.NotContains(t, s.log.String(), "hook-61")
	require.NotContains(t, s.log.String(), "gz-62")
}
