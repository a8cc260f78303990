package finalbell

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
)

// digest tells requests apart by their content: a SHA-256 sum. The zero digest means none.
type digest [sha256.Size]byte

// filled is a report laid over a match's roster.
type filled struct {
	roster []Standing // in roster order, walk-ins behind
	teams  map[string]Number
	empty  bool   // no outcome at all
	digest digest // equal for reports that say the same
}

// isBuiltin reports whether the engine itself gives results a metric of this name, so that nobody may report
// it. The metric points is reported unless the mode awards it.
func isBuiltin(metric string) bool {
	switch metric {
	case "outcome", "rank", "points", "played", "wins", "draws", "losses", "rating":
		return true
	}
	return false
}

// fill lays a report over the match's roster. A final one speaks of everybody: who is absent gets what the
// mode's Missing says. A live one leaves the others as they were. Refusals come in the documented order: a
// player twice, an unknown one, then what is wrong with the outcomes.
func fill(m Match, mode Mode, outcomes []Outcome, final bool) (filled, error) {
	f := filled{roster: slices.Clone(m.roster), teams: maps.Clone(m.teams), empty: len(outcomes) == 0}
	if final {
		f.roster, f.teams = unranked(m).roster, nil
	}
	seats, err := f.seat(mode, outcomes)
	if err != nil {
		return filled{}, err
	}
	if f.empty && final {
		f.digest = digestReport(mode, f)
		return f, nil
	}
	for i, o := range outcomes {
		if err := f.take(mode, seats[i], o); err != nil {
			return filled{}, err
		}
	}
	if err := f.settle(mode, final); err != nil {
		return filled{}, err
	}
	f.digest = digestReport(mode, f)
	return f, nil
}

// seat finds the seat of each outcome's player, -1 for a team's own score. Walk-ins take new seats in the
// order in which the report names them.
func (f *filled) seat(mode Mode, outcomes []Outcome) ([]int, error) {
	sitting := len(f.roster)
	at := make(map[string]int, sitting)
	sides := make(map[string]bool)
	for i, s := range f.roster {
		at[s.Player] = i
		sides[s.Team] = true
	}
	seats := make([]int, len(outcomes))
	seen := make(map[[2]string]bool, len(outcomes))
	var twice, strangers []string
	for i, o := range outcomes {
		who := [2]string{o.Player}
		name := o.Player
		if o.Player == "" {
			who, name = [2]string{"", o.Team}, o.Team
		}
		if seen[who] {
			twice = append(twice, name)
		}
		seen[who] = true
		seat, known := at[o.Player]
		switch {
		case o.Player == "":
			seat, known = -1, true // looked for below: a walk-in further on may bring the team
		case !known && mode.WalkIns:
			known, seat = true, len(f.roster)
			at[o.Player] = seat
			sides[o.Team] = true
			f.roster = append(f.roster, Standing{Player: o.Player, Team: o.Team})
		}
		if !known {
			strangers = append(strangers, name)
		}
		seats[i] = seat
	}
	for _, o := range outcomes {
		if o.Player == "" && (mode.Teams == nil || !sides[o.Team]) {
			strangers = append(strangers, o.Team)
		}
	}
	if twice != nil {
		slices.Sort(twice)
		twice = slices.Compact(twice)
		return nil, refuse(ErrDuplicatePlayer, "reported twice: "+list(twice), twice...)
	}
	if strangers != nil {
		return nil, refuse(ErrUnknownPlayer, "not in the match: "+list(strangers), strangers...)
	}
	if len(f.roster) == sitting {
		return seats, nil
	}
	if len(f.roster) > maxPlayers {
		return nil, refuse(ErrPlayers, plural(len(f.roster), "player")+" are more than "+strconv.Itoa(maxPlayers))
	}
	return seats, checkNumbers(mode, f.roster)
}

