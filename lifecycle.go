package finalbell

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell/internal/timetext"
)

// State is where a match stands in its life.
type State string

const (
	Created   State = "created"
	Started   State = "started"
	Disputed  State = "disputed"
	Ended     State = "ended"
	Cancelled State = "cancelled"
	Expired   State = "expired"
	Voided    State = "voided"
)

// NewMatch is what Create is told. Two calls with the same id and the same content are one match.
type NewMatch struct {
	ID         string        // default: a new one
	Mode       string        // default: that of an opened room
	Room       string        // one that was opened, or a label
	Round      string        // a number or a label; its number is the label's last run of digits
	Players    []Participant // default: the members of an opened room
	Deadline   time.Time     // a match that has not ended by then expires; zero: only the mode's limits
	Attributes map[string]string
}

// Match is a match as it stood when the call returned. Its slices and maps belong to the caller.
type Match struct {
	ID, Mode, Room, Round string
	State                 State
	CreatedAt, StartedAt  time.Time
	EndedAt               time.Time // when it ended, was cancelled or expired
	Deadline              time.Time
	NoContest             bool // ended without any outcome: nobody is ranked
	Draw                  bool // everybody shares the first rank
	Provisional           bool // the standings come from live reports
	Replayed              bool // the call had been made before and changed nothing now
	Reason                string
	Revision              int          // how often it was amended
	Corrections           []Correction // of the last amendment, or of the void: what it did not change, for those windows were final
	Attributes            map[string]string
	Data                  map[string]string // what a Before hook attached for ever, and a Reply hook to this reply
	Standings             []Standing        // by position; in roster order where nobody is ranked

	version  uint64
	created  uint64 // position of the commit that created it
	position uint64 // position of the commit that ended it
	revised  uint64 // of the one that amended it last, or voided it
	grants   int    // made by its end and its revisions
	report   digest
	invited  int               // how many of roster were there at create
	roster   []Standing        // in roster order
	teams    map[string]Number // reported team scores
}

// verb is a call that moves a match.
type verb string

const (
	verbStart  verb = "start"
	verbReport verb = "report"
	verbEnd    verb = "end"
	verbCancel verb = "cancel"
	verbVoid   verb = "void"
	verbAmend  verb = "amend"

	verbRematch verb = "rematch" // moves no match; what it may follow is the law's all the same
)

// answer is what a verb finds in a state: a new state, the stored match, a refusal, or the stored match for
// the same report and a refusal for another.
type answer struct {
	to     State
	stored bool
	same   bool
	kind   Kind
}

var (
	isStored     = answer{stored: true}
	sameOrAgain  = answer{to: Ended, same: true}
	sameOrEnded  = answer{same: true, kind: ErrAlreadyEnded}
	isNewMatch   = answer{to: Created}
	refusesState = answer{kind: ErrState}
	isCancelled  = answer{kind: ErrCancelled}
	isExpired    = answer{kind: ErrExpired}
	alreadyEnded = answer{kind: ErrAlreadyEnded}
)

// law is the whole table of verbs and states. What is not in it is refused.
var law = map[verb]map[State]answer{
	verbStart: {
		Created: {to: Started}, Started: isStored, Disputed: refusesState, Ended: isStored,
		Cancelled: isCancelled, Expired: isExpired, Voided: refusesState,
	},
	verbReport: {
		Created: {kind: ErrNotStarted}, Started: {to: Started}, Disputed: refusesState, Ended: alreadyEnded,
		Cancelled: isCancelled, Expired: isExpired, Voided: refusesState,
	},
	verbEnd: {
		Created: {kind: ErrNotStarted}, Started: {to: Ended}, Disputed: {to: Ended}, Ended: sameOrEnded,
		Cancelled: isCancelled, Expired: isExpired, Voided: sameOrEnded,
	},
	verbCancel: {
		Created: {to: Cancelled}, Started: {to: Cancelled}, Disputed: {to: Cancelled}, Ended: alreadyEnded,
		Cancelled: isStored, Expired: isExpired, Voided: refusesState,
	},
	verbVoid: {
		Created: refusesState, Started: refusesState, Disputed: refusesState, Ended: {to: Voided},
		Cancelled: refusesState, Expired: refusesState, Voided: isStored,
	},
	verbAmend: {
		Created: refusesState, Started: refusesState, Disputed: refusesState, Ended: sameOrAgain,
		Cancelled: refusesState, Expired: refusesState, Voided: refusesState,
	},
	verbRematch: {
		Created: refusesState, Started: refusesState, Disputed: refusesState, Ended: isNewMatch,
		Cancelled: isNewMatch, Expired: isNewMatch, Voided: isNewMatch,
	},
}

// move looks a verb up in the law. It returns the next state, or replayed for a match that is to be returned
// as it is, or a refusal. same tells whether the call brings the report that ended the match.
func move(v verb, m Match, same bool) (to State, replayed bool, err error) {
	a, listed := law[v][m.State]
	switch {
	case !listed:
		return "", false, refuse(ErrState, "the match is "+string(m.State))
	case a.stored || a.same && same:
		return m.State, true, nil
	case a.kind != "":
		return "", false, refuse(a.kind, "the match is "+string(m.State))
	}
	return a.to, false, nil
}

