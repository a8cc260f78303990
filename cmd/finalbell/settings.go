package main

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"

	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/internal/web"
)

// settings are what serve.json says.
type settings struct {
	keys          []dialect.Key
	tokens        []dialect.Token
	keyRate       dialect.Rate // zero: the default
	playerRate    dialect.Rate
	inFlight      int // requests at a time; 0: the default
	connections   int // open at a time; 0: the default
	playerReports bool
	specter       specterSettings
	gamezop       *gamezopSettings    // nil: not served
	gamesparks    *gamesparksSettings // nil: not served
}

type specterSettings struct {
	playersMayEnd, playersMaySetOthers bool
}

type gamezopSettings struct {
	property  string
	bearer    dialect.Digest
	incoming  string             // signs the calls of Gamezop's; empty: signatures are not looked at
	mode      string             // that of the matches which Gamezop's side has created; empty: the dialect's default
	publisher *publisherSettings // nil: winners are pushed to nobody
}

type publisherSettings struct {
	url     string
	secret  string
	private bool
}

type gamesparksSettings struct {
	apiKey, secret, serverSecret string
	events                       map[string]gamesparks.Event // nil: every mode is an event
}

// loadSettings reads serve.json. An error names the field, and does not show what stands where a secret or a digest belongs.
func loadSettings(file string) (settings, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return settings{}, about(file, err)
	}
	s, err := parseSettings(string(text))
	return s, about(file, err)
}

func parseSettings(text string) (settings, error) {
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		return settings{}, err
	}
	r := strictjson.Fields(v)
	r.Require("api_keys")
	seen := make(map[dialect.Digest]string)
	s := settings{
		keys: strictjson.List(r, "api_keys", func(v strictjson.Value) (dialect.Key, error) { return readKey(v, seen) }),
		tokens: strictjson.List(r, "players", func(v strictjson.Value) (dialect.Token, error) {
			return readToken(v, seen)
		}),
		gamezop:       strictjson.Maybe(r, "gamezop", readGamezop),
		gamesparks:    strictjson.Maybe(r, "gamesparks", readGamesparks),
		specter:       strictjson.One(r, "specter", readSpecter),
		playerReports: r.Bool("player_reports"),
	}
	if limits, there := r.Value("limits"); there {
		r.Fail(s.readLimits(limits))
	}
	return s, r.Done()
}

func readKey(v strictjson.Value, seen map[dialect.Digest]string) (dialect.Key, error) {
	r := strictjson.Fields(v)
	r.Require("name", "sha256")
	k := dialect.Key{
		Name: strictjson.One(r, "name", readName), Digest: strictjson.One(r, "sha256", readDigest), Client: r.Bool("client"),
		Expires: strictjson.One(r, "expires", transcript.ReadTime),
	}
	r.Fail(once(v, "sha256", k.Digest, seen))
	return k, r.Done()
}

func readToken(v strictjson.Value, seen map[dialect.Digest]string) (dialect.Token, error) {
	r := strictjson.Fields(v)
	r.Require("id", "token_sha256")
	t := dialect.Token{
		Player: strictjson.One(r, "id", readName), Digest: strictjson.One(r, "token_sha256", readDigest), Expires: strictjson.One(r, "expires", transcript.ReadTime),
	}
	r.Fail(once(v, "token_sha256", t.Digest, seen))
	return t, r.Done()
}

// once refuses a digest that somebody else has: nobody could tell who of them calls.
func once(v strictjson.Value, field string, d dialect.Digest, seen map[dialect.Digest]string) error {
	if d == (dialect.Digest{}) {
		return nil // refused already
	}
	path := strictjson.Child(v.Path(), field)
	if other, there := seen[d]; there {
		return fmt.Errorf("%s: the same as %s", path, other)
	}
	seen[d] = path
	return nil
}

// mostName is how many bytes an id has at most.
const mostName = 128

// readName takes the name of a key, or an id.
func readName(v strictjson.Value) (string, error) {
	text, err := v.AsString()
	if err == nil && (text == "" || len(text) > mostName) {
		err = v.Errorf("expected 1 to %d bytes", mostName)
	}
	return text, err
}

// readDigest takes what finalbell token prints.
func readDigest(v strictjson.Value) (dialect.Digest, error) {
	var d dialect.Digest
	digest, err := hex.DecodeString(v.Text())
	if v.Kind() != strictjson.String || err != nil || len(digest) != len(d) {
		return d, v.Errorf("expected the SHA-256 digest as %d hexadecimal digits, as finalbell token prints it", hex.EncodedLen(len(d)))
	}
	copy(d[:], digest)
	if d == (dialect.Digest{}) {
		return d, v.Errorf("nobody knows a secret of this digest")
	}
	return d, nil
}

// readSecret takes a text that no error shows.
func readSecret(v strictjson.Value) (string, error) {
	if v.Kind() != strictjson.String || v.Text() == "" {
		return "", v.Errorf("expected a string that is not empty")
	}
	return v.Text(), nil
}

