package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/dialect/api"
	"github.com/finalbell/finalbell/dialect/specter"
)

// mount is a handler under a path.
type mount struct {
	prefix  string
	handler http.Handler
	// lasting says that its requests last as long as somebody is connected: they are not counted among those in flight.
	lasting bool
	// shutdown ends what the server does not know of, such as connections that were taken over; nil: there is nothing.
	shutdown func(context.Context) error
}

// hooks are what the engine calls of the handlers. They are there before it, and before the handlers.
func hooks(settings) (finalbell.Hooks, error) { return finalbell.Hooks{Before: specter.Keep}, nil }

// mounts are all handlers of a server, but for its own.
func mounts(e *finalbell.Engine, a *dialect.Access, s settings) ([]mount, error) {
	calls, err := api.Handler(e, api.Options{Access: a, PlayerReports: s.playerReports})
	if err != nil {
		return nil, fmt.Errorf("/api/call: %w", err)
	}
	sessions, err := specter.Handler(e, specter.Options{
		Access: a, PlayersMayEnd: s.specter.playersMayEnd, PlayersMaySetOthers: s.specter.playersMaySetOthers, KeepsParams: true,
	})
	if err != nil {
		return nil, fmt.Errorf("/specter: %w", err)
	}
	return []mount{{prefix: "/api/call", handler: calls}, {prefix: "/specter", handler: sessions}}, nil
}
