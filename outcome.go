package finalbell

import "strconv"

// Participant is one player in a match's roster.
type Participant struct {
	Player string
	Team   string // groups players for boards of teams; a side of the match if the mode has Teams
	Bot    bool
	// Attributes are the player's own in this match, such as a country or a level; at most 64.
	Attributes map[string]string
}

// Players returns a roster of players without teams.
func Players(ids ...string) []Participant {
	roster := make([]Participant, len(ids))
	for i, id := range ids {
		roster[i] = Participant{Player: id}
	}
	return roster
}

// Status is how a player's match ended for them. Only who finished is ranked by outcome.
type Status string

// The statuses, in the order in which non-finishers are ranked.
const (
	Finished     Status = "finished"
	DNF          Status = "dnf" // did not finish
	Forfeit      Status = "forfeit"
	Disqualified Status = "disqualified" // also read as dsq
	Left         Status = "left"
	NoShow       Status = "no_show" // also read as dns
)

// Result is what a rank means among the sides of a match.
type Result string

const (
	Win  Result = "win"
	Draw Result = "draw"
	Loss Result = "loss"
	None Result = "none" // nobody to win against, or nobody finished
)

// Outcome is what a caller reports of one player of a match. Outcomes that say the same in another order are
// the same report.
type Outcome struct {
	Player string
	// Team names the team of a player who walks in; of a player already there it may be left out. Without a
	// Player the outcome is the team's own score, which then takes the place of its members' fold.
	Team string
	// Value is the number that ranks the player. Unknown means absent: without a Status the mode's Missing
	// decides what it stands for.
	Value  Number
	Status Status // default: finished with a Value, the mode's Missing without
	// Metrics are further numbers: tie-breaks, board keys, or just kept. Built-in names are refused, and
	// points too where the mode awards them. The map stays the caller's.
	Metrics map[string]Number
	// Rank, unless 0, is the rank that the caller expects; another one by our rules is refused, unless the
	// mode accepts reported ranks.
	Rank int
}

// Score returns the outcome of a player who finished with n.
func Score[N int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | Number](player string, n N) Outcome {
	return Outcome{Player: player, Value: number(n)}
}

// TeamScore returns the score of a whole team, reported instead of its members'.
func TeamScore[N int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | Number](team string, n N) Outcome {
	return Outcome{Team: team, Value: number(n)}
}

func number(n any) Number {
	switch n := n.(type) {
	case Number:
		return n
	case int:
		return Int(int64(n))
	case int8:
		return Int(int64(n))
	case int16:
		return Int(int64(n))
	case int32:
		return Int(int64(n))
	case int64:
		return Int(n)
	case uint:
		return unsigned(uint64(n))
	case uint8:
		return Int(int64(n))
	case uint16:
		return Int(int64(n))
	case uint32:
		return Int(int64(n))
	case uint64:
		return unsigned(n)
	}
	panic("unreachable: Score's constraint lists every type")
}

func unsigned(n uint64) Number {
	if n > maxUnits {
		return badNumber(strconv.FormatUint(n, 10))
	}
	return Int(int64(n))
}

// Standing is one participant of a match: what was reported, and how they stand by it.
type Standing struct {
	Player  string
	Team    string
	Bot     bool
	Outcome Number            // as reported, or the mode's default
	Status  Status            // empty until reported
	Metrics map[string]Number // as reported, and points where the mode awards them
	// Attributes are the player's own in this match, as they were at create.
	Attributes map[string]string
	Rank       int         // 1 is best; 0: unranked. Players who are equal share it as the mode's Ties says
	Position   int         // 1, 2, 3 … in rank order, equal ranks in roster order; 0: unranked
	Result     Result      // empty: unranked
	Boards     []BoardMove // what the match did to the player's, or their team's, entries
	Grants     []Grant     // what the player got by it, or may get
	Held       int64       // of the entry fee, in minor units, until the match starts; 0: the player could not pay it yet
	Paid       int64       // of it, once the match has started; what was paid back is in the ledger alone
	Summary    Summary     // what the match meant for the player's statistics
	Gone       Status      // Left or Forfeit: the player's session ended while the match ran, and the report need not say so

	seat     int // its place in the roster
	reported int // the rank that came with the outcome
}

// BoardMove is what a match did to an entry.
type BoardMove struct {
	Board, Window string
	Partition     string
	Late          bool // the window was final when the result came: it did not count
	OldRank       int  // 0: had no entry before
	Rank          int  // 0: not known (lost in a crash before it was stored), or not on the board yet
	Size          int  // of the window then; 0: as Rank
	Values        []Value
	Passed        []string // at most 5 of those whom the entry has passed, best first

	generation int
	id         string    // the entry's: the player or the team
	raw        [][]int64 // Values as they are stored
}
