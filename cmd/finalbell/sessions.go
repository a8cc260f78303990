package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/internal/transcript"
)

// sessionsCommand is finalbell sessions.
type sessionsCommand struct {
	database
	Player string `arg:"" optional:"" placeholder:"PLAYER" help:"Only the sessions of this player."`
	Open   bool   `help:"Only sessions that have not ended."`
	From   string `placeholder:"TIME" help:"Only sessions that began at this time or later, such as 2026-03-02T09:00:00Z."`
	To     string `placeholder:"TIME" help:"Only sessions that began before this time."`
	Limit  int    `default:"20" placeholder:"N" help:"List at most so many, the newest first; 0: all of them. The totals are of all."`
	JSON   bool   `name:"json" help:"Print JSON instead of a table."`
}

// AfterApply refuses a limit that means nothing.
func (c *sessionsCommand) AfterApply() error { return checkLimit(c.Limit) }

// Run prints the sessions, newest first, under what they come to.
func (c *sessionsCommand) Run(s streams) error {
	ctx := background()
	f := finalbell.SessionFilter{Player: c.Player, Open: c.Open, Newest: true}
	var err error
	if f.From, f.To, err = readBounds(c.From, c.To); err != nil {
		return err
	}
	var list []finalbell.Session
	var totals finalbell.SessionTotals
	err = c.view(ctx, func(e *finalbell.Engine) (err error) {
		if totals, err = e.SessionTotals(ctx, f); err != nil {
			return err
		}
		list, err = transcript.List(e.Sessions(ctx, f), c.Limit)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, struct {
			Totals   finalbell.SessionTotals `json:"totals"`
			Sessions []finalbell.Session     `json:"sessions"`
		}{totals, list})
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s ended, %d open", plural(totals.Sessions, "session", "sessions"), totals.Open)
	if totals.Sessions > 0 {
		fmt.Fprintf(w, " · %s in all, %s on average, %s the longest", totals.Total, totals.Mean, totals.Longest)
	}
	fmt.Fprintln(w)
	if len(list) > 0 {
		sessionsTable(list).print(w)
	}
	return flush(w)
}

// sessionsTable has a session in each row.
func sessionsTable(list []finalbell.Session) *table {
	t := newTable(column{"session", true}, column{"player", true}, column{"device", true}, column{"started", true}, column{"last seen", true},
		column{"ended", true}, column{title: "duration"}, column{"reason", true})
	for _, one := range list {
		t.row([]string{one.ID, one.Player, one.Device, timetext.Format(one.StartedAt), timetext.Format(one.SeenAt), timeText(one.EndedAt),
			one.Duration().String(), one.Reason})
	}
	return t
}

// checkLimit refuses a number of rows that means nothing.
func checkLimit(limit int) error {
	if limit < 0 {
		return fmt.Errorf("--limit: %d is negative", limit)
	}
	return nil
}

// readBounds are the times of --from and --to, zero where they are not given.
func readBounds(from, to string) (since, until time.Time, err error) {
	for _, bound := range []struct {
		flag, text string
		at         *time.Time
	}{{"--from", from, &since}, {"--to", to, &until}} {
		if bound.text == "" {
			continue
		}
		if *bound.at, err = timetext.Parse(bound.text); err != nil {
			return since, until, fmt.Errorf("%s: %q %w", bound.flag, bound.text, err)
		}
	}
	return since, until, nil
}
