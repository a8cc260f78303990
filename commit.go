package finalbell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finalbell/finalbell/store"
)

// The committer is the only writer. It takes decisions in the order in which they were enqueued, gives each
// the next position, writes them in batches, and then lets each change the boards in that same order. Callers
// that arrive while a batch is being written share the next one.

const (
	maxBatch  = 256
	softDelay = time.Second // soft records wait no longer than this,
	softBatch = 64          // and no more of them than this: one by one they would cost a page each
)

// pending is one decision on its way to the store, or some records that follow from decisions taken.
type pending struct {
	job
	records []store.Record // without a job: written as soft ones
	alone   bool           // everything enqueued before is applied before it is sealed,
	bare    bool           // and the soft records are written before; with alone
	bared   bool           // which they are
	ticket  *ticket        // the reservation, freed once applied
	done    chan struct{}  // closed when err is set
	err     error
}

// job is what the committer does for a decision.
type job interface {
	// stale reports, just before the decision is sealed, that what it was based on no longer holds.
	stale() bool
	seal(position uint64) store.Commit // may be asked again with another position
	applied(position uint64)           // in position order, after the commit is durable
}

type committer struct {
	store   store.Store
	keys    *reservations
	mu      sync.Mutex
	queue   []*pending
	soft    map[softKey]store.Record
	order   []softKey // of soft, oldest first
	timer   *time.Timer
	head    uint64
	at      time.Time // the latest time that a commit carried
	sealed  int       // commits in the last batch
	running bool
	idle    *sync.Cond // signalled when running turns false
	stopped error      // why nothing is written any more

	writing  sync.Mutex     // held while a batch is written and applied
	settings []store.Record // to be written with the next commit
	told     bool           // the store has been told that an engine runs on it
	books    books
	// remembered is of what is in the store, and no longer right when somebody else writes to it; nil: nothing is.
	remembered *remembered

	applying sync.Mutex                    // held while one decision changes the boards; no I/O
	heard    func(of *store.Commit, j job) // is told of each that has; waits for nothing
	applied  atomic.Uint64
	moved    chan struct{} // closed, and replaced, when applied has moved on and somebody waits
}

// softKey names a soft record: the last value for it wins.
type softKey struct {
	kind byte // 'm' match, 'r' rank moves, 's' session, 'o' where the outbox stands
	id   string
}

func newCommitter(s store.Store, head store.Head) *committer {
	c := &committer{store: s, keys: newReservations(), soft: make(map[softKey]store.Record), head: head.Position, at: head.At}
	c.idle = sync.NewCond(&c.mu)
	c.applied.Store(head.Position)
	return c
}

// submit enqueues a decision, whose keys are reserved by its ticket, and waits until it is durable and
// applied. A caller whose ctx ends meanwhile leaves with ErrUnknown; the decision goes on.
func (c *committer) submit(ctx context.Context, p *pending) error {
	p.done = make(chan struct{})
	c.mu.Lock()
	if c.stopped != nil {
		c.mu.Unlock()
		c.keys.release(p.ticket)
		return c.stopped
	}
	c.queue = append(c.queue, p)
	if ctx.Done() == nil && !c.running {
		// Who cannot leave may as well do the work: no goroutine has to wake up for a lone caller.
		c.running = true
		c.mu.Unlock()
		c.lead()
		<-p.done
		return p.err
	}
	c.wake()
	c.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return &refusal{kind: ErrUnknown, text: "the caller left before the commit was known: " + context.Cause(ctx).Error(), cause: context.Cause(ctx)}
	}
}

// wake makes sure that somebody works on the queue. The lock is held.
func (c *committer) wake() {
	if !c.running {
		c.running = true
		go c.run()
	}
}

// lead writes one batch on the caller's own stack and leaves the rest to a goroutine.
func (c *committer) lead() {
	c.gather()
	if batch, soft, ok := c.take(); ok {
		c.write(batch, soft)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return
	}
	if len(c.queue) > 0 || len(c.order) > 0 && c.timer == nil {
		go c.run()
		return
	}
	c.running = false
	c.idle.Broadcast()
}

// run writes batches until there is nothing left, so that an idle engine has no goroutine.
func (c *committer) run() {
	for {
		c.gather()
		batch, soft, ok := c.take()
		if !ok {
			return
		}
		c.write(batch, soft)
	}
}

// gather yields a few times while the queue still grows: callers woken by the last batch need the processor
// to submit again, and a writer that seals at once commits half of them each time. A lone caller, after whom
// nobody comes, does not wait: to yield would only wake an idle processor.
func (c *committer) gather() {
	size := -1
	for range 8 {
		c.mu.Lock()
		n := len(c.queue)
		alone := n <= 1 && c.sealed <= 1
		c.mu.Unlock()
		if n == size || alone {
			return
		}
		size = n
		runtime.Gosched()
	}
}

