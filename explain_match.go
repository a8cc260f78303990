package finalbell

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// StandingExplanation is why a player stands in a match where they do: their side, which is the player or in a team match
// the team, between the sides directly above and below.
type StandingExplanation struct {
	Match, Mode        string
	State              State
	Provisional        bool // by the last live reports
	Draw               bool
	Player, Team       string
	Rank, Position     int // 0 in a match in which nobody is ranked
	Result             Result
	Reason             string     // of the result; see SideExplanation
	Order              Order      // of outcomes
	Ties               TieStyle   // how equal sides share ranks
	TieBreak           []TieBreak // what is compared before sides count as equal
	Fold               TeamFold   // of a team match: how a team's members make its score
	Accepted           bool       // the ranks are the reported ones
	Sides, Finishers   int
	Side, Above, Below *SideExplanation
	// Differs, if it is not empty, says that the rules do not give what is stored.
	Differs string
}

// SideExplanation is one side of a match with what is compared.
type SideExplanation struct {
	Player   string              // whose side it is; not of a team
	Team     string              //
	Members  []MemberExplanation // of a team, in roster order
	Finished bool
	Status   Status // of a side that did not finish; what a team's members did in the order of statuses
	Score    Exact  // of one that did
	Reported bool   // the team's score was reported, and not folded
	Breaks   []Exact
	Given    int // the rank that came with the report
	Rank     int
	Position int // of its first player
	Result   Result
	// Decided says, of a neighbour, what puts it there: "reported" (a reported rank), "finished" (one finished, and the other
	// did not), "outcome", "tie_break", of which Break is the index from 0, "status", or "roster": they are equal, and the
	// one stands before the other in the roster, which is why it is listed first and, with the ordinal style, ranked first.
	Decided string
	Break   int
}

// MemberExplanation is a player of a team.
type MemberExplanation struct {
	Player  string
	Status  Status
	Outcome Number
	Counts  bool // in the team's score
}

// Exact is a number, or a fraction that is none: a mean may be 10/3.
type Exact struct {
	Number   Number
	Fraction string // if it is not empty, the number is unknown
}

// The words of Decided.
const (
	decidedReported = "reported"
	decidedFinish   = "finished"
	decidedOutcome  = "outcome"
	decidedBreak    = "tie_break"
	decidedStatus   = "status"
	decidedRoster   = "roster"
)

// The words of Reason: why a result is what it is.
const (
	aloneFirst     = "alone_first"     // win
	sharesFirst    = "shares_first"    // draw
	behindFirst    = "behind_first"    // loss
	didNotFinish   = "not_finished"    // loss
	playsAlone     = "one_side"        // none
	nobodyFinished = "nobody_finished" // none
	withoutContest = "no_contest"      // no result
	notOver        = "not_ended"       // no result
)

// ExplainStanding tells why a player stands in a match where they do, by the rules of the time when it ended; of a running
// match by its live reports. ErrNotFound if the match is not there or the player is not in it.
func (e *Engine) ExplainStanding(ctx context.Context, match, player string) (StandingExplanation, error) {
	x, err := e.explainStanding(ctx, match, player)
	return x, failed("explain standing", match, err)
}

func (e *Engine) explainStanding(ctx context.Context, match, player string) (StandingExplanation, error) {
	if err := e.readable(ctx); err != nil {
		return StandingExplanation{}, err
	}
	if err := checkID("match id", match); err != nil {
		return StandingExplanation{}, err
	}
	r, err := e.record(ctx, match)
	if err != nil {
		return StandingExplanation{}, err
	}
	m := matchOf(r, e.ruleset())
	seat := slices.IndexFunc(m.roster, func(s Standing) bool { return s.Player == player })
	if seat < 0 {
		return StandingExplanation{}, refuse(ErrNotFound, "no player "+quote(player)+" in it", player)
	}
	mode := e.mode(m)
	if m.position > 0 {
		mode = e.ruleset().history.mode(m.Mode, m.position)
	}
	return explainStanding(mode, m, seat), nil
}

