package main

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
)

// line is a member as a page shows it.
type line struct {
	id    string
	score uint32
}

// answer is what a reading op returned: a number, or the lines of a page.
type answer struct {
	number int
	lines  []line
}

// model answers from a sorted list. It is what every contender is held to before it is timed.
type model struct {
	order  []uint32 // slots
	place  []int    // by slot
	scores []uint32 // by slot
}

func (c *crowd) model() *model {
	m := &model{order: slices.Clone(c.live), place: make([]int, len(c.scores)), scores: c.scores}
	slices.SortFunc(m.order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(c.scores[a], c.scores[b]), cmp.Compare(tieOf(a), tieOf(b)))
	})
	for i, slot := range m.order {
		m.place[slot] = i
	}
	return m
}

func (m *model) ask(o op, r *request) answer {
	switch o {
	case rank:
		return answer{number: m.place[r.slot]}
	case top:
		return m.lines(0, pageLen)
	case page:
		return m.lines(r.offset, r.offset+pageLen)
	case around:
		at := m.place[r.slot]
		return m.lines(at-aroundBy, at+aroundBy+1)
	case count:
		return answer{number: sort.Search(len(m.order), func(i int) bool { return m.scores[m.order[i]] > r.score })}
	}
	panic(fmt.Sprintf("%s answers nothing", o))
}

func (m *model) lines(from, to int) answer {
	var a answer
	for _, slot := range m.order[max(from, 0):min(to, len(m.order))] {
		a.lines = append(a.lines, line{idOf(slot), m.scores[slot]})
	}
	return a
}

const checks = 30 // of each reading op; few, since one contender counts by walking

// questions are some requests of an op at random, half of the scores asked about being those of members, and the two
// ends of the board.
func (c *crowd) questions(m *model, o op) []request {
	reqs := c.requests(o, checks)
	for i := range reqs[:checks/2] {
		reqs[i].score = c.scores[reqs[i].slot]
	}
	first, last := &reqs[0], &reqs[1]
	first.slot, last.slot = m.order[0], m.order[len(m.order)-1]
	first.offset, last.offset = 0, max(len(m.order)-pageLen, 0)
	first.score, last.score = 0, scores-1
	name(reqs)
	for i := range reqs {
		reqs[i].tie = tieOf(reqs[i].slot)
	}
	return reqs
}

// agree returns an error if a contender answers anything else than the model does.
func agree(contenders []contender, c *crowd) error {
	m := c.model()
	for o := rank; !o.writes(); o++ {
		reqs := c.questions(m, o)
		for _, who := range contenders {
			got, err := who.ask(o, reqs)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", who.columns()[0], o, err)
			}
			for i := range reqs {
				want := m.ask(o, &reqs[i])
				if got[i].number != want.number || !slices.Equal(got[i].lines, want.lines) {
					return fmt.Errorf("%s: %s of %+v among %d: %v, but it is %v", who.columns()[0], o, reqs[i], len(m.order), got[i], want)
				}
			}
		}
	}
	return nil
}
