package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// plan is what is measured and how long.
type plan struct {
	sizes  []int
	rounds int
	budget time.Duration // about the most for one reading op of one contender in one round
}

const (
	reads  = 1 << 15 // requests of a reading op in a round, if the budget allows them
	writes = 20_000  // requests of a writing op, which all contenders have to make; fewer on a small board
)

// row is what was measured of one column of a contender: nanoseconds by op, the median of the rounds.
type row struct {
	name  string
	byID  bool
	ns    [opCount]float64
	bytes float64 // per member; NaN: not known
}

// measure fills a board of n members of every make, holds them to the model, times them, and holds them to it
// again: what was written in between must have come to the same everywhere.
func measure(ctx context.Context, p plan, n int, redis *server, progress io.Writer) (rows []row, err error) {
	fmt.Fprintf(progress, "n = %d: filling and comparing\n", n)
	c := &crowd{}
	contenders, err := fill(redis, c.requests(insert, n))
	defer func() {
		for _, who := range contenders {
			err = errors.Join(err, who.close())
		}
	}()
	if err == nil {
		err = agree(contenders, c)
	}
	if err != nil {
		return nil, err
	}
	// With a collection at work beside them, all would pay for the pointers of some: there is none while anything is
	// timed, which is to the good of those that have many.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	took := make([][opCount][][]float64, len(contenders)) // by contender, op, column, round
	for round := range p.rounds {
		fmt.Fprintf(progress, "n = %d: round %d of %d\n", n, round+1, p.rounds)
		runtime.GC()
		if err := p.round(ctx, round, c, contenders, took); err != nil {
			return nil, err
		}
	}
	if err := agree(contenders, c); err != nil {
		return nil, fmt.Errorf("after all writes: %w", err)
	}
	return medians(contenders, took, n), nil
}

// fill builds one contender after the other, so that each sees its own bytes in the heap.
func fill(redis *server, first []request) ([]contender, error) {
	all := []contender{
		newLocal("ranktree by slot", false, newCounted(), first),
		newLocal("ranktree by id", true, newCountedIDs(), first),
		newLocal("google/btree", false, newGoogle(), first),
		newLocal("tidwall/btree", false, newTidwall(), first),
		newLocal("bytedance zset", true, newBytedance(), first),
	}
	if redis == nil {
		return all, nil
	}
	for _, batch := range []int{pipelined, 1} {
		r, err := newRedis(redis.address, batch, first)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// round times every op once with every contender. They take turns op by op, so that what else goes on in the
// machine strikes all of them, and another one begins in each round.
func (p plan) round(ctx context.Context, round int, c *crowd, contenders []contender, took [][opCount][][]float64) error {
	for o := range opCount {
		k, warming := reads, o
		if o.writes() {
			k, warming = min(writes, max(len(c.live)/4, 1)), around
		}
		// Warmed by around and not by rank, since who has to walk to a rank would find the whole board in the caches.
		// Drawn first, as it is asked of members that are there before anything is written.
		b := burst{op: o, warmOp: warming, warm: c.requests(warming, reads), reqs: c.requests(o, k)}
		for i := range contenders {
			at := (i + round) % len(contenders)
			if err := ctx.Err(); err != nil {
				return err
			}
			ns, err := b.run(contenders[at], p.budget)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", contenders[at].columns()[0], o, err)
			}
			took[at][o] = append(took[at][o], ns)
		}
	}
	return nil
}

// burst is what every contender is asked in one round for one op.
type burst struct {
	op, warmOp op
	warm, reqs []request
}

// run returns the nanoseconds per request for each column.
func (b burst) run(who contender, budget time.Duration) ([]float64, error) {
	each, err := b.warmUp(who, budget/5)
	if err != nil {
		return nil, err
	}
	reqs := b.reqs
	if !b.op.writes() {
		reqs = reqs[:min(int(float64(budget)/each)+1, len(reqs))]
	}
	return who.run(b.op, reqs)
}

// warmUp brings a contender back into the caches that another one has used meanwhile, with other requests than the
// timed ones, and returns the nanoseconds that one takes. It goes on until one run of them takes that long.
func (b burst) warmUp(who contender, long time.Duration) (each float64, err error) {
	for k := 1; ; k *= 2 {
		k = min(k, len(b.warm))
		took, err := who.run(b.warmOp, b.warm[:k])
		if err != nil {
			return 0, err
		}
		if took[0]*float64(k) >= float64(long) || k == len(b.warm) {
			return max(took[0], 1), nil
		}
	}
}

// medians has the rows in the order of the table.
func medians(contenders []contender, took [][opCount][][]float64, n int) []row {
	var rows []row
	for at, who := range contenders {
		bytes := who.size()
		for column, name := range who.columns() {
			r := row{name: name, byID: who.byID(), bytes: bytes[column] / float64(n)}
			for o := range opCount {
				var rounds []float64
				for _, columns := range took[at][o] {
					rounds = append(rounds, columns[column])
				}
				slices.Sort(rounds)
				r.ns[o] = rounds[len(rounds)/2]
			}
			rows = append(rows, r)
		}
	}
	return rows
}
