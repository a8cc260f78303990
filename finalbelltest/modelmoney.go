package finalbelltest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
)

// The model's money: every amount that ever went from one account to another, and nothing else. What somebody has is
// added up from that whenever it is asked.

// movement is an amount that went from one account to another. Accounts are named as in finalbell.Line.
type movement struct {
	from, to string
	currency string
	amount   int64
	what     string
	match    string
	grant    string
}

// What movements of fees are, which stay when a match is amended.
const (
	feeHeld     = "fee held"
	feeReleased = "fee released"
	feeCaptured = "fee captured"
)

const house = "house"

func wallet(player string) string { return "player:" + player }
func hold(player string) string   { return "hold:" + player }
func escrow(player string) string { return "escrow:" + player }
func debt(player string) string   { return "debt:" + player }
func pot(match string) string     { return "pot:" + match }

// Balance is what an account has, by its name in finalbell.Line.
func (m *Model) Balance(account, currency string) int64 {
	var sum int64
	for _, x := range m.moved {
		sum += x.into(account, currency)
	}
	return sum
}

// into is what a movement brings to an account.
func (x movement) into(account, currency string) int64 {
	switch {
	case x.currency != currency || x.from == x.to:
	case x.to == account:
		return x.amount
	case x.from == account:
		return -x.amount
	}
	return 0
}

// post moves money at once, all of it or none. Whoever owes something and has something then pays it back. Who would have
// less than nothing is helped where revising says so, and else is refused; they are named. What is added is about a match too.
func (m *Model) post(moves []movement, about string, revising bool) (short []string) {
	players := make(map[string]bool)
	for _, x := range moves {
		for _, account := range []string{x.from, x.to} {
			if player, is := strings.CutPrefix(account, "player:"); is {
				players[player] = true
			}
			if player, is := strings.CutPrefix(account, "debt:"); is {
				players[player] = true
			}
		}
	}
	before := m.moved
	m.moved = append(slices.Clip(m.moved), moves...)
	for _, player := range slices.Sorted(maps.Keys(players)) {
		for _, c := range m.rules.Currencies {
			move := func(from, to string, amount int64) {
				if amount > 0 {
					m.moved = append(m.moved, movement{from: from, to: to, currency: c.ID, amount: amount, match: about})
				}
			}
			has, owes := m.Balance(wallet(player), c.ID), -m.Balance(debt(player), c.ID)
			move(debt(player), wallet(player), -owes)
			has += max(0, -owes)
			move(wallet(player), debt(player), min(has, owes))
			switch {
			case has >= 0:
			case !revising:
				short = append(short, player)
			case c.Shortfall == finalbell.ShortfallFloor:
				move(house, wallet(player), -has)
			default:
				move(debt(player), wallet(player), -has)
			}
		}
	}
	if short != nil {
		m.moved = before
	}
	return short
}

// Wallet is Engine.Wallet.
func (m *Model) Wallet(player string) (finalbell.Wallet, error) {
	w := finalbell.Wallet{Player: player, Balances: make(map[string]int64), Held: make(map[string]int64), Unclaimed: make(map[string]int64), Owed: make(map[string]int64)}
	if !validID(player) {
		return finalbell.Wallet{}, refuse(finalbell.ErrInvalid)
	}
	for _, c := range m.rules.Currencies {
		w.Balances[c.ID], w.Held[c.ID] = m.Balance(wallet(player), c.ID), m.Balance(hold(player), c.ID)
		if n := m.Balance(escrow(player), c.ID); n != 0 {
			w.Unclaimed[c.ID] = n
		}
		if n := m.Balance(debt(player), c.ID); n != 0 {
			w.Owed[c.ID] = -n
		}
	}
	return w, nil
}

// Credit is Engine.Credit. Without a key it gets the next id, as a match does.
func (m *Model) Credit(c finalbell.Money) (finalbell.Receipt, error) {
	return m.pay(movement{from: house, to: wallet(c.Player), currency: c.Currency, amount: c.Amount, what: "credit"}, c.Key, c.Player)
}

// Debit is Engine.Debit.
func (m *Model) Debit(c finalbell.Money) (finalbell.Receipt, error) {
	return m.pay(movement{from: wallet(c.Player), to: house, currency: c.Currency, amount: c.Amount, what: "debit"}, c.Key, c.Player)
}

// Transfer is Engine.Transfer.
func (m *Model) Transfer(c finalbell.Transfer) (finalbell.Receipt, error) {
	return m.pay(movement{from: wallet(c.From), to: wallet(c.To), currency: c.Currency, amount: c.Amount, what: "transfer"}, c.Key, c.From, c.To)
}

