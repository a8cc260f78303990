package sqlite

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// met is a commit of everything that there is of players over time.
func met(position uint64, players ...string) store.Commit {
	id := fmt.Sprint("m", position)
	at := time.Date(2026, 3, 2, 9, 0, 0, int(position)*1e6, time.UTC) //nolint:gosec // small
	told := []store.Attribute{{Name: "os", Value: "linux \"6\""}}
	m := store.Match{ID: id, Version: 1, Created: position, Position: position, Room: "hall", State: "ended", EndedAt: at}
	room := store.Room{ID: "r" + id, Version: 1, Created: position, Mode: "duel", State: "playing", Min: 2, Max: 4, Wait: time.Second, OpenedAt: at, Match: id,
		Matches: 1, Attributes: told}
	c := store.Commit{Key: id, Position: position, At: at, ID: id}
	for i, player := range players {
		m.Participants = append(m.Participants, store.Participant{Player: player, Attributes: told, Gone: "left", Counted: 3, Streak: -2, Best: store.Number{Units: 125, Scale: 2, Known: true}})
		room.Members = append(room.Members, store.Member{Player: player, Team: "red", JoinedAt: at, Held: 5, Attributes: told})
		r := store.Session{ID: "s" + id + player, Version: 1, Created: position, Player: player, Device: "phone", StartedAt: at, SeenAt: at.Add(time.Minute), Attributes: told, Data: told}
		if i == 0 {
			r.EndedAt, r.Reason = at.Add(time.Hour), "idle"
		}
		c.Records = append(c.Records, r)
	}
	m.Moves = []store.Move{{WindowKey: all, ID: players[0], Old: 2, New: 1, Size: 9, Passed: players[1:]}}
	c.Records = append(c.Records, m, store.Revision{Match: m}, room, store.Room{ID: "e" + id, Version: 1, State: "open"})
	return c
}

func playing(t *testing.T) *Store {
	t.Helper()
	s := empty(t)
	require.NoError(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{met(1, "ann", "bob"), met(2, "ann", "bob")}}))
	return s
}

// playerReads are all the ways to what is of players over time.
func playerReads(ctx context.Context, s *Store) map[string]error {
	return map[string]error{
		"matches":   failureOf(s.Matches(ctx, store.MatchQuery{})),
		"newest":    failureOf(s.Matches(ctx, store.MatchQuery{Player: "ann", Newest: true})),
		"revisions": failureOf(s.Revisions(ctx, "m1")),
		"sessions":  failureOf(s.Sessions(ctx, store.SessionQuery{})),
		"open":      failureOf(s.Sessions(ctx, store.SessionQuery{Open: true, Newest: true})),
		"rooms":     failureOf(s.Rooms(ctx, store.RoomQuery{})),
	}
}

