package finalbelltest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/schedule"
)

// The model's windows: which one a match counts in, and when it is over. How time is cut is the schedule's word alone.

type windowName struct{ board, window string }

// place is one entry of one part of a window; without an id the part itself.
type place struct {
	windowName
	partition, id string
}

// closing is that a window became final.
type closing struct {
	name windowName
	at   time.Time
}

// calendar is the schedule of a board; nil where calls begin seasons.
func calendar(w finalbell.WindowRule) *schedule.Schedule {
	r := schedule.Rule{Every: schedule.Every(w.Every), N: w.N, From: w.From, WeekStart: w.WeekStart, Zone: w.Zone}
	if calendars := []finalbell.Every{finalbell.Daily, finalbell.Weekly, finalbell.Monthly}; r.From == "" && slices.Contains(calendars, w.Every) {
		r.From = "2026-01-01"
	}
	for _, f := range w.Fixed {
		r.Fixed = append(r.Fixed, schedule.Window{ID: f.ID, Start: f.Start, End: f.End})
	}
	var s *schedule.Schedule
	var err error
	switch {
	case w.Next != nil:
		s, err = schedule.From(w.Origin, w.Next)
	case w.Every == finalbell.Season && len(w.Fixed) == 0:
		return nil
	default:
		if w.Every == finalbell.Season {
			r.Every = schedule.All
		}
		s, err = schedule.New(r)
	}
	if err != nil {
		panic("finalbelltest: rules that no engine takes: " + err.Error())
	}
	return s
}

// windowAt is the window of a board that holds t, as far as seasons were begun and ended by now.
func (m *Model) windowAt(board finalbell.BoardRule, t time.Time) (schedule.Window, bool) {
	if c := m.calendars[board.ID]; c != nil {
		return c.At(t)
	}
	for _, s := range m.seasons[board.ID] {
		if !t.Before(s.Start) && (s.End.IsZero() || t.Before(s.End)) {
			return s, true
		}
	}
	return schedule.Window{}, false
}

// windowNamed is the window of that name.
func (m *Model) windowNamed(board finalbell.BoardRule, id string) (schedule.Window, bool) {
	if c := m.calendars[board.ID]; c != nil {
		return c.ByID(id)
	}
	for _, s := range m.seasons[board.ID] {
		if s.ID == id {
			return s, true
		}
	}
	return schedule.Window{}, false
}

// windowOf is the window of a board that an ended match belongs to.
func (m *Model) windowOf(board finalbell.BoardRule, match finalbell.Match) (schedule.Window, bool) {
	if board.Window.By == finalbell.ByStart {
		return m.windowAt(board, match.StartedAt)
	}
	return m.windowAt(board, match.EndedAt)
}

// due is when a window is to be final, zero for never.
func (m *Model) due(board finalbell.BoardRule, w schedule.Window) time.Time {
	if w.End.IsZero() {
		return time.Time{}
	}
	return w.End.Add(board.Window.Grace)
}

func (m *Model) isDue(board finalbell.BoardRule, w schedule.Window, now time.Time) bool {
	due := m.due(board, w)
	return !due.IsZero() && !now.Before(due)
}

// state is where a window stands.
func (m *Model) state(board finalbell.BoardRule, w schedule.Window, now time.Time) finalbell.WindowState {
	switch {
	case m.closed[windowName{board.ID, w.ID}] || m.isDue(board, w, now):
		return finalbell.WindowFinal
	case w.End.IsZero() || now.Before(w.End):
		return finalbell.WindowOpen
	}
	return finalbell.WindowGrace
}

