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
	Boards   int // boards of which every entry was folded again; not those whose calendar is a function that is not here
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
	v := verifier{engine: e.engine}
	err := v.run(ctx)
	if err != nil {
		return Verification{}, failed("verify", "", unavailable(err))
	}
	v.found.Matches, v.found.Boards = v.ended, len(v.again.boards)
	return v.found, nil
}

// verifier goes through the events in order and does again what each did.
type verifier struct {
	engine  *engine
	found   Verification
	again   *refolding
	chapter int    // of the rules
	at      uint64 // position of the last event seen
	ended   int
}

func (v *verifier) problem(kind, id, board, format string, args ...any) {
	if len(v.found.Problems) < mostProblems {
		v.found.Problems = append(v.found.Problems, Problem{Kind: kind, ID: id, Board: board, Message: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.enter(ctx, 0); err != nil {
		return err
	}
	if err := v.follow(ctx); err != nil {
		return err
	}
	// What was written meanwhile is caught up with while nothing more is.
	v.engine.committer.writing.Lock()
	defer v.engine.committer.writing.Unlock()
	if err := v.follow(ctx); err != nil {
		return err
	}
	// Rules without a commit of their own yet.
	for v.chapter+1 < len(v.engine.ruleset().history) {
		if err := v.enter(ctx, v.chapter+1); err != nil {
			return err
		}
	}
	if err := v.missed(ctx); err != nil {
		return err
	}
	for _, rule := range v.again.rules.rules.Boards {
		if b := v.again.boards[rule.ID]; b != nil {
			if err := v.compareBoard(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter goes on by the rules of a chapter of the store's. Boards go on as they are, but those that were rebuilt for it.
func (v *verifier) enter(ctx context.Context, n int) error {
	now := v.engine.ruleset()
	rules, history := now.rules, now.history
	if n < len(history) {
		rules, history = now.withCalendars(history[n].Rules), history[:n+1]
	}
	rs, err := newRuleset(rules, history, newIndex())
	if err != nil {
		return err
	}
	for id, b := range rs.boards {
		if b.rule.Window.forgotten() {
			delete(rs.boards, id) // only the program that has the calendar can check them
		}
	}
	before := v.again
	v.chapter, v.again = n, newRefolding(v.engine, rs, rs.boards, false)
	if before == nil {
		return nil
	}
	for id, b := range rs.boards {
		was := before.boards[id]
		if was == nil {
			continue
		}
		if slices.Contains(history[n].Rebuilt, id) {
			for _, p := range was.live() {
				if p.isFinal() {
					v.again.left[windowName{id, p.id}] = true
				}
			}
			continue
		}
		was.rule = b.rule
		if !b.rule.Window.bySeasons() {
			was.calendar = b.calendar
		}
		rs.boards[id] = was
		for key, entries := range before.entries {
			if key.Board == id {
				v.again.entries[key] = entries
			}
		}
	}
	for _, id := range history[n].Rebuilt {
		if rs.boards[id] == nil {
			continue
		}
		if err := v.rebuilt(ctx, rs, before, id, history[n].After); err != nil {
			return err
		}
	}
	return nil
}

// rebuilt does a board's rebuild again.
func (v *verifier) rebuilt(ctx context.Context, rs *ruleset, before *refolding, id string, upTo uint64) error {
	b := rs.boards[id]
	r := &rebuild{engine: v.engine, options: RebuildOptions{DryRun: true}, old: new(ruleset), next: rs, rebuilt: []*board{b}, upTo: upTo,
		found: Rebuilt{Boards: []RebuiltBoard{{Board: id}}}, told: make(map[*period]bool), dirty: make(map[store.WindowKey]map[string]bool)}
	r.refolding = newRefolding(v.engine, rs, map[string]*board{id: b}, true)
	for name := range v.again.left {
		r.left[name] = true
	}
	r.seeOver = func(b *board, p *period) error { return v.compareFinal(ctx, r.refolding, b, p) }
	if upTo > 0 { // else there was nothing to fold
		if err := r.follow(ctx); err != nil {
			return err
		}
	}
	for event, err := range v.engine.store.Events(ctx, upTo) {
		if err != nil {
			return err
		}
		r.closeDue(b, event.At) // the rebuild's own
		break
	}
	if err := r.writeOver(ctx, b); err != nil {
		return err
	}
	for key, entries := range r.entries {
		v.again.entries[key] = entries
	}
	return nil
}

// withCalendars gives boards of other rules the calendars that a database does not keep.
func (rs *ruleset) withCalendars(rules Rules) Rules {
	rules = rules.withDefaults()
	for i, b := range rules.Boards {
		if now := rs.boards[b.ID]; now != nil && now.rule.Window.Origin.Equal(b.Window.Origin) {
			rules.Boards[i].Window.Next = now.rule.Window.Next
		}
	}
	return rules
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
		for history := v.engine.ruleset().history; v.chapter+1 < len(history) && history[v.chapter+1].After < v.at; {
			if err := v.enter(ctx, v.chapter+1); err != nil {
				return err
			}
		}
		if err := v.event(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) event(ctx context.Context, event store.Event) error {
	switch event.Kind {
	case endedEvent:
		return v.end(ctx, event)
	case seasonBegunEvent:
		return v.again.season(event)
	case entryHiddenEvent, entryRestoredEvent:
		if key, id, there := v.again.shown(event); !there {
			v.problem("entry", id, key.Board, "event %d (%s) is about an entry that is not there", event.Position, event.Kind)
		}
	case windowClosedEvent:
		b, p, err := v.again.closed(event)
		if err != nil || p == nil {
			return err
		}
		return v.compareFinal(ctx, v.again, b, p)
	}
	return nil
}

// end looks at a match that an event ended.
func (v *verifier) end(ctx context.Context, event store.Event) error {
	r, err := v.engine.store.Match(ctx, event.ID)
	if errors.Is(err, store.ErrNotFound) {
		v.problem("match", event.ID, "", "ended by event %d, but it is not there", event.Position)
		return nil
	}
	if err != nil {
		return err
	}
	v.ended++
	if r.Position != event.Position || r.State != string(Ended) {
		v.problem("match", event.ID, "", "ended by event %d, but is %s since %d", event.Position, r.State, r.Position)
		return nil
	}
	return v.match(ctx, event, r)
}

// match computes one match's standings again and does again what it did to the boards.
func (v *verifier) match(ctx context.Context, event store.Event, r store.Match) error {
	if err := checkRecord(r); err != nil {
		v.problem("match", r.ID, "", "%v", err)
		return nil
	}
	rs := v.again.rules
	m := matchOf(v.engine.overlaid(r), rs)
	mode := rs.history.mode(m.Mode, m.position)
	v.standings(m, mode)
	var moves []rankMove
	for _, id := range mode.Boards {
		b := v.again.boards[id]
		if b == nil {
			continue // the board is gone, or nobody knows its calendar
		}
		changes, moved, err := v.again.ended(ctx, b, mode, m, event.At, isBackfill(event))
		if err != nil {
			return err
		}
		moves = append(moves, moved...)
		for _, c := range changes {
			v.change(m, mode, c)
		}
	}
	v.moves(m, moves)
	return nil
}

// change compares what a match's standings say that it did to one ranking.
func (v *verifier) change(m Match, mode Mode, c change) {
	id := c.board.rule.ID
	if c.err != nil {
		v.problem("match", m.ID, id, "its results cannot be folded in: %v", c.err)
		return
	}
	for _, x := range c.part.results {
		if c.ranking != nil {
			v.values(m, c.board.rule, c.ranking.key, x.id, v.again.entries[c.ranking.key][x.id].entry)
			continue
		}
		for _, s := range m.roster {
			if c.board.rule.subject(s) == x.id && counts(mode, s) && !slices.ContainsFunc(s.Boards, func(on BoardMove) bool { return on.Board == id && on.Late }) {
				v.problem("match", m.ID, id, "%s came too late for window %s, but is not said to", quote(x.id), quote(c.window.ID))
			}
		}
	}
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
func (v *verifier) values(m Match, b BoardRule, key store.WindowKey, id string, now entry) {
	for _, s := range m.roster {
		for _, on := range s.Boards {
			if on.Board != b.ID || on.id != id || on.generation != key.Generation {
				continue
			}
			if on.Late || on.Window != key.Window || on.Partition != key.Partition {
				v.problem("match", m.ID, b.ID, "%s is said to be in window %s, should be in %s", quote(id), quote(on.Window), quote(key.Window))
			} else if !sameValues(on.raw, now.values(b)) {
				v.problem("match", m.ID, b.ID, "%s came to %s, should be %s", quote(id), valuesText(b, on.raw), valuesText(b, now.values(b)))
			}
		}
	}
}

// moves compares the match's rank moves, as far as they are known.
func (v *verifier) moves(m Match, want []rankMove) {
	for _, s := range m.roster {
		for _, on := range s.Boards {
			i := slices.IndexFunc(want, func(w rankMove) bool { return w.key == on.key() && w.id == on.id })
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

// compareBoard holds a board's windows that are not over against those made again.
func (v *verifier) compareBoard(ctx context.Context, b *board) error {
	live := v.engine.ruleset().boards[b.rule.ID]
	for _, p := range b.live() {
		if p.isFinal() {
			continue // compared when it was closed
		}
		for _, r := range p.rankings() {
			var shown source = empty{}
			if now := live.period(p.id); now != nil && now.find(r.key.Partition) != nil {
				shown = now.find(r.key.Partition)
			}
			if err := v.compare(ctx, v.again, r, shown); err != nil {
				return err
			}
		}
	}
	for _, p := range live.live() {
		if p.isFinal() {
			continue
		}
		for _, r := range p.rankings() {
			if again := b.period(p.id); r.size() > 0 && (again == nil || again.find(r.key.Partition) == nil) {
				v.problem("rank", "", b.rule.ID, "window %s has %s, but no result belongs to it", quote(p.id), plural(r.size(), "entry"))
			}
		}
	}
	return nil
}

// compareFinal holds a window that is over against the one made again, which is not needed any more then.
func (v *verifier) compareFinal(ctx context.Context, again *refolding, b *board, p *period) error {
	e := v.engine
	live := e.ruleset().boards[b.rule.ID]
	for _, r := range p.rankings() {
		var shown source = empty{}
		if now := live.period(p.id); now != nil && now.find(r.key.Partition) != nil {
			shown = now.find(r.key.Partition)
		} else {
			look := &view{rule: live.rule, layout: live.layout, key: live.key(p.id, r.key.Partition)}
			if err := e.lookBack(ctx, live, look, e.now()); err != nil {
				return err
			}
			shown = look.source
		}
		if err := v.compare(ctx, again, r, shown); err != nil {
			return err
		}
		delete(again.entries, r.key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.partitions)
	return nil
}

// compare holds the stored entries of a window and the order in which it is shown against those made again.
func (v *verifier) compare(ctx context.Context, again *refolding, made *ranking, shown source) error {
	rule, key := made.rule, made.key
	entries := again.entries[key]
	stored := make(map[string]bool)
	for r, err := range v.engine.store.Entries(ctx, store.EntryQuery{WindowKey: key}) {
		if err != nil {
			return err
		}
		stored[r.ID] = true
		folded, there := entries[r.ID]
		if !there {
			v.problem("entry", r.ID, rule.ID, "is stored, but no result made it")
			continue
		}
		want := entryRecord(rule, entryChange{id: r.ID, version: r.Version, hidden: folded.hidden, entry: folded.entry, values: folded.values(rule)}, r.WindowKey, r.Changed.Position)
		if !sameEntry(r, want) {
			v.problem("entry", r.ID, rule.ID, "has %s since %s, should have %s since %s%s",
				valuesText(rule, r.Values), momentText(r.Changed), valuesText(rule, want.Values), momentText(want.Changed), beside(r, want))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		if !stored[id] {
			v.problem("entry", id, rule.ID, "is not stored")
		}
	}
	return v.ranks(ctx, entries, made, shown)
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
		{"whether it is on the board", a.Entered == b.Entered && (a.Hidden == "") == (b.Hidden == "")},
	} {
		if !part.same {
			text += "; differs in " + part.name
		}
	}
	return text
}

func sameEntry(a, b store.Entry) bool {
	return a.Entered == b.Entered && a.Hidden == b.Hidden && sameValues(a.Values, b.Values) && bytes.Equal(a.Sort, b.Sort) && bytes.Equal(a.State, b.State) &&
		momentOf(a.Changed) == momentOf(b.Changed) && momentOf(a.Last) == momentOf(b.Last) && momentOf(a.Row) == momentOf(b.Row)
}

// ranks holds the ranking that is shown against the entries made again, sorted and counted without a tree.
func (v *verifier) ranks(ctx context.Context, entries map[string]refolded, again *ranking, shown source) error {
	type place struct {
		id  string
		row []uint64
	}
	var want []place
	l := again.layout
	for id, e := range entries {
		if e.entered && e.hidden == "" {
			row := make([]uint64, l.width)
			l.encode(row, placedEntry(again.rule, id, e.entry, false))
			want = append(want, place{id, row})
		}
	}
	slices.SortFunc(want, func(a, b place) int { return slices.Compare(a.row, b.row) })
	board := again.key.Board
	look := &view{rule: again.rule, layout: l}
	return shown.read(ctx, func(r reader) error {
		if r.size() != len(want) {
			v.problem("rank", "", board, "%d entries are ranked in window %s, should be %d", r.size(), quote(again.key.Window), len(want))
		}
		rank := 0
		for i, w := range want {
			if i == 0 || again.rule.Ties == FirstRank || !slices.Equal(w.row[:l.valueWords], want[i-1].row[:l.valueWords]) {
				rank = i + 1
			}
			position, found, err := r.find(w.id)
			got := 0
			if err == nil {
				got, err = look.rank(r, found, position)
			}
			if err != nil && err != errAbsent {
				return err
			}
			if err != nil || position != i || got != rank {
				v.problem("rank", w.id, board, "is ranked %d at position %d, should be %d at %d", got, position+1, rank, i+1)
			}
		}
		return nil
	})
}
