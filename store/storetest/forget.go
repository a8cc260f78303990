package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// forget looks at everything that there is.
func (c *contents) forget(f store.Forget) {
	*c = plain(*c) // what was before stays as it was
	rename := func(names ...*string) {
		for _, s := range names {
			if *s == f.Player {
				*s = f.As
			}
		}
	}
	for i := range c.Matches {
		forgetMatch(&c.Matches[i], f, rename)
	}
	for i := range c.Money.Revisions {
		forgetMatch(&c.Money.Revisions[i].Match, f, rename)
	}
	for i := range c.Entries {
		rename(&c.Entries[i].ID)
	}
	slices.SortFunc(c.Entries, byKey)
	for i := range c.Money.Facts {
		rename(&c.Money.Facts[i].Player)
	}
	slices.SortFunc(c.Money.Facts, byPlayer)
	for i := range c.Players.Sessions {
		if r := &c.Players.Sessions[i]; r.Player == f.Player {
			r.Player, r.Device, r.Attributes, r.Data = f.As, "", nil, nil
		}
	}
	for i := range c.Players.Rooms {
		for j := range c.Players.Rooms[i].Members {
			m := &c.Players.Rooms[i].Members[j]
			if m.Player == f.Player {
				m.Attributes = nil
			}
			rename(&m.Player, &m.Team)
		}
	}
	grants, keys := map[string]string{}, map[string]string{}
	for _, r := range f.Grants {
		grants[r.From] = r.To
	}
	for _, e := range f.Events {
		stored := &c.Events[e.Position-1]
		keys[stored.Key] = e.Key
		stored.Key, stored.ID, stored.Body = e.Key, e.ID, e.Body
	}
	for i := range c.Money.Grants {
		g := &c.Money.Grants[i]
		rename(&g.Player)
		if to, there := grants[g.ID]; there {
			g.ID = to
		}
	}
	for i := range c.Money.Lines {
		l := &c.Money.Lines[i]
		if slices.Contains(f.Accounts, l.Account.Kind) {
			rename(&l.Account.ID)
		}
		if to, there := grants[l.Grant]; there {
			l.Grant = to
		}
		if to, there := keys[l.Posting]; there {
			l.Posting = to
		}
	}
}

func forgetMatch(m *store.Match, f store.Forget, rename func(...*string)) {
	for i := range m.Participants {
		p := &m.Participants[i]
		if p.Player == f.Player {
			p.Attributes = slices.DeleteFunc(slices.Clone(p.Attributes), func(a store.Attribute) bool { return !slices.Contains(f.Keep, a.Name) })
			if len(p.Attributes) == 0 {
				p.Attributes = nil
			}
		}
		rename(&p.Player, &p.Team)
		for j := range p.Boards {
			rename(&p.Boards[j].ID)
		}
	}
	for i := range m.Teams {
		rename(&m.Teams[i].Team)
	}
	for i := range m.Moves {
		rename(&m.Moves[i].ID)
		for j := range m.Moves[i].Passed {
			rename(&m.Moves[i].Passed[j])
		}
	}
}

// gone is whom the commit at a position may forget somebody as: nobody else is called so.
func gone(position uint64) string { return fmt.Sprint("gone ", position) }

// drawForget draws a batch that forgets somebody, perhaps with other records.
func drawForget(t *rapid.T, c contents) store.Batch {
	position := c.Head.Position + 1
	players := append(pool(), "nobody", gone(rapid.Uint64Range(0, c.Head.Position).Draw(t, "gone at")))
	f := store.Forget{
		Player: rapid.SampledFrom(players).Draw(t, "forgotten"), As: gone(position),
		Keep:     rapid.SliceOfN(name(), 0, 2).Draw(t, "kept"),
		Accounts: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"player", "hous", "none"}), 0, 2, rapid.ID).Draw(t, "accounts"),
	}
	for _, g := range c.Money.Grants {
		if rapid.Bool().Draw(t, "renamed") {
			f.Grants = append(f.Grants, store.Rename{From: g.ID, To: g.ID + f.As})
		}
	}
	slices.SortFunc(f.Grants, func(a, b store.Rename) int { return strings.Compare(a.From, b.From) })
	commit := commitAt(position)
	if rapid.Bool().Draw(t, "with others") {
		commit.Records = drawRecords(t, c)
	}
	for _, e := range append(slices.Clone(c.Events), eventOf(commit)) {
		if rapid.IntRange(0, 3).Draw(t, "of theirs") > 0 {
			continue
		}
		e.Body = document().Draw(t, "body")
		if rapid.Bool().Draw(t, "new key") {
			e.Key += f.As
		}
		f.Events = append(f.Events, store.Event{Position: e.Position, Key: e.Key, ID: e.ID + f.As, Body: e.Body})
	}
	commit.Records = slices.Insert(commit.Records, rapid.IntRange(0, len(commit.Records)).Draw(t, "place"), store.Record(f))
	return store.Batch{Commits: []store.Commit{commit}}
}