// take seals the next batch. Soft records go with it when they are due or have become many.
func (c *committer) take() ([]*pending, []store.Record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), maxBatch)
	for i, p := range c.queue[:n] {
		if p.alone {
			n = max(i, 1)
			break
		}
	}
	if c.stopped != nil || n == 0 && (len(c.order) == 0 || c.timer != nil) {
		c.running = false
		c.idle.Broadcast()
		return nil, nil, false
	}
	bare := n > 0 && c.queue[0].bare
	if bare && !c.queue[0].bared {
		c.queue[0].bared = true
		n = 0 // what waits goes first; what comes meanwhile was decided by somebody whom the decision leaves alone
	}
	c.sealed = n
	batch := c.queue[:n:n]
	c.queue = c.queue[n:]
	if n > 0 && bare || len(c.order) < softBatch && c.timer != nil && !bare {
		return batch, nil, true
	}
	soft := make([]store.Record, len(c.order))
	for i, key := range c.order {
		soft[i] = c.soft[key]
	}
	return batch, soft, true
}

// write commits a batch and applies it. The store may answer about one commit: then that one is taken out
// and the rest is tried again. Any other error stops the committer.
func (c *committer) write(batch []*pending, soft []store.Record) {
	c.writing.Lock()
	defer c.writing.Unlock()
	batch, following := c.sift(batch)
	all := soft
	for _, p := range following {
		all = append(all[:len(all):len(all)], p.records...)
	}
	if len(batch) == 0 && len(all) == 0 {
		return // nothing held
	}
	for {
		c.books.restart()
		commits := make([]store.Commit, len(batch))
		for i, p := range batch {
			commits[i] = p.seal(c.head + uint64(i) + 1)
		}
		if len(commits) > 0 {
			commits[0].Records = slices.Concat(c.settings, commits[0].Records) // first: a rebuild writes newer ones
		}
		batched, bare := unrevised(all, commits), len(batch) > 0 && batch[0].bare
		if !c.told && !bare {
			batched = append(slices.Clip(batched), runningRecord(isOpen))
		}
		err := commit(c.store, store.Batch{Commits: commits, Soft: batched})
		var answer *store.CommitError
		if errors.As(err, &answer) && answer.Index >= 0 && answer.Index < len(batch) {
			p := batch[answer.Index]
			batch = append(batch[:answer.Index:answer.Index], batch[answer.Index+1:]...)
			if errors.Is(answer.Err, store.ErrStale) {
				c.catchUp()
			}
			c.finish(p, answer.Err)
			if len(batch) == 0 && len(all) == 0 {
				return
			}
			continue
		}
		if err != nil {
			c.stop(err, append(batch[:len(batch):len(batch)], following...))
			return
		}
		c.told = c.told || !bare
		c.books.keep()
		c.wrote(commits, soft)
		for _, p := range following {
			c.finish(p, nil)
		}
		if applied, err := c.apply(batch, commits); err != nil {
			c.stop(err, batch[applied:])
		}
		return
	}
}

// unrevised are soft records without the moves of matches that a commit revises: they would follow it and pass for what it
// moved. The revision that the commit keeps has them.
func unrevised(soft []store.Record, commits []store.Commit) []store.Record {
	for _, c := range commits {
		if c.Kind != amendedEvent && c.Kind != voidedEvent {
			continue
		}
		soft = slices.DeleteFunc(slices.Clone(soft), func(r store.Record) bool {
			moves, is := r.(store.Moves)
			return is && moves.Match == c.ID
		})
	}
	return soft
}

// sift turns away decisions that no longer hold, and parts the others from mere records.
func (c *committer) sift(batch []*pending) (decisions, following []*pending) {
	decisions = batch[:0:0]
	for _, p := range batch {
		switch {
		case p.job == nil:
			following = append(following, p)
		case p.stale():
			c.finish(p, store.ErrStale)
		default:
			decisions = append(decisions, p)
		}
	}
	return decisions, following
}

// apply lets each decision change the boards, in position order, and wakes its caller. A panic there leaves
// the boards behind the store, so it stops the committer like a failed write rather than go on wrong.
func (c *committer) apply(batch []*pending, commits []store.Commit) (applied int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("applying commit %d panicked: %v", commits[applied].Position, r)
		}
	}()
	for i, p := range batch {
		applied = i
		c.change(p, &commits[i])
		c.finish(p, nil)
	}
	return len(batch), nil
}

