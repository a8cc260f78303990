package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// asCommand makes the test binary the command itself, so that there can be a second process to own a file, or to
// be killed.
const asCommand = "FINALBELL_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is a command in a process of its own.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// owner is a finalbell script in a process of its own, which is asked line by line.
type owner struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	failure bytes.Buffer
}

func startOwner(t *testing.T, rules, db string) *owner {
	t.Helper()
	o := &owner{cmd: process(t, "script", "--rules", rules, "--db", db, "-")}
	var err error
	o.in, err = o.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := o.cmd.StdoutPipe()
	require.NoError(t, err)
	o.out, o.cmd.Stderr = bufio.NewReader(out), &o.failure
	require.NoError(t, o.cmd.Start())
	return o
}

// ask makes a call and returns its result.
func (o *owner) ask(line string) (string, error) {
	if _, err := io.WriteString(o.in, line+"\n"); err != nil {
		return "", fmt.Errorf("%w: %s", err, o.failure.String())
	}
	answer, err := o.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, o.failure.String())
	}
	result, ok := strings.CutPrefix(answer, `{"ok":`)
	if !ok {
		return "", fmt.Errorf("%s: %s", line, answer)
	}
	return strings.TrimSuffix(result, "}\n"), nil
}

// duel plays the match of that number: somebody wins.
func (o *owner) duel(n int) error {
	for _, line := range []string{
		`{"create":{"id":"m%[1]d","mode":"duel","players":["p%[2]d","p%[3]d"]}}`, `{"start":"m%[1]d"}`,
		`{"end":{"match":"m%[1]d","outcomes":[{"player":"p%[2]d","outcome":2},{"player":"p%[3]d","outcome":1}]}}`,
	} {
		if _, err := o.ask(fmt.Sprintf(line, n, n%7, 7+n%5)); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the script, which must have gone well.
func (o *owner) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, o.in.Close())
	require.NoError(t, o.cmd.Wait(), o.failure.String())
}

// While another process owns the file and writes, board, match, verify and backup read it, each a moment that
// there was: every match that had been acknowledged before, and no match in part.
func TestADatabaseIsReadWhileAnotherProcessWrites(t *testing.T) {
	dir := t.TempDir()
	rules, db := filepath.Join(dir, "rules.json"), filepath.Join(dir, "game.db")
	write(t, rules, duelRules)
	o := startOwner(t, rules, db)
	require.NoError(t, o.duel(0))

	const duels = 150
	var played atomic.Int64
	played.Store(1)
	writing := make(chan error, 1)
	go func() {
		for n := 1; n < duels; n++ {
			if err := o.duel(n); err != nil {
				writing <- err
				return
			}
			played.Add(1)
		}
		writing <- nil
	}()
	for round := 0; played.Load() < duels || round == 0; round++ {
		before := played.Load()
		wins := winsOn(t, succeed(t, "board", "--json", db, "ladder", "--top", "1000"))
		require.True(t, before <= wins && wins <= played.Load()+1, "%d wins between %d and %d matches", wins, before, played.Load())
		require.Contains(t, succeed(t, "match", "--json", db, fmt.Sprintf("m%d", before-1)), `"state":"ended"`)
		require.Contains(t, succeed(t, "verify", db), ": no problems\n")
		if round%5 == 0 {
			before, target := played.Load(), filepath.Join(dir, fmt.Sprintf("copy%d.db", round))
			require.Contains(t, succeed(t, "backup", db, target), "copied "+db+" at position ")
			require.GreaterOrEqual(t, winsOn(t, succeed(t, "board", "--json", target, "ladder", "--top", "1000")), before)
			require.Contains(t, succeed(t, "verify", target), ": no problems\n")
		}
		select {
		case err := <-writing:
			require.NoError(t, err)
		default:
		}
	}
	o.stop(t)
}

// winsOn adds up a board of wins.
func winsOn(t *testing.T, text string) (wins int64) {
	t.Helper()
	var page struct{ Entries []struct{ Values []int64 } }
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	for _, e := range page.Entries {
		wins += e.Values[0]
	}
	return wins
}

// duelScores are other rules for the same matches.
const duelScores = `{"modes":[{"id":"duel","boards":["ladder"]}],"boards":[{"id":"ladder","keys":[{"metric":"outcome"},{"metric":"losses","order":"asc"}]}]}`

