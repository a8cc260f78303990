package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
)

// Ended matches as records: what Import makes of one is the match that it was made of.

// RecordOf is the record of an ended match, as it stands, for an engine by whose rules its mode is as given.
func RecordOf(m finalbell.Match, mode finalbell.Mode) Record {
	r := Record{CreatedAt: m.CreatedAt, StartedAt: m.StartedAt, EndedAt: m.EndedAt}
	r.Match, r.Outcomes = m.Played(mode)
	return r
}

// modeOf is a mode as an engine's rules have it, or one of which nothing is said.
func modeOf(e *finalbell.Engine, id string) finalbell.Mode {
	for _, mode := range e.Rules().Modes {
		if mode.ID == id {
			return mode
		}
	}
	return finalbell.Mode{ID: id}
}

// tells reports whether a match is just what the record says.
func (r Record) tells(m finalbell.Match, mode finalbell.Mode) bool {
	if m.State != finalbell.Ended {
		return false
	}
	mine, err1 := r.Line()
	its, err2 := RecordOf(m, mode).Line()
	return err1 == nil && err2 == nil && bytes.Equal(mine, its)
}

type recordText struct {
	Type         string                      `json:"type"`
	ID           string                      `json:"id"`
	Mode         string                      `json:"mode"`
	Room         string                      `json:"room,omitempty"`
	Round        any                         `json:"round,omitempty"`
	CreatedAt    string                      `json:"created_at,omitempty"`
	StartedAt    string                      `json:"started_at,omitempty"`
	EndedAt      string                      `json:"ended_at"`
	NoContest    bool                        `json:"no_contest,omitempty"`
	Attributes   map[string]string           `json:"attributes,omitempty"`
	Teams        map[string]finalbell.Number `json:"teams,omitempty"`
	Participants []participantText           `json:"participants"`
}

type participantText struct {
	Player     string                      `json:"player"`
	Team       string                      `json:"team,omitempty"`
	Bot        bool                        `json:"bot,omitempty"`
	Attributes map[string]string           `json:"attributes,omitempty"`
	Outcome    json.RawMessage             `json:"outcome,omitempty"` // null: nothing reported; empty: no contest
	Status     finalbell.Status            `json:"status,omitempty"`
	Rank       int                         `json:"rank,omitempty"`
	Metrics    map[string]finalbell.Number `json:"metrics,omitempty"`
}

// Line is the record as one line of JSON, the same bytes for the same record. Times that follow from the others are left
// out.
func (r Record) Line() ([]byte, error) { return Encode(r.text()) }

func (r Record) text() recordText {
	text := recordText{Type: "match", ID: r.Match.ID, Mode: r.Match.Mode, Room: r.Match.Room, Round: roundText(r.Match.Round),
		EndedAt: timetext.Format(r.EndedAt), Attributes: r.Match.Attributes, Participants: []participantText{}}
	text.StartedAt = unless(r.StartedAt, r.EndedAt)
	text.CreatedAt = unless(r.CreatedAt, r.StartedAt)
	reported := make(map[string]finalbell.Outcome, len(r.Outcomes))
	for _, o := range r.Outcomes {
		if o.Player != "" {
			reported[o.Player] = o
			continue
		}
		if text.Teams == nil {
			text.Teams = make(map[string]finalbell.Number)
		}
		text.Teams[o.Team] = o.Value
	}
	text.NoContest = len(r.Outcomes) == 0
	for _, p := range r.Match.Players {
		line := participantText{Player: p.Player, Team: p.Team, Bot: p.Bot, Attributes: p.Attributes}
		if o := reported[p.Player]; !text.NoContest {
			line.Outcome, line.Status, line.Rank, line.Metrics = json.RawMessage("null"), canonical(o.Status), o.Rank, o.Metrics
			if o.Value.Known() {
				line.Outcome = json.RawMessage(o.Value.String())
				if line.Status == "" {
					line.Status = finalbell.Finished
				}
			}
		}
		text.Participants = append(text.Participants, line)
	}
	return text
}

// canonical is the engine's own word for a status.
func canonical(s finalbell.Status) finalbell.Status {
	switch s {
	case "dsq":
		return finalbell.Disqualified
	case "dns":
		return finalbell.NoShow
	}
	return s
}

// unless is a time as text, empty for the one that it would be taken for without.
func unless(t, taken time.Time) string {
	if t.Equal(taken) {
		return ""
	}
	return timetext.Format(t)
}

// roundText is a round that can be a number as one.
func roundText(label string) any {
	if n, err := strconv.Atoi(label); err == nil && n >= 0 && strconv.Itoa(n) == label {
		return n
	}
	if label == "" {
		return nil
	}
	return label
}

// Records calls take for every ended match of an engine, in the order of the commits that ended them, and stops at its error.
func Records(ctx context.Context, e *finalbell.Engine, take func(Record) error) error {
	modes := make(map[string]finalbell.Mode)
	for _, mode := range e.Rules().Modes {
		modes[mode.ID] = mode
	}
	for m, err := range e.Ended(ctx) {
		if err == nil {
			err = take(RecordOf(m, modes[m.Mode]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// MetricNames are the names of all metrics in the records of an engine, in order.
func MetricNames(ctx context.Context, e *finalbell.Engine) ([]string, error) {
	found := make(map[string]bool)
	err := Records(ctx, e, func(r Record) error {
		for _, o := range r.Outcomes {
			for name := range o.Metrics {
				found[name] = true
			}
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found)), err
}
