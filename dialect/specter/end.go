package specter

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

func (h *handler) endSession(c call, body strictjson.Value) (reply, error) {
	var e ending
	var err error
	if c.server() {
		e, err = readServerEnd(body)
	} else {
		e, err = readEnd(body, c.player)
	}
	if err != nil {
		return reply{}, err
	}
	if err := h.mayEnd(c, e); err != nil {
		return reply{}, err
	}
	if c.ctx, err = h.saying(c.ctx, e.texts); err != nil {
		return reply{}, err
	}
	m, err := h.engine.End(c.ctx, e.session, e.outcomes...)
	if err != nil {
		return reply{}, err
	}
	h.running.note(m)
	if m.Replayed && lost(m, e.texts) {
		return reply{}, completed()
	}
	rep := reply{status: http.StatusOK, message: "Successfully ended match session"}
	data := c.about(m)
	if c.match {
		if data.Failed = failedRewards(m); data.Failed != nil {
			rep.status = http.StatusMultiStatus
		}
	}
	rep.data = data
	return rep, nil
}

// mayEnd refuses what the caller may not report.
func (h *handler) mayEnd(c call, e ending) error {
	if c.server() && len(e.entries) == 0 {
		return nil
	}
	m, err := h.session(c, e.session)
	if err != nil {
		return err
	}
	for i, o := range e.outcomes {
		if entry := e.entries[o.Player]; entry != "" && entry != entryOf(m, o.Player) {
			return invalid("userInfo[" + strconv.Itoa(i) + "].entryId: not the one with which the user is in the session")
		}
	}
	if c.server() || h.options.PlayersMaySetOthers {
		return nil
	}
	if !h.options.PlayersMayEnd {
		return forbidden("players may not end sessions; a server does, by matchmaking/end-match-session")
	}
	if slices.ContainsFunc(e.outcomes, func(o finalbell.Outcome) bool { return o.Player != c.player }) {
		return forbidden("a player may report nobody's outcome but their own")
	}
	return nil
}

// failedReward is what of the rewards of one player did not reach them.
type failedReward struct {
	Source  string       `json:"source"`
	User    string       `json:"userId"`
	Items   []failedItem `json:"itemsFailed,omitempty"`
	Bundles []failedItem `json:"bundlesFailed,omitempty"`
}

type failedItem struct {
	ID      string `json:"id"`
	Amount  int64  `json:"amount"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Code    int    `json:"code"`
}

// failedRewards are the rewards of a match that the host could not deliver: items, and what is the host's own.
func failedRewards(m finalbell.Match) (failed []failedReward) {
	for _, s := range m.Standings {
		f := failedReward{Source: "match", User: s.Player}
		for _, g := range s.Grants {
			if g.State != finalbell.GrantFailed {
				continue
			}
			item := failedItem{g.What, g.Amount, "the reward could not be delivered", g.Problem, codeUndelivered}
			if g.Kind == finalbell.ItemGrant {
				f.Items = append(f.Items, item)
			} else {
				f.Bundles = append(f.Bundles, item)
			}
		}
		if f.Items != nil || f.Bundles != nil {
			failed = append(failed, f)
		}
	}
	return failed
}
