package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
)

// matchCommand is finalbell match.
type matchCommand struct {
	database
	ID   string `arg:"" name:"id" placeholder:"ID" help:"The match's id."`
	JSON bool   `name:"json" help:"Print JSON instead of a table."`
}

// Run prints the match.
func (c *matchCommand) Run(s streams) error {
	ctx := background()
	var m finalbell.Match
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		m, err = e.Match(ctx, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, m)
	}
	return printMatch(s.out, m)
}

// printMatch prints a match for people.
func printMatch(out io.Writer, m finalbell.Match) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s\n\n", strings.Join(headline(m), " · "))
	standingsTable(m.Standings).print(w)
	return flush(w)
}

// headline is what there is to say of a match beside its standings.
func headline(m finalbell.Match) []string {
	parts := []string{m.ID, m.Mode}
	add := func(what, text string) {
		if text != "" {
			parts = append(parts, strings.TrimSpace(what+" "+text))
		}
	}
	step := func(what finalbell.State, at time.Time) {
		if !at.IsZero() {
			add(string(what), timetext.Format(at))
		}
	}
	add("room", m.Room)
	if _, err := strconv.Atoi(m.Round); err == nil {
		add("round", m.Round)
	} else {
		add("", m.Round) // a label says so itself
	}
	add("", string(m.State))
	if m.Revision > 0 {
		add("revision", strconv.Itoa(m.Revision))
	}
	for _, is := range []struct {
		so   bool
		word string
	}{{m.NoContest, "no contest"}, {m.Draw, "draw"}, {m.Provisional, "provisional"}} {
		if is.so {
			add("", is.word)
		}
	}
	if m.Reason != "" {
		add("reason", strconv.Quote(m.Reason)) // any text, line ends among it
	}
	step(finalbell.Created, m.CreatedAt)
	step(finalbell.Started, m.StartedAt)
	if m.State == finalbell.Voided {
		step(finalbell.Ended, m.EndedAt)
	} else {
		step(m.State, m.EndedAt)
	}
	return parts
}

// standingsTable has a column for whatever somebody has: a match that is not over shows little but its players.
func standingsTable(standings []finalbell.Standing) *table {
	type shown struct {
		column
		cell func(s finalbell.Standing) string
	}
	all := []shown{
		{column{title: "position"}, func(s finalbell.Standing) string { return number(s.Position) }},
		{column{title: "rank"}, func(s finalbell.Standing) string { return number(s.Rank) }},
		{column{"player", true}, func(s finalbell.Standing) string { return s.Player }},
		{column{"team", true}, func(s finalbell.Standing) string { return s.Team }},
		{column{title: "outcome"}, func(s finalbell.Standing) string { return s.Outcome.String() }},
		{column{"status", true}, func(s finalbell.Standing) string { return string(s.Status) }},
		{column{"result", true}, func(s finalbell.Standing) string { return string(s.Result) }},
	}
	for _, board := range boardsOf(standings) {
		all = append(all, shown{column{"on " + board, true}, func(s finalbell.Standing) string { return moved(s, board) }})
	}
	all = append(all, shown{column{"grants", true}, func(s finalbell.Standing) string { return grantsText(s.Grants) }})
	used := slices.DeleteFunc(all, func(c shown) bool {
		return !slices.ContainsFunc(standings, func(s finalbell.Standing) bool { return c.cell(s) != "" })
	})
	columns := make([]column, len(used))
	for i, c := range used {
		columns[i] = c.column
	}
	t := newTable(columns...)
	for _, s := range standings {
		cells := make([]string, len(used))
		for i, c := range used {
			cells[i] = c.cell(s)
		}
		t.row(cells)
	}
	return t
}

// number is a rank or a position; those who have none have 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// boardsOf are the boards that a match counted for, in the order of its mode.
func boardsOf(standings []finalbell.Standing) []string {
	var boards []string
	for _, s := range standings {
		for _, b := range s.Boards {
			if !slices.Contains(boards, b.Board) {
				boards = append(boards, b.Board)
			}
		}
	}
	return boards
}

// moved is where a match took a player on a board: the new rank, and the old one if there was another.
func moved(s finalbell.Standing, board string) string {
	i := slices.IndexFunc(s.Boards, func(b finalbell.BoardMove) bool { return b.Board == board })
	if i < 0 {
		return ""
	}
	switch b := s.Boards[i]; b.OldRank {
	case b.Rank:
		return number(b.Rank)
	case 0:
		return number(b.Rank) + " new"
	default:
		return number(b.Rank) + " from " + number(b.OldRank)
	}
}
