package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
)

//go:embed rules.json
var rulesText []byte

// backend is the game: an engine, and the items that the engine has the host deliver.
type backend struct {
	engine  *finalbell.Engine
	items   *items
	hostKey string
	log     *slog.Logger
}

// open opens the backend on its files.
func open(ctx context.Context, db, hostKey string, log *slog.Logger, options finalbell.Options) (*backend, error) {
	rules, err := finalbell.ParseRules(rulesText)
	if err != nil {
		return nil, err
	}
	// First the items: the engine may have some to deliver as soon as it is open.
	items, err := openItems(strings.TrimSuffix(db, ".db") + ".items.db")
	if err != nil {
		return nil, err
	}
	options.Log, options.Hooks.Deliver = log, items.deliver
	engine, err := finalbell.Open(ctx, db, rules, options)
	if err != nil {
		return nil, errors.Join(err, items.Close())
	}
	return &backend{engine: engine, items: items, hostKey: hostKey, log: log}, nil
}

func (b *backend) Close() error { return errors.Join(b.engine.Close(), b.items.Close()) }

// routes are every path with its method. What makes money, or says who won, only the host may do; what is left is for
// players, and wants your login in front of it.
func (b *backend) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		handler      handler
	}{
		{"POST", "/players/{id}/gift", b.hostOnly(taking(b.gift))},
		{"GET", "/players/{id}/wallet", about(b.engine.Wallet)},
		{"GET", "/players/{id}/ledger", about(b.ledger)},
		{"GET", "/players/{id}/progress", about(b.engine.Progress)},
		{"GET", "/players/{id}/grants", about(b.grants)},
		{"GET", "/players/{id}/items", about(b.items.of)},
		{"POST", "/players/{id}/claims", taking(b.claim)},
		{"POST", "/duels", taking(b.create)},
		{"POST", "/duels/{id}/start", about(b.engine.Start)},
		{"POST", "/duels/{id}/end", b.hostOnly(taking(b.end))},
		{"POST", "/duels/{id}/void", b.hostOnly(taking(b.void))},
		{"GET", "/duels/{id}", about(b.engine.Match)},
		{"GET", "/weekly", b.weekly},
		{"POST", "/weekly/close", b.hostOnly(b.closeWeek)},
	} {
		mux.Handle(route.method+" "+route.path, b.serve(route.handler))
		mux.Handle(route.path, b.only(route.method))
	}
	mux.Handle("/", b.serve(refuse(http.StatusNotFound, "not_found", "no such path")))
	guard := http.NewCrossOriginProtection() // somebody else's page may not play through a player's browser
	guard.SetDenyHandler(b.serve(refuse(http.StatusForbidden, "forbidden", "not from another site")))
	return guard.Handler(mux)
}

type giftBody struct {
	Amount int64  `json:"amount"`
	Key    string `json:"key"`
}

// gift gives coins that come from nowhere. Its key makes it safe to ask again.
func (b *backend) gift(r *http.Request, in giftBody) (any, error) {
	if in.Key == "" { // the engine would make one up, and the next try be a second gift
		return nil, invalid("key: must not be empty")
	}
	return b.engine.Credit(r.Context(), finalbell.Money{Player: r.PathValue("id"), Currency: "coins", Amount: in.Amount, Key: in.Key})
}

type createBody struct {
	ID      string   `json:"id"`
	Players []string `json:"players"`
}

// create makes a duel, and holds the fees of those who have them.
func (b *backend) create(r *http.Request, in createBody) (any, error) {
	if in.ID == "" { // as with a gift
		return nil, invalid("id: must not be empty")
	}
	return b.engine.Create(r.Context(), finalbell.NewMatch{ID: in.ID, Mode: "duel", Players: finalbell.Players(in.Players...)})
}

type endBody struct {
	Outcomes []struct {
		Player  string           `json:"player"`
		Outcome finalbell.Number `json:"outcome"`
		Status  finalbell.Status `json:"status"`
	} `json:"outcomes"`
}

// end ends a duel, and pays it and whatever follows from it. With an empty list it did not count.
func (b *backend) end(r *http.Request, in endBody) (any, error) {
	if in.Outcomes == nil { // forgotten is not the same as none
		return nil, invalid("outcomes: the field is missing")
	}
	outcomes := make([]finalbell.Outcome, len(in.Outcomes))
	for i, o := range in.Outcomes {
		outcomes[i] = finalbell.Outcome{Player: o.Player, Value: o.Outcome, Status: o.Status}
	}
	return b.engine.End(r.Context(), r.PathValue("id"), outcomes...)
}

type voidBody struct {
	Reason string `json:"reason"`
}

// void takes an ended duel back, with all that followed from it.
func (b *backend) void(r *http.Request, in voidBody) (any, error) {
	return b.engine.Void(r.Context(), r.PathValue("id"), in.Reason)
}

type claimBody struct {
	Grant string `json:"grant"` // in the body, since a grant's id has slashes in it
}

// claim gives a player a prize that waits for them.
func (b *backend) claim(r *http.Request, in claimBody) (any, error) {
	return b.engine.Claim(r.Context(), r.PathValue("id"), in.Grant)
}

func (b *backend) ledger(ctx context.Context, player string) ([]finalbell.Line, error) {
	return collect(b.engine.Ledger(ctx, player))
}

func (b *backend) grants(ctx context.Context, player string) ([]finalbell.Grant, error) {
	return collect(b.engine.Grants(ctx, finalbell.GrantFilter{Player: player}))
}

// weekly reads the board of this week, or of the week that began on the day named as window.
func (b *backend) weekly(r *http.Request) (any, error) {
	query, board := r.URL.Query(), b.engine.Board("weekly")
	if query.Has("window") {
		board = board.Window(query.Get("window"))
	}
	if query.Has("around") {
		return board.Around(r.Context(), query.Get("around"), 5)
	}
	top, err := strconv.Atoi(cmp.Or(query.Get("top"), "10"))
	if err != nil {
		return nil, invalid("top: " + strconv.Quote(query.Get("top")) + " is no whole number")
	}
	return board.Top(r.Context(), top)
}

// closeWeek ends the week and pays its prizes now. Nobody has to: on Monday at midnight it happens by itself.
func (b *backend) closeWeek(r *http.Request) (any, error) {
	return b.engine.Board("weekly").CloseWindow(r.Context())
}
