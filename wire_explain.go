package finalbell

import (
	"encoding/json"

	"github.com/finalbell/finalbell/internal/timetext"
)

// How explanations read as JSON. Rules stand in them as in the rules' own JSON form.

// ruleText is a rule as the JSON of rules has it.
func ruleText(of object) json.RawMessage {
	var c checker
	return c.append(nil, "", of)
}

// wireValue leaves out what is unknown.
func wireValue(v Value) *Value {
	if v.Places == nil && !v.Number.Known() {
		return nil
	}
	return &v
}

// MarshalJSON writes the explanation as every command prints it.
func (x RankExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Board     string                `json:"board"`
		Window    string                `json:"window"`
		Partition string                `json:"partition,omitempty"`
		Start     string                `json:"start,omitempty"`
		End       string                `json:"end,omitempty"`
		State     WindowState           `json:"state"`
		Of        Subject               `json:"of"`
		Ties      BoardTies             `json:"ties"`
		PerMatch  PerMatch              `json:"per_match,omitempty"`
		Player    string                `json:"player"`
		Rank      int                   `json:"rank"`
		Position  int                   `json:"position"`
		Size      int                   `json:"size"`
		Keys      []KeyExplanation      `json:"keys"`
		Reached   MomentExplanation     `json:"reached"`
		Above     *NeighbourExplanation `json:"above,omitempty"`
		Below     *NeighbourExplanation `json:"below,omitempty"`
		Inputs    []InputExplanation    `json:"inputs,omitempty"`
		Omitted   int                   `json:"omitted,omitempty"`
		Differs   string                `json:"differs,omitempty"`
	}{
		x.Board, x.Window, x.Partition, wireTime(x.Start), wireTime(x.End), x.State, x.Of, x.Ties, x.PerMatch, x.Player, x.Rank, x.Position,
		x.Size, x.Keys, x.Reached, x.Above, x.Below, x.Inputs, x.Omitted, x.Differs,
	})
}

// MarshalJSON writes the key with its rule as rules have it.
func (x KeyExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Rule    json.RawMessage `json:"rule"`
		Value   Value           `json:"value"`
		Results int             `json:"results"`
	}{ruleText(keyObject(x.Rule)), x.Value, x.Results})
}

// MarshalJSON writes the moment.
func (m MomentExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		At     string `json:"at"`
		Commit uint64 `json:"commit"`
		Place  int    `json:"place"`
		Match  string `json:"match,omitempty"`
	}{timetext.Format(m.At), m.Commit, m.Place, m.Match})
}

// MarshalJSON writes the neighbour: its entry, and what decided.
func (n NeighbourExplanation) MarshalJSON() ([]byte, error) {
	x := struct {
		Rank     int               `json:"rank"`
		Position int               `json:"position"`
		Player   string            `json:"player"`
		Values   []Value           `json:"values"`
		Decided  string            `json:"decided_by"`
		Key      *int              `json:"key,omitempty"`
		Reached  MomentExplanation `json:"reached"`
	}{n.Rank, n.Position, n.Player, n.Values, n.Decided, nil, n.Reached}
	if n.Decided == decidedKey {
		x.Key = &n.Key
	}
	return marshal(x)
}

// MarshalJSON writes the result under the id of its match.
func (in InputExplanation) MarshalJSON() ([]byte, error) {
	type value struct {
		Value  *Value `json:"value,omitempty"`
		Counts bool   `json:"counts,omitempty"`
		Why    string `json:"why,omitempty"`
	}
	return marshal(struct {
		Match   string  `json:"match"`
		Mode    string  `json:"mode"`
		Round   any     `json:"round,omitempty"`
		EndedAt string  `json:"ended_at"`
		Commit  uint64  `json:"commit"`
		Place   int     `json:"place"`
		Counts  bool    `json:"counts,omitempty"`
		Keys    []value `json:"keys"`
	}{in.Moment.Match, in.Mode, wireRound(in.Round), timetext.Format(in.Moment.At), in.Moment.Commit, in.Moment.Place, in.Counts,
		each(in.Keys, func(v InputValue) value { return value{wireValue(v.Value), v.Counts, v.Why} })})
}

