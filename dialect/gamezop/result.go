package gamezop

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/web"
)

// result is what match-result answers.
type result struct {
	Data    game   `json:"data"`
	Success bool   `json:"success"`
	Message string `json:"message"`
}

// game is a match as Gamezop tells it.
type game struct {
	PropertyID string   `json:"property_id"`
	GameCode   string   `json:"game_code"`
	RoomID     string   `json:"room_id"`
	MatchID    string   `json:"match_id"`
	Scores     []played `json:"scores"`
	Status     string   `json:"match_status"`
	StartedAt  string   `json:"match_start_time"`
}

// played is a score with whether a bot made it.
type played struct {
	Sub   string           `json:"sub"`
	IsBot bool             `json:"is_bot"`
	Rank  int              `json:"rank"`
	Score finalbell.Number `json:"score"`
}

// The states of a match. The second is spelt as Gamezop does.
const (
	completed  = "COMPLETED"
	inProgress = "IN_PROGESS"
)

// startTime is how Gamezop writes a time: always with milliseconds.
const startTime = "2006-01-02T15:04:05.000Z"

func (h *handler) matchResult(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	asked := query["match_id"]
	if err != nil || len(asked) != 1 {
		return refuse(http.StatusBadRequest, badMatch)
	}
	m, err := h.match(r.Context(), asked[0])
	if err != nil {
		return err
	}
	state := ""
	switch m.State {
	case finalbell.Ended:
		state = completed
	case finalbell.Started, finalbell.Disputed:
		state = inProgress
	default: // it has no result, or none yet
		return refuse(http.StatusBadRequest, badMatch)
	}
	all := make([]played, len(m.Standings))
	for i, s := range m.Standings {
		of := scoreOf(s)
		all[i] = played{of.Sub, s.Bot || h.bot(of.Sub), of.Rank, of.Score}
	}
	web.Write(w, http.StatusOK, result{Success: true, Data: game{
		PropertyID: h.PropertyID, GameCode: h.gameCode(m), RoomID: m.Room, MatchID: m.ID, Scores: all, Status: state, StartedAt: wireTime(m.StartedAt),
	}})
	return nil
}

// gameCode is Gamezop's code of the game that a match is of.
func (h *handler) gameCode(m finalbell.Match) string {
	code := m.Mode
	if h.GameCode != nil {
		code = h.GameCode(m.Mode)
	}
	return cmp.Or(m.Attributes[gameAttribute], code)
}

func wireTime(t time.Time) string { return t.UTC().Format(startTime) }
