package transcript

import (
	"context"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls about rooms, and rematch.

func (s *Session) rematch(ctx context.Context, v strictjson.Value) (any, error) {
	if v.Kind() == strictjson.String {
		id, err := readName(v)
		if err != nil {
			return nil, err
		}
		return s.made(s.engine.Rematch(ctx, id, ""))
	}
	r := strictjson.Fields(v)
	r.Require("match")
	match, id := strictjson.One(r, "match", readName), strictjson.One(r, "id", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.made(s.engine.Rematch(ctx, match, id))
}

// made notes the id of a match that was made.
func (s *Session) made(m finalbell.Match, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	s.note(m.ID)
	return m, nil
}

func (s *Session) openRoom(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("mode")
	n := finalbell.NewRoom{
		ID:         strictjson.One(r, "id", readName),
		Mode:       strictjson.One(r, "mode", readName),
		Players:    strictjson.One(r, "players", readLimits),
		Wait:       strictjson.One(r, "wait", readDuration),
		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	room, err := s.engine.OpenRoom(ctx, n)
	if err != nil {
		return nil, err
	}
	s.note(room.ID)
	return room, nil
}

func readLimits(v strictjson.Value) (finalbell.Limits, error) {
	r := strictjson.Fields(v)
	l := finalbell.Limits{Min: r.Int("min"), Max: r.Int("max")}
	return l, r.Done()
}

// readDuration takes a duration as Go writes it.
func readDuration(v strictjson.Value) (time.Duration, error) {
	text, err := v.AsString()
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, v.Errorf("%q is not a duration such as \"90s\" or \"1h30m\"", clip(text))
	}
	return d, nil
}

// join takes the fields of a participant beside the room.
func (s *Session) join(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("room", "player")
	room := strictjson.One(r, "room", readName)
	p := finalbell.Participant{
		Player:     strictjson.One(r, "player", readName),
		Team:       strictjson.One(r, "team", readName),
		Bot:        r.Bool("bot"),
		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.Join(ctx, room, p)
}

func (s *Session) leave(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("room", "player")
	room, player := strictjson.One(r, "room", readName), strictjson.One(r, "player", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.Leave(ctx, room, player)
}

// readRoom takes a room's id, or an object with it and a reason.
func readRoom(v strictjson.Value, reasoned bool) (room, reason string, err error) {
	if v.Kind() == strictjson.String {
		room, err = readName(v)
		return room, "", err
	}
	if v.Kind() != strictjson.Object {
		return "", "", v.Expected("a room's id or an object")
	}
	r := strictjson.Fields(v)
	r.Require("room")
	room = strictjson.One(r, "room", readName)
	if reasoned {
		reason = r.String("reason")
	}
	return room, reason, r.Done()
}

func (s *Session) dismiss(ctx context.Context, v strictjson.Value) (any, error) {
	room, reason, err := readRoom(v, true)
	if err != nil {
		return nil, err
	}
	return s.engine.Dismiss(ctx, room, reason)
}

func (s *Session) closeRoom(ctx context.Context, v strictjson.Value) (any, error) {
	room, reason, err := readRoom(v, true)
	if err != nil {
		return nil, err
	}
	return s.engine.CloseRoom(ctx, room, reason)
}

func (s *Session) room(ctx context.Context, v strictjson.Value) (any, error) {
	room, _, err := readRoom(v, false)
	if err != nil {
		return nil, err
	}
	return s.engine.Room(ctx, room)
}

// rooms lists rooms in the order in which they were opened.
func (s *Session) rooms(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	f := finalbell.RoomFilter{Mode: strictjson.One(r, "mode", readName), Player: strictjson.One(r, "player", readName)}
	if r.Has("state") {
		f.States = []finalbell.RoomState{strictjson.Word(r, "state", finalbell.RoomOpen, finalbell.RoomClosed)}
	}
	limit := limitOf(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return List(s.engine.Rooms(ctx, f), limit)
}
