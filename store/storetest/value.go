package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

func valueRules() []rule {
	return []rule{
		{"everything comes back as it was given", func(t *testing.T, open func(tb) store.Store) {
			rapid.Check(t, func(t *rapid.T) {
				s := open(t)
				g := drawContents(t)
				g.commitTo(t, s)
				g.requireIn(t, s)
			})
		}},
		one("an id is compared bytewise", func(t *testing.T, s store.Store) {
			bytewise(t, s, []string{
				"é", "e\u0301", // NFC and NFD
				"a", "A", "a ", " a", "ａ", "ä", "\u200ba", // what collations hold to be the same
				"1", "01", "1.0", "1e0", // what a column of numbers would
				"%", "_", "*", "?", "a%", `\`, `'`, `"`, "`", "$1", ":a", "[a]", // what a query language would read
				"null", "NULL", "nil", "true", "ſ", "s", "ß", "ss", "I", "ı", "i", "İ", "😀", "😁", "\uffff", "\ufffd",
				"a,b", "a/b", "a:b", "a|b", "a\tb", "a\nb", "a\x1fb", "a\x7fb",
			})
		}),
		one("bytes that no engine sends are kept or refused, but never changed", func(t *testing.T, s store.Store) {
			ctx := context.Background()
			p := pen{t: t, s: s}
			for i, id := range []string{"a\x00b", "\x00", "a\xff", "\xed\xa0\x80"} {
				p.write(store.Match{ID: fmt.Sprint("fits ", i), Version: 1, Created: p.position + 1})
				c := commitAt(p.position+1, store.Match{ID: id, Version: 1, Created: p.position + 1})
				before := contentsOf(t, s)
				if err := s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}); err != nil {
					requireSame(t, before, contentsOf(t, s))
					continue
				}
				p.position++
				requireMatch(t, s, c.Records[0].(store.Match)) //nolint:forcetypeassert // made above
				for _, other := range []string{"a", "", "b", "a\ufffd", "\ufffd"} {
					_, err := s.Match(ctx, other)
					require.ErrorIs(t, err, store.ErrNotFound, "%q found as %q", id, other)
				}
			}
		}),
	}
}

// bytewise uses each id for everything that has a name, in one store.
func bytewise(t *testing.T, s store.Store, ids []string) {
	ctx := context.Background()
	p := pen{t: t, s: s}
	var b store.Batch
	for i, id := range ids {
		c := p.next(
			store.Match{ID: id, Version: 1, Created: uint64(i) + 1, Mode: id, Room: id, State: id,
				Participants: []store.Participant{{Player: id, Team: id}}},
			store.Entry{WindowKey: in("x", "yz"), ID: id, Version: 1, State: []byte(id)},
			store.Entry{WindowKey: in(id, "w"), ID: "by board", Version: 1},
			store.Entry{WindowKey: in("b", id), ID: "by window", Version: 1},
			store.Window{WindowKey: store.WindowKey{Board: "b", Window: "p", Partition: id}, Version: 1},
			store.Chunk{WindowKey: store.WindowKey{Board: "b", Window: "p", Partition: id}, Data: []byte(id)},
			store.Setting{Name: id, Value: []byte(id)},
			store.Line{Account: store.Account{Kind: "by owner", ID: id}, Currency: id, Seq: 1, Amount: 1, Kind: id, Posting: id, Match: id, Grant: id, Position: uint64(i) + 1},
			store.Line{Account: store.Account{Kind: id, ID: "by kind"}, Seq: 1, Amount: 1, Posting: "by kind", Position: uint64(i) + 1, Place: 1},
			store.Grant{ID: id, Version: 1, Player: id, Match: id, WindowKey: in(id, id), State: id, Position: uint64(i) + 1},
			store.Facts{Player: id, Version: 1}, store.Revision{Match: store.Match{ID: id}},
			store.Session{ID: id, Version: 1, Player: id, Device: id},
			store.Room{ID: id, Version: 1, State: id, Match: id, Members: []store.Member{{Player: id, Team: id}}},
		)
		c.Key = id
		b.Commits = append(b.Commits, c)
	}
	p.batch(b)
	for i, id := range ids {
		m, err := s.Match(ctx, id)
		require.NoError(t, err, "Match %q", id)
		require.Equal(t, id, m.ID)
		require.Equal(t, uint64(i)+1, m.Created, "Match %q", id)
		requireSetting(t, s, id, []byte(id))
		for _, q := range []store.MatchQuery{{Player: id}, {Team: id}, {Mode: id}, {Room: id}, {States: []string{id}}, {Player: id, Newest: true}, {Opponent: id}} {
			requireIDs(t, s, q, id)
		}
		requireEntries(t, s, store.EntryQuery{WindowKey: in("x", "yz"), IDs: []string{id, id + "?"}}, id)
		requireEntries(t, s, store.EntryQuery{WindowKey: in(id, "w")}, "by board")
		requireEntries(t, s, store.EntryQuery{WindowKey: in("b", id)}, "by window")
		requireWindows(t, s, store.WindowQuery{Board: id}, in(id, "w"))
		requireWindows(t, s, store.WindowQuery{Window: id}, in("b", id))
		partition := store.WindowKey{Board: "b", Window: "p", Partition: id}
		requireSame(t, []store.Chunk{{WindowKey: partition, Data: []byte(id)}}, all(t, s.Chunks(ctx, partition, 0, 1)))
		requireMoneyNamed(t, s, id)
		for _, q := range []store.SessionQuery{{ID: id}, {Player: id}} {
			requireSessions(t, s, q, id)
		}
		for _, q := range []store.RoomQuery{{ID: id}, {Match: id}, {States: []string{id}}} {
			requireRooms(t, s, q, id)
		}
		c := b.Commits[i]
		requireRefused(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}),
			&store.CommitError{Key: id, Err: store.ErrReplayed}, "the key "+id)
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	requireEntries(t, s, firstWindow(), sorted...)
}

