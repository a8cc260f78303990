package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/api"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/dialect/gamezop"
	"github.com/finalbell/finalbell/dialect/specter"
)

// mount is a handler under a path.
type mount struct {
	prefix  string
	handler http.Handler
	// lasting says that its requests last as long as somebody is connected: they are not counted among those in flight.
	lasting bool
	// shutdown ends what the server does not know of, such as connections that were taken over; nil: there is nothing.
	shutdown func(context.Context) error
}

// dialects are what the settings ask for.
type dialects struct {
	settings  settings
	db        *string // the engine's file; nil: in memory
	log       *slog.Logger
	publisher *gamezop.Publisher // nil: winners are pushed to nobody
	accounts  *accounts          // nil: GameSparks is not served, or not yet
}

func newDialects(s settings, db *string, log *slog.Logger) (_ *dialects, err error) {
	d := &dialects{settings: s, db: db, log: log}
	if s.gamezop != nil && s.gamezop.publisher != nil {
		p := s.gamezop.publisher
		if d.publisher, err = gamezop.NewPublisher(gamezop.PublisherOptions{URL: p.url, Secret: p.secret, Private: p.private}); err != nil {
			return nil, fmt.Errorf("gamezop.publisher: %w", err)
		}
	}
	return d, nil
}

// close closes the accounts.
func (d *dialects) close() error {
	if d.accounts == nil {
		return nil
	}
	return d.accounts.Close()
}

// hooks are what the engine calls of the handlers.
func (d *dialects) hooks() finalbell.Hooks {
	h := finalbell.Hooks{Before: specter.Keep}
	if d.publisher != nil {
		h.After = d.push
	}
	return h
}

// push pushes the winners of a match, and logs why they could not be: the outbox tries again for hours before it gives up.
func (d *dialects) push(ctx context.Context, ev finalbell.Event) error {
	err := d.publisher.After(ctx, ev)
	if err != nil {
		d.log.WarnContext(ctx, "winners were not pushed", "event", ev.ID, "error", err.Error())
	}
	return err
}

// mounts are all handlers of a server, but for its own. The file of the accounts is opened behind the engine's, which has one
// owner. An error names the field of the settings.
func (d *dialects) mounts(ctx context.Context, e *finalbell.Engine) (_ []mount, err error) {
	s := d.settings
	c := dialect.Config{Keys: s.keys, Tokens: s.tokens, KeyRate: s.keyRate, PlayerRate: s.playerRate}
	o := api.Options{PlayerReports: s.playerReports}
	if s.gamesparks != nil {
		if d.accounts, err = openAccounts(ctx, d.db); err != nil {
			return nil, err
		}
		c.Player = d.accounts.Player // who signs in by GameSparks may call by the rest too
		o.Forgotten = d.accounts.Forget
	}
	if o.Access, err = dialect.NewAccess(c); err != nil {
		return nil, err
	}
	calls, err := api.Handler(e, o)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	all := []mount{{prefix: "/api/call", handler: calls}}
	for _, of := range []func(*finalbell.Engine, *dialect.Access) (mount, error){d.specter, d.gamezop, d.gamesparks} {
		m, err := of(e, o.Access)
		if err != nil {
			return nil, err
		}
		if m.handler != nil {
			all = append(all, m)
		}
	}
	return all, nil
}

func (d *dialects) specter(e *finalbell.Engine, a *dialect.Access) (mount, error) {
	s := d.settings.specter
	h, err := specter.Handler(e, specter.Options{Access: a, PlayersMayEnd: s.playersMayEnd, PlayersMaySetOthers: s.playersMaySetOthers, KeepsParams: true})
	if err != nil {
		return mount{}, fmt.Errorf("specter: %w", err)
	}
	return mount{prefix: "/specter", handler: h}, nil
}

func (d *dialects) gamezop(e *finalbell.Engine, a *dialect.Access) (mount, error) {
	s := d.settings.gamezop
	if s == nil {
		return mount{}, nil
	}
	h, err := gamezop.Handler(e, gamezop.Options{Access: a, Bearer: s.bearer, IncomingSecret: s.incoming, PropertyID: s.property, Mode: s.mode})
	if err != nil {
		return mount{}, err // it begins with gamezop
	}
	return mount{prefix: "/gamezop", handler: h}, nil
}

func (d *dialects) gamesparks(e *finalbell.Engine, a *dialect.Access) (mount, error) {
	s := d.settings.gamesparks
	if s == nil {
		return mount{}, nil
	}
	h, err := gamesparks.New(e, gamesparks.Options{
		APIKey: s.apiKey, Secret: s.secret, ServerSecret: s.serverSecret, Access: a, Accounts: d.accounts, Events: s.events, Log: d.log,
	})
	if err != nil {
		return mount{}, fmt.Errorf("gamesparks: %w", err)
	}
	return mount{prefix: "/gamesparks", handler: h, lasting: true, shutdown: h.Shutdown}, nil
}
