package transcript

import (
	"fmt"
	"iter"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// List is a sequence as a list of at most so many, 0 for all. It prints as one also with nothing in it.
func List[T any](seq iter.Seq2[T, error], most int) ([]T, error) {
	list := []T{}
	for x, err := range seq {
		if err != nil {
			return nil, err
		}
		if list = append(list, x); len(list) == most {
			break
		}
	}
	return list, nil
}

// mostWhole is how long a list without a limit may be where others wait for the same server.
const mostWhole = 10_000

// whole is a sequence as a list. On an engine of the caller's one that is too long is refused: cut short it would tell
// something else.
func whole[T any](s *Session, seq iter.Seq2[T, error]) ([]T, error) {
	if s.manual != nil {
		return List(seq, 0)
	}
	list, err := List(seq, mostWhole+1)
	if err == nil && len(list) > mostWhole {
		return nil, fmt.Errorf("there are more than %d: ask for fewer, or read them from the database", mostWhole)
	}
	return list, err
}

// A list is as long as a page of a board.
const (
	defaultLimit = 10
	maxLimit     = 1000
)

// readLimit takes the size of a page. The engine takes 0 for the default, so that one that is written must not
// be 0.
func readLimit(v strictjson.Value) (int, error) {
	n, err := v.AsInt()
	if err != nil || n < 1 || n > maxLimit {
		return 0, v.Expected(fmt.Sprintf("a whole number from 1 to %d", maxLimit))
	}
	return n, nil
}

// limitOf is how long a list is asked for.
func limitOf(r *strictjson.Reader) int {
	if r.Has("limit") {
		return strictjson.One(r, "limit", readLimit)
	}
	return defaultLimit
}
