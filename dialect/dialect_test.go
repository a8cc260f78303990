package dialect

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// clock is a clock that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func newAccess(t require.TestingT, c Config) *Access {
	a, err := NewAccess(c)
	require.NoError(t, err)
	return a
}

// Of a secret its SHA-256 digest is known, and nothing else; secrets that are made are all different and have 256 bits.
func TestASecretIsKnownByItsDigest(t *testing.T) {
	require.Equal(t, Digest(sha256.Sum256([]byte("secret"))), DigestOf("secret"))
	made := make(map[string]bool)
	for range 1000 {
		secret := NewSecret()
		require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, secret)
		require.False(t, made[secret])
		made[secret] = true
	}
}

// Two live keys of a name let it be changed without a pause: the old one, both, then the new one alone.
func TestAKeyIsChangedWithoutAPause(t *testing.T) {
	c := newClock()
	change := c.now.Add(time.Hour)
	a := newAccess(t, Config{Now: c.Now, Keys: []Key{
		{Name: "prod", Digest: DigestOf("old"), Expires: change}, {Name: "prod", Digest: DigestOf("new")}, {Name: "game", Digest: DigestOf("shipped"), Client: true},
	}})
	for _, secret := range []string{"old", "new"} {
		k, err := a.Key(secret)
		require.NoError(t, err)
		require.Equal(t, "prod", k.Name)
		require.False(t, k.Client)
	}
	c.now = change
	_, err := a.Key("old")
	require.ErrorIs(t, err, ErrCaller)
	k, err := a.Key("new")
	require.NoError(t, err)
	require.Equal(t, "prod", k.Name)
	k, err = a.Key("shipped")
	require.NoError(t, err)
	require.True(t, k.Client)
}

// A secret is taken until the moment at which it expires, and not from then on.
func TestASecretExpiresAtItsMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		expires := c.now.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "expires")))
		a := newAccess(t, Config{Now: c.Now, Keys: []Key{{Name: "k", Digest: DigestOf("key"), Expires: expires}}, Tokens: []Token{{Player: "ann", Digest: DigestOf("token"), Expires: expires}}})
		c.now = c.now.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "now")))
		_, keyErr := a.Key("key")
		_, tokenErr := a.Player(context.Background(), "token")
		if c.now.Before(expires) {
			require.NoError(t, keyErr)
			require.NoError(t, tokenErr)
			return
		}
		require.Equal(t, ErrCaller, keyErr)
		require.Equal(t, ErrCaller, tokenErr)
	})
}

// Whatever is wrong with a secret, the error is the same one: it was never there, it has expired, it is a key in the place of a
// token or the other way round, it is a digest, it is cut short, it is empty.
func TestEveryUnknownCallerGetsTheSameError(t *testing.T) {
	c := newClock()
	over := c.now.Add(-time.Hour)
	asked := 0
	a := newAccess(t, Config{
		Now: c.Now, Keys: []Key{{Name: "prod", Digest: DigestOf("key")}, {Name: "prod", Digest: DigestOf("old key"), Expires: over}},
		Tokens: []Token{{Player: "ann", Digest: DigestOf("token")}, {Player: "ann", Digest: DigestOf("old token"), Expires: over}},
		Player: func(_ context.Context, token string) (string, bool, error) {
			asked++
			require.NotEqual(t, "old token", token, "whose it was is known")
			return map[string]string{"nameless": "", "host's": "bob"}[token], token == "nameless" || token == "host's", nil
		},
	})
	digest := DigestOf("key")
	for _, secret := range []string{"", "wrong", "old key", "old token", "ke", "key ", "Key", "nameless", string(digest[:])} {
		k, err := a.Key(secret)
		require.Equal(t, ErrCaller, err, secret)
		require.Equal(t, Key{}, k)
		player, err := a.Player(t.Context(), secret)
		require.Equal(t, ErrCaller, err, secret)
		require.Empty(t, player)
	}
	_, err := a.Key("token")
	require.Equal(t, ErrCaller, err)
	_, err = a.Player(t.Context(), "key")
	require.Equal(t, ErrCaller, err)
	require.NotZero(t, asked)

	player, err := a.Player(t.Context(), "token")
	require.NoError(t, err)
	require.Equal(t, "ann", player)
	player, err = a.Player(t.Context(), "host's")
	require.NoError(t, err)
	require.Equal(t, "bob", player)
}

// What the host's accounts fail with is not taken for a wrong token.
func TestAFailureOfTheAccountsIsNoWrongToken(t *testing.T) {
	down := errors.New("the accounts are down")
	a := newAccess(t, Config{Player: func(context.Context, string) (string, bool, error) { return "", false, down }})
	_, err := a.Player(t.Context(), "token")
	require.ErrorIs(t, err, down)
	require.NotErrorIs(t, err, ErrCaller)
}

