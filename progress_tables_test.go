package finalbell

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pursuits are tables to be read aloud: an achievement as threshold, metric and type, then the window and the modes if it has
// them; matches in the order in which they ended, each with its day of March 2026, its mode, and what it was worth; what was
// reached, by which match and in which window; and how far the player is after the last match.
var pursuits = map[string]string{
	"once looks at one match alone": `
		10 kills once
		2 duel kills 4, 2 duel kills 9, 3 duel kills 12, 4 duel kills 20
		m3 in all with 12
		20 of 10, reached`,
	"the best of one match is what there is": `
		10 kills once
		2 duel kills 4, 2 duel kills 9, 3 duel kills -2, 3 duel
		nothing
		9 of 10, 1 more`,
	"once counts matches by a metric that is 0 or 1 in each": `
		3 wins once
		2 duel win, 2 duel loss, 3 duel win, 4 duel win
		m4 in all with 3
		3 of 3, reached`,
	"two more wins": `
		3 wins once
		2 duel win, 2 duel loss
		nothing
		1 of 3, 2 more`,
	"cumulative adds up, exactly": `
		1 miles cumulative
		2 duel miles 0.1, 2 duel miles 0.2, 3 duel miles 0.7
		m3 in all with 1
		1 of 1, reached`,
	"what was reached stays reached though the sum falls": `
		5 balance cumulative
		2 duel balance 7, 3 duel balance -9
		m1 in all with 7
		-2 of 5, reached`,
	"a streak ends with a match that is not above 0": `
		2 wins streak
		2 duel win, 3 duel loss, 4 duel win, 5 duel win, 6 duel win
		m4 in all with 2
		3 of 2, reached`,
	"a streak ends with a match without the metric": `
		3 kills streak
		2 duel kills 5, 3 duel kills 1, 4 duel, 5 duel kills 0.5
		nothing
		1 of 3, 2 more`,
	"a match of another mode does not end a streak": `
		2 wins streak all duel
		2 duel win, 3 race loss, 4 duel win
		m3 in all with 2
		2 of 2, reached`,
	"finishes in a rank or better": `
		2 rank3 cumulative
		2 race rank 3, 3 race rank 4, 4 race rank 1
		m3 in all with 2
		2 of 2, reached`,
	"who does not finish has no rank": `
		2 rank3 streak
		2 race rank 1, 3 race dnf, 4 race rank 1
		nothing
		1 of 2, 1 more`,
	"every day anew": `
		2 played once day
		2 duel, 2 duel, 2 duel, 3 duel, 4 duel, 4 duel
		m2 in 2026-03-02 with 2, m6 in 2026-03-04 with 2
		2 of 2, reached`,
	"weeks begin on Monday": `
		2 wins cumulative week
		7 duel win, 8 duel win, 9 duel win
		m2 in 2026-03-02 with 2
		1 of 2, 1 more`,
	"every month anew": `
		1 played once month
		1 duel, 31 duel, 32 duel
		m1 in 2026-03-01 with 1, m3 in 2026-04-01 with 1
		1 of 1, reached`,
}

func TestThePursuitsOfTheSpecification(t *testing.T) {
	for name, table := range pursuits {
		t.Run(name, func(t *testing.T) {
			rows := strings.Split(strings.TrimSpace(table), "\n")
			require.Len(t, rows, 4)
			f := strings.Fields(rows[0])
			a := Achievement{ID: "a", Threshold: Decimal(f[0]), Metric: f[1], Type: AchievementType(f[2])}
			if rank, is := strings.CutPrefix(f[1], "rank"); is {
				a.Metric, a.Rank = "", int(readInt(rank))
			}
			if len(f) > 3 {
				a.Window, a.Modes = Every(f[3]), f[4:]
			}
			rules := Rules{Modes: []Mode{{ID: "duel"}, {ID: "race"}}, Achievements: []Achievement{a}}
			require.NoError(t, rules.Validate())
			p := newProgression(rules.withDefaults())
			var has facts
			var got []string
			var at time.Time
			for i, row := range strings.Split(rows[1], ",") {
				f := strings.Fields(row)
				at = time.Date(2026, 3, int(readInt(f[0])), 12, 0, 0, 0, time.UTC)
				r := playerResult{moment: moment{at: at.UnixMilli(), position: uint64(i + 1)}, mode: f[1], match: fmt.Sprint("m", i+1), standing: played(f[2:])}
				next, now, err := p.goals(has, r)
				require.NoError(t, err)
				for _, r := range now {
					got = append(got, fmt.Sprint(r.match, " in ", r.window, " with ", r.value))
				}
				has = next
			}
			if got == nil {
				got = []string{"nothing"}
			}
			assert.Equal(t, strings.TrimSpace(rows[2]), strings.Join(got, ", "))
			q := p.progress(has, at)[0]
			remains := fmt.Sprint(q.Remaining, " more")
			if q.Reached {
				remains = "reached"
			}
			assert.Equal(t, strings.TrimSpace(rows[3]), fmt.Sprint(q.Value, " of ", q.Threshold, ", ", remains))
		})
	}
}

