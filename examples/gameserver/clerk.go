package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/finalbell/finalbell"
)

// order is a call of the engine, which may wait for the disk. The loop places it, a clerk carries it out, and the loop hears
// of it at one of its next ticks.
type order struct {
	// do makes the call, on the clerk's goroutine. It may be made again, so every id in it is chosen before.
	do func(ctx context.Context) error
	// then takes the answer, on the loop's goroutine. What it returns stops the server.
	then func(err error) error
}

// answer is an order that was carried out.
type answer struct {
	order
	err error
}

// clerk carries out the orders of one arena, in the order in which they were placed, until there are no more. The arenas have
// one each: those that wait for the disk at the same time share a sync.
func clerk(ctx context.Context, orders <-chan order, answers chan<- answer) {
	var failed error
	for o := range orders {
		err := failed // what was placed before is not done, so what comes after is not tried
		if err == nil {
			err = insist(ctx, o.do)
		}
		if unsettled(err) {
			failed = err
		}
		answers <- answer{o, err}
	}
}

// How often a call is made whose fate is not known.
const tries = 5

// insist makes a call, by the same id, until its fate is known. An engine whose store has failed writes nothing more until it
// is opened again, so after a few tries the process is to be started again: what it finds then is the truth.
func insist(ctx context.Context, do func(ctx context.Context) error) error {
	pause := 10 * time.Millisecond
	for try := 1; ; try++ {
		err := do(ctx)
		if !unsettled(err) {
			return err
		}
		if try == tries {
			return fmt.Errorf("the database takes nothing: start the server again, it goes on from there: %w", err)
		}
		time.Sleep(pause)
		pause *= 2
	}
}

// unsettled reports whether an error leaves it open what has happened, or what would if the call were made again.
func unsettled(err error) bool {
	return errors.Is(err, finalbell.ErrUnknown) || errors.Is(err, finalbell.ErrUnavailable)
}
