package gamesparks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Script is what a script is told of a request, and what it may add.
type Script struct {
	Class  string // such as ".LogEventRequest"
	Player string // who asks; empty before they are known
	// Request is a copy of the request, and Response of what will be answered; nil before the request. Numbers are json.Number.
	// Passwords and tokens are left out.
	Request, Response map[string]any
	// ScriptData goes into the response: what the script before the request puts there, the one after it finds.
	ScriptData map[string]any
}

// withheld is what no script is told.
var withheld = []string{"password", "authToken"}

type insideScript struct{}

// script runs a script, if there is one and no other has called.
func (x *exchange) script(ctx context.Context, run func(context.Context, *Script) error, reply fields) error {
	if run == nil || ctx.Value(insideScript{}) != nil {
		return nil
	}
	s := Script{Class: x.class, Player: x.player, Request: copied(x.request.object.Append(nil)), ScriptData: x.scriptData}
	if reply != nil {
		s.Response = copied(reply.text())
	}
	err := guarded(context.WithValue(ctx, insideScript{}, true), run, &s)
	x.scriptData = s.ScriptData
	if _, wrong := json.Marshal(s.ScriptData); wrong != nil {
		x.scriptData, err = nil, fmt.Errorf("script data: %w", wrong)
	}
	var refused Refusal
	if err != nil && !errors.As(err, &refused) {
		x.server.options.Log.ErrorContext(ctx, "gamesparks: a script failed", "class", x.class, "error", err)
		return Refusal{"script": "FAILED"}
	}
	if x.scriptData == nil {
		x.scriptData = map[string]any{}
	}
	return err
}

// guarded turns a panic into an error.
func guarded(ctx context.Context, run func(context.Context, *Script) error, s *Script) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(ctx, s)
}

func copied(text []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil {
		return nil // it was JSON before
	}
	for _, name := range withheld {
		delete(m, name)
	}
	return m
}
