package storetest

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// What is drawn here is all that the contract lets an engine send: valid UTF-8 without NUL, times in whole
// milliseconds of UTC, slices sorted by name where the contract says so, unknown numbers zero.

func drawMatch(t *rapid.T, id string, version uint64) store.Match {
	return store.Match{
		ID:          id,
		Version:     version,
		Created:     1,
		Position:    position().Draw(t, "position"),
		Mode:        text().Draw(t, "mode"),
		Room:        text().Draw(t, "room"),
		Round:       text().Draw(t, "round"),
		State:       text().Draw(t, "state"),
		CreatedAt:   moment().Draw(t, "created at"),
		StartedAt:   moment().Draw(t, "started at"),
		EndedAt:     moment().Draw(t, "ended at"),
		Deadline:    moment().Draw(t, "deadline"),
		Report:      digest().Draw(t, "report"),
		NoContest:   rapid.Bool().Draw(t, "no contest"),
		Draw:        rapid.Bool().Draw(t, "draw"),
		Provisional: rapid.Bool().Draw(t, "provisional"),
		Reason:      text().Draw(t, "reason"),
		Revision:    count().Draw(t, "revision"),
		Revised:     position().Draw(t, "revised"),
		Grants:      count().Draw(t, "grants"),
		Roster:      count().Draw(t, "roster"),
		Participants: rapid.SliceOfNDistinct(rapid.Custom(drawParticipant), 0, 3,
			func(p store.Participant) string { return p.Player }).Draw(t, "participants"),
		Teams: sorted(rapid.Custom(func(t *rapid.T) store.TeamOutcome {
			return store.TeamOutcome{Team: name().Draw(t, "team"), Outcome: number().Draw(t, "outcome")}
		}), func(o store.TeamOutcome) string { return o.Team }).Draw(t, "teams"),
		Attributes: attributes().Draw(t, "attributes"),
		Data:       attributes().Draw(t, "data"),
		Moves:      drawMoves(name()).Draw(t, "moves"),
	}
}

func drawParticipant(t *rapid.T) store.Participant {
	return store.Participant{
		Player:  name().Draw(t, "player"),
		Team:    text().Draw(t, "team"),
		Bot:     rapid.Bool().Draw(t, "bot"),
		Outcome: number().Draw(t, "outcome"),
		Status:  text().Draw(t, "status"),
		Metrics: sorted(rapid.Custom(func(t *rapid.T) store.Metric {
			return store.Metric{Name: name().Draw(t, "name"), Value: number().Draw(t, "value")}
		}), func(m store.Metric) string { return m.Name }).Draw(t, "metrics"),
		Attributes: attributes().Draw(t, "attributes"),
		Reported:   count().Draw(t, "reported"),
		Rank:       count().Draw(t, "rank"),
		Position:   count().Draw(t, "position"),
		Result:     text().Draw(t, "result"),
		Boards: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.BoardValues {
			return drawBoardValues(t, rapid.Custom(drawKey), name())
		}), 0, 2).Draw(t, "boards"),
		Held:    fee().Draw(t, "held"),
		Paid:    fee().Draw(t, "paid"),
		Gone:    text().Draw(t, "gone"),
		Counted: seldom().Draw(t, "counted"),
		Streak:  seldom().Draw(t, "streak"),
		Best:    number().Draw(t, "best"),
	}
}

func drawBoardValues(t *rapid.T, keys *rapid.Generator[store.WindowKey], ids *rapid.Generator[string]) store.BoardValues {
	v := store.BoardValues{WindowKey: keys.Draw(t, "window"), ID: ids.Draw(t, "id"), Late: rapid.Bool().Draw(t, "late")}
	if !v.Late {
		v.Values = values().Draw(t, "values")
	}
	return v
}

func drawKey(t *rapid.T) store.WindowKey {
	return store.WindowKey{
		Board:      name().Draw(t, "board"),
		Window:     text().Draw(t, "name"),
		Partition:  text().Draw(t, "partition"),
		Generation: generation().Draw(t, "generation"),
	}
}

func drawEntry(t *rapid.T) store.Entry {
	return store.Entry{
		WindowKey: rapid.Custom(drawKey).Draw(t, "window"),
		ID:        name().Draw(t, "id"),
		Version:   1,
		Entered:   rapid.Bool().Draw(t, "entered"),
		Hidden:    text().Draw(t, "hidden"),
		Values:    values().Draw(t, "values"),
		Sort:      blob().Draw(t, "sort"),
		State:     blob().Draw(t, "state"),
		Changed:   result().Draw(t, "changed"),
		Last:      result().Draw(t, "last"),
		Row:       result().Draw(t, "row"),
	}
}

func drawWindow(t *rapid.T) store.Window {
	return store.Window{
		WindowKey: rapid.Custom(drawKey).Draw(t, "key"),
		Version:   1,
		Start:     moment().Draw(t, "start"),
		End:       moment().Draw(t, "end"),
		Final:     position().Draw(t, "final"),
		ClosedAt:  moment().Draw(t, "closed at"),
		Size:      count().Draw(t, "size"),
		Frozen:    rapid.Bool().Draw(t, "frozen"),
		Chunks:    count().Draw(t, "chunks"),
	}
}

func drawChunk(t *rapid.T) store.Chunk {
	return store.Chunk{
		WindowKey: rapid.Custom(drawKey).Draw(t, "window"),
		N:         rapid.OneOf(rapid.IntRange(0, 2), rapid.SampledFrom([]int{1000, math.MaxInt32})).Draw(t, "number"),
		Data:      blob().Draw(t, "data"),
	}
}

