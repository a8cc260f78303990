package finalbelltest

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
)

// Every way to read a board, held against the model's entries.

// diffBoards looks at the boards, in all windows or in those that pick names.
func (m *Model) diffBoards(ctx context.Context, e *finalbell.Engine, pick func(board, window string) bool) string {
	// What is due is closed first: all boards are to be read at one position.
	for _, rule := range m.rules.Boards {
		partition := ""
		if rule.Partition != nil {
			partition = "nowhere"
		}
		_, wantErr := m.Board(rule.ID).Partition(partition).Entries()
		if _, err := e.Board(rule.ID).Partition(partition).Top(ctx, 1); KindOf(err) != KindOf(wantErr) {
			return fmt.Sprintf("board %s: the open window gives %v, want %v", rule.ID, err, wantErr)
		}
	}
	var reads []finalbell.Read
	var all []held
	for _, rule := range m.rules.Boards {
		mine, theirs := m.Board(rule.ID), e.Board(rule.ID)
		windows, err := mine.windows(func(id string) bool { return pick == nil || pick(rule.ID, id) })
		if err != nil {
			return fmt.Sprintf("the model's windows of board %s: %v", rule.ID, err)
		}
		if pick == nil {
			if problem := diffWindows(ctx, mine, theirs); problem != "" {
				return "board " + rule.ID + ": " + problem
			}
		}
		for _, w := range windows {
			views, problem := m.diffPartitions(ctx, rule, w, theirs)
			if problem != "" {
				return "board " + rule.ID + ", window " + w.ID + ": " + problem
			}
			all = append(all, views...)
		}
	}
	for _, h := range all[:min(len(all), 1000)] {
		reads = append(reads, finalbell.Read{Board: h.rule.ID, Window: h.window.ID, Partition: h.partition, Limit: 1000})
	}
	pages, err := e.Boards(ctx, reads...)
	if err != nil {
		return fmt.Sprintf("reading %d boards: %v", len(reads), err)
	}
	for i, page := range pages {
		if problem := all[i].diffPage(page); problem != "" {
			return "board " + page.Board + " among others: " + problem
		}
	}
	return ""
}

// diffWindows holds the list of windows, of partitions, and the answers about windows that are not there.
func diffWindows(ctx context.Context, mine *Board, theirs *finalbell.Board) string {
	want, wantErr := mine.Windows()
	got, err := theirs.Windows(ctx)
	if problem := sameList("the windows", got, err, want, wantErr); problem != "" {
		return problem
	}
	partitions := make(map[string]bool)
	for _, w := range want {
		want, wantErr := mine.Window(w.ID).Partitions()
		got, err := theirs.Window(w.ID).Partitions(ctx)
		if problem := sameList("the partitions of window "+w.ID, got, err, want, wantErr); problem != "" {
			return problem
		}
		for _, partition := range want {
			partitions[partition] = true
		}
	}
	for partition := range partitions {
		want, wantErr := mine.Partition(partition).Windows()
		got, err := theirs.Partition(partition).Windows(ctx)
		if problem := sameList("the windows of partition "+partition, got, err, want, wantErr); problem != "" {
			return problem
		}
	}
	for _, id := range []string{"", "nope", "2026-03-02", "2026-03-09", "2026-04-01", "2027-01-01"} {
		for _, partition := range []string{"", "nowhere"} {
			entries, wantErr := mine.Window(id).Partition(partition).Entries()
			page, err := theirs.Window(id).Partition(partition).Top(ctx, 1000)
			if KindOf(err) != KindOf(wantErr) || err == nil && !sameEntries(page.Entries, entries) {
				return fmt.Sprintf("window %q of partition %q has %s, %v, want %s, %v", id, partition, text(page), err, text(entries), wantErr)
			}
		}
	}
	return ""
}

// sameList compares two lists, which may be nil.
func sameList[T any](what string, got []T, err error, want []T, wantErr error) string {
	if KindOf(err) == KindOf(wantErr) && (err != nil || len(got) == len(want) && (len(got) == 0 || text(got) == text(want))) {
		return ""
	}
	return fmt.Sprintf("%s are %s, %v, want %s, %v", what, text(got), err, text(want), wantErr)
}

// diffPartitions looks at a window, or at each of its partitions and at one in which nobody is.
func (m *Model) diffPartitions(ctx context.Context, rule finalbell.BoardRule, w finalbell.Window, b *finalbell.Board) ([]held, string) {
	partitions := []string{""}
	if rule.Partition != nil {
		partitions = append(partitionsOf(m.results[rule.ID][w.ID]), "nowhere")
	}
	var all []held
	for _, partition := range partitions {
		entries, err := m.Board(rule.ID).Window(w.ID).Partition(partition).Entries()
		if err != nil {
			return nil, fmt.Sprintf("the model cannot read partition %q: %v", partition, err)
		}
		h := held{rule: rule, window: w, partition: partition, position: m.head.Position, want: entries}
		if problem := h.diff(ctx, b.Window(w.ID).Partition(partition)); problem != "" {
			return nil, fmt.Sprintf("partition %q: %s", partition, problem)
		}
		all = append(all, h)
	}
	return all, ""
}

