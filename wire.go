package finalbell

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell/internal/timetext"
)

// How our types read as JSON: the names and the order are those of formats.md, and what is unknown, empty or
// false is left out.

// marshal writes <, > and & as they are. encoding/json escapes them for the sake of HTML, and what a MarshalJSON
// has escaped no encoder around it can take back; json.Marshal around it still does escape.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// MarshalJSON writes the match as every command prints it.
func (m Match) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		ID          string            `json:"id"`
		Mode        string            `json:"mode"`
		Room        string            `json:"room,omitempty"`
		Round       any               `json:"round,omitempty"`
		State       State             `json:"state"`
		CreatedAt   string            `json:"created_at,omitempty"`
		StartedAt   string            `json:"started_at,omitempty"`
		EndedAt     string            `json:"ended_at,omitempty"`
		Deadline    string            `json:"deadline,omitempty"`
		NoContest   bool              `json:"no_contest,omitempty"`
		Draw        bool              `json:"draw,omitempty"`
		Provisional bool              `json:"provisional,omitempty"`
		Replayed    bool              `json:"replayed,omitempty"`
		Reason      string            `json:"reason,omitempty"`
		Revision    int               `json:"revision,omitempty"`
		Corrections []Correction      `json:"corrections,omitempty"`
		Attributes  map[string]string `json:"attributes,omitempty"`
		Data        map[string]string `json:"data,omitempty"`
		Standings   []Standing        `json:"standings,omitempty"`
	}{
		m.ID, m.Mode, m.Room, wireRound(m.Round), m.State, wireTime(m.CreatedAt), wireTime(m.StartedAt),
		wireTime(m.EndedAt), wireTime(m.Deadline), m.NoContest, m.Draw, m.Provisional, m.Replayed, m.Reason,
		m.Revision, m.Corrections, m.Attributes, m.Data, m.Standings,
	})
}

// wireRound prints a round that was given as a number as one.
func wireRound(label string) any {
	if n, err := strconv.Atoi(label); err == nil && n >= 0 && strconv.Itoa(n) == label {
		return n
	}
	if label == "" {
		return nil
	}
	return label
}

func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timetext.Format(t)
}

// wireNumber leaves unknown numbers out and prints a known 0.
func wireNumber(n Number) *Number {
	if !n.Known() {
		return nil
	}
	return &n
}

