package finalbell

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// Prizes of a board's window. They are paid by the commit that makes the window final, as far as it is small; of a long
// list the rest follows in slices, each under a key of its own, before the ranks are frozen.

const mostPaid = 10_000 // grants in one commit

// payslice is how many grants a commit gives, fewer in tests.
func (e *engine) payslice() int { return cmp.Or(e.options.payslice, mostPaid) }

// payday is what a window pays when it is final.
type payday struct {
	awards []award
	source []Grant // per award: which window and partition it is of
}

// payday works out what the window would pay by a rule as it stands, in the order of partitions and ranks.
func (p *period) payday(rule BoardRule) (payday, error) {
	var day payday
	if len(rule.Prizes) == 0 {
		return day, nil
	}
	for _, r := range p.rankings() {
		field, size, err := r.winners(rule.prizing())
		if err != nil {
			return payday{}, err
		}
		paid, err := rule.prizing().payout(field, size)
		if err != nil {
			return payday{}, err
		}
		source := Grant{Board: rule.ID, Window: p.id, Partition: r.key.Partition, generation: r.key.Generation}
		for _, g := range paid.grants {
			prize := rule.Prizes[g.prize]
			day.awards = append(day.awards, award{id: nameOf(windowGrants, rule.ID, p.id, source.Partition, prize.ID, g.player), rule: prize.ID, player: g.player,
				gives: g.Reward, kind: prizeLine, from: account{kind: houseAccount}, claim: g.claim, expires: g.expires})
			day.source = append(day.source, source)
		}
	}
	return day, nil
}

// winners are those of a ranking whom prizes can reach, and how many there are in all.
func (w *ranking) winners(by prizing) (field []contender, size int, err error) {
	v := &view{rule: w.rule, layout: w.layout, key: w.key, source: w}
	return v.winners(context.Background(), by)
}

func (v *view) winners(ctx context.Context, by prizing) (field []contender, size int, err error) {
	err = v.source.read(ctx, func(r reader) error {
		size = r.size()
		last := by.lastPlace(size)
		for at := 0; at < size; {
			lines, err := r.run(at, max(last-at, 1))
			if err != nil {
				return err
			}
			entries, err := v.entries(r, lines, at)
			if err != nil {
				return err
			}
			for _, e := range entries {
				// Beyond the last place only those count who share a rank with it.
				if n := len(field); e.Position > last && (n == 0 || field[n-1].rank != e.Rank) {
					return nil
				}
				field = append(field, contender{player: e.Player, rank: e.Rank, position: e.Position, finished: true})
			}
			at += len(lines)
		}
		return nil
	})
	return field, size, err
}

// slice is one commit's part of the payday, of so many grants at most.
func (d payday) slice(n, most int) payday {
	from, to := min(n*most, len(d.awards)), min((n+1)*most, len(d.awards))
	return payday{d.awards[from:to], d.source[from:to]}
}

// players are who gets something, as keys to reserve.
func (d payday) players() []key {
	keys := make([]key, len(d.awards))
	for i, a := range d.awards {
		keys[i] = key{'p', a.player}
	}
	return keys
}

// same reports whether two paydays give the same.
func (d payday) same(other payday) bool { return slices.Equal(d.awards, other.awards) }

// payOut gathers what a slice of a payday gives. Its players are reserved.
func (e *engine) payOut(ctx context.Context, rs *ruleset, slice payday, job *ledgerJob) error {
	g := e.giving(rs, job.commit.At, Grant{})
	var players []string
	for _, a := range slice.awards {
		players = append(players, a.player)
	}
	if err := g.load(ctx, players...); err != nil {
		return err
	}
	for from := 0; from < len(slice.awards); { // what follows from a partition's prizes is of that partition
		to := from
		for to < len(slice.awards) && slice.source[to] == slice.source[from] {
			to++
		}
		g.source = slice.source[from]
		g.source.At = g.at
		for _, a := range slice.awards[from:to] {
			if err := g.give(a); err != nil {
				return err
			}
		}
		if err := g.climbOf(ctx, players[from:to]); err != nil {
			return err
		}
		from = to
	}
	return g.into(ctx, job)
}

// payRest pays what was too much for the commit that closed a window. Slices that were paid before a crash are not paid
// again.
func (e *engine) payRest(ctx context.Context, p *period) error {
	rule, known := e.ruleset().boardAt(p.board.rule.ID, p.finalAt()) // its prizes may be other ones by now
	if !known {
		rule = p.board.rule
	}
	day, err := p.payday(rule)
	if err != nil {
		return err
	}
	if len(day.awards) <= e.payslice() {
		return nil
	}
	if closing, err := e.event(ctx, p.finalAt()); err != nil || closing.Kind != windowClosedEvent {
		return err // a rebuild made it final: it pays nothing for what was over before
	}
	for n := 1; n*e.payslice() < len(day.awards); n++ {
		slice := day.slice(n, e.payslice())
		t, err := e.committer.keys.acquire(ctx, slice.players()...)
		if err != nil {
			return e.notReserved(ctx, err)
		}
		id := windowID(p.board.rule.ID, p.id)
		job := &ledgerJob{engine: e, commit: store.Commit{Key: keyOf("prizes", id, strconv.Itoa(n)), At: p.closed(), Kind: prizesPaidEvent, ID: id}}
		if err := e.payOut(ctx, e.ruleset(), slice, job); err != nil {
			e.committer.keys.release(t)
			return err
		}
		if err := e.committer.submit(ctx, &pending{job: job, ticket: t}); err != nil && !errors.Is(err, store.ErrReplayed) {
			return err
		}
	}
	return nil
}
