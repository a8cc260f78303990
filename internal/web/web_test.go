package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
)

// kinds are all kinds of errors that the engine has, as its source says.
func kinds(t *testing.T) []finalbell.Kind {
	file, err := parser.ParseFile(token.NewFileSet(), "../../errors.go", nil, 0)
	require.NoError(t, err)
	var found []finalbell.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is {
			return true
		}
		if name, is := spec.Type.(*ast.Ident); is && name.Name == "Kind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			found = append(found, finalbell.Kind(text))
		}
		return true
	})
	require.Greater(t, len(found), 15)
	return found
}

// Every kind of error has a status of its own class: the caller's fault is 4xx, and only what may pass by itself is 503.
func TestEveryKindHasAStatus(t *testing.T) {
	all := kinds(t)
	require.Len(t, statuses, len(all))
	for _, kind := range all {
		status := Status(&finalbell.Error{Op: "call", Err: fmt.Errorf("wrapped: %w", kind)})
		require.Equal(t, statuses[kind], status)
		if kind == finalbell.ErrUnavailable || kind == finalbell.ErrUnknown {
			require.Equal(t, http.StatusServiceUnavailable, status)
			continue
		}
		require.True(t, status >= 400 && status < 500 && http.StatusText(status) != "", "%s: %d", kind, status)
		got, is := Kind(fmt.Errorf("wrapped: %w", kind))
		require.True(t, is)
		require.Equal(t, kind, got)
	}
}

// Errors that are not the engine's have a status too.
func TestEveryErrorHasAStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 200}, {refuse(418, "no"), 418}, {fmt.Errorf("wrapped: %w", refuse(413, "no")), 413}, {dialect.ErrCaller, 401}, {fmt.Errorf("x: %w", dialect.ErrCaller), 401},
		{&dialect.TooMany{After: time.Second}, 429}, {context.Canceled, 503}, {context.DeadlineExceeded, 503}, {errors.New("x"), 500}, {finalbell.Kind("new"), 500},
		{fmt.Errorf("%w: %w", finalbell.ErrUnavailable, context.Canceled), 503},
	} {
		require.Equal(t, c.want, Status(c.err), "%v", c.err)
	}
	_, is := Kind(errors.New("x"))
	require.False(t, is)
}

// What is the server's own affair, such as a cause with the name of a file, is in no text for an outsider; what is about
// the call is.
func TestTheTextForOutsidersTellsNoCause(t *testing.T) {
	const cause = "open /srv/league.db: disk I/O error"
	for _, err := range []error{errors.New(cause), fmt.Errorf("%s: %w", cause, finalbell.ErrUnavailable), fmt.Errorf("%s: %w", cause, finalbell.ErrUnknown), fmt.Errorf("%s: %w", cause, context.Canceled),
		&finalbell.Error{Op: "end match", ID: "m1", Err: fmt.Errorf("%s: %w", cause, finalbell.ErrUnavailable)}} {
		require.NotContains(t, Text(err), "srv")
		require.NotContains(t, Text(err), "I/O")
		require.NotEmpty(t, Text(err))
	}
	require.Equal(t, "the fate of the call is not known: repeat it as it was", Text(finalbell.ErrUnknown))
	for _, kind := range kinds(t) {
		if statuses[kind] < 500 {
			err := &finalbell.Error{Op: "end match", ID: "m1", Err: fmt.Errorf("why: %w", kind)}
			require.Equal(t, err.Error(), Text(err))
		}
	}
	require.Equal(t, "the credentials are invalid or missing", Text(dialect.ErrCaller))
}

// Who has to try again is told when, in whole seconds and never too early; who is not known is told how they could be.
func TestHeadersTellWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err             error
		wait, challenge string
	}{
		{&dialect.TooMany{After: time.Millisecond}, "1", ""}, {&dialect.TooMany{After: 2500 * time.Millisecond}, "3", ""}, {&dialect.TooMany{After: 3 * time.Second}, "3", ""},
		{finalbell.ErrUnavailable, "1", ""}, {finalbell.ErrUnknown, "1", ""}, {finalbell.ErrNotFound, "", ""}, {nil, "", ""}, {errors.New("x"), "", ""}, {dialect.ErrCaller, "", "Bearer"},
	} {
		w := httptest.NewRecorder()
		Wait(w, c.err)
		Challenge(w, c.err)
		require.Equal(t, c.wait, w.Header().Get("Retry-After"), "%v", c.err)
		require.Equal(t, c.challenge, w.Header().Get("WWW-Authenticate"), "%v", c.err)
	}
}

