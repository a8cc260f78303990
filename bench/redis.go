package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// redis is a sorted set on a server, asked over loopback.
type redis struct {
	*client
	key   string
	batch int // requests sent before the first reply is read
	bytes float64
	rows  []line
}

const pipelined = 100

// newRedis fills a sorted set.
func newRedis(address string, batch int, first []request) (*redis, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	r := &redis{client: c, key: fmt.Sprintf("board%d", batch), batch: batch}
	err = r.each(insert, first, pipelined, discard)
	if err == nil {
		r.bytes, err = r.usage()
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *redis) usage() (float64, error) {
	r.send("MEMORY", "USAGE", r.key, "SAMPLES", "0") // 0: of all members
	if err := r.flush(); err != nil {
		return 0, err
	}
	n, err := r.integer()
	return float64(n), err
}

func (r *redis) columns() []string {
	if r.batch == 1 {
		return []string{"redis, one by one"}
	}
	return []string{fmt.Sprintf("redis, pipelined by %d", r.batch), "redis, server's CPU"}
}

func (r *redis) byID() bool { return true }

func (r *redis) size() []float64 {
	if r.batch == 1 {
		return []float64{r.bytes}
	}
	return []float64{r.bytes, math.NaN()}
}

// close leaves no set behind for the boards of the next size to share the server with.
func (r *redis) close() error {
	r.send("DEL", r.key)
	err := r.flush()
	if err == nil {
		_, err = r.integer()
	}
	return errors.Join(err, r.client.close())
}

func (r *redis) run(o op, reqs []request) ([]float64, error) {
	if r.batch == 1 {
		return r.runSingly(o, reqs)
	}
	return r.runPipelined(o, reqs)
}

const singly = 1000

// runSingly sends only the first ones one by one, which tell enough since nearly all of it is the way. The others
// have to be made as well, for the set must hold what all boards hold.
func (r *redis) runSingly(o op, reqs []request) ([]float64, error) {
	first := reqs[:min(singly, len(reqs))]
	start := time.Now()
	err := r.each(o, first, 1, discard)
	took := time.Since(start)
	if err == nil && o.writes() {
		err = r.each(o, reqs[len(first):], pipelined, discard)
	}
	return []float64{per(took, first)}, err
}

// runPipelined takes the server's own time from the same requests: its caches are warm there and it is not woken up
// for each.
func (r *redis) runPipelined(o op, reqs []request) ([]float64, error) {
	if _, err := r.do("CONFIG", "RESETSTAT"); err != nil {
		return nil, err
	}
	start := time.Now()
	err := r.each(o, reqs, r.batch, discard)
	took := time.Since(start)
	if err != nil {
		return nil, err
	}
	spent, err := r.spent()
	return []float64{per(took, reqs), per(time.Duration(spent)*time.Microsecond, reqs)}, err
}

func discard(int, answer) {}

func (r *redis) ask(o op, reqs []request) ([]answer, error) {
	answers := make([]answer, len(reqs))
	err := r.each(o, reqs, r.batch, func(i int, a answer) {
		a.lines = append([]line(nil), a.lines...)
		answers[i] = a
	})
	return answers, err
}

// each sends the requests in batches and tells what was answered. Lines are good until tell returns.
func (r *redis) each(o op, reqs []request, size int, tell func(i int, a answer)) error {
	for from := 0; from < len(reqs); from += size {
		batch := reqs[from:min(from+size, len(reqs))]
		places, err := r.places(o, batch)
		if err != nil {
			return err
		}
		for i := range batch {
			place := 0
			if places != nil {
				place = places[i]
			}
			r.sendOp(o, &batch[i], place)
		}
		if err := r.flush(); err != nil {
			return err
		}
		for i := range batch {
			a, err := r.read(o)
			if err != nil {
				return err
			}
			tell(from+i, a)
		}
	}
	return nil
}

// places asks where the members of a batch stand if that has to be known first: around takes two commands.
func (r *redis) places(o op, batch []request) ([]int, error) {
	if o != around {
		return nil, nil
	}
	for i := range batch {
		r.sendOp(rank, &batch[i], 0)
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	places := make([]int, len(batch))
	for i := range places {
		var err error
		if places[i], err = r.integer(); err != nil {
			return nil, err
		}
	}
	return places, nil
}

func (r *redis) sendOp(o op, q *request, place int) {
	switch o {
	case rank:
		r.send("ZRANK", r.key, q.id)
	case count:
		r.send("ZCOUNT", r.key, "-inf", strconv.Itoa(int(q.score)))
	case top:
		r.sendRange(0, pageLen)
	case page:
		r.sendRange(q.offset, q.offset+pageLen)
	case around:
		r.sendRange(max(place-aroundBy, 0), place+aroundBy+1)
	case near, random, insert:
		r.send("ZADD", r.key, strconv.Itoa(int(q.score)), q.id)
	case remove:
		r.send("ZREM", r.key, q.id)
	}
}

func (r *redis) sendRange(from, to int) {
	r.send("ZRANGE", r.key, strconv.Itoa(from), strconv.Itoa(to-1), "WITHSCORES")
}

func (r *redis) read(o op) (a answer, err error) {
	switch o {
	case top, page, around:
		r.rows, err = r.lines(r.rows[:0])
		a.lines = r.rows
	default:
		a.number, err = r.integer()
	}
	return a, err
}
