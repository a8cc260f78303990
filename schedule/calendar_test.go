package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAWindowIsWhatTurningPagesAndWatchingClocksGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s, slowly := mustNew(t, r), newSlow(t, r)
		for range 5 {
			at := drawInstant(t, r.Zone)
			require.Equal(t, slowly.at(at), mustAt(t, s, at), "at %v of %+v", at, r)
		}
	})
}

func TestWindowsPartitionTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s := mustNew(t, r)
		at := drawInstant(t, r.Zone)
		w := mustAt(t, s, at)
		requireNeighbours(t, s, w)
		require.False(t, at.Before(w.Start), "%v before %v", at, w)
		require.True(t, at.Before(w.End), "%v not before %v", at, w)
	})
}

// requireNeighbours holds a window to the instants at and around its boundaries.
func requireNeighbours(t require.TestingT, s *Schedule, w Window) {
	require.True(t, w.Start.Before(w.End), "%v is empty", w)
	require.Equal(t, time.UTC, w.Start.Location())
	require.Equal(t, w, mustAt(t, s, w.Start))
	require.Equal(t, w, mustAt(t, s, w.End.Add(-time.Millisecond)))
	next, ok := s.Next(w)
	require.True(t, ok)
	require.Equal(t, w.End, next.Start)
	require.Equal(t, next, mustAt(t, s, w.End))
	require.Less(t, w.ID, next.ID, "names sort as their windows")
	previous, ok := s.Previous(w)
	require.True(t, ok)
	require.Equal(t, previous.End, w.Start)
	require.Equal(t, previous, mustAt(t, s, w.Start.Add(-time.Millisecond)))
}

func TestNextAndPreviousAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s := mustNew(t, r)
		w := mustAt(t, s, drawInstant(t, r.Zone))
		walked := []Window{w}
		for range rapid.IntRange(1, 9).Draw(t, "steps") {
			next, ok := s.Next(walked[len(walked)-1])
			require.True(t, ok)
			walked = append(walked, next)
		}
		for i := len(walked) - 1; i > 0; i-- {
			previous, ok := s.Previous(walked[i])
			require.True(t, ok)
			require.Equal(t, walked[i-1], previous)
		}
	})
}

// A window keeps its neighbours when its bounds were found under another zone database.
func TestNeighboursAreFoundByNameAlone(t *testing.T) {
	s := mustNew(t, Rule{Every: Day, Zone: "Europe/Berlin"})
	next, ok := s.Next(Window{ID: "2026-03-28", Start: time.Unix(1, 0), End: time.Unix(2, 0)})
	require.True(t, ok)
	require.Equal(t, "2026-03-29", next.ID)
	for _, unknown := range []string{"", "all", "2026-3-28", "2026-03-28T00:00"} {
		_, ok = s.Next(Window{ID: unknown})
		require.False(t, ok)
		_, ok = s.Previous(Window{ID: unknown})
		require.False(t, ok)
	}
}

func TestANameLeadsBackToItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s := mustNew(t, r)
		w := mustAt(t, s, drawInstant(t, r.Zone))
		back, ok := s.ByID(w.ID)
		require.True(t, ok, w.ID)
		require.Equal(t, w, back)
	})
}

func TestOnlyDatesOnWhichAWindowBeginsAreNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s, slowly := mustNew(t, r), newSlow(t, r)
		i := pageOf(drawInstant(t, r.Zone))
		w, ok := s.ByID(slowly.name(i))
		if _, begins := slices.BinarySearch(slowly.starts, i); !begins {
			require.False(t, ok, "%v", w)
			return
		}
		start, end := slowly.shows(i), slowly.shows(slowly.starts[slices.Index(slowly.starts, i)+1])
		require.Equal(t, start.Before(end), ok)
		if ok {
			require.Equal(t, Window{slowly.name(i), start, end}, w)
		}
	})
}

