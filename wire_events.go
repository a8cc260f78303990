package finalbell

import "encoding/json"

// MarshalJSON writes the event as every command prints it.
func (ev Event) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		ID        string          `json:"id,omitempty"`
		Position  uint64          `json:"position"`
		At        string          `json:"at,omitempty"`
		Kind      EventKind       `json:"kind"`
		Subject   string          `json:"subject,omitempty"`
		Board     string          `json:"board,omitempty"`
		Window    string          `json:"window,omitempty"`
		Partition string          `json:"partition,omitempty"`
		Player    string          `json:"player,omitempty"`
		By        string          `json:"by,omitempty"`
		OldRank   int             `json:"old_rank,omitempty"`
		Rank      int             `json:"rank,omitempty"`
		Missed    int             `json:"missed,omitempty"`
		Body      json.RawMessage `json:"body,omitempty"`
		Match     *Match          `json:"match,omitempty"`
	}{ev.ID, ev.Position, wireTime(ev.At), ev.Kind, ev.Subject, ev.Board, ev.Window, ev.Partition, ev.Player, ev.By, ev.OldRank, ev.Rank, ev.Missed, ev.Body, ev.Match})
}
