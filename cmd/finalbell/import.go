package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/finalbell/finalbell/internal/transcript"
)

// importCommand is finalbell import.
type importCommand struct {
	Rules   string   `required:"" placeholder:"RULES.json" help:"The rules: modes and boards."`
	DB      string   `name:"db" required:"" placeholder:"FILE.db" help:"The database, which is made if it is not there."`
	CSV     bool     `name:"csv" help:"The records are CSV, as finalbell export --csv writes it."`
	Records []string `arg:"" placeholder:"RECORDS" help:"The match records, one JSON object a line."`
}

// longestRecord has room for the largest match with dozens of metrics for each player.
const longestRecord = 64 << 20

// Help tells what an import does beside.
func (c *importCommand) Help() string {
	return "Matches are played once more at the times of their records, in the order of the files. No window closes before the last of them: a result that came too late " +
		"for its window counts in a database in which that is not over. A bad line stops the import; what came before stays. Records of matches that are there already change nothing. " +
		"Entry fees are not taken and the pools made of them not paid; the ledger, grants, sessions, rooms and seasons that were begun by calls do not travel: finalbell backup copies all of that."
}

// AfterApply refuses an empty name, which a variable leaves that is not set.
func (c *importCommand) AfterApply() error {
	if c.DB == "" {
		return errors.New("--db: expected the name of a file")
	}
	return nil
}

// Run imports the records and says how many there were.
func (c *importCommand) Run(s streams) (err error) {
	rules, err := loadRules(c.Rules)
	if err != nil {
		return err
	}
	if err := readable(c.Records); err != nil {
		return err
	}
	ctx := background()
	r, err := newReplay(ctx, rules, &c.DB)
	if err != nil {
		return err
	}
	r.longest = longestRecord
	r.players = nil // as many as there are would not fit a memory that stays as it is
	defer func() {
		if failed := r.engine.Close(); err == nil {
			err = failed
		}
	}()
	bar := newReading(s.errors, c.Records)
	for _, file := range c.Records {
		if err := c.file(ctx, r, file, bar); err != nil {
			bar.clear()
			return err
		}
	}
	bar.clear()
	if _, err := r.engine.Tick(ctx); err != nil {
		return err
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s imported, %d %s there already\n", plural(r.matches-r.replayed, "match", "matches"), r.replayed, was(r.replayed))
	return flush(w)
}

// file imports one file.
func (c *importCommand) file(ctx context.Context, r *replay, name string, bar *progress) error {
	if !c.CSV {
		return r.file(ctx, name, bar)
	}
	file, err := input(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return c.rows(ctx, r, file, bar)
}

func (c *importCommand) rows(ctx context.Context, r *replay, file *os.File, bar *progress) error {
	lines := transcript.NewCSVLines(bufio.NewReader(file))
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.record(ctx, line)
		}
		if err != nil {
			return at(file.Name(), lines.Number, err)
		}
		bar.at(file, lines.Read)
	}
}