// What the commands print beside the owner is what the owner itself answers, and nobody else may own the file.
func TestTheCommandsSayWhatTheOwnerSays(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	write(t, "scores.json", duelScores)
	write(t, "records.jsonl", duelRecord)
	o := startOwner(t, "rules.json", "game.db")
	for n := range 30 {
		require.NoError(t, o.duel(n))
	}
	for _, c := range []struct {
		line string
		args []string
	}{
		{`{"board":{"id":"ladder","top":1000}}`, []string{"board", "game.db", "ladder", "--top", "1000", "--json"}},
		{`{"board":{"id":"ladder","offset":3,"limit":4}}`, []string{"board", "game.db", "ladder", "--offset=3", "--limit=4", "--json"}},
		{`{"board":{"id":"ladder","cursor":"start","limit":4}}`, []string{"board", "game.db", "ladder", "--cursor", "start", "--limit=4", "--json"}},
		{`{"windows":{"board":"ladder"}}`, []string{"windows", "game.db", "ladder", "--json"}},
		{`{"rebuild":{"rules":` + duelScores + `,"dry_run":true}}`, []string{"rebuild", "--rules", "scores.json", "--db", "game.db", "--dry-run", "--json"}},
		{`{"board":{"id":"ladder","around":"p3"}}`, []string{"board", "game.db", "ladder", "--around", "p3", "--json"}},
		{`{"match":"m7"}`, []string{"match", "game.db", "m7", "--json"}},
		{`{"wallet":"p3"}`, []string{"wallet", "game.db", "p3", "--json"}},
		{`{"ledger":{"match":"m7"}}`, []string{"ledger", "game.db", "--match", "m7", "--json"}},
		{`{"grants":{"player":"p3"}}`, []string{"grants", "game.db", "--player", "p3", "--json"}},
		{`{"progress":"p3"}`, []string{"progress", "game.db", "p3", "--json"}},
		{`{"explain":{"board":"ladder","player":"p3"}}`, []string{"explain", "game.db", "--board", "ladder", "--player", "p3", "--json"}},
		{`{"explain":{"match":"m7","player":"p0"}}`, []string{"explain", "game.db", "--match", "m7", "--player", "p0", "--json"}},
		{`{"verify":true}`, []string{"verify", "game.db", "--json"}},
	} {
		want, err := o.ask(c.line)
		require.NoError(t, err)
		// Rank moves reach the file within a second.
		require.EventuallyWithT(t, func(tries *assert.CollectT) {
			assert.Equal(tries, want+"\n", succeed(t, c.args...))
		}, 10*time.Second, 50*time.Millisecond)
	}
	want := fmt.Sprintf("finalbell: game.db: another engine has it open; close that one first: process %d\n", o.cmd.Process.Pid)
	for _, args := range [][]string{
		{"replay", "--rules", "rules.json", "--db", "game.db", "records.jsonl"},
		{"script", "--rules", "rules.json", "--db", "game.db", "-"},
		{"rebuild", "--rules", "scores.json", "--db", "game.db"},
		{"claim", "game.db", "p3", "g"}, {"void", "game.db", "m7", "--reason", "cheated"}, {"amend", "game.db", "m7", "--reason", "sheet", "p0=1"},
	} {
		var stdout, stderr strings.Builder
		require.Equal(t, failure, run(args, strings.NewReader(""), &stdout, &stderr), args)
		require.Empty(t, stdout.String())
		require.Equal(t, want, stderr.String())
	}
	o.stop(t)
	succeed(t, "script", "--rules", "rules.json", "--db", "game.db", "-")
	// Now that nobody has it open, what the dry run told comes true.
	told := succeed(t, "rebuild", "--rules", "scores.json", "--db", "game.db", "--dry-run", "--json")
	require.Equal(t, told, succeed(t, "rebuild", "--rules", "scores.json", "--db", "game.db", "--json"))
}

// An engine of this process is an owner like any other.
func TestAnEngineOfThisProcessOwnsItsFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	rules, err := finalbell.ParseRules([]byte(duelRules))
	require.NoError(t, err)
	e, err := finalbell.Open(t.Context(), "game.db", rules, finalbell.Options{})
	require.NoError(t, err)
	var stderr strings.Builder
	require.Equal(t, failure, run([]string{"script", "--rules", "rules.json", "--db", "game.db", "-"}, strings.NewReader(""), io.Discard, &stderr))
	require.Contains(t, stderr.String(), "finalbell: game.db: another engine has it open")
	require.NoError(t, e.Close())
	succeed(t, "script", "--rules", "rules.json", "--db", "game.db", "-")
}
