package finalbell_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// history is what several matches leave in an engine.
type history struct {
	game  *finalbelltest.Game
	rules finalbell.Rules
}

// bout is a match with its end.
type bout struct {
	match    finalbell.NewMatch
	outcomes []finalbell.Outcome
}

// newHistory is a history in which everybody has enough for every fee, so that nobody's lack of money depends on what the
// earlier matches paid.
func newHistory(t *rapid.T, rules finalbell.Rules) history {
	s := history{finalbelltest.New(t, rules), rules}
	for _, player := range bench() {
		for _, currency := range rules.Currencies {
			_, err := s.game.Engine.Credit(t.Context(), finalbell.Money{Player: player, Currency: currency.ID, Amount: 1000})
			require.NoError(t, err)
		}
	}
	return s
}

func bench() []string { return []string{"ann", "bob", "cat", "dan", "eve", "fay"} }

// play plays a bout, each a second after the one before.
func (s history) play(t *rapid.T, b bout) {
	_, err := s.game.Engine.Create(t.Context(), b.match)
	require.NoError(t, err)
	_, err = s.game.Engine.Start(t.Context(), b.match.ID)
	require.NoError(t, err)
	_, err = s.game.Engine.End(t.Context(), b.match.ID, b.outcomes...)
	require.NoError(t, err)
}

// tells is everything that players have, and every board as it stands, by what it is about.
func (s history) tells(t *rapid.T) map[string]string {
	told := make(map[string]string)
	for _, player := range bench() {
		w, err := s.game.Engine.Wallet(t.Context(), player)
		require.NoError(t, err)
		told["wallet of "+player] = fmt.Sprint(w)
		p, err := s.game.Engine.Progress(t.Context(), player)
		require.NoError(t, err)
		for _, g := range p.Goals {
			told["goal "+g.Achievement+" of "+player] = fmt.Sprint(g.Window, g.Value, g.Remaining, g.Reached)
		}
		told["markers and items of "+player] = fmt.Sprint(p.Markers, p.Items)
	}
	for g, err := range s.game.Engine.Grants(t.Context(), finalbell.GrantFilter{}) {
		require.NoError(t, err)
		if g.State != finalbell.GrantRevoked {
			told["grant "+g.ID] = fmt.Sprint(g.Kind, g.What, g.Amount, g.State)
		}
	}
	for _, rule := range s.rules.Boards {
		windows, err := s.game.Engine.Board(rule.ID).Windows(t.Context())
		require.NoError(t, err)
		for _, w := range windows {
			for _, partition := range []string{"", "de", "se", "dust", "mill"} {
				page, err := s.game.Engine.Board(rule.ID).Window(w.ID).Partition(partition).Top(t.Context(), 100)
				if err == nil && page.Size > 0 {
					told["board "+rule.ID+" "+w.ID+" "+partition] = fmt.Sprint(page.Entries)
				}
			}
		}
	}
	return told
}

// drawBouts draws matches that are played one after the other.
func drawBouts(t *rapid.T, rules finalbell.Rules, n int) []bout {
	bouts := make([]bout, n)
	for i := range bouts {
		bouts[i].match = finalbelltest.NewMatch(rules).Draw(t, "match")
		bouts[i].match.ID = "m" + strconv.Itoa(i+1)
		bouts[i].outcomes = drawBoutOutcomes(t, rules, bouts[i].match)
	}
	return bouts
}

func drawBoutOutcomes(t *rapid.T, rules finalbell.Rules, n finalbell.NewMatch) []finalbell.Outcome {
	i := slices.IndexFunc(rules.Modes, func(m finalbell.Mode) bool { return m.ID == n.Mode })
	return finalbelltest.Outcomes(rules.Modes[i], n.Players).Draw(t, "outcomes")
}

// Once a match is voided everything is as if it had not been played, and once it is amended as if it had ended so in the
// first place: as long as nobody has spent or claimed anything, no window is final, and achievements may be taken back.
func TestRevisingIsReplaying(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := finalbelltest.Economy().Draw(t, "rules")
		for i := range rules.Modes {
			rules.Modes[i].WalkIns = false
		}
		for i := range rules.Achievements {
			rules.Achievements[i].Revoke = true
		}
		bouts := drawBouts(t, rules, rapid.IntRange(1, 6).Draw(t, "matches"))
		changed := make(map[int]*bout) // nil: voided
		for range rapid.IntRange(1, 3).Draw(t, "revisions") {
			i := rapid.IntRange(0, len(bouts)-1).Draw(t, "revised")
			if voided, there := changed[i]; there && voided == nil {
				continue
			}
			changed[i] = nil
			if rapid.Bool().Draw(t, "amend") {
				changed[i] = &bout{bouts[i].match, drawBoutOutcomes(t, rules, bouts[i].match)}
			}
		}
		revised, replayed := newHistory(t, rules), newHistory(t, rules)
		for i, b := range bouts {
			revised.game.Clock.Advance(time.Second)
			replayed.game.Clock.Advance(time.Second)
			revised.play(t, b)
			if other, there := changed[i]; !there {
				replayed.play(t, b)
			} else if other != nil {
				replayed.play(t, *other)
			}
		}
		for _, i := range slices.Sorted(maps.Keys(changed)) {
			var err error
			if other := changed[i]; other == nil {
				_, err = revised.game.Engine.Void(t.Context(), bouts[i].match.ID, "")
			} else {
				_, err = revised.game.Engine.Amend(t.Context(), bouts[i].match.ID, "", other.outcomes...)
			}
			require.NoError(t, err)
		}
		got, want := revised.tells(t), replayed.tells(t)
		for _, about := range slices.Sorted(maps.Keys(want)) {
			require.Equal(t, want[about], got[about], about)
		}
		for _, about := range slices.Sorted(maps.Keys(got)) {
			require.Contains(t, want, about, got[about])
		}
	})
}
