package main

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// Who may do what is written down here once more, without a look at how it is decided: random callers make random calls about
// their own things and those of others. What the matrix denies is refused in the same way whether it is there or not, and changes
// nothing; what it allows is not refused for who asks, and takes nothing from others.

// accessRules have a mode of each kind that matters: free, and with a fee.
const accessRules = `{"currencies":[{"id":"coins"}],
 "modes":[{"id":"duel","boards":["ladder"],"prizes":[{"id":"purse","from":1,"to":1,"currency":"coins","amount":7,"claim":true}]},
  {"id":"paid","fee":{"currency":"coins","amount":2}}],
 "boards":[{"id":"ladder","keys":[{"metric":"wins"}]}]}`

// standing is how a caller stands to what a call is about.
type standing int

const (
	unknownCaller standing = iota // nobody knows them
	game                          // the key that is shipped with the game, and nothing else
	stranger                      // a player whom the call is not about, and who is not in the match
	own                           // the player whom the call is about, or who is in the match
	authority                     // a server's key
	standings
)

// verdict is what the matrix says.
type verdict int

const (
	allowed verdict = iota
	unauthorized
	forbidden
	hidden // there is no such thing, as far as they can see
)

var statuses = map[verdict]int{unauthorized: http.StatusUnauthorized, forbidden: http.StatusForbidden, hidden: http.StatusNotFound}

// row is the verdicts on a kind of call, for every standing.
type row [standings]verdict

var (
	everybodys  = row{unauthorized, forbidden, allowed, allowed, allowed}
	ownOnly     = row{unauthorized, forbidden, hidden, allowed, allowed}
	serversCall = row{unauthorized, forbidden, forbidden, forbidden, allowed}
	// Specter's routes of a game: a player's token is asked for beside whichever key.
	openSession = row{unauthorized, unauthorized, forbidden, allowed, unauthorized}
	endSession  = row{unauthorized, unauthorized, hidden, forbidden, unauthorized}
	ownHistory  = row{unauthorized, unauthorized, allowed, allowed, unauthorized}
	// Its routes of a server, which no token opens.
	serverEnd = row{unauthorized, forbidden, forbidden, forbidden, allowed}
	gamezops  = row{unauthorized, unauthorized, unauthorized, unauthorized, allowed}
)

// topic is what a call is about.
type topic struct{ player, match string }

// asked is a kind of call.
type asked struct {
	row    row
	method string // default: a verb of /api/call
	path   string
	body   func(topic) string
	match  bool // whoever is in the match owns it; else the player does
	both   bool // the player has to be in the match too
	all    bool // it is about nobody: every player is a stranger
}

func verb(form string) func(topic) string {
	return func(a topic) string { return strings.NewReplacer("PLAYER", a.player, "MATCH", a.match).Replace(form) }
}

