package finalbell

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawFacts(t *rapid.T) facts {
	amount := func(t *rapid.T) int64 { return rapid.Int64().Draw(t, "amount") }
	return facts{
		Markers: drawMap(t, amount),
		Items:   drawMap(t, amount),
		Levels:  drawMap(t, drawInt),
		Goals: drawMap(t, func(t *rapid.T) goal {
			g := goal{Window: drawText(t), Reached: drawBool(t)}
			if drawBool(t) {
				g.Value = fromUnits(rapid.Int64().Draw(t, "units"), rapid.IntRange(0, maxScale).Draw(t, "scale"))
			}
			return g
		}),
		Last: rapid.SampledFrom([]moment{{}, {at: -1, position: 7, place: 2}, {at: math.MaxInt64, position: math.MaxInt64}}).Draw(t, "last"),
	}
}

func encoded(_ require.TestingT, f facts) string {
	return string(f.encode(7))
}

// Facts come back as they were, sums of nineteen digits too.
func TestFactsReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		text := encoded(t, f)
		back, err := decodeFacts([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, f, back, text)
	})
}

// Whatever order their maps were filled in.
func TestEqualFactsAreEqualBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, again := drawFacts(t), facts{}
		again.Last = f.Last
		again.Goals, again.Levels = maps.Clone(f.Goals), maps.Clone(f.Levels)
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(f.Markers))) {
			if again.Markers == nil {
				again.Markers = make(map[string]int64)
			}
			again.Markers[name] = f.Markers[name]
		}
		again.Items = maps.Clone(f.Items)
		require.Equal(t, encoded(t, f), encoded(t, again))
	})
}

func TestFactsAreStoredInThisForm(t *testing.T) {
	for want, f := range map[string]facts{
		`{}`: {Markers: map[string]int64{}, Goals: map[string]goal{}},
		`{"markers":{"fame":3,"xp":120},"items":{"sword":1},"levels":{"xp":2},` +
			`"goals":{"daily":{"window":"2026-03-02","reached":true},"wins":{"window":"all","value":"-0.5"}},` +
			`"last":{"at":1772442000000,"position":7,"place":1}}`: {
			Markers: map[string]int64{"xp": 120, "fame": 3}, Items: map[string]int64{"sword": 1}, Levels: map[string]int{"xp": 2},
			Goals: map[string]goal{"wins": {Window: "all", Value: Decimal("-0.5")}, "daily": {Window: "2026-03-02", Reached: true}},
			Last:  moment{at: 1772442000000, position: unplaced, place: 1}, // the commit's own place is known when it is written
		},
	} {
		assert.Equal(t, want, encoded(t, f))
	}
}

func TestDamagedFactsAreRefused(t *testing.T) {
	goal := func(goal string) string { return `{"goals":{"a":{` + goal + `}}}` }
	for text, want := range map[string]string{
		``:                                                   `the text is empty`,
		`null`:                                               `expected an object`,
		`{"markers":{"xp":120}`:                              `byte`,
		`{"markers":{"xp":120}}x`:                            `text after the value`,
		`{"marker":{"xp":120}}`:                              `marker: unknown field`,
		`{"markers":{"xp":1.5}}`:                             `markers.xp: expected a whole number, found 1.5`,
		`{"markers":{"xp":1,"xp":1}}`:                        `comes twice`,
		`{"items":{"x":"1"}}`:                                `items.x: expected a whole number, found "1"`,
		`{"levels":[]}`:                                      `levels: expected an object, found a list`,
		goal(`"value":"1"`):                                  `goals.a.window: the field is missing`,
		goal(`"window":"all","v":"1"`):                       `goals.a.v: unknown field`,
		goal(`"window":"all","value":1`):                     `goals.a.value: expected a string, found 1`,
		goal(`"window":"all","value":""`):                    `goals.a.value: expected a sum, found ""`,
		goal(`"window":"all","value":"1.50"`):                `goals.a.value: expected a sum, found "1.50"`,
		goal(`"window":"all","value":"-0"`):                  `goals.a.value: expected a sum, found "-0"`,
		goal(`"window":"all","value":"1."`):                  `goals.a.value: expected a sum, found "1."`,
		goal(`"window":"all","value":"0.0000000001"`):        `goals.a.value: expected a sum`,
		goal(`"window":"all","value":"9223372036854775808"`): `goals.a.value: expected a sum`,
		`{"last":{"at":1,"position":2}}`:                     `last.place: the field is missing`,
		`{"last":{"at":1,"position":-2,"place":3}}`:          `last.position: expected a position, found -2`,
		`{"last":{"at":1,"position":18446744073709551615,"place":3}}`: `last.position: expected a whole number`,
	} {
		_, err := decodeFacts([]byte(text))
		assert.ErrorContains(t, err, "facts: ", text)
		assert.ErrorContains(t, err, want, text)
	}
}

// Whatever is read is written and read to the same; nothing panics.
func FuzzDecodeFacts(f *testing.F) {
	f.Add([]byte(`{"markers":{"xp":120},"levels":{"xp":2},"goals":{"a":{"window":"all","value":"-0.5"}},"last":{"at":1,"position":7,"place":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := decodeFacts(text)
		if err != nil {
			return
		}
		again, err := decodeFacts([]byte(encoded(t, read)))
		require.NoError(t, err)
		require.Equal(t, encoded(t, read), encoded(t, again))
	})
}
