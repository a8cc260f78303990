package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/transcript"
)

// tokenCommand is finalbell token.
type tokenCommand struct {
	Name   string `xor:"whose" required:"" placeholder:"NAME" help:"Make an API key of this name. Two keys of one name are both taken, so that one can be changed for the other."`
	Player string `xor:"whose" required:"" placeholder:"PLAYER" help:"Make a token for this player."`
	Client bool   `help:"The key is shipped with a game: it opens only what needs a player's token beside it."`
	JSON   bool   `name:"json" help:"Print JSON instead of lines."`
}

// Help tells what to do with it.
func (c *tokenCommand) Help() string {
	return "The secret is for whoever calls, and is shown this once; serve.json has its digest alone, from which nobody finds the secret."
}

// AfterApply refuses what does not go together, and what serve.json would not take.
func (c *tokenCommand) AfterApply() error {
	if n := len(c.Name + c.Player); n == 0 || n > mostName {
		return fmt.Errorf("--name or --player: expected 1 to %d bytes", mostName)
	}
	if c.Client && c.Name == "" {
		return errors.New("--client: a player's token is no key")
	}
	return nil
}

type keyEntry struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Client bool   `json:"client,omitempty"`
}

type tokenEntry struct {
	ID     string `json:"id"`
	SHA256 string `json:"token_sha256"`
}

// Run makes a secret and prints it, and what serve.json is to know of it.
func (c *tokenCommand) Run(s streams) error {
	secret := dialect.NewSecret()
	digest := dialect.DigestOf(secret)
	text := hex.EncodeToString(digest[:])
	list, entry := "api_keys", any(keyEntry{c.Name, text, c.Client})
	if c.Player != "" {
		list, entry = "players", tokenEntry{c.Player, text}
	}
	if c.JSON {
		return printLine(s.out, struct {
			Secret string `json:"secret"`
			List   string `json:"list"`
			Entry  any    `json:"entry"`
		}{secret, list, entry})
	}
	line, err := transcript.Encode(entry)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "the secret, shown this once:\n  %s\nthe entry for %q in serve.json:\n  %s\n", secret, list, line)
	return flush(w)
}
