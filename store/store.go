// Package store is the contract between the engine and whatever keeps its data.
//
// A store keeps matches, board entries with the windows that they belong to, a ledger, grants and facts of players,
// their sessions and rooms, and the events that made them. It decides nothing: rules, ranks, money and time are the engine's. What a store must do
// is to write a batch whole or not at all, to know a request that it has already written, and to give back what it was
// given.
// Package storetest holds every implementation to this contract.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Store keeps an engine's data. Its methods may be called from many goroutines; Commit is called from one at
// a time. A reader sees whole batches only. Records that a store gives out, and those it is given, are never
// changed afterwards by either side.
type Store interface {
	// Commit writes everything in b or nothing, and returns nil only when it will survive whatever the store
	// promises to survive. It is the only write.
	//
	// Each commit is checked in order against the store and the commits before it in the batch. First its key:
	// already used for the same digest is ErrReplayed, for another ErrReused. Then its position: anything but
	// one more than the last is ErrStale. Then its records: a version that is not one more than the stored
	// one (1 for a new record) is ErrStale, and so is what Line, Grant and Revision say that it is. Each comes as a
	// *CommitError that names the commit, and then nothing of the batch was written. A record that no store may keep
	// is an error, too, and nothing was written. Every other error leaves open whether the batch was written.
	//
	// Soft records follow the commits; one that fits no stored record any more is left out without an error.
	Commit(ctx context.Context, b Batch) error

	// Match returns the match with the id, or ErrNotFound.
	Match(ctx context.Context, id string) (Match, error)

	// Matches yields the matches that q asks for in the order of their creation, or with Newest the latest EndedAt first,
	// then the highest Position, then the latest creation. The sequence holds neither lock nor transaction while it yields; a
	// match written meanwhile may or may not be in it.
	Matches(ctx context.Context, q MatchQuery) iter.Seq2[Match, error]

	// Entries yields the entries of one window of a board in any order: all of them, or those of q.IDs.
	// An id without an entry is left out.
	Entries(ctx context.Context, q EntryQuery) iter.Seq2[Entry, error]

	// Windows yields the windows that q asks for, in no order that means anything: those that were written, and
	// with Version 0 those that have an entry but were never written.
	Windows(ctx context.Context, q WindowQuery) iter.Seq2[Window, error]

	// Chunks yields the chunks of a window whose number is at least from and below to, by number.
	Chunks(ctx context.Context, key WindowKey, from, to int) iter.Seq2[Chunk, error]

	// Lines yields the lines of the ledger that q asks for, by position and then by their place in it.
	Lines(ctx context.Context, q LineQuery) iter.Seq2[Line, error]

	// Balances yields the last line of each of the accounts, in each currency in which it has one, in any order. An
	// account that is named twice comes once.
	Balances(ctx context.Context, accounts []Account) iter.Seq2[Line, error]

	// Grants yields the grants that q asks for, by position and then by their place in it.
	Grants(ctx context.Context, q GrantQuery) iter.Seq2[Grant, error]

	// Facts yields what is kept of the players, in any order; of all if players is nil. Of whom nothing is kept
	// is left out, and who is named twice comes once.
	Facts(ctx context.Context, players []string) iter.Seq2[Facts, error]

	// Revisions yields what a match was before it was amended, by Match.Revision.
	Revisions(ctx context.Context, match string) iter.Seq2[Match, error]

	// Sessions yields the sessions that q asks for in the order of their creation, or with Newest the other way round.
	Sessions(ctx context.Context, q SessionQuery) iter.Seq2[Session, error]

	// Rooms yields the rooms that q asks for in the order of their creation.
	Rooms(ctx context.Context, q RoomQuery) iter.Seq2[Room, error]

	// Events yields the events after a position, in order.
	Events(ctx context.Context, after uint64) iter.Seq2[Event, error]

	// Head returns the last position and the latest time that commits carried; both are zero in an empty store.
	Head(ctx context.Context) (Head, error)

	// Setting returns the value of a setting, or ErrNotFound.
	Setting(ctx context.Context, name string) ([]byte, error)

	// Close frees what the store holds. Calls after it fail.
	Close() error
}

// The errors that a store answers with. Commit wraps the last three in a *CommitError.
var (
	ErrNotFound = errors.New("not found")
	ErrStale    = errors.New("stale: a record or the position has moved on")
	ErrReused   = errors.New("key already used for another request")
	ErrReplayed = errors.New("key already used for this request")
)

// CommitError is an answer about one commit of a batch, none of which was written.
type CommitError struct {
	Index int // of the commit in Batch.Commits
	Key   string
	Err   error // ErrStale, ErrReused or ErrReplayed
}

