package finalbell

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Double-entry money. Nothing is ever added to one account alone: every movement is a posting, whose lines sum to
// zero in each currency, so money is moved and never made. Amounts are minor units; nothing is rounded, and what
// does not fit is refused and never wraps.

// accountKind is whose money an account holds.
type accountKind string

const (
	playerAccount accountKind = "player" // a wallet; never below zero
	houseAccount  accountKind = "house"  // the operator's: where fees go to and fixed prizes come from; may be below zero
	potAccount    accountKind = "pot"    // the captured fees of a match, until it ends
	holdAccount   accountKind = "hold"   // a player's fees in rooms and for matches that have not started
	escrowAccount accountKind = "escrow" // a player's prizes that are to be claimed
	debtAccount   accountKind = "debt"   // what a player owes, as a balance of zero or less
)

// account is one side of a movement. The house has no id; the others have that of their player, or match.
type account struct {
	kind accountKind
	id   string
}

func (a account) String() string {
	if a.id == "" {
		return string(a.kind)
	}
	return string(a.kind) + ":" + a.id
}

func (a account) compare(b account) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
}

// purse is what has a balance: an account in one currency.
type purse struct {
	account  account
	currency string
}

// lineKind is why money moved. The words are stored, and stay for ever.
type lineKind string

const (
	feeHeld      lineKind = "fee_held"
	feeReleased  lineKind = "fee_released"
	feeCaptured  lineKind = "fee_captured"
	prizeLine    lineKind = "prize"
	rewardLine   lineKind = "reward" // of an achievement or a level
	claimLine    lineKind = "claim"
	expiryLine   lineKind = "expiry" // what was not claimed goes back to the house
	houseLine    lineKind = "house"  // what the house keeps of a pot
	floorLine    lineKind = "floor"  // what it pays for a player who is short
	refundLine   lineKind = "refund"
	creditLine   lineKind = "credit"
	debitLine    lineKind = "debit"
	transferLine lineKind = "transfer"
	reversal     lineKind = "reversal"
	debtLine     lineKind = "debt" // a debt made or repaid
)

// helps reports whether lines of the kind only make good what others do.
func (k lineKind) helps() bool { return k == debtLine || k == floorLine }

// ledgerLine is one account's part in a posting.
type ledgerLine struct {
	purse
	amount  int64 // what the account gains; never 0
	balance int64 // of the purse after this line; set by apply
	kind    lineKind
	about
}

// about is what a line is about, as far as it is about something.
type about struct {
	match         string
	board, window string
	grant         string
}

func (a about) compare(b about) int {
	return cmp.Or(cmp.Compare(a.match, b.match), cmp.Compare(a.board, b.board), cmp.Compare(a.window, b.window), cmp.Compare(a.grant, b.grant))
}

// compareParts orders the lines that are one and the same part of a posting next to each other.
func compareParts(a, b ledgerLine) int {
	return cmp.Or(a.account.compare(b.account), cmp.Compare(a.currency, b.currency), cmp.Compare(a.kind, b.kind),
		a.about.compare(b.about))
}

// compareLines is the order of a posting's lines: by account, then currency. What an account gains comes before
// what it pays, so that the balance on a line is below zero only where the last one is.
func compareLines(a, b ledgerLine) int {
	return cmp.Or(a.account.compare(b.account), cmp.Compare(a.currency, b.currency), cmp.Compare(sign(b.amount), sign(a.amount)),
		compareParts(a, b))
}

func sign(n int64) int { return cmp.Compare(n, 0) }

// posting is a movement of money that happens whole or not at all. Only newPosting makes one.
type posting struct {
	key   string       // names the movement for ever; the same key again is the same movement
	lines []ledgerLine // in the order of compareLines, no two of one part, none of 0
}

