package schedule

import (
	"math"
	"time"
)

const (
	day = 24 * 60 * 60 // seconds

	// The years with four digits, in Unix seconds of UTC and as civil times alike.
	firstYear = 1000
	lastYear  = 9999
	beginning = -30610224000 // 1000-01-01T00:00:00Z
	tooLate   = 253402300800 // 10000-01-01T00:00:00Z
)

// secondOf returns the Unix second that t is in, or for a t more than a day out of the years with four digits some
// other such second.
func secondOf(t time.Time) int64 {
	switch {
	case t.Before(inUTC(beginning - reach)):
		return beginning - reach - 1
	case t.After(inUTC(tooLate + reach)):
		return tooLate + reach
	}
	return t.Unix()
}

func inUTC(instant int64) time.Time { return time.Unix(instant, 0).UTC() }

// clock is what the clocks of a zone show. A civil time is counted as the seconds from 1970-01-01T00:00 to it, as
// if all days had 24 hours.
type clock struct{ zone *time.Location }

// offset is how far ahead of UTC the clocks are at an instant, in seconds.
func (c clock) offset(instant int64) int64 {
	_, offset := time.Unix(instant, 0).In(c.zone).Zone()
	return int64(offset)
}

// span is a stretch [from, end) of instants, in Unix seconds, in which the offset is one and the same. It need not be
// the longest such stretch.
type span struct{ from, end, offset int64 }

// span returns one that begins at the instant. When the offset came into use is not asked: where only a zone's
// yearly rule is left, the time package answers by that rule even if the last change was another, later one.
func (c clock) span(instant int64) span {
	_, end := time.Unix(instant, 0).In(c.zone).ZoneBounds()
	s := span{instant, math.MaxInt64, c.offset(instant)}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= instant {
		// By such a rule it also takes every year to have 365 days: on the last of a leap year the stretch has
		// ended before it began. It does last to the end of the year.
		s.end = (floorDiv(instant, day) + 1) * day
	}
	return s
}

// reach is more than any zone is or was ahead of UTC or behind it, in seconds.
const reach = day

// before returns a span that begins when no clock of the zone shows the civil time yet.
func (c clock) before(civil int64) span { return c.span(civil - reach) }

// first returns the first instant at which the clocks show the civil time or a later one, looking from a span that
// is before it or an earlier civil time.
func (c clock) first(civil int64, s span) int64 {
	for {
		if at := max(s.from, civil-s.offset); at < s.end {
			return at
		}
		s = c.span(s.end)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
