package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
)

// exportCommand is finalbell export.
type exportCommand struct {
	DB     string  `name:"db" required:"" placeholder:"FILE.db" help:"The database, also while an engine runs on it."`
	CSV    bool    `name:"csv" help:"Write CSV: a header, then a row a participant."`
	Player *string `placeholder:"ID" help:"Instead: everything that is kept about a player."`
	Out    string  `name:"out" short:"o" placeholder:"FILE" help:"Write to this file, which is made anew. Default: standard output."`
}

// Help tells what is not in an export.
func (c *exportCommand) Help() string {
	return "The records are those that finalbell replay and finalbell import read, oldest end first; matches that were amended are as they stand now. " +
		"Left out are matches that were voided, cancelled, expired or have not ended, deadlines, what hooks attached, fees, the ledger, grants, sessions, rooms, " +
		"seasons that were begun by calls and entries that are hidden; finalbell backup copies all of that.\n\n" +
		"In CSV, cells hold what is stored, also where a spreadsheet would take it for a formula or change it: import the columns as text."
}

// AfterApply refuses what does not go together.
func (c *exportCommand) AfterApply() error {
	if c.CSV && c.Player != nil {
		return errors.New("--csv: what is kept about a player is JSON Lines")
	}
	return nil
}

// Run writes the records.
func (c *exportCommand) Run(s streams) error {
	ctx := background()
	left := make(map[finalbell.State]int)
	err := database{c.DB}.view(ctx, func(e *finalbell.Engine) error {
		return c.write(s, func(out io.Writer) error {
			if c.Player != nil {
				return e.Export(ctx, *c.Player, out)
			}
			if err := c.records(ctx, e, out); err != nil {
				return err
			}
			return countLeft(ctx, e, left)
		})
	})
	if err != nil {
		return err
	}
	tellLeft(s.errors, left)
	return nil
}

// write lets put write to where the export goes. The file is made once the database is open.
func (c *exportCommand) write(s streams, put func(out io.Writer) error) error {
	if c.Out == "" {
		w := bufio.NewWriter(s.out)
		if err := put(w); err != nil {
			return errors.Join(err, flush(w))
		}
		return flush(w)
	}
	file, err := os.Create(c.Out)
	if err != nil {
		return about(c.Out, err)
	}
	w := bufio.NewWriter(file)
	err = put(w)
	for _, end := range []func() error{w.Flush, file.Sync, file.Close} {
		if failed := end(); err == nil {
			err = about(c.Out, failed)
		}
	}
	return err
}

func (c *exportCommand) records(ctx context.Context, e *finalbell.Engine, out io.Writer) error {
	if !c.CSV {
		return transcript.Records(ctx, e, func(r transcript.Record) error {
			line, err := r.Line()
			if err == nil {
				_, err = out.Write(append(line, '\n'))
			}
			return err
		})
	}
	metrics, err := transcript.MetricNames(ctx, e) // which the header needs
	if err != nil {
		return err
	}
	w, err := transcript.NewCSVWriter(out, metrics)
	if err == nil {
		err = transcript.Records(ctx, e, w.Write)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// unexported are the states of matches that have no record.
func unexported() []finalbell.State {
	return []finalbell.State{finalbell.Created, finalbell.Started, finalbell.Disputed, finalbell.Cancelled, finalbell.Expired, finalbell.Voided}
}

func countLeft(ctx context.Context, e *finalbell.Engine, left map[finalbell.State]int) error {
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{States: unexported()}) {
		if err != nil {
			return err
		}
		left[m.State]++
	}
	return nil
}

// tellLeft says how many matches are not in the export, by their state.
func tellLeft(errout io.Writer, left map[finalbell.State]int) {
	text := ""
	for _, state := range unexported() {
		if n := left[state]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d %s", n, state)
		}
	}
	if text != "" {
		fmt.Fprintln(errout, "finalbell: left out: "+text)
	}
}
