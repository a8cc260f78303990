package main

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/finalbell/finalbell"
)

// windowsCommand is finalbell windows.
type windowsCommand struct {
	database
	Board     string `arg:"" placeholder:"BOARD" help:"The board's id."`
	Partition string `placeholder:"P" help:"Count the entries of one partition. Default: of all."`
	JSON      bool   `name:"json" help:"Print JSON instead of a table."`
}

// Run prints the windows, oldest first.
func (c *windowsCommand) Run(s streams) error {
	ctx := background()
	var rule finalbell.BoardRule
	var windows []finalbell.Window
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		if rule, err = boardRule(e, c.Board); err != nil {
			return err
		}
		windows, err = e.Board(c.Board).Partition(c.Partition).Windows(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, windows)
	}
	w := bufio.NewWriter(s.out)
	title := c.Board
	if c.Partition != "" {
		title += " · " + partitionText(rule, c.Partition)
	}
	fmt.Fprintf(w, "%s · %s\n", title, plural(len(windows), "window", "windows"))
	t := newTable(column{"window", true}, column{"start", true}, column{"end", true}, column{"state", true}, column{title: "entries"})
	for _, v := range windows {
		t.row([]string{v.ID, timeText(v.Start), timeText(v.End), string(v.State), strconv.Itoa(v.Size)})
	}
	t.print(w)
	return flush(w)
}
