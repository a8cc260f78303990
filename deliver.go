package finalbell

import (
	"context"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Items and custom grants are the host's to deliver. Where it has a Deliver hook, such a grant is pending until that
// has said yes; what it refuses is tried again, later and later, and at last failed. One that was delivered and is
// revoked goes to the hook once more, to be taken back. The grant's id, turn and state name the delivery for ever: the hook
// may be called more than once for it, also after a crash.

const (
	firstRetry   = time.Second // doubled with every attempt,
	longestRetry = time.Hour   // up to this
	mostAttempts = 16          // some four hours and a half
)

// delivers reports whether the host delivers items and custom grants.
func (e *engine) delivers() bool { return e.options.Hooks.Deliver != nil }

// retryAfter is how long to wait after so many attempts.
func retryAfter(attempts int) time.Duration {
	wait := firstRetry
	for range attempts - 1 {
		wait = min(2*wait, longestRetry)
	}
	return wait
}

// deliver asks the host once to deliver a grant, and notes what came of it.
func (e *engine) deliver(ctx context.Context, id string) error {
	g, err := e.grant(ctx, id)
	if err != nil {
		return err
	}
	if g.due.IsZero() || !e.delivers() {
		e.dues.noteGrants([]Grant{g.withoutDue()})
		return nil
	}
	asked := g.version
	limited, stop := e.options.Hooks.limited(ctx)
	defer stop()
	refused := runHook(func() error { return e.options.Hooks.Deliver(limited, g) })
	if err := left(ctx); err != nil {
		return err
	}
	return e.settleGrant(ctx, id, func(g Grant) (*ledgerJob, error) {
		if g.version != asked {
			return nil, nil // it was revoked meanwhile
		}
		return e.delivered(ctx, g, refused)
	})
}

// withoutDue is a grant that is not tried any more while nobody delivers.
func (g Grant) withoutDue() Grant {
	g.due = time.Time{}
	return g
}

// delivered is a grant after one more attempt.
func (e *engine) delivered(ctx context.Context, g Grant, refused error) (*ledgerJob, error) {
	now := e.now()
	g.Attempts++
	job := &ledgerJob{engine: e, commit: store.Commit{Key: keyOf(deliverKind, g.ID, versionText(g.version)), At: now, Kind: deliveredEvent, ID: g.Player}}
	gives := e.giving(e.ruleset(), now, g.source())
	if err := gives.load(ctx, g.Player); err != nil {
		return nil, err
	}
	if refused == nil {
		g.due, g.Problem = time.Time{}, ""
		if g.State == GrantPending {
			g.State = GrantGranted
		}
		if g.Kind != ItemGrant || g.State == GrantRevoked { // the player has it no more already
			gives.put(g)
			return job, gives.into(ctx, job)
		}
		if err := gives.count(g, func(f *facts) *map[string]int64 { return &f.Items }); err != nil {
			return nil, err
		}
		return job, gives.into(ctx, job)
	}
	job.commit.Kind, g.Problem = undeliveredEvent, cut(refused.Error(), maxText)
	if g.due = now.Add(retryAfter(g.Attempts)); g.Attempts >= mostAttempts {
		g.due = time.Time{}
		if g.State == GrantPending {
			g.State = GrantFailed
		}
	}
	gives.put(g)
	return job, gives.into(ctx, job)
}

// Redeliver lets the host be asked again, at once, for a grant of which an attempt has failed: to be delivered, or to be
// taken back. Any other is ErrState.
func (e *Engine) Redeliver(ctx context.Context, grant string) error {
	if err := e.writable(ctx); err != nil {
		return failed("redeliver grant", grant, err)
	}
	err := e.settleGrant(ctx, grant, func(g Grant) (*ledgerJob, error) {
		if g.Problem == "" {
			return nil, refuse(ErrState, "the grant is "+string(g.State), g.Player)
		}
		if !e.delivers() {
			return nil, refuse(ErrState, "there is no Deliver hook", g.Player)
		}
		now := e.now()
		g.due, g.Attempts = now, 0
		if g.State == GrantFailed {
			g.State = GrantPending
		}
		job := &ledgerJob{engine: e.engine, commit: store.Commit{Key: keyOf("redeliver", g.ID, versionText(g.version)), At: now, Kind: redeliverEvent, ID: g.Player}}
		gives := e.giving(e.ruleset(), now, g.source())
		gives.put(g)
		return job, gives.into(ctx, job)
	})
	return failed("redeliver grant", grant, err)
}

// cut is the first bytes of a text, whole characters only.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xC0 == 0x80 {
		most--
	}
	return text[:most]
}
