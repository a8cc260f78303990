package specter

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/web"
)

// The attributes in which the engine keeps what it has no words for.
const (
	competitionAttribute = "competitionId" // of a match
	entryAttribute       = "entryId"       // of a player in it
)

// sessionData is the data of the replies that are about one session.
type sessionData struct {
	Session string           `json:"matchSessionId"`
	Failed  []failedReward   `json:"failedRewards,omitempty"`
	Match   *finalbell.Match `json:"match,omitempty"`
}

func (c call) about(m finalbell.Match) sessionData {
	data := sessionData{Session: m.ID}
	if c.match {
		data.Match = &m
	}
	return data
}

func (h *handler) createSession(c call, body strictjson.Value) (reply, error) {
	o, err := readCreate(body)
	if err != nil {
		return reply{}, err
	}
	if _, err := h.mayPlay(c, o); err != nil {
		return reply{}, err
	}
	m, err := h.engine.Create(c.ctx, o.match())
	return reply{http.StatusCreated, "Match session successfully created", c.about(m)}, err
}

func (h *handler) startSession(c call, body strictjson.Value) (reply, error) {
	read := readStart
	if c.server() {
		read = readServerStart
	}
	o, err := read(body)
	if err != nil {
		return reply{}, err
	}
	if c.ctx, err = h.saying(c.ctx, o.texts); err != nil {
		return reply{}, err
	}
	start := h.startNew
	if o.session != "" {
		start = h.startCreated
	}
	m, err := start(c, o)
	if err == nil && m.Replayed && lost(m, o.texts) {
		err = &fault{http.StatusConflict, codeExists, "Session already started, with other parameters"}
	}
	return reply{http.StatusCreated, "Successfully started match session", c.about(m)}, err
}

// startCreated starts a session that was created before.
func (h *handler) startCreated(c call, o opening) (finalbell.Match, error) {
	m, err := h.session(c, o.session)
	if err != nil {
		return m, err
	}
	if err := o.fits(m); err != nil {
		return m, err
	}
	humans, others := people(m, c.player)
	mode, _ := h.mode(m.Mode)
	switch {
	case c.server():
	case others.bots || others.humans && mode.Fee != nil:
		return m, forbidden("a player may not start a session in which others pay or bots play")
	case others.humans && mode.Exclusive:
		return m, forbidden(keepsOthers)
	}
	if m.State != finalbell.Created {
		return h.engine.Start(c.ctx, m.ID) // started before, or never to be
	}
	release, err := h.takeFree(c.ctx, humans, m.ID)
	if err != nil {
		return m, err
	}
	defer release()
	return h.startFree(c.ctx, m.ID)
}

// startNew creates a session and starts it. Nothing is left of one that cannot be started.
func (h *handler) startNew(c call, o opening) (finalbell.Match, error) {
	if o.users == nil {
		o.users = []user{{id: c.player}}
	}
	humans, err := h.mayPlay(c, o)
	if err != nil {
		return finalbell.Match{}, err
	}
	release, err := h.takeFree(c.ctx, humans, "")
	if err != nil {
		return finalbell.Match{}, err
	}
	defer release()
	m, err := h.engine.Create(c.ctx, o.match())
	if err != nil {
		return m, err
	}
	started, err := h.startFree(c.ctx, m.ID)
	if kind, _ := web.Kind(err); err != nil && kind != finalbell.ErrUnknown {
		// What cannot be cancelled either expires, if its mode says so: the caller hears why it did not start.
		_, _ = h.engine.Cancel(context.WithoutCancel(c.ctx), m.ID, "it could not be started")
	}
	return started, err
}

// startFree starts a session whose players were taken, and lets no other start of theirs go on before it is known.
func (h *handler) startFree(ctx context.Context, id string) (finalbell.Match, error) {
	m, err := h.engine.Start(ctx, id)
	if err == nil {
		h.running.note(m)
	}
	return m, err
}

