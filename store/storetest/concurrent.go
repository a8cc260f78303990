package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// patience is when a call counts as hung. No rule is about time; without this a store that deadlocks would
// take the whole test binary with it.
const patience = 3 * time.Minute

// finishes runs do, which asserts instead of requiring, and stops the test if it fails or does not return.
func finishes(t *testing.T, what string, do func() bool) {
	t.Helper()
	done := make(chan bool, 1)
	go func() { done <- do() }()
	select {
	case ok := <-done:
		require.True(t, ok, what)
	case <-time.After(patience):
		require.FailNow(t, what+" hangs: is a lock or a transaction held while it yields?")
	}
}

func concurrencyRules() []rule {
	return []rule{one("a reader sees whole batches only", wholeBatches)}
}

// wholeBatches writes for as long as it is being read, so that the two meet however fast the store is. Two readers
// hurry, which finds more on several cores. The third steps aside for the writer, which never does: where there
// is only one core, the scheduler then stops the writer inside a batch.
func wholeBatches(t *testing.T, s store.Store) {
	ctx := context.Background()
	require.NoError(t, s.Commit(ctx, block(0)))
	var reading, writing sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			for round := 0; round < 500 && seesBlocks(t, s); round++ {
				continue
			}
		})
	}
	reading.Go(func() {
		for round := 0; round < 100 && seesBlocks(t, s); round++ {
			runtime.Gosched()
		}
	})
	read := make(chan struct{})
	batches := uint64(1)
	writing.Go(func() {
		for {
			select {
			case <-read:
				return
			default:
			}
			if !assert.NoError(t, s.Commit(ctx, block(batches))) {
				return
			}
			batches++
		}
	})
	finishes(t, "reading beside a writer", func() bool {
		reading.Wait()
		close(read)
		writing.Wait()
		return !t.Failed()
	})
	head, err := s.Head(ctx)
	require.NoError(t, err)
	require.Equal(t, commitsInBlock*batches, head.Position)
}

const commitsInBlock = 8

// block is the batch number i: commits after the last of which everything in the store carries its position, a
// multiple of commitsInBlock.
func block(i uint64) store.Batch {
	var b store.Batch
	for position := commitsInBlock*i + 1; position <= commitsInBlock*(i+1); position++ {
		b.Commits = append(b.Commits, commitAt(position,
			store.Match{ID: "m", Version: position, Created: 1, State: "started"},
			store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: position},
			store.Setting{Name: "rules", Value: binary.BigEndian.AppendUint64(nil, position)},
			store.Entry{WindowKey: in("x", "yz"), ID: "bob", Version: position},
			store.Window{WindowKey: in("x", "yz"), Version: position},
			store.Drop{WindowKey: in("x", "yz"), From: 0, To: math.MaxInt32},
			store.Chunk{WindowKey: in("x", "yz"), N: int(position)}, //nolint:gosec // small
			store.Facts{Player: "ann", Version: position}, blockGrant(position),
			store.Session{ID: "s", Version: position, Player: "ann"}, store.Room{ID: "r", Version: position, Members: []store.Member{{Player: "ann"}}},
			posted(position, 0, fmt.Sprint(position), "", wallet("ann"), "", position), posted(position, 1, fmt.Sprint(position), "", wallet("bob"), "", position)))
	}
	return b
}

