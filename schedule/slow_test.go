package schedule

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// zones are those with something to them: every continent and the usual suspects, clocks that change at
// midnight, by half an hour, during Ramadan, the other way round in winter, whole days left out, offsets of
// quarters, rules given up and taken up again.
var zones = []string{
	"UTC", "Etc/GMT+12", "Etc/GMT-14",
	"Africa/Abidjan", "Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "Africa/Johannesburg", "Africa/Lagos", "Africa/Monrovia",
	"Africa/Tripoli", "Africa/Windhoek",
	"America/Anchorage", "America/Argentina/Buenos_Aires", "America/Argentina/San_Luis", "America/Asuncion", "America/Bogota",
	"America/Caracas", "America/Chicago", "America/Ciudad_Juarez", "America/Godthab", "America/Halifax", "America/Havana", "America/Los_Angeles",
	"America/Metlakatla", "America/Mexico_City", "America/Montevideo", "America/New_York", "America/Phoenix", "America/Port-au-Prince", "America/Santiago",
	"America/Sao_Paulo", "America/St_Johns",
	"Antarctica/Casey", "Antarctica/Troll",
	"Asia/Amman", "Asia/Beirut", "Asia/Damascus", "Asia/Dhaka", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu", "Asia/Kolkata",
	"Asia/Pyongyang", "Asia/Shanghai", "Asia/Tehran", "Asia/Tokyo", "Asia/Ulaanbaatar",
	"Atlantic/Azores", "Australia/Adelaide", "Australia/Eucla", "Australia/Lord_Howe", "Australia/Sydney",
	"Europe/Berlin", "Europe/Chisinau", "Europe/Dublin", "Europe/Istanbul", "Europe/Lisbon", "Europe/London", "Europe/Moscow",
	"Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Enderbury", "Pacific/Fakaofo", "Pacific/Fiji",
	"Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Marquesas", "Pacific/Norfolk", "Pacific/Tongatapu",
}

// The decades that the properties look at.
var (
	eraStart = time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)
	eraEnd   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func location(t require.TestingT, zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	return loc
}

func offsetAt(unix int64, loc *time.Location) int {
	_, offset := time.Unix(unix, 0).In(loc).Zone()
	return offset
}

// transitions are the Unix seconds at which a zone's offset changed or will, by zone: found by looking every
// third day and halving.
var transitions = sync.OnceValue(func() map[string][]int64 {
	all := make(map[string][]int64, len(zones))
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		const step = 3 * day
		before := offsetAt(eraStart.Unix(), loc)
		for from := eraStart.Unix(); from < eraEnd.Unix(); from += step {
			after := offsetAt(from+step, loc)
			if after == before {
				continue
			}
			low, high := from, from+step
			for high-low > 1 {
				if middle := (low + high) / 2; offsetAt(middle, loc) == before {
					low = middle
				} else {
					high = middle
				}
			}
			all[zone] = append(all[zone], high)
			before = after
		}
	}
	return all
})

// page is a day of the calendar that the slow way turns over one by one.
type page struct{ year, month, day int }

func (p page) String() string { return fmt.Sprintf("%04d-%02d-%02d", p.year, p.month, p.day) }

