package api

import (
	"context"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/transcript"
)

// rule says what of a verb is open to players. The zero rule opens nothing.
type rule struct {
	// fields are those that a player may use, of an object or of each object of a list; any: all of them.
	fields []string
	any    bool
	// checks are what the call has to pass, in this order.
	checks []check
	// shows leaves of an answer what the player may see; nil: all of it.
	shows func(player string, result any) any
	// reports says that Options.PlayerReports has to be set.
	reports bool
}

type check func(ctx context.Context, a asking) error

// asking is a player's call.
type asking struct {
	engine *finalbell.Engine
	player string
	call   transcript.Call
}

// everybody is the rule for what is public.
var everybody = rule{any: true}

// rules are those of all verbs.
var rules = map[string]rule{
	"board":     everybody,
	"boards":    everybody,
	"windows":   everybody,
	"rank":      everybody,
	"ranks":     everybody,
	"rank_at":   everybody,
	"at_rank":   everybody,
	"count":     everybody,
	"histogram": everybody,
	"room":      everybody,
	"rooms":     {fields: []string{"mode", "state", "player", "limit"}, checks: []check{selfIfNamed}},

	"match":        {fields: []string{"match"}, checks: []check{participant}, shows: ownGrants},
	"matches":      {fields: []string{"player", "mode", "room", "from", "to", "newest", "state", "limit"}, checks: []check{self}, shows: ownGrants},
	"revisions":    {fields: []string{"match"}, checks: []check{participant}, shows: ownGrants},
	"report":       {fields: []string{"match", "outcomes"}, checks: []check{ownOutcomes, participant}, shows: ownGrants, reports: true},
	"explain":      {fields: []string{"board", "window", "partition", "match", "player"}, checks: []check{self, participantIfNamed}},
	"player":       {checks: []check{self}},
	"history":      {fields: []string{"player", "mode", "room", "opponent", "from", "to", "offset", "limit"}, checks: []check{self}},
	"head_to_head": {any: true, checks: []check{oneOfTwo}},

	"wallet":   {fields: []string{"player"}, checks: []check{self}},
	"ledger":   {fields: []string{"player"}, checks: []check{self}, shows: ownLines},
	"grants":   {fields: []string{"player", "match", "board", "window", "state"}, checks: []check{self}},
	"claim":    {fields: []string{"player", "grant"}, checks: []check{self}},
	"progress": {fields: []string{"player"}, checks: []check{self}},

	"session_start": {fields: []string{"player", "device", "attributes"}, checks: []check{self}},
	"session_end":   {fields: []string{"player", "device"}, checks: []check{self}},
	"heartbeat":     {fields: []string{"player", "device"}, checks: []check{self}},
	"session":       {checks: []check{ownSession}},
	"sessions":      {fields: []string{"player", "open", "newest", "limit"}, checks: []check{self}},
	"join":          {fields: []string{"room", "player", "team"}, checks: []check{self}},
	"leave":         {fields: []string{"room", "player"}, checks: []check{self}},

	// A server's alone: what makes, moves and takes back matches and rooms; money; what is about everybody.
	"now": {}, "create": {}, "start": {}, "end": {}, "cancel": {}, "void": {}, "amend": {}, "rematch": {}, "open_room": {}, "dismiss": {}, "close_room": {},
	"credit": {}, "debit": {}, "transfer": {},
	"begin_season": {}, "close_window": {}, "rebuild": {}, "hide": {}, "restore": {}, "verify": {}, "orphans": {}, "forget": {}, "export": {}, "events": {}, "undelivered": {}, "replay_events": {},
}