// seesBlocks reads everything once and asserts that nothing comes from inside a batch and that nothing goes back.
func seesBlocks(t *testing.T, s store.Store) bool {
	ctx := context.Background()
	head, err := s.Head(ctx)
	if !assert.NoError(t, err) || !assert.Zero(t, head.Position%commitsInBlock, "a head inside a batch") {
		return false
	}
	m, err := s.Match(ctx, "m")
	if !assert.NoError(t, err) || !assert.Zero(t, m.Version%commitsInBlock, "a match inside a batch") ||
		!assert.GreaterOrEqual(t, m.Version, head.Position, "a match older than the head") {
		return false
	}
	for m, err := range s.Matches(ctx, store.MatchQuery{}) {
		if !assert.NoError(t, err) || !assert.Zero(t, m.Version%commitsInBlock, "a listed match inside a batch") {
			return false
		}
	}
	value, err := s.Setting(ctx, "rules")
	if !assert.NoError(t, err) || !assert.Len(t, value, 8) ||
		!assert.Zero(t, binary.BigEndian.Uint64(value)%commitsInBlock, "a setting inside a batch") {
		return false
	}
	var versions []uint64
	for e, err := range s.Entries(ctx, firstWindow()) {
		if !assert.NoError(t, err) {
			return false
		}
		versions = append(versions, e.Version)
	}
	if !assert.Len(t, versions, 2) || !assert.Equal(t, versions[0], versions[1], "entries of two batches") ||
		!assert.Zero(t, versions[0]%commitsInBlock, "entries inside a batch") {
		return false
	}
	for w, err := range s.Windows(ctx, store.WindowQuery{}) {
		if !assert.NoError(t, err) || !assert.Zero(t, w.Version%commitsInBlock, "a window inside a batch") {
			return false
		}
	}
	chunks := 0
	for c, err := range s.Chunks(ctx, windows()[0], 0, math.MaxInt) {
		if chunks++; !assert.NoError(t, err) || !assert.Zero(t, c.N%commitsInBlock, "a chunk inside a batch") {
			return false
		}
	}
	if !assert.Equal(t, 1, chunks, "chunks inside a batch") {
		return false
	}
	last := head.Position - commitsInBlock // one batch that is there, and what came since
	if !seesMoney(t, s, last) {
		return false
	}
	count := 0
	for e, err := range s.Events(ctx, last) {
		if !assert.NoError(t, err) || !assert.Equal(t, last+1, e.Position, "events out of order") {
			return false
		}
		last = e.Position
		count++
	}
	return assert.Zero(t, count%commitsInBlock, "events inside a batch") && assert.NotZero(t, count, "events behind the head")
}

// blockGrant is made in the first commit and changed in every other.
func blockGrant(version uint64) store.Grant {
	return store.Grant{ID: "g", Version: version, Player: "ann", State: "pending", Position: 1}
}

// seesMoney is seesBlocks for facts, grants, balances and the lines after a position.
func seesMoney(t *testing.T, s store.Store, after uint64) bool {
	ctx := context.Background()
	whole := func(n uint64, err error, what string) bool {
		return assert.NoError(t, err) && assert.Zero(t, n%commitsInBlock, what+" inside a batch")
	}
	for f, err := range s.Facts(ctx, []string{"ann"}) {
		if !whole(f.Version, err, "facts") {
			return false
		}
	}
	for g, err := range s.Grants(ctx, store.GrantQuery{States: []string{"pending"}}) {
		if !whole(g.Version, err, "a grant") {
			return false
		}
	}
	for r, err := range s.Sessions(ctx, store.SessionQuery{Player: "ann"}) {
		if !whole(r.Version, err, "a session") {
			return false
		}
	}
	for r, err := range s.Rooms(ctx, store.RoomQuery{}) {
		if !whole(r.Version, err, "a room") {
			return false
		}
	}
	for m, err := range s.Matches(ctx, store.MatchQuery{Newest: true}) {
		if !whole(m.Version, err, "a match") {
			return false
		}
	}
	balances := map[uint64]bool{}
	for l, err := range s.Balances(ctx, []store.Account{wallet("ann"), wallet("bob")}) {
		if balances[l.Seq] = true; !whole(l.Seq, err, "a balance") {
			return false
		}
	}
	lines := uint64(0)
	for _, err := range s.Lines(ctx, store.LineQuery{Touching: []store.Account{wallet("bob")}, After: after}) {
		if lines++; !assert.NoError(t, err) {
			return false
		}
	}
	return assert.Len(t, balances, 1, "balances of two batches") && whole(lines/2, nil, "lines")
}
