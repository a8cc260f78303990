package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rule says where windows begin. The zero value is all of time in one window.
type Rule struct {
	// Every is the unit of a window.
	Every Every

	// N is how many units a window has, 1 (default) to 10000.
	N int

	// From is a civil date, "2026-01-01", or date and time, "2026-01-01T06:00", from which windows are counted in
	// both directions. Windows begin at its time of day; those of months on its day of the month or, where there
	// is none, the last; those of weeks on WeekStart, counted from the week that holds From. Default: 1970-01-01.
	From string

	// WeekStart is the day on which weeks begin, in lower case; default "monday". Only weeks ask for it.
	WeekStart string

	// Zone is the IANA name of the time zone, default "UTC".
	Zone string

	// Fixed, if not empty, are the windows themselves, in order, at most touching each other. Only the last may be
	// without an end. Every, N and From are then left out.
	Fixed []Window
}

// Every is the unit of a window.
type Every string

const (
	All   Every = "all" // one window named all without bounds; the default
	Day   Every = "day"
	Week  Every = "week"
	Month Every = "month"
)

const (
	allTime   = "all" // the name of the only window of All
	mostUnits = 10_000

	dateForm   = "2006-01-02"
	minuteForm = "2006-01-02T15:04"
)

var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// New makes the schedule of a rule. The error names the field, as the JSON form of rules does, and its value.
func New(r Rule) (*Schedule, error) {
	zone, err := loadZone(r.Zone)
	if err != nil {
		return nil, err
	}
	from, err := parseFrom(r.From)
	if err != nil {
		return nil, err
	}
	weekStart := time.Monday
	if r.WeekStart != "" {
		day := slices.Index(weekdays[:], r.WeekStart)
		if day < 0 {
			return nil, fmt.Errorf("week_start: %.64q is no day of the week in lower case", r.WeekStart)
		}
		weekStart = time.Weekday(day)
	}
	if r.N < 0 || r.N > mostUnits {
		return nil, fmt.Errorf("n: %d is not between 1 and %d", r.N, mostUnits)
	}
	n := int64(max(r.N, 1))
	switch r.Every {
	case "", All:
		windows, err := fixed(r)
		if err != nil {
			return nil, err
		}
		return &Schedule{windows}, nil
	case Day, Week, Month:
		if len(r.Fixed) > 0 {
			return nil, fmt.Errorf("fixed: either ranges or every %s, not both", r.Every)
		}
		return &Schedule{newCalendar(r.Every, n, from, weekStart, zone)}, nil
	}
	return nil, fmt.Errorf("every: %.64q is none of %q, %q, %q and %q", string(r.Every), All, Day, Week, Month)
}

// fixed is for the rules without a unit: with From or N somebody meant a calendar and forgot to say which.
func fixed(r Rule) (*ranges, error) {
	switch {
	case r.From != "":
		return nil, fmt.Errorf("from: %q is for days, weeks and months", r.From)
	case r.N > 1:
		return nil, fmt.Errorf("n: %d is for days, weeks and months", r.N)
	case len(r.Fixed) == 0:
		return &ranges{list: []Window{{ID: allTime}}, numbers: map[string]int64{allTime: 0}}, nil
	}
	return newRanges(r.Fixed)
}

// loadZone refuses what the time package takes but other machines would not know as the same zone.
func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	// Every IANA name begins with a capital; localtime, posixrules, posix/… and right/… are files of some systems.
	if name == "Local" || name[0] < 'A' || name[0] > 'Z' {
		return nil, fmt.Errorf("zone: %.64q is no IANA time zone", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone: %.64q is no IANA time zone: %w", name, err)
	}
	return zone, nil
}

// parseFrom returns the civil time as if it were in UTC.
func parseFrom(from string) (time.Time, error) {
	if from == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	form := dateForm
	if strings.Contains(from, "T") {
		form = minuteForm
	}
	t, err := time.Parse(form, from)
	// The time package takes an hour of one digit too.
	if err != nil || t.Format(form) != from {
		return time.Time{}, fmt.Errorf("from: %.64q is no date such as 2026-01-01 or 2026-01-01T06:00", from)
	}
	if year := t.Year(); year < firstYear || year > lastYear {
		return time.Time{}, fmt.Errorf("from: %q is not in the years %d to %d", from, firstYear, lastYear)
	}
	return t, nil
}
