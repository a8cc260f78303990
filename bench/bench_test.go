package main

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var quick = plan{rounds: 2, budget: time.Millisecond}

// Every contender gives the answers of a sorted list, before and after everything that is written.
func TestContendersAgree(t *testing.T) {
	for _, n := range []int{fewest, 5000} {
		rows, err := measure(t.Context(), quick, n, nil, io.Discard)
		require.NoError(t, err)
		require.Equal(t, []string{"ranktree by slot", "ranktree by id", "google/btree", "tidwall/btree", "bytedance zset"}, names(rows))
	}
}

func TestRedisAgrees(t *testing.T) {
	s := redisServer(t)
	for _, n := range []int{fewest, 5000} {
		rows, err := measure(t.Context(), quick, n, s, io.Discard)
		require.NoError(t, err)
		require.Equal(t, []string{"redis, pipelined by 100", "redis, server's CPU", "redis, one by one"}, names(rows[5:]))
		for _, r := range rows {
			for o, ns := range r.ns {
				// The server counts whole microseconds, and a few quick commands may come to none.
				require.True(t, ns > 0 || r.name == "redis, server's CPU", "%s of %s took no time", op(o), r.name)
			}
		}
	}
}

func redisServer(t *testing.T) *server {
	s, err := startServer(t.Context())
	if errors.Is(err, errNoRedis) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.stop()) })
	return s
}

func names(rows []row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.name)
	}
	return all
}

// skewed is a contender that is wrong about one op.
type skewed struct {
	contender
	wrong op
}

func (s skewed) ask(o op, reqs []request) ([]answer, error) {
	answers, err := s.contender.ask(o, reqs)
	if o == s.wrong {
		last := &answers[len(answers)-1]
		last.number++
		last.lines = append(last.lines, line{"nobody", 0})
	}
	return answers, err
}

// Nobody is timed who is wrong in one answer.
func TestAWrongAnswerIsAnError(t *testing.T) {
	c := &crowd{}
	all, err := fill(nil, c.requests(insert, 1000))
	require.NoError(t, err)
	require.NoError(t, agree(all, c))
	for o := rank; !o.writes(); o++ {
		err := agree([]contender{all[0], skewed{all[1], o}}, c)
		require.ErrorContains(t, err, "ranktree by id: "+o.String()+" of")
	}
}

// Equal scores occur in every board that is compared, or the order among them would not be.
func TestScoresRepeat(t *testing.T) {
	c := &crowd{}
	c.requests(insert, 3000)
	seen := make(map[uint32]bool)
	for _, s := range c.scores {
		seen[s] = true
	}
	require.Less(t, len(seen), len(c.scores))
}

// A move near changes the score, and leaves it one that a score can be.
func TestMovesNearStayInRange(t *testing.T) {
	for _, n := range []int{fewest, 5000} {
		c := &crowd{}
		c.requests(insert, n)
		known := slices.Clone(c.scores)
		for _, r := range c.requests(near, 10*n) {
			require.NotEqual(t, known[r.slot], r.score)
			require.Less(t, r.score, uint32(scores))
			known[r.slot] = r.score
		}
	}
}

func TestTheTablePrints(t *testing.T) {
	rows := []row{
		{name: "ranktree by slot", bytes: 50},
		{name: "ranktree by id", byID: true, bytes: 100},
		{name: "walker", bytes: 54.4},
		{name: "a server", byID: true, bytes: math.NaN()},
	}
	for o := range opCount {
		for i, ns := range []float64{100, 200, 1_234_567, 3004} {
			rows[i].ns[o] = ns * float64(1+o)
		}
	}
	var out strings.Builder
	require.NoError(t, write(&out, 10_000, 5, rows))
	require.Equal(t, `
ns an op (median of 5 rounds), bytes a member
  n = 10,000          rank  top 20  page 20  around 5   count  move near    move  insert   delete  B/member
  ranktree by slot     100     200      300       400     500        600     700     800      900        50
  ranktree by id       200     400      600       800   1,000      1,200   1,400   1,600    1,800       100
  walker            1.2 ms  2.5 ms   3.7 ms    4.9 ms  6.2 ms     7.4 ms  8.6 ms  9.9 ms  11.1 ms        54
  a server           3,004   6,008    9,012    12,016  15,020     18,024  21,028  24,032   27,036         -
`, strings.Split(out.String(), "\nthe same")[0])
	require.Contains(t, out.String(), "walker / by slot  12,346")
	require.Contains(t, out.String(), "a server / by id    15.0")
}

// Without a server the command says so and goes on with the others.
func TestWithoutRedis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	p := quick
	p.sizes = []int{fewest}
	var out strings.Builder
	require.NoError(t, p.run(t.Context(), &out, io.Discard))
	require.Contains(t, out.String(), "redis-server is not installed: without Redis.\n")
	require.Contains(t, out.String(), "bytedance zset")
	require.NotContains(t, out.String(), "redis, ")
}

func TestFlagsAreRefused(t *testing.T) {
	for _, sizes := range []string{"", "10000,", "99", "many", "-1", "30000000"} {
		require.ErrorContains(t, run(t.Context(), sizes, 1, io.Discard, io.Discard), "-n:", sizes)
	}
	require.ErrorContains(t, run(t.Context(), "1000", 0, io.Discard, io.Discard), "-rounds:")
}

// A server that was stopped, or whose context ended, is gone with all it had.
func TestTheServerGoes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, end := range []func(){func() {}, cancel} {
		s, err := startServer(ctx)
		if errors.Is(err, errNoRedis) {
			t.Skip(err)
		}
		require.NoError(t, err)
		c, err := dial(s.address)
		require.NoError(t, err)
		answer, err := c.do("PING")
		require.NoError(t, err)
		require.Equal(t, "PONG", answer)
		end()
		require.NoError(t, s.stop())
		_, err = c.do("PING")
		require.Error(t, err)
		require.NoDirExists(t, s.dir)
		require.NoError(t, c.close())
	}
}

// What a server refuses, breaks off or answers in another form is an error and not an answer.
func TestRepliesThatAreNone(t *testing.T) {
	for _, reply := range []string{"-ERR no\r\n", ":1", "$1\r\nx\r\n", "+OK\r\n", "*-1\r\n", ":\r\n", ":x\r\n", "\n", ""} {
		_, err := replied(reply).integer()
		require.Error(t, err, reply)
	}
	for _, reply := range []string{"-ERR no\r\n", "$3\r\nab", "$-1\r\n", ":1\r\n", "$x\r\n"} {
		_, err := replied(reply).text()
		require.Error(t, err, reply)
	}
	for _, reply := range []string{"*2\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nx\r\n", ":1\r\n"} {
		_, err := replied(reply).lines(nil)
		require.Error(t, err, reply)
	}
	got, err := replied("*4\r\n$1\r\na\r\n$1\r\n7\r\n$1\r\nb\r\n$2\r\n12\r\n").lines(nil)
	require.NoError(t, err)
	require.Equal(t, []line{{"a", 7}, {"b", 12}}, got)
}

// replied is a client whose server has sent that and gone.
func replied(reply string) *client {
	here, there := net.Pipe()
	go func() {
		_, _ = io.WriteString(there, reply)
		_ = there.Close()
	}()
	return newClient(here)
}
