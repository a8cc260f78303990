package finalbell

import (
	"context"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// Entry fees: held when a match is created, captured when it starts, in its pot until it ends, and paid back if it
// does not, or ends without a contest.

// terms is the mode by which a match's money goes: as it was when the match was created, for that is what its players
// were promised.
func (rs *ruleset) terms(m Match) Mode {
	if m.created == 0 {
		return rs.mode(m.Mode)
	}
	return rs.history.mode(m.Mode, m.created)
}

// pays reports whether a participant pays the fee: bots do where they also win prizes.
func (m Mode) pays(s Standing) bool { return !s.Bot || m.Bots.Prizes == Include }

// feeMove is what moves one player's fee.
func feeMove(match, currency string, from, to account, kind lineKind, amount int64) []ledgerLine {
	return ledgerLine{about: about{match: match}}.moves(purse{from, currency}, purse{to, currency}, kind, amount)
}

// takeFees does with the fees what the step from before to d.next does.
func (e *engine) takeFees(ctx context.Context, d *decision, before Match) error {
	mode := d.rules.terms(d.next)
	if mode.Fee == nil && d.room == nil {
		return nil
	}
	d.next.roster = slices.Clone(d.next.roster)
	switch d.next.State {
	case Created:
		back := d.takeHolds(mode)
		if mode.Fee == nil {
			return nil
		}
		return e.holdFees(ctx, d, mode, back)
	case Started, Ended:
		return e.captureFees(ctx, d, mode, before)
	case Cancelled, Expired:
		d.giveBack(mode.Fee.Currency)
	}
	return nil
}

// holdFees holds the fee of everybody who has it and of whom the room did not hold it; some get something back. Who has not may
// get it before the start.
func (e *engine) holdFees(ctx context.Context, d *decision, mode Mode, back map[string]int64) error {
	has, err := e.wallets(ctx, d.next.roster, mode.Fee.Currency)
	if err != nil {
		return err
	}
	for i := range d.next.roster {
		s := &d.next.roster[i]
		if mode.pays(*s) && s.Held == 0 && has[s.Player]+back[s.Player] >= mode.Fee.Amount {
			s.Held = mode.Fee.Amount
			d.lines = append(d.lines, feeMove(d.next.ID, mode.Fee.Currency, account{playerAccount, s.Player}, account{holdAccount, s.Player}, feeHeld, s.Held)...)
		}
	}
	return nil
}

// captureFees takes the fee of everybody who has not paid yet into the pot: all of them or none. If the match was not
// running and somebody cannot pay, it goes on as it was, with no fee held, and the decision says so.
func (e *engine) captureFees(ctx context.Context, d *decision, mode Mode, before Match) error {
	currency, amount := mode.Fee.Currency, mode.Fee.Amount
	var unheld []Standing
	for _, s := range d.next.roster {
		if mode.pays(s) && s.Paid == 0 && s.Held == 0 {
			unheld = append(unheld, s)
		}
	}
	has, err := e.wallets(ctx, unheld, currency)
	if err != nil {
		return err
	}
	var short []string
	for i := range d.next.roster {
		s := &d.next.roster[i]
		from := account{holdAccount, s.Player}
		switch {
		case !mode.pays(*s) || s.Paid > 0:
			continue
		case s.Held > 0:
			s.Paid, s.Held = s.Held, 0
		case has[s.Player] < amount:
			short = append(short, s.Player)
			continue
		default:
			from.kind, s.Paid = playerAccount, amount
		}
		d.lines = append(d.lines, feeMove(d.next.ID, currency, from, account{potAccount, d.next.ID}, feeCaptured, s.Paid)...)
	}
	if short == nil {
		return nil
	}
	text := "cannot pay the fee of " + currency + ": " + list(short)
	if before.State != Created {
		return refuse(ErrInsufficient, text, short...) // they would walk in
	}
	return d.releaseFees(before, currency, refuse(ErrUnpaid, text, short...))
}

// releaseFees turns the decision into one that releases what was held and is refused for why.
func (d *decision) releaseFees(before Match, currency string, why error) error {
	d.next, d.lines, d.changes, d.refused = before, nil, nil, why
	d.next.roster = slices.Clone(before.roster)
	d.giveBack(currency)
	if len(d.lines) == 0 {
		return why
	}
	d.started, d.kind, d.digest, d.body = false, feesReleasedEvent, digest{}, nil
	d.key = keyOf("release", d.next.ID, versionText(d.next.version))
	return nil
}

// giveBack gives back whatever was held or paid.
func (d *decision) giveBack(currency string) {
	for i := range d.next.roster {
		s := &d.next.roster[i]
		wallet := account{playerAccount, s.Player}
		if s.Held > 0 {
			d.lines = append(d.lines, feeMove(d.next.ID, currency, account{holdAccount, s.Player}, wallet, feeReleased, s.Held)...)
		}
		if s.Paid > 0 {
			d.lines = append(d.lines, feeMove(d.next.ID, currency, account{potAccount, d.next.ID}, wallet, refundLine, s.Paid)...)
		}
		s.Held, s.Paid = 0, 0
	}
}

// wallets is what each player can spend of a currency.
func (e *engine) wallets(ctx context.Context, roster []Standing, currency string) (map[string]int64, error) {
	accounts := make([]store.Account, len(roster))
	for i, s := range roster {
		accounts[i] = accountRecord(account{playerAccount, s.Player})
	}
	b, err := e.balancesOf(ctx, accounts)
	if err != nil {
		return nil, err
	}
	has := make(map[string]int64, len(roster))
	for _, s := range roster {
		has[s.Player] = b.amounts[purse{account{playerAccount, s.Player}, currency}]
	}
	return has, nil
}
