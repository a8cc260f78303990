package sqlite_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/internal/emptydb"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
	"github.com/finalbell/finalbell/store/storetest"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	require.NoError(t, err)
	return s
}

func empty(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := emptydb.Open(path)
	require.NoError(t, err)
	return s
}

func TestContract(t *testing.T) {
	files := 0
	storetest.Run(t, func(t *testing.T) store.Store {
		files++
		return empty(t, filepath.Join(t.TempDir(), strconv.Itoa(files)+".db"))
	})
}

func TestReopen(t *testing.T) {
	files := 0
	storetest.RunReopen(t, func(t *testing.T) (store.Store, func() store.Store) {
		files++
		path := filepath.Join(t.TempDir(), strconv.Itoa(files)+".db")
		return empty(t, path), func() store.Store { return open(t, path) }
	})
}
