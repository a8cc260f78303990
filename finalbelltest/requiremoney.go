package finalbelltest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
)

// What players have, held against the model.

// RequireMoney fails the test unless every player has in the engine what they have in the model: money, grants,
// progress; every room is as it is there; and every match has moved as much. It closes nothing that is due.
func (m *Model) RequireMoney(t TB, e *finalbell.Engine) {
	t.Helper()
	if problem := m.DiffMoney(e); problem != "" {
		t.Fatalf("%s", problem)
	}
}

// DiffMoney tells the first player, grant or match in which the engine is not what the model is; empty if there is none.
func (m *Model) DiffMoney(e *finalbell.Engine) string {
	ctx := context.Background()
	for _, player := range m.players() {
		got, err := e.Wallet(ctx, player)
		want, wantErr := m.Wallet(player)
		if KindOf(err) != KindOf(wantErr) || !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("%s has %s, %v, want %s", player, text(got), err, text(want))
		}
		progress, err := e.Progress(ctx, player)
		wantProgress, wantErr := m.Progress(player)
		if KindOf(err) != KindOf(wantErr) || !sameProgress(progress, wantProgress) {
			return fmt.Sprintf("%s is at %+v, %v, want %+v", player, progress, err, wantProgress)
		}
	}
	var grants []finalbell.Grant
	for g, err := range e.Grants(ctx, finalbell.GrantFilter{}) {
		if err != nil {
			return fmt.Sprintf("list grants: %v", err)
		}
		grants = append(grants, g)
	}
	if problem := diffGrants(grants, m.grants); problem != "" {
		return problem
	}
	if problem := m.diffRooms(ctx, e); problem != "" {
		return problem
	}
	for _, p := range m.matches {
		if problem := m.diffMatchLedger(ctx, e, p.match.ID); problem != "" {
			return fmt.Sprintf("match %s: %s", p.match.ID, problem)
		}
	}
	return ""
}

// diffRooms compares all rooms, and reads each by itself.
func (m *Model) diffRooms(ctx context.Context, e *finalbell.Engine) string {
	var got []finalbell.Room
	for r, err := range e.Rooms(ctx, finalbell.RoomFilter{}) {
		one, oneErr := e.Room(ctx, r.ID)
		if err != nil || oneErr != nil || text(one) != text(r) {
			return fmt.Sprintf("the engine lists the room %s, %v, and reads %s, %v", text(r), err, text(one), oneErr)
		}
		got = append(got, r)
	}
	if text(got) != text(m.rooms) {
		return fmt.Sprintf("the engine has the rooms\n\t%s\nthe model\n\t%s", text(got), text(m.rooms))
	}
	return ""
}

// players are all whom the model has heard of, and somebody else.
func (m *Model) players() []string {
	all := map[string]bool{"nobody": true}
	for _, x := range m.moved {
		for _, account := range []string{x.from, x.to} {
			if len(account) > 7 && account[:7] == "player:" {
				all[account[7:]] = true
			}
		}
	}
	for _, p := range m.matches {
		for _, s := range p.said.seats {
			all[s.Player] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// diffMatchLedger holds what went through a match's pot, and what is held and unclaimed because of it. Wallets and debts
// are compared as a whole: which match a debt came from that several left behind is nobody's to say.
func (m *Model) diffMatchLedger(ctx context.Context, e *finalbell.Engine, match string) string {
	got, want := make(map[[2]string]int64), make(map[[2]string]int64)
	for l, err := range e.MatchLedger(ctx, match) {
		if err != nil {
			return err.Error()
		}
		got[[2]string{l.Account, l.Currency}] += l.Amount
	}
	for _, x := range m.moved {
		if x.match == match {
			want[[2]string{x.from, x.currency}] -= x.amount
			want[[2]string{x.to, x.currency}] += x.amount
		}
	}
	for _, sums := range []map[[2]string]int64{got, want} {
		maps.DeleteFunc(sums, func(at [2]string, n int64) bool {
			whose, _, _ := strings.Cut(at[0], ":")
			return n == 0 || !slices.Contains([]string{"pot", "hold", "escrow"}, whose)
		})
	}
	if !maps.Equal(got, want) {
		return fmt.Sprintf("the ledger has moved %v, want %v", got, want)
	}
	return ""
}

// diffGrants compares two lists of grants, in any order.
func diffGrants(got, want []finalbell.Grant) string {
	byID := func(list []finalbell.Grant) []finalbell.Grant {
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b finalbell.Grant) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
		return list
	}
	got, want = byID(got), byID(want)
	for i := range min(len(got), len(want)) {
		if !sameGrant(got[i], want[i]) {
			return fmt.Sprintf("the engine has the grant\n\t%s\nthe model\n\t%s", text(got[i]), text(want[i]))
		}
	}
	switch n := len(want); {
	case len(got) > n:
		return "the engine has one more grant: " + text(got[n])
	case len(got) < n:
		return "the engine has not the grant " + text(want[len(got)])
	}
	return ""
}

func sameGrant(a, b finalbell.Grant) bool {
	counted := a.Kind == finalbell.XPGrant || a.Kind == finalbell.ItemGrant || a.Kind == finalbell.CurrencyGrant
	if a.State == finalbell.GrantGranted && counted && a.New-a.Old != a.Amount {
		return false
	}
	return a.ID == b.ID && a.Player == b.Player && a.Match == b.Match && a.Board == b.Board && a.Window == b.Window &&
		a.Partition == b.Partition && a.Rule == b.Rule && a.Kind == b.Kind && a.What == b.What && a.Amount == b.Amount &&
		a.State == b.State && a.At.Equal(b.At) && a.Expires.Equal(b.Expires)
}

func sameProgress(a, b finalbell.Progress) bool {
	return a.Player == b.Player && maps.Equal(a.Items, b.Items) && slices.Equal(a.Markers, b.Markers) &&
		slices.EqualFunc(a.Goals, b.Goals, func(x, y finalbell.GoalProgress) bool {
			return x.Achievement == y.Achievement && x.Window == y.Window && x.Value.String() == y.Value.String() &&
				x.Threshold.Cmp(y.Threshold) == 0 && x.Remaining.String() == y.Remaining.String() && x.Reached == y.Reached
		})
}
