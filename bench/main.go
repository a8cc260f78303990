// Command bench times the boards of internal/ranktree beside other sorted sets, in one process and one run: the
// B-trees of google and tidwall, the zset of bytedance/gopkg, and Redis over loopback, on a server which it starts
// and stops itself.
//
//	go run . -n 10000,1000000 -rounds 5
//
// All of them hold the same members and are asked the same; before and after they are timed their answers are compared.
// Times depend on the machine and on what else runs there: the ratios, of medians of rounds in which all take turns, are what
// can be told to others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const notes = `Scores are of 20 bits, the lower one is better, equal ones are in the order of their ids (16 bytes).
ranktree, google/btree and tidwall/btree are asked by slot, ranktree by id has its index of ids before it.
google/btree does not count: its rank, page and count walk from the first member. tidwall/btree does not know an
item's place: its rank and count are a binary search over places. Neither's around 5 tells the place.
bytedance zset takes a lock, the others in this process have none. Collection of garbage is left out.
Redis answers around 5 in two commands; the server's CPU is its own account of the pipelined requests.
`

func main() {
	sizes := flag.String("n", "10000,100000,1000000", "members of a board, separated by commas")
	rounds := flag.Int("rounds", 5, "times that each op is measured; the median counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *sizes, *rounds, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sizes string, rounds int, out, progress io.Writer) error {
	p := plan{rounds: rounds, budget: 50 * time.Millisecond}
	if rounds < 1 {
		return errors.New("-rounds: at least 1")
	}
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < fewest || n > most {
			return fmt.Errorf("-n: %q is not a number from %d to %d", text, fewest, most)
		}
		p.sizes = append(p.sizes, n)
	}
	return p.run(ctx, out, progress)
}

const (
	fewest = 100 // a page at a random place needs some places
	most   = 20_000_000
)

func (p plan) run(ctx context.Context, out, progress io.Writer) (err error) {
	redis, err := startServer(ctx)
	switch {
	case errors.Is(err, errNoRedis):
		fmt.Fprintln(out, "redis-server is not installed: without Redis.")
	case err != nil:
		return err
	default:
		defer func() { err = errors.Join(err, redis.stop()) }()
	}
	fmt.Fprintf(out, "%s, %s/%s, GOMAXPROCS %d\n%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), notes)
	if redis != nil {
		if err := writeRoundTrip(out, redis); err != nil {
			return err
		}
	}
	for _, n := range p.sizes {
		rows, err := measure(ctx, p, n, redis, progress)
		if err != nil {
			return err
		}
		if err := write(out, n, p.rounds, rows); err != nil {
			return err
		}
	}
	return nil
}

// writeRoundTrip says how much of a request one by one is the way: on many machines nearly all of it.
func writeRoundTrip(out io.Writer, redis *server) error {
	c, err := dial(redis.address)
	if err != nil {
		return err
	}
	took, err := c.roundTrip()
	fmt.Fprintf(out, "A PING to Redis and back takes %s ns.\n", grouped(float64(took.Nanoseconds())))
	return errors.Join(err, c.close())
}
