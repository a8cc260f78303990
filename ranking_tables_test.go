package finalbell

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The sentences of the specification about ranks, one case each.

func TestTheStatusesOfTheSpecification(t *testing.T) {
	roster := func(of ...Status) []Standing {
		var out []Standing
		for i, s := range of {
			standing := Standing{Player: fmt.Sprint(i), Status: s, seat: i}
			if s == Finished {
				standing.Outcome = Int(int64(100 - i))
			}
			out = append(out, standing)
		}
		return out
	}
	mode := usual()
	for name, c := range map[string]struct {
		roster  []Standing
		ranks   []int
		results []Result
	}{
		"3 finishers, 2 dnf, 1 left": {roster(Finished, Finished, Finished, DNF, DNF, Left), []int{1, 2, 3, 4, 4, 6}, []Result{Win, Loss, Loss, Loss, Loss, Loss}},
		"nobody finished":            {roster(Left, DNF, NoShow), []int{1, 2, 3}, []Result{None, None, None}},
		"one among non-finishers":    {roster(NoShow, Finished), []int{1, 2}, []Result{Win, Loss}},
		"solo":                       {roster(Finished), []int{1}, []Result{None}},
		"solo, not finished":         {roster(DNF), []int{1}, []Result{None}},
		"every status":               {roster(NoShow, Left, Disqualified, Forfeit, DNF, Finished), []int{1, 2, 3, 4, 5, 6}, []Result{Win, Loss, Loss, Loss, Loss, Loss}},
	} {
		standings, draw := rank(mode, c.roster, nil)
		assert.False(t, draw, name)
		for i, s := range standings {
			assert.Equal(t, c.ranks[i], s.Rank, name)
			assert.Equal(t, c.results[i], s.Result, name)
		}
	}
}

func TestAReportedRankThatDiffersIsRefusedByName(t *testing.T) {
	standings := []Standing{{Player: "ann", Rank: 1, reported: 1}, {Player: "bob", Rank: 2, reported: 3}, {Player: "cid", Rank: 3}, {Player: "dan", Rank: 4, reported: 1}}
	err := checkReported(Mode{}, standings)
	require.ErrorIs(t, err, ErrOutcome)
	assert.ErrorContains(t, err, `"bob": reported rank 3, but the outcomes give 2`)
	assert.Equal(t, []string{"bob", "dan"}, failed("end match", "m", err).(*Error).IDs)
	assert.NoError(t, checkReported(Mode{}, standings[:1]))
}

// usual is a mode with every default.
func usual() Mode { return Rules{Modes: []Mode{{ID: "m"}}}.withDefaults().Modes[0] }

// scores is a roster of finishers p0, p1, … with these outcomes.
func scores(outcomes ...string) []Standing {
	roster := make([]Standing, len(outcomes))
	for i, o := range outcomes {
		roster[i] = Standing{Player: fmt.Sprint("p", i), Status: Finished, Outcome: Decimal(o), seat: i}
	}
	return roster
}

func TestTheTieStylesOfTheSpecification(t *testing.T) {
	for style, want := range map[TieStyle][]string{
		Standard: {"p1 1 1 win", "p0 2 2 loss", "p3 2 3 loss", "p2 4 4 loss"},
		Modified: {"p1 1 1 win", "p0 3 2 loss", "p3 3 3 loss", "p2 4 4 loss"},
		Dense:    {"p1 1 1 win", "p0 2 2 loss", "p3 2 3 loss", "p2 3 4 loss"},
		Ordinal:  {"p1 1 1 win", "p0 2 2 loss", "p3 3 3 loss", "p2 4 4 loss"},
	} {
		mode := usual()
		mode.Ties = style
		standings, draw := rank(mode, scores("8", "10", "5", "8.0"), nil)
		assert.False(t, draw)
		assert.Equal(t, want, places(standings), style)
	}
}

// All first is a draw; several first but not all draw and the rest lose, under modified at rank 2 too; under
// ordinal the first in the roster wins.
func TestTheDrawsOfTheSpecification(t *testing.T) {
	for name, c := range map[string]struct {
		ties   TieStyle
		roster []Standing
		want   []string
		draw   bool
	}{
		"all first":               {Standard, scores("1", "1"), []string{"p0 1 1 draw", "p1 1 2 draw"}, true},
		"all first, modified":     {Modified, scores("1", "1"), []string{"p0 2 1 draw", "p1 2 2 draw"}, true},
		"several first":           {Standard, scores("1", "0", "1"), []string{"p0 1 1 draw", "p2 1 2 draw", "p1 3 3 loss"}, false},
		"several first, modified": {Modified, scores("1", "0", "1"), []string{"p0 2 1 draw", "p2 2 2 draw", "p1 3 3 loss"}, false},
		"several first, dense":    {Dense, scores("1", "0", "1"), []string{"p0 1 1 draw", "p2 1 2 draw", "p1 2 3 loss"}, false},
		"several first, ordinal":  {Ordinal, scores("1", "0", "1"), []string{"p0 1 1 win", "p2 2 2 loss", "p1 3 3 loss"}, false},
		"all who finished, not all": {Standard, append(scores("1", "1"), Standing{Player: "p2", Status: Left}),
			[]string{"p0 1 1 draw", "p1 1 2 draw", "p2 3 3 loss"}, false},
	} {
		mode := usual()
		mode.Ties = c.ties
		standings, draw := rank(mode, c.roster, nil)
		assert.Equal(t, c.want, places(standings), name)
		assert.Equal(t, c.draw, draw, name)
	}
}