// played is a standing in words: win, loss, dnf, rank 2, or a metric and its number.
func played(words []string) Standing {
	s := Standing{Player: "ann", Status: Finished, Rank: 1, Result: None, Metrics: map[string]Number{}}
	for i, word := range words {
		switch word {
		case "win", "loss":
			s.Result = Result(word)
		case "dnf":
			s.Status = DNF
		case "rank":
			s.Rank = int(readInt(words[i+1]))
		default:
			if i+1 < len(words) {
				s.Metrics[word] = Decimal(words[i+1])
			}
		}
	}
	return s
}

// climbs are tables to be read aloud: the levels of each marker as thresholds, with the rewards of some levels; what is gained;
// what that brings, in its order; and the markers in the end.
var climbs = map[string]string{
	"a level begins at its threshold": `
		xp 0 100 300; 2 is 5 coins
		99 xp, 1 xp
		xp level 2, 5 coins
		xp 100`,
	"several levels at once are reached one after the other": `
		xp 10 20 30; 1 is 1 hat; 3 is 2 hat
		25 xp, 5 xp
		xp level 1, 1 hat, xp level 2, xp level 3, 2 hat
		xp 30`,
	"a reward may reach the next level": `
		xp 10 20; 1 is 10 xp; 2 is 1 hat
		10 xp
		xp level 1, 10 xp, xp level 2, 1 hat
		xp 20`,
	"or a level of another marker": `
		fame 5; 1 is 1 hat and 50 xp | xp 10 60; 1 is 5 fame; 2 is 1 cup
		10 xp
		xp level 1, 5 fame, fame level 1, 1 hat, 50 xp, xp level 2, 1 cup
		fame 5, xp 60`,
	"the level that begins at 0 is there from the start": `
		xp 0 100
		5 xp
		nothing
		xp 5`,
	"a marker without levels only counts": `
		xp 10
		3 luck
		nothing
		luck 3`,
}

func TestTheLevelsOfTheSpecification(t *testing.T) {
	for name, table := range climbs {
		t.Run(name, func(t *testing.T) {
			rows := strings.Split(strings.TrimSpace(table), "\n")
			require.Len(t, rows, 4)
			rules := Rules{Currencies: []Currency{{ID: "coins"}}}
			for text := range strings.SplitSeq(rows[0], "|") {
				rules.Levels = append(rules.Levels, readTable(text))
			}
			require.NoError(t, rules.Validate())
			p := newProgression(rules.withDefaults())
			var f facts
			var got []string
			for part := range strings.SplitSeq(rows[1], ",") {
				gain := readGiven(part)
				next, ups, err := p.climb(f, []markerGain{{marker: gain.Marker, amount: gain.Amount}})
				require.NoError(t, err)
				for _, up := range ups {
					got = append(got, fmt.Sprint(up.marker, " level ", up.level))
					for _, r := range up.rewards {
						_, what := r.reward.gives()
						got = append(got, fmt.Sprint(r.reward.Amount, " ", what))
					}
				}
				f = next
			}
			if got == nil {
				got = []string{"nothing"}
			}
			assert.Equal(t, strings.TrimSpace(rows[2]), strings.Join(got, ", "))
			var markers []string
			for _, marker := range []string{"fame", "luck", "xp"} {
				if n := f.Markers[marker]; n != 0 {
					markers = append(markers, fmt.Sprint(marker, " ", n))
				}
			}
			assert.Equal(t, strings.TrimSpace(rows[3]), strings.Join(markers, ", "))
		})
	}
}

func readTable(text string) Level {
	parts := strings.Split(text, ";")
	words := strings.Fields(parts[0])
	l := Level{Marker: words[0], Rewards: make(map[string][]Reward)}
	for _, threshold := range words[1:] {
		l.Thresholds = append(l.Thresholds, readInt(threshold))
	}
	for _, part := range parts[1:] {
		level, rewards, _ := strings.Cut(strings.TrimSpace(part), " is ")
		for reward := range strings.SplitSeq(rewards, " and ") {
			l.Rewards[level] = append(l.Rewards[level], readGiven(reward))
		}
	}
	return l
}

// readGiven reads an amount of coins, of one of the markers xp, fame and luck, or of an item.
func readGiven(text string) Reward {
	words := strings.Fields(text)
	r := Reward{Amount: readInt(words[0])}
	switch words[1] {
	case "coins":
		r.Currency = words[1]
	case "xp", "fame", "luck":
		r.Marker = words[1]
	default:
		r.Item = words[1]
	}
	return r
}