func (m *Model) pay(x movement, key string, players ...string) (finalbell.Receipt, error) {
	if key == "" {
		m.made++
		key = "id-" + strconv.Itoa(m.made)
	}
	good := validID(key) && x.from != x.to && x.amount >= 1 && x.amount <= 1<<53 &&
		slices.ContainsFunc(m.rules.Currencies, func(c finalbell.Currency) bool { return c.ID == x.currency })
	for _, player := range players {
		good = good && validID(player)
	}
	if !good {
		return finalbell.Receipt{}, refuse(finalbell.ErrInvalid)
	}
	paid, replayed := m.paid[key]
	if replayed && paid != x {
		return finalbell.Receipt{}, refuse(finalbell.ErrConflict)
	}
	if !replayed {
		if short := m.post([]movement{x}, "", false); short != nil {
			return finalbell.Receipt{}, refuse(finalbell.ErrInsufficient, short...)
		}
		m.paid[key] = x
		m.wrote(m.clock())
	}
	w, err := m.Wallet(players[0])
	return finalbell.Receipt{Replayed: replayed, Balances: w.Balances}, err
}

// pays reports whether somebody in a match pays its fee.
func pays(mode finalbell.Mode, s finalbell.Standing) bool {
	return mode.Fee != nil && (!s.Bot || mode.Bots.Prizes == finalbell.Include)
}

// isHeld and hasPaid add up a player's fee of one match.
func (m *Model) isHeld(match, player string) int64 {
	var sum int64
	for _, x := range m.moved {
		if x.match == match && (x.what == feeHeld || x.what == feeReleased || x.what == feeCaptured) {
			sum += x.into(hold(player), x.currency)
		}
	}
	return sum
}

func (m *Model) hasPaid(match, player string) int64 {
	var sum int64
	for _, x := range m.moved {
		if x.match == match && x.what == feeCaptured && (x.from == wallet(player) || x.from == hold(player)) {
			sum += x.amount
		}
	}
	return sum
}

// holdFees holds the fee of everybody who has it.
func (m *Model) holdFees(p played) {
	mode := m.mode(p.match.Mode)
	var moves []movement
	for _, s := range p.said.seats {
		if pays(mode, s) && m.isHeld(p.match.ID, s.Player) == 0 && m.Balance(wallet(s.Player), mode.Fee.Currency) >= mode.Fee.Amount {
			moves = append(moves, movement{wallet(s.Player), hold(s.Player), mode.Fee.Currency, mode.Fee.Amount, feeHeld, p.match.ID, ""})
		}
	}
	m.post(moves, p.match.ID, false)
}

// capture takes the fee of everybody in a match who has not paid yet, or of nobody if some cannot; they are named.
func (m *Model) capture(p played) (short []string) {
	mode := m.mode(p.match.Mode)
	var moves []movement
	for _, s := range p.said.seats {
		from := wallet(s.Player)
		switch {
		case !pays(mode, s) || m.hasPaid(p.match.ID, s.Player) > 0:
			continue
		case m.isHeld(p.match.ID, s.Player) > 0:
			from = hold(s.Player)
		case m.Balance(from, mode.Fee.Currency) < mode.Fee.Amount:
			short = append(short, s.Player)
		}
		moves = append(moves, movement{from, pot(p.match.ID), mode.Fee.Currency, mode.Fee.Amount, feeCaptured, p.match.ID, ""})
	}
	if short == nil {
		m.post(moves, p.match.ID, false)
	}
	return short
}

// takeFees is capture with what follows when somebody is short: a match that was running goes on without the walk-in, and
// one that was not stays as it was and lets go what was held.
func (m *Model) takeFees(p played, now time.Time) error {
	before, _ := m.find(p.match.ID)
	short := m.capture(p)
	switch {
	case short == nil:
		return nil
	case before.match.State == finalbell.Started:
		return refuse(finalbell.ErrInsufficient, short...)
	}
	if m.giveBack(before) {
		m.wrote(now)
	}
	return refuse(finalbell.ErrUnpaid, short...)
}

// giveBack gives back every fee of a match that was held or paid. It returns false if there was none.
func (m *Model) giveBack(p played) bool {
	mode := m.mode(p.match.Mode)
	var moves []movement
	for _, s := range p.said.seats {
		if n := m.isHeld(p.match.ID, s.Player); n > 0 {
			moves = append(moves, movement{hold(s.Player), wallet(s.Player), mode.Fee.Currency, n, feeReleased, p.match.ID, ""})
		}
		if n := m.hasPaid(p.match.ID, s.Player); n > 0 {
			moves = append(moves, movement{pot(p.match.ID), wallet(s.Player), mode.Fee.Currency, n, "refund", p.match.ID, ""})
		}
	}
	m.post(moves, p.match.ID, false)
	return moves != nil
}
