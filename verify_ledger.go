package finalbell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// The ledger, the grants and the players' facts, checked from their rows.

// audit adds the ledger up again.
type audit struct {
	*verifier
	at       uint64 // position of the last line seen
	balances balances
	posting  string
	sums     map[string]wide             // of the posting at hand, by currency
	holds    map[string]wide             // what is held for a match; of "": in rooms
	held     map[purse]wide              // what matches and rooms say that they hold of players
	got      map[string]map[string]int64 // by grant and kind of account: what its lines come to, but for debts and the floor
}

func newAudit(v *verifier) *audit {
	return &audit{verifier: v, balances: balances{amounts: make(map[purse]int64), lines: make(map[purse]uint64)},
		sums: make(map[string]wide), holds: make(map[string]wide), held: make(map[purse]wide), got: make(map[string]map[string]int64)}
}

// follow takes in the lines after the last one seen.
func (a *audit) follow(ctx context.Context) error {
	for l, err := range a.engine.store.Lines(ctx, store.LineQuery{After: a.at}) {
		if err != nil {
			return err
		}
		if l.Posting != a.posting {
			a.endPosting()
			a.posting = l.Posting
		}
		a.at = l.Position
		a.line(l)
	}
	a.endPosting()
	return nil
}

func (a *audit) endPosting() {
	for _, currency := range names(a.sums) {
		if a.sums[currency] != (wide{}) {
			a.problem("account", "", "", "posting %s does not sum to zero in %s", quote(a.posting), quote(currency))
		}
	}
	clear(a.sums)
	a.posting = ""
}

func (a *audit) line(l store.Line) {
	at := storedPurse(l)
	id := at.account.String()
	a.sums[l.Currency] = a.sums[l.Currency].add(l.Amount)
	if a.balances.lines[at]++; l.Seq != a.balances.lines[at] {
		a.problem("account", id, "", "line %d of %s in posting %s should be its line %d", l.Seq, quote(l.Currency), quote(l.Posting), a.balances.lines[at])
	}
	sum, ok := addChecked(a.balances.amounts[at], l.Amount)
	if !ok || sum != l.Balance {
		a.problem("account", id, "", "has %d %s after posting %s, should have %d", l.Balance, l.Currency, quote(l.Posting), sum)
	}
	a.balances.amounts[at] = l.Balance
	if kind := at.account.kind; l.Balance < 0 && kind != houseAccount && kind != debtAccount || l.Balance > 0 && kind == debtAccount {
		a.problem("account", id, "", "has %d %s after posting %s", l.Balance, l.Currency, quote(l.Posting))
	}
	if at.account.kind == holdAccount {
		a.holds[l.Match] = a.holds[l.Match].add(l.Amount)
	}
	if l.Grant == "" || lineKind(l.Kind).helps() {
		return
	}
	if a.got[l.Grant] == nil {
		a.got[l.Grant] = make(map[string]int64, 1)
	}
	a.got[l.Grant][l.Account.Kind] += l.Amount
}

// matches holds what the ledger says about matches, and their grants, against what the matches say.
func (a *audit) matches(ctx context.Context) error {
	for r, err := range a.engine.store.Matches(ctx, store.MatchQuery{}) {
		if err != nil {
			return err
		}
		if checkRecord(r) != nil {
			continue // found by who looks at matches
		}
		if err := a.pot(ctx, matchOf(r, a.engine.ruleset())); err != nil {
			return err
		}
		delete(a.holds, r.ID)
	}
	delete(a.holds, "")
	for _, id := range slices.Sorted(maps.Keys(a.holds)) {
		a.problem("account", id, "", "fees are held for a match that is not there")
	}
	return nil
}

// pot holds what is held and in the pot for a match against its standings.
func (a *audit) pot(ctx context.Context, m Match) error {
	var held, paid wide
	for _, s := range m.roster {
		held, paid = held.add(s.Held), paid.add(s.Paid)
	}
	if a.holds[m.ID] != held {
		a.problem("match", m.ID, "", "fees are held that its players are not said to have paid, or the other way round")
	}
	rs := a.engine.ruleset()
	terms := rs.terms(m)
	if terms.Fee != nil {
		for _, s := range m.roster {
			a.hold(s.Player, terms.Fee.Currency, s.Held)
		}
		pot := a.balances.amounts[purse{account{potAccount, m.ID}, terms.Fee.Currency}]
		want := int64(0)
		if m.State == Started || m.State == Disputed {
			want, _ = paid.int64()
		}
		if pot != want {
			a.problem("match", m.ID, "", "%d %s are in its pot, should be %d", pot, terms.Fee.Currency, want)
		}
	}
	return a.grants(ctx, m, terms)
}

// grants holds the grants of a match against what its prizes and gains give.
func (a *audit) grants(ctx context.Context, m Match, terms Mode) error {
	stored := make(map[string]Grant)
	if m.grants > 0 {
		for g, err := range a.engine.grants(ctx, store.GrantQuery{Match: m.ID}) {
			if err != nil {
				return err
			}
			stored[g.ID] = g
		}
	}
	var awards []award
	if m.State == Ended {
		var err error
		if awards, _, err = awardsOf(m, terms, a.engine.ruleset().history.mode(m.Mode, m.position)); err != nil {
			a.problem("match", m.ID, "", "its prizes cannot be given: %v", err)
			return nil
		}
	}
	a.given("match", m.ID, "", awards, stored)
	for _, id := range names(stored) {
		wanted := slices.ContainsFunc(awards, func(w award) bool { return w.id == id })
		if g := stored[id]; partsOf(id)[0] == matchGrants && !wanted && g.State != GrantRevoked {
			a.problem("grant", id, "", "is %s, but the match gives no such thing", g.State)
		}
	}
	return nil
}

