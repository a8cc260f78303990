package gamesparks

import (
	"context"
	"errors"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/web"
)

// A player's session begins when they sign in on a connection. Its device is the session id of the SDK, which the SDK brings again
// when it connects again: whether the session goes on then, and when it ends by itself, is for the rules to say.

// enter signs a player in. Who was signed in here before plays no longer. Back tells that it is by the token that the SDK had.
func (c *connection) enter(ctx context.Context, player string, back bool) error {
	e := c.server.engine
	var err error
	if !back {
		_, err = e.Heartbeat(ctx, player, c.session) // the session of this very connection goes on, whatever the rules say
	}
	if back || err != nil {
		err = c.start(ctx, player)
	}
	if err != nil {
		return err
	}
	if c.player != "" && c.player != player {
		if _, err := e.EndSession(ctx, c.player, c.session); err != nil && !errors.Is(err, finalbell.ErrNotFound) {
			c.server.options.Log.ErrorContext(ctx, "gamesparks: a session was left open", "error", err) // it ends when it is idle
		}
	}
	c.player = player
	return nil
}

func (c *connection) start(ctx context.Context, player string) error {
	_, err := c.server.engine.StartSession(ctx, finalbell.NewSession{Player: player, Device: c.session, Attributes: c.about})
	if _, is := web.Kind(err); is {
		return codes(err, "session") // such as REFUSED, by a hook of the host's
	}
	return err
}

// present notes that the player is still there. It is soft: what else a client asks for does not depend on it.
func (c *connection) present(ctx context.Context) bool {
	if c.player == "" {
		return true
	}
	_, err := c.server.engine.Heartbeat(ctx, c.player, c.session)
	return !errors.Is(err, finalbell.ErrNotFound)
}

// play notes that the player does something. After the end of their session another one begins with it, as when a game comes back from
// the background; keep-alives alone begin none. Where the rules allow one device, a device that was left for another stays without.
func (c *connection) play(ctx context.Context) error {
	if c.authority || c.present(ctx) {
		return nil
	}
	e := c.server.engine
	if e.Rules().Sessions.Devices == finalbell.OneDevice {
		other, err := c.server.openSession(ctx, c.player)
		if err != nil || other.ID != "" {
			return err
		}
	}
	return c.start(ctx, c.player)
}

// openSession is the player's latest session that is open, the zero Session if none is.
func (s *Server) openSession(ctx context.Context, player string) (finalbell.Session, error) {
	for session, err := range s.engine.Sessions(ctx, finalbell.SessionFilter{Player: player, Open: true, Newest: true}) {
		return session, err
	}
	return finalbell.Session{}, nil
}

// endSession serves .EndSessionRequest. Without a session there is no duration to tell: the original's is nullable.
func (x *exchange) endSession(ctx context.Context) error {
	var device string
	if x.connection != nil && !x.trusted {
		device = x.connection.session
	} else {
		session, err := x.server.openSession(ctx, x.player)
		if err != nil || session.ID == "" {
			return err
		}
		device = session.Device
	}
	session, err := x.server.engine.EndSession(ctx, x.player, device)
	if errors.Is(err, finalbell.ErrNotFound) {
		return nil
	}
	if err == nil {
		x.reply["sessionDuration"] = session.Duration().Milliseconds()
	}
	return err
}
