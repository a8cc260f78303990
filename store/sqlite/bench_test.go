package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// BenchmarkCommit writes ended matches of 10 players with 2 entries each, in batches of several sizes.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			s, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "commits.db"), sqlite.Options{Normal: true})
			require.NoError(b, err)
			defer s.Close()
			w := benchWriter{random: rand.New(rand.NewPCG(1, 2)), versions: map[string]uint64{}}
			n := 0
			var soft []store.Record
			for b.Loop() {
				b.StopTimer()
				var create, end store.Batch
				for range size {
					m := w.match()
					w.position++
					create.Commits = append(create.Commits, store.Commit{Key: "create/" + m.ID, Position: w.position, At: w.at(), Kind: "match_created", ID: m.ID, Records: []store.Record{m}})
					end.Commits = append(end.Commits, store.Commit{})
				}
				require.NoError(b, s.Commit(context.Background(), create))
				next := []store.Record{}
				for i, c := range create.Commits {
					m := c.Records[0].(store.Match)
					w.position++
					records, moves := w.end(m)
					end.Commits[i] = store.Commit{Key: "end/" + m.ID, Position: w.position, At: w.at(), Kind: "match_ended", ID: m.ID, Records: records}
					next = append(next, moves)
				}
				end.Soft, soft = soft, next
				b.StartTimer()
				require.NoError(b, s.Commit(context.Background(), end))
				n += size
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/match")
		})
	}
}

type benchWriter struct {
	random   *rand.Rand
	position uint64
	next     int
	versions map[string]uint64
}

func (w *benchWriter) at() time.Time {
	return time.UnixMilli(1_700_000_000_000 + int64(w.position)).UTC()
}

func (w *benchWriter) match() store.Match {
	w.next++
	m := store.Match{ID: fmt.Sprint("battle-", w.next), Version: 1, Created: w.position + 1, Mode: "battle", State: "started", CreatedAt: w.at(), StartedAt: w.at(), Roster: 10}
	for range 10 {
		m.Participants = append(m.Participants, store.Participant{Player: fmt.Sprintf("player-%07d", w.random.IntN(10000))})
	}
	return m
}

func (w *benchWriter) end(m store.Match) ([]store.Record, store.Record) {
	m.Version, m.State, m.EndedAt, m.Position = 2, "ended", w.at(), w.position
	m.Report[0] = 1
	moves := store.Moves{Match: m.ID, Position: w.position}
	var records []store.Record
	roster := append([]store.Participant{}, m.Participants...)
	seen := map[string]bool{}
	for i := range roster {
		p := &roster[i]
		p.Outcome = store.Number{Units: int64(w.random.IntN(1000)), Known: true}
		p.Status, p.Rank, p.Position, p.Result = "finished", i+1, i+1, "loss"
		for _, board := range []string{"season", "records"} {
			key := store.WindowKey{Board: board, Window: "all"}
			values := [][]int64{{int64(w.random.IntN(1000))}}
			p.Boards = append(p.Boards, store.BoardValues{WindowKey: key, ID: p.Player, Values: values})
			moves.Moves = append(moves.Moves, store.Move{WindowKey: key, ID: p.Player, Old: 17, New: 15})
			if seen[board+p.Player] {
				continue
			}
			seen[board+p.Player] = true
			w.versions[board+p.Player]++
			moment := store.Moment{At: w.at(), Position: w.position, Place: i + 1}
			records = append(records, store.Entry{WindowKey: key, ID: p.Player, Version: w.versions[board+p.Player], Entered: true,
				Values: values, Sort: []byte{0x80, 0, 0, 0, 0, 0, 1, 1}, State: []byte{1, 2, 3, 4, 5, 6}, Changed: moment, Last: moment, Row: moment})
		}
	}
	m.Participants = roster
	return append([]store.Record{m}, records...), moves
}
