package finalbell

import "github.com/finalbell/finalbell/internal/timetext"

// How money, grants and progress read as JSON.

// MarshalJSON writes the receipt as the lines credit, debit and transfer of a script print it.
func (r Receipt) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Posting  string           `json:"posting"`
		Replayed bool             `json:"replayed,omitempty"`
		Balances map[string]int64 `json:"balances"`
	}{r.Posting, r.Replayed, r.Balances})
}

// MarshalJSON writes the wallet, without its player, who is known.
func (w Wallet) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Balances  map[string]int64 `json:"balances"`
		Held      map[string]int64 `json:"held"`
		Unclaimed map[string]int64 `json:"unclaimed,omitempty"`
		Owed      map[string]int64 `json:"owed,omitempty"`
	}{w.Balances, w.Held, w.Unclaimed, w.Owed})
}

// MarshalJSON writes the line as the ledger prints it.
func (l Line) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		At       string `json:"at"`
		Posting  string `json:"posting"`
		Account  string `json:"account"`
		Currency string `json:"currency"`
		Amount   int64  `json:"amount"`
		Balance  int64  `json:"balance"`
		Kind     string `json:"kind"`
		Match    string `json:"match,omitempty"`
		Board    string `json:"board,omitempty"`
		Window   string `json:"window,omitempty"`
		Grant    string `json:"grant,omitempty"`
	}{timetext.Format(l.At), l.Posting, l.Account, l.Currency, l.Amount, l.Balance, l.Kind, l.Match, l.Board, l.Window, l.Grant})
}

// MarshalJSON writes the grant, what it is of under the name of its kind.
func (g Grant) MarshalJSON() ([]byte, error) {
	text := struct {
		ID          string     `json:"id"`
		Player      string     `json:"player"`
		Match       string     `json:"match,omitempty"`
		Board       string     `json:"board,omitempty"`
		Window      string     `json:"window,omitempty"`
		Partition   string     `json:"partition,omitempty"`
		Rule        string     `json:"rule"`
		Kind        GrantKind  `json:"kind"`
		Currency    string     `json:"currency,omitempty"`
		Item        string     `json:"item,omitempty"`
		Marker      string     `json:"marker,omitempty"`
		Achievement string     `json:"achievement,omitempty"`
		Custom      string     `json:"custom,omitempty"`
		Amount      int64      `json:"amount"`
		Old         *int64     `json:"old,omitempty"`
		New         *int64     `json:"new,omitempty"`
		State       GrantState `json:"state"`
		Expires     string     `json:"expires,omitempty"`
		Attempts    int        `json:"attempts,omitempty"`
		Turn        int        `json:"turn,omitempty"`
		Problem     string     `json:"problem,omitempty"`
	}{
		ID: g.ID, Player: g.Player, Match: g.Match, Board: g.Board, Window: g.Window, Partition: g.Partition, Rule: g.Rule, Kind: g.Kind,
		Amount: g.Amount, State: g.State, Expires: wireTime(g.Expires), Attempts: g.Attempts, Turn: g.Turn, Problem: g.Problem,
	}
	switch g.Kind {
	case CurrencyGrant:
		text.Currency = g.What
	case ItemGrant:
		text.Item = g.What
	case XPGrant:
		text.Marker = g.What
	case AchievementGrant:
		text.Achievement = g.What
	default:
		text.Custom = g.What
	}
	if g.Kind != CustomGrant && g.State == GrantGranted {
		text.Old, text.New = &g.Old, &g.New
	}
	return marshal(text)
}

// MarshalJSON writes the progress as the progress line of a script prints it.
func (p Progress) MarshalJSON() ([]byte, error) {
	type marker struct {
		Marker string `json:"marker"`
		Value  int64  `json:"value"`
		Level  int    `json:"level"`
		Next   int64  `json:"next,omitempty"`
	}
	type goal struct {
		Achievement string `json:"achievement"`
		Window      string `json:"window"`
		Value       Number `json:"value"`
		Threshold   Number `json:"threshold"`
		Remaining   Number `json:"remaining"`
		Reached     bool   `json:"reached,omitempty"`
	}
	return marshal(struct {
		Player  string           `json:"player"`
		Markers []marker         `json:"markers,omitempty"`
		Goals   []goal           `json:"achievements,omitempty"`
		Items   map[string]int64 `json:"items,omitempty"`
	}{p.Player, each(p.Markers, func(m MarkerProgress) marker { return marker(m) }), each(p.Goals, func(g GoalProgress) goal { return goal(g) }), p.Items})
}
