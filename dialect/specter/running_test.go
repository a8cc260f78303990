package specter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// A subscription that is slower than what happens misses ends too.
func TestASessionWhoseEndWasMissedIsForgotten(t *testing.T) {
	e := finalbelltest.New(t, finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}).Engine
	r := &running{sessions: make(map[string][]string), players: make(map[string][]string)}
	for _, player := range []string{"ann", "bob", "eve"} {
		_, err := e.Create(t.Context(), finalbell.NewMatch{ID: "of " + player, Mode: "duel", Players: finalbell.Players(player)})
		require.NoError(t, err)
		m, err := e.Start(t.Context(), "of "+player)
		require.NoError(t, err)
		if player != "eve" {
			r.note(m)
		}
	}
	_, err := e.End(t.Context(), "of ann", finalbell.Score("ann", 1))
	require.NoError(t, err)
	require.NoError(t, r.load(t.Context(), e))
	require.Equal(t, map[string][]string{"of bob": {"bob"}, "of eve": {"eve"}}, r.players)
	require.Equal(t, map[string][]string{"bob": {"of bob"}, "eve": {"of eve"}}, r.sessions)
}
