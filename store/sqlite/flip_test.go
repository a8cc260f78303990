package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// verdict is what became of a damaged database.
type verdict string

const (
	refused  verdict = "refused when it was opened"
	reported verdict = "reported by a read or by Verify"
	harmless verdict = "without effect"
	silent   verdict = "changed what is read without a word"
)

// damagedFile is a database and its log, one of them with something done to it.
type damagedFile struct {
	name      string
	main, log []byte
}

// readAll reads everything that a store has, as an engine does or not.
func readAll(s store.Store) error {
	ctx := context.Background()
	for event, err := range s.Events(ctx, 0) {
		if err != nil {
			return err
		}
		if _, err := s.Match(ctx, event.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for m, err := range s.Matches(ctx, store.MatchQuery{}) {
		if err != nil {
			return err
		}
		for _, q := range []store.MatchQuery{{Player: m.Participants[0].Player}, {Room: "hall"}, {States: []string{"started"}}} {
			for _, err := range s.Matches(ctx, q) {
				if err != nil {
					return err
				}
			}
		}
		break
	}
	for _, b := range rules().Boards {
		key := store.WindowKey{Board: b.ID, Window: "all"}
		for e, err := range s.Entries(ctx, store.EntryQuery{WindowKey: key}) {
			if err != nil {
				return err
			}
			for _, err := range s.Entries(ctx, store.EntryQuery{WindowKey: key, IDs: []string{e.ID}}) {
				if err != nil {
					return err
				}
			}
		}
	}
	for w, err := range s.Windows(ctx, store.WindowQuery{}) {
		if err != nil {
			return err
		}
		for _, err := range s.Chunks(ctx, w.WindowKey, 0, math.MaxInt) {
			if err != nil {
				return err
			}
		}
	}
	if err := readMoney(ctx, s); err != nil {
		return err
	}
	for _, err := range s.Sessions(ctx, store.SessionQuery{}) {
		if err != nil {
			return err
		}
	}
	for _, err := range s.Rooms(ctx, store.RoomQuery{}) {
		if err != nil {
			return err
		}
	}
	_, err := s.Setting(ctx, "rules")
	return err
}

// readMoney reads the ledger, what players were given and their facts.
func readMoney(ctx context.Context, s store.Store) error {
	for l, err := range s.Lines(ctx, store.LineQuery{}) {
		if err != nil {
			return err
		}
		for _, err := range s.Balances(ctx, []store.Account{l.Account}) {
			if err != nil {
				return err
			}
		}
	}
	for g, err := range s.Grants(ctx, store.GrantQuery{}) {
		if err != nil {
			return err
		}
		for _, err := range s.Revisions(ctx, g.Match) {
			if err != nil {
				return err
			}
		}
	}
	for _, err := range s.Facts(ctx, nil) {
		if err != nil {
			return err
		}
	}
	return nil
}

// judge opens a damaged database, reads it all, verifies it and goes on with it. With looks it has a view first.
func judge(path, want string, looks bool) (v verdict, detail string) {
	ctx := context.Background()
	var viewed error
	if looks { // which costs more than all the rest
		view, err := sqlite.View(ctx, path)
		if err == nil {
			err = errors.Join(readAll(view), view.Close())
		}
		viewed = err
	}
	e, err := openGame(path)
	if err != nil {
		return refused, err.Error()
	}
	defer e.Close()
	got, err := contents(e)
	if err != nil {
		return reported, err.Error()
	}
	found, err := e.Verify(ctx)
	if err != nil {
		return reported, err.Error()
	}
	if len(found.Problems) > 0 {
		return reported, fmt.Sprint(found.Problems[0])
	}
	if err := race(ctx, e, "after all", 3); err != nil {
		return reported, err.Error()
	}
	if viewed != nil {
		return reported, viewed.Error()
	}
	if got != want {
		return silent, firstDifference(want, got)
	}
	return harmless, ""
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	same := 0
	for same < min(len(want), len(got)) && want[same] == got[same] {
		same++
	}
	show := func(text string) string { return text[max(0, same-40):min(len(text), same+20)] }
	return fmt.Sprintf("%q instead of %q", show(got), show(want))
}

// judgeAll judges every damaged file and counts the verdicts. A panic or a call that does not come back fails the
// test, whatever the file.
func judgeAll(t *testing.T, want string, files int, next func(i int) damagedFile) map[verdict]int {
	t.Helper()
	count := make(map[verdict]int)
	var mu sync.Mutex
	var shown atomic.Int64
	var group sync.WaitGroup
	work := make(chan int)
	for range 3 {
		group.Go(func() {
			dir := t.TempDir()
			for i := range work {
				mu.Lock()
				f := next(i)
				mu.Unlock()
				v, detail, err := judgeOne(dir, f, want, i%4 == 0)
				mu.Lock()
				count[v]++
				mu.Unlock()
				switch {
				case err != nil:
					t.Errorf("%s: %v", f.name, err)
				case v == silent && shown.Add(1) <= 5:
					t.Logf("%s: %s: %s", f.name, v, detail)
				}
			}
		})
	}
	for i := range files {
		work <- i
	}
	close(work)
	group.Wait()
	return count
}

// patience is when a call counts as hung; no test is about time.
const patience = time.Minute

func judgeOne(parent string, f damagedFile, want string, looks bool) (v verdict, detail string, err error) {
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "game.db")
	if err := errors.Join(os.WriteFile(path, f.main, 0o600), writeLog(path, f.log)); err != nil {
		return "", "", err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		v, detail = judge(path, want, looks)
	}()
	select {
	case <-done:
		return v, detail, err
	case <-time.After(patience):
		return "", "", errors.New("it hangs")
	}
}

func writeLog(path string, log []byte) error {
	if log == nil {
		return nil
	}
	return os.WriteFile(path+"-wal", log, 0o600)
}

// damageable makes a database worth damaging: ended, running and cancelled races, reports, attributes. It returns
// the two files as they lie there while the engine idles, and what they hold.
func damageable(t *testing.T) (main, log []byte, want string) {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "game.db")
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) // the same bits in every run
	var e *finalbell.Engine
	for life := range 2 {
		var err error
		e, err = finalbell.Open(ctx, path, rules(), finalbell.Options{Now: clock.Now})
		require.NoError(t, err)
		races(t, e, fmt.Sprintf("life %d race ", life), 8)
		id := fmt.Sprint("running ", life)
		_, err = e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "race", Room: "hall", Round: "3", Players: roster(life),
			Attributes: map[string]string{"map": "dust", "sky": "grey"}})
		require.NoError(t, err)
		_, err = e.Start(ctx, id)
		require.NoError(t, err)
		_, err = e.Report(ctx, id, report(life)[:2]...)
		require.NoError(t, err)
		id = fmt.Sprint("cancelled ", life)
		_, err = e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "race", Players: roster(life)})
		require.NoError(t, err)
		_, err = e.Cancel(ctx, id, "rain")
		require.NoError(t, err)
		if life == 0 {
			require.NoError(t, e.Close())
		}
	}
	races(t, e, "last ", 1)
	main, err := os.ReadFile(path)
	require.NoError(t, err)
	log, err = os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NoError(t, e.Close())
	e, err = openGame(writeFiles(t, main, log))
	require.NoError(t, err)
	want, err = contents(e)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	return main, log, want
}