// explainStanding ranks a match once more and looks at one of its players.
func explainStanding(mode Mode, m Match, seat int) StandingExplanation {
	s := m.roster[seat]
	x := StandingExplanation{Match: m.ID, Mode: m.Mode, State: m.State, Provisional: m.Provisional, Draw: m.Draw, Player: s.Player, Team: s.Team,
		Rank: s.Rank, Position: s.Position, Result: s.Result, Order: mode.Order, Ties: mode.Ties, TieBreak: slices.Clone(mode.TieBreak)}
	if mode.Teams != nil {
		x.Fold = mode.Teams.Fold
	}
	switch {
	case m.NoContest:
		x.Reason = withoutContest
		return x
	case s.Rank == 0:
		x.Reason = notOver
		return x
	}
	roster := slices.Clone(m.roster)
	for i := range roster {
		if mode.Points != nil { // which the ranks give
			roster[i].Metrics = maps.Clone(roster[i].Metrics)
			delete(roster[i].Metrics, "points")
		}
	}
	if m.Provisional {
		mode, roster = guessed(mode, roster, m.teams)
	}
	sides, _ := rankSides(mode, roster, m.teams)
	at, position := 0, 1
	for i, side := range sides {
		if slices.Contains(side.seats(), seat) {
			at = i
			break
		}
		position += len(side.seats())
	}
	x.Accepted, x.Sides = accepted(&mode, sides), len(sides)
	for _, side := range sides {
		if side.finished {
			x.Finishers++
		}
	}
	own := sides[at]
	x.Side = own.explained(&mode, roster, m.teams, position)
	if at > 0 {
		x.Above = sides[at-1].explained(&mode, roster, m.teams, position-len(sides[at-1].seats()))
		x.Above.Decided, x.Above.Break = decidedBy(&mode, &sides[at-1], &own, x.Accepted)
	}
	if at+1 < len(sides) {
		x.Below = sides[at+1].explained(&mode, roster, m.teams, position+len(own.seats()))
		x.Below.Decided, x.Below.Break = decidedBy(&mode, &own, &sides[at+1], x.Accepted)
	}
	x.Reason = reasonOf(sides, own)
	place := position + slices.Index(own.seats(), seat)
	if own.rank != s.Rank || place != s.Position || own.result != s.Result {
		x.Differs = fmt.Sprintf("the rules give rank %d, position %d, %s; the match has %d, %d, %s", own.rank, place, own.result, s.Rank, s.Position, s.Result)
	}
	return x
}

// seats are the roster indexes of a side's players.
func (s *side) seats() []int {
	if s.members == nil {
		return []int{s.first}
	}
	return s.members
}

// explained is a side as it is told.
func (s *side) explained(mode *Mode, roster []Standing, teams map[string]Number, position int) *SideExplanation {
	x := &SideExplanation{Finished: s.finished, Given: s.reported, Rank: s.rank, Position: position, Result: s.result}
	if s.members == nil {
		x.Player = roster[s.first].Player
	} else {
		x.Team = roster[s.first].Team
		_, x.Reported = teams[x.Team]
	}
	for _, m := range s.members {
		p := roster[m]
		counts := s.finished && !x.Reported && p.Status == Finished && p.Outcome.Known()
		x.Members = append(x.Members, MemberExplanation{Player: p.Player, Status: p.Status, Outcome: p.Outcome, Counts: counts})
	}
	if !s.finished {
		if s.status >= 0 && s.status < len(unfinishedOrder) {
			x.Status = unfinishedOrder[s.status]
		}
		return x
	}
	x.Score = exactly(s.score, s.exact)
	for i := range mode.TieBreak {
		x.Breaks = append(x.Breaks, exactly(s.breaks[i].n, s.breaks[i].exact))
	}
	return x
}

// exactly is a number, or a fraction as a number if it is one.
func exactly(n Number, fraction *big.Rat) Exact {
	if fraction == nil {
		return Exact{Number: n}
	}
	if decimals, finite := fraction.FloatPrec(); finite && decimals <= maxScale {
		if n := Decimal(fraction.FloatString(decimals)); n.Known() {
			return Exact{Number: n}
		}
	}
	return Exact{Fraction: fraction.String()}
}

// decidedBy is what puts one side above another that is listed right behind it.
func decidedBy(mode *Mode, a, b *side, accepted bool) (word string, index int) {
	switch {
	case accepted && a.rank != b.rank:
		return decidedReported, 0
	case a.finished != b.finished:
		return decidedFinish, 0
	case !a.finished && a.status != b.status:
		return decidedStatus, 0
	case !a.finished:
		return decidedRoster, 0
	case compareExact(a.score, a.exact, b.score, b.exact) != 0:
		return decidedOutcome, 0
	}
	for i := range mode.TieBreak {
		x, y := a.breaks[i], b.breaks[i]
		if x.known != y.known || x.known && compareExact(x.n, x.exact, y.n, y.exact) != 0 {
			return decidedBreak, i
		}
	}
	return decidedRoster, 0
}

// reasonOf is why a side has its result.
func reasonOf(sides []side, s side) string {
	switch {
	case len(sides) == 1:
		return playsAlone
	case s.result == None:
		return nobodyFinished
	case s.result == Win:
		return aloneFirst
	case s.result == Draw:
		return sharesFirst
	case !s.finished:
		return didNotFinish
	}
	return behindFirst
}