func (e *CommitError) Error() string {
	return fmt.Sprintf("commit %d (%s): %v", e.Index, e.Key, e.Err)
}

func (e *CommitError) Unwrap() error { return e.Err }

// Batch is what one call of Commit writes: whole or not at all.
type Batch struct {
	Commits []Commit
	// Soft records carry values that may be lost in a crash. A Match or Window replaces the
	// stored one if that has the same version, and so does a Session; Moves are set on the stored match of that id if it
	// ended at that position; Entries, Chunks, Drops and Settings are written as they are, without a look at the stored
	// version. A Line, Grant, Facts, Revision, Room or Forget may not be lost: a soft one is an error.
	Soft []Record
}

// Commit is one decision of the engine: the event and the records that it made.
type Commit struct {
	Key      string // names the request for ever; never empty
	Digest   Digest // of the request, so that a key used for another one is noticed
	Position uint64 // gap-free from 1
	At       time.Time
	Kind     string // of the event
	ID       string // the match or other thing that the event is about
	Body     []byte // further facts of the event, as JSON; may be nil
	Records  []Record
}

// Digest is a SHA-256 sum. The zero Digest means none.
type Digest [32]byte

// Event is a commit as it is listed later.
type Event struct {
	Position uint64
	Key      string
	Digest   Digest
	At       time.Time
	Kind     string
	ID       string
	Body     []byte
}

// Record is one of Match, Revision, Entry, Window, Chunk, Drop, Moves, Line, Grant, Facts, Session, Room, Forget and
// Setting.
type Record interface{ record() }

func (Match) record()    {}
func (Revision) record() {}
func (Entry) record()    {}
func (Window) record()   {}
func (Chunk) record()    {}
func (Drop) record()     {}
func (Moves) record()    {}
func (Line) record()     {}
func (Grant) record()    {}
func (Facts) record()    {}
func (Session) record()  {}
func (Room) record()     {}
func (Forget) record()   {}
func (Setting) record()  {}

// WindowKey names one period of a board.
type WindowKey struct {
	Board      string
	Window     string
	Partition  string // empty: not of a partition
	Generation int    // how often the board had been made anew from history
}

// Head is where a store stands.
type Head struct {
	Position uint64
	At       time.Time // zero when nothing was committed
}

// Match is a match and its standings. Times are UTC, whole milliseconds; a zero time is unknown.
type Match struct {
	ID        string
	Version   uint64 // 1 when created, one more with each commit
	Created   uint64 // position of the commit that created it
	Position  uint64 // position of the commit that ended it; 0 before
	Mode      string
	Room      string
	Round     string
	State     string
	CreatedAt time.Time
	StartedAt time.Time
	EndedAt   time.Time
	Deadline  time.Time

	Report      Digest // of the first report that ended it; zero before
	NoContest   bool
	Draw        bool
	Provisional bool // the participants' outcomes come from a live report
	Reason      string
	Revision    int    // how often it was amended
	Revised     uint64 // position of the commit that amended it last, or voided it; 0: none
	Grants      int    // how many grants its end and its revisions have made

	Roster       int           // how many of Participants were there at create; the rest walked in
	Participants []Participant // in roster order
	Teams        []TeamOutcome // reported team scores, by team
	Attributes   []Attribute   // by name
	Data         []Attribute   // what a hook attached, by name
	Moves        []Move        // set by Moves; nil until known
}

// Participant is one player of a match with what was reported of them and how they stand.
type Participant struct {
	Player  string
	Team    string
	Bot     bool
	Outcome Number
	Status  string   // empty: nothing reported
	Metrics []Metric // by name
	// Attributes are the player's own in this match, by name.
	Attributes []Attribute
	// Reported is the rank that came with the outcome, 0 for none.
	Reported int
	Rank     int // 0: unranked
	Position int
	Result   string
	Boards   []BoardValues
	Held     int64  // of the entry fee, in minor units, until the match starts
	Paid     int64  // from then on
	Gone     string // the status of a player who has left, unless something else is reported
	// What the player's statistics of the mode were by the end of the match.
	Counted int    // matches, this one included; 0: it does not count
	Streak  int    // wins in a row, losses below 0
	Best    Number // the best outcome before it
}

// Revision keeps a match as it was before it was amended. It has no version: one of a match and Match.Revision that
// is there already is ErrStale. Its players are in the match, or have been.
type Revision struct{ Match }

// TeamOutcome is a team's own reported score.
type TeamOutcome struct {
	Team    string
	Outcome Number
}

// Metric is a named number of a participant.
type Metric struct {
	Name  string
	Value Number
}

// Attribute is a named string.
type Attribute struct{ Name, Value string }

