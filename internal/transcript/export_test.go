package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// Whatever matches were played, cancelled, amended and voided: what is exported makes the same boards once more, and
// exports as the same bytes, by way of JSON Lines and of CSV; and where it came from it changes nothing.
func TestWhatIsExportedIsImportedAsWhatItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := finalbelltest.Rules().Draw(t, "rules")
		for i := range rules.Modes {
			rules.Modes[i].ExpireCreated, rules.Modes[i].ExpireStarted = 0, 0
		}
		game := finalbelltest.New(t, rules)
		for i := range rapid.IntRange(0, 8).Draw(t, "matches") {
			game.Clock.Advance(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			playOne(t, game, "m"+strconv.Itoa(i)+rapid.SampledFrom([]string{"", ",x", "\"", "=1+1", " é", "\u2028", "/%", "007"}).Draw(t, "suffix"))
		}
		lines, rows := exported(t, game.Engine)
		fromLines := finalbelltest.New(t, rules)
		importLines(t, fromLines, lines)
		fromRows := finalbelltest.New(t, rules)
		importRows(t, fromRows, rows)
		for _, again := range []*finalbelltest.Game{fromLines, fromRows} {
			sameLines, sameRows := exported(t, again.Engine)
			require.Equal(t, lines, sameLines)
			require.Equal(t, rows, sameRows)
			require.Equal(t, boardsText(t, game), boardsText(t, again))
			v, err := again.Engine.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Problems)
		}
		head, err := game.Store.Head(t.Context())
		require.NoError(t, err)
		for _, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
			if line == "" {
				continue
			}
			r, err := ParseRecord([]byte(line))
			require.NoError(t, err)
			replayed, err := Import(t.Context(), game.Engine, r)
			require.NoError(t, err, line)
			require.True(t, replayed)
		}
		now, err := game.Store.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, head, now)
	})
}