// Who lacks a tie-break metric comes after all who have it, in either direction; two who lack it are equal in
// it, and the next one decides.
func TestWhoLacksATieBreakComesAfterAllWhoHaveIt(t *testing.T) {
	for _, order := range []Order{Desc, Asc} {
		mode := usual()
		mode.TieBreak = []TieBreak{{"kills", order}, {"time", Asc}}
		roster := scores("7", "7", "7", "7", "7")
		roster[1].Metrics = map[string]Number{"time": Int(9)}
		roster[2].Metrics = map[string]Number{"kills": Int(-maxUnits), "time": Int(10)}
		roster[3].Metrics = map[string]Number{"kills": Int(maxUnits)}
		roster[4].Metrics = map[string]Number{"time": Decimal("8.5"), "kills": {}}
		standings, _ := rank(mode, roster, nil)
		want := []string{"p3 1 1 win", "p2 2 2 loss", "p4 3 3 loss", "p1 4 4 loss", "p0 5 5 loss"}
		if order == Asc {
			want = []string{"p2 1 1 win", "p3 2 2 loss", "p4 3 3 loss", "p1 4 4 loss", "p0 5 5 loss"}
		}
		assert.Equal(t, want, places(standings), order)
	}
}

func TestAcceptedRanksOfTheSpecification(t *testing.T) {
	reported := func(roster []Standing, ranks ...int) []Standing {
		for i, r := range ranks {
			roster[i].reported = r
		}
		return roster
	}
	unfinished := func(roster []Standing, seats ...int) []Standing {
		for _, i := range seats {
			roster[i].Status = DNF
		}
		return roster
	}
	for name, c := range map[string]struct {
		roster []Standing
		want   []string
		draw   bool
	}{
		"against the outcomes":       {reported(scores("9", "1"), 2, 1), []string{"p1 1 1 win", "p0 2 2 loss"}, false},
		"equal against the outcomes": {reported(scores("1", "9"), 1, 1), []string{"p1 1 1 draw", "p0 1 2 draw"}, true},
		"a non-finisher first":       {unfinished(reported(scores("1", "2", "3"), 3, 2, 1), 2), []string{"p2 1 1 loss", "p1 2 2 win", "p0 3 3 loss"}, false},
		"a finisher and a non-finisher first": {unfinished(reported(scores("1", "2"), 1, 1), 0),
			[]string{"p1 1 1 win", "p0 1 2 loss"}, false},
		"nobody finished": {unfinished(reported(scores("1", "2"), 2, 1), 0, 1), []string{"p1 1 1 none", "p0 2 2 none"}, false},
		"solo":            {reported(scores("1"), 1), []string{"p0 1 1 none"}, false},
	} {
		mode := usual()
		mode.Ranks = AcceptRanks
		standings, draw := rank(mode, c.roster, nil)
		assert.Equal(t, c.want, places(standings), name)
		assert.Equal(t, c.draw, draw, name)
	}
}

// member is a player of a team, finished with an outcome or, without one, with a status.
func member(player, team, outcome string, status Status) Standing {
	s := Standing{Player: player, Team: team, Status: status}
	if outcome != "" {
		s.Outcome = Decimal(outcome)
	}
	return s
}

func seated(roster ...Standing) []Standing {
	for i := range roster {
		roster[i].seat = i
	}
	return roster
}

