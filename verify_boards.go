package finalbell

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/store"
)

// Boards as they are stored and shown, held against those made again.

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
