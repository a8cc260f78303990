// Package transcript drives an engine from text: match records one a line, scripts of calls one a line, and
// transcripts, which are scripts with the answers written between the lines.
package transcript

import (
	"strconv"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/timetext"
)

// What records and scripts have in common: how a player, an outcome, a round and a time are written. What the
// reader takes may still be refused by the engine, which alone knows the rules and in which order to refuse.

// readName takes a string that names something. An empty one is no name: the engine would take it for an
// absent one and, for an id, make its own.
func readName(v strictjson.Value) (string, error) {
	text, err := v.AsString()
	if err == nil && text == "" {
		err = v.Errorf("must not be empty")
	}
	// A copy, for the engine keeps players' ids and the tree keeps its whole line.
	return strings.Clone(text), err
}

// readRound takes a number or a label.
func readRound(v strictjson.Value) (string, error) {
	if v.Kind() == strictjson.String {
		return readName(v)
	}
	n, err := v.AsInt()
	if err != nil || n < 0 {
		return "", v.Expected("a whole number from 0 or a label")
	}
	return strconv.Itoa(n), nil
}

// readNumber takes any number. One with too many digits is refused by the call that is given it.
func readNumber(v strictjson.Value) (finalbell.Number, error) {
	text, err := v.AsNumber()
	if err != nil {
		return finalbell.Number{}, err
	}
	return finalbell.Decimal(text), nil
}

// readOutcomeNumber takes a number or null, which says what an absent outcome says.
func readOutcomeNumber(v strictjson.Value) (finalbell.Number, error) {
	if v.Kind() == strictjson.Null {
		return finalbell.Number{}, nil
	}
	if v.Kind() != strictjson.Number {
		return finalbell.Number{}, v.Expected("a number or null")
	}
	return readNumber(v)
}

// readPlayer takes one of a roster: an id, or an object with a team and whether it is a bot.
func readPlayer(v strictjson.Value) (finalbell.Participant, error) {
	if v.Kind() == strictjson.String {
		id, err := readName(v)
		return finalbell.Participant{Player: id}, err
	}
	if v.Kind() != strictjson.Object {
		return finalbell.Participant{}, v.Expected("an id or an object with a player")
	}
	r := strictjson.Fields(v)
	r.Require("player")
	p := finalbell.Participant{
		Player: strictjson.One(r, "player", readName),
		Team:   strictjson.One(r, "team", readName),
		Bot:    r.Bool("bot"),

		Attributes: strictjson.Map(r, "attributes", strictjson.Value.AsString),
	}
	return p, r.Done()
}

// readOutcome takes one outcome of a report.
func readOutcome(v strictjson.Value) (finalbell.Outcome, error) {
	r := strictjson.Fields(v)
	o := finalbell.Outcome{
		Player:  strictjson.One(r, "player", readName),
		Team:    strictjson.One(r, "team", readName),
		Value:   strictjson.One(r, "outcome", readOutcomeNumber),
		Status:  finalbell.Status(strictjson.One(r, "status", readName)),
		Metrics: strictjson.Map(r, "metrics", readNumber),
		Rank:    strictjson.One(r, "rank", readRank),
	}
	return o, r.Done()
}

// readRank takes a rank. The engine takes 0 for none, so that one that is written must not be 0.
func readRank(v strictjson.Value) (int, error) {
	n, err := v.AsInt()
	if err != nil || n < 1 {
		return 0, v.Expected("a whole number from 1")
	}
	return n, nil
}

// ReadTime takes a time as RFC 3339 writes it, to the millisecond. Years that RFC 3339 could not write in UTC
// are refused, and so is the first instant of year 1, which Go and the engine take for no time.
func ReadTime(v strictjson.Value) (time.Time, error) {
	text, err := v.AsString()
	if err != nil {
		return time.Time{}, err
	}
	t, err := timetext.Parse(text)
	if err == nil && t.IsZero() {
		err = timetext.ErrForm
	}
	if err != nil {
		return time.Time{}, v.Errorf("%q %w", clip(text), err)
	}
	return t, nil
}

// clip shortens somebody's text for a message.
func clip(text string) string {
	const most = 140
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
