package transcript

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// Call is a call in JSON: an object whose one key is the verb.
type Call struct {
	Verb     string
	Argument strictjson.Value
}

// CallOf reads a call. Whether there is such a verb, and what it takes, is for Do.
func CallOf(v strictjson.Value) (Call, error) {
	if v.Kind() == strictjson.Object && v.Len() == 1 {
		for verb, argument := range v.Members() {
			return Call{verb, argument}, nil
		}
	}
	return Call{}, &malformed{errors.New("expected an object with one verb")}
}

// Verbs are the names of all calls, in order.
func Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

var verbs = map[string]func(*Session, context.Context, strictjson.Value) (any, error){
	"now":           (*Session).now,
	"create":        (*Session).create,
	"start":         (*Session).start,
	"report":        (*Session).report,
	"end":           (*Session).end,
	"match":         (*Session).match,
	"cancel":        (*Session).cancel,
	"matches":       (*Session).matches,
	"board":         (*Session).board,
	"windows":       (*Session).windows,
	"rank":          (*Session).rank,
	"ranks":         (*Session).ranks,
	"count":         (*Session).count,
	"histogram":     (*Session).histogram,
	"boards":        (*Session).boards,
	"rank_at":       (*Session).rankAt,
	"at_rank":       (*Session).atRank,
	"begin_season":  (*Session).beginSeason,
	"close_window":  (*Session).closeWindow,
	"rebuild":       (*Session).rebuild,
	"hide":          (*Session).hide,
	"restore":       (*Session).restore,
	"verify":        (*Session).verify,
	"credit":        (*Session).credit,
	"debit":         (*Session).debit,
	"transfer":      (*Session).transfer,
	"wallet":        (*Session).wallet,
	"ledger":        (*Session).ledger,
	"grants":        (*Session).grants,
	"claim":         (*Session).claim,
	"progress":      (*Session).progress,
	"void":          (*Session).void,
	"amend":         (*Session).amend,
	"revisions":     (*Session).revisions,
	"explain":       (*Session).explain,
	"player":        (*Session).player,
	"history":       (*Session).history,
	"head_to_head":  (*Session).headToHead,
	"session_start": (*Session).sessionStart,
	"session_end":   (*Session).sessionEnd,
	"heartbeat":     (*Session).heartbeat,
	"session":       (*Session).session,
	"sessions":      (*Session).sessions,
	"orphans":       (*Session).orphans,
	"rematch":       (*Session).rematch,
	"open_room":     (*Session).openRoom,
	"join":          (*Session).join,
	"leave":         (*Session).leave,
	"dismiss":       (*Session).dismiss,
	"close_room":    (*Session).closeRoom,
	"room":          (*Session).room,
	"rooms":         (*Session).rooms,
	"forget":        (*Session).forget,
	"export":        (*Session).export,
	"events":        (*Session).events,
	"undelivered":   (*Session).undelivered,
	"replay_events": (*Session).replayEvents,
}

// Do makes a call. Every error wraps a kind: ErrInvalid where the call cannot be read, else that of the engine.
func (s *Session) Do(ctx context.Context, c Call) (any, error) {
	verb, known := verbs[c.Verb]
	if !known {
		return nil, &malformed{fmt.Errorf("no verb %q", clip(c.Verb))}
	}
	result, err := verb(s, ctx, c.Argument)
	var failed *finalbell.Error
	if err != nil && !errors.As(err, &failed) {
		return nil, &malformed{err}
	}
	return result, err
}

// malformed is what is wrong with a call that the engine was not asked for.
type malformed struct{ reason error }

func (m *malformed) Error() string { return m.reason.Error() }

func (m *malformed) Unwrap() []error { return []error{m.reason, finalbell.ErrInvalid} }

// Accepted is how a call is answered that was made.
type Accepted struct {
	OK any `json:"ok"`
}

// Refused is how a call is answered that was refused.
type Refused struct {
	Error Refusal `json:"error"`
}

// Refusal says why.
type Refusal struct {
	Kind    finalbell.Kind `json:"kind"`
	Message string         `json:"message"`
	IDs     []string       `json:"ids,omitempty"`
}

// Refused is the answer to a call that Do, or CallOf, refused.
func (c Call) Refused(err error) Refused {
	answer := Refusal{Message: err.Error()}
	errors.As(err, &answer.Kind)
	if id := c.about(); id != "" {
		answer.IDs = []string{id}
	}
	var failed *finalbell.Error
	if errors.As(err, &failed) {
		switch {
		case len(failed.IDs) > 0:
			answer.IDs = failed.IDs
		case failed.ID != "":
			answer.IDs = []string{failed.ID}
		}
	}
	return Refused{answer}
}

// about is the id that a call speaks of, for the answer to one that could not be read.
func (c Call) about() string {
	v := c.Argument
	switch {
	case v.Kind() == strictjson.String && c.Verb != "now":
		return v.Text()
	case v.Kind() != strictjson.Object:
		return ""
	}
	for name, member := range v.Members() {
		switch name {
		case "match", "id", "board", "room":
			if member.Kind() == strictjson.String {
				return member.Text()
			}
		}
	}
	return ""
}
