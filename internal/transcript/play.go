package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
)

// A transcript is a text of these parts, in any number:
//
//	# What it shows: a sentence, and where that stands.
//
//	rules: {"modes":[…],
//	 "boards":[…]}          a fresh engine by these rules, which end at the next blank line
//
//	> {"create":{…}}        a call
//	< {"ok":{…}}            its answer
//
//	reopen:                 the engine again on the same store, by the same rules or by others given here
//
// A line "! …" stands for an error instead: below rules that are refused, or below a line that cannot be read,
// where the script ends.

// Opener gives a transcript its stores: a fresh one for nil, or another on the data of one that was closed.
type Opener func(closed store.Store) (store.Store, error)

// Play plays a transcript and returns its text with the answers of today. An error means that it is no
// transcript, or that its store failed.
func Play(ctx context.Context, text []byte, open Opener) ([]byte, error) {
	p := player{open: open}
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	for i := 0; i < len(lines); i++ {
		line := string(lines[i])
		verb, rest, _ := strings.Cut(line, " ")
		var err error
		switch verb {
		case "<", "!":
			continue // answered anew
		case "rules:", "reopen:":
			p.write(line)
			for i+1 < len(lines) && !endsRules(lines[i+1]) {
				i++
				rest += "\n" + string(lines[i])
				p.write(string(lines[i]))
			}
			err = p.begin(ctx, verb, rest)
		case ">":
			p.write(line)
			err = p.ask(ctx, rest)
		case "", "#":
			p.write(line)
		default:
			err = errors.New(`expected a line of "#", "rules:", "reopen:", ">", "<" or "!"`)
		}
		if err != nil {
			return nil, &LineError{i + 1, err}
		}
	}
	return p.out, p.close()
}

// endsRules reports whether a line is behind the rules.
func endsRules(line []byte) bool {
	return len(line) == 0 || bytes.HasPrefix(line, []byte("! ")) || bytes.HasPrefix(line, []byte("> "))
}

// player plays one transcript.
type player struct {
	open    Opener
	store   store.Store
	rules   finalbell.Rules
	session *Session // nil where the rules were refused or the script has ended
	out     []byte
}

func (p *player) write(line string) { p.out = append(append(p.out, line...), '\n') }

func (p *player) close() error {
	if p.session == nil {
		return nil
	}
	err := p.session.Close()
	p.session = nil
	return err
}

// begin opens an engine on a fresh store or, to reopen, on the last one's data.
func (p *player) begin(ctx context.Context, verb, text string) error {
	if err := p.close(); err != nil {
		return err
	}
	rules := p.rules
	if verb == "rules:" || strings.TrimSpace(text) != "" {
		var err error
		if rules, err = finalbell.ParseRules([]byte(text)); err != nil {
			p.write("! " + err.Error())
			return nil
		}
	}
	if verb == "rules:" {
		p.store = nil
	} else if p.store == nil {
		return errors.New("nothing to reopen")
	}
	var err error
	if p.store, err = p.open(p.store); err != nil {
		return err
	}
	session, err := Open(ctx, p.store, rules)
	if errors.Is(err, finalbell.ErrInvalid) {
		p.write("! " + err.Error())
		return nil
	}
	p.session, p.rules = session, rules
	return err
}

// ask makes one call.
func (p *player) ask(ctx context.Context, line string) error {
	if p.session == nil {
		return errors.New("no engine to ask")
	}
	answer, err := p.session.Answer(ctx, []byte(line))
	if err != nil {
		p.write("! " + err.Error())
		return p.close()
	}
	if bytes.ContainsRune(answer, '\n') {
		return fmt.Errorf("the answer has more than one line: %s", answer)
	}
	p.write("< " + string(answer))
	return nil
}
