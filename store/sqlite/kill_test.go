//go:build unix

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// childRaces opens the database and races until it is killed, on several goroutines. It says when it is about to
// open, and after every race that has ended that it has.
func childRaces(args []string) error {
	path, life := args[0], args[1]
	fmt.Println("opening")
	e, err := openGame(path)
	if err != nil {
		return err
	}
	failures := make(chan error)
	for driver := range 4 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", life, driver, n)
				if err := race(context.Background(), e, id, n); err != nil {
					failures <- err
					return
				}
				// One write, so that a line is there whole or not at all.
				_, _ = os.Stdout.WriteString("ended " + id + "\n")
			}
		}()
	}
	return <-failures
}

// What End has acknowledged is there after the process was killed, once; everything else is whole or not there. The
// moments of the kills are drawn. Two files live through twenty processes each, and every other process finds there
// what nobody has opened since the last one died; twenty more die while they make a file.
func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("sixty processes that die take their time, and one that dies tells the race detector nothing")
	}
	random := randomness(t)
	tally := kills{}
	for file := range 2 {
		path := filepath.Join(t.TempDir(), "game.db")
		ended := make(map[string]bool)
		for life := range 20 {
			wait := time.Duration(random.Int64N(int64(150 * time.Millisecond)))
			if random.IntN(4) == 0 {
				wait = time.Duration(random.Int64N(int64(10 * time.Millisecond))) // while it opens
			}
			tally.kill(t, path, fmt.Sprintf("%d.%d", file, life), wait, ended)
			tally.survived(t, path, ended, life%2 == 0)
		}
	}
	for range 20 {
		path := filepath.Join(t.TempDir(), "game.db")
		ended := make(map[string]bool)
		tally.kill(t, path, "first", time.Duration(random.Int64N(int64(10*time.Millisecond))), ended)
		tally.survived(t, path, ended, random.IntN(2) == 0)
	}
	t.Logf("%d kills: %d before there was a file, %d before it had its tables, %d before the first end was acknowledged; %d ends acknowledged, none lost",
		tally.kills, tally.absent, tally.blank, tally.early, tally.acknowledged)
	require.Equal(t, 60, tally.kills)
}

// kills counts what happened.
type kills struct{ kills, acknowledged, absent, blank, early int }

// kill starts a process that races on the file, kills it after the wait, and adds to ended what it acknowledged.
func (k *kills) kill(t testing.TB, path, life string, wait time.Duration, ended map[string]bool) {
	t.Helper()
	c := startChild(t, "race", nil, path, life)
	require.Equal(t, "opening", c.next(t))
	fired := make(chan error, 1)
	time.AfterFunc(wait, func() { fired <- c.cmd.Process.Kill() })
	said := c.rest()
	require.NoError(t, <-fired)
	c.killed(t)
	for _, line := range said {
		id, is := strings.CutPrefix(line, "ended ")
		require.True(t, is, line)
		ended[id] = true
	}
	k.kills++
	k.acknowledged += len(said)
	if len(said) == 0 {
		k.early++
	}
}

// survived looks at a database that a killed process has left: at a copy, so that the next process finds what the
// last one left, or at itself.
func (k *kills) survived(t testing.TB, path string, ended map[string]bool, aside bool) {
	t.Helper()
	main, err := os.Stat(path)
	if os.IsNotExist(err) {
		k.absent++
		require.Zero(t, len(ended))
		return
	}
	require.NoError(t, err)
	if log, err := os.Stat(path + "-wal"); main.Size() <= 4096 && (err != nil || log.Size() <= 4096) {
		k.blank++
		require.Zero(t, len(ended))
	}
	if aside {
		path = copyDatabase(t, path)
	}
	e, err := openGame(path)
	require.NoError(t, err)
	requireWhole(t, e, ended)
	require.NoError(t, e.Close())
}

// childBacksUp copies the database until it is killed, and says after every copy that it is made.
func childBacksUp(args []string) error {
	path, dir := args[0], args[1]
	e, err := openGame(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	for n := 0; ; n++ {
		name := fmt.Sprint(n, ".db")
		if err := e.Backup(context.Background(), filepath.Join(dir, name)); err != nil {
			return err
		}
		_, _ = os.Stdout.WriteString(name + "\n")
	}
}

// What has the name of a backup is a whole one, wherever the process that made it was killed.
func TestABackupCutShortHasNotItsName(t *testing.T) {
	random := randomness(t)
	path := filepath.Join(t.TempDir(), "game.db")
	e, err := openGame(path)
	require.NoError(t, err)
	races(t, e, "race ", 40)
	require.NoError(t, e.Close())
	parts, made := 0, 0
	for range 12 {
		dir := t.TempDir()
		c := startChild(t, "backup", nil, path, dir)
		require.Equal(t, "open", c.next(t))
		fired := make(chan error, 1)
		time.AfterFunc(time.Duration(random.Int64N(int64(60*time.Millisecond))), func() { fired <- c.cmd.Process.Kill() })
		said := c.rest()
		require.NoError(t, <-fired)
		c.killed(t)
		there := namesIn(t, dir)
		for _, name := range said {
			require.Contains(t, there, name)
		}
		for _, name := range there {
			if strings.Contains(name, ".part") {
				parts++
				continue
			}
			made++
			v, err := finalbell.View(context.Background(), filepath.Join(dir, name))
			require.NoError(t, err, name)
			require.Equal(t, 40, requireWhole(t, v, nil))
			require.NoError(t, v.Close())
		}
	}
	t.Logf("%d backups made, %d parts left behind", made, parts)
}
