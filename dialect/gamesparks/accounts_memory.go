package gamesparks

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/finalbell/finalbell/dialect"
)

// memory keeps the records of a Book in memory.
type memory struct {
	mu       sync.RWMutex
	accounts map[string]record // by player
	players  map[string]string // by user name
	devices  map[dialect.Digest]string
	tokens   map[dialect.Digest]tokenRecord
	owned    map[string][]dialect.Digest // by player, oldest first
}

func newMemory() *memory {
	return &memory{accounts: map[string]record{}, players: map[string]string{}, devices: map[dialect.Digest]string{},
		tokens: map[dialect.Digest]tokenRecord{}, owned: map[string][]dialect.Digest{}}
}

func (m *memory) add(_ context.Context, a record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.userName != "" {
		if _, there := m.players[a.userName]; there {
			return false, nil
		}
		m.players[a.userName] = a.player
	} else {
		if _, there := m.devices[a.device]; there {
			return false, nil
		}
		m.devices[a.device] = a.player
	}
	m.accounts[a.player] = a
	return true, nil
}

func (m *memory) byName(_ context.Context, userName string) (record, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	player, there := m.players[userName]
	return m.accounts[player], there, nil
}

func (m *memory) byDevice(_ context.Context, device dialect.Digest) (record, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	player, there := m.devices[device]
	return m.accounts[player], there, nil
}

func (m *memory) addToken(_ context.Context, t tokenRecord, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[t.digest] = t
	owned := slices.DeleteFunc(append(m.owned[t.player], t.digest), func(d dialect.Digest) bool {
		gone := !now.Before(m.tokens[d].expires)
		if gone {
			delete(m.tokens, d)
		}
		return gone
	})
	for len(owned) > maxTokens {
		delete(m.tokens, owned[0])
		owned = owned[1:]
	}
	m.owned[t.player] = owned
	return nil
}

func (m *memory) byToken(_ context.Context, token dialect.Digest) (tokenRecord, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, there := m.tokens[token]
	return t, there, nil
}

func (m *memory) names(_ context.Context, players []string) (map[string]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	names := make(map[string]string, len(players))
	for _, player := range players {
		if name := m.accounts[player].displayName; name != "" {
			names[player] = name
		}
	}
	return names, nil
}

func (m *memory) forget(_ context.Context, player string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[player]
	delete(m.accounts, player)
	delete(m.players, a.userName)
	delete(m.devices, a.device)
	for _, token := range m.owned[player] {
		delete(m.tokens, token)
	}
	delete(m.owned, player)
	return nil
}