// create makes a match of n at the given time; n was checked.
func create(n NewMatch, at time.Time) Match {
	m := Match{
		ID: n.ID, Mode: n.Mode, Room: n.Room, Round: n.Round, State: Created, CreatedAt: at,
		Deadline: n.Deadline, Attributes: maps.Clone(n.Attributes), invited: len(n.Players),
	}
	m.roster = make([]Standing, len(n.Players))
	for i, p := range n.Players {
		m.roster[i] = Standing{Player: p.Player, Team: p.Team, Bot: p.Bot, Attributes: maps.Clone(p.Attributes), seat: i}
	}
	return m
}

// checkRoster refuses a roster that the mode does not allow: a player twice first, then the numbers.
func checkRoster(mode Mode, roster []Standing) error {
	if err := checkTwice(roster, func(s Standing) string { return s.Player }); err != nil {
		return err
	}
	return checkNumbers(mode, roster)
}

// checkTwice refuses a list in which a player is named twice.
func checkTwice[T any](all []T, player func(T) string) error {
	seen := make(map[string]bool, len(all))
	var twice []string
	for _, x := range all {
		id := player(x)
		if seen[id] && !slices.Contains(twice, id) {
			twice = append(twice, id)
		}
		seen[id] = true
	}
	if twice == nil {
		return nil
	}
	return refuse(ErrDuplicatePlayer, "named twice: "+list(twice), twice...)
}

// checkNumbers refuses too few or too many players and too large a team.
func checkNumbers(mode Mode, roster []Standing) error {
	n := len(roster)
	if n < mode.Players.Min {
		return refuse(ErrPlayers, plural(n, "player")+"; mode "+quote(mode.ID)+" needs "+strconv.Itoa(mode.Players.Min))
	}
	if mode.Players.Max > 0 && n > mode.Players.Max {
		return refuse(ErrPlayers, plural(n, "player")+"; mode "+quote(mode.ID)+" takes "+strconv.Itoa(mode.Players.Max))
	}
	if mode.Teams == nil || mode.Teams.MaxSize == 0 {
		return nil
	}
	size := make(map[string]int)
	for _, s := range roster {
		size[s.Team]++
		if size[s.Team] > mode.Teams.MaxSize {
			return refuse(ErrPlayers, "team "+quote(s.Team)+" has more than "+plural(mode.Teams.MaxSize, "player"))
		}
	}
	return nil
}

// start starts a match that the law lets start.
func start(m Match, at time.Time) (Match, error) {
	if err := notBefore(at, m.CreatedAt, Created); err != nil {
		return m, err
	}
	m.State, m.StartedAt = Started, at
	return m, nil
}

// notBefore refuses a time before the step that came last.
func notBefore(at, last time.Time, step State) error {
	if !at.Before(last) {
		return nil
	}
	return refuse(ErrInvalid, "at "+timetext.Format(at)+" is before the match was "+string(step)+", "+timetext.Format(last))
}

// end ends a match by a report that was laid over its roster. No outcome at all is no contest.
func end(m Match, mode Mode, f filled, at time.Time) (Match, error) {
	m.State, m.EndedAt, m.Provisional, m.report = Ended, at, false, f.digest
	m.roster, m.teams = f.roster, f.teams
	if f.empty {
		m.NoContest, m.Draw = true, false
		return m, nil
	}
	ranked, draw := rank(mode, m.roster, m.teams)
	if mode.Ranks != AcceptRanks {
		if err := checkReported(mode, ranked); err != nil {
			return m, err
		}
	}
	awardPoints(mode, ranked)
	m.Draw = draw
	m.roster = inRosterOrder(ranked)
	return m, nil
}

// provide lays a live report over a started match: the outcomes replace the earlier ones player by player,
// and everybody is ranked as if the match ended now.
func provide(m Match, mode Mode, f filled) Match {
	m.Provisional = true
	m.roster, m.teams = f.roster, f.teams
	mode, guess := guessed(mode, m.roster, m.teams)
	ranked, draw := rank(mode, guess, m.teams)
	awardPoints(mode, ranked)
	m.Draw = draw
	ranked = inRosterOrder(ranked)
	for i, s := range m.roster {
		ranked[i].Outcome, ranked[i].Status = s.Outcome, s.Status
	}
	m.roster = ranked
	return m
}

// guessed is a roster as if everybody's last report were the final one, and the mode that ranks it: reported ranks count
// once everybody has one.
func guessed(mode Mode, roster []Standing, teams map[string]Number) (Mode, []Standing) {
	guess := slices.Clone(roster)
	accepted := mode.Ranks == AcceptRanks
	for i := range guess {
		guess[i].Metrics = maps.Clone(guess[i].Metrics) // who was not reported now still shares it with the roster
		if _, scored := teams[guess[i].Team]; guess[i].Status == "" {
			assume(mode, &guess[i], scored && mode.Teams != nil)
		}
		accepted = accepted && guess[i].reported > 0
	}
	if !accepted {
		mode.Ranks = ComputeRanks
	}
	return mode, guess
}