// given holds awards against the stored grants.
func (v *verifier) given(kind, id, board string, awards []award, stored map[string]Grant) {
	for _, w := range awards {
		g, there := stored[w.id]
		switch {
		case !there:
			v.problem(kind, id, board, "%s was not given %s", quote(w.player), quote(w.id))
		case g.reward() != w.gives || g.Player != w.player || g.State == GrantRevoked:
			v.problem("grant", w.id, board, "gives %s %d of %s and is %s; should give %s %d", quote(g.Player), g.Amount, quote(g.What), g.State, quote(w.player), w.gives.Amount)
		}
	}
}

// players adds every player's grants up and holds them against the ledger and the players' facts.
func (a *audit) players(ctx context.Context) error {
	type counted struct{ markers, items map[string]int64 }
	sums := make(map[string]*counted)
	escrow := make(map[purse]wide)
	for g, err := range a.engine.grants(ctx, store.GrantQuery{}) {
		if err != nil {
			return err
		}
		a.grant(g, escrow)
		if g.State != GrantGranted || g.Kind != XPGrant && g.Kind != ItemGrant {
			continue
		}
		if sums[g.Player] == nil {
			sums[g.Player] = &counted{}
		}
		of := &sums[g.Player].markers
		if g.Kind == ItemGrant {
			of = &sums[g.Player].items
		}
		set(of, g.What, (*of)[g.What]+g.Amount)
	}
	for at, balance := range a.balances.amounts {
		if n, _ := escrow[at].int64(); at.account.kind == escrowAccount && n != balance {
			a.problem("account", at.account.String(), "", "has %d %s, but grants of %d wait to be claimed", balance, at.currency, n)
		}
	}
	for r, err := range a.engine.store.Facts(ctx, nil) {
		if err != nil {
			return err
		}
		f, err := decodeFacts(r.Data)
		if err != nil {
			a.problem("player", r.Player, "", "%v", err)
			continue
		}
		sum := sums[r.Player]
		if sum == nil {
			sum = &counted{}
		}
		delete(sums, r.Player)
		if !maps.Equal(f.Markers, sum.markers) || !maps.Equal(f.Items, sum.items) {
			a.problem("player", r.Player, "", "has %v and %v, but was granted %v and %v", f.Markers, f.Items, sum.markers, sum.items)
		}
		if err := a.goals(ctx, r.Player, f); err != nil {
			return err
		}
	}
	for _, player := range names(sums) {
		a.problem("player", player, "", "was granted %v and %v, but nothing is kept of that", sums[player].markers, sums[player].items)
	}
	return nil
}

// grant holds a grant of money against its lines.
func (a *audit) grant(g Grant, escrow map[purse]wide) {
	if g.Kind != CurrencyGrant {
		return
	}
	wallet, waits := int64(0), int64(0)
	switch {
	case g.State == GrantGranted:
		wallet = g.Amount
	case g.claimable():
		waits = g.Amount
		at := purse{account{escrowAccount, g.Player}, g.What}
		escrow[at] = escrow[at].add(g.Amount)
	}
	got := a.got[g.ID]
	if got[string(playerAccount)] != wallet || got[string(escrowAccount)] != waits {
		a.problem("grant", g.ID, "", "is %s, but its lines come to %d in the wallet and %d to be claimed", g.State, got[string(playerAccount)], got[string(escrowAccount)])
	}
}

// goals folds a player's achievements and statistics again.
func (a *audit) goals(ctx context.Context, player string, f facts) error {
	if f.Last == (moment{}) && f.Stats == nil {
		return nil
	}
	past, err := a.engine.pastOf(ctx, a.engine.ruleset(), player, 0)
	if errors.Is(err, errRecord) {
		return nil // which is a problem of its own already
	}
	if err != nil {
		return err
	}
	again, _, err := foldGoals(f, past)
	if f.Stats != nil {
		stats, _ := foldStatistics(past, moment{})
		again.Stats = &stats
	}
	if err != nil || !bytes.Equal(again.encode(0), f.encode(0)) {
		a.problem("player", player, "", "has progress %s, should have %s%s", f.encode(0), again.encode(0), errText(err))
	}
	return nil
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// paidOut holds the grants of a window that was closed by a commit against what its standings give.
func (v *verifier) paidOut(ctx context.Context, p *period) error {
	day, err := p.payday(p.board.rule)
	if err != nil || len(day.awards) == 0 {
		return err
	}
	frozen, err := v.engine.windowRecord(ctx, p.board, p.id)
	if err != nil {
		return err
	}
	if !frozen.Frozen {
		day = day.slice(0, v.engine.payslice()) // the rest is on its way
	}
	stored := make(map[string]Grant)
	for g, err := range v.engine.grants(ctx, store.GrantQuery{Board: p.board.rule.ID, Window: p.id}) {
		if err != nil {
			return err
		}
		stored[g.ID] = g
	}
	v.given("window", windowID(p.board.rule.ID, p.id), p.board.rule.ID, day.awards, stored)
	return nil
}
