package transcript

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/timetext"
)

// Record is a match that is over: what was created, when each step was taken, and what was reported. No step
// comes before the one before it, so that EndedAt is the latest time.
type Record struct {
	Match                         finalbell.NewMatch
	CreatedAt, StartedAt, EndedAt time.Time
	Outcomes                      []finalbell.Outcome
}

// ParseRecord reads one line of match records. What no mode could take is refused here already, so that a
// record is imported whole or not begun, and an error names the field.
//
// Every participant is reported, if only by name: an outcome of null is what the mode's Missing says; but of no_contest
// nobody is. teams are the teams' own scores.
//
// Times that are not given: ended_at is the later of the others, started_at is ended_at, and created_at is
// started_at, which without one is ended_at too. Without any time the record is refused.
func ParseRecord(line []byte) (Record, error) {
	v, err := strictjson.Parse(line)
	if err != nil {
		return Record{}, err
	}
	r := strictjson.Fields(v)
	r.Require("id", "mode", "participants")
	strictjson.Word(r, "type", "match")
	record := Record{
		Match: finalbell.NewMatch{
			ID:         strictjson.One(r, "id", readName),
			Mode:       strictjson.One(r, "mode", readName),
			Room:       strictjson.One(r, "room", readName),
			Round:      strictjson.One(r, "round", readRound),
			Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
		},
		CreatedAt: strictjson.One(r, "created_at", ReadTime),
		StartedAt: strictjson.One(r, "started_at", ReadTime),
		EndedAt:   strictjson.One(r, "ended_at", ReadTime),
	}
	record.read(r)
	if err := r.Done(); err != nil {
		return Record{}, err
	}
	return record.timed()
}

// read takes who was in the match and what was reported of them.
func (record *Record) read(r *strictjson.Reader) {
	noContest, teams := r.Bool("no_contest"), strictjson.Map(r, "teams", exactly(readNumber))
	plays := make(map[string]bool)
	for _, p := range strictjson.List(r, "participants", readParticipant) {
		record.Match.Players = append(record.Match.Players, p.seat)
		plays[p.seat.Team] = true
		_, scored := teams[p.seat.Team]
		o := p.outcome
		switch {
		case noContest && (o.Value.Known() || o.Status != "" || o.Metrics != nil || o.Rank != 0):
			r.Fail(fmt.Errorf("participants: %q has a result in a match of no contest", clip(p.seat.Player)))
		case o.Status == finalbell.Finished && !o.Value.Known() && !scored:
			r.Fail(p.value.Errorf("finished without a number"))
		case !noContest:
			record.Outcomes = append(record.Outcomes, o)
		}
	}
	for _, team := range slices.Sorted(maps.Keys(teams)) {
		if noContest || !plays[team] {
			r.Fail(fmt.Errorf("teams: nobody who plays for %q has a result", clip(team)))
		}
		record.Outcomes = append(record.Outcomes, finalbell.Outcome{Team: team, Value: teams[team]})
	}
}

// timed fills in the times that are not given and refuses steps in the wrong order.
func (r Record) timed() (Record, error) {
	if r.EndedAt.IsZero() {
		r.EndedAt = r.StartedAt
		if r.CreatedAt.After(r.EndedAt) {
			r.EndedAt = r.CreatedAt
		}
	}
	if r.EndedAt.IsZero() {
		return Record{}, errors.New("ended_at: the field is missing, and there is no other time")
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = r.EndedAt
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = r.StartedAt
	}
	switch {
	case r.StartedAt.Before(r.CreatedAt):
		return Record{}, fmt.Errorf("started_at: %s is before created_at, %s", timetext.Format(r.StartedAt), timetext.Format(r.CreatedAt))
	case r.EndedAt.Before(r.StartedAt):
		return Record{}, fmt.Errorf("ended_at: %s is before started_at, %s", timetext.Format(r.EndedAt), timetext.Format(r.StartedAt))
	}
	return r, nil
}

// participant is one player of a record: their seat and their outcome.
type participant struct {
	seat    finalbell.Participant
	outcome finalbell.Outcome
	value   strictjson.Value
}

