package finalbelltest

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/schedule"
)

// The model's achievements and levels: who has reached what is looked up in all matches ever played, every time.

// progresses reports whether a match brings somebody experience and achievements.
func progresses(mode finalbell.Mode, s finalbell.Standing) bool {
	return !s.Bot || mode.Bots.Achievements == finalbell.Include
}

// past are the matches that count for a player's achievements, in the order in which they ended, as they are now.
func (m *Model) past(player string) []played {
	return slices.DeleteFunc(m.pastOf(player), func(p played) bool {
		return p.match.State != finalbell.Ended || p.match.NoContest || !progresses(m.mode(p.match.Mode), p.shown[playerSeat(p, player)])
	})
}

// pursuit is how a player's matches go on towards an achievement, window by window.
type pursuit struct {
	window  string
	value   *big.Rat
	reached bool
}

// pursue follows a player's matches.
func (m *Model) pursue(a finalbell.Achievement, player string) []pursuit {
	var all []pursuit
	for _, p := range m.past(player) {
		window, in := periodOf(a, p.match.EndedAt)
		if !in || len(a.Modes) > 0 && !slices.Contains(a.Modes, p.match.Mode) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].window != window {
			all = append(all, pursuit{window: window, value: new(big.Rat)})
		}
		last := &all[len(all)-1]
		i := slices.IndexFunc(p.shown, func(s finalbell.Standing) bool { return s.Player == player })
		last.value = further(a, last.value, p.shown[i])
		last.reached = last.reached || last.value.Cmp(rat(a.Threshold)) >= 0
	}
	return all
}

// periodOf is the window of an achievement at a time.
func periodOf(a finalbell.Achievement, at time.Time) (string, bool) {
	calendar, err := schedule.New(schedule.Rule{Every: schedule.Every(a.Window)})
	if err != nil {
		panic("finalbelltest: rules that no engine takes: " + err.Error())
	}
	w, in := calendar.At(at)
	return w.ID, in
}

// further is the value after one more match.
func further(a finalbell.Achievement, value *big.Rat, s finalbell.Standing) *big.Rat {
	n, has := metric(s, a.Metric)
	if a.Rank > 0 {
		n, has = finalbell.Int(0), true
		if s.Status == finalbell.Finished && s.Rank <= a.Rank {
			n = finalbell.Int(1)
		}
	}
	counted := a.Rank > 0 || slices.Contains([]string{"played", "wins", "draws", "losses"}, a.Metric)
	worth := new(big.Rat)
	if has {
		worth = rat(n)
	}
	switch {
	case a.Type == finalbell.Streak && worth.Sign() > 0:
		return new(big.Rat).Add(value, big.NewRat(1, 1))
	case a.Type == finalbell.Streak:
		return new(big.Rat)
	case a.Type == finalbell.Cumulative || counted:
		return new(big.Rat).Add(value, worth)
	case worth.Cmp(value) > 0:
		return worth
	}
	return value
}

// reached are the achievements of a player and the windows in which they were reached, as matches are now.
func (m *Model) reached(player string) (all [][2]string) {
	for _, a := range m.rules.Achievements {
		for _, p := range m.pursue(a, player) {
			if p.reached {
				all = append(all, [2]string{a.ID, p.window})
			}
		}
	}
	return all
}

// achieve gives the players of a match the achievements that they have reached and not got.
func (m *Model) achieve(p played, now time.Time) []movement {
	var moves []movement
	for _, s := range p.shown {
		if !progresses(m.mode(p.match.Mode), s) {
			continue
		}
		for _, r := range m.reached(s.Player) {
			i := slices.IndexFunc(m.rules.Achievements, func(a finalbell.Achievement) bool { return a.ID == r[0] })
			a := m.rules.Achievements[i]
			source := finalbell.Grant{Player: s.Player, Match: p.match.ID, Rule: a.ID}
			itself := source
			itself.ID, itself.Kind, itself.What, itself.Amount = grantID("achievement", a.ID, r[1], s.Player), finalbell.AchievementGrant, a.ID, 1
			moves = append(moves, m.give(gift{grant: itself}, now)...)
			for k, reward := range a.Rewards {
				grant := gives(source, reward)
				grant.ID = grantID("achievement", a.ID, r[1], strconv.Itoa(k), s.Player)
				moves = append(moves, m.give(gift{grant: grant, from: house}, now)...)
			}
		}
	}
	return moves
}

