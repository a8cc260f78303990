package finalbell

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// Money that the host moves for purposes of its own: gifts, sales, withdrawals.

// Money is an amount for a player, or from one, under a key.
type Money struct {
	Player   string
	Currency string
	Amount   int64 // minor units, 1 to 2^53
	// Key names the movement for ever, among those of all players: the same call with the same key moves nothing more.
	// Without one it gets a new one, and a repeat is a second movement: who takes calls over a network sets it.
	Key string
}

// Transfer is an amount that goes from one player to another.
type Transfer struct {
	From, To string
	Currency string
	Amount   int64 // minor units, 1 to 2^53
	Key      string
}

// Receipt is what a movement of money has done.
type Receipt struct {
	Posting  string           // its name in the ledger
	Replayed bool             // it was made before
	Balances map[string]int64 // of the player, or of who pays in a transfer, as they are now, in every currency
}

// Credit gives a player money of the house. A debt is repaid out of it first. The same key again returns Replayed, with
// other content it is ErrConflict; an unknown currency is ErrInvalid.
func (e *Engine) Credit(ctx context.Context, m Money) (Receipt, error) {
	wallet, house := purse{account{playerAccount, m.Player}, m.Currency}, purse{account{kind: houseAccount}, m.Currency}
	return e.pay(ctx, payment{op: "credit", player: m.Player, kind: creditedEvent, key: m.Key, currency: m.Currency, amount: m.Amount,
		lines: ledgerLine{}.moves(house, wallet, creditLine, m.Amount)})
}

// Debit takes money from a player to the house. It is as Credit is, and ErrInsufficient if the player has less.
func (e *Engine) Debit(ctx context.Context, m Money) (Receipt, error) {
	wallet, house := purse{account{playerAccount, m.Player}, m.Currency}, purse{account{kind: houseAccount}, m.Currency}
	return e.pay(ctx, payment{op: "debit", player: m.Player, kind: debitedEvent, key: m.Key, currency: m.Currency, amount: m.Amount,
		lines: ledgerLine{}.moves(wallet, house, debitLine, m.Amount)})
}

// Transfer moves money between players. It is as Debit is for who pays, and as Credit for who gets it.
func (e *Engine) Transfer(ctx context.Context, t Transfer) (Receipt, error) {
	from, to := purse{account{playerAccount, t.From}, t.Currency}, purse{account{playerAccount, t.To}, t.Currency}
	return e.pay(ctx, payment{op: "transfer", player: t.From, other: t.To, kind: transferredEvent, key: t.Key, currency: t.Currency, amount: t.Amount,
		lines: ledgerLine{}.moves(from, to, transferLine, t.Amount)})
}

// payment is one call that moves money.
type payment struct {
	op            string
	player, other string
	currency      string
	amount        int64
	key           string
	kind          string // of the event
	lines         []ledgerLine
}

func (e *Engine) pay(ctx context.Context, p payment) (Receipt, error) {
	if p.key == "" {
		p.key = e.newID()
	}
	receipt, err := e.tryPay(ctx, p)
	if errors.Is(err, store.ErrReplayed) || errors.Is(err, store.ErrStale) { // somebody else has written to the store
		receipt, err = e.tryPay(ctx, p)
	}
	switch {
	case errors.Is(err, store.ErrReused):
		err = &refusal{kind: ErrConflict, text: "key " + quote(p.key) + " was used for other content", ids: []string{p.player}, cause: err}
	case errors.Is(err, store.ErrReplayed) || errors.Is(err, store.ErrStale):
		err = unavailable(err)
	}
	return receipt, failed(p.op, p.player, err)
}

