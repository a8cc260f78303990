package finalbelltest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
)

// said is what has been reported of a match.
type said struct {
	seats []finalbell.Standing // who plays, in roster order, with outcome, status and metrics once reported
	ranks map[string]int       // that came with outcomes
	teams map[string]finalbell.Number
}

// forgotten is the same roster with nothing said. Who walked in stays.
func (s said) forgotten() said {
	var f said
	for _, seat := range s.seats {
		f.seats = append(f.seats, finalbell.Standing{Player: seat.Player, Team: seat.Team, Bot: seat.Bot, Attributes: seat.Attributes, Gone: seat.Gone})
	}
	return f
}

func (s said) seat(player string) int {
	return slices.IndexFunc(s.seats, func(x finalbell.Standing) bool { return x.Player == player })
}

// lay lays a report over what was said before. A final one speaks of everybody.
func lay(before said, mode finalbell.Mode, outcomes []finalbell.Outcome, final bool) (said, error) {
	s := said{seats: slices.Clone(before.seats), ranks: make(map[string]int), teams: make(map[string]finalbell.Number)}
	maps.Copy(s.ranks, before.ranks)
	maps.Copy(s.teams, before.teams)
	if twice := namedTwice(outcomes); twice != nil {
		return s, refuse(finalbell.ErrDuplicatePlayer, twice...)
	}
	if unknown := s.admit(mode, outcomes); unknown != nil {
		return s, refuse(finalbell.ErrUnknownPlayer, unknown...)
	}
	if !fits(mode, s.seats) {
		return s, refuse(finalbell.ErrPlayers)
	}
	if final && len(outcomes) == 0 {
		return s, nil
	}
	for _, o := range outcomes {
		if !s.take(mode, o) {
			return s, refuse(finalbell.ErrOutcome)
		}
	}
	for i := range s.seats {
		seat := &s.seats[i]
		_, scored := s.teams[seat.Team]
		if final && seat.Status == "" {
			if mode.Missing.Reject && !scored && seat.Gone == "" {
				return s, refuse(finalbell.ErrOutcome)
			}
			*seat = assumed(mode, *seat, scored)
		}
		if seat.Status == finalbell.Finished && !seat.Outcome.Known() && !scored {
			return s, refuse(finalbell.ErrOutcome)
		}
	}
	if final && mode.Ranks == finalbell.AcceptRanks && !s.acceptable(mode) {
		return s, refuse(finalbell.ErrOutcome)
	}
	return s, nil
}

// namedTwice are the players, and teams with a score of their own, that a report names more than once.
func namedTwice(outcomes []finalbell.Outcome) []string {
	var players, teams []string
	for _, o := range outcomes {
		if o.Player != "" {
			players = append(players, o.Player)
		} else {
			teams = append(teams, o.Team)
		}
	}
	same := func(s string) string { return s }
	twice := append(repeated(players, same), repeated(teams, same)...)
	slices.Sort(twice)
	return slices.Compact(twice)
}

// repeated are the names that come more than once.
func repeated[T any](list []T, name func(T) string) []string {
	var twice []string
	for i, x := range list {
		earlier := slices.ContainsFunc(list[:i], func(y T) bool { return name(x) == name(y) })
		if earlier && !slices.Contains(twice, name(x)) {
			twice = append(twice, name(x))
		}
	}
	return twice
}

// admit gives walk-ins their seats and returns who is unknown.
func (s *said) admit(mode finalbell.Mode, outcomes []finalbell.Outcome) []string {
	var unknown []string
	for _, o := range outcomes {
		switch {
		case o.Player == "" || s.seat(o.Player) >= 0:
		case mode.WalkIns:
			s.seats = append(s.seats, finalbell.Standing{Player: o.Player, Team: o.Team})
		default:
			unknown = append(unknown, o.Player)
		}
	}
	for _, o := range outcomes {
		plays := slices.ContainsFunc(s.seats, func(x finalbell.Standing) bool { return x.Team == o.Team })
		if o.Player == "" && (mode.Teams == nil || !plays) {
			unknown = append(unknown, o.Team)
		}
	}
	return unknown
}

// fits reports whether a mode takes so many players and such teams.
func fits(mode finalbell.Mode, seats []finalbell.Standing) bool {
	if len(seats) < max(1, mode.Players.Min) || mode.Players.Max > 0 && len(seats) > mode.Players.Max {
		return false
	}
	for _, seat := range seats {
		size := 0
		for _, other := range seats {
			if other.Team == seat.Team {
				size++
			}
		}
		if mode.Teams != nil && mode.Teams.MaxSize > 0 && size > mode.Teams.MaxSize {
			return false
		}
	}
	return true
}

