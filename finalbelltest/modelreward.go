package finalbelltest

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
)

// What the model's players are given. A grant is in the list for ever; what a player has of experience and items is added
// up from those that stand.

// gift is something that is about to be given.
type gift struct {
	grant   finalbell.Grant
	from    string // account that pays it
	claim   bool
	expires time.Duration
}

// grantID is the id of a grant: what it is of, then whose it is.
func grantID(parts ...string) string {
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "%", "%25"), "/", "%2F")
	}
	return strings.Join(parts, "/")
}

// gives fills in what a reward gives.
func gives(g finalbell.Grant, r finalbell.Reward) finalbell.Grant {
	g.Amount = r.Amount
	if g.Amount == 0 {
		g.Amount = 1
	}
	switch {
	case r.Currency != "":
		g.Kind, g.What = finalbell.CurrencyGrant, r.Currency
	case r.Item != "":
		g.Kind, g.What = finalbell.ItemGrant, r.Item
	case r.Marker != "":
		g.Kind, g.What = finalbell.XPGrant, r.Marker
	default:
		g.Kind, g.What = finalbell.CustomGrant, r.Custom
	}
	return g
}

// granted is a grant by its id.
func (m *Model) granted(id string) (finalbell.Grant, bool) {
	for _, g := range m.grants {
		if g.ID == id {
			return g, true
		}
	}
	return finalbell.Grant{}, false
}

// stands reports whether a grant was made and not taken back.
func (m *Model) stands(id string) bool {
	g, there := m.granted(id)
	return there && g.State != finalbell.GrantRevoked
}

// keep puts a grant into the list, in the place of what it was.
func (m *Model) keep(g finalbell.Grant) {
	m.grants = slices.Clone(m.grants)
	if i := slices.IndexFunc(m.grants, func(x finalbell.Grant) bool { return x.ID == g.ID }); i >= 0 {
		m.grants[i] = g
		return
	}
	m.grants = append(m.grants, g)
}

// give makes a grant, unless it stands already, and returns the money that moves by it.
func (m *Model) give(g gift, at time.Time) []movement {
	if m.stands(g.grant.ID) {
		return nil
	}
	to := wallet(g.grant.Player)
	g.grant.At, g.grant.State = at, finalbell.GrantGranted
	if g.claim {
		g.grant.State, to = finalbell.GrantPending, escrow(g.grant.Player)
		if g.expires > 0 {
			g.grant.Expires = at.Add(g.expires)
		}
	}
	m.keep(g.grant)
	if g.grant.Kind != finalbell.CurrencyGrant {
		return nil
	}
	return []movement{{g.from, to, g.grant.What, g.grant.Amount, "grant", g.grant.Match, g.grant.ID}}
}

// count adds up what a player has been given of something that is counted.
func (m *Model) count(player string, kind finalbell.GrantKind, what string) int64 {
	var sum int64
	for _, g := range m.grants {
		if g.Player == player && g.Kind == kind && g.What == what && g.State == finalbell.GrantGranted {
			sum += g.Amount
		}
	}
	return sum
}

// giftsOf is what an ended match gives by its prizes and gains, and the other movements that empty its pot.
func (m *Model) giftsOf(p played) (gifts []gift, rest []movement) {
	mode, id := m.mode(p.match.Mode), p.match.ID
	var fees, payers int64
	for _, s := range p.shown {
		if paid := m.hasPaid(id, s.Player); paid > 0 {
			fees, payers = fees+paid, payers+1
		}
	}
	leave := func(to string, amount int64) {
		if amount > 0 {
			rest = append(rest, movement{pot(id), to, mode.Fee.Currency, amount, "rest", id, ""})
		}
	}
	var payingInOrder []string
	for _, s := range p.show().Standings {
		if paid := m.hasPaid(id, s.Player); paid > 0 && p.match.NoContest {
			leave(wallet(s.Player), paid)
		} else if paid > 0 {
			payingInOrder = append(payingInOrder, s.Player)
		}
	}
	if p.match.NoContest {
		return nil, rest
	}
	f := prizeField{prizes: mode.Prizes}
	f.places, f.sides = placesOf(mode, p.show().Standings)
	shared := slices.ContainsFunc(mode.Prizes, func(p finalbell.Prize) bool { return len(p.Shares) > 0 })
	if shared {
		f.pool, f.currency = fees-houseTakes(*mode.Fee, fees, payers), mode.Fee.Currency
	}
	left := fees
	all, taken := f.handOut()
	for _, g := range all {
		prize := mode.Prizes[g.prize]
		if g.bot && mode.Bots.Prizes != finalbell.Include {
			continue
		}
		reward, from := finalbell.Reward{Currency: prize.Currency, Item: prize.Item, Marker: prize.Marker, Custom: prize.Custom, Amount: g.amount}, house
		if len(prize.Shares) > 0 {
			reward, from = finalbell.Reward{Currency: mode.Fee.Currency, Amount: g.amount}, pot(id)
			left -= g.amount
		}
		grant := gives(finalbell.Grant{ID: grantID("match", id, prize.ID, g.player), Player: g.player, Match: id, Rule: prize.ID}, reward)
		gifts = append(gifts, gift{grant, from, prize.Claim, prize.Expires})
	}
	if shared && !taken {
		for i, player := range payingInOrder {
			back := f.pool / payers
			if int64(i) < f.pool%payers {
				back++
			}
			leave(wallet(player), back)
			left -= back
		}
	}
	leave(house, left)
	return append(gifts, m.gains(p)...), rest
}