// held is what one part of a window must answer.
type held struct {
	rule      finalbell.BoardRule
	window    finalbell.Window
	partition string
	position  uint64
	want      []finalbell.Entry
}

// diff holds every way to read the part against its entries and returns what is wrong.
func (h held) diff(ctx context.Context, b *finalbell.Board) string {
	page, err := b.Top(ctx, 1000)
	if err != nil {
		return err.Error()
	}
	for _, look := range []func() string{
		func() string { return h.diffPage(page) },
		func() string { return h.diffPlaces(ctx, b) },
		func() string { return h.diffRanks(ctx, b) },
		func() string { return h.diffWalk(ctx, b) },
		func() string { return h.diffCounts(ctx, b) },
		func() string { return h.diffHistogram(ctx, b) },
	} {
		if problem := look(); problem != "" {
			return problem
		}
	}
	return ""
}

func (h held) diffPage(page finalbell.Page) string {
	switch w := h.window; {
	case page.Size != len(h.want) || page.State != w.State || page.Window != w.ID || page.Board != h.rule.ID ||
		page.Partition != h.partition || !page.Start.Equal(w.Start) || !page.End.Equal(w.End) || page.Position != h.position:
		return fmt.Sprintf("the page is %s at %d, want %d entries in %s of partition %q at %d", text(page), page.Position, len(h.want), text(w), h.partition, h.position)
	case !sameEntries(page.Entries, h.want):
		return fmt.Sprintf("top is %s, want %s", text(page.Entries), text(h.want))
	}
	return ""
}

// diffPlaces looks at each entry where it stands.
func (h held) diffPlaces(ctx context.Context, b *finalbell.Board) string {
	for i, e := range h.want {
		placing, err := b.Rank(ctx, e.Player)
		if err != nil || !samePlacing(placing, e, len(h.want)) {
			return fmt.Sprintf("the rank of %s is %s, %v, want %s", e.Player, text(placing), err, text(e))
		}
		around, err := b.Around(ctx, e.Player, 1)
		if err != nil || !sameEntries(around.Entries, h.want[max(0, i-1):min(len(h.want), i+2)]) {
			return fmt.Sprintf("around %s is %s, %v, of %s", e.Player, text(around), err, text(h.want))
		}
		rest, err := b.Page(ctx, i, 2)
		if err != nil || !sameEntries(rest.Entries, h.want[i:min(len(h.want), i+2)]) {
			return fmt.Sprintf("the page at %d is %s, %v, of %s", i, text(rest), err, text(h.want))
		}
		at, err := b.AtRank(ctx, i+1)
		if err != nil || !sameEntries([]finalbell.Entry{at}, h.want[i:i+1]) {
			return fmt.Sprintf("at rank %d is %s, %v, want %s", i+1, text(at), err, text(e))
		}
	}
	if at, err := b.AtRank(ctx, len(h.want)+1); KindOf(err) != finalbell.ErrNotFound {
		return fmt.Sprintf("beyond the last is %s, %v", text(at), err)
	}
	return ""
}

// diffRanks looks at all who have an entry in one call, and at those who have none.
func (h held) diffRanks(ctx context.Context, b *finalbell.Board) string {
	var players []string
	for _, e := range h.want {
		players = append(players, e.Player)
	}
	for _, id := range append(poolPlayers(), append(poolTeams(), "nobody")...) {
		if placing, err := b.Rank(ctx, id); !slices.Contains(players, id) && KindOf(err) != finalbell.ErrNotFound {
			return fmt.Sprintf("the rank of %s, who has no entry, is %s, %v", id, text(placing), err)
		}
	}
	all, err := b.Ranks(ctx, append([]string{"nobody"}, players...)...)
	if err != nil || all[0].Rank != 0 {
		return fmt.Sprintf("ranks are %s, %v", text(all), err)
	}
	for i, e := range h.want {
		if !samePlacing(all[i+1], e, len(h.want)) {
			return fmt.Sprintf("among ranks, %s has %s, want %s", e.Player, text(all[i+1]), text(e))
		}
	}
	return ""
}

// diffWalk walks the part with a cursor, in pages of one, two and three.
func (h held) diffWalk(ctx context.Context, b *finalbell.Board) string {
	var walked []finalbell.Entry
	cursor := finalbell.CursorStart
	for n := 0; cursor != ""; n++ {
		page, err := b.After(ctx, cursor, n%3+1)
		if err != nil || n > len(h.want) {
			return fmt.Sprintf("page %d of a walk is %s, %v", n+1, text(page), err)
		}
		walked, cursor = append(walked, page.Entries...), page.Next
	}
	if !sameEntries(walked, h.want) {
		return fmt.Sprintf("a walk comes by %s, want %s", text(walked), text(h.want))
	}
	return ""
}

