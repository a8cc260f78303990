package sqlite

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

var house = store.Account{Kind: "house"}

// prizes is a commit in which the house pays the players of a match.
func prizes(position uint64, players ...string) store.Commit {
	id := fmt.Sprint("m", position)
	at := time.Date(2026, 3, 2, 9, 0, 0, int(position)*1e6, time.UTC) //nolint:gosec // small
	c := store.Commit{Key: id, Position: position, At: at, Records: []store.Record{
		store.Match{ID: id, Version: 1, Created: position, Position: position, State: "ended", Participants: []store.Participant{
			{Player: players[0], Held: 5}, {Player: "unpaid", Attributes: []store.Attribute{{Name: "car", Value: "7"}}}, {Player: "paid", Paid: 3},
		}, Revised: position, Grants: len(players)},
		store.Revision{Match: store.Match{ID: id, Version: 1, Moves: []store.Move{{WindowKey: all, ID: "ann", New: 1}}}},
	}}
	for i, player := range players {
		posting, n := id+"/"+player, uint64(i) //nolint:gosec // small
		line := store.Line{Currency: "gold", Kind: "prize", Posting: posting, Position: position, At: at, Match: id, Grant: posting}
		pays, gains := line, line
		pays.Account, pays.Seq, pays.Amount, pays.Balance, pays.Place = house, (position-1)*uint64(len(players))+n+1, -10, -10*int64(n), 2*i                    //nolint:gosec // small
		gains.Account, gains.Seq, gains.Amount, gains.Balance, gains.Place = store.Account{Kind: "player", ID: player}, position, 10, 10*int64(position), 2*i+1 //nolint:gosec // small
		gains.Board, gains.Window = all.Board, all.Window
		c.Records = append(c.Records, pays, gains,
			store.Grant{ID: posting, Version: 1, Player: player, Match: id, WindowKey: all, Rule: "podium", Kind: "currency", What: "gold", Amount: 10,
				New: 10, State: "granted", Position: position, Place: i, At: at, Expires: at.Add(time.Hour)},
			store.Facts{Player: player, Version: position, Data: []byte(`{"level":3}`)})
	}
	return c
}

func paid(t *testing.T) *Store {
	t.Helper()
	s := empty(t)
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{prizes(1, "ann", "bob"), prizes(2, "ann", "bob")}}))
	return s
}

// moneyReads are all the ways to what is beside matches and boards.
func moneyReads(ctx context.Context, s *Store) map[string]error {
	return map[string]error{
		"lines":     failureOf(s.Lines(ctx, store.LineQuery{})),
		"touching":  failureOf(s.Lines(ctx, store.LineQuery{Touching: []store.Account{house}})),
		"balances":  failureOf(s.Balances(ctx, []store.Account{house, {Kind: "player", ID: "ann"}})),
		"grants":    failureOf(s.Grants(ctx, store.GrantQuery{})),
		"facts":     failureOf(s.Facts(ctx, nil)),
		"revisions": failureOf(s.Revisions(ctx, "m1")),
	}
}

