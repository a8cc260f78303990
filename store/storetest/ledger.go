package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func ledgerRules() []rule {
	ctx := context.Background()
	return []rule{
		one("lines come by position and then by place", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			var want []store.Line
			for position := uint64(1); position <= 12; position++ { // past 9, where text sorts otherwise
				var records []store.Record
				for i, place := range []int{11, 2, 0, store.MaxPlace} {
					records = append(records, store.Line{Account: wallet(fmt.Sprint(i)), Seq: position, Amount: -int64(position), Position: position, Place: place}) //nolint:gosec // small
				}
				p.write(records...)
				for _, i := range []int{2, 1, 0, 3} {
					want = append(want, records[i].(store.Line)) //nolint:forcetypeassert // made above
				}
			}
			requireLines(t, s, store.LineQuery{}, want...)
			for after := range uint64(14) {
				requireLines(t, s, store.LineQuery{After: after}, want[4*min(after, 12):]...)
			}
			requireLines(t, s, store.LineQuery{After: 1<<64 - 1})
			requireLines(t, s, store.LineQuery{After: 1<<63 - 1})
		}),
		one("a line comes back with every field", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			at := time.Date(2024, 5, 1, 0, 0, 0, 1e6, time.UTC)
			l := store.Line{Account: wallet("ann"), Currency: "gold", Seq: 1, Amount: 5, Balance: 7, Kind: "prize", Posting: "p", Position: 1, Place: 3,
				At: at, Match: "m", Board: "x", Window: "yz", Grant: "g"}
			bare := store.Line{Account: store.Account{Kind: "house"}, Seq: 1, Amount: -5, Balance: -5, Position: 1, Place: 4}
			p.write(l, bare)
			requireLines(t, s, store.LineQuery{}, l, bare)
			requireSame(t, []store.Line{bare, l}, balancesOf(t, s, bare.Account, l.Account))
			require.Empty(t, windowsOf(t, s, store.WindowQuery{}), "a line alone makes no window")
		}),
		one("lines are those that a query asks for by match, posting and position", askedLines),
		one("lines that touch accounts are all those of the postings that have a line of one of them", touchingLines),
		one("balances are the last lines of accounts in each currency", lastLines),
		one("a long ledger comes whole and in order", longLedger),
		one("what no store may keep is an error and writes nothing", unfit),
		one("facts are those of the players asked for, or of all", askedFacts),
		one("facts are kept to the byte and replaced whole", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for i, data := range []string{`{ "b" : 1,  "a" : 1.0 }`, `{"é":"\u00e9"}`, "", `[1e400]`} {
				f := store.Facts{Player: "ann", Version: uint64(i) + 1, Data: []byte(data)} //nolint:gosec // small
				p.write(f)
				requireSame(t, []store.Facts{f}, factsOf(t, s, []string{"ann"}))
			}
		}),
		one("revisions of a match come by number, each as it was given", revisions),
		one("fees come back with and without attributes", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			with := []store.Attribute{{Name: "car", Value: "7"}}
			m := store.Match{ID: "m", Version: 1, Created: 1, Revised: 8, Grants: 9, Participants: []store.Participant{
				{Player: "ann", Held: 5}, {Player: "bob", Paid: -5, Attributes: with}, {Player: "cid", Held: 1, Paid: 2}, {Player: "dan", Attributes: with}, {Player: "eve"},
			}}
			p.write(m)
			requireMatch(t, s, m)
			requireSame(t, []store.Match{m}, all(t, s.Matches(ctx, store.MatchQuery{})))
		}),
	}
}

func posted(position uint64, place int, posting, match string, a store.Account, currency string, seq uint64) store.Line {
	return store.Line{Account: a, Currency: currency, Seq: seq, Amount: 1, Posting: posting, Position: position, Place: place, Match: match}
}

