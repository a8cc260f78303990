package gamesparks

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
)

// defaultIterations is what the OWASP Password Storage Cheat Sheet asks of PBKDF2 with HMAC-SHA-256.
const defaultIterations = 600_000

const (
	saltSize = 16
	keySize  = 32
	// waiting is how many may wait for their turn: at a fifth of a second each, the last one still hears before the SDK gives up.
	waiting = 64
)

// passwords makes keys of passwords, a few at a time.
type passwords struct {
	iterations int
	random     io.Reader
	decoy      string // costs what a real key does, and nothing matches it
	queue      chan struct{}
	turns      chan struct{}
}

func newPasswords(iterations int, random io.Reader) *passwords {
	return &passwords{
		iterations: iterations, random: random, decoy: keyText(iterations, make([]byte, saltSize), make([]byte, keySize)),
		queue: make(chan struct{}, waiting), turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// key is the text by which a password is kept: "pbkdf2-sha256", the iterations, the salt and the key.
func (p *passwords) key(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", fmt.Errorf("random: %w", err)
	}
	key, err := p.derive(ctx, password, salt, p.iterations)
	if err != nil {
		return "", err
	}
	return keyText(p.iterations, salt, key), nil
}

// match tells whether a password is the one of a kept key.
func (p *passwords) match(ctx context.Context, kept, password string) (bool, error) {
	parts := strings.Split(kept, "$")
	if len(parts) != 4 || parts[0] != "pbkdf2-sha256" {
		return false, errors.New("a stored password is not readable")
	}
	iterations, err := strconv.Atoi(parts[1])
	salt, err2 := base64.RawStdEncoding.DecodeString(parts[2])
	wanted, err3 := base64.RawStdEncoding.DecodeString(parts[3])
	if err := errors.Join(err, err2, err3); err != nil {
		return false, errors.New("a stored password is not readable")
	}
	key, err := p.derive(ctx, password, salt, iterations)
	return err == nil && subtle.ConstantTimeCompare(key, wanted) == 1, err
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte, iterations int) ([]byte, error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return nil, ErrBusy
	}
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, ErrBusy
	}
	return pbkdf2.Key(sha256.New, password, salt, iterations, keySize)
}

func keyText(iterations int, salt, key []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", iterations, text(salt), text(key))
}
