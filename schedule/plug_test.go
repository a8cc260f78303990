package schedule

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAPluggedScheduleIsTheListOfWhatNextReturns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{
			time.Millisecond, time.Second, time.Minute, 90 * time.Minute, 24 * time.Hour, 1234567 * time.Millisecond,
		}), 1, 12).Draw(t, "lengths")
		boundaries := []time.Time{drawInstant(t, "UTC").Truncate(rapid.SampledFrom([]time.Duration{1, 24 * time.Hour}).Draw(t, "to"))}
		for _, d := range lengths {
			boundaries = append(boundaries, boundaries[len(boundaries)-1].Add(d))
		}
		after := make(map[time.Time]time.Time)
		for i, b := range boundaries[1:] {
			after[boundaries[i]] = b.In(time.FixedZone("", 1234))
		}
		s, err := From(boundaries[0], func(b time.Time) time.Time { return after[b] })
		require.NoError(t, err)
		bounds := func(i int) (start, end time.Time) {
			if i+1 < len(boundaries) {
				end = boundaries[i+1]
			}
			return boundaries[i], end
		}
		for range 5 {
			i := rapid.IntRange(0, len(boundaries)-1).Draw(t, "i")
			start, end := bounds(i)
			w := mustAt(t, s, start.Add(999_999))
			require.Equal(t, Window{linkName(start.UnixMilli()), start, end}, w)
			if !end.IsZero() {
				require.Equal(t, w, mustAt(t, s, end.Add(-1)))
			}
			back, ok := s.ByID(w.ID)
			require.True(t, ok)
			require.Equal(t, w, back)
			next, ok := s.Next(w)
			require.Equal(t, !end.IsZero(), ok)
			if ok {
				require.Equal(t, end, next.Start)
				require.Less(t, w.ID, next.ID)
				back, ok := s.Previous(next)
				require.True(t, ok)
				require.Equal(t, w, back)
			}
			_, ok = s.Previous(w)
			require.Equal(t, i > 0, ok)
		}
		_, ok := s.At(boundaries[0].Add(-1))
		require.False(t, ok)
		require.NoError(t, s.Err())
	})
}

func TestWhatTheCalendarSaysCanBePluggedIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		calendar := mustNew(t, r)
		w := mustAt(t, calendar, drawInstant(t, r.Zone))
		plugged, err := From(w.Start, func(b time.Time) time.Time { return mustAt(t, calendar, b).End })
		require.NoError(t, err)
		for range 20 {
			got := mustAt(t, plugged, w.Start)
			require.Equal(t, [2]time.Time{w.Start, w.End}, [2]time.Time{got.Start, got.End})
			w, _ = calendar.Next(w)
		}
	})
}

func TestAPluggedWindowIsNamedByItsStartInUTC(t *testing.T) {
	for start, name := range map[string]string{
		"2026-03-02T00:00:00Z":          "2026-03-02",
		"2026-03-02T06:00:00Z":          "2026-03-02T06:00",
		"2026-03-02T00:00:00+01:00":     "2026-03-01T23:00",
		"2026-03-02T06:30:00Z":          "2026-03-02T06:30",
		"2026-03-02T06:00:07Z":          "2026-03-02T06:00:07",
		"2026-03-02T06:00:00.250Z":      "2026-03-02T06:00:00.250",
		"1969-12-31T23:59:59.999Z":      "1969-12-31T23:59:59.999",
		"1000-01-01T00:00:00Z":          "1000-01-01",
		"9999-12-31T23:59:59.999Z":      "9999-12-31T23:59:59.999",
		"1066-10-14T09:00:00.000+00:00": "1066-10-14T09:00",
	} {
		origin, err := time.Parse(time.RFC3339, start)
		require.NoError(t, err)
		s, err := From(origin, func(time.Time) time.Time { return time.Time{} })
		require.NoError(t, err)
		w, ok := s.ByID(name)
		require.True(t, ok)
		require.Equal(t, Window{ID: name, Start: origin.UTC()}, w)
		for _, other := range []string{name + "Z", name + ":00", name + "T00:00", name + ".000", "2026-03-03", ""} {
			_, ok := s.ByID(other)
			require.False(t, ok, other)
		}
	}
}