// matrix has every call that is made, by name.
func matrix() map[string]asked {
	calls := map[string]asked{
		"specter create":  {row: openSession, path: "/specter/v2/client/matches/create-session", body: verb(`{"matchId":"duel","userInfo":[{"id":"PLAYER"}]}`)},
		"specter end":     {row: endSession, match: true, path: "/specter/v2/client/matches/end-session", body: verb(`{"matchSessionId":"MATCH","userInfo":[{"id":"PLAYER","outcome":9}]}`)},
		"specter history": {row: ownHistory, all: true, path: "/specter/v2/client/player/me/get-match-history", body: verb(`{}`)},
		"specter server end": {row: serverEnd, all: true, path: "/specter/v2/client/matchmaking/end-match-session",
			body: verb(`{"matchSessionId":"MATCH","userInfo":[{"id":"ann","outcome":1},{"id":"bob","outcome":2}]}`)},
		"gamezop create":  {row: gamezops, all: true, path: "/gamezop/games/create-match", body: verb(`{"room_id":"r-PLAYER","status":"MATCH_FOUND","players":["ann","bob"]}`)},
		"gamezop winners": {row: gamezops, all: true, path: "/gamezop/games/receive-winners", body: verb(`{"match_id":"MATCH","scores":[{"rank":1,"sub":"PLAYER","score":5}]}`)},
		"gamezop result":  {row: gamezops, all: true, method: http.MethodGet, path: "/gamezop/v1/match-result?match_id=MATCH", body: verb("")},
	}
	for _, form := range []string{
		`{"board":{"id":"ladder"}}`, `{"windows":{"board":"ladder"}}`, `{"rank":{"board":"ladder","player":"PLAYER"}}`, `{"ranks":{"board":"ladder","players":["PLAYER"]}}`,
		`{"rooms":{}}`,
	} {
		calls[form] = asked{row: everybodys, body: verb(form)}
	}
	for _, form := range []string{
		`{"wallet":"PLAYER"}`, `{"ledger":{"player":"PLAYER"}}`, `{"player":"PLAYER"}`, `{"history":{"player":"PLAYER"}}`, `{"progress":"PLAYER"}`,
		`{"grants":{"player":"PLAYER"}}`, `{"claim":{"player":"PLAYER","grant":"purse"}}`, `{"matches":{"player":"PLAYER"}}`, `{"sessions":{"player":"PLAYER"}}`,
		`{"session_start":{"player":"PLAYER"}}`, `{"session_end":{"player":"PLAYER"}}`, `{"heartbeat":{"player":"PLAYER"}}`,
		`{"join":{"room":"hall","player":"PLAYER"}}`, `{"leave":{"room":"hall","player":"PLAYER"}}`,
	} {
		calls[form] = asked{row: ownOnly, body: verb(form)}
	}
	for _, form := range []string{`{"match":"MATCH"}`, `{"revisions":"MATCH"}`} {
		calls[form] = asked{row: ownOnly, match: true, body: verb(form)}
	}
	form := `{"explain":{"match":"MATCH","player":"PLAYER"}}`
	calls[form] = asked{row: ownOnly, match: true, both: true, body: verb(form)}
	for _, form := range []string{
		`{"create":{"mode":"duel","players":["PLAYER"]}}`, `{"start":"MATCH"}`, `{"end":{"match":"MATCH","outcomes":[{"player":"PLAYER","outcome":5}]}}`,
		`{"report":{"match":"MATCH","outcomes":[{"player":"PLAYER","outcome":5}]}}`, `{"cancel":{"match":"MATCH"}}`, `{"void":{"match":"MATCH"}}`,
		`{"amend":{"match":"MATCH","outcomes":[{"player":"PLAYER","outcome":5}]}}`, `{"rematch":{"match":"MATCH"}}`,
		`{"credit":{"player":"PLAYER","currency":"coins","amount":3}}`, `{"debit":{"player":"PLAYER","currency":"coins","amount":1}}`,
		`{"transfer":{"from":"PLAYER","to":"eve","currency":"coins","amount":1}}`, `{"hide":{"board":"ladder","player":"PLAYER"}}`,
		`{"restore":{"board":"ladder","player":"PLAYER"}}`, `{"open_room":{"id":"hall","mode":"duel"}}`, `{"events":{}}`, `{"export":"PLAYER"}`, `{"orphans":true}`,
		`{"dismiss":{"room":"hall"}}`, `{"matches":{}}`, `{"grants":{}}`, `{"forget":{"player":"PLAYER"}}`, `{"head_to_head":["dan","zed"]}`,
	} {
		calls[form] = asked{row: serversCall, all: true, body: verb(form)}
	}
	delete(calls, `{"forget":{"player":"PLAYER"}}`) // who is forgotten is somebody else from then on: it is tried by its own test
	return calls
}

// arena is a server, and what its callers can call about.
type arena struct {
	handler http.Handler
	store   *memory.Store
	engine  *finalbell.Engine
	random  *rand.Rand
	matches []finalbell.Match
	had     *things // as the last call left them; nil: not looked at since they changed
}

// people play; those before dan have tokens.
var people = []string{"ann", "bob", "eve", "dan"}

func tokenOf(player string) string { return player + "-token-4f" }

const gamezopBearer = "gamezop-bearer-61"

