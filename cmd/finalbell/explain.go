package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
)

// explainCommand is finalbell explain.
type explainCommand struct {
	database
	Board     *string `placeholder:"B" help:"Why an entry of a board stands where it does."`
	Window    string  `placeholder:"W" help:"With --board: the window. Default: the one open now."`
	Partition string  `placeholder:"P" help:"With --board: the partition, on a board that has them."`
	Match     *string `placeholder:"M" help:"Why a player stands in a match where they do."`
	Player    *string `placeholder:"P" help:"The player, or team, of --board or --match."`
	Grant     *string `placeholder:"G" help:"Why a player was given something; finalbell grants lists the ids."`
	JSON      bool    `name:"json" help:"Print JSON instead of tables."`
}

// AfterApply refuses flags that mean nothing together.
func (c *explainCommand) AfterApply() error {
	ways := 0
	for _, asked := range []*string{c.Board, c.Match, c.Grant} {
		if asked != nil {
			ways++
		}
	}
	switch {
	case ways != 1 || (c.Player != nil) == (c.Grant != nil):
		return errors.New("either --board and --player, or --match and --player, or --grant")
	case c.Board == nil && (c.Window != "" || c.Partition != ""):
		return errors.New("--window and --partition are of a --board")
	}
	return nil
}

// Run explains it.
func (c *explainCommand) Run(s streams) error {
	ctx := background()
	var found any
	err := c.view(ctx, func(e *finalbell.Engine) (err error) {
		switch {
		case c.Grant != nil:
			found, err = e.ExplainGrant(ctx, *c.Grant)
		case c.Match != nil:
			found, err = e.ExplainStanding(ctx, *c.Match, *c.Player)
		default:
			if _, err := boardRule(e, *c.Board); err != nil {
				return err
			}
			b := e.Board(*c.Board).Partition(c.Partition)
			if c.Window != "" {
				b = b.Window(c.Window)
			}
			found, err = b.Explain(ctx, *c.Player)
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, found)
	}
	return printExplanation(s.out, found)
}

func printExplanation(out io.Writer, found any) error {
	w := bufio.NewWriter(out)
	switch x := found.(type) {
	case finalbell.RankExplanation:
		printRank(w, x)
	case finalbell.StandingExplanation:
		printStanding(w, x)
	case finalbell.GrantExplanation:
		printGrant(w, x)
	}
	return flush(w)
}

// printDiffers says that what is printed is not how it came about.
func printDiffers(w *bufio.Writer, differs string) {
	if differs != "" {
		fmt.Fprintf(w, "\nbut %s\n", differs)
	}
}

// printRank prints an entry between its neighbours, the rules of its keys, and the results that it is made of.
func printRank(w *bufio.Writer, x finalbell.RankExplanation) {
	parts := []string{x.Board, x.Window}
	if x.Start.IsZero() && x.End.IsZero() {
		parts[1] = "all time"
	} else {
		parts = append(parts, string(x.State))
	}
	if x.Partition != "" {
		parts = append(parts, x.Partition)
	}
	fmt.Fprintf(w, "%s · %s: rank %d, position %d of %d\n", strings.Join(parts, " · "), x.Player, x.Rank, x.Position, x.Size)
	keys := make([]finalbell.Key, len(x.Keys))
	own := finalbell.Entry{Rank: x.Rank, Position: x.Position, Player: x.Player}
	for i, k := range x.Keys {
		keys[i], own.Values = k.Rule, append(own.Values, k.Value)
	}
	who := "player"
	if x.Of == finalbell.OfTeams {
		who = "team"
	}
	t := newTable(append(append([]column{{title: "rank"}, {who, true}}, keyColumns(keys, "")...), column{"since", true}, column{"by", true}, column{"decided by", true})...)
	row := func(e finalbell.Entry, reached finalbell.MomentExplanation, decided string) {
		cells := append([]string{strconv.Itoa(e.Rank), e.Player}, values(e.Values, len(keys))...)
		t.row(append(cells, timetext.Format(reached.At), reached.Match, decided))
	}
	if x.Above != nil {
		row(x.Above.Entry, x.Above.Reached, decidedText(*x.Above, keys, "came to it earlier"))
	}
	row(own, x.Reached, "")
	if x.Below != nil {
		row(x.Below.Entry, x.Below.Reached, decidedText(*x.Below, keys, "came to it later"))
	}
	t.print(w)
	fmt.Fprintln(w)
	t = newTable(column{"key", true}, column{"rule", true}, column{title: "value"}, column{title: "results"})
	for i, k := range x.Keys {
		t.row([]string{keyColumns(keys, "")[i].title, keyText(k.Rule), cell(k.Value), strconv.Itoa(k.Results)})
	}
	t.print(w)
	printInputs(w, x, keys)
	printDiffers(w, x.Differs)
}

// decidedText is what put a neighbour where it is.
func decidedText(n finalbell.NeighbourExplanation, keys []finalbell.Key, moment string) string {
	if n.Decided == "key" {
		return keyColumns(keys, "")[n.Key].title
	}
	return moment
}

// keyText is a key's rule in words.
func keyText(k finalbell.Key) string {
	parts := []string{string(k.Fold)}
	for i, s := range k.Best {
		text := "the best " + strconv.Itoa(s.Count)
		if s.ThroughRound > 0 {
			text += " through round " + strconv.Itoa(s.ThroughRound)
		}
		if i == 0 {
			parts[0] = "sum of " + text
		} else {
			parts = append(parts, text)
		}
	}
	if k.Fold != finalbell.FoldCountback {
		parts = append(parts, map[finalbell.Order]string{finalbell.Desc: "higher is better", finalbell.Asc: "lower is better"}[k.Order])
	}
	if k.Scale > 0 {
		parts = append(parts, plural(k.Scale, "decimal", "decimals"))
	}
	if len(k.Modes) > 0 {
		parts = append(parts, "of "+strings.Join(k.Modes, ", "))
	}
	return strings.Join(parts, ", ")
}

// printInputs prints the results; what does not count stands in parentheses with why.
func printInputs(w *bufio.Writer, x finalbell.RankExplanation, keys []finalbell.Key) {
	if len(x.Inputs) == 0 {
		return
	}
	fmt.Fprintln(w)
	if x.Omitted > 0 {
		fmt.Fprintf(w, "%s before, and then\n", plural(x.Omitted, "result", "results"))
	}
	t := newTable(append([]column{{"match", true}, {"mode", true}, {"round", true}, {"ended", true}}, each(keyColumns(keys, ""), func(c column) column {
		return column{c.title, true}
	})...)...)
	for _, in := range x.Inputs {
		cells := []string{in.Moment.Match, in.Mode, in.Round, timetext.Format(in.Moment.At)}
		for _, v := range in.Keys {
			text := cell(v.Value)
			if !v.Counts {
				text = "(" + strings.TrimSpace(text+" "+strings.ReplaceAll(v.Why, "_", " ")) + ")"
			}
			cells = append(cells, text)
		}
		t.row(cells)
	}
	t.print(w)
}

func each[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}