// houseTakes is what the house keeps of fees before they are shared.
func houseTakes(f finalbell.Fee, fees, payers int64) int64 {
	takes := f.HouseFlat * payers
	if f.HousePercent.Known() {
		part := new(big.Rat).Mul(rat(f.HousePercent), big.NewRat(fees, 100))
		takes += new(big.Int).Quo(part.Num(), part.Denom()).Int64()
	}
	return min(takes, fees)
}

// gains is what a match adds to the markers of its players.
func (m *Model) gains(p played) []gift {
	mode := m.mode(p.match.Mode)
	var gifts []gift
	for _, s := range p.shown {
		if !progresses(mode, s) {
			continue
		}
		for i, gain := range mode.XP {
			marker, name := gain.Marker, gain.Metric
			if marker == "" {
				marker = "xp"
			}
			if name == "" {
				name = "played"
			}
			n, has := metric(s, name)
			if !has {
				continue
			}
			product := new(big.Rat).Mul(rat(n), big.NewRat(gain.Amount, 1))
			if whole := new(big.Int).Quo(product.Num(), product.Denom()).Int64(); whole > 0 {
				id := grantID("match", p.match.ID, "xp", strconv.Itoa(i), s.Player)
				gifts = append(gifts, gift{grant: finalbell.Grant{ID: id, Player: s.Player, Match: p.match.ID, Rule: "xp", Kind: finalbell.XPGrant, What: marker, Amount: whole}})
			}
		}
	}
	return gifts
}

// reward gives what the end of a match gives.
func (m *Model) reward(p played, now time.Time) {
	gifts, moves := m.giftsOf(p)
	source := finalbell.Grant{Match: p.match.ID}
	for _, g := range gifts {
		moves = append(moves, m.give(g, now)...)
	}
	moves = append(moves, m.achieve(p, now)...)
	moves = append(moves, m.climb(source, now)...)
	m.post(moves, p.match.ID, false)
}

// payWindow gives the prizes of a window that is final.
func (m *Model) payWindow(name windowName, at time.Time) {
	board := m.board(name.board)
	if len(board.Prizes) == 0 {
		return
	}
	var moves []movement
	for _, partition := range partitionsOf(m.results[name.board][name.window]) {
		source := finalbell.Grant{Board: name.board, Window: name.window, Partition: partition}
		f := prizeField{prizes: board.Prizes}
		for _, e := range m.entries(board, name.window, partition) {
			f.places = append(f.places, prizePlace{rank: e.Rank, finished: true, members: []finalbell.Standing{{Player: e.Player}}})
		}
		f.sides = len(f.places)
		all, _ := f.handOut()
		for _, g := range all {
			prize, grant := board.Prizes[g.prize], source
			grant.ID, grant.Player, grant.Rule = grantID("window", name.board, name.window, partition, prize.ID, g.player), g.player, prize.ID
			grant = gives(grant, finalbell.Reward{Currency: prize.Currency, Item: prize.Item, Marker: prize.Marker, Custom: prize.Custom, Amount: g.amount})
			moves = append(moves, m.give(gift{grant, house, prize.Claim, prize.Expires}, at)...)
		}
		moves = append(moves, m.climb(source, at)...)
	}
	m.post(moves, "", false)
}

// Claim is Engine.Claim.
func (m *Model) Claim(player, id string) (finalbell.Grant, error) {
	if !validID(player) {
		return finalbell.Grant{}, refuse(finalbell.ErrInvalid)
	}
	now := m.clock()
	g, there := m.granted(id)
	if there && lapses(g, now) {
		g = m.lapse(g)
	}
	switch {
	case !there || g.Player != player:
		return finalbell.Grant{}, refuse(finalbell.ErrNotFound)
	case g.State == finalbell.GrantGranted:
		return g, nil
	case g.State == finalbell.GrantExpired:
		return finalbell.Grant{}, refuse(finalbell.ErrExpired, player)
	case g.State != finalbell.GrantPending:
		return finalbell.Grant{}, refuse(finalbell.ErrState, player)
	}
	g.State = finalbell.GrantGranted
	m.keep(g)
	var moves []movement
	if g.Kind == finalbell.CurrencyGrant {
		moves = append(moves, movement{escrow(player), wallet(player), g.What, g.Amount, "claim", g.Match, g.ID})
	}
	m.post(append(moves, m.climb(finalbell.Grant{Match: g.Match, Board: g.Board, Window: g.Window, Partition: g.Partition}, now)...), g.Match, false)
	m.wrote(now)
	return g, nil
}

// lapses reports whether the time in which a grant can be claimed is over.
func lapses(g finalbell.Grant, now time.Time) bool {
	return g.State == finalbell.GrantPending && !g.Expires.IsZero() && !now.Before(g.Expires)
}

// lapse ends that time, as of when it was over.
func (m *Model) lapse(g finalbell.Grant) finalbell.Grant {
	g.State = finalbell.GrantExpired
	m.keep(g)
	if g.Kind == finalbell.CurrencyGrant {
		m.post([]movement{{escrow(g.Player), house, g.What, g.Amount, "lapse", g.Match, g.ID}}, g.Match, false)
	}
	m.wrote(g.Expires)
	return g
}

// Grants are all grants, in the order in which they were made first.
func (m *Model) Grants() []finalbell.Grant { return slices.Clone(m.grants) }

// withGrants gives the standings of a match what its players got by it.
func (m *Model) withGrants(match finalbell.Match) finalbell.Match {
	match.Standings = slices.Clone(match.Standings)
	for i := range match.Standings {
		s := &match.Standings[i]
		for _, g := range m.grants {
			if g.Match == match.ID && g.Player == s.Player {
				s.Grants = append(slices.Clip(s.Grants), g)
			}
		}
	}
	return match
}
