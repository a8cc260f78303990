package finalbell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/store"
)

// Verification is what Verify found.
type Verification struct {
	Matches  int // ended matches of which the standings were computed again
	Boards   int // boards of which every entry was folded again
	Accounts int // accounts added up again
	Problems []Problem
}

// Problem is something stored that is not what the rules make of the rest.
type Problem struct {
	Kind    string // "match", "entry" or "rank"
	ID      string // of the match or entry
	Board   string // empty for a match
	Message string
}

// MarshalJSON writes the verification as the verify line of a script prints it.
func (v Verification) MarshalJSON() ([]byte, error) {
	type checked struct {
		Matches  int `json:"matches"`
		Boards   int `json:"boards"`
		Accounts int `json:"accounts"`
	}
	type problem struct {
		Kind    string `json:"kind"`
		ID      string `json:"id"`
		Board   string `json:"board,omitempty"`
		Message string `json:"message"`
	}
	problems := make([]problem, len(v.Problems))
	for i, p := range v.Problems {
		problems[i] = problem(p)
	}
	return marshal(struct {
		Checked  checked   `json:"checked"`
		Problems []problem `json:"problems"`
	}{checked{v.Matches, v.Boards, v.Accounts}, problems})
}

const mostProblems = 1000 // of one verification; more would not tell more

// Verify computes every standing, entry and rank again from the stored rows alone and names what differs: it
// needs no log and trusts nothing that was derived. Reads go on meanwhile; writes wait only while the entries
// are compared. It stops looking after a thousand problems. An error means that it could not look.
func (e *Engine) Verify(ctx context.Context) (Verification, error) {
	if err := e.readable(ctx); err != nil {
		return Verification{}, failed("verify", "", err)
	}
	v := verifier{engine: e.engine, boards: make(map[string]*recount)}
	for _, rule := range e.rules.Boards {
		v.boards[rule.ID] = &recount{window: newWindow(rule, allTimeWindow, newIndex()), entries: make(map[string]entry)}
	}
	err := v.run(ctx)
	if err != nil {
		return Verification{}, failed("verify", "", unavailable(err))
	}
	v.found.Matches, v.found.Boards = v.ended, len(v.boards)
	return v.found, nil
}

// verifier goes through the events in order and does again what each ended match did.
type verifier struct {
	engine *engine
	found  Verification
	boards map[string]*recount
	at     uint64 // position of the last event seen
	ended  int
}

// recount is a board made anew.
type recount struct {
	window  *window
	entries map[string]entry
}

