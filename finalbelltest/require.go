package finalbelltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
)

// RequireRanks fails the test unless the page has these entries in this order, each written as its rank and
// its player: "1 ann", "1 bob", "3 cat".
func RequireRanks(t TB, page finalbell.Page, want ...string) {
	t.Helper()
	got := make([]string, len(page.Entries))
	for i, e := range page.Entries {
		got[i] = fmt.Sprintf("%d %s", e.Rank, e.Player)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("board %s has [%s], want [%s]", page.Board, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// RequireSame fails the test unless an engine answered what the model did: the same match, or an error of the
// same kind about the same players.
func RequireSame(t TB, got finalbell.Match, err error, want finalbell.Match, wantErr error) {
	t.Helper()
	switch {
	case KindOf(err) != KindOf(wantErr):
		t.Fatalf("the engine answers %s (%v), the model %s", text(KindOf(err)), err, text(KindOf(wantErr)))
	case err == nil && !sameMatch(got, want):
		t.Fatalf("the engine has\n\t%s\nthe model\n\t%s", text(got), text(want))
	}
	kind := KindOf(err)
	if (kind == finalbell.ErrUnknownPlayer || kind == finalbell.ErrDuplicatePlayer) && !slices.Equal(idsOf(err), idsOf(wantErr)) {
		t.Fatalf("the engine answers %s about %v, the model about %v", kind, idsOf(err), idsOf(wantErr))
	}
}

func idsOf(err error) []string {
	var e *finalbell.Error
	if !errors.As(err, &e) {
		return nil
	}
	return slices.Sorted(slices.Values(e.IDs))
}

// Require fails the test unless every match and every answer of every board of the engine is the model's.
func (m *Model) Require(t TB, e *finalbell.Engine) {
	t.Helper()
	if problem := m.Diff(e); problem != "" {
		t.Fatalf("%s", problem)
	}
}

// Diff tells the first match, or answer of a board, in which the engine is not what the model is; empty if
// there is none.
func (m *Model) Diff(e *finalbell.Engine) string {
	ctx := context.Background()
	want := m.Matches()
	n := 0
	for got, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
		if err != nil || n >= len(want) {
			return fmt.Sprintf("match %d of %d: %s, %v", n+1, len(want), got.ID, err)
		}
		one, err := e.Match(ctx, got.ID)
		if err != nil || !sameMatch(got, want[n]) || !sameMatch(one, want[n]) {
			return fmt.Sprintf("the engine lists\n\t%s\nreads %v\n\t%s\nand the model has\n\t%s", text(got), err, text(one), text(want[n]))
		}
		n++
	}
	if n != len(want) {
		return fmt.Sprintf("%d matches, want %d", n, len(want))
	}
	for _, rule := range m.rules.Boards {
		if problem := checkBoard(ctx, e.Board(rule.ID), rule, m.Board(rule.ID)); problem != "" {
			return "board " + rule.ID + ": " + problem
		}
	}
	return ""
}

// checkBoard holds every way to read a board against its entries and returns what is wrong.
func checkBoard(ctx context.Context, b *finalbell.Board, rule finalbell.BoardRule, want []finalbell.Entry) string {
	page, err := b.Top(ctx, 1000)
	switch {
	case err != nil:
		return err.Error()
	case page.Size != len(want) || page.State != finalbell.WindowOpen || page.Window != "all" || page.Board != rule.ID:
		return "the page is " + text(page)
	case !sameEntries(page.Entries, want):
		return fmt.Sprintf("top is %s, want %s", text(page.Entries), text(want))
	}
	windows, err := b.Windows(ctx)
	if err != nil || len(windows) != 1 || windows[0].ID != page.Window || windows[0].Size != len(want) {
		return fmt.Sprintf("windows are %s, %v", text(windows), err)
	}
	var players []string
	for i, e := range want {
		players = append(players, e.Player)
		placing, err := b.Rank(ctx, e.Player)
		if err != nil || !samePlacing(placing, e, len(want)) {
			return fmt.Sprintf("the rank of %s is %s, %v, want %s", e.Player, text(placing), err, text(e))
		}
		around, err := b.Around(ctx, e.Player, 1)
		if err != nil || !sameEntries(around.Entries, want[max(0, i-1):min(len(want), i+2)]) {
			return fmt.Sprintf("around %s is %s, %v, of %s", e.Player, text(around), err, text(want))
		}
		rest, err := b.Page(ctx, i, 2)
		if err != nil || !sameEntries(rest.Entries, want[i:min(len(want), i+2)]) {
			return fmt.Sprintf("the page at %d is %s, %v, of %s", i, text(rest), err, text(want))
		}
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
	for i, e := range want {
		if !samePlacing(all[i+1], e, len(want)) {
			return fmt.Sprintf("among ranks, %s has %s, want %s", e.Player, text(all[i+1]), text(e))
		}
	}
	return checkCounts(ctx, b, rule, page.Entries)
}

// checkCounts holds counts and a histogram against the entries.
func checkCounts(ctx context.Context, b *finalbell.Board, rule finalbell.BoardRule, entries []finalbell.Entry) string {
	numbers := slices.IndexFunc(rule.Keys, func(k finalbell.Key) bool { return k.Fold == finalbell.FoldCountback })
	if numbers < 0 {
		numbers = len(rule.Keys)
	}
	var bounds []finalbell.Number
	for _, e := range entries {
		for n := 1; n <= numbers; n++ {
			want := 0
			for _, other := range entries {
				if compareNumbers(rule.Keys[:n], other.Values, e.Values) <= 0 {
					want++
				}
			}
			if got, err := b.CountAtOrAbove(ctx, numbersOf(e.Values[:n])...); err != nil || got != want {
				return fmt.Sprintf("%d entries are at or above %s, %v, want %d of %s", got, text(e.Values[:n]), err, want, text(entries))
			}
		}
		bounds = append(bounds, e.Values[0].Number)
	}
	if numbers == 0 || len(bounds) == 0 {
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
		for _, e := range entries {
			v := e.Values[0].Number
			if (!bucket.From.Known() || v.Cmp(bucket.From) >= 0) && (!bucket.To.Known() || v.Cmp(bucket.To) < 0) {
				want++
			}
		}
		if bucket.Count != want {
			return fmt.Sprintf("the bucket %s should have %d of %s", text(bucket), want, text(entries))
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

// compareNumbers is negative when the first numbers of a are better than those of b.
func compareNumbers(keys []finalbell.Key, a, b []finalbell.Value) int {
	for i, key := range keys {
		if c := a[i].Number.Cmp(b[i].Number); c != 0 && key.Order == finalbell.Asc {
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

func sameMatch(a, b finalbell.Match) bool {
	return a.ID == b.ID && a.Mode == b.Mode && a.Room == b.Room && a.Round == b.Round && a.State == b.State &&
		a.CreatedAt.Equal(b.CreatedAt) && a.StartedAt.Equal(b.StartedAt) && a.EndedAt.Equal(b.EndedAt) &&
		a.Deadline.Equal(b.Deadline) && a.NoContest == b.NoContest && a.Draw == b.Draw && a.Provisional == b.Provisional &&
		a.Replayed == b.Replayed && a.Reason == b.Reason && a.Revision == b.Revision &&
		maps.Equal(a.Attributes, b.Attributes) && maps.Equal(a.Data, b.Data) &&
		slices.EqualFunc(a.Standings, b.Standings, sameStanding)
}

func sameStanding(a, b finalbell.Standing) bool {
	return a.Player == b.Player && a.Team == b.Team && a.Bot == b.Bot && a.Outcome == b.Outcome && a.Status == b.Status &&
		a.Rank == b.Rank && a.Position == b.Position && a.Result == b.Result && maps.Equal(a.Metrics, b.Metrics) &&
		slices.EqualFunc(a.Boards, b.Boards, sameMove)
}

func sameMove(a, b finalbell.BoardMove) bool {
	return a.Board == b.Board && a.Window == b.Window && a.OldRank == b.OldRank && a.Rank == b.Rank && sameValues(a.Values, b.Values)
}

// movesLost is want without the rank moves that got lacks.
func movesLost(want []finalbell.Standing, got finalbell.Match) []finalbell.Standing {
	want = slices.Clone(want)
	for i := range want {
		s := &want[i]
		at := slices.IndexFunc(got.Standings, func(g finalbell.Standing) bool { return g.Player == s.Player })
		if at < 0 || len(got.Standings[at].Boards) != len(s.Boards) {
			continue
		}
		s.Boards = slices.Clone(s.Boards)
		for b := range s.Boards {
			if got.Standings[at].Boards[b].Rank == 0 {
				s.Boards[b].OldRank, s.Boards[b].Rank = 0, 0
			}
		}
	}
	return want
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