// take notes one outcome, unless something is wrong with it.
func (s *said) take(mode finalbell.Mode, o finalbell.Outcome) bool {
	if o.Value.Err() != nil {
		return false
	}
	if o.Player == "" {
		if !o.Value.Known() || o.Status != "" && o.Status != finalbell.Finished || len(o.Metrics) > 0 || o.Rank != 0 {
			return false
		}
		s.teams[o.Team] = o.Value
		return within(mode, "outcome", o.Value)
	}
	seat := &s.seats[s.seat(o.Player)]
	status, known := statusOf(o)
	if !known || o.Rank < 0 || o.Team != "" && o.Team != seat.Team || mode.Teams != nil && seat.Team == "" {
		return false
	}
	if status == finalbell.Finished && !within(mode, "outcome", o.Value) {
		return false
	}
	for name, n := range o.Metrics {
		if !validID(name) || given(mode, name) || n.Err() != nil || !n.Known() || !within(mode, name, n) {
			return false
		}
	}
	seat.Outcome, seat.Status, seat.Metrics = o.Value, status, maps.Clone(o.Metrics)
	s.ranks[o.Player] = o.Rank
	return true
}

// statusOf reads a status in either spelling, finished where there is a number and nothing else is said.
func statusOf(o finalbell.Outcome) (finalbell.Status, bool) {
	switch o.Status {
	case "":
		if o.Value.Known() {
			return finalbell.Finished, true
		}
		return "", true
	case "dsq":
		return finalbell.Disqualified, true
	case "dns":
		return finalbell.NoShow, true
	}
	return o.Status, o.Status == finalbell.Finished || slices.Contains(unfinished(), o.Status)
}

// given reports whether the engine itself gives a metric, so that nobody may report it.
func given(mode finalbell.Mode, metric string) bool {
	switch metric {
	case "outcome", "rank", "played", "wins", "draws", "losses", "rating":
		return true
	case "points":
		return mode.Points != nil
	}
	return false
}

func within(mode finalbell.Mode, metric string, n finalbell.Number) bool {
	b := mode.Bounds[metric]
	return !n.Known() || (!b.Min.Known() || n.Cmp(b.Min) >= 0) && (!b.Max.Known() || n.Cmp(b.Max) <= 0)
}

// assumed is what a report says by not naming a player.
func assumed(mode finalbell.Mode, seat finalbell.Standing, scored bool) finalbell.Standing {
	switch {
	case seat.Gone != "":
		seat.Status = seat.Gone
	case scored:
		seat.Status = finalbell.Finished
	case mode.Missing.Outcome.Known():
		seat.Status, seat.Outcome = finalbell.Finished, mode.Missing.Outcome
	default:
		seat.Status = finalbell.DNF
	}
	return seat
}

// acceptable reports whether the ranks that came can be the match's: none at all, or everybody's.
func (s *said) acceptable(mode finalbell.Mode) bool {
	with, first := 0, false
	for _, seat := range s.seats {
		rank := s.ranks[seat.Player]
		if rank > 0 {
			with++
		}
		first = first || rank == 1
		if rank > len(s.seats) {
			return false
		}
		for _, other := range s.seats {
			if mode.Teams != nil && other.Team == seat.Team && s.ranks[other.Player] != rank {
				return false
			}
		}
	}
	return with == 0 || with == len(s.seats) && first
}

// asExpected reports whether the ranks that came are those of the standings.
func asExpected(standings []finalbell.Standing, ranks map[string]int) bool {
	for _, s := range standings {
		if r := ranks[s.Player]; r != 0 && r != s.Rank {
			return false
		}
	}
	return true
}

// text is the same for reports that say the same after defaults.
func (s said) text(mode finalbell.Mode) string {
	var lines []string
	for _, seat := range s.seats {
		line := fmt.Sprintf("%q %s %s %s", seat.Player, seat.Outcome, seat.Status, metricText(seat.Metrics))
		if mode.Ranks == finalbell.AcceptRanks {
			line += " " + strconv.Itoa(s.ranks[seat.Player])
		}
		lines = append(lines, line)
	}
	for team, n := range s.teams {
		lines = append(lines, fmt.Sprintf("team %q %s", team, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func metricText(metrics map[string]finalbell.Number) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		fmt.Fprintf(&text, " %q=%s", name, metrics[name])
	}
	return text.String()
}

// lateText is the same for late reports of the same outcomes; one with a bad number is not kept.
func lateText(outcomes []finalbell.Outcome) (text string, writable bool) {
	writable = true
	var lines []string
	for _, o := range outcomes {
		lines = append(lines, fmt.Sprintf("%q %q %s %q%s %d", o.Player, o.Team, o.Value, o.Status, metricText(o.Metrics), o.Rank))
		writable = writable && o.Value.Err() == nil
		for _, n := range o.Metrics {
			writable = writable && n.Err() == nil
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), writable
}

// roundNumber is the last run of digits in a label.
func roundNumber(label string) (int, bool) {
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' }
	runs := strings.FieldsFunc(label, func(r rune) bool { return !isDigit(r) })
	if len(runs) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(runs[len(runs)-1])
	return n, err == nil
}

// needsRound reports whether a mode feeds a key that counts by rounds.
func (m *Model) needsRound(mode string) bool {
	for _, id := range m.mode(mode).Boards {
		for _, key := range m.board(id).Keys {
			if len(key.Best) > 0 && key.Best[0].ThroughRound > 0 && feeds(key, mode) {
				return true
			}
		}
	}
	return false
}
