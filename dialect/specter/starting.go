package specter

import (
	"context"
	"sync"
)

// starting are the players for whom a session is being started, so that of two sessions of one player only one finds them free.
type starting struct {
	mu      sync.Mutex
	players map[string]chan struct{} // closed when the start is over
}

// take waits until nobody of the players is being started, and takes them until release is called.
func (s *starting) take(ctx context.Context, players []string) (release func(), err error) {
	for {
		busy := s.tryTake(players)
		if busy == nil {
			return func() { s.release(players) }, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryTake takes all of them, or returns what to wait for.
func (s *starting) tryTake(players []string) (busy <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range players {
		if other, there := s.players[p]; there {
			return other
		}
	}
	over := make(chan struct{})
	for _, p := range players {
		s.players[p] = over
	}
	return nil
}

func (s *starting) release(players []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range players {
		if over, there := s.players[p]; there && i == 0 {
			close(over)
		}
		delete(s.players, p)
	}
}
