package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// verifyCommand is finalbell verify.
type verifyCommand struct {
	database
	JSON bool `name:"json" help:"Print JSON instead of lines."`
}

// Run checks the file first: what SQLite itself finds damaged would only confuse the rest.
func (c *verifyCommand) Run(s streams) error {
	ctx := background()
	if err := c.check(ctx); err != nil {
		return unopened(c.File, err)
	}
	var found finalbell.Verification
	bar := newProgress(s.errors, "verify", -1)
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		found, err = e.Verify(ctx, bar.to)
		return err
	})
	bar.clear()
	if err != nil {
		return err
	}
	if err := c.print(s.out, found); err != nil {
		return err
	}
	if n := len(found.Problems); n > 0 {
		return about(c.File, errors.New(plural(n, "problem", "problems")))
	}
	return nil
}

// check lets SQLite look at the file.
func (c *verifyCommand) check(ctx context.Context) (err error) {
	s, err := sqlite.View(ctx, c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Check(ctx)
}

func (c *verifyCommand) print(out io.Writer, found finalbell.Verification) error {
	if c.JSON {
		return printLine(out, found)
	}
	w := bufio.NewWriter(out)
	for _, p := range found.Problems {
		what := p.Kind
		if p.ID != "" {
			what += " " + strconv.Quote(p.ID)
		}
		if p.Board != "" {
			what += " on board " + strconv.Quote(p.Board)
		}
		fmt.Fprintf(w, "%s: %s\n", what, p.Message)
	}
	problems := "no problems"
	if n := len(found.Problems); n > 0 {
		problems = plural(n, "problem", "problems")
	}
	fmt.Fprintf(w, "checked %s, %s, %s, %s: %s\n", plural(found.Matches, "match", "matches"), plural(found.Boards, "board", "boards"),
		plural(found.Accounts, "account", "accounts"), plural(found.Sessions, "session", "sessions"), problems)
	return flush(w)
}
