package finalbell

import (
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
// mode's Missing says, or is gone. A live one leaves the others as they were. Refusals come in the documented order: a
// player twice, an unknown one, then what is wrong with the outcomes.
func fill(m Match, mode Mode, outcomes []Outcome, final bool) (filled, error) {
	f := filled{empty: len(outcomes) == 0}
	if final {
		f.roster = unranked(m).roster
	} else {
		f.roster, f.teams = slices.Clone(m.roster), maps.Clone(m.teams)
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
	for i, s := range f.roster {
		at[s.Player] = i
	}
	seats := make([]int, len(outcomes))
	taken := make([]bool, sitting, sitting+len(outcomes))
	var scored, twice, strangers []string
	for i, o := range outcomes {
		if o.Player == "" {
			seats[i] = -1
			if slices.Contains(scored, o.Team) {
				twice = append(twice, o.Team)
			}
			scored = append(scored, o.Team)
			continue
		}
		seat, there := at[o.Player]
		switch {
		case there && taken[seat]:
			twice = append(twice, o.Player)
		case there:
			taken[seat] = true
		default:
			// A stranger gets a seat too, so that being named twice shows; without walk-ins the call ends below.
			seat = len(f.roster)
			at[o.Player] = seat
			taken = append(taken, true)
			f.roster = append(f.roster, Standing{Player: o.Player, Team: o.Team, seat: seat})
			if !mode.WalkIns {
				strangers = append(strangers, o.Player)
			}
		}
		seats[i] = seat
	}
	playing := f.roster
	if !mode.WalkIns {
		playing = f.roster[:sitting]
	}
	for _, team := range scored {
		plays := slices.ContainsFunc(playing, func(s Standing) bool { return s.Team == team })
		if mode.Teams == nil || !plays {
			strangers = append(strangers, team)
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
	if name, err := firstWrong(mode, o.Metrics); err != nil {
		return wrong("metric " + quote(name) + ": " + err.Error())
	}
	if o.Rank < 0 {
		return wrong("rank " + strconv.Itoa(o.Rank) + " is below 1")
	}
	*s = Standing{Player: s.Player, Team: s.Team, Bot: s.Bot, Attributes: s.Attributes, Outcome: o.Value, Status: status,
		Metrics: maps.Clone(o.Metrics), seat: seat, reported: o.Rank, Held: s.Held, Paid: s.Paid, Gone: s.Gone}
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
		case mode.Missing.Reject && !scored && s.Gone == "":
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

// firstWrong is the refused metric whose name comes first, so that no map order reaches a message.
func firstWrong(mode Mode, metrics map[string]Number) (first string, err error) {
	for name, n := range metrics {
		if wrong := checkMetric(mode, name, n); wrong != nil && (err == nil || name < first) {
			first, err = name, wrong
		}
	}
	return first, err
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
	if f.empty {
		return digestOf(1)
	}
	d := append(make(digester, 0, 64*len(f.roster)), 0)
	players := slices.Clone(f.roster)
	slices.SortFunc(players, func(a, b Standing) int { return cmp.Compare(a.Player, b.Player) })
	var metrics []string
	for _, s := range players {
		d = d.text(s.Player).number(s.Outcome).text(string(s.Status)).size(len(s.Metrics))
		metrics = slices.AppendSeq(metrics[:0], maps.Keys(s.Metrics))
		slices.Sort(metrics)
		for _, name := range metrics {
			d = d.text(name).number(s.Metrics[name])
		}
		if mode.Ranks == AcceptRanks {
			d = d.size(s.reported)
		}
	}
	for _, team := range names(f.teams) {
		d = d.text(team).number(f.teams[team])
	}
	return d.sum()
}

// digestContent is equal for matches created with the same content.
func digestContent(m Match) digest {
	d := make(digester, 0, 256).text(m.Mode).text(m.Room).text(m.Round).text(wireTime(m.Deadline))
	for _, s := range m.roster[:m.invited] {
		d = d.text(s.Player).text(s.Team).flag(s.Bot)
	}
	for _, name := range names(m.Attributes) {
		d = d.text(name).text(m.Attributes[name])
	}
	for i, s := range m.roster[:m.invited] {
		for _, name := range names(s.Attributes) {
			// No name has a control character, so that this is none of the match's own.
			d = d.text("\x00").size(i).text(name).text(s.Attributes[name])
		}
	}
	return d.sum()
}

// digester gathers fields so that no two different lists of them give the same bytes.
type digester []byte

func digestOf(b ...byte) digest { return sha256.Sum256(b) }

func (d digester) size(n int) digester { return binary.AppendUvarint(d, uint64(n)) }

func (d digester) text(s string) digester { return append(d.size(len(s)), s...) }

// number tells an unknown number from a known 0; a bad one never comes so far.
func (d digester) number(n Number) digester {
	return binary.AppendVarint(append(d, byte(n.state), byte(n.scale)), n.units)
}

func (d digester) flag(b bool) digester {
	if b {
		return append(d, 1)
	}
	return append(d, 0)
}

func (d digester) sum() digest { return sha256.Sum256(d) }
