package finalbell_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/emptydb"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// So it is with a database behind it, from which archives are read slower.
func TestAnEngineOnADatabaseIsItsModel(t *testing.T) { isItsModel(t, inFiles(t), 5) }

// inFiles opens databases in a directory of the test's.
func inFiles(t testing.TB) finalbelltest.Opener {
	dir, files := t.TempDir(), 0
	return func(closed store.Store) (store.Store, error) {
		if s, ok := closed.(*sqlite.Store); ok {
			return sqlite.Open(context.Background(), s.Path(), sqlite.Options{MustExist: true})
		}
		files++
		return emptydb.Open(filepath.Join(dir, strconv.Itoa(files)+".db"))
	}
}
