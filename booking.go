package finalbell

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// How a posting comes into the ledger. Who decides it has reserved the players whose money it moves, so their balances
// are known by then. The house takes part in every paid match; if it had to be reserved, one paid match a sync would be
// the limit. So its balance is filled in when the posting is sealed, by the committer, which seals in order.

// maxMoney is the most that one posting moves on one account: with balances of at most 256 times that the house's
// cannot overflow within a batch.
const (
	maxMoney   = 1 << 53
	maxBalance = 1 << 62
)

// booking is a posting on its way into the ledger.
type booking struct {
	posting posting  // with the balances after each line, but for the house's
	stand   balances // before it
}

// balances are those of purses, and how many lines made each.
type balances struct {
	amounts map[purse]int64
	lines   map[purse]uint64
}

// balancesOf reads the balances of accounts; whose are reserved stay as they are.
func (e *engine) balancesOf(ctx context.Context, accounts []store.Account) (balances, error) {
	b := balances{amounts: make(map[purse]int64), lines: make(map[purse]uint64)}
	if len(accounts) == 0 {
		return b, nil
	}
	for l, err := range e.store.Balances(ctx, accounts) {
		if err != nil {
			return b, unavailable(err)
		}
		b.amounts[storedPurse(l)], b.lines[storedPurse(l)] = l.Balance, l.Seq
	}
	return b, nil
}

// book makes a booking of lines, or nil of none. What comes in for a player who owes repays that first; whose wallet
// would go below zero is helped as their currency's missing says, and refused if it says nothing.
func (e *engine) book(ctx context.Context, key string, lines []ledgerLine, missing shortfalls) (*booking, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	stand, err := e.balancesOf(ctx, touched(lines))
	if err != nil {
		return nil, err
	}
	p, err := postingOf(key, lines, stand.amounts, missing)
	if err != nil || len(p.lines) == 0 {
		return nil, err
	}
	if err := e.committer.books.room(p); err != nil {
		return nil, err
	}
	return &booking{posting: p, stand: stand}, nil
}

// touched are the accounts of which the balances must be known to book lines.
func touched(lines []ledgerLine) []store.Account {
	var accounts []store.Account
	seen := make(map[account]bool)
	add := func(a account) {
		if !seen[a] {
			seen[a] = true
			accounts = append(accounts, accountRecord(a))
		}
	}
	for _, l := range lines {
		switch l.account.kind {
		case houseAccount:
		case playerAccount, debtAccount:
			add(account{playerAccount, l.account.id})
			add(account{debtAccount, l.account.id})
		default:
			add(l.account)
		}
	}
	return accounts
}

// seal writes the booking down: its records, with the house's balances as they are at this place in the order.
func (b *booking) seal(books *books, position uint64, at time.Time) []store.Record {
	if b == nil {
		return nil
	}
	records := make([]store.Record, len(b.posting.lines))
	seq := make(map[purse]uint64)
	for i, l := range b.posting.lines {
		if l.account.kind == houseAccount {
			l.balance, seq[l.purse] = books.add(l.currency, l.amount)
		} else {
			if seq[l.purse] == 0 {
				seq[l.purse] = b.stand.lines[l.purse]
			}
			seq[l.purse]++
		}
		records[i] = lineRecord(l, b.posting.key, seq[l.purse], position, i, at)
	}
	return records
}

// tell completes grants of money: what their players had of it before and after each.
func (b *booking) tell(granted []Grant) {
	has := make(map[purse]int64)
	for i := range granted {
		g := &granted[i]
		if !g.fresh {
			continue
		}
		wallet := purse{account{playerAccount, g.Player}, g.What}
		if _, seen := has[wallet]; !seen {
			has[wallet] = b.stand.amounts[wallet]
		}
		g.Old, g.New = has[wallet], has[wallet]+g.Amount // fits: the booking's own sum does
		has[wallet] = g.New
	}
}

// books are the house's balances, by currency: as they are on the disk, and as they will be with what is being written.
type books struct {
	mu   sync.Mutex
	kept map[string]houseBalance
	made map[string]houseBalance
}

type houseBalance struct {
	amount int64
	lines  uint64
}

// open takes in where the books stand.
func (b *books) open(ctx context.Context, s store.Store) error {
	b.kept = make(map[string]houseBalance)
	for l, err := range s.Balances(ctx, []store.Account{accountRecord(account{kind: houseAccount})}) {
		if err != nil {
			return unavailable(err)
		}
		b.kept[l.Currency] = houseBalance{l.Balance, l.Seq}
	}
	b.restart()
	return nil
}

// restart begins a batch, or begins it again.
func (b *books) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = maps.Clone(b.kept)
}

// keep notes that the batch is on the disk.
func (b *books) keep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = b.made
}

// add takes in one line, and is the balance after it and its number.
func (b *books) add(currency string, amount int64) (balance int64, line uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.made[currency]
	h.amount += amount // room has seen that it fits
	h.lines++
	b.made[currency] = h
	return h.amount, h.lines
}

// room refuses a posting that moves more than money has room for.
func (b *books) room(p posting) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	moved := make(map[purse]wide)
	for _, l := range p.lines {
		w := moved[l.purse].add(int64(min(magnitude(l.amount), math.MaxInt64)))
		moved[l.purse] = w
		if n, fits := w.int64(); !fits || n > maxMoney {
			return refuse(ErrOutcome, "posting "+quote(p.key)+": "+quote(l.account.String())+": more "+l.currency+" than one posting moves")
		}
		if l.account.kind == houseAccount && magnitude(b.kept[l.currency].amount) > maxBalance {
			return refuse(ErrOutcome, "posting "+quote(p.key)+": the balance of the house overflows")
		}
	}
	return nil
}
