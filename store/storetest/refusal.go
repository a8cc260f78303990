package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// refusal is a batch on top of history that a store must refuse.
type refusal struct {
	says  string
	batch []attempt
	index int // of the commit that the answer names
	err   error
}

// attempt is a commit of such a batch. Where nothing is said, it fits.
type attempt struct {
	key     string // empty: a new one
	digest  byte
	shift   int // of the position, from the one that fits
	records []store.Record
}

// history writes what the refusals refer to: three commits, the last without a digest.
func history(t tb, s store.Store) {
	t.Helper()
	commits := []store.Commit{
		commitAt(1, store.Match{ID: "running", Version: 1, Created: 1, State: "created"},
			store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 1}, store.Entry{WindowKey: in("x", ""), ID: "ann", Version: 1},
			store.Window{WindowKey: in("x", "yz"), Version: 1}, store.Chunk{WindowKey: in("x", "yz"), N: 1, Data: []byte("old")}),
		commitAt(2, store.Match{ID: "running", Version: 2, Created: 1, State: "started"},
			store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 2}, store.Window{WindowKey: in("x", "yz"), Version: 2, Size: 1}),
		commitAt(3, store.Match{ID: "ended", Version: 1, Created: 3, Position: 3, State: "ended"},
			store.Setting{Name: "rules", Value: []byte("old")}, line(wallet("ann"), 2, 0), store.Facts{Player: "ann", Version: 1},
			store.Revision{Match: store.Match{ID: "ended", Revision: 1}}),
	}
	for i, key := range []string{"first", "second", "third"} {
		commits[i].Key, commits[i].Digest = key, store.Digest{byte(i + 1)}
	}
	commits[2].Digest = store.Digest{}
	commits[1].Records = append(commits[1].Records, line(wallet("ann"), 1, 4), line(wallet("bob"), 1, 2),
		store.Grant{ID: "g", Version: 1, Player: "ann", Place: 3}, store.Grant{ID: "h", Version: 1, Player: "ann", Place: 4})
	commits[2].Records = append(commits[2].Records, store.Grant{ID: "g", Version: 2, Player: "ann", Position: 2, Place: 3})
	for i := range uint64(2) {
		commits[i].Records = append(commits[i].Records, store.Session{ID: "s", Version: i + 1, Player: "ann"}, store.Room{ID: "r", Version: i + 1})
	}
	for i := range commits {
		settle(commits[i])
	}
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: commits}), "Commit")
}

// wallet is a player's account.
func wallet(player string) store.Account { return store.Account{Kind: "player", ID: player} }

// line is one that settle gives a position.
func line(a store.Account, seq uint64, place int) store.Line {
	return store.Line{Account: a, Currency: "gold", Seq: seq, Amount: 1, Posting: "p", Place: place}
}

// settle gives the lines and grants without a position that of their commit.
func settle(c store.Commit) {
	for i, r := range c.Records {
		switch r := r.(type) {
		case store.Line:
			if r.Position == 0 {
				r.Position = c.Position
			}
			c.Records[i] = r
		case store.Grant:
			if r.Position == 0 {
				r.Position = c.Position
			}
			c.Records[i] = r
		}
	}
}

func refusals() []refusal { return slices.Concat(recordRefusals(), moneyRefusals(), playerRefusals()) }