// comparable is the number of first keys that are numbers.
func (h held) comparable() int {
	n := slices.IndexFunc(h.rule.Keys, func(k finalbell.Key) bool { return k.Fold == finalbell.FoldCountback })
	if n < 0 {
		return len(h.rule.Keys)
	}
	return n
}

// diffCounts counts at and above what each entry has, and at numbers that perhaps none has.
func (h held) diffCounts(ctx context.Context, b *finalbell.Board) string {
	if h.comparable() == 0 {
		return ""
	}
	probes := [][]finalbell.Value{{{Number: finalbell.Int(-2)}}, {{Number: finalbell.Int(1)}}, {{Number: finalbell.Int(2)}}}
	for _, e := range h.want {
		for n := range h.comparable() {
			probes = append(probes, e.Values[:n+1])
		}
	}
	for _, probe := range probes {
		if slices.ContainsFunc(probe, func(v finalbell.Value) bool { return v.Number.Err() != nil }) {
			continue // a sum of more digits than anybody may ask for
		}
		atOrAbove, above := 0, 0
		for _, other := range h.want {
			c := compareNumbers(h.rule.Keys[:len(probe)], other.Values, probe)
			if c <= 0 {
				atOrAbove++
			}
			if c < 0 {
				above++
			}
		}
		if got, err := b.CountAtOrAbove(ctx, numbersOf(probe)...); err != nil || got != atOrAbove {
			return fmt.Sprintf("%d entries are at or above %s, %v, want %d of %s", got, text(probe), err, atOrAbove, text(h.want))
		}
		if got, err := b.RankAt(ctx, numbersOf(probe)...); err != nil || got != above+1 {
			return fmt.Sprintf("%s would be rank %d, %v, want %d of %s", text(probe), got, err, above+1, text(h.want))
		}
	}
	return ""
}

// diffHistogram bounds a histogram by what the entries have.
func (h held) diffHistogram(ctx context.Context, b *finalbell.Board) string {
	var bounds []finalbell.Number
	for _, e := range h.want {
		if e.Values[0].Number.Err() == nil {
			bounds = append(bounds, e.Values[0].Number)
		}
	}
	if h.comparable() == 0 || len(bounds) == 0 {
		return ""
	}
	slices.SortFunc(bounds, finalbell.Number.Cmp)
	bounds = slices.Compact(bounds)
	buckets, err := b.Histogram(ctx, bounds...)
	if err != nil || len(buckets) != len(bounds)+1 {
		return fmt.Sprintf("the histogram is %s, %v", text(buckets), err)
	}
	for _, bucket := range buckets {
		want := 0
		for _, e := range h.want {
			v := rat(e.Values[0].Number)
			if (!bucket.From.Known() || v.Cmp(rat(bucket.From)) >= 0) && (!bucket.To.Known() || v.Cmp(rat(bucket.To)) < 0) {
				want++
			}
		}
		if bucket.Count != want {
			return fmt.Sprintf("the bucket %s should have %d of %s", text(bucket), want, text(h.want))
		}
	}
	return ""
}

func numbersOf(values []finalbell.Value) []finalbell.Number {
	out := make([]finalbell.Number, len(values))
	for i, v := range values {
		out[i] = v.Number
	}
	return out
}

// compareNumbers is negative when the first numbers of a are better than those of b. A sum may have more digits than a
// Number that is reported, but never more than its text.
func compareNumbers(keys []finalbell.Key, a, b []finalbell.Value) int {
	for i := range min(len(keys), len(a), len(b)) {
		if c := rat(a[i].Number).Cmp(rat(b[i].Number)); c != 0 && keys[i].Order == finalbell.Asc {
			return c
		} else if c != 0 {
			return -c
		}
	}
	return 0
}

func samePlacing(got finalbell.Placing, want finalbell.Entry, size int) bool {
	return got.Player == want.Player && got.Rank == want.Rank && got.Position == want.Position && got.Size == size &&
		sameValues(got.Values, want.Values) && got.Percentile.String() == percentile(want.Rank, size)
}

// percentile is 100 × (size − rank) / (size − 1) to two decimals, 100 for one alone.
func percentile(rank, size int) string {
	if size == 1 {
		return "100"
	}
	hundredths := halfEven(big.NewRat(int64(100_00*(size-rank)), int64(size-1)))
	text := new(big.Rat).SetFrac(hundredths, big.NewInt(100)).FloatString(2)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

func sameEntries(a, b []finalbell.Entry) bool {
	return slices.EqualFunc(a, b, func(x, y finalbell.Entry) bool {
		return x.Player == y.Player && x.Rank == y.Rank && x.Position == y.Position && sameValues(x.Values, y.Values)
	})
}

func sameValues(a, b []finalbell.Value) bool {
	return slices.EqualFunc(a, b, func(x, y finalbell.Value) bool {
		return x.Number.String() == y.Number.String() && slices.Equal(x.Places, y.Places) && (x.Places == nil) == (y.Places == nil)
	})
}
