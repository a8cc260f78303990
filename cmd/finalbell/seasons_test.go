package main

import (
	"cmp"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

const testdata = "../../testdata/"

// replayed is what finalbell replay --json prints.
type replayed struct {
	Matches int `json:"matches"`
	Players int `json:"players"`
	Boards  []struct {
		ID      string `json:"id"`
		Window  string `json:"window"`
		Entries []struct {
			Rank     int               `json:"rank"`
			Position int               `json:"position"`
			Player   string            `json:"player"`
			Values   []json.RawMessage `json:"values"`
		} `json:"entries"`
	} `json:"boards"`
}

func replaySeason(t *testing.T, rules, season string) replayed {
	t.Helper()
	var stdout, stderr strings.Builder
	args := []string{"replay", "--json", "--rules", testdata + rules, testdata + "seasons/" + season + ".jsonl"}
	require.Equal(t, done, run(args, nil, &stdout, &stderr), stderr.String())
	require.Empty(t, stderr.String(), "no progress bar without a terminal")
	var r replayed
	require.NoError(t, json.Unmarshal([]byte(stdout.String()), &r))
	return r
}

// place is a line of an official table.
type place struct {
	Place  int         `json:"place"`
	Player string      `json:"player"`
	Team   string      `json:"team"`
	Points json.Number `json:"points"`

	GoalDifference, GoalsFor json.Number
	Won, Drawn, Lost         int
}

func (p *place) UnmarshalJSON(text []byte) error {
	type plain place
	league := struct {
		*plain
		GoalDifference json.Number `json:"goal_difference"`
		GoalsFor       json.Number `json:"goals_for"`
		Won            int         `json:"won"`
		Drawn          int         `json:"drawn"`
		Lost           int         `json:"lost"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(text, &league); err != nil {
		return err
	}
	p.GoalDifference, p.GoalsFor = league.GoalDifference, league.GoalsFor
	p.Won, p.Drawn, p.Lost = league.Won, league.Drawn, league.Lost
	return nil
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(testdata + "seasons/" + file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}

// Four Formula 1 seasons, each by the rules of its year, come out as the official standings: drivers and
// constructors have their points, and none is above one whom the source places strictly better.
func TestFormulaOneSeasonsComeOutAsTheOfficialStandings(t *testing.T) {
	for season, c := range map[string]struct {
		rules            string
		matches, players int
	}{
		"f1-1974": {"seasons/f1-1974.rules.json", 15, 62},
		"f1-1988": {"seasons/f1-1988.rules.json", 16, 36},
		"f1-2008": {"seasons/f1-sum.rules.json", 18, 22},
		"f1-2021": {"seasons/f1-sum.rules.json", 25, 21},
	} {
		t.Run(season, func(t *testing.T) {
			var official struct{ Drivers, Teams []place }
			readJSON(t, season+".standings.json", &official)
			r := replaySeason(t, c.rules, season)
			require.Equal(t, c.matches, r.Matches)
			require.Equal(t, c.players, r.Players)
			for b, listed := range [][]place{official.Drivers, official.Teams} {
				board := r.Boards[b]
				require.NotEmpty(t, listed)
				rank := make(map[string]int)
				points := make(map[string]string)
				for i, e := range board.Entries {
					require.Equal(t, i+1, e.Position)
					rank[e.Player], points[e.Player] = e.Rank, string(e.Values[0])
				}
				for _, p := range listed {
					require.Equal(t, p.Points.String(), points[cmp.Or(p.Player, p.Team)], "%s: points of %v", board.ID, p)
					for _, q := range listed {
						if p.Place < q.Place {
							require.Less(t, rank[cmp.Or(p.Player, p.Team)], rank[cmp.Or(q.Player, q.Team)], "%s: %v is above %v", board.ID, p, q)
						}
					}
				}
			}
		})
	}
}

// The season that two rules files name comes out by the one of them that is used throughout.
func TestTheRulesFileUsedThroughoutGives1974(t *testing.T) {
	want := replaySeason(t, "seasons/f1-1974.rules.json", "f1-1974")
	got := replaySeason(t, "f1.rules.json", "f1-1974")
	require.Equal(t, want.Boards[0], got.Boards[0])
}

// Three league seasons come out as the tables that their results give: place, points, goal difference and
// goals for of every team, and won, drawn and lost from the matches themselves.
func TestLeagueSeasonsComeOutAsTheirTables(t *testing.T) {
	for season, matches := range map[string]int{
		"football-2011-12-en.1": 380, "football-2015-16-en.1": 380, "football-2012-13-de.1": 306,
	} {
		t.Run(season, func(t *testing.T) {
			var official struct{ Table []place }
			readJSON(t, season+".table.json", &official)
			r := replaySeason(t, "league.rules.json", season)
			require.Equal(t, matches, r.Matches)
			require.Equal(t, len(official.Table), r.Players)
			require.Len(t, r.Boards[0].Entries, len(official.Table))
			tally := tallyResults(t, season)
			for i, e := range r.Boards[0].Entries {
				var values []string
				for _, v := range e.Values {
					values = append(values, string(v))
				}
				p := official.Table[i]
				require.Equal(t, p.Place, e.Rank)
				require.Equal(t, p.Player, e.Player)
				require.Equal(t, []string{p.Points.String(), p.GoalDifference.String(), p.GoalsFor.String()}, values, p.Player)
				require.Equal(t, [3]int{p.Won, p.Drawn, p.Lost}, tally[p.Player], p.Player)
				require.Equal(t, p.Points.String(), strconv.Itoa(3*p.Won+p.Drawn))
			}
		})
	}
}

// tallyResults counts wins, draws and losses in the standings of every match.
func tallyResults(t *testing.T, season string) map[string][3]int {
	t.Helper()
	text, err := os.ReadFile(testdata + "league.rules.json")
	require.NoError(t, err)
	rules, err := finalbell.ParseRules(text)
	require.NoError(t, err)
	r, err := newReplay(t.Context(), rules, nil)
	require.NoError(t, err)
	defer r.engine.Close()
	require.NoError(t, r.file(t.Context(), testdata+"seasons/"+season+".jsonl", nil))
	tally := make(map[string][3]int)
	for m, err := range r.engine.Matches(t.Context(), finalbell.MatchFilter{}) {
		require.NoError(t, err)
		for _, s := range m.Standings {
			n := tally[s.Player]
			for i, result := range []finalbell.Result{finalbell.Win, finalbell.Draw, finalbell.Loss} {
				if s.Result == result {
					n[i]++
				}
			}
			tally[s.Player] = n
		}
	}
	v, err := r.engine.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	return tally
}

// A season that is replayed twice on one engine counts its records again and changes nothing.
func TestASeasonReplayedAgainChangesNothing(t *testing.T) {
	once := replaySeason(t, "f1.rules.json", "f1-2021")
	var stdout, stderr strings.Builder
	file := testdata + "seasons/f1-2021.jsonl"
	require.Equal(t, done, run([]string{"replay", "--json", "--rules", testdata + "f1.rules.json", file, file}, nil, &stdout, &stderr), stderr.String())
	var twice replayed
	require.NoError(t, json.Unmarshal([]byte(stdout.String()), &twice))
	require.Equal(t, 2*once.Matches, twice.Matches)
	require.Equal(t, once.Players, twice.Players)
	require.Equal(t, once.Boards, twice.Boards)
}
