package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/store/memory"
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
		file, err := os.Open(c.Script)
		if err != nil {
			return about(c.Script, err)
		}
		defer file.Close()
		in = file
	}
	err = transcript.Run(background(), memory.New(), rules, in, s.out)
	var line *transcript.LineError
	if errors.As(err, &line) {
		return at(c.Script, line.Line, line.Err)
	}
	return err
}

// at names the line that an error is about. That a file cannot be read is about no line.
func at(file string, line int, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return about(file, err)
	}
	return about(fmt.Sprintf("%s:%d", file, line), err)
}