func readParticipant(v strictjson.Value) (participant, error) {
	r := strictjson.Fields(v)
	r.Require("player")
	p := participant{value: v, seat: finalbell.Participant{
		Player: strictjson.One(r, "player", readName),
		Team:   strictjson.One(r, "team", readName),
		Bot:    r.Bool("bot"),

		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}}
	p.outcome = finalbell.Outcome{
		Player:  p.seat.Player,
		Value:   strictjson.One(r, "outcome", exactly(readOutcomeNumber)),
		Status:  strictjson.One(r, "status", readStatus),
		Metrics: strictjson.Map(r, "metrics", exactly(readNumber)),
		Rank:    strictjson.One(r, "rank", readRank),
	}
	return p, r.Done()
}

// exactly refuses at once the numbers that the engine would refuse once the match is there.
func exactly(read func(strictjson.Value) (finalbell.Number, error)) func(strictjson.Value) (finalbell.Number, error) {
	return func(v strictjson.Value) (finalbell.Number, error) {
		n, err := read(v)
		if err == nil && n.Err() != nil {
			err = v.Errorf("%w", n.Err())
		}
		return n, err
	}
}

// readStatus takes the words of a record. An error lists them, and the two other spellings with them.
func readStatus(v strictjson.Value) (finalbell.Status, error) {
	text, err := v.AsString()
	if err != nil {
		return "", err
	}
	allowed := []finalbell.Status{
		finalbell.Finished, finalbell.DNF, "dns", "dsq", finalbell.Disqualified, finalbell.Forfeit, finalbell.Left, finalbell.NoShow,
	}
	for _, status := range allowed {
		if text == string(status) {
			return status, nil
		}
	}
	return "", v.Expected(strictjson.OneOf(allowed...))
}

// Import runs a record through create, start and end, at its own times, of which none may be after the
// engine's now. It closes no window. replayed says that the same record had been imported before, or tells of a match just
// what an export does; then nothing changes. The same id with other content, times included, is ErrExists.
//
// A record that only End can refuse, such as one with a metric that the mode gives by itself, leaves its match
// started; imported again with the fault corrected it goes on from there.
func Import(ctx context.Context, e *finalbell.Engine, r Record) (replayed bool, err error) {
	replayed, err = r.bring(ctx, e.Backfill())
	if errors.Is(err, finalbell.ErrExists) {
		// It may have been amended since, or a player forgotten.
		if m, readErr := e.Match(ctx, r.Match.ID); readErr == nil && r.tells(m, modeOf(e, m.Mode)) {
			return true, nil
		}
	}
	return replayed, err
}

// bring takes the steps of a record.
func (r Record) bring(ctx context.Context, e *finalbell.Engine) (replayed bool, err error) {
	m, err := e.At(r.CreatedAt).Create(ctx, r.Match)
	if errors.Is(err, finalbell.ErrExists) || err == nil && m.Replayed && !r.sameTimes(m) {
		return false, r.exists()
	}
	if err != nil {
		return false, err
	}
	if _, err = e.At(r.StartedAt).Start(ctx, r.Match.ID); err != nil {
		return false, err
	}
	m, err = e.At(r.EndedAt).End(ctx, r.Match.ID, r.Outcomes...)
	if errors.Is(err, finalbell.ErrAlreadyEnded) {
		return false, r.exists()
	}
	return m.Replayed, err
}

// sameTimes reports whether the steps that m has taken were taken when the record says.
func (r Record) sameTimes(m finalbell.Match) bool {
	return m.CreatedAt.Equal(r.CreatedAt) &&
		(m.StartedAt.IsZero() || m.StartedAt.Equal(r.StartedAt)) &&
		(m.State != finalbell.Ended || m.EndedAt.Equal(r.EndedAt))
}

func (r Record) exists() error {
	return &finalbell.Error{Op: "import match", ID: r.Match.ID,
		Err: fmt.Errorf("the id %w with other content", finalbell.ErrExists)}
}
