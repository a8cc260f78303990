package schedule

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreAsTheClocksWere(t *testing.T) {
	for _, c := range []struct {
		zone       string
		rule       Rule
		id         string
		start, end string // UTC
		next, why  string
	}{
		{"UTC", Rule{Every: Day}, "2026-03-02", "2026-03-02T00:00", "2026-03-03T00:00", "2026-03-03", "nothing happens"},
		{"UTC", Rule{Every: Day}, "1900-02-28", "1900-02-28T00:00", "1900-03-01T00:00", "1900-03-01", "1900 was no leap year"},
		{"UTC", Rule{Every: Week}, "2026-03-02", "2026-03-02T00:00", "2026-03-09T00:00", "2026-03-09", "a Monday"},
		{"UTC", Rule{Every: Week, WeekStart: "sunday"}, "2026-03-01", "2026-03-01T00:00", "2026-03-08T00:00", "2026-03-08", "a Sunday"},
		{"UTC", Rule{Every: Week, N: 2, From: "2026-01-01T18:00"}, "2026-01-12T18:00", "2026-01-12T18:00", "2026-01-26T18:00", "2026-01-26T18:00",
			"from a Thursday: counted from its Monday, 29 December"},
		{"UTC", Rule{Every: Month, From: "2024-01-31"}, "2024-02-29", "2024-02-29T00:00", "2024-03-31T00:00", "2024-03-31", "the last of a short month, the 31st after"},
		{"UTC", Rule{Every: Month, N: 3, From: "2026-01-01"}, "2025-10-01", "2025-10-01T00:00", "2026-01-01T00:00", "2026-01-01", "counted backwards too"},

		{"Europe/Berlin", Rule{Every: Day}, "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30", "23 hours"},
		{"Europe/Berlin", Rule{Every: Day}, "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00", "2026-10-26", "25 hours"},
		{"Europe/Berlin", Rule{Every: Day, From: "2026-01-01T02:30"}, "2026-03-29T02:30", "2026-03-29T01:00", "2026-03-30T00:30", "2026-03-30T02:30",
			"02:30 does not exist: 03:00 is the first instant after it"},
		{"Europe/Berlin", Rule{Every: Day, From: "2026-01-01T02:30"}, "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-26T01:30", "2026-10-26T02:30", "02:30 comes twice: the first"},
		{"Europe/Berlin", Rule{Every: Month, From: "2026-01-31"}, "2026-02-28", "2026-02-27T23:00", "2026-03-30T22:00", "2026-03-31", "winter to summer"},
		{"Europe/Berlin", Rule{Every: Day}, "2040-12-31", "2040-12-30T23:00", "2040-12-31T23:00", "2041-01-01", "the zone's yearly rule"},

		{"America/New_York", Rule{Every: Day}, "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00", "2026-03-09", "23 hours"},
		{"America/New_York", Rule{Every: Day}, "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", "2026-11-02", "25 hours"},

		{"America/Metlakatla", Rule{Every: Day}, "2019-01-20", "2019-01-20T08:00", "2019-01-21T09:00", "2019-01-21", "summer time kept until then: 25 hours"},
		{"America/Ciudad_Juarez", Rule{Every: Day}, "2022-11-29", "2022-11-29T06:00", "2022-11-30T07:00", "2022-11-30", "another zone from midnight on"},

		{"America/Havana", Rule{Every: Day}, "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00", "2026-03-09", "no midnight: the day begins at 01:00"},
		{"America/Havana", Rule{Every: Day}, "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", "2026-11-02", "two midnights: the first"},

		{"Africa/Cairo", Rule{Every: Day}, "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00", "2026-04-25", "no midnight"},
		{"Africa/Cairo", Rule{Every: Day}, "2026-10-29", "2026-10-28T21:00", "2026-10-29T22:00", "2026-10-30", "at 24:00 back to 23:00"},

		{"Asia/Beirut", Rule{Every: Day}, "2023-03-26", "2023-03-25T22:00", "2023-03-26T21:00", "2023-03-27", "no midnight, in the end"},
		{"Asia/Beirut", Rule{Every: Day}, "2023-10-28", "2023-10-27T21:00", "2023-10-28T22:00", "2023-10-29", "at 24:00 back to 23:00"},

		{"America/Sao_Paulo", Rule{Every: Day}, "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00", "2018-11-05", "no midnight"},
		{"America/Sao_Paulo", Rule{Every: Day}, "2019-02-16", "2019-02-16T02:00", "2019-02-17T03:00", "2019-02-17", "at 24:00 back to 23:00, for the last time"},
		{"America/Sao_Paulo", Rule{Every: Day}, "2019-11-03", "2019-11-03T03:00", "2019-11-04T03:00", "2019-11-04", "given up"},

		{"America/St_Johns", Rule{Every: Day}, "2006-10-28", "2006-10-28T02:30", "2006-10-29T02:30", "2006-10-29", "24 hours, of which clocks show 25"},
		{"America/St_Johns", Rule{Every: Day}, "2006-10-29", "2006-10-29T02:30", "2006-10-30T03:30", "2006-10-30",
			"begun for a minute when clocks go back to 23:01: that hour is its own"},

		{"Australia/Lord_Howe", Rule{Every: Day}, "2026-04-05", "2026-04-04T13:00", "2026-04-05T13:30", "2026-04-06", "24½ hours"},
		{"Australia/Lord_Howe", Rule{Every: Day}, "2026-10-04", "2026-10-03T13:30", "2026-10-04T13:00", "2026-10-05", "23½ hours"},
		{"Australia/Lord_Howe", Rule{Every: Day, From: "2026-01-01T02:15"}, "2026-10-04T02:15", "2026-10-03T15:30", "2026-10-04T15:15", "2026-10-05T02:15", "a gap of half an hour"},

		{"Pacific/Apia", Rule{Every: Day}, "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31", "the 30th does not exist"},
		{"Pacific/Apia", Rule{Every: Day}, "2011-12-31", "2011-12-30T10:00", "2011-12-31T10:00", "2012-01-01", "across the date line"},
		{"Pacific/Apia", Rule{Every: Day, From: "2011-01-01T06:00"}, "2011-12-30T06:00", "2011-12-30T10:00", "2011-12-30T16:00", "2011-12-31T06:00",
			"06:00 does not exist: the first instant after it is midnight of the 31st"},
		{"Pacific/Apia", Rule{Every: Week, WeekStart: "friday"}, "2011-12-30", "2011-12-30T10:00", "2012-01-05T10:00", "2012-01-06", "a week of six days"},
		{"Pacific/Apia", Rule{Every: Month, From: "2011-01-30"}, "2011-12-30", "2011-12-30T10:00", "2012-01-29T10:00", "2012-01-30", "a month from the 31st"},
		{"Pacific/Kwajalein", Rule{Every: Day}, "1993-08-20", "1993-08-20T12:00", "1993-08-21T12:00", "1993-08-22", "the 21st does not exist"},

		{"Asia/Kathmandu", Rule{Every: Day}, "2026-03-02", "2026-03-01T18:15", "2026-03-02T18:15", "2026-03-03", "5:45 ahead"},
		{"Asia/Kathmandu", Rule{Every: Day}, "1986-01-01", "1985-12-31T18:30", "1986-01-01T18:15", "1986-01-02", "a quarter of an hour short: no midnight"},
	} {
		c.rule.Zone = c.zone
		s := mustNew(t, c.rule)
		want := Window{c.id, instant(t, c.start), instant(t, c.end)}
		got, ok := s.ByID(c.id)
		require.True(t, ok, "%s %s", c.zone, c.id)
		require.Equal(t, want, got, "%s: %s", c.zone, c.why)
		requireNeighbours(t, s, want)
		next, ok := s.Next(want)
		require.True(t, ok)
		require.Equal(t, c.next, next.ID, "%s: %s", c.zone, c.why)
	}
}

