package finalbell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell/store"
)

// GrantExplanation is why a player was given something. One of Prize, Gain, Achievement and Level is set, as the rules of
// the time had it; none if Differs says that they have nothing of the kind.
type GrantExplanation struct {
	Grant       Grant
	Revision    int // of the match by which it was given: 0 as it ended at first
	Prize       *PrizeExplanation
	Gain        *GainExplanation
	Achievement *AchievementExplanation
	Level       *LevelExplanation
	// History are the lines of the ledger that name the grant, oldest first: how its money was given, claimed, taken back, or
	// went to the house. The last hundred; Omitted says how many were before.
	History []Line
	Omitted int
	// Differs, if it is not empty, says that what is explained does not give the grant as it is stored.
	Differs string
}

// GainExplanation is what a match added to a marker: the metric times the amount, rounded down.
type GainExplanation struct {
	Rule   Gain
	Value  Number // of the metric
	Amount int64
}

// AchievementExplanation is how an achievement was reached.
type AchievementExplanation struct {
	Rule   Achievement
	Window string
	Reward int    // the index of the reward that the grant is of; -1: of the achievement itself
	Value  Number // when it was reached
	Match  string // by which
	// Matches are those that made the value, in the order of time: the last hundred. Omitted says how many were before.
	Matches []GoalMatch
	Omitted int
}

// GoalMatch is a match on the way to an achievement.
type GoalMatch struct {
	Match  string
	At     time.Time
	Value  Number // what it was worth; unknown: it has no such metric
	Before Number // the value of the goal, unknown for nothing
	After  Number
}

// LevelExplanation is how a level was reached.
type LevelExplanation struct {
	Marker      string
	Level       int
	Threshold   int64
	Reward      int    // the index of the reward of the level that the grant is of
	Value       int64  // of the marker now
	ReachedBy   string // the grant that brought the marker to the threshold; empty if it cannot be told
	Was, Became int64  // the marker, by that grant
}

const maxHistory = 100

// ExplainGrant tells why a player was given something, by the rules of the time. ErrNotFound without such a grant.
func (e *Engine) ExplainGrant(ctx context.Context, grant string) (GrantExplanation, error) {
	x, err := e.explainGrant(ctx, grant)
	return x, failed("explain grant", grant, err)
}

func (e *Engine) explainGrant(ctx context.Context, id string) (GrantExplanation, error) {
	if err := e.readable(ctx); err != nil {
		return GrantExplanation{}, err
	}
	g, err := e.grant(ctx, id)
	if err != nil {
		return GrantExplanation{}, err
	}
	x := GrantExplanation{Grant: g}
	parts := partsOf(id)
	switch {
	case parts[0] == matchGrants:
		err = e.explainMatchGrant(ctx, &x, parts)
	case parts[0] == windowGrants:
		err = e.explainWindowGrant(ctx, &x)
	case parts[0] == achievementGrants:
		err = e.explainAchievement(ctx, &x, parts)
	case parts[0] == levelGrants:
		err = e.explainLevel(ctx, &x)
	default:
		x.Differs = "no rule gives grants of this name"
	}
	if err != nil {
		return GrantExplanation{}, err
	}
	return x, e.explainHistory(ctx, &x)
}

// gives notes what the rules give where that is not what was given.
func (x *GrantExplanation) gives(r Reward) {
	if r != x.Grant.reward() {
		kind, what := r.kind()
		x.Differs = fmt.Sprintf("the rules give %d of %s %s, the grant is of %d of %s %s", r.Amount, kind, quote(what), x.Grant.Amount, x.Grant.Kind, quote(x.Grant.What))
	}
}