func monthLength(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// pages are the days from 1900-01-01, a Monday, to 2150.
var pages = sync.OnceValue(func() []page {
	var all []page
	for p := (page{1900, 1, 1}); p.year < 2151; {
		all = append(all, p)
		if p.day++; p.day > monthLength(p.year, p.month) {
			p.month, p.day = p.month+1, 1
		}
		if p.month > 12 {
			p.year, p.month = p.year+1, 1
		}
	}
	return all
})

func comparePages(a, b page) int {
	return (a.year*10000 + a.month*100 + a.day) - (b.year*10000 + b.month*100 + b.day)
}

func pageOf(t time.Time) int {
	year, month, day := t.UTC().Date()
	i, _ := slices.BinarySearchFunc(pages(), page{year, int(month), day}, comparePages)
	return i
}

// slow is the schedule of a calendar rule without any arithmetic of civil times.
type slow struct {
	rule    Rule
	loc     *time.Location
	anchor  int // a page
	clock   string
	starts  []int // the pages on which windows begin
	weekday int   // on which weeks begin, Monday is 0
}

func newSlow(t require.TestingT, r Rule) *slow {
	s := &slow{rule: r, loc: location(t, r.Zone), clock: "00:00"}
	from := time.Unix(0, 0).UTC()
	if r.From != "" {
		var err error
		if len(r.From) > len("2006-01-02") {
			s.clock = r.From[len("2006-01-02T"):]
		}
		from, err = time.Parse("2006-01-02", r.From[:len("2006-01-02")])
		require.NoError(t, err)
	}
	s.anchor = pageOf(from)
	s.weekday = slices.Index([]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, r.WeekStart)
	for r.Every == Week && s.anchor%7 != s.weekday {
		s.anchor--
	}
	first := pages()[s.anchor]
	for i, p := range pages() {
		if s.begins(i, p, first) {
			s.starts = append(s.starts, i)
		}
	}
	return s
}

func (s *slow) begins(i int, p, first page) bool {
	n := max(s.rule.N, 1)
	switch s.rule.Every {
	case Day:
		return (i-s.anchor)%n == 0
	case Week:
		return i%7 == s.weekday && (i-s.anchor)/7%n == 0
	}
	months := (p.year-first.year)*12 + p.month - first.month
	return months%n == 0 && p.day == min(first.day, monthLength(p.year, p.month))
}

func (s *slow) name(i int) string {
	if s.clock == "00:00" {
		return pages()[i].String()
	}
	return pages()[i].String() + "T" + s.clock
}

// reading is what the clocks show, as the number of its digits.
func reading(t time.Time) int64 {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return (int64(year)*10000+int64(month)*100+int64(day))*1000000 + int64(hour*10000+minute*100+second)
}

// shows looks, minute by minute and then second by second, for the first instant at which the clocks show the
// page and the clock time or later.
func (s *slow) shows(i int) time.Time {
	p := pages()[i]
	var hour, minute int
	_, _ = fmt.Sscanf(s.clock, "%d:%d", &hour, &minute)
	want := (int64(p.year)*10000+int64(p.month)*100+int64(p.day))*1000000 + int64(hour*10000+minute*100)
	t := time.Date(p.year, time.Month(p.month), p.day, hour, minute, 0, 0, time.UTC).Add(-16 * time.Hour).In(s.loc)
	for reading(t) < want {
		t = t.Add(time.Minute)
	}
	for reading(t.Add(-time.Second)) >= want {
		t = t.Add(-time.Second)
	}
	return t.UTC()
}

// at finds the window among the boundaries around t.
func (s *slow) at(t time.Time) Window {
	i, _ := slices.BinarySearch(s.starts, pageOf(t)-1)
	for i--; ; i++ {
		w := Window{ID: s.name(s.starts[i]), Start: s.shows(s.starts[i]), End: s.shows(s.starts[i+1])}
		if !t.Before(w.Start) && t.Before(w.End) {
			return w
		}
		if w.Start.After(t) {
			panic("looked too late")
		}
	}
}

func drawZone(t *rapid.T) string { return rapid.SampledFrom(zones).Draw(t, "zone") }

// drawCalendar draws a rule of days, weeks or months.
func drawCalendar(t *rapid.T) Rule {
	r := Rule{
		Every:     rapid.SampledFrom([]Every{Day, Day, Week, Month}).Draw(t, "every"),
		N:         rapid.OneOf(rapid.IntRange(0, 4), rapid.IntRange(5, 40)).Draw(t, "n"),
		WeekStart: rapid.SampledFrom(weekdays[:]).Draw(t, "week start"),
		Zone:      drawZone(t),
	}
	if rapid.Bool().Draw(t, "anchored") {
		from := eraStart.AddDate(0, 0, rapid.IntRange(0, 150*365).Draw(t, "from"))
		if rapid.Bool().Draw(t, "at a month's end") {
			from = from.AddDate(0, 1, -from.Day())
		}
		r.From = from.Format("2006-01-02") + drawTimeOfDay(t)
	}
	return r
}

func drawTimeOfDay(t *rapid.T) string {
	times := []string{"", "T00:00", "T00:30", "T01:00", "T02:30", "T06:00", "T23:59"}
	if rapid.IntRange(1, 4).Draw(t, "any time") < 4 {
		return rapid.SampledFrom(times).Draw(t, "time of day")
	}
	minutes := rapid.IntRange(0, 24*60-1).Draw(t, "minutes")
	return fmt.Sprintf("T%02d:%02d", minutes/60, minutes%60)
}

// drawInstant draws one anywhere in the decades, or about a change of the clocks.
func drawInstant(t *rapid.T, zone string) time.Time {
	if changes := transitions()[zone]; len(changes) > 0 && rapid.IntRange(1, 4).Draw(t, "about a change") > 1 {
		at := time.Unix(rapid.SampledFrom(changes).Draw(t, "change"), 0).UTC()
		if rapid.Bool().Draw(t, "far") {
			return at.Add(time.Duration(rapid.IntRange(-50*60, 50*60).Draw(t, "minutes from it")) * time.Minute)
		}
		return at.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "milliseconds from it")) * time.Millisecond)
	}
	return time.UnixMilli(rapid.Int64Range(eraStart.UnixMilli(), eraEnd.UnixMilli()).Draw(t, "instant")).UTC()
}

func mustNew(t require.TestingT, r Rule) *Schedule {
	s, err := New(r)
	require.NoError(t, err, "%+v", r)
	return s
}

func mustAt(t require.TestingT, s *Schedule, at time.Time) Window {
	w, ok := s.At(at)
	require.True(t, ok, "no window at %v", at)
	return w
}

func TestTheListOfZonesIsLongAndKnown(t *testing.T) {
	require.GreaterOrEqual(t, len(zones), 60)
	for _, zone := range zones {
		_, err := New(Rule{Every: Day, Zone: zone})
		require.NoError(t, err)
	}
	require.Greater(t, len(transitions()["Europe/Berlin"]), 200)
	require.Empty(t, transitions()["UTC"])
}