func TestAnOriginOrAFirstAnswerThatIsWrongIsRefused(t *testing.T) {
	same := func(b time.Time) time.Time { return b }
	hour := func(b time.Time) time.Time { return b.Add(time.Hour) }
	for _, c := range []struct {
		origin time.Time
		next   func(time.Time) time.Time
		want   string
	}{
		{eraStart, nil, "next: is missing"},
		{time.Time{}, hour, "origin: is missing"},
		{eraStart.Add(1), hour, "origin: 1950-01-01T00:00:00.000000001Z is finer than a millisecond"},
		{eraStart.AddDate(9000, 0, 0), hour, "origin: 10950-01-01T00:00:00Z is not in the years 1000 to 9999"},
		{eraStart, same, "next: of 1950-01-01T00:00:00Z is 1950-01-01T00:00:00Z, which is not after it"},
		{eraStart, func(b time.Time) time.Time { return b.Add(-time.Hour) }, "next: of 1950-01-01T00:00:00Z is 1949-12-31T23:00:00Z, which is not after it"},
		{eraStart, func(b time.Time) time.Time { return b.Add(time.Microsecond) }, "next: of 1950-01-01T00:00:00Z is 1950-01-01T00:00:00.000001Z, which is finer than a millisecond"},
	} {
		_, err := From(c.origin, c.next)
		require.EqualError(t, err, c.want)
	}
}

func TestALaterAnswerThatIsWrongClosesTheScheduleOff(t *testing.T) {
	for _, wrong := range []time.Duration{0, -time.Hour, time.Hour + time.Nanosecond} {
		s, err := From(eraStart, func(b time.Time) time.Time {
			if b.Equal(eraStart.Add(3 * time.Hour)) {
				return b.Add(wrong)
			}
			return b.Add(time.Hour)
		})
		require.NoError(t, err)
		mustAt(t, s, eraStart.Add(time.Hour))
		require.NoError(t, s.Err(), "not seen yet")
		last := mustAt(t, s, eraStart.Add(5*time.Hour))
		require.Equal(t, Window{ID: "1950-01-01T03:00", Start: eraStart.Add(3 * time.Hour)}, last)
		require.ErrorContains(t, s.Err(), "next: of 1950-01-01T03:00:00Z is 1950-01-01T")
		_, ok := s.Next(last)
		require.False(t, ok)
		require.Equal(t, "1950-01-01T02:00", mustAt(t, s, eraStart.Add(2*time.Hour)).ID)
	}
}

func TestAPluggedScheduleEndsAfterSoManyBoundariesAndBeforeTheYear10000(t *testing.T) {
	asked := 0
	s, err := From(eraStart, func(b time.Time) time.Time { asked++; return b.Add(time.Millisecond) })
	require.NoError(t, err)
	last := mustAt(t, s, eraEnd)
	require.Equal(t, Window{ID: linkName(last.Start.UnixMilli()), Start: eraStart.Add((mostBoundaries - 1) * time.Millisecond)}, last)
	require.EqualError(t, s.Err(), "next: more than 1048576 boundaries")
	require.Equal(t, mostBoundaries, asked)

	s, err = From(eraStart, func(b time.Time) time.Time { return b.AddDate(1, 0, 0) })
	require.NoError(t, err)
	require.Equal(t, "9999-01-01", mustAt(t, s, time.UnixMilli(1<<62)).ID)
	require.NoError(t, s.Err())

	s, err = From(eraStart, func(time.Time) time.Time { return time.Date(292277024627, 1, 1, 0, 0, 0, 0, time.UTC) })
	require.NoError(t, err)
	require.True(t, mustAt(t, s, eraEnd).End.IsZero())
}

// No lock is held while next runs, and of two who found the same boundary one is told what the other found.
func TestNextMayAskItsOwnScheduleForWhatItIsAbout(t *testing.T) {
	var s *Schedule
	asked := map[time.Time]int{}
	s, err := From(eraStart, func(b time.Time) time.Time {
		if asked[b]++; s != nil && asked[b] == 1 {
			mustAt(t, s, b)
		}
		return b.Add(time.Hour)
	})
	require.NoError(t, err)
	for i := range 9 {
		start := eraStart.Add(time.Duration(i) * time.Hour)
		w, ok := s.ByID(linkName(start.UnixMilli()))
		require.True(t, ok)
		require.Equal(t, [2]time.Time{start, start.Add(time.Hour)}, [2]time.Time{w.Start, w.End})
		require.LessOrEqual(t, asked[start], 2)
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	s, err := From(eraStart, func(b time.Time) time.Time { return b.Add(time.Hour) })
	require.NoError(t, err)
	var done sync.WaitGroup
	for g := range 4 {
		done.Go(func() {
			for i := range 300 {
				at := eraStart.Add(time.Duration(i*(g+1)) * time.Hour)
				if w, ok := s.At(at); !ok || w.Start != at || w.End != at.Add(time.Hour) {
					t.Errorf("at %v: %v", at, w)
				}
			}
		})
	}
	done.Wait()
}
