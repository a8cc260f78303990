package finalbell

// MarshalJSON writes the room as every command prints it.
func (r Room) MarshalJSON() ([]byte, error) {
	type limits struct {
		Min int `json:"min,omitempty"`
		Max int `json:"max,omitempty"`
	}
	var players *limits
	if r.Players != (Limits{}) {
		players = &limits{r.Players.Min, r.Players.Max}
	}
	return marshal(struct {
		Room       string            `json:"room"`
		Mode       string            `json:"mode"`
		State      RoomState         `json:"state"`
		Players    *limits           `json:"players,omitempty"`
		Wait       int64             `json:"wait_ms,omitempty"`
		OpenedAt   string            `json:"opened_at,omitempty"`
		ClosedAt   string            `json:"closed_at,omitempty"`
		Deadline   string            `json:"deadline,omitempty"`
		Match      string            `json:"match,omitempty"`
		Matches    int               `json:"matches,omitempty"`
		Reason     string            `json:"reason,omitempty"`
		Members    []Member          `json:"members,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
		Replayed   bool              `json:"replayed,omitempty"`
	}{r.ID, r.Mode, r.State, players, r.Wait.Milliseconds(), wireTime(r.OpenedAt), wireTime(r.ClosedAt), wireTime(r.Deadline), r.Match, r.Matches,
		r.Reason, r.Members, r.Attributes, r.Replayed})
}

// MarshalJSON writes the member as it stands in a room.
func (m Member) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Player     string            `json:"player"`
		Team       string            `json:"team,omitempty"`
		Bot        bool              `json:"bot,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
		JoinedAt   string            `json:"joined_at"`
		Held       int64             `json:"held,omitempty"`
	}{m.Player, m.Team, m.Bot, m.Attributes, wireTime(m.JoinedAt), m.Held})
}