// Every question that the engine asks is a look at an index, in a history of millions, too.
func TestHistorySessionsAndRoomsAreFoundByIndexes(t *testing.T) {
	s := empty(t)
	check := func(sorts bool, query string, args []any, by ...string) {
		t.Helper()
		got := plan(t, s, query, args...)
		for _, by := range by {
			assert.Contains(t, got, by, query)
		}
		assert.Equal(t, sorts, strings.Contains(got, "TEMP B-TREE"), "sorts: %s\n%s", query, got)
		assert.NotRegexp(t, regexp.MustCompile(`SCAN [^j]`), got, query) // what it does scan is the JSON it was given
	}
	const ofPlayer = "SEARCH x USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
	from := time.UnixMilli(1)
	for _, c := range []struct {
		q  store.MatchQuery
		by []string
	}{
		{store.MatchQuery{Player: "p", Room: "r", Mode: "m", States: []string{"ended"}, From: from, To: from},
			[]string{"SEARCH n USING COVERING INDEX sqlite_autoindex_names_1 (name=?)", ofPlayer, "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)"}},
		{store.MatchQuery{Player: "p", Opponent: "q"}, []string{ofPlayer, "SEARCH y USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH o USING COVERING INDEX sqlite_autoindex_names_1 (name=?)"}},
		{store.MatchQuery{Team: "t"}, []string{ofPlayer}},
		{store.MatchQuery{Room: "r", Mode: "m"}, []string{"SEARCH m USING INDEX matches_of_room (room=?)"}},
	} {
		query, args := listingNewest(c.q)
		check(true, query, append(args, int64(0), int64(0), int64(0), rowSlice), c.by...)
		query, args = listing(c.q)
		if c.q.Player != "" {
			check(false, query, append(args, int64(0), matchSlice), c.by...)
		}
	}
	check(false, matchesIn, []any{"[]"}, "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)")
	for by, qs := range map[string][]store.SessionQuery{
		"SEARCH s USING INDEX sqlite_autoindex_sessions_1 (session=? AND rowid": {{ID: "s", Player: "p", Open: true, From: from}},
		"SEARCH s USING INDEX sessions_of_player (player=? AND rowid":           {{Player: "p"}, {Player: "p", Newest: true, To: from}},
		"SEARCH s USING INDEX sessions_open_of_player (player=? AND rowid":      {{Player: "p", Open: true}, {Player: "p", Open: true, Newest: true}},
		"SEARCH s USING INDEX sessions_open (id":                                {{Open: true}},
		"SEARCH s USING INTEGER PRIMARY KEY (rowid":                             {{}, {Newest: true}, {From: from}},
	} {
		for _, q := range qs {
			query, args := listingSessions(q)
			check(false, query, append(args, int64(0), rowSlice), by)
		}
	}
	for by, q := range map[string]store.RoomQuery{
		"SEARCH r USING INDEX sqlite_autoindex_rooms_1 (room=?":     {ID: "r", Match: "m", States: []string{"s", "t"}},
		"SEARCH r USING INDEX rooms_of_match (match=? AND rowid>?)": {Match: "m", States: []string{"s"}},
		"SEARCH r USING INDEX rooms_in_state (state=? AND rowid>?)": {States: []string{"s"}},
		"SEARCH r USING INTEGER PRIMARY KEY (rowid>?)":              {},
	} {
		query, args := listingRooms(q)
		check(false, query, append(args, int64(0), rowSlice), by)
	}
	query, args := listingRooms(store.RoomQuery{States: []string{"s", "t"}})
	check(true, query, append(args, int64(0), rowSlice), "SEARCH r USING INDEX rooms_in_state (state=? AND rowid>?)")
	for _, p := range [][]wordPlace{ofPostings, ofGrants, ofMatches} {
		for _, p := range p {
			check(false, "SELECT 1 FROM "+p.table+" WHERE "+p.column+" = ? LIMIT 1", []any{1}, "SEARCH")
			check(false, "UPDATE "+p.table+" SET "+p.column+" = ? WHERE "+p.column+" = ?", []any{1, 2}, "SEARCH")
		}
	}
}

func TestThePlayerViews(t *testing.T) {
	s := playing(t)
	require.Equal(t, []string{
		`ann sm1ann phone 2026-03-02T09:00:00.001Z 2026-03-02T09:01:00.001Z 2026-03-02T10:00:00.001Z 3600000 idle {"os":"linux \"6\""} {"os":"linux \"6\""}`,
		`bob sm1bob phone 2026-03-02T09:00:00.001Z 2026-03-02T09:01:00.001Z <nil> 60000 <nil> {"os":"linux \"6\""} {"os":"linux \"6\""}`,
	}, asked(t, s, "SELECT * FROM player_sessions WHERE session LIKE 'sm1%' ORDER BY session"))
	require.Equal(t, []string{
		`rm1 duel playing m1 1 ann red 0 2026-03-02T09:00:00.001Z 5 {"os":"linux \"6\""}`, `rm1 duel playing m1 2 bob red 0 2026-03-02T09:00:00.001Z 5 {"os":"linux \"6\""}`,
	}, asked(t, s, "SELECT * FROM room_members WHERE room = 'rm1' ORDER BY place"))
	require.Equal(t, []string{
		"em1  open <nil> 0 <nil> <nil> <nil> 0 <nil> <nil>", `rm1 duel playing m1 1 2026-03-02T09:00:00.001Z <nil> <nil> 2 <nil> {"os":"linux \"6\""}`,
	}, asked(t, s, "SELECT * FROM room_list WHERE room IN ('rm1', 'em1') ORDER BY room"))
	require.Equal(t, []string{`ann {"os":"linux \"6\""} <nil> <nil> left 3 -2 1.25`},
		asked(t, s, "SELECT player, attributes, held, paid, gone, counted, streak, best FROM standings WHERE match = 'm1' AND player = 'ann'"))
	assert.NotContains(t, plan(t, s, "SELECT * FROM room_members WHERE room = 'rm1'"), "SCAN r\n")
}

