package finalbell

import (
	"context"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Who has no session any more may be gone from a running match: their seat keeps that, and the report that ends the match
// need not say so.

// tellsGone reports whether the matches of a mode take notice of sessions.
func (m Mode) tellsGone() bool { return m.OnSessionEnd == LeaveSeat || m.OnSessionEnd == ForfeitSeat }

// tellGone reports whether matches of any mode do, or did by earlier rules.
func (rs *ruleset) tellGone() bool {
	tells := func(r Rules) bool { return slices.ContainsFunc(r.Modes, Mode.tellsGone) }
	return tells(rs.rules) || slices.ContainsFunc(rs.history, func(c chapter) bool { return tells(c.Rules) })
}

// holdPlayer reserves a player, and the running matches in which a session of theirs may count. While a player is held, no
// such match starts with them.
func (e *engine) holdPlayer(ctx context.Context, player string) (*ticket, []Match, error) {
	keys := []key{{'p', player}}
	for {
		t, err := e.committer.keys.acquire(ctx, slices.Clone(keys)...)
		if err != nil {
			return nil, nil, e.notReserved(ctx, err)
		}
		matches, err := e.seated(ctx, player)
		if err != nil {
			e.committer.keys.release(t)
			return nil, nil, err
		}
		held := true
		for _, m := range matches {
			if k := (key{'m', m.ID}); !slices.Contains(keys, k) {
				keys, held = append(keys, k), false
			}
		}
		if held {
			return t, matches, nil
		}
		e.committer.keys.release(t)
	}
}

// seated are the started matches in which a session of the player may count.
func (e *engine) seated(ctx context.Context, player string) ([]Match, error) {
	rs := e.ruleset()
	if !rs.tellGone() {
		return nil, nil
	}
	var found []Match
	for r, err := range e.store.Matches(ctx, store.MatchQuery{Player: player, States: []string{string(Started)}}) {
		if err == nil {
			err = checkRecord(r)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		m := matchOf(e.overlaid(r), rs)
		i := m.humanSeat(player)
		if i >= 0 && (m.roster[i].Gone != "" || rs.mode(m.Mode).tellsGone()) {
			found = append(found, m)
		}
	}
	return found, nil
}

// humanSeat is the seat of a player who is no bot, -1 for none.
func (m Match) humanSeat(player string) int {
	return slices.IndexFunc(m.roster, func(s Standing) bool { return s.Player == player && !s.Bot })
}

// seatsAfter are the matches that change when a player has come back, or has gone with their last session, at a time. A
// match whose deadline has passed by then is over.
func (rs *ruleset) seatsAfter(matches []Match, player string, back, gone bool, at time.Time) []Match {
	var changed []Match
	for _, m := range matches {
		mode := rs.mode(m.Mode)
		if due, expires := deadline(m, mode); expires && !due.After(at) {
			continue
		}
		was := m.roster[m.humanSeat(player)].Gone
		is := was
		switch {
		case back && was == Left:
			is = ""
		case gone && mode.OnSessionEnd == ForfeitSeat:
			is = Forfeit
		case gone && mode.OnSessionEnd == LeaveSeat && was == "":
			is = Left
		}
		if is != was {
			m = seatGone(m, mode, player, is)
			m.version++
			changed = append(changed, m)
		}
	}
	return changed
}

// seatGone notes on a player's seat that they are gone, or with no status that they are back. Live standings show it.
func seatGone(m Match, mode Mode, player string, gone Status) Match {
	m.roster = slices.Clone(m.roster)
	m.roster[m.humanSeat(player)].Gone = gone
	if !m.Provisional {
		return m
	}
	return provide(m, mode, filled{roster: m.roster, teams: m.teams})
}