// climb gives every player the rewards of the levels that they have reached and not got, which may bring them further.
func (m *Model) climb(source finalbell.Grant, now time.Time) []movement {
	players := make(map[string]bool)
	for _, g := range m.grants {
		players[g.Player] = true
	}
	var moves []movement
	for again := true; again; {
		again = false
		for _, player := range slices.Sorted(maps.Keys(players)) {
			for _, g := range m.levelRewards(player, func(marker string) int64 { return m.count(player, finalbell.XPGrant, marker) }) {
				if m.stands(g.ID) {
					continue
				}
				g.Match, g.Board, g.Window, g.Partition = source.Match, source.Board, source.Window, source.Partition
				moves, again = append(moves, m.give(gift{grant: g, from: house}, now)...), true
			}
		}
	}
	return moves
}

// levelRewards are the rewards of the levels that a player has reached, with so much on the markers.
func (m *Model) levelRewards(player string, has func(marker string) int64) []finalbell.Grant {
	var all []finalbell.Grant
	for _, l := range m.rules.Levels {
		for i, threshold := range l.Thresholds {
			if threshold == 0 || has(l.Marker) < threshold {
				continue
			}
			level := strconv.Itoa(i + 1)
			for k, reward := range l.Rewards[level] {
				g := gives(finalbell.Grant{Player: player, Rule: grantID(l.Marker, level)}, reward)
				g.ID = grantID("level", l.Marker, level, strconv.Itoa(k), player)
				all = append(all, g)
			}
		}
	}
	return all
}

// Progress is Engine.Progress.
func (m *Model) Progress(player string) (finalbell.Progress, error) {
	out := finalbell.Progress{Player: player}
	if !validID(player) {
		return finalbell.Progress{}, refuse(finalbell.ErrInvalid)
	}
	markers := make(map[string]bool)
	for _, g := range m.grants {
		switch n := m.count(player, g.Kind, g.What); {
		case g.Player != player || n == 0:
		case g.Kind == finalbell.XPGrant:
			markers[g.What] = true
		case g.Kind == finalbell.ItemGrant:
			if out.Items == nil {
				out.Items = make(map[string]int64)
			}
			out.Items[g.What] = n
		}
	}
	for _, l := range m.rules.Levels {
		p := finalbell.MarkerProgress{Marker: l.Marker, Value: m.count(player, finalbell.XPGrant, l.Marker)}
		for _, threshold := range l.Thresholds {
			if p.Value >= threshold {
				p.Level++
			} else if p.Next == 0 {
				p.Next = threshold - p.Value
			}
		}
		out.Markers = append(out.Markers, p)
		delete(markers, l.Marker)
	}
	for _, marker := range slices.Sorted(maps.Keys(markers)) {
		out.Markers = append(out.Markers, finalbell.MarkerProgress{Marker: marker, Value: m.count(player, finalbell.XPGrant, marker)})
	}
	for _, a := range m.rules.Achievements {
		now, _ := periodOf(a, m.clock())
		p := pursuit{window: now, value: new(big.Rat)}
		if all := m.pursue(a, player); len(all) > 0 && all[len(all)-1].window == now {
			p = all[len(all)-1]
		}
		g := finalbell.GoalProgress{Achievement: a.ID, Window: now, Value: number(p.value), Threshold: a.Threshold, Remaining: finalbell.Int(0), Reached: p.reached}
		if rest := new(big.Rat).Sub(rat(a.Threshold), p.value); !p.reached && rest.Sign() > 0 {
			g.Remaining = number(rest)
		}
		out.Goals = append(out.Goals, g)
	}
	return out, nil
}

// number is a sum of reported numbers.
func number(r *big.Rat) finalbell.Number {
	text := r.FloatString(9)
	return finalbell.Decimal(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
