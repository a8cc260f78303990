package specter

import (
	"encoding/json"
	"iter"
	"net/http"
	"slices"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// resource is how the SDK is told of a game, a match or a competition.
type resource struct {
	UUID        string `json:"uuid"`
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	IconURL     string `json:"iconUrl"`
}

// describe tells of what has an id; nil of what has none.
func (h *handler) describe(of Kind, id string) *resource {
	if id == "" {
		return nil
	}
	r := h.options.Describe(of, id)
	return &resource{id, id, r.Name, r.Description, r.IconURL}
}

// sessionDetail is a session as the SDK reads results.
type sessionDetail struct {
	Session     string       `json:"matchSessionId"`
	Match       *resource    `json:"match"`
	Game        *resource    `json:"game"`
	Competition *resource    `json:"competition"`
	Users       []userDetail `json:"userInfo"`
	PlayedAt    *string      `json:"playedAt"`
}

type userDetail struct {
	UUID  string           `json:"uuid"`
	ID    string           `json:"id"`
	Entry *string          `json:"entryId"`
	Score finalbell.Number `json:"score"`
	Rank  *int             `json:"rank"`
}

// sessionDetails answers what sessionResults does in the words of the SDK: a list, and outcomes are scores.
func (h *handler) sessionDetails(c call, body strictjson.Value) (reply, error) {
	found, _, err := h.find(c, body)
	if err != nil {
		return reply{}, err
	}
	list := make([]sessionDetail, len(found))
	for i, m := range found {
		list[i] = sessionDetail{
			Session: m.ID, Match: h.describe(Mode, m.Mode), Game: h.describe(Game, h.options.Game),
			Competition: h.describe(Competition, m.Attributes[competitionAttribute]), PlayedAt: known(timeOf(m.EndedAt)),
			Users: []userDetail{},
		}
		for _, s := range m.Standings {
			s = counted(m, s)
			list[i].Users = append(list[i].Users, userDetail{s.Player, s.Player, known(s.Attributes[entryAttribute]), s.Outcome, rankOf(s)})
		}
	}
	return reply{http.StatusOK, messageResults, list}, nil
}

// counted is a standing as it counts: in a session that has no result it has neither an outcome nor a rank.
func counted(m finalbell.Match, s finalbell.Standing) finalbell.Standing {
	if m.State != finalbell.Ended {
		s.Outcome, s.Rank = finalbell.Number{}, 0
	}
	return s
}

// played is a session in a player's history.
type played struct {
	resource
	Game        *resource        `json:"game"`
	Competition json.RawMessage  `json:"competition,omitempty"` // null: of none; absent: not asked for
	Session     string           `json:"matchSessionId"`
	PlayedAt    string           `json:"playedAt"`
	Score       finalbell.Number `json:"score"`
	Players     []profile        `json:"playerDetails,omitempty"`
}

// profile is a participant in a history. The documents have two more names of a user, which nobody here knows.
type profile struct {
	UUID        string           `json:"uuid"`
	ID          string           `json:"id"`
	FirstName   string           `json:"firstName"`
	LastName    string           `json:"lastName"`
	Username    string           `json:"username"`
	DisplayName string           `json:"displayName"`
	ThumbURL    string           `json:"thumbUrl"`
	Score       finalbell.Number `json:"score"`
	Rank        *int             `json:"rank"`
}

// The attributes that a history may be asked for.
const (
	withCompetition = "competition"
	withPlayers     = "playerDetails"
)

// matchHistory lists the sessions of the caller that have ended, newest first.
func (h *handler) matchHistory(c call, body strictjson.Value) (reply, error) {
	r := fields(body)
	p := readPage(r)
	session := strictjson.One(r, "matchSessionId", readID)
	with := strictjson.List(r, "attributes", func(v strictjson.Value) (string, error) {
		if text := v.Text(); v.Kind() == strictjson.String && (text == withCompetition || text == withPlayers) {
			return text, nil
		}
		return "", v.Expected(strictjson.OneOf(withCompetition, withPlayers))
	})
	if err := done(r); err != nil {
		return reply{}, err
	}
	list := []played{}
	n := 0
	for m, err := range h.ended(c, session) {
		if err != nil {
			return reply{}, err
		}
		if p.has(n) {
			list = append(list, h.played(m, c.player, with))
		}
		if n++; n >= p.offset+p.limit {
			break
		}
	}
	return reply{http.StatusOK, "My match history", list}, nil
}

// ended yields the sessions of the caller that have ended, also those that were voided since; one alone if it is named.
func (h *handler) ended(c call, session string) iter.Seq2[finalbell.Match, error] {
	states := []finalbell.State{finalbell.Ended, finalbell.Voided}
	if session == "" {
		return h.engine.Matches(c.ctx, finalbell.MatchFilter{Player: c.player, States: states, Newest: true})
	}
	return func(yield func(finalbell.Match, error) bool) {
		for m, err := range h.candidates(c, wanted{sessions: []string{session}}) {
			if err != nil || slices.Contains(states, m.State) {
				yield(m, err)
			}
		}
	}
}

func (h *handler) played(m finalbell.Match, player string, with []string) played {
	row := played{resource: *h.describe(Mode, m.Mode), Game: h.describe(Game, h.options.Game), Session: m.ID, PlayedAt: timeOf(m.EndedAt)}
	if slices.Contains(with, withCompetition) {
		row.Competition, _ = json.Marshal(h.describe(Competition, m.Attributes[competitionAttribute])) // strings always can be
	}
	for _, s := range m.Standings {
		s = counted(m, s)
		if s.Player == player {
			row.Score = s.Outcome
		}
		if slices.Contains(with, withPlayers) {
			shown := h.options.Describe(User, s.Player)
			row.Players = append(row.Players, profile{
				UUID: s.Player, ID: s.Player, Username: s.Player, DisplayName: shown.Name, ThumbURL: shown.IconURL,
				Score: s.Outcome, Rank: rankOf(s),
			})
		}
	}
	return row
}