// Nobody makes more calls than their rate gives them: in any stretch of time its burst and what came to it since; and who is
// refused has a call again after the time they were told, and not before.
func TestNobodyCallsMoreOftenThanTheirRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		r := Rate{PerSecond: rapid.SampledFrom([]float64{0.1, 0.5, 1, 3, 10, 1000}).Draw(t, "per second"), Burst: rapid.IntRange(1, 20).Draw(t, "burst")}
		a := newAccess(t, Config{Now: c.Now, KeyRate: r, PlayerRate: r, Keys: []Key{{Name: "k", Digest: DigestOf("k")}, {Name: "other", Digest: DigestOf("other")}}})
		call := func() error {
			_, err := a.Key("k")
			return err
		}
		if rapid.Bool().Draw(t, "a player") {
			call = func() error { return a.Count("ann") }
		}
		var taken []time.Time
		for range rapid.IntRange(1, 80).Draw(t, "calls") {
			c.now = c.now.Add(time.Duration(rapid.Int64Range(0, int64(2*float64(time.Second)/r.PerSecond)).Draw(t, "pause")))
			err := call()
			if err == nil {
				taken = append(taken, c.now)
				continue
			}
			var many *TooMany
			require.ErrorAs(t, err, &many)
			require.Positive(t, many.After)
			require.LessOrEqual(t, many.After, time.Duration(float64(time.Second)/r.PerSecond)+time.Millisecond)
			if rapid.Bool().Draw(t, "comes back") {
				back := c.now.Add(many.After)
				if before := many.After - time.Millisecond; before > 0 {
					c.now = c.now.Add(before)
					require.Error(t, call(), "too early; and it does not count")
				}
				c.now = back.Add(time.Microsecond) // the rate is a float
				require.NoError(t, call(), "after the time that was told")
				taken = append(taken, c.now)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				most := float64(r.Burst) + taken[j].Sub(taken[i]).Seconds()*r.PerSecond
				require.LessOrEqual(t, float64(j-i+1), most+0.01)
			}
		}
		_, err := a.Key("other")
		require.NoError(t, err, "nobody pays for others")
		require.NoError(t, a.Count("bob"))
	})
}

// Both keys of a name share its rate, and who is not known is not counted.
func TestTheRateIsThatOfAName(t *testing.T) {
	c := newClock()
	a := newAccess(t, Config{Now: c.Now, KeyRate: Rate{PerSecond: 1, Burst: 2}, Keys: []Key{{Name: "k", Digest: DigestOf("old")}, {Name: "k", Digest: DigestOf("new")}}})
	for range 10 {
		_, err := a.Key("wrong")
		require.Equal(t, ErrCaller, err)
	}
	_, err := a.Key("old")
	require.NoError(t, err)
	_, err = a.Key("new")
	require.NoError(t, err)
	_, err = a.Key("old")
	require.EqualError(t, err, "too many calls; try again in 1s")
}

// However many call, those who have all their calls again are forgotten, and the others are not as long as there is room.
func TestWhoHasAllCallsAgainIsForgotten(t *testing.T) {
	c := newClock()
	m, err := newMeter("rate", Rate{PerSecond: 1, Burst: 1}, Rate{})
	require.NoError(t, err)
	for i := range metered - 1 {
		require.NoError(t, m.take(strconv.Itoa(i), c.now))
	}
	c.now = c.now.Add(time.Second)
	require.NoError(t, m.take("late", c.now))
	require.Len(t, m.callers, metered)
	require.NoError(t, m.take("one more", c.now))
	require.Len(t, m.callers, 2)
	require.Error(t, m.take("late", c.now), "not forgotten")
}

// What makes no sense is refused by its place; the slices stay the caller's.
func TestAConfigIsChecked(t *testing.T) {
	d := DigestOf("a")
	for want, c := range map[string]Config{
		"keys[1]: a name and a digest are required":                      {Keys: []Key{{Name: "a", Digest: d}, {Digest: d}}},
		"keys[0]: a name and a digest are required":                      {Keys: []Key{{Name: "a"}}},
		"tokens[0]: a player and a digest are required":                  {Tokens: []Token{{Digest: d}}},
		"tokens[1]: the token of \"bob\" is that of \"ann\" too":         {Tokens: []Token{{Player: "ann", Digest: d}, {Player: "bob", Digest: d}}},
		"key rate: -1 a second and 1 at once: both must be above 0":      {KeyRate: Rate{PerSecond: -1, Burst: 1}},
		"player rate: 1 a second and 0 at once: both must be above 0":    {PlayerRate: Rate{PerSecond: 1}},
		"player rate: 0.5 a second and -2 at once: both must be above 0": {PlayerRate: Rate{PerSecond: 0.5, Burst: -2}},
	} {
		_, err := NewAccess(c)
		require.EqualError(t, err, want)
	}
	keys := []Key{{Name: "a", Digest: d}}
	a := newAccess(t, Config{Keys: keys})
	keys[0].Digest = DigestOf("b")
	_, err := a.Key("a")
	require.NoError(t, err)
}