func forgetRules() []rule {
	ctx := context.Background()
	return []rule{
		one("who is forgotten has another name everywhere and is known by no attribute", forgotten),
		one("a key and a grant that are renamed are found under their new names alone", renamed),
		one("a word that is more than a posting or a grant stays what else it is", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			word := store.Line{Account: wallet("ann"), Seq: 1, Amount: 1, Posting: "w", Match: "w", Grant: "w", Position: 1}
			p.write(word, store.Grant{ID: "w", Version: 1, Player: "ann", Match: "w", Position: 1})
			c := p.next(store.Forget{Player: "ann", As: "x", Grants: []store.Rename{{From: "w", To: "v"}}})
			c.Key = "w"
			p.batch(store.Batch{Commits: []store.Commit{c}})
			word.Grant = "v"
			requireLines(t, s, store.LineQuery{Match: "w"}, word)
			p.write(store.Forget{Player: "ann", As: "y", Events: []store.Event{{Position: 2, Key: "v", ID: "w"}}}) // the grant's new name
			word.Posting = "v"
			requireLines(t, s, store.LineQuery{Posting: "v"}, word)
			requireLines(t, s, store.LineQuery{Posting: "w"})
			requireLines(t, s, store.LineQuery{Match: "v"})
			requireGrants(t, s, store.GrantQuery{Match: "w"}, "v")
		}),
		one("somebody of the old name is somebody new", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			write := func() {
				p.write(ended(fmt.Sprint("m", p.position), p.position+1, time.UnixMilli(1).UTC(), "ann"), store.Facts{Player: "ann", Version: 1},
					store.Session{ID: fmt.Sprint(p.position), Version: 1, Player: "ann"}, store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 1},
					store.Line{Account: wallet("ann"), Seq: 1, Amount: 1, Posting: fmt.Sprint(p.position), Position: p.position + 1})
			}
			write()
			p.write(store.Forget{Player: "ann", As: "x", Accounts: []string{"player"}})
			write()
			p.write(store.Forget{Player: "ann", As: "y", Accounts: []string{"player"}})
			write()
			for i, name := range []string{"x", "y", "ann"} {
				requireIDs(t, s, store.MatchQuery{Player: name}, fmt.Sprint("m", 2*i))
				requireSessions(t, s, store.SessionQuery{Player: name}, fmt.Sprint(2*i))
				require.Len(t, factsOf(t, s, []string{name}), 1)
				require.Len(t, balancesOf(t, s, wallet(name)), 1)
			}
			requireEntries(t, s, firstWindow(), "ann", "x", "y")
		}),
		one("who is not there can be forgotten", func(t *testing.T, s store.Store) {
			history(t, s)
			before := contentsOf(t, s)
			p := pen{t: t, s: s, position: 3}
			p.write(store.Forget{Player: "nobody", As: "x", Accounts: []string{"player"}, Grants: []store.Rename{{From: "none", To: "x"}}})
			after := contentsOf(t, s)
			after.Head, after.Events = before.Head, before.Events
			requireSame(t, before, after)
		}),
		one("an event that is not there cannot be renamed: ErrStale", func(t *testing.T, s store.Store) {
			history(t, s)
			before := contentsOf(t, s)
			for _, position := range []uint64{0, 5, 1 << 62, 1<<64 - 1} {
				c := commitAt(4, store.Forget{Player: "ann", As: "x", Accounts: []string{"player"}, Events: []store.Event{{Position: position, Key: "new"}}})
				requireRefused(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}), &store.CommitError{Key: c.Key, Err: store.ErrStale}, "a position")
				requireSame(t, before, contentsOf(t, s))
			}
			goesOn(&pen{t: t, s: s, position: 3})
		}),
		one("a commit that forgets is alone in its batch", func(t *testing.T, s store.Store) {
			history(t, s)
			before := contentsOf(t, s)
			f := store.Forget{Player: "ann", As: "x"}
			for _, b := range []store.Batch{
				{Commits: []store.Commit{commitAt(4, f), commitAt(5)}}, {Commits: []store.Commit{commitAt(4), commitAt(5, f)}},
				{Commits: []store.Commit{commitAt(4, f)}, Soft: []store.Record{store.Setting{Name: "rules"}}}, {Soft: []store.Record{f}},
			} {
				require.Error(t, s.Commit(ctx, b))
				requireSame(t, before, contentsOf(t, s))
			}
			goesOn(&pen{t: t, s: s, position: 3})
		}),
		one("what is beside a Forget in its commit is written before", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			m := ended("m", 1, time.UnixMilli(1).UTC(), "ann", "bob")
			m.Participants[0].Attributes = []store.Attribute{{Name: "car", Value: "7"}}
			p.write(store.Forget{Player: "ann", As: "x"}, m, store.Facts{Player: "ann", Version: 1})
			m.Participants[0] = store.Participant{Player: "x"}
			requireMatch(t, s, m)
			requireSame(t, []store.Facts{{Player: "x", Version: 1}}, factsOf(t, s, nil))
		}),
		one("attributes that Forget keeps stay in matches and in what they were, and nowhere else", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			told := []store.Attribute{{Name: "car", Value: "7"}, {Name: "land", Value: `"]a`}, {Name: "town", Value: "b"}}
			m := ended("m", 1, time.UnixMilli(1).UTC(), "ann", "bob")
			m.Participants[0].Attributes, m.Participants[1].Attributes = told, told
			was := m
			was.Participants = []store.Participant{{Player: "ann", Attributes: told, Held: 3}, {Player: "bob"}}
			member := []store.Member{{Player: "ann", Attributes: told}}
			p.write(m, store.Revision{Match: was}, store.Session{ID: "s", Version: 1, Player: "ann", Attributes: told}, store.Room{ID: "r", Version: 1, Members: member})
			p.write(store.Forget{Player: "ann", As: "x", Keep: []string{"land", "none", "town"}})
			m.Participants = slices.Clone(m.Participants)
			m.Participants[0].Player, m.Participants[0].Attributes = "x", told[1:]
			requireMatch(t, s, m)
			for got, err := range s.Revisions(context.Background(), "m") {
				require.NoError(t, err)
				requireSame(t, []store.Participant{{Player: "x", Attributes: told[1:], Held: 3}, {Player: "bob"}}, got.Participants)
			}
			for got, err := range s.Sessions(context.Background(), store.SessionQuery{ID: "s"}) {
				require.NoError(t, err)
				require.Empty(t, got.Attributes)
			}
			for got, err := range s.Rooms(context.Background(), store.RoomQuery{ID: "r"}) {
				require.NoError(t, err)
				require.Empty(t, got.Members[0].Attributes)
			}
		}),
		one("a reader sees a player as they were or as they are", seenWhole),
	}
}

