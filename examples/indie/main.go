// Command indie is the whole backend of a small game in one binary: duels for coins, a weekly season with prizes and
// levels, over HTTP, kept in SQLite. It is made to be copied; README.md tries it with curl.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/finalbell/finalbell"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv("INDIE_HOST_KEY"), log)
	stop()
	if err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and returns when every request is answered and everything is closed.
func run(ctx context.Context, args []string, hostKey string, log *slog.Logger) (err error) {
	flags := flag.NewFlagSet("indie", flag.ExitOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "where to listen")
	db := flags.String("db", "indie.db", "the database; what the host keeps lies beside it, in indie.items.db")
	_ = flags.Parse(args) // it exits by itself
	b, err := open(ctx, *db, hostKey, log, finalbell.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("serving", "url", "http://"+listener.Addr().String(), "db", *db, "pid", os.Getpid())
	if hostKey == "" {
		log.Warn("INDIE_HOST_KEY is not set: what only the host may do is off")
	}
	// Without limits a client that dawdles would hold a connection for ever.
	server := &http.Server{
		Handler:           b.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	// ctx has ended, but who is being answered gets some more time.
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	return server.Shutdown(last)
}
