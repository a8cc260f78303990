package finalbell

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell/store"
)

// What players are given, on its way into a commit.

// award is something that a rule gives to a player.
type award struct {
	id      string // of its grant
	rule    string
	player  string
	gives   Reward
	kind    lineKind // of money
	from    account
	claim   bool // only once the player claims it
	expires time.Duration
	// achievement: it is the achievement of the rule, and gives nothing by itself.
	achievement bool
}

// playerFacts are the facts of one player, as stored or as they will be.
type playerFacts struct {
	player  string
	version uint64
	facts   facts
	stored  facts // as they were
	changed bool
}

// giving gathers what one decision gives and takes back. The players concerned are reserved.
type giving struct {
	engine  *engine
	rules   *ruleset
	at      time.Time
	source  Grant // what its grants have in common
	players map[string]*playerFacts
	known   map[string]Grant // stored ones that the decision may be about
	lines   []ledgerLine
	granted []Grant
	places  map[string]int            // in granted, by id
	pasts   map[string][]playerResult // of players, without the match at hand
}

func (e *engine) giving(rs *ruleset, at time.Time, source Grant) *giving {
	source.At = at
	return &giving{engine: e, rules: rs, at: at, source: source, players: make(map[string]*playerFacts), known: make(map[string]Grant), places: make(map[string]int), pasts: make(map[string][]playerResult)}
}

// load reads the facts of players.
func (g *giving) load(ctx context.Context, players ...string) error {
	var asked []string
	for _, p := range players {
		known, there := g.engine.remembered.get(p)
		if !there {
			asked = append(asked, p)
		}
		g.players[p] = &playerFacts{player: p, version: known.version, facts: known.facts.apart(), stored: known.facts}
	}
	if len(asked) == 0 {
		return nil
	}
	for r, err := range g.engine.store.Facts(ctx, asked) {
		if err != nil {
			return unavailable(err)
		}
		f, err := decodeFacts(r.Data)
		if err != nil {
			return unavailable(err)
		}
		g.players[r.Player] = &playerFacts{player: r.Player, version: r.Version, facts: f.apart(), stored: f}
	}
	return nil
}

// past is every result of a player but that of the match at hand, which ended at a position. It is read once.
func (g *giving) past(ctx context.Context, player string, but uint64) ([]playerResult, error) {
	if past, read := g.pasts[player]; read {
		return past, nil
	}
	past, err := g.engine.pastOf(ctx, g.rules, player, but)
	if err != nil {
		return nil, err
	}
	g.pasts[player] = slices.Clip(past) // whoever adds the match adds it to a list of their own
	return g.pasts[player], nil
}

// look reads stored grants.
func (g *giving) look(ctx context.Context, q store.GrantQuery) error {
	for stored, err := range g.engine.grants(ctx, q) {
		if err != nil {
			return err
		}
		g.known[stored.ID] = stored
	}
	return nil
}

// give makes a grant of an award, unless it was made before and still stands. What is to be claimed waits.
func (g *giving) give(a award) error {
	was, there := g.known[a.id]
	if there && was.State != GrantRevoked {
		return nil
	}
	gr := g.source
	gr.ID, gr.Rule, gr.Player, gr.Amount = a.id, a.rule, a.player, a.gives.Amount
	gr.Kind, gr.What = a.gives.kind()
	if a.achievement {
		gr.Kind, gr.What, gr.Amount, gr.New = AchievementGrant, a.rule, 1, 1
	}
	if there {
		gr.version, gr.position, gr.place, gr.Turn = was.version, was.position, was.place, was.Turn+1
	}
	if a.claim {
		gr.State = GrantPending
		if a.expires > 0 {
			gr.Expires = g.at.Add(a.expires)
		}
		if gr.Kind == CurrencyGrant {
			g.move(gr, a.from, account{escrowAccount, a.player}, a.kind)
		}
		g.put(gr)
		return nil
	}
	return g.hand(gr, a.from, a.kind)
}

// hand gives a grant to its player.
func (g *giving) hand(gr Grant, from account, kind lineKind) error {
	gr.State = GrantGranted
	switch gr.Kind {
	case CurrencyGrant:
		g.move(gr, from, account{playerAccount, gr.Player}, kind)
		gr.fresh = true
	case XPGrant:
		return g.count(gr, func(f *facts) *map[string]int64 { return &f.Markers })
	case ItemGrant:
		if !g.engine.delivers() {
			return g.count(gr, func(f *facts) *map[string]int64 { return &f.Items })
		}
		fallthrough
	case CustomGrant:
		if g.engine.delivers() {
			gr.State, gr.due = GrantPending, g.at
		}
	}
	g.put(gr)
	return nil
}

// claimed gives a grant that has waited for its player.
func (g *giving) claimed(gr Grant) error {
	return g.hand(gr, account{escrowAccount, gr.Player}, claimLine)
}

// count adds a grant to what its player has of it.
func (g *giving) count(gr Grant, of func(f *facts) *map[string]int64) error {
	f := g.players[gr.Player]
	has := of(&f.facts)
	sum, ok := addChecked((*has)[gr.What], gr.Amount)
	if !ok {
		return refuse(ErrOutcome, quote(gr.Player)+": "+gr.What+" overflows", gr.Player)
	}
	gr.Old, gr.New = (*has)[gr.What], sum
	f.changed = true
	set(has, gr.What, sum)
	g.put(gr)
	return nil
}