// mentions has a player in every place, with attributes wherever there are some.
func mentions(position uint64, player string) []store.Record {
	told := []store.Attribute{{Name: "mail", Value: player + "@x"}}
	m := store.Match{ID: "m", Version: 1, Created: 1, Position: position, State: "ended", Teams: []store.TeamOutcome{{Team: player}, {Team: "red"}}, Attributes: told,
		Participants: []store.Participant{
			{Player: "bob", Team: player, Attributes: told, Boards: []store.BoardValues{{WindowKey: in("x", "yz"), ID: player}, {WindowKey: in("x", "yz"), ID: "bob"}}},
			{Player: player, Team: "red", Attributes: told, Held: 5, Gone: "left", Counted: 1, Boards: []store.BoardValues{{WindowKey: in("x", "yz"), ID: player}}},
			{Player: "cid", Attributes: told},
		},
		Moves: []store.Move{{WindowKey: in("x", "yz"), ID: "bob", Passed: []string{"cid", player}}, {WindowKey: in("x", "yz"), ID: player, Size: 3}},
	}
	was := m
	was.Participants = []store.Participant{m.Participants[2], {Player: player, Attributes: told}}
	running := store.Match{ID: "running " + player, Version: 1, Created: 1, State: "started", Participants: []store.Participant{{Player: player, Attributes: told}}}
	member := []store.Member{{Player: "bob", Team: player, Attributes: told}, {Player: player, Team: player, Held: 4, Attributes: told}}
	return []store.Record{
		m, store.Revision{Match: was}, running, store.Facts{Player: player, Version: 1, Data: []byte(`{"a":1}`)},
		store.Entry{WindowKey: in("x", "yz"), ID: player, Version: 1}, store.Entry{WindowKey: in("xy", "z"), ID: player, Version: 1},
		store.Session{ID: "s", Version: 1, Player: player, Device: player + "'s", Attributes: told, Data: told}, store.Session{ID: "t", Version: 1, Player: "bob", Device: "b", Data: told},
		store.Room{ID: "r", Version: 1, Attributes: told, Members: member}, store.Room{ID: "q", Version: 1},
		store.Line{Account: wallet(player), Currency: "gold", Seq: 1, Amount: 1, Posting: commitAt(position).Key, Grant: "g/" + player, Match: "m", Position: position},
		store.Line{Account: store.Account{Kind: "escrow", ID: player}, Seq: 1, Amount: -1, Posting: commitAt(position).Key, Position: position, Place: 1},
		store.Line{Account: store.Account{Kind: "match", ID: player}, Seq: 1, Amount: -1, Posting: player, Position: position, Place: 2},
		store.Grant{ID: "g/" + player, Version: 1, Player: player, Match: "m", Position: position}, store.Grant{ID: "h", Version: 1, Player: "bob", Match: player, Position: position, Place: 1},
	}
}