// Every question that the engine asks is a look at an index, of a ledger of millions, too.
func TestMoneyAndGrantsAreFoundByIndexes(t *testing.T) {
	s := empty(t)
	some := []store.Account{house}
	lines := func(q store.LineQuery) (string, []any) {
		query, args := listingLines(q)
		return query, append(args, int64(0), rowSlice)
	}
	grants := func(q store.GrantQuery) (string, []any) {
		query, args := listingGrants(q)
		return query, append(args, int64(0), rowSlice)
	}
	check := func(by string, sorts bool, query string, args []any) {
		t.Helper()
		got := plan(t, s, query, args...)
		assert.Contains(t, got, by, query)
		assert.Equal(t, sorts, strings.Contains(got, "TEMP B-TREE"), "sorts: %s", query)
		assert.NotRegexp(t, regexp.MustCompile(`SCAN [^jC]`), strings.ReplaceAll(got, "SCAN json_each", ""), query)
	}
	for by, q := range map[string]store.LineQuery{
		"SEARCH l USING INTEGER PRIMARY KEY (rowid>?)":                      {},
		"SEARCH l USING INDEX lines_of_match (match=? AND rowid>?)":         {Match: "m", Touching: some},
		"SEARCH l USING INDEX lines_of_posting (posting=? AND rowid>?)":     {Posting: "p", Match: "m", Touching: some},
		"SEARCH x EXISTS USING INDEX lines_of_posting (posting=?)":          {Match: "m", Touching: some},
		"SEARCH q USING COVERING INDEX sqlite_autoindex_words_1 (word=?)\n": {Posting: "p"},
	} {
		query, args := lines(q)
		check(by, false, query, args)
	}
	check("SEARCH x USING INDEX lines_of_account (account=? AND rowid>?)", false, touchedQuery, []any{"[]", 0})
	check("SEARCH l USING INDEX lines_of_posting (posting=?)", true, linesOfPostings, []any{"[]"})
	check("SEARCH x USING COVERING INDEX lines_of_account (account=?)", false, balancesQuery, []any{"[]"})
	check("SEARCH m USING INDEX sqlite_autoindex_revisions_1 (match=?)", false, revisionsQuery, []any{"m"})
	check("SEARCH f USING INTEGER PRIMARY KEY (rowid=?)", false, someFacts, []any{"[]"})
	check("SEARCH x USING INDEX lines_of_account (account=?)", false, insertLine, make([]any, 15))
	for _, c := range []struct {
		by    string
		sorts bool
		q     store.GrantQuery
	}{
		{"SEARCH g USING INTEGER PRIMARY KEY (rowid>?)", false, store.GrantQuery{}},
		{"SEARCH g USING INDEX sqlite_autoindex_given_1 (grant=? AND rowid>?)", true, store.GrantQuery{IDs: []string{"g"}, Player: "p", States: []string{"s"}}},
		{"SEARCH g USING INDEX given_by_match (match=? AND rowid>?)", false, store.GrantQuery{Match: "m", Player: "p", Board: "b"}},
		{"SEARCH g USING INDEX given_to_player (player=? AND rowid>?)", false, store.GrantQuery{Player: "p", States: []string{"s", "t"}}},
		{"SEARCH g USING INDEX given_by_window (window=? AND rowid>?)", true, store.GrantQuery{Board: "b", Window: "w", States: []string{"s"}}},
		{"SEARCH g USING INDEX given_by_window (window=? AND rowid>?)", true, store.GrantQuery{Board: "b"}},
		{"SEARCH g USING INDEX given_in_state (state=? AND rowid>?)", false, store.GrantQuery{States: []string{"s"}}},
		{"SEARCH g USING INDEX given_in_state (state=? AND rowid>?)", true, store.GrantQuery{States: []string{"s", "t"}}},
	} {
		query, args := grants(c.q)
		check(c.by, c.sorts, query, args)
	}
}

// A match without money takes no statement that there was not before there was money.
func TestAMatchWithoutMoneyTakesNoStatementMore(t *testing.T) {
	s := filled(t, 20)
	ended := store.Match{ID: "match 1", Version: 2, Created: 1, Position: 21, State: "ended", Participants: []store.Participant{{Player: "player 1"}}}
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{{Key: "end", Position: 21, Records: []store.Record{ended}}}}))
	money := regexp.MustCompile(`\b(words|accounts|lines|given|facts|revisions)\b`)
	for query := range s.writer.stmts {
		assert.NotRegexp(t, money, query)
	}
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{{Key: "fact", Position: 22, Records: []store.Record{
		store.Facts{Player: "ann", Version: 1}}}}}))
	require.True(t, func() bool {
		for query := range s.writer.stmts {
			if money.MatchString(query) {
				return true
			}
		}
		return false
	}(), "the expression finds what it is for")
}

func TestTheMoneyViews(t *testing.T) {
	s := paid(t)
	require.Equal(t, []string{
		"1 0 2026-03-02T09:00:00.001Z m1/ann house gold -10 0 prize m1 <nil> <nil> m1/ann",
		"1 1 2026-03-02T09:00:00.001Z m1/ann player:ann gold 10 10 prize m1 b all m1/ann",
	}, asked(t, s, "SELECT * FROM ledger WHERE posting = 'm1/ann' ORDER BY position, place"))
	require.Equal(t, []string{"house gold -10", "player:ann gold 20", "player:bob gold 20"}, asked(t, s, "SELECT account, currency, balance FROM balances ORDER BY account"))
	require.Equal(t, []string{
		"m2/bob 1 bob m2 b all  0 podium currency gold 10 0 10 granted 2 1 2026-03-02T09:00:00.002Z 2026-03-02T10:00:00.002Z <nil> 0 0 <nil>",
	}, asked(t, s, "SELECT * FROM grants WHERE match = 'm2' AND player = 'bob'"))
	require.Equal(t, []string{"ann 2 3", "bob 2 3"}, asked(t, s, "SELECT player, version, json_extract(data, '$.level') FROM player_facts ORDER BY player"))
	require.Equal(t, []string{"ann <nil> 5 <nil>", `unpaid {"car":"7"} <nil> <nil>`, "paid <nil> <nil> 3"},
		asked(t, s, "SELECT player, attributes, held, paid FROM standings WHERE match = 'm1'"))
	for _, query := range []string{"SELECT * FROM ledger WHERE match = 'm1'", "SELECT * FROM ledger WHERE posting = 'm1'", "SELECT * FROM grants WHERE player = 'ann'"} {
		assert.NotContains(t, plan(t, s, query), "SCAN", query)
	}
}

