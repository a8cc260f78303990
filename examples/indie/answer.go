package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/finalbell/finalbell"
)

// How requests become calls, and answers and errors become JSON.

const mostBody = 16 << 10 // bytes

// statuses is what each kind of error is in HTTP. An error that is of two kinds is the first of them.
var statuses = []struct {
	kind   finalbell.Kind
	status int
}{
	{finalbell.ErrNotFound, http.StatusNotFound},
	{finalbell.ErrInvalid, http.StatusBadRequest},
	{finalbell.ErrUnpaid, http.StatusPaymentRequired},
	{finalbell.ErrInsufficient, http.StatusPaymentRequired},
	{finalbell.ErrRefused, http.StatusForbidden},
	{finalbell.ErrPlayers, http.StatusUnprocessableEntity},
	{finalbell.ErrDuplicatePlayer, http.StatusUnprocessableEntity},
	{finalbell.ErrUnknownPlayer, http.StatusUnprocessableEntity},
	{finalbell.ErrOutcome, http.StatusUnprocessableEntity},
	{finalbell.ErrExists, http.StatusConflict},
	{finalbell.ErrConflict, http.StatusConflict},
	{finalbell.ErrClosed, http.StatusConflict},
	{finalbell.ErrNotStarted, http.StatusConflict},
	{finalbell.ErrAlreadyEnded, http.StatusConflict},
	{finalbell.ErrCancelled, http.StatusConflict},
	{finalbell.ErrExpired, http.StatusConflict},
	{finalbell.ErrState, http.StatusConflict},
	{finalbell.ErrUnavailable, http.StatusServiceUnavailable},
	{finalbell.ErrUnknown, http.StatusServiceUnavailable}, // ask again: every call may be repeated
}

// problem is an error as a client reads it.
type problem struct {
	Kind    string   `json:"kind"`
	Message string   `json:"message"`
	IDs     []string `json:"ids,omitempty"`
	status  int
}

func (p *problem) Error() string { return p.Message }

func invalid(message string) error {
	return &problem{Kind: "invalid", Message: message, status: http.StatusBadRequest}
}

// problemOf is what a client reads of an error. What is wrong with our disk is for the log alone.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	p = &problem{Kind: "internal", Message: "something went wrong", status: http.StatusInternalServerError}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			p = &problem{Kind: string(s.kind), Message: "ask again", status: s.status}
			break
		}
	}
	var e *finalbell.Error
	if p.status < 500 && errors.As(err, &e) {
		p.Message, p.IDs = err.Error(), e.IDs
		if len(p.IDs) == 0 && e.ID != "" {
			p.IDs = []string{e.ID}
		}
	}
	return p
}

// handler answers a request with something to be written as JSON.
type handler func(r *http.Request) (any, error)

// about is a call about the player or the duel that the path names.
func about[Out any](call func(ctx context.Context, id string) (Out, error)) handler {
	return func(r *http.Request) (any, error) { return call(r.Context(), r.PathValue("id")) }
}

// taking is a call that takes a body: one JSON object without unknown fields, and nothing after it.
func taking[In any](call func(r *http.Request, in In) (any, error)) handler {
	return func(r *http.Request) (any, error) {
		var in In
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		if err == nil {
			if _, err = d.Token(); err == io.EOF {
				return call(r, in)
			}
		}
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return nil, &problem{Kind: "too_large", Message: "the body is too large", status: http.StatusRequestEntityTooLarge}
		case err == nil:
			return nil, invalid("body: something comes after the object")
		case err == io.EOF:
			return nil, invalid("body: there is none")
		}
		return nil, invalid("body: " + err.Error())
	}
}

// refuse is a handler that always refuses.
func refuse(status int, kind, message string) handler {
	return func(*http.Request) (any, error) { return nil, &problem{Kind: kind, Message: message, status: status} }
}

// hostOnly is for who sends the host's key. Sums are compared, so that the time it takes tells nothing about the key.
func (b *backend) hostOnly(h handler) handler {
	want := sha256.Sum256([]byte(b.hostKey))
	return func(r *http.Request) (any, error) {
		sent := sha256.Sum256([]byte(r.Header.Get("Host-Key")))
		if b.hostKey == "" || subtle.ConstantTimeCompare(sent[:], want[:]) != 1 {
			return nil, &problem{Kind: "forbidden", Message: "only the host may do this", status: http.StatusForbidden}
		}
		return h(r)
	}
}

// only refuses every method but one, and says which one.
func (b *backend) only(method string) http.Handler {
	refused := b.serve(refuse(http.StatusMethodNotAllowed, "method", "this path takes "+method))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", method)
		refused.ServeHTTP(w, r)
	})
}

// serve is a handler over HTTP.
func (b *backend) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, status := time.Now(), http.StatusOK
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		answer, err := h(r)
		if err != nil {
			p := problemOf(err)
			status, answer = p.status, map[string]any{"error": p}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		text := json.NewEncoder(w)
		text.SetEscapeHTML(false)
		_ = text.Encode(answer) // who has gone meanwhile will ask again
		// Neither headers nor bodies: the key, and what players send, stay out of the log.
		b.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", status, "took", time.Since(began))
		if status >= 500 {
			b.log.Error("request failed", "path", r.URL.Path, "error", err)
		}
	})
}

// collect makes a list of a sequence.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	all := []T{} // prints as a list, also with nothing in it
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
