package specter

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/web"
)

// Options say whom a handler serves, and what players may do by themselves. Only Access is required.
type Options struct {
	// Access tells the callers apart. A key that is not a Client's is a server's.
	Access *dialect.Access

	// PlayersMayEnd lets a player end a session that they are in, with their own outcome: who is not reported then has what
	// the mode's Missing says, and a session that is ended without any outcome is no contest. Otherwise only a server ends.
	PlayersMayEnd bool
	// PlayersMaySetOthers lets a player who may end report the others' outcomes too, and those of bots.
	PlayersMaySetOthers bool

	// KeepsParams says that the engine's Before hook is Keep, or calls it, so that text in customParams, specterParams and meta
	// is kept with the match. Otherwise a call that brings any is refused: there is no place for it.
	KeepsParams bool

	// Exists says whether there is such a user. Default: there is.
	Exists func(ctx context.Context, user string) (bool, error)
	// Active says whether a mode may be played now. Default: each of the rules.
	Active func(ctx context.Context, mode string) (bool, error)

	// Game is the id of the game that the modes are of; the documents call the modes the matches of a game.
	Game string
	// Describe tells how something is shown in results and histories. Default: by its id.
	Describe func(of Kind, id string) Resource
}

// Kind is what a Resource describes.
type Kind string

// The kinds, in the words of the documents.
const (
	Game        Kind = "game"
	Mode        Kind = "match"
	Competition Kind = "competition"
	User        Kind = "user"
)

// Resource is how something is shown.
type Resource struct{ Name, Description, IconURL string }

// Handler serves an engine to clients of Specter, until the engine is closed. It is safe for concurrent use. The error is about
// Options, and names the field, or one of the engine's.
func Handler(e *finalbell.Engine, o Options) (http.Handler, error) {
	if o.Access == nil {
		return nil, errors.New("options.Access: required")
	}
	if o.PlayersMaySetOthers && !o.PlayersMayEnd {
		return nil, errors.New("options.PlayersMaySetOthers: means nothing without PlayersMayEnd")
	}
	if o.Describe == nil {
		o.Describe = func(_ Kind, id string) Resource { return Resource{Name: id} }
	}
	r, err := follow(e)
	if err != nil {
		return nil, err
	}
	return &handler{engine: e, options: o, routes: routes(), running: r, starting: starting{players: make(map[string]chan struct{})}}, nil
}

type handler struct {
	engine   *finalbell.Engine
	options  Options
	routes   map[string]route
	running  *running
	starting starting
}

// route is what is served at a path, behind /v2/client and, for older SDKs, /v1/client.
type route struct {
	callers callers
	include bool // the query may ask for the match
	serve   func(*handler, call, strictjson.Value) (reply, error)
}

// callers are those whom a route is for.
type callers int

const (
	players callers = iota // a key and a player's token
	servers                // a server's key
	both                   // either
)

func routes() map[string]route {
	return map[string]route{
		"/matches/create-session":            {players, true, (*handler).createSession},
		"/matches/start-session":             {players, true, (*handler).startSession},
		"/matches/end-session":               {players, true, (*handler).endSession},
		"/matches/get-match-session-results": {both, false, (*handler).sessionResults},
		"/matches/get-session-details":       {both, false, (*handler).sessionDetails},
		"/player/me/get-match-history":       {players, false, (*handler).matchHistory},
		"/matchmaking/create-match-session":  {servers, true, (*handler).createSession},
		"/matchmaking/start-match-session":   {servers, true, (*handler).startSession},
		"/matchmaking/end-match-session":     {servers, true, (*handler).endSession},
	}
}

// call is who calls, and what for beside the body.
type call struct {
	ctx    context.Context
	player string // empty: a server
	match  bool   // the reply is to have the match
}

func (c call) server() bool { return c.player == "" }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, is := strings.CutPrefix(r.URL.Path, "/v2/client")
	if !is {
		path, is = strings.CutPrefix(r.URL.Path, "/v1/client")
	}
	rt, there := h.routes[path]
	if !is || !there {
		gateway(w, &web.Refusal{Status: http.StatusNotFound, Text: "there is no such route"})
		return
	}
	c, err := h.admit(w, r, rt)
	if err != nil {
		gateway(w, err)
		return
	}
	if c.match, err = included(r, rt); err != nil {
		refuse(w, err)
		return
	}
	body, err := web.Object(w, r)
	if err != nil {
		gateway(w, err)
		return
	}
	rep, err := rt.serve(h, c, body)
	if err != nil {
		refuse(w, err)
		return
	}
	rep.write(w)
}

// admit tells who calls, and whether the route is for them.
func (h *handler) admit(w http.ResponseWriter, r *http.Request, rt route) (call, error) {
	c := call{ctx: r.Context()}
	if err := web.Method(w, r, http.MethodPost); err != nil {
		return c, err
	}
	secrets := r.Header.Values("Api-Key")
	if len(secrets) != 1 {
		return c, dialect.ErrCaller
	}
	key, err := h.options.Access.Key(secrets[0])
	if err != nil {
		return c, err
	}
	web.Called(c.ctx, key.Name)
	withToken := rt.callers == players || rt.callers == both && (key.Client || len(r.Header.Values("Authorization")) > 0)
	switch {
	case withToken:
		if c.player, err = h.options.Access.Player(c.ctx, web.Bearer(r)); err != nil {
			return c, err
		}
		web.Called(c.ctx, c.player)
	case key.Client:
		return c, &web.Refusal{Status: http.StatusForbidden, Text: "the key of a game may not do this"}
	}
	return c, nil
}

// included reports whether the query asks for the match. It may ask for nothing else.
func included(r *http.Request, rt route) (bool, error) {
	if r.URL.RawQuery == "" {
		return false, nil
	}
	if rt.include && r.URL.RawQuery == "include=match" {
		return true, nil
	}
	wanted := "none"
	if rt.include {
		wanted = "include=match"
	}
	return false, invalid("the query: expected " + wanted + ", found " + clip(r.URL.RawQuery))
}

// session is a session that the caller may know of: a player those that they are in.
func (h *handler) session(c call, id string) (finalbell.Match, error) {
	m, err := h.engine.Match(c.ctx, id)
	kind, _ := web.Kind(err)
	if kind == finalbell.ErrNotFound || err == nil && !c.server() && seatOf(m, c.player) == nil {
		return finalbell.Match{}, noSession()
	}
	return m, err
}

// isNone reports whether an error says that there is no such session.
func isNone(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.code == codeNoSession
}

// seatOf is a player's standing; nil of who is not in the match.
func seatOf(m finalbell.Match, player string) *finalbell.Standing {
	for i := range m.Standings {
		if m.Standings[i].Player == player {
			return &m.Standings[i]
		}
	}
	return nil
}

// entryOf is the entry with which a player is in a match; empty: none.
func entryOf(m finalbell.Match, player string) string {
	if s := seatOf(m, player); s != nil {
		return s.Attributes[entryAttribute]
	}
	return ""
}

// clip shortens somebody's text for a message.
func clip(text string) string {
	const most = 140
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
