package finalbell

import (
	"maps"
	"slices"
	"time"

	"github.com/finalbell/finalbell/schedule"
)

// How matches bring players nearer to their achievements. levels.go has markers and levels.
//
// A goal is folded over a player's results in the order of their moments. What that order says about late results
// holds here as on a board: one that comes late cannot be added, and everything is folded again. Adding is folding.
//
//	once        the best value of one match; of a metric that is 0 or 1 in each, how many matches had 1
//	cumulative  the sum
//	streak      matches in a row with a value above 0; one without ends the row, a match of another mode does not
//
// A goal is reached once in its window, when its value comes to the threshold, and stays reached there whatever
// becomes of the value. A new window begins with nothing.

// progression is what progress is made by; the zero one is of rules that have none.
type progression struct {
	pursuits []pursuit
	levels   []Level
}

// pursuit is an achievement with its windows.
type pursuit struct {
	Achievement
	calendar *schedule.Schedule
}

// newProgression is for rules that are valid and have their defaults.
func newProgression(r Rules) progression {
	p := progression{levels: r.Levels}
	for _, a := range r.Achievements {
		calendar, err := schedule.New(schedule.Rule{Every: schedule.Every(a.Window)})
		if err != nil {
			continue // not of a window that Validate lets pass
		}
		p.pursuits = append(p.pursuits, pursuit{a, calendar})
	}
	return p
}

// concerns reports whether a match of a mode can change the facts of its players.
func (p progression) concerns(mode Mode) bool {
	return len(mode.XP) > 0 || p.counts(mode.ID) ||
		slices.ContainsFunc(mode.Prizes, func(p Prize) bool { return p.Marker != "" || p.Item != "" })
}

// counts reports whether matches of a mode count for an achievement.
func (p progression) counts(mode string) bool {
	return slices.ContainsFunc(p.pursuits, func(a pursuit) bool { return a.takes(mode) })
}

// progresses reports whether a standing brings its player gains and achievements.
func (m Mode) progresses(s Standing) bool { return !s.Bot || m.Bots.Achievements == Include }

// achievement is the one of an id.
func (p progression) achievement(id string) (Achievement, bool) {
	for _, a := range p.pursuits {
		if a.ID == id {
			return a.Achievement, true
		}
	}
	return Achievement{}, false
}

// reached says that an achievement was reached, by a match.
type reached struct {
	achievement, window string
	value               Number
	match               string
}

// canAdd reports whether a result may go on top of facts: it changes no goal, or comes after all that did.
func (p progression) canAdd(f facts, r playerResult) bool {
	return f.Last == moment{} || r.moment.compare(f.Last) > 0 || !p.counts(r.mode) || !r.rules.progresses(r.standing)
}

// goals adds one result to the goals of facts, which stay as they are, and says what it reached, in the order of the
// rules. A sum that overflows is refused.
func (p progression) goals(f facts, r playerResult) (facts, []reached, error) {
	if !p.counts(r.mode) || !r.rules.progresses(r.standing) {
		return f, nil, nil
	}
	var got []reached
	goals := maps.Clone(f.Goals)
	if goals == nil {
		goals = make(map[string]goal)
	}
	for _, a := range p.pursuits {
		w, in := a.calendar.At(time.UnixMilli(r.moment.at))
		if !in || !a.takes(r.mode) {
			continue
		}
		g := goals[a.ID]
		if g.Window != w.ID {
			g = goal{Window: w.ID}
		}
		var ok bool
		if g.Value, ok = a.advance(g.Value, r.standing); !ok {
			return f, nil, refuse(ErrOutcome, "the sum of "+quote(a.Metric)+" overflows for achievement "+quote(a.ID), r.standing.Player)
		}
		if !g.Reached && g.Value.Known() && g.Value.Cmp(a.Threshold) >= 0 {
			g.Reached = true
			got = append(got, reached{a.ID, w.ID, g.Value, r.match})
		}
		goals[a.ID] = g
		if g.nothing() {
			delete(goals, a.ID)
		}
	}
	f.Goals, f.Last = goals, r.moment
	return f, got, nil
}

// foldGoals makes the goals of facts anew from all results of a player, in whatever order they come, and says
// everything that was ever reached, in the order of time.
func foldGoals(f facts, results []playerResult) (facts, []reached, error) {
	results = slices.Clone(results)
	slices.SortFunc(results, func(x, y playerResult) int { return x.moment.compare(y.moment) })
	next, all := f, []reached(nil)
	next.Goals, next.Last = nil, moment{}
	for _, r := range results {
		var got []reached
		var err error
		if next, got, err = r.by.goals(next, r); err != nil {
			return f, nil, err
		}
		all = append(all, got...)
	}
	return next, all, nil
}

// takes reports whether matches of a mode count.
func (a Achievement) takes(mode string) bool {
	return len(a.Modes) == 0 || slices.Contains(a.Modes, mode)
}

// advance is the value of a goal after a match; false if it overflows. Nothing is the unknown number.
func (a Achievement) advance(value Number, s Standing) (Number, bool) {
	n, has := a.value(s)
	above := has && n.Cmp(Int(0)) > 0
	ok := true
	switch {
	case a.Type == Streak && !above:
		return Number{}, true
	case a.Type == Streak:
		value, ok = sum(value, Int(1))
	case !has:
	case a.Type == Once && !a.either():
		if above && (!value.Known() || n.Cmp(value) > 0) {
			value = n
		}
	default:
		value, ok = sum(value, n)
	}
	if value == Int(0) {
		value = Number{}
	}
	return value, ok
}

// value is what a standing is worth for an achievement.
func (a Achievement) value(s Standing) (Number, bool) {
	if a.Rank > 0 {
		rank, has := metric(s, "rank")
		return one(has && s.Rank > 0 && rank.Cmp(Int(int64(a.Rank))) <= 0), true
	}
	return metric(s, a.Metric)
}

// either reports whether a match is worth 0 or 1, so that matches are counted.
func (a Achievement) either() bool {
	return a.Rank > 0 || slices.Contains([]string{"played", "wins", "draws", "losses"}, a.Metric)
}

// countsMatches reports whether values are numbers of matches.
func (a Achievement) countsMatches() bool { return a.Type == Streak || a.either() }

// sum is exact; false if it overflows. Unknown is 0.
func sum(a, b Number) (Number, bool) {
	scale := int(max(a.scale, b.scale))
	x, _, fitsX := a.unitsAt(scale)
	y, _, fitsY := b.unitsAt(scale)
	units, fits := addChecked(x, y)
	return fromUnits(units, scale), fitsX && fitsY && fits
}

// progress is how far a player is with each achievement at some time, in the order of the rules.
func (p progression) progress(f facts, at time.Time) []GoalProgress {
	var all []GoalProgress
	for _, a := range p.pursuits {
		w, in := a.calendar.At(at)
		if !in {
			continue
		}
		g := f.Goals[a.ID]
		if g.Window != w.ID {
			g = goal{}
		}
		q := GoalProgress{Achievement: a.ID, Window: w.ID, Value: Int(0), Threshold: a.Threshold, Remaining: Int(0), Reached: g.Reached}
		if g.Value.Known() {
			q.Value = g.Value
		}
		if !q.Reached && q.Value.Cmp(q.Threshold) < 0 {
			q.Remaining = difference(q.Threshold, q.Value)
		}
		all = append(all, q)
	}
	return all
}

// difference is a - b, unknown if it overflows.
func difference(a, b Number) Number {
	units, fits := mulChecked(b.units, -1)
	d, ok := sum(a, fromUnits(units, int(b.scale)))
	if !fits || !ok {
		return Number{}
	}
	return d
}