// requireMoneyNamed finds what bytewise named so, and nothing else.
func requireMoneyNamed(t tb, s store.Store, id string) {
	t.Helper()
	ctx := context.Background()
	owner, kind := store.Account{Kind: "by owner", ID: id}, store.Account{Kind: id, ID: "by kind"}
	for _, q := range []store.LineQuery{{Match: id}, {Posting: id}, {Touching: []store.Account{owner}}} {
		lines := all(t, s.Lines(ctx, q))
		require.Len(t, lines, 1, "%+v", q)
		require.Equal(t, []string{id, id, id, id}, []string{lines[0].Currency, lines[0].Kind, lines[0].Posting, lines[0].Grant})
	}
	require.Len(t, balancesOf(t, s, owner), 1)
	require.Len(t, balancesOf(t, s, kind), 1)
	for _, q := range []store.GrantQuery{{IDs: []string{id, id + "?"}}, {Player: id}, {Match: id}, {Board: id}, {Window: id}, {States: []string{id}}} {
		requireGrants(t, s, q, id)
	}
	require.Len(t, factsOf(t, s, []string{id, id + "?"}), 1)
	require.Len(t, revisionsOf(t, s, id), 1)
}

// given is a batch of records with every field drawn, and what a store must hold after it.
type given struct {
	batch store.Batch
	want  contents
}

