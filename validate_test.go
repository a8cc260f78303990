package finalbell

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func quickstart() Rules {
	return Rules{
		Modes:  []Mode{{ID: "duel", Boards: []string{"ladder"}}},
		Boards: []BoardRule{{ID: "ladder", Keys: []Key{{Metric: "wins"}}}},
	}
}

func TestZeroValuesAreValid(t *testing.T) {
	require.NoError(t, Rules{}.Validate())
	require.NoError(t, quickstart().Validate())
}

// sampleRules are valid and say much.
const sampleRules = `{"modes":[
   {"id":"duel","order":"asc","ties":"dense","tie_break":[{"metric":"kills"},{"metric":"points","order":"asc"}],"players":{"min":2,"max":2},
    "teams":{"fold":"best"},"missing":{"outcome":-1},"walk_ins":true,"expire_created":"90s","expire_started":"1h","ranks":"accept",
    "bounds":{"outcome":{"min":0,"max":999.5},"points":{"min":1},"goal difference":{}},"bots":{"boards":"include"},"unfinished":{"boards":"exclude"},
    "boards":["a","b"]},
   {"id":"chess","points":{"win":1,"draw":0.5},"boards":["b","c"]},
   {"id":"race","points":[25,18,15.5],"boards":["c"],"fee":{"currency":"coins","amount":100},"bots":{"prizes":"pass_down","achievements":"include"},
    "prizes":[{"id":"pool","from":1,"shares":[70,30]},{"id":"cup","from":1,"to":1,"item":"cup"}],"xp":[{"amount":10},{"marker":"fame","metric":"kills","amount":2}]}],
 "currencies":[{"id":"coins"},{"id":"gems","shortfall":"floor"}],
 "achievements":[{"id":"winner","metric":"wins","threshold":1},{"id":"podium","rank":3,"threshold":5,"type":"streak","window":"week","modes":["race"],"revoke":true,
    "rewards":[{"item":"medal"},{"currency":"gems","amount":2},{"marker":"xp","amount":50}]}],
 "levels":[{"marker":"xp","thresholds":[0,100,300],"rewards":{"2":[{"currency":"coins","amount":5}],"3":[{"custom":"hat"}]}},{"marker":"fame","thresholds":[5]}],
 "boards":[
   {"id":"a","of":"team","per_match":"best","ties":"first","keys":[{"metric":"outcome","fold":"best","order":"asc"},{"metric":"rank","fold":"best"},{"metric":"played"}]},
   {"id":"b","per_match":"sum","keys":[{"metric":"points","scale":1,"best":[{"through_round":3,"count":2},{"through_round":9,"count":1}],"modes":["chess"]},
      {"fold":"count","order":"asc"},{"fold":"count","metric":"wins"},{"metric":"kills","fold":"mean","scale":9,"round":true}]},
   {"id":"c","keys":[{"fold":"countback","order":"desc","places":64,"modes":["race","chess"]},{"metric":"points","round":true,"best":3},{"metric":"points","fold":"count"}]}]}`

// explicitDefaults are defaults; to say them changes nothing.
const explicitDefaults = `{"currencies":[],"modes":[{"id":"duel","order":"desc","ties":"standard","tie_break":[],"players":{"min":1,"max":0},"missing":"dnf",
   "expire_created":"","reports":"authority","ranks":"compute","on_crash":"resume","on_session_end":"keep",
   "bots":{"boards":"exclude","stats":"exclude","rating":"exclude","prizes":"exclude","achievements":"exclude"},
   "unfinished":{"boards":"include","stats":"include","rating":"include","prizes":"exclude"},"boards":["daily"],"prizes":[]}],
 "boards":[{"id":"daily","of":"player","per_match":"sum","ties":"share",
   "keys":[{"metric":"points","fold":"sum","order":"desc","scale":0,"round":false,"best":0,"modes":[]},{"fold":"countback","order":"desc","scale":0,"round":false,"best":0}],
   "prizes":[],"window":{"every":"all","n":1,"from":"","week_start":"monday","zone":"UTC","grace":"0s","by":"ended_at","fixed":[]}}],
 "achievements":[],"levels":[],"sessions":{"idle_after":"","reconnect_within":"0s","devices":"one"}}`

