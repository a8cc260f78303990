package specter

import (
	"fmt"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// user is one of a session that is created or started.
type user struct {
	id, entry string
	at        strictjson.Value
}

// opening is what a session is created or started with.
type opening struct {
	session     string // that is to be started; empty: a new one
	mode        string
	competition string
	users       []user // nil: the caller, or whoever is in the session
	texts       map[string]string
}

// ending is what a session is ended with.
type ending struct {
	session  string
	outcomes []finalbell.Outcome
	entries  map[string]string // of users
	texts    map[string]string
}

// fields begins to read a body. The SDK puts its project into each; whose data is meant is told by the key alone.
func fields(v strictjson.Value) *strictjson.Reader {
	r := strictjson.Fields(v)
	r.String("projectId")
	return r
}

// done is the first thing that is wrong with a body.
func done(r *strictjson.Reader) error {
	if err := r.Done(); err != nil {
		return invalid(err.Error())
	}
	return nil
}

func readCreate(v strictjson.Value) (opening, error) {
	r := fields(v)
	r.Require("matchId", "userInfo")
	o := opening{mode: strictjson.One(r, "matchId", readID), competition: strictjson.One(r, "competitionId", readID)}
	o.readUsers(r, nil)
	return o, done(r)
}

// readStart takes either of the two documented bodies of a player's start.
func readStart(v strictjson.Value) (opening, error) {
	r := fields(v)
	r.Require("matchId")
	o := opening{mode: strictjson.One(r, "matchId", readID)}
	if r.Has("sessionId") || r.Has("customParams") {
		o.session = strictjson.One(r, "sessionId", readID)
		o.texts = readTexts(r, "customParams")
		return o, done(r)
	}
	o.session, o.competition = strictjson.One(r, "matchSessionId", readID), strictjson.One(r, "competitionId", readID)
	o.readUsers(r, nil)
	return o, done(r)
}

// readServerStart takes the body of a server's start.
func readServerStart(v strictjson.Value) (opening, error) {
	r := fields(v)
	r.Require("userInfo")
	if !r.Has("matchSessionId") {
		r.Require("matchId")
	}
	o := opening{
		session: strictjson.One(r, "matchSessionId", readID), mode: strictjson.One(r, "matchId", readID),
		competition: strictjson.One(r, "competitionId", readID), texts: readTexts(r, "meta"),
	}
	var said params
	said.texts = o.texts
	o.readUsers(r, &said)
	o.texts = said.texts
	return o, done(r)
}

// readUsers takes the users, at least one if there is the field at all. Only a server says more of them than who they are.
func (o *opening) readUsers(r *strictjson.Reader, said *params) {
	if !r.Has("userInfo") {
		if o.session == "" && o.competition != "" {
			r.Require("userInfo")
		}
		return
	}
	o.users = strictjson.List(r, "userInfo", func(v strictjson.Value) (user, error) {
		u := strictjson.Fields(v)
		u.Require("id")
		one := user{id: strictjson.One(u, "id", readID), entry: strictjson.One(u, "entryId", readID), at: v}
		if said != nil {
			readParams(u, said, false, "specterParams", "customParams")
		}
		return one, u.Done()
	})
	if len(o.users) == 0 {
		r.Fail(fmt.Errorf("userInfo: expected at least one user"))
	}
	for _, u := range o.users {
		// The session that is started may have its competition from before.
		if o.session == "" && u.entry != "" && o.competition == "" {
			r.Fail(fmt.Errorf("competitionId: the field is missing, for %s has an entryId", u.at.Path()))
		}
		if o.session == "" && u.entry == "" && o.competition != "" {
			r.Fail(fmt.Errorf("%s: the field is missing, for there is a competitionId", strictjson.Child(u.at.Path(), "entryId")))
		}
	}
}

// readEnd takes either of the two documented bodies of a player's end. The shorter one is about the caller alone.
func readEnd(v strictjson.Value, caller string) (ending, error) {
	r := fields(v)
	if !r.Has("sessionId") {
		r.Require("matchSessionId")
		e := ending{session: strictjson.One(r, "matchSessionId", readID), outcomes: strictjson.List(r, "userInfo", readOutcome)}
		return e, done(r)
	}
	own, said := finalbell.Outcome{Player: caller}, params{}
	e := ending{session: strictjson.One(r, "sessionId", readID)}
	readParams(r, &said, true, "customParams")
	result := strictjson.Maybe(r, "result", readResult)
	switch {
	case r.Has("score"):
		own.Value = strictjson.One(r, "score", readNumber)
		if result != nil {
			r.Fail(wrapped("result", said.count("result", *result)))
		}
	case result != nil:
		own.Value = *result
	default:
		r.Require("score")
	}
	own.Metrics, e.texts = said.metrics, said.texts
	e.outcomes = []finalbell.Outcome{own}
	return e, done(r)
}

// readServerEnd takes the body of a server's end.
func readServerEnd(v strictjson.Value) (ending, error) {
	r := fields(v)
	r.Require("matchSessionId", "userInfo")
	e := ending{session: strictjson.One(r, "matchSessionId", readID), entries: make(map[string]string), texts: readTexts(r, "meta")}
	e.outcomes = strictjson.List(r, "userInfo", func(v strictjson.Value) (finalbell.Outcome, error) {
		u := strictjson.Fields(v)
		u.Require("id", "outcome")
		said := params{texts: e.texts}
		readParams(u, &said, true, "specterParams", "customParams")
		e.texts = said.texts
		o := finalbell.Outcome{
			Player: strictjson.One(u, "id", readID), Team: strictjson.One(u, "teamId", readID),
			Value: strictjson.One(u, "outcome", readWhole), Metrics: said.metrics,
		}
		if entry := strictjson.One(u, "entryId", readID); entry != "" {
			e.entries[o.Player] = entry
		}
		return o, u.Done()
	})
	if r.Has("userInfo") && len(e.outcomes) == 0 {
		r.Fail(fmt.Errorf("userInfo: expected at least one user"))
	}
	return e, done(r)
}

func readOutcome(v strictjson.Value) (finalbell.Outcome, error) {
	r := strictjson.Fields(v)
	r.Require("id")
	o := finalbell.Outcome{Player: strictjson.One(r, "id", readID), Value: strictjson.One(r, "outcome", readNumber)}
	return o, r.Done()
}

// readParams takes objects that are about one player.
func readParams(r *strictjson.Reader, said *params, metrics bool, names ...string) {
	for _, name := range names {
		if v, there := r.Value(name); there {
			r.Fail(said.read(v, metrics))
		}
	}
}

// readTexts takes an object that is about no player.
func readTexts(r *strictjson.Reader, name string) map[string]string {
	var said params
	if v, there := r.Value(name); there {
		r.Fail(said.read(v, false))
	}
	return said.texts
}

// readID takes a string that names something. An empty one is no name.
func readID(v strictjson.Value) (string, error) {
	text, err := v.AsString()
	if err == nil && text == "" {
		err = v.Errorf("must not be empty")
	}
	return strings.Clone(text), err
}

// readNumber takes any number, as it is written.
func readNumber(v strictjson.Value) (finalbell.Number, error) {
	text, err := v.AsNumber()
	if err != nil {
		return finalbell.Number{}, err
	}
	n := finalbell.Decimal(text)
	if n.Err() != nil {
		err = v.Errorf("%w", n.Err())
	}
	return n, err
}

// readWhole takes a number without decimals: 100, 100.0 or 1e2.
func readWhole(v strictjson.Value) (finalbell.Number, error) {
	n, err := readNumber(v)
	if _, whole := n.Int64(); err == nil && !whole {
		err = v.Expected("a whole number")
	}
	return n, err
}

// readResult takes the words of the shorter body, which stand for numbers.
func readResult(v strictjson.Value) (finalbell.Number, error) {
	for points, word := range []string{"lost", "draw", "won"} {
		if v.Kind() == strictjson.String && v.Text() == word {
			return finalbell.Int(int64(points)), nil
		}
	}
	return finalbell.Number{}, v.Expected(strictjson.OneOf("won", "lost", "draw"))
}

func wrapped(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}
