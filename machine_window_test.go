package finalbell_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"pgregory.net/rapid"
)

// What the machines do about time and windows.

// jump moves the clock so far that windows pass, sometimes to a boundary or right before it.
func (m *machine) jump(t *rapid.T) {
	switch rapid.IntRange(1, 4).Draw(t, "how far") {
	case 1:
		m.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
	case 2:
		m.clock.Advance(time.Duration(rapid.IntRange(1, 40).Draw(t, "days")) * 24 * time.Hour)
	default:
		rule := rapid.SampledFrom(m.rules.Boards).Draw(t, "board")
		windows, err := m.model.Board(rule.ID).Windows()
		if err != nil || len(windows) == 0 {
			return
		}
		end := windows[len(windows)-1].End.Add(rapid.SampledFrom([]time.Duration{0, rule.Window.Grace}).Draw(t, "grace"))
		if early := rapid.IntRange(0, 1).Draw(t, "milliseconds early"); end.After(m.clock.Now()) {
			m.clock.Set(end.Add(-time.Duration(early) * time.Millisecond))
		}
	}
}

// operate makes a call that is not about a match of both and compares the answers.
func operate[T any](m *machine, t *rapid.T, engine func(*finalbell.Engine) (T, error), model func(*finalbelltest.Model) (T, error)) {
	before := m.before()
	got, err := engine(m.engine)
	want, wantErr := model(m.model)
	if m.failing != nil && m.failing.hit() {
		m.settle(t, err, before)
		return
	}
	if finalbelltest.KindOf(err) != finalbelltest.KindOf(wantErr) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("the engine answers %+v, %v, the model %+v, %v", got, err, want, wantErr)
	}
}

// boards are one board of the engine and of the model, in the same window and partition.
func (m *machine) drawBoard(t *rapid.T) (func(*finalbell.Engine) *finalbell.Board, func(*finalbelltest.Model) *finalbelltest.Board) {
	id, window, partition := "nope", "", ""
	if rapid.IntRange(1, 20).Draw(t, "board") < 20 {
		rule := rapid.SampledFrom(m.rules.Boards).Draw(t, "board")
		id = rule.ID
		if rapid.IntRange(1, 3).Draw(t, "window") == 3 {
			window = m.drawWindow(t, id)
		}
		if (rule.Partition != nil) == (rapid.IntRange(1, 20).Draw(t, "right partition") < 20) {
			partition = rapid.SampledFrom([]string{"de", "dust", "mill", "se", "nowhere"}).Draw(t, "partition")
		}
	}
	return func(e *finalbell.Engine) *finalbell.Board { return e.Board(id).Window(window).Partition(partition) },
		func(m *finalbelltest.Model) *finalbelltest.Board {
			return m.Board(id).Window(window).Partition(partition)
		}
}

// drawWindow draws the name of a window, mostly of one that the board has.
func (m *machine) drawWindow(t *rapid.T, board string) string {
	ids := []string{"nope", "2026-03-05", "2026-05-01"}
	windows, err := m.model.Clone().Board(board).Windows()
	if err != nil {
		t.Fatalf("windows of board %s: %v", board, err)
	}
	for _, w := range windows {
		ids = append(ids, w.ID)
	}
	slices.Reverse(ids)
	return rapid.SampledFrom(ids).Draw(t, "window")
}

// beginSeason begins a season, perhaps one that there was, or on a board that has none.
func (m *machine) beginSeason(t *rapid.T) {
	of, like := m.drawBoard(t)
	for _, rule := range m.rules.Boards { // those that have seasons come first
		if rule.Window.Every == finalbell.Season && len(rule.Window.Fixed) == 0 && rapid.IntRange(1, 4).Draw(t, "a board of seasons") < 4 {
			of = func(e *finalbell.Engine) *finalbell.Board { return e.Board(rule.ID) }
			like = func(m *finalbelltest.Model) *finalbelltest.Board { return m.Board(rule.ID) }
			break
		}
	}
	m.seasons++
	id := "season " + strconv.Itoa(m.seasons)
	switch rapid.IntRange(1, 6).Draw(t, "id") {
	case 5:
		id = "season " + strconv.Itoa(rapid.IntRange(1, m.seasons).Draw(t, "season"))
	case 6:
		id = rapid.SampledFrom([]string{"", "tab\t", "a/b%"}).Draw(t, "strange id")
	}
	operate(m, t,
		func(e *finalbell.Engine) (finalbell.Window, error) {
			return of(e).BeginSeason(context.Background(), id)
		},
		func(m *finalbelltest.Model) (finalbell.Window, error) { return like(m).BeginSeason(id) })
}