func TestDefaultsMayBeExplicit(t *testing.T) {
	for _, text := range []string{sampleRules, explicitDefaults} {
		_, err := ParseRules([]byte(text))
		require.NoError(t, err)
	}
}

func TestWhatCannotBeMeantIsRefusedWithItsPath(t *testing.T) {
	const boards = `"boards":[{"id":"table","keys":[{"metric":"points"}]}]`
	mode := func(fields string) string { return `{"modes":[{"id":"a"},{"id":"b",` + fields + `}],` + boards + `}` }
	board := func(fields string) string {
		return `{"modes":[{"id":"a","boards":["table"]},{"id":"b"}],"boards":[{"id":"table",` + fields + `}]}`
	}
	keys := func(keys string) string { return board(`"keys":[` + keys + `]`) }
	long := strings.Repeat("x", 129)
	for text, want := range map[string]string{
		`{"modes":[{}]}`:                                                `modes[0].id: must not be empty`,
		`{"modes":[{"id":"` + long + `"}]}`:                             `modes[0].id: "` + long + `" has 129 bytes, more than 128`,
		`{"modes":[{"id":"a\u0000"}]}`:                                  `modes[0].id: "a\x00" has a control character`,
		`{"modes":[{"id":"a\u0085"}]}`:                                  `modes[0].id: "a\u0085" has a control character`,
		`{"modes":[{"id":"a"},{"id":"a"}]}`:                             `modes[1].id: "a" comes twice`,
		mode(`"boards":["table","tabel"]`):                              `modes[1].boards[1]: no board "tabel"`,
		mode(`"boards":["table","table"]`):                              `modes[1].boards[1]: "table" comes twice`,
		mode(`"boards":[""]`):                                           `modes[1].boards[0]: no board ""`,
		mode(`"players":{"min":-1}`):                                    `modes[1].players.min: -1 is negative`,
		mode(`"players":{"max":-1}`):                                    `modes[1].players.max: -1 is negative`,
		mode(`"players":{"min":3,"max":2}`):                             `modes[1].players: min 3 is more than max 2`,
		mode(`"teams":{"max_size":-2}`):                                 `modes[1].teams.max_size: -2 is negative`,
		mode(`"expire_created":"1ns"`):                                  `modes[1].expire_created: 1ns is finer than a millisecond`,
		mode(`"expire_started":"0.5ms"`):                                `modes[1].expire_started: 500µs is finer than a millisecond`,
		mode(`"tie_break":[{}]`):                                        `modes[1].tie_break[0].metric: must not be empty`,
		mode(`"tie_break":[{"metric":"wins"}]`):                         `modes[1].tie_break[0].metric: "wins" is not reported with an outcome and cannot break ties`,
		mode(`"tie_break":[{"metric":"outcome"}]`):                      `modes[1].tie_break[0].metric: "outcome" is not reported`,
		mode(`"tie_break":[{"metric":"rating"}]`):                       `modes[1].tie_break[0].metric: "rating" is not reported`,
		mode(`"points":{"win":1},"tie_break":[{"metric":"points"}]`):    `modes[1].tie_break[0].metric: "points" is not reported`,
		mode(`"tie_break":[{"metric":"kills"},{"metric":"kills"}]`):     `modes[1].tie_break[1].metric: "kills" comes twice`,
		mode(`"bounds":{"":{"min":0}}`):                                 `modes[1].bounds[""]: must not be empty`,
		mode(`"bounds":{"rank":{"min":0}}`):                             `modes[1].bounds.rank: "rank" is not reported and cannot have bounds`,
		mode(`"points":[1],"bounds":{"points":{"min":0}}`):              `modes[1].bounds.points: "points" is not reported`,
		mode(`"bounds":{"outcome":{"min":1.5,"max":1.25}}`):             `modes[1].bounds.outcome: min 1.5 is more than max 1.25`,
		mode(`"points":{"draw":0.5},"boards":["table"]`):                `modes[1].points: 0.5 has more decimals than the key points of board "table" keeps`,
		mode(`"points":[9,0.25],"boards":["table"]`):                    `modes[1].points: 0.25 has more decimals`,
		`{"boards":[{"keys":[{"metric":"wins"}]}]}`:                     `boards[0].id: must not be empty`,
		`{"boards":[{"id":"x","keys":[{"metric":"wins"}]},{"id":"x"}]}`: `boards[1].id: "x" comes twice`,
		board(`"of":"player"`):                                          `boards[0].keys: a board needs at least one`,
		board(`"per_match":"best","keys":[{"metric":"wins"}]`):          `boards[0].per_match: "best" is for a board of teams`,
		keys(`{}`):                                                                                  `boards[0].keys[0].metric: must not be empty`,
		keys(`{"fold":"best"}`):                                                                     `boards[0].keys[0].metric: must not be empty`,
		keys(`{"metric":"` + long + `"}`):                                                           `boards[0].keys[0].metric: "` + long + `" has 129 bytes`,
		keys(`{"metric":"a","scale":10}`):                                                           `boards[0].keys[0].scale: 10 is not between 0 and 9 decimals`,
		keys(`{"metric":"a","scale":-1}`):                                                           `boards[0].keys[0].scale: -1 is not between 0 and 9 decimals`,
		keys(`{"metric":"a","places":3}`):                                                           `boards[0].keys[0].places: the fold "sum" has none`,
		keys(`{"fold":"countback","places":65}`):                                                    `boards[0].keys[0].places: 65 is not between 1 and 64`,
		keys(`{"fold":"countback","places":-1}`):                                                    `boards[0].keys[0].places: -1 is not between 1 and 64`,
		keys(`{"fold":"countback","metric":"rank"}`):                                                `boards[0].keys[0].metric: the fold "countback" has none`,
		keys(`{"fold":"countback","order":"asc"}`):                                                  `boards[0].keys[0].order: the fold "countback" has none`,
		keys(`{"fold":"countback","scale":1}`):                                                      `boards[0].keys[0].scale: the fold "countback" has none`,
		keys(`{"fold":"countback","round":true}`):                                                   `boards[0].keys[0].round: the fold "countback" has none`,
		keys(`{"fold":"countback","best":2}`):                                                       `boards[0].keys[0].best: the fold "countback" has none`,
		keys(`{"fold":"count","scale":1}`):                                                          `boards[0].keys[0].scale: the fold "count" has none`,
		keys(`{"fold":"count","round":true}`):                                                       `boards[0].keys[0].round: the fold "count" has none`,
		keys(`{"metric":"a","fold":"mean","best":2}`):                                               `boards[0].keys[0].best: the fold "mean" has none`,
		keys(`{"metric":"a","best":-1}`):                                                            `boards[0].keys[0].best: the count -1 is less than 1`,
		keys(`{"metric":"a","best":[{"count":0}]}`):                                                 `boards[0].keys[0].best: the count 0 is less than 1`,
		keys(`{"metric":"a","best":[{"through_round":2,"count":0}]}`):                               `boards[0].keys[0].best[0]: the count 0 is less than 1`,
		keys(`{"metric":"a","best":[{"count":1},{"count":1}]}`):                                     `boards[0].keys[0].best[0]: only the last segment may be without through_round`,
		keys(`{"metric":"a","best":[{"through_round":-1,"count":1}]}`):                              `boards[0].keys[0].best[0]: through_round -1 is negative`,
		keys(`{"metric":"a","best":[{"through_round":8,"count":1},{"through_round":8,"count":1}]}`): `boards[0].keys[0].best[1]: through_round 8 does not come after 8`,
		keys(`{"metric":"a","fold":"best"},{"metric":"b"},{"metric":"c","fold":"latest"}`):          `boards[0].keys[2].fold: "latest" beside "best": best, worst, first and latest on one board are all the same fold`,
		keys(`{"metric":"a","modes":["a","c"]}`):                                                    `boards[0].keys[0].modes[1]: no mode "c"`,
		keys(`{"metric":"a","modes":["b"]}`):                                                        `boards[0].keys[0].modes[0]: mode "b" does not feed board "table"`,
		keys(`{"metric":"a","modes":["a","a"]}`):                                                    `boards[0].keys[0].modes[1]: "a" comes twice`,
		board(`"keys":[{"metric":"a"}],"window":{"n":-1}`):                                          `boards[0].window.n: -1 is negative`,

		mode(`"rating":{}`):                                     `modes[1].rating: not supported yet`,
		mode(`"reports":"unanimous"`):                           `modes[1].reports: not supported yet`,
		`{"sessions":{"idle_after":"1ns"}}`:                     `sessions.idle_after: 1ns is finer than a millisecond`,
		`{"sessions":{"reconnect_within":"1ns"}}`:               `sessions.reconnect_within: 1ns is finer than a millisecond`,
		mode(`"bots":{"rating":"include"}`):                     `modes[1].bots.rating: not supported yet`,
		mode(`"unfinished":{"rating":"exclude"}`):               `modes[1].unfinished.rating: not supported yet`,
		board(`"window":{"n":2}`):                               `boards[0].window.n: 2 is for days, weeks and months`,
		board(`"window":{"from":"today"}`):                      `boards[0].window.from: "today" is no date such as 2026-01-01 or 2026-01-01T06:00`,
		board(`"window":{"every":"season","zone":"Mars"}`):      `boards[0].window.zone: "Mars" is no IANA time zone: unknown time zone Mars`,
		board(`"window":{"every":"season","n":7}`):              `boards[0].window.n: 7 is for days, weeks and months`,
		board(`"window":{"every":"day","from":"today"}`):        `boards[0].window.from: "today" is no date such as 2026-01-01 or 2026-01-01T06:00`,
		board(`"window":{"every":"day","n":-1}`):                `boards[0].window.n: -1 is negative`,
		board(`"window":{"every":"day","zone":"Mars/Olympus"}`): `boards[0].window.zone: "Mars/Olympus" is no IANA time zone: unknown time zone Mars/Olympus`,
		board(`"window":{"every":"day","fixed":[{"id":"s","start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}]}`): `boards[0].window.fixed: either ranges or every day, not both`,
		board(`"window":{"fixed":[{"id":"s","start":"2026-01-02T00:00:00Z","end":"2026-01-02T00:00:00Z"}]}`):               `boards[0].window.fixed[0].end: 2026-01-02T00:00:00Z is not after the start, 2026-01-02T00:00:00Z`,
		board(`"window":{"fixed":[{"id":"a\u0001","start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}]}`):         `boards[0].window.fixed[0].id: "a\x01" has a control character`,
		board(`"window":{"origin":"2026-01-02T00:00:00Z"}`):                                                                `boards[0].window.origin: 2026-01-02T00:00:00Z is of a calendar of your own, but there is no Next`,
		board(`"window":{"grace":"1ns"}`):                                      `boards[0].window.grace: 1ns is finer than a millisecond`,
		board(`"partition":{"attribute":"a\u0001"}`):                           `boards[0].partition.attribute: "a\x01" has a control character`,
		board(`"of":"team","partition":{"of":"player","attribute":"country"}`): `boards[0].partition.of: a team's members may differ in an attribute; a board of teams is partitioned by the match's`,
		keys(`{"metric":"rating"}`):                                            `boards[0].keys[0].metric: not supported yet`,
	} {
		_, err := ParseRules([]byte(text))
		require.ErrorIs(t, err, ErrInvalid, text)
		require.ErrorContains(t, err, "rules: "+want, text)
	}
}

