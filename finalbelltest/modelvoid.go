package finalbelltest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
)

// How the model takes matches back. Boards, achievements and levels are what the other matches make of them anyway, so
// that all there is to undo is money, and what was given.

// Void is Engine.Void.
func (m *Model) Void(id, reason string) (finalbell.Match, error) {
	if !validText(reason) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	p, now, _, err := m.load(id, false)
	switch {
	case err != nil:
		return finalbell.Match{}, err
	case p.match.State == finalbell.Voided:
		return m.replay(p), nil
	case p.match.State != finalbell.Ended:
		return finalbell.Match{}, refuse(finalbell.ErrState)
	}
	was := p
	p.match.State, p.match.Reason = finalbell.Voided, reason
	m.closeFor(was, now)
	m.recount(was, p)
	m.put(p)
	m.revise(was, p, now)
	return m.write(p, now), nil
}

// Amend is Engine.Amend.
func (m *Model) Amend(id, reason string, outcomes ...finalbell.Outcome) (finalbell.Match, error) {
	if !validText(reason) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	p, now, _, err := m.load(id, false, outcomes...)
	switch {
	case err != nil:
		return finalbell.Match{}, err
	case p.match.State != finalbell.Ended:
		return finalbell.Match{}, refuse(finalbell.ErrState)
	}
	was, mode := p, m.mode(p.match.Mode)
	mode.WalkIns = false
	if p.said, err = lay(p.said.forgotten(), mode, outcomes, true); err != nil {
		return finalbell.Match{}, err
	}
	p.match.NoContest, p.match.Draw, p.shown = len(outcomes) == 0, false, p.said.seats
	if !p.match.NoContest {
		p.shown, p.match.Draw = standings(mode, p.said, false)
		if mode.Ranks != finalbell.AcceptRanks && !asExpected(p.shown, p.said.ranks) {
			return finalbell.Match{}, refuse(finalbell.ErrOutcome)
		}
	}
	if standAlike(was, p) {
		return m.replay(was), nil
	}
	p.match.Reason, p.match.Revision = reason, p.match.Revision+1
	m.closeFor(was, now)
	m.closeFor(p, now)
	fits := false
	if p.shown, fits = m.recount(was, p); !fits {
		return finalbell.Match{}, refuse(finalbell.ErrOutcome)
	}
	p.shown = m.summarised(p)
	m.put(p)
	m.revise(was, p, now)
	return m.write(p, now), nil
}

// recount counts a match on its boards as it is instead of as it was, where windows are not final, and returns its
// standings with what that did. It returns false if a board cannot keep a number.
func (m *Model) recount(was, is played) ([]finalbell.Standing, bool) {
	before := m.results
	m.results = make(map[string]map[string][]brought)
	for board, windows := range before {
		m.results[board] = maps.Clone(windows)
		for window, results := range windows {
			if m.closed[windowName{board, window}] {
				continue
			}
			m.results[board][window] = slices.DeleteFunc(slices.Clone(results), func(b brought) bool { return b.order == was.order })
			for _, b := range results {
				if b.order == was.order {
					m.gone[place{windowName{board, window}, b.partition, b.id}] = true
				}
			}
		}
	}
	m.shows++
	shares, fits := m.shares(is)
	if !fits {
		m.results = before
		m.shows++
		return nil, false
	}
	standings := m.settle(is, shares, before)
	for i := range standings {
		standings[i].Boards = slices.DeleteFunc(standings[i].Boards, func(move finalbell.BoardMove) bool {
			return move.Late && !wasLate(was, standings[i].Player, move.Board)
		})
	}
	return standings, true
}

// wasLate reports whether a match came too late for a board.
func wasLate(p played, player, board string) bool {
	return slices.ContainsFunc(p.shown, func(s finalbell.Standing) bool {
		return s.Player == player && slices.ContainsFunc(s.Boards, func(move finalbell.BoardMove) bool { return move.Board == board && move.Late })
	})
}

// emptied are the entries of a part of a window that have lost results and are not among some.
func (m *model) emptied(part place, but []string) []string {
	var ids []string
	for at := range m.gone {
		if at.windowName == part.windowName && at.partition == part.partition && !slices.Contains(but, at.id) {
			ids = append(ids, at.id)
		}
	}
	return slices.Sorted(slices.Values(ids))
}

// tableOf is a table of other results than those that count now.
func (m *Model) tableOf(results map[string]map[string][]brought, board finalbell.BoardRule, window, partition string) []row {
	now := m.results
	m.results = results
	m.shows++
	rows, _ := m.table(board, window, partition, nil)
	m.results = now
	m.shows++
	return rows
}

// splitID takes apart what grantID made.
func splitID(id string) []string {
	parts := strings.Split(id, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(parts[i], "%2F", "/"), "%25", "%")
	}
	return parts
}

