package finalbelltest

import (
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
	"pgregory.net/rapid"
)

// The pools from which everything is drawn are small on purpose: what is rare in life, ties and returning
// players above all, must be common here.

// poolPlayers are the ids that rosters are made of.
func poolPlayers() []string { return []string{"ann", "bob", "cat", "dan", "eve", "fay"} }

func poolTeams() []string { return []string{"red", "blue", "teal"} }

// poolMetrics are the metrics that outcomes report.
func poolMetrics() []string { return []string{"kills", "time"} }

// poolNumbers has no more decimals than every drawn board keeps.
func poolNumbers() []finalbell.Number {
	return numbers("-1.5", "0", "0.5", "1", "1.5", "2", "2.5", "3")
}

func numbers(texts ...string) []finalbell.Number {
	out := make([]finalbell.Number, len(texts))
	for i, text := range texts {
		out[i] = finalbell.Decimal(text)
	}
	return out
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

// once in so many draws it is true; it shrinks to false.
func once(t *rapid.T, in int, label string) bool { return rapid.IntRange(1, in).Draw(t, label) == in }

// Rules draws valid rules of one to three modes and as many boards, with every option that this version has.
// No number that Outcomes draws has more decimals than their boards keep.
func Rules() *rapid.Generator[finalbell.Rules] {
	return rapid.Custom(func(t *rapid.T) finalbell.Rules {
		var r finalbell.Rules
		feeders := make(map[string][]string)
		boards := rapid.IntRange(1, 3).Draw(t, "boards")
		for i := range rapid.IntRange(1, 3).Draw(t, "modes") {
			m := drawMode(t, "mode-"+strconv.Itoa(i+1))
			for b := range boards {
				if id := "board-" + strconv.Itoa(b+1); !once(t, 4, "not fed") {
					m.Boards = append(m.Boards, id)
					feeders[id] = append(feeders[id], m.ID)
				}
			}
			r.Modes = append(r.Modes, m)
		}
		for b := range boards {
			id := "board-" + strconv.Itoa(b+1)
			r.Boards = append(r.Boards, drawBoard(t, id, feeders[id]))
		}
		if !once(t, 3, "simple sessions") {
			r.Sessions = finalbell.SessionRule{IdleAfter: pick(t, "idle after", 0, 3*time.Second, 10*time.Second),
				ReconnectWithin: pick(t, "reconnect within", 0, 2*time.Second), Devices: pick(t, "devices", "", finalbell.OneDevice, finalbell.ManyDevices)}
		}
		return r
	})
}

func drawMode(t *rapid.T, id string) finalbell.Mode {
	m := finalbell.Mode{
		ID:        id,
		Order:     pick(t, "order", "", finalbell.Desc, finalbell.Asc),
		Ties:      pick(t, "ties", "", finalbell.Standard, finalbell.Modified, finalbell.Dense, finalbell.Ordinal),
		Points:    drawPoints(t),
		Players:   finalbell.Limits{Min: pick(t, "min", 0, 1, 2), Max: pick(t, "max", 0, 0, 3, 5)},
		WalkIns:   once(t, 3, "walk-ins"),
		AutoStart: once(t, 3, "auto-start"),
		Exclusive: once(t, 3, "exclusive"),
		Ranks:     pick(t, "ranks", "", finalbell.ComputeRanks, finalbell.AcceptRanks),
	}
	for _, metric := range rapid.Permutation(poolMetrics()).Draw(t, "tie-break metrics")[:pick(t, "tie-breaks", 0, 1, 2)] {
		m.TieBreak = append(m.TieBreak, finalbell.TieBreak{Metric: metric, Order: drawOrder(t)})
	}
	if once(t, 3, "teams") {
		m.Teams = &finalbell.Teams{
			MaxSize: pick(t, "team size", 0, 2, 3),
			Fold:    pick(t, "team fold", "", finalbell.TeamSum, finalbell.TeamMean, finalbell.TeamBest),
		}
	}
	switch pick(t, "missing", "dnf", "dnf", "reject", "zero") {
	case "reject":
		m.Missing.Reject = true
	case "zero":
		m.Missing.Outcome = finalbell.Int(0)
	}
	if once(t, 3, "expires") {
		m.ExpireCreated = pick(t, "expire created", 0, 2*time.Second, 5*time.Second)
		m.ExpireStarted = pick(t, "expire started", 0, 3*time.Second, 5*time.Second)
	}
	if once(t, 4, "bounded") {
		m.Bounds = map[string]finalbell.Bound{
			pick(t, "bounded metric", "outcome", "kills", "time"): {Min: finalbell.Int(0), Max: pick(t, "bound", finalbell.Number{}, finalbell.Int(2))},
		}
	}
	m.OnSessionEnd = pick(t, "on session end", "", finalbell.KeepSeat, finalbell.LeaveSeat, finalbell.ForfeitSeat)
	m.Bots.Boards = pick(t, "bots on boards", "", finalbell.Exclude, finalbell.Include)
	m.Unfinished.Boards = pick(t, "unfinished on boards", "", finalbell.Include, finalbell.Exclude)
	return m
}

func drawOrder(t *rapid.T) finalbell.Order {
	return pick(t, "order", "", finalbell.Desc, finalbell.Asc)
}

func drawPoints(t *rapid.T) *finalbell.Points {
	switch pick(t, "points", "reported", "by result", "by rank", "none") {
	case "by result":
		return pick(t, "points by result",
			&finalbell.Points{Win: finalbell.Int(3), Draw: finalbell.Int(1)},
			&finalbell.Points{Win: finalbell.Int(1), Draw: finalbell.Decimal("0.5"), Loss: finalbell.Int(-1)})
	case "by rank":
		return &finalbell.Points{ByRank: pick(t, "points by rank", numbers("25", "18", "15"), numbers("2.5"), numbers("0", "0", "1"))}
	case "none":
		return &finalbell.Points{}
	}
	return nil
}

func drawBoard(t *rapid.T, id string, feeders []string) finalbell.BoardRule {
	b := finalbell.BoardRule{
		ID:   id,
		Of:   pick(t, "of", "", finalbell.OfPlayers, finalbell.OfTeams),
		Ties: pick(t, "board ties", "", finalbell.ShareRank, finalbell.FirstRank),
	}
	if b.Of == finalbell.OfTeams {
		b.PerMatch = pick(t, "per match", "", finalbell.PerMatchSum, finalbell.PerMatchBest)
	}
	b.Window, b.Partition = drawWindow(t), drawPartition(t, b.Of)
	row := pick(t, "row fold", finalbell.FoldBest, finalbell.FoldWorst, finalbell.FoldFirst, finalbell.FoldLatest)
	for range rapid.IntRange(1, 4).Draw(t, "keys") {
		b.Keys = append(b.Keys, drawKey(t, row, feeders))
	}
	return b
}

// poolZones have clocks that are turned at different times of the year, by an hour and by half of one, or never.
func poolZones() []string {
	return []string{"", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Tokyo"}
}

// drawWindow draws the period of a board. The shortest one is a day, but for those of a calendar of its own.
func drawWindow(t *rapid.T) finalbell.WindowRule {
	w := finalbell.WindowRule{
		Grace: pick(t, "grace", 0, 0, 2*time.Second, time.Hour, 36*time.Hour, 8*24*time.Hour),
		By:    pick(t, "by", "", finalbell.ByEnd, finalbell.ByStart),
	}
	day := func(n int) time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	switch pick(t, "window", "all", "day", "week", "month", "fixed", "seasons", "own") {
	case "day":
		w.Every, w.N = finalbell.Daily, pick(t, "days", 0, 1, 2, 10)
	case "week":
		w.Every, w.N = finalbell.Weekly, pick(t, "weeks", 0, 1, 2)
		w.WeekStart = pick(t, "week start", "", "sunday", "thursday")
	case "month":
		w.Every, w.N = finalbell.Monthly, pick(t, "months", 0, 1, 3)
	case "fixed":
		w.Every = pick(t, "fixed", "", finalbell.Season)
		w.Fixed = []finalbell.FixedWindow{
			{ID: "spring/1", Start: day(-3), End: day(0)}, {ID: "spring%2", Start: day(0), End: day(4)}, {ID: "cup", Start: day(9), End: day(30)},
		}
		return w
	case "seasons":
		w.Every = finalbell.Season
		return w
	case "own":
		w.Origin = day(-2)
		w.Next = func(t time.Time) time.Time { return t.Add(7 * time.Hour) }
		return w
	default:
		return w
	}
	w.Zone = rapid.SampledFrom(poolZones()).Draw(t, "zone")
	// Half past two is left out, or comes twice, on the days on which most clocks are turned.
	w.From = pick(t, "from", "", "2026-01-31", "2026-01-01T02:30", "2026-03-02T10:00")
	return w
}

// drawPartition draws what a board is divided by, mostly nothing.
func drawPartition(t *rapid.T, of finalbell.Subject) *finalbell.Partition {
	match := &finalbell.Partition{Of: pick(t, "of match", "", finalbell.OfMatch), Attribute: "map"}
	player := &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}
	if of == finalbell.OfTeams {
		player = match
	}
	return pick(t, "partition", nil, nil, match, player)
}

func drawKey(t *rapid.T, row finalbell.Fold, feeders []string) finalbell.Key {
	k := finalbell.Key{Fold: pick(t, "fold", "", row, finalbell.FoldSum, row, finalbell.FoldMean, finalbell.FoldCount, finalbell.FoldCountback)}
	if len(feeders) > 1 && once(t, 3, "not all modes") {
		k.Modes = rapid.Permutation(slices.Clone(feeders)).Draw(t, "modes")[:1]
	}
	if k.Fold == finalbell.FoldCountback {
		k.Places = pick(t, "places", 0, 0, 1, 2, 3)
		return k
	}
	k.Metric = pick(t, "metric", "outcome", "points", "kills", "time", "rank", "wins", "draws", "losses", "played")
	k.Order = drawOrder(t)
	if k.Fold == finalbell.FoldCount {
		if once(t, 3, "count all") {
			k.Metric = ""
		}
		return k
	}
	// One decimal is what the pools have. The huge numbers of WrongOutcomes overflow a scale of nine alone, and
	// one of four together.
	k.Scale = pick(t, "scale", 1, 2, 4, 9)
	if once(t, 4, "rounds") {
		k.Scale, k.Round = 0, true
	}
	if k.Fold != finalbell.FoldMean && k.Fold != row && once(t, 2, "best") {
		k.Best = pick(t, "best of", finalbell.BestOf(1), finalbell.BestOf(2),
			[]finalbell.Segment{{ThroughRound: 2, Count: 1}, {Count: 2}},
			[]finalbell.Segment{{ThroughRound: 1, Count: 2}, {ThroughRound: 3, Count: 1}})
	}
	return k
}
