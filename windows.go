package finalbell

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// A board's time is cut into windows. This file says which window a match belongs to and keeps the windows that are
// in memory: those that are open or in grace, and the final ones until their ranks are frozen. closing.go ends them.

const (
	allTimeWindow = "all"
	countedFrom   = "2026-01-01" // as formats.md has it
)

// schedule is the calendar of a rule; nil for seasons that are begun by calls.
func (w WindowRule) schedule() (*schedule.Schedule, error) {
	if w.Next != nil {
		return schedule.From(w.Origin, w.Next)
	}
	every := schedule.Every(w.Every)
	if w.Every == Season {
		if len(w.Fixed) == 0 {
			return nil, nil
		}
		every = schedule.All
	}
	r := schedule.Rule{Every: every, N: w.N, WeekStart: w.WeekStart, Zone: w.Zone}
	if every != schedule.All && every != "" {
		r.From = cmp.Or(w.From, countedFrom)
	}
	for _, f := range w.Fixed {
		r.Fixed = append(r.Fixed, schedule.Window(f))
	}
	return schedule.New(r)
}

// check refuses what means nothing, also in the fields that a rule of this kind leaves out.
func (w WindowRule) check() error {
	if w.bySeasons() || w.forgotten() {
		if _, err := schedule.New(schedule.Rule{N: w.N, WeekStart: w.WeekStart, Zone: w.Zone}); err != nil {
			return err
		}
	} else if _, err := w.schedule(); err != nil {
		return err
	}
	_, err := schedule.New(schedule.Rule{Every: schedule.Day, From: w.From})
	return err
}

// bySeasons reports whether the windows are begun and ended by calls.
func (w WindowRule) bySeasons() bool { return w.Every == Season && len(w.Fixed) == 0 }

// forgotten reports whether the windows come from a function that only the program which wrote them has.
func (w WindowRule) forgotten() bool { return w.Next == nil && !w.Origin.IsZero() }

// due is when a window of the rule is to be final; false for one without an end.
func (w WindowRule) due(of schedule.Window) (time.Time, bool) {
	return of.End.Add(w.Grace), !of.End.IsZero()
}

// board is a rule with the windows that are in memory.
type board struct {
	rule       BoardRule
	layout     layout
	generation int // how often it was made anew from history
	ids        *index

	mu       sync.Mutex
	calendar *schedule.Schedule // nil: no season was begun yet, or the calendar is forgotten
	seasons  []schedule.Window  // begun by calls, oldest first
	periods  map[string]*period
}

func newBoard(rule BoardRule, generation int, ids *index) (*board, error) {
	b := &board{rule: rule, layout: newLayout(rule), generation: generation, ids: ids, periods: make(map[string]*period)}
	if rule.Window.forgotten() {
		return b, nil
	}
	var err error
	b.calendar, err = rule.Window.schedule()
	return b, err
}

// period is one window of a board while it is in memory.
type period struct {
	board *board
	id    string

	mu         sync.Mutex
	window     schedule.Window
	version    uint64    // of its record; 0: none was written
	final      uint64    // position of the commit that made it final; 0: results still count
	closedAt   time.Time // when that was due
	noted      bool      // it will be closed when it is due
	partitions map[string]*ranking
}

func (b *board) newPeriod(w schedule.Window) *period {
	return &period{board: b, id: w.ID, window: w, partitions: make(map[string]*ranking)}
}

// key names a window to the store.
func (b *board) key(period, partition string) store.WindowKey {
	return store.WindowKey{Board: b.rule.ID, Window: period, Partition: partition, Generation: b.generation}
}

// at is the window that holds t; false if none does.
func (b *board) at(t time.Time) (schedule.Window, bool) {
	b.mu.Lock()
	calendar := b.calendar
	b.mu.Unlock()
	if calendar == nil {
		return schedule.Window{}, false
	}
	return calendar.At(t)
}