// BoardValues is what an entry was worth just after a match.
type BoardValues struct {
	WindowKey
	ID     string // the player, or the team on a board of teams
	Late   bool   // the window was final: the result did not count, and there are no Values
	Values [][]int64
}

// Number is a decimal: Units divided by ten to the power of Scale. Unknown numbers are zero.
type Number struct {
	Units int64
	Scale uint8
	Known bool
}

// Moment orders results: by At, then Position, then Place.
type Moment struct {
	At       time.Time
	Position uint64 // of the commit that brought the result
	Place    int    // the position in that match
}

// Entry is what a player or team has on one window of a board.
type Entry struct {
	WindowKey
	ID      string // the player, or the team on a board of teams
	Version uint64
	Entered bool   // false: results were folded, but none has the first key's metric yet
	Hidden  string // why it is not shown; empty: it is
	// Values has one element a key: a number in units of the key's scale, or for countback a count a place.
	Values [][]int64
	// Sort ranks the entries of a window, the larger bytewise the better; equal ones share a rank and are listed
	// by Changed. The engine's own encoding of Values; nil if not Entered.
	Sort    []byte
	State   []byte // what the fold needs to go on from; the engine's own encoding
	Changed Moment // of the last result that changed Values
	Last    Moment // of the last result folded
	Row     Moment // of the result that best, worst, first or latest took
}

// Placer is what a store may be able to do besides: give the places of a window in less time than its entries,
// because a window of millions is read whole whenever an engine opens.
type Placer interface {
	// Places yields the places of all entries of a window, in any order and in slices of any size. Nobody may
	// change a slice or keep it over the next one.
	Places(ctx context.Context, key WindowKey) iter.Seq2[[]Place, error]
}

// Place is an Entry as far as it tells where it stands.
type Place struct {
	ID      string
	Entered bool
	Hidden  bool
	Sort    []byte
	Changed Moment
}

// Window is a period as far as it is more than its entries. Times are UTC, whole milliseconds; a zero one is none.
type Window struct {
	WindowKey
	Version    uint64 // 1 when first written, one more with each commit
	Start, End time.Time
	Final      uint64    // position of the commit after which its entries cannot change; 0: they can
	ClosedAt   time.Time // when that was due
	Size       int       // entries ranked, once Frozen
	Frozen     bool      // its ranks are all in its chunks,
	Chunks     int       // and in how many
}

// Chunk is a run of a window's entries in rank order, in the engine's own encoding. It has no version.
type Chunk struct {
	WindowKey
	N    int // its number in the window
	Data []byte
}

// Drop takes away some of what is kept of a window: its chunks from From on and below To, or, if All, entries and
// chunks of any number, and the window itself when nothing else is left of it. It takes 1000 of them, or as many as
// there are.
type Drop struct {
	WindowKey
	From, To int
	All      bool
}

// Moves are the rank moves of a match, known only after its commit.
type Moves struct {
	Match    string
	Position uint64 // of the commit that ended the match
	Moves    []Move
}

// Move is where a match took an entry. Old is 0 for an entry that was not there before.
type Move struct {
	WindowKey
	ID       string
	Old, New int
	Size     int      // of the window then; 0: unknown
	Passed   []string // some of those who were above it before and are below it now, best first
}

// Account is what has a balance in each currency.
type Account struct {
	Kind string // such as player or house
	ID   string // empty if there is one of the kind
}

// MaxPlace is the highest Place of a Line or a Grant.
const MaxPlace = 1<<20 - 1

// Line is one account's part in a posting. A line is never changed. One whose Position is not that of its commit, whose
// Place another line of the commit has, or which comes by Position and Place before the last line of its account in the
// currency, is ErrStale. A Place that is negative or above MaxPlace is an error, and so is an Amount of 0.
type Line struct {
	Account
	Currency string
	Seq      uint64 // the version: 1 for the account's first line in the currency, one more with each
	Amount   int64  // what the account gains, in minor units; never 0
	Balance  int64  // of the account in the currency after this line
	Kind     string // why
	Posting  string // of which the lines sum to zero in each currency; all are in one commit
	Position uint64 // of the commit
	Place    int    // among the lines of the commit, from 0
	At       time.Time
	// What it is about, as far as it is about something.
	Match         string
	Board, Window string
	Grant         string
}

// Grant is something that a player was given, or may get. Position and Place stay for ever what they were in version 1:
// that of the commit, and one that no other grant of it has. Anything else is ErrStale; a Place that is negative or above
// MaxPlace is an error.
type Grant struct {
	ID      string // for ever that of one rule, trigger and player
	Version uint64
	Player  string
	Match   string // by which it was made, or else the window
	WindowKey
	Rule     string
	Kind     string // such as currency or item
	What     string // which one
	Amount   int64
	Old, New int64 // of what the player has of it, once it is granted
	State    string
	Position uint64 // of the commit that made it
	Place    int    // among the grants that the commit made, from 0
	At       time.Time
	Expires  time.Time // zero: never
	Due      time.Time // when it is next to be delivered; zero: it is not
	Attempts int       // to deliver it
	Turn     int       // how often it had been taken back before it was given as it is now
	Problem  string    // of the last one
}