func newArena(t *testing.T, random *rand.Rand) *arena {
	rules, err := finalbell.ParseRules([]byte(accessRules))
	require.NoError(t, err)
	p := &arena{store: memory.New(), random: random}
	config := fmt.Sprintf(`{"api_keys":[{"name":"prod","sha256":%q},{"name":"game","sha256":%q,"client":true},{"name":"old","sha256":%q,"expires":"2026-01-01T00:00:00Z"}],
	 "players":[{"id":"ann","token_sha256":%q},{"id":"bob","token_sha256":%q},{"id":"eve","token_sha256":%q},{"id":"ann","token_sha256":%q,"expires":"2026-01-01T00:00:00Z"}],
	 "gamezop":{"property_id":"1","bearer_sha256":%q,"mode":"duel"},"limits":{"player_per_second":1000000,"player_burst":1000000,"key_per_second":1000000,"key_burst":1000000}}`,
		digestText(serverKey), digestText(gameKey), digestText("old-key"), digestText(tokenOf("ann")), digestText(tokenOf("bob")), digestText(tokenOf("eve")),
		digestText("old-token"), digestText(gamezopBearer))
	set, err := parseSettings(config)
	require.NoError(t, err)
	s := newServer(defaultLimits(), slog.New(slog.NewJSONHandler(io.Discard, nil)))
	d, err := newDialects(set, nil, s.log)
	require.NoError(t, err)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p.engine, err = finalbell.New(t.Context(), p.store, rules, finalbell.Options{Hooks: d.hooks(), Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.engine.Close() })
	all, err := d.mounts(t.Context(), p.engine)
	require.NoError(t, err)
	s.open(p.engine, all)
	p.handler = http.HandlerFunc(s.logged)
	for _, player := range people {
		_, err := p.engine.Credit(t.Context(), finalbell.Money{Player: player, Currency: "coins", Amount: 1000, Key: "gift of " + player})
		require.NoError(t, err)
	}
	_, err = p.engine.OpenRoom(t.Context(), finalbell.NewRoom{ID: "hall", Mode: "duel"})
	require.NoError(t, err)
	p.play(t)
	return p
}

// play starts a match of two, and now and then ends it.
func (p *arena) play(t *testing.T) {
	p.had = nil
	two := p.random.Perm(len(people))[:2]
	m, err := p.engine.Create(t.Context(), finalbell.NewMatch{Mode: "duel", Players: finalbell.Players(people[two[0]], people[two[1]])})
	require.NoError(t, err)
	_, err = p.engine.Start(t.Context(), m.ID)
	require.NoError(t, err)
	if p.random.IntN(3) == 0 {
		_, err = p.engine.End(t.Context(), m.ID, finalbell.Score(people[two[0]], 3), finalbell.Score(people[two[1]], 1))
		require.NoError(t, err)
	}
	if p.matches = append(p.matches, m); len(p.matches) > 20 {
		p.matches = p.matches[1:]
	}
}

// in reports whether a player is in a match.
func (p *arena) in(id, player string) bool {
	i := slices.IndexFunc(p.matches, func(m finalbell.Match) bool { return m.ID == id })
	return slices.ContainsFunc(p.matches[i].Standings, func(s finalbell.Standing) bool { return s.Player == player })
}

// stands is how a player stands to a call.
func (p *arena) stands(c asked, a topic, player string) standing {
	is := a.player == player
	if c.match {
		is = p.in(a.match, player) && (!c.both || is)
	}
	if is && !c.all {
		return own
	}
	return stranger
}

// credentials are the headers by which somebody of a standing calls.
func (p *arena) credentials(path string, s standing, player string) http.Header {
	h := http.Header{}
	either := func(texts ...string) string { return texts[p.random.IntN(len(texts))] }
	bearer := func(text string) { h.Set("Authorization", "Bearer "+text) }
	switch {
	case s == unknownCaller:
		switch p.random.IntN(4) {
		case 0: // nothing at all
		case 1:
			bearer(either("guess", "old-token", "old-key", "", serverKey+"x", digestText(serverKey)))
		case 2:
			h.Set("api-key", either("guess", "old-key", "", digestText(serverKey)))
		case 3:
			h.Set("api-key", either("guess", "old-key"))
			bearer(tokenOf("ann"))
		}
	case strings.HasPrefix(path, "/gamezop"):
		bearer(map[standing]string{game: gameKey, stranger: tokenOf(player), own: tokenOf(player), authority: either(serverKey, gamezopBearer)}[s])
	case s == game:
		h.Set("api-key", gameKey)
	case s == authority && (strings.HasPrefix(path, "/specter") || p.random.IntN(2) == 0):
		h.Set("api-key", serverKey)
	case s == authority:
		bearer(serverKey)
	default:
		bearer(tokenOf(player))
		if strings.HasPrefix(path, "/specter") || p.random.IntN(2) == 0 {
			h.Set("api-key", gameKey)
		}
	}
	return h
}

