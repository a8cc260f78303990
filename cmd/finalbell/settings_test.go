package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
)

// All that serve.json may say is read.
func TestSettingsAreRead(t *testing.T) {
	s, err := parseSettings(`{"api_keys":[{"name":"prod","sha256":"` + digestText("a") + `","expires":"2027-01-01T00:00:00+01:00"},{"name":"prod","sha256":"` + strings.ToUpper(digestText("b")) + `","client":true}],
		"players":[{"id":"ann","token_sha256":"` + digestText("c") + `","expires":"2027-01-01T00:00:00Z"}],
		"gamezop":{"property_id":"1234","bearer_sha256":"` + digestText("d") + `","mode":"duel","incoming_secret":"sealed","publisher":{"url":"http://localhost:9/winners","secret":"whsec_c2VjcmV0","private":true}},
		"gamesparks":{"api_key":"demo","secret":"hush","server_secret":"still","events":{"GOAL":{"mode":"duel","match":"M","outcome":"N","metrics":{"K":"kills"}}}},
		"specter":{"players_may_end":true,"players_may_set_others":true},"player_reports":true,
		"limits":{"key_per_second":0.5,"key_burst":3,"player_per_second":10,"player_burst":20,"in_flight":7,"connections":8}}`)
	require.NoError(t, err)
	require.Equal(t, settings{
		keys: []dialect.Key{
			{Name: "prod", Digest: dialect.DigestOf("a"), Expires: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)},
			{Name: "prod", Digest: dialect.DigestOf("b"), Client: true},
		},
		tokens:  []dialect.Token{{Player: "ann", Digest: dialect.DigestOf("c"), Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}},
		keyRate: dialect.Rate{PerSecond: 0.5, Burst: 3}, playerRate: dialect.Rate{PerSecond: 10, Burst: 20}, inFlight: 7, connections: 8, playerReports: true,
		specter: specterSettings{playersMayEnd: true, playersMaySetOthers: true},
		gamezop: &gamezopSettings{property: "1234", bearer: dialect.DigestOf("d"), mode: "duel", incoming: "sealed",
			publisher: &publisherSettings{url: "http://localhost:9/winners", secret: "whsec_c2VjcmV0", private: true}},
		gamesparks: &gamesparksSettings{apiKey: "demo", secret: "hush", serverSecret: "still",
			events: map[string]gamesparks.Event{"GOAL": {Mode: "duel", Match: "M", Outcome: "N", Metrics: map[string]string{"K": "kills"}}}},
	}, s)
	s, err = parseSettings(`{"api_keys":[]}`)
	require.NoError(t, err)
	require.Equal(t, settings{}, s)
}