// newPosting makes a posting of lines in any order. Those of one purse, kind, match and window become one; what
// comes to nothing is left out. It refuses what does not sum to zero in each currency, and what overflows.
func newPosting(key string, lines ...ledgerLine) (posting, error) {
	sorted := slices.Clone(lines)
	slices.SortFunc(sorted, compareParts)
	p := posting{key: key}
	for i := 0; i < len(sorted); {
		merged, sum := sorted[i], wide{}
		for ; i < len(sorted) && compareParts(sorted[i], merged) == 0; i++ {
			sum = sum.add(sorted[i].amount)
		}
		amount, fits := sum.int64()
		// The smallest int64 has no opposite: a line of it could not be reversed.
		if !fits || amount == -amount && amount != 0 {
			return posting{}, refuse(ErrOutcome, "posting "+quote(key)+": "+quote(merged.account.String())+": the amount overflows")
		}
		merged.amount, merged.balance = amount, 0
		if amount != 0 {
			p.lines = append(p.lines, merged)
		}
	}
	slices.SortFunc(p.lines, compareLines)
	if off := unbalanced(p.lines); off != nil {
		return posting{}, refuse(ErrInvalid, "posting "+quote(key)+": does not sum to zero in "+list(off))
	}
	return p, nil
}

// unbalanced lists the currencies in which lines do not sum to zero.
func unbalanced(lines []ledgerLine) []string {
	sums := make(map[string]wide)
	for _, l := range lines {
		sums[l.currency] = sums[l.currency].add(l.amount)
	}
	var off []string
	for currency, sum := range sums {
		if sum != (wide{}) {
			off = append(off, currency)
		}
	}
	slices.Sort(off)
	return off
}

// apply is the posting with the balance after each of its lines, and the balances of the purses that it moved; a
// purse that is not in balances has 0, and balances stays as it is. If a player would go below zero, all who would
// are named by ErrInsufficient and nothing is applied.
func (p posting) apply(balances map[purse]int64) (posting, map[purse]int64, error) {
	if err := p.afford(balances); err != nil {
		return posting{}, nil, err
	}
	moved := make(map[purse]int64, len(p.lines))
	applied := posting{key: p.key, lines: slices.Clone(p.lines)}
	for i := range applied.lines {
		l := &applied.lines[i]
		before, there := moved[l.purse]
		if !there {
			before = balances[l.purse]
		}
		after, ok := addChecked(before, l.amount)
		if !ok {
			return posting{}, nil, refuse(ErrOutcome, "posting "+quote(p.key)+": the balance of "+quote(l.account.String())+" overflows")
		}
		l.balance, moved[l.purse] = after, after
	}
	return applied, moved, nil
}

// afford refuses a posting that a player cannot pay.
func (p posting) afford(balances map[purse]int64) error {
	var short []string
	var text strings.Builder
	for rest := p.lines; len(rest) > 0; {
		at, change := rest[0].purse, wide{}
		for ; len(rest) > 0 && rest[0].purse == at; rest = rest[1:] {
			change = change.add(rest[0].amount)
		}
		after := change.add(balances[at])
		// Who only gains is never short.
		if at.account.kind != playerAccount || change.hi >= 0 || after.hi >= 0 {
			continue
		}
		if text.Len() > 0 {
			text.WriteString(", ")
		}
		text.WriteString(quote(at.account.id) + " is short of ")
		if missing, fits := after.int64(); fits {
			text.WriteString(strconv.FormatUint(magnitude(missing), 10) + " ")
		}
		text.WriteString(at.currency)
		if len(short) == 0 || short[len(short)-1] != at.account.id {
			short = append(short, at.account.id)
		}
	}
	if short == nil {
		return nil
	}
	return refuse(ErrInsufficient, text.String(), short...)
}

// shortfalls are who pays, by currency, when a reversal takes back what a player has spent already. In a currency that is
// not in it nobody does, and apply will refuse: so it is for everything that is no reversal.
type shortfalls map[string]Shortfall

// postingOf makes the posting of lines with what debts make necessary, applied to balances.
func postingOf(key string, lines []ledgerLine, balances map[purse]int64, missing shortfalls) (posting, error) {
	lines, err := withDebts(lines, balances, missing)
	if err != nil {
		return posting{}, err
	}
	p, err := newPosting(key, lines...)
	if err != nil {
		return posting{}, err
	}
	p, _, err = p.apply(balances)
	return p, err
}

