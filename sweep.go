package finalbell

import (
	"context"
	"time"

	"github.com/finalbell/finalbell/store"
)

// What is left of boards as they were before a rebuild is taken away in slices, at leisure.

// afterRebuild clears away what the old boards have left, and looks at the running matches by the new rules.
func (e *engine) afterRebuild(ctx context.Context, r *rebuild) error {
	for _, b := range r.rebuilt {
		e.dues.note(sweepKind, b.rule.ID, e.now())
		if err := e.sweepOld(ctx, b.rule.ID); err != nil {
			return err
		}
	}
	return e.noteRunning(ctx)
}

// sweepOld takes away the entries of a board as it was before it was rebuilt, but for windows that are final.
func (e *engine) sweepOld(ctx context.Context, board string) error {
	b := e.ruleset().boards[board]
	if b != nil {
		if err := e.sweep(ctx, board, func(w store.Window) bool { return w.Generation < b.generation && w.Final == 0 }); err != nil {
			return err
		}
	}
	e.dues.note(sweepKind, board, time.Time{})
	return nil
}

// sweep takes away the windows that are chosen, in slices between which others write.
func (e *engine) sweep(ctx context.Context, board string, chosen func(w store.Window) bool) error {
	for {
		var found []store.WindowKey
		for w, err := range e.store.Windows(ctx, store.WindowQuery{Board: board, Unfrozen: true}) {
			if err != nil {
				return unavailable(err)
			}
			if chosen(w) {
				found = append(found, w.WindowKey)
			}
		}
		if len(found) == 0 {
			return nil
		}
		for _, key := range found {
			if err := e.committer.follow(ctx, store.Drop{WindowKey: key, All: true}); err != nil {
				return err
			}
		}
	}
}
