//go:build unix

package main

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asProgram makes the test binary the program itself, so that there is a process to be killed.
const asProgram = "GAMESERVER_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is the server in a process of its own.
type program struct {
	cmd   *exec.Cmd
	out   strings.Builder
	log   strings.Builder
	lines chan string // of matches, as they come; closed at the end
	read  sync.WaitGroup
}

func start(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &program{cmd: exec.CommandContext(t.Context(), self, args...), lines: make(chan string, 1000)}
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), asProgram+"=1")
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.read.Go(func() {
		defer close(p.lines)
		for r := bufio.NewReader(stdout); ; {
			line, err := r.ReadString('\n')
			if err != nil { // what is left is half a line, of a process that was killed
				return
			}
			p.out.WriteString(line)
			if lineStart.MatchString(line) {
				p.lines <- line
			}
		}
	})
	p.read.Go(func() { _, _ = io.Copy(&p.log, stderr) })
	return p
}

// wait waits for the end of the program, and for everything that it has said.
func (p *program) wait() error {
	p.read.Wait()
	return p.cmd.Wait()
}

// The server is killed in the middle of everything, again and again. Every match that was ever made has ended, once, or runs in
// an arena, and every line that was printed stands in the database.
func TestAKilledServerLosesNoMatch(t *testing.T) {
	if testing.Short() {
		t.Skip("plays in processes of its own")
	}
	t.Parallel()
	const kills = 4
	dir := t.TempDir()
	lines := make(map[string]string)
	collect := func(p *program) {
		for id, text := range told(t, p.out.String()) {
			require.NotContains(t, lines, id, "ended twice")
			lines[id] = text
		}
	}
	var log strings.Builder
	for range kills {
		p := start(t, dir, "-speed", "200")
		for range 1 + rand.IntN(3) {
			if _, goesOn := <-p.lines; !goesOn {
				break
			}
		}
		// At any moment: nothing depends on which.
		timer := time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, func() { _ = p.cmd.Process.Signal(syscall.SIGKILL) })
		require.Error(t, p.wait(), p.log.String())
		require.False(t, timer.Stop(), "it ended by itself: %s", p.log.String())
		collect(p)
		log.WriteString(p.log.String())
	}
	require.Contains(t, log.String(), `msg="was running when the process died"`)
	require.Contains(t, log.String(), `msg="taken up"`)

	p := start(t, dir, "-speed", "200")
	<-p.lines
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.wait(), p.log.String())
	require.Contains(t, p.log.String(), "msg=stopping")
	require.Contains(t, p.out.String(), "The ladder of ")
	collect(p)

	// Enough for everything that was left to come to its end.
	p = start(t, dir, "-speed", "200", "-matches", "12")
	require.NoError(t, p.wait(), p.log.String())
	require.NotContains(t, p.log.String(), "when the process died")
	collect(p)
	ended := isWhole(t, filepath.Join(dir, "gameserver.db"), lines)
	require.GreaterOrEqual(t, len(ended), kills+12)
	t.Logf("%d matches, %d of them untold", len(ended), len(ended)-len(lines))
}
