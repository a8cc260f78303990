package gamesparks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/web"
)

const (
	connectRequest  = ".AuthenticatedConnectRequest"
	connectResponse = ".AuthenticatedConnectResponse"
)

// shake sends a nonce and takes its signature. Who signs it as the game does is told the id of the session, and who brings the
// token of a player is signed in again. False: the client was refused.
func (c *connection) shake(ctx context.Context) bool {
	nonce, err := secret(c.server.options.Random)
	if err != nil {
		c.server.options.Log.ErrorContext(ctx, "gamesparks: no nonce", "error", err)
		return false
	}
	if !c.write(ctx, fields{"@class": connectResponse, "nonce": nonce}.text()) {
		return false
	}
	frame, ok := c.signed(ctx)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, c.server.options.Limits.Request)
	defer cancel()
	reply, err := c.welcome(ctx, nonce, frame)
	if err != nil {
		c.write(ctx, fields{"@class": connectResponse, "error": c.server.refusal(ctx, err, "connect")}.text())
		c.hold(context.WithoutCancel(ctx))
		return false
	}
	return c.write(ctx, reply.text())
}

// signed waits for the frame that should have the signature.
func (c *connection) signed(ctx context.Context) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(ctx, c.server.options.Limits.Handshake)
	defer cancel()
	for {
		frame, ok := c.read(ctx)
		if !ok || len(bytes.TrimSpace(frame)) > 0 {
			return frame, ok
		}
	}
}

// welcome looks at the handshake of a client.
func (c *connection) welcome(ctx context.Context, nonce string, frame []byte) (fields, error) {
	v, err := strictjson.Parse(frame)
	if err != nil || v.Kind() != strictjson.Object {
		return nil, Refusal{"request": "INVALID"}
	}
	r := reader{object: v, wrong: Refusal{}}
	if r.text("@class") != connectRequest {
		return nil, Refusal{"authentication": "NOTAUTHORIZED"}
	}
	given, err := base64.StdEncoding.DecodeString(r.needed("hmac"))
	token, session := r.text("authToken"), r.text("sessionId")
	about := map[string]string{}
	for _, name := range []string{"platform", "os"} {
		if text := r.text(name); len(text) <= maxText && isPlain(text) && text != "" {
			about[name] = text
		}
	}
	if len(r.wrong) > 0 {
		return nil, r.wrong
	}
	key := c.server.options.Secret
	if c.authority {
		key = c.server.options.ServerSecret
	}
	if err != nil || !hmac.Equal(given, sign(key, nonce)) {
		return nil, Refusal{"hmac": "INVALID"}
	}
	if session == "" || len(session) > maxText || !isPlain(session) {
		if session, err = newSessionID(c.server.options.Random); err != nil {
			return nil, err
		}
	}
	c.session, c.about = session, about
	reply := fields{"@class": connectResponse, "sessionId": session}
	if c.authority || token == "" {
		return reply, nil
	}
	return c.resume(ctx, token, reply)
}

// resume signs the player of a token in. One that is not good any more leaves the client connected and nobody signed in, which it
// learns from the token that is missing in the reply.
func (c *connection) resume(ctx context.Context, token string, reply fields) (fields, error) {
	player, err := c.server.whose(ctx, token)
	if errors.Is(err, dialect.ErrCaller) {
		return reply, nil
	}
	if err == nil {
		err = c.enter(ctx, player, true)
	}
	if err != nil {
		return nil, err
	}
	web.Called(ctx, player)
	reply["authToken"], reply["userId"] = token, player
	return reply, nil
}

// whose tells whose a token is: one of Accounts, or one of Access.
func (s *Server) whose(ctx context.Context, token string) (string, error) {
	player, ok, err := s.options.Accounts.Player(ctx, token)
	if err != nil {
		return "", err
	}
	if !ok {
		return s.options.Access.Player(ctx, token)
	}
	return player, s.options.Access.Count(player)
}

func sign(key, nonce string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(nonce))
	return mac.Sum(nil)
}

// newSessionID makes an id that nobody can guess: it says which device a player's session is on.
func newSessionID(random io.Reader) (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("random: %w", err)
	}
	return hex.EncodeToString(bits[:]), nil
}
