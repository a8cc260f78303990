package transcript

import (
	"context"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/timetext"
)

// The calls that create, move and read matches.

// tick is the answer to now.
type tick struct {
	Now  string           `json:"now"`
	Done []finalbell.Done `json:"done,omitempty"`
}

// now moves the clock and does what is due by then.
func (s *Session) now(ctx context.Context, v strictjson.Value) (any, error) {
	if s.manual == nil {
		return nil, v.Errorf("the clock is the server's")
	}
	now, err := ReadTime(v)
	if err != nil {
		return nil, err
	}
	if clock := s.manual.clock; now.Before(clock) {
		return nil, v.Errorf("%s is before the present, %s", timetext.Format(now), timetext.Format(clock))
	}
	s.manual.clock = now
	done, err := s.engine.Tick(ctx)
	return tick{timetext.Format(now), done}, err
}

func (s *Session) create(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	if !r.Has("room") {
		r.Require("mode") // else it may be the room's
	}
	n := finalbell.NewMatch{
		ID:         strictjson.One(r, "id", readName),
		Mode:       strictjson.One(r, "mode", readName),
		Room:       strictjson.One(r, "room", readName),
		Round:      strictjson.One(r, "round", readRound),
		Players:    strictjson.List(r, "players", readPlayer),
		Deadline:   strictjson.One(r, "deadline", ReadTime),
		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}
	at := strictjson.One(r, "at", ReadTime)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.made(s.engine.At(at).Create(ctx, n))
}

// step is what the lines that move a match say.
type step struct {
	match    string
	outcomes []finalbell.Outcome
	reason   string
	at       time.Time
	backfill bool
}

// readStep reads a step with the given fields beside match.
func readStep(v strictjson.Value, fields ...string) (step, error) {
	r := strictjson.Fields(v)
	r.Require("match")
	st := step{match: strictjson.One(r, "match", readName)}
	for _, name := range fields {
		switch name {
		case "outcomes":
			st.outcomes = strictjson.List(r, name, readOutcome)
		case "reason":
			st.reason = r.String(name)
		case "at":
			st.at = strictjson.One(r, name, ReadTime)
		case "backfill":
			st.backfill = r.Bool(name)
		}
	}
	return st, r.Done()
}

// readShortStep also takes the id of the match alone.
func readShortStep(v strictjson.Value, fields ...string) (step, error) {
	if v.Kind() == strictjson.String {
		id, err := readName(v)
		return step{match: id}, err
	}
	if v.Kind() != strictjson.Object {
		return step{}, v.Expected("a match's id or an object")
	}
	return readStep(v, fields...)
}

func (s *Session) start(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readShortStep(v, "at")
	if err != nil {
		return nil, err
	}
	return s.engine.At(st.at).Start(ctx, st.match)
}

func (s *Session) report(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readStep(v, "outcomes")
	if err != nil {
		return nil, err
	}
	return s.engine.Report(ctx, st.match, st.outcomes...)
}

// end takes no short form: an end without outcomes is no contest, which must be meant.
func (s *Session) end(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readStep(v, "outcomes", "at", "backfill")
	if err != nil {
		return nil, err
	}
	e := s.engine
	if st.backfill {
		e = e.Backfill()
	}
	return e.At(st.at).End(ctx, st.match, st.outcomes...)
}

func (s *Session) cancel(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readShortStep(v, "reason")
	if err != nil {
		return nil, err
	}
	return s.engine.Cancel(ctx, st.match, st.reason)
}

func (s *Session) match(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readShortStep(v)
	if err != nil {
		return nil, err
	}
	return s.engine.Match(ctx, st.match)
}

// matches lists matches in the order of their creation.
func (s *Session) matches(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	f := finalbell.MatchFilter{
		Player: strictjson.One(r, "player", readName),
		Mode:   strictjson.One(r, "mode", readName),
		Room:   strictjson.One(r, "room", readName),
		From:   strictjson.One(r, "from", ReadTime),
		To:     strictjson.One(r, "to", ReadTime),
		Newest: r.Bool("newest"),
	}
	if r.Has("state") {
		f.States = []finalbell.State{strictjson.Word(r, "state", finalbell.Created, finalbell.Started, finalbell.Disputed,
			finalbell.Ended, finalbell.Cancelled, finalbell.Expired, finalbell.Voided)}
	}
	limit := limitOf(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return List(s.engine.Matches(ctx, f), limit)
}

// verify takes true, for a verb needs an argument and there is nothing to choose.
func (s *Session) verify(ctx context.Context, v strictjson.Value) (any, error) {
	if v.Kind() != strictjson.Bool || v.Text() != "true" {
		return nil, v.Expected("true")
	}
	return s.engine.Verify(ctx)
}
