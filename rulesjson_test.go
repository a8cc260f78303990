package finalbell

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	raceRules = `{"modes":[{"id":"race","order":"asc","boards":["drivers"]},{"id":"sprint","order":"asc","boards":["drivers"]}],
 "boards":[{"id":"drivers","keys":[{"metric":"points","scale":2,"best":[{"through_round":8,"count":7},{"count":6}]},{"fold":"countback","modes":["race"]}]}]}`
	leagueRules = `{"modes":[{"id":"league","points":{"win":3,"draw":1,"loss":0},"boards":["table"]}],
 "boards":[{"id":"table","keys":[{"metric":"points"},{"metric":"goal_difference"},{"metric":"goals_for"}]}]}`
)

func TestTheTwoRulesFilesAreRead(t *testing.T) {
	race, err := ParseRules([]byte(raceRules))
	require.NoError(t, err)
	require.Equal(t, Rules{
		Modes: []Mode{
			{ID: "race", Order: Asc, Boards: []string{"drivers"}},
			{ID: "sprint", Order: Asc, Boards: []string{"drivers"}},
		},
		Boards: []BoardRule{{ID: "drivers", Keys: []Key{
			{Metric: "points", Scale: 2, Best: []Segment{{ThroughRound: 8, Count: 7}, {Count: 6}}},
			{Fold: FoldCountback, Modes: []string{"race"}},
		}}},
	}, race)
	league, err := ParseRules([]byte(leagueRules))
	require.NoError(t, err)
	require.Equal(t, Rules{
		Modes:  []Mode{{ID: "league", Points: &Points{Win: Int(3), Draw: Int(1), Loss: Int(0)}, Boards: []string{"table"}}},
		Boards: []BoardRule{{ID: "table", Keys: []Key{{Metric: "points"}, {Metric: "goal_difference"}, {Metric: "goals_for"}}}},
	}, league)
}

// wholeSchema has every field of the schema.
const wholeSchema = `{"currencies":[{"id":"coins","shortfall":"floor"}],
 "modes":[{"id":"duel","order":"asc","ties":"ordinal","tie_break":[{"metric":"kills","order":"desc"}],"points":{"win":3,"draw":1,"loss":0},
   "players":{"min":1,"max":8},"teams":{"max_size":2,"fold":"mean"},"missing":{"outcome":0},"walk_ins":true,"auto_start":true,"exclusive":true,
   "expire_created":"90s","expire_started":"1h30m","reports":"majority","ranks":"accept","on_crash":"settle","on_session_end":"forfeit","bounds":{"outcome":{"min":0,"max":999}},
   "bots":{"boards":"include","stats":"exclude","rating":"include","prizes":"pass_down","achievements":"include"},
   "unfinished":{"boards":"exclude","stats":"include","rating":"exclude","prizes":"include"},
   "fee":{"currency":"coins","amount":100,"house_flat":5,"house_percent":2.5},"rating":{"system":"weng_lin"},"boards":["daily"],
   "prizes":[{"id":"top","from":1,"to":3,"percent":10,"currency":"coins","item":"cup","marker":"fame","custom":"hat","amount":50,"shares":[50,30,20],"ties":"down_only","claim":true,"expires":"24h"}],
   "xp":[{"marker":"fame","metric":"kills","amount":10}]}],
 "boards":[{"id":"daily","of":"team","per_match":"best","ties":"first",
   "keys":[{"metric":"points","fold":"sum","order":"asc","scale":2,"round":true,"best":3,"modes":["duel"]},{"fold":"countback","places":3}],"prizes":[{"id":"p"}],
   "window":{"every":"season","n":2,"from":"2026-01-01","week_start":"sunday","zone":"Europe/Berlin","grace":"1s","by":"started_at",
     "fixed":[{"id":"s1","start":"2026-01-01T00:00:00+01:00","end":"2026-02-01T00:00:00.5Z"}],"origin":"2026-03-01T00:00:00Z"},
   "partition":{"of":"player","attribute":"country"}}],
 "achievements":[{"id":"ten-wins","metric":"wins","rank":3,"threshold":10,"type":"streak","modes":["duel"],"window":"week","revoke":true,"rewards":[{"currency":"coins","amount":1}]}],
 "levels":[{"marker":"xp","thresholds":[0,100,300],"rewards":{"2":[{"currency":"coins","item":"sword","marker":"fame","custom":"hat","amount":5}]}}],
 "sessions":{"idle_after":"5m","reconnect_within":"30s","devices":"many"}}`

