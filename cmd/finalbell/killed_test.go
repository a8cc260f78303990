//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A replay that is killed at any moment, and again and again, goes on where it was: the season comes out as in
// one go, and what every kill left behind has nothing wrong with it.
func TestAReplayThatIsKilledGoesOn(t *testing.T) {
	s := long()
	want := withReplayed(s.replay(t, s.file, "--json"), 380)

	replay := func(db string) []string { return []string{"replay", "--rules", s.rules, "--db", db, s.file} }
	dir := t.TempDir()
	began := time.Now()
	require.NoError(t, process(t, replay(filepath.Join(dir, "unharmed.db"))...).Run())
	took := time.Since(began)

	kills, db, enough := 0, "", times(12)
	finish := func() {
		s.replay(t, s.file, "--db", db)
		require.Equal(t, want, s.replay(t, s.file, "--db", db, "--json"))
		require.Equal(t, "checked 380 matches, 1 board, 0 accounts, 0 sessions: no problems\n", succeed(t, "verify", db))
		db = ""
	}
	for kills < enough {
		if db == "" {
			db = filepath.Join(t.TempDir(), "season.db")
		}
		cmd := process(t, replay(db)...)
		require.NoError(t, cmd.Start())
		// Anywhere: the command's start, its first commit, inside a match, its end. Nothing is measured.
		timer := time.AfterFunc(rand.N(took/4), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if cmd.ProcessState.Exited() {
			require.NoError(t, err)
			finish() // nothing is left to be interrupted
			continue
		}
		kills++
		isWhole(t, db)
	}
	if db != "" {
		finish()
	}
}

// long is a season that takes long enough to be interrupted: 380 matches.
func long() season {
	const name = "football-2011-12-en.1"
	return season{rules: testdata + seasons[name], file: testdata + "seasons/" + name + ".jsonl"}
}

// isWhole requires of what a kill left behind that nothing is wrong with it, if it had come to be a database.
func isWhole(t *testing.T, db string) {
	t.Helper()
	var stdout, stderr strings.Builder
	if run([]string{"verify", db}, nil, &stdout, &stderr) == done {
		require.Contains(t, stdout.String(), ": no problems\n")
		return
	}
	require.Regexp(t, "there is no such file|the file is empty", stderr.String())
	require.Empty(t, stdout.String())
}

// A backup that is interrupted at any moment leaves a whole copy or none.
func TestABackupThatIsInterruptedLeavesAWholeCopyOrNone(t *testing.T) {
	s := long()
	db := filepath.Join(t.TempDir(), "season.db")
	s.replay(t, s.file, "--db", db)
	began := time.Now()
	require.NoError(t, process(t, "backup", db, filepath.Join(t.TempDir(), "unharmed.db")).Run())
	took := time.Since(began)
	for range times(20) {
		dir := t.TempDir()
		target := filepath.Join(dir, "copy.db")
		cmd := process(t, "backup", db, target)
		require.NoError(t, cmd.Start())
		timer := time.AfterFunc(rand.N(took), func() { _ = cmd.Process.Signal(os.Interrupt) })
		err := cmd.Wait()
		timer.Stop()
		left, readErr := os.ReadDir(dir)
		require.NoError(t, readErr)
		if err != nil && len(left) == 0 {
			continue
		}
		require.Len(t, left, 1)
		require.Equal(t, "checked 380 matches, 1 board, 0 accounts, 0 sessions: no problems\n", succeed(t, "verify", target))
	}
}

// times is how often something random is tried.
func times(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}
