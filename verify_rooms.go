package finalbell

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// Rooms, and what they and matches hold of players' money, checked from their rows.

// rooms holds every room against its matches, and what is held of players against the matches and rooms that it is held for.
func (a *audit) rooms(ctx context.Context) error {
	for record, err := range a.engine.store.Rooms(ctx, store.RoomQuery{}) {
		if err != nil {
			return err
		}
		if err := a.room(ctx, roomOf(record)); err != nil {
			return err
		}
	}
	var accounts []purse
	for at := range a.held {
		accounts = append(accounts, at)
	}
	for at, balance := range a.balances.amounts {
		if _, known := a.held[at]; !known && at.account.kind == holdAccount && balance != 0 {
			accounts = append(accounts, at)
		}
	}
	slices.SortFunc(accounts, func(x, y purse) int { return cmp.Or(x.account.compare(y.account), cmp.Compare(x.currency, y.currency)) })
	for _, at := range accounts {
		if n, fits := a.held[at].int64(); !fits || n != a.balances.amounts[at] {
			a.problem("account", at.account.String(), "", "has %d %s, but matches and rooms hold %d", a.balances.amounts[at], at.currency, n)
		}
	}
	return nil
}

// hold notes that something is held of a player.
func (a *audit) hold(player, currency string, amount int64) {
	if amount != 0 {
		at := purse{account{holdAccount, player}, currency}
		a.held[at] = a.held[at].add(amount)
	}
}

func (a *audit) room(ctx context.Context, r Room) error {
	if err := checkTwice(r.Members, func(m Member) string { return m.Player }); err != nil {
		a.problem("room", r.ID, "", "its members are %v", err)
	}
	if r.State != RoomOpen && r.State != RoomClosed || r.State == RoomClosed && len(r.Members) > 0 ||
		(r.Match != "" || len(r.Members) == 0) && !r.Deadline.IsZero() {
		a.problem("room", r.ID, "", "is %s with %s, match %s and deadline %s", r.State, plural(len(r.Members), "member"), quote(r.Match), wireTime(r.Deadline))
	}
	for _, m := range r.Members {
		if m.Held == 0 {
			continue
		}
		currency, err := a.engine.heldIn(ctx, r, m.Player)
		if err != nil {
			return err
		}
		a.hold(m.Player, currency, m.Held)
	}
	if r.Match != "" {
		in, err := a.engine.store.Match(ctx, r.Match)
		switch {
		case errors.Is(err, store.ErrNotFound):
			a.problem("room", r.ID, "", "match %s in it is not there", quote(r.Match))
		case err != nil:
			return err
		case in.Room != r.ID || !isRunning(State(in.State)):
			a.problem("room", r.ID, "", "match %s in it is %s in room %s", quote(r.Match), in.State, quote(in.Room))
		}
	}
	made := 0
	for m, err := range a.engine.store.Matches(ctx, store.MatchQuery{Room: r.ID}) {
		if err != nil {
			return err
		}
		if m.Created < r.created {
			continue // the room was not opened yet
		}
		made++
		if isRunning(State(m.State)) && m.ID != r.Match {
			a.problem("room", r.ID, "", "match %s is %s, but not in it", quote(m.ID), m.State)
		}
	}
	if made != r.Matches {
		a.problem("room", r.ID, "", "counts %d as the matches created in it, should be %d", r.Matches, made)
	}
	return nil
}

// isRunning reports whether a match is not over.
func isRunning(s State) bool { return s == Created || s == Started || s == Disputed }
