package finalbell

import (
	"context"
	"time"
)

// Progress is how far a player is.
type Progress struct {
	Player  string
	Markers []MarkerProgress // of every level table of the rules, then of other markers, by name
	Goals   []GoalProgress   // of every achievement of the rules, in their order
	Items   map[string]int64 // by item
}

// MarkerProgress is where a player is on a progression marker.
type MarkerProgress struct {
	Marker string
	Value  int64
	Level  int   // 0 below the first threshold, and for a marker without levels
	Next   int64 // what is missing to the next level; 0: there is none
}

// GoalProgress is how near a player is to an achievement in its present window.
type GoalProgress struct {
	Achievement string
	Window      string
	Value       Number
	Threshold   Number
	Remaining   Number // 0 when reached: "2 more wins"
	Reached     bool
}

// Progress returns how far a player is on markers and achievements; somebody never heard of has not begun.
func (e *Engine) Progress(ctx context.Context, player string) (Progress, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("player", player)
	}
	if err != nil {
		return Progress{}, failed("read progress", player, err)
	}
	g := e.giving(e.ruleset(), time.Time{}, Grant{})
	if err := g.load(ctx, player); err != nil {
		return Progress{}, failed("read progress", player, err)
	}
	return e.ruleset().progress.show(player, g.players[player].facts, e.now()), nil
}

// show is how far a player is at some time.
func (p progression) show(player string, f facts, at time.Time) Progress {
	out := Progress{Player: player, Goals: p.progress(f, at), Items: f.Items}
	listed := make(map[string]bool)
	for _, l := range p.levels {
		value := f.Markers[l.Marker]
		level, next := p.levelOf(l.Marker, value)
		out.Markers = append(out.Markers, MarkerProgress{Marker: l.Marker, Value: value, Level: level, Next: next})
		listed[l.Marker] = true
	}
	for _, marker := range names(f.Markers) {
		if !listed[marker] {
			out.Markers = append(out.Markers, MarkerProgress{Marker: marker, Value: f.Markers[marker]})
		}
	}
	return out
}