func askedLines(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	house := store.Account{Kind: "house"}
	lines := []store.Line{
		posted(1, 0, "p", "m", house, "", 1), posted(1, 1, "p", "m", wallet("ann"), "", 1), posted(1, 2, "q", "m", house, "", 2),
		posted(2, 0, "r", "n", house, "", 3), posted(2, 1, "r", "", wallet("p"), "", 1), posted(2, 2, "m", "p", wallet("m"), "", 1),
		posted(3, 0, "s", "m", house, "", 4),
	}
	for _, ofCommit := range [][]store.Line{lines[:3], lines[3:6], lines[6:]} {
		var records []store.Record
		for _, l := range ofCommit {
			records = append(records, l)
		}
		p.write(records...)
	}
	at := func(places ...int) (some []store.Line) {
		for _, i := range places {
			some = append(some, lines[i])
		}
		return some
	}
	for _, c := range []struct {
		q    store.LineQuery
		want []store.Line
	}{
		{store.LineQuery{}, lines},
		{store.LineQuery{Match: "m"}, at(0, 1, 2, 6)},
		{store.LineQuery{Match: "m", After: 1}, at(6)},
		{store.LineQuery{Match: "none"}, nil},
		{store.LineQuery{Posting: "p"}, at(0, 1)},
		{store.LineQuery{Posting: "r"}, at(3, 4)},
		{store.LineQuery{Posting: "r", After: 2}, nil},
		{store.LineQuery{Posting: "r", Match: "n"}, at(3)},
		{store.LineQuery{Posting: "p", Match: "none"}, nil},
		{store.LineQuery{After: 2}, at(6)},
		{store.LineQuery{Touching: []store.Account{wallet("ann")}, Match: "m"}, at(0, 1)},
		{store.LineQuery{Touching: []store.Account{wallet("p")}, Match: "n"}, at(3)}, // the line of the posting, not of the account
		{store.LineQuery{Touching: []store.Account{wallet("p")}, Posting: "r"}, at(3, 4)},
		{store.LineQuery{Touching: []store.Account{wallet("p")}, Posting: "p"}, nil},
		{store.LineQuery{Touching: []store.Account{house}, Posting: "m"}, nil},
		{store.LineQuery{Touching: []store.Account{house}, Match: "m", After: 1}, at(6)},
		{store.LineQuery{Touching: []store.Account{}, Posting: "q"}, at(2)},
	} {
		requireLines(t, s, c.q, c.want...)
	}
}

func touchingLines(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	house, ab, abc := store.Account{Kind: "house"}, store.Account{Kind: "a", ID: "bc"}, store.Account{Kind: "ab", ID: "c"}
	l := []store.Line{
		posted(1, 0, "p", "", ab, "gold", 1), posted(1, 1, "q", "", abc, "gold", 1), posted(1, 2, "p", "", house, "gold", 1), posted(1, 3, "q", "", house, "gold", 2),
		posted(2, 0, "r", "", house, "gold", 3), posted(2, 1, "r", "", wallet("ann"), "", 1), posted(2, 2, "s", "", ab, "", 1), posted(2, 3, "s", "", ab, "gold", 2),
	}
	p.write(l[2], l[0], l[3], l[1]) // in another order than that of their places
	p.write(l[4], l[5], l[6], l[7])
	for _, c := range []struct {
		accounts []store.Account
		after    uint64
		want     []store.Line
	}{
		{[]store.Account{house}, 0, l[:6]},
		{[]store.Account{ab}, 0, []store.Line{l[0], l[2], l[6], l[7]}},
		{[]store.Account{abc, abc}, 0, []store.Line{l[1], l[3]}},
		{[]store.Account{wallet("ann"), abc}, 0, []store.Line{l[1], l[3], l[4], l[5]}},
		{[]store.Account{wallet("ann"), ab, house}, 0, l},
		{[]store.Account{ab}, 1, l[6:]},
		{[]store.Account{abc}, 1, nil},
		{[]store.Account{house}, 9, nil},
		{[]store.Account{{}, {Kind: "house", ID: "house"}, {ID: "ann"}, {Kind: "player"}}, 0, nil},
	} {
		requireLines(t, s, store.LineQuery{Touching: c.accounts, After: c.after}, c.want...)
	}
}

