package finalbell

import (
	"context"
	"iter"
	"time"

	"github.com/finalbell/finalbell/store"
)

// GrantKind is what a grant gives.
type GrantKind string

const (
	CurrencyGrant    GrantKind = "currency"
	ItemGrant        GrantKind = "item"
	XPGrant          GrantKind = "xp"          // on a progression marker
	AchievementGrant GrantKind = "achievement" // itself; its rewards are grants of their own
	CustomGrant      GrantKind = "custom"
)

// GrantState is how far a grant has come.
type GrantState string

const (
	GrantPending GrantState = "pending" // to be claimed, or to be delivered by the host
	GrantGranted GrantState = "granted" // the player has it
	GrantFailed  GrantState = "failed"  // the host could not deliver it, and it is not tried again by itself
	GrantExpired GrantState = "expired" // nobody claimed it in time
	GrantRevoked GrantState = "revoked" // taken back when its match was voided or amended
)

// Grant is something that a player was given, or may get, by a rule.
type Grant struct {
	ID     string // for ever that of one rule, trigger and player
	Player string
	Match  string // by which it was given, or else
	Board  string // the board's window
	Window string
	// Partition is that of the window.
	Partition string
	Rule      string // the prize, the achievement, "xp", or a marker and its level as "xp/2"
	Kind      GrantKind
	What      string // the currency, item, marker, achievement or custom thing
	Amount    int64
	Old, New  int64 // what the player had of it before and after, once it is granted
	State     GrantState
	At        time.Time
	Expires   time.Time // a pending one to be claimed; zero: never
	Attempts  int       // to deliver it
	// Turn is how often the grant had been taken back before it was given as it is now: more than 0 only after a match
	// was amended more than once.
	Turn    int
	Problem string // why the last one failed

	version    uint64 // stored; 0: not yet
	generation int
	position   uint64
	place      int
	due        time.Time // when the host is next to be told; zero: it has been, or need not be
	fresh      bool      // of money that comes with the decision at hand: Old and New are still to be told
}

// claimable reports whether a grant waits for its player.
func (g Grant) claimable() bool { return g.State == GrantPending && g.due.IsZero() }

// source is what a grant has in common with those that follow from it.
func (g Grant) source() Grant {
	return Grant{Match: g.Match, Board: g.Board, Window: g.Window, Partition: g.Partition, generation: g.generation}
}

// reward is what a grant gives.
func (g Grant) reward() Reward {
	switch g.Kind {
	case CurrencyGrant:
		return Reward{Currency: g.What, Amount: g.Amount}
	case ItemGrant:
		return Reward{Item: g.What, Amount: g.Amount}
	case XPGrant:
		return Reward{Marker: g.What, Amount: g.Amount}
	}
	return Reward{Custom: g.What, Amount: g.Amount}
}

// kind is what a reward gives, and of which one.
func (r Reward) kind() (GrantKind, string) {
	kind, what := r.gives()
	if kind == markerReward {
		return XPGrant, what
	}
	return GrantKind(kind), what
}

// GrantFilter selects grants; a zero field does not restrict.
type GrantFilter struct {
	Player        string
	Match         string
	Board, Window string
	States        []GrantState
}

// Grants yields the grants that f selects, oldest first. The sequence holds no lock while it yields, and ends after an
// error.
func (e *Engine) Grants(ctx context.Context, f GrantFilter) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Grant{}, failed("list grants", f.Player, err))
			return
		}
		q := store.GrantQuery{Player: f.Player, Match: f.Match, Board: f.Board, Window: f.Window}
		for _, s := range f.States {
			q.States = append(q.States, string(s))
		}
		for g, err := range e.grants(ctx, q) {
			if !yield(g, failed("list grants", f.Player, err)) || err != nil {
				return
			}
		}
	}
}

func (e *engine) grants(ctx context.Context, q store.GrantQuery) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) {
		for r, err := range e.store.Grants(ctx, q) {
			if err != nil {
				yield(Grant{}, unavailable(err))
				return
			}
			if !yield(grantOf(r), nil) {
				return
			}
		}
	}
}

// grant is one by its id.
func (e *engine) grant(ctx context.Context, id string) (Grant, error) {
	for g, err := range e.grants(ctx, store.GrantQuery{IDs: []string{id}}) {
		return g, err
	}
	return Grant{}, refuse(ErrNotFound, "no such grant")
}

