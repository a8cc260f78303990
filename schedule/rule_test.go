package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTheZeroRuleIsAllOfTime(t *testing.T) {
	for _, r := range []Rule{{}, {Every: All, N: 1, WeekStart: "monday", Zone: "Europe/Berlin"}} {
		s := mustNew(t, r)
		for _, at := range []time.Time{{}, time.Unix(0, 0), time.UnixMilli(-1 << 63), time.UnixMilli(1<<63 - 1)} {
			require.Equal(t, Window{ID: "all"}, mustAt(t, s, at))
		}
		w, ok := s.ByID("all")
		require.True(t, ok)
		require.Equal(t, Window{ID: "all"}, w)
		_, ok = s.Next(w)
		require.False(t, ok)
		_, ok = s.Previous(w)
		require.False(t, ok)
		require.NoError(t, s.Err())
	}
}

func TestDefaultsAreOneUnitFromMonday1970InUTC(t *testing.T) {
	for _, every := range []Every{Day, Week, Month} {
		short := mustNew(t, Rule{Every: every})
		long := mustNew(t, Rule{Every: every, N: 1, From: "1970-01-01", WeekStart: "monday", Zone: "UTC"})
		at := instant(t, "2026-03-04T05:06")
		require.Equal(t, mustAt(t, long, at), mustAt(t, short, at))
	}
	require.Equal(t, "1969-12-29", mustAt(t, mustNew(t, Rule{Every: Week, N: 9}), time.Unix(0, 0)).ID)
}

func TestARuleThatCannotBeKeptIsRefusedByFieldAndValue(t *testing.T) {
	start, end := instant(t, "2026-01-01T00:00"), instant(t, "2026-02-01T00:00")
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Every: "season"}, `every: "season" is none of "all", "day", "week" and "month"`},
		{Rule{Every: "Day"}, `every: "Day" is none of`},
		{Rule{Every: Day, N: -1}, "n: -1 is not between 1 and 10000"},
		{Rule{Every: Day, N: 10_001}, "n: 10001 is not between 1 and 10000"},
		{Rule{Every: Month, N: 1<<63 - 1}, "n: 9223372036854775807 is not between"},
		{Rule{N: 2}, "n: 2 is for days, weeks and months"},
		{Rule{From: "2026-01-01"}, `from: "2026-01-01" is for days, weeks and months`},
		{Rule{Every: Day, From: "yesterday"}, `from: "yesterday" is no date such as 2026-01-01 or 2026-01-01T06:00`},
		{Rule{Every: Day, From: "2026-02-29"}, `from: "2026-02-29" is no date`},
		{Rule{Every: Day, From: "2026-01-01T6:00"}, `from: "2026-01-01T6:00" is no date`},
		{Rule{Every: Day, From: "2026-01-01T24:00"}, `from: "2026-01-01T24:00" is no date`},
		{Rule{Every: Day, From: "2026-01-01T06:00:00"}, `from: "2026-01-01T06:00:00" is no date`},
		{Rule{Every: Day, From: "2026-01-01T06:00Z"}, `from: "2026-01-01T06:00Z" is no date`},
		{Rule{Every: Day, From: "0999-12-31"}, `from: "0999-12-31" is not in the years 1000 to 9999`},
		{Rule{Every: Week, WeekStart: "Monday"}, `week_start: "Monday" is no day of the week in lower case`},
		{Rule{Every: Day, Zone: "Mars/Olympus"}, `zone: "Mars/Olympus" is no IANA time zone: unknown time zone`},
		{Rule{Every: Day, Zone: "Local"}, `zone: "Local" is no IANA time zone`},
		{Rule{Every: Day, Zone: "localtime"}, `zone: "localtime" is no IANA time zone`},
		{Rule{Every: Day, Zone: "right/UTC"}, `zone: "right/UTC" is no IANA time zone`},
		{Rule{Every: Day, Zone: "America"}, `zone: "America" is no IANA time zone`},
		{Rule{Every: Day, Zone: "E/../UTC"}, `zone: "E/../UTC" is no IANA time zone`},
		{Rule{Zone: "Z" + strings.Repeat("z", 1000)}, `zone: "Zzzz`},
		{Rule{Every: Day, Fixed: []Window{{"s1", start, end}}}, "fixed: either ranges or every day, not both"},
		{Rule{Fixed: []Window{{"", start, end}}}, "fixed[0].id: is missing"},
		{Rule{Fixed: []Window{{"s1", start, end}, {"s1", end, time.Time{}}}}, `fixed[1].id: "s1" comes twice`},
		{Rule{Fixed: []Window{{"s1", time.Time{}, end}}}, "fixed[0].start: is missing"},
		{Rule{Fixed: []Window{{"s1", start, time.Time{}}, {"s2", end, time.Time{}}}}, "fixed[0].end: is missing"},
		{Rule{Fixed: []Window{{"s1", end, start}}}, "fixed[0].end: 2026-01-01T00:00:00Z is not after the start, 2026-02-01T00:00:00Z"},
		{Rule{Fixed: []Window{{"s1", start, start}}}, "fixed[0].end: 2026-01-01T00:00:00Z is not after the start"},
		{Rule{Fixed: []Window{{"s1", start.Add(1), end}}}, "fixed[0].start: 2026-01-01T00:00:00.000000001Z is finer than a millisecond"},
		{Rule{Fixed: []Window{{"s1", start, end.AddDate(8000, 0, 0)}}}, "fixed[0].end: 10026-02-01T00:00:00Z is not in the years 1000 to 9999"},
		{Rule{Fixed: []Window{{"s1", start, end}, {"s2", end.Add(-time.Millisecond), time.Time{}}}},
			"fixed[1].start: 2026-01-31T23:59:59.999Z is before the end of fixed[0], 2026-02-01T00:00:00Z"},
		{Rule{Fixed: []Window{{"s1", end, end.Add(time.Hour)}, {"s2", start, end}}}, "fixed[1].start: 2026-01-01T00:00:00Z is before the end of fixed[0]"},
	} {
		_, err := New(c.rule)
		require.ErrorContains(t, err, c.want)
		require.Less(t, len(err.Error()), 250)
	}
}

