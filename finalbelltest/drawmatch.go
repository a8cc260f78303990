package finalbelltest

import (
	"math"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
	"pgregory.net/rapid"
)

// NewMatch draws a match of one of the modes that Create takes, without id or deadline. Its round has a
// number, which boards with segments need, and it and its players may have the attributes by which boards are divided.
func NewMatch(rules finalbell.Rules) *rapid.Generator[finalbell.NewMatch] {
	return rapid.Custom(func(t *rapid.T) finalbell.NewMatch {
		mode := rapid.SampledFrom(rules.Modes).Draw(t, "mode")
		n := finalbell.NewMatch{
			Mode:    mode.ID,
			Room:    pick(t, "room", "", "hall"),
			Round:   pick(t, "round", "1", "2", "Matchday 3", "2026 round 4"),
			Players: Roster(mode).Draw(t, "roster"),
		}
		if once(t, 2, "attributes") {
			n.Attributes = map[string]string{"map": pick(t, "map", "dust", "mill", "")}
		}
		return n
	})
}

// Roster draws players that the mode takes, at most six: some with teams or attributes, some of them bots.
func Roster(mode finalbell.Mode) *rapid.Generator[[]finalbell.Participant] {
	return rapid.Custom(func(t *rapid.T) []finalbell.Participant {
		most := len(poolPlayers())
		if mode.Players.Max > 0 {
			most = min(most, mode.Players.Max)
		}
		n := rapid.IntRange(min(max(1, mode.Players.Min), most), most).Draw(t, "players")
		var roster []finalbell.Participant
		for _, id := range rapid.Permutation(poolPlayers()).Draw(t, "roster")[:n] {
			p := finalbell.Participant{Player: id, Team: drawTeam(t, mode, roster), Bot: once(t, 5, "bot")}
			if once(t, 2, "attributes") {
				p.Attributes = map[string]string{"country": pick(t, "country", "de", "se", "")}
			}
			roster = append(roster, p)
		}
		return roster
	})
}

// drawTeam draws a team that has room for one more player.
func drawTeam(t *rapid.T, mode finalbell.Mode, roster []finalbell.Participant) string {
	if mode.Teams == nil && once(t, 2, "no team") {
		return ""
	}
	free := slices.DeleteFunc(poolTeams(), func(team string) bool { return !roomIn(mode, roster, team) })
	return rapid.SampledFrom(free).Draw(t, "team")
}

func roomIn(mode finalbell.Mode, roster []finalbell.Participant, team string) bool {
	size := 0
	for _, p := range roster {
		if p.Team == team {
			size++
		}
	}
	return mode.Teams == nil || mode.Teams.MaxSize == 0 || size < mode.Teams.MaxSize
}

// Outcomes draws a report of a match with this roster that End takes, if the board keys add up: in any order,
// with walk-ins, teams' own scores and accepted ranks where the mode has them, and now and then empty.
func Outcomes(mode finalbell.Mode, roster []finalbell.Participant) *rapid.Generator[[]finalbell.Outcome] {
	return rapid.Custom(func(t *rapid.T) []finalbell.Outcome {
		if once(t, 12, "no contest") {
			return nil
		}
		var out []finalbell.Outcome
		all := slices.Clone(roster)
		if mode.WalkIns {
			all = drawWalkIns(t, mode, all)
		}
		scored := make(map[string]bool)
		for _, team := range poolTeams() {
			there := slices.ContainsFunc(all, func(p finalbell.Participant) bool { return p.Team == team })
			if mode.Teams != nil && there && once(t, 3, "team score") {
				out = append(out, finalbell.TeamScore(team, drawNumber(t, mode, "outcome")))
				scored[team] = true
			}
		}
		ranks := drawRanks(t, mode, all)
		for i, p := range all {
			walksIn := i >= len(roster)
			optional := !walksIn && ranks == nil && (!mode.Missing.Reject || scored[p.Team])
			if optional && once(t, 4, "absent") {
				continue
			}
			o := drawOutcome(t, mode, p, !mode.Missing.Reject || scored[p.Team])
			if walksIn {
				o.Team = p.Team
			}
			if ranks != nil {
				o.Rank = ranks[p.Player]
			}
			out = append(out, o)
		}
		return rapid.Permutation(out).Draw(t, "order")
	})
}