func writeFiles(t *testing.T, main, log []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "game.db")
	require.NoError(t, os.WriteFile(path, main, 0o600))
	require.NoError(t, writeLog(path, log))
	return path
}

func flip(b []byte, random *rand.Rand) ([]byte, string) {
	at, bit := random.IntN(len(b)), random.IntN(8)
	b = bytes.Clone(b)
	b[at] ^= 1 << bit
	return b, fmt.Sprintf("bit %d of byte %d", bit, at)
}

// manyFlips is how many bits are flipped. The race detector, which runs the short tests, looks for something else.
func manyFlips() int {
	if testing.Short() {
		return 50
	}
	return 500
}

// A flipped bit in a database never crashes or hangs whoever opens it. What is read by rule is refused or reported;
// what no rule knows, such as an attribute's text, may be read as it is now, and is counted.
func TestAFlippedBitInTheFileNeverCrashes(t *testing.T) {
	main, log, _ := damageable(t)
	path := writeFiles(t, main, log)
	e, err := openGame(path) // moves the log into the file
	require.NoError(t, err)
	want, err := contents(e)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	main, err = os.ReadFile(path)
	require.NoError(t, err)
	random := randomness(t)
	flips := manyFlips()
	count := judgeAll(t, want, flips, func(int) damagedFile {
		flipped, name := flip(main, random)
		return damagedFile{name: name, main: flipped}
	})
	t.Logf("%d bits of %d bytes: %v", flips, len(main), count)
	require.LessOrEqual(t, count[silent], flips/10, "reading has lost its rules")
}

// A flipped bit in the log of an engine that died is refused, unless it lies in the last commit: that cannot be told
// from one that a crash tore.
func TestAFlippedBitInTheLogIsRefused(t *testing.T) {
	main, log, want := damageable(t)
	random := randomness(t)
	flips := manyFlips()
	count := judgeAll(t, want, flips, func(int) damagedFile {
		flipped, name := flip(log, random)
		return damagedFile{name: name, main: main, log: flipped}
	})
	t.Logf("%d bits of %d bytes: %v", flips, len(log), count)
	require.LessOrEqual(t, count[silent], flips/10, "more than the last commit")
	require.Zero(t, count[reported]+count[harmless])
}

// A file that was cut short is refused or reported, with its log beside it or without; or nothing is gone.
func TestAFileCutShortIsNoticed(t *testing.T) {
	main, log, want := damageable(t)
	random := randomness(t)
	const cuts = 60
	for _, log := range [][]byte{log, nil} {
		if log == nil {
			e, err := openGame(writeFiles(t, main, nil))
			require.NoError(t, err)
			want, err = contents(e)
			require.NoError(t, err)
			require.NoError(t, e.Close())
		}
		count := judgeAll(t, want, cuts, func(int) damagedFile {
			length := random.IntN(len(main))
			return damagedFile{name: fmt.Sprint(length, " bytes"), main: main[:length], log: log}
		})
		t.Logf("%d cuts of %d bytes: %v", cuts, len(main), count)
		require.Zero(t, count[silent])
	}
}
