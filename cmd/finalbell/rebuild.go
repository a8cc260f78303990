package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/finalbell/finalbell"
)

// rebuildCommand is finalbell rebuild.
type rebuildCommand struct {
	Rules  string `required:"" placeholder:"RULES.json" help:"The new rules: modes and boards."`
	DB     string `required:"" name:"db" placeholder:"FILE.db" help:"The database."`
	DryRun bool   `help:"Only print who would move where, also while an engine runs on the database."`
	Limit  *int   `placeholder:"N" help:"Print up to N entries that move of each window, 0 for all. Default: 20."`
	JSON   bool   `name:"json" help:"Print JSON instead of tables, with every entry that moves."`
}

const defaultMoves = 20

// AfterApply refuses flags that mean nothing, alone or together.
func (c *rebuildCommand) AfterApply() error {
	switch {
	case c.DB == "":
		return errors.New("--db: expected the name of a file")
	case c.Limit != nil && *c.Limit < 0:
		return fmt.Errorf("--limit: expected a whole number from 0, found %d", *c.Limit)
	case c.Limit != nil && c.JSON:
		return errors.New("either --limit or --json, which has every entry that moves")
	}
	return nil
}

// Run rebuilds the database, or tells what that would do. Nothing else happens to it: time stands still at its last
// commit, and nothing becomes due.
func (c *rebuildCommand) Run(s streams) error {
	rules, err := loadRules(c.Rules)
	if err != nil {
		return err
	}
	ctx := background()
	var old finalbell.Rules
	var found finalbell.Rebuilt
	err = database{c.DB}.view(ctx, func(e *finalbell.Engine) (err error) {
		old = e.Rules()
		if err := forgotten(old, "rebuild the database: by Engine.Rebuild or Options.Rebuild"); err != nil || !c.DryRun {
			return err
		}
		found, err = e.Rebuild(ctx, rules, finalbell.RebuildOptions{DryRun: true})
		return err
	})
	if err == nil && !c.DryRun {
		found, err = c.rebuild(ctx, old, rules)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, found)
	}
	return c.print(s.out, found, old, rules)
}

// forgotten refuses a board whose windows come from a function: only the program that has it can open the database, and
// do what is wanted.
func forgotten(rules finalbell.Rules, what string) error {
	for _, b := range rules.Boards {
		if !b.Window.Origin.IsZero() {
			return fmt.Errorf("board %q has a calendar of its program's own, so that only that program can %s", b.ID, what)
		}
	}
	return nil
}

// rebuild opens the database by the rules that it has.
func (c *rebuildCommand) rebuild(ctx context.Context, old, rules finalbell.Rules) (found finalbell.Rebuilt, err error) {
	// The engine holds a clock that is behind at its last stored time.
	options := finalbell.Options{Now: func() time.Time { return time.Time{} }, MustExist: true}
	e, err := finalbell.Open(ctx, c.DB, old, options)
	if err != nil {
		return found, unopened(c.DB, err)
	}
	if found, err = e.Rebuild(ctx, rules, finalbell.RebuildOptions{}); err != nil {
		_ = e.Close() // the reason counts
		return found, about(c.DB, err)
	}
	return found, unopened(c.DB, e.Close())
}

func (c *rebuildCommand) print(out io.Writer, found finalbell.Rebuilt, old, rules finalbell.Rules) error {
	w := bufio.NewWriter(out)
	matches := plural(found.Matches, "match", "matches")
	switch {
	case c.DryRun && len(found.Boards) == 0:
		w.WriteString("dry run: no board is new or changed\n")
	case c.DryRun:
		fmt.Fprintf(w, "dry run, nothing is changed: %s folded again\n", matches)
	case len(found.Boards) == 0:
		w.WriteString("no board is new or changed; the rules are in force\n")
	default:
		fmt.Fprintf(w, "%s folded again; the rules are in force\n", matches)
	}
	for _, b := range found.Boards {
		name := b.Board
		if b.Added {
			name += " · new"
		}
		if len(b.Windows) == 0 {
			fmt.Fprintf(w, "\n%s · no entries but in windows that are final\n", name)
		}
		was, is := ruleOf(old, b.Board), ruleOf(rules, b.Board)
		for _, v := range b.Windows {
			fmt.Fprintf(w, "\n%s · %s\n", name, movesTitle(is, v))
			if len(v.Moves) > 0 {
				c.movesTable(was, is, v).print(w)
			}
			if n := len(v.Moves) - c.shown(v); n > 0 {
				fmt.Fprintf(w, "… and %d more\n", n)
			}
		}
	}
	return flush(w)
}

// ruleOf is a board's rule, none if the rules do not have it.
func ruleOf(rules finalbell.Rules, board string) finalbell.BoardRule {
	for _, b := range rules.Boards {
		if b.ID == board {
			return b
		}
	}
	return finalbell.BoardRule{}
}

func movesTitle(rule finalbell.BoardRule, v finalbell.RebuiltWindow) string {
	title := v.Window + " · " + string(v.State)
	if w := rule.Window; v.Window == "all" && w.Every != finalbell.Season && len(w.Fixed) == 0 {
		title = "all time"
	}
	if v.Partition != "" {
		title += " · " + partitionText(rule, v.Partition)
	}
	title += fmt.Sprintf(" · entries %d → %d", v.Before, v.After)
	if v.State == finalbell.WindowFinal && v.Before == 0 {
		return title // new and over already: of those who are in it only the number is told
	}
	return title + fmt.Sprintf(" · %d moved", len(v.Moves))
}

// shown is how many of a window's moves are printed.
func (c *rebuildCommand) shown(v finalbell.RebuiltWindow) int {
	if limit := given(c.Limit, defaultMoves); limit > 0 {
		return min(limit, len(v.Moves))
	}
	return len(v.Moves)
}

// movesTable has the old rank and values of each entry that moves beside the new ones. Old and new keys need not be
// the same.
func (c *rebuildCommand) movesTable(was, is finalbell.BoardRule, v finalbell.RebuiltWindow) *table {
	columns := []column{{title: "old rank"}, {title: "rank"}, {title: subject(is), left: true}}
	columns = append(columns, keyColumns(was.Keys, "old ")...)
	t := newTable(append(columns, keyColumns(is.Keys, "")...)...)
	for _, m := range v.Moves[:c.shown(v)] {
		cells := []string{number(m.OldRank), number(m.Rank), m.Player}
		cells = append(cells, values(m.OldValues, len(was.Keys))...)
		t.row(append(cells, values(m.Values, len(is.Keys))...))
	}
	return t
}

// values are the cells of an entry, empty if it is not on the board.
func values(of []finalbell.Value, keys int) []string {
	cells := make([]string, keys)
	for i, v := range of {
		cells[i] = cell(v)
	}
	return cells
}