// readWebhookSecret takes one that signs webhooks.
func readWebhookSecret(v strictjson.Value) (string, error) {
	text, err := readSecret(v)
	if err == nil {
		if _, wrong := web.WebhookKey(text); wrong != nil {
			err = v.Errorf("%w", wrong)
		}
	}
	return text, err
}

func readSpecter(v strictjson.Value) (specterSettings, error) {
	r := strictjson.Fields(v)
	s := specterSettings{playersMayEnd: r.Bool("players_may_end"), playersMaySetOthers: r.Bool("players_may_set_others")}
	return s, r.Done()
}

func readGamezop(v strictjson.Value) (gamezopSettings, error) {
	r := strictjson.Fields(v)
	r.Require("property_id", "bearer_sha256")
	s := gamezopSettings{
		property: strictjson.One(r, "property_id", readName), bearer: strictjson.One(r, "bearer_sha256", readDigest),
		mode: strictjson.One(r, "mode", readName), publisher: strictjson.Maybe(r, "publisher", readPublisher),
		incoming: strictjson.One(r, "incoming_secret", readWebhookSecret),
	}
	return s, r.Done()
}

func readPublisher(v strictjson.Value) (publisherSettings, error) {
	r := strictjson.Fields(v)
	r.Require("url", "secret")
	s := publisherSettings{private: r.Bool("private")}
	s.url = strictjson.One(r, "url", func(v strictjson.Value) (string, error) {
		text, err := readSecret(v) // a URL may hold a password
		if err == nil {
			if wrong := web.CheckURL(text, s.private); wrong != nil {
				err = v.Errorf("%w", wrong)
			}
		}
		return text, err
	})
	s.secret = strictjson.One(r, "secret", readWebhookSecret)
	return s, r.Done()
}

func readGamesparks(v strictjson.Value) (gamesparksSettings, error) {
	r := strictjson.Fields(v)
	r.Require("api_key", "secret")
	s := gamesparksSettings{
		apiKey: strictjson.One(r, "api_key", readSecret), secret: strictjson.One(r, "secret", readSecret), serverSecret: strictjson.One(r, "server_secret", readSecret),
		events: strictjson.Map(r, "events", readEvent),
	}
	return s, r.Done()
}

// readEvent takes what an event of .LogEventRequest means.
func readEvent(v strictjson.Value) (gamesparks.Event, error) {
	r := strictjson.Fields(v)
	ev := gamesparks.Event{
		Mode: strictjson.One(r, "mode", readName), Match: strictjson.One(r, "match", readName), Outcome: strictjson.One(r, "outcome", readName),
		Metrics: strictjson.Map(r, "metrics", readName),
	}
	return ev, r.Done()
}

func (s *settings) readLimits(v strictjson.Value) error {
	r := strictjson.Fields(v)
	s.keyRate, s.playerRate = readRate(r, "key_per_second", "key_burst"), readRate(r, "player_per_second", "player_burst")
	if r.Has("in_flight") {
		s.inFlight = strictjson.One(r, "in_flight", readFromOne)
	}
	if r.Has("connections") {
		s.connections = strictjson.One(r, "connections", readFromOne)
	}
	return r.Done()
}

// readRate reads two fields that belong together.
func readRate(r *strictjson.Reader, perSecond, burst string) dialect.Rate {
	if !r.Has(perSecond) && !r.Has(burst) {
		return dialect.Rate{}
	}
	r.Require(perSecond, burst)
	return dialect.Rate{PerSecond: strictjson.One(r, perSecond, readPositive), Burst: strictjson.One(r, burst, readFromOne)}
}

func readPositive(v strictjson.Value) (float64, error) {
	const most = 1e9
	n, err := strconv.ParseFloat(v.Text(), 64)
	if v.Kind() != strictjson.Number || err != nil || n <= 0 || n > most {
		return 0, v.Expected("a number above 0")
	}
	return n, nil
}

func readFromOne(v strictjson.Value) (int, error) {
	n, err := v.AsInt()
	if err != nil || n < 1 {
		return 0, v.Expected("a whole number from 1")
	}
	return n, nil
}

// hasSecrets reports whether there is more in the file than digests.
func (s settings) hasSecrets() bool {
	return s.gamesparks != nil || s.gamezop != nil && (s.gamezop.publisher != nil || s.gamezop.incoming != "")
}

// warnOfReaders warns of a file with secrets that others can read. Windows keeps who may read a file elsewhere.
func warnOfReaders(log *slog.Logger, file string, s settings) error {
	if !s.hasSecrets() || runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return about(file, err)
	}
	if info.Mode().Perm()&0o044 != 0 {
		log.Warn("others can read the file of the settings, and there are secrets in it", "file", file, "mode", info.Mode().Perm().String())
	}
	return nil
}
