package finalbell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// Verification is what Verify found.
type Verification struct {
	Matches  int // ended matches of which the standings were computed again
	Boards   int // boards of which every entry was folded again; not those whose calendar is a function that is not here
	Accounts int // accounts added up again
	Sessions int // players' sessions
	Problems []Problem
}

// Problem is something stored that is not what the rules make of the rest.
type Problem struct {
	Kind    string // "match", "entry", "rank", "window", "account", "grant", "room", "player" or "session"
	ID      string // of that
	Board   string // of an entry, rank or window
	Message string
}

// MarshalJSON writes the verification as the verify line of a script prints it.
func (v Verification) MarshalJSON() ([]byte, error) {
	type checked struct {
		Matches  int `json:"matches"`
		Boards   int `json:"boards"`
		Accounts int `json:"accounts"`
		Sessions int `json:"sessions"`
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
	}{checked{v.Matches, v.Boards, v.Accounts, v.Sessions}, problems})
}

const mostProblems = 1000 // of one verification; more would not tell more

// Verify computes every standing, entry, rank, balance, prize and achievement again from the stored rows alone and names
// what differs, and sessions that cannot be: it needs no log and trusts nothing that was derived. Reads go on meanwhile; writes wait only while the
// entries and grants are compared. It stops looking after a thousand problems. An error means that it could not look.
// Each of the given functions is told, now and then, how many of how many commits it has looked at.
func (e *Engine) Verify(ctx context.Context, progress ...func(done, of uint64)) (Verification, error) {
	if err := e.readable(ctx); err != nil {
		return Verification{}, failed("verify", "", err)
	}
	v, err := e.verified(ctx, progress)
	for tries := 8; errors.Is(err, errForgotten) && tries > 0; tries-- {
		v, err = e.verified(ctx, progress)
	}
	if err != nil {
		return Verification{}, failed("verify", "", unavailable(err))
	}
	v.found.Matches, v.found.Boards, v.found.Accounts = v.ended, len(v.again.boards), len(v.audit.balances.amounts)
	return v.found, nil
}

// errForgotten is that a player was forgotten meanwhile: what was looked at before has their old name.
var errForgotten = errors.New("a player was forgotten meanwhile")

// verified is one look at everything.
func (e *engine) verified(ctx context.Context, progress []func(done, of uint64)) (*verifier, error) {
	v := &verifier{engine: e, progress: progress, began: e.committer.applied.Load()}
	v.audit = newAudit(v)
	return v, v.run(ctx)
}

// verifier goes through the events in order and does again what each did.
type verifier struct {
	engine  *engine
	found   Verification
	again   *refolding
	chapter int    // of the rules
	at      uint64 // position of the last event seen
	began   uint64 // where the events stood when it began
	ended   int
	audit   *audit

	progress []func(done, of uint64)
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
	if err := v.audit.follow(ctx); err != nil {
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
	for _, check := range []func(context.Context) error{v.audit.follow, v.audit.matches, v.audit.rooms, v.audit.players, v.sessions} {
		if err := check(ctx); err != nil {
			return err
		}
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
	r.asOf = upTo
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
		if v.at%1024 == 0 {
			v.tell()
		}
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

// tell tells how far it is.
func (v *verifier) tell() {
	for _, f := range v.progress {
		f(v.at, v.engine.committer.applied.Load())
	}
}

func (v *verifier) event(ctx context.Context, event store.Event) error {
	switch event.Kind {
	case endedEvent:
		return v.end(ctx, event)
	case voidedEvent, amendedEvent:
		return v.revised(ctx, event)
	case seasonBegunEvent:
		return v.again.season(event)
	case entryHiddenEvent, entryRestoredEvent:
		if key, id, there := v.again.shown(event); !there {
			v.problem("entry", id, key.Board, "event %d (%s) is about an entry that is not there", event.Position, event.Kind)
		}
	case forgottenEvent:
		if event.Position > v.began {
			return errForgotten
		}
	case windowClosedEvent:
		b, p, err := v.again.closed(event)
		if err != nil || p == nil {
			return err
		}
		if err := v.paidOut(ctx, p); err != nil {
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
	now := r
	if r, err = v.engine.asOf(ctx, r, event.Position); err != nil {
		return err
	}
	if r.Position != event.Position || r.State != string(Ended) {
		v.problem("match", event.ID, "", "ended by event %d, but is %s since %d", event.Position, r.State, r.Position)
		return nil
	}
	if r.Revised == now.Revised {
		r = v.engine.overlaid(r)
	}
	return v.match(ctx, event, r)
}

// revised looks at a match that an event voided or amended.
func (v *verifier) revised(ctx context.Context, event store.Event) error {
	r, err := v.engine.store.Match(ctx, event.ID)
	if err == nil {
		err = checkRecord(r)
	}
	if err != nil {
		v.problem("match", event.ID, "", "%s by event %d, but: %v", event.Kind, event.Position, err)
		return nil
	}
	now := r
	if r, err = v.engine.asOf(ctx, r, event.Position); err != nil {
		return err
	}
	former, err := v.engine.asOf(ctx, now, event.Position-1)
	if err != nil {
		return err
	}
	if r.Revised != event.Position || former.Revised == event.Position {
		v.problem("match", event.ID, "", "revised by event %d, but by its record by %d", event.Position, r.Revised)
		return nil
	}
	if r.Revised == now.Revised {
		r = v.engine.overlaid(r)
	}
	rs := v.again.rules
	was, is := matchOf(former, rs), matchOf(r, rs)
	mode := rs.history.mode(is.Mode, is.position)
	if is.State == Ended {
		v.standings(is, mode)
	}
	var moves []rankMove
	for _, rule := range rs.rules.Boards {
		b := v.again.boards[rule.ID]
		mode, feeds := rs.feeder(rule.ID, was)
		if b == nil || !feeds || wasLate(was, rule.ID) {
			continue
		}
		changes, moved, err := v.again.revised(ctx, b, mode, was, is, event.Position)
		if err != nil {
			return err
		}
		moves = append(moves, moved...)
		if is.State != Ended {
			continue
		}
		for _, c := range changes {
			v.change(is, mode, c)
		}
	}
	if is.State == Ended {
		v.moves(is, moves)
	}
	return nil
}

// match computes one match's standings again and does again what it did to the boards.
func (v *verifier) match(ctx context.Context, event store.Event, r store.Match) error {
	if err := checkRecord(r); err != nil {
		v.problem("match", r.ID, "", "%v", err)
		return nil
	}
	rs := v.again.rules
	m := matchOf(r, rs)
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
		awardPoints(mode, ranked)
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
			i := slices.IndexFunc(want, func(w rankMove) bool { return w.key == on.key() && w.id == on.id && w.rank > 0 })
			if on.Rank > 0 && i >= 0 && (want[i].rank != on.Rank || want[i].old != on.OldRank) {
				v.problem("match", m.ID, on.Board, "%s moved from rank %d to %d, should be %d to %d", quote(on.id), on.OldRank, on.Rank, want[i].old, want[i].rank)
			}
			if on.Size > 0 && i >= 0 && (want[i].size != on.Size || !slices.Equal(want[i].passed, on.Passed)) {
				v.problem("match", m.ID, on.Board, "%s moved among %d past %q, should be among %d past %q", quote(on.id), on.Size, on.Passed, want[i].size, want[i].passed)
			}
		}
	}
}

// missed names ended matches that no event tells of.
func (v *verifier) missed(ctx context.Context) error {
	ended := store.MatchQuery{States: []string{string(Ended), string(Voided)}}
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
