package finalbell

import (
	"time"

	"github.com/finalbell/finalbell/store"
)

// Money, grants and facts as store records, for rows.go.

func lineRecord(l ledgerLine, posting string, seq, position uint64, place int, at time.Time) store.Line {
	return store.Line{
		Account: store.Account{Kind: string(l.account.kind), ID: l.account.id}, Currency: l.currency, Seq: seq, Amount: l.amount,
		Balance: l.balance, Kind: string(l.kind), Posting: posting, Position: position, Place: place, At: at,
		Match: l.match, Board: l.board, Window: l.window, Grant: l.grant,
	}
}

// ledgerLineOf is a stored line as postings are made of.
func ledgerLineOf(r store.Line) ledgerLine {
	return ledgerLine{purse: storedPurse(r), amount: r.Amount, balance: r.Balance, kind: lineKind(r.Kind),
		about: about{match: r.Match, board: r.Board, window: r.Window, grant: r.Grant}}
}

func accountOf(r store.Account) account     { return account{accountKind(r.Kind), r.ID} }
func accountRecord(a account) store.Account { return store.Account{Kind: string(a.kind), ID: a.id} }
func storedPurse(r store.Line) purse        { return purse{accountOf(r.Account), r.Currency} }

// grantRecords are grants as a commit leaves them, which may be the one that makes them.
func grantRecords(grants []Grant, position uint64) []store.Record {
	records := make([]store.Record, len(grants))
	for i, g := range grants {
		if g.version == 0 {
			g.position, g.place = position, i
		}
		records[i] = store.Grant{
			ID: g.ID, Version: g.version + 1, Player: g.Player, Match: g.Match,
			WindowKey: store.WindowKey{Board: g.Board, Window: g.Window, Partition: g.Partition, Generation: g.generation},
			Rule:      g.Rule, Kind: string(g.Kind), What: g.What, Amount: g.Amount, Old: g.Old, New: g.New, State: string(g.State),
			Position: g.position, Place: g.place, At: g.At, Expires: g.Expires, Due: g.due, Attempts: g.Attempts, Turn: g.Turn, Problem: g.Problem,
		}
	}
	return records
}

func grantOf(r store.Grant) Grant {
	return Grant{
		ID: r.ID, Player: r.Player, Match: r.Match, Board: r.Board, Window: r.Window, Partition: r.Partition, Rule: r.Rule,
		Kind: GrantKind(r.Kind), What: r.What, Amount: r.Amount, Old: r.Old, New: r.New, State: GrantState(r.State),
		At: r.At, Expires: r.Expires, Attempts: r.Attempts, Turn: r.Turn, Problem: r.Problem,
		version: r.Version, generation: r.Generation, position: r.Position, place: r.Place, due: r.Due,
	}
}

func factsRecords(changed []playerFacts, position uint64) []store.Record {
	records := make([]store.Record, len(changed))
	for i, f := range changed {
		records[i] = store.Facts{Player: f.player, Version: f.version + 1, Data: f.facts.encode(position)}
	}
	return records
}
