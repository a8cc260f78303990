package gamesparks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/finalbell/finalbell"
)

// The names that attributes have where an Event names none.
var (
	matchNames   = []string{"matchId", "MATCH_ID", "match"}
	outcomeNames = []string{"SCORE", "score", "OUTCOME", "outcome"}
	// reserved are the members of a request that are no attributes.
	reserved = []string{"@class", "requestId", "eventKey", "playerId", "analyticsData", "segments"}
	// builtin are the metrics that the engine itself gives a result; points it gives in some modes.
	builtin = []string{"outcome", "rank", "played", "wins", "draws", "losses", "rating"}
)

// checkEvents refuses events of modes that the rules do not have, and metrics that nobody may report.
func checkEvents(events map[string]Event, rules finalbell.Rules) error {
	for _, key := range slices.Sorted(maps.Keys(events)) {
		ev := events[key]
		if _, is := modeOf(rules, ev.Mode); ev.Mode != "" && !is {
			return fmt.Errorf("events[%q]: mode: the rules have no mode %q", key, ev.Mode)
		}
		for _, name := range append(slices.Sorted(maps.Keys(ev.Metrics)), ev.Match, ev.Outcome) {
			if slices.Contains(reserved, name) {
				return fmt.Errorf("events[%q]: %q is no attribute", key, name)
			}
			if metric := ev.Metrics[name]; slices.Contains(builtin, metric) {
				return fmt.Errorf("events[%q]: metrics: %q is not for reporting", key, metric)
			}
		}
	}
	return nil
}

func modeOf(rules finalbell.Rules, id string) (finalbell.Mode, bool) {
	i := slices.IndexFunc(rules.Modes, func(m finalbell.Mode) bool { return m.ID == id })
	if i < 0 {
		return finalbell.Mode{}, false
	}
	return rules.Modes[i], true
}

