package finalbell

// Players' pasts as JSON.

// MarshalJSON writes the row as a line of history: the match, and what is the player's own in it.
func (h HistoryRow) MarshalJSON() ([]byte, error) {
	s := h.Standing
	return marshal(struct {
		Match    string            `json:"match"`
		Mode     string            `json:"mode"`
		Room     string            `json:"room,omitempty"`
		Round    any               `json:"round,omitempty"`
		EndedAt  string            `json:"ended_at"`
		State    State             `json:"state"`
		Team     string            `json:"team,omitempty"`
		Rank     int               `json:"rank,omitempty"`
		Position int               `json:"position,omitempty"`
		Outcome  *Number           `json:"outcome,omitempty"`
		Status   Status            `json:"status,omitempty"`
		Metrics  map[string]Number `json:"metrics,omitempty"`
		Result   Result            `json:"result,omitempty"`
		Paid     int64             `json:"paid,omitempty"`
		Boards   []BoardMove       `json:"boards,omitempty"`
		Grants   []Grant           `json:"grants,omitempty"`
		Summary  *Summary          `json:"summary,omitempty"`
	}{h.Match, h.Mode, h.Room, wireRound(h.Round), wireTime(h.EndedAt), h.State, s.Team, s.Rank, s.Position, wireNumber(s.Outcome), s.Status, s.Metrics,
		s.Result, s.Paid, s.Boards, s.Grants, s.Summary.wire()})
}

// wire leaves out the summary of a match that does not count.
func (s Summary) wire() *Summary {
	if s.Played == 0 {
		return nil
	}
	return &s
}

// MarshalJSON writes the summary as it stands in a standing.
func (s Summary) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Played       int     `json:"played"`
		Streak       int     `json:"streak"`
		Best         *Number `json:"best,omitempty"`
		PersonalBest bool    `json:"personal_best,omitempty"`
	}{s.Played, s.Streak, wireNumber(s.Best), s.PersonalBest})
}

// MarshalJSON writes the tally with its time in milliseconds.
func (t Tally) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Played        int     `json:"played"`
		Won           int     `json:"won"`
		Drawn         int     `json:"drawn"`
		Lost          int     `json:"lost"`
		None          int     `json:"none"`
		Streak        int     `json:"streak"`
		LongestStreak int     `json:"longest_streak"`
		TotalMS       int64   `json:"total_ms"`
		Best          *Number `json:"best,omitempty"`
		Mean          *Number `json:"mean,omitempty"`
	}{t.Played, t.Won, t.Drawn, t.Lost, t.None, t.Streak, t.LongestStreak, t.Total.Milliseconds(), wireNumber(t.Best), wireNumber(t.Mean)})
}

// MarshalJSON writes the player as the player line of a script prints it.
func (p Player) MarshalJSON() ([]byte, error) {
	type stats struct {
		Overall Tally            `json:"overall"`
		Modes   map[string]Tally `json:"modes"`
	}
	type level struct {
		Value int64 `json:"value"`
		Level int   `json:"level"`
		Next  int64 `json:"next,omitempty"`
	}
	levels := make(map[string]level, len(p.Levels))
	for _, l := range p.Levels {
		levels[l.Marker] = level{l.Value, l.Level, l.Next}
	}
	return marshal(struct {
		Player string           `json:"player"`
		Stats  stats            `json:"stats"`
		Levels map[string]level `json:"levels,omitempty"`
	}{p.ID, stats{p.Overall, p.Modes}, levels})
}

// MarshalJSON writes the two as the head_to_head line of a script prints them.
func (h HeadToHead) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Players [2]string `json:"players"`
		Played  int       `json:"played"`
		Won     [2]int    `json:"won"`
		Drawn   int       `json:"drawn"`
	}{h.Players, h.Played, h.Won, h.Drawn})
}