// take puts one outcome on its seat.
func (f *filled) take(mode Mode, seat int, o Outcome) error {
	if seat < 0 {
		return f.takeTeam(mode, o)
	}
	s := &f.roster[seat]
	wrong := func(text string) error { return refuse(ErrOutcome, quote(o.Player)+": "+text, o.Player) }
	if o.Team != "" && o.Team != s.Team {
		return wrong("plays for team " + quote(s.Team) + ", not " + quote(o.Team))
	}
	if mode.Teams != nil && s.Team == "" {
		return wrong("needs a team in mode " + quote(mode.ID))
	}
	if err := o.Value.Err(); err != nil {
		return wrong("outcome " + err.Error())
	}
	status, ok := readStatus(o.Status)
	if !ok {
		return wrong("unknown status " + quote(string(o.Status)))
	}
	if status == "" && o.Value.Known() {
		status = Finished
	}
	if o.Value.Known() && status == Finished {
		if err := within(mode, "outcome", o.Value); err != nil {
			return wrong("outcome " + err.Error())
		}
	}
	if len(o.Metrics) > maxMetrics {
		return wrong(plural(len(o.Metrics), "metric") + " are more than " + strconv.Itoa(maxMetrics))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
		if err := checkMetric(mode, name, o.Metrics[name]); err != nil {
			return wrong("metric " + quote(name) + ": " + err.Error())
		}
	}
	if o.Rank < 0 {
		return wrong("rank " + strconv.Itoa(o.Rank) + " is below 1")
	}
	*s = Standing{Player: s.Player, Team: s.Team, Bot: s.Bot, Outcome: o.Value, Status: status,
		Metrics: maps.Clone(o.Metrics), reported: o.Rank}
	return nil
}

// takeTeam takes a team's own score.
func (f *filled) takeTeam(mode Mode, o Outcome) error {
	wrong := func(text string) error { return refuse(ErrOutcome, "team "+quote(o.Team)+": "+text, o.Team) }
	switch {
	case o.Value.Err() != nil:
		return wrong("outcome " + o.Value.Err().Error())
	case !o.Value.Known():
		return wrong("no score")
	case o.Status != "" && o.Status != Finished, len(o.Metrics) > 0, o.Rank != 0:
		return wrong("status, metrics and rank belong to the players, not to the score")
	}
	if err := within(mode, "outcome", o.Value); err != nil {
		return wrong("outcome " + err.Error())
	}
	if f.teams == nil {
		f.teams = make(map[string]Number)
	}
	f.teams[o.Team] = o.Value
	return nil
}

// settle gives everybody in a final report a status, and refuses what does not fit together.
func (f *filled) settle(mode Mode, final bool) error {
	var absent []string
	for i := range f.roster {
		s := &f.roster[i]
		_, scored := f.teams[s.Team]
		scored = scored && mode.Teams != nil
		switch {
		case s.Status == Finished && !s.Outcome.Known() && !scored:
			return refuse(ErrOutcome, "finished without a number: "+quote(s.Player), s.Player)
		case s.Status != "" || !final:
		case mode.Missing.Reject && !scored:
			absent = append(absent, s.Player)
		default:
			assume(mode, s, scored)
		}
	}
	if absent != nil {
		return refuse(ErrOutcome, "no outcome for: "+list(absent), absent...)
	}
	if final && mode.Ranks == AcceptRanks {
		return checkAccepted(mode, f.roster)
	}
	return nil
}

