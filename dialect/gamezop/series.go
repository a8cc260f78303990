package gamezop

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/finalbell/finalbell"
)

// series is the matches of the same players in a room, one after the other. Their ids follow from the room, the players and a
// number, so that two calls at once that say the same make one match: the engine knows it by its id.
type series struct {
	engine *finalbell.Engine
	of     []byte // what the ids are made of
}

func (h *handler) series(room string, players []string) series {
	sorted := slices.Sorted(slices.Values(players))
	var of []byte
	for _, text := range append([]string{h.PropertyID, room}, sorted...) {
		of = append(binary.AppendUvarint(of, uint64(len(text))), text...)
	}
	return series{h.engine, of}
}

// id is that of the match of a number, from 1.
func (s series) id(number int) string {
	sum := sha256.Sum256(binary.AppendUvarint(slices.Clip(s.of), uint64(number)))
	return hex.EncodeToString(sum[:16])
}

// match is the match of a number; false if there is none yet.
func (s series) match(ctx context.Context, number int) (finalbell.Match, bool, error) {
	m, err := s.engine.Match(ctx, s.id(number))
	if errors.Is(err, finalbell.ErrNotFound) {
		return finalbell.Match{}, false, nil
	}
	return m, err == nil, err
}

// last is the last match with its number; 0 if there is none yet.
func (s series) last(ctx context.Context) (finalbell.Match, int, error) {
	var last finalbell.Match
	there, beyond := 0, 0 // there is a match of the first number, and none of the second, which is unknown at first
	for beyond == 0 || beyond-there > 1 {
		number := cmp.Or(2*there, 1)
		if beyond != 0 {
			number = there + (beyond-there)/2
		}
		m, is, err := s.match(ctx, number)
		if err != nil {
			return m, 0, err
		}
		if is {
			last, there = m, number
		} else {
			beyond = number
		}
	}
	return last, there, nil
}

// lookBack is how many matches of a series are looked at for the one that a repeated delivery created.
const lookBack = 8

// delivered finds the match that a delivery created, among the last ones up to a number.
func (s series) delivered(ctx context.Context, delivery string, last int) (finalbell.Match, bool, error) {
	if delivery == "" {
		return finalbell.Match{}, false, nil
	}
	for number := last; number > max(0, last-lookBack); number-- {
		m, _, err := s.match(ctx, number)
		if err != nil || m.Attributes[deliveryAttribute] == delivery {
			return m, err == nil, err
		}
	}
	return finalbell.Match{}, false, nil
}

// over reports whether nothing happens in a match any more but corrections.
func over(m finalbell.Match) bool {
	return m.State != finalbell.Created && m.State != finalbell.Started && m.State != finalbell.Disputed
}