// What a line or a grant names and is not there is no reason to leave it out of the books.
func TestADamagedLedgerIsAnError(t *testing.T) {
	ctx := context.Background()
	for change, reads := range map[string][]string{
		"DELETE FROM words WHERE word = 'prize'":            {"lines", "touching", "balances"},
		"DELETE FROM words WHERE word = 'm1/ann'":           {"lines", "touching", "grants"},
		"DELETE FROM words WHERE word = 'm1'":               {"lines", "touching", "grants"},
		"DELETE FROM accounts WHERE kind = 'house'":         {"lines"},
		"DELETE FROM windows":                               {"lines", "touching", "balances", "grants", "revisions"},
		"DELETE FROM names WHERE name = 'bob'":              {"grants", "facts"},
		"UPDATE given SET window = window + 7":              {"grants"},
		`UPDATE lines SET "grant" = 12345 WHERE id & 1 = 1`: {"lines", "touching", "balances"},
		"UPDATE revisions SET moves = '[[1]]'":              {"revisions"},
		"UPDATE words SET word = '' WHERE word = 'm1'":      {"lines", "touching", "grants"},
	} {
		s := paid(t)
		for what, err := range moneyReads(ctx, s) {
			require.NoError(t, err, what)
		}
		_, err := s.writer.conn.ExecContext(ctx, change)
		require.NoError(t, err)
		s.reads.numbers = newNumbers() // as after opening again
		failures := moneyReads(ctx, s)
		for _, what := range reads {
			require.ErrorIs(t, failures[what], errDamaged, "%s: %s", change, what)
		}
	}
}

func TestNoMoneyIsReadForWhoeverHasLeft(t *testing.T) {
	s := paid(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for what, err := range moneyReads(ctx, s) {
		require.ErrorIs(t, err, context.Canceled, what)
	}
}

// The file itself refuses what is no line.
func TestTheTablesRefuseWhatIsNoLine(t *testing.T) {
	s := paid(t)
	for _, change := range []string{"UPDATE lines SET amount = 0", "UPDATE lines SET seq = 0", "UPDATE lines SET balance = 'x'"} {
		_, err := s.writer.conn.ExecContext(context.Background(), change)
		require.Error(t, err, change)
	}
}

// After a refusal the numbers that were given to words and accounts are forgotten with the rest.
func TestARefusedBatchLeavesNoNumbersBehind(t *testing.T) {
	ctx := context.Background()
	s := paid(t)
	c := prizes(3, "new", "newer")
	stale := store.Facts{Player: "ann", Version: 9}
	bad := c
	bad.Records = append(append([]store.Record{}, c.Records[:len(c.Records)-1]...), stale)
	for i, r := range bad.Records {
		if l, is := r.(store.Line); is && l.Kind == "prize" && l.Account != house {
			l.Seq = 1
			bad.Records[i] = l
		}
		if f, is := r.(store.Facts); is && f.Player == "new" {
			f.Version = 1
			bad.Records[i] = f
		}
	}
	good := bad
	good.Records = append(append([]store.Record{}, bad.Records[:len(bad.Records)-1]...), store.Facts{Player: "newer", Version: 1})
	var answer *store.CommitError
	err := s.Commit(ctx, store.Batch{Commits: []store.Commit{bad}})
	require.ErrorAs(t, err, &answer)
	require.True(t, errors.Is(err, store.ErrStale))
	require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: "others", Position: 3, Records: []store.Record{
		store.Line{Account: store.Account{Kind: "other"}, Seq: 1, Amount: 1, Kind: "other", Posting: "other", Position: 3},
	}}}}))
	good.Position, good.Key = 4, "m4"
	for i, r := range good.Records {
		switch r := r.(type) {
		case store.Line:
			r.Position = 4
			good.Records[i] = r
		case store.Grant:
			r.Position = 4
			good.Records[i] = r
		}
	}
	require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{good}}))
	for what, err := range moneyReads(ctx, s) {
		require.NoError(t, err, what)
	}
	for l, err := range s.Lines(ctx, store.LineQuery{Match: "m3", Posting: "m3/new"}) {
		require.NoError(t, err)
		require.Equal(t, "prize", l.Kind)
		require.Equal(t, "m3/new", l.Grant)
	}
}
