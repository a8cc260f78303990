package timetext

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTimesAreWrittenInUTCWithMillisecondsOnlyWhenNotZero(t *testing.T) {
	for in, out := range map[string]string{
		"1988-04-03T14:00:00Z":           "1988-04-03T14:00:00Z",
		"1988-04-03T14:00:00.000Z":       "1988-04-03T14:00:00Z",
		"1988-04-03T14:00:00.5Z":         "1988-04-03T14:00:00.500Z",
		"1988-04-03T14:00:00.007000000Z": "1988-04-03T14:00:00.007Z",
		"1988-04-03T16:00:00+02:00":      "1988-04-03T14:00:00Z",
		"1988-04-03T16:00:00.25-11:30":   "1988-04-04T03:30:00.250Z",
		"0000-01-01T00:00:00Z":           "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999Z":       "9999-12-31T23:59:59.999Z",
	} {
		at, err := Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, time.UTC, at.Location())
		require.Equal(t, out, Format(at))
	}
}

func TestWhatIsNotATimeToTheMillisecondIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "is not a time",
		"yesterday":                           "is not a time",
		"1988-04-03":                          "is not a time",
		"1988-04-03T14:00:00":                 "is not a time",
		"1988-04-03 14:00:00Z":                "is not a time",
		"1988-04-03T14:00:00,5Z":              "is not a time",
		"1988-04-03T4:00:00Z":                 "is not a time",
		"1988-02-30T14:00:00Z":                "is not a time",
		"1988-04-03T24:00:00Z":                "is not a time",
		"1988-04-03T14:00:00+24:00":           "is not a time",
		"0000-01-01T00:00:00+00:01":           "is not a time",
		"9999-12-31T23:59:59-00:01":           "is not a time",
		"1988-04-03T14:00:00.0001Z":           "is finer than a millisecond",
		"1988-04-03T14:00:00.000999999Z":      "is finer than a millisecond",
		"1988-04-03T14:00:00.00000000000001Z": "is finer than a millisecond",
	} {
		_, err := Parse(in)
		require.ErrorContains(t, err, want, in)
	}
}

func TestATimeReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := drawTime(t)
		back, err := Parse(Format(at))
		require.NoError(t, err)
		require.True(t, at == back, "%v %v", at, back)
	})
}

// drawTime draws a time in UTC with whole milliseconds.
func drawTime(t *rapid.T) time.Time {
	first, _ := Parse("0000-01-01T00:00:00Z")
	last, _ := Parse("9999-12-31T23:59:59.999Z")
	return time.UnixMilli(rapid.Int64Range(first.UnixMilli(), last.UnixMilli()).Draw(t, "ms")).UTC()
}
