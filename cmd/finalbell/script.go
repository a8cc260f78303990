package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/sqlite"
)

// scriptCommand is finalbell script.
type scriptCommand struct {
	source
	Script string `arg:"" placeholder:"SCRIPT.jsonl" help:"The calls, one JSON object a line; - for standard input."`
}

// Run makes the calls.
func (c *scriptCommand) Run(s streams) error {
	rules, err := c.load()
	if err != nil {
		return err
	}
	in := s.in
	if c.Script != "-" {
		file, err := input(c.Script)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	// The database comes last: what is wrong with the rest must leave none behind.
	ctx := background()
	data, err := c.store(ctx)
	if err != nil {
		return err
	}
	err = transcript.Run(ctx, data, rules, in, s.out)
	var line *transcript.LineError
	var call *finalbell.Error
	switch {
	case errors.As(err, &line):
		return at(c.Script, line.Line, line.Err)
	case c.DB != nil && errors.As(err, &call):
		// Refused calls are answers; this is about the engine: rules that do not fit the database.
		return unopened(*c.DB, err)
	}
	return err
}

// store is where the script's data is kept.
func (c *scriptCommand) store(ctx context.Context) (store.Store, error) {
	if c.DB == nil {
		return memory.New(), nil
	}
	s, err := sqlite.Open(ctx, *c.DB, sqlite.Options{})
	if err != nil {
		return nil, unopened(*c.DB, err)
	}
	return s, nil
}

// at names the line that an error is about. That a file cannot be read is about no line.
func at(file string, line int, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return about(file, err)
	}
	return about(fmt.Sprintf("%s:%d", file, line), err)
}
