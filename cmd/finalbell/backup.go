package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// backupCommand is finalbell backup.
type backupCommand struct {
	database
	Target string `arg:"" placeholder:"TARGET.db" help:"The file to make. One that is there already is refused."`
}

// Run copies the database. Who interrupts it finds no half copy under the target's name.
func (c *backupCommand) Run(s streams) error {
	ctx, stop := signal.NotifyContext(background(), os.Interrupt)
	defer stop()
	err := c.copy(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return about(c.Target, errors.New("interrupted, and no copy was made"))
	case err != nil:
		return err
	}
	position, size, err := measure(background(), c.Target)
	if err != nil {
		return unopened(c.Target, err)
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "copied %s at position %d to %s: %s\n", c.File, position, c.Target, plural(int(size), "byte", "bytes"))
	return flush(w)
}

func (c *backupCommand) copy(ctx context.Context) error {
	e, err := finalbell.View(ctx, c.File)
	if err != nil {
		return unopened(c.File, err)
	}
	if err := e.Backup(ctx, c.Target); err != nil {
		_ = e.Close() // the reason counts
		return unopened(c.Target, err)
	}
	return unopened(c.File, e.Close())
}

// measure reads the copy itself: where the original stands may be further by now.
func measure(ctx context.Context, file string) (position uint64, size int64, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, 0, err
	}
	position, err = sqlite.BackupPosition(ctx, file)
	return position, info.Size(), err
}
