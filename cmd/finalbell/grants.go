package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/internal/transcript"
)

// What players were given, and may claim.

// grantsCommand is finalbell grants.
type grantsCommand struct {
	database
	Player string  `placeholder:"PLAYER" help:"Only those of a player."`
	Match  string  `placeholder:"ID" help:"Only those by a match."`
	Board  string  `placeholder:"B" help:"Only those by the windows of a board."`
	Window string  `placeholder:"W" help:"Only those by a window."`
	State  *string `placeholder:"STATE" help:"Only those that are pending, granted, failed, expired or revoked."`
	JSON   bool    `name:"json" help:"Print JSON instead of a table."`
}

// AfterApply refuses a state that no grant has.
func (c *grantsCommand) AfterApply() error {
	states := []finalbell.GrantState{finalbell.GrantPending, finalbell.GrantGranted, finalbell.GrantFailed, finalbell.GrantExpired, finalbell.GrantRevoked}
	if c.State != nil && !slices.Contains(states, finalbell.GrantState(*c.State)) {
		return fmt.Errorf("--state: expected pending, granted, failed, expired or revoked, found %q", *c.State)
	}
	return nil
}

// Run prints the grants, oldest first.
func (c *grantsCommand) Run(s streams) error {
	ctx := background()
	f := finalbell.GrantFilter{Player: c.Player, Match: c.Match, Board: c.Board, Window: c.Window}
	if c.State != nil {
		f.States = []finalbell.GrantState{finalbell.GrantState(*c.State)}
	}
	var grants []finalbell.Grant
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		grants, err = transcript.List(e.Grants(ctx, f), 0)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, grants)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintln(w, plural(len(grants), "grant", "grants"))
	if len(grants) > 0 {
		grantsTable(grants).print(w)
	}
	return flush(w)
}

func grantsTable(grants []finalbell.Grant) *table {
	t := newTable(column{"player", true}, column{"gives", true}, column{"state", true}, column{"rule", true}, column{"by", true},
		column{"at", true}, column{"expires", true}, column{"grant", true})
	for _, g := range grants {
		t.row([]string{g.Player, gives(g), string(g.State), g.Rule, grantedBy(g), timetext.Format(g.At), timeText(g.Expires), g.ID})
	}
	return t
}

// grantedBy is what brought a grant about.
func grantedBy(g finalbell.Grant) string {
	switch {
	case g.Match != "":
		return "match " + g.Match
	case g.Partition != "":
		return g.Board + " " + g.Window + " " + g.Partition
	}
	return g.Board + " " + g.Window
}

// claimCommand is finalbell claim.
type claimCommand struct {
	database
	Player string `arg:"" placeholder:"PLAYER" help:"Who claims it."`
	Grant  string `arg:"" placeholder:"GRANT" help:"The grant's id; finalbell grants --state pending lists those that wait."`
	JSON   bool   `name:"json" help:"Print JSON instead of a line."`
}

// Run claims the grant and prints it.
func (c *claimCommand) Run(s streams) error {
	ctx := background()
	var g finalbell.Grant
	err := c.own(ctx, func(e *finalbell.Engine) (err error) {
		g, err = e.Claim(ctx, c.Player, c.Grant)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, g)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s · %s · %s\n", g.ID, gives(g), g.State)
	return flush(w)
}

// voidCommand is finalbell void.
type voidCommand struct {
	database
	Match  string `arg:"" placeholder:"MATCH" help:"The match's id."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; it is kept."`
	JSON   bool   `name:"json" help:"Print JSON instead of a table."`
}

// Run takes the match back and prints it.
func (c *voidCommand) Run(s streams) error {
	return c.revise(s, c.JSON, func(ctx context.Context, e *finalbell.Engine) (finalbell.Match, error) {
		return e.Void(ctx, c.Match, c.Reason)
	})
}

// amendCommand is finalbell amend.
type amendCommand struct {
	database
	Match    string   `arg:"" placeholder:"MATCH" help:"The match's id."`
	Outcomes []string `arg:"" placeholder:"OUTCOME" help:"The whole report anew: of each player PLAYER=NUMBER or PLAYER=STATUS, with their metrics behind it, as in ann=10,kills=4 bob=dnf."`
	Reason   string   `required:"" placeholder:"TEXT" help:"Why; it is kept."`
	JSON     bool     `name:"json" help:"Print JSON instead of a table."`
}

// AfterApply refuses what is no outcome.
func (c *amendCommand) AfterApply() error {
	_, err := c.report()
	return err
}

// report is the outcomes that the arguments say. Ids with a = or a comma in them need a script.
func (c *amendCommand) report() ([]finalbell.Outcome, error) {
	var all []finalbell.Outcome
	for _, text := range c.Outcomes {
		o, err := readOutcome(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func readOutcome(text string) (o finalbell.Outcome, err error) {
	for i, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if name == "" || value == "" {
			return o, errors.New("expected PLAYER=NUMBER or PLAYER=STATUS, and METRIC=NUMBER after commas")
		}
		if i == 0 {
			o.Player = name
			if !strings.ContainsAny(value[:1], "+-.0123456789") {
				o.Status = finalbell.Status(value)
				continue
			}
		}
		n := finalbell.Decimal(value)
		if err := n.Err(); err != nil {
			return o, err
		}
		if i == 0 {
			o.Value = n
			continue
		}
		if o.Metrics == nil {
			o.Metrics = make(map[string]finalbell.Number)
		}
		o.Metrics[name] = n
	}
	return o, nil
}

// Run ends the match once more and prints it.
func (c *amendCommand) Run(s streams) error {
	outcomes, err := c.report()
	if err != nil {
		return err
	}
	return c.revise(s, c.JSON, func(ctx context.Context, e *finalbell.Engine) (finalbell.Match, error) {
		return e.Amend(ctx, c.Match, c.Reason, outcomes...)
	})
}

// revise makes a call that revises a match, and prints what it is now.
func (d database) revise(s streams, asJSON bool, call func(ctx context.Context, e *finalbell.Engine) (finalbell.Match, error)) error {
	ctx := background()
	var m finalbell.Match
	err := d.own(ctx, func(e *finalbell.Engine) (err error) {
		m, err = call(ctx, e)
		return err
	})
	switch {
	case err != nil:
		return err
	case asJSON:
		return printLine(s.out, m)
	}
	return printMatch(s.out, m)
}

// own lets change work on the database as its owner, by the rules that it has. What is due and does not concern the
// call waits for whoever owns it next.
func (d database) own(ctx context.Context, change func(e *finalbell.Engine) error) error {
	var rules finalbell.Rules
	err := d.view(ctx, func(e *finalbell.Engine) error {
		rules = e.Rules()
		return forgotten(rules, "change the database")
	})
	if err != nil {
		return err
	}
	e, err := finalbell.Open(ctx, d.File, rules, finalbell.Options{MustExist: true, ManualTick: true})
	if err != nil {
		return unopened(d.File, err)
	}
	if err := about(d.File, change(e)); err != nil {
		_ = e.Close() // the reason counts
		return err
	}
	return unopened(d.File, e.Close())
}
