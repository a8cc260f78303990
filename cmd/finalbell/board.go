package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
)

// boardCommand is finalbell board. It reads a page in one of four ways, as the board line of a script does.
type boardCommand struct {
	database
	Board     string  `arg:"" placeholder:"BOARD" help:"The board's id."`
	Top       *int    `placeholder:"N" help:"The first N entries, at most 1000. Default: 10."`
	Offset    *int    `placeholder:"N" help:"Leave out the first N entries."`
	Limit     *int    `placeholder:"N" help:"Print up to N entries, at most 1000. Default: 10."`
	Around    *string `placeholder:"PLAYER" help:"The player's, or team's, entry and its neighbours."`
	By        *int    `placeholder:"N" help:"Up to N neighbours on each side, at most 1000. Default: 5."`
	Cursor    *string `placeholder:"C" help:"What follows the page that ended with next: C. The first page has --cursor start."`
	Window    string  `placeholder:"W" help:"The window, also one that is over; finalbell windows lists them. Default: the one open now."`
	Partition string  `placeholder:"P" help:"The partition, on a board that has them."`
	JSON      bool    `name:"json" help:"Print JSON instead of a table."`
}

const (
	defaultBy = 5
	maxPage   = 1000
)

// AfterApply refuses flags that mean nothing, alone or together.
func (c *boardCommand) AfterApply() error {
	ways := 0
	for _, asked := range []bool{
		c.Top != nil, c.Offset != nil || c.Limit != nil && c.Cursor == nil, c.Around != nil || c.By != nil, c.Cursor != nil,
	} {
		if asked {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("either --top, or --offset and --limit, or --around and --by, or --cursor and --limit")
	case c.By != nil && c.Around == nil:
		return errors.New("--by: around whom? --around is missing")
	case c.Offset != nil && *c.Offset < 0:
		return fmt.Errorf("--offset: expected a whole number from 0, found %d", *c.Offset)
	}
	return errors.Join(inRange("--top", c.Top, 1), inRange("--limit", c.Limit, 1), inRange("--by", c.By, 0))
}

func inRange(flag string, n *int, least int) error {
	if n == nil || *n >= least && *n <= maxPage {
		return nil
	}
	return fmt.Errorf("%s: expected a whole number from %d to %d, found %d", flag, least, maxPage, *n)
}

// Run prints the page.
func (c *boardCommand) Run(s streams) error {
	ctx := background()
	var rule finalbell.BoardRule
	var page finalbell.Page
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		if rule, err = boardRule(e, c.Board); err != nil {
			return err
		}
		if err := c.partitioned(ctx, e, rule); err != nil {
			return err
		}
		page, err = c.page(ctx, c.board(e))
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, page)
	}
	w := bufio.NewWriter(s.out)
	t := newBoardTable(rule, page)
	for _, entry := range page.Entries {
		t.add(entry)
	}
	t.print(w)
	if page.Next != "" {
		fmt.Fprintf(w, "next: %s\n", page.Next)
	}
	return flush(w)
}

// board is the board in the window and the partition that the flags name.
func (c *boardCommand) board(e *finalbell.Engine) *finalbell.Board {
	board := e.Board(c.Board).Partition(c.Partition)
	if c.Window != "" {
		board = board.Window(c.Window)
	}
	return board
}

// partitioned tells whoever named no partition which there are. A cursor names its own.
func (c *boardCommand) partitioned(ctx context.Context, e *finalbell.Engine, rule finalbell.BoardRule) error {
	if rule.Partition == nil || c.Partition != "" || c.Cursor != nil && *c.Cursor != finalbell.CursorStart {
		return nil
	}
	_, err := c.board(e).Page(ctx, 0, 1)
	if !errors.Is(err, finalbell.ErrInvalid) {
		return err
	}
	names, failed := c.board(e).Partitions(ctx)
	if failed != nil {
		return failed
	}
	there := "nobody is in any"
	if len(names) > 0 {
		there = "it has " + quoted(names)
	}
	return fmt.Errorf("%w; %s", err, there)
}

// page reads what the flags ask for.
func (c *boardCommand) page(ctx context.Context, board *finalbell.Board) (finalbell.Page, error) {
	switch {
	case c.Cursor != nil:
		return board.After(ctx, *c.Cursor, given(c.Limit, 0))
	case c.Around != nil:
		return board.Around(ctx, *c.Around, given(c.By, defaultBy))
	case c.Top != nil:
		return board.Top(ctx, *c.Top)
	}
	return board.Page(ctx, given(c.Offset, 0), given(c.Limit, 0))
}

func given(flag *int, otherwise int) int {
	if flag == nil {
		return otherwise
	}
	return *flag
}

// boardRule is the rule of a board of the database. Whoever mistyped its name is told the names.
func boardRule(e *finalbell.Engine, id string) (finalbell.BoardRule, error) {
	var names []string
	for _, rule := range e.Rules().Boards {
		if rule.ID == id {
			return rule, nil
		}
		names = append(names, rule.ID)
	}
	there := "it has none"
	if names != nil {
		there = "it has " + quoted(names)
	}
	return finalbell.BoardRule{}, fmt.Errorf("no board %q; %s", id, there)
}

// quoted lists names.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strconv.Quote(name)
	}
	return strings.Join(list, ", ")
}

// printLine prints an answer as a script prints it.
func printLine(out io.Writer, answer any) error {
	text, err := transcript.Encode(answer)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	w.Write(append(text, '\n'))
	return flush(w)
}