// change lets one decision change the boards, and then tells whoever listens.
func (c *committer) change(p *pending, of *store.Commit) {
	c.applying.Lock()
	defer c.applying.Unlock()
	p.applied(of.Position)
	c.applied.Store(of.Position)
	if c.heard != nil {
		c.heard(of, p.job)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

// reaches waits until the commit at a position is applied.
func (c *committer) reaches(ctx context.Context, position uint64) error {
	for c.applied.Load() < position {
		c.mu.Lock()
		at, stopped := c.applied.Load(), c.stopped
		if at >= position {
			c.mu.Unlock()
			return nil
		}
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		if stopped != nil {
			return refuse(ErrUnavailable, fmt.Sprintf("the boards are at position %d, not at %d, and do not move on: %v", at, position, stopped))
		}
		select {
		case <-moved:
		case <-c.keys.gone: // whoever stops the committer closes them too
		case <-ctx.Done():
			return left(ctx)
		}
	}
	return nil
}

// follow writes records that follow from what is decided already, and returns when they are written.
func (c *committer) follow(ctx context.Context, records ...store.Record) error {
	return c.submit(ctx, &pending{records: records})
}

// catchUp learns the position again after somebody else has written to the store.
func (c *committer) catchUp() {
	if c.remembered != nil {
		c.remembered.clear()
	}
	if head, err := c.store.Head(context.Background()); err == nil {
		c.head = head.Position
	}
}

// commit calls the store. A panic in it is a failed write like any other.
func commit(s store.Store, b store.Batch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store panicked: %v", r)
		}
	}()
	// No caller's ctx: a commit that others wait for must not be torn by one of them leaving.
	return s.Commit(context.Background(), b)
}

// wrote notes where the store stands and forgets the soft records that it has now.
func (c *committer) wrote(commits []store.Commit, soft []store.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head += uint64(len(commits))
	if len(commits) > 0 {
		c.settings = nil
	}
	for _, commit := range commits {
		if commit.At.After(c.at) {
			c.at = commit.At
		}
	}
	if len(soft) == 0 {
		return
	}
	var left []softKey
	for i, key := range c.order {
		if i < len(soft) && sameRecord(c.soft[key], soft[i]) {
			delete(c.soft, key)
			continue
		}
		left = append(left, key) // came or changed while the batch was written
	}
	c.order = left
	if c.timer != nil && len(left) == 0 {
		c.timer.Stop()
		c.timer = nil
	}
}

// sameRecord reports whether a soft record is still the one that was written.
func sameRecord(a, b store.Record) bool {
	switch a := a.(type) {
	case store.Match:
		b, ok := b.(store.Match)
		return ok && a.Version == b.Version && len(a.Participants) == len(b.Participants) &&
			(len(a.Participants) == 0 || &a.Participants[0] == &b.Participants[0])
	case store.Session:
		b, ok := b.(store.Session)
		return ok && a.Version == b.Version && a.SeenAt.Equal(b.SeenAt)
	case store.Moves:
		b, ok := b.(store.Moves) // an amended match has others
		return ok && len(a.Moves) == len(b.Moves) && (len(a.Moves) == 0 || &a.Moves[0] == &b.Moves[0])
	case store.Setting:
		b, ok := b.(store.Setting)
		return ok && a.Name == b.Name && bytes.Equal(a.Value, b.Value)
	}
	return false
}

func (c *committer) finish(p *pending, err error) {
	p.err = err
	c.keys.release(p.ticket)
	close(p.done)
}

// stop ends all writing: nobody knows what the store holds now, and to read it again would not tell, for the
// page cache may confirm what the disk does not hold. Whoever waits is told so.
func (c *committer) stop(cause error, batch []*pending) {
	c.mu.Lock()
	c.stopped = &refusal{kind: ErrUnavailable, text: "the store failed, open the engine again: " + cause.Error(), cause: cause}
	waiting := append(batch[:len(batch):len(batch)], c.queue...)
	c.queue = nil
	c.mu.Unlock()
	c.keys.close(c.stopped)
	for _, p := range waiting {
		c.finish(p, &refusal{kind: ErrUnknown, text: "the store failed, the commit's fate is not known: " + cause.Error(), cause: cause})
	}
}

// later keeps a soft record for a batch to come, for at most softDelay.
func (c *committer) later(key softKey, r store.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.soft[key]; !there {
		c.order = append(c.order, key)
	}
	c.soft[key] = r
	if c.timer == nil && c.stopped == nil {
		c.timer = time.AfterFunc(softDelay, c.flush)
	}
}

// flush lets the soft records be written now.
func (c *committer) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if len(c.order) > 0 && c.stopped == nil {
		c.wake()
	}
}

// overlay is the soft record that readers must see although the store may not have it yet.
func (c *committer) overlay(key softKey) (store.Record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, there := c.soft[key]
	return r, there
}

// stand is the latest time that was stored, and why nothing is written any more, if so.
func (c *committer) stand() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, c.stopped
}

// drain writes what is left, lets nothing more in, and tells the store that no engine runs on it any more.
func (c *committer) drain(why error) error {
	c.flush()
	c.mu.Lock()
	for c.running {
		c.idle.Wait()
	}
	failed := c.stopped
	if c.stopped == nil {
		c.stopped = why
	}
	c.mu.Unlock()
	c.keys.close(why)
	c.writing.Lock()
	defer c.writing.Unlock()
	if failed == nil && c.told {
		if err := commit(c.store, store.Batch{Soft: []store.Record{runningRecord(isClosed)}}); err != nil {
			failed = unavailable(err)
		}
		c.told = false
	}
	return failed
}