func recordRefusals() []refusal {
	match := func(id string, version uint64) []store.Record {
		return []store.Record{store.Match{ID: id, Version: version}}
	}
	entry := func(id string, version uint64) []store.Record {
		return []store.Record{store.Entry{WindowKey: in("x", "yz"), ID: id, Version: version}}
	}
	window := func(name string, version uint64) []store.Record {
		return []store.Record{store.Window{WindowKey: in("x", name), Version: version}}
	}
	return []refusal{
		{"a key used for the same digest is ErrReplayed and writes nothing",
			[]attempt{{key: "first", digest: 1}}, 0, store.ErrReplayed},
		{"a key used for another digest is ErrReused and writes nothing",
			[]attempt{{key: "first", digest: 9}}, 0, store.ErrReused},
		{"a digest counts only with its own key",
			[]attempt{{key: "first", digest: 2}}, 0, store.ErrReused},
		{"no digest is the same as no digest",
			[]attempt{{key: "third"}}, 0, store.ErrReplayed},
		{"no digest is another than any digest",
			[]attempt{{key: "third", digest: 1}}, 0, store.ErrReused},
		{"any digest is another than no digest",
			[]attempt{{key: "first"}}, 0, store.ErrReused},
		{"a replayed key comes before the position",
			[]attempt{{key: "first", digest: 1, shift: 5}}, 0, store.ErrReplayed},
		{"a reused key comes before the position",
			[]attempt{{key: "first", digest: 9, shift: -1}}, 0, store.ErrReused},
		{"a replayed key comes before the versions",
			[]attempt{{key: "first", digest: 1, records: match("running", 1)}}, 0, store.ErrReplayed},
		{"a reused key comes before the versions",
			[]attempt{{key: "first", digest: 9, records: match("running", 1)}}, 0, store.ErrReused},
		{"a position that leaves a gap is ErrStale", []attempt{{shift: 1}}, 0, store.ErrStale},
		{"a position that is taken is ErrStale", []attempt{{shift: -1}}, 0, store.ErrStale},
		{"a position long past is ErrStale", []attempt{{shift: -3}}, 0, store.ErrStale},
		{"the stored version of a match is ErrStale", []attempt{{records: match("running", 2)}}, 0, store.ErrStale},
		{"an old version of a match is ErrStale", []attempt{{records: match("running", 1)}}, 0, store.ErrStale},
		{"a skipped version of a match is ErrStale", []attempt{{records: match("running", 4)}}, 0, store.ErrStale},
		{"a new match of version 0 is ErrStale", []attempt{{records: match("new", 0)}}, 0, store.ErrStale},
		{"a new match of version 2 is ErrStale", []attempt{{records: match("new", 2)}}, 0, store.ErrStale},
		{"the stored version of an entry is ErrStale", []attempt{{records: entry("ann", 2)}}, 0, store.ErrStale},
		{"an old version of an entry is ErrStale", []attempt{{records: entry("ann", 1)}}, 0, store.ErrStale},
		{"a skipped version of an entry is ErrStale", []attempt{{records: entry("ann", 4)}}, 0, store.ErrStale},
		{"a new entry of version 0 is ErrStale", []attempt{{records: entry("bob", 0)}}, 0, store.ErrStale},
		{"a new entry of version 2 is ErrStale", []attempt{{records: entry("bob", 2)}}, 0, store.ErrStale},
		{"the stored version of a window is ErrStale", []attempt{{records: window("yz", 2)}}, 0, store.ErrStale},
		{"an old version of a window is ErrStale", []attempt{{records: window("yz", 1)}}, 0, store.ErrStale},
		{"a skipped version of a window is ErrStale", []attempt{{records: window("yz", 4)}}, 0, store.ErrStale},
		{"a new window of version 0 is ErrStale", []attempt{{records: window("new", 0)}}, 0, store.ErrStale},
		{"a new window of version 2 is ErrStale", []attempt{{records: window("new", 2)}}, 0, store.ErrStale},
		{"a window that has entries only is new: version 2", []attempt{{records: window("", 2)}}, 0, store.ErrStale},
		{"the last record counts like the first",
			[]attempt{{records: append(match("running", 3), entry("ann", 2)...)}}, 0, store.ErrStale},

		{"a key is also checked against the batch: ErrReplayed",
			[]attempt{{key: "new", digest: 7}, {key: "new", digest: 7}}, 1, store.ErrReplayed},
		{"a key is also checked against the batch: ErrReused",
			[]attempt{{key: "new", digest: 7}, {key: "new", digest: 8}}, 1, store.ErrReused},
		{"a position is also checked against the batch: taken",
			[]attempt{{}, {shift: -1}}, 1, store.ErrStale},
		{"a position is also checked against the batch: a gap",
			[]attempt{{}, {shift: 1}}, 1, store.ErrStale},
		{"a match's version is also checked against the batch",
			[]attempt{{records: match("running", 3)}, {records: match("running", 3)}}, 1, store.ErrStale},
		{"a new match's version is also checked against the batch",
			[]attempt{{records: match("new", 1)}, {records: match("new", 1)}}, 1, store.ErrStale},
		{"an entry's version is also checked against the batch",
			[]attempt{{records: entry("ann", 3)}, {}, {records: entry("ann", 3)}}, 2, store.ErrStale},
		{"a new entry's version is also checked against the batch",
			[]attempt{{records: entry("bob", 1)}, {records: entry("bob", 1)}}, 1, store.ErrStale},
		{"a window's version is also checked against the batch",
			[]attempt{{records: window("yz", 3)}, {records: window("yz", 3)}}, 1, store.ErrStale},
		{"a new window's version is also checked against the batch",
			[]attempt{{records: window("new", 1)}, {records: window("new", 1)}}, 1, store.ErrStale},
		{"an entry that the batch dropped is new again",
			[]attempt{{records: []store.Record{store.Drop{WindowKey: in("x", "yz"), All: true}}}, {records: entry("ann", 3)}}, 1, store.ErrStale},
		{"a window that the batch dropped is new again",
			[]attempt{{records: []store.Record{store.Drop{WindowKey: in("x", "yz"), All: true}}}, {}, {records: window("yz", 3)}}, 2, store.ErrStale},
		{"what the batch wrote and dropped is new again",
			[]attempt{{records: entry("bob", 1)}, {records: []store.Record{store.Drop{WindowKey: in("x", "yz"), All: true}}}, {records: entry("bob", 2)}},
			2, store.ErrStale},
		{"the first commit that does not fit is named",
			[]attempt{{}, {records: match("running", 9)}, {key: "first", digest: 1}}, 1, store.ErrStale},
		{"the first commit that does not fit is named: its key",
			[]attempt{{}, {key: "first", digest: 9}, {shift: 4}}, 1, store.ErrReused},
	}
}

