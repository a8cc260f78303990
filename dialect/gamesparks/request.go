package gamesparks

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// fields are the members of a frame. They are written by name, so that the same frame is the same bytes.
type fields map[string]any

func (f fields) text() []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		// Only what a script brings could be without a JSON form, and that was tried before.
		return []byte(`{"@class":".ErrorResponse","error":{"server":"FAILED"}}`)
	}
	return bytes.TrimRight(text.Bytes(), "\n")
}

// reader reads the fields of a request. A null is a field that is not there: the SDKs send one for what was not set. Fields that are
// not asked for are let through, because every SDK sends some of its own.
type reader struct {
	object strictjson.Value
	wrong  Refusal // by field
}

// maxText is how many bytes a name, an id or a key may have.
const maxText = 128

func (r *reader) value(name string) (strictjson.Value, bool) {
	v, there := strictjson.Fields(r.object).Value(name)
	return v, there && v.Kind() != strictjson.Null
}

// text is a string, empty if it is not there.
func (r *reader) text(name string) string {
	v, there := r.value(name)
	if there && v.Kind() != strictjson.String {
		r.wrong[name] = "INVALID"
		return ""
	}
	if !there {
		return ""
	}
	return v.Text()
}

// needed is a string that must be there.
func (r *reader) needed(name string) string {
	text := r.text(name)
	if text == "" && r.wrong[name] == "" {
		r.wrong[name] = "REQUIRED"
	}
	return text
}

// name is a string for people or machines to tell things apart by: short and without control characters.
func (r *reader) name(name string, needed bool) string {
	text := r.text(name)
	switch {
	case len(text) > maxText || !isPlain(text):
		r.wrong[name] = "INVALID"
	case needed && text == "" && r.wrong[name] == "":
		r.wrong[name] = "REQUIRED"
	}
	return text
}

// whole is a whole number within bounds.
func (r *reader) whole(name string, otherwise, from, to int) int {
	v, there := r.value(name)
	if !there {
		return otherwise
	}
	text, is := numeric(v)
	n, err := strconv.Atoi(text)
	if !is || err != nil || n < from || n > to {
		r.wrong[name] = "INVALID"
	}
	return n
}

// numeric is the text of a number. SDKs send what a game gives them, and games give numbers as strings too.
func numeric(v strictjson.Value) (string, bool) {
	if v.Kind() == strictjson.String {
		var err error
		if v, err = strictjson.Parse([]byte(v.Text())); err != nil {
			return "", false
		}
	}
	return v.Text(), v.Kind() == strictjson.Number
}

// flag is a boolean, false if it is not there.
func (r *reader) flag(name string) bool {
	v, there := r.value(name)
	if there && v.Kind() != strictjson.Bool {
		r.wrong[name] = "INVALID"
	}
	return there && v.Text() == "true"
}

// some tells whether a list is there and has anything in it; one may be written as its only element.
func (r *reader) some(name string) bool {
	v, there := r.value(name)
	return there && (v.Kind() != strictjson.Array || v.Len() > 0) && (v.Kind() != strictjson.String || v.Text() != "")
}

// done is what was wrong, if anything.
func (r *reader) done() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return r.wrong
}

func isPlain(text string) bool { return !strings.ContainsFunc(text, unicode.IsControl) }

// class is a kind of request.
type class struct {
	response string // the class of what answers it
	open     bool   // to who is not signed in
	about    string // the field that is to blame for an error that names none
	respond  func(*exchange, context.Context) error
}

// classes are the requests that are served.
var classes = map[string]class{
	".DeviceAuthenticationRequest": {".AuthenticationResponse", true, "deviceId", (*exchange).authenticateDevice},
	".AuthenticationRequest":       {".AuthenticationResponse", true, "DETAILS", (*exchange).authenticate},
	".RegistrationRequest":         {".RegistrationResponse", true, "USERNAME", (*exchange).register},
	".EndSessionRequest":           {".EndSessionResponse", false, "session", (*exchange).endSession},
	".AccountDetailsRequest":       {".AccountDetailsResponse", false, "player", (*exchange).accountDetails},
	".LogEventRequest":             {".LogEventResponse", false, "eventKey", (*exchange).logEvent},
	".LeaderboardDataRequest":      {".LeaderboardDataResponse", false, "leaderboardShortCode", (*exchange).leaderboardData},
	".AroundMeLeaderboardRequest":  {".AroundMeLeaderboardResponse", false, "leaderboardShortCode", (*exchange).aroundMe},
}