// explainMatchGrant explains what a match gave by itself: by its prizes, or by its gains.
func (e *engine) explainMatchGrant(ctx context.Context, x *GrantExplanation, parts []string) error {
	m, there, err := e.gaveIt(ctx, x.Grant)
	if err != nil || !there {
		x.Differs = "neither the match nor what it was before gives it"
		return err
	}
	x.Revision = m.Revision
	rs := e.ruleset()
	s := m.roster[slices.IndexFunc(m.roster, func(s Standing) bool { return s.Player == x.Grant.Player })]
	if len(parts) == 5 { // match/m1/xp/0/ann
		i, err := strconv.Atoi(parts[3])
		mode := rs.history.mode(m.Mode, m.position)
		if err != nil || i < 0 || i >= len(mode.XP) {
			x.Differs = "the mode has no such gain"
			return nil
		}
		x.Gain = &GainExplanation{Rule: mode.XP[i]}
		x.Gain.Value, _ = metric(s, mode.XP[i].Metric)
		gains, err := mode.gains(s)
		for _, g := range gains {
			if g.rule == i && err == nil {
				x.Gain.Amount = g.amount
			}
		}
		x.gives(Reward{Marker: mode.XP[i].Marker, Amount: x.Gain.Amount})
		return nil
	}
	terms := rs.terms(m)
	x.explainPrize(terms.prizing(), contenders(m, terms), 0)
	return nil
}

// gaveIt is a match as it was when it gave a grant: as it is, or as it was before it was amended or voided.
func (e *engine) gaveIt(ctx context.Context, g Grant) (Match, bool, error) {
	r, err := e.record(ctx, g.Match)
	if errors.Is(err, ErrNotFound) {
		return Match{}, false, nil
	}
	if err != nil {
		return Match{}, false, err
	}
	versions := []store.Match{r}
	for former, err := range e.store.Revisions(ctx, g.Match) {
		if err == nil {
			err = checkRecord(former)
		}
		if err != nil {
			return Match{}, false, unavailable(err)
		}
		versions = append(versions, former)
	}
	slices.Reverse(versions[1:]) // the newest first
	rs := e.ruleset()
	var nearly Match // gives something of the name, but another amount
	for _, r := range versions {
		m := matchOf(r, rs)
		if m.State != Ended {
			continue
		}
		awards, _, err := awardsOf(m, rs.terms(m), rs.history.mode(m.Mode, m.position))
		if err != nil {
			continue
		}
		for _, a := range awards {
			switch {
			case a.id != g.ID || a.player != g.Player:
			case a.gives == g.reward():
				return m, true, nil
			case nearly.ID == "":
				nearly = m
			}
		}
	}
	return nearly, nearly.ID != "", nil
}

// explainPrize explains a grant of a prize table.
func (x *GrantExplanation) explainPrize(by prizing, field []contender, size int) {
	i := slices.IndexFunc(by.prizes, func(p Prize) bool { return p.ID == x.Grant.Rule })
	if i < 0 {
		x.Differs = "the prize table has no such prize"
		return
	}
	p, there := by.explain(field, size, x.Grant.Player, i)
	if !there {
		x.Differs = "the prize does not go to the player"
		return
	}
	x.Prize = &p
	unit := by.unit(by.prizes[i])
	unit.Amount = p.Amount
	x.gives(unit)
}

// explainWindowGrant explains a prize of a window that is final.
func (e *Engine) explainWindowGrant(ctx context.Context, x *GrantExplanation) error {
	g := x.Grant
	v, err := (&Board{engine: e.engine, id: g.Board, period: g.Window, partition: g.Partition}).look(ctx)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrInvalid) {
		x.Differs = "the window is not there"
		return nil
	}
	if err != nil {
		return err
	}
	_, _, final, err := e.boardThen(ctx, v)
	if err != nil {
		return err
	}
	rule, there := e.ruleset().boardAt(g.Board, final)
	if final == 0 || !there {
		x.Differs = "the window is not final"
		return nil
	}
	field, size, err := v.winners(ctx, rule.prizing())
	if err != nil {
		return err
	}
	x.explainPrize(rule.prizing(), field, size)
	return nil
}

// explainAchievement follows a player's matches up to the one that reached an achievement.
func (e *engine) explainAchievement(ctx context.Context, x *GrantExplanation, parts []string) error {
	rs, g := e.ruleset(), x.Grant
	rule, there := rs.progressAt(g.position).achievement(g.Rule)
	if !there {
		x.Differs = "the rules have no such achievement"
		return nil
	}
	a := &AchievementExplanation{Rule: rule, Window: parts[2], Reward: -1}
	x.Achievement = a
	if len(parts) == 5 { // achievement/ten-wins/all/0/ann
		a.Reward, _ = strconv.Atoi(parts[3])
		if a.Reward >= len(rule.Rewards) {
			x.Differs = "the achievement has no such reward"
			return nil
		}
		x.gives(rule.Rewards[a.Reward])
	}
	past, err := e.pastAsOf(ctx, rs, g.Player, g.position)
	if err != nil {
		return err
	}
	slices.SortFunc(past, func(a, b playerResult) int { return a.moment.compare(b.moment) })
	for _, r := range past {
		if a.follow(r) {
			return nil
		}
	}
	a.Matches, a.Omitted = nil, 0
	x.Differs = "no match reaches it"
	return nil
}

