package main

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/internal/transcript"
)

// What players have done: statistics and past matches.

// playerCommand is finalbell player.
type playerCommand struct {
	database
	Player string `arg:"" placeholder:"PLAYER" help:"The player's id."`
	JSON   bool   `name:"json" help:"Print JSON instead of tables."`
}

// Run prints the statistics and the levels.
func (c *playerCommand) Run(s streams) error {
	ctx := background()
	var p finalbell.Player
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		p, err = e.Player(ctx, c.Player)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, p)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintln(w, c.Player)
	tallies(p).print(w)
	if len(p.Levels) > 0 {
		fmt.Fprintln(w)
		printProgress(w, finalbell.Progress{Markers: p.Levels})
	}
	return flush(w)
}

// tallies has a line a mode and one for all of them.
func tallies(p finalbell.Player) *table {
	t := newTable(column{"mode", true}, column{title: "played"}, column{title: "won"}, column{title: "drawn"}, column{title: "lost"}, column{title: "none"},
		column{title: "streak"}, column{title: "longest"}, column{title: "best"}, column{title: "mean"}, column{title: "time"})
	row := func(mode string, x finalbell.Tally) {
		t.row([]string{mode, strconv.Itoa(x.Played), strconv.Itoa(x.Won), strconv.Itoa(x.Drawn), strconv.Itoa(x.Lost), strconv.Itoa(x.None),
			streakText(x.Streak), strconv.Itoa(x.LongestStreak), x.Best.String(), x.Mean.String(), x.Total.String()})
	}
	for _, mode := range slices.Sorted(maps.Keys(p.Modes)) {
		row(mode, p.Modes[mode])
	}
	if len(p.Modes) != 1 {
		row("overall", p.Overall)
	}
	return t
}

// streakText is a row of wins or losses.
func streakText(n int) string {
	switch {
	case n > 0:
		return strconv.Itoa(n) + " won"
	case n < 0:
		return strconv.Itoa(-n) + " lost"
	}
	return "-"
}

// historyCommand is finalbell history.
type historyCommand struct {
	database
	Player   string `arg:"" placeholder:"PLAYER" help:"The player's id."`
	Mode     string `placeholder:"MODE" help:"Only matches of this mode."`
	Room     string `placeholder:"ROOM" help:"Only matches in this room."`
	Opponent string `placeholder:"PLAYER" help:"Only matches against this player; first, how the two stand against each other."`
	From     string `placeholder:"TIME" help:"Only matches that ended at this time or later, such as 2026-03-02T09:00:00Z."`
	To       string `placeholder:"TIME" help:"Only matches that ended before this time."`
	Limit    int    `default:"20" placeholder:"N" help:"At most so many; 0: all of them."`
	JSON     bool   `name:"json" help:"Print JSON instead of a table."`
}

// AfterApply refuses a limit that means nothing.
func (c *historyCommand) AfterApply() error { return checkLimit(c.Limit) }

// Run prints the matches, newest first.
func (c *historyCommand) Run(s streams) error {
	ctx := background()
	f := finalbell.HistoryFilter{Player: c.Player, Mode: c.Mode, Room: c.Room, Opponent: c.Opponent}
	var err error
	if f.From, f.To, err = readBounds(c.From, c.To); err != nil {
		return err
	}
	var rows []finalbell.HistoryRow
	var against finalbell.HeadToHead
	err = c.view(ctx, func(e *finalbell.Engine) (err error) {
		if rows, err = transcript.List(e.History(ctx, f), c.Limit); err != nil {
			return err
		}
		if c.Opponent != "" {
			against, err = e.HeadToHead(ctx, c.Player, c.Opponent)
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, rows)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s · %s\n", c.Player, plural(len(rows), "match", "matches"))
	if c.Opponent != "" {
		fmt.Fprintf(w, "%d won, %d drawn, %d lost against %s\n", against.Won[0], against.Drawn, against.Won[1], c.Opponent)
	}
	if len(rows) > 0 {
		historyTable(rows).print(w)
	}
	return flush(w)
}

// historyTable has a match in each row.
func historyTable(rows []finalbell.HistoryRow) *table {
	t := newTable(column{"ended", true}, column{"match", true}, column{"mode", true}, column{title: "rank"}, column{title: "outcome"}, column{"status", true},
		column{"result", true}, column{"boards", true}, column{"grants", true})
	for _, row := range rows {
		s := row.Standing
		result := string(s.Result)
		if row.State == finalbell.Voided {
			result = "voided"
		}
		rank := ""
		if s.Rank > 0 {
			rank = strconv.Itoa(s.Rank)
		}
		t.row([]string{timetext.Format(row.EndedAt), row.Match, row.Mode, rank, s.Outcome.String(), string(s.Status), result, movesText(s.Boards), grantsText(s.Grants)})
	}
	return t
}

// movesText is where a match took somebody: "table 4 → 2".
func movesText(moves []finalbell.BoardMove) string {
	var texts []string
	for _, m := range moves {
		switch {
		case m.Late:
			texts = append(texts, m.Board+" late")
		case m.Rank == 0:
		case m.OldRank == 0:
			texts = append(texts, fmt.Sprintf("%s new at %d", m.Board, m.Rank))
		default:
			texts = append(texts, fmt.Sprintf("%s %d → %d", m.Board, m.OldRank, m.Rank))
		}
	}
	return strings.Join(texts, ", ")
}
