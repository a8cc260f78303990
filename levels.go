package finalbell

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// What matches add to progression markers, and the levels that are reached by it.
//
// A level is reached once and rewarded then. A reward may add to markers, its own or another, and so reach further levels;
// that ends, since there are only so many. Which levels are reached depends on what was gained and not on its order:
// adding only ever brings more.

// markerGain is what a player gains on a marker.
type markerGain struct {
	rule   int // its index among the gains of the mode
	marker string
	amount int64 // more than 0
}

// gains is what a standing adds to markers, in the order of the rules: the product of metric and amount, rounded down.
// What is less than 1 is left out.
func (m Mode) gains(s Standing) ([]markerGain, error) {
	var gains []markerGain
	for i, g := range m.XP {
		n, has := metric(s, g.Metric)
		if !has || n.units <= 0 {
			continue
		}
		hi, lo := bits.Mul64(uint64(g.Amount), uint64(n.units))
		per := uint64(pow10(int(n.scale)))
		amount := uint64(math.MaxUint64)
		if hi < per {
			amount, _ = bits.Div64(hi, lo, per)
		}
		if amount > math.MaxInt64 {
			return nil, refuse(ErrOutcome, quote(s.Player)+": "+g.Metric+" "+n.String()+" overflows marker "+quote(g.Marker), s.Player)
		}
		if amount > 0 {
			gains = append(gains, markerGain{i, g.Marker, int64(amount)})
		}
	}
	return gains, nil
}

// level is the one of a value, 0 below the first threshold.
func (l Level) level(value int64) int {
	level, reached := slices.BinarySearch(l.Thresholds, value)
	if reached {
		level++
	}
	return level
}

// levelOf is the level of a value on a marker and what is missing to the next one; 0 if there is no next.
func (p progression) levelOf(marker string, value int64) (level int, missing int64) {
	for _, l := range p.levels {
		if l.Marker != marker {
			continue
		}
		if level = l.level(value); level < len(l.Thresholds) {
			missing = l.Thresholds[level] - value
		}
	}
	return level, missing
}

// levelReward is one reward of a level.
type levelReward struct {
	marker string
	level  int
	index  int // among the rewards of the level
	reward Reward
}

// levelUp is a level that was reached.
type levelUp struct {
	marker  string
	level   int
	rewards []levelReward
}

// climb adds gains to the markers of facts, which stay as they are, and then the rewards of all levels that are reached
// by that, in the order in which they are listed. A marker that overflows is refused.
func (p progression) climb(f facts, gains []markerGain) (facts, []levelUp, error) {
	f.Markers, f.Levels = maps.Clone(f.Markers), maps.Clone(f.Levels)
	for _, g := range gains {
		if err := f.add(g.marker, g.amount); err != nil {
			return facts{}, nil, err
		}
	}
	var ups []levelUp
	for again := true; again; {
		again = false
		for _, l := range p.levels {
			for level := f.rewarded(l) + 1; level <= l.level(f.Markers[l.Marker]); level++ {
				up := l.up(level)
				for _, r := range up.rewards {
					if err := f.add(r.reward.Marker, r.reward.Amount); err != nil {
						return facts{}, nil, err
					}
				}
				ups, again = append(ups, up), true
				if f.Levels == nil {
					f.Levels = make(map[string]int)
				}
				f.Levels[l.Marker] = level
			}
		}
	}
	return f, ups, nil
}

// rewarded is the highest level that needs no reward any more.
func (f facts) rewarded(l Level) int { return max(f.Levels[l.Marker], l.level(0)) }

// up is what reaching a level brings.
func (l Level) up(level int) levelUp {
	up := levelUp{marker: l.Marker, level: level}
	for i, r := range l.Rewards[strconv.Itoa(level)] {
		up.rewards = append(up.rewards, levelReward{l.Marker, level, i, r})
	}
	return up
}

// add changes a marker, which is not there while it is 0. Without a name it changes none.
func (f *facts) add(marker string, amount int64) error {
	if marker == "" {
		return nil
	}
	value, ok := addChecked(f.Markers[marker], amount)
	if !ok {
		return refuse(ErrOutcome, "marker "+quote(marker)+" overflows")
	}
	set(&f.Markers, marker, value)
	return nil
}

// fall takes gains away from the markers of facts, which stay as they are. Of the rewards of levels that the player was
// given it says which are reached no longer, and takes what they added to markers away too. A reward does not keep the
// level that gave it: what counts is what would be reached had the rest been gained alone.
func (p progression) fall(f facts, gains []markerGain, given []levelReward) (facts, []levelReward, error) {
	next := f
	next.Markers, next.Levels = maps.Clone(f.Markers), maps.Clone(f.Levels)
	lost := slices.Clone(given)
	for _, r := range lost {
		gains = append(slices.Clip(gains), markerGain{marker: r.reward.Marker, amount: r.reward.Amount})
	}
	for _, g := range gains {
		if err := next.add(g.marker, -g.amount); err != nil {
			return facts{}, nil, err
		}
	}
	for again := true; again; {
		again = false
		for i := 0; i < len(lost); {
			if p.loses(f, next, lost[i]) {
				i++
				continue
			}
			if err := next.add(lost[i].reward.Marker, lost[i].reward.Amount); err != nil {
				return facts{}, nil, err
			}
			lost, again = slices.Delete(lost, i, i+1), true
		}
	}
	for _, l := range p.levels {
		switch level := l.level(next.Markers[l.Marker]); {
		case f.ahead(l):
		case level <= l.level(0):
			delete(next.Levels, l.Marker)
		case level < f.Levels[l.Marker]:
			next.Levels[l.Marker] = level
		}
	}
	return next, lost, nil
}

// loses reports whether a reward that was given is not reached by facts. What the table has no longer, or has for more than
// it was given for, nobody loses.
func (p progression) loses(before, f facts, r levelReward) bool {
	for _, l := range p.levels {
		if l.Marker == r.marker && r.level <= len(l.Thresholds) {
			return f.Markers[r.marker] < l.Thresholds[r.level-1] && !before.ahead(l)
		}
	}
	return false
}

// ahead reports whether the player was rewarded for more levels than the table, which was raised since, gives them.
func (f facts) ahead(l Level) bool { return f.rewarded(l) > l.level(f.Markers[l.Marker]) }
