package finalbell

// MarshalJSON writes the session as every command prints it.
func (s Session) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Session    string            `json:"session"`
		Player     string            `json:"player"`
		Device     string            `json:"device,omitempty"`
		StartedAt  string            `json:"started_at"`
		SeenAt     string            `json:"seen_at"`
		EndedAt    string            `json:"ended_at,omitempty"`
		DurationMS int64             `json:"duration_ms"`
		Reason     string            `json:"reason,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
		Data       map[string]string `json:"data,omitempty"`
		Replayed   bool              `json:"replayed,omitempty"`
	}{
		s.ID, s.Player, s.Device, wireTime(s.StartedAt), wireTime(s.SeenAt), wireTime(s.EndedAt), s.Duration().Milliseconds(), s.Reason,
		s.Attributes, s.Data, s.Replayed,
	})
}

// MarshalJSON writes the totals as every command prints them.
func (t SessionTotals) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Sessions  int   `json:"sessions"`
		Open      int   `json:"open"`
		TotalMS   int64 `json:"total_ms"`
		LongestMS int64 `json:"longest_ms"`
		MeanMS    int64 `json:"mean_ms"`
	}{t.Sessions, t.Open, t.Total.Milliseconds(), t.Longest.Milliseconds(), t.Mean.Milliseconds()})
}