func lastLines(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	require.Empty(t, balancesOf(t, s, wallet("ann")))
	p.write(posted(1, 0, "p", "", wallet("ann"), "gold", 1), posted(1, 1, "p", "", wallet("bob"), "gold", 1), posted(1, 2, "p", "", wallet("ann"), "gold", 2),
		posted(1, 3, "p", "", wallet("ann"), "", 1))
	p.write(posted(2, 9, "q", "", wallet("bob"), "gold", 2), posted(2, 10, "q", "", wallet("ann"), "", 2), posted(2, 2, "q", "", store.Account{Kind: "house"}, "gold", 1))
	gold, plain := posted(1, 2, "p", "", wallet("ann"), "gold", 2), posted(2, 10, "q", "", wallet("ann"), "", 2)
	bob, house := posted(2, 9, "q", "", wallet("bob"), "gold", 2), posted(2, 2, "q", "", store.Account{Kind: "house"}, "gold", 1)
	requireSame(t, []store.Line{plain, gold}, balancesOf(t, s, wallet("ann")))
	requireSame(t, []store.Line{house, plain, gold, bob}, balancesOf(t, s, wallet("bob"), wallet("ann"), wallet("nobody"), store.Account{Kind: "house"}, wallet("ann")))
	require.Empty(t, balancesOf(t, s))
	require.Empty(t, balancesOf(t, s, store.Account{}, store.Account{Kind: "player"}, store.Account{Kind: "house", ID: "ann"}))
}

// longLedger has more postings than any page or buffer that a store may read in, several in a commit, and their lines
// among each other.
func longLedger(t *testing.T, s store.Store) {
	const commits, postings = 700, 5
	ctx := context.Background()
	house := store.Account{Kind: "house"}
	var b store.Batch
	var want []store.Line
	var grants []store.Grant
	for i := range uint64(commits) {
		c := commitAt(i + 1)
		for n := range postings {
			posting := fmt.Sprintf("%d %d", i, n)
			want = append(want, posted(i+1, n, posting, "", wallet(fmt.Sprint(n)), "", i+1))
			grants = append(grants, store.Grant{ID: posting, Version: 1, Player: "ann", Match: "m", State: "pending", Position: i + 1, Place: n})
		}
		for n := range postings {
			want = append(want, posted(i+1, postings+n, fmt.Sprintf("%d %d", i, n), "m", house, "", i*postings+uint64(n)+1)) //nolint:gosec // small
		}
		for _, l := range want[len(want)-2*postings:] {
			c.Records = append(c.Records, l)
		}
		for _, g := range grants[len(grants)-postings:] {
			c.Records = append(c.Records, g)
		}
		c.Records = append(c.Records, store.Facts{Player: fmt.Sprint(i), Version: 1})
		b.Commits = append(b.Commits, c)
	}
	require.NoError(t, s.Commit(ctx, b))
	requireEach(t, want, all(t, s.Lines(ctx, store.LineQuery{})))
	requireEach(t, want, all(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{house}})))
	requireEach(t, want[2*postings*3:], all(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{wallet("2"), house}, After: 3})))
	var ofOne, ofMatch []store.Line
	for _, l := range want {
		if l.Place == 2 || l.Place == postings+2 {
			ofOne = append(ofOne, l)
		}
		if l.Match != "" {
			ofMatch = append(ofMatch, l)
		}
	}
	requireEach(t, ofOne, all(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{wallet("2")}})))
	requireEach(t, ofMatch, all(t, s.Lines(ctx, store.LineQuery{Match: "m"})))
	requireEach(t, ofMatch, all(t, s.Lines(ctx, store.LineQuery{Match: "m", Touching: []store.Account{house}})))
	for _, q := range []store.GrantQuery{{}, {Player: "ann"}, {Match: "m"}, {States: []string{"pending"}}, {States: []string{"pending", "granted"}}} {
		requireEach(t, grants, all(t, s.Grants(ctx, q)))
	}
	require.Len(t, all(t, s.Facts(ctx, nil)), commits)
}

