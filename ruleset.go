package finalbell

import (
	"slices"
	"sync/atomic"
)

// ruleset is the rules with what follows from them. It is replaced as a whole when boards are rebuilt; a decision
// that was taken under another one is taken again.
type ruleset struct {
	rules   Rules // with defaults
	modes   map[string]Mode
	boards  map[string]*board
	history rulebook
	seasons atomic.Uint64 // how often a season was begun or ended by a call

	progress progression
	past     []progression // by chapter of the history
}

// ruleset is the one in force.
func (e *engine) ruleset() *ruleset { return e.inForce.Load() }

// newRuleset makes the boards of rules, all empty. The rules get their defaults.
func newRuleset(rules Rules, history rulebook, ids *index) (*ruleset, error) {
	rs := &ruleset{rules: rules.withDefaults(), history: history, modes: make(map[string]Mode), boards: make(map[string]*board)}
	rs.progress = newProgression(rs.rules)
	for _, c := range history {
		rs.past = append(rs.past, newProgression(c.Rules.withDefaults()))
	}
	for _, m := range rs.rules.Modes {
		rs.modes[m.ID] = m
	}
	for _, rule := range rs.rules.Boards {
		b, err := newBoard(rule, history.generation(rule.ID), ids)
		if err != nil {
			return nil, refuse(ErrInvalid, "rules: board "+quote(rule.ID)+": window: "+err.Error())
		}
		rs.boards[rule.ID] = b
	}
	return rs, nil
}

// mode is the mode of a match: today's if the rules still have it, else as they last had it.
func (rs *ruleset) mode(id string) Mode {
	if mode, there := rs.modes[id]; there {
		return mode
	}
	return rs.history.mode(id, latest)
}

// feeder is the mode by which a match feeds a board, and whether it does: that of the match's time, but what a board
// has from before it was rebuilt it has by the rules of the rebuild.
func (rs *ruleset) feeder(board string, m Match) (Mode, bool) {
	mode := rs.history.mode(m.Mode, max(m.position, rs.history.rebuilt(board)))
	return mode, slices.Contains(mode.Boards, board)
}

// boardAt is a board's rule as the rules had it for a commit at a position; false if they did not have the board.
func (rs *ruleset) boardAt(id string, position uint64) (BoardRule, bool) {
	c, any := rs.history.chapter(position)
	if !any {
		return BoardRule{}, false
	}
	i := slices.IndexFunc(c.Rules.Boards, func(b BoardRule) bool { return b.ID == id })
	if i < 0 {
		return BoardRule{}, false
	}
	return c.Rules.Boards[i], true
}

// progressAt is what progress was made by for a commit at a position.
func (rs *ruleset) progressAt(position uint64) progression {
	for i, c := range slices.Backward(rs.history) {
		if c.After >= position {
			continue
		}
		if i < len(rs.past) {
			return rs.past[i]
		}
		break // the chapter that these rules have begun
	}
	return rs.progress
}

// mode is the mode of a match.
func (e *engine) mode(m Match) Mode { return e.ruleset().mode(m.Mode) }
