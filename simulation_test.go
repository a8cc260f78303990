package finalbell_test

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

// simulated is how long the simulation goes on, in the time of the game.
const simulated = 3 * 365 * 24 * time.Hour

// Three years of a league in five time zones, with late results, seasons, hidden players, restarts and kills: after
// every boundary the boards are what the model folds from all results, and after the last day all of them are.
//
// It runs once, or as often as FINALBELL_SIMULATIONS or -rapid.checks says.
func TestThreeYearsOfWindowsAreTheModels(t *testing.T) {
	simulations(t)
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulation(t)
		for end := s.clock.Now().Add(simulated); s.clock.Now().Before(end); {
			s.live(t)
			s.boundary(t)
		}
		s.failing.disarm()
		s.model.Require(t, s.engine)
		s.verify(t)
	})
}

// simulations sets how many there are, unless the command line does.
func simulations(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f == checks })
	runs := os.Getenv("FINALBELL_SIMULATIONS")
	if given && runs == "" {
		return
	}
	if _, err := strconv.Atoi(runs); err != nil {
		runs = "1"
	}
	before := checks.Value.String()
	require.NoError(t, checks.Value.Set(runs))
	t.Cleanup(func() { _ = checks.Value.Set(before) }) // what it was it takes again
}

// simulation is a machine that runs for long and looks at what has changed.
type simulation struct {
	*machine
	touched map[[2]string]bool // windows, by board, since they were compared
	past    [][2]string        // windows that were closed
}

// leagueOfYears has boards of many periods in five zones.
func leagueOfYears() finalbell.Rules {
	sum, latest := []finalbell.Key{{Metric: "outcome"}, {Metric: "kills", Order: finalbell.Asc}}, []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldLatest}}
	best := []finalbell.Key{{Metric: "outcome", Best: finalbell.BestOf(3)}, {Fold: finalbell.FoldCountback}}
	country := &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}
	rules := finalbell.Rules{Boards: []finalbell.BoardRule{
		{ID: "daily", Keys: sum, Window: finalbell.WindowRule{Every: finalbell.Daily, Zone: "Europe/Berlin", Grace: 2 * time.Hour}},
		{ID: "daily by country", Keys: latest, Partition: country, Window: finalbell.WindowRule{Every: finalbell.Daily, Zone: "Asia/Tokyo", From: "2026-01-01T06:00"}},
		{ID: "weekly", Keys: best, Window: finalbell.WindowRule{Every: finalbell.Weekly, Zone: "America/New_York", Grace: 24 * time.Hour, By: finalbell.ByStart}},
		{ID: "monthly by map", Keys: sum, Ties: finalbell.FirstRank, Partition: &finalbell.Partition{Attribute: "map"}, Window: finalbell.WindowRule{Every: finalbell.Monthly, Zone: "Australia/Sydney", From: "2026-01-31", Grace: time.Hour}},
		{ID: "teams", Of: finalbell.OfTeams, Keys: best, Window: finalbell.WindowRule{Every: finalbell.Weekly, N: 2}},
		{ID: "seasons", Keys: best, Window: finalbell.WindowRule{Every: finalbell.Season, Grace: 72 * time.Hour}},
	}}
	mode := finalbell.Mode{ID: "match"}
	for i := range rules.Boards {
		mode.Boards = append(mode.Boards, rules.Boards[i].ID)
		for k := range rules.Boards[i].Keys {
			if rules.Boards[i].Keys[k].Fold != finalbell.FoldCountback {
				rules.Boards[i].Keys[k].Scale = 1
			}
		}
	}
	rules.Modes = []finalbell.Mode{mode, {ID: "cup", Boards: []string{"seasons", "daily"}}}
	return rules
}

