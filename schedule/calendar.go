package schedule

import "time"

// calendar is days or months counted from an anchor. Its windows are numbered by their boundaries: number 0 begins
// at the anchor.
type calendar struct {
	clock       clock
	months      bool  // the unit; else days
	n           int64 // units in a window
	anchor      int64 // the unit of number 0: days since 1970-01-01, or months since the year 0
	dayOfMonth  int
	timeOfDay   int64 // seconds
	form        string
	first, last int64 // the numbers whose boundaries lie in the years that there are
}

func newCalendar(every Every, n int64, from time.Time, weekStart time.Weekday, zone *time.Location) *calendar {
	civil := from.Unix()
	c := &calendar{clock: clock{zone}, n: n, anchor: floorDiv(civil, day), form: dateForm}
	c.timeOfDay = civil - c.anchor*day
	if c.timeOfDay != 0 {
		c.form = minuteForm
	}
	switch every {
	case Week:
		c.n *= 7
		c.anchor -= int64(from.Weekday()-weekStart+7) % 7
	case Month:
		c.months, c.dayOfMonth = true, from.Day()
		c.anchor = c.unit(civil)
	}
	c.first = c.through(beginning-1) + 1
	c.last = c.through(tooLate - 1)
	for c.clock.first(c.civil(c.last), c.clock.before(c.civil(c.last))) >= tooLate { // in zones behind UTC
		c.last--
	}
	return c
}

// unit is the day or the month of a civil time.
func (c *calendar) unit(civil int64) int64 {
	if !c.months {
		return floorDiv(civil, day)
	}
	year, month, _ := inUTC(civil).Date()
	return int64(year)*12 + int64(month-1)
}

// civil is the civil time at which a number begins.
func (c *calendar) civil(number int64) int64 {
	unit := c.anchor + number*c.n
	if !c.months {
		return unit*day + c.timeOfDay
	}
	year, month := floorDiv(unit, 12), time.Month(unit-floorDiv(unit, 12)*12)+1
	lastOfMonth := time.Date(int(year), month+1, 0, 0, 0, 0, 0, time.UTC)
	short := max(lastOfMonth.Day()-c.dayOfMonth, 0) // from the 31st in a month of 30 days: -1
	return lastOfMonth.Unix() - int64(short)*day + c.timeOfDay
}

// through is the last number that begins at the civil time or before.
func (c *calendar) through(civil int64) int64 {
	number := floorDiv(c.unit(civil)-c.anchor, c.n)
	if c.civil(number) > civil {
		number--
	}
	return number
}

func (c *calendar) at(t time.Time) (Window, bool) {
	instant := secondOf(t)
	// Since the clocks show it, this number has begun. Later ones may have too, if the clocks have been turned back.
	number := max(c.through(instant+c.clock.offset(instant)), c.first-1)
	for number < c.last {
		w, end := c.bounds(number)
		if end <= instant {
			number++
			continue
		}
		return w, number >= c.first
	}
	return c.window(c.last)
}

func (c *calendar) window(number int64) (Window, bool) {
	if number < c.first || number > c.last {
		return Window{}, false
	}
	w, _ := c.bounds(number)
	return w, true
}

// bounds returns a window and the instant at which the next begins.
func (c *calendar) bounds(number int64) (Window, int64) {
	civil := c.civil(number)
	near := c.clock.before(civil)
	end := c.clock.first(c.civil(number+1), near)
	w := Window{ID: c.name(civil), Start: inUTC(c.clock.first(civil, near))}
	if number < c.last {
		w.End = inUTC(end)
	}
	return w, end
}

func (c *calendar) name(civil int64) string { return inUTC(civil).Format(c.form) }

func (c *calendar) number(id string) (int64, bool) {
	t, err := time.Parse(c.form, id)
	if err != nil {
		return 0, false
	}
	civil := t.Unix()
	number := c.through(civil)
	return number, c.civil(number) == civil && c.name(civil) == id
}
