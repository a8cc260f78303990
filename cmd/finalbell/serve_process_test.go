//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// serveProcess is finalbell serve in a process of its own.
func serveProcess(t *testing.T, dir, db string) (cmd *exec.Cmd, url string, failure *book) {
	t.Helper()
	rules, config := filepath.Join(dir, "rules.json"), filepath.Join(dir, "serve.json")
	write(t, rules, duelRules)
	write(t, config, serveText(""))
	cmd = process(t, "serve", "--rules", rules, "--config", config, "--db", db, "--addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	failure = &book{}
	cmd.Stderr = failure
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, failure.String())
	_, err = fmt.Sscanf(line, "listening on %s\n", &url)
	require.NoError(t, err, line)
	return cmd, url, failure
}

// rivals play duels from several connections until the server is gone, and say which ends were acknowledged.
func rivals(url, prefix string, acknowledged *atomic.Int64) (ends []string) {
	const connections = 4
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", prefix, i, n)
				for _, call := range []string{
					`{"create":{"id":"%s","mode":"duel","players":["ann","bob"]}}`, `{"start":"%s"}`, `{"end":{"match":"%s","outcomes":[{"player":"ann","outcome":2},{"player":"bob","outcome":1}]}}`,
				} {
					if status, _, err := postTo(client, url, serverKey, fmt.Sprintf(call, id)); err != nil || status != http.StatusOK {
						return
					}
				}
				mu.Lock()
				ends = append(ends, id)
				mu.Unlock()
				acknowledged.Add(1)
			}
		})
	}
	all.Wait()
	return ends
}

// However the server ends while its clients play, by a signal or killed, every end that was acknowledged is in the database,
// and nothing is wrong with it.
func TestAServerThatEndsLosesNothingAcknowledged(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"terminated": syscall.SIGTERM, "interrupted": syscall.SIGINT, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := filepath.Join(dir, "game.db")
			var ends []string
			for round := range 2 { // the second goes on where the first ended
				cmd, url, failure := serveProcess(t, dir, db)
				var acknowledged atomic.Int64
				played := make(chan []string, 1)
				go func() { played <- rivals(url, fmt.Sprintf("m%d", round), &acknowledged) }()
				require.Eventually(t, func() bool { return acknowledged.Load() >= 30 }, 10*time.Second, 5*time.Millisecond)
				require.NoError(t, cmd.Process.Signal(signal))
				err := cmd.Wait()
				if signal == syscall.SIGKILL {
					require.Error(t, err)
				} else {
					require.NoError(t, err, failure.String())
					require.Contains(t, failure.String(), `"msg":"stopped"`)
				}
				ends = append(ends, <-played...)
			}
			e, err := finalbell.View(t.Context(), db)
			require.NoError(t, err)
			for _, id := range ends {
				m, err := e.Match(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, finalbell.Ended, m.State, id)
			}
			require.NoError(t, e.Close())
			require.Contains(t, succeed(t, "verify", db), ": no problems\n")
		})
	}
}

// A second signal ends the server at once, whoever it still waits for.
func TestASecondSignalEndsTheServerAtOnce(t *testing.T) {
	dir := t.TempDir()
	cmd, url, failure := serveProcess(t, dir, filepath.Join(dir, "game.db"))
	// Half a request keeps the server waiting.
	half, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer half.Close()
	_, err = io.WriteString(half, "POST /api/call HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+serverKey+"\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadFull(half, make([]byte, len("HTTP/1.1 100"))) // it has arrived
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return strings.Contains(failure.String(), `"msg":"stopping"`) }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Error(t, cmd.Wait())
	require.NotContains(t, failure.String(), `"msg":"stopped"`)
}

// A database that another server has open is refused in one line.
func TestAServerRefusesADatabaseInUse(t *testing.T) {
	t.Chdir(t.TempDir())
	cmd, _, failure := serveProcess(t, ".", "game.db")
	var stdout, stderr strings.Builder
	require.Equal(t, 1, run([]string{"serve", "--rules", "rules.json", "--config", "serve.json", "--db", "game.db", "--addr", "127.0.0.1:0"}, nil, &stdout, &stderr))
	require.Empty(t, stdout.String())
	require.Equal(t, fmt.Sprintf("finalbell: game.db: another engine has it open; close that one first: process %d\n", cmd.Process.Pid), stderr.String())
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), failure.String())
}