// undone are lines that take others back, by opposite amounts of kind reversal about the same things; debts and what the
// house paid for somebody stay what they are. Those others may be of several postings, and some of them may have
// been taken back before.
func undone(lines []ledgerLine) []ledgerLine {
	back := make([]ledgerLine, len(lines))
	for i, l := range lines {
		l.amount, l.balance = -l.amount, 0
		if !l.kind.helps() {
			l.kind = reversal
		}
		back[i] = l
	}
	return back
}

// withDebts adds to lines what debts make necessary, in each currency for itself: whoever gains and owes repays
// at once, as far as the gain goes; whoever would go below zero is helped as missing says; and a debt that is given
// back after it was repaid goes to the player. The new lines are about what the player's own are about.
func withDebts(lines []ledgerLine, balances map[purse]int64, missing shortfalls) ([]ledgerLine, error) {
	all := slices.Clone(lines)
	slices.SortFunc(all, compareLines)
	changes := make(map[purse]wide)
	for _, l := range all {
		changes[l.purse] = changes[l.purse].add(l.amount)
	}
	done := make(map[purse]bool)
	for _, l := range all { // those that are added need no look
		wallet := purse{account{playerAccount, l.account.id}, l.currency}
		if l.account.kind != playerAccount && l.account.kind != debtAccount || done[wallet] {
			continue
		}
		done[wallet] = true
		added, err := l.debts(wallet, balances, changes, missing)
		if err != nil {
			return nil, err
		}
		all = append(all, added...)
	}
	return all, nil
}

// debts is what withDebts adds for one wallet, about what l is about.
func (l ledgerLine) debts(wallet purse, balances map[purse]int64, changes map[purse]wide, missing shortfalls) ([]ledgerLine, error) {
	debt := purse{account{debtAccount, wallet.account.id}, l.currency}
	gain, fits1 := changes[wallet].int64()
	has, fits2 := changes[wallet].add(balances[wallet]).int64()
	owes, fits3 := changes[debt].add(balances[debt]).int64()
	spare := gain
	if changes[debt] != (wide{}) {
		spare = has // a debt that comes back is paid out of whatever is there: nobody has money and owes it
	}
	var back int64 // what the wallet gets of the debt account, or pays to it
	switch {
	case owes > 0: // more came back than is owed any more
		back = owes
	case owes < 0 && spare > 0:
		back = max(owes, -spare)
	}
	has, fits4 := addChecked(has, back)
	short := max(0, -has)
	if !fits1 || !fits2 || !fits3 || !fits4 || has < 0 && short == 0 {
		return nil, refuse(ErrOutcome, "the money of "+quote(wallet.account.id)+" overflows", wallet.account.id)
	}
	moves := l.moves(debt, wallet, debtLine, back)
	switch missing[l.currency] {
	case ShortfallDebt:
		moves = append(moves, l.moves(debt, wallet, debtLine, short)...)
	case ShortfallFloor:
		moves = append(moves, l.moves(purse{account{kind: houseAccount}, l.currency}, wallet, floorLine, short)...)
	}
	return moves, nil
}

// moves are the two lines that move an amount from one purse to another, about what l is about.
func (l ledgerLine) moves(from, to purse, kind lineKind, amount int64) []ledgerLine {
	l.kind, l.balance = kind, 0
	paid, got := l, l
	paid.purse, paid.amount = from, -amount
	got.purse, got.amount = to, amount
	return []ledgerLine{paid, got}
}

// wide is a sum of int64s that is exact whatever their order, in two's complement.
type wide struct {
	hi int64
	lo uint64
}

func (w wide) add(n int64) wide {
	lo, carry := bits.Add64(w.lo, uint64(n), 0)
	return wide{w.hi + n>>63 + int64(carry), lo}
}

func (w wide) int64() (n int64, fits bool) {
	n = int64(w.lo)
	return n, w.hi == n>>63
}