// withGrants gives the standings of a match what its players got by it.
func (e *engine) withGrants(ctx context.Context, m Match) (Match, error) {
	if m.grants == 0 {
		return m, nil
	}
	var all []Grant
	for g, err := range e.grants(ctx, store.GrantQuery{Match: m.ID}) {
		if err != nil {
			return m, err
		}
		all = append(all, g)
	}
	m.roster = granted(m.roster, all)
	return m, nil
}

// Claim gives a player a prize that waits for them. It is given once: a claim of what they have already returns it and
// changes nothing. ErrExpired if the time for it is over, ErrState if it is not to be claimed (it was revoked, or the
// host is still to deliver it), ErrNotFound if the player has no such grant.
func (e *Engine) Claim(ctx context.Context, player, grant string) (Grant, error) {
	g, err := e.claim(ctx, player, grant)
	return g, failed("claim grant", grant, err)
}

func (e *Engine) claim(ctx context.Context, player, id string) (Grant, error) {
	if err := e.writable(ctx); err != nil {
		return Grant{}, err
	}
	if err := checkID("player", player); err != nil {
		return Grant{}, err
	}
	now := e.now()
	if parts := partsOf(id); parts[0] == windowGrants && len(parts) > 1 && e.ruleset().boards[parts[1]] != nil {
		if err := e.closeDue(ctx, e.ruleset().boards[parts[1]], now); err != nil {
			return Grant{}, err
		}
	}
	if g, err := e.grant(ctx, id); err == nil && g.claimable() && !g.Expires.IsZero() && !now.Before(g.Expires) {
		if err := e.lapse(ctx, id, g.Expires); err != nil {
			return Grant{}, err
		}
	}
	t, err := e.committer.keys.acquire(ctx, key{'p', player})
	if err != nil {
		return Grant{}, e.notReserved(ctx, err)
	}
	defer func() { e.committer.keys.release(t) }()
	g, err := e.grant(ctx, id)
	switch {
	case err != nil:
		return Grant{}, err
	case g.Player != player:
		return Grant{}, refuse(ErrNotFound, "no such grant")
	case g.State == GrantGranted:
		return g, nil
	case g.State == GrantExpired:
		return Grant{}, refuse(ErrExpired, "the grant has expired", player)
	case !g.claimable():
		return Grant{}, refuse(ErrState, "the grant is "+string(g.State), player)
	}
	gives := e.giving(e.ruleset(), now, g.source())
	if err := gives.load(ctx, player); err != nil {
		return Grant{}, err
	}
	if err := gives.claimed(g); err != nil {
		return Grant{}, err
	}
	if err := gives.climb(ctx); err != nil {
		return Grant{}, err
	}
	job := &ledgerJob{engine: e.engine, commit: store.Commit{Key: keyOf("claim", g.ID, versionText(g.version)), At: now, Kind: grantClaimedEvent, ID: player}}
	if err := gives.into(ctx, job); err != nil {
		return Grant{}, err
	}
	mine := t
	t = nil
	if err := e.committer.submit(ctx, &pending{ticket: mine, job: job}); err != nil {
		return Grant{}, err
	}
	return job.granted[0], nil
}

// lapse ends the time in which a grant can be claimed. Its money goes to the house.
func (e *engine) lapse(ctx context.Context, id string, due time.Time) error {
	return e.settleGrant(ctx, id, func(g Grant) (*ledgerJob, error) {
		if !g.claimable() || g.Expires.After(e.now()) {
			return nil, nil // somebody was faster
		}
		job := &ledgerJob{engine: e, commit: store.Commit{Key: keyOf("due", lapseKind, id, versionText(g.version)), At: due, Kind: grantExpiredEvent, ID: g.Player}}
		gives := e.giving(e.ruleset(), due, g.source())
		if g.Kind == CurrencyGrant {
			gives.move(g, account{escrowAccount, g.Player}, account{kind: houseAccount}, expiryLine)
		}
		g.State = GrantExpired
		gives.put(g)
		return job, gives.into(ctx, job)
	})
}

// settleGrant changes one grant under a reservation of its player, if there is something to change.
func (e *engine) settleGrant(ctx context.Context, id string, change func(g Grant) (*ledgerJob, error)) error {
	g, err := e.grant(ctx, id)
	if err != nil {
		return err
	}
	t, err := e.committer.keys.acquire(ctx, key{'p', g.Player})
	if err != nil {
		return e.notReserved(ctx, err)
	}
	var job *ledgerJob
	if g, err = e.grant(ctx, id); err == nil {
		job, err = change(g)
	}
	if err != nil || job == nil {
		e.committer.keys.release(t)
		e.dues.noteGrants([]Grant{g}) // as it is
		return err
	}
	return e.committer.submit(ctx, &pending{ticket: t, job: job})
}