func instant(t require.TestingT, text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04", text)
	require.NoError(t, err)
	return at
}

func TestADayThatDoesNotExistHasNoWindow(t *testing.T) {
	for zone, date := range map[string]string{
		"Pacific/Apia": "2011-12-30", "Pacific/Fakaofo": "2011-12-30", "Pacific/Kwajalein": "1993-08-21",
		"Pacific/Kiritimati": "1994-12-31", "Pacific/Enderbury": "1994-12-31",
	} {
		w, ok := mustNew(t, Rule{Every: Day, Zone: zone}).ByID(date)
		require.False(t, ok, "%s: %v", zone, w)
	}
}

// The same zone as a database with and one without the changes to come writes it: clocks went back on 30 November,
// and a yearly rule follows by which they would have on the 6th. What the rule says of the time before is not so.
func TestAYearlyRuleDoesNotReachBackBehindTheLastChange(t *testing.T) {
	change := instant(t, "2022-11-30T06:00")
	header := append([]byte("TZif2"), make([]byte, 15)...)
	counts := func(changes, kinds, letters uint32) []byte {
		b := append(header[:20:20], make([]byte, 12)...)
		for _, n := range []uint32{changes, kinds, letters} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	data := append(counts(0, 0, 0), counts(1, 2, 8)...)
	data = binary.BigEndian.AppendUint64(data, uint64(change.Unix()))
	data = append(data, 1) // to the second kind
	for i, offset := range []int32{-6 * 60 * 60, -7 * 60 * 60} {
		data = binary.BigEndian.AppendUint32(data, uint32(offset))
		data = append(data, 0, byte(4*i))
	}
	data = append(data, "CST\x00MST\x00\nMST7MDT,M3.2.0,M11.1.0\n"...)
	zone, err := time.LoadLocationFromTZData("Test/Juarez", data)
	require.NoError(t, err)
	s := &Schedule{newCalendar(Day, 1, time.Unix(0, 0).UTC(), time.Monday, zone)}
	want := Window{"2022-11-29", instant(t, "2022-11-29T06:00"), instant(t, "2022-11-30T07:00")}
	for at := want.Start; at.Before(want.End); at = at.Add(time.Hour) {
		require.Equal(t, want, mustAt(t, s, at))
	}
	requireNeighbours(t, s, want)
	require.Equal(t, 23*time.Hour, mustAt(t, s, instant(t, "2026-03-08T12:00")).End.Sub(instant(t, "2026-03-08T07:00")), "the rule holds after")
}
