package gamezop

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/web"
)

// status is what came of the search for a match.
type status string

const (
	matchFound   status = "MATCH_FOUND"
	noMatchFound status = "NO_MATCH_FOUND"
)

// call is what create-match is told.
type call struct {
	room     string
	status   status
	players  []string
	delivery string // empty: none
}

// created is what create-match answers.
type created struct {
	Success bool   `json:"success"`
	MatchID string `json:"match_id"` // empty: "No match found" is shown
}

// Why a match is cancelled before it starts, and a room left.
const (
	unpaidReason   = "an entry fee is not paid"
	notFoundReason = "no match found"
	unableReason   = "the match could not be started"
)

func (h *handler) createMatch(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Object(w, r)
	if err != nil {
		return err
	}
	c, err := readCall(v)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if c.delivery, err = deliveryID(r); err != nil {
		return err
	}
	this, content := delivery{c.room, c.delivery}, c.content()
	if before, known := h.heard.answer(this); known {
		if before.content != content {
			return refuse(http.StatusConflict, "webhook-id: the delivery has been heard with other content")
		}
		web.Write(w, http.StatusOK, created{true, before.match})
		return nil
	}
	var match string
	if c.status == matchFound {
		match, err = h.found(r.Context(), c)
	} else {
		err = h.notFound(r.Context(), c)
	}
	if err != nil {
		return err
	}
	h.heard.note(this, answer{content, match})
	web.Write(w, http.StatusOK, created{true, match})
	return nil
}

func readCall(v strictjson.Value) (call, error) {
	r := strictjson.Fields(v)
	r.Require("room_id", "status", "players")
	c := call{
		room:    strictjson.One(r, "room_id", word),
		status:  strictjson.Word(r, "status", matchFound, noMatchFound),
		players: list(r, "players", word),
	}
	if r.Has("players") && len(c.players) == 0 && c.status == matchFound {
		r.Fail(errors.New("players: expected at least one"))
	}
	return c, r.Done()
}

// content tells calls with the same delivery id apart.
func (c call) content() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q", c.status, c.players))
}

// word reads a string that is not empty.
func word(v strictjson.Value) (string, error) {
	text, err := v.AsString()
	if err == nil && text == "" {
		err = v.Errorf("must not be empty")
	}
	return text, err
}

// list reads a list, or a string that holds one: the documents call lists strings, and show lists.
func list[T any](r *strictjson.Reader, name string, decode func(strictjson.Value) (T, error)) []T {
	return strictjson.One(r, name, func(v strictjson.Value) ([]T, error) {
		if v.Kind() != strictjson.String {
			return strictjson.Items(v, decode)
		}
		held, err := strictjson.Parse([]byte(v.Text()))
		if err != nil || held.Kind() != strictjson.Array {
			return nil, v.Expected("a list")
		}
		items, err := strictjson.Items(held, decode)
		if err != nil {
			return nil, v.Errorf("in the string: %w", err)
		}
		return items, nil
	})
}

// found creates and starts the match of the players. Without an error and without a match, no match was found after all: somebody
// has not paid, and the others have their money back.
func (h *handler) found(ctx context.Context, c call) (string, error) {
	room, err := h.room(ctx, c.room)
	if err != nil {
		return "", err
	}
	s := h.series(c.room, c.players)
	last, number, err := s.last(ctx)
	if err != nil {
		return "", err
	}
	if number > 0 && !over(last) {
		return h.begin(ctx, c, last)
	}
	if m, is, err := s.delivered(ctx, c.delivery, number); is || err != nil {
		return answerOf(m), err
	}
	if room.Match != "" { // the host's own, or of others
		m, err := h.engine.Match(ctx, room.Match)
		if err != nil || h.plays(m, c.players) {
			return h.orBegin(ctx, c, m, err)
		}
	}
	if room.ID != "" {
		paid, err := h.admit(ctx, room, c.players)
		if err != nil {
			return "", err
		}
		if !paid {
			return "", h.refund(ctx, c)
		}
	}
	n, err := h.newMatch(room, c)
	if err != nil {
		return "", err
	}
	n.ID = s.id(number + 1)
	m, err := h.engine.Create(ctx, n)
	switch {
	case errors.Is(err, finalbell.ErrExists), errors.Is(err, finalbell.ErrState): // the same players in another order, a moment ago
		if now, missing := h.engine.Match(ctx, n.ID); missing == nil {
			m, err = now, nil
		}
	case errors.Is(err, finalbell.ErrUnknownPlayer): // somebody left the room a moment ago
		return "", h.refund(ctx, c)
	}
	return h.orBegin(ctx, c, m, err)
}

// room is an opened room; the zero one for a room that nobody opened.
func (h *handler) room(ctx context.Context, id string) (finalbell.Room, error) {
	room, err := h.engine.Room(ctx, id)
	if errors.Is(err, finalbell.ErrNotFound) {
		return finalbell.Room{}, nil
	}
	if err == nil && !h.ours(room.Attributes) {
		err = refuse(http.StatusBadRequest, badRoom)
	}
	return room, err
}

