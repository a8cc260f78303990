package finalbell

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// What becomes of prizes, experience, achievements and levels when a match is voided or amended.

// reviseRewards takes back what a match gave, and gives what it gives now. What stays the same is left alone.
func (e *engine) reviseRewards(ctx context.Context, d *decision, before Match) error {
	terms, mode := d.rules.terms(before), d.rules.history.mode(before.Mode, before.position)
	g := e.giving(d.rules, d.at, Grant{Match: before.ID})
	players := make([]string, len(before.roster))
	for i, s := range before.roster {
		players[i] = s.Player
	}
	if err := g.load(ctx, players...); err != nil {
		return err
	}
	for _, player := range players {
		if err := g.look(ctx, store.GrantQuery{Player: player}); err != nil {
			return err
		}
	}
	var awards []award
	var rest []ledgerLine
	if d.next.State == Ended {
		var err error
		if awards, rest, err = awardsOf(d.next, terms, mode); err != nil {
			return err
		}
	}
	kept := g.takeBack(before.ID, awards)
	undo, err := e.undoMatch(ctx, d, before.ID, kept)
	if err != nil {
		return err
	}
	for _, a := range awards {
		if !kept[a.id] {
			if err := g.give(a); err != nil {
				return err
			}
		}
	}
	for _, s := range inPosition(before) {
		if err := g.achieveAgain(ctx, d, before, mode, s); err != nil {
			return err
		}
		if err := g.tallyAgain(ctx, d, before, s); err != nil {
			return err
		}
	}
	if err := g.fall(); err != nil {
		return err
	}
	if err := g.climb(ctx); err != nil {
		return err
	}
	d.missing = d.rules.shortfalls()
	d.take(g, settled(undo, rest))
	all := g.of(before.ID)
	d.next.grants, d.next.roster = len(all), granted(d.next.roster, all)
	return nil
}

// shortfalls are who pays, by currency, for what was spent.
func (rs *ruleset) shortfalls() shortfalls {
	missing := make(shortfalls, len(rs.rules.Currencies))
	for _, c := range rs.rules.Currencies {
		missing[c.ID] = c.Shortfall
	}
	return missing
}

// takeBack revokes what a match itself gave, but what it would give again just so. It returns the ids of those.
func (g *giving) takeBack(match string, awards []award) (kept map[string]bool) {
	kept = make(map[string]bool)
	again := make(map[string]Reward, len(awards))
	for _, a := range awards {
		again[a.id] = a.gives
	}
	for _, gr := range g.of(match) {
		if partsOf(gr.ID)[0] != matchGrants || gr.State == GrantRevoked {
			continue
		}
		if gives, there := again[gr.ID]; there && gives == gr.reward() {
			kept[gr.ID] = true
			continue
		}
		g.revoke(gr, false)
	}
	return kept
}

// of are the known grants of a match, in the order in which they were made.
func (g *giving) of(match string) []Grant {
	var all []Grant
	for _, id := range names(g.known) {
		if gr := g.known[id]; gr.Match == match {
			all = append(all, gr)
		}
	}
	slices.SortStableFunc(all, func(a, b Grant) int {
		// Those of this decision have no position yet.
		return cmp.Or(cmp.Compare(a.position-1, b.position-1), cmp.Compare(a.place, b.place), cmp.Compare(g.places[a.ID], g.places[b.ID]))
	})
	return all
}

// undoMatch are the lines that take back what the ledger says about a match: all of it if it is voided, and what came
// after the fees if it goes on. Not that of kept grants, nor of rewards, which do not come from the match's own rules. What was
// held goes back to the wallet, also if a room had held it before: then the ledger says nothing about the match there.
func (e *engine) undoMatch(ctx context.Context, d *decision, match string, kept map[string]bool) ([]ledgerLine, error) {
	var lines []ledgerLine
	for r, err := range e.store.Lines(ctx, store.LineQuery{Match: match}) {
		if err != nil {
			return nil, unavailable(err)
		}
		l := ledgerLineOf(r)
		fee := l.kind == feeHeld || l.kind == feeReleased || l.kind == feeCaptured
		if fee && d.next.State == Ended || kept[l.grant] || l.grant != "" && partsOf(l.grant)[0] != matchGrants {
			continue
		}
		if l.kind == feeHeld {
			if l.account.kind != holdAccount {
				continue
			}
			paid := l
			paid.account, paid.amount = account{playerAccount, l.account.id}, -l.amount
			lines = append(lines, paid)
		}
		lines = append(lines, l)
	}
	return undone(lines), nil
}