func TestEveryFieldOfTheSchemaIsReadAndWritten(t *testing.T) {
	r, err := decodeRules([]byte(wholeSchema))
	require.NoError(t, err)
	want := Rules{
		Currencies: []Currency{{"coins", ShortfallFloor}},
		Modes: []Mode{{
			ID: "duel", Order: Asc, Ties: Ordinal, TieBreak: []TieBreak{{"kills", Desc}},
			Points:  &Points{Win: Int(3), Draw: Int(1), Loss: Int(0)},
			Players: Limits{1, 8}, Teams: &Teams{2, TeamMean}, Missing: Missing{Outcome: Int(0)},
			WalkIns: true, AutoStart: true, Exclusive: true,
			ExpireCreated: 90 * time.Second, ExpireStarted: 90 * time.Minute,
			Reports: Majority, Ranks: AcceptRanks, OnCrash: SettleMatches, OnSessionEnd: ForfeitSeat,
			Bounds:     map[string]Bound{"outcome": {Int(0), Int(999)}},
			Bots:       BotPolicy{Include, Exclude, Include, PassDown, Include},
			Unfinished: UnfinishedPolicy{Exclude, Include, Exclude, Include},
			Fee:        &Fee{"coins", 100, 5, Decimal("2.5")}, Rating: &RatingRule{"weng_lin"},
			Boards: []string{"daily"},
			Prizes: []Prize{{"top", 1, 3, Int(10), "coins", "cup", "fame", "hat", 50, []Number{Int(50), Int(30), Int(20)}, DownOnlyPrize, true, 24 * time.Hour}},
			XP:     []Gain{{"fame", "kills", 10}},
		}},
		Boards: []BoardRule{{
			ID: "daily", Of: OfTeams, PerMatch: PerMatchBest, Ties: FirstRank,
			Keys: []Key{
				{Metric: "points", Fold: FoldSum, Order: Asc, Scale: 2, Round: true, Best: BestOf(3), Modes: []string{"duel"}},
				{Fold: FoldCountback, Places: 3},
			},
			Prizes: []Prize{{ID: "p"}},
			Window: WindowRule{
				Every: Season, N: 2, From: "2026-01-01", WeekStart: "sunday", Zone: "Europe/Berlin", Grace: time.Second, By: ByStart,
				Fixed: []FixedWindow{{
					"s1", time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 5e8, time.UTC),
				}},
				Origin: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
			},
			Partition: &Partition{OfPlayer, "country"},
		}},
		Achievements: []Achievement{{"ten-wins", "wins", 3, Int(10), Streak, []string{"duel"}, Weekly, true, []Reward{{Currency: "coins", Amount: 1}}}},
		Levels:       []Level{{"xp", []int64{0, 100, 300}, map[string][]Reward{"2": {{"coins", "sword", "fame", "hat", 5}}}}},
		Sessions:     SessionRule{5 * time.Minute, 30 * time.Second, ManyDevices},
	}
	require.Equal(t, want, r)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	normal := strings.NewReplacer("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z", "00:00.5Z", "00:00.500Z",
		`"90s"`, `"1m30s"`, `"1h30m"`, `"1h30m0s"`, `"24h"`, `"24h0m0s"`, `"5m"`, `"5m0s"`).Replace(wholeSchema)
	require.JSONEq(t, normal, string(text))
	requireNoZeroField(t, reflect.ValueOf(r.Modes[0]), "mode")
	requireNoZeroField(t, reflect.ValueOf(r.Boards[0]), "board")
	requireNoZeroField(t, reflect.ValueOf(r.Achievements[0]), "achievement")
	requireNoZeroField(t, reflect.ValueOf(r.Levels[0].Rewards["2"][0]), "reward")
	requireNoZeroField(t, reflect.ValueOf(r.Sessions), "sessions")
}