// exchange is a request on its way to its response.
type exchange struct {
	server     *Server
	connection *connection // nil: of the host's own
	trusted    bool        // from a server, for the player that it names
	player     string      // who asks; empty: nobody yet

	request    reader
	class      string
	known      class
	id         json.RawMessage // of the request, as it came
	reply      fields
	scriptData map[string]any
}

// read takes the frame apart, as far as that is needed to answer it.
func (x *exchange) read(frame []byte) error {
	x.known = class{response: ".ErrorResponse", about: "request"}
	v, err := strictjson.Parse(frame)
	if err != nil || v.Kind() != strictjson.Object {
		return Refusal{"request": "INVALID"}
	}
	x.request = reader{object: v, wrong: Refusal{}}
	if id, there := x.request.value("requestId"); there {
		if id.Kind() != strictjson.String && id.Kind() != strictjson.Number || len(id.Text()) > maxText {
			return Refusal{"requestId": "INVALID"}
		}
		x.id = id.Append(nil)
	}
	x.class = x.request.text("@class")
	known, is := classes[x.class]
	switch name, isRequest := strings.CutSuffix(x.class, "Request"); {
	case is:
		x.known = known
	case isRequest && strings.HasPrefix(name, ".") && len(name) <= maxText:
		x.known.response = name + "Response" // by which the SDK finds who asked
		fallthrough
	default:
		return Refusal{"@class": "UNRECOGNISED"}
	}
	return nil
}

// answer is the response to a frame. An error has done nothing, unless it is of a script after the request.
func (x *exchange) answer(ctx context.Context, frame []byte) []byte {
	err := x.read(frame)
	if err == nil {
		err = x.whose()
	}
	if err == nil {
		x.reply, x.scriptData = fields{}, map[string]any{}
		err = x.script(ctx, x.server.options.Request, nil)
	}
	if err == nil && x.connection != nil && x.known.presence() {
		err = x.connection.play(ctx)
	}
	if err == nil {
		err = x.known.respond(x, ctx)
	}
	if err == nil {
		err = x.script(ctx, x.server.options.Response, x.reply)
	}
	if err != nil {
		return x.refused(x.server.refusal(ctx, err, x.known.about))
	}
	x.reply["@class"], x.reply["scriptData"] = x.known.response, x.scriptData
	return x.identified(x.reply).text()
}

// whose finds the player of a request, and counts it.
func (x *exchange) whose() error {
	if x.connection != nil && x.trusted {
		x.player = x.request.name("playerId", false)
		if err := x.request.done(); err != nil {
			return err
		}
		if x.player == "" && !x.known.open {
			return Refusal{"playerId": "REQUIRED"}
		}
	}
	now := x.server.options.Now()
	switch {
	case x.player == "" && !x.known.open:
		return Refusal{"authentication": "NOTAUTHORIZED"}
	case x.trusted:
		return nil
	case x.known.open && !x.connection.signIns.AllowN(now, 1):
		return throttled
	case x.player == "":
		return nil
	}
	return x.server.options.Access.Count(x.player)
}

// refused is the response that says an error.
func (x *exchange) refused(said Refusal) []byte {
	f := fields{"@class": x.known.response, "error": said}
	if len(x.scriptData) > 0 {
		f["scriptData"] = x.scriptData
	}
	return x.identified(f).text()
}

func (x *exchange) identified(f fields) fields {
	if x.id != nil {
		f["requestId"] = x.id
	}
	return f
}

// presence tells whether the request is of somebody who plays: not the one that ends their session.
func (c class) presence() bool { return !c.open && c.response != ".EndSessionResponse" }
