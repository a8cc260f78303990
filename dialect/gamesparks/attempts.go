package gamesparks

import (
	"sync"
	"time"

	"github.com/finalbell/finalbell/dialect"
)

// attempts counts the failed logins of each user name, whether anybody has it or not.
type attempts struct {
	now func() time.Time

	mu    sync.Mutex
	names map[dialect.Digest]attempt
}

type attempt struct {
	failed int
	first  time.Time
}

const (
	maxFailures = 10 // of a user name within lockedFor, and of a connection
	lockedFor   = 10 * time.Minute
	maxAttempts = 1 << 16 // user names; each of them costs who tries it a password's time
)

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, names: make(map[dialect.Digest]attempt)}
}

// try counts a login as failed until it has not. False: there were too many.
func (a *attempts) try(userName string) bool {
	now, name := a.now(), dialect.DigestOf(userName)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.names) >= maxAttempts {
		a.forget(now)
	}
	t := a.names[name]
	if now.Sub(t.first) >= lockedFor {
		t = attempt{first: now}
	}
	if t.failed >= maxFailures {
		return false
	}
	t.failed++
	a.names[name] = t
	return true
}

// succeeded forgets the failures of a user name.
func (a *attempts) succeeded(userName string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, dialect.DigestOf(userName))
}

// takeBack uncounts one login, which was not looked at. Those that failed before it stay: who keeps the server busy gets no more tries.
func (a *attempts) takeBack(userName string) {
	name := dialect.DigestOf(userName)
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, there := a.names[name]; there && t.failed > 1 {
		t.failed--
		a.names[name] = t
	} else {
		delete(a.names, name)
	}
}

func (a *attempts) forget(now time.Time) {
	for name, t := range a.names {
		if now.Sub(t.first) >= lockedFor {
			delete(a.names, name)
		}
	}
	if len(a.names) >= maxAttempts {
		clear(a.names)
	}
}