func drawWalkIns(t *rapid.T, mode finalbell.Mode, all []finalbell.Participant) []finalbell.Participant {
	for _, id := range poolPlayers() {
		known := slices.ContainsFunc(all, func(p finalbell.Participant) bool { return p.Player == id })
		full := mode.Players.Max > 0 && len(all) >= mode.Players.Max
		anyRoom := slices.ContainsFunc(poolTeams(), func(team string) bool { return roomIn(mode, all, team) })
		if !known && !full && anyRoom && once(t, 4, "walks in") {
			all = append(all, finalbell.Participant{Player: id, Team: drawTeam(t, mode, all)})
		}
	}
	return all
}

// drawOutcome draws what is reported of one player. A player without a number must be allowed to have none.
func drawOutcome(t *rapid.T, mode finalbell.Mode, p finalbell.Participant, maybeNone bool) finalbell.Outcome {
	o := finalbell.Outcome{Player: p.Player}
	kinds := []string{"score", "score", "score", "status", "status and number"}
	if maybeNone {
		kinds = append(kinds, "nothing")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind of outcome") {
	case "score":
		o.Value = drawNumber(t, mode, "outcome")
		o.Status = pick(t, "finished", "", finalbell.Finished)
	case "status and number":
		o.Value = drawNumber(t, mode, "outcome")
		fallthrough
	case "status":
		o.Status = pick(t, "status", finalbell.DNF, finalbell.Forfeit, finalbell.Disqualified, finalbell.Left, finalbell.NoShow, "dsq", "dns")
	}
	metrics := poolMetrics()
	if mode.Points == nil {
		metrics = append(metrics, "points")
	}
	for _, metric := range metrics {
		if once(t, 2, "no "+metric) {
			continue
		}
		if o.Metrics == nil {
			o.Metrics = make(map[string]finalbell.Number)
		}
		o.Metrics[metric] = drawNumber(t, mode, metric)
	}
	return o
}

// drawNumber draws a number within the mode's bounds.
func drawNumber(t *rapid.T, mode finalbell.Mode, metric string) finalbell.Number {
	pool := poolNumbers()
	if b, bounded := mode.Bounds[metric]; bounded {
		pool = slices.DeleteFunc(pool, func(n finalbell.Number) bool {
			return b.Min.Known() && n.Cmp(b.Min) < 0 || b.Max.Known() && n.Cmp(b.Max) > 0
		})
	}
	return rapid.SampledFrom(pool).Draw(t, metric)
}

// drawRanks draws, for a mode that accepts ranks, one for each player, a team's members alike and somebody
// first; nil for none at all.
func drawRanks(t *rapid.T, mode finalbell.Mode, all []finalbell.Participant) map[string]int {
	if mode.Ranks != finalbell.AcceptRanks || once(t, 3, "no ranks") {
		return nil
	}
	ranks := make(map[string]int)
	teams := make(map[string]int)
	for i, p := range all {
		rank := rapid.IntRange(1, len(all)).Draw(t, "rank")
		if i == 0 {
			rank = 1
		}
		if mode.Teams != nil {
			if teams[p.Team] == 0 {
				teams[p.Team] = rank
			}
			rank = teams[p.Team]
		}
		ranks[p.Player] = rank
	}
	return ranks
}

