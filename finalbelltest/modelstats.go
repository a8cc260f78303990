package finalbelltest

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
)

// The model's statistics: a player's matches counted anew at every question.

// tallied are the matches that count in a player's statistics, in the order in which they ended, as they are now.
func (m *Model) tallied(player string) []played {
	var all []played
	for _, p := range m.pastOf(player) {
		mode, s := m.mode(p.match.Mode), p.shown[playerSeat(p, player)]
		human := !s.Bot || mode.Bots.Stats == finalbell.Include
		if p.match.State == finalbell.Ended && !p.match.NoContest && human && (s.Status == finalbell.Finished || mode.Unfinished.Stats != finalbell.Exclude) {
			all = append(all, p)
		}
	}
	return all
}

// pastOf are a player's matches that have ever ended, oldest first.
func (m *Model) pastOf(player string) []played {
	var all []played
	for _, p := range m.matches {
		if p.order > 0 && playerSeat(p, player) >= 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b played) int {
		if c := a.match.EndedAt.Compare(b.match.EndedAt); c != 0 {
			return c
		}
		return a.order - b.order
	})
	return all
}

func playerSeat(p played, player string) int {
	return slices.IndexFunc(p.shown, func(s finalbell.Standing) bool { return s.Player == player })
}

// tally counts matches of a player. Those of one mode have a best outcome and a mean.
func (m *Model) tally(player string, matches []played, oneMode bool) finalbell.Tally {
	var t finalbell.Tally
	sum, scored, decimals := new(big.Rat), int64(0), 2
	row := 0
	for _, p := range matches {
		s := p.shown[playerSeat(p, player)]
		t.Played++
		t.Total += p.match.EndedAt.Sub(p.match.StartedAt)
		switch s.Result {
		case finalbell.Win:
			t.Won++
			row = max(row, 0) + 1
		case finalbell.Loss:
			t.Lost++
			row = min(row, 0) - 1
		case finalbell.Draw:
			t.Drawn++
			row = 0
		default:
			t.None++
			row = 0
		}
		t.LongestStreak = max(t.LongestStreak, row)
		if !oneMode || s.Status != finalbell.Finished || !s.Outcome.Known() {
			continue
		}
		if !t.Best.Known() || beats(m.mode(p.match.Mode).Order, rat(s.Outcome), rat(t.Best)) {
			t.Best = s.Outcome
		}
		sum.Add(sum, rat(s.Outcome))
		scored++
		if _, fraction, _ := strings.Cut(s.Outcome.String(), "."); len(fraction) > decimals {
			decimals = len(fraction)
		}
	}
	t.Streak = row
	if scored > 0 {
		t.Mean = rounded(new(big.Rat).Quo(sum, big.NewRat(scored, 1)), decimals)
	}
	return t
}

// rounded is a number half to even, or to fewer decimals where it has too many digits.
func rounded(r *big.Rat, decimals int) finalbell.Number {
	for ; ; decimals-- {
		units := new(big.Rat).Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)))
		whole := new(big.Int).Div(units.Num(), units.Denom())
		rest := new(big.Rat).Sub(units, new(big.Rat).SetInt(whole))
		if half := rest.Cmp(big.NewRat(1, 2)); half > 0 || half == 0 && whole.Bit(0) == 1 {
			whole.Add(whole, big.NewInt(1))
		}
		if whole.IsInt64() {
			return numberOf(whole.Int64(), decimals)
		}
	}
}

// numberOf is units with so many decimals, of any number of digits.
func numberOf(units int64, decimals int) finalbell.Number {
	text := new(big.Rat).SetFrac(big.NewInt(units), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)).FloatString(decimals)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	var v finalbell.Value
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		panic("finalbelltest: " + err.Error())
	}
	return v.Number
}

// summarised are the standings of a match that has just ended, or is amended, with what it means for its players.
func (m *Model) summarised(p played) []finalbell.Standing {
	standings := slices.Clone(p.shown)
	p.shown = standings
	with := *m.model // the model with the match as it is now
	with.matches, with.found = slices.Clone(m.matches), make(map[string]int)
	now := &Model{model: &with}
	now.put(p)
	for i := range standings {
		s := &standings[i]
		s.Summary = finalbell.Summary{}
		var before []played
		for _, q := range now.tallied(s.Player) {
			if q.match.Mode != p.match.Mode {
				continue
			}
			if q.match.ID != p.match.ID {
				before = append(before, q)
				continue
			}
			was, is := m.tally(s.Player, before, true), m.tally(s.Player, append(before, q), true)
			s.Summary = finalbell.Summary{Played: is.Played, Streak: is.Streak, Best: was.Best}
			s.Summary.PersonalBest = s.Status == finalbell.Finished && s.Outcome.Known() &&
				(!was.Best.Known() || beats(m.mode(p.match.Mode).Order, rat(s.Outcome), rat(was.Best)))
			break
		}
	}
	return standings
}

