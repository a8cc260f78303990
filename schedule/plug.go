package schedule

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// mostBoundaries bounds what is kept of a plugged schedule: one an hour for more than a century.
const mostBoundaries = 1 << 20

// From makes a schedule of your own: its first window begins at origin, each ends at what next returns for its
// start, and there the following begins. A window is named by its start in UTC: "2026-03-02", with "T06:00"
// when it isn't midnight, with seconds and milliseconds when they aren't zero.
//
// Next gets a time in UTC and returns a later one of whole milliseconds, or the zero time if there is no further
// boundary. It must always answer the same: it is asked from one boundary to the next, as far as somebody wants to
// know and perhaps more than once, and the answers are kept. It may be called by several goroutines. A panic of
// next reaches the caller.
//
// From fails if origin or the first answer is wrong. A wrong answer later on closes the schedule off: the window
// of that start never ends and Err tells what next returned. So does a boundary after 2^20 others. A boundary beyond
// the year 9999 counts as none.
func From(origin time.Time, next func(time.Time) time.Time) (*Schedule, error) {
	if next == nil {
		return nil, errors.New("next: is missing")
	}
	if err := checkInstant(origin); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	c := &chain{next: next, links: links{starts: []int64{origin.UnixMilli()}}}
	if l := c.through(origin.UnixMilli()); l.err != nil {
		return nil, l.err
	}
	return &Schedule{c}, nil
}

// chain is the windows of a plugged schedule, numbered from its origin.
type chain struct {
	next func(time.Time) time.Time

	mu    sync.Mutex // guards links; not held while next runs
	links links
}

// links is what is known of a chain. Starts only ever grow, so a copy of links stays true.
type links struct {
	starts []int64 // Unix milliseconds, ascending
	ended  bool    // there are no others
	err    error   // why not, if next is to blame
}

func (c *chain) known() links {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.links
}

// through asks for boundaries until one is after the instant or there are no others.
func (c *chain) through(instant int64) links {
	l := c.known()
	for !l.ended && l.starts[len(l.starts)-1] <= instant {
		l = c.link(l)
	}
	return l
}

// link asks for one boundary more. Whoever asks for the same at the same time gets the first answer.
func (c *chain) link(l links) links {
	last := inUTCMilli(l.starts[len(l.starts)-1])
	next := c.next(last)
	err := badLink(last, next)
	if err == nil && len(l.starts) == mostBoundaries {
		err = fmt.Errorf("next: more than %d boundaries", mostBoundaries)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links.ended || len(c.links.starts) > len(l.starts) {
		return c.links
	}
	if err != nil || next.IsZero() || !next.Before(inUTC(tooLate)) {
		c.links.ended, c.links.err = true, err
	} else {
		c.links.starts = append(c.links.starts, next.UnixMilli())
	}
	return c.links
}

// badLink says what is wrong with an answer of next.
func badLink(last, next time.Time) error {
	switch {
	case next.IsZero():
		return nil
	case !next.After(last):
		return fmt.Errorf("next: of %s is %s, which is not after it", instantText(last), instantText(next))
	case next.Nanosecond()%int(time.Millisecond) != 0:
		return fmt.Errorf("next: of %s is %s, which is finer than a millisecond", instantText(last), instantText(next))
	}
	return nil
}

func (c *chain) at(t time.Time) (Window, bool) {
	instant := secondOf(t)*1000 + int64(t.Nanosecond())/int64(time.Millisecond)
	l := c.through(instant)
	i, found := slices.BinarySearch(l.starts, instant)
	if !found {
		i--
	}
	return l.window(int64(i))
}

func (c *chain) window(number int64) (Window, bool) {
	l := c.known()
	for !l.ended && number+1 >= int64(len(l.starts)) {
		l = c.link(l)
	}
	return l.window(number)
}

// window needs to know where the window ends.
func (l links) window(number int64) (Window, bool) {
	if number < 0 || number >= int64(len(l.starts)) {
		return Window{}, false
	}
	w := Window{ID: linkName(l.starts[number]), Start: inUTCMilli(l.starts[number])}
	if number+1 < int64(len(l.starts)) {
		w.End = inUTCMilli(l.starts[number+1])
	}
	return w, true
}

// linkForms are the forms of names, by what is not zero in them.
var linkForms = [...]string{dateForm, minuteForm, minuteForm + ":05", minuteForm + ":05.000"}

func linkName(instant int64) string {
	form := linkForms[3]
	switch {
	case instant%(day*1000) == 0:
		form = linkForms[0]
	case instant%(60*1000) == 0:
		form = linkForms[1]
	case instant%1000 == 0:
		form = linkForms[2]
	}
	return inUTCMilli(instant).Format(form)
}

func (c *chain) number(id string) (int64, bool) {
	for _, form := range linkForms {
		if len(form) != len(id) {
			continue
		}
		t, err := time.Parse(form, id)
		if err != nil || linkName(t.UnixMilli()) != id {
			return 0, false
		}
		number, found := slices.BinarySearch(c.through(t.UnixMilli()).starts, t.UnixMilli())
		return int64(number), found
	}
	return 0, false
}

func inUTCMilli(instant int64) time.Time { return time.UnixMilli(instant).UTC() }