func newSimulation(t *rapid.T) *simulation {
	m := &machine{rules: leagueOfYears(), clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	m.model = finalbelltest.NewModel(m.rules, m.clock.Now)
	m.failing = &failing{data: memory.New()}
	s := &simulation{machine: m, touched: make(map[[2]string]bool)}
	m.pick = func(board, window string) bool {
		since := m.clock.Now().AddDate(0, 0, -1).Format(time.DateOnly) // names of the calendar sort as their windows do
		open := window == "season "+strconv.Itoa(m.seasons) || strings.HasPrefix(window, "2") && window >= since
		return open || s.touched[[2]string{board, window}]
	}
	m.reopen(t)
	t.Cleanup(func() { _ = m.engine.Close() })
	return s
}

// live lets about a day go by, in which somebody plays and now and then something else happens.
func (s *simulation) live(t *rapid.T) {
	s.clock.Advance(time.Duration(rapid.IntRange(1, 48*60).Draw(t, "minutes")) * time.Minute)
	for range rapid.IntRange(0, 2).Draw(t, "matches") {
		s.playOne(t)
	}
	switch rapid.IntRange(1, 40).Draw(t, "event") {
	case 1:
		s.beginSeason(t)
	case 2, 3, 4:
		s.hideOne(t)
	case 5:
		rule := rapid.SampledFrom(s.rules.Boards).Draw(t, "board")
		operate(s.machine, t,
			func(e *finalbell.Engine) (finalbell.Window, error) { return e.Board(rule.ID).CloseWindow(t.Context()) },
			func(m *finalbelltest.Model) (finalbell.Window, error) { return m.Board(rule.ID).CloseWindow() })
	case 6:
		s.kill(t)
	case 7:
		if err := s.engine.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		s.kill(t)
	case 8, 9:
		fault := faulty.Fault{Err: errDisk, Done: rapid.Bool().Draw(t, "done"), Stop: rapid.Bool().Draw(t, "stop")}
		s.failing.arm("Commit", rapid.IntRange(0, 8).Draw(t, "commits before"), fault)
	case 10:
		s.clock.Advance(time.Duration(rapid.IntRange(2, 20).Draw(t, "days of silence")) * 24 * time.Hour)
	}
}

// playOne plays a match, mostly just now, else so long ago that it may be late somewhere.
func (s *simulation) playOne(t *rapid.T) {
	ago := func() time.Duration {
		if rapid.IntRange(1, 4).Draw(t, "late") < 4 {
			return 0
		}
		return time.Duration(rapid.IntRange(0, 100).Draw(t, "hours ago")) * time.Hour
	}
	n := finalbelltest.NewMatch(s.rules).Draw(t, "match")
	n.ID = "m" + strconv.Itoa(len(s.ids)+1)
	end := s.clock.Now().Add(-ago())
	start := end.Add(-ago())
	if _, err := s.ask(t, n, start); err != nil {
		return
	}
	s.begin(t, n.ID, start)
	mode := s.rules.Modes[slices.IndexFunc(s.rules.Modes, func(m finalbell.Mode) bool { return m.ID == n.Mode })]
	backfill := rapid.IntRange(1, 10).Draw(t, "backfill") == 10
	_, _ = s.finish(t, n.ID, finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes"), end, backfill) // compared in there
	m, err := s.model.Match(n.ID)
	if err != nil {
		return
	}
	for _, standing := range m.Standings {
		for _, move := range standing.Boards {
			s.touched[[2]string{move.Board, move.Window}] = true
		}
	}
}

// hideOne hides an entry of an open window or brings it back.
func (s *simulation) hideOne(t *rapid.T) {
	if rapid.Bool().Draw(t, "hide") {
		s.hide(t)
	} else {
		s.restore(t)
	}
}

// boundary does what is due and compares what was touched, and one window of the past.
func (s *simulation) boundary(t *rapid.T) {
	for _, d := range s.doDue(t) {
		board, window, _ := strings.Cut(d.ID, "/")
		s.touched[[2]string{board, window}] = true
		s.past = append(s.past, [2]string{board, window})
	}
	if len(s.past) > 0 {
		s.touched[rapid.SampledFrom(s.past).Draw(t, "window of the past")] = true
	}
	s.failing.pause(true)
	s.model.RequireWindows(t, s.engine, s.pick)
	s.failing.pause(false)
	clear(s.touched)
}