// assume gives a player of whom nothing was reported what the mode's Missing says, but with a team that has a
// score of its own everybody finished, and who is gone is. A mode that refuses such a report at the end still shows
// who has scored so far.
func assume(mode Mode, s *Standing, scored bool) {
	switch {
	case s.Gone != "":
		s.Status = s.Gone
	case scored:
		s.Status = Finished
	case mode.Missing.Outcome.Known():
		s.Outcome, s.Status = mode.Missing.Outcome, Finished
	default:
		s.Status = DNF
	}
}

// inRosterOrder brings ranked standings back into the order of the roster that they came from.
func inRosterOrder(ranked []Standing) []Standing {
	out := make([]Standing, len(ranked))
	for _, s := range ranked {
		out[s.seat] = s
	}
	return out
}

// void takes an ended match back. Its standings stay as they were, for whoever asks what was voided.
func void(m Match, reason string) Match {
	m.State, m.Reason, m.revised = Voided, reason, unplaced
	return m
}

// amend ends an ended match once more, by another report, as of the time when it ended.
func amend(m Match, mode Mode, f filled, reason string) (Match, error) {
	first := m.report
	m.NoContest, m.Draw = false, false
	m, err := end(m, mode, f, m.EndedAt)
	m.report, m.Reason, m.revised = first, reason, unplaced
	m.Revision++
	return m, err
}

// sameStandings reports whether two matches of the same roster stand alike.
func sameStandings(a, b Match) bool {
	return a.NoContest == b.NoContest && maps.Equal(a.teams, b.teams) && slices.EqualFunc(a.roster, b.roster, func(x, y Standing) bool {
		return x.Player == y.Player && x.Outcome == y.Outcome && x.Status == y.Status && x.Rank == y.Rank && x.Position == y.Position &&
			maps.Equal(x.Metrics, y.Metrics)
	})
}

// cancel and expire close a match that will not end.
func cancel(m Match, reason string, at time.Time) Match {
	m.State, m.EndedAt, m.Reason = Cancelled, at, reason
	return unranked(m)
}

func expire(m Match, at time.Time) Match {
	m.State, m.EndedAt = Expired, at
	return unranked(m)
}

// unranked takes back what was reported and ranked: a match that did not end keeps none of it.
func unranked(m Match) Match {
	m.Provisional, m.Draw, m.teams = false, false, nil
	roster := make([]Standing, len(m.roster))
	for i, s := range m.roster {
		roster[i] = Standing{Player: s.Player, Team: s.Team, Bot: s.Bot, Attributes: s.Attributes, seat: i, Held: s.Held, Paid: s.Paid, Gone: s.Gone}
	}
	m.roster = roster
	return m
}

// deadline is when the match expires, if it ever does: its own deadline or the mode's limit for its state,
// whichever comes first.
func deadline(m Match, mode Mode) (time.Time, bool) {
	var due time.Time
	earlier := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	switch m.State {
	case Created:
		if mode.ExpireCreated > 0 {
			earlier(m.CreatedAt.Add(mode.ExpireCreated))
		}
	case Started:
		if mode.ExpireStarted > 0 {
			earlier(m.StartedAt.Add(mode.ExpireStarted))
		}
	default:
		return time.Time{}, false
	}
	if !m.Deadline.IsZero() {
		earlier(m.Deadline)
	}
	return due, !due.IsZero()
}

// shown returns m with its standings in the order in which they are read, to be given away: the roster goes
// with them.
func (m Match) shown() Match {
	m.Standings, m.roster = m.roster, nil
	if !slices.IsSortedFunc(m.Standings, byPosition) {
		m.Standings = slices.Clone(m.Standings)
		slices.SortStableFunc(m.Standings, byPosition)
	}
	return m
}

func byPosition(a, b Standing) int { return cmp.Compare(a.Position, b.Position) }

// apart returns a copy of what shown gave that shares nothing with it, for a second reader.
func (m Match) apart() Match {
	m.Standings = slices.Clone(m.Standings)
	for i := range m.Standings {
		m.Standings[i].Metrics = maps.Clone(m.Standings[i].Metrics)
		m.Standings[i].Attributes = maps.Clone(m.Standings[i].Attributes)
		m.Standings[i].Boards = slices.Clone(m.Standings[i].Boards)
		m.Standings[i].Grants = slices.Clone(m.Standings[i].Grants)
	}
	m.Attributes, m.Data, m.Corrections = maps.Clone(m.Attributes), maps.Clone(m.Data), slices.Clone(m.Corrections)
	return m
}

// roundNumber is the number of a round: the last run of digits in its label.
func roundNumber(label string) (int, bool) {
	last := strings.LastIndexAny(label, "0123456789")
	if last < 0 {
		return 0, false
	}
	first := last
	for first > 0 && label[first-1] >= '0' && label[first-1] <= '9' {
		first--
	}
	n, err := strconv.Atoi(label[first : last+1])
	return n, err == nil
}
