package finalbell

import (
	"encoding/json"

	"github.com/finalbell/finalbell/internal/timetext"
)

// How the explanations of grants read as JSON.

// MarshalJSON writes the explanation as every command prints it.
func (x GrantExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Grant       Grant                   `json:"grant"`
		Revision    int                     `json:"revision,omitempty"`
		Prize       *PrizeExplanation       `json:"prize,omitempty"`
		Gain        *GainExplanation        `json:"gain,omitempty"`
		Achievement *AchievementExplanation `json:"achievement,omitempty"`
		Level       *LevelExplanation       `json:"level,omitempty"`
		History     []Line                  `json:"history,omitempty"`
		Omitted     int                     `json:"omitted,omitempty"`
		Differs     string                  `json:"differs,omitempty"`
	}{x.Grant, x.Revision, x.Prize, x.Gain, x.Achievement, x.Level, x.History, x.Omitted, x.Differs})
}

// MarshalJSON writes the prize with its row of the table.
func (x PrizeExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Rule       json.RawMessage    `json:"rule"`
		Bots       Policy             `json:"bots"`
		Unfinished Policy             `json:"unfinished"`
		PassedOver int                `json:"passed_over,omitempty"`
		Rank       int                `json:"rank"`
		Position   int                `json:"position"`
		Place      int                `json:"place"`
		PrizeRank  int                `json:"prize_rank"`
		First      int                `json:"first"`
		Last       int                `json:"last"`
		From       int                `json:"from"`
		To         int                `json:"to,omitempty"`
		Size       int                `json:"size"`
		Places     []PlaceExplanation `json:"places"`
		Pool       *PoolExplanation   `json:"pool,omitempty"`
		Total      int64              `json:"total"`
		Among      int                `json:"among"`
		Index      int                `json:"index"`
		Odd        int                `json:"odd"`
		Amount     int64              `json:"amount"`
	}{
		ruleText(prizeObject(x.Rule)), x.Bots, x.Unfinished, x.PassedOver, x.Rank, x.Position, x.Place, x.PrizeRank, x.First, x.Last, x.From, x.To,
		x.Size, x.Places, x.Pool, x.Total, x.Among, x.Index, x.Odd, x.Amount,
	})
}

// MarshalJSON writes the place.
func (x PlaceExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Place   int     `json:"place"`
		Player  string  `json:"player,omitempty"`
		Team    string  `json:"team,omitempty"`
		Prize   string  `json:"prize"`
		Worth   int     `json:"worth"`
		Percent *Number `json:"percent,omitempty"`
		Amount  int64   `json:"amount"`
	}{x.Place, x.Player, x.Team, x.Prize, x.Worth, wireNumber(x.Percent), x.Amount})
}

// MarshalJSON writes the pool with the fee as rules have it.
func (x PoolExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Fee      json.RawMessage    `json:"fee"`
		Payers   int                `json:"payers"`
		Fees     int64              `json:"fees"`
		HouseFee int64              `json:"house_fee"`
		Pool     int64              `json:"pool"`
		Shares   []PlaceExplanation `json:"shares"`
		Omitted  int                `json:"omitted,omitempty"`
		Unpaid   int64              `json:"unpaid,omitempty"`
	}{ruleText(feeObject(x.Fee)), x.Payers, x.Fees, x.HouseFee, x.Pool, x.Shares, x.Omitted, x.Unpaid})
}

// MarshalJSON writes the gain with its rule.
func (x GainExplanation) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Rule   json.RawMessage `json:"rule"`
		Value  *Number         `json:"value,omitempty"`
		Amount int64           `json:"amount"`
	}{ruleText(gainObject(x.Rule)), wireNumber(x.Value), x.Amount})
}

// MarshalJSON writes the achievement with its rule.
func (x AchievementExplanation) MarshalJSON() ([]byte, error) {
	text := struct {
		Rule    json.RawMessage `json:"rule"`
		Window  string          `json:"window"`
		Reward  *int            `json:"reward,omitempty"`
		Value   *Number         `json:"value,omitempty"`
		Match   string          `json:"match,omitempty"`
		Matches []GoalMatch     `json:"matches,omitempty"`
		Omitted int             `json:"omitted,omitempty"`
	}{ruleText(achievementObject(x.Rule)), x.Window, nil, wireNumber(x.Value), x.Match, x.Matches, x.Omitted}
	if x.Reward >= 0 {
		text.Reward = &x.Reward
	}
	return marshal(text)
}

// MarshalJSON writes the match.
func (x GoalMatch) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Match  string  `json:"match"`
		At     string  `json:"at"`
		Value  *Number `json:"value,omitempty"`
		Before *Number `json:"before,omitempty"`
		After  *Number `json:"after,omitempty"`
	}{x.Match, timetext.Format(x.At), wireNumber(x.Value), wireNumber(x.Before), wireNumber(x.After)})
}

// MarshalJSON writes the level.
func (x LevelExplanation) MarshalJSON() ([]byte, error) {
	text := struct {
		Marker    string `json:"marker"`
		Level     int    `json:"level"`
		Threshold int64  `json:"threshold"`
		Reward    int    `json:"reward"`
		Value     int64  `json:"value"`
		ReachedBy string `json:"reached_by,omitempty"`
		Was       *int64 `json:"was,omitempty"`
		Became    *int64 `json:"became,omitempty"`
	}{Marker: x.Marker, Level: x.Level, Threshold: x.Threshold, Reward: x.Reward, Value: x.Value, ReachedBy: x.ReachedBy}
	if x.ReachedBy != "" {
		text.Was, text.Became = &x.Was, &x.Became
	}
	return marshal(text)
}