func asked(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// A body is an object of strict JSON within a mebibyte, and said to be JSON in UTF-8.
func TestABodyIsAStrictObjectWithinLimits(t *testing.T) {
	const js = "application/json"
	padded := `{"a":1` + strings.Repeat(" ", MaxBody-len(`{"a":1}`)) + `}`
	for _, c := range []struct {
		contentType, body string
		want              int
	}{
		{js, `{}`, 0}, {js + "; charset=utf-8", `{}`, 0}, {js + `; Charset="UTF-8"`, `{}`, 0}, {"Application/JSON", `{}`, 0}, {js + "; x=y", `{}`, 0}, {js, padded, 0},
		{"", `{}`, 415}, {"text/json", `{}`, 415}, {"application/jsonp", `{}`, 415}, {js + "; charset=latin1", `{}`, 415}, {js + "; charset=", `{}`, 415}, {"/;", `{}`, 415}, {"text/plain; " + js, `{}`, 415},
		{js, padded + " ", 413}, {js, strings.Repeat("[", MaxBody+1), 413},
		{js, ``, 400}, {js, `[]`, 400}, {js, `"a"`, 400}, {js, `null`, 400}, {js, `{`, 400}, {js, `{}{}`, 400}, {js, `{"a":1,"a":1}`, 400}, {js, "{\"a\":\"\xff\"}", 400}, {js, `{"a":"\ud800"}`, 400},
		{js, "\uFEFF{}", 400}, {js, `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, 400}, {js, `{"a":01}`, 400}, {js, `{a:1}`, 400},
	} {
		v, err := Object(httptest.NewRecorder(), asked(c.contentType, c.body))
		if c.want == 0 {
			require.NoError(t, err, c.contentType)
			require.LessOrEqual(t, v.Len(), 1)
			continue
		}
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal, "%s %.40s", c.contentType, c.body)
		require.Equal(t, c.want, refusal.Status, "%s %.40s", c.contentType, c.body)
		require.NotEmpty(t, Text(err))
		require.Less(t, len(Text(err)), 1000)
	}
	broken := asked(js, "")
	broken.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{}))
	_, err := Object(httptest.NewRecorder(), broken)
	require.Equal(t, 400, Status(err))
	require.NotContains(t, Text(err), "10.0.0.1")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("read tcp 10.0.0.1: reset") }

// Another method is told which one would do.
func TestAnotherMethodIsToldWhichOneWouldDo(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, Method(w, httptest.NewRequest("POST", "/", nil), "POST"))
	require.Empty(t, w.Header().Get("Allow"))
	require.Equal(t, http.StatusMethodNotAllowed, Status(Method(w, httptest.NewRequest("GET", "/", nil), "POST")))
	require.Equal(t, "POST", w.Header().Get("Allow"))
}

// A bearer token is what stands behind the scheme of the only Authorization header.
func TestABearerTokenIsThatOfTheOnlyHeader(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{nil, ""}, {[]string{"Bearer abc"}, "abc"}, {[]string{"bearer abc"}, "abc"}, {[]string{"BEARER  abc "}, "abc"}, {[]string{"Basic abc"}, ""}, {[]string{"abc"}, ""}, {[]string{"Bearer"}, ""}, {[]string{"Bearer "}, ""},
		{[]string{"Bearerabc"}, ""}, {[]string{"Bearer a", "Bearer a"}, ""}, {[]string{"Bearer a", "Basic b"}, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		for _, v := range c.values {
			r.Header.Add("Authorization", v)
		}
		require.Equal(t, c.want, Bearer(r), "%q", c.values)
	}
}

// A reply is JSON that no browser guesses about and no cache keeps, with its length; what cannot be written as JSON is a failure.
func TestAReplyIsJSON(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, http.StatusConflict, map[string]string{"a": "<&>"})
	require.Equal(t, http.StatusConflict, w.Code)
	require.Equal(t, "{\"a\":\"<&>\"}\n", w.Body.String())
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Length": "12"} {
		require.Equal(t, want, w.Header().Get(name))
	}
	w = httptest.NewRecorder()
	Write(w, http.StatusOK, math.Inf(1))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.True(t, json.Valid(w.Body.Bytes()))
}

// Who called is told to whoever asked for it, and else to nobody.
func TestTheLogIsToldWhoCalled(t *testing.T) {
	Called(t.Context(), "ann")
	var told []string
	ctx := WithCaller(t.Context(), func(caller string) { told = append(told, caller) })
	Called(context.WithValue(ctx, failing{}, 1), "ann")
	require.Equal(t, []string{"ann"}, told)
}
