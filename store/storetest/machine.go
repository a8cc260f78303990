package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

func machineRules() []rule {
	return []rule{
		{"any batches leave the store as they leave the plainest model", func(t *testing.T, open func(tb) store.Store) {
			rapid.Check(t, func(t *rapid.T) { steps(t, open(t), nil) })
		}},
	}
}

// steps commits batches that fit and batches that do not, and compares all reads with the model's after each.
func steps(t *rapid.T, s store.Store, more map[string]func(*rapid.T)) {
	ctx := context.Background()
	var want contents
	actions := map[string]func(*rapid.T){
		"commit": func(t *rapid.T) {
			b := drawBatch(t, want)
			next, refused := want.after(b)
			next = plain(next) // a copy, so that a store that changes what it is given is noticed
			err := s.Commit(ctx, b)
			if answer, ok := errors.AsType[*store.CommitError](refused); ok {
				requireRefused(t, err, answer, "a drawn batch")
			} else {
				require.NoError(t, err)
			}
			want = next
		},
		"forget": func(t *rapid.T) {
			b := drawForget(t, want)
			next, refused := want.after(b)
			require.NoError(t, refused)
			next = plain(next)
			require.NoError(t, s.Commit(ctx, b))
			want = next
		},
		"matches": func(t *rapid.T) {
			q := drawMatchQuery(t, want)
			requireSame(t, want.matches(q), all(t, s.Matches(ctx, q)), "%+v", q)
		},
		"entries": func(t *rapid.T) {
			q := store.EntryQuery{WindowKey: rapid.SampledFrom(windows()).Draw(t, "window")}
			q.IDs = rapid.SliceOfN(rapid.SampledFrom(pool()), 1, 3).Draw(t, "ids")
			var entries []store.Entry
			for _, e := range want.Entries {
				if e.WindowKey == q.WindowKey && slices.Contains(q.IDs, e.ID) {
					entries = append(entries, e)
				}
			}
			read := all(t, s.Entries(ctx, q))
			slices.SortFunc(read, byKey)
			requireSame(t, entries, read)
		},
		"windows": func(t *rapid.T) {
			q := store.WindowQuery{
				Board:    rapid.SampledFrom([]string{"", "x", "xy", "none"}).Draw(t, "board"),
				Window:   rapid.SampledFrom([]string{"", "", "yz", "z", "none"}).Draw(t, "window"),
				Unfrozen: rapid.Bool().Draw(t, "unfrozen"),
			}
			requireSame(t, want.windows(q), windowsOf(t, s, q), "%+v", q)
		},
		"chunks": func(t *rapid.T) {
			key := rapid.SampledFrom(windows()).Draw(t, "window")
			from, to := chunkNumber().Draw(t, "from"), chunkNumber().Draw(t, "to")
			var chunks []store.Chunk
			for _, c := range want.Chunks {
				if c.WindowKey == key && from <= c.N && c.N < to {
					chunks = append(chunks, c)
				}
			}
			requireSame(t, chunks, all(t, s.Chunks(ctx, key, from, to)))
		},
		"lines": func(t *rapid.T) {
			q := drawLineQuery(t, want)
			requireSame(t, want.Money.lines(q), all(t, s.Lines(ctx, q)), "%+v", q)
		},
		"balances": func(t *rapid.T) {
			accounts := drawAccounts(t)
			requireSame(t, want.Money.balances(accounts...), balancesOf(t, s, accounts...), "%+v", accounts)
		},
		"grants": func(t *rapid.T) {
			q := drawGrantQuery(t)
			requireSame(t, want.Money.grants(q), all(t, s.Grants(ctx, q)), "%+v", q)
		},
		"facts": func(t *rapid.T) {
			players := rapid.SliceOfN(rapid.SampledFrom(append(pool(), "nobody")), 0, 3).Draw(t, "players")
			requireSame(t, want.Money.facts(players), factsOf(t, s, players), "%q", players)
		},
		"sessions": func(t *rapid.T) {
			q := drawSessionQuery(t, want)
			requireSame(t, want.Players.sessions(q), all(t, s.Sessions(ctx, q)), "%+v", q)
		},
		"rooms": func(t *rapid.T) {
			q := drawRoomQuery(t)
			requireSame(t, want.Players.rooms(q), all(t, s.Rooms(ctx, q)), "%+v", q)
		},
		"events": func(t *rapid.T) {
			after := rapid.IntRange(0, len(want.Events)).Draw(t, "after")
			requireSame(t, want.Events[after:], all(t, s.Events(ctx, uint64(after)))) //nolint:gosec // not negative
		},
		"": func(t *rapid.T) { requireSame(t, want, contentsOf(t, s)) },
	}
	maps.Copy(actions, more)
	t.Repeat(actions)
}