// A field that rules.go gains must come into this file's schema too.
func requireNoZeroField(t *testing.T, v reflect.Value, path string) {
	for i := range v.NumField() {
		name := path + "." + v.Type().Field(i).Name
		if name == "board.Window.Next" {
			continue // a function
		}
		require.False(t, v.Field(i).IsZero(), name)
		if f := v.Field(i); f.Kind() == reflect.Struct && f.Type() != reflect.TypeFor[Number]() && name != "mode.Missing" && f.Type() != reflect.TypeFor[time.Time]() {
			requireNoZeroField(t, f, name)
		}
	}
}

func TestAlternativeFormsAreRead(t *testing.T) {
	for text, want := range map[string]Rules{
		`{}`:                                     {},
		`{"modes":[],"boards":[]}`:               {},
		`{"modes":[{"missing":"dnf"}]}`:          {Modes: []Mode{{}}},
		`{"modes":[{"missing":"reject"}]}`:       {Modes: []Mode{{Missing: Missing{Reject: true}}}},
		`{"modes":[{"points":[25,18.5,0]}]}`:     {Modes: []Mode{{Points: &Points{ByRank: []Number{Int(25), Decimal("18.5"), Int(0)}}}}},
		`{"modes":[{"points":[]}]}`:              {Modes: []Mode{{Points: &Points{}}}},
		`{"modes":[{"points":{},"teams":{}}]}`:   {Modes: []Mode{{Points: &Points{}, Teams: &Teams{}}}},
		`{"modes":[{"expire_created":""}]}`:      {Modes: []Mode{{}}},
		`{"modes":[{"order":"desc"}]}`:           {Modes: []Mode{{Order: Desc}}},
		`{"boards":[{"keys":[{"best":0}]}]}`:     {Boards: []BoardRule{{Keys: []Key{{}}}}},
		`{"boards":[{"keys":[{"best":6}]}]}`:     {Boards: []BoardRule{{Keys: []Key{{Best: BestOf(6)}}}}},
		`{"boards":[{"window":{"grace":"0s"}}]}`: {Boards: []BoardRule{{}}},

		`{"boards":[{"keys":[{"best":[{"count":6}]}]}]}`: {Boards: []BoardRule{{Keys: []Key{{Best: BestOf(6)}}}}},
	} {
		r, err := decodeRules([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, r, text)
	}
}

func TestWhatTheSchemaDoesNotHaveIsRefusedWithItsPath(t *testing.T) {
	mode := func(field string) string { return `{"modes":[{"id":"a"},{"id":"b",` + field + `}]}` }
	board := func(field string) string { return `{"boards":[{"id":"a",` + field + `}]}` }
	key := func(field string) string { return board(`"keys":[{"metric":"wins",` + field + `}]`) }
	for text, want := range map[string]string{
		``:                                               `rules: byte 0: the text is empty`,
		`[]`:                                             `rules: expected an object, found a list`,
		`{"modes":[]}{}`:                                 `rules: byte 12: text after the value`,
		`{"modes":[],"modes":[]}`:                        `rules: byte 12: the key "modes" comes twice`,
		`{"Modes":[]}`:                                   `rules: Modes: unknown field`,
		`{"modes":null}`:                                 `rules: modes: expected a list, found null`,
		`{"modes":[3]}`:                                  `rules: modes[0]: expected an object, found 3`,
		`{"modes":[{"id":7}]}`:                           `rules: modes[0].id: expected a string, found 7`,
		mode(`"ordr":"asc"`):                             `rules: modes[1].ordr: unknown field`,
		mode(`"order":"up"`):                             `rules: modes[1].order: expected "desc" or "asc", found "up"`,
		mode(`"order":""`):                               `rules: modes[1].order: expected "desc" or "asc", found ""`,
		mode(`"ties":"share"`):                           `rules: modes[1].ties: expected "standard", "modified", "dense" or "ordinal", found "share"`,
		mode(`"tie_break":["x"]`):                        `rules: modes[1].tie_break[0]: expected an object, found "x"`,
		mode(`"tie_break":[{"m":1}]`):                    `rules: modes[1].tie_break[0].m: unknown field`,
		mode(`"points":3`):                               `rules: modes[1].points: expected an object or a list, found 3`,
		mode(`"points":{"none":0}`):                      `rules: modes[1].points.none: unknown field`,
		mode(`"points":{"win":"3"}`):                     `rules: modes[1].points.win: expected a number, found "3"`,
		mode(`"points":[1,null]`):                        `rules: modes[1].points[1]: expected a number, found null`,
		mode(`"points":[1e400]`):                         `rules: modes[1].points[0]: 1e400 is not a decimal of at most 15 digits and 9 decimals`,
		mode(`"players":{"mn":1}`):                       `rules: modes[1].players.mn: unknown field`,
		mode(`"players":{"max":2.5}`):                    `rules: modes[1].players.max: expected a whole number, found 2.5`,
		mode(`"teams":true`):                             `rules: modes[1].teams: expected an object, found true`,
		mode(`"teams":{"fold":"x"}`):                     `rules: modes[1].teams.fold: expected "sum", "mean" or "best", found "x"`,
		mode(`"missing":"dns"`):                          `rules: modes[1].missing: expected "dnf", "reject" or an object with an outcome, found "dns"`,
		mode(`"missing":0`):                              `rules: modes[1].missing: expected "dnf", "reject" or an object with an outcome, found 0`,
		mode(`"missing":{}`):                             `rules: modes[1].missing.outcome: the field is missing`,
		mode(`"missing":{"outcome":null}`):               `rules: modes[1].missing.outcome: expected a number, found null`,
		mode(`"walk_ins":1`):                             `rules: modes[1].walk_ins: expected true or false, found 1`,
		mode(`"expire_created":90`):                      `rules: modes[1].expire_created: expected a string, found 90`,
		mode(`"expire_started":"90"`):                    `rules: modes[1].expire_started: expected a duration such as "90s", found "90"`,
		mode(`"expire_started":"-1s"`):                   `rules: modes[1].expire_started: -1s is negative`,
		mode(`"reports":"x"`):                            `rules: modes[1].reports: expected "authority", "unanimous" or "majority", found "x"`,
		mode(`"ranks":"x"`):                              `rules: modes[1].ranks: expected "compute" or "accept", found "x"`,
		mode(`"on_session_end":"dnf"`):                   `rules: modes[1].on_session_end: expected "keep", "left" or "forfeit", found "dnf"`,
		`{"sessions":{"devices":"two"}}`:                 `rules: sessions.devices: expected "one" or "many", found "two"`,
		`{"sessions":{"idle_after":5}}`:                  `rules: sessions.idle_after: expected`,
		mode(`"on_crash":"x"`):                           `rules: modes[1].on_crash: expected "resume", "cancel" or "settle", found "x"`,
		mode(`"bounds":{"goal difference":{"min":"0"}}`): `rules: modes[1].bounds["goal difference"].min: expected a number, found "0"`,
		mode(`"bounds":{"outcome":{"mn":0}}`):            `rules: modes[1].bounds.outcome.mn: unknown field`,
		mode(`"bots":{"board":"include"}`):               `rules: modes[1].bots.board: unknown field`,
		mode(`"bots":{"boards":true}`):                   `rules: modes[1].bots.boards: expected "exclude" or "include", found true`,
		mode(`"unfinished":{"achievements":"exclude"}`):  `rules: modes[1].unfinished.achievements: unknown field`,
		mode(`"fee":{"amount":1.5}`):                     `rules: modes[1].fee.amount: expected a whole number, found 1.5`,
		mode(`"rating":{"system":"x"}`):                  `rules: modes[1].rating.system: expected "elo", "glicko2" or "weng_lin", found "x"`,
		mode(`"boards":"x"`):                             `rules: modes[1].boards: expected a list, found "x"`,
		mode(`"boards":[1]`):                             `rules: modes[1].boards[0]: expected a string, found 1`,
		mode(`"prizes":[{"ties":"x"}]`):                  `rules: modes[1].prizes[0].ties: expected "full", "pool", "down_only" or "tie_break", found "x"`,
		mode(`"prizes":[{"shares":[50,"x"]}]`):           `rules: modes[1].prizes[0].shares[1]: expected a number, found "x"`,
		mode(`"prizes":[{"expires":"1"}]`):               `rules: modes[1].prizes[0].expires: expected a duration`,
		board(`"of":"x"`):                                `rules: boards[0].of: expected "player" or "team", found "x"`,
		board(`"per_match":"x"`):                         `rules: boards[0].per_match: expected "sum" or "best", found "x"`,
		board(`"ties":"x"`):                              `rules: boards[0].ties: expected "share" or "first", found "x"`,
		board(`"kyes":[]`):                               `rules: boards[0].kyes: unknown field`,
		key(`"fold":"avg"`):                              `rules: boards[0].keys[0].fold: expected "sum", "best", "worst", "first", "latest", "mean", "count" or "countback", found "avg"`,
		key(`"scale":"2"`):                               `rules: boards[0].keys[0].scale: expected a whole number, found "2"`,
		key(`"best":"6"`):                                `rules: boards[0].keys[0].best: expected a whole number or a list of segments, found "6"`,
		key(`"best":1.5`):                                `rules: boards[0].keys[0].best: expected a whole number, found 1.5`,
		key(`"best":[{}]`):                               `rules: boards[0].keys[0].best[0].count: the field is missing`,
		key(`"best":[{"count":1,"rounds":8}]`):           `rules: boards[0].keys[0].best[0].rounds: unknown field`,
		key(`"modes":{}`):                                `rules: boards[0].keys[0].modes: expected a list, found an object`,
		board(`"window":"all"`):                          `rules: boards[0].window: expected an object, found "all"`,
		board(`"window":{"every":"year"}`):               `rules: boards[0].window.every: expected "all", "day", "week", "month" or "season", found "year"`,
		board(`"window":{"week_start":"mon"}`):           `rules: boards[0].window.week_start: expected "monday", "tuesday"`,
		board(`"window":{"by":"created_at"}`):            `rules: boards[0].window.by: expected "ended_at" or "started_at", found "created_at"`,
		board(`"window":{"fixed":[{"id":"s"}]}`):         `rules: boards[0].window.fixed[0].start: the field is missing`,
		board(`"window":{"fixed":[{"id":"s","start":"2026-01-01","end":""}]}`):                                    `rules: boards[0].window.fixed[0].start: "2026-01-01" is not a time as RFC 3339 writes it`,
		board(`"window":{"fixed":[{"id":"s","start":"2026-01-01T00:00:00.0001Z","end":"2026-01-01T00:00:00Z"}]}`): `rules: boards[0].window.fixed[0].start: "2026-01-01T00:00:00.0001Z" is finer than a millisecond`,
		`{"currencies":["coins"]}`:                    `rules: currencies[0]: expected an object, found "coins"`,
		`{"achievements":[{"type":"x"}]}`:             `rules: achievements[0].type: expected "once", "cumulative" or "streak", found "x"`,
		`{"achievements":[{"window":"x"}]}`:           `rules: achievements[0].window: expected "all", "day", "week", "month" or "season", found "x"`,
		`{"levels":[{"thresholds":[1.5]}]}`:           `rules: levels[0].thresholds[0]: expected a whole number, found 1.5`,
		`{"levels":[{"rewards":{"2":{}}}]}`:           `rules: levels[0].rewards.2: expected a list, found an object`,
		`{"levels":[{"rewards":{"2":[{"xp":"x"}]}}]}`: `rules: levels[0].rewards.2[0].xp: unknown field`,
		`{"currencies":[{"id":"a","shortfall":"x"}]}`: `rules: currencies[0].shortfall: expected "debt" or "floor", found "x"`,
		`{"achievements":[{"rank":"1"}]}`:             `rules: achievements[0].rank: expected a whole number, found "1"`,
		mode(`"xp":[{"amount":"10"}]`):                `rules: modes[1].xp[0].amount: expected a whole number, found "10"`,
		mode(`"xp":10`):                               `rules: modes[1].xp: expected a list, found 10`,
		mode(`"bots":{"prizes":"down"}`):              `rules: modes[1].bots.prizes: expected "exclude", "include" or "pass_down", found "down"`,
		mode(`"bots":{"boards":"pass_down"}`):         `rules: modes[1].bots.boards: expected "exclude" or "include", found "pass_down"`,
		mode(`"prizes":[{"item":1}]`):                 `rules: modes[1].prizes[0].item: expected a string, found 1`,
		// A wrong type in a later feature comes before "not supported yet".
		mode(`"on_crash":"settle","rating":{"system":1}`): `rules: modes[1].rating.system: expected`,
	} {
		r, err := ParseRules([]byte(text))
		require.ErrorIs(t, err, ErrInvalid, text)
		require.ErrorContains(t, err, want, text)
		require.Zero(t, r)
	}
}

func TestRulesReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		back, err := decodeRules(text)
		require.NoError(t, err, string(text))
		require.Equal(t, r, back, string(text))
	})
}

