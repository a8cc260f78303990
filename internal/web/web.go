// Package web has what every handler over HTTP does alike: it reads a request strictly and within limits, tells who calls,
// writes a reply, and knows which status an engine's error is. How an error looks is each dialect's own.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// MaxBody is how many bytes a request's body may have.
const MaxBody = 1 << 20

// Refusal is why a request is not served, before the engine is asked.
type Refusal struct {
	Status int
	Text   string // for the caller: of what they sent, and of nothing else
}

func (r *Refusal) Error() string { return r.Text }

func refuse(status int, text string) error { return &Refusal{status, text} }

// Object reads the body of a request, which must be one strict JSON object. Errors are a *Refusal.
func Object(w http.ResponseWriter, r *http.Request) (strictjson.Value, error) {
	if err := isJSON(r); err != nil {
		return strictjson.Value{}, err
	}
	body, err := Body(w, r)
	if err != nil {
		return strictjson.Value{}, err
	}
	v, err := strictjson.Parse(body)
	if err != nil {
		return v, refuse(http.StatusBadRequest, "the body is not valid JSON: "+err.Error())
	}
	if v.Kind() != strictjson.Object {
		return v, refuse(http.StatusBadRequest, "the body: expected an object")
	}
	return v, nil
}

// Body reads the body of a request as it is, for who has to verify a signature of it, and leaves it to be read once more.
// Errors are a *Refusal.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than "+strconv.Itoa(MaxBody)+" bytes")
		}
		return nil, refuse(http.StatusBadRequest, "the body could not be read")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// isJSON takes application/json in UTF-8.
func isJSON(r *http.Request) error {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, is := parameters["charset"]
	if err != nil || media != "application/json" || is && !strings.EqualFold(charset, "utf-8") {
		return refuse(http.StatusUnsupportedMediaType, "Content-Type: expected application/json")
	}
	return nil
}

// Method takes one method. Otherwise it says in a header which one, and the error is a *Refusal.
func Method(w http.ResponseWriter, r *http.Request, method string) error {
	if r.Method == method {
		return nil
	}
	w.Header().Set("Allow", method)
	return refuse(http.StatusMethodNotAllowed, "expected "+method)
}

// Bearer is the token of a request's Authorization header; empty if it has none, or more than one.
func Bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Write answers with JSON. What cannot be written any more is nobody's to hear: the caller has gone.
func Write(w http.ResponseWriter, status int, v any) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		status = http.StatusInternalServerError
		text.Reset()
		text.WriteString("{}\n")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text.String())
}

// Kind is the kind of an engine's error; false if it is none.
func Kind(err error) (finalbell.Kind, bool) {
	var kind finalbell.Kind
	return kind, errors.As(err, &kind)
}

// statuses are the HTTP statuses of the kinds of errors.
var statuses = map[finalbell.Kind]int{
	finalbell.ErrNotFound:        http.StatusNotFound,
	finalbell.ErrExists:          http.StatusConflict,
	finalbell.ErrNotStarted:      http.StatusConflict,
	finalbell.ErrAlreadyEnded:    http.StatusConflict,
	finalbell.ErrCancelled:       http.StatusConflict,
	finalbell.ErrExpired:         http.StatusConflict,
	finalbell.ErrState:           http.StatusConflict,
	finalbell.ErrPlayers:         http.StatusUnprocessableEntity,
	finalbell.ErrDuplicatePlayer: http.StatusUnprocessableEntity,
	finalbell.ErrUnknownPlayer:   http.StatusUnprocessableEntity,
	finalbell.ErrOutcome:         http.StatusUnprocessableEntity,
	finalbell.ErrUnpaid:          http.StatusPaymentRequired,
	finalbell.ErrConflict:        http.StatusConflict,
	finalbell.ErrInsufficient:    http.StatusPaymentRequired,
	finalbell.ErrClosed:          http.StatusConflict,
	finalbell.ErrRefused:         http.StatusForbidden,
	finalbell.ErrInvalid:         http.StatusBadRequest,
	finalbell.ErrUnavailable:     http.StatusServiceUnavailable,
	finalbell.ErrUnknown:         http.StatusServiceUnavailable,
}

// Status is the HTTP status of any error that serving a request may end with.
func Status(err error) int {
	var refusal *Refusal
	var many *dialect.TooMany
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &refusal):
		return refusal.Status
	case errors.Is(err, dialect.ErrCaller):
		return http.StatusUnauthorized
	case errors.As(err, &many):
		return http.StatusTooManyRequests
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	if kind, is := Kind(err); is && statuses[kind] != 0 {
		return statuses[kind]
	}
	return http.StatusInternalServerError
}

// Text is what a caller may read of an error. What is the server's own affair, such as the name of a file, is not said.
func Text(err error) string {
	switch Status(err) {
	case http.StatusInternalServerError:
		return "the server failed"
	case http.StatusServiceUnavailable:
		if kind, _ := Kind(err); kind == finalbell.ErrUnknown {
			return "the fate of the call is not known: repeat it as it was"
		}
		return "the server is not available; try again"
	}
	return err.Error()
}

// retryAfter is how long, in seconds, to wait where the error does not say.
const retryAfter = 1

// Wait tells who has to try again when, by the Retry-After header, in whole seconds. It does nothing for other errors.
func Wait(w http.ResponseWriter, err error) {
	var many *dialect.TooMany
	switch {
	case errors.As(err, &many):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.After.Seconds()))))
	case Status(err) == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
}

// Challenge tells who was not recognised how they could be.
func Challenge(w http.ResponseWriter, err error) {
	if Status(err) == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
}

type callerKey struct{}

// WithCaller lets Called tell whoever logs the request, by way of the context, who called.
func WithCaller(ctx context.Context, tell func(caller string)) context.Context {
	return context.WithValue(ctx, callerKey{}, tell)
}

// Called says who calls, for the log: the name of a key, or a player. Never a secret.
func Called(ctx context.Context, caller string) {
	if tell, is := ctx.Value(callerKey{}).(func(string)); is {
		tell(caller)
	}
}