// pool is small, so that batches meet; so is chunkNumber.
func pool() []string { return []string{"a", "A", "é", "e\u0301"} }

func chunkNumber() *rapid.Generator[int] { return rapid.IntRange(0, 4) }

func drawBatch(t *rapid.T, c contents) store.Batch {
	var b store.Batch
	fits := rapid.IntRange(0, 2).Draw(t, "fits") > 0
	ahead := c
	for range rapid.IntRange(0, 3).Draw(t, "commits") {
		commit := commitAt(ahead.Head.Position + 1)
		commit.At = time.UnixMilli(rapid.Int64Range(-3, 3).Draw(t, "at")).UTC()
		commit.Records = drawRecords(t, ahead)
		if !fits && rapid.Bool().Draw(t, "spoilt") {
			spoil(t, &commit, ahead)
		}
		b.Commits = append(b.Commits, commit)
		if next, err := ahead.after(store.Batch{Commits: []store.Commit{commit}}); err == nil {
			ahead = next
		}
	}
	for _, id := range rapid.SliceOfN(rapid.SampledFrom(pool()), 0, 3).Draw(t, "soft") {
		b.Soft = append(b.Soft, drawSoft(t, id, ahead))
	}
	return b
}

// drawRecords draws records that fit, no two for one match, entry or window, nor any besides for one that is dropped: what
// that means is left open.
func drawRecords(t *rapid.T, c contents) []store.Record {
	var records []store.Record
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool()), 0, 2, rapid.ID).Draw(t, "matches") {
		records = append(records, drawSmallMatch(t, id, c, c.version(store.Match{ID: id})+1))
	}
	for _, key := range windows() {
		switch rapid.SampledFrom([]string{"", "entry", "entry", "window", "both", "chunk", "dropped chunks", "dropped"}).Draw(t, "of a window") {
		case "entry":
			records = append(records, drawSmallEntry(t, key, c))
		case "window":
			records = append(records, drawSmallWindow(t, key, c))
		case "both":
			records = append(records, drawSmallEntry(t, key, c), drawSmallWindow(t, key, c), drawSmallChunk(t, key))
		case "chunk":
			records = append(records, drawSmallChunk(t, key))
		case "dropped chunks":
			records = append(records, drawSmallChunk(t, key), drawDrop(t, key))
		case "dropped":
			records = append(records, store.Drop{WindowKey: key, All: true})
		}
	}
	if rapid.Bool().Draw(t, "sets") {
		records = append(records, store.Setting{
			Name: rapid.SampledFrom(settingNames()).Draw(t, "setting"), Value: blob().Draw(t, "value"),
		})
	}
	records = append(records, drawSmallPlayers(t, c)...)
	records = append(records, drawSmallMoney(t, c.Head.Position+1, c)...)
	records = rapid.Permutation(records).Draw(t, "records")
	numberLines(t, c.Money, records)
	return records
}

// drawSmallEntry draws one of the next version; so does drawSmallWindow.
func drawSmallEntry(t *rapid.T, key store.WindowKey, c contents) store.Entry {
	e := store.Entry{WindowKey: key, ID: rapid.SampledFrom(pool()).Draw(t, "entry"), Values: values().Draw(t, "values"),
		Hidden: rapid.SampledFrom([]string{"", "", "banned"}).Draw(t, "hidden")}
	e.Version = c.version(e) + 1
	return e
}

func drawSmallWindow(t *rapid.T, key store.WindowKey, c contents) store.Window {
	w := drawWindow(t)
	w.WindowKey = key
	w.Version = c.version(w) + 1
	return w
}

func drawSmallChunk(t *rapid.T, key store.WindowKey) store.Chunk {
	return store.Chunk{WindowKey: key, N: chunkNumber().Draw(t, "number"), Data: blob().Draw(t, "data")}
}

// drawDrop draws one that takes some chunks, or perhaps none.
func drawDrop(t *rapid.T, key store.WindowKey) store.Drop {
	return store.Drop{WindowKey: key, From: chunkNumber().Draw(t, "from"), To: chunkNumber().Draw(t, "to")}
}

// drawSmallMatch draws what queries and indexes look at.
func drawSmallMatch(t *rapid.T, id string, c contents, version uint64) store.Match {
	m := store.Match{
		ID: id, Version: version, Created: c.Head.Position + 1,
		Mode:  rapid.SampledFrom([]string{"", "duel", "race"}).Draw(t, "mode"),
		Room:  rapid.SampledFrom([]string{"", "hall", "yard"}).Draw(t, "room"),
		State: rapid.SampledFrom(states()).Draw(t, "state"),
		Participants: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Participant {
			return store.Participant{
				Player:     rapid.SampledFrom(pool()).Draw(t, "player"),
				Team:       rapid.SampledFrom([]string{"", "red", "a"}).Draw(t, "team"),
				Attributes: attributes().Draw(t, "attributes"),
				Gone:       rapid.SampledFrom([]string{"", "left"}).Draw(t, "gone"),
				Boards: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.BoardValues {
					return drawBoardValues(t, rapid.SampledFrom(windows()), rapid.SampledFrom(pool()))
				}), 0, 1).Draw(t, "boards"),
			}
		}), 0, 3).Draw(t, "participants"),
	}
	for _, old := range c.Matches {
		if old.ID == id {
			m.Created = old.Created
		}
	}
	if m.State == "ended" {
		m.Position = c.Head.Position + 1
		m.EndedAt = early().Draw(t, "ended at")
	}
	return m
}

