package finalbell

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// What gains, achievements and levels may say.

func (c *checker) gains(path string, gains []Gain) {
	for i, g := range gains {
		path := fmt.Sprintf("%s[%d]", path, i)
		c.id(path+".marker", cmp.Or(g.Marker, "xp"))
		c.counted(path, cmp.Or(g.Metric, "played"))
		c.amount(path+".amount", g.Amount)
	}
}

// counted checks a metric of the results that progress is made by.
func (c *checker) counted(path, metric string) {
	c.id(path+".metric", metric)
	c.unsupported(path, later{"metric", metric == "rating"})
}

func (c *checker) achievements(achievements []Achievement, modes map[string]Mode, currencies map[string]bool) {
	ids := make(map[string]bool, len(achievements))
	for i, a := range achievements {
		path := fmt.Sprintf("achievements[%d]", i)
		c.id(path+".id", a.ID)
		if ids[a.ID] {
			c.fail(path+".id", "%s comes twice", quote(a.ID))
		}
		ids[a.ID] = true
		checkWord(c, path+".type", a.Type)
		checkWord(c, path+".window", a.Window)
		if a.Window == Season {
			c.fail(path+".window", "a season is begun on a board, and an achievement has none")
		}
		c.goal(path, a)
		for k, id := range a.Modes {
			path := fmt.Sprintf("%s.modes[%d]", path, k)
			if _, there := modes[id]; !there {
				c.fail(path, "no mode %s", quote(id))
			} else if slices.Contains(a.Modes[:k], id) {
				c.fail(path, "%s comes twice", quote(id))
			}
		}
		c.rewards(path+".rewards", a.Rewards, currencies)
	}
}

// goal checks what is to be reached.
func (c *checker) goal(path string, a Achievement) {
	switch {
	case a.Metric == "" && a.Rank == 0:
		c.fail(path, "needs a metric or a rank")
	case a.Metric != "" && a.Rank != 0:
		c.fail(path, "either a metric or a rank, not both")
	case a.Metric == "rank":
		c.fail(path+".metric", "a lower rank is the better one; the field rank counts finishes in a rank or better")
	case a.Rank < 0:
		c.fail(path+".rank", "%d is less than 1", a.Rank)
	case a.Rank == 0:
		c.counted(path, a.Metric)
	}
	c.number(path+".threshold", a.Threshold)
	if c.err != nil {
		return
	}
	if !a.Threshold.Known() || a.Threshold.Cmp(Int(0)) <= 0 {
		c.fail(path+".threshold", "must be more than 0")
	}
	if _, whole := a.Threshold.Int64(); !whole && a.countsMatches() {
		c.fail(path+".threshold", "%s is not a whole number of matches", a.Threshold)
	}
}

func (c *checker) levels(levels []Level, currencies map[string]bool) {
	markers := make(map[string]bool, len(levels))
	for i, l := range levels {
		path := fmt.Sprintf("levels[%d]", i)
		c.id(path+".marker", l.Marker)
		if markers[l.Marker] {
			c.fail(path+".marker", "%s comes twice", quote(l.Marker))
		}
		markers[l.Marker] = true
		if len(l.Thresholds) == 0 {
			c.fail(path+".thresholds", "a table needs at least one")
		}
		for k, threshold := range l.Thresholds {
			path := fmt.Sprintf("%s.thresholds[%d]", path, k)
			if threshold < 0 {
				c.fail(path, "%d is negative", threshold)
			}
			if k > 0 && threshold <= l.Thresholds[k-1] {
				c.fail(path, "%d is not more than %d before it", threshold, l.Thresholds[k-1])
			}
		}
		for _, level := range slices.Sorted(maps.Keys(l.Rewards)) {
			path := strictjson.Child(path+".rewards", level)
			number, err := strconv.Atoi(level)
			switch {
			case err != nil || strconv.Itoa(number) != level || number < 1 || number > len(l.Thresholds):
				c.fail(path, "is no level of the table, which has 1 to %d", len(l.Thresholds))
			case l.Thresholds[number-1] == 0:
				c.fail(path, "level %d begins at 0: nobody ever reaches it", number)
			}
			c.rewards(path, l.Rewards[level], currencies)
		}
	}
}