func refusalRules() []rule {
	var rules []rule
	for _, r := range refusals() {
		rules = append(rules, one(r.says, func(t *testing.T, s store.Store) {
			history(t, s)
			r.requireIn(t, s)
			p := pen{t: t, s: s, position: 3}
			goesOn(&p)
		}))
	}
	return rules
}

// goesOn writes what follows after history. A refusal leaves no trace: what fitted still fits.
func goesOn(p *pen) {
	c := p.next(store.Match{ID: "running", Version: 3}, line(wallet("ann"), 3, 0), store.Facts{Player: "ann", Version: 2},
		store.Grant{ID: "g", Version: 3, Player: "ann", Position: 2, Place: 3}, store.Revision{Match: store.Match{ID: "ended", Revision: 2}},
		store.Session{ID: "s", Version: 3, Player: "bob"}, store.Room{ID: "r", Version: 3})
	settle(c)
	p.batch(store.Batch{Commits: []store.Commit{c}})
}

// requireIn tries the batch in a store with history, also behind a commit that fits.
func (r refusal) requireIn(t tb, s store.Store) {
	t.Helper()
	before := contentsOf(t, s)
	for _, lead := range [][]attempt{nil, {{key: "lead"}}} {
		var b store.Batch
		for i, a := range append(lead, r.batch...) {
			fits := before.Head.Position + 1 + uint64(i)
			c := commitAt(fits+uint64(a.shift), //nolint:gosec // two's complement subtracts
				append([]store.Record{
					store.Match{ID: "bystander", Version: 1 + uint64(i)},
					store.Setting{Name: "rules", Value: []byte("new")},
					store.Chunk{WindowKey: in("xy", "z"), Data: []byte("new")},
					store.Drop{WindowKey: in("x", ""), All: true},
					store.Line{Account: wallet("bystander"), Seq: 1 + uint64(i), Amount: 1, Place: 20},
					store.Grant{ID: commitAt(fits).Key, Version: 1, Player: "bystander", Place: 20},
					store.Facts{Player: "bystander", Version: 1 + uint64(i)},
					store.Revision{Match: store.Match{ID: "running", Revision: i}},
					store.Session{ID: "bystander", Version: 1 + uint64(i)}, store.Room{ID: "bystander", Version: 1 + uint64(i)},
				}, a.records...)...)
			settle(c)
			c.Digest = store.Digest{a.digest}
			c.Key = a.key
			if c.Key == "" {
				c.Key = commitAt(fits + 100).Key
			}
			b.Commits = append(b.Commits, c)
		}
		b.Soft = []store.Record{
			store.Match{ID: "running", Version: before.version(store.Match{ID: "running"}), State: "soft"},
			store.Moves{Match: "ended", Position: 3, Moves: []store.Move{{WindowKey: in("x", ""), New: 1}}},
			store.Entry{WindowKey: in("x", "yz"), ID: "cid", Version: 1},
			store.Drop{WindowKey: in("x", "yz"), From: 0, To: 9},
			store.Session{ID: "s", Version: 2, Reason: "soft"},
		}
		index := r.index + len(lead)
		requireRefused(t, s.Commit(context.Background(), b), &store.CommitError{
			Index: index, Key: b.Commits[index].Key, Err: r.err,
		}, r.says)
		requireSame(t, before, contentsOf(t, s), "a refused batch was written in part: "+r.says)
	}
}

// requireRefused asks for the *store.CommitError, wrapped or not.
func requireRefused(t tb, err error, want *store.CommitError, about string) {
	t.Helper()
	require.Error(t, err, about)
	got, ok := errors.AsType[*store.CommitError](err)
	require.True(t, ok, "%s: %v is no *store.CommitError", about, err)
	require.ErrorIs(t, got.Err, want.Err, about)
	require.Equal(t, want.Index, got.Index, "the index of: %s", about)
	require.Equal(t, want.Key, got.Key, "the key of: %s", about)
}