func TestOtherTextsAreNoNames(t *testing.T) {
	rules := []Rule{
		{Every: Day}, {Every: Day, From: "2026-01-01T06:00"}, {Every: Month, From: "2026-01-31"}, {Every: Week}, {},
		{Fixed: []Window{{ID: "s1", Start: eraStart, End: eraEnd}}},
	}
	for _, r := range rules {
		s := mustNew(t, r)
		for _, id := range []string{
			"", " ", "ALL", "2026", "2026-03", "2026-3-2", "2026-03-2", "2026-02-30", "2026-13-01", "2026-00-01", "2026-03-02Z", "+2026-03-02",
			" 2026-03-02", "2026-03-02 ", "2026-03-02T", "2026-03-02T6:00", "2026-03-02T00:00", "2026-03-02T06:00Z", "2026-03-02T06:00:00",
			"2026-03-02T24:00", "2026-03-02t06:00", "2026-03-02 06:00", "0999-12-31", "10000-01-01", "-999-01-01", "２０２６-03-02", "2026-03-02\x00",
		} {
			_, ok := s.ByID(id)
			require.False(t, ok, "%q of %+v", id, r)
		}
	}
}

// The clocks are looked at every quarter of an hour for a year: the dates they show are the daily windows.
func TestEveryCivilDayThatExistsHasOneWindowAndNoOtherDayHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := drawZone(t)
		loc, s := location(t, zone), mustNew(t, Rule{Every: Day, Zone: zone})
		at := drawInstant(t, zone).Truncate(24 * time.Hour)
		w := mustAt(t, s, at)
		shown := ""
		for end := at.AddDate(0, 0, 60); at.Before(end); at = at.Add(15 * time.Minute) {
			date := at.In(loc).Format("2006-01-02")
			if date <= shown {
				continue // the day goes on, or the clocks have been turned back over midnight
			}
			if shown != "" {
				next, ok := s.Next(w)
				require.True(t, ok)
				w = next
			}
			shown = date
			require.Equal(t, date, w.ID)
		}
	})
}

// By whatever way the day of the month was reached, the boundary is on that day or on the month's last.
func TestMonthsNeitherDriftNorSkip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := drawZone(t)
		dayOfMonth := rapid.IntRange(27, 31).Draw(t, "day of the month")
		s := mustNew(t, Rule{Every: Month, From: page{2000, 1, dayOfMonth}.String(), Zone: zone})
		w := mustAt(t, s, drawInstant(t, zone))
		begun, err := time.Parse("2006-01-02", w.ID)
		require.NoError(t, err)
		year, month := begun.Year(), int(begun.Month())
		for range 50 {
			require.Equal(t, page{year, month, min(dayOfMonth, monthLength(year, month))}.String(), w.ID)
			next, ok := s.Next(w)
			require.True(t, ok)
			w = next
			if month++; month > 12 {
				year, month = year+1, 1
			}
		}
	})
}

func TestAWindowOfNIsNWindowsOfOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		ones := r
		ones.N = 1
		s, single := mustNew(t, r), mustNew(t, ones)
		long := mustAt(t, s, drawInstant(t, r.Zone))
		begins := mustAt(t, single, long.Start)
		require.Equal(t, long.Start, begins.Start)
		require.Equal(t, long.End, mustAt(t, single, long.End).Start)
		missing := 0
		for w := begins; w.End.Before(long.End); missing++ {
			next, ok := single.Next(w)
			require.True(t, ok)
			w = next
		}
		// Fewer only where a day is missing.
		require.InDelta(t, max(r.N, 1), missing+1, 1)
	})
}

// Around every change of the clocks in every zone there is one window at a time, and it is the one of the date
// that the clocks show, unless they have been turned back over midnight.
func TestEveryChangeOfTheClocksLiesInTheWindowOfItsDate(t *testing.T) {
	for _, zone := range zones {
		loc, s := location(t, zone), mustNew(t, Rule{Every: Day, Zone: zone})
		for _, change := range transitions()[zone] {
			at := time.Unix(change, 0).UTC()
			w := mustAt(t, s, at)
			date := at.In(loc).Format("2006-01-02")
			if w.ID != date && (w.ID < date || offsetAt(change, loc) > offsetAt(change-1, loc)) {
				t.Errorf("%s: at %v the clocks show %s, the window is %v", zone, at, date, w)
			}
			before := mustAt(t, s, at.Add(-time.Second))
			if before != w && (before.End != w.Start || before.ID >= w.ID) {
				t.Errorf("%s: %v is followed by %v", zone, before, w)
			}
			if at.Before(w.Start) || !at.Before(w.End) || at.Add(-time.Second).Before(before.Start) || !at.Add(-time.Second).Before(before.End) {
				t.Errorf("%s: %v is not in %v or the second before not in %v", zone, at, w, before)
			}
		}
	}
}