// WrongOutcomes draws a report with one thing in it that is wrong, or that would be in another mode.
func WrongOutcomes(mode finalbell.Mode, roster []finalbell.Participant) *rapid.Generator[[]finalbell.Outcome] {
	return rapid.Custom(func(t *rapid.T) []finalbell.Outcome {
		report := slices.Clone(Outcomes(mode, roster).Draw(t, "outcomes"))
		if len(report) == 0 {
			report = []finalbell.Outcome{{Player: roster[0].Player}}
		}
		i := rapid.IntRange(0, len(report)-1).Draw(t, "which")
		if extra := drawExtra(t, roster); once(t, 3, "extra") {
			return slices.Insert(report, i, extra...)
		}
		if once(t, 4, "twice") {
			return append(report, report[i])
		}
		if once(t, 5, "all huge") {
			return allHuge(report)
		}
		report[i] = spoil(t, report[i])
		return report
	})
}

// drawExtra draws an outcome that hardly any report may have, or two that belong together.
func drawExtra(t *rapid.T, roster []finalbell.Participant) []finalbell.Outcome {
	if once(t, 6, "strange team") {
		return []finalbell.Outcome{{Player: "zoe", Team: "mauve", Value: finalbell.Int(1)}, finalbell.TeamScore("mauve", 1)}
	}
	return []finalbell.Outcome{pick(t, "extra outcome",
		finalbell.Outcome{},
		finalbell.Score("zoe", 1), finalbell.Score("yan", 1),
		finalbell.Score(strings.Repeat("x", 129), 1),
		finalbell.Score(roster[0].Player, 1),
		finalbell.TeamScore("mauve", 1),
		finalbell.Outcome{Team: "red"},
		finalbell.TeamScore("red", finalbell.Float(math.Inf(1))),
		finalbell.TeamScore("red", 999),
		finalbell.Outcome{Team: "red", Value: finalbell.Int(1), Status: finalbell.DNF},
	)}
}

// allHuge makes every number one of which two have no sum at four decimals.
func allHuge(report []finalbell.Outcome) []finalbell.Outcome {
	huge := finalbell.Int(900_000_000_000_000)
	for i := range report {
		report[i].Value = huge
		if report[i].Player != "" {
			report[i].Metrics = map[string]finalbell.Number{"kills": huge, "time": huge}
		}
	}
	return report
}

// spoil changes one thing about an outcome.
func spoil(t *rapid.T, o finalbell.Outcome) finalbell.Outcome {
	metric := func(name string, n finalbell.Number) {
		o.Metrics = map[string]finalbell.Number{name: n}
	}
	// The first one shrinks best, and a report that is fine after all is no loss.
	switch pick(t, "spoilt", "nothing", "rank", "decimals", "huge", "NaN", "status", "no number", "negative rank",
		"metric decimals", "huge metric", "NaN metric", "metric name", "built-in metric", "points", "unknown metric", "team",
		"out of bounds") {
	case "rank":
		o.Rank = rapid.IntRange(1, 7).Draw(t, "expected rank")
	case "decimals":
		o.Value = finalbell.Decimal("0.12345")
	case "huge":
		o.Value = finalbell.Int(900_000_000_000_000)
	case "NaN":
		o.Value = finalbell.Float(math.NaN())
	case "status":
		o.Status = "asleep"
	case "no number":
		o.Status, o.Value = finalbell.Finished, finalbell.Number{}
	case "negative rank":
		o.Rank = -1
	case "metric decimals":
		metric("time", finalbell.Decimal("-2.675"))
	case "huge metric":
		metric("kills", finalbell.Int(900_000_000_000_000))
	case "NaN metric":
		metric("kills", finalbell.Float(math.NaN()))
	case "metric name":
		metric("", finalbell.Int(1))
	case "built-in metric":
		metric("wins", finalbell.Int(1))
	case "points":
		metric("points", finalbell.Int(2))
	case "unknown metric":
		metric("kills", finalbell.Number{})
	case "team":
		o.Team = "teal"
	case "out of bounds":
		metric("kills", finalbell.Int(9))
	}
	return o
}
