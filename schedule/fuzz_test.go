package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzRule(f *testing.F) {
	f.Add("day", 1, "", "", "Europe/Berlin", int64(1774746000000))
	f.Add("week", 2, "2026-01-01", "sunday", "Pacific/Apia", int64(1325239200000))
	f.Add("month", 10_000, "2026-01-31T23:59", "monday", "Etc/GMT+12", int64(253402300799999))
	f.Add("all", 0, "", "", "", int64(-1<<63))
	f.Add("month", 1, "9999-12-31T23:59", "", "Etc/GMT-14", int64(1<<63-1))
	f.Fuzz(func(t *testing.T, every string, n int, from, weekStart, zone string, ms int64) {
		s, err := New(Rule{Every: Every(every), N: n, From: from, WeekStart: weekStart, Zone: zone})
		if err != nil {
			field, _, _ := strings.Cut(err.Error(), ": ")
			require.Contains(t, []string{"every", "n", "from", "week_start", "zone"}, field)
			return
		}
		at := time.UnixMilli(ms).UTC()
		w, ok := s.At(at)
		if !ok {
			require.True(t, at.Before(time.Date(1000+mostUnits/12+1, 1, 1, 0, 0, 0, 0, time.UTC)))
			return
		}
		require.True(t, w.Start.IsZero() || !at.Before(w.Start))
		require.True(t, w.End.IsZero() || at.Before(w.End))
		again, ok := s.ByID(w.ID)
		require.True(t, ok)
		require.Equal(t, w, again)
		next, ok := s.Next(w)
		require.Equal(t, !w.End.IsZero(), ok)
		require.Equal(t, w.End, next.Start)
		if previous, ok := s.Previous(w); ok {
			require.Equal(t, w.Start, previous.End)
		}
	})
}

func FuzzByID(f *testing.F) {
	var schedules []*Schedule
	for _, zone := range []string{"UTC", "Europe/Berlin", "Pacific/Apia", "America/Havana"} {
		for _, r := range []Rule{{Every: Day}, {Every: Day, N: 3, From: "2026-01-01T02:30"}, {Every: Week}, {Every: Month, From: "2026-01-31"}} {
			r.Zone = zone
			schedules = append(schedules, mustNew(f, r))
		}
	}
	yearly, err := From(eraStart, func(b time.Time) time.Time { return b.AddDate(1, 0, 0).Add(time.Millisecond) })
	require.NoError(f, err)
	schedules = append(schedules, yearly, mustNew(f, Rule{}), mustNew(f, Rule{Fixed: []Window{{"s1", eraStart, eraEnd}}}))
	for _, id := range []string{"", "all", "s1", "2026-03-02", "2026-03-29T02:30", "2011-12-30", "9999-12-31", "1000-01-01", "1951-01-01T00:00:00.001"} {
		for i := range schedules {
			f.Add(id, i)
		}
	}
	f.Fuzz(func(t *testing.T, id string, which int) {
		s := schedules[uint(which)%uint(len(schedules))]
		w, ok := s.ByID(id)
		if !ok {
			_, ok = s.Next(Window{ID: id})
			// A day that does not exist has neighbours, but it is a date.
			require.True(t, !ok || len(id) == len("2006-01-02"))
			return
		}
		require.Equal(t, id, w.ID)
		require.Equal(t, w, mustAt(t, s, w.Start))
		if next, ok := s.Next(w); ok {
			previous, ok := s.Previous(next)
			require.True(t, ok)
			require.Equal(t, w, previous)
		}
	})
}