// put takes a grant in as it is now.
func (g *giving) put(gr Grant) {
	g.known[gr.ID] = gr
	if i, there := g.places[gr.ID]; there {
		g.granted[i] = gr
		return
	}
	g.places[gr.ID] = len(g.granted)
	g.granted = append(g.granted, gr)
}

// move is the money of a grant on its way.
func (g *giving) move(gr Grant, from, to account, kind lineKind) {
	l := ledgerLine{about: about{match: gr.Match, board: gr.Board, window: gr.Window, grant: gr.ID}}
	g.lines = append(g.lines, l.moves(purse{from, gr.What}, purse{to, gr.What}, kind, gr.Amount)...)
}

// revoke takes a grant back. Its money is taken back here only if it is a reward: that of a match's prizes is taken
// back with everything else that the ledger says about the match.
func (g *giving) revoke(gr Grant, money bool) {
	if gr.State == GrantRevoked {
		return
	}
	gr.due = time.Time{}
	if gr.State == GrantGranted {
		f := g.players[gr.Player]
		switch gr.Kind {
		case CurrencyGrant:
			if money {
				g.move(gr, account{playerAccount, gr.Player}, account{kind: houseAccount}, reversal)
			}
		case XPGrant:
			set(&f.facts.Markers, gr.What, f.facts.Markers[gr.What]-gr.Amount)
			f.changed = true
		case ItemGrant:
			set(&f.facts.Items, gr.What, f.facts.Items[gr.What]-gr.Amount)
			f.changed = true
		}
		if g.engine.delivers() && (gr.Kind == ItemGrant || gr.Kind == CustomGrant) {
			gr.due = g.at // what was delivered, the host has to take back
		}
	}
	gr.State, gr.fresh, gr.Attempts, gr.Problem = GrantRevoked, false, 0, ""
	g.put(gr)
}

// climb gives what players get for the levels that they have reached, which may bring them further.
func (g *giving) climb(ctx context.Context) error { return g.climbOf(ctx, names(g.players)) }

func (g *giving) climbOf(ctx context.Context, players []string) error {
	for _, player := range players {
		f := g.players[player]
		next, ups, err := g.rules.progress.climb(f.facts, nil)
		if err != nil {
			return blame(err, player)
		}
		if len(ups) == 0 {
			continue
		}
		f.facts.Levels, f.changed = next.Levels, true // the markers follow by what is given
		var awards []award
		for _, up := range ups {
			for _, r := range up.rewards {
				awards = append(awards, award{id: r.id(player), rule: nameOf(up.marker, strconv.Itoa(up.level)), player: player,
					gives: r.reward, kind: rewardLine, from: account{kind: houseAccount}})
			}
		}
		if err := g.giveOnce(ctx, awards); err != nil {
			return err
		}
	}
	return nil
}

// giveOnce gives awards that may have been given by an earlier decision.
func (g *giving) giveOnce(ctx context.Context, awards []award) error {
	q := store.GrantQuery{IDs: []string{}}
	for _, a := range awards {
		if _, there := g.known[a.id]; !there {
			q.IDs = append(q.IDs, a.id)
		}
	}
	if len(q.IDs) > 0 {
		if err := g.look(ctx, q); err != nil {
			return err
		}
	}
	for _, a := range awards {
		if err := g.give(a); err != nil {
			return err
		}
	}
	return nil
}

// What a grant's id begins with.
const (
	matchGrants       = "match"
	windowGrants      = "window"
	levelGrants       = "level"
	achievementGrants = "achievement"
)

// id is that of the grant of a level's reward.
func (r levelReward) id(player string) string {
	return nameOf(levelGrants, r.marker, strconv.Itoa(r.level), strconv.Itoa(r.index), player)
}

// levelRewardOf is the level's reward that a grant is of.
func levelRewardOf(gr Grant) (levelReward, bool) {
	parts := partsOf(gr.ID)
	if len(parts) != 5 || parts[0] != levelGrants {
		return levelReward{}, false
	}
	level, err1 := strconv.Atoi(parts[2])
	index, err2 := strconv.Atoi(parts[3])
	return levelReward{parts[1], level, index, gr.reward()}, err1 == nil && err2 == nil
}

// into brings what was gathered into a job of its own.
func (g *giving) into(ctx context.Context, job *ledgerJob) error {
	var err error
	if job.booking, err = g.engine.book(ctx, job.commit.Key, g.lines, nil); err != nil {
		return err
	}
	job.booking.tell(g.granted)
	job.granted, job.facts = g.granted, g.changed()
	return nil
}

// changed are the facts that are not as they are stored.
func (g *giving) changed() []playerFacts {
	var out []playerFacts
	for _, player := range names(g.players) {
		if f := g.players[player]; f.changed {
			out = append(out, *f)
		}
	}
	return out
}

// nameOf joins the parts of a name so that no two lists of parts give the same one.
func nameOf(parts ...string) string {
	for i := range parts {
		parts[i] = escaped(parts[i])
	}
	return strings.Join(parts, "/")
}

// partsOf takes apart what nameOf made.
func partsOf(name string) []string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = strings.NewReplacer("%2F", "/", "%25", "%").Replace(parts[i])
	}
	return parts
}

// escaped is a part of a name, without slashes.
func escaped(part string) string { return strings.NewReplacer("%", "%25", "/", "%2F").Replace(part) }

func versionText(v uint64) string { return strconv.FormatUint(v, 10) }
