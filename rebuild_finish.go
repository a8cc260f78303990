package finalbell

import (
	"context"
	"fmt"

	"github.com/finalbell/finalbell/store"
)

// The last steps of a rebuild: what is over is written down, and one commit puts everything in force.

// writeOver writes down the windows of a board that are over, and lets them go from memory.
func (r *rebuild) writeOver(ctx context.Context, b *board) error {
	for _, p := range b.live() {
		if !p.isFinal() || r.told[p] {
			continue
		}
		r.told[p] = true
		if r.seeOver != nil {
			if err := r.seeOver(b, p); err != nil {
				return err
			}
		}
		rankings, w := p.rankings(), p.bounds()
		whole := store.Window{WindowKey: b.key(p.id, ""), Version: 1, Start: w.Start, End: w.End, ClosedAt: p.closedAt, Frozen: true}
		for _, ranked := range rankings {
			part := whole
			part.WindowKey, part.Size = ranked.key, ranked.size()
			r.tell(b.rule.ID, RebuiltWindow{Window: p.id, Partition: ranked.key.Partition, State: WindowFinal, After: part.Size})
			if !r.options.DryRun {
				if err := r.flushWindow(ctx, ranked.key); err != nil {
					return err
				}
				var err error
				if part.Chunks, err = r.engine.writeChunks(ctx, ranked, 0); err != nil {
					return err
				}
			}
			if whole.Size += part.Size; ranked.key.Partition == "" {
				whole.Chunks = part.Chunks
			} else {
				r.over = append(r.over, part)
			}
			delete(r.entries, ranked.key)
			delete(r.dirty, ranked.key)
		}
		r.over = append(r.over, whole)
		p.mu.Lock()
		clear(p.partitions)
		p.mu.Unlock()
	}
	return nil
}

// finish is the last step, while nobody writes: it takes in the last events, closes what is due and compares.
func (r *rebuild) finish(ctx context.Context) error {
	if err := r.follow(ctx); err != nil {
		return err
	}
	r.now = r.engine.now()
	for _, b := range r.rebuilt {
		if err := r.leave(ctx, b); err != nil {
			return err
		}
		if err := r.dueFirst(b); err != nil {
			return err
		}
	}
	if r.stray && !r.options.DryRun {
		return errNotReady
	}
	for _, b := range r.rebuilt {
		r.closeDue(b, r.now)
		r.compare(b, r.now)
	}
	return nil
}

// rebuildJob puts the rebuilt boards in force.
type rebuildJob struct {
	*rebuild
	ctx context.Context
}

// stale does the last step, for which nothing else may be written.
func (j *rebuildJob) stale() bool {
	if j.old != j.engine.ruleset() || j.rebuild.seasons != j.old.seasons.Load() {
		return true
	}
	j.failure = j.finish(context.WithoutCancel(j.ctx))
	return j.failure != nil
}

func (j *rebuildJob) seal(position uint64) store.Commit {
	last := len(j.next.history) - 1
	j.next.history[last].After = position - 1
	c := store.Commit{Key: keyOf("rebuild", fmt.Sprint(position)), Position: position, At: j.now, Kind: rebuiltEvent, ID: "rules"}
	body := struct {
		Boards []string `json:"boards,omitempty"`
	}{j.next.history[last].Rebuilt}
	if setting, err := j.next.history.record(); err == nil {
		c.Records = append(c.Records, setting)
	}
	c.Body, _ = marshal(body) // ids always marshal
	for _, w := range j.over {
		w.Final = position
		c.Records = append(c.Records, w)
	}
	for _, b := range j.rebuilt {
		for _, w := range b.seasons {
			if !j.left[windowName{b.rule.ID, w.ID}] {
				c.Records = append(c.Records, store.Window{WindowKey: b.key(w.ID, ""), Version: 1, Start: w.Start, End: w.End})
			}
		}
		for _, p := range b.live() {
			if !p.isFinal() || j.told[p] {
				continue
			}
			w := p.bounds() // over since a moment ago, and not written yet
			whole := store.Window{WindowKey: b.key(p.id, ""), Version: 1, Start: w.Start, End: w.End, Final: position, ClosedAt: p.closedAt}
			c.Records = append(c.Records, whole)
			for _, ranked := range p.rankings() {
				if ranked.key.Partition != "" {
					whole.WindowKey = ranked.key
					c.Records = append(c.Records, whole)
				}
			}
		}
	}
	for _, key := range sortedKeys(j.dirty) {
		for _, id := range names(j.dirty[key]) {
			version := uint64(1)
			if j.written[key][id] {
				version = 2
			}
			c.Records = append(c.Records, j.record(key, id, version))
		}
	}
	return c
}

func (j *rebuildJob) applied(position uint64) {
	e := j.engine
	for _, b := range j.rebuilt {
		was := j.old.boards[b.rule.ID]
		for _, p := range b.live() {
			p.mu.Lock()
			if p.final > 0 {
				p.final = position
			}
			if p.final > 0 || b.rule.Window.bySeasons() {
				p.version = 1
			}
			p.noted = false
			p.mu.Unlock()
			switch {
			case j.told[p]:
				b.forget(p.id) // written already
			case p.isFinal():
				e.dues.noteWindow(freezeKind, p, p.closedAt)
			default:
				e.willClose(p)
			}
		}
		if was == nil {
			continue
		}
		for _, p := range was.live() {
			e.dues.forgetWindow(closeKind, p)
			if p.isFinal() {
				b.keep(p) // its ranks are still to be written
			}
		}
	}
	e.inForce.Store(j.next)
}
