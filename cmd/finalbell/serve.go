package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// serveCommand is finalbell serve.
type serveCommand struct {
	source
	Config string `required:"" placeholder:"SERVE.json" help:"Who may call, and the settings of what is served."`
	Addr   string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes one that is free. Default: ${default}."`
}

// Help tells what is served.
func (c *serveCommand) Help() string {
	return "Serves the calls of finalbell script under /api/call, one a request, and the systems that SERVE.json has settings for, each under its name. " +
		"/healthz says whether the process lives, /readyz whether it takes calls. finalbell token makes keys and tokens for SERVE.json. " +
		"SIGINT and SIGTERM let the requests in flight finish; a second one ends at once. TLS is for a proxy in front."
}

// Run serves until a signal comes.
func (c *serveCommand) Run(s streams) error {
	ctx, stop := signal.NotifyContext(background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal is the system's own again
	return c.serve(ctx, s, defaultLimits())
}

// serve serves until the context ends. What is wrong with rules, settings or the address leaves no database behind.
func (c *serveCommand) serve(ctx context.Context, s streams, l limits) error {
	rules, err := c.load()
	if err != nil {
		return err
	}
	set, err := loadSettings(c.Config)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(s.errors, nil))
	if err := warnOfReaders(log, c.Config, set); err != nil {
		return err
	}
	if set.inFlight > 0 {
		l.inFlight = set.inFlight
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return about("--addr", err)
	}
	if set.connections > 0 {
		l.connections = set.connections
	}
	server := newServer(l, log)
	failed := make(chan error, 1)
	go func() { failed <- server.http.Serve(newGate(listener.(*net.TCPListener), l.connections, log)) }()
	e, d, err := c.openFor(ctx, server, rules, set)
	began := err == nil
	if !began && ctx.Err() != nil { // to stop before it began is no failure
		log.Info("stopping", "cause", err.Error())
		err = nil
	}
	if began {
		if _, err = fmt.Fprintf(s.out, "listening on http://%s\n", listener.Addr()); err != nil {
			err = about("standard output", err)
		}
	}
	if began && err == nil {
		select {
		case <-ctx.Done():
			log.Info("stopping")
		case err = <-failed: // a listener that fails; never http.ErrServerClosed, which stop alone brings about
		}
	}
	server.stop()
	if e != nil {
		err = errors.Join(err, e.Close(), d.close())
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// openFor opens the engine, and the server for its handlers.
func (c *serveCommand) openFor(ctx context.Context, server *server, rules finalbell.Rules, set settings) (*finalbell.Engine, *dialects, error) {
	d, err := newDialects(set, c.DB, server.log)
	if err != nil {
		return nil, nil, about(c.Config, err)
	}
	e, err := c.engine(ctx, rules, finalbell.Options{Log: server.log, Hooks: d.hooks()})
	if err != nil {
		return nil, nil, err
	}
	handlers, err := d.mounts(ctx, e)
	if err != nil {
		return nil, nil, errors.Join(about(c.Config, err), e.Close(), d.close())
	}
	server.open(e, handlers)
	return e, d, nil
}

// engine opens the engine, which ticks by itself.
func (c *serveCommand) engine(ctx context.Context, rules finalbell.Rules, o finalbell.Options) (*finalbell.Engine, error) {
	if c.DB == nil {
		o.Log.Warn("the data is kept in memory, and is gone when the server stops: --db keeps it")
		e, err := finalbell.New(ctx, memory.New(), rules, o)
		return e, about(c.Rules, err)
	}
	e, err := finalbell.Open(ctx, *c.DB, rules, o)
	if err != nil {
		return nil, unopened(*c.DB, err)
	}
	return e, nil
}