// What is not as the store writes it is an error, in whatever way it is read.
func TestDamagedPlayersAreAnError(t *testing.T) {
	ctx := context.Background()
	matches, sessions := []string{"matches", "newest"}, []string{"sessions", "open"}
	tail := func(text string) string { // in the place of how a participant stood
		return `UPDATE matches SET participants = replace(participants, '"left",3,-2,125,2', '` + text + `')`
	}
	for change, reads := range map[string][]string{
		tail(`"",0,0,null,null`):                                    matches, // there is nothing to tell
		tail(`"left",3,-2,125`):                                     matches,
		tail(`"left",3,-2,null,2`):                                  matches,
		tail(`"left",3,-2,125,256`):                                 matches,
		tail(`"left",3,-2,125,2,0`):                                 matches,
		tail(`5,3,-2,125,2`):                                        matches,
		tail(`"left","3",-2,125,2`):                                 matches,
		"UPDATE moves SET moves = '[[1,1,2,1,0]]'":                  matches,
		"UPDATE moves SET moves = '[[1,1,2,1,9,[]]]'":               matches,
		"UPDATE moves SET moves = '[[1,1,2,1,9,[1],2]]'":            matches,
		"UPDATE moves SET moves = '[[1,1,2,1,9,[77]]]'":             matches,
		"UPDATE moves SET moves = '[[1,1,2,1,9,1]]'":                matches,
		"UPDATE revisions SET moves = '[[1,1,2,1,0]]'":              {"revisions"},
		"UPDATE sessions SET attributes = '{}'":                     sessions,
		"UPDATE sessions SET attributes = ''":                       sessions,
		`UPDATE sessions SET data = '{"a":1}'`:                      sessions,
		`UPDATE sessions SET data = '{"a":"b"} '`:                   sessions,
		"UPDATE sessions SET player = 77":                           sessions,
		"UPDATE rooms SET members = '[]'":                           {"rooms"},
		"UPDATE rooms SET members = ''":                             {"rooms"},
		"UPDATE rooms SET members = '[[1,0,0,null,5,{}]]'":          {"rooms"},
		`UPDATE rooms SET members = '[[1,0,0,null,5,{"a":"b"},1]]'`: {"rooms"},
		"UPDATE rooms SET members = '[[1,0,2,null,5]]'":             {"rooms"},
		"UPDATE rooms SET members = '[[1,0,0,null]]'":               {"rooms"},
		"UPDATE rooms SET members = '[[1,0,0,-62135596800000,5]]'":  {"rooms"}, // the time that is none
		"UPDATE rooms SET members = '[[77,0,0,null,5]]'":            {"rooms"},
		"UPDATE rooms SET attributes = '{'":                         {"rooms"},
		"UPDATE rooms SET wait = 9223372036855":                     {"rooms"},
		"DELETE FROM names WHERE name = 'ann'":                      {"matches", "revisions", "sessions", "rooms"},
		"DELETE FROM names WHERE name = 'red'":                      {"rooms"},
	} {
		s := playing(t)
		for what, err := range playerReads(ctx, s) {
			require.NoError(t, err, what)
		}
		_, err := s.writer.conn.ExecContext(ctx, change)
		require.NoError(t, err)
		s.reads.numbers, s.recent = newNumbers(), newRecent() // as after opening again
		failures := playerReads(ctx, s)
		for _, what := range reads {
			require.ErrorIs(t, failures[what], errDamaged, "%s: %s", change, what)
		}
	}
}

