package finalbell

import (
	"context"
	"iter"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Line is one account's part in a posting of the ledger. The lines of a posting sum to zero in each currency.
type Line struct {
	At      time.Time
	Posting string // names the posting
	// Account is player:id for a wallet, hold:id for a player's fees in rooms and of matches that have not started, escrow:id
	// for prizes to be claimed, debt:id for what a player owes, pot:match for the fees of a running match, or house.
	Account  string
	Currency string
	Amount   int64  // what the account gains, in minor units; never 0
	Balance  int64  // of the account after this line
	Kind     string // why
	Match    string // what it is about, as far as it is about something
	Board    string
	Window   string
	Grant    string
	Position uint64 // of the commit, which has all lines of the posting
}

// Wallet is what a player has. The maps have every currency of the rules.
type Wallet struct {
	Player    string
	Balances  map[string]int64 // to be spent
	Held      map[string]int64 // in rooms and for matches that have not started
	Unclaimed map[string]int64 // of prizes; only what is not 0
	Owed      map[string]int64 // repaid from what comes in; only what is not 0
}

// wallets are the accounts of a player.
func wallets(player string) []store.Account {
	accounts := make([]store.Account, 0, 4)
	for _, kind := range []accountKind{playerAccount, holdAccount, escrowAccount, debtAccount} {
		accounts = append(accounts, accountRecord(account{kind, player}))
	}
	return accounts
}

// Wallet returns what a player has in each currency; somebody never heard of has nothing.
func (e *Engine) Wallet(ctx context.Context, player string) (Wallet, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("player", player)
	}
	if err != nil {
		return Wallet{}, failed("read wallet", player, err)
	}
	w, err := e.wallet(ctx, player)
	return w, failed("read wallet", player, err)
}

func (e *engine) wallet(ctx context.Context, player string) (Wallet, error) {
	w := Wallet{Player: player, Balances: make(map[string]int64), Held: make(map[string]int64), Unclaimed: make(map[string]int64), Owed: make(map[string]int64)}
	for _, c := range e.ruleset().rules.Currencies {
		w.Balances[c.ID], w.Held[c.ID] = 0, 0
	}
	for l, err := range e.store.Balances(ctx, wallets(player)) {
		if err != nil {
			return Wallet{}, unavailable(err)
		}
		switch accountKind(l.Account.Kind) {
		case playerAccount:
			w.Balances[l.Currency] = l.Balance
		case holdAccount:
			w.Held[l.Currency] = l.Balance
		case escrowAccount:
			if l.Balance != 0 {
				w.Unclaimed[l.Currency] = l.Balance
			}
		case debtAccount:
			if l.Balance != 0 {
				w.Owed[l.Currency] = -l.Balance
			}
		}
	}
	return w, nil
}

// Ledger yields the postings that touch a player, oldest first, with all their lines: those of the others in them too.
// The sequence holds no lock while it yields, and ends after an error.
func (e *Engine) Ledger(ctx context.Context, player string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		err := e.readable(ctx)
		if err == nil {
			err = checkID("player", player)
		}
		if err != nil {
			yield(Line{}, failed("read ledger", player, err))
			return
		}
		e.lines(ctx, player, store.LineQuery{Touching: wallets(player)}, yield)
	}
}

// Postings yields the whole ledger behind a position, oldest first: for exports, and for whoever keeps books elsewhere and
// goes on from the Position of the last line that they have.
func (e *Engine) Postings(ctx context.Context, after uint64) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Line{}, failed("read ledger", "", err))
			return
		}
		e.lines(ctx, "", store.LineQuery{After: after}, yield)
	}
}

// MatchLedger yields what the ledger says about a match: who paid, and what became of it.
func (e *Engine) MatchLedger(ctx context.Context, match string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		err := e.readable(ctx)
		if err == nil {
			err = checkID("match id", match)
		}
		if err == nil {
			_, err = e.find(ctx, match)
		}
		if err != nil {
			yield(Line{}, failed("read ledger of match", match, err))
			return
		}
		e.lines(ctx, match, store.LineQuery{Match: match}, yield)
	}
}

func (e *engine) lines(ctx context.Context, id string, q store.LineQuery, yield func(Line, error) bool) {
	for r, err := range e.store.Lines(ctx, q) {
		if err != nil {
			yield(Line{}, failed("read ledger", id, unavailable(err)))
			return
		}
		if !yield(lineOf(r), nil) {
			return
		}
	}
}

// lineOf is a stored line as it is shown.
func lineOf(r store.Line) Line {
	return Line{At: r.At, Posting: r.Posting, Account: accountOf(r.Account).String(), Currency: r.Currency, Amount: r.Amount,
		Balance: r.Balance, Kind: r.Kind, Match: r.Match, Board: r.Board, Window: r.Window, Grant: r.Grant, Position: r.Position}
}
