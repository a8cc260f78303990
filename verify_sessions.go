package finalbell

import (
	"context"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// sessions looks at every session: it was seen after it started and not after it ended, it is over for a reason, and no
// player, or where the rules allow many devices no device of one, has two of them open.
func (v *verifier) sessions(ctx context.Context) error {
	type place struct{ player, device string }
	open := make(map[place]string)
	rs := v.engine.ruleset()
	many := rs.rules.Sessions.Devices == ManyDevices ||
		slices.ContainsFunc(rs.history, func(c chapter) bool { return c.Rules.Sessions.Devices == ManyDevices })
	for s, err := range v.engine.sessions(ctx, store.SessionQuery{}) {
		if err != nil {
			return err
		}
		v.found.Sessions++
		if s.SeenAt.Before(s.StartedAt) {
			v.problem("session", s.ID, "", "seen at %s, before it started at %s", wireTime(s.SeenAt), wireTime(s.StartedAt))
		}
		if s.EndedAt.IsZero() {
			at := place{s.Player, ""}
			if many {
				at.device = s.Device
			}
			if other, twice := open[at]; twice {
				v.problem("session", s.ID, "", "open beside %s of the same player", quote(other))
			}
			open[at] = s.ID
		} else if s.EndedAt.Before(s.SeenAt) {
			v.problem("session", s.ID, "", "ended at %s, before it was seen at %s", wireTime(s.EndedAt), wireTime(s.SeenAt))
		}
		if known := s.Reason == reasonEnded || s.Reason == reasonReplaced || s.Reason == reasonIdle; known == s.EndedAt.IsZero() || !known && s.Reason != "" {
			v.problem("session", s.ID, "", "ended at %s for the reason %s", quote(wireTime(s.EndedAt)), quote(s.Reason))
		}
	}
	return nil
}
