package specter

import (
	"errors"
	"math"
	"net/http"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/web"
)

// reply is what a route answers when it has done what it was asked for.
type reply struct {
	status  int
	message string
	data    any
}

// envelope is the body of every reply of a route.
type envelope struct {
	Status  string    `json:"status"`
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Errors  []problem `json:"errors"`
	Data    any       `json:"data"`
}

// problem is one error in an envelope.
type problem struct {
	Code    int    `json:"errorCode"`
	Message string `json:"errorMessage"`
}

func (r reply) write(w http.ResponseWriter) {
	status := "success"
	if r.status == http.StatusMultiStatus {
		status = "multi-status"
	}
	web.Write(w, r.status, envelope{status, r.status, r.message, []problem{}, r.data})
}

// fault is a refusal by a route that has a text of its own.
type fault struct {
	status, code int
	text         string
}

func (f *fault) Error() string { return f.text }

// The codes of errors. The documents number two, of rewards and of rates; these are ours, beyond theirs.
const (
	codeFailed        = 2000
	codeInvalid       = 2001
	codeNoMatch       = 2002
	codeNotActive     = 2003
	codeNoSession     = 2004
	codeNotStarted    = 2005
	codeCompleted     = 2006
	codeTimedOut      = 2007
	codeCancelled     = 2008
	codeState         = 2009
	codeActiveSession = 2010
	codeForbidden     = 2011
	codePlayers       = 2012
	codeDuplicate     = 2013
	codeUnknownPlayer = 2014
	codeOutcome       = 2015
	codeUnpaid        = 2016
	codeInsufficient  = 2017
	codeExists        = 2018
	codeRefused       = 2019
	codeClosed        = 2020
	codeUndelivered   = 2021
	codeUnavailable   = 2030
	codeUnknown       = 2031

	codeRate = 1199 // theirs
)

// kinds are the codes of an engine's refusals.
var kinds = map[finalbell.Kind]int{
	finalbell.ErrNotFound:        codeNoSession,
	finalbell.ErrExists:          codeExists,
	finalbell.ErrNotStarted:      codeNotStarted,
	finalbell.ErrAlreadyEnded:    codeCompleted,
	finalbell.ErrCancelled:       codeCancelled,
	finalbell.ErrExpired:         codeTimedOut,
	finalbell.ErrState:           codeState,
	finalbell.ErrPlayers:         codePlayers,
	finalbell.ErrDuplicatePlayer: codeDuplicate,
	finalbell.ErrUnknownPlayer:   codeUnknownPlayer,
	finalbell.ErrOutcome:         codeOutcome,
	finalbell.ErrUnpaid:          codeUnpaid,
	finalbell.ErrConflict:        codeExists,
	finalbell.ErrInsufficient:    codeInsufficient,
	finalbell.ErrClosed:          codeClosed,
	finalbell.ErrRefused:         codeRefused,
	finalbell.ErrInvalid:         codeInvalid,
	finalbell.ErrUnavailable:     codeUnavailable,
	finalbell.ErrUnknown:         codeUnknown,
}

// texts are the documented words for an engine's refusals, where there are such.
var texts = map[finalbell.Kind]string{
	finalbell.ErrNotFound:     textNoSession,
	finalbell.ErrAlreadyEnded: textCompleted,
	finalbell.ErrExpired:      "Session has timed out",
}

const (
	textNoSession = "Session not found"
	textCompleted = "Session already completed"
)

func invalid(text string) error   { return &fault{http.StatusBadRequest, codeInvalid, text} }
func forbidden(text string) error { return &fault{http.StatusForbidden, codeForbidden, text} }
func noMatch() error              { return &fault{http.StatusNotFound, codeNoMatch, "Match not found"} }
func notActive() error            { return &fault{http.StatusConflict, codeNotActive, "Match is not active"} }
func noSession() error            { return &fault{http.StatusNotFound, codeNoSession, textNoSession} }
func completed() error            { return &fault{http.StatusConflict, codeCompleted, textCompleted} }
func activeSession() error {
	return &fault{http.StatusConflict, codeActiveSession, "User already has an active session"}
}

// refuse answers with the error of a route.
func refuse(w http.ResponseWriter, err error) {
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{web.Status(err), codeFailed, web.Text(err)}
		if kind, is := web.Kind(err); is && kinds[kind] != 0 {
			f.code = kinds[kind]
			if texts[kind] != "" {
				f.text = texts[kind]
			}
		}
	}
	web.Wait(w, err)
	web.Write(w, f.status, envelope{"error", f.status, f.text, []problem{{f.code, f.text}}, nil})
}

// gateway answers who does not get as far as a route.
func gateway(w http.ResponseWriter, err error) {
	body := struct {
		Error string `json:"error"`
		Code  int    `json:"errorCode,omitempty"`
		After int    `json:"retryAfterSeconds,omitempty"`
	}{Error: web.Text(err)}
	var many *dialect.TooMany
	if errors.As(err, &many) {
		body.Code, body.After = codeRate, int(math.Ceil(many.After.Seconds()))
	}
	web.Challenge(w, err)
	web.Wait(w, err)
	web.Write(w, web.Status(err), body)
}
