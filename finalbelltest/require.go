package finalbelltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	naming := []finalbell.Kind{finalbell.ErrUnknownPlayer, finalbell.ErrDuplicatePlayer, finalbell.ErrUnpaid, finalbell.ErrInsufficient}
	if slices.Contains(naming, kind) && !slices.Equal(idsOf(err), idsOf(wantErr)) {
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

// Require fails the test unless every match, every answer of every board, and all that players have is the model's.
func (m *Model) Require(t TB, e *finalbell.Engine) {
	t.Helper()
	if problem := m.Diff(e); problem != "" {
		t.Fatalf("%s", problem)
	}
}

// RequireWindows is Require for the boards alone, and of those for the windows that pick names: a long game need not
// look at everything all the time.
func (m *Model) RequireWindows(t TB, e *finalbell.Engine, pick func(board, window string) bool) {
	t.Helper()
	if problem := m.DiffWindows(e, pick); problem != "" {
		t.Fatalf("%s", problem)
	}
}

// DiffWindows is to Diff what RequireWindows is to Require.
func (m *Model) DiffWindows(e *finalbell.Engine, pick func(board, window string) bool) string {
	return m.diffBoards(context.Background(), e, pick)
}

// Diff tells the first match, or answer of a board, in which the engine is not what the model is; empty if
// there is none. Both close the windows that are due first, as every read does.
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
	if problem := m.diffBoards(ctx, e, nil); problem != "" {
		return problem
	}
	if problem := m.DiffPast(e); problem != "" {
		return problem
	}
	if problem := m.DiffSessions(e); problem != "" {
		return problem
	}
	return m.DiffMoney(e)
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
	return a.Player == b.Player && a.Team == b.Team && a.Bot == b.Bot && a.Outcome == b.Outcome && a.Status == b.Status && a.Gone == b.Gone &&
		a.Rank == b.Rank && a.Position == b.Position && a.Result == b.Result && maps.Equal(a.Metrics, b.Metrics) && maps.Equal(a.Attributes, b.Attributes) &&
		slices.EqualFunc(a.Boards, b.Boards, sameMove) && a.Summary == b.Summary && diffGrants(a.Grants, b.Grants) == ""
}

func sameMove(a, b finalbell.BoardMove) bool {
	return a.Board == b.Board && a.Window == b.Window && a.Partition == b.Partition && a.Late == b.Late && a.OldRank == b.OldRank && a.Rank == b.Rank &&
		a.Size == b.Size && slices.Equal(a.Passed, b.Passed) && sameValues(a.Values, b.Values)
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
				s.Boards[b].OldRank, s.Boards[b].Rank, s.Boards[b].Size, s.Boards[b].Passed = 0, 0, 0, nil
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
