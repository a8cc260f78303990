package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

const frameSize = frameHeader + pageBytes

// image is a database and its log as they lay on the disk at one moment, while an owner had them open.
type image struct{ main, log []byte }

func imageOf(t testing.TB, path string) (i image) {
	t.Helper()
	var err error
	i.main, err = os.ReadFile(path) // in WAL mode closing it does no harm
	require.NoError(t, err)
	i.log, err = os.ReadFile(path + logSuffix)
	require.NoError(t, err)
	return i
}

// put writes an image into a directory of its own and returns the database's path.
func (i image) put(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "image")
	require.NoError(t, err)
	path := filepath.Join(dir, "game.db")
	require.NoError(t, os.WriteFile(path, i.main, 0o600))
	require.NoError(t, os.WriteFile(path+logSuffix, i.log, 0o600))
	return path
}

// writing is a store that commits settings of a drawn length, one a transaction.
type writing struct {
	*Store
	random   *rand.Rand
	position uint64
	ends     []int // of the log: at first, and after each transaction
}

func newWriting(t testing.TB) *writing {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "game.db"), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	w := &writing{Store: s, random: rand.New(rand.NewPCG(1, 2))}
	w.ends = []int{w.end(t)}
	return w
}

// end is where SQLite sees the end of the log.
func (w *writing) end(t testing.TB) int {
	t.Helper()
	var busy, frames, copied int
	require.NoError(t, w.writer.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &frames, &copied))
	return logHeader + frames*frameSize
}

// commit writes a transaction of at least the given bytes.
func (w *writing) commit(t testing.TB, size int) {
	t.Helper()
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(w.random.Uint32())
	}
	w.position++
	require.NoError(t, w.Store.Commit(context.Background(), store.Batch{Commits: []store.Commit{{
		Key: fmt.Sprint(w.position), Position: w.position, Kind: "test",
		Records: []store.Record{store.Setting{Name: fmt.Sprint("s", w.position%5), Value: value}},
	}}}))
	w.ends = append(w.ends, w.end(t))
}

// wrap lets the log begin anew with the next commit.
func (w *writing) wrap(t testing.TB) {
	t.Helper()
	var busy, frames, copied int
	require.NoError(t, w.writer.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &copied))
	require.Equal(t, frames, copied)
}

func someLog(t testing.TB, transactions int) *writing {
	t.Helper()
	w := newWriting(t)
	for range transactions {
		w.commit(t, w.random.IntN(14000))
	}
	return w
}

func walkOf(t testing.TB, log []byte) walk {
	t.Helper()
	w, err := walkLog(bytes.NewReader(log), int64(len(log)))
	require.NoError(t, err)
	return w
}

// commitsBySQLite is how many commits SQLite finds in an image: its positions, and the making of the tables.
func commitsBySQLite(t require.TestingT, i image, put func(image) string) int {
	db, err := openPool(context.Background(), put(i), 1)
	require.NoError(t, err)
	defer db.Close()
	tables, position := 0, 0
	row := db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'events'")
	require.NoError(t, row.Scan(&tables))
	if tables == 0 {
		return 0
	}
	require.NoError(t, db.QueryRow("SELECT coalesce(max(position), 0) FROM events").Scan(&position))
	return 1 + position
}