func forgotten(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	p.write(mentions(1, "ann")...)
	p.write()
	before := contentsOf(t, s)
	held, err := s.Match(context.Background(), "m")
	require.NoError(t, err)
	asHeld := plain(held)
	f := store.Forget{Player: "ann", As: "x", Accounts: []string{"escrow", "player"}, Grants: []store.Rename{{From: "g/ann", To: "g/x"}},
		Events: []store.Event{{Position: 1, Key: "of x", ID: "x", Body: []byte(`{"of":"x"}`)}, {Position: 3, Key: "forget", ID: "y"}}}
	b := store.Batch{Commits: []store.Commit{p.next(f)}}
	want, err := before.after(b)
	require.NoError(t, err)
	p.batch(b)
	after := contentsOf(t, s)
	requireSame(t, want, after)
	requireSame(t, asHeld, held, "a match that the store gave out")
	for _, m := range after.Matches {
		requireMatch(t, s, m)
	}
	requireIDs(t, s, store.MatchQuery{Player: "ann"})
	requireIDs(t, s, store.MatchQuery{Team: "ann"})
	requireIDs(t, s, store.MatchQuery{Player: "bob", Opponent: "ann"})
	requireIDs(t, s, store.MatchQuery{Player: "x", Newest: true}, "m", "running ann")
	requireIDs(t, s, store.MatchQuery{Team: "x"}, "m")
	requireSessions(t, s, store.SessionQuery{Player: "ann"})
	requireSessions(t, s, store.SessionQuery{Player: "x"}, "s")
	requireEntries(t, s, store.EntryQuery{WindowKey: in("x", "yz"), IDs: []string{"ann", "x"}}, "x")
	require.Empty(t, factsOf(t, s, []string{"ann"}))
	require.Len(t, factsOf(t, s, []string{"x"}), 1)
	require.Empty(t, balancesOf(t, s, wallet("ann"), store.Account{Kind: "escrow", ID: "ann"}))
	require.Len(t, balancesOf(t, s, wallet("x"), store.Account{Kind: "escrow", ID: "x"}, store.Account{Kind: "match", ID: "ann"}), 3)
	requireGrants(t, s, store.GrantQuery{Player: "x"}, "g/x")
	requireGrants(t, s, store.GrantQuery{Player: "ann"})
	requireGrants(t, s, store.GrantQuery{Match: "ann"}, "h") // which is no player
}