func drawEvent(t *rapid.T) store.Commit {
	return store.Commit{
		Digest: digest().Draw(t, "digest"),
		At:     moment().Filter(func(at time.Time) bool { return !at.IsZero() }).Draw(t, "at"),
		Kind:   name().Draw(t, "kind"),
		ID:     text().Draw(t, "id"),
		Body: rapid.SampledFrom([][]byte{
			nil, []byte(`{}`), []byte(`null`), []byte(`{"b":1, "a":[1.0,1e400,-0], "a":2}`), []byte(`"\u00e9é <&>"`),
		}).Draw(t, "body"),
	}
}

func drawSetting(t *rapid.T) store.Setting {
	return store.Setting{Name: name().Draw(t, "name"), Value: blob().Draw(t, "value")}
}

func drawMoves(ids *rapid.Generator[string]) *rapid.Generator[[]store.Move] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Move {
		return store.Move{
			WindowKey: rapid.Custom(drawKey).Draw(t, "window"),
			ID:        ids.Draw(t, "id"),
			Size:      seldom().Draw(t, "size"),
			Passed:    rapid.SliceOfN(ids, 0, 2).Draw(t, "passed"),
			Old:       count().Draw(t, "old"),
			New:       count().Draw(t, "new"),
		}
	}), 0, 2)
}

func attributes() *rapid.Generator[[]store.Attribute] {
	return sorted(rapid.Custom(func(t *rapid.T) store.Attribute {
		return store.Attribute{Name: name().Draw(t, "name"), Value: text().Draw(t, "value")}
	}), func(a store.Attribute) string { return a.Name })
}

func sorted[T any](element *rapid.Generator[T], by func(T) string) *rapid.Generator[[]T] {
	return rapid.Map(rapid.SliceOfNDistinct(element, 0, 2, by), func(drawn []T) []T {
		slices.SortFunc(drawn, func(a, b T) int { return strings.Compare(by(a), by(b)) })
		return drawn
	})
}

func result() *rapid.Generator[store.Moment] {
	return rapid.Custom(func(t *rapid.T) store.Moment {
		return store.Moment{
			At:       moment().Draw(t, "at"),
			Position: position().Draw(t, "position"),
			Place:    count().Draw(t, "place"),
		}
	})
}

func text() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "a", "A", "é", "e\u0301", " a ", "0", "01", "1e3", "null", `'`, `"`, `\`, "%", "a\nb", "\ufeff", "\uffff",
		}),
		rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 0, 8, -1),
	)
}

func name() *rapid.Generator[string] {
	return text().Filter(func(s string) bool { return s != "" })
}

// moment is unknown at times, and else anywhere between 1800 and the last millisecond of 9999.
func moment() *rapid.Generator[time.Time] {
	from := time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	to := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1
	return rapid.OneOf(
		rapid.SampledFrom([]time.Time{
			{}, // unknown: not 1970
			time.UnixMilli(0).UTC(),
			time.UnixMilli(-1).UTC(),
			time.Date(1950, 6, 30, 23, 59, 59, 999e6, time.UTC),
			time.Date(2024, 2, 29, 12, 0, 0, 1e6, time.UTC),
			time.UnixMilli(to).UTC(),
		}),
		rapid.Map(rapid.Int64Range(from, to), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }),
	)
}

func number() *rapid.Generator[store.Number] {
	return rapid.OneOf(
		rapid.Just(store.Number{}),
		rapid.Custom(func(t *rapid.T) store.Number {
			return store.Number{Units: integer().Draw(t, "units"), Scale: rapid.Uint8().Draw(t, "scale"), Known: true}
		}),
	)
}

// integer has what a float64 or an int32 would lose.
func integer() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MaxInt64 - 1, -math.MaxInt64, math.MinInt64, 1<<53 + 1, 1 << 31}),
		rapid.Int64(),
	)
}

// fee is most often none.
func fee() *rapid.Generator[int64] { return rapid.OneOf(rapid.Just(int64(0)), integer()) }

// seldom is most often none.
func seldom() *rapid.Generator[int] { return rapid.OneOf(rapid.Just(0), count()) }

func generation() *rapid.Generator[int] {
	return rapid.OneOf(rapid.IntRange(0, 2), rapid.SampledFrom([]int{10, math.MaxInt32}))
}

func count() *rapid.Generator[int] {
	return rapid.OneOf(rapid.SampledFrom([]int{0, 1, math.MaxInt, math.MinInt}), rapid.Int())
}

// position stays below 2^63, which no gap-free position reaches.
func position() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, math.MaxInt64}), rapid.Uint64Range(0, math.MaxInt64))
}

func values() *rapid.Generator[[][]int64] {
	return rapid.SliceOfN(rapid.SliceOfN(integer(), 0, 2), 0, 3)
}

func blob() *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 0, 8) }

// digest has zeros at either end, which a store might trim.
func digest() *rapid.Generator[store.Digest] {
	return rapid.OneOf(
		rapid.Just(store.Digest{}),
		rapid.Custom(func(t *rapid.T) (d store.Digest) {
			at := rapid.IntRange(0, len(d)-8).Draw(t, "at")
			binary.BigEndian.PutUint64(d[at:], rapid.Uint64().Draw(t, "sum"))
			return d
		}),
	)
}
