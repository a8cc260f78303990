package finalbell

import (
	"strings"
	"time"
)

// formatTime writes t in UTC as RFC 3339, with milliseconds only when they are not zero. What is finer is not
// written; times from parseTime have nothing finer.
func formatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond() < int(time.Millisecond) {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// parseTime reads RFC 3339 with any offset and returns UTC. It refuses, with ErrInvalid, what is finer than a
// millisecond, and years that RFC 3339 could not write in UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strictTime(s) || !writable(t) {
		return time.Time{}, refuse(ErrInvalid, quote(s)+" is not a time as RFC 3339 writes it")
	}
	// The text is what counts: beyond nine digits the time package drops them in silence.
	if _, fraction, pointed := strings.Cut(s, "."); pointed {
		digits := strings.TrimRight(fraction[:len(fraction)-len(strings.TrimLeft(fraction, "0123456789"))], "0")
		if len(digits) > 3 {
			return time.Time{}, refuse(ErrInvalid, quote(s)+" is finer than a millisecond")
		}
	}
	return t.UTC(), nil
}

// strictTime refuses what time.Parse takes beyond the RFC: an hour of one digit, a comma before the fraction, an
// offset of 24 hours or 60 minutes.
func strictTime(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[len("2006-01-02T15")] != ':' || s[len("2006-01-02T15:04:05")] == ',' {
		return false
	}
	return strings.HasSuffix(s, "Z") || s[len(s)-len("07:00"):len(s)-len(":00")] < "24" && s[len(s)-len("00"):] < "60"
}

// writable reports whether t has a year of four digits in UTC, as RFC 3339 needs.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}
