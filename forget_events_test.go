package finalbell_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// Of who was in a room and left it before any match nothing is kept but two events, which name the player.
func TestWhoOnlyEverLeftARoomIsForgotten(t *testing.T) {
	for name, open := range map[string]finalbelltest.Opener{"memory": finalbelltest.InMemory, "database": inFiles(t)} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			game := finalbelltest.NewOn(t, open, finalbell.Rules{Modes: []finalbell.Mode{{ID: "race"}}})
			_, err := game.Engine.OpenRoom(ctx, finalbell.NewRoom{ID: "hall", Mode: "race"})
			require.NoError(t, err)
			_, err = game.Engine.Join(ctx, "hall", finalbell.Participant{Player: "ann"})
			require.NoError(t, err)
			_, err = game.Engine.Leave(ctx, "hall", "ann")
			require.NoError(t, err)

			as, err := game.Engine.Forget(ctx, "ann")
			require.NoError(t, err)
			var told []string
			for event, err := range game.Store.Events(ctx, 0) {
				require.NoError(t, err)
				require.NotContains(t, string(event.Body), `"ann"`)
				told = append(told, string(event.Body))
			}
			require.Contains(t, told, `{"player":"`+as+`"}`)
			_, err = game.Engine.Forget(ctx, "ann")
			require.ErrorIs(t, err, finalbell.ErrNotFound)
		})
	}
}
