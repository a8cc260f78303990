package finalbell

import (
	"context"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// What the end of a match brings its players beside the boards: prizes, points of experience, achievements.

// reward settles what a match that has just ended brings: its pot and prizes, gains, achievements, levels.
func (e *engine) reward(ctx context.Context, d *decision) error {
	m, terms, mode := d.next, d.rules.terms(d.next), e.mode(d.next)
	if terms.Fee == nil && len(terms.Prizes) == 0 && !d.rules.progress.concerns(mode) {
		return nil
	}
	awards, rest, err := awardsOf(m, terms, mode)
	if err != nil {
		return err
	}
	gives := e.giving(d.rules, d.at, Grant{Match: m.ID})
	if d.rules.progress.concerns(mode) || slices.ContainsFunc(awards, func(a award) bool { return a.gives.Marker != "" || a.gives.Item != "" }) {
		if err := gives.load(ctx, earners(m, terms, mode)...); err != nil {
			return err
		}
	}
	for _, a := range awards {
		if err := gives.give(a); err != nil {
			return err
		}
	}
	for _, s := range inPosition(m) {
		if err := gives.achieve(ctx, m, mode, s); err != nil {
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

// earners are the players of a match who can get anything.
func earners(m Match, terms, mode Mode) []string {
	var players []string
	for _, s := range m.roster {
		if terms.pays(s) || mode.progresses(s) {
			players = append(players, s.Player)
		}
	}
	return players
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
	r := g.rules.goalResult(m, s)
	var got []reached
	var err error
	next := facts{}
	if p.canAdd(f.facts, r) {
		next, got, err = p.goals(f.facts, r)
	} else {
		var past []goalResult
		if past, err = g.engine.pastGoals(ctx, g.rules, s.Player, 0); err == nil {
			next, got, err = foldGoals(f.facts, append(past, r))
		}
	}
	if err != nil {
		return blame(err, s.Player)
	}
	f.facts, f.changed = next, true
	return g.achieved(ctx, s.Player, got)
}

// goalResult is what a match brings to a player's achievements, by the rules of its time.
func (rs *ruleset) goalResult(m Match, s Standing) goalResult {
	return goalResult{moment: moment{at: m.EndedAt.UnixMilli(), position: m.position, place: s.Position}, mode: m.Mode, match: m.ID, standing: s,
		by: rs.progressAt(m.position)}
}

// pastGoals is every result that counts for a player's achievements, but those of the match that ended at a position.
func (e *engine) pastGoals(ctx context.Context, rs *ruleset, player string, but uint64) ([]goalResult, error) {
	past, err := e.goalsAsOf(ctx, rs, player, latest)
	return slices.DeleteFunc(past, func(r goalResult) bool { return r.moment.position == but }), err
}

// goalsAsOf is every result that counted for a player's achievements at a position.
func (e *engine) goalsAsOf(ctx context.Context, rs *ruleset, player string, position uint64) ([]goalResult, error) {
	q := store.MatchQuery{Player: player, States: []string{string(Ended), string(Voided)}}
	if position == latest {
		q.States = q.States[:1]
	}
	var past []goalResult
	for r, err := range e.store.Matches(ctx, q) {
		if err == nil {
			err = checkRecord(r)
		}
		if err == nil {
			r, err = e.asOf(ctx, r, position)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		if r.NoContest || r.State != string(Ended) || r.Position > position {
			continue
		}
		m := matchOf(r, rs)
		mode := rs.history.mode(m.Mode, m.position)
		for _, s := range m.roster {
			if s.Player == player && mode.progresses(s) {
				past = append(past, rs.goalResult(m, s))
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
