package main

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/internal/transcript"
)

// What a player has: money, and how far they are.

// walletCommand is finalbell wallet.
type walletCommand struct {
	database
	Player string `arg:"" placeholder:"PLAYER" help:"The player's id."`
	JSON   bool   `name:"json" help:"Print JSON instead of a table."`
}

// Run prints the wallet.
func (c *walletCommand) Run(s streams) error {
	ctx := background()
	var wallet finalbell.Wallet
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		wallet, err = e.Wallet(ctx, c.Player)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, wallet)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintln(w, c.Player)
	columns := []column{{"currency", true}, {title: "balance"}, {title: "held"}}
	parts := []map[string]int64{wallet.Balances, wallet.Held}
	for _, part := range []struct {
		title string
		of    map[string]int64
	}{{"unclaimed", wallet.Unclaimed}, {"owed", wallet.Owed}} {
		if len(part.of) > 0 {
			columns, parts = append(columns, column{title: part.title}), append(parts, part.of)
		}
	}
	t := newTable(columns...)
	currencies := make(map[string]int64)
	for _, part := range parts {
		maps.Copy(currencies, part) // a currency that the rules have no longer may still be held
	}
	for _, currency := range slices.Sorted(maps.Keys(currencies)) {
		cells := []string{currency}
		for _, part := range parts {
			cells = append(cells, strconv.FormatInt(part[currency], 10))
		}
		t.row(cells)
	}
	t.print(w)
	return flush(w)
}

// ledgerCommand is finalbell ledger.
type ledgerCommand struct {
	database
	Player string  `arg:"" optional:"" placeholder:"PLAYER" help:"The player whose postings are printed, with all their lines."`
	Match  *string `placeholder:"ID" help:"Instead: the lines that are about a match."`
	JSON   bool    `name:"json" help:"Print JSON instead of a table."`
}

// AfterApply wants one of the two.
func (c *ledgerCommand) AfterApply() error {
	if (c.Player == "") == (c.Match == nil) {
		return errors.New("either PLAYER or --match")
	}
	return nil
}

// Run prints the lines, oldest first.
func (c *ledgerCommand) Run(s streams) error {
	ctx := background()
	lines := []finalbell.Line{}
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		if c.Match != nil {
			lines, err = transcript.List(e.MatchLedger(ctx, *c.Match), 0)
		} else {
			lines, err = transcript.List(e.Ledger(ctx, c.Player), 0)
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, lines)
	}
	title := c.Player
	if c.Match != nil {
		title = "match " + *c.Match
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s · %s\n", title, plural(len(lines), "line", "lines"))
	if len(lines) > 0 {
		linesTable(lines).print(w)
	}
	return flush(w)
}

// linesTable has a line of the ledger in each row, and names a posting at its first one.
func linesTable(lines []finalbell.Line) *table {
	t := newTable(column{"at", true}, column{"posting", true}, column{"account", true}, column{title: "amount"}, column{"currency", true},
		column{title: "balance"}, column{"kind", true}, column{"about", true})
	posting := ""
	for _, l := range lines {
		at := timetext.Format(l.At)
		name := l.Posting
		if name == posting {
			at, name = "", ""
		}
		posting = l.Posting
		t.row([]string{at, name, l.Account, strconv.FormatInt(l.Amount, 10), l.Currency, strconv.FormatInt(l.Balance, 10), l.Kind, lineAbout(l)})
	}
	return t
}

func lineAbout(l finalbell.Line) string {
	switch {
	case l.Grant != "":
		return l.Grant
	case l.Match != "":
		return "match " + l.Match
	case l.Board != "":
		return l.Board + " " + l.Window
	}
	return ""
}

// progressCommand is finalbell progress.
type progressCommand struct {
	database
	Player string `arg:"" placeholder:"PLAYER" help:"The player's id."`
	JSON   bool   `name:"json" help:"Print JSON instead of tables."`
}

// Run prints how far the player is.
func (c *progressCommand) Run(s streams) error {
	ctx := background()
	var p finalbell.Progress
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		p, err = e.Progress(ctx, c.Player)
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
	if len(p.Markers)+len(p.Goals)+len(p.Items) == 0 {
		fmt.Fprintln(w, "no markers, achievements or items")
	}
	printProgress(w, p)
	return flush(w)
}

func printProgress(w *bufio.Writer, p finalbell.Progress) {
	if len(p.Markers) > 0 {
		t := newTable(column{"marker", true}, column{title: "value"}, column{title: "level"}, column{title: "to the next"})
		for _, m := range p.Markers {
			next := ""
			if m.Next > 0 {
				next = strconv.FormatInt(m.Next, 10)
			}
			t.row([]string{m.Marker, strconv.FormatInt(m.Value, 10), strconv.Itoa(m.Level), next})
		}
		t.print(w)
	}
	if len(p.Goals) > 0 {
		t := newTable(column{"achievement", true}, column{"window", true}, column{title: "value"}, column{title: "threshold"}, column{title: "remaining"}, column{"reached", true})
		for _, g := range p.Goals {
			reached := ""
			if g.Reached {
				reached = "yes"
			}
			t.row([]string{g.Achievement, g.Window, g.Value.String(), g.Threshold.String(), g.Remaining.String(), reached})
		}
		fmt.Fprintln(w)
		t.print(w)
	}
	if len(p.Items) > 0 {
		t := newTable(column{"item", true}, column{title: "amount"})
		for _, item := range slices.Sorted(maps.Keys(p.Items)) {
			t.row([]string{item, strconv.FormatInt(p.Items[item], 10)})
		}
		fmt.Fprintln(w)
		t.print(w)
	}
}

// grantsText is what grants give, in few words: "180 coins, 60 xp, medal (pending)".
func grantsText(grants []finalbell.Grant) string {
	texts := make([]string, len(grants))
	for i, g := range grants {
		texts[i] = gives(g)
		if g.State != finalbell.GrantGranted {
			texts[i] += " (" + string(g.State) + ")"
		}
	}
	return strings.Join(texts, ", ")
}

// gives is what a grant is of. One thing needs no number.
func gives(g finalbell.Grant) string {
	if g.Amount == 1 && g.Kind != finalbell.CurrencyGrant && g.Kind != finalbell.XPGrant {
		return g.What
	}
	return strconv.FormatInt(g.Amount, 10) + " " + g.What
}
