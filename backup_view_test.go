//go:build !js && !finalbell_nosqlite

package finalbell_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// A copy that a view makes while its owner goes on writing holds at least what the view shows.
func TestAViewBacksUpWhileTheOwnerWrites(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "game.db")
	e, err := finalbell.Open(ctx, path, finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}, finalbell.Options{})
	require.NoError(t, err)
	defer e.Close()
	create := func(id string) {
		_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob")})
		require.NoError(t, err)
	}
	create("m1")
	view, err := finalbell.View(ctx, path)
	require.NoError(t, err)
	defer view.Close()
	create("m2")
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, view.Backup(ctx, copied))
	again, err := finalbell.View(ctx, copied)
	require.NoError(t, err)
	defer again.Close()
	for _, id := range []string{"m1", "m2"} {
		_, err = again.Match(ctx, id)
		require.NoError(t, err)
	}
}