// follow takes a result in and reports whether it reached the achievement in its window.
func (a *AchievementExplanation) follow(r playerResult) bool {
	i := slices.IndexFunc(r.by.pursuits, func(p pursuit) bool { return p.ID == a.Rule.ID })
	if i < 0 {
		return false
	}
	p, at := r.by.pursuits[i], time.UnixMilli(r.moment.at).UTC()
	w, in := p.calendar.At(at)
	if !in || w.ID != a.Window || !p.takes(r.mode) || !r.rules.progresses(r.standing) {
		return false
	}
	one := GoalMatch{Match: r.match, At: at, Before: a.Value}
	if value, has := p.value(r.standing); has {
		one.Value = value
	}
	after, ok := p.advance(a.Value, r.standing)
	if !ok {
		return false
	}
	one.After = after
	a.Value, a.Match = after, r.match
	if p.Type == Streak && !after.Known() {
		a.Matches, a.Omitted = nil, 0 // the row begins anew
		return false
	}
	if after != one.Before {
		if len(a.Matches) == maxHistory {
			a.Matches, a.Omitted = a.Matches[1:], a.Omitted+1
		}
		a.Matches = append(a.Matches, one)
	}
	return after.Known() && after.Cmp(p.Threshold) >= 0
}

// explainLevel explains a reward of a level.
func (e *engine) explainLevel(ctx context.Context, x *GrantExplanation) error {
	rs, g := e.ruleset(), x.Grant
	r, is := levelRewardOf(g)
	i := slices.IndexFunc(rs.progressAt(g.position).levels, func(l Level) bool { return l.Marker == r.marker })
	if !is || i < 0 {
		x.Differs = "the rules have no such level"
		return nil
	}
	table := rs.progressAt(g.position).levels[i]
	rewards := table.Rewards[strconv.Itoa(r.level)]
	if r.level < 1 || r.level > len(table.Thresholds) || r.index >= len(rewards) {
		x.Differs = "the level has no such reward"
		return nil
	}
	l := &LevelExplanation{Marker: r.marker, Level: r.level, Threshold: table.Thresholds[r.level-1], Reward: r.index}
	x.Level = l
	x.gives(rewards[r.index])
	facts := e.giving(rs, time.Time{}, Grant{})
	if err := facts.load(ctx, g.Player); err != nil {
		return err
	}
	l.Value = facts.players[g.Player].facts.Markers[r.marker]
	for other, err := range e.grants(ctx, store.GrantQuery{Player: g.Player}) {
		if err != nil {
			return err
		}
		if other.Kind != XPGrant || other.What != r.marker || other.Old >= l.Threshold || other.New < l.Threshold {
			continue
		}
		// Whatever was taken back in between, the marker was brought there before the level was rewarded.
		if other.position <= g.position {
			l.ReachedBy, l.Was, l.Became = other.ID, other.Old, other.New
		}
	}
	if g.State != GrantRevoked && l.Value < l.Threshold && x.Differs == "" {
		x.Differs = fmt.Sprintf("the marker is at %d, below the threshold", l.Value)
	}
	return nil
}

// explainHistory finds what the ledger says of a grant.
func (e *engine) explainHistory(ctx context.Context, x *GrantExplanation) error {
	if x.Grant.Kind != CurrencyGrant {
		return nil
	}
	for r, err := range e.store.Lines(ctx, store.LineQuery{Touching: wallets(x.Grant.Player)}) {
		if err != nil {
			return unavailable(err)
		}
		if r.Grant != x.Grant.ID {
			continue
		}
		if len(x.History) == maxHistory {
			x.History, x.Omitted = x.History[1:], x.Omitted+1
		}
		x.History = append(x.History, lineOf(r))
	}
	return nil
}