func (e *Engine) tryPay(ctx context.Context, p payment) (Receipt, error) {
	if err := e.checkPayment(ctx, p); err != nil {
		return Receipt{}, err
	}
	posting := keyOf("money", p.key)
	keys := []key{{'p', p.player}}
	if p.other != "" {
		keys = append(keys, key{'p', p.other})
	}
	t, err := e.committer.keys.acquire(ctx, keys...)
	if err != nil {
		return Receipt{}, e.notReserved(ctx, err)
	}
	replayed, err := e.paid(ctx, posting, p)
	if err == nil && !replayed {
		now := e.now()
		job := &ledgerJob{engine: e.engine, commit: store.Commit{Key: posting, Digest: store.Digest(p.digest()), At: now, Kind: p.kind, ID: p.player}}
		if job.booking, err = e.book(ctx, posting, p.lines, nil); err == nil {
			err = e.committer.submit(ctx, &pending{ticket: t, job: job})
			t = nil
		}
	}
	e.committer.keys.release(t)
	if err != nil {
		return Receipt{}, err
	}
	w, err := e.wallet(ctx, p.player)
	return Receipt{Posting: posting, Replayed: replayed, Balances: w.Balances}, err
}

func (e *Engine) checkPayment(ctx context.Context, p payment) error {
	if err := e.writable(ctx); err != nil {
		return err
	}
	if err := checkID("player", p.player); err != nil {
		return err
	}
	if p.op == "transfer" {
		if err := checkID("to", p.other); err != nil {
			return err
		}
		if p.other == p.player {
			return refuse(ErrInvalid, "to: "+quote(p.other)+" is who pays", p.player)
		}
	}
	if err := checkID("key", p.key); err != nil {
		return err
	}
	if !slices.ContainsFunc(e.ruleset().rules.Currencies, func(c Currency) bool { return c.ID == p.currency }) {
		return refuse(ErrInvalid, "currency: no currency "+quote(p.currency), p.player)
	}
	if p.amount < 1 || p.amount > maxMoney {
		return refuse(ErrInvalid, "amount: "+strconv.FormatInt(p.amount, 10)+" is not between 1 and 2^53", p.player)
	}
	return nil
}

// paid reports whether a payment was made already, and refuses another one under the same key.
func (e *engine) paid(ctx context.Context, posting string, p payment) (bool, error) {
	var found []store.Line
	for l, err := range e.store.Lines(ctx, store.LineQuery{Posting: posting}) {
		if err != nil {
			return false, unavailable(err)
		}
		found = append(found, l)
	}
	if len(found) == 0 {
		return false, nil
	}
	for _, want := range p.lines {
		if !slices.ContainsFunc(found, func(l store.Line) bool {
			return storedPurse(l) == want.purse && l.Amount == want.amount && l.Kind == string(want.kind)
		}) {
			return false, store.ErrReused
		}
	}
	return true, nil
}

// digest tells payments apart.
func (p payment) digest() digest {
	return digester(nil).text(p.kind).text(p.player).text(p.other).text(p.currency).size(int(p.amount)).sum()
}

// ledgerJob commits an event that changes no match: one that moves money, settles a grant, or is only to be kept.
type ledgerJob struct {
	engine  *engine
	commit  store.Commit // but for its position
	booking *booking
	granted []Grant // as they are from then on
	facts   []playerFacts
	// holds, if not nil, reports whether it has a name that nobody has reserved; marked is from before that was read.
	holds  func(name string) bool
	marked uint64
	match  *Match // that it is about; nil: none
}

// stale reports that somebody whom it names was forgotten. Who is reserved is not, from before the job is made.
func (j *ledgerJob) stale() bool {
	return j.holds != nil && j.engine.forgotten.since(j.marked, j.holds)
}

func (j *ledgerJob) seal(position uint64) store.Commit {
	c := j.commit
	c.Position = position
	c.Records = slices.Concat(c.Records, j.booking.seal(&j.engine.committer.books, position, c.At), grantRecords(j.granted, position), factsRecords(j.facts, position))
	return c
}

func (j *ledgerJob) applied(position uint64) {
	j.engine.dues.noteGrants(j.granted)
	j.engine.remembered.note(j.facts, position)
}