// What serve.json may not say is refused by its path, and what stands there is not shown where it may be a secret.
func TestSettingsAreRefusedByTheirPath(t *testing.T) {
	digest := digestText("a")
	const secret = "pasted-here-by-mistake"
	key := `{"api_keys":[{"name":"prod","sha256":"` + digest + `"}]`
	for text, want := range map[string]string{
		`[]`:                    "expected an object, found a list",
		`{}`:                    "api_keys: the field is missing",
		`{"api_keys":{}}`:       "api_keys: expected a list, found an object",
		`{"api_keys":[5]}`:      "api_keys[0]: expected an object, found 5",
		key + `,"api_keys":[]}`: `byte 106: the key "api_keys" comes twice`,
		key + `,"apikeys":[]}`:  "apikeys: unknown field",
		`{"api_keys":[{"sha256":"` + digest + `"}]}`:                                                    "api_keys[0].name: the field is missing",
		`{"api_keys":[{"name":"prod"}]}`:                                                                "api_keys[0].sha256: the field is missing",
		`{"api_keys":[{"name":"","sha256":"` + digest + `"}]}`:                                          "api_keys[0].name: expected 1 to 128 bytes",
		`{"api_keys":[{"name":"prod","sha256":"` + secret + `"}]}`:                                      "api_keys[0].sha256: expected the SHA-256 digest as 64 hexadecimal digits, as finalbell token prints it",
		`{"api_keys":[{"name":"prod","sha256":"` + digest[2:] + `"}]}`:                                  "api_keys[0].sha256: expected the SHA-256 digest as 64 hexadecimal digits, as finalbell token prints it",
		`{"api_keys":[{"name":"prod","sha256":"` + strings.Repeat("0", 64) + `"}]}`:                     "api_keys[0].sha256: nobody knows a secret of this digest",
		`{"api_keys":[{"name":"prod","sha256":12}]}`:                                                    "api_keys[0].sha256: expected the SHA-256 digest as 64 hexadecimal digits, as finalbell token prints it",
		`{"api_keys":[{"name":"prod","sha256":"` + digest + `","client":"yes"}]}`:                       `api_keys[0].client: expected true or false, found "yes"`,
		`{"api_keys":[{"name":"prod","sha256":"` + digest + `","key":"x"}]}`:                            "api_keys[0].key: unknown field",
		`{"api_keys":[{"name":"prod","sha256":"` + digest + `","expires":"tomorrow"}]}`:                 `api_keys[0].expires: "tomorrow" is not`,
		`{"api_keys":[{"name":"a","sha256":"` + digest + `"},{"name":"b","sha256":"` + digest + `"}]}`:  "api_keys[1].sha256: the same as api_keys[0].sha256",
		key + `,"players":[{"id":"ann","token_sha256":"` + digest + `"}]}`:                              "players[0].token_sha256: the same as api_keys[0].sha256",
		key + `,"players":[{"token_sha256":"` + digest + `"}]}`:                                         "players[0].id: the field is missing",
		key + `,"players":[{"id":"` + strings.Repeat("x", 129) + `","token_sha256":"` + digest + `"}]}`: "players[0].id: expected 1 to 128 bytes",
		key + `,"players":[{"id":"ann"}]}`:                                                              "players[0].token_sha256: the field is missing",
		key + `,"player_reports":1}`:                                                                    "player_reports: expected true or false, found 1",
		key + `,"specter":{"players_may":true}}`:                                                        "specter.players_may: unknown field",
		key + `,"specter":null}`:                                                                        "specter: expected an object, found null",
		key + `,"gamezop":{"bearer_sha256":"` + digest + `"}}`:                                          "gamezop.property_id: the field is missing",
		key + `,"gamezop":{"property_id":"1"}}`:                                                         "gamezop.bearer_sha256: the field is missing",
		key + `,"gamezop":{"property_id":1,"bearer_sha256":"` + digest + `"}}`:                          "gamezop.property_id: expected a string, found 1",
		key + `,"gamezop":{"property_id":"1","bearer_sha256":"` + secret + `"}}`:                        "gamezop.bearer_sha256: expected the SHA-256 digest",
		key + gamezopText(`{"url":"https://example.com"}`):                                              "gamezop.publisher.secret: the field is missing",
		key + gamezopText(`{"url":"http://example.com","secret":"s"}`):                                  "gamezop.publisher.url: expected https",
		key + gamezopText(`{"url":"https://u:`+secret+`@example.com","secret":"s"}`):                    "gamezop.publisher.url: it may not name a user or a password",
		key + gamezopText(`{"url":"https://example.com","secret":""}`):                                  "gamezop.publisher.secret: expected a string that is not empty",
		key + gamezopText(`{"url":"https://example.com","secret":"whsec_`+secret+`"}`):                  "gamezop.publisher.secret: after whsec_: expected base64",
		key + gamezopText(`{"url":"https://example.com","secret":["`+secret+`"]}`):                      "gamezop.publisher.secret: expected a string that is not empty",
		key + `,"gamesparks":{"api_key":"demo"}}`:                                                       "gamesparks.secret: the field is missing",
		key + `,"gamesparks":{"api_key":"demo","secret":7}}`:                                            "gamesparks.secret: expected a string that is not empty",
		key + `,"gamesparks":{"api_key":"demo","secret":"s","events":[]}}`:                              "gamesparks.events: expected an object, found a list",
		key + `,"limits":{"key_burst":5}}`:                                                              "limits.key_per_second: the field is missing",
		key + `,"limits":{"player_per_second":5}}`:                                                      "limits.player_burst: the field is missing",
		key + `,"limits":{"key_per_second":0,"key_burst":5}}`:                                           "limits.key_per_second: expected a number above 0, found 0",
		key + `,"limits":{"key_per_second":1e400,"key_burst":5}}`:                                       "limits.key_per_second: expected a number above 0, found 1e400",
		key + `,"limits":{"player_per_second":5,"player_burst":0.5}}`:                                   "limits.player_burst: expected a whole number from 1, found 0.5",
		key + `,"limits":{"in_flight":0}}`:                                                              "limits.in_flight: expected a whole number from 1, found 0",
		key + `,"limits":{"connections":0}}`:                                                            "limits.connections: expected a whole number from 1, found 0",
		key + `,"limits":{"flight":1}}`:                                                                 "limits.flight: unknown field",
	} {
		_, err := parseSettings(text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), secret)
	}
}

func gamezopText(publisher string) string {
	return `,"gamezop":{"property_id":"1","bearer_sha256":"` + digestText("d") + `","publisher":` + publisher + `}}`
}