// checkAccepted refuses reported ranks that no order could give: some players without, beyond the roster,
// nobody first, or a team whose members differ.
func checkAccepted(mode Mode, roster []Standing) error {
	var without []string
	first := false
	team := make(map[string]int)
	for _, s := range roster {
		switch {
		case s.reported == 0:
			without = append(without, s.Player)
		case s.reported > len(roster):
			return refuse(ErrOutcome, "rank "+strconv.Itoa(s.reported)+" of "+quote(s.Player)+" among "+plural(len(roster), "player"), s.Player)
		}
		if mode.Teams != nil && team[s.Team] != 0 && team[s.Team] != s.reported {
			return refuse(ErrOutcome, "rank "+strconv.Itoa(s.reported)+" of "+quote(s.Player)+" differs from the rest of the team", s.Player)
		}
		team[s.Team] = s.reported
		first = first || s.reported == 1
	}
	switch {
	case len(without) == len(roster):
		return nil // no ranks came: ours count
	case without != nil:
		return refuse(ErrOutcome, "no rank for: "+list(without), without...)
	case !first:
		return refuse(ErrOutcome, "nobody has rank 1")
	}
	return nil
}

// readStatus takes the two other spellings that formats.md allows; empty stays empty.
func readStatus(s Status) (Status, bool) {
	switch s {
	case "", Finished, DNF, Forfeit, Disqualified, Left, NoShow:
		return s, true
	case "dsq":
		return Disqualified, true
	case "dns":
		return NoShow, true
	}
	return "", false
}

// checkMetric refuses a reported metric by its name or its value.
func checkMetric(mode Mode, name string, n Number) error {
	if isBuiltin(name) && (name != "points" || mode.Points != nil) {
		return refuse(ErrOutcome, "the engine gives this one, nobody may report it")
	}
	if err := checkID("metric", name); err != nil {
		return err
	}
	if err := n.Err(); err != nil {
		return err
	}
	if !n.Known() {
		return refuse(ErrOutcome, "no number")
	}
	return within(mode, name, n)
}

// within refuses a number outside the mode's bounds for the metric.
func within(mode Mode, metric string, n Number) error {
	b, bounded := mode.Bounds[metric]
	switch {
	case !bounded:
	case b.Min.Known() && n.Cmp(b.Min) < 0:
		return refuse(ErrOutcome, n.String()+" is below the bound "+b.Min.String())
	case b.Max.Known() && n.Cmp(b.Max) > 0:
		return refuse(ErrOutcome, n.String()+" is above the bound "+b.Max.String())
	}
	return nil
}

// digestReport is equal for reports that say the same after defaults, in whatever order they said it.
func digestReport(mode Mode, f filled) digest {
	var d digester
	d.flag(f.empty)
	if !f.empty {
		players := slices.Clone(f.roster)
		slices.SortFunc(players, func(a, b Standing) int { return cmp.Compare(a.Player, b.Player) })
		for _, s := range players {
			d.text(s.Player)
			d.text(s.Outcome.String())
			d.text(string(s.Status))
			d.size(len(s.Metrics))
			for _, name := range slices.Sorted(maps.Keys(s.Metrics)) {
				d.text(name)
				d.text(s.Metrics[name].String())
			}
			if mode.Ranks == AcceptRanks {
				d.size(s.reported)
			}
		}
		for _, team := range slices.Sorted(maps.Keys(f.teams)) {
			d.text(team)
			d.text(f.teams[team].String())
		}
	}
	return d.sum()
}

// digestContent is equal for matches created with the same content.
func digestContent(m Match) digest {
	var d digester
	for _, s := range []string{m.Mode, m.Room, m.Round, formatTime(m.Deadline)} {
		d.text(s)
	}
	for _, s := range m.roster[:m.invited] {
		d.text(s.Player)
		d.text(s.Team)
		d.flag(s.Bot)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		d.text(name)
		d.text(m.Attributes[name])
	}
	return d.sum()
}

// digester writes fields so that no two different lists of them give the same bytes.
type digester struct{ b bytes.Buffer }

func (d *digester) size(n int) { d.b.Write(binary.AppendUvarint(nil, uint64(n))) }

func (d *digester) text(s string) {
	d.size(len(s))
	d.b.WriteString(s)
}

func (d *digester) flag(b bool) {
	if b {
		d.b.WriteByte(1)
	} else {
		d.b.WriteByte(0)
	}
}

func (d *digester) sum() digest { return sha256.Sum256(d.b.Bytes()) }
