package finalbell

import (
	"context"
	"encoding/json"
	"errors"
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
}

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
func (e *engine) openRules(ctx context.Context) (err error) {
	if e.history, err = storedRules(ctx, e.store); err != nil {
		return err
	}
	if n := len(e.history); n > 0 {
		last := e.history[n-1].Rules
		same, err := sameJSON(last, e.rules)
		if err != nil || same {
			return err
		}
		if err := e.checkChange(ctx, last); err != nil {
			return err
		}
	}
	e.history = append(slices.Clip(e.history), chapter{After: e.committer.head, Rules: e.rules})
	text, err := json.Marshal(e.history)
	if err != nil {
		return err
	}
	e.committer.settings = []store.Record{store.Setting{Name: rulesSetting, Value: text}}
	return nil
}

// readRulebook reads what openRules wrote.
func readRulebook(text []byte) (rulebook, error) {
	var raw []struct {
		After uint64          `json:"after"`
		Rules json.RawMessage `json:"rules"`
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
		book[i] = chapter{After: c.After, Rules: rules.withDefaults()}
	}
	return book, nil
}

// checkChange refuses rules that the stored entries do not fit: a board that is gone or folds in another way,
// or one that would lack results that history has.
func (e *engine) checkChange(ctx context.Context, old Rules) error {
	for _, was := range old.Boards {
		now, there := e.boards[was.ID]
		if !there {
			return refuse(ErrInvalid, "rules: board "+quote(was.ID)+" of the database is gone")
		}
		if what, err := firstDifference(was, now.rule); err != nil {
			return err
		} else if what != "" {
			return refuse(ErrInvalid, "rules: board "+quote(was.ID)+": "+what+" differs from the database's; a rebuild is needed")
		}
	}
	fed := make(map[[2]string]bool)
	for _, m := range old.Modes {
		for _, b := range m.Boards {
			fed[[2]string{m.ID, b}] = true
		}
	}
	for _, m := range e.rules.Modes {
		for _, b := range m.Boards {
			if fed[[2]string{m.ID, b}] {
				continue
			}
			has, err := e.hasHistory(ctx, m.ID)
			if err != nil {
				return err
			}
			if has {
				return refuse(ErrInvalid, "rules: board "+quote(b)+" is new to mode "+quote(m.ID)+", which has history; a rebuild is needed")
			}
		}
	}
	return nil
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
	same, err := sameJSON(Rules{Boards: []BoardRule{a}}, Rules{Boards: []BoardRule{b}})
	if err != nil || same {
		return "", err
	}
	return "the window", nil
}

func sameJSON(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return string(x) == string(y), err
}

// mode is the mode of a match: today's if the rules still have it, else as they last had it.
func (e *engine) mode(m Match) Mode {
	if mode, there := e.modes[m.Mode]; there {
		return mode
	}
	return e.history.mode(m.Mode, ^uint64(0))
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
