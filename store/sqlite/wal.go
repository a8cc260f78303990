package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// SQLite takes a checksum that does not fit for the end of its log and drops what follows without a word, so one
// flipped bit would take back commits that were acknowledged. The log is therefore walked before it is opened.
//
// What proves damage. A log synced at every commit never holds a part of a commit before the whole commit ahead of
// it is on the disk. So when the chain of checksums breaks, the frame at the break belongs to one commit, torn or
// not; if the log goes on to the end of that commit and to the end of another one, the first was durable once, and
// has been damaged since. What a crash tears is the last commit, which at most its own end follows. That also means
// that damage in the last commit of a log cannot be told from a crash.
//
// Frames of another run through the file have other salts. Frames of this run that lie behind its end, left by a
// crash or a rollback, could be taken for commits that follow: trim cuts them off whenever the log is opened, and
// what a rollback leaves carries no commit mark.
//
// https://www.sqlite.org/fileformat2.html#walformat

const (
	logSuffix      = "-wal"
	logHeader      = 32
	frameHeader    = 24
	logMagic       = 0x377f0682 // the last bit: checksums are big-endian
	databaseHeader = 112        // of the first page, as far as it tells whose database it is
)

// walk is what was found in a log.
type walk struct {
	head    []byte
	commits int    // whole ones at its beginning, which SQLite will take up
	first   []byte // how the first page begins after them; nil if they do not have it
	damage  error
}

// readLog walks the log of the database at path. One that is not there is empty. The log's file alone is read: to
// close the database file would drop the locks that SQLite has on it.
func readLog(path string) (walk, error) {
	f, err := os.Open(path + logSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return walk{}, nil
	}
	if err != nil {
		return walk{}, err
	}
	defer f.Close()
	// A view may look on while an engine writes. Then the log may begin anew under its eyes, which would look like
	// damage; but then its header is another one, and the next look shows what there is.
	for {
		info, err := f.Stat()
		if err != nil {
			return walk{}, err
		}
		w, err := walkLog(f, info.Size())
		now := make([]byte, len(w.head))
		if err == nil {
			_, err = f.ReadAt(now, 0)
		}
		switch {
		case errors.Is(err, io.EOF): // cut off meanwhile
		case err != nil:
			return walk{}, err
		case bytes.Equal(now, w.head):
			return w, nil
		}
	}
}

func (w *walk) err() error {
	if w.damage == nil {
		return nil
	}
	return &Error{Kind: ErrCorrupt, Cause: w.damage}
}

func walkLog(r io.ReaderAt, size int64) (walk, error) {
	if size < logHeader {
		return walk{}, nil
	}
	head := make([]byte, logHeader)
	if _, err := r.ReadAt(head, 0); err != nil {
		return walk{}, err
	}
	w := walk{head: head}
	l := log{r: r, size: size, page: int64(binary.BigEndian.Uint32(head[8:])), salts: head[16:24]}
	magic := binary.BigEndian.Uint32(head)
	l.big = magic&1 == 1
	sum := checksum(l.big, [2]uint32{}, head[:24])
	if magic&^1 != logMagic || !pageSize(l.page) || sum != checksumAt(head[24:]) {
		var err error
		w.damage, err = l.headless()
		return w, err
	}
	return w, l.walk(&w, sum)
}

// log is a log being walked.
type log struct {
	r     io.ReaderAt
	size  int64
	page  int64
	salts []byte
	big   bool // the words of the checksums are big-endian
}

func pageSize(n int64) bool { return n >= 512 && n <= 65536 && n&(n-1) == 0 }

func (l *log) frames() int64 { return (l.size - logHeader) / (frameHeader + l.page) }

// frame reads frame i, counted from 0, into b.
func (l *log) frame(i int64, b []byte) error {
	_, err := l.r.ReadAt(b, logHeader+i*(frameHeader+l.page))
	return err
}

