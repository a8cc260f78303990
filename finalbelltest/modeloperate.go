package finalbelltest

import (
	"slices"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/schedule"
)

// Board is one board of a model, in one of its windows. Its methods answer what those of finalbell.Board do, and close
// what is due first, as those do.
type Board struct {
	model             *Model
	id                string
	window, partition string
}

// Board returns the board of that id, in the open window.
func (m *Model) Board(id string) *Board { return &Board{model: m, id: id} }

// Window returns the same board in the window of that id.
func (b *Board) Window(id string) *Board {
	other := *b
	other.window = id
	return &other
}

// Partition returns one partition of the board.
func (b *Board) Partition(value string) *Board {
	other := *b
	other.partition = value
	return &other
}

// Entries returns every entry by position.
func (b *Board) Entries() ([]finalbell.Entry, error) {
	board, w, _, err := b.look()
	if err != nil {
		return nil, err
	}
	return b.model.entries(board, w.ID, b.partition), nil
}

// rule is the board's, and the present; what is due of it is done.
func (b *Board) rule() (finalbell.BoardRule, time.Time, error) {
	if !slices.ContainsFunc(b.model.rules.Boards, func(r finalbell.BoardRule) bool { return r.ID == b.id }) {
		return finalbell.BoardRule{}, time.Time{}, refuse(finalbell.ErrNotFound)
	}
	return b.model.board(b.id), b.model.clock(), nil
}

// look is how every read begins: the window that the board is read in, and where that stands.
func (b *Board) look() (finalbell.BoardRule, schedule.Window, finalbell.WindowState, error) {
	board, now, err := b.rule()
	if err == nil && (board.Partition == nil) != (b.partition == "") {
		err = refuse(finalbell.ErrInvalid)
	}
	if err != nil {
		return board, schedule.Window{}, "", err
	}
	b.model.closeDue(board, now)
	w, there := b.named(board, now)
	if !there {
		return board, w, "", refuse(finalbell.ErrNotFound)
	}
	return board, w, b.model.state(board, w, now), nil
}

// named is the window asked for if it has begun; the open one if none is.
func (b *Board) named(board finalbell.BoardRule, now time.Time) (schedule.Window, bool) {
	if b.window == "" {
		return b.model.windowAt(board, now)
	}
	w, there := b.model.windowNamed(board, b.window)
	return w, there && !now.Before(w.Start)
}

// Windows returns the windows that somebody was in or that were closed, and the open one.
func (b *Board) Windows() ([]finalbell.Window, error) {
	return b.windows(func(string) bool { return true })
}

// windows are those of Windows that pick names.
func (b *Board) windows(pick func(id string) bool) ([]finalbell.Window, error) {
	board, now, err := b.rule()
	if err != nil {
		return nil, err
	}
	m := b.model
	m.closeDue(board, now)
	ids := m.used(board.ID)
	for name := range m.closed {
		if name.board == board.ID {
			ids = append(ids, name.window)
		}
	}
	if w, open := m.windowAt(board, now); open {
		ids = append(ids, w.ID)
	}
	slices.Sort(ids)
	var all []schedule.Window
	for _, id := range slices.Compact(ids) {
		if w, there := m.windowNamed(board, id); there && pick(id) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, oldestFirst)
	windows := make([]finalbell.Window, len(all))
	for i, w := range all {
		windows[i] = finalbell.Window{ID: w.ID, Start: w.Start, End: w.End, State: m.state(board, w, now)}
		for _, partition := range partitionsOf(m.results[board.ID][w.ID]) {
			if b.partition == "" || b.partition == partition {
				windows[i].Size += m.size(board, w.ID, partition)
			}
		}
	}
	return windows, nil
}

// Partitions returns the partitions of the window that somebody is in.
func (b *Board) Partitions() ([]string, error) {
	board, now, err := b.rule()
	if err != nil {
		return nil, err
	}
	b.model.closeDue(board, now)
	w, there := b.named(board, now)
	if !there {
		return nil, refuse(finalbell.ErrNotFound)
	}
	var all []string
	for _, partition := range partitionsOf(b.model.results[b.id][w.ID]) {
		if partition != "" && b.model.size(board, w.ID, partition) > 0 {
			all = append(all, partition)
		}
	}
	return all, nil
}

