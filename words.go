package finalbell

import "github.com/finalbell/finalbell/internal/strictjson"

// The words that each enumeration of the rules allows, the default first. Here alone: the reader and Validate
// both ask.

// vocabulary is a type whose values are words.
type vocabulary[T any] interface {
	~string
	words() []T
}

// readWord reads a field that holds a word.
func readWord[T vocabulary[T]](r *strictjson.Reader, name string) T {
	return strictjson.Word(r, name, T("").words()...)
}

// checkWord refuses a word that its type does not have. Empty stands for the default.
func checkWord[T vocabulary[T]](c *checker, path string, word T) {
	if word == "" {
		return
	}
	for _, allowed := range word.words() {
		if word == allowed {
			return
		}
	}
	c.fail(path, "expected %s, found %s", strictjson.OneOf(word.words()...), quote(string(word)))
}

func (Order) words() []Order           { return []Order{Desc, Asc} }
func (TieStyle) words() []TieStyle     { return []TieStyle{Standard, Modified, Dense, Ordinal} }
func (TeamFold) words() []TeamFold     { return []TeamFold{TeamSum, TeamMean, TeamBest} }
func (Reports) words() []Reports       { return []Reports{Authority, Unanimous, Majority} }
func (RankSource) words() []RankSource { return []RankSource{ComputeRanks, AcceptRanks} }
func (CrashPolicy) words() []CrashPolicy {
	return []CrashPolicy{ResumeMatches, CancelMatches, SettleMatches}
}
func (SessionPolicy) words() []SessionPolicy {
	return []SessionPolicy{KeepSeat, LeaveSeat, ForfeitSeat}
}
func (Devices) words() []Devices         { return []Devices{OneDevice, ManyDevices} }
func (Policy) words() []Policy           { return []Policy{Exclude, Include} }
func (Subject) words() []Subject         { return []Subject{OfPlayers, OfTeams} }
func (PerMatch) words() []PerMatch       { return []PerMatch{PerMatchSum, PerMatchBest} }
func (BoardTies) words() []BoardTies     { return []BoardTies{ShareRank, FirstRank} }
func (Every) words() []Every             { return []Every{AllTime, Daily, Weekly, Monthly, Season} }
func (Attribution) words() []Attribution { return []Attribution{ByEnd, ByStart} }
func (Attributed) words() []Attributed   { return []Attributed{OfMatch, OfPlayer} }
func (Shortfall) words() []Shortfall     { return []Shortfall{ShortfallDebt, ShortfallFloor} }
func (PrizeTies) words() []PrizeTies {
	return []PrizeTies{FullPrize, PoolPrize, DownOnlyPrize, TieBreakPrize}
}
func (AchievementType) words() []AchievementType { return []AchievementType{Once, Cumulative, Streak} }
func (Fold) words() []Fold {
	return []Fold{FoldSum, FoldBest, FoldWorst, FoldFirst, FoldLatest, FoldMean, FoldCount, FoldCountback}
}

// Fields that hold plain strings, or a policy of which not every word fits; their words have types only here.
type (
	weekday      string
	ratingSystem string
	botPrizes    string
)

const (
	monday weekday      = "monday"
	elo    ratingSystem = "elo"
)

func (weekday) words() []weekday {
	return []weekday{monday, "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}
func (botPrizes) words() []botPrizes {
	return []botPrizes{botPrizes(Exclude), botPrizes(Include), botPrizes(PassDown)}
}
func (ratingSystem) words() []ratingSystem { return []ratingSystem{elo, "glicko2", "weng_lin"} }
