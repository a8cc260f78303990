//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// asProgram makes the test binary the program itself, so that there is a process to be killed.
const asProgram = "INDIE_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is the backend in a process of its own.
type program struct {
	cmd  *exec.Cmd
	url  string
	log  strings.Builder
	read chan struct{} // closed when the log is
}

// start starts the program and waits until it says where it serves.
func start(t *testing.T, db string) *program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &program{cmd: exec.CommandContext(t.Context(), self, "-addr", "127.0.0.1:0", "-db", db), read: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asProgram+"=1", "INDIE_HOST_KEY="+hostKey)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	served := make(chan string, 1)
	go func() {
		defer close(p.read)
		url := regexp.MustCompile(`msg=serving url=(\S+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.log.WriteString(lines.Text() + "\n")
			if found := url.FindStringSubmatch(lines.Text()); found != nil {
				served <- found[1]
			}
		}
	}()
	select {
	case p.url = <-served:
	case <-p.read:
		require.Fail(t, "the program did not start", p.log.String())
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		require.Fail(t, "the program does not say where it serves")
	}
	return p
}

// end sends a signal, and returns how the program ended.
func (p *program) end(signal os.Signal) error {
	_ = p.cmd.Process.Signal(signal) // it may have ended before
	<-p.read
	return p.cmd.Wait()
}

// call is a request with the answer that it got; none if the program was killed meanwhile.
type call struct{ method, path, body, answer string }

func (p *program) ask(c call) (call, error) {
	r, err := http.NewRequest(c.method, p.url+c.path, strings.NewReader(c.body))
	if err != nil {
		return c, err
	}
	r.Header.Set("Host-Key", hostKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return c, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return c, err
	}
	if answer.StatusCode != http.StatusOK {
		return c, fmt.Errorf("%s %s: %s", c.method, c.path, text)
	}
	c.answer = string(text)
	return c, nil
}

func (p *program) does(t *testing.T, c call) string {
	t.Helper()
	c, err := p.ask(c)
	require.NoError(t, err)
	return c.answer
}

// reads asks for what is to be read.
func (p *program) reads(t require.TestingT, path string, into any) {
	got, err := p.ask(call{method: "GET", path: path})
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(got.answer), into))
}

// calls are a duel from one end to the other.
func calls(id string, first, second string) []call {
	return []call{
		{method: "POST", path: "/duels", body: `{"id":"` + id + `","players":["` + first + `","` + second + `"]}`},
		{method: "POST", path: "/duels/" + id + "/start"},
		{method: "POST", path: "/duels/" + id + "/end", body: `{"outcomes":[` + beats(first, second) + `]}`},
	}
}

// The program is killed in the middle of duels, again and again. Whatever it has answered is there, whatever it has not can be
// asked again, every duel has counted once, and every item is delivered once.
func TestAKilledProgramLosesNothing(t *testing.T) {
	const kills, workers = 3, 4
	db := filepath.Join(t.TempDir(), "game.db")
	p := start(t, db)
	var players []string
	for i := range 2 * workers {
		players = append(players, fmt.Sprintf("p%d", i))
		p.does(t, call{method: "POST", path: "/players/" + players[i] + "/gift", body: fmt.Sprintf(`{"amount":1000000,"key":"welcome-p%d"}`, i)})
	}
	var made []call // in their order for each duel
	for round := range kills {
		var wait sync.WaitGroup
		var mu sync.Mutex
		answered, stopped := make(chan struct{}), make(chan error, workers)
		killed := make(chan struct{})
		for w := range workers {
			wait.Go(func() {
				for n := 0; ; n++ {
					for _, c := range calls(fmt.Sprintf("r%d-w%d-%d", round, w, n), players[2*w+n%2], players[2*w+1-n%2]) {
						got, err := p.ask(c)
						mu.Lock()
						made = append(made, got)
						mu.Unlock()
						if err != nil {
							stopped <- err
							return
						}
						select {
						case answered <- struct{}{}:
						case <-killed:
						}
					}
				}
			})
		}
		for range 80 + 7*round {
			select {
			case <-answered:
			case err := <-stopped:
				require.NoError(t, err)
			}
		}
		close(killed)
		require.Error(t, p.end(syscall.SIGKILL))
		wait.Wait()
		p = start(t, db)
	}

	duels := make(map[string]bool)
	for _, c := range made {
		again := p.does(t, c)
		if c.answer != "" {
			require.Contains(t, again, `"replayed":true`)
		}
		id := idOf(t, again)
		duels[id] = true
		if stateOf(t, c.answer) == "ended" {
			require.Equal(t, whoWon(t, c.answer), whoWon(t, again))
		}
	}
	for id := range duels { // those that were going on are played to their end
		p.does(t, call{method: "POST", path: "/duels/" + id + "/start"})
		if now := p.does(t, call{method: "GET", path: "/duels/" + id}); stateOf(t, now) != "ended" {
			first, second := playersOf(t, now)
			p.does(t, calls(id, first, second)[2])
		}
	}

	// What all of them have by now follows from how many duels there were, and from what the grants say.
	experience, coins, rewards := int64(0), int64(0), int64(0)
	for _, player := range players {
		var progress struct{ Markers []struct{ Value int64 } }
		p.reads(t, "/players/"+player+"/progress", &progress)
		experience += progress.Markers[0].Value
		var grants []struct {
			ID, Kind, Rule, State string
			Amount                int64
		}
		require.EventuallyWithT(t, func(tries *assert.CollectT) { // the engine delivers by itself, soon
			var items []struct{ Grant string }
			grants = nil
			p.reads(tries, "/players/"+player+"/grants", &grants)
			p.reads(tries, "/players/"+player+"/items", &items)
			var won, has []string
			for _, g := range grants {
				if g.Kind == "item" {
					assert.Equal(tries, "granted", g.State)
					won = append(won, g.ID)
				}
			}
			for _, i := range items {
				has = append(has, i.Grant)
			}
			assert.ElementsMatch(tries, won, has)
		}, time.Minute, 20*time.Millisecond)
		for _, g := range grants {
			if g.Kind == "currency" && g.Rule != "pool" && g.State == "granted" {
				rewards += g.Amount
			}
		}
		var wallet struct{ Balances, Held map[string]int64 }
		p.reads(t, "/players/"+player+"/wallet", &wallet)
		require.Zero(t, wallet.Held["coins"])
		coins += wallet.Balances["coins"]
	}
	require.Equal(t, int64(60*len(duels)), experience, "10 for each of two players and 40 for the winner")
	require.Equal(t, int64(len(players)*1_000_000-20*len(duels))+rewards, coins, "the house has 20 of each duel")

	require.NoError(t, p.end(syscall.SIGTERM), p.log.String())
	require.Contains(t, p.log.String(), "msg=stopping")
	require.NotContains(t, p.log.String(), hostKey)
	e, err := finalbell.View(t.Context(), db)
	require.NoError(t, err)
	defer e.Close()
	found, err := e.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.Equal(t, len(duels), found.Matches)
}

// match is what the test reads of an answer.
type match struct {
	ID, State string
	Standings []struct{ Player, Result string }
}

func matchOf(t *testing.T, answer string) (m match) {
	t.Helper()
	if answer != "" {
		require.NoError(t, json.Unmarshal([]byte(answer), &m))
	}
	return m
}

func idOf(t *testing.T, answer string) string    { return matchOf(t, answer).ID }
func stateOf(t *testing.T, answer string) string { return matchOf(t, answer).State }
func whoWon(t *testing.T, answer string) any     { return matchOf(t, answer).Standings }

func playersOf(t *testing.T, answer string) (first, second string) {
	s := matchOf(t, answer).Standings
	return s[0].Player, s[1].Player
}