// playOne plays a match, perhaps with an amendment, or takes it back.
func playOne(t *rapid.T, game *finalbelltest.Game, id string) {
	ctx, e := t.Context(), game.Engine
	n := finalbelltest.NewMatch(game.Rules).Draw(t, "match")
	n.ID = id
	var mode finalbell.Mode
	for _, m := range game.Rules.Modes {
		if m.ID == n.Mode {
			mode = m
		}
	}
	if rapid.IntRange(1, 3).Draw(t, "attributes") == 3 {
		n.Players[0].Attributes = map[string]string{"a b": "", "c,": "\"\r\n\x00", "=d": "1"}
		n.Deadline = game.Clock.Now().Add(time.Hour)
	}
	if _, err := e.Create(ctx, n); err != nil {
		return
	}
	_, err := e.Start(ctx, n.ID)
	if errors.Is(err, finalbell.ErrPlayers) {
		return // somebody is still in a match that was left
	}
	require.NoError(t, err)
	game.Clock.Advance(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
	how := rapid.SampledFrom([]string{"end", "end", "end", "no contest", "cancel", "amend", "void", "leave"}).Draw(t, "how")
	outcomes := finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes")
	if how == "no contest" {
		outcomes = nil
	}
	switch how {
	case "cancel":
		_, err = e.Cancel(ctx, n.ID, "")
	case "leave":
	default:
		_, err = e.End(ctx, n.ID, outcomes...)
	}
	require.NoError(t, err)
	switch how {
	case "amend":
		_, _ = e.Amend(ctx, n.ID, "", finalbelltest.Outcomes(mode, n.Players).Draw(t, "other outcomes")...) // who walked in may be missing
	case "void":
		_, err = e.Void(ctx, n.ID, "")
	}
	require.NoError(t, err)
}

func exported(t *rapid.T, e *finalbell.Engine) (lines, rows string) {
	var jsonl, table bytes.Buffer
	err := Records(t.Context(), e, func(r Record) error {
		line, err := r.Line()
		jsonl.Write(append(line, '\n'))
		return err
	})
	require.NoError(t, err)
	metrics, err := MetricNames(t.Context(), e)
	require.NoError(t, err)
	w, err := NewCSVWriter(&table, metrics)
	require.NoError(t, err)
	require.NoError(t, Records(t.Context(), e, w.Write))
	require.NoError(t, w.Flush())
	return jsonl.String(), table.String()
}

func importLines(t *rapid.T, game *finalbelltest.Game, text string) {
	lines := NewLines(strings.NewReader(text))
	importAll(t, game, lines.Next)
}

func importRows(t *rapid.T, game *finalbelltest.Game, text string) {
	importAll(t, game, NewCSVLines(strings.NewReader(text)).Next)
}

func importAll(t *rapid.T, game *finalbelltest.Game, next func() ([]byte, error)) {
	for {
		line, err := next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		r, err := ParseRecord(line)
		require.NoError(t, err, "%s", line)
		if r.EndedAt.After(game.Clock.Now()) {
			game.Clock.Set(r.EndedAt)
		}
		_, err = Import(t.Context(), game.Engine, r)
		require.NoError(t, err, "%s", line)
	}
}

// boardsText is every board of a game in every window.
func boardsText(t *rapid.T, game *finalbelltest.Game) string {
	var text strings.Builder
	for _, rule := range game.Rules.Boards {
		windows, err := game.Engine.Board(rule.ID).Windows(t.Context())
		require.NoError(t, err)
		for _, w := range windows {
			b := game.Engine.Board(rule.ID).Window(w.ID)
			names := []string{""}
			if rule.Partition != nil {
				names, err = b.Partitions(t.Context())
				require.NoError(t, err)
			}
			for _, name := range names {
				page, err := b.Partition(name).Top(t.Context(), 1000)
				require.NoError(t, err)
				if page.Size > 0 {
					fmt.Fprintln(&text, rule.ID, w.ID, name, page.Entries)
				}
			}
		}
	}
	return text.String()
}

// What is wrong with a row is refused with the line at which it is.
func TestWhatIsWrongWithARowIsRefusedWithItsLine(t *testing.T) {
	const header = "match,mode,ended_at,player,team,outcome,team_outcome,metrics.points,attributes,bot\n"
	const row = "m,race,1988-04-03T14:00:00Z,p,,1,,,,\n"
	for _, wrong := range []struct {
		text string
		line int
		want string
	}{
		{"", 1, "there is no header"},
		{"match,mode,player,colour\n", 1, `unknown column "colour"`},
		{"match,mode,player,mode\n", 1, `column "mode" comes twice`},
		{"match,mode\n", 1, `column "player" is missing`},
		{header + row + "m,sprint,1988-04-03T14:00:00Z,q,,1,,,,\n", 3, `mode: "sprint" is not what the first row of the match says, "race"`},
		{header + row + "m,race,1988-04-03T14:00:00Z,,,1,,,,\n", 3, "player: must not be empty"},
		{header + "m,race,1988-04-03T14:00:00Z,p,,one,,,,\n", 2, `outcome: expected a number, found "one"`},
		{header + "m,race,1988-04-03T14:00:00Z,p,,,,=1,,\n", 2, `metrics.points: expected a number, found "=1"`},
		{header + "m,race,1988-04-03T14:00:00Z,p,,,,,[],\n", 2, `attributes: expected a JSON object, found "[]"`},
		{header + "m,race,1988-04-03T14:00:00Z,p,,,,,,yes\n", 2, `bot: expected true or false, found "yes"`},
		{header + "m,race,1988-04-03T14:00:00Z,p,,,3,,,\n", 2, "team_outcome: the row has no team"},
		{header + "m,race,1988-04-03T14:00:00Z,p,t,,3,,,\nm,race,1988-04-03T14:00:00Z,q,t,,,,,\n", 3, `team_outcome: "" is not what the rows before say of team "t", "3"`},
		{header + row + "m,race\n", 3, "wrong number of fields"},
		{header + "m,race,1988-04-03T14:00:00Z,\xff,,1,,,,\n", 2, "player: invalid UTF-8"},
	} {
		lines := NewCSVLines(strings.NewReader(wrong.text))
		_, err := lines.Next()
		require.EqualError(t, err, wrong.want)
		require.Equal(t, wrong.line, lines.Number, wrong.want)
	}
}
