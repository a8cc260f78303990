//go:build unix

package sqlite_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Some tests need a process of its own to be killed, limited, or to be the other one. They start this test binary
// again, which then runs one of these on the arguments in its environment.
var children = map[string]func(args []string) error{
	"race":   childRaces,
	"backup": childBacksUp,
	"hear":   childHears,
	"own":    childOwns,
	"limit":  childWithLimit,
	"nobody": childAsNobody,
}

const (
	childVariable = "FINALBELL_CHILD" // which child to be
	argsVariable  = "FINALBELL_ARGS"  // its arguments, a line each
)

func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := children[name](strings.Split(os.Getenv(argsVariable), "\n")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a process that runs one of the children.
type child struct {
	cmd    *exec.Cmd
	in     io.Closer
	lines  *bufio.Scanner
	stderr strings.Builder
}

func startChild(t testing.TB, name string, change func(cmd *exec.Cmd), args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := &child{cmd: exec.Command(self)}
	c.cmd.Env = append(os.Environ(), childVariable+"="+name, argsVariable+"="+strings.Join(args, "\n"))
	c.cmd.Stderr = &c.stderr
	if change != nil {
		change(c.cmd)
	}
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewScanner(out)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	return c
}

// next waits for the child's next line.
func (c *child) next(t testing.TB) string {
	t.Helper()
	if !c.lines.Scan() {
		_ = c.cmd.Wait()
		require.FailNow(t, "the child has no more to say", "%v\n%s", c.lines.Err(), &c.stderr)
	}
	return c.lines.Text()
}

// rest reads the child's lines to its end.
func (c *child) rest() (lines []string) {
	for c.lines.Scan() {
		lines = append(lines, c.lines.Text())
	}
	return lines
}

// leave lets a child that waits for it go, and asks for it to end well.
func (c *child) leave(t testing.TB) {
	t.Helper()
	require.NoError(t, c.in.Close())
	c.rest()
	require.NoError(t, c.cmd.Wait(), c.stderr.String())
}

// kill ends the child where it stands.
func (c *child) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Kill())
}

// killed waits for a child that was killed, and asks for it not to have ended before by itself.
func (c *child) killed(t testing.TB) {
	t.Helper()
	err := c.cmd.Wait()
	require.Error(t, err)
	require.Equal(t, "signal: killed", err.Error(), c.stderr.String())
}