// MarshalJSON writes the standing as it stands in a match.
func (s Standing) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Player     string            `json:"player"`
		Team       string            `json:"team,omitempty"`
		Bot        bool              `json:"bot,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
		Outcome    *Number           `json:"outcome,omitempty"`
		Status     Status            `json:"status,omitempty"`
		Gone       Status            `json:"gone,omitempty"`
		Metrics    map[string]Number `json:"metrics,omitempty"`
		Rank       int               `json:"rank,omitempty"`
		Position   int               `json:"position,omitempty"`
		Result     Result            `json:"result,omitempty"`
		Held       int64             `json:"held,omitempty"`
		Paid       int64             `json:"paid,omitempty"`
		Grants     []Grant           `json:"grants,omitempty"`
		Boards     []BoardMove       `json:"boards,omitempty"`
		Summary    *Summary          `json:"summary,omitempty"`
	}{s.Player, s.Team, s.Bot, s.Attributes, wireNumber(s.Outcome), s.Status, s.Gone, s.Metrics, s.Rank, s.Position, s.Result, s.Held, s.Paid, s.Grants, s.Boards, s.Summary.wire()})
}

// MarshalJSON writes the move as it stands in a standing.
func (b BoardMove) MarshalJSON() ([]byte, error) {
	among := Number{}
	if b.Size > 0 {
		among = percentile(b.Size, b.Rank)
	}
	return marshal(struct {
		Board      string   `json:"board"`
		Window     string   `json:"window"`
		Partition  string   `json:"partition,omitempty"`
		Late       bool     `json:"late,omitempty"`
		OldRank    int      `json:"old_rank,omitempty"`
		Rank       int      `json:"rank,omitempty"`
		Size       int      `json:"size,omitempty"`
		Percentile *Number  `json:"percentile,omitempty"`
		Values     []Value  `json:"values,omitempty"`
		Passed     []string `json:"passed,omitempty"`
	}{b.Board, b.Window, b.Partition, b.Late, b.OldRank, b.Rank, b.Size, wireNumber(among), b.Values, b.Passed})
}

// MarshalJSON writes a number, or for countback an array up to the worst place held.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Places != nil {
		return marshal(v.Places)
	}
	return marshal(v.Number)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, &v.Places)
	}
	n, ok := sumOf(string(text))
	if !ok {
		return refuse(ErrOutcome, quote(string(text))+" is no value of a board")
	}
	v.Number = n
	return nil
}

// MarshalJSON writes the page as every command prints it.
func (p Page) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Board     string      `json:"board"`
		Window    string      `json:"window"`
		Partition string      `json:"partition,omitempty"`
		Start     string      `json:"start,omitempty"`
		End       string      `json:"end,omitempty"`
		State     WindowState `json:"state"`
		Size      int         `json:"size"`
		Entries   []Entry     `json:"entries,omitempty"`
		Next      string      `json:"next,omitempty"`
	}{p.Board, p.Window, p.Partition, wireTime(p.Start), wireTime(p.End), p.State, p.Size, p.Entries, p.Next})
}

// MarshalJSON writes the window, without its board, which the caller knows.
func (w Window) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Window string      `json:"window"`
		Start  string      `json:"start,omitempty"`
		End    string      `json:"end,omitempty"`
		State  WindowState `json:"state"`
		Size   int         `json:"size"`
	}{w.ID, wireTime(w.Start), wireTime(w.End), w.State, w.Size})
}

// MarshalJSON writes the entry as it stands on a page.
func (e Entry) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Rank     int     `json:"rank"`
		Position int     `json:"position"`
		Player   string  `json:"player"`
		Values   []Value `json:"values"`
	}{e.Rank, e.Position, e.Player, e.Values})
}

// MarshalJSON writes the placing; null for a player without an entry.
func (p Placing) MarshalJSON() ([]byte, error) {
	if p.Rank == 0 {
		return []byte("null"), nil
	}
	return marshal(struct {
		Player     string  `json:"player"`
		Rank       int     `json:"rank"`
		Position   int     `json:"position"`
		Size       int     `json:"size"`
		Percentile Number  `json:"percentile"`
		Values     []Value `json:"values"`
	}{p.Player, p.Rank, p.Position, p.Size, p.Percentile, p.Values})
}

// MarshalJSON writes the bucket; an open end is left out.
func (b Bucket) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		From  *Number `json:"from,omitempty"`
		To    *Number `json:"to,omitempty"`
		Count int     `json:"count"`
	}{wireNumber(b.From), wireNumber(b.To), b.Count})
}

// MarshalJSON writes what was done as the now line of a script prints it.
func (d Done) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Kind string `json:"kind"`
		ID   string `json:"id"`
		Due  string `json:"due"`
	}{d.Kind, d.ID, timetext.Format(d.Due)})
}

// MarshalJSON writes what a rebuild did as every command prints it.
func (r Rebuilt) MarshalJSON() ([]byte, error) {
	type window struct {
		Window    string        `json:"window"`
		Partition string        `json:"partition,omitempty"`
		State     WindowState   `json:"state"`
		Before    int           `json:"before"`
		After     int           `json:"after"`
		Moves     []RebuiltMove `json:"moves,omitempty"`
	}
	type board struct {
		Board   string   `json:"board"`
		Added   bool     `json:"added,omitempty"`
		Windows []window `json:"windows,omitempty"`
	}
	return marshal(struct {
		Matches int     `json:"matches"`
		Boards  []board `json:"boards,omitempty"`
	}{r.Matches, each(r.Boards, func(b RebuiltBoard) board {
		return board{b.Board, b.Added, each(b.Windows, func(w RebuiltWindow) window { return window(w) })}
	})})
}

// MarshalJSON writes the move of one entry.
func (m RebuiltMove) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Player    string  `json:"player"`
		OldRank   int     `json:"old_rank,omitempty"`
		Rank      int     `json:"rank,omitempty"`
		OldValues []Value `json:"old_values,omitempty"`
		Values    []Value `json:"values,omitempty"`
	}{m.Player, m.OldRank, m.Rank, m.OldValues, m.Values})
}

// lateBody is a refused report as its event keeps it, and a sum that tells it from other ones. The order in
// which it named the players does not matter.
func lateBody(outcomes []Outcome) ([]byte, digest, error) {
	type line struct {
		Player  string            `json:"player,omitempty"`
		Team    string            `json:"team,omitempty"`
		Outcome *Number           `json:"outcome,omitempty"`
		Status  Status            `json:"status,omitempty"`
		Metrics map[string]Number `json:"metrics,omitempty"`
		Rank    int               `json:"rank,omitempty"`
	}
	lines := make([]line, len(outcomes))
	for i, o := range outcomes {
		lines[i] = line{o.Player, o.Team, wireNumber(o.Value), o.Status, o.Metrics, o.Rank}
		if err := o.Value.Err(); err != nil {
			return nil, digest{}, err
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Player, b.Player), cmp.Compare(a.Team, b.Team))
	})
	body, err := marshal(struct {
		Outcomes []line `json:"outcomes"`
	}{lines})
	return body, sha256.Sum256(body), err
}
