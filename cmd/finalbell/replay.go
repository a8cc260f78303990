package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/store/memory"
)

// replayCommand is finalbell replay.
type replayCommand struct {
	source
	JSON    bool     `name:"json" help:"Print JSON instead of tables."`
	Records []string `arg:"" placeholder:"RECORDS.jsonl" help:"The match records, one JSON object a line."`
}

// Run replays the records and prints the boards.
func (c *replayCommand) Run(s streams) (err error) {
	rules, err := c.load()
	if err != nil {
		return err
	}
	if err := readable(c.Records); err != nil {
		return err
	}
	ctx := background()
	r, err := newReplay(ctx, rules, c.DB)
	if err != nil {
		return err
	}
	defer func() {
		// After a failure the reason counts: a store that has failed fails to close as well.
		if failed := r.engine.Close(); err == nil {
			err = failed
		}
	}()
	bar := newReading(s.errors, c.Records)
	for _, file := range c.Records {
		if err := r.file(ctx, file, bar); err != nil {
			bar.clear()
			return err
		}
	}
	bar.clear()
	done, err := r.engine.Tick(ctx)
	if err != nil {
		return err
	}
	r.due = len(done)
	if c.JSON {
		return r.printJSON(ctx, s.out)
	}
	return r.printTables(ctx, s.out)
}

// replay is a run over records. Its clock stands at the latest time that a record has spoken of, so that
// records may be of any year and in any order, and nobody is told that the past has a deadline.
type replay struct {
	engine   *finalbell.Engine
	rules    finalbell.Rules
	clock    time.Time
	matches  int // records read
	replayed int // of them, those that the engine had already
	due      int // what the last tick did
	longest  int // bytes of a line, if more than usual
	players  map[string]struct{}
}

// newReplay begins a replay into a database, or into memory if it is nil.
func newReplay(ctx context.Context, rules finalbell.Rules, db *string) (_ *replay, err error) {
	r := &replay{rules: timeless(rules), players: make(map[string]struct{})}
	// A database may stand at a later time than the records; the engine knows.
	options := finalbell.Options{Now: func() time.Time { return r.clock }}
	if db == nil {
		r.engine, err = finalbell.New(ctx, memory.New(), r.rules, options)
		return r, err
	}
	if r.engine, err = finalbell.Open(ctx, *db, r.rules, options); err != nil {
		return nil, unopened(*db, err)
	}
	return r, nil
}

// readable refuses records that cannot be read before a database is made for them. A pipe is not tried: closing
// it again would stop whoever writes into it.
func readable(files []string) error {
	for _, name := range files {
		if info, err := os.Stat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			continue
		}
		file, err := input(name)
		if err != nil {
			return err
		}
		_ = file.Close() // nothing was written
	}
	return nil
}

// timeless takes the deadlines and the entry fees out of the rules, with the pools that are made of these. A record tells
// of a match that ended; one that took longer than its mode allows today is still over, and must not expire between
// the steps of its replay. Its players have paid by then, or have not: no record says with what.
func timeless(rules finalbell.Rules) finalbell.Rules {
	modes := make([]finalbell.Mode, len(rules.Modes))
	for i, mode := range rules.Modes {
		mode.ExpireCreated, mode.ExpireStarted, mode.Fee = 0, 0, nil
		mode.Prizes = slices.DeleteFunc(slices.Clone(mode.Prizes), func(p finalbell.Prize) bool { return len(p.Shares) > 0 })
		modes[i] = mode
	}
	rules.Modes = modes
	return rules
}

// file replays one file. An error names the file and, where it is about one, the line.
func (r *replay) file(ctx context.Context, name string, bar *progress) error {
	file, err := input(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := transcript.NewLines(file)
	lines.Longest = r.longest
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.record(ctx, line)
		}
		if err != nil {
			return at(name, lines.Number, err)
		}
		bar.at(file, lines.Read)
	}
}

// record replays one record.
func (r *replay) record(ctx context.Context, line []byte) error {
	record, err := transcript.ParseRecord(line)
	if err != nil {
		return err
	}
	if record.EndedAt.After(r.clock) {
		r.clock = record.EndedAt
	}
	replayed, err := transcript.Import(ctx, r.engine, record)
	if err != nil {
		return err
	}
	r.matches++
	if replayed {
		r.replayed++
	}
	for _, p := range record.Match.Players {
		if r.players == nil {
			break // nobody asks
		}
		r.players[p.Player] = struct{}{}
	}
	return nil
}

// ranking is one table that a replay prints: a board in one of its windows, in one partition if it has them.
type ranking struct {
	rule  finalbell.BoardRule
	board *finalbell.Board // nil: nobody is in it
	page  finalbell.Page   // without entries
}

// rankings are every window that has entries, oldest first, and of a board without any the one that is open.
func (r *replay) rankings(ctx context.Context) ([]ranking, error) {
	var all []ranking
	for _, rule := range r.rules.Boards {
		of, err := r.windows(ctx, rule)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// windows are the rankings of one board.
func (r *replay) windows(ctx context.Context, rule finalbell.BoardRule) ([]ranking, error) {
	board := r.engine.Board(rule.ID)
	windows, err := board.Windows(ctx)
	if err != nil {
		return nil, err
	}
	var all, open []ranking
	for _, w := range windows {
		switch {
		case w.Size > 0:
			some, err := partitions(ctx, rule, board.Window(w.ID))
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		case w.State == finalbell.WindowOpen:
			page := finalbell.Page{Board: rule.ID, Window: w.ID, Start: w.Start, End: w.End, State: w.State, Keys: rule.Keys}
			open = []ranking{{rule: rule, page: page}}
		}
	}
	if all == nil {
		return open, nil
	}
	return all, nil
}

// partitions are the rankings of one window.
func partitions(ctx context.Context, rule finalbell.BoardRule, board *finalbell.Board) ([]ranking, error) {
	names := []string{""}
	if rule.Partition != nil {
		var err error
		if names, err = board.Partitions(ctx); err != nil {
			return nil, err
		}
	}
	all := make([]ranking, len(names))
	for i, name := range names {
		of := board.Partition(name)
		page, err := of.Page(ctx, 0, 1)
		if err != nil {
			return nil, err
		}
		all[i] = ranking{rule, of, page}
	}
	return all, nil
}

// each yields every entry by position, page by page.
func (r ranking) each(ctx context.Context, yield func(finalbell.Entry) error) error {
	const page = 1000
	for offset := 0; offset < r.page.Size; offset += page {
		p, err := r.board.Page(ctx, offset, page)
		if err != nil {
			return err
		}
		for _, entry := range p.Entries {
			if err := yield(entry); err != nil {
				return err
			}
		}
	}
	return nil
}