// used are the windows that somebody has a result in and the seasons that were begun.
func (m *Model) used(board string) []string {
	ids := slices.Collect(maps.Keys(m.results[board]))
	for _, s := range m.seasons[board] {
		if m.results[board][s.ID] == nil {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// dueWindows are the windows that are due and not closed yet, oldest first.
func (m *Model) dueWindows(board finalbell.BoardRule, now time.Time) []schedule.Window {
	var due []schedule.Window
	for _, id := range m.used(board.ID) {
		if m.closed[windowName{board.ID, id}] {
			continue
		}
		if w, there := m.windowNamed(board, id); there && m.isDue(board, w, now) {
			due = append(due, w)
		}
	}
	slices.SortFunc(due, oldestFirst)
	return due
}

func oldestFirst(a, b schedule.Window) int {
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// closeDue closes what is due of a board: whoever touches it does that first.
func (m *Model) closeDue(board finalbell.BoardRule, now time.Time) {
	for _, w := range m.dueWindows(board, now) {
		m.close(windowName{board.ID, w.ID}, m.due(board, w))
	}
}

// close makes a window final: a commit as of the time at which that was due.
func (m *Model) close(name windowName, at time.Time) {
	m.payWindow(name, at)
	m.closed[name] = true
	m.closings = append(m.closings, closing{name, at})
	m.wrote(at)
}

// closeBefore does what is due on the boards that a match is about to enter. The window that it comes too late for is
// closed even if nobody ever was in it.
func (m *Model) closeBefore(p played, now time.Time) {
	for _, id := range m.mode(p.match.Mode).Boards {
		board := m.board(id)
		m.closeDue(board, now)
		w, any := m.windowOf(board, p.match)
		results, ok := bring(board, m.mode(p.match.Mode), p)
		name := windowName{id, w.ID}
		if nothing := ok && len(results) == 0; any && !nothing && m.isDue(board, w, now) && !m.closed[name] {
			m.close(name, m.due(board, w))
		}
	}
}

// share is what a match brings to a board.
type share struct {
	board   finalbell.BoardRule
	window  string
	late    bool
	brought []brought
}

// windowsOf are the windows in which a match that ends now counts, by board.
func (m *Model) windowsOf(p played) map[string]string {
	windows := make(map[string]string)
	for _, id := range m.mode(p.match.Mode).Boards {
		if w, any := m.windowOf(m.board(id), p.match); any {
			windows[id] = w.ID
		}
	}
	return windows
}

// shares are what a match that has ended brings to the boards of its mode. It returns false if a board cannot keep a
// number.
func (m *Model) shares(p played) ([]share, bool) {
	mode := m.mode(p.match.Mode)
	var all []share
	for _, id := range mode.Boards {
		board := m.board(id)
		window, any := p.windows[id]
		if !any || p.match.NoContest || p.match.State != finalbell.Ended {
			continue
		}
		results, ok := bring(board, mode, p)
		if !ok {
			return nil, false
		}
		s := share{board: board, window: window, late: m.closed[windowName{id, window}], brought: results}
		for _, partition := range partitionsOf(results) {
			if _, ok := m.table(board, window, partition, inPartition(results, partition)); !ok && !s.late {
				return nil, false
			}
		}
		all = append(all, s)
	}
	return all, true
}

// partitionsOf are the partitions that results are in, by name.
func partitionsOf(results []brought) []string {
	var names []string
	for _, b := range results {
		names = append(names, b.partition)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func inPartition(results []brought, partition string) []brought {
	return slices.DeleteFunc(slices.Clone(results), func(b brought) bool { return b.partition != partition })
}

// settle counts the shares of a match and returns its standings with what that did to the boards, which had certain
// results before.
func (m *Model) settle(p played, shares []share, results map[string]map[string][]brought) []finalbell.Standing {
	mode := m.mode(p.match.Mode)
	standings := slices.Clone(p.shown)
	for _, share := range shares {
		board := share.board
		for _, partition := range partitionsOf(share.brought) {
			more := inPartition(share.brought, partition)
			before := m.tableOf(results, board, share.window, partition)
			after, _ := m.table(board, share.window, partition, more)
			for i := range standings {
				s := &standings[i]
				id := subject(board, *s)
				if !counts(mode, *s) || !slices.ContainsFunc(more, func(b brought) bool { return b.id == id }) {
					continue
				}
				move := finalbell.BoardMove{Board: board.ID, Window: share.window, Partition: partition, Late: share.late}
				if !share.late {
					r := after[slices.IndexFunc(after, func(r row) bool { return r.id == id })]
					if !r.entered {
						continue
					}
					move.Values = shown(board, r.values)
					move.OldRank, move.Rank = rankOnBoard(board, before, id), rankOnBoard(board, after, id)
					move.Size, move.Passed = sizeIfShown(after, id), passedBy(before, after, id)
				}
				s.Boards = append(slices.Clip(s.Boards), move)
			}
		}
		if !share.late && len(share.brought) > 0 {
			counted := m.results[board.ID]
			counted[share.window] = append(slices.Clip(counted[share.window]), share.brought...)
		}
	}
	return standings
}

// sizeIfShown is the number of entries shown if one of them is that of id.
func sizeIfShown(rows []row, id string) int {
	ids := listedIDs(rows)
	if !slices.Contains(ids, id) {
		return 0
	}
	return len(ids)
}

// passedBy are the best five of those who were above an entry and are below it now.
func passedBy(before, after []row, id string) []string {
	was, is := listedIDs(before), listedIDs(after)
	from, to := slices.Index(was, id), slices.Index(is, id)
	if from < 0 || to < 0 {
		return nil
	}
	var passed []string
	for _, other := range is[to+1:] {
		if slices.Contains(was[:from], other) && len(passed) < 5 {
			passed = append(passed, other)
		}
	}
	return passed
}

// listedIDs are those whose entries are shown, by position.
func listedIDs(rows []row) []string {
	var ids []string
	for _, r := range rows {
		if r.listed() {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// doneID names a window as Tick does.
func doneID(board, window string) string {
	escape := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), "/", "%2F") }
	return escape(board) + "/" + escape(window)
}
