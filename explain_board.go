package finalbell

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

// RankExplanation is why an entry of a board stands where it does.
type RankExplanation struct {
	Board, Window, Partition string
	Start, End               time.Time
	State                    WindowState
	Of                       Subject
	Ties                     BoardTies // whether equal values share a rank
	PerMatch                 PerMatch  // on a board of teams: how one match's members combined
	Player                   string    // or the team
	Rank, Position, Size     int
	Keys                     []KeyExplanation // in the order in which they are compared
	// Reached is when the entry came to its values: who came to equal ones earlier is listed above.
	Reached      MomentExplanation
	Above, Below *NeighbourExplanation // nil at an edge
	// Inputs are the results of the entry's window, by their moments: the last thousand. Omitted says how many were before.
	Inputs  []InputExplanation
	Omitted int
	// Differs, if it is not empty, says that the inputs do not give what the board shows.
	Differs string
}

// KeyExplanation is one key of a board and what the entry has under it.
type KeyExplanation struct {
	Rule    Key
	Value   Value
	Results int // how many results count
}

// MomentExplanation is when a result came: moments are compared by time, then by commit, then by the place in the match.
type MomentExplanation struct {
	At     time.Time
	Commit uint64
	Place  int
	Match  string
}

// NeighbourExplanation is the entry directly above or below another, and what puts it there.
type NeighbourExplanation struct {
	Entry
	// Decided is "key", of which Key is the index from 0, or "moment": all values are equal, and the one came to them
	// earlier than the other.
	Decided string
	Key     int
	Reached MomentExplanation
}

const (
	decidedKey    = "key"
	decidedMoment = "moment"

	maxInputs = 1000
)

func (a moment) explained(match string) MomentExplanation {
	return MomentExplanation{At: time.UnixMilli(a.at).UTC(), Commit: a.position, Place: a.place, Match: match}
}

func (m MomentExplanation) compare(other MomentExplanation) int {
	return cmp.Or(m.At.Compare(other.At), cmp.Compare(m.Commit, other.Commit), cmp.Compare(m.Place, other.Place))
}

// Explain tells why an entry stands where it does in the window that b reads: its values by key, what decided between it
// and its neighbours, and the results that it is made of, by the rules by which they count there. ErrNotFound as for Rank.
func (b *Board) Explain(ctx context.Context, player string) (RankExplanation, error) {
	const tries = 3 // a result may come in between
	for try := 1; ; try++ {
		x, err := b.explain(ctx, player)
		if err != nil {
			return RankExplanation{}, failed("explain rank on board", b.id, err)
		}
		if x.Differs == "" || try == tries {
			return x, nil
		}
	}
}

func (b *Board) explain(ctx context.Context, player string) (RankExplanation, error) {
	e := b.engine
	v, err := b.look(ctx)
	if err != nil {
		return RankExplanation{}, err
	}
	s, err := v.seen(ctx, player)
	if err == errAbsent {
		err = e.notSeen(ctx, v, player)
	}
	if err != nil {
		return RankExplanation{}, err
	}
	own := s.entries[s.own]
	x := RankExplanation{Board: v.rule.ID, Window: v.window.ID, Partition: v.key.Partition, Start: v.window.Start, End: v.window.End, State: v.state,
		Of: v.rule.Of, Ties: v.rule.Ties, Player: player, Rank: own.Rank, Position: own.Position, Size: s.size}
	if v.rule.Of == OfTeams {
		x.PerMatch = v.rule.PerMatch
	}
	for i, key := range v.rule.Keys {
		x.Keys = append(x.Keys, KeyExplanation{Rule: key, Value: own.Values[i]})
	}
	if x.Reached, err = e.explainMoment(ctx, v.layout.moment(s.rows[s.own])); err != nil {
		return RankExplanation{}, err
	}
	for i, entry := range s.entries {
		if i == s.own {
			continue
		}
		n := &NeighbourExplanation{Entry: entry, Decided: decidedMoment}
		if key, decides := v.layout.decides(s.rows[i], s.rows[s.own]); decides {
			n.Decided, n.Key = decidedKey, key
		}
		if n.Reached, err = e.explainMoment(ctx, v.layout.moment(s.rows[i])); err != nil {
			return RankExplanation{}, err
		}
		if i < s.own {
			x.Above = n
		} else {
			x.Below = n
		}
	}
	return x, e.explainInputs(ctx, v, &x, s.rows[s.own])
}

// seenEntry is an entry between its neighbours, at one instant.
type seenEntry struct {
	entries []Entry
	rows    [][]uint64
	own     int // its index in them
	size    int
}

func (v *view) seen(ctx context.Context, player string) (seenEntry, error) {
	var s seenEntry
	err := v.source.read(ctx, func(r reader) error {
		position, _, err := r.find(player)
		if err != nil {
			return err
		}
		first := max(0, position-1)
		lines, err := r.run(first, position+2-first)
		if err != nil {
			return err
		}
		s = seenEntry{own: position - first, size: r.size()}
		for _, l := range lines {
			s.rows = append(s.rows, slices.Clone(l.row))
		}
		s.entries, err = v.entries(r, lines, first)
		return err
	})
	return s, err
}

// notSeen is why a player has no entry that is shown.
func (e *engine) notSeen(ctx context.Context, v *view, player string) error {
	for r, err := range e.store.Entries(ctx, store.EntryQuery{WindowKey: v.key, IDs: []string{player}}) {
		switch {
		case err != nil:
			return unavailable(err)
		case r.Hidden != "":
			return refuse(ErrNotFound, "the entry of "+quote(player)+" is hidden: "+quote(r.Hidden), player)
		case !r.Entered:
			return refuse(ErrNotFound, "no entry of "+quote(player)+": no result has the first key's metric", player)
		}
	}
	return noEntry(player)
}