func states() []string { return []string{"created", "started", "ended"} }

// spoil makes one thing about a commit wrong, or with luck leaves it right.
func spoil(t *rapid.T, commit *store.Commit, c contents) {
	used := len(c.Events) > 0
	switch how := rapid.SampledFrom([]string{"replayed", "reused", "position", "version"}).Draw(t, "how"); {
	case how == "position":
		commit.Position = rapid.Uint64Range(0, commit.Position+2).Draw(t, "position")
	case how == "version" && len(commit.Records) > 0:
		i := rapid.IntRange(0, len(commit.Records)-1).Draw(t, "which")
		switch r := commit.Records[i].(type) {
		case store.Match:
			r.Version = rapid.Uint64Range(0, r.Version+1).Draw(t, "version")
			commit.Records[i] = r
		case store.Entry:
			r.Version = rapid.Uint64Range(0, r.Version+1).Draw(t, "version")
			commit.Records[i] = r
		case store.Window:
			r.Version = rapid.Uint64Range(0, r.Version+1).Draw(t, "version")
			commit.Records[i] = r
		case store.Session:
			r.Version = rapid.Uint64Range(0, r.Version+1).Draw(t, "version")
			commit.Records[i] = r
		case store.Room:
			r.Version = rapid.Uint64Range(0, r.Version+1).Draw(t, "version")
			commit.Records[i] = r
		default:
			commit.Records[i] = spoilMoney(t, r)
		}
	case used:
		e := rapid.SampledFrom(c.Events).Draw(t, "key of")
		commit.Key, commit.Digest = e.Key, e.Digest
		if how == "reused" {
			commit.Digest[31]++
		}
		if rapid.Bool().Draw(t, "where it was") {
			commit.Position = e.Position
		}
	}
}

func drawSoft(t *rapid.T, id string, c contents) store.Record {
	overtaken := func(version uint64) uint64 {
		if rapid.IntRange(0, 3).Draw(t, "overtaken") == 0 {
			version = rapid.Uint64Range(0, version+1).Draw(t, "version")
		}
		return version
	}
	key := rapid.SampledFrom(windows()).Draw(t, "window")
	switch rapid.SampledFrom([]string{"match", "moves", "entry", "window", "chunk", "dropped chunks", "dropped", "session"}).Draw(t, "soft") {
	case "match":
		return drawSmallMatch(t, id, c, overtaken(c.version(store.Match{ID: id})))
	case "entry":
		e := drawSmallEntry(t, key, c)
		e.Version = rapid.Uint64Range(0, 3).Draw(t, "version")
		return e
	case "window":
		w := drawSmallWindow(t, key, c)
		w.Version = overtaken(w.Version - 1)
		return w
	case "chunk":
		return drawSmallChunk(t, key)
	case "dropped chunks":
		return drawDrop(t, key)
	case "dropped":
		return store.Drop{WindowKey: key, All: true}
	case "session":
		return drawSmallSession(t, id, overtaken(c.Players.session(id)))
	}
	moves := store.Moves{Match: id, Position: rapid.Uint64Range(0, c.Head.Position).Draw(t, "position"),
		Moves: drawMoves(rapid.SampledFrom(pool())).Draw(t, "moves")}
	for _, m := range c.Matches {
		if m.ID == id && rapid.Bool().Draw(t, "fits") {
			moves.Position = m.Position
		}
	}
	return moves
}

func drawMatchQuery(t *rapid.T, c contents) store.MatchQuery {
	return store.MatchQuery{
		Player: drawName(t, c), Opponent: drawName(t, c), From: early().Draw(t, "from"), To: early().Draw(t, "to"), Newest: rapid.Bool().Draw(t, "newest"),
		Team:   rapid.SampledFrom([]string{"", "", "red", "a"}).Draw(t, "team"),
		Mode:   rapid.SampledFrom([]string{"", "", "duel", "race"}).Draw(t, "mode"),
		Room:   rapid.SampledFrom([]string{"", "", "hall", "yard"}).Draw(t, "room"),
		States: rapid.SliceOfN(rapid.SampledFrom(states()), 0, 2).Draw(t, "states"),
	}
}
