package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"maps"

	"github.com/finalbell/finalbell/store"
)

const (
	maxChunk = 1<<32 - 1 // a chunk's number shares its key with the window's
	// chunkSlice is how many chunks are read at once: each is as long as many rows of other tables.
	chunkSlice = 64
	// dropped is how many entries and chunks a store.Drop takes away.
	dropped = int64(1000)
)

// Windows yields the windows that q asks for in the order in which they were first named.
func (s *Store) Windows(ctx context.Context, q store.WindowQuery) iter.Seq2[store.Window, error] {
	query, args := listingWindows(q)
	return slicewise(s, func(last int64) (found []store.Window, to int64, more bool, err error) {
		err = s.reads.each(ctx, query, func(c *cells) {
			to = c.int(0)
			found = append(found, store.Window{
				WindowKey: c.windowKey(1), Version: uint64(c.int(5)), Start: c.time(6), End: c.time(7), //nolint:gosec // a bit pattern
				Final: uint64(c.int(8)), ClosedAt: c.time(9), Size: int(c.int(10)), Frozen: c.bool(11), //nolint:gosec // a bit pattern
				Chunks: int(c.int(12)),
			})
		}, append(args[:len(args):len(args)], last, rowSlice)...)
		return found, to, len(found) == rowSlice, err
	})
}

// hasEntries is the condition for a row w of windows that has entries: one look at their key.
const hasEntries = "EXISTS (SELECT 1 FROM entries AS e WHERE e.id BETWEEN w.id << 32 AND (w.id << 32) + 4294967295)"

// listingWindows is the query for a slice of the windows that q asks for, by the index that leaves the fewest.
func listingWindows(q store.WindowQuery) (query string, args []any) {
	from, where := "windows AS w", "(w.version > 0 OR "+hasEntries+")"
	if q.Board != "" {
		where += " AND w.board = ?"
		args = append(args, q.Board)
	}
	if q.Window != "" {
		where += " AND w.window = ?"
		args = append(args, q.Window)
	}
	if q.Unfrozen {
		where += " AND w.frozen = 0"
		if q.Board == "" || q.Window == "" {
			from += " INDEXED BY windows_unfrozen"
		}
	}
	return `SELECT w.id, w.board, w.window, w.partition, w.generation, w.version, w.starts, w.ends, w.final, w.closed_at,
		w.size, w.frozen, w.chunks FROM ` + from + " WHERE " + where + " AND w.id > ? ORDER BY w.id LIMIT ?", args
}

// Chunks yields the chunks of a window whose number is at least from and below to, by number.
func (s *Store) Chunks(ctx context.Context, key store.WindowKey, from, to int) iter.Seq2[store.Chunk, error] {
	first, end := chunkRange(from, to)
	return slicewise(s, func(last int64) (found []store.Chunk, next int64, more bool, err error) {
		err = s.reads.each(ctx, chunksQuery, func(c *cells) {
			next = c.int(0) + 1
			found = append(found, store.Chunk{WindowKey: key, N: int(c.int(0)), Data: c.bytes(1)})
		}, key.Board, key.Window, key.Partition, key.Generation, max(first, last), end, chunkSlice)
		return found, next, len(found) == chunkSlice, err
	})
}

const chunksQuery = `SELECT c.n, c.data FROM windows AS w CROSS JOIN chunks AS c
	WHERE w.board = ? AND w.window = ? AND w.partition = ? AND w.generation = ?
	AND c.id >= (w.id << 32) + ? AND c.id < (w.id << 32) + ? ORDER BY c.id LIMIT ?`

// chunkRange keeps numbers inside those of one window.
func chunkRange(from, to int) (first, end int64) {
	return min(max(int64(from), 0), maxChunk+1), min(max(int64(to), 0), maxChunk+1)
}

func (b *batch) putWindow(w store.Window, soft bool) error {
	if w.Version == 0 {
		return errStale
	}
	if !soft {
		if _, err := b.window(w.WindowKey); err != nil { // makes the row
			return err
		}
	}
	args := append([]driver.Value{
		int64(w.Version), millis(w.Start), millis(w.End), int64(w.Final), millis(w.ClosedAt), int64(w.Size), flag(w.Frozen), //nolint:gosec // bit patterns
		int64(w.Chunks),
	}, keyArgs(w.WindowKey)...)
	there, err := b.exec(`UPDATE windows SET version = ?, starts = ?, ends = ?, final = ?, closed_at = ?, size = ?, frozen = ?,
		chunks = ?`+ofKey+" AND version = ?", append(args, before(w.Version, soft))...)
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

func (b *batch) putChunk(c store.Chunk) error {
	window, err := b.window(c.WindowKey)
	if err != nil {
		return err
	}
	data := c.Data
	if data == nil {
		data = []byte{}
	}
	_, err = b.exec("INSERT INTO chunks (id, data) VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data", window<<32+int64(c.N), data)
	return err
}

// drop leaves the row of the window, without its record: matches may go on naming it.
func (b *batch) drop(r store.Drop) error {
	window, err := b.windowThere(r.WindowKey)
	if err != nil || window == 0 {
		return err
	}
	from, to := chunkRange(r.From, r.To)
	if !r.All {
		_, err := b.exec(deleteChunks, window<<32+from, window<<32+to, dropped)
		return err
	}
	entries, err := b.exec(deleteEntries, window<<32, (window+1)<<32, dropped)
	if err != nil {
		return err
	}
	b.forgetEntries(r.WindowKey)
	if _, err := b.exec(deleteChunks, window<<32, (window+1)<<32, dropped-entries); err != nil {
		return err
	}
	_, err = b.exec(`UPDATE windows AS w SET version = 0, starts = NULL, ends = NULL, final = 0, closed_at = NULL, size = 0, frozen = 0,
		chunks = 0 WHERE w.id = ? AND w.version > 0 AND NOT `+hasEntries+`
		AND NOT EXISTS (SELECT 1 FROM chunks AS c WHERE c.id BETWEEN w.id << 32 AND (w.id << 32) + 4294967295)`, window)
	return err
}

const (
	deleteEntries = "DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)"
	deleteChunks  = "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)"
)

// forgetEntries gives up what is known of a window's entries: which of them went is the file's to tell.
func (b *batch) forgetEntries(key store.WindowKey) {
	b.changed.dropped[key] = true
	maps.DeleteFunc(b.changed.entries, func(e entryKey, _ store.Entry) bool { return e.WindowKey == key })
}