func TestFixedRangesHoldWhatLiesInThemAndGapsHoldNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, given := eraStart, []Window(nil)
		for i := range rapid.IntRange(1, 5).Draw(t, "ranges") {
			at = at.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "gap")) * time.Millisecond)
			w := Window{ID: string(rune('z' - i)), Start: at.In(location(t, "Asia/Kathmandu"))}
			at = at.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "length")) * time.Millisecond)
			w.End = at
			given = append(given, w)
		}
		if rapid.Bool().Draw(t, "not ended yet") {
			given[len(given)-1].End = time.Time{}
		}
		s := mustNew(t, Rule{Fixed: given})
		for at := eraStart.Add(-time.Millisecond); at.Before(eraStart.Add(30 * time.Millisecond)); at = at.Add(time.Millisecond / 2) {
			var want Window
			for _, w := range given {
				if !at.Before(w.Start) && (at.Before(w.End) || w.End.IsZero()) {
					want = Window{w.ID, w.Start.UTC(), w.End.UTC()}
				}
			}
			got, ok := s.At(at)
			require.Equal(t, want, got)
			require.Equal(t, want.ID != "", ok)
		}
		for i, w := range given {
			got, ok := s.ByID(w.ID)
			require.True(t, ok)
			require.Equal(t, Window{w.ID, w.Start.UTC(), w.End.UTC()}, got)
			next, ok := s.Next(got)
			require.Equal(t, i+1 < len(given), ok)
			if ok {
				require.Equal(t, given[i+1].ID, next.ID)
				back, ok := s.Previous(next)
				require.True(t, ok)
				require.Equal(t, got, back)
			}
		}
	})
}

func TestAScheduleKeepsNothingOfTheCallersList(t *testing.T) {
	given := []Window{{"s1", eraStart, eraEnd}}
	s := mustNew(t, Rule{Fixed: given})
	given[0].ID = "changed"
	require.Equal(t, "s1", mustAt(t, s, eraStart).ID)
}