func TestGoValuesThatJSONCannotSayAreRefusedToo(t *testing.T) {
	for want, change := range map[string]func(*Mode, *BoardRule){
		`modes[0].id: "a\xff" is not valid UTF-8`:                        func(m *Mode, _ *BoardRule) { m.ID = "a\xff" },
		`modes[0].order: expected "desc" or "asc", found "up"`:           func(m *Mode, _ *BoardRule) { m.Order = "up" },
		`modes[0].ties: expected`:                                        func(m *Mode, _ *BoardRule) { m.Ties = "x" },
		`modes[0].tie_break[0].order: expected`:                          func(m *Mode, _ *BoardRule) { m.TieBreak = []TieBreak{{"a", "x"}} },
		`modes[0].teams.fold: expected`:                                  func(m *Mode, _ *BoardRule) { m.Teams = &Teams{Fold: "x"} },
		`modes[0].reports: expected`:                                     func(m *Mode, _ *BoardRule) { m.Reports = "x" },
		`modes[0].ranks: expected`:                                       func(m *Mode, _ *BoardRule) { m.Ranks = "x" },
		`modes[0].on_session_end: expected`:                              func(m *Mode, _ *BoardRule) { m.OnSessionEnd = "x" },
		`modes[0].on_crash: expected`:                                    func(m *Mode, _ *BoardRule) { m.OnCrash = "x" },
		`modes[0].bots.boards: expected`:                                 func(m *Mode, _ *BoardRule) { m.Bots.Boards = "x" },
		`modes[0].bots.stats: expected`:                                  func(m *Mode, _ *BoardRule) { m.Bots.Stats = "x" },
		`modes[0].bots.rating: expected`:                                 func(m *Mode, _ *BoardRule) { m.Bots.Rating = "x" },
		`modes[0].bots.prizes: expected`:                                 func(m *Mode, _ *BoardRule) { m.Bots.Prizes = "x" },
		`modes[0].bots.achievements: expected`:                           func(m *Mode, _ *BoardRule) { m.Bots.Achievements = "x" },
		`modes[0].unfinished.boards: expected`:                           func(m *Mode, _ *BoardRule) { m.Unfinished.Boards = "x" },
		`modes[0].unfinished.stats: expected`:                            func(m *Mode, _ *BoardRule) { m.Unfinished.Stats = "x" },
		`modes[0].unfinished.rating: expected`:                           func(m *Mode, _ *BoardRule) { m.Unfinished.Rating = "x" },
		`modes[0].unfinished.prizes: expected`:                           func(m *Mode, _ *BoardRule) { m.Unfinished.Prizes = "x" },
		`modes[0].expire_created: -1s is negative`:                       func(m *Mode, _ *BoardRule) { m.ExpireCreated = -time.Second },
		`modes[0].expire_started: -1s is negative`:                       func(m *Mode, _ *BoardRule) { m.ExpireStarted = -time.Second },
		`modes[0].points.win: NaN is not a decimal`:                      func(m *Mode, _ *BoardRule) { m.Points = &Points{Win: Decimal("NaN")} },
		`modes[0].points.draw: x is not`:                                 func(m *Mode, _ *BoardRule) { m.Points = &Points{Draw: Decimal("x")} },
		`modes[0].points.loss: x is not`:                                 func(m *Mode, _ *BoardRule) { m.Points = &Points{Loss: Decimal("x")} },
		`modes[0].points[1]: x is not`:                                   func(m *Mode, _ *BoardRule) { m.Points = &Points{ByRank: []Number{{}, Decimal("x")}} },
		`modes[0].points: either by result (win, draw, loss) or by rank`: func(m *Mode, _ *BoardRule) { m.Points = &Points{Loss: Int(0), ByRank: []Number{Int(1)}} },
		`modes[0].missing: either reject or an outcome`:                  func(m *Mode, _ *BoardRule) { m.Missing = Missing{true, Int(0)} },
		`modes[0].missing.outcome: x is not`:                             func(m *Mode, _ *BoardRule) { m.Missing.Outcome = Decimal("x") },
		`modes[0].bounds.outcome.min: x is not`:                          func(m *Mode, _ *BoardRule) { m.Bounds = map[string]Bound{"outcome": {Min: Decimal("x")}} },
		`modes[0].bounds.outcome.max: x is not`:                          func(m *Mode, _ *BoardRule) { m.Bounds = map[string]Bound{"outcome": {Max: Decimal("x")}} },
		`modes[0].bounds.a: min 1 is more than max 0`:                    func(m *Mode, _ *BoardRule) { m.Bounds = map[string]Bound{"b": {Int(1), Int(0)}, "a": {Int(1), Int(0)}} },
		`boards[0].of: expected "player" or "team", found "x"`:           func(_ *Mode, b *BoardRule) { b.Of = "x" },
		`boards[0].per_match: expected "sum" or "best", found "x"`:       func(_ *Mode, b *BoardRule) { b.PerMatch = "x" },
		`boards[0].ties: expected`:                                       func(_ *Mode, b *BoardRule) { b.Ties = "x" },
		`boards[0].keys[0].fold: expected`:                               func(_ *Mode, b *BoardRule) { b.Keys[0].Fold = "x" },
		`boards[0].keys[0].order: expected`:                              func(_ *Mode, b *BoardRule) { b.Keys[0].Order = "x" },
		`boards[0].window.every: expected`:                               func(_ *Mode, b *BoardRule) { b.Window.Every = "x" },
		`boards[0].window.week_start: expected`:                          func(_ *Mode, b *BoardRule) { b.Window.WeekStart = "x" },
		`boards[0].window.by: expected`:                                  func(_ *Mode, b *BoardRule) { b.Window.By = "x" },
		`boards[0].window.grace: -1s is negative`:                        func(_ *Mode, b *BoardRule) { b.Window.Grace = -time.Second },
	} {
		r := quickstart()
		change(&r.Modes[0], &r.Boards[0])
		err := r.Validate()
		require.ErrorIs(t, err, ErrInvalid, want)
		require.ErrorContains(t, err, "rules: "+want)
	}
}

