//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shapes are the lines that the program prints and logs. Numbers and names depend on who was faster.
var shapes = []*regexp.Regexp{
	regexp.MustCompile(`^arena-\d+-\d+ +([a-z]+ wins|a draw|no contest): [a-z]+ (\d+|left|dnf)(, [a-z]+ (\d+|left|dnf))*(; ladder: [a-z]+ (new|\d+) to \d+(, [a-z]+ (new|\d+) to \d+)*)?$`),
	regexp.MustCompile(`^\d+ matches ended\. The ladder of \d+ players:$`),
	regexp.MustCompile(`^ +\d+  [a-z]+ +\d+ won$`),
	regexp.MustCompile(`^Best of the day: [a-z]+ with \d+ coins$`),
	regexp.MustCompile(`^time=\S+ level=INFO msg=playing db=gameserver\.db arenas=4 pid=\d+$`),
	regexp.MustCompile(`^$`),
	// Whether there are any depends on the moment at which the program was killed.
	regexp.MustCompile(`^time=\S+ level=INFO msg="was running when the process died" match=arena-\d+-\d+ policy=resume$`),
	regexp.MustCompile(`^time=\S+ level=INFO msg="taken up" match=arena-\d+-\d+ tick=\d+ of=600$`),
}

const certain = 6 // shapes that do not depend on a moment

// shapesOf are those that are among the lines; every line has one.
func shapesOf(t *testing.T, text string) [certain]bool {
	t.Helper()
	var found [certain]bool
next:
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for i, shape := range shapes {
			if shape.MatchString(line) {
				if i < certain {
					found[i] = true
				}
				continue next
			}
		}
		require.Fail(t, "the README and the program differ in what lines there are", line)
	}
	return found
}

// Every command of the README, one after the other, prints what stands below it, but for who wins.
func TestTheReadmesCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("plays in processes of its own")
	}
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	dir := t.TempDir()
	var running *program
	lines, commands := make(map[string]string), 0
	blocks := strings.Split(string(text), "```console\n")[1:]
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
			commands++
			command, answer, _ := strings.Cut(part, "\n")
			words := strings.Fields(command)
			var p *program
			switch {
			case words[0] == "kill":
				require.Equal(t, "-9", words[1])
				<-running.lines
				require.NoError(t, running.cmd.Process.Signal(syscall.SIGKILL))
				require.Error(t, running.wait())
				p, running = running, nil
				answer = ""
			default:
				require.Equal(t, []string{"go", "run", "./examples/gameserver"}, words[:3])
				p = start(t, dir, words[3:]...)
				if !strings.Contains(command, "-matches") {
					shapesOf(t, answer)
					running = p
					continue // until it is killed
				}
				require.NoError(t, p.wait(), p.log.String())
			}
			got := shapesOf(t, p.log.String()+p.out.String())
			for i, promised := range shapesOf(t, answer) {
				require.True(t, got[i] || !promised, "%s: nothing like %s", command, shapes[i])
			}
			for id, line := range told(t, p.out.String()) {
				require.NotContains(t, lines, id)
				lines[id] = line
			}
		}
	}
	require.GreaterOrEqual(t, commands, 4)
	require.Nil(t, running)
	isWhole(t, filepath.Join(dir, "gameserver.db"), lines)
}
