package gamesparks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"time"

	"github.com/finalbell/finalbell/dialect"
)

// Options are what a Server takes from its surroundings. APIKey, Secret, Access and Accounts are required.
type Options struct {
	// APIKey names the game. It stands in URLs, and is no secret.
	APIKey string
	// Secret is that of the game, by which its SDK signs the nonce. It is shipped with the game, so it proves nothing about a player.
	Secret string
	// ServerSecret opens /ws/server and /ws/server-send, where requests name the player that they are for. Empty: nobody's.
	ServerSecret string
	// Access counts the calls of players and knows those of their tokens that Accounts does not.
	Access   *dialect.Access
	Accounts Accounts

	// Events says what the keys of events mean; no other key is an event then. Nil: every mode is an event under its id, unless it has
	// a fee, or prizes of its own or on a board of its, which nobody shall win by playing alone; and under any other key an outcome,
	// such as SCORE, is of the match that is named, or else of the only such mode that one player may play.
	Events map[string]Event
	// Columns are the names of metrics in the data of leaderboards. Default: outcome is SCORE, and others go by their own name.
	Columns map[string]string

	// Request and Response are the game's scripts, before and after every request but the handshake. They run outside of locks and
	// within Limits.Request; an error rejects the request, but what was done before Response stays. A Refusal is what the client
	// reads; of any other error, and of a panic, it reads that the script failed.
	Request, Response func(ctx context.Context, s *Script) error

	// Origins are the hosts whose pages may connect, as "game.example.com" or "*.example.com". Empty: all of them. No cookie opens
	// anything here, so that a foreign page can do nothing in a player's name that it could not do without the player.
	Origins []string
	Limits  Limits
	Log     *slog.Logger     // is told what no client may read: a failure of the server's, a script's panic. Default: nobody
	Now     func() time.Time // for rates; default time.Now
	Random  io.Reader        // of nonces and ids of sessions; default crypto/rand. Safe for concurrent use
}

// Event is what an event means: a score of the player who logs it.
type Event struct {
	// Mode is that of the matches: of one that the event names, and of the match of the player alone that the event else is.
	// Default: the mode whose id is the key.
	Mode string
	// Match is the attribute that names a match. Default: matchId, MATCH_ID or match.
	Match string
	// Outcome is the attribute that is the player's outcome. Default: SCORE, score, OUTCOME or outcome, or else the only number.
	Outcome string
	// Metrics are the metrics of the outcome by attribute. Nil: attributes are the metrics of their name that the rules look at
	// in the mode.
	Metrics map[string]string
}

// Limits bound what a client can take. A zero field stands for its default.
type Limits struct {
	Message     int64         // bytes of a frame; default 64 KiB
	Connections int           // at a time; default 10,000
	Handshake   time.Duration // until the nonce is signed; default 10 seconds
	Refused     time.Duration // until a refused connection is closed, since the SDK comes again at once; default 5 seconds
	Idle        time.Duration // without a frame or a ping; default 75 seconds, two keep-alives of the SDK and a half
	Request     time.Duration // default 30 seconds: the SDK gives up after 32
}

// withDefaults checks the options and fills in what they leave out. The error names the field.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.APIKey == "":
		return o, errors.New("api key: is required")
	case o.Secret == "":
		return o, errors.New("secret: is required")
	case o.ServerSecret == o.Secret:
		return o, errors.New("server secret: it is the secret that is shipped with the game")
	case o.Access == nil:
		return o, errors.New("access: is required")
	case o.Accounts == nil:
		return o, errors.New("accounts: is required")
	}
	for i, origin := range o.Origins {
		if _, err := path.Match(origin, ""); err != nil || origin == "" {
			return o, fmt.Errorf("origins[%d]: %q is no pattern of hosts", i, origin)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	limits, err := o.Limits.withDefaults()
	o.Limits = limits
	return o, err
}

func (l Limits) withDefaults() (Limits, error) {
	if l.Message < 0 || l.Connections < 0 {
		return l, errors.New("limits: message and connections may not be negative")
	}
	if l.Message == 0 {
		l.Message = 64 << 10
	}
	if l.Connections == 0 {
		l.Connections = 10_000
	}
	for _, d := range []struct {
		name      string
		duration  *time.Duration
		otherwise time.Duration
	}{
		{"handshake", &l.Handshake, 10 * time.Second},
		{"refused", &l.Refused, 5 * time.Second},
		{"idle", &l.Idle, 75 * time.Second},
		{"request", &l.Request, 30 * time.Second},
	} {
		if *d.duration < 0 {
			return l, fmt.Errorf("limits: %s: %s is negative", d.name, *d.duration)
		}
		if *d.duration == 0 {
			*d.duration = d.otherwise
		}
	}
	return l, nil
}