func TestTheTeamsOfTheSpecification(t *testing.T) {
	for name, c := range map[string]struct {
		roster []Standing
		teams  map[string]Number
		want   []string
		draw   bool
	}{
		"members stand together and carry their team's rank": {
			roster: seated(member("a", "red", "1", Finished), member("b", "blue", "5", Finished), member("c", "red", "2", Finished), member("d", "blue", "0", Finished)),
			want:   []string{"b 1 1 win", "d 1 2 win", "a 2 3 loss", "c 2 4 loss"},
		},
		"teams tie, the one whose first member sits first is listed first": {
			roster: seated(member("a", "red", "1", Finished), member("b", "blue", "2", Finished), member("c", "red", "1", Finished)),
			want:   []string{"a 1 1 draw", "c 1 2 draw", "b 1 3 draw"}, draw: true,
		},
		"a reported score takes the place of the fold": {
			roster: seated(member("a", "red", "", Finished), member("b", "blue", "5", Finished), member("c", "red", "100", DNF)),
			teams:  map[string]Number{"red": Int(6)},
			want:   []string{"a 1 1 win", "c 1 2 win", "b 2 3 loss"},
		},
		"who did not finish adds nothing": {
			roster: seated(member("a", "red", "1", Finished), member("b", "blue", "3", Finished), member("c", "red", "100", Left)),
			want:   []string{"b 1 1 win", "a 2 2 loss", "c 2 3 loss"},
		},
		"a team of non-finishers has the earliest status": {
			roster: seated(member("a", "red", "", NoShow), member("b", "blue", "", Forfeit), member("c", "red", "", DNF), member("d", "red", "", Left), member("e", "green", "0", Finished)),
			want:   []string{"e 1 1 win", "a 2 2 loss", "c 2 3 loss", "d 2 4 loss", "b 3 5 loss"},
		},
		"one team alone": {
			roster: seated(member("a", "red", "1", Finished), member("b", "red", "2", Finished)),
			want:   []string{"a 1 1 none", "b 1 2 none"},
		},
	} {
		mode := usual()
		mode.Teams = &Teams{Fold: TeamSum}
		standings, draw := rank(mode, c.roster, c.teams)
		assert.Equal(t, c.want, places(standings), name)
		assert.Equal(t, c.draw, draw, name)
	}
}

// Sums and means of teams neither wrap nor round: the last of nine decimals counts beside fifteen digits.
func TestFoldsOfTeamsAreExact(t *testing.T) {
	const most = "999999999999999"
	for name, c := range map[string]struct {
		fold      TeamFold
		red, blue []string
		red1st    Result
	}{
		"a billionth beside the largest":   {TeamSum, []string{most, "0.000000001"}, []string{most}, Win},
		"sums beyond 64 bits of units":     {TeamSum, []string{most, most, most, "0.000000001"}, []string{most, most, most, "0.000000002"}, Loss},
		"sums that cancel":                 {TeamSum, []string{most, "0.000000001", "-" + most}, []string{"0.000000001"}, Draw},
		"a third is more than 0.333333333": {TeamMean, []string{"1", "0", "0"}, []string{"0.333333333"}, Win},
		"and less than 0.333333334":        {TeamMean, []string{"1", "0", "0"}, []string{"0.333333334"}, Loss},
		"two thirds are two thirds":        {TeamMean, []string{"1", "0", "1"}, []string{"1", "1", "0", "1", "1", "0"}, Draw},
		"means of the largest":             {TeamMean, []string{most, most, most}, []string{most, "999999999999998"}, Win},
		"the best of a team":               {TeamBest, []string{"-5", "3"}, []string{"2.999999999", "2"}, Win},
	} {
		var roster []Standing
		for i, o := range c.red {
			roster = append(roster, member(fmt.Sprint("r", i), "red", o, Finished))
		}
		for i, o := range c.blue {
			roster = append(roster, member(fmt.Sprint("b", i), "blue", o, Finished))
		}
		mode := usual()
		mode.Teams = &Teams{Fold: c.fold}
		standings, draw := rank(mode, seated(roster...), nil)
		assert.Equal(t, c.red1st, inRosterOrder(standings)[0].Result, name)
		assert.Equal(t, c.red1st == Draw, draw, name)
	}
}

// The best member's tie-break is the best by the tie-break's own order, not by the mode's.
func TestATeamsTieBreakIsTheFoldOfItsMembers(t *testing.T) {
	for fold, want := range map[TeamFold]Result{TeamSum: Loss, TeamMean: Win, TeamBest: Win} {
		mode := usual()
		mode.Teams, mode.TieBreak = &Teams{Fold: fold}, []TieBreak{{"time", Asc}}
		roster := seated(member("a", "red", "1", Finished), member("b", "red", "1", Finished), member("c", "red", "1", Finished), member("d", "blue", "1", Finished))
		roster[0].Metrics = map[string]Number{"time": Int(2)}
		roster[1].Metrics = map[string]Number{"time": Int(6)} // c has none, which does not make the mean smaller
		roster[3].Metrics = map[string]Number{"time": Int(5)}
		score := map[string]Number{"red": Int(1), "blue": Int(1)}
		standings, _ := rank(mode, roster, score)
		assert.Equal(t, want, inRosterOrder(standings)[0].Result, fold)
	}
}
