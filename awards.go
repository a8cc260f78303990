package finalbell

import (
	"context"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// What the end of a match brings its players beside the boards: prizes, points of experience, achievements.

// reward settles what a match that has just ended brings: its pot and prizes, gains, achievements, levels, and its place
// in the statistics of its players.
func (e *engine) reward(ctx context.Context, d *decision) error {
	m, terms, mode := d.next, d.rules.terms(d.next), e.mode(d.next)
	awards, rest, err := awardsOf(m, terms, mode)
	if err != nil {
		return err
	}
	gives := e.giving(d.rules, d.at, Grant{Match: m.ID})
	if err := gives.load(ctx, d.rules.concerned(m, terms, mode, awards)...); err != nil {
		return err
	}
	for _, a := range awards {
		if err := gives.give(a); err != nil {
			return err
		}
	}
	d.next.roster = slices.Clone(d.next.roster)
	for _, s := range inPosition(m) {
		if err := gives.achieve(ctx, m, mode, s); err != nil {
			return err
		}
		if d.next.roster[s.seat].Summary, err = gives.tally(ctx, m, s); err != nil {
			return err
		}
	}
	if err := gives.climb(ctx); err != nil {
		return err
	}
	d.take(gives, rest)
	d.next.grants = len(d.granted)
	return nil
}

// concerned are the players of a match of whom something changes that is kept as facts.
func (rs *ruleset) concerned(m Match, terms, mode Mode, awards []award) []string {
	gains := rs.progress.concerns(mode) || slices.ContainsFunc(awards, func(a award) bool { return a.gives.Marker != "" || a.gives.Item != "" })
	var players []string
	for _, s := range m.roster {
		if gains && (terms.pays(s) || mode.progresses(s)) || !m.NoContest && mode.tallies(s) {
			players = append(players, s.Player)
		}
	}
	return players
}

// tally takes a match into the statistics of one of its players, and says what it meant for them.
func (g *giving) tally(ctx context.Context, m Match, s Standing) (Summary, error) {
	r := g.rules.result(m, s)
	if m.NoContest || !r.counts() {
		return Summary{}, nil
	}
	f := g.players[s.Player]
	f.changed = true
	if f.facts.Stats == nil && g.engine.tallied {
		f.facts.Stats = &statistics{}
	}
	if f.facts.Stats != nil && f.facts.Stats.canAdd(r) {
		next, meant := f.facts.Stats.add(r)
		f.facts.Stats = &next
		return meant, nil
	}
	past, err := g.past(ctx, s.Player, m.position)
	if err != nil {
		return Summary{}, err
	}
	next, meant := foldStatistics(append(past, r), r.moment)
	f.facts.Stats = &next
	return meant, nil
}

// take brings what was gathered into the decision.
func (d *decision) take(g *giving, rest []ledgerLine) {
	d.lines = append(append(d.lines, rest...), g.lines...)
	d.granted, d.facts = g.granted, g.changed()
}

// granted are the standings with their grants.
func granted(roster []Standing, grants []Grant) []Standing {
	if len(grants) == 0 {
		return roster
	}
	seats := make(map[string]int, len(roster))
	roster = slices.Clone(roster)
	for i := range roster {
		seats[roster[i].Player] = i
		roster[i].Grants = nil
	}
	for _, g := range grants {
		if i, there := seats[g.Player]; there {
			roster[i].Grants = append(roster[i].Grants, g)
		}
	}
	return roster
}

// inPosition are the standings of a match as they are read.
func inPosition(m Match) []Standing {
	standings := slices.Clone(m.roster)
	slices.SortStableFunc(standings, byPosition)
	return standings
}

// awardsOf is what an ended match gives by its prizes and gains, in the order of its standings, and what else becomes
// of its pot. After no contest everybody gets the fee back.
func awardsOf(m Match, terms, mode Mode) (awards []award, rest []ledgerLine, err error) {
	if m.NoContest {
		for _, s := range m.roster {
			if s.Paid > 0 {
				rest = append(rest, feeMove(m.ID, terms.Fee.Currency, account{potAccount, m.ID}, account{playerAccount, s.Player}, refundLine, s.Paid)...)
			}
		}
		return nil, rest, nil
	}
	paid, err := terms.prizing().payout(contenders(m, terms), 0)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range paid.grants {
		prize := terms.Prizes[g.prize]
		a := award{id: nameOf(matchGrants, m.ID, prize.ID, g.player), rule: prize.ID, player: g.player, gives: g.Reward, kind: prizeLine,
			from: account{kind: houseAccount}, claim: g.claim, expires: g.expires}
		if g.pooled {
			a.from = account{potAccount, m.ID}
		}
		awards = append(awards, a)
	}
	for _, s := range inPosition(m) {
		if !mode.progresses(s) {
			continue
		}
		gains, err := mode.gains(s)
		if err != nil {
			return nil, nil, err
		}
		for _, g := range gains {
			awards = append(awards, award{id: nameOf(matchGrants, m.ID, "xp", strconv.Itoa(g.rule), s.Player), rule: "xp", player: s.Player,
				gives: Reward{Marker: g.marker, Amount: g.amount}})
		}
	}
	return awards, paid.rest(m.ID), nil
}

// contenders are those who stand for the prizes of a match.
func contenders(m Match, terms Mode) []contender {
	field := make([]contender, len(m.roster))
	for i, s := range m.roster {
		field[i] = contender{player: s.Player, rank: s.Rank, position: s.Position, bot: s.Bot, finished: s.Status == Finished, paid: s.Paid}
		if terms.Teams != nil {
			field[i].team = s.Team
		}
	}
	return field
}

// achieve brings one player of a match nearer to achievements.
func (g *giving) achieve(ctx context.Context, m Match, mode Mode, s Standing) error {
	p := g.rules.progress
	if m.NoContest || !mode.progresses(s) || !p.counts(mode.ID) {
		return nil
	}
	f := g.players[s.Player]
	r := g.rules.result(m, s)
	var got []reached
	var err error
	next := facts{}
	if p.canAdd(f.facts, r) {
		next, got, err = p.goals(f.facts, r)
	} else {
		var past []playerResult
		if past, err = g.past(ctx, s.Player, m.position); err == nil {
			next, got, err = foldGoals(f.facts, append(past, r))
		}
	}
	if err != nil {
		return blame(err, s.Player)
	}
	f.facts, f.changed = next, true
	return g.achieved(ctx, s.Player, got)
}

// result is what a match brought one of its players, by the rules of its time.
func (rs *ruleset) result(m Match, s Standing) playerResult {
	return playerResult{moment: moment{at: m.EndedAt.UnixMilli(), position: m.position, place: s.Position}, mode: m.Mode, match: m.ID,
		rules: rs.history.mode(m.Mode, m.position), took: m.EndedAt.Sub(m.StartedAt), standing: s, by: rs.progressAt(m.position)}
}

// pastOf is every result of a player, but that of the match which ended at a position.
func (e *engine) pastOf(ctx context.Context, rs *ruleset, player string, but uint64) ([]playerResult, error) {
	past, err := e.pastAsOf(ctx, rs, player, latest)
	return slices.DeleteFunc(past, func(r playerResult) bool { return r.moment.position == but }), err
}

// pastAsOf is every result that a player had at a position.
func (e *engine) pastAsOf(ctx context.Context, rs *ruleset, player string, position uint64) ([]playerResult, error) {
	var past []playerResult
	for r, err := range e.endedAsOf(ctx, store.MatchQuery{Player: player}, position, position) {
		if err != nil {
			return nil, err
		}
		if r.NoContest || r.State != string(Ended) {
			continue
		}
		m := matchOf(r, rs)
		for _, s := range m.roster {
			if s.Player == player {
				past = append(past, rs.result(m, s))
			}
		}
	}
	return past, nil
}

// achieved gives achievements that were reached, and their rewards. Who has one already does not get it again.
func (g *giving) achieved(ctx context.Context, player string, got []reached) error {
	var awards []award
	for _, r := range got {
		a, there := g.rules.progress.achievement(r.achievement)
		if !there {
			continue
		}
		awards = append(awards, award{id: nameOf(achievementGrants, a.ID, r.window, player), rule: a.ID, player: player, achievement: true})
		for i, reward := range a.Rewards {
			awards = append(awards, award{id: nameOf(achievementGrants, a.ID, r.window, strconv.Itoa(i), player), rule: a.ID, player: player,
				gives: reward, kind: rewardLine, from: account{kind: houseAccount}})
		}
	}
	if len(awards) == 0 {
		return nil
	}
	return g.giveOnce(ctx, awards)
}
