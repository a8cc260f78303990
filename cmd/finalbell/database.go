package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// database is the file that a command reads, beside the engine that owns it if there is one.
type database struct {
	File string `arg:"" placeholder:"FILE.db" help:"The database."`
}

// view lets read look at the database as it is now. It is closed before anything is printed, which may take as
// long as a reader's pager is open.
func (d database) view(ctx context.Context, read func(e *finalbell.Engine) error) error {
	e, err := finalbell.View(ctx, d.File)
	if err != nil {
		return unopened(d.File, err)
	}
	if err := about(d.File, read(e)); err != nil {
		_ = e.Close() // the reason counts
		return err
	}
	return unopened(d.File, e.Close())
}

// unopened says why a database cannot be opened, or closed, under the name that the user gave it: the store and
// the system speak of its full path, and the call's own error would name it once more.
func unopened(file string, err error) error {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		plain := sqlite.Error{Kind: failure.Kind, Cause: failure.Cause}
		var path *fs.PathError
		switch {
		case failure.Kind != "" && errors.Is(failure.Cause, fs.ErrNotExist):
			plain.Cause = nil // the kind says what is not there
		case errors.As(failure.Cause, &path):
			plain.Cause = path.Err
		}
		return fmt.Errorf("%s: %s", file, plain.Reason())
	}
	var call *finalbell.Error
	if errors.As(err, &call) {
		return fmt.Errorf("%s: %w", file, call.Err)
	}
	return about(file, err)
}