func TestNoPlayersAreReadForWhoeverHasLeft(t *testing.T) {
	s := playing(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for what, err := range playerReads(ctx, s) {
		require.ErrorIs(t, err, context.Canceled, what)
	}
}

// texts are all the texts in a file, with the table and the column of each.
func texts(t *testing.T, s *Store) (found []string) {
	t.Helper()
	for _, table := range asked(t, s, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		for _, column := range asked(t, s, "SELECT name FROM pragma_table_info(?) WHERE type IN ('TEXT', 'BLOB')", table) {
			for _, text := range asked(t, s, fmt.Sprintf("SELECT CAST(%q AS TEXT) FROM %q WHERE %q IS NOT NULL", column, table, column)) {
				found = append(found, table+"."+column+": "+text)
			}
		}
	}
	return found
}

// Of who was forgotten nothing is left in any table, and the store goes on as if they had always been called so.
func TestNoTableHasTheNameOfWhoWasForgotten(t *testing.T) {
	ctx := context.Background()
	for _, reopened := range []bool{false, true} {
		s := empty(t)
		const name = `tr\eu"name`
		c := met(1, name, "bob")
		c.Key, c.ID, c.Body = "credit/"+name, name, []byte(`{"player":"tr\\eu\"name"}`)
		for _, r := range met(1, "bob", name).Records { // theirs among others
			if room, is := r.(store.Room); is && room.Match != "" {
				room.ID, room.Members[0].Team = "other room", name
				room.Members[1].Attributes = []store.Attribute{{Name: "mail", Value: name}}
				c.Records = append(c.Records, room)
			}
		}
		for i, r := range c.Records {
			switch r := r.(type) {
			case store.Session:
				r.ID, r.Device = fmt.Sprint("session ", i), r.Player
				c.Records[i] = r
			case store.Match:
				r.Participants[0].Attributes = []store.Attribute{{Name: "mail", Value: name}}
				r.Teams, r.Participants[1].Team = []store.TeamOutcome{{Team: name}}, name
				r.Participants[1].Boards = []store.BoardValues{{WindowKey: all, ID: name}}
				c.Records[i] = r
			case store.Revision:
				r.Participants = []store.Participant{{Player: name, Paid: 5, Attributes: []store.Attribute{{Name: "mail", Value: name}}}}
				c.Records[i] = r
			}
		}
		grant := "match/m1/gem/" + name
		c.Records = append(c.Records, store.Entry{WindowKey: all, ID: name, Version: 1}, store.Facts{Player: name, Version: 1},
			store.Grant{ID: grant, Version: 1, Player: name, Match: "m1", Position: 1},
			store.Line{Account: store.Account{Kind: "player", ID: name}, Seq: 1, Amount: 1, Kind: "credit", Posting: c.Key, Grant: grant, Match: "m1", Position: 1},
			store.Line{Account: house, Seq: 1, Amount: -1, Kind: "credit", Posting: c.Key, Position: 1, Place: 1})
		require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
		mentioned := func() (found []string) {
			for _, text := range texts(t, s) {
				if strings.Contains(strings.ReplaceAll(text, `\`, ""), `treu"name`) {
					found = append(found, text)
				}
			}
			return found
		}
		for _, where := range []string{"names.name", "sessions.device", "matches.participants", "revisions.participants", "rooms.members", "words.word", "accounts.owner",
			"events.key", "events.subject", "events.body"} {
			require.Contains(t, strings.Join(mentioned(), "\n"), where, "the search finds what it is for")
		}
		if reopened {
			s.reads.numbers, s.recent = newNumbers(), newRecent()
		}
		f := store.Forget{Player: name, As: "x", Accounts: []string{"player"}, Grants: []store.Rename{{From: grant, To: "match/m1/gem/x"}},
			Events: []store.Event{{Position: 1, Key: "credit/x", ID: "x"}}}
		require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: "forget", Position: 2, Records: []store.Record{f}}}}))
		require.Empty(t, mentioned())
		require.NoError(t, s.Check(ctx))
		require.Equal(t, []string{"words of nothing: 0"}, asked(t, s, `SELECT 'words of nothing: ' || count(*) FROM words AS w WHERE w.word <> ''
			AND NOT EXISTS (SELECT 1 FROM lines WHERE w.id IN (kind, posting, match, "grant"))
			AND NOT EXISTS (SELECT 1 FROM given WHERE w.id IN ("grant", match, rule, kind, what, state))`))
		require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: "next", Position: 3, Records: []store.Record{
			store.Facts{Player: "x", Version: 2}, store.Entry{WindowKey: all, ID: "x", Version: 2},
			store.Line{Account: store.Account{Kind: "player", ID: "x"}, Seq: 2, Amount: 1, Kind: "credit", Posting: "next", Position: 3},
		}}}}))
		require.Empty(t, mentioned())
		m, err := s.Match(ctx, "m1")
		require.NoError(t, err)
		require.Equal(t, "x", m.Participants[0].Player)
		require.Empty(t, m.Participants[0].Attributes)
		require.Equal(t, "left", m.Participants[0].Gone)
		require.NotEmpty(t, m.Participants[1].Attributes)
	}
}