// Where only a zone's yearly rule is left, the time package loses the last day of leap years.
func TestTheLastDayOfAFarLeapYearIsADay(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago"} {
		for _, year := range []int{2040, 2096, 2400, 9996} {
			s := mustNew(t, Rule{Every: Day, Zone: zone})
			loc := location(t, zone)
			for hour := range 72 {
				at := time.Date(year, 12, 30, hour, 0, 0, 0, loc)
				w := mustAt(t, s, at)
				require.Equal(t, at.Format("2006-01-02"), w.ID)
				require.Equal(t, 24*time.Hour, w.End.Sub(w.Start))
			}
		}
	}
}

func TestBoundariesLieInTheYearsWithFourDigits(t *testing.T) {
	for _, zone := range zones {
		s := mustNew(t, Rule{Every: Day, Zone: zone})
		first, ok := s.ByID("1000-01-01")
		require.True(t, ok)
		_, ok = s.Previous(first)
		require.False(t, ok)
		_, ok = s.At(first.Start.Add(-time.Millisecond))
		require.False(t, ok)

		last := mustAt(t, s, time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC))
		require.Contains(t, []string{"9999-12-31", "9999-12-30"}, last.ID)
		require.True(t, last.End.IsZero())
		require.Equal(t, 9999, last.Start.Year())
		require.Equal(t, last, mustAt(t, s, last.Start))
		require.Equal(t, last, mustAt(t, s, last.Start.AddDate(7000, 0, 0)))
		_, ok = s.Next(last)
		require.False(t, ok)
		previous, ok := s.Previous(last)
		require.True(t, ok)
		require.Equal(t, last.Start, previous.End)
		require.Equal(t, previous, mustAt(t, s, last.Start.Add(-time.Millisecond)))
	}
	s := mustNew(t, Rule{Every: Day, From: "2026-01-01T23:00", Zone: "Etc/GMT+12"})
	last := mustAt(t, s, time.Date(9999, 12, 31, 20, 0, 0, 0, time.UTC))
	require.Equal(t, Window{ID: "9999-12-30T23:00", Start: time.Date(9999, 12, 31, 11, 0, 0, 0, time.UTC)}, last)
}

func TestTheYears1900To9999Work(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawCalendar(t)
		s := mustNew(t, r)
		from, to := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC)
		at := time.UnixMilli(rapid.Int64Range(from.UnixMilli(), to.UnixMilli()).Draw(t, "instant"))
		requireNeighbours(t, s, mustAt(t, s, at))
	})
}

func TestNoInstantIsTooStrange(t *testing.T) {
	far := []time.Time{
		{}, time.UnixMilli(-1 << 63), time.UnixMilli(1<<63 - 1), time.Unix(-1<<63, 0), time.Unix(1<<63-1, 999_999_999),
		time.Unix(1<<63-62135596801, 0), time.Unix(-1<<63+62135596800, 0), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-292277022399, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(292277024627, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1<<30, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	yearly, err := From(eraStart, func(t time.Time) time.Time { return t.AddDate(1, 0, 0) })
	require.NoError(t, err)
	schedules := []*Schedule{mustNew(t, Rule{}), mustNew(t, Rule{Fixed: []Window{{ID: "s1", Start: eraStart}}}), yearly}
	for _, zone := range zones {
		schedules = append(schedules, mustNew(t, Rule{Every: Month, N: mostUnits, Zone: zone}))
	}
	for i, s := range schedules {
		for _, at := range far {
			w, ok := s.At(at)
			if i > 0 && at.Before(time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)) { // by its year some times are later: it wraps
				require.False(t, ok, "%v at %v", w, at)
			} else {
				require.True(t, ok, at)
				require.True(t, w.End.IsZero(), "%v", w)
			}
		}
	}
}
