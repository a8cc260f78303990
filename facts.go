package finalbell

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// facts are what is kept of a player's progress. The zero facts are those of a player who has none.
type facts struct {
	Markers map[string]int64 // progression markers
	Items   map[string]int64
	Levels  map[string]int  // by marker: the highest level that was reached and rewarded, if it is not one from the start
	Goals   map[string]goal // by achievement, without those at nothing
	Last    moment          // of the last result that went into Goals; zero: none
	Stats   *statistics     // nil: not kept yet, but what history says
}

// set changes one value of a map that has no zeros.
func set(m *map[string]int64, name string, value int64) {
	if *m == nil {
		*m = make(map[string]int64)
	}
	if (*m)[name] = value; value == 0 {
		delete(*m, name)
	}
}

// goal is how far a player is in one window of an achievement.
type goal struct {
	Window  string
	Value   Number // unknown: nothing. A sum may have more digits than what is reported
	Reached bool
}

// nothing reports whether a goal need not be kept.
func (g goal) nothing() bool { return !g.Value.Known() && !g.Reached }

type factsText struct {
	Markers map[string]int64    `json:"markers,omitempty"`
	Items   map[string]int64    `json:"items,omitempty"`
	Levels  map[string]int      `json:"levels,omitempty"`
	Goals   map[string]goalText `json:"goals,omitempty"`
	Last    *lastText           `json:"last,omitempty"`
	Stats   *statsText          `json:"stats,omitempty"`
}

type goalText struct {
	Window  string `json:"window"`
	Value   string `json:"value,omitempty"`
	Reached bool   `json:"reached,omitempty"`
}

type lastText struct {
	At       int64  `json:"at"`
	Position uint64 `json:"position"`
	Place    int    `json:"place"`
}

// encode writes facts as JSON, equal ones as equal bytes. position takes the place of the commit's own.
func (f facts) encode(position uint64) []byte {
	text := factsText{Markers: f.Markers, Items: f.Items, Levels: f.Levels}
	for id, g := range f.Goals {
		if text.Goals == nil {
			text.Goals = make(map[string]goalText, len(f.Goals))
		}
		text.Goals[id] = goalText{g.Window, g.Value.String(), g.Reached}
	}
	text.Last = f.Last.text(position)
	if f.Stats != nil {
		text.Stats = f.Stats.text(position)
	}
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // unreachable: maps of numbers and text that was checked
	}
	return data
}

// text is a moment as it is stored, none for the zero one.
func (m moment) text(position uint64) *lastText {
	if m == (moment{}) {
		return nil
	}
	m = m.placed(position)
	return &lastText{m.at, m.position, m.place}
}

// decodeFacts reads what encode wrote, and refuses anything else.
func decodeFacts(text []byte) (facts, error) {
	v, err := strictjson.Parse(text)
	if err != nil {
		return facts{}, fmt.Errorf("facts: %w", err)
	}
	r := strictjson.Fields(v)
	f := facts{
		Markers: strictjson.Map(r, "markers", strictjson.Value.AsInt64),
		Items:   strictjson.Map(r, "items", strictjson.Value.AsInt64),
		Levels:  strictjson.Map(r, "levels", strictjson.Value.AsInt),
		Goals:   strictjson.Map(r, "goals", readGoal),
		Last:    strictjson.One(r, "last", readMoment),
		Stats:   strictjson.Maybe(r, "stats", readStatistics),
	}
	if err := r.Done(); err != nil {
		return facts{}, fmt.Errorf("facts: %w", err)
	}
	return f, nil
}

func readGoal(v strictjson.Value) (goal, error) {
	r := strictjson.Fields(v)
	r.Require("window")
	g := goal{Window: r.String("window"), Value: strictjson.One(r, "value", readSum), Reached: r.Bool("reached")}
	return g, r.Done()
}

// readSum reads a number of any digits that an int64 holds, in the one form that Number writes.
func readSum(v strictjson.Value) (Number, error) {
	text, err := v.AsString()
	if err != nil {
		return Number{}, err
	}
	if n, ok := sumOf(text); ok {
		return n, nil
	}
	return Number{}, v.Expected("a sum")
}

// sumOf is the number of a text that Number has written; it may have more digits than what is reported.
func sumOf(text string) (Number, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	units, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || len(fraction) > maxScale {
		return Number{}, false
	}
	n := fromUnits(units, len(fraction))
	return n, n.String() == text
}

func readMoment(v strictjson.Value) (moment, error) {
	r := strictjson.Fields(v)
	r.Require("at", "position", "place")
	m := moment{at: r.Int64("at"), position: strictjson.One(r, "position", readPosition), place: r.Int("place")}
	return m, r.Done()
}

func readPosition(v strictjson.Value) (uint64, error) {
	position, err := v.AsInt64()
	if err == nil && position < 0 {
		err = v.Expected("a position")
	}
	return uint64(position), err
}