// A name that somebody has already is refused before two become one, and the store goes on.
func TestNobodyIsForgottenAsSomebodyElse(t *testing.T) {
	ctx := context.Background()
	s := playing(t)
	commit := func(key string, r ...store.Record) error {
		return s.Commit(ctx, store.Batch{Commits: []store.Commit{{Key: key, Position: 3, Records: r}}})
	}
	require.ErrorIs(t, commit("names", store.Forget{Player: "ann", As: "bob"}), store.ErrStale)
	require.ErrorIs(t, commit("keys", store.Forget{Player: "ann", As: "x", Events: []store.Event{{Position: 1, Key: "m2"}}}), store.ErrStale)
	line := func(owner string) store.Line {
		return store.Line{Account: store.Account{Kind: "player", ID: owner}, Seq: 1, Amount: 1, Posting: owner, Position: 3}
	}
	second := line("y")
	second.Place = 1
	require.ErrorIs(t, commit("accounts", line("z"), second, store.Forget{Player: "z", As: "y", Accounts: []string{"player"}}), store.ErrStale)
	require.Equal(t, []string{"ann", "bob", "red"}, asked(t, s, "SELECT name FROM names ORDER BY name"))
	require.NoError(t, commit("names", store.Forget{Player: "ann", As: "x"}))
	require.Equal(t, []string{"bob", "red", "x"}, asked(t, s, "SELECT name FROM names ORDER BY name"))
}

// What of a list is taken out is what was meant, whatever its texts look like.
func TestAttributesAreTakenOutOfListsToTheByte(t *testing.T) {
	const rest = `,0,0,null,null,"a]\"[\\",0,0,0,"",{"],":[1,2]},[[1,0,[[1],[]]]]`
	for from, to := range map[string]string{
		`[]`:                              `[]`,
		`[[7` + rest + `]]`:               `[[7` + rest + `]]`,
		`[[7` + rest + `,{"a,":"}]"}]]`:   `[[7` + rest + `]]`,
		`[[77` + rest + `,{"a":"b"}]]`:    `[[77` + rest + `,{"a":"b"}]]`,
		`[[7` + rest + `,{"a":"b"},1,2]]`: `[[7` + rest + `,{},1,2]]`,
		`[[7` + rest + `,{"a":"b","kept":"c\"","z":"y"}]]`:                                                 `[[7` + rest + `,{"kept":"c\""}]]`,
		`[[7` + rest + `,{"kept":"c","z":"y"},1,2]]`:                                                       `[[7` + rest + `,{"kept":"c"},1,2]]`,
		`[[7` + rest + `,{},1,2,"x",3,4,null,null],[8` + rest + `,{"a":"\\"}],[7` + rest + `,{"\"":"["}]]`: `[[7` + rest + `,{},1,2,"x",3,4,null,null],[8` + rest + `,{"a":"\\"}],[7` + rest + `]]`,
	} {
		got, err := withoutAttributes(from, 7, attributesOfParticipant, []string{"kept"})
		require.NoError(t, err, from)
		require.Equal(t, to, got)
	}
	for _, bad := range []string{``, `[`, `{}`, `[1]`, `[[7]]`, `[[7,0,0,null,5]`, `[[7,0,0,null,5]] `, `[[7,0,0,null,"]]`, `[[7,0,0,null,5}]`, `"[]"`} {
		_, err := withoutAttributes(bad, 7, attributesOfMember, nil)
		require.ErrorIs(t, err, errDamaged, bad)
	}
}