func renamed(t *testing.T, s store.Store) {
	ctx := context.Background()
	p := pen{t: t, s: s}
	p.write(mentions(1, "ann")...)
	p.write(store.Forget{Player: "ann", As: "x", Grants: []store.Rename{{From: "g/ann", To: "g/x"}}, Events: []store.Event{{Position: 1, Key: "new key"}}})
	retry := commitAt(1)
	again := retry
	again.Key = "new key"
	requireRefused(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{again}}), &store.CommitError{Key: "new key", Err: store.ErrReplayed}, "the new key")
	again.Digest[5]++
	requireRefused(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{again}}), &store.CommitError{Key: "new key", Err: store.ErrReused}, "the new key")
	requireLines(t, s, store.LineQuery{Posting: retry.Key})
	require.Len(t, all(t, s.Lines(ctx, store.LineQuery{Posting: "new key"})), 2)
	requireGrants(t, s, store.GrantQuery{IDs: []string{"g/ann"}})
	requireGrants(t, s, store.GrantQuery{IDs: []string{"g/x", "g/ann"}}, "g/x")
	retry.Position = 3
	retry.Records = []store.Record{store.Grant{ID: "g/ann", Version: 1, Player: "ann", Position: 3},
		store.Line{Account: wallet("ann"), Seq: 1, Amount: 1, Posting: retry.Key, Grant: "g/ann", Position: 3}}
	p.batch(store.Batch{Commits: []store.Commit{retry}}) // the old key is nobody's
	p.position++
	requireGrants(t, s, store.GrantQuery{IDs: []string{"g/x", "g/ann"}}, "g/x", "g/ann")
	p.write(store.Grant{ID: "g/x", Version: 2, Player: "x", Match: "m", Position: 1, State: "granted"})
	requireGrants(t, s, store.GrantQuery{States: []string{"granted"}}, "g/x")
	require.Len(t, all(t, s.Lines(ctx, store.LineQuery{Posting: retry.Key})), 1)
}

// seenWhole forgets a player again and again under the eyes of readers, of whom none may see a part of it.
func seenWhole(t *testing.T, s store.Store) {
	const rounds = 40
	ctx := context.Background()
	p := pen{t: t, s: s}
	name := func(round int) string { return fmt.Sprint("ann ", round) }
	match := func(round, version int) store.Match {
		return store.Match{ID: "m", Version: uint64(version), Created: 1, Position: 1, Participants: []store.Participant{ //nolint:gosec // small
			{Player: "bob", Team: name(round)}, {Player: name(round), Attributes: []store.Attribute{{Name: "name", Value: name(round)}}},
		}}
	}
	p.write(match(0, 1), store.Facts{Player: name(0), Version: 1})
	written, done := make(chan bool), make(chan struct{})
	whole := func(m store.Match, err error) bool {
		if !assert.NoError(t, err) || !assert.Len(t, m.Participants, 2) {
			return false
		}
		one := m.Participants[1]
		return assert.Equal(t, m.Participants[0].Team, one.Player, "a name of two moments") &&
			(len(one.Attributes) == 0 || assert.Equal(t, one.Attributes[0].Value, one.Player, "attributes of another moment"))
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-written:
				return
			default:
			}
			m, err := s.Match(ctx, "m")
			if !whole(m, err) {
				return
			}
			for m, err := range s.Matches(ctx, store.MatchQuery{}) {
				if !whole(m, err) {
					return
				}
			}
		}
	}()
	for round := range rounds {
		p.write(store.Forget{Player: name(round), As: name(round + 1)})
		p.write(match(round+1, round+2))
	}
	finishes(t, "reading while somebody is forgotten", func() bool {
		close(written)
		<-done
		return !t.Failed()
	})
	requireMatch(t, s, match(rounds, rounds+1))
	requireSame(t, []store.Facts{{Player: name(rounds), Version: 1}}, factsOf(t, s, nil))
}