// damaged draws a log with something done to it.
func damaged(t *rapid.T, log []byte) []byte {
	log = bytes.Clone(log)
	for range rapid.IntRange(1, 2).Draw(t, "wounds") {
		at := rapid.OneOf(rapid.IntRange(0, len(log)-1), rapid.IntRange(0, min(len(log)-1, 100)),
			// In a frame's header, which is a small part of a log.
			rapid.Custom(func(t *rapid.T) int {
				return min(len(log)-1, logHeader+rapid.IntRange(0, len(log)/frameSize).Draw(t, "frame")*frameSize+rapid.IntRange(0, 23).Draw(t, "byte"))
			})).Draw(t, "at")
		switch rapid.SampledFrom([]string{"flip", "cut", "zeros", "move"}).Draw(t, "wound") {
		case "flip":
			log[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "cut":
			log = log[:at+1]
		case "zeros":
			clear(log[at:min(len(log), at+rapid.IntRange(1, 5000).Draw(t, "length"))])
		case "move":
			copy(log[at:], log[rapid.IntRange(0, len(log)-1).Draw(t, "from"):])
		}
	}
	return log
}

// The walk must see what SQLite will see: commits that it does not know would go unguarded, commits that SQLite
// drops would not be missed.
func TestTheWalkFindsTheCommitsThatSQLiteFinds(t *testing.T) {
	w := someLog(t, 8)
	w.wrap(t)
	for range 5 {
		w.commit(t, w.random.IntN(9000))
	}
	behind := w.position - 5 // in the database already
	whole := imageOf(t, w.path)
	require.Equal(t, 5, walkOf(t, whole.log).commits)
	rapid.Check(t, func(r *rapid.T) {
		log := damaged(r, whole.log)
		found := walkOf(t, log)
		want := commitsBySQLite(r, image{whole.main, log}, func(i image) string { return i.put(t) }) - int(behind) - 1
		require.Equal(r, want, found.commits)
	})
}

func TestALogOfAnEngineThatDiedIsNotDamaged(t *testing.T) {
	w := someLog(t, 2)
	w.wrap(t)
	for range 3 {
		w.commit(t, 10)
	}
	begin := w.end(t)
	w.commit(t, 2000)
	whole := imageOf(t, w.path)
	whole.log = whole.log[:w.end(t)]
	for length := begin; length <= len(whole.log); length++ {
		found := walkOf(t, whole.log[:length])
		require.NoError(t, found.damage, length)
		commits := 3
		if length == len(whole.log) {
			commits = 4
		}
		require.Equal(t, commits, found.commits, length)
	}
	// And the store opens, whatever of the last commit is there.
	for _, length := range []int{begin, begin + 1, begin + 23, begin + 24, begin + frameSize - 1, begin + frameSize, len(whole.log) - 1} {
		s, err := Open(context.Background(), image{whole.main, whole.log[:length]}.put(t), Options{})
		require.NoError(t, err, length)
		head, err := s.Head(context.Background())
		require.NoError(t, err)
		assert.EqualValues(t, 5, head.Position)
		require.NoError(t, s.Close())
	}
}

// Where the power fails, the commit that was being written may be on the disk in any parts: its end before its
// beginning, over what an earlier run through the file left there or over nothing. Only the header of a new run is
// there before the rest, because it is synced by itself.
func TestATornLastCommitIsNotDamage(t *testing.T) {
	w := newWriting(t)
	logs := [][]byte{imageOf(t, w.path).log}
	for i := range 24 {
		if i%7 == 5 {
			w.wrap(t)
		}
		w.commit(t, []int{10, 3000, 14000}[w.random.IntN(3)])
		logs = append(logs, imageOf(t, w.path).log)
	}
	rapid.Check(t, func(r *rapid.T) {
		const sector = 512
		i := rapid.IntRange(1, len(logs)-1).Draw(r, "commit")
		before, log := logs[i-1], bytes.Clone(logs[i])
		keep := rapid.SampledFrom([]int{0, 1, 5, 9, 10}).Draw(r, "tenths that are written")
		for at := 0; at < len(log); at += sector {
			from, to := max(at, logHeader), min(at+sector, len(log))
			if !bytes.Equal(log[from:to], part(before, from, to)) && rapid.IntRange(0, 9).Draw(r, "written") >= keep {
				copy(log[from:to], part(before, from, to))
			}
		}
		if len(log) > len(before) && rapid.Bool().Draw(r, "cut") {
			log = log[:rapid.IntRange(len(before), len(log)).Draw(r, "length")]
		}
		require.NoError(r, walkOf(t, log).damage)
	})
}

// part is a part of a file, zeros behind its end.
func part(b []byte, from, to int) []byte {
	p := make([]byte, to-from)
	if from < len(b) {
		copy(p, b[from:])
	}
	return p
}

// Every bit of the frames that two more commits follow is guarded, and of the one before the last all but its mark.
func TestAFlippedBitBeforeTheLastCommitIsDamage(t *testing.T) {
	w := someLog(t, 6)
	whole := imageOf(t, w.path)
	last, mark := w.ends[5], w.ends[5]-frameSize
	random := rand.New(rand.NewPCG(3, 4))
	flip := func(at int, bit int) {
		log := bytes.Clone(whole.log)
		log[at] ^= 1 << bit
		found := walkOf(t, log)
		if at >= mark && at < mark+16 { // number, mark and salts of the frame that ends the commit
			return
		}
		require.Error(t, found.damage, "bit %d of byte %d", bit, at)
	}
	for at := range 400 {
		flip(at, random.IntN(8)) // the header of the log, and of the first frame
	}
	for at := mark; at < mark+24; at++ {
		for bit := range 8 {
			flip(at, bit)
		}
	}
	for range 2000 {
		flip(random.IntN(last), random.IntN(8))
	}
	for range 20 {
		at := random.IntN(mark)
		log := bytes.Clone(whole.log)
		log[at] ^= 1 << random.IntN(8)
		damage := image{whole.main, log}
		path := damage.put(t)
		_, err := Open(context.Background(), path, Options{})
		require.ErrorIs(t, err, ErrCorrupt, "byte %d", at)
		_, err = View(context.Background(), path)
		require.ErrorIs(t, err, ErrCorrupt, "byte %d", at)
		require.Equal(t, damage, imageOf(t, path), "nothing is changed")
		require.Equal(t, []string{"game.db", "game.db-wal"}, names(t, filepath.Dir(path)), "and nothing left")
	}
}

func names(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// A crash leaves frames behind the end of the log. If the next commits were laid over their beginning, what is left
// of them, with its mark, would look like commits that follow a break.
func TestWhatACrashLeftBehindTheLogIsNeverTakenForCommits(t *testing.T) {
	w := someLog(t, 4)
	w.commit(t, 60000)
	torn := imageOf(t, w.path)
	torn.log[w.ends[4]+100] ^= 1 // the beginning of the last commit did not reach the disk, its end did
	path := torn.put(t)
	s, err := Open(context.Background(), path, Options{})
	require.NoError(t, err)
	defer s.Close()
	again := &writing{Store: s, random: w.random, position: 4}
	again.ends = []int{again.end(t)}
	require.Equal(t, w.ends[4], again.ends[0])
	again.commit(t, 10)
	again.commit(t, 9000)
	require.Less(t, again.ends[2], w.ends[5], "shorter than what was left")
	torn = imageOf(t, path)
	torn.log[again.ends[1]+100] ^= 1
	require.NoError(t, walkOf(t, torn.log).damage, "a second crash")
}

func TestALogWithoutItsDatabaseIsNotThrownAway(t *testing.T) {
	w := someLog(t, 3)
	whole := imageOf(t, w.path)
	for _, gone := range []bool{true, false} {
		path := image{nil, whole.log}.put(t)
		if gone {
			require.NoError(t, os.Remove(path))
		}
		_, err := Open(context.Background(), path, Options{})
		require.ErrorIs(t, err, ErrCorrupt)
		require.ErrorContains(t, err, "its log -wal holds commits")
		log, err := os.ReadFile(path + logSuffix)
		require.NoError(t, err)
		require.Equal(t, whole.log, log)
	}
}

// Without a sync at every commit the loss of power may tear every commit since the last checkpoint. Who chose that is
// not told of damage, and who opens the file in the usual way afterwards is not either.
func TestALogWrittenWithoutSyncsMayBeTornAnywhere(t *testing.T) {
	ctx := context.Background()
	w := someLog(t, 4)
	torn := imageOf(t, w.path)
	torn.log[w.ends[1]+100] ^= 1
	open := func(path string, normal bool) error {
		s, err := Open(ctx, path, Options{Normal: normal})
		if err == nil {
			defer s.Close()
			_, err = View(ctx, path)
		}
		return err
	}
	require.ErrorIs(t, open(torn.put(t), false), ErrCorrupt)

	path := torn.put(t)
	require.NoError(t, open(path, true))
	require.NotContains(t, names(t, filepath.Dir(path)), "game.db-owner")

	// The owner died.
	path = torn.put(t)
	require.NoError(t, os.WriteFile(path+ownerSuffix, []byte("normal 1"), 0o600))
	_, err := View(ctx, path)
	require.NoError(t, err)
	s, err := Open(ctx, path, Options{})
	require.NoError(t, err)
	assert.False(t, normalLog(path), "what was there is synced now")
	require.NoError(t, s.Close())

	s, err = Open(ctx, path, Options{Normal: true})
	require.NoError(t, err)
	assert.True(t, normalLog(path), "said before anything is written")
	require.NoError(t, s.Close())
}

// logOf makes a log of small pages with a commit a mark.
func logOf(marks ...uint32) []byte {
	const page = 512
	log := binary.BigEndian.AppendUint32(nil, logMagic)
	for _, n := range []uint32{3007000, page, 0, 7, 9} {
		log = binary.BigEndian.AppendUint32(log, n)
	}
	sign := func(sum [2]uint32) [2]uint32 {
		log = binary.BigEndian.AppendUint32(log, sum[0])
		log = binary.BigEndian.AppendUint32(log, sum[1])
		return sum
	}
	sum := sign(checksum(false, [2]uint32{}, log))
	for i, mark := range marks {
		head := binary.BigEndian.AppendUint32(nil, uint32(i)+1)
		head = binary.BigEndian.AppendUint32(head, mark)
		content := bytes.Repeat([]byte{byte(i)}, page)
		log = append(append(log, head...), log[16:24]...)
		sum = sign(checksum(false, checksum(false, sum, head), content))
		log = append(log, content...)
	}
	return log
}

// FuzzWAL walks any bytes.
func FuzzWAL(f *testing.F) {
	log := logOf(0, 2, 0, 4, 5)
	f.Add(log)
	for _, length := range []int{0, 31, 32, 33, 600, len(log) - 1} {
		f.Add(log[:length])
	}
	for _, at := range []int{3, 8, 20, 32, 36, 45, 600, 1200} {
		flipped := bytes.Clone(log)
		flipped[at] ^= 1
		f.Add(flipped)
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		found := walkOf(t, log)
		require.LessOrEqual(t, found.commits, len(log)/(frameHeader+512))
		if found.first != nil {
			headerOf(found.first)
			require.Positive(t, found.commits)
		}
		if found.damage != nil {
			require.Greater(t, len(log), logHeader+2*(frameHeader+512), "two commits, at least")
		}
	})
}

func TestAWalkCountsMarks(t *testing.T) {
	log := logOf(0, 2, 0, 4, 5)
	assert.Equal(t, 3, walkOf(t, log).commits)
	log[len(log)-1] ^= 1
	assert.Equal(t, 2, walkOf(t, log).commits)
	require.NoError(t, walkOf(t, log).damage)
	log[40] ^= 1
	require.EqualError(t, walkOf(t, log).damage, "its log -wal breaks off at byte 32, and commits follow behind that")
}

// BenchmarkWalk walks a log of the size at which it goes back into the file.
func BenchmarkWalk(b *testing.B) {
	marks := make([]uint32, checkpointPages*(frameHeader+pageBytes)/(frameHeader+512))
	for i := range marks {
		marks[i] = 1
	}
	log := logOf(marks...)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		if w := walkOf(b, log); w.commits != len(marks) {
			b.Fatal(w.commits)
		}
	}
}