// Facts are what is kept of a player beside entries and money, in the engine's own encoding, which is JSON.
type Facts struct {
	Player  string
	Version uint64
	Data    []byte
}

// Session is the time that a player spends in the game. Times are UTC, whole milliseconds; a zero time is unknown.
type Session struct {
	ID        string
	Version   uint64 // 1 when it began, one more with each commit
	Created   uint64 // position of the commit that began it
	Player    string
	Device    string
	StartedAt time.Time
	SeenAt    time.Time // the last sign of life
	EndedAt   time.Time // zero: it is open
	Reason    string    // why it ended
	// Attributes are the caller's, Data what a hook attached; both by name.
	Attributes []Attribute
	Data       []Attribute
}

// Room is where players come together for one match after the other. Times are as in Session.
type Room struct {
	ID         string
	Version    uint64
	Created    uint64 // position of the commit that opened it
	Mode       string
	State      string
	Min, Max   int           // players that a match in it needs and takes; 0: as the mode says
	Wait       time.Duration // how long its members wait for a match, in whole milliseconds; 0: for ever
	OpenedAt   time.Time
	ClosedAt   time.Time
	Deadline   time.Time // when the members are let go; zero: never
	Match      string    // the match that its members are in; empty: none
	Matches    int       // created in it so far
	Reason     string
	Members    []Member    // in the order in which they joined
	Attributes []Attribute // by name
}

// Member is a player in a room.
type Member struct {
	Player, Team string
	Bot          bool
	JoinedAt     time.Time
	Held         int64       // of the entry fee, in minor units
	Attributes   []Attribute // by name
}

// Forget takes a name away: wherever a player or a team of that name is meant, in matches, revisions, moves, entries,
// grants, facts, sessions, rooms and accounts, it is As from then on, which no player and no team is called yet, and the
// attributes that the player had in matches, sessions and rooms are gone, as are the sessions' devices and Data. What is
// in chunks is for other records to write anew. A commit with a Forget is alone in its batch; anything else is an error.
// Whatever else the commit has is written before, and names nobody As.
type Forget struct {
	Player, As string
	Keep       []string // the names of attributes that the player keeps in matches, because boards are parted by them
	Accounts   []string // the kinds of accounts of which the ID is a player's
	Grants     []Rename // the ids of grants, in the order of From; lines that name them do so by the new ids
	// Events at these Positions have these Keys, IDs and Bodies from then on, by position; the rest of them stays. A
	// Position that is not there is ErrStale, and a new key is one that nobody has used. A posting that has the key as
	// its name has the new one too. No Kind, Rule, What or State of a line or grant is called like one of these postings
	// or grants.
	Events []Event
}

// Rename is a name and the one that takes its place.
type Rename struct{ From, To string }

// Setting is a named value of the engine's, such as the rules that the data was made under. It has no version.
type Setting struct {
	Name  string
	Value []byte
}

// MatchQuery selects matches; a zero field does not restrict.
type MatchQuery struct {
	Player   string
	Opponent string // another participant; with Player
	Team     string // a participant's team
	Mode     string
	Room     string
	States   []string
	From, To time.Time // by EndedAt, which is known then: not before From, and before To
	Newest   bool      // the latest first
}

// SessionQuery selects sessions; a zero field does not restrict.
type SessionQuery struct {
	ID       string
	Player   string
	Open     bool      // only those that have not ended
	From, To time.Time // by StartedAt, which is known then: not before From, and before To
	Newest   bool      // the latest first
}

// RoomQuery selects rooms; a zero field does not restrict.
type RoomQuery struct {
	ID     string
	Match  string // in which the members are
	States []string
}

// LineQuery selects lines of the ledger; a zero field does not restrict.
type LineQuery struct {
	// Touching selects all lines of the postings that have a line of one of these accounts.
	Touching []Account
	Match    string
	Posting  string
	After    uint64 // only lines of later positions
}

// GrantQuery selects grants; a zero field does not restrict.
type GrantQuery struct {
	IDs           []string
	Player        string
	Match         string
	Board, Window string
	States        []string
}

// EntryQuery selects entries of one window of a board.
type EntryQuery struct {
	WindowKey
	IDs []string // nil: all
}

// WindowQuery selects windows; a zero field does not restrict.
type WindowQuery struct {
	Board    string
	Window   string
	Unfrozen bool // only those that are not Frozen
}
