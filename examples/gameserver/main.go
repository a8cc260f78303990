// Command gameserver is a dedicated server for a small game: a tick loop steps several arenas, and everything that has to
// last goes to the engine on goroutines of its own, so that no tick waits for the disk. It is made to be copied; README.md
// says how the two hand over, and what happens after kill -9.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/finalbell/finalbell"
)

//go:embed rules.json
var rulesText []byte

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, log)
	stop()
	if err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// setup is what the command line says.
type setup struct {
	db      string
	arenas  int
	matches int // stop when so many have ended; 0: never
	seed    uint64
	speed   float64
}

func (s setup) check() error {
	switch {
	case s.arenas < 1 || s.arenas > 1000:
		return fmt.Errorf("-arenas: %d is not between 1 and 1000", s.arenas)
	case s.matches < 0:
		return fmt.Errorf("-matches: %d is negative", s.matches)
	case !(s.speed > 0) || math.IsInf(s.speed, 1):
		return fmt.Errorf("-speed: %v is no speed", s.speed)
	}
	return nil
}

// run plays until ctx ends or enough matches have, and returns when everything that was on its way is written and closed.
func run(ctx context.Context, args []string, out io.Writer, log *slog.Logger) (err error) {
	var s setup
	flags := flag.NewFlagSet("gameserver", flag.ExitOnError)
	flags.StringVar(&s.db, "db", "gameserver.db", "the database")
	flags.IntVar(&s.arenas, "arenas", 4, "how many matches are played side by side")
	flags.IntVar(&s.matches, "matches", 0, "stop when so many matches have ended; 0: when told to")
	flags.Uint64Var(&s.seed, "seed", 1, "of the dice by which players come, go and drop out")
	flags.Float64Var(&s.speed, "speed", 1, "how many times faster than real time")
	_ = flags.Parse(args) // it exits by itself
	if err := s.check(); err != nil {
		return err
	}
	rules, err := finalbell.ParseRules(rulesText)
	if err != nil {
		return err
	}
	engine, err := finalbell.Open(ctx, s.db, rules, finalbell.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	log.Info("playing", "db", s.db, "arenas", s.arenas, "pid", os.Getpid())
	return play(ctx, engine, s, out, log)
}

// play runs the loop on an engine, and prints the ladder when it has stopped.
func play(ctx context.Context, engine *finalbell.Engine, s setup, out io.Writer, log *slog.Logger) error {
	v := newServer(engine, s, out, log)
	// What is on its way when ctx ends is still to be written.
	calls := context.WithoutCancel(ctx)
	if err := v.takeUp(calls, s.arenas); err != nil {
		return err
	}
	v.employ(calls)
	tick := max(1, time.Duration(float64(time.Second)/ticksPerSecond/s.speed))
	if err := v.loop(ctx, tick); err != nil {
		return err
	}
	return v.printLadder(calls)
}
