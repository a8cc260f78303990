package gamesparks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/finalbell/finalbell/dialect"
)

// Account is a player as an authentication finds or makes them.
type Account struct {
	Player      string
	DisplayName string
	New         bool // made by this call
}

// Accounts knows the players of a game by user name and password, by device, and by the tokens that it gave them. It is safe for
// concurrent use. A *Book is one; a host that keeps accounts already brings its own.
type Accounts interface {
	// Register makes a player with a user name. ErrTaken if somebody has it.
	Register(ctx context.Context, userName, password, displayName string) (Account, error)
	// LogIn finds a player. ErrUnrecognised, after the same time, for an unknown user name and for a wrong password.
	LogIn(ctx context.Context, userName, password string) (Account, error)
	// Device finds the player of a device, or makes one.
	Device(ctx context.Context, device, displayName string) (Account, error)
	// Token gives a player another token.
	Token(ctx context.Context, player string) (string, error)
	// Player tells whose a token is; false is nobody's. It fits dialect.Config.
	Player(ctx context.Context, token string) (player string, ok bool, err error)
	// Names are the display names of players; who has none, or is not known, is left out.
	Names(ctx context.Context, players ...string) (map[string]string, error)
	// Forget takes away the accounts, the tokens and the names of a player, for whom finalbell.Engine.Forget has a pseudonym. A
	// player who is not known is forgotten already.
	Forget(ctx context.Context, player string) error
}

// What Accounts refuses.
var (
	ErrTaken        = errors.New("the user name is taken")
	ErrUnrecognised = errors.New("no such user name and password")
	ErrBusy         = errors.New("too many passwords are being looked at; try again")
)

// AccountOptions are what a Book takes from its surroundings. The zero value is right.
type AccountOptions struct {
	TokenLife  time.Duration // how long a token is good for; default 90 days
	Iterations int           // of PBKDF2 with SHA-256; default 600,000. Fewer are for tests
	Now        func() time.Time
	Random     io.Reader // default crypto/rand; safe for concurrent use
}

// Book keeps accounts; its methods are those of Accounts. Passwords are kept as PBKDF2 keys, tokens and devices as SHA-256 digests. A few passwords are looked at at
// a time, so that logins leave the processor to the game; who would wait too long is ErrBusy.
type Book struct {
	records   records
	passwords *passwords
	options   AccountOptions
}

// records is where a Book keeps what it knows.
type records interface {
	// add keeps an account unless its user name or its device is there.
	add(ctx context.Context, a record) (added bool, err error)
	byName(ctx context.Context, userName string) (record, bool, error)
	byDevice(ctx context.Context, device dialect.Digest) (record, bool, error)
	// addToken keeps a token and lets go, of its player, those that have expired and the oldest beyond maxTokens.
	addToken(ctx context.Context, t tokenRecord, now time.Time) error
	byToken(ctx context.Context, token dialect.Digest) (tokenRecord, bool, error)
	names(ctx context.Context, players []string) (map[string]string, error)
	forget(ctx context.Context, player string) error
}

// record is an account: of a user name with a password, or of a device.
type record struct {
	player, displayName string
	userName, password  string
	device              dialect.Digest
	madeAt              time.Time
}

type tokenRecord struct {
	player  string
	digest  dialect.Digest
	expires time.Time
}

// maxTokens is how many tokens of a player are good at a time: one comes with every authentication, and the SDK keeps the last.
const maxTokens = 16

// NewAccounts makes an empty Book in memory: for tests, and for games that forget their players when they stop.
func NewAccounts(o AccountOptions) (*Book, error) { return newBook(newMemory(), o) }

func newBook(r records, o AccountOptions) (*Book, error) {
	switch {
	case o.TokenLife < 0:
		return nil, fmt.Errorf("token life: %s is negative", o.TokenLife)
	case o.Iterations < 0:
		return nil, fmt.Errorf("iterations: %d is negative", o.Iterations)
	}
	if o.TokenLife == 0 {
		o.TokenLife = 90 * 24 * time.Hour
	}
	if o.Iterations == 0 {
		o.Iterations = defaultIterations
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Book{records: r, passwords: newPasswords(o.Iterations, o.Random), options: o}, nil
}

func (b *Book) Register(ctx context.Context, userName, password, displayName string) (Account, error) {
	if _, there, err := b.records.byName(ctx, userName); err != nil || there {
		return Account{}, errors.Join(err, taken(there)) // before the password costs anything
	}
	key, err := b.passwords.key(ctx, password)
	if err != nil {
		return Account{}, err
	}
	a := record{displayName: displayName, userName: userName, password: key}
	added, err := b.make(ctx, &a)
	if err == nil {
		err = taken(!added)
	}
	if err != nil {
		return Account{}, err
	}
	return Account{a.player, a.displayName, true}, nil
}

func taken(there bool) error {
	if there {
		return ErrTaken
	}
	return nil
}

func (b *Book) LogIn(ctx context.Context, userName, password string) (Account, error) {
	a, there, err := b.records.byName(ctx, userName)
	if err != nil {
		return Account{}, err
	}
	if !there {
		a.password = b.passwords.decoy
	}
	right, err := b.passwords.match(ctx, a.password, password)
	if err == nil && !(there && right) {
		err = ErrUnrecognised
	}
	if err != nil {
		return Account{}, err
	}
	return Account{a.player, a.displayName, false}, nil
}

func (b *Book) Device(ctx context.Context, device, displayName string) (Account, error) {
	digest := dialect.DigestOf(device)
	if a, there, err := b.records.byDevice(ctx, digest); err != nil || there {
		return Account{a.player, a.displayName, false}, err
	}
	a := record{displayName: displayName, device: digest}
	added, err := b.make(ctx, &a)
	if err != nil {
		return Account{}, err
	}
	if !added { // somebody else did, at the same time
		a, _, err = b.records.byDevice(ctx, digest)
	}
	return Account{a.player, a.displayName, added}, err
}

// make gives an account a player and keeps it.
func (b *Book) make(ctx context.Context, a *record) (bool, error) {
	var bits [12]byte // as long as the ids of the original
	if _, err := io.ReadFull(b.options.Random, bits[:]); err != nil {
		return false, fmt.Errorf("random: %w", err)
	}
	a.player, a.madeAt = hex.EncodeToString(bits[:]), b.options.Now()
	return b.records.add(ctx, *a)
}

func (b *Book) Token(ctx context.Context, player string) (string, error) {
	token, err := secret(b.options.Random)
	if err != nil {
		return "", err
	}
	now := b.options.Now()
	return token, b.records.addToken(ctx, tokenRecord{player, dialect.DigestOf(token), now.Add(b.options.TokenLife)}, now)
}

func (b *Book) Player(ctx context.Context, token string) (string, bool, error) {
	t, there, err := b.records.byToken(ctx, dialect.DigestOf(token))
	if err != nil || !there || !b.options.Now().Before(t.expires) {
		return "", false, err
	}
	return t.player, true, nil
}

func (b *Book) Names(ctx context.Context, players ...string) (map[string]string, error) {
	return b.records.names(ctx, players)
}

func (b *Book) Forget(ctx context.Context, player string) error {
	return b.records.forget(ctx, player)
}

// secret is 256 random bits as text.
func secret(random io.Reader) (string, error) {
	var bits [32]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("random: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(bits[:]), nil
}
