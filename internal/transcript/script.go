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

// Session is an engine that is driven by lines, under a clock that only its now lines move.
type Session struct {
	engine *finalbell.Engine
	clock  time.Time
	next   int // the number of the next id that a match, room or session gets which comes without
}

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
	session := &Session{clock: head.At, next: 1}
	if head.Position == 0 {
		session.clock = time.Unix(0, 0).UTC()
	}
	session.engine, err = finalbell.New(ctx, s, rules, finalbell.Options{
		Now:   func() time.Time { return session.clock },
		NewID: func() string { return idPrefix + strconv.Itoa(session.next) },
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
	if n, err := strconv.Atoi(digits); made && err == nil && n >= s.next && strconv.Itoa(n) == digits {
		s.next = n + 1
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
	if v.Kind() != strictjson.Object || v.Len() != 1 {
		return refusal(errors.New("expected an object with one verb"), "")
	}
	for verb, argument := range v.Members() {
		result, err := s.call(ctx, verb, argument)
		if err != nil {
			return refusal(err, called(verb, argument))
		}
		return Encode(struct {
			OK any `json:"ok"`
		}{result})
	}
	panic("unreachable: the object has one member")
}

// call makes the call of a verb. An error that is not the engine's says what is wrong with the line.
func (s *Session) call(ctx context.Context, verb string, v strictjson.Value) (any, error) {
	switch verb {
	case "now":
		return s.now(ctx, v)
	case "create":
		return s.create(ctx, v)
	case "start":
		return s.start(ctx, v)
	case "report":
		return s.report(ctx, v)
	case "end":
		return s.end(ctx, v)
	case "match":
		return s.match(ctx, v)
	case "cancel":
		return s.cancel(ctx, v)
	case "matches":
		return s.matches(ctx, v)
	case "board":
		return s.board(ctx, v)
	case "windows":
		return s.windows(ctx, v)
	case "rank":
		return s.rank(ctx, v)
	case "ranks":
		return s.ranks(ctx, v)
	case "count":
		return s.count(ctx, v)
	case "histogram":
		return s.histogram(ctx, v)
	case "boards":
		return s.boards(ctx, v)
	case "rank_at":
		return s.rankAt(ctx, v)
	case "at_rank":
		return s.atRank(ctx, v)
	case "begin_season":
		return s.beginSeason(ctx, v)
	case "close_window":
		return s.closeWindow(ctx, v)
	case "rebuild":
		return s.rebuild(ctx, v)
	case "hide":
		return s.hide(ctx, v, true)
	case "restore":
		return s.hide(ctx, v, false)
	case "verify":
		return s.verify(ctx, v)
	case "credit":
		return s.credit(ctx, v)
	case "debit":
		return s.debit(ctx, v)
	case "transfer":
		return s.transfer(ctx, v)
	case "wallet":
		return s.wallet(ctx, v)
	case "ledger":
		return s.ledger(ctx, v)
	case "grants":
		return s.grants(ctx, v)
	case "claim":
		return s.claim(ctx, v)
	case "progress":
		return s.progress(ctx, v)
	case "void":
		return s.void(ctx, v)
	case "amend":
		return s.amend(ctx, v)
	case "revisions":
		return s.revisions(ctx, v)
	case "explain":
		return s.explain(ctx, v)
	case "player":
		return s.player(ctx, v)
	case "history":
		return s.history(ctx, v)
	case "head_to_head":
		return s.headToHead(ctx, v)
	case "session_start":
		return s.sessionStart(ctx, v)
	case "session_end":
		return s.sessionEnd(ctx, v)
	case "heartbeat":
		return s.heartbeat(ctx, v)
	case "session":
		return s.session(ctx, v)
	case "sessions":
		return s.sessions(ctx, v)
	case "orphans":
		return s.orphans(ctx, v)
	case "rematch":
		return s.rematch(ctx, v)
	case "open_room":
		return s.openRoom(ctx, v)
	case "join":
		return s.join(ctx, v)
	case "leave":
		return s.leave(ctx, v)
	case "dismiss":
		return s.dismiss(ctx, v)
	case "close_room":
		return s.closeRoom(ctx, v)
	case "room":
		return s.room(ctx, v)
	case "rooms":
		return s.rooms(ctx, v)
	case "forget":
		return s.forget(ctx, v)
	case "export":
		return s.export(ctx, v)
	case "events":
		return s.events(ctx, v)
	}
	return nil, fmt.Errorf("no verb %q", clip(verb))
}

// refused is how a refused call is answered.
type refused struct {
	Kind    finalbell.Kind `json:"kind"`
	Message string         `json:"message"`
	IDs     []string       `json:"ids,omitempty"`
}

// refusal answers a refused call; id is what it was about, as far as the line tells.
func refusal(err error, id string) ([]byte, error) {
	answer := refused{Kind: finalbell.ErrInvalid, Message: err.Error()}
	if id != "" {
		answer.IDs = []string{id}
	}
	var failed *finalbell.Error
	if errors.As(err, &failed) {
		// Every error of the engine wraps its kind.
		errors.As(err, &answer.Kind)
		switch {
		case len(failed.IDs) > 0:
			answer.IDs = failed.IDs
		case failed.ID != "":
			answer.IDs = []string{failed.ID}
		}
	}
	return Encode(struct {
		Error refused `json:"error"`
	}{answer})
}

// called is the id that a line speaks of, for the answer to one that could not be read.
func called(verb string, v strictjson.Value) string {
	if v.Kind() == strictjson.String && verb != "now" {
		return v.Text()
	}
	if v.Kind() != strictjson.Object {
		return ""
	}
	for name, member := range v.Members() {
		switch name {
		case "match", "id", "board", "room":
			if member.Kind() == strictjson.String {
				return member.Text()
			}
		}
	}
	return ""
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