// same is the only one of ids that a name is, or that it is but for case: the original's codes are in capitals.
func same(ids []string, name string) (string, bool) {
	if slices.Contains(ids, name) {
		return name, true
	}
	var found []string
	for _, id := range ids {
		if strings.EqualFold(id, name) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// logged is an event that is being logged.
type logged struct {
	Event
	key   string
	mode  finalbell.Mode
	moded bool // it has a mode: else it can only be in a match
	alone bool // it may be a match of the player alone
	rules finalbell.Rules

	match, matchName string
	outcome          finalbell.Outcome
	outcomeName      string
}

// logEvent serves .LogEventRequest: the player's own outcome, in a match that runs or in one of the player alone.
func (x *exchange) logEvent(ctx context.Context) error {
	l := logged{key: x.request.name("eventKey", true), rules: x.server.engine.Rules()}
	if err := x.request.done(); err != nil {
		return err
	}
	known := l.find(x.server.options.Events)
	if !known && (x.server.options.Events != nil || !saysScore(&x.request)) {
		return Refusal{"eventKey": "INVALID"}
	}
	if err := l.findMatch(&x.request); err != nil {
		return err
	}
	l.outcome.Player = x.player // never another's, whatever the attributes say
	if l.match != "" {
		return x.report(ctx, &l)
	}
	if !known && !l.findOnly() {
		return Refusal{"eventKey": "INVALID"}
	}
	if err := l.findOutcome(&x.request, l.mode); err != nil {
		return err
	}
	switch {
	case !l.moded:
		return Refusal{l.matchName: "REQUIRED"}
	case !l.alone && !x.trusted:
		return Refusal{"eventKey": "NOT_ALLOWED"}
	}
	return x.playAlone(ctx, &l)
}

// find looks an event up by its key.
func (l *logged) find(events map[string]Event) bool {
	modes := make([]string, len(l.rules.Modes))
	for i, m := range l.rules.Modes {
		modes[i] = m.ID
	}
	key := l.key
	if events != nil {
		name, is := same(slices.Collect(maps.Keys(events)), l.key)
		if !is {
			return false
		}
		l.Event, key = events[name], name
	}
	if l.Mode != "" {
		key = l.Mode
	}
	if id, is := same(modes, key); is {
		l.mode, l.moded = modeOf(l.rules, id)
	}
	l.alone = events != nil || isFree(l.mode, l.rules)
	return l.moded || events != nil
}

// isFree tells whether a mode costs nothing and no prize can be won by it, so that anybody may play it alone.
func isFree(m finalbell.Mode, rules finalbell.Rules) bool {
	return m.Fee == nil && len(m.Prizes) == 0 && !slices.ContainsFunc(rules.Boards, func(b finalbell.BoardRule) bool {
		return len(b.Prizes) > 0 && slices.Contains(m.Boards, b.ID)
	})
}

// saysScore tells whether a request names an outcome: of a key that is not known, nothing else says that it is a score.
func saysScore(r *reader) bool {
	return slices.ContainsFunc(outcomeNames, func(name string) bool {
		_, there := r.value(name)
		return there
	})
}

// findOnly takes the only mode that anybody may play alone, if there is one alone.
func (l *logged) findOnly() bool {
	var open []finalbell.Mode
	for _, m := range l.rules.Modes {
		if isFree(m, l.rules) && m.Players.Min <= 1 && m.Teams == nil {
			open = append(open, m)
		}
	}
	if len(open) != 1 {
		return false
	}
	l.mode, l.moded, l.alone = open[0], true, true
	return true
}

func (l *logged) findMatch(r *reader) error {
	names := matchNames
	if l.Match != "" {
		names = []string{l.Match}
	}
	l.matchName = names[0]
	for _, name := range names {
		if l.match = r.text(name); l.match != "" {
			l.matchName = name
			break
		}
	}
	return r.done()
}

// findOutcome takes the outcome and its metrics from the attributes, as far as the mode has use for them.
func (l *logged) findOutcome(r *reader, mode finalbell.Mode) error {
	var numbers []string
	for name, v := range r.object.Members() {
		if _, is := numeric(v); is && !slices.Contains(reserved, name) {
			numbers = append(numbers, name)
		}
	}
	l.outcomeName = l.Outcome
	for _, name := range outcomeNames {
		if _, there := r.value(name); there && l.outcomeName == "" {
			l.outcomeName = name
		}
	}
	if l.outcomeName == "" && len(numbers) == 1 {
		l.outcomeName = numbers[0]
	}
	if l.outcomeName == "" {
		return Refusal{outcomeNames[0]: "REQUIRED"}
	}
	metrics := l.Event.Metrics
	if metrics == nil {
		metrics = map[string]string{}
		for _, name := range numbers {
			if name != l.outcomeName && l.wants(name, mode) {
				metrics[name] = name
			}
		}
	}
	l.outcome.Value = r.number(l.outcomeName)
	if !l.outcome.Value.Known() && r.wrong[l.outcomeName] == "" {
		r.wrong[l.outcomeName] = "REQUIRED"
	}
	l.outcome.Metrics = map[string]finalbell.Number{}
	for attribute, metric := range metrics {
		if n := r.number(attribute); n.Known() {
			l.outcome.Metrics[metric] = n
		}
	}
	return r.done()
}

// number is a number, unknown if it is not there.
func (r *reader) number(name string) finalbell.Number {
	v, there := r.value(name)
	if !there {
		return finalbell.Number{}
	}
	text, is := numeric(v)
	n := finalbell.Decimal(text)
	if !is || n.Err() != nil {
		r.wrong[name] = "INVALID"
		return finalbell.Number{}
	}
	return n
}

// wants tells whether the rules look at a metric in a mode. What nobody looks at is not kept: a client could send anything.
func (l *logged) wants(metric string, mode finalbell.Mode) bool {
	if slices.Contains(builtin, metric) || metric == "points" && mode.Points != nil {
		return false
	}
	_, bound := mode.Bounds[metric]
	wanted := bound || slices.ContainsFunc(mode.TieBreak, func(t finalbell.TieBreak) bool { return t.Metric == metric }) ||
		slices.ContainsFunc(mode.XP, func(g finalbell.Gain) bool { return g.Metric == metric }) ||
		slices.ContainsFunc(l.rules.Achievements, func(a finalbell.Achievement) bool { return a.Metric == metric })
	for _, b := range l.rules.Boards {
		wanted = wanted || slices.Contains(mode.Boards, b.ID) &&
			slices.ContainsFunc(b.Keys, func(k finalbell.Key) bool { return k.Metric == metric })
	}
	return wanted
}

// report notes the outcome in a match that runs. It does not end the match: that is not for a player.
func (x *exchange) report(ctx context.Context, l *logged) error {
	m, err := x.server.engine.Match(ctx, l.match)
	if err != nil {
		return codes(err, l.matchName)
	}
	if !slices.ContainsFunc(m.Standings, func(s finalbell.Standing) bool { return s.Player == x.player }) {
		return Refusal{l.matchName: "INVALID"} // as of a match that does not exist: nobody learns which do
	}
	if l.moded && m.Mode != l.mode.ID {
		return Refusal{"eventKey": "INVALID"}
	}
	mode, _ := modeOf(l.rules, m.Mode)
	if err := l.findOutcome(&x.request, mode); err != nil {
		return err
	}
	_, err = x.server.engine.Report(ctx, l.match, l.outcome)
	return l.blame(err, l.matchName)
}

// playAlone plays a match of the player alone. Its id is that of the request, so that one that is sent again is the same match.
func (x *exchange) playAlone(ctx context.Context, l *logged) error {
	e := x.server.engine
	m, err := e.Create(ctx, finalbell.NewMatch{ID: x.matchID(), Mode: l.mode.ID, Players: finalbell.Players(x.player)})
	if err != nil {
		return l.blame(err, "eventKey")
	}
	made := !m.Replayed
	if !l.mode.AutoStart {
		_, err = e.Start(ctx, m.ID)
	}
	if err == nil {
		_, err = e.End(ctx, m.ID, l.outcome)
	}
	if err == nil || errors.Is(err, finalbell.ErrUnknown) || errors.Is(err, finalbell.ErrUnavailable) {
		return err // sent again, it goes on where it was
	}
	if !made {
		return Refusal{"requestId": "DUPLICATE"} // of another event
	}
	if _, failed := e.Cancel(ctx, m.ID, "the event was refused"); failed != nil {
		x.server.refusal(ctx, failed, "eventKey")
	}
	return l.blame(err, "eventKey")
}

// blame says which attribute an error of the engine is about.
func (l *logged) blame(err error, field string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, finalbell.ErrOutcome) {
		field = l.outcomeName
	}
	if errors.Is(err, finalbell.ErrExists) {
		return Refusal{"requestId": "DUPLICATE"}
	}
	return codes(err, field)
}

// durable begins the ids of requests that an SDK keeps until they are answered, also when the game is started again: its session is
// another one then.
const durable = "d_"

// matchID is the id of the match that a request is: the same whenever it is sent again, and not to be guessed. A request without an
// id gets a new match.
func (x *exchange) matchID() string {
	if x.id == nil {
		return ""
	}
	id, _ := x.request.value("requestId")
	mac := hmac.New(sha256.New, []byte(x.server.options.Secret))
	mac.Write([]byte("match\x00" + x.player + "\x00" + id.Text() + "\x00"))
	if x.connection != nil && !strings.HasPrefix(id.Text(), durable) {
		mac.Write([]byte(x.connection.session))
	}
	return "gs-" + hex.EncodeToString(mac.Sum(nil)[:16])
}
