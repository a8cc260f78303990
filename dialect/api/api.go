package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/transcript"
	"github.com/finalbell/finalbell/internal/web"
)

// Options are what the handler takes from its surroundings.
type Options struct {
	Access *dialect.Access // who may call; required
	// PlayerReports lets players report their own outcomes of the running matches that they are in. A report is provisional: what
	// ends the match is still a server's call.
	PlayerReports bool
	// Forgotten is called when a player was forgotten by a call, to forget what is kept of them elsewhere. Its error is that of the
	// call, which may be made again.
	Forgotten func(ctx context.Context, player string) error
}

// Handler answers calls on an engine. It has one route, its root.
func Handler(e *finalbell.Engine, o Options) (http.Handler, error) {
	if e == nil {
		return nil, errors.New("an engine is required")
	}
	if o.Access == nil {
		return nil, errors.New("Options.Access is required")
	}
	h := &handler{engine: e, session: transcript.On(e), options: o}
	routes := http.NewServeMux()
	routes.HandleFunc("/{$}", h.call)
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, transcript.Call{}, nil, &web.Refusal{Status: http.StatusNotFound, Text: "no such route"})
	})
	return routes, nil
}

type handler struct {
	engine  *finalbell.Engine
	session *transcript.Session
	options Options
}

func (h *handler) call(w http.ResponseWriter, r *http.Request) {
	c, result, err := h.do(w, r)
	answer(w, c, result, err)
}

// do makes the call of a request. Who calls comes before what they say: nobody's body is read for nothing.
func (h *handler) do(w http.ResponseWriter, r *http.Request) (c transcript.Call, result any, err error) {
	if err := web.Method(w, r, http.MethodPost); err != nil {
		return c, nil, err
	}
	player, err := h.caller(r)
	if err != nil {
		return c, nil, err
	}
	body, err := web.Object(w, r)
	if err != nil {
		return c, nil, err
	}
	if c, err = transcript.CallOf(body); err != nil {
		return c, nil, err
	}
	if player == "" {
		result, err = h.session.Do(r.Context(), c)
		return c, result, h.forgotten(r.Context(), c, err)
	}
	result, err = h.doFor(r.Context(), player, c)
	return c, result, err
}

// forgotten tells of whom there is nothing any more, also where there was nothing: what is kept elsewhere may be left by a call
// that failed half-way.
func (h *handler) forgotten(ctx context.Context, c transcript.Call, err error) error {
	if c.Verb != "forget" || h.options.Forgotten == nil || err != nil && !errors.Is(err, finalbell.ErrNotFound) {
		return err
	}
	if failed := h.options.Forgotten(ctx, members(c.Argument)["player"].Text()); failed != nil {
		return failed
	}
	return err
}

// caller is the player who calls, empty for a server.
func (h *handler) caller(r *http.Request) (player string, err error) {
	keys, bearer := r.Header.Values("api-key"), web.Bearer(r)
	if len(keys) > 1 || bearer == "" && len(r.Header.Values("Authorization")) > 0 {
		return "", dialect.ErrCaller // whoever means to be a player must not come to be a server by a slip
	}
	secret := bearer
	if len(keys) == 1 {
		secret = keys[0]
	}
	key, err := h.options.Access.Key(secret)
	switch {
	case errors.Is(err, dialect.ErrCaller) && len(keys) == 0:
		return h.player(r, bearer)
	case err != nil:
		return "", err
	case len(keys) == 1 && bearer != "":
		return h.player(r, bearer)
	}
	web.Called(r.Context(), key.Name)
	if key.Client {
		return "", &refused{"the key needs a player's token beside it"}
	}
	return "", nil
}

func (h *handler) player(r *http.Request, token string) (string, error) {
	player, err := h.options.Access.Player(r.Context(), token)
	if err == nil {
		web.Called(r.Context(), player)
	}
	return player, err
}

// doFor makes a call of a player's.
func (h *handler) doFor(ctx context.Context, player string, c transcript.Call) (any, error) {
	rule := rules[c.Verb]
	a := asking{h.engine, player, c}
	if err := rule.allows(ctx, a, h.options); err != nil {
		return nil, err
	}
	result, err := h.session.Do(ctx, c)
	if err == nil && rule.shows != nil {
		result = rule.shows(player, result)
	}
	return result, err
}

// words are the kinds of errors that are not the engine's.
var words = map[int]finalbell.Kind{
	http.StatusUnauthorized:        "unauthorized",
	http.StatusTooManyRequests:     "too_many",
	http.StatusNotFound:            finalbell.ErrNotFound,
	http.StatusServiceUnavailable:  finalbell.ErrUnavailable,
	http.StatusInternalServerError: "failed",
}

// answer answers as the script does, but for what is the server's own affair.
func answer(w http.ResponseWriter, c transcript.Call, result any, err error) {
	if err == nil {
		web.Write(w, http.StatusOK, transcript.Accepted{OK: result})
		return
	}
	status, reply := web.Status(err), c.Refused(err)
	reply.Error.Message = web.Text(err)
	if reply.Error.Kind == "" {
		reply.Error.Kind = finalbell.ErrInvalid
		if kind, is := words[status]; is {
			reply.Error.Kind = kind
		}
	}
	web.Wait(w, err)
	web.Challenge(w, err)
	web.Write(w, status, reply)
}

// refused is the error for what a caller may not do.
type refused struct{ reason string }

func (r *refused) Error() string { return r.reason }

func (r *refused) Unwrap() error { return finalbell.ErrRefused }

// absent is the error for what is not there, as far as a player can see.
type absent struct{ what string }

func (a *absent) Error() string { return "no such " + a.what }

func (a *absent) Unwrap() error { return finalbell.ErrNotFound }

// members are the fields of an object as a player wrote them; strictjson has no field twice.
func members(v strictjson.Value) map[string]strictjson.Value {
	fields := make(map[string]strictjson.Value, v.Len())
	for name, member := range v.Members() {
		fields[name] = member
	}
	return fields
}
