package main

import (
	"fmt"
	"strings"
)

// op is one thing that a board is asked to do.
type op int

const (
	rank   op = iota // where a member stands
	top              // the first 20
	page             // 20 from a random place on
	around           // a member with 5 on each side
	count            // how many are at or above a score
	near             // a member's score changes by so little that it passes a few others
	random           // a member's score changes to any other
	insert
	remove
	opCount
)

var opNames = [opCount]string{"rank", "top 20", "page 20", "around 5", "count", "move near", "move", "insert", "delete"}

func (o op) String() string { return opNames[o] }

func (o op) writes() bool { return o >= near }

const (
	pageLen  = 20
	aroundBy = 5
	scores   = 1 << 20 // so few that equal ones occur
	idLen    = 16
)

// request is one call of an op. What an op does not use is of no meaning.
type request struct {
	slot   uint32 // the member
	score  uint32 // its new one; for count the one that is asked about
	offset int    // of the page
	tie    uint64 // the id as a number: of equal scores the smaller comes first
	id     string
}

// crowd is who is on the board, and makes the requests that all contenders are sent. The lower score is the
// better one and the id breaks ties, because that is the one order which sorted sets with strings for members have
// too. Ids are numbers of a fixed width in hexadecimal, so they are in the same order as text and as numbers.
type crowd struct {
	state  uint64
	live   []uint32 // slots, in no order
	scores []uint32 // by slot
}

// word is splitmix64: the same members and requests in every run.
func (c *crowd) word() uint64 {
	c.state += 0x9E3779B97F4A7C15
	return mix(c.state)
}

// mix maps no two numbers to the same one.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (c *crowd) below(n int) int { return int(c.word() >> 32 * uint64(n) >> 32) }

func tieOf(slot uint32) uint64 { return mix(uint64(slot) + 1) }

func idOf(slot uint32) string { return fmt.Sprintf("%0*x", idLen, tieOf(slot)) }

// requests makes k calls of an op and takes note of what the writing ones change: each is to be made once, in
// order, of every contender.
func (c *crowd) requests(o op, k int) []request {
	reqs := make([]request, k)
	for i := range reqs {
		r := &reqs[i]
		switch o {
		case insert:
			r.slot, r.score = uint32(len(c.scores)), uint32(c.below(scores))
			c.live = append(c.live, r.slot)
			c.scores = append(c.scores, r.score)
		case remove:
			at, last := c.below(len(c.live)), len(c.live)-1
			r.slot = c.live[at]
			c.live[at] = c.live[last]
			c.live = c.live[:last]
		default:
			c.fill(r, o)
		}
		r.tie = tieOf(r.slot)
	}
	name(reqs)
	return reqs
}

func (c *crowd) fill(r *request, o op) {
	r.slot = c.live[c.below(len(c.live))]
	switch o {
	case page:
		r.offset = c.below(max(len(c.live)-pageLen, 0) + 1)
	case count:
		r.score = uint32(c.below(scores))
	case near:
		step := uint32(1+c.below(4)) * uint32(max(scores/len(c.live), 1))
		r.score = c.scores[r.slot]
		if c.below(2) == 0 && r.score >= step || r.score+step >= scores {
			r.score -= step
		} else {
			r.score += step
		}
		c.scores[r.slot] = r.score
	case random:
		r.score = uint32(c.below(scores))
		c.scores[r.slot] = r.score
	}
}

// name gives the requests their ids, one after the other in memory, as a server reads them: a member's own copy
// of its id is elsewhere.
func name(reqs []request) {
	var text strings.Builder
	text.Grow(len(reqs) * idLen)
	for i := range reqs {
		text.WriteString(idOf(reqs[i].slot))
	}
	all := text.String()
	for i := range reqs {
		reqs[i].id = all[i*idLen:][:idLen]
	}
}
