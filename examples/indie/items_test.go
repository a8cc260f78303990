package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

func TestAnItemIsDeliveredOnceAndTakenBackOnce(t *testing.T) {
	i, err := openItems(filepath.Join(t.TempDir(), "items.db"))
	require.NoError(t, err)
	defer i.Close()
	crate := finalbell.Grant{ID: "match/d1/crate/ann", Player: "ann", Kind: finalbell.ItemGrant, What: "crate", Amount: 2, State: finalbell.GrantPending}
	for _, step := range []struct {
		state finalbell.GrantState
		left  int
	}{{finalbell.GrantPending, 1}, {finalbell.GrantPending, 1}, {finalbell.GrantRevoked, 0}, {finalbell.GrantRevoked, 0}, {finalbell.GrantPending, 1}} {
		crate.State = step.state
		require.NoError(t, i.deliver(t.Context(), crate))
		all, err := i.of(t.Context(), "ann")
		require.NoError(t, err)
		require.Len(t, all, step.left)
	}
}
