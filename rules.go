package finalbell

import "time"

// Rules is the whole configuration of an engine: what modes there are and what their matches feed. The zero
// value of every field is the usual choice. ParseRules reads the same from JSON, MarshalJSON writes it.
type Rules struct {
	Currencies   []Currency
	Modes        []Mode
	Boards       []BoardRule
	Achievements []Achievement
	Levels       []Level
	Sessions     SessionRule
}

// Mode is a kind of match.
type Mode struct {
	ID       string
	Order    Order      // whether the higher (Desc, default) or the lower outcome wins
	Ties     TieStyle   // how equal outcomes share ranks
	TieBreak []TieBreak // applied in order before outcomes count as equal
	Points   *Points    // what the metric points is worth; nil: as reported
	Players  Limits
	Teams    *Teams // not nil: teams are the sides of a match

	Missing       Missing // what an absent outcome stands for
	WalkIns       bool    // an outcome may name a player who is not in the roster
	AutoStart     bool    // End and Report start a match that was only created
	Exclusive     bool    // a player may be in one running match of the exclusive modes at a time; bots in any number
	ExpireCreated time.Duration
	ExpireStarted time.Duration
	Reports       Reports
	Ranks         RankSource
	OnCrash       CrashPolicy
	OnSessionEnd  SessionPolicy    // what becomes of a player's seat when their last session ends
	Bounds        map[string]Bound // by metric, outcome included

	Bots       BotPolicy
	Unfinished UnfinishedPolicy
	Fee        *Fee
	Rating     *RatingRule
	Boards     []string // the boards that the mode feeds
	Prizes     []Prize
	XP         []Gain // what every match adds to its players' progression markers
}

// Order is a direction of comparison.
type Order string

const (
	Desc Order = "desc" // higher is better; the default
	Asc  Order = "asc"  // lower is better
)

// TieStyle is how equal finishers are ranked.
type TieStyle string

const (
	Standard TieStyle = "standard" // 1-2-2-4, the default
	Modified TieStyle = "modified" // 1-3-3-4
	Dense    TieStyle = "dense"    // 1-2-2-3
	Ordinal  TieStyle = "ordinal"  // 1-2-3-4, in roster order
)

// TieBreak compares a reported metric between players with equal outcomes. Who has none comes after all who do.
type TieBreak struct {
	Metric string
	Order  Order
}

// Points awards the metric points by result, or by rank: ByRank[0] to rank 1 and so on, to finishers only,
// the same to those who share a rank, 0 beyond its end. Unknown numbers are 0.
type Points struct {
	Win, Draw, Loss Number
	ByRank          []Number
}

// Limits bounds the number of players.
type Limits struct {
	Min int // default 1
	Max int // 0: no limit
}

// Teams makes teams the sides of a mode's matches.
type Teams struct {
	MaxSize int      // 0: no limit
	Fold    TeamFold // how the members' outcomes make the team's
}

// TeamFold is how members' outcomes become their team's.
type TeamFold string

const (
	TeamSum  TeamFold = "sum" // the default
	TeamMean TeamFold = "mean"
	TeamBest TeamFold = "best"
)

// Missing is what an absent outcome stands for: DNF by default, a refusal of the report, or a number.
type Missing struct {
	Reject  bool
	Outcome Number // known: the outcome of who is absent, as if reported
}

// Reports is who may end a match.
type Reports string

const (
	Authority Reports = "authority" // one trusted call; the default
	Unanimous Reports = "unanimous"
	Majority  Reports = "majority"
)

// RankSource is whose ranks count when a report brings its own.
type RankSource string

const (
	ComputeRanks RankSource = "compute" // ours; a reported rank that differs is refused. The default
	AcceptRanks  RankSource = "accept"  // the reported ones
)

// CrashPolicy is what becomes of matches that were running when the process died.
type CrashPolicy string

const (
	ResumeMatches CrashPolicy = "resume" // the default
	CancelMatches CrashPolicy = "cancel"
	SettleMatches CrashPolicy = "settle"
)

// SessionPolicy is what becomes of a player who is in a running match when their last session ends.
type SessionPolicy string

const (
	KeepSeat    SessionPolicy = "keep"    // the match does not notice. The default
	LeaveSeat   SessionPolicy = "left"    // the player has left, unless they come back before the match ends
	ForfeitSeat SessionPolicy = "forfeit" // the player forfeits
)

// Bound limits a reported number, both ends included; an unknown end is open.
type Bound struct{ Min, Max Number }

// Policy is whether something counts for an effect.
type Policy string

const (
	Exclude Policy = "exclude"
	Include Policy = "include"
	// PassDown is for the prizes of bots alone: they take no place, so that those behind them close up.
	PassDown Policy = "pass_down"
)

