package main

import (
	"runtime"
	"time"
)

// contender is a board of some make, in one line of the table or several.
type contender interface {
	// columns are what it is called in the table, one for each figure that run returns.
	columns() []string
	// byID tells whether members are asked for by their ids, and not by their slots.
	byID() bool
	// run does op for each request and returns the nanoseconds that one of them takes.
	run(o op, reqs []request) ([]float64, error)
	// ask does a reading op for each request and returns the answers.
	ask(o op, reqs []request) ([]answer, error)
	// size is the bytes of all its members, NaN where a column has none of its own.
	size() []float64
	close() error
}

// board is a contender in this process. What a read finds it keeps in the form in which its library gives it, until
// found is called: to make all answers alike is a part of the check and not of what is timed.
type board interface {
	rank(r *request) int
	count(r *request) int
	page(offset, limit int)
	around(r *request, by int)
	found(dst []line) []line
	move(r *request)
	insert(r *request)
	remove(r *request)
}

// local times a board.
type local struct {
	name  string
	ids   bool
	board board
	bytes float64
	sum   int // of all numbers, so that none can be left out
}

// newLocal fills a board, and takes what the heap grew by for its size.
func newLocal(name string, ids bool, b board, first []request) *local {
	l := &local{name: name, ids: ids, board: b}
	empty := heap()
	for i := range first {
		b.insert(&first[i])
	}
	l.bytes = heap() - empty
	return l
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func (l *local) columns() []string { return []string{l.name} }
func (l *local) byID() bool        { return l.ids }
func (l *local) size() []float64   { return []float64{l.bytes} }
func (l *local) close() error      { return nil }

func (l *local) run(o op, reqs []request) ([]float64, error) {
	b, start := l.board, time.Now()
	for i := range reqs {
		r := &reqs[i]
		switch o {
		case rank:
			l.sum += b.rank(r)
		case top:
			b.page(0, pageLen)
		case page:
			b.page(r.offset, pageLen)
		case around:
			b.around(r, aroundBy)
		case count:
			l.sum += b.count(r)
		case near, random:
			b.move(r)
		case insert:
			b.insert(r)
		case remove:
			b.remove(r)
		}
	}
	return []float64{per(time.Since(start), reqs)}, nil
}

// per is the nanoseconds that one of the requests takes if all take so long.
func per(took time.Duration, reqs []request) float64 {
	return float64(took.Nanoseconds()) / float64(len(reqs))
}

func (l *local) ask(o op, reqs []request) ([]answer, error) {
	answers := make([]answer, len(reqs))
	for i := range reqs {
		a, r := &answers[i], &reqs[i]
		switch o {
		case rank:
			a.number = l.board.rank(r)
		case count:
			a.number = l.board.count(r)
		default:
			if _, err := l.run(o, reqs[i:i+1]); err != nil {
				return nil, err
			}
			a.lines = l.board.found(nil)
		}
	}
	return answers, nil
}
