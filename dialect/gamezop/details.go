package gamezop

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// RoomDetails is what a link to a game says of the room that its player waits in: the parameter roomDetails.
type RoomDetails struct {
	RoomID                 string
	User                   User
	MinPlayers, MaxPlayers int // 0: as the mode says
	MaxWait                int // for other players, in seconds
	Rounds                 int
	CTA, Text              string
	AllowBots              bool
}

// User is a player as Gamezop shows them. Sub is the publisher's name of them: the player's id in the engine.
type User struct{ Name, Photo, Sub string }

const (
	longestDetails = 8 << 10       // bytes of a parameter: of more no browser makes a link
	defaultWait    = 60            // seconds
	mostWait       = 24 * 60 * 60  // seconds
	mostCount      = 1<<31 - 1     // players or rounds
	asciiLimit     = utf8.RuneSelf // from here on a character is escaped
	surrogateFrom  = 0x10000       // and from here on as two
)

// ParseRoomDetails reads the parameter as a browser makes it, encodeURIComponent(btoa(JSON.stringify(details))): percent-encoded or
// not, in either alphabet of base64, padded or not. The bytes are read as UTF-8 where they are that, and else as Latin-1, for btoa
// alone takes nothing else; a name in Latin-1 whose bytes happen to be UTF-8 cannot be told from that. Fields that are not known
// are let pass, for Gamezop may have more; those that are must be right. Without maxWait it is 60 seconds.
func ParseRoomDetails(text string) (RoomDetails, error) {
	d, err := parseDetails(text)
	if err != nil {
		return RoomDetails{}, fmt.Errorf("roomDetails: %w", err)
	}
	return d, nil
}

func parseDetails(text string) (RoomDetails, error) {
	if len(text) > longestDetails {
		return RoomDetails{}, fmt.Errorf("%d bytes are more than %d", len(text), longestDetails)
	}
	text, err := url.PathUnescape(text)
	if err != nil {
		return RoomDetails{}, errors.New("a percent sign without two digits")
	}
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return RoomDetails{}, errors.New("expected base64")
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	content, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return RoomDetails{}, errors.New("expected base64")
	}
	if !utf8.Valid(content) {
		content = fromLatin1(content)
	}
	v, err := strictjson.Parse(content)
	if err != nil {
		return RoomDetails{}, err
	}
	return readDetails(v)
}

// fromLatin1 is text of which every byte is a character.
func fromLatin1(text []byte) []byte {
	runes := make([]rune, len(text))
	for i, b := range text {
		runes[i] = rune(b)
	}
	return []byte(string(runes))
}

func readDetails(v strictjson.Value) (RoomDetails, error) {
	r := strictjson.Fields(v)
	r.Require("roomId")
	pass(r, v)
	d := RoomDetails{
		RoomID:     strictjson.One(r, "roomId", word),
		User:       strictjson.One(r, "user", readUser),
		MinPlayers: count(r, "minPlayers", 0, mostCount),
		MaxPlayers: count(r, "maxPlayers", 0, mostCount),
		MaxWait:    count(r, "maxWait", defaultWait, mostWait),
		Rounds:     count(r, "rounds", 0, mostCount),
		CTA:        r.String("cta"),
		Text:       r.String("text"),
		AllowBots:  r.Bool("allowBots"),
	}
	if d.MaxPlayers > 0 && d.MinPlayers > d.MaxPlayers {
		r.Fail(fmt.Errorf("minPlayers: %d is more than the %d of maxPlayers", d.MinPlayers, d.MaxPlayers))
	}
	return d, r.Done()
}

func readUser(v strictjson.Value) (User, error) {
	r := strictjson.Fields(v)
	pass(r, v)
	u := User{Name: r.String("name"), Photo: r.String("photo"), Sub: r.String("sub")}
	return u, r.Done()
}

// pass lets fields pass that are not known.
func pass(r *strictjson.Reader, v strictjson.Value) {
	for name := range v.Members() {
		r.Value(name)
	}
}

// count reads a whole number up to a limit.
func count(r *strictjson.Reader, name string, otherwise, most int) int {
	if !r.Has(name) {
		return otherwise
	}
	return strictjson.One(r, name, func(v strictjson.Value) (int, error) {
		n, err := v.AsInt()
		if err == nil && (n < 0 || n > most) {
			err = v.Expected(fmt.Sprintf("a number from 0 to %d", most))
		}
		return n, err
	})
}

// wireDetails is RoomDetails in JSON.
type wireDetails struct {
	RoomID     string   `json:"roomId"`
	User       wireUser `json:"user"`
	MaxPlayers int      `json:"maxPlayers"`
	MinPlayers int      `json:"minPlayers"`
	MaxWait    int      `json:"maxWait"`
	Rounds     int      `json:"rounds,omitempty"`
	CTA        string   `json:"cta,omitempty"`
	Text       string   `json:"text,omitempty"`
	AllowBots  bool     `json:"allowBots,omitempty"`
}

type wireUser struct {
	Name  string `json:"name"`
	Photo string `json:"photo"`
	Sub   string `json:"sub"`
}

// Encode is the value of the parameter for a link to a game: ParseRoomDetails reads the same from it, if it has a RoomID and no
// limit is passed. It is ASCII in every layer, so that it reads the same whichever way the game turns bytes into text.
func (d RoomDetails) Encode() string {
	text := stringified(wireDetails{
		RoomID: d.RoomID, User: wireUser(d.User), MaxPlayers: d.MaxPlayers, MinPlayers: d.MinPlayers, MaxWait: d.MaxWait,
		Rounds: d.Rounds, CTA: d.CTA, Text: d.Text, AllowBots: d.AllowBots,
	})
	return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(text)))
}

// Room is the room of the details, for Engine.OpenRoom. It says nothing of the player, so that the links of all who share a room
// open the same one.
func (d RoomDetails) Room(mode string) finalbell.NewRoom {
	return finalbell.NewRoom{
		ID: d.RoomID, Mode: mode, Players: finalbell.Limits{Min: d.MinPlayers, Max: d.MaxPlayers}, Wait: time.Duration(d.MaxWait) * time.Second,
	}
}

// stringified is a value of this package's as JSON in ASCII.
func stringified(v any) string {
	var text, out strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // unreachable: texts and numbers
	}
	for _, c := range strings.TrimSuffix(text.String(), "\n") {
		switch {
		case c < asciiLimit:
			out.WriteRune(c)
		case c < surrogateFrom:
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			c -= surrogateFrom
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		}
	}
	return out.String()
}
