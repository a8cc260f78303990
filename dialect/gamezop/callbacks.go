package gamezop

import "github.com/finalbell/finalbell"

// The events that Gamezop tells the page around a game, as text for postMessage. They are for hosts that serve such pages; this
// package sends them to nobody.

type foundCallback struct {
	Event    string   `json:"event"`
	GameCode string   `json:"gameCode"`
	MatchID  string   `json:"matchId"`
	Players  []string `json:"players"`
}

type notFoundCallback struct {
	Event    string `json:"event"`
	GameCode string `json:"gameCode"`
}

type startCallback struct {
	Event    string          `json:"event"`
	GameCode string          `json:"gameCode"`
	MatchID  string          `json:"matchId"`
	Players  []startedPlayer `json:"players"`
}

type startedPlayer struct {
	FirstName string `json:"firstName"`
	Photo     string `json:"photo"`
	GzpID     string `json:"gzpId"`
}

// MatchFound is the event that a match was found for its players, in the order of its standings.
func MatchFound(gameCode string, m finalbell.Match) string {
	players := make([]string, len(m.Standings))
	for i, s := range m.Standings {
		players[i] = s.Player
	}
	return stringified(foundCallback{"match_found", gameCode, m.ID, players})
}

// MatchNotFound is the event that too few players came within the wait of a room.
func MatchNotFound(gameCode string) string {
	return stringified(notFoundCallback{"match_not_found", gameCode})
}

// MatchStart is the event that a match has started. The function tells how a player is shown; nil, and no Sub of a user, leave
// the player's id.
func MatchStart(gameCode string, m finalbell.Match, user func(sub string) User) string {
	players := make([]startedPlayer, len(m.Standings))
	for i, s := range m.Standings {
		u := User{Sub: s.Player}
		if user != nil {
			u = user(s.Player)
		}
		if u.Sub == "" {
			u.Sub = s.Player
		}
		players[i] = startedPlayer{u.Name, u.Photo, u.Sub}
	}
	return stringified(startCallback{"match_start", gameCode, m.ID, players})
}