// BotPolicy is what bots count for. They are always ranked within their match. Default everywhere: Exclude. Bots whose
// Prizes are included pay the fee too; Achievements is for gains of markers as well.
type BotPolicy struct{ Boards, Stats, Rating, Prizes, Achievements Policy }

// UnfinishedPolicy is what the results of non-finishers count for. Default: Include, but for Prizes Exclude.
type UnfinishedPolicy struct{ Boards, Stats, Rating, Prizes Policy }

// BoardRule is a leaderboard.
type BoardRule struct {
	ID       string
	Of       Subject    // whom it ranks
	PerMatch PerMatch   // on a board of teams: how one match's members combine before the fold
	Ties     BoardTies  // whether equal values share a rank
	Keys     []Key      // compared in order
	Prizes   []Prize    // given when a window is final, on a board of players; without shares, since nobody paid
	Window   WindowRule // the period that it covers
	// Partition, if not nil, divides the board: each value of an attribute has a ranking of its own.
	Partition *Partition
}

// Partition is what a board is divided by. A result without the attribute is on the board of no partition.
type Partition struct {
	Of        Attributed // whose attribute it is
	Attribute string
}

// Attributed is what has attributes.
type Attributed string

const (
	OfMatch  Attributed = "match"  // the match's; the default
	OfPlayer Attributed = "player" // the player's own in the match
)

// Subject is whom a board ranks.
type Subject string

const (
	OfPlayers Subject = "player" // the default
	OfTeams   Subject = "team"
)

// PerMatch is how the members of a team combine in one match.
type PerMatch string

const (
	PerMatchSum  PerMatch = "sum"  // the default
	PerMatchBest PerMatch = "best" // the best member's, by the key's order
)

// BoardTies is what equal values mean on a board.
type BoardTies string

const (
	ShareRank BoardTies = "share" // equal values share a rank, 1-2-2-4; the default
	FirstRank BoardTies = "first" // who reached them earlier ranks above
)

// Key is one column of a board: a metric folded over a player's results.
type Key struct {
	Metric string
	Fold   Fold
	Order  Order
	Scale  int       // decimals kept, 0 to 9
	Round  bool      // round half to even to Scale; else a value with more decimals is refused
	Best   []Segment // with FoldSum: only the best results count
	Modes  []string  // only results of these modes feed the key; empty: all
	Places int       // with FoldCountback: how many places are counted, default and at most 64
}

// BestOf counts only the best n results.
func BestOf(n int) []Segment { return []Segment{{Count: n}} }

// Segment is a run of rounds of which the best Count results count. Segments ascend; ThroughRound 0 is
// allowed for the last one and takes all later rounds.
type Segment struct {
	ThroughRound int
	Count        int
}

// Fold is how results become an entry's value.
type Fold string

const (
	FoldSum       Fold = "sum"       // the default
	FoldBest      Fold = "best"      // with worst, first and latest: the row of one result
	FoldWorst     Fold = "worst"     //
	FoldFirst     Fold = "first"     //
	FoldLatest    Fold = "latest"    //
	FoldMean      Fold = "mean"      // rounded half to even to the key's scale
	FoldCount     Fold = "count"     // results that have the metric, or all without one
	FoldCountback Fold = "countback" // finishes per place: most first places, then most second ones …
)

// WindowRule is the period that a board covers; the zero value is all time. A period is half-open, and is named by
// the civil time at which it starts, "2026-03-02" or "2026-03-02T06:00"; package schedule says how time is cut.
type WindowRule struct {
	Every     Every
	N         int           // every so many days, weeks or months; default 1
	From      string        // the civil date, or date and time, from which they are counted; default "2026-01-01"
	WeekStart string        // default "monday"
	Zone      string        // of IANA; default "UTC"
	Grace     time.Duration // for so long after its end a window still takes results that belong to it
	By        Attribution
	Fixed     []FixedWindow // the windows themselves, in order and apart; then N and From are left out
	// Next, if not nil, is a calendar of your own: windows begin at Origin, and each ends where Next(its start) says;
	// package schedule's From has the rules. It cannot be written as JSON, and a database does not keep it: give
	// the same function whenever you open it.
	Next   func(time.Time) time.Time
	Origin time.Time
}

// Every is the length of a window.
type Every string

const (
	AllTime Every = "all" // the default
	Daily   Every = "day"
	Weekly  Every = "week"
	Monthly Every = "month"
	Season  Every = "season" // begun by Board.BeginSeason, unless Fixed lists them
)

// Attribution is the time of a match that decides its window.
type Attribution string

const (
	ByEnd   Attribution = "ended_at" // the default
	ByStart Attribution = "started_at"
)

