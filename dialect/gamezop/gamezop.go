package gamezop

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/web"
)

// Options says whom a Handler serves, and what Gamezop's formats need beyond what a match has.
type Options struct {
	// Access has the server keys that are taken as bearer tokens, and counts the calls. It is required.
	Access *dialect.Access
	// Bearer is the digest of the token that opens all routes; zero: none, the server keys of Access alone do. Calls by it, and
	// signed ones, count as those of a key that is called gamezop.
	Bearer dialect.Digest
	// IncomingSecret lets calls of the two POST routes be signed, in the form of Standard Webhooks, in the place of a token:
	// "whsec_" and base64, or any text. Empty: a signature is not looked at.
	IncomingSecret string

	// PropertyID is what match-result answers as property_id, and what is put into the attribute property_id of every match that
	// is created here. A match or a room that has that attribute of another property is as unknown.
	PropertyID string
	// Mode is the mode of the matches in rooms that nobody opened in the engine; default: the first of the rules. ModeOf, in its
	// place, tells it for each room. A room without one takes no matches. An opened room has its own.
	Mode   string
	ModeOf func(room string) string
	// GameCode is Gamezop's code of the game that a mode is of, for matches without an attribute game_code. Default: the mode's id.
	GameCode func(mode string) string
	// IsBot tells which players are Gamezop's bots. Default: those that are bots in the match.
	IsBot func(sub string) bool
	// Icons are the URLs of the pictures of currencies.
	Icons map[string]string

	Now func() time.Time // default time.Now; the signatures' clock
}

// keyName is whose calls those by Options.Bearer and by a signature are.
const keyName = "gamezop"

// The attributes of a match that mean something here.
const (
	propertyAttribute = "property_id"
	gameAttribute     = "game_code"
	deliveryAttribute = "webhook_id" // of the call that created it
)

// What Gamezop says itself when it refuses.
const (
	badBearer = "Bearer token is invalid or missing"
	badMatch  = "match_id is invalid or missing"
	badRoom   = "room_id is invalid or missing"
)

type handler struct {
	Options
	engine *finalbell.Engine
	key    []byte // of IncomingSecret; nil: none
	heard  *heard
	// unknown has a place for each body that is read before it is known whose it is: who sends one slowly keeps nobody else waiting
	// than who signs too.
	unknown chan struct{}
}

// mostUnknown is how many bodies are read at a time of callers who are known by the signature alone.
const mostUnknown = 64

// Handler serves the routes of a publisher, POST /games/create-match and POST /games/receive-winners, and Gamezop's own,
// GET /v1/match-result. The error names the field of the Options that makes no sense.
func Handler(e *finalbell.Engine, o Options) (http.Handler, error) {
	h := &handler{Options: o, engine: e, heard: newHeard(), unknown: make(chan struct{}, mostUnknown)}
	h.Icons = maps.Clone(o.Icons)
	if h.Now == nil {
		h.Now = time.Now
	}
	if e == nil {
		return nil, errors.New("gamezop: an engine is required")
	}
	if o.Access == nil {
		return nil, errors.New("gamezop: Access is required")
	}
	if o.Bearer == dialect.DigestOf("") {
		return nil, errors.New("gamezop: Bearer: it is the digest of no token at all")
	}
	if o.IncomingSecret != "" {
		key, err := web.WebhookKey(o.IncomingSecret)
		if err != nil {
			return nil, fmt.Errorf("gamezop: IncomingSecret: %w", err)
		}
		h.key = key
	}
	if o.Mode != "" {
		if _, there := h.mode(o.Mode); !there {
			return nil, fmt.Errorf("gamezop: Mode: the rules have no mode %q", o.Mode)
		}
	}
	return h, nil
}

// modeOf is the mode of a room that nobody opened; empty: it takes no matches.
func (h *handler) modeOf(room string) string {
	if h.ModeOf != nil {
		return h.ModeOf(room)
	}
	if modes := h.engine.Rules().Modes; h.Mode == "" && len(modes) > 0 {
		return modes[0].ID
	}
	return h.Mode
}

// mode is a mode of the rules of now.
func (h *handler) mode(id string) (finalbell.Mode, bool) {
	modes := h.engine.Rules().Modes
	i := slices.IndexFunc(modes, func(m finalbell.Mode) bool { return m.ID == id })
	if i < 0 {
		return finalbell.Mode{}, false
	}
	return modes[i], true
}

// bot reports whether a player is a bot of Gamezop's.
func (h *handler) bot(sub string) bool { return h.IsBot != nil && h.IsBot(sub) }

// ours reports whether what has these attributes is of no other property.
func (h *handler) ours(attributes map[string]string) bool {
	property, there := attributes[propertyAttribute]
	return !there || property == h.PropertyID
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch r.URL.Path {
	case "/games/create-match":
		err = h.post(w, r, h.createMatch)
	case "/games/receive-winners":
		err = h.post(w, r, h.receiveWinners)
	case "/v1/match-result":
		if err = web.Method(w, r, http.MethodGet); err == nil {
			err = h.byToken(r)
		}
		if err == nil {
			err = h.matchResult(w, r)
		}
	default:
		err = &web.Refusal{Status: http.StatusNotFound, Text: "there is nothing here"}
	}
	if err != nil {
		fail(w, err)
	}
}

// post serves a route of the publisher's.
func (h *handler) post(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request) error) error {
	if err := web.Method(w, r, http.MethodPost); err != nil {
		return err
	}
	// Who signs is known by the signature alone: what came with it may have been seen by others.
	known := h.byToken
	if h.key != nil && len(r.Header.Values(web.HeaderSignature)) > 0 {
		known = func(r *http.Request) error { return h.bySignature(w, r) }
	}
	if err := known(r); err != nil {
		return err
	}
	return serve(w, r)
}

// bySignature takes who has signed the body.
func (h *handler) bySignature(w http.ResponseWriter, r *http.Request) error {
	select {
	case h.unknown <- struct{}{}:
	default:
		return finalbell.ErrUnavailable
	}
	body, err := web.Body(w, r)
	<-h.unknown
	if err != nil {
		return err
	}
	if !web.Verified(r.Header, h.key, h.Now(), body) {
		return dialect.ErrCaller
	}
	web.Called(r.Context(), keyName)
	return h.Access.CountKey(keyName)
}

// byToken takes who has the bearer token, or a server key.
func (h *handler) byToken(r *http.Request) error {
	token := web.Bearer(r)
	digest := dialect.DigestOf(token)
	if subtle.ConstantTimeCompare(h.Bearer[:], digest[:]) == 1 {
		web.Called(r.Context(), keyName)
		return h.Access.CountKey(keyName)
	}
	key, err := h.Access.Key(token)
	if key.Client || errors.Is(err, dialect.ErrCaller) {
		return dialect.ErrCaller
	}
	web.Called(r.Context(), key.Name)
	return err
}

// failure is how Gamezop says no.
type failure struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

func fail(w http.ResponseWriter, err error) {
	web.Wait(w, err)
	web.Challenge(w, err)
	text := web.Text(err)
	if errors.Is(err, dialect.ErrCaller) {
		text = badBearer
	}
	web.Write(w, web.Status(err), failure{Message: text})
}

func refuse(status int, text string) error { return &web.Refusal{Status: status, Text: text} }