// call makes a call.
func (p *arena) call(c asked, a topic, h http.Header) (int, string) {
	path, method := c.path, c.method
	if path == "" {
		path = "/api/call"
	}
	if method == "" {
		method = http.MethodPost
	}
	r := httptest.NewRequest(method, verb(path)(a), strings.NewReader(c.body(a)))
	r.Header = h.Clone()
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// things are what the players have, all that a call of one must leave alone but for their own wallet.
type things struct {
	wallets []string // of the people
	seats   []seat
}

// seat is a player's place in a match.
type seat struct {
	match   string
	state   finalbell.State
	player  string
	outcome finalbell.Number
	status  finalbell.Status
	rank    int
}

func (p *arena) things(t *testing.T) *things {
	all := things{seats: make([]seat, 0, 2*len(p.matches))}
	for _, player := range people {
		w, err := p.engine.Wallet(t.Context(), player)
		require.NoError(t, err)
		all.wallets = append(all.wallets, fmt.Sprint(w))
	}
	for _, m := range p.matches {
		now, err := p.engine.Match(t.Context(), m.ID)
		require.NoError(t, err)
		for _, s := range now.Standings {
			all.seats = append(all.seats, seat{m.ID, now.State, s.Player, s.Outcome, s.Status, s.Rank})
		}
	}
	return &all
}

// but are the things without a player's wallet.
func (a *things) but(player string) things {
	i := slices.Index(people, player)
	return things{slices.Concat(a.wallets[:i], a.wallets[i+1:]), a.seats}
}

// The access model: more than 20,000 calls, every kind of call by callers of every standing.
func TestNobodyReadsOrChangesWhatTheMatrixDenies(t *testing.T) {
	calls := matrix()
	names := make([]string, 0, len(calls))
	for name := range calls {
		names = append(names, name)
	}
	slices.Sort(names)
	made := make(map[string]*[standings]atomic.Int64)
	for _, name := range names {
		made[name] = new([standings]atomic.Int64)
	}
	const arenas, callsEach = 21, 1000 // what a call takes grows with what was played
	t.Run("arenas", func(t *testing.T) {
		for n := range arenas {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				p := newArena(t, rand.New(rand.NewPCG(7, uint64(n))))
				for i := range callsEach {
					if i%15 == 0 {
						p.play(t)
					}
					name := names[p.random.IntN(len(names))]
					c := calls[name]
					a := topic{player: people[p.random.IntN(len(people))], match: p.matches[p.random.IntN(len(p.matches))].ID}
					caller := people[p.random.IntN(3)]
					s := standing(p.random.IntN(int(standings)))
					if s == stranger || s == own {
						s = p.stands(c, a, caller)
					}
					made[name][s].Add(1)
					p.judge(t, name, c, a, s, caller)
				}
			})
		}
	})
	for _, name := range names {
		for s := range standings {
			if s == own && calls[name].all {
				continue
			}
			require.Greater(t, made[name][s].Load(), int64(3), "%s by standing %d", name, s)
		}
	}
}

// saying is text that is made when it is asked for.
type saying func() string

func (s saying) String() string { return s() }

// judge makes a call and holds it to the matrix.
func (p *arena) judge(t *testing.T, name string, c asked, a topic, s standing, caller string) {
	h, want := p.credentials(c.path, s, caller), c.row[s]
	said := saying(func() string { return fmt.Sprintf("%s about %v, by standing %d (%s) with %v", name, a, s, caller, h) })
	before, err := p.store.Head(t.Context())
	require.NoError(t, err)
	player := s == stranger || s == own
	if player && p.had == nil {
		p.had = p.things(t)
	}
	status, body := p.call(c, a, h)
	after, err := p.store.Head(t.Context())
	require.NoError(t, err)
	if want == allowed {
		require.NotEqual(t, http.StatusUnauthorized, status, "%s: %s", said, body)
		require.NotEqual(t, http.StatusForbidden, status, "%s: %s", said, body)
		require.Less(t, status, http.StatusInternalServerError, "%s: %s", said, body)
	} else {
		require.Equal(t, statuses[want], status, "%s: %s", said, body)
		require.Equal(t, before, after, said)
	}
	switch {
	case player:
		had := p.had
		p.had = p.things(t)
		require.True(t, slices.Equal(had.but(caller).wallets, p.had.but(caller).wallets) && slices.Equal(had.seats, p.had.seats),
			"%s: there was %v, and is %v", said, had, p.had)
	case want == allowed:
		p.had = nil
	}
	if want != hidden {
		return
	}
	absent := a
	if c.match && (!c.both || a.player == caller) {
		absent.match = "nothing"
	} else {
		absent.player = "nobody"
	}
	other, text := p.call(c, absent, h)
	require.Equal(t, status, other, said)
	require.Equal(t, strings.NewReplacer(a.player, absent.player, a.match, absent.match).Replace(body), text, said)
}