func (v *verifier) problem(kind, id, board, format string, args ...any) {
	if len(v.found.Problems) < mostProblems {
		v.found.Problems = append(v.found.Problems, Problem{Kind: kind, ID: id, Board: board, Message: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.follow(ctx); err != nil {
		return err
	}
	// What was written meanwhile is caught up with while nothing more is.
	v.engine.committer.writing.Lock()
	defer v.engine.committer.writing.Unlock()
	if err := v.follow(ctx); err != nil {
		return err
	}
	if err := v.missed(ctx); err != nil {
		return err
	}
	for _, rule := range v.engine.rules.Boards {
		if err := v.compare(ctx, rule); err != nil {
			return err
		}
	}
	return nil
}

// follow takes in the events after the last one seen.
func (v *verifier) follow(ctx context.Context) error {
	for event, err := range v.engine.store.Events(ctx, v.at) {
		if err != nil {
			return err
		}
		if event.Position != v.at+1 {
			v.problem("match", event.ID, "", "event %d follows event %d", event.Position, v.at)
		}
		v.at = event.Position
		if event.Kind != endedEvent {
			continue
		}
		r, err := v.engine.store.Match(ctx, event.ID)
		if errors.Is(err, store.ErrNotFound) {
			v.problem("match", event.ID, "", "ended by event %d, but it is not there", event.Position)
			continue
		}
		if err != nil {
			return err
		}
		v.ended++
		if r.Position != event.Position || r.State != string(Ended) {
			v.problem("match", event.ID, "", "ended by event %d, but is %s since %d", event.Position, r.State, r.Position)
			continue
		}
		if err := v.match(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// match computes one match's standings again and does again what it did to the boards.
func (v *verifier) match(ctx context.Context, r store.Match) error {
	if err := checkRecord(r); err != nil {
		v.problem("match", r.ID, "", "%v", err)
		return nil
	}
	m := matchOf(v.engine.overlaid(r), v.engine.boards)
	mode := v.engine.history.mode(m.Mode, m.position)
	v.standings(m, mode)
	var moves []rankMove
	for _, id := range mode.Boards {
		b := v.boards[id]
		if b == nil {
			continue // the board is gone
		}
		brought, err := results(b.window.rule, mode, m)
		if err != nil {
			v.problem("match", m.ID, id, "its results do not fit the board: %v", err)
			continue
		}
		placed := make([]placed, 0, len(brought))
		for _, x := range brought {
			next, err := v.fold(ctx, b, x, m.position)
			if errors.Is(err, errRecord) {
				v.problem("match", m.ID, id, "its result for %s cannot be folded in: %v", quote(x.id), err)
				continue
			}
			if err != nil {
				return err
			}
			b.entries[x.id] = next
			placed = append(placed, placedEntry(b.window.rule, x.id, next))
			v.values(m, b.window.rule, x.id, next)
		}
		moves = append(moves, b.window.apply(placed)...)
	}
	v.moves(m, moves)
	return nil
}

// fold adds a result to the entry as it was at that position.
func (v *verifier) fold(ctx context.Context, b *recount, x subjectResult, position uint64) (entry, error) {
	old := b.entries[x.id]
	if old.canAdd(b.window.rule, x.result) {
		return fold(b.window.rule, old, x.result)
	}
	past, err := v.engine.past(ctx, b.window.rule, x.id)
	if err != nil {
		return entry{}, err
	}
	past = slices.DeleteFunc(past, func(r result) bool { return r.moment.position > position })
	return foldAll(b.window.rule, past)
}

// standings compares ranks, positions, results and points with what the rules of the time make of the report.
func (v *verifier) standings(m Match, mode Mode) {
	roster := slices.Clone(m.roster)
	for i := range roster {
		roster[i].Rank, roster[i].Position, roster[i].Result = 0, 0, ""
		if mode.Points != nil {
			roster[i].Metrics = maps.Clone(roster[i].Metrics)
			delete(roster[i].Metrics, "points")
		}
	}
	draw := false
	if !m.NoContest {
		var ranked []Standing
		ranked, draw = rank(mode, roster, m.teams)
		award(mode, ranked)
		roster = inRosterOrder(ranked)
	}
	if draw != m.Draw {
		v.problem("match", m.ID, "", "draw is %t, should be %t", m.Draw, draw)
	}
	for i, want := range roster {
		got := m.roster[i]
		if got.Rank != want.Rank || got.Position != want.Position || got.Result != want.Result || !maps.Equal(got.Metrics, want.Metrics) {
			v.problem("match", m.ID, "", "%s has rank %d, position %d, %s, points %s; should have %d, %d, %s, %s", quote(got.Player),
				got.Rank, got.Position, got.Result, got.Metrics["points"], want.Rank, want.Position, want.Result, want.Metrics["points"])
		}
	}
}

// values compares what the match's standings say of an entry.
func (v *verifier) values(m Match, b BoardRule, id string, now entry) {
	for _, s := range m.roster {
		for _, on := range s.Boards {
			if on.Board == b.ID && on.id == id && !sameValues(on.raw, now.values(b)) {
				v.problem("match", m.ID, b.ID, "%s came to %s, should be %s", quote(id), valuesText(b, on.raw), valuesText(b, now.values(b)))
			}
		}
	}
}

// moves compares the match's rank moves, as far as they are known.
func (v *verifier) moves(m Match, want []rankMove) {
	for _, s := range m.roster {
		for _, on := range s.Boards {
			i := slices.IndexFunc(want, func(w rankMove) bool { return w.board == on.Board && w.id == on.id })
			if on.Rank > 0 && i >= 0 && (want[i].rank != on.Rank || want[i].old != on.OldRank) {
				v.problem("match", m.ID, on.Board, "%s moved from rank %d to %d, should be %d to %d", quote(on.id), on.OldRank, on.Rank, want[i].old, want[i].rank)
			}
		}
	}
}

// missed names ended matches that no event tells of.
func (v *verifier) missed(ctx context.Context) error {
	ended := store.MatchQuery{States: []string{string(Ended)}}
	count := 0
	for _, err := range v.engine.store.Matches(ctx, ended) {
		if err != nil {
			return err
		}
		count++
	}
	if count == v.ended {
		return nil
	}
	told := make(map[string]bool)
	for event, err := range v.engine.store.Events(ctx, 0) {
		if err != nil {
			return err
		}
		told[event.ID] = told[event.ID] || event.Kind == endedEvent
	}
	for r, err := range v.engine.store.Matches(ctx, ended) {
		if err != nil {
			return err
		}
		if !told[r.ID] {
			v.problem("match", r.ID, "", "ended, but no event tells of it")
		}
	}
	return nil
}

// compare holds a board's stored entries and its live order against the recount.
func (v *verifier) compare(ctx context.Context, rule BoardRule) error {
	again := v.boards[rule.ID]
	stored := make(map[string]bool)
	for r, err := range v.engine.store.Entries(ctx, store.EntryQuery{Board: rule.ID, Window: again.window.id}) {
		if err != nil {
			return err
		}
		stored[r.ID] = true
		folded, there := again.entries[r.ID]
		if !there {
			v.problem("entry", r.ID, rule.ID, "is stored, but no result made it")
			continue
		}
		want := entryRecord(rule, entryChange{id: r.ID, version: r.Version, entry: folded, values: folded.values(rule)}, r.Window, r.Changed.Position)
		if !sameEntry(r, want) {
			v.problem("entry", r.ID, rule.ID, "has %s since %s, should have %s since %s%s",
				valuesText(rule, r.Values), momentText(r.Changed), valuesText(rule, want.Values), momentText(want.Changed), beside(r, want))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(again.entries)) {
		if !stored[id] {
			v.problem("entry", id, rule.ID, "is not stored")
		}
	}
	v.ranks(rule, again)
	return nil
}

// valuesText shows stored values as a board shows them.
func valuesText(b BoardRule, values [][]int64) string {
	text, err := marshal(b.shown(values))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func momentText(m store.Moment) string {
	return fmt.Sprintf("%s (commit %d, place %d)", timetext.Format(m.At), m.Position, m.Place)
}

// beside names what else differs in an entry, which its values do not show.
func beside(a, b store.Entry) string {
	text := ""
	for _, part := range []struct {
		name string
		same bool
	}{
		{"what ranks it", bytes.Equal(a.Sort, b.Sort)},
		{"what it is folded from", bytes.Equal(a.State, b.State) && momentOf(a.Last) == momentOf(b.Last) && momentOf(a.Row) == momentOf(b.Row)},
		{"whether it is on the board", a.Entered == b.Entered},
	} {
		if !part.same {
			text += "; differs in " + part.name
		}
	}
	return text
}

func sameEntry(a, b store.Entry) bool {
	return a.Entered == b.Entered && sameValues(a.Values, b.Values) && bytes.Equal(a.Sort, b.Sort) && bytes.Equal(a.State, b.State) &&
		momentOf(a.Changed) == momentOf(b.Changed) && momentOf(a.Last) == momentOf(b.Last) && momentOf(a.Row) == momentOf(b.Row)
}

// ranks holds the live board against the recounted entries, sorted and counted without a tree.
func (v *verifier) ranks(rule BoardRule, again *recount) {
	type line struct {
		id  string
		row []uint64
	}
	var want []line
	l := newLayout(rule)
	for id, e := range again.entries {
		if e.entered {
			row := make([]uint64, l.width)
			l.encode(row, placedEntry(rule, id, e))
			want = append(want, line{id, row})
		}
	}
	slices.SortFunc(want, func(a, b line) int { return slices.Compare(a.row, b.row) })
	live := v.engine.boards[rule.ID].open
	live.mu.Lock()
	defer live.mu.Unlock()
	if live.tree.Len() != len(want) {
		v.problem("rank", "", rule.ID, "%d entries are ranked, should be %d", live.tree.Len(), len(want))
	}
	rank := 0
	for i, w := range want {
		if i == 0 || rule.Ties == FirstRank || !slices.Equal(w.row[:l.valueWords], want[i-1].row[:l.valueWords]) {
			rank = i + 1
		}
		slot, _ := v.engine.ids.slot(w.id)
		position, there := live.tree.Position(slot)
		if !there || position != i || live.rank(slot, position) != rank {
			v.problem("rank", w.id, rule.ID, "is ranked %d at position %d, should be %d at %d", live.rankOf(slot), position+1, rank, i+1)
		}
	}
}