// FixedWindow is a window with its own name and range.
type FixedWindow struct {
	ID         string
	Start, End time.Time
}

// Currency is a kind of money, counted in minor units.
type Currency struct {
	ID        string
	Shortfall Shortfall
}

// Shortfall is who pays when a prize is taken back that its player has spent.
type Shortfall string

const (
	ShortfallDebt  Shortfall = "debt"  // the player, out of what comes in later; the default
	ShortfallFloor Shortfall = "floor" // the house: the player's wallet stops at zero
)

// Fee is what each player pays to enter a match, in minor units. The house takes the flat part of each fee and the
// percentage of them all, rounded down; the rest is the pool.
type Fee struct {
	Currency     string
	Amount       int64 // 1 to 2^53, as every amount that is given or taken
	HouseFlat    int64
	HousePercent Number
}

// RatingRule is how a mode rates its players.
type RatingRule struct{ System string }

// Prize is one row of a prize table, for those in a range of places or among the best Percent: an Amount of a currency,
// an item, a progression marker or something custom, as of a Reward, or a share of the pool of entry fees.
type Prize struct {
	ID       string
	From, To int    // places; To 0: to the last
	Percent  Number // instead: the best so many percent
	Currency string // paid by the house; of shares the fee's
	Item     string
	Marker   string
	Custom   string
	Amount   int64    // for each player; default 1 of an item or something custom
	Shares   []Number // instead: percent of the pool, by place
	Ties     PrizeTies
	Claim    bool          // pending until the player claims it
	Expires  time.Duration // for so long; 0: for ever
}

// PrizeTies is what those get who share a rank.
type PrizeTies string

const (
	FullPrize     PrizeTies = "full"      // each the prize of that rank; for shares as PoolPrize. The default
	PoolPrize     PrizeTies = "pool"      // the prizes of the places they take, split evenly
	DownOnlyPrize PrizeTies = "down_only" // each the prize of the last place they take
	TieBreakPrize PrizeTies = "tie_break" // each that of the own place in the listing
)

// Gain is what a match adds to a progression marker: Amount times the metric, rounded down. Nothing is ever taken away: a
// product below 1 adds nothing, and so does a metric that the player's result has not.
type Gain struct {
	Marker string // default "xp"
	Metric string // default "played": every match the same
	Amount int64
}

// Achievement is a goal that a player reaches, once in each window.
type Achievement struct {
	ID        string
	Metric    string // of the player's result, but no rating and no rank, of which a lower one is better
	Rank      int    // instead of a metric: each finish in this rank or a better one counts 1
	Threshold Number // to be reached, more than 0; where matches are counted a whole number
	Type      AchievementType
	Modes     []string // whose matches count; empty: all
	Window    Every    // AllTime (default), Daily, Weekly or Monthly, in UTC by the end of a match; progress begins anew in each
	Revoke    bool     // taken back when voided or amended matches leave it unreached; else who has it keeps it
	Rewards   []Reward
}

// AchievementType is how matches make progress.
type AchievementType string

const (
	// Once looks at one match alone, but counts matches by a metric that is 0 or 1 in each (played, wins, draws,
	// losses, and Rank), since one alone could reach no more than 1. The default.
	Once       AchievementType = "once"
	Cumulative AchievementType = "cumulative" // adds up
	// Streak counts matches in a row in which the metric is above 0. One in which it is not, or is missing, ends the row;
	// matches of modes that do not count leave it as it is.
	Streak AchievementType = "streak"
)

// Level is the table of levels of a progression marker. Level 1 begins at Thresholds[0] and so on; below that is level 0.
type Level struct {
	Marker     string
	Thresholds []int64             // ascending, none below 0; who is new has the level that begins at 0
	Rewards    map[string][]Reward // by level, "2" for the second, for reaching it: once
}

// SessionRule is how long players' sessions last.
type SessionRule struct {
	// IdleAfter is for how long after its last heartbeat a session stays open; 0: until it is ended.
	IdleAfter time.Duration
	// ReconnectWithin is for how long after its last heartbeat a session that is started again goes on; 0: it never does,
	// a new one begins.
	ReconnectWithin time.Duration
	Devices         Devices
}

// Devices is on how many devices a player may have a session open.
type Devices string

const (
	OneDevice   Devices = "one"  // a session on another device ends the one before; the default
	ManyDevices Devices = "many" // each has a session of its own
)

// Reward is something given: an amount of one of these.
type Reward struct {
	Currency string // paid by the house
	Item     string // the host's; counted here
	Marker   string // a progression marker
	Custom   string // anything else that the host delivers
	Amount   int64  // 1 to 2^53; default 1 of an item or something custom
}
