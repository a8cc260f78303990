package gamesparks

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Passwords are looked at a few at a time; who would wait in a long queue is told so at once, and who leaves makes room.
func TestLoginsCannotTakeTheWholeProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswords(1, rand.Reader)
		for range cap(p.turns) {
			p.turns <- struct{}{} // all of them are at work
		}
		ctx, cancel := context.WithCancel(context.Background())
		var wait sync.WaitGroup
		for range waiting {
			wait.Go(func() {
				_, err := p.key(ctx, "x")
				require.ErrorIs(t, err, ErrBusy)
			})
		}
		synctest.Wait()
		_, err := p.match(context.Background(), p.decoy, "x")
		require.ErrorIs(t, err, ErrBusy)
		cancel()
		wait.Wait()

		<-p.turns
		key, err := p.key(context.Background(), "x")
		require.NoError(t, err)
		for password, want := range map[string]bool{"x": true, "y": false} {
			right, err := p.match(context.Background(), key, password)
			require.NoError(t, err)
			require.Equal(t, want, right)
		}
		right, err := p.match(context.Background(), p.decoy, "")
		require.NoError(t, err)
		require.False(t, right)
		for _, unreadable := range []string{"", "x", "md5$1$AA$AA", "pbkdf2-sha256$x$AA$AA", "pbkdf2-sha256$1$!$AA"} {
			_, err = p.match(context.Background(), unreadable, "x")
			require.ErrorContains(t, err, "a stored password is not readable")
		}
	})
}