// Points with too many decimals are no harm to a board that does not keep them.
func TestPointsMayHaveDecimalsThatNoKeyKeeps(t *testing.T) {
	for _, key := range []string{
		`{"metric":"points","scale":1}`, `{"metric":"points","round":true}`, `{"metric":"points","fold":"count"}`,
		`{"metric":"points","modes":["b"]}`, `{"metric":"wins"}`,
	} {
		_, err := ParseRules([]byte(`{"modes":[{"id":"a","points":{"draw":0.5},"boards":["x"]},{"id":"b","boards":["x"]}],"boards":[{"id":"x","keys":[` + key + `]}]}`))
		require.NoError(t, err, key)
	}
}

func TestAnIDIs1To128BytesOfUTF8WithoutControlCharacters(t *testing.T) {
	for _, id := range []string{"a", " ", "é", "a/b:c", strings.Repeat("x", 128), strings.Repeat("é", 64), "\uFFFD", "\u200b"} {
		require.NoError(t, checkID("match id", id))
	}
	for id, want := range map[string]string{
		"":                      `match id: must not be empty`,
		strings.Repeat("é", 65): `bytes, more than 128`,
		"a\xff":                 `match id: "a\xff" is not valid UTF-8`,
		"\xed\xa0\x80":          `is not valid UTF-8`,
		"a\nb":                  `match id: "a\nb" has a control character`,
		"\x7f":                  `match id: "\x7f" has a control character`,
		"\u0080":                `match id: "\u0080" has a control character`,
	} {
		err := checkID("match id", id)
		require.ErrorIs(t, err, ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestWithDefaultsMakesEveryDefaultExplicit(t *testing.T) {
	r := quickstart()
	r.Modes[0].TieBreak = []TieBreak{{Metric: "kills"}}
	r.Modes[0].Teams = &Teams{}
	r.Modes[0].Points = &Points{Win: Int(3)}
	r.Boards[0].Keys = append(r.Boards[0].Keys, Key{Fold: FoldCountback})
	r.Currencies = []Currency{{ID: "coins"}}
	r.Modes[0].Prizes = []Prize{{ID: "cup", Item: "cup"}, {ID: "hat", Custom: "hat"}, {ID: "coins", Currency: "coins"}, {ID: "xp", Marker: "xp"}}
	r.Modes[0].XP = []Gain{{Amount: 10}}
	r.Achievements = []Achievement{{ID: "winner", Rewards: []Reward{{Item: "medal"}, {Currency: "coins"}}}}
	r.Levels = []Level{{Marker: "xp", Rewards: map[string][]Reward{"2": {{Custom: "hat"}}}}}
	require.Equal(t, Rules{
		Currencies: []Currency{{"coins", ShortfallDebt}},
		Achievements: []Achievement{{
			ID: "winner", Type: Once, Window: AllTime, Rewards: []Reward{{Item: "medal", Amount: 1}, {Currency: "coins"}},
		}},
		Levels: []Level{{Marker: "xp", Rewards: map[string][]Reward{"2": {{Custom: "hat", Amount: 1}}}}},
		Modes: []Mode{{
			ID: "duel", Order: Desc, Ties: Standard, TieBreak: []TieBreak{{"kills", Desc}},
			Points:  &Points{Win: Int(3), Draw: Int(0), Loss: Int(0)},
			Players: Limits{Min: 1}, Teams: &Teams{Fold: TeamSum}, Reports: Authority, Ranks: ComputeRanks, OnCrash: ResumeMatches, OnSessionEnd: KeepSeat,
			Bots:       BotPolicy{Exclude, Exclude, Exclude, Exclude, Exclude},
			Unfinished: UnfinishedPolicy{Include, Include, Include, Exclude},
			Boards:     []string{"ladder"},
			Prizes: []Prize{
				{ID: "cup", Item: "cup", Amount: 1, Ties: FullPrize}, {ID: "hat", Custom: "hat", Amount: 1, Ties: FullPrize},
				{ID: "coins", Currency: "coins", Ties: FullPrize}, {ID: "xp", Marker: "xp", Ties: FullPrize},
			},
			XP: []Gain{{"xp", "played", 10}},
		}},
		Boards: []BoardRule{{
			ID: "ladder", Of: OfPlayers, PerMatch: PerMatchSum, Ties: ShareRank,
			Keys: []Key{
				{Metric: "wins", Fold: FoldSum, Order: Desc},
				{Fold: FoldCountback, Order: Desc, Places: 64},
			},
			Window: WindowRule{Every: AllTime, N: 1, WeekStart: "monday", Zone: "UTC", By: ByEnd},
		}},
		Sessions: SessionRule{Devices: OneDevice},
	}, r.withDefaults())
	require.Equal(t, []Number{Int(2), Int(0)}, Points{ByRank: []Number{Int(2), {}}}.withDefaults().ByRank)
}

func TestRulesWithTheirDefaultsAreAsValidAndReadBack(t *testing.T) {
	for _, text := range []string{sampleRules, explicitDefaults, raceRules, leagueRules} {
		r, err := ParseRules([]byte(text))
		require.NoError(t, err)
		full := r.withDefaults()
		require.NoError(t, full.Validate())
		written, err := json.Marshal(full)
		require.NoError(t, err)
		back, err := ParseRules(written)
		require.NoError(t, err)
		require.Equal(t, full, back)
	}
}

func TestWithDefaultsTwiceIsWithDefaultsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := drawRules(t).withDefaults()
		require.Equal(t, once, once.withDefaults())
	})
}

// The engine keeps its copy whatever the caller does to theirs.
func TestWithDefaultsSharesNoMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t)
		mine := make(map[uintptr]string)
		reachable(reflect.ValueOf(r), "rules", func(at uintptr, path string) { mine[at] = path })
		reachable(reflect.ValueOf(r.withDefaults()), "rules", func(at uintptr, path string) {
			require.NotContains(t, mine, at, path)
		})
	})
}

// reachable visits what a value points to and could change through: pointers, maps and lists.
func reachable(v reflect.Value, path string, visit func(uintptr, string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() != reflect.String { // the text of a bad Number never changes
			visit(v.Pointer(), path)
			reachable(v.Elem(), path, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			reachable(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			visit(v.Pointer(), path)
		}
		for i := range v.Len() {
			reachable(v.Index(i), fmt.Sprintf("%s[%d]", path, i), visit)
		}
	case reflect.Map:
		if v.Len() > 0 {
			visit(v.Pointer(), path)
		}
		for _, key := range v.MapKeys() {
			reachable(v.MapIndex(key), fmt.Sprintf("%s[%q]", path, key), visit)
		}
	}
}
