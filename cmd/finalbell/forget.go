package main

import (
	"errors"
	"fmt"

	"github.com/finalbell/finalbell"
)

// forgetCommand is finalbell forget.
type forgetCommand struct {
	database
	Player string `arg:"" placeholder:"PLAYER" help:"The player's id."`
	JSON   bool   `name:"json" help:"Print JSON instead of a line."`
}

// Help tells what stays.
func (c *forgetCommand) Help() string {
	return "A pseudonym takes the place of the name everywhere; ranks, balances and history stay. What the host wrote in words of its own stays too: " +
		"ids, attributes and data of matches, reasons, keys of money calls. So do backups and earlier exports. " +
		"An account that the player has by GameSparks, in the file beside the database, is deleted."
}

// Run forgets the player and prints the pseudonym.
func (c *forgetCommand) Run(s streams) error {
	ctx := background()
	var as string
	err := c.own(ctx, func(e *finalbell.Engine) (err error) {
		as, err = e.Forget(ctx, c.Player)
		if err != nil && !errors.Is(err, finalbell.ErrNotFound) {
			return err
		}
		return errors.Join(err, forgetAccount(ctx, c.File, c.Player)) // there may be an account of whom nothing else is kept
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLine(s.out, struct {
			As string `json:"as"`
		}{as})
	}
	_, err = fmt.Fprintln(s.out, as)
	return about("standard output", err)
}