// standAlike reports whether two reports of one match come to the same.
func standAlike(a, b played) bool {
	same := func(x, y finalbell.Standing) bool {
		return x.Outcome == y.Outcome && x.Status == y.Status && x.Rank == y.Rank && x.Position == y.Position && maps.Equal(x.Metrics, y.Metrics)
	}
	return a.match.NoContest == b.match.NoContest && maps.Equal(a.said.teams, b.said.teams) && slices.EqualFunc(a.shown, b.shown, same)
}

// closeFor closes what is due on the boards on which a match counts.
func (m *Model) closeFor(p played, now time.Time) {
	if !p.match.NoContest && !m.backfill {
		m.closeBefore(p, now)
	}
}

// revise takes back what a match gave, and gives what it gives now.
func (m *Model) revise(was, is played, now time.Time) {
	id := was.match.ID
	var gifts []gift
	var rest []movement
	if is.match.State == finalbell.Ended {
		gifts, rest = m.giftsOf(is)
	}
	kept := make(map[string]bool)
	own := make(map[string]bool) // by the match's own rules: prizes and gains
	for _, g := range m.grants {
		if g.Match != id || splitID(g.ID)[0] != "match" {
			continue
		}
		own[g.ID] = true
		if g.State == finalbell.GrantRevoked {
			continue
		}
		kept[g.ID] = slices.ContainsFunc(gifts, func(x gift) bool {
			return x.grant.ID == g.ID && x.grant.Kind == g.Kind && x.grant.What == g.What && x.grant.Amount == g.Amount
		})
		if !kept[g.ID] {
			g.State = finalbell.GrantRevoked
			m.keep(g)
		}
	}
	var moves []movement
	for _, x := range m.moved {
		fee := x.what == feeHeld || x.what == feeReleased || x.what == feeCaptured
		if x.match == id && !kept[x.grant] && (x.grant == "" || own[x.grant]) && (!fee || is.match.State == finalbell.Voided) {
			x.from, x.to = x.to, x.from
			moves = append(moves, x)
		}
	}
	moves = append(moves, rest...)
	for _, g := range gifts {
		moves = append(moves, m.give(g, now)...)
	}
	moves = append(moves, m.lose(is)...)
	moves = append(moves, m.achieve(is, now)...)
	moves = append(moves, m.fall()...)
	moves = append(moves, m.climb(finalbell.Grant{Match: id}, now)...)
	m.post(moves, id, true)
}

// takeAway revokes a reward.
func (m *Model) takeAway(g finalbell.Grant) []movement {
	was := g.State
	g.State = finalbell.GrantRevoked
	m.keep(g)
	if g.Kind != finalbell.CurrencyGrant || was != finalbell.GrantGranted {
		return nil
	}
	return []movement{{wallet(g.Player), house, g.What, g.Amount, "taken away", g.Match, g.ID}}
}

// lose takes achievements away that are reached no longer, where their rule says so.
func (m *Model) lose(p played) []movement {
	var moves []movement
	for _, s := range p.shown {
		if !progresses(m.mode(p.match.Mode), s) {
			continue
		}
		still := m.reached(s.Player)
		for _, a := range m.rules.Achievements {
			for _, g := range m.grants {
				of := g.Player == s.Player && g.Rule == a.ID && a.Revoke && g.State != finalbell.GrantRevoked
				window, is := achievedIn(g, a.ID)
				if of && is && !slices.Contains(still, [2]string{a.ID, window}) {
					moves = append(moves, m.takeAway(g)...)
				}
			}
		}
	}
	return moves
}

// achievedIn is the window of an achievement's grant.
func achievedIn(g finalbell.Grant, achievement string) (window string, is bool) {
	parts := splitID(g.ID)
	return parts[min(2, len(parts)-1)], parts[0] == "achievement" && parts[1] == achievement
}

// fall takes the rewards of levels away that would not be reached without them, nor without those that would not.
func (m *Model) fall() []movement {
	var moves []movement
	players := make(map[string]bool)
	for _, g := range m.grants {
		players[g.Player] = true
	}
	for _, player := range slices.Sorted(maps.Keys(players)) {
		earned := make(map[string]bool) // rewards of levels, by grant
		isReward := func(g finalbell.Grant) bool { return splitID(g.ID)[0] == "level" }
		has := func(marker string) int64 {
			var sum int64
			for _, g := range m.grants {
				counts := g.Player == player && g.Kind == finalbell.XPGrant && g.What == marker && g.State == finalbell.GrantGranted
				if counts && (!isReward(g) || earned[g.ID]) {
					sum += g.Amount
				}
			}
			return sum
		}
		for before := -1; before < len(earned); {
			before = len(earned)
			for _, g := range m.levelRewards(player, has) {
				earned[g.ID] = true
			}
		}
		for _, g := range m.grants {
			if g.Player == player && isReward(g) && !earned[g.ID] && g.State != finalbell.GrantRevoked {
				moves = append(moves, m.takeAway(g)...)
			}
		}
	}
	return moves
}
