package finalbell

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// gateStore notes what it is asked to commit and answers as the test says, taking a moment for it.
type gateStore struct {
	store.Store
	mu      sync.Mutex
	batches []store.Batch
	answer  func(b store.Batch) error
	takes   time.Duration
}

func (s *gateStore) Commit(_ context.Context, b store.Batch) error {
	time.Sleep(s.takes) // in a bubble: the clock moves only when everybody waits
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		if err := s.answer(b); err != nil {
			return err
		}
	}
	s.batches = append(s.batches, b)
	return nil
}

// written is what was committed so far.
func (s *gateStore) written() []store.Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// noteJob notes where it was applied.
type noteJob struct {
	rig  *rig
	name string
}

func (j noteJob) stale() bool { return false }

func (j noteJob) seal(position uint64) store.Commit {
	return store.Commit{Key: j.name, Position: position, At: time.UnixMilli(int64(position)).UTC()}
}

func (j noteJob) applied(position uint64) {
	j.rig.mu.Lock()
	defer j.rig.mu.Unlock()
	j.rig.applied = append(j.rig.applied, fmt.Sprintf("%s@%d", j.name, position))
}

// rig is a committer on a gate, and the order in which jobs were applied.
type rig struct {
	c       *committer
	s       *gateStore
	mu      sync.Mutex
	applied []string
}

func newRig() *rig {
	s := &gateStore{takes: time.Millisecond}
	return &rig{s: s, c: newCommitter(s, store.Head{})}
}

func (r *rig) submit(ctx context.Context, name string, keys ...string) error {
	var ks []key
	for _, k := range keys {
		ks = append(ks, key{'m', k})
	}
	t, err := r.c.keys.acquire(ctx, ks...)
	if err != nil {
		return err
	}
	return r.c.submit(ctx, &pending{ticket: t, job: noteJob{r, name}})
}

func TestCallersThatArriveWhileABatchIsWrittenShareTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var wait sync.WaitGroup
		wait.Go(func() { assert.NoError(t, r.submit(t.Context(), "first", "a")) })
		synctest.Wait() // the first is with the store
		for i := range 20 {
			wait.Go(func() { assert.NoError(t, r.submit(t.Context(), fmt.Sprint(i), fmt.Sprint(i))) })
		}
		wait.Wait()
		require.Len(t, r.s.written(), 2)
		assert.Len(t, r.s.written()[0].Commits, 1)
		assert.Len(t, r.s.written()[1].Commits, 20)
		var position uint64
		for _, b := range r.s.written() {
			for _, c := range b.Commits {
				position++
				assert.Equal(t, position, c.Position, "positions are gap-free")
			}
		}
	})
}

func TestJobsAreAppliedInPositionOrderBeforeTheirCallersWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var wait sync.WaitGroup
		for i := range 300 {
			wait.Go(func() {
				assert.NoError(t, r.submit(t.Context(), fmt.Sprint(i), fmt.Sprint(i%7)))
				r.mu.Lock()
				defer r.mu.Unlock()
				found := slices.ContainsFunc(r.applied, func(a string) bool { return strings.HasPrefix(a, fmt.Sprintf("%d@", i)) })
				assert.True(t, found, "job %d was applied when its caller woke", i)
			})
		}
		wait.Wait()
		for i, a := range r.applied {
			var name, position int
			_, err := fmt.Sscanf(a, "%d@%d", &name, &position)
			require.NoError(t, err)
			assert.Equal(t, i+1, position)
		}
		assert.Len(t, r.applied, 300)
	})
}

func TestABatchIsNeverLargerThanItMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var wait sync.WaitGroup
		for i := range 3 * maxBatch {
			wait.Go(func() { assert.NoError(t, r.submit(t.Context(), fmt.Sprint(i), fmt.Sprint(i))) })
		}
		wait.Wait()
		for _, b := range r.s.written() {
			assert.LessOrEqual(t, len(b.Commits), maxBatch)
		}
	})
}

func TestACallerWhoLeavesGetsUnknownAndTheCommitGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.s.takes = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := r.submit(ctx, "left", "a")
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, r.submit(t.Context(), "next", "a"), "the key is free once the first is applied")
		assert.Equal(t, []string{"left@1", "next@2"}, r.applied)
	})
}

func TestAFailedStoreLeavesWaitersUnknownAndLaterCallersUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := errors.New("disk full")
		for name, answer := range map[string]func(store.Batch) error{
			"error": func(store.Batch) error { return disk },
			"panic": func(store.Batch) error { panic(disk) },
		} {
			r := newRig()
			var wait sync.WaitGroup
			r.s.answer = func(b store.Batch) error {
				if b.Commits[0].Key == "first" {
					return nil
				}
				return answer(b)
			}
			wait.Go(func() { assert.NoError(t, r.submit(t.Context(), "first", "a")) })
			synctest.Wait()
			for i := range 2 * maxBatch { // more than one batch
				wait.Go(func() { assert.ErrorIs(t, r.submit(t.Context(), fmt.Sprint(i), fmt.Sprint(i)), ErrUnknown, name) })
			}
			synctest.Wait()
			wait.Go(func() {
				err := r.submit(t.Context(), "behind", "0") // waits for a key that a waiter holds
				assert.True(t, errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown), name)
			})
			wait.Wait()
			assert.ErrorIs(t, r.submit(t.Context(), "later", "z"), ErrUnavailable, name)
			assert.Equal(t, []string{"first@1"}, r.applied, name)
		}
	})
}

func TestAnAnswerAboutOneCommitSparesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.s.answer = func(b store.Batch) error {
			for i, c := range b.Commits {
				if c.Key == "reused" {
					return &store.CommitError{Index: i, Key: c.Key, Err: store.ErrReused}
				}
			}
			return nil
		}
		var wait sync.WaitGroup
		wait.Go(func() { assert.NoError(t, r.submit(t.Context(), "first", "a")) })
		synctest.Wait()
		for _, name := range []string{"x", "reused", "y"} {
			wait.Go(func() {
				err := r.submit(t.Context(), name, name)
				if name == "reused" {
					assert.ErrorIs(t, err, store.ErrReused)
				} else {
					assert.NoError(t, err)
				}
			})
			synctest.Wait()
		}
		wait.Wait()
		assert.Equal(t, []string{"first@1", "x@2", "y@3"}, r.applied, "the others keep gap-free positions")
	})
}

func TestSoftRecordsAreWrittenWithinASecondOrOnceTheyAreMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.c.later(softKey{'m', "a"}, store.Match{ID: "a", Version: 1})
		r.c.later(softKey{'m', "a"}, store.Match{ID: "a", Version: 2})
		time.Sleep(softDelay - time.Millisecond)
		synctest.Wait()
		require.Empty(t, r.s.written())
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		require.Len(t, r.s.written(), 1)
		require.Len(t, r.s.written()[0].Soft, 2, "the last value wins, and the store is told that an engine runs")
		assert.Equal(t, runningRecord(isOpen), r.s.written()[0].Soft[1])
		assert.Equal(t, uint64(2), r.s.written()[0].Soft[0].(store.Match).Version)
		_, there := r.c.overlay(softKey{'m', "a"})
		assert.False(t, there, "what is written is forgotten")

		for i := range softBatch - 1 {
			r.c.later(softKey{'m', strconv.Itoa(i)}, store.Match{ID: strconv.Itoa(i)})
		}
		require.NoError(t, r.submit(t.Context(), "x", "x"))
		require.Len(t, r.s.written(), 2)
		assert.Empty(t, r.s.written()[1].Soft, "few wait for their time")
		r.c.later(softKey{'m', "b"}, store.Match{ID: "b"})
		require.NoError(t, r.submit(t.Context(), "y", "y"))
		require.Len(t, r.s.written(), 3)
		assert.Len(t, r.s.written()[2].Soft, softBatch, "many go with the next commit")
		time.Sleep(2 * softDelay)
		synctest.Wait()
		assert.Len(t, r.s.written(), 3, "nothing is written twice")
	})
}

func TestASoftRecordThatChangesWhileItIsWrittenIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.s.takes = 100 * time.Millisecond
		record := func(rank int) store.Match {
			return store.Match{ID: "a", Version: 2, Participants: []store.Participant{{Player: "p", Rank: rank}}}
		}
		r.c.later(softKey{'m', "a"}, record(1))
		r.c.flush()
		time.Sleep(50 * time.Millisecond)
		r.c.later(softKey{'m', "a"}, record(2))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, r.s.written(), 2)
		assert.Equal(t, 2, r.s.written()[1].Soft[0].(store.Match).Participants[0].Rank)
	})
}

func TestClosingWritesWhatIsLeftAndTurnsAwayTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var wait sync.WaitGroup
		wait.Go(func() { assert.NoError(t, r.submit(t.Context(), "x", "x")) })
		synctest.Wait()
		r.c.later(softKey{'m', "b"}, store.Match{ID: "b"})
		require.NoError(t, r.c.drain(errClosed))
		wait.Wait()
		soft := 0
		for _, b := range r.s.written() {
			soft += len(b.Soft)
		}
		assert.Equal(t, 3, soft, "the match, that an engine runs, and that it does no more")
		assert.Equal(t, runningRecord(isClosed), r.s.written()[len(r.s.written())-1].Soft[0])
		assert.ErrorIs(t, r.submit(t.Context(), "y", "y"), ErrUnavailable)
	})
}

// With random keys and holding times nobody holds a key that another holds, everybody gets in, and two who
// want the same keys are served in the order of arrival.
func TestReservationsExcludeEachOtherServeInOrderAndNeverDeadlock(t *testing.T) {
	for seed := range int64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewSource(seed))
			r := newReservations()
			holder := make(map[string]int)
			var order []int
			var mu sync.Mutex
			var wait sync.WaitGroup
			served, gone := 0, 0
			for i := range 60 {
				var names []string
				var keys []key
				for range 1 + random.Intn(4) {
					name := string(rune('a' + random.Intn(6)))
					names = append(names, name)
					keys = append(keys, key{'p', name})
				}
				if i%10 == 0 {
					names, keys = []string{"a", "b"}, []key{{'p', "b"}, {'p', "a"}}
				}
				hold := time.Duration(random.Intn(5)) * time.Millisecond
				ctx := t.Context()
				if random.Intn(5) == 0 && i%10 != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(random.Intn(20))*time.Millisecond)
					defer cancel()
				}
				wait.Go(func() {
					ticket, err := r.acquire(ctx, keys...)
					if err != nil {
						mu.Lock()
						gone++
						mu.Unlock()
						return
					}
					mu.Lock()
					for _, name := range names {
						if other, held := holder[name]; held && other != i {
							t.Errorf("seed %d: %d and %d both hold %s", seed, other, i, name)
						}
						holder[name] = i
					}
					if i%10 == 0 {
						order = append(order, i)
					}
					served++
					mu.Unlock()
					time.Sleep(hold)
					mu.Lock()
					for _, name := range names {
						delete(holder, name)
					}
					mu.Unlock()
					r.release(ticket)
				})
				synctest.Wait() // arrivals are in order
			}
			wait.Wait()
			assert.Equal(t, 60, served+gone)
			assert.IsIncreasing(t, order)
			assert.Empty(t, r.queues, "nothing is left behind")
		})
	}
}
