package finalbell

import (
	"errors"
	"strings"
)

// Kind is why a call was refused or failed. Every error of this package is an *Error that wraps a Kind, so
// errors.Is(err, finalbell.ErrNotStarted) tells one from the other; the text is for people.
type Kind string

// The kinds. A nil error means that the call's effects are durable; ErrUnknown that nobody knows (retry with
// the same id); every other kind that nothing happened.
const (
	ErrNotFound        Kind = "not_found"        // no such match, room, board, window or entry
	ErrExists          Kind = "exists"           // the id is in use for other content
	ErrNotStarted      Kind = "not_started"      // the match has not started yet
	ErrAlreadyEnded    Kind = "already_ended"    // the match has ended, by another report
	ErrCancelled       Kind = "cancelled"        // the match was cancelled
	ErrExpired         Kind = "expired"          // the deadline of the match, or of a claim, has passed
	ErrState           Kind = "state"            // the match's state, or its room's, does not allow the call; the four above are ErrState too
	ErrPlayers         Kind = "players"          // too few, too many, too large a team, or a player who is busy elsewhere
	ErrDuplicatePlayer Kind = "duplicate_player" // a player named twice, or a member who joins otherwise
	ErrUnknownPlayer   Kind = "unknown_player"   // an outcome for somebody who is not in the match, or a match in a room for one who is no member
	ErrOutcome         Kind = "outcome"          // a number, status, metric or rank that cannot be taken
	ErrUnpaid          Kind = "unpaid"           // players who cannot pay the entry fee: the match does not start
	ErrConflict        Kind = "conflict"         // the key of a money call was used for other content
	ErrInsufficient    Kind = "insufficient"     // a player has less money than the call takes
	ErrClosed          Kind = "closed"           // the window is final
	ErrRefused         Kind = "refused"          // a hook said no, or was asked for what hooks may not do
	ErrInvalid         Kind = "invalid"          // the call itself is wrong: a bad id, an unknown mode, a time out of order
	ErrUnavailable     Kind = "unavailable"      // the engine is closed, or stopped after its store failed
	ErrUnknown         Kind = "unknown"          // the fate of the write is not known: retry with the same id
)

func (k Kind) Error() string { return strings.ReplaceAll(string(k), "_", " ") }

// Is makes every kind that a match's state is the reason for an ErrState as well.
func (k Kind) Is(target error) bool {
	if target != ErrState {
		return false
	}
	switch k {
	case ErrNotStarted, ErrAlreadyEnded, ErrCancelled, ErrExpired:
		return true
	}
	return false
}

// Error says which call failed, on what, and why.
type Error struct {
	Op  string   // the call: "end match"
	ID  string   // the match, player or board that it was about
	IDs []string // the offending players, if any
	Err error    // wraps a Kind
}

func (e *Error) Error() string {
	if e.ID == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + quote(e.ID) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// refusal is a reason with its kind, what is wrong in words, and the offending players.
type refusal struct {
	kind  Kind
	text  string
	ids   []string
	cause error // a hook's or a store's own error, if there is one
}

func (r *refusal) Error() string {
	if r.text == "" {
		return r.kind.Error()
	}
	return r.text
}

func (r *refusal) Unwrap() []error {
	if r.cause == nil {
		return []error{r.kind}
	}
	return []error{r.kind, r.cause}
}

// refuse makes a refusal of a kind; text says what is wrong, ids name the offenders.
func refuse(kind Kind, text string, ids ...string) error {
	return &refusal{kind: kind, text: text, ids: ids}
}

// blame names the offender in a refusal that names nobody yet.
func blame(err error, id string) error {
	var r *refusal
	if !errors.As(err, &r) || len(r.ids) > 0 {
		return err
	}
	return &refusal{kind: r.kind, text: quote(id) + ": " + err.Error(), ids: []string{id}, cause: r.cause}
}

// failed wraps a reason as the error of a call.
func failed(op, id string, err error) error {
	if err == nil {
		return nil
	}
	var already *Error
	if errors.As(err, &already) {
		return err
	}
	e := &Error{Op: op, ID: id, Err: err}
	var r *refusal
	if errors.As(err, &r) {
		e.IDs = r.ids
	}
	return e
}
