// Package schedule cuts time into windows: days, weeks, months or every n of them in a time zone, ranges of your
// own, all of time, or whatever a function of yours says. It is pure: the same rule and the same instant give
// the same window, and nothing here reads a clock.
//
// # Windows
//
// A window is half-open: it holds its start and not its end, so the instant of a boundary belongs to the window
// that begins there. The windows of a calendar rule partition time; fixed ranges may leave gaps.
//
// A window of the calendar begins at a civil time, say midnight on the first of March in Europe/Berlin, and that
// names it: "2026-03-01", or "2026-03-01T06:00" when it isn't midnight. The name stays when a zone changes its
// clocks, and names sort as their windows do. The instant is found from the civil time by one rule:
//
//	A window begins at the first instant at which the zone's clocks show its civil time or a later one.
//
// So a time that clocks turned forward leave out is the first instant after the gap; of a time that clocks
// turned back show twice it is the first. Days are counted, never hours: a day has 23, 24 or 25 of them, and a
// month that begins on the 31st begins on the last day where there are fewer and on the 31st again after.
//
// Where a zone crossed the date line a whole day is missing, such as 30 December 2011 in Pacific/Apia. By the rule
// a daily window of that day would begin when the next one does: it would be empty, so it does not exist, and
// those before and after adjoin. A longer window that should begin on that day begins with the next and keeps its name.
//
// # Range
//
// Boundaries lie in the years 1000 to 9999, so that every name has a year of four digits. A time before the
// first boundary is in no window; the window that begins at the last one never ends.
//
// # Seasons
//
// Seasons that are begun and ended by calls are not of the calendar, and no rule here makes them. Whoever keeps
// what those calls said has a list of windows, the last one perhaps still without an end: as Rule.Fixed it is a
// schedule like any other.
//
// # Zones
//
// A zone is taken from the system's database and where there is none from the copy that this package brings
// along. A newer database may move boundaries that are still to come, never their names: keep the bounds of
// windows whose results are final.
package schedule

import (
	"time"
	_ "time/tzdata" // zones must be there on systems without a zone database
)

// Window is one period of a schedule. Start and End are in UTC; a zero one is unbounded.
type Window struct {
	ID         string
	Start, End time.Time
}

// Schedule is a sequence of windows. It is safe for concurrent use.
type Schedule struct{ windows windows }

// windows is a numbered sequence of windows in the order of time.
type windows interface {
	// at is the window that holds t.
	at(t time.Time) (Window, bool)
	// number is the number of the window with that name, which may be an empty one.
	number(id string) (int64, bool)
	// window is the window of that number, false beyond either end. Empty ones keep their numbers.
	window(number int64) (Window, bool)
}

// At returns the window that holds t; false if none does: before the first, or in a gap between fixed ranges.
func (s *Schedule) At(t time.Time) (Window, bool) { return s.windows.at(t) }

// Next returns the window after w; false after the last, and if w is none of the schedule's. Of w only the ID
// counts, so that a window which was stored under an older zone database keeps its neighbours, even if its day
// has since been dropped from the calendar.
func (s *Schedule) Next(w Window) (Window, bool) { return s.step(w, +1) }

// Previous returns the window before w; false before the first. As with Next, only w's ID counts.
func (s *Schedule) Previous(w Window) (Window, bool) { return s.step(w, -1) }

func (s *Schedule) step(w Window, by int64) (Window, bool) {
	number, ok := s.windows.number(w.ID)
	for ok {
		number += by
		if w, ok = s.windows.window(number); ok && !w.empty() {
			return w, true
		}
	}
	return Window{}, false
}

// ByID returns the window of that name; false if the schedule has none.
func (s *Schedule) ByID(id string) (Window, bool) {
	number, ok := s.windows.number(id)
	if !ok {
		return Window{}, false
	}
	w, ok := s.windows.window(number)
	if !ok || w.empty() {
		return Window{}, false
	}
	return w, true
}

// Err says why a schedule made by From was closed off, as far as it was looked at yet; else nil.
func (s *Schedule) Err() error {
	if c, is := s.windows.(*chain); is {
		return c.known().err
	}
	return nil
}

// empty reports whether w holds no instant. A window without an end holds some.
func (w Window) empty() bool { return w.Start.Equal(w.End) && !w.End.IsZero() }
