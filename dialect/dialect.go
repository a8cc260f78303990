// Package dialect has what the handlers of other systems' wire formats have in common: who is calling, and how often they
// may. The handlers themselves are its subpackages: specter, gamezop and gamesparks.
package dialect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Digest is the SHA-256 digest of a secret. Secrets themselves are never kept: one of at least 128 random bits cannot be
// found from its digest.
type Digest [sha256.Size]byte

// DigestOf is the digest of an API key or a token.
func DigestOf(secret string) Digest { return sha256.Sum256([]byte(secret)) }

// NewSecret makes an API key or a token of 256 random bits, in letters, digits, "-" and "_".
func NewSecret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// Key is an API key, by its digest. Two live keys of the same name let it be changed without a pause.
type Key struct {
	Name   string // what logs and rate limits call it
	Digest Digest
	// Client says that the key is shipped with the game, where everybody can read it: it opens only what asks for a player's
	// token beside it. Otherwise it is a server's, and opens everything.
	Client  bool
	Expires time.Time // zero: never
}

// Token is a player's bearer token, by its digest.
type Token struct {
	Player  string
	Digest  Digest
	Expires time.Time // zero: never
}

// Rate is how often somebody may call: so many at once, and so many a second from then on.
type Rate struct {
	PerSecond float64
	Burst     int
}

// The rates that zero ones stand for.
var (
	defaultKeyRate    = Rate{PerSecond: 20_000, Burst: 20_000}
	defaultPlayerRate = Rate{PerSecond: 50, Burst: 200}
)

// Config says whom an Access lets in.
type Config struct {
	Keys   []Key
	Tokens []Token
	// Player says whose a token is that is not among Tokens: of a host that keeps accounts of its own. It is to compare in constant
	// time; false is nobody's, an error is reported as a failure of the server's.
	Player func(ctx context.Context, token string) (player string, ok bool, err error)

	KeyRate    Rate // of a key; default 20,000 a second, as many at once
	PlayerRate Rate // of a player; default 50 a second, 200 at once

	Now func() time.Time // default time.Now
}

// Access tells who is calling. It is safe for concurrent use; one serves all the handlers of a process, so that rates are
// counted together.
type Access struct {
	config  Config
	tokens  map[Digest]Token
	keys    *meter
	players *meter
}

// NewAccess checks a Config and makes an Access of it. The slices stay the caller's.
func NewAccess(c Config) (*Access, error) {
	c.Keys, c.Tokens = slices.Clone(c.Keys), slices.Clone(c.Tokens)
	if c.Now == nil {
		c.Now = time.Now
	}
	for i, k := range c.Keys {
		if k.Name == "" || k.Digest == (Digest{}) {
			return nil, fmt.Errorf("keys[%d]: a name and a digest are required", i)
		}
	}
	tokens := make(map[Digest]Token, len(c.Tokens))
	for i, t := range c.Tokens {
		if t.Player == "" || t.Digest == (Digest{}) {
			return nil, fmt.Errorf("tokens[%d]: a player and a digest are required", i)
		}
		if other, there := tokens[t.Digest]; there {
			return nil, fmt.Errorf("tokens[%d]: the token of %q is that of %q too", i, t.Player, other.Player)
		}
		tokens[t.Digest] = t
	}
	keys, err := newMeter("key rate", c.KeyRate, defaultKeyRate)
	if err != nil {
		return nil, err
	}
	players, err := newMeter("player rate", c.PlayerRate, defaultPlayerRate)
	if err != nil {
		return nil, err
	}
	return &Access{config: c, tokens: tokens, keys: keys, players: players}, nil
}

// ErrCaller is the error for whoever cannot be told: nobody learns whether a secret was wrong, has expired or was not there.
var ErrCaller = errors.New("the credentials are invalid or missing")

// TooMany is the error for who calls too often.
type TooMany struct {
	After time.Duration // when to try again
}

func (t *TooMany) Error() string {
	return fmt.Sprintf("too many calls; try again in %s", t.After.Round(time.Millisecond))
}

// Key tells whose an API key is and counts a call of theirs. Errors are ErrCaller and a *TooMany.
func (a *Access) Key(secret string) (Key, error) {
	now, digest := a.config.Now(), DigestOf(secret)
	var found Key
	for _, k := range a.config.Keys { // all of them, however many match: the time taken tells nothing
		if subtle.ConstantTimeCompare(k.Digest[:], digest[:]) == 1 && !expired(k.Expires, now) {
			found = k
		}
	}
	if found.Name == "" {
		return Key{}, ErrCaller
	}
	return found, a.keys.take(found.Name, now)
}

// CountKey counts a call of a server that was told otherwise than by a key, as by the signature of a webhook, under a name like
// those of keys. The error is a *TooMany.
func (a *Access) CountKey(name string) error { return a.keys.take(name, a.config.Now()) }

// Player tells whose a token is and counts a call of theirs. Errors are ErrCaller, a *TooMany, and what Config.Player fails
// with.
func (a *Access) Player(ctx context.Context, token string) (string, error) {
	player, err := a.whose(ctx, token)
	if err != nil {
		return "", err
	}
	return player, a.Count(player)
}

// Count counts a call of a player who was told otherwise, as by the session of a connection. The error is a *TooMany.
func (a *Access) Count(player string) error { return a.players.take(player, a.config.Now()) }

func (a *Access) whose(ctx context.Context, token string) (string, error) {
	// A lookup by the digest: what can be learned from its time is a part of a digest, of which no token follows.
	digest := DigestOf(token)
	known, there := a.tokens[digest]
	if there && subtle.ConstantTimeCompare(known.Digest[:], digest[:]) == 1 {
		if expired(known.Expires, a.config.Now()) {
			return "", ErrCaller
		}
		return known.Player, nil
	}
	if a.config.Player == nil || token == "" {
		return "", ErrCaller
	}
	player, ok, err := a.config.Player(ctx, token)
	if err == nil && (!ok || player == "") {
		err = ErrCaller
	}
	return player, err
}

func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
