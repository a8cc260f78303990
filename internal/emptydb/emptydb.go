// Package emptydb gives tests empty databases without making each one anew: most of what a short test on a database costs is its
// schema.
package emptydb

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/finalbell/finalbell/store/sqlite"
)

// contents are the bytes of an empty database of today's schema.
var contents = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "emptydb")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Open opens a new database in a file that is not there yet.
func Open(path string) (*sqlite.Store, error) {
	text, err := contents()
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return nil, err
	}
	return sqlite.Open(context.Background(), path, sqlite.Options{MustExist: true})
}