// drawContents draws matches, entries, windows, grants and facts that are created in one commit and replaced in another,
// sessions and rooms, chunks, moves, settings, lines, revisions and soft matches.
func drawContents(t *rapid.T) given {
	ids := rapid.SliceOfNDistinct(name(), 1, 2, rapid.ID).Draw(t, "match ids")
	keys := rapid.SliceOfNDistinct(rapid.Custom(drawEntry), 0, 3, func(e store.Entry) entryKey {
		return entryKey{e.WindowKey, e.ID}
	}).Draw(t, "entries")
	windows := rapid.SliceOfNDistinct(rapid.Custom(drawWindow), 0, 2, func(w store.Window) store.WindowKey { return w.WindowKey }).
		Draw(t, "windows")
	chunks := rapid.SliceOfN(rapid.Custom(drawChunk), 0, 2).Draw(t, "chunks")
	settings := rapid.SliceOfNDistinct(rapid.Custom(drawSetting), 0, 2, func(s store.Setting) string { return s.Name }).
		Draw(t, "settings")
	someMoney, somePlayers := drawMoney(t), drawPlayers(t)
	var g given
	for i, key := range rapid.SliceOfNDistinct(name(), 2, 2, rapid.ID).Draw(t, "keys") {
		version := uint64(i) + 1
		c := drawEvent(t)
		c.Key, c.Position = key, version
		for _, id := range ids {
			c.Records = append(c.Records, drawMatch(t, id, version))
		}
		for _, e := range keys {
			drawn := drawEntry(t)
			drawn.WindowKey, drawn.ID, drawn.Version = e.WindowKey, e.ID, version
			c.Records = append(c.Records, drawn)
		}
		for _, w := range windows {
			drawn := drawWindow(t)
			drawn.WindowKey, drawn.Version = w.WindowKey, version
			c.Records = append(c.Records, drawn)
		}
		for _, chunk := range chunks {
			c.Records = append(c.Records, chunk)
		}
		for _, s := range settings {
			c.Records = append(c.Records, s)
		}
		c.Records = append(c.Records, someMoney.of(t, version, g.want.Money)...)
		c.Records = append(c.Records, somePlayers.of(t, version)...)
		for _, r := range c.Records {
			g.want.Money.put(r) // so far
		}
		g.batch.Commits = append(g.batch.Commits, c)
	}
	if rapid.Bool().Draw(t, "soft") {
		m := drawMatch(t, ids[0], 2)
		for _, e := range keys {
			drawn := drawEntry(t)
			drawn.WindowKey, drawn.ID = e.WindowKey, e.ID
			g.batch.Soft = append(g.batch.Soft, drawn)
		}
		g.batch.Soft = append(g.batch.Soft, m,
			store.Moves{Match: m.ID, Position: m.Position, Moves: drawMoves(name()).Draw(t, "moves")})
	}
	want, err := contents{}.after(g.batch)
	require.NoError(t, err)
	g.want = plain(want) // a copy, so that a store that changes what it is given is noticed
	return g
}

func (g given) commitTo(t tb, s store.Store) {
	t.Helper()
	require.NoError(t, s.Commit(context.Background(), g.batch))
}

// requireIn reads the same by every way that leads to it.
func (g given) requireIn(t tb, s store.Store) {
	t.Helper()
	ctx := context.Background()
	head, err := s.Head(ctx)
	require.NoError(t, err)
	requireSame(t, g.want.Head, head)
	requireSame(t, g.want.Events, all(t, s.Events(ctx, 0)))
	requireSame(t, g.want.Matches, all(t, s.Matches(ctx, store.MatchQuery{})))
	for _, m := range g.want.Matches {
		requireMatch(t, s, m)
		q := store.MatchQuery{Mode: m.Mode, Room: m.Room, States: []string{m.State}}
		if len(m.Participants) > 0 {
			p := m.Participants[len(m.Participants)-1]
			q.Player, q.Team = p.Player, p.Team
		}
		requireSame(t, g.want.matches(q), all(t, s.Matches(ctx, q)), "%+v", q)
	}
	for _, e := range g.want.Entries {
		var window []store.Entry
		for _, other := range g.want.Entries {
			if other.WindowKey == e.WindowKey {
				window = append(window, other)
			}
		}
		q := store.EntryQuery{WindowKey: e.WindowKey}
		read := all(t, s.Entries(ctx, q))
		slices.SortFunc(read, byKey)
		requireSame(t, window, read)
		q.IDs = []string{e.ID}
		requireSame(t, []store.Entry{e}, all(t, s.Entries(ctx, q)))
	}
	requireSame(t, g.want.Windows, windowsOf(t, s, store.WindowQuery{}))
	for _, w := range g.want.Windows {
		q := store.WindowQuery{Board: w.Board, Window: w.Window, Unfrozen: !w.Frozen}
		requireSame(t, g.want.windows(q), windowsOf(t, s, q))
	}
	for _, c := range g.want.Chunks {
		requireSame(t, []store.Chunk{c}, all(t, s.Chunks(ctx, c.WindowKey, c.N, c.N+1)))
	}
	g.requireMoneyIn(t, s)
	g.requirePlayersIn(t, s)
	for _, set := range g.want.Settings {
		requireSetting(t, s, set.Name, set.Value)
	}
}