func TestZeroRulesAreWrittenAsAnEmptyObject(t *testing.T) {
	text, err := json.Marshal(Rules{Modes: []Mode{}, Boards: nil})
	require.NoError(t, err)
	require.Equal(t, `{}`, string(text))
	text, err = json.Marshal(Rules{Modes: []Mode{{ID: "a", Boards: []string{}, Bounds: map[string]Bound{}}}})
	require.NoError(t, err)
	require.Equal(t, `{"modes":[{"id":"a"}]}`, string(text))
}

func TestAnUnknownPointOfATableIsWrittenAsThe0ThatItStandsFor(t *testing.T) {
	text, err := json.Marshal(Rules{Modes: []Mode{{ID: "a", Points: &Points{ByRank: []Number{Int(3), {}, Int(1)}}}}})
	require.NoError(t, err)
	require.Equal(t, `{"modes":[{"id":"a","points":[3,0,1]}]}`, string(text))
}

func TestWhatTheFormCannotSayIsNotWritten(t *testing.T) {
	fixed := func(at time.Time) Rules {
		return Rules{Boards: []BoardRule{{Window: WindowRule{Fixed: []FixedWindow{{Start: at}}}}}}
	}
	for want, r := range map[string]Rules{
		`rules: modes[0].id: "a\xff" is not valid UTF-8`:          {Modes: []Mode{{ID: "a\xff"}}},
		`rules: modes[0].boards[1]: "\xff" is not valid UTF-8`:    {Modes: []Mode{{Boards: []string{"a", "\xff"}}}},
		`rules: modes[0].bounds["\xff"]: "\xff" is not valid UTF`: {Modes: []Mode{{Bounds: map[string]Bound{"\xff": {}}}}},
		`rules: modes[0].bounds.kills.max: +Inf is not a decimal`: {Modes: []Mode{{Bounds: map[string]Bound{"kills": {Max: Decimal("+Inf")}}}}},
		`rules: modes[0].points: either by result`:                {Modes: []Mode{{Points: &Points{Win: Int(1), ByRank: []Number{Int(1)}}}}},
		`rules: modes[0].missing: either reject`:                  {Modes: []Mode{{Missing: Missing{Reject: true, Outcome: Int(0)}}}},
		`rules: boards[0].window.fixed[0].start: 2026`:            fixed(time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)),
		`rules: boards[0].window.fixed[0].start: 10000`:           fixed(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		_, err := json.Marshal(r)
		require.ErrorIs(t, err, ErrInvalid, want)
		require.ErrorContains(t, err, want)
	}
}

func TestRulesWithinALargerTextAreReadAsStrictly(t *testing.T) {
	var larger struct{ Rules Rules }
	require.NoError(t, json.Unmarshal([]byte(`{"Rules":`+raceRules+`}`), &larger))
	require.Equal(t, Asc, larger.Rules.Modes[0].Order)
	err := json.Unmarshal([]byte(`{"Rules":{"modes":[],"modes":[]}}`), &larger)
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, Asc, larger.Rules.Modes[0].Order)
}

// Whatever parses is written and parses to the same; nothing panics.
func FuzzParseRules(f *testing.F) {
	for _, text := range []string{raceRules, leagueRules, wholeSchema, `{"modes":[{"id":"a","missing":{"outcome":-0}}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decodeRules(text)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		written, err := json.Marshal(r)
		require.NoError(t, err)
		back, err := decodeRules(written)
		require.NoError(t, err)
		require.Equal(t, r, back)
		_, parsed := ParseRules(text)
		require.Equal(t, r.Validate(), parsed)
		if parsed == nil {
			require.NoError(t, r.withDefaults().Validate())
		} else {
			require.True(t, errors.Is(parsed, ErrInvalid))
		}
	})
}