// Player is Engine.Player, without levels, which Progress has. Whoever was never in a match may be known by their money.
func (m *Model) Player(id string) finalbell.Player {
	matches := m.tallied(id)
	p := finalbell.Player{ID: id, Overall: m.tally(id, matches, false), Modes: map[string]finalbell.Tally{}}
	for _, q := range matches {
		mode := q.match.Mode
		p.Modes[mode] = m.tally(id, slices.DeleteFunc(slices.Clone(matches), func(x played) bool { return x.match.Mode != mode }), true)
	}
	return p
}

// History are the rows of Engine.History.
func (m *Model) History(f finalbell.HistoryFilter) []finalbell.HistoryRow {
	var rows []finalbell.HistoryRow
	for _, p := range slices.Backward(m.pastOf(f.Player)) {
		ended := p.match.EndedAt
		if f.Mode != "" && f.Mode != p.match.Mode || f.Room != "" && f.Room != p.match.Room || f.Opponent != "" && !m.against(p, f.Player, f.Opponent) ||
			!f.From.IsZero() && ended.Before(f.From) || !f.To.IsZero() && !ended.Before(f.To) {
			continue
		}
		shown := m.show(p)
		i := slices.IndexFunc(shown.Standings, func(s finalbell.Standing) bool { return s.Player == f.Player })
		rows = append(rows, finalbell.HistoryRow{Match: shown.ID, Mode: shown.Mode, Room: shown.Room, Round: shown.Round, EndedAt: ended,
			State: shown.State, Standing: shown.Standings[i]})
	}
	return rows
}

// against reports whether two players were on different sides of a match.
func (m *Model) against(p played, a, b string) bool {
	i, j := playerSeat(p, a), playerSeat(p, b)
	return i >= 0 && j >= 0 && i != j && (m.mode(p.match.Mode).Teams == nil || p.shown[i].Team != p.shown[j].Team)
}

// HeadToHead is Engine.HeadToHead.
func (m *Model) HeadToHead(a, b string) finalbell.HeadToHead {
	h := finalbell.HeadToHead{Players: [2]string{a, b}}
	for _, p := range m.pastOf(a) {
		if p.match.State != finalbell.Ended || p.match.NoContest || !m.against(p, a, b) {
			continue
		}
		h.Played++
		switch x, y := p.shown[playerSeat(p, a)].Rank, p.shown[playerSeat(p, b)].Rank; {
		case x == y:
			h.Drawn++
		case x < y:
			h.Won[0]++
		default:
			h.Won[1]++
		}
	}
	return h
}

// RequirePast fails the test unless every player's statistics and history are the model's.
func (m *Model) RequirePast(t TB, e *finalbell.Engine) {
	t.Helper()
	if problem := m.DiffPast(e); problem != "" {
		t.Fatalf("%s", problem)
	}
}

// DiffPast tells the first player whose statistics or history are not the model's; empty if there is none.
func (m *Model) DiffPast(e *finalbell.Engine) string {
	ctx := context.Background()
	players := m.players()
	for i, player := range players {
		got, err := e.Player(ctx, player)
		want := m.Player(player)
		if err != nil && (KindOf(err) != finalbell.ErrNotFound || want.Overall.Played > 0) || err == nil && !samePlayer(got, want) {
			return fmt.Sprintf("%s is %s, %v, want %s", player, text(got), err, text(want))
		}
		opponent := players[(i+1)%len(players)]
		for _, f := range []finalbell.HistoryFilter{{Player: player}, {Player: player, Opponent: opponent},
			{Player: player, To: m.now(), From: m.now().Add(-time.Hour)}} {
			if opponent == player && f.Opponent != "" {
				continue
			}
			want := m.History(f)
			n := 0
			for got, err := range e.History(ctx, f) {
				if err != nil || n >= len(want) || !sameRow(got, want[n]) {
					return fmt.Sprintf("row %d of %d of the history of %+v is %s, %v, want %s", n, len(want), f, text(got), err, text(want[min(n, len(want)):]))
				}
				n++
			}
			if n != len(want) {
				return fmt.Sprintf("the history of %+v has %d rows, want %d", f, n, len(want))
			}
		}
		if opponent == player {
			continue
		}
		if got, err := e.HeadToHead(ctx, player, opponent); err != nil || got != m.HeadToHead(player, opponent) {
			return fmt.Sprintf("head to head %+v, %v, want %+v", got, err, m.HeadToHead(player, opponent))
		}
	}
	return ""
}

func samePlayer(a, b finalbell.Player) bool {
	return a.ID == b.ID && sameTally(a.Overall, b.Overall) && maps.EqualFunc(a.Modes, b.Modes, sameTally)
}

func sameTally(a, b finalbell.Tally) bool { return text(a) == text(b) }

func sameRow(a, b finalbell.HistoryRow) bool {
	return a.Match == b.Match && a.Mode == b.Mode && a.Room == b.Room && a.Round == b.Round && a.EndedAt.Equal(b.EndedAt) && a.State == b.State &&
		sameStanding(a.Standing, b.Standing)
}