// plays reports whether a match is that of these players: whoever else is in it is a bot.
func (h *handler) plays(m finalbell.Match, players []string) bool {
	in := 0
	for _, s := range m.Standings {
		switch {
		case slices.Contains(players, s.Player):
			in++
		case !s.Bot && !h.bot(s.Player):
			return false
		}
	}
	return in == len(players)
}

// admit looks whether everybody who is to play in an opened room has paid, as its members have, and lets those in who need not.
func (h *handler) admit(ctx context.Context, room finalbell.Room, players []string) (paid bool, err error) {
	mode, there := h.mode(room.Mode)
	if !there {
		return false, refuse(http.StatusConflict, "room_id: there is no mode "+strconv.Quote(room.Mode)+" any more")
	}
	var missing []finalbell.Participant
	for _, sub := range players {
		if slices.ContainsFunc(room.Members, func(m finalbell.Member) bool { return m.Player == sub }) {
			continue
		}
		p := h.participant(sub)
		if mode.Fee != nil && !(p.Bot && mode.Bots.Prizes != finalbell.Include) {
			return false, nil
		}
		missing = append(missing, p)
	}
	for _, p := range missing {
		if _, err := h.engine.Join(ctx, room.ID, p); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (h *handler) participant(sub string) finalbell.Participant {
	return finalbell.Participant{Player: sub, Bot: h.bot(sub)}
}

// newMatch is the match of the players, without its id.
func (h *handler) newMatch(room finalbell.Room, c call) (finalbell.NewMatch, error) {
	n := finalbell.NewMatch{Room: c.room, Attributes: make(map[string]string)}
	if h.PropertyID != "" {
		n.Attributes[propertyAttribute] = h.PropertyID
	}
	if c.delivery != "" {
		n.Attributes[deliveryAttribute] = c.delivery
	}
	for _, sub := range c.players {
		n.Players = append(n.Players, h.participant(sub))
	}
	if room.ID != "" {
		for i, p := range n.Players { // as they are in the room: with their team, and what else is known of them
			at := slices.IndexFunc(room.Members, func(m finalbell.Member) bool { return m.Player == p.Player })
			if at >= 0 {
				n.Players[i] = room.Members[at].Participant
			}
		}
		return n, nil
	}
	if n.Mode = h.modeOf(c.room); n.Mode == "" {
		return n, refuse(http.StatusBadRequest, badRoom)
	}
	return n, nil
}

func (h *handler) orBegin(ctx context.Context, c call, m finalbell.Match, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return h.begin(ctx, c, m)
}

// begin starts a match that was created, unless it has started, or was over before it could. If it cannot start, it is cancelled,
// and whoever had paid has their money back.
func (h *handler) begin(ctx context.Context, c call, m finalbell.Match) (string, error) {
	if m.State != finalbell.Created {
		return answerOf(m), nil
	}
	_, refused := h.engine.Start(ctx, m.ID)
	switch {
	case refused == nil:
		return m.ID, nil
	case errors.Is(refused, finalbell.ErrCancelled), errors.Is(refused, finalbell.ErrExpired): // by the same call, a moment ago
		return "", nil
	case errors.Is(refused, finalbell.ErrUnpaid):
		if _, err := h.engine.Cancel(ctx, m.ID, unpaidReason); err != nil {
			return "", err
		}
		return "", h.refund(ctx, c)
	case web.Status(refused) < http.StatusInternalServerError:
		if _, err := h.engine.Cancel(ctx, m.ID, unableReason); err != nil {
			return "", err
		}
	}
	return "", refused
}

// answerOf is what was answered when a match was created: nothing if it never started.
func answerOf(m finalbell.Match) string {
	if m.StartedAt.IsZero() {
		return ""
	}
	return m.ID
}

// notFound gives the players back what was held of them for a match.
func (h *handler) notFound(ctx context.Context, c call) error {
	if _, err := h.room(ctx, c.room); err != nil {
		return err
	}
	s := h.series(c.room, c.players)
	last, number, err := s.last(ctx)
	if err != nil {
		return err
	}
	if number > 0 && last.State == finalbell.Created { // the call that was to start it was cut off
		if _, err := h.engine.Cancel(ctx, last.ID, notFoundReason); err != nil {
			return err
		}
	} else if number > 0 && !over(last) {
		return refuse(http.StatusConflict, "players: they are in match "+strconv.Quote(last.ID))
	}
	return h.refund(ctx, c)
}

// refund lets the players leave an opened room, with what is held of them.
func (h *handler) refund(ctx context.Context, c call) error {
	room, err := h.room(ctx, c.room)
	if err != nil {
		return err
	}
	for _, m := range room.Members {
		if !slices.Contains(c.players, m.Player) {
			continue
		}
		if _, err := h.engine.Leave(ctx, room.ID, m.Player); err != nil {
			return err
		}
	}
	return nil
}
