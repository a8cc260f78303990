//go:build !js && !finalbell_nosqlite

package finalbell

import (
	"context"
	"errors"

	"github.com/finalbell/finalbell/store/sqlite"
)

// Open opens an engine on a SQLite database in the file at path, which is made if it is not there (but see
// Options.MustExist), and owned until Close: a file that another engine has open is refused at once. The
// boards are filled from the stored entries, running matches go on, and the rules must fit the database's own,
// as for New. What New says of errors holds here, and errors.Is(err, sqlite.ErrOwned) and its like tell what is
// wrong with the file.
func Open(ctx context.Context, path string, rules Rules, options Options) (*Engine, error) {
	e, err := openFile(ctx, path, rules, options)
	return e, failed("open", path, err)
}

func openFile(ctx context.Context, path string, rules Rules, options Options) (*Engine, error) {
	// Bad rules or options must not leave an empty file behind.
	if err := rules.Validate(); err != nil {
		return nil, err
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{MustExist: options.MustExist, Normal: options.Sync == SyncNormal, Log: options.Log})
	if err != nil {
		return nil, closedFile(err)
	}
	options.MustExist, options.Sync = false, ""
	e, err := New(ctx, s, rules, options)
	if err != nil {
		// The reason counts; a file that then fails to close would only hide it.
		_ = s.Close()
		return nil, err
	}
	return e, nil
}

// View opens a database for reading, beside the engine that owns it if there is one. The engine that it returns
// shows the data of this moment, by the database's own rules, for as long as it is open; every call that would
// change something is ErrUnavailable. Close it soon: the owner's log grows meanwhile.
func View(ctx context.Context, path string) (*Engine, error) {
	e, err := viewFile(ctx, path)
	return e, failed("view", path, err)
}

func viewFile(ctx context.Context, path string) (*Engine, error) {
	s, err := sqlite.View(ctx, path)
	if err != nil {
		return nil, closedFile(err)
	}
	e, err := openView(ctx, s)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return &Engine{engine: e}, nil
}

// closedFile is why a file could not be opened. The call's own error names the file.
func closedFile(err error) error {
	text := err.Error()
	var e *sqlite.Error
	if errors.As(err, &e) {
		text = e.Reason()
	}
	return &refusal{kind: ErrUnavailable, text: text, cause: err}
}