// takeFree takes the players for a start, if none of them is in a running session.
func (h *handler) takeFree(ctx context.Context, players []string, but string) (release func(), err error) {
	release, err = h.starting.take(ctx, players)
	if err != nil {
		return nil, err
	}
	busy, err := h.busy(ctx, players, but)
	if err == nil && busy {
		err = activeSession()
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// mayPlay returns the players of a new session if there may be one.
func (h *handler) mayPlay(c call, o opening) ([]string, error) {
	mode, there := h.mode(o.mode)
	if !there {
		return nil, noMatch()
	}
	if h.options.Active != nil {
		active, err := h.options.Active(c.ctx, o.mode)
		if err != nil {
			return nil, err
		}
		if !active {
			return nil, notActive()
		}
	}
	ids := make([]string, len(o.users))
	for i, u := range o.users {
		ids[i] = u.id
	}
	switch {
	case c.server():
	case !slices.Contains(ids, c.player):
		return nil, forbidden("a player may not open a session without them in it")
	case mode.Fee != nil && len(ids) > 1:
		return nil, forbidden("a player may not open a session in which others pay")
	case mode.Exclusive && len(ids) > 1:
		return nil, forbidden(keepsOthers)
	}
	for i, id := range ids {
		if h.options.Exists == nil {
			break
		}
		exists, err := h.options.Exists(c.ctx, id)
		if err != nil {
			return nil, err
		}
		if !exists {
			text := "userInfo[" + strconv.Itoa(i) + "].id: there is no user " + strconv.Quote(clip(id))
			return nil, &fault{http.StatusUnprocessableEntity, codeUnknownPlayer, text}
		}
	}
	return ids, nil
}

func (h *handler) mode(id string) (finalbell.Mode, bool) {
	modes := h.engine.Rules().Modes
	at := slices.IndexFunc(modes, func(m finalbell.Mode) bool { return m.ID == id })
	if at < 0 {
		return finalbell.Mode{}, false
	}
	return modes[at], true
}

// match is the match of a new session.
func (o opening) match() finalbell.NewMatch {
	n := finalbell.NewMatch{Mode: o.mode, Players: make([]finalbell.Participant, len(o.users))}
	if o.competition != "" {
		n.Attributes = map[string]string{competitionAttribute: o.competition}
	}
	for i, u := range o.users {
		n.Players[i].Player = u.id
		if u.entry != "" {
			n.Players[i].Attributes = map[string]string{entryAttribute: u.entry}
		}
	}
	return n
}

// keepsOthers is said of exclusive modes: who runs in one is kept out of the others, by every way to play them.
const keepsOthers = "a player may not open or start a session that keeps others from theirs"

// fits refuses to start a session as what it is not.
func (o opening) fits(m finalbell.Match) error {
	switch {
	case o.mode != "" && o.mode != m.Mode:
		return invalid(fmt.Sprintf("matchId: the session is of %q", m.Mode))
	case o.competition != "" && o.competition != m.Attributes[competitionAttribute]:
		return invalid("competitionId: the session is not of it")
	case o.users == nil:
		return nil
	}
	named := make(map[string]bool)
	for _, u := range o.users {
		if seatOf(m, u.id) == nil || u.entry != "" && u.entry != entryOf(m, u.id) {
			return invalid(u.at.Path() + ": not in the session")
		}
		named[u.id] = true
	}
	if len(named) != len(m.Standings) || len(named) != len(o.users) {
		return invalid("userInfo: expected each user of the session once")
	}
	return nil
}

// company is who else is in a match.
type company struct{ humans, bots bool }

// people are the human players of a match, and who is in it beside one of them.
func people(m finalbell.Match, player string) (humans []string, others company) {
	for _, s := range m.Standings {
		switch {
		case s.Bot:
			others.bots = true
			continue
		case s.Player != player:
			others.humans = true
		}
		humans = append(humans, s.Player)
	}
	return humans, others
}
