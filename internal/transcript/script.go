package transcript

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/store"
)

// Session is an engine that is driven by calls in JSON. One on an engine of the caller's is safe for concurrent use.
type Session struct {
	engine *finalbell.Engine
	manual *manual // nil: the clock and the ids are the engine's own
}

// manual is the clock of a session that has one of its own, which only its now lines move, and the ids that it gives.
type manual struct {
	clock time.Time
	next  int // the number of the next id that a match, room or session gets which comes without
}

// On drives an engine of the caller's, by its own clock and ids: there is no now. Lists without a limit are refused when they
// are longer than one answer should be.
func On(e *finalbell.Engine) *Session { return &Session{engine: e} }

// Open opens an engine on a store, which is the session's from then on, and closed if that fails. The clock starts at the last time
// stored, and the ids go on behind those stored: what a script answers does not depend on how often it was
// interrupted.
func Open(ctx context.Context, s store.Store, rules finalbell.Rules) (*Session, error) {
	session, err := open(ctx, s, rules)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return session, nil
}

func open(ctx context.Context, s store.Store, rules finalbell.Rules) (*Session, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return nil, err
	}
	by := &manual{clock: head.At, next: 1}
	if head.Position == 0 {
		by.clock = time.Unix(0, 0).UTC()
	}
	session := &Session{manual: by}
	session.engine, err = finalbell.New(ctx, s, rules, finalbell.Options{
		Now:   func() time.Time { return by.clock },
		NewID: func() string { return idPrefix + strconv.Itoa(by.next) },
	})
	if err != nil {
		return nil, err
	}
	for event, err := range s.Events(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if id, forgotten := strings.CutPrefix(event.ID, pseudonymPrefix); forgotten {
			session.note(id)
		}
	}
	for m, err := range session.engine.Matches(ctx, finalbell.MatchFilter{}) {
		if err != nil {
			return nil, err
		}
		session.note(m.ID)
	}
	for of, err := range session.engine.Sessions(ctx, finalbell.SessionFilter{}) {
		if err != nil {
			return nil, err
		}
		session.note(of.ID)
	}
	for r, err := range session.engine.Rooms(ctx, finalbell.RoomFilter{}) {
		if err != nil {
			return nil, err
		}
		session.note(r.ID)
	}
	return session, nil
}

const idPrefix = "id-"

// note keeps the next made id behind the ids in use, also those that the script chose itself.
func (s *Session) note(id string) {
	digits, made := strings.CutPrefix(id, idPrefix)
	if n, err := strconv.Atoi(digits); s.manual != nil && made && err == nil && n >= s.manual.next && strconv.Itoa(n) == digits {
		s.manual.next = n + 1
	}
}

// Close closes the engine and its store.
func (s *Session) Close() error { return s.engine.Close() }

// Answer makes the call of one line and returns the line that answers it, without its end. An error means that
// the line is no strict JSON, and says why; a call that is refused, or that nobody knows, has an answer.
func (s *Session) Answer(ctx context.Context, line []byte) ([]byte, error) {
	v, err := strictjson.Parse(line)
	if err != nil {
		return nil, err
	}
	call, err := CallOf(v)
	var result any
	if err == nil {
		result, err = s.Do(ctx, call)
	}
	if err != nil {
		return Encode(call.Refused(err))
	}
	return Encode(Accepted{result})
}

// Run answers a whole script. It goes on after refused calls and stops with a *LineError at a line that cannot
// be read; the answers to the lines before it are written then. The store is closed at the end.
func Run(ctx context.Context, s store.Store, rules finalbell.Rules, in io.Reader, out io.Writer) (err error) {
	session, err := Open(ctx, s, rules)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	w := writer{out: out}
	lines := NewLines(in)
	for {
		// Whoever writes the script line by line gets each answer before the next line is waited for.
		if lines.Waits() {
			if err := w.flush(); err != nil {
				return err
			}
		}
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return w.flush()
		}
		var answer []byte
		if err == nil {
			answer, err = session.Answer(ctx, line)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(&LineError{lines.Number, err}, w.flush())
		}
		if err := w.line(answer); err != nil {
			return err
		}
	}
}

// writer gathers lines.
type writer struct {
	out io.Writer
	buf []byte
}

func (w *writer) line(text []byte) error {
	w.buf = append(append(w.buf, text...), '\n')
	if len(w.buf) < maxLine {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.out.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("the answers cannot be written: %w", err)
	}
	return nil
}