// moment reads an entry's moment back from its row.
func (l layout) moment(row []uint64) moment {
	at := l.valueWords
	return moment{at: orderedValue(Asc, row[at]), position: row[at+1], place: int(row[at+2])}
}

// decides is the first key by which two rows differ; false if their values are equal.
func (l layout) decides(a, b []uint64) (key int, differ bool) {
	at := 0
	for i, k := range l.keys {
		next := at + k.words()
		if !slices.Equal(a[at:next], b[at:next]) {
			return i, true
		}
		at = next
	}
	return 0, false
}

// explainMoment finds the match of a moment.
func (e *engine) explainMoment(ctx context.Context, m moment) (MomentExplanation, error) {
	event, err := e.event(ctx, m.position)
	if err != nil || event.Kind != endedEvent {
		return m.explained(""), err
	}
	return m.explained(event.ID), nil
}

// explainInputs folds an entry from history by the rules of its window, and holds it against what the board shows.
func (e *engine) explainInputs(ctx context.Context, v *view, x *RankExplanation, row []uint64) error {
	rules, b, final, err := e.boardThen(ctx, v)
	if err != nil {
		return err
	}
	if b.rule.Window.forgotten() {
		x.Differs = "the board has a calendar of its program's own, without which nobody can tell which results are of a window"
		return nil
	}
	upTo := uint64(latest)
	if final > 0 {
		upTo = final
	}
	results, err := e.pastResults(ctx, rules, b, v.key, x.Player, upTo, upTo)
	if err != nil {
		return err
	}
	var late []pastResult
	if final > 0 {
		if results, late, err = e.inTime(ctx, b, v, x.Player, final, rules, results); err != nil {
			return err
		}
	}
	plain := make([]result, len(results))
	for i, r := range results {
		plain[i] = r.result
	}
	folded, err := foldAll(b.rule, plain)
	if err != nil {
		x.Differs = "the results cannot be folded: " + err.Error()
		return nil
	}
	again := make([]uint64, v.layout.width)
	v.layout.encode(again, placedEntry(b.rule, x.Player, folded, false))
	if !folded.entered || !slices.Equal(again, row) {
		x.Differs = "the results give " + valuesText(b.rule, folded.values(b.rule)) + " since " + momentText(momentRecord(folded.changed, 0)) +
			", the board shows " + valuesText(b.rule, v.layout.values(row)) + " since " + momentText(momentRecord(v.layout.moment(row), 0))
	}
	x.Inputs = b.rule.explained(folded, results, late)
	for i := range x.Keys {
		for _, in := range x.Inputs {
			if in.Keys[i].Counts {
				x.Keys[i].Results++
			}
		}
	}
	x.Omitted = max(0, len(x.Inputs)-maxInputs)
	x.Inputs = x.Inputs[x.Omitted:]
	return nil
}

// boardThen is the board that made the window of a view, with the rules by which it did: those in force, unless the
// board was rebuilt since. final is the position of the commit that made the window final, 0 if none did.
func (e *engine) boardThen(ctx context.Context, v *view) (rules *ruleset, b *board, final uint64, err error) {
	switch of := v.source.(type) {
	case *ranking:
		final = of.period.finalAt()
	case *archive:
		final = of.record.Final
	}
	rules, b, err = e.boardOf(ctx, v.key, final)
	return rules, b, final, err
}

// boardOf is the board of a window that a commit at a position has made final, with the rules by which it did.
func (e *engine) boardOf(ctx context.Context, key store.WindowKey, final uint64) (rules *ruleset, b *board, err error) {
	rules = e.ruleset()
	if b = rules.boards[key.Board]; b.generation == key.Generation {
		return rules, b, nil
	}
	upTo := 1
	for upTo < len(rules.history) && rules.history[upTo].After < final {
		upTo++
	}
	history := rules.history[:upTo]
	if rules, err = newRuleset(rules.withCalendars(history[upTo-1].Rules), history, newIndex()); err != nil {
		return nil, nil, unavailable(err)
	}
	if b = rules.boards[key.Board]; b == nil || b.generation != key.Generation {
		return nil, nil, unavailable(fmt.Errorf("no rule for window %s of board %s", quote(key.Window), quote(key.Board)))
	}
	if b.rule.Window.bySeasons() {
		err = e.loadSeasons(ctx, b)
	}
	return rules, b, err
}

// inTime parts the results that count in a window that is final from those that came too late.
func (e *engine) inTime(ctx context.Context, b *board, v *view, player string, final uint64, rules *ruleset, results []pastResult) (counted, late []pastResult, err error) {
	all, err := e.pastResults(ctx, rules, b, v.key, player, latest, latest)
	if err != nil {
		return nil, nil, err
	}
	late = slices.DeleteFunc(all, func(r pastResult) bool { return r.match.Position <= final })
	closing, err := e.event(ctx, final)
	if err != nil || closing.Kind != rebuiltEvent {
		return results, late, err
	}
	// The window was over when the board was made from history. What was reported when it was due counts, as if the
	// board had been there then.
	due, _ := b.rule.Window.due(v.window)
	for _, r := range results {
		event, err := e.event(ctx, r.match.Position)
		if err != nil {
			return nil, nil, err
		}
		if event.At.Before(due) || isBackfill(event) {
			counted = append(counted, r)
		} else {
			late = append(late, r)
		}
	}
	return counted, late, nil
}
