package finalbell

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// rulebook is the rules that the store's matches were made under, oldest first: what a match of last year
// brought to a board is told by last year's rules.
type rulebook []chapter

// chapter is the rules of the commits after a position.
type chapter struct {
	After uint64 `json:"after"`
	Rules Rules  `json:"rules"`
	// Generations is how often each board has been rebuilt, without those that never were; Rebuilt names those that
	// were rebuilt for this chapter.
	Generations map[string]int `json:"generations,omitempty"`
	Rebuilt     []string       `json:"rebuilt,omitempty"`
}

// latest is a position after all others.
const latest = math.MaxUint64

const rulesSetting = "rules"

// storedRules are the rules of the store, none if nothing was ever written.
func storedRules(ctx context.Context, s store.Store) (rulebook, error) {
	text, err := s.Setting(ctx, rulesSetting)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	book, err := readRulebook(text)
	if err != nil {
		return nil, unavailable(err)
	}
	return book, nil
}

// openRules compares the engine's rules with those of the store and sees that a change is written with the
// next commit.
func (e *engine) openRules(ctx context.Context) error {
	rs := e.ruleset()
	next := chapter{After: e.committer.head, Rules: rs.rules}
	if n := len(rs.history); n > 0 {
		last := rs.history[n-1]
		same, err := sameJSON(last.Rules, rs.rules)
		if err != nil || same {
			return err
		}
		if err := e.checkChange(ctx, last.Rules); err != nil {
			return err
		}
		next.Generations = last.Generations
	}
	rs.history = append(slices.Clip(rs.history), next)
	setting, err := rs.history.record()
	e.committer.settings = []store.Record{setting}
	if next.After == 0 {
		e.committer.settings = append(e.committer.settings, store.Setting{Name: tallySetting, Value: []byte("all")})
	}
	return err
}

// record is the rulebook as the store keeps it.
func (h rulebook) record() (store.Record, error) {
	text, err := json.Marshal(h)
	return store.Setting{Name: rulesSetting, Value: text}, err
}

// readRulebook reads what openRules wrote.
func readRulebook(text []byte) (rulebook, error) {
	var raw []struct {
		After       uint64          `json:"after"`
		Rules       json.RawMessage `json:"rules"`
		Generations map[string]int  `json:"generations"`
		Rebuilt     []string        `json:"rebuilt"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	book := make(rulebook, len(raw))
	for i, c := range raw {
		rules, err := decodeRules(c.Rules)
		if err != nil {
			return nil, err
		}
		book[i] = chapter{After: c.After, Rules: rules.withDefaults(), Generations: c.Generations, Rebuilt: c.Rebuilt}
	}
	return book, nil
}

// checkChange refuses rules that the stored entries do not fit: a board that is gone or folds in another way,
// or one that would lack results that history has.
func (e *engine) checkChange(ctx context.Context, old Rules) error {
	rs := e.ruleset()
	for _, was := range old.Boards {
		now, there := rs.boards[was.ID]
		if !there {
			return refuse(ErrInvalid, "rules: board "+quote(was.ID)+" of the database is gone")
		}
		if what, err := firstDifference(was, now.rule); err != nil {
			return err
		} else if what != "" {
			return needsRebuild("rules: board " + quote(was.ID) + ": " + what + " differs from the database's; a rebuild is needed")
		}
	}
	fed := make(map[[2]string]bool)
	for _, m := range old.Modes {
		for _, b := range m.Boards {
			fed[[2]string{m.ID, b}] = true
		}
	}
	for _, m := range rs.rules.Modes {
		for _, b := range m.Boards {
			if fed[[2]string{m.ID, b}] {
				continue
			}
			has, err := e.hasHistory(ctx, m.ID)
			if err != nil {
				return err
			}
			if has {
				return needsRebuild("rules: board " + quote(b) + " is new to mode " + quote(m.ID) + ", which has history; a rebuild is needed")
			}
		}
	}
	return nil
}

// errRebuild is why rules are refused that a rebuild would take.
var errRebuild = errors.New("a rebuild is needed")

func needsRebuild(text string) error {
	return &refusal{kind: ErrInvalid, text: text, cause: errRebuild}
}

// hasHistory reports whether a mode has an ended match.
func (e *engine) hasHistory(ctx context.Context, mode string) (bool, error) {
	for _, err := range e.store.Matches(ctx, store.MatchQuery{Mode: mode, States: []string{string(Ended)}}) {
		if err != nil {
			return false, unavailable(err)
		}
		return true, nil
	}
	return false, nil
}

// firstDifference names the first field in which two boards differ.
func firstDifference(a, b BoardRule) (string, error) {
	fields := []struct {
		name string
		x, y any
	}{
		{"of", a.Of, b.Of}, {"per_match", a.PerMatch, b.PerMatch}, {"ties", a.Ties, b.Ties},
		{"the number of keys", len(a.Keys), len(b.Keys)},
	}
	for i := range min(len(a.Keys), len(b.Keys)) {
		fields = append(fields, struct {
			name string
			x, y any
		}{"keys[" + strconv.Itoa(i) + "]", a.Keys[i], b.Keys[i]})
	}
	for _, f := range fields {
		same, err := sameJSON(f.x, f.y)
		if err != nil {
			return "", err
		}
		if !same {
			return f.name, nil
		}
	}
	// A window may get more grace, and a list of windows more at its end: nothing stored depends on that.
	if n := len(a.Window.Fixed); n > 0 && len(b.Window.Fixed) > n {
		b.Window.Fixed = b.Window.Fixed[:n]
	}
	b.Window.Grace = a.Window.Grace
	b.Prizes = a.Prizes // those of the windows that end from now on; no entry depends on them
	if same, err := sameJSON(boardAlone(a), boardAlone(b)); err != nil || same {
		return "", err
	}
	if a.Partition != nil || b.Partition != nil {
		a.Partition, b.Partition = nil, nil
		if same, err := sameJSON(boardAlone(a), boardAlone(b)); err == nil && same {
			return "the partition", nil
		}
	}
	return "the window", nil
}

// boardAlone is a board as rules that have it alone.
func boardAlone(b BoardRule) Rules { return Rules{Boards: []BoardRule{b}} }

func sameJSON(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return string(x) == string(y), err
}

// chapter is the one for a commit at a position; for one before the first chapter the first.
func (h rulebook) chapter(position uint64) (chapter, bool) {
	for _, c := range slices.Backward(h) {
		if c.After < position {
			return c, true
		}
	}
	if len(h) > 0 {
		return h[0], true
	}
	return chapter{}, false
}

// generation is how often a board has been rebuilt.
func (h rulebook) generation(board string) int {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].Generations[board]
}

// rebuilt is a position right after the last rebuild of a board, 0 if there was none.
func (h rulebook) rebuilt(board string) uint64 {
	for _, c := range slices.Backward(h) {
		if slices.Contains(c.Rebuilt, board) {
			return c.After + 1
		}
	}
	return 0
}

// mode is a mode as the rules had it for a commit at a position.
func (h rulebook) mode(id string, position uint64) Mode {
	for _, c := range slices.Backward(h) {
		if c.After >= position {
			continue
		}
		for _, m := range c.Rules.Modes {
			if m.ID == id {
				return m
			}
		}
	}
	return Rules{Modes: []Mode{{ID: id}}}.withDefaults().Modes[0]
}