// allows is nil for a call that a player may make.
func (r rule) allows(ctx context.Context, a asking, o Options) error {
	if !r.any && r.fields == nil && r.checks == nil || r.reports && !o.PlayerReports {
		return &refused{"the call is not open to players"}
	}
	if !r.any {
		for name, field := range a.call.Argument.Members() {
			if !slices.Contains(r.fields, name) {
				return &refused{field.Path() + ": the field is not open to players"}
			}
		}
	}
	for _, check := range r.checks {
		if err := check(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// named is what the argument names: itself, if it is a text, or by a field.
func (a asking) named(field string) (strictjson.Value, bool) {
	if a.call.Argument.Kind() == strictjson.String {
		return a.call.Argument, true
	}
	v, there := members(a.call.Argument)[field]
	return v, there
}

// text is what the argument names, which has to be there.
func (a asking) text(field string) (string, error) {
	v, there := a.named(field)
	if !there {
		return "", &refused{strictjson.Child(a.call.Argument.Path(), field) + ": the field is required of players"}
	}
	if v.Kind() != strictjson.String {
		return "", &wrong{v.Expected("a string")}
	}
	return v.Text(), nil
}

// wrong is the error for a call that does not say what it has to.
type wrong struct{ reason error }

func (w *wrong) Error() string { return w.reason.Error() }

func (w *wrong) Unwrap() error { return finalbell.ErrInvalid }

// self takes who names themselves. Of others there is nobody, whether they are there or not.
func self(_ context.Context, a asking) error {
	player, err := a.text("player")
	if err == nil && player != a.player {
		err = &finalbell.Error{Op: "read player", ID: player, Err: &absent{"player"}}
	}
	return err
}

func selfIfNamed(ctx context.Context, a asking) error {
	if _, named := a.named("player"); !named {
		return nil
	}
	return self(ctx, a)
}

// oneOfTwo takes who names themselves in a list.
func oneOfTwo(_ context.Context, a asking) error {
	for v := range a.call.Argument.Items() {
		if v.Kind() == strictjson.String && v.Text() == a.player {
			return nil
		}
	}
	return &refused{"players have to be one of the two"}
}

// participant takes who is in the match. For others there is none: the engine's own word for one that is not there.
func participant(ctx context.Context, a asking) error {
	id, err := a.text("match")
	if err != nil {
		return err
	}
	m, err := a.engine.Match(ctx, id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(m.Standings, func(s finalbell.Standing) bool { return s.Player == a.player }) {
		return &finalbell.Error{Op: "read match", ID: id, IDs: []string{id}, Err: &absent{"match"}}
	}
	return nil
}

func participantIfNamed(ctx context.Context, a asking) error {
	if _, named := members(a.call.Argument)["match"]; !named {
		return nil
	}
	return participant(ctx, a)
}

// ownSession takes whose session it is.
func ownSession(ctx context.Context, a asking) error {
	id, err := a.text("session")
	if err != nil {
		return err
	}
	s, err := a.engine.Session(ctx, id)
	if err == nil && s.Player != a.player {
		err = &finalbell.Error{Op: "read session", ID: id, IDs: []string{id}, Err: &absent{"session"}}
	}
	return err
}

// outcomeFields are those that a player may report of themselves. A team is not theirs alone, and a rank is not theirs to say.
var outcomeFields = []string{"player", "outcome", "status", "metrics"}

// ownOutcomes takes who reports themselves and nobody else.
func ownOutcomes(_ context.Context, a asking) error {
	for o := range members(a.call.Argument)["outcomes"].Items() {
		fields := members(o)
		if v, there := fields["player"]; !there || v.Kind() != strictjson.String || v.Text() != a.player {
			return &refused{strictjson.Child(o.Path(), "player") + ": players report themselves alone"}
		}
		for name, field := range o.Members() {
			if !slices.Contains(outcomeFields, name) {
				return &refused{field.Path() + ": the field is not open to players"}
			}
		}
	}
	return nil
}

// ownGrants leaves out what others got, and how much they had before: it tells what is in their wallets.
func ownGrants(player string, result any) any {
	switch of := result.(type) {
	case finalbell.Match:
		of.Standings = slices.Clone(of.Standings)
		for i, s := range of.Standings {
			if s.Player != player {
				of.Standings[i].Grants, of.Standings[i].Held = nil, 0
			}
		}
		return of
	case []finalbell.Match:
		shown := slices.Clone(of)
		for i, m := range of {
			shown[i] = ownGrants(player, m).(finalbell.Match)
		}
		return shown
	}
	return nil // nobody gets to see what is not known here
}

// ownAccounts begin the names of a player's accounts.
var ownAccounts = []string{"player", "hold", "escrow", "debt"}

// ownLines leaves out what moved on the accounts of others, which say what they have.
func ownLines(player string, result any) any {
	own := []finalbell.Line{}
	lines, _ := result.([]finalbell.Line)
	for _, line := range lines {
		account, of, _ := strings.Cut(line.Account, ":")
		if of == player && slices.Contains(ownAccounts, account) {
			own = append(own, line)
		}
	}
	return own
}