func (m *machine) closeWindow(t *rapid.T) {
	of, like := m.drawBoard(t)
	operate(m, t,
		func(e *finalbell.Engine) (finalbell.Window, error) { return of(e).CloseWindow(context.Background()) },
		func(m *finalbelltest.Model) (finalbell.Window, error) { return like(m).CloseWindow() })
}

func (m *machine) hide(t *rapid.T) {
	of, like := m.drawBoard(t)
	player, reason := drawSubject(t), rapid.SampledFrom([]string{"cheats", "cheats", "cheats", "", "\xff"}).Draw(t, "reason")
	operate(m, t,
		func(e *finalbell.Engine) (any, error) { return nil, of(e).Hide(context.Background(), player, reason) },
		func(m *finalbelltest.Model) (any, error) { return nil, like(m).Hide(player, reason) })
}

func (m *machine) restore(t *rapid.T) {
	of, like := m.drawBoard(t)
	player, reason := drawSubject(t), rapid.SampledFrom([]string{"", "was wrong", "\xff"}).Draw(t, "reason")
	operate(m, t,
		func(e *finalbell.Engine) (any, error) {
			return nil, of(e).Restore(context.Background(), player, reason)
		},
		func(m *finalbelltest.Model) (any, error) { return nil, like(m).Restore(player, reason) })
}

// drawSubject draws who may have an entry.
func drawSubject(t *rapid.T) string {
	return rapid.SampledFrom([]string{"ann", "bob", "cat", "dan", "eve", "fay", "red", "blue", "teal", "nobody", "tab\t"}).Draw(t, "player")
}

// look reads a window, which may close some.
func (m *machine) look(t *rapid.T) {
	of, like := m.drawBoard(t)
	lines := func(entries []finalbell.Entry) string {
		var all []string
		for _, e := range entries {
			all = append(all, fmt.Sprint(e.Position, ". ", e.Rank, " ", e.Player))
		}
		return fmt.Sprint(all)
	}
	operate(m, t,
		func(e *finalbell.Engine) (string, error) {
			page, err := of(e).Top(context.Background(), 1000)
			if finalbelltest.KindOf(err) == finalbell.ErrUnknown {
				t.Fatalf("a read, which changes nothing for its caller, is answered %v", err)
			}
			return lines(page.Entries), err
		},
		func(m *finalbelltest.Model) (string, error) {
			entries, err := like(m).Entries()
			return lines(entries), err
		})
}

// walk goes through a window with a cursor while other things happen. Whoever those do not touch comes by once.
func (m *machine) walk(t *rapid.T) {
	of, like := m.drawBoard(t)
	start, err := like(m.model).Entries()
	if err != nil || m.failing != nil {
		return
	}
	first, err := of(m.engine).Top(context.Background(), 1)
	if err != nil {
		t.Fatalf("a board that the model reads: %v", err)
	}
	still := make(map[string]bool) // who has not been touched
	for _, e := range start {
		still[e.Player] = true
	}
	seen := make(map[string]int)
	for cursor, pages := finalbell.CursorStart, 0; cursor != "" && pages < 20; pages++ {
		page, err := of(m.engine).Window(first.Window).After(context.Background(), cursor, rapid.IntRange(1, 3).Draw(t, "limit"))
		if err != nil {
			t.Fatalf("page %d of a walk: %v", pages+1, err)
		}
		for _, e := range page.Entries {
			seen[e.Player]++
		}
		matches := len(m.model.Matches())
		rapid.SampledFrom([]func(*rapid.T){func(*rapid.T) {}, m.play, m.play, m.hide, m.jump, m.tick, m.closeWindow}).Draw(t, "meanwhile")(t)
		for _, match := range m.model.Matches()[matches:] {
			for _, s := range match.Standings {
				delete(still, s.Player)
				delete(still, s.Team)
			}
		}
		now, err := like(m.model).Window(first.Window).Entries()
		if err != nil {
			t.Fatalf("the model's window %s: %v", first.Window, err)
		}
		for id := range still {
			if !slices.ContainsFunc(now, func(e finalbell.Entry) bool { return e.Player == id }) {
				delete(still, id)
			}
		}
		cursor = page.Next
	}
	for id := range still {
		if seen[id] != 1 {
			t.Fatalf("%s, whom nothing touched, came by %d times", id, seen[id])
		}
	}
}