// settled are lines that take back and lines that settle anew, without those of purses for which it comes to the same.
// A prize that was paid into a debt is taken back although its wallet has neither gained nor loses by it.
func settled(undo, anew []ledgerLine) []ledgerLine {
	type part struct {
		purse
		about
		helping bool
	}
	partOf := func(l ledgerLine) part { return part{l.purse, l.about, l.kind.helps()} }
	sums := make(map[part]wide)
	lines := slices.Concat(undo, anew)
	for _, l := range lines {
		sums[partOf(l)] = sums[partOf(l)].add(l.amount)
	}
	return slices.DeleteFunc(lines, func(l ledgerLine) bool { return sums[partOf(l)] == wide{} })
}

// achieveAgain folds a player's achievements again, with a match as it is now. What is reached no longer is taken back
// if its rule says so.
func (g *giving) achieveAgain(ctx context.Context, d *decision, before Match, mode Mode, s Standing) error {
	p := g.rules.progress
	if !mode.progresses(s) || !p.counts(mode.ID) {
		return nil
	}
	f := g.players[s.Player]
	results, _, err := g.resultsNow(ctx, d, before, s)
	if err != nil {
		return err
	}
	next, got, err := foldGoals(f.facts, results)
	if err != nil {
		return blame(err, s.Player)
	}
	f.facts, f.changed = next, true
	still := make(map[string]bool)
	for _, r := range got {
		still[nameOf(achievementGrants, r.achievement, r.window)] = true
	}
	for _, id := range names(g.known) {
		gr := g.known[id]
		parts := partsOf(id)
		if gr.Player != s.Player || parts[0] != achievementGrants || still[nameOf(parts[:3]...)] {
			continue
		}
		if a, there := p.achievement(parts[1]); there && a.Revoke {
			g.revoke(gr, true)
		}
	}
	return g.achieved(ctx, s.Player, got)
}

// resultsNow are all results of a player of a match, which is as the decision makes it, and the moment of that one.
func (g *giving) resultsNow(ctx context.Context, d *decision, before Match, s Standing) ([]playerResult, moment, error) {
	results, err := g.past(ctx, s.Player, before.position)
	if err != nil || d.next.State != Ended || d.next.NoContest {
		return results, moment{}, err
	}
	r := g.rules.result(d.next, d.next.roster[s.seat])
	return append(results, r), r.moment, nil
}

// tallyAgain folds a player's statistics again, with a match as it is now.
func (g *giving) tallyAgain(ctx context.Context, d *decision, before Match, s Standing) error {
	now := &d.next.roster[s.seat]
	if d.kind == amendedEvent {
		now.Summary = Summary{}
	}
	if !g.rules.result(before, s).counts() && !g.rules.result(before, *now).counts() {
		return nil
	}
	results, of, err := g.resultsNow(ctx, d, before, s)
	if err != nil {
		return err
	}
	next, meant := foldStatistics(results, of)
	f := g.players[s.Player]
	f.facts.Stats, f.changed = &next, true
	if d.kind == amendedEvent {
		now.Summary = meant
	}
	return nil
}

// fall takes back the rewards of levels that are reached no longer.
func (g *giving) fall() error {
	for _, player := range names(g.players) {
		f := g.players[player]
		ids := make(map[levelReward]string)
		var given []levelReward
		for _, id := range names(g.known) {
			gr := g.known[id]
			if r, is := levelRewardOf(gr); is && gr.Player == player && gr.State != GrantRevoked {
				given = append(given, r)
				ids[r] = id
			}
		}
		next, lost, err := g.rules.progress.fall(f.stored, f.taken(), given)
		if err != nil {
			return blame(err, player)
		}
		for _, r := range lost {
			g.revoke(g.known[ids[r]], true)
		}
		if !maps.Equal(next.Levels, f.facts.Levels) {
			f.facts.Levels, f.changed = next.Levels, true
		}
	}
	return nil
}

// taken is what was taken from a player's markers so far, and less than nothing of what was added.
func (f *playerFacts) taken() []markerGain {
	var taken []markerGain
	markers := maps.Clone(f.stored.Markers)
	if markers == nil {
		markers = make(map[string]int64)
	}
	maps.Copy(markers, f.facts.Markers)
	for _, marker := range names(markers) {
		if amount := f.stored.Markers[marker] - f.facts.Markers[marker]; amount != 0 {
			taken = append(taken, markerGain{marker: marker, amount: amount})
		}
	}
	return taken
}