// MarshalJSON writes the explanation as every command prints it.
func (x StandingExplanation) MarshalJSON() ([]byte, error) {
	type tieBreak struct {
		Metric string `json:"metric"`
		Order  Order  `json:"order"`
	}
	return marshal(struct {
		Match       string           `json:"match"`
		Mode        string           `json:"mode"`
		State       State            `json:"state"`
		Provisional bool             `json:"provisional,omitempty"`
		Draw        bool             `json:"draw,omitempty"`
		Player      string           `json:"player"`
		Team        string           `json:"team,omitempty"`
		Rank        int              `json:"rank,omitempty"`
		Position    int              `json:"position,omitempty"`
		Result      Result           `json:"result,omitempty"`
		Reason      string           `json:"reason"`
		Order       Order            `json:"order"`
		Ties        TieStyle         `json:"ties"`
		TieBreak    []tieBreak       `json:"tie_break,omitempty"`
		Fold        TeamFold         `json:"fold,omitempty"`
		Accepted    bool             `json:"accepted,omitempty"`
		Sides       int              `json:"sides,omitempty"`
		Finishers   *int             `json:"finishers,omitempty"`
		Side        *SideExplanation `json:"side,omitempty"`
		Above       *SideExplanation `json:"above,omitempty"`
		Below       *SideExplanation `json:"below,omitempty"`
		Differs     string           `json:"differs,omitempty"`
	}{
		x.Match, x.Mode, x.State, x.Provisional, x.Draw, x.Player, x.Team, x.Rank, x.Position, x.Result, x.Reason, x.Order, x.Ties,
		each(x.TieBreak, func(t TieBreak) tieBreak { return tieBreak(t) }), x.Fold, x.Accepted, x.Sides, ifAny(x.Sides, x.Finishers),
		x.Side, x.Above, x.Below, x.Differs,
	})
}

// ifAny leaves a number out where there is nothing of which it could be one.
func ifAny(of, n int) *int {
	if of == 0 {
		return nil
	}
	return &n
}

// MarshalJSON writes the side as it stands beside another.
func (x SideExplanation) MarshalJSON() ([]byte, error) {
	type member struct {
		Player  string  `json:"player"`
		Status  Status  `json:"status,omitempty"`
		Outcome *Number `json:"outcome,omitempty"`
		Counts  bool    `json:"counts,omitempty"`
	}
	text := struct {
		Player   string   `json:"player,omitempty"`
		Team     string   `json:"team,omitempty"`
		Rank     int      `json:"rank"`
		Position int      `json:"position"`
		Result   Result   `json:"result"`
		Decided  string   `json:"decided_by,omitempty"`
		Break    *int     `json:"break,omitempty"`
		Finished bool     `json:"finished,omitempty"`
		Status   Status   `json:"status,omitempty"`
		Score    *Exact   `json:"score,omitempty"`
		Reported bool     `json:"score_reported,omitempty"`
		Breaks   []Exact  `json:"breaks,omitempty"`
		Given    int      `json:"reported_rank,omitempty"`
		Members  []member `json:"members,omitempty"`
	}{
		Player: x.Player, Team: x.Team, Rank: x.Rank, Position: x.Position, Result: x.Result, Decided: x.Decided, Finished: x.Finished,
		Status: x.Status, Reported: x.Reported, Breaks: x.Breaks, Given: x.Given,
		Members: each(x.Members, func(m MemberExplanation) member { return member{m.Player, m.Status, wireNumber(m.Outcome), m.Counts} }),
	}
	if x.Finished {
		text.Score = &x.Score
	}
	if x.Decided == decidedBreak {
		text.Break = &x.Break
	}
	return marshal(text)
}

// MarshalJSON writes a number, a fraction as text, or null for what is not known.
func (x Exact) MarshalJSON() ([]byte, error) {
	if x.Fraction != "" {
		return marshal(x.Fraction)
	}
	return marshal(x.Number)
}

// String is the number or the fraction.
func (x Exact) String() string {
	if x.Fraction != "" {
		return x.Fraction
	}
	return x.Number.String()
}
