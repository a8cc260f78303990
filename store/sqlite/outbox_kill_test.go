//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// hearing opens an engine of which the After hook writes every event into a file: the life, the position, the id and the
// subject. One write, so that a line is there whole or not at all.
func hearing(path, file, life string, options finalbell.Options) (*finalbell.Engine, error) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	options.Hooks.After = func(_ context.Context, ev finalbell.Event) error {
		_, err := fmt.Fprintf(f, "%s %d %q %q\n", life, ev.Position, ev.ID, ev.Subject)
		return err
	}
	return finalbell.Open(context.Background(), path, rules(), options)
}

// childHears races on several goroutines, with a hook that a worker feeds, until it is killed.
func childHears(args []string) error {
	path, file, life := args[0], args[1], args[2]
	fmt.Println("opening")
	e, err := hearing(path, file, life, finalbell.Options{})
	if err != nil {
		return err
	}
	failures := make(chan error)
	for driver := range 3 {
		go func() {
			for n := 0; ; n++ {
				if err := race(context.Background(), e, fmt.Sprintf("%s-%d-%d", life, driver, n), n); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	return <-failures
}

// heard is a line of the file.
type heard struct {
	life        string
	position    uint64
	id, subject string
}

func hearings(t *testing.T, file string) []heard {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var all []heard
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var h heard
		_, err := fmt.Sscanf(lines.Text(), "%s %d %q %q", &h.life, &h.position, &h.id, &h.subject)
		require.NoError(t, err, lines.Text())
		all = append(all, h)
	}
	return all
}

// Wherever the process is killed between a commit and its hook, every event that was committed comes to the hook, under
// one id, and those of a match in order.
func TestNoEventIsSkippedWhenTheProcessIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("processes that die take their time")
	}
	random := randomness(t)
	dir := t.TempDir()
	path, file := filepath.Join(dir, "game.db"), filepath.Join(dir, "heard")
	const lives = 15
	for life := range lives {
		c := startChild(t, "hear", nil, path, file, fmt.Sprint("life", life))
		require.Equal(t, "opening", c.next(t))
		fired := make(chan error, 1)
		time.AfterFunc(time.Duration(random.Int64N(int64(1500*time.Millisecond))), func() { fired <- c.cmd.Process.Kill() })
		c.rest()
		require.NoError(t, <-fired)
		c.killed(t)
	}
	e, err := hearing(path, file, "last", finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	_, err = e.Tick(context.Background())
	require.NoError(t, err)

	all := hearings(t, file)
	known, latest, within := make(map[string]heard), make(map[string]uint64), make(map[[2]string]uint64)
	repeats := 0
	for _, h := range all {
		if was, there := known[h.id]; there {
			require.Equal(t, [2]any{was.position, was.subject}, [2]any{h.position, h.subject}, h.id)
			repeats++
		} else {
			require.GreaterOrEqual(t, h.position, latest[h.subject], "%s comes after what is later", h.id)
		}
		require.GreaterOrEqual(t, h.position, within[[2]string{h.life, h.subject}], "%s comes after what is later", h.id)
		known[h.id], latest[h.subject] = h, max(latest[h.subject], h.position)
		within[[2]string{h.life, h.subject}] = h.position
	}
	events := 0
	for ev, err := range e.Events(context.Background(), 0, finalbell.EventFilter{}) {
		require.NoError(t, err)
		h, there := known[ev.ID]
		require.True(t, there, "%s at %d was not heard of", ev.ID, ev.Position)
		require.Equal(t, ev.Position, h.position)
		events++
	}
	require.NoError(t, e.Close())
	t.Logf("%d lives, %d events, %d of them heard of again", lives, events, repeats)
}