// BeginSeason begins a season, now, and ends the one that is running.
func (b *Board) BeginSeason(id string) (finalbell.Window, error) {
	m := b.model
	if !validID(id) {
		return finalbell.Window{}, refuse(finalbell.ErrInvalid)
	}
	board, now, err := b.rule()
	if err == nil && m.calendars[b.id] != nil {
		err = refuse(finalbell.ErrInvalid)
	}
	if err != nil {
		return finalbell.Window{}, err
	}
	m.closeDue(board, now)
	now = m.clock()
	seasons := slices.Clone(m.seasons[b.id])
	for _, s := range seasons {
		switch {
		case s.ID != id:
		case !s.End.IsZero():
			return finalbell.Window{}, refuse(finalbell.ErrExists)
		default:
			return b.find(id)
		}
	}
	if n := len(seasons); n > 0 && seasons[n-1].End.IsZero() {
		if !now.After(seasons[n-1].Start) {
			return finalbell.Window{}, refuse(finalbell.ErrInvalid)
		}
		seasons[n-1].End = now
	}
	m.seasons[b.id] = append(seasons, schedule.Window{ID: id, Start: now})
	m.wrote(now)
	return b.find(id)
}

// CloseWindow makes the window final, now; a season that is running ends.
func (b *Board) CloseWindow() (finalbell.Window, error) {
	m := b.model
	board, now, err := b.rule()
	if err == nil && m.neverEnds(board) {
		err = refuse(finalbell.ErrInvalid)
	}
	if err != nil {
		return finalbell.Window{}, err
	}
	m.closeDue(board, now)
	w, there := b.named(board, now)
	name := windowName{b.id, w.ID}
	switch {
	case !there:
		return finalbell.Window{}, refuse(finalbell.ErrNotFound)
	case m.closed[name]:
	case m.isDue(board, w, now): // nobody was in it
		m.close(name, m.due(board, w))
	case m.calendars[b.id] == nil && w.End.IsZero() && !now.After(w.Start):
		return finalbell.Window{}, refuse(finalbell.ErrInvalid)
	default:
		seasons := slices.Clone(m.seasons[b.id])
		for i := range seasons {
			if seasons[i].ID == w.ID && seasons[i].End.IsZero() {
				seasons[i].End = now
			}
		}
		m.seasons[b.id] = seasons
		m.close(name, now)
	}
	return b.find(w.ID)
}

func (m *Model) neverEnds(board finalbell.BoardRule) bool {
	if m.calendars[board.ID] == nil {
		return false
	}
	w, there := m.calendars[board.ID].ByID("all")
	return there && w.Start.IsZero() && w.End.IsZero()
}

// find is one of the windows.
func (b *Board) find(id string) (finalbell.Window, error) {
	found, err := (&Board{model: b.model, id: b.id}).windows(func(other string) bool { return other == id })
	if err != nil || len(found) == 0 {
		return finalbell.Window{}, refuse(finalbell.ErrNotFound)
	}
	return found[0], nil
}

// Hide takes an entry off the board.
func (b *Board) Hide(player, reason string) error {
	if reason == "" {
		return refuse(finalbell.ErrInvalid)
	}
	return b.show(player, reason, true)
}

// Restore brings a hidden entry back.
func (b *Board) Restore(player, reason string) error { return b.show(player, reason, false) }

func (b *Board) show(player, reason string, hide bool) error {
	m := b.model
	if !validID(player) || !validText(reason) {
		return refuse(finalbell.ErrInvalid)
	}
	board, w, state, err := b.look()
	if err != nil {
		return err
	}
	if state == finalbell.WindowFinal {
		return refuse(finalbell.ErrClosed)
	}
	rows, _ := m.table(board, w.ID, b.partition, nil)
	if !slices.ContainsFunc(rows, func(r row) bool { return r.id == player }) {
		return refuse(finalbell.ErrNotFound)
	}
	at := place{windowName{b.id, w.ID}, b.partition, player}
	if _, hidden := m.hidden[at]; hidden == hide {
		return nil
	}
	if delete(m.hidden, at); hide {
		m.hidden[at] = reason
	}
	m.shows++
	m.wrote(m.clock())
	return nil
}