func (l *log) walk(w *walk, sum [2]uint32) error {
	b := make([]byte, frameHeader+l.page)
	var first []byte
	for i := range l.frames() {
		if err := l.frame(i, b); err != nil {
			return err
		}
		number, mark := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		sum = checksum(l.big, checksum(l.big, sum, b[:8]), b[frameHeader:])
		if number == 0 || !bytes.Equal(b[8:16], l.salts) || sum != checksumAt(b[16:]) {
			return l.broken(w, i)
		}
		if number == 1 {
			first = bytes.Clone(b[frameHeader : frameHeader+databaseHeader])
		}
		if mark != 0 {
			w.commits++
			w.first = first
		}
	}
	return nil
}

// broken looks at what follows a break in the chain at frame at.
func (l *log) broken(w *walk, at int64) error {
	ends := 0
	b := make([]byte, frameHeader)
	for i := at; i < l.frames() && ends < 2; i++ {
		if err := l.frame(i, b); err != nil {
			return err
		}
		if bytes.Equal(b[8:16], l.salts) && binary.BigEndian.Uint32(b[4:]) != 0 {
			ends++
		}
	}
	if ends == 2 {
		w.damage = fmt.Errorf("its log %s breaks off at byte %d, and commits follow behind that", logSuffix, logHeader+at*(frameHeader+l.page))
	}
	return nil
}

// headless looks for commits in a log whose header is none, which SQLite would take for empty. A header lies in one
// sector, so a crash leaves the old one or the new one; and it is synced before the first frame behind it. Commits
// without it prove damage. One alone proves nothing here either.
func (l *log) headless() (damage, err error) {
	sizes := []int64{pageBytes}
	if pageSize(l.page) && l.page != pageBytes { // the damage may be elsewhere in the header
		sizes = append(sizes, l.page)
	}
	for _, l.page = range sizes {
		for _, l.big = range []bool{false, true} {
			found, err := l.chained()
			if err != nil {
				return nil, err
			}
			if found {
				return fmt.Errorf("the header of its log %s is not one, and commits follow it", logSuffix), nil
			}
		}
	}
	return nil, nil
}

// chained reports whether the log holds two commits in frames that belong together.
func (l *log) chained() (bool, error) {
	b := make([]byte, frameHeader+l.page)
	var sum [2]uint32
	var salts []byte
	ends := 0
	for i := range l.frames() {
		if err := l.frame(i, b); err != nil {
			return false, err
		}
		next := checksum(l.big, checksum(l.big, sum, b[:8]), b[frameHeader:])
		sum = checksumAt(b[16:])
		if i > 0 && (next != sum || !bytes.Equal(salts, b[8:16])) {
			return false, nil
		}
		salts = bytes.Clone(b[8:16])
		if binary.BigEndian.Uint32(b[4:]) != 0 {
			if ends++; ends == 2 {
				return true, nil
			}
		}
	}
	return false, nil
}

func checksumAt(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// checksum goes on with a checksum over b, whose length is a multiple of 8.
func checksum(big bool, sum [2]uint32, b []byte) [2]uint32 {
	x, y := sum[0], sum[1]
	if big {
		for ; len(b) >= 8; b = b[8:] {
			x += binary.BigEndian.Uint32(b) + y
			y += binary.BigEndian.Uint32(b[4:]) + x
		}
		return [2]uint32{x, y}
	}
	for ; len(b) >= 8; b = b[8:] {
		x += binary.LittleEndian.Uint32(b) + y
		y += binary.LittleEndian.Uint32(b[4:]) + x
	}
	return [2]uint32{x, y}
}

// trim cuts off what lies behind the end of the log as SQLite sees it, before anything is appended. Nobody reads
// there, and left where it is it could be taken for commits behind a break.
func trim(ctx context.Context, conn *sql.Conn, path string) error {
	var busy, frames, copied, page int64
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &frames, &copied); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA page_size").Scan(&page); err != nil {
		return err
	}
	end := int64(0)
	if frames > 0 {
		end = logHeader + frames*(frameHeader+page)
	}
	if info, err := os.Stat(path + logSuffix); err != nil || info.Size() <= end {
		return err
	}
	return os.Truncate(path+logSuffix, end)
}
