// Package timetext reads and writes times as every format here does: RFC 3339, to the millisecond, in UTC.
package timetext

import (
	"errors"
	"strings"
	"time"
)

// Why a text is no time. The text itself is left to the caller, who knows whose it is.
var (
	ErrForm  = errors.New("is not a time as RFC 3339 writes it")
	ErrFiner = errors.New("is finer than a millisecond")
)

// Format writes t in UTC with milliseconds only when they are not zero. What is finer is not written; times from
// Parse have nothing finer.
func Format(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond() < int(time.Millisecond) {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// Parse reads a time with any offset and returns UTC. It refuses what is finer than a millisecond, and years that
// RFC 3339 could not write in UTC.
func Parse(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strict(s) || !Writable(t) {
		return time.Time{}, ErrForm
	}
	// The text is what counts: beyond nine digits the time package drops them in silence.
	if _, fraction, pointed := strings.Cut(s, "."); pointed {
		digits := fraction[:len(fraction)-len(strings.TrimLeft(fraction, "0123456789"))]
		if len(strings.TrimRight(digits, "0")) > 3 {
			return time.Time{}, ErrFiner
		}
	}
	return t.UTC(), nil
}

// Writable reports whether t has a year of four digits in UTC, as RFC 3339 needs.
func Writable(t time.Time) bool {
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}

// strict refuses what time.Parse takes beyond the RFC: an hour of one digit, a comma before the fraction, an
// offset of 24 hours or 60 minutes.
func strict(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[len("2006-01-02T15")] != ':' || s[len("2006-01-02T15:04:05")] == ',' {
		return false
	}
	return strings.HasSuffix(s, "Z") || s[len(s)-len("07:00"):len(s)-len(":00")] < "24" && s[len(s)-len("00"):] < "60"
}