func unfit(t *testing.T, s store.Store) {
	ctx := context.Background()
	history(t, s)
	fits := line(wallet("ann"), 3, 0)
	nothing, below, above := fits, fits, fits
	nothing.Amount, below.Place, above.Place = 0, -1, store.MaxPlace+1
	for _, r := range []store.Record{
		nothing, below, above, store.Grant{ID: "new", Version: 1, Player: "ann", Place: -1}, store.Grant{ID: "new", Version: 1, Player: "ann", Place: store.MaxPlace + 1},
		&store.Match{ID: "pointer", Version: 1}, &fits, nil,
	} {
		before := contentsOf(t, s)
		c := commitAt(4, store.Match{ID: "running", Version: 3}, r)
		settle(c)
		err := s.Commit(ctx, store.Batch{Commits: []store.Commit{c}})
		require.Error(t, err, "%+v", r)
		for _, answer := range []error{store.ErrReplayed, store.ErrReused, store.ErrStale} {
			require.NotErrorIs(t, err, answer, "%+v", r)
		}
		requireSame(t, before, contentsOf(t, s), "%+v", r)
	}
	for _, r := range []store.Record{
		fits, store.Grant{ID: "g", Version: 2, Player: "ann", Position: 2, Place: 3}, store.Facts{Player: "ann", Version: 1},
		store.Revision{Match: store.Match{ID: "ended", Revision: 2}},
		store.Room{ID: "r", Version: 2}, store.Room{ID: "new", Version: 1},
	} {
		before := contentsOf(t, s)
		require.Error(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{commitAt(4)}, Soft: []store.Record{r}}), "a soft %T", r)
		requireSame(t, before, contentsOf(t, s), "a soft %T", r)
	}
	goesOn(&pen{t: t, s: s, position: 3})
}

func askedFacts(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	of := func(player string) store.Facts {
		return store.Facts{Player: player, Version: 1, Data: []byte(`{"of":"` + player + `"}`)}
	}
	require.Empty(t, factsOf(t, s, nil))
	p.write(of("bob"), of("ann"), store.Match{ID: "m", Version: 1, Created: 1, Participants: []store.Participant{{Player: "eve"}}})
	p.write(of("cid"))
	requireSame(t, []store.Facts{of("ann"), of("bob"), of("cid")}, factsOf(t, s, nil))
	requireSame(t, []store.Facts{of("ann"), of("cid")}, factsOf(t, s, []string{"cid", "nobody", "ann", "eve", "cid"}))
	require.Empty(t, factsOf(t, s, []string{"eve"}))
	require.Empty(t, factsOf(t, s, []string{}), "none, where nil would be all")
}

func revisions(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	current := store.Match{ID: "m", Version: 1, Created: 1, Revision: 7, State: "ended"}
	was := func(id string, n int) store.Revision {
		return store.Revision{Match: store.Match{ID: id, Version: 2, Created: 1, Revision: n, State: fmt.Sprint(n), Room: "old", Participants: []store.Participant{{Player: "ann", Paid: 3}},
			Moves: []store.Move{{WindowKey: in("x", "yz"), ID: "ann", New: n}}}}
	}
	p.write(was("m", 10), current, was("m", 9), was("n", 1))
	p.write(was("m", 0))
	requireSame(t, []store.Revision{was("m", 0), was("m", 9), was("m", 10)}, revisionsOf(t, s, "m"))
	requireSame(t, []store.Revision{was("n", 1)}, revisionsOf(t, s, "n"))
	require.Empty(t, revisionsOf(t, s, "none"))
	requireMatch(t, s, current)
	for _, q := range []store.MatchQuery{{Player: "ann"}, {Room: "old"}, {States: []string{"9"}}} {
		requireIDs(t, s, q)
	}
	requireIDs(t, s, store.MatchQuery{}, "m")
	require.Empty(t, windowsOf(t, s, store.WindowQuery{}), "a revision alone makes no window")
}
