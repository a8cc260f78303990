package gamesparks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/web"
)

// Refusal is an error as the client reads it: what was wrong, by field, in a word. A script returns one to reject a request.
type Refusal map[string]string

func (r Refusal) Error() string {
	var said []string
	for _, field := range slices.Sorted(maps.Keys(r)) {
		said = append(said, field+": "+r[field])
	}
	return strings.Join(said, ", ")
}

// throttled is for who asks too often.
var throttled = Refusal{"request": "THROTTLED"}

// words are the codes of the kinds of an engine's errors that have one in the original; of the others it is the kind's name.
var words = map[finalbell.Kind]string{
	finalbell.ErrNotFound: "INVALID",
	finalbell.ErrOutcome:  "INVALID",
}

// codes says an error to a client. The field is what the request was about.
func codes(err error, field string) Refusal {
	var refused Refusal
	var many *dialect.TooMany
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &many):
		return throttled
	case errors.Is(err, dialect.ErrCaller):
		return Refusal{"authentication": "NOTAUTHORIZED"}
	case errors.Is(err, ErrTaken):
		return Refusal{"USERNAME": "TAKEN"}
	case errors.Is(err, ErrUnrecognised):
		return Refusal{"DETAILS": "UNRECOGNISED"}
	case errors.Is(err, ErrBusy):
		return Refusal{"server": "BUSY"}
	}
	kind, is := web.Kind(err)
	switch {
	case !is && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return Refusal{"server": "TIMEOUT"}
	case !is:
		return Refusal{"server": "FAILED"}
	case kind == finalbell.ErrUnavailable, kind == finalbell.ErrUnknown:
		field = "server"
	}
	if word := words[kind]; word != "" {
		return Refusal{field: word}
	}
	return Refusal{field: strings.ToUpper(string(kind))}
}

// refusal is codes for an error that may be the server's own, which is logged.
func (s *Server) refusal(ctx context.Context, err error, field string) Refusal {
	said := codes(err, field)
	if said["server"] == "FAILED" {
		s.options.Log.ErrorContext(ctx, "gamesparks: a request failed", "error", err)
	}
	return said
}