// byID is the window of that name; false if the board has none.
func (b *board) byID(id string) (schedule.Window, bool) {
	b.mu.Lock()
	calendar := b.calendar
	b.mu.Unlock()
	if calendar == nil {
		return schedule.Window{}, false
	}
	return calendar.ByID(id)
}

// belongs is the window that a match belongs to; false for none.
func (b *board) belongs(m Match) (schedule.Window, bool) {
	if b.rule.Window.By == ByStart {
		return b.at(m.StartedAt)
	}
	return b.at(m.EndedAt)
}

// seasonBefore is the season that ended when w began, the zero window if none did.
func (b *board) seasonBefore(w schedule.Window) schedule.Window {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.seasons {
		if s.End.Equal(w.Start) {
			return s
		}
	}
	return schedule.Window{}
}

// period is the window of that name if it is in memory, else nil.
func (b *board) period(id string) *period {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.periods[id]
}

// keep puts a window into memory, unless it is there already.
func (b *board) keep(p *period) *period {
	b.mu.Lock()
	defer b.mu.Unlock()
	if there := b.periods[p.id]; there != nil {
		return there
	}
	b.periods[p.id] = p
	return p
}

// forget takes a window out of memory.
func (b *board) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.periods, id)
}

// live are the windows in memory, oldest first.
func (b *board) live() []*period {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Collect(maps.Values(b.periods))
	slices.SortFunc(all, func(x, y *period) int { return compareWindows(x.bounds(), y.bounds()) })
	return all
}

func compareWindows(x, y schedule.Window) int {
	return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.ID, y.ID))
}

// bounds are the name, start and end. Those of a season change when it is ended.
func (p *period) bounds() schedule.Window {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window
}

// ranking is that of one partition, made if it is not there.
func (p *period) ranking(partition string) *ranking {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.partitions[partition]
	if w == nil {
		w = newRanking(p, partition)
		p.partitions[partition] = w
	}
	return w
}

// find is the ranking of one partition, nil if nobody is in it.
func (p *period) find(partition string) *ranking {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.partitions[partition]
}

// rankings are all partitions by name.
func (p *period) rankings() []*ranking {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Collect(maps.Values(p.partitions))
	slices.SortFunc(all, func(x, y *ranking) int { return strings.Compare(x.key.Partition, y.key.Partition) })
	return all
}

// isFinal reports whether results no longer count.
func (p *period) isFinal() bool { return p.finalAt() > 0 }

// finalAt is the position of the commit that made the window final, 0 if none did.
func (p *period) finalAt() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.final
}

// closed is when a final window was due.
func (p *period) closed() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closedAt
}

// size is the number of entries ranked in all partitions.
func (p *period) size() int {
	n := 0
	for _, w := range p.rankings() {
		n += w.size()
	}
	return n
}

// state is where the window stands at a time.
func (p *period) state(now time.Time) WindowState {
	if p.isFinal() {
		return WindowFinal
	}
	return p.board.stateOf(p.bounds(), now)
}

// stateOf is where a window stands that no commit has made final. One that has nothing in it is final by itself.
func (b *board) stateOf(w schedule.Window, now time.Time) WindowState {
	due, ends := b.rule.Window.due(w)
	switch {
	case !ends || now.Before(w.End):
		return WindowOpen
	case now.Before(due):
		return WindowGrace
	}
	return WindowFinal
}

// begin adds a season that begins where the last one ends. Seasons are in order, so their list is a calendar.
func (b *board) begin(seasons []schedule.Window) error {
	var calendar *schedule.Schedule
	if len(seasons) > 0 { // without any the rule would be that of all time
		var err error
		if calendar, err = schedule.New(schedule.Rule{Fixed: seasons}); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seasons, b.calendar = seasons, calendar
	for _, w := range seasons {
		if p := b.periods[w.ID]; p != nil {
			p.mu.Lock()
			p.window = w
			p.mu.Unlock()
		}
	}
	return nil
}
