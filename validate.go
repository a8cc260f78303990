package finalbell

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/finalbell/finalbell/internal/strictjson"

	"github.com/finalbell/finalbell/internal/timetext"
)

const (
	maxID     = 128 // bytes
	maxPlaces = 64  // that a countback counts
)

// Validate returns the first thing that is wrong with the rules as an ErrInvalid that names the field, or nil.
// Zero values stand for their defaults. New and ParseRules call it.
func (r Rules) Validate() error {
	var c checker
	currencies := c.currencies(r.Currencies)
	boards := make(map[string]*BoardRule, len(r.Boards))
	for i := range r.Boards {
		path := fmt.Sprintf("boards[%d]", i)
		c.id(path+".id", r.Boards[i].ID)
		if boards[r.Boards[i].ID] != nil {
			c.fail(path+".id", "%s comes twice", quote(r.Boards[i].ID))
		}
		boards[r.Boards[i].ID] = &r.Boards[i]
	}
	modes := make(map[string]Mode, len(r.Modes))
	for i, m := range r.Modes {
		path := fmt.Sprintf("modes[%d]", i)
		c.id(path+".id", m.ID)
		if _, twice := modes[m.ID]; twice {
			c.fail(path+".id", "%s comes twice", quote(m.ID))
		}
		modes[m.ID] = m
		c.mode(path, m, currencies)
	}
	for i, b := range r.Boards {
		c.board(fmt.Sprintf("boards[%d]", i), b, currencies)
	}
	// What refers to something else comes last: by now the two are right by themselves.
	for i, m := range r.Modes {
		c.feeding(fmt.Sprintf("modes[%d]", i), m, boards)
	}
	for i, b := range r.Boards {
		for k, key := range b.Keys {
			c.keyModes(fmt.Sprintf("boards[%d].keys[%d].modes", i, k), key.Modes, b.ID, modes)
		}
	}
	c.achievements(r.Achievements, modes, currencies)
	c.levels(r.Levels, currencies)
	c.sessions("sessions", r.Sessions)
	return c.err
}

// checker keeps the first problem, so that the checks read as a list.
type checker struct{ err error }

func (c *checker) fail(path, format string, args ...any) {
	if c.err == nil {
		c.err = refuse(ErrInvalid, "rules: "+path+": "+fmt.Sprintf(format, args...))
	}
}

func (c *checker) id(path, id string) {
	if problem := idProblem(id); problem != "" {
		c.fail(path, "%s", problem)
	}
}

func (c *checker) number(path string, n Number) {
	if err := n.Err(); err != nil {
		c.fail(path, "%s", err.Error())
	}
}

// duration refuses what no deadline could keep: time has milliseconds here.
func (c *checker) duration(path string, d time.Duration) {
	switch {
	case d < 0:
		c.fail(path, "%s is negative", d)
	case d%time.Millisecond != 0:
		c.fail(path, "%s is finer than a millisecond", d)
	}
}

func (c *checker) notNegative(path string, n int) {
	if n < 0 {
		c.fail(path, "%d is negative", n)
	}
}

// checkID refuses an id, or another name, of less than 1 or more than 128 bytes, of invalid UTF-8 or with
// control characters. What says whose it is: "match id".
func checkID(what, id string) error {
	if problem := idProblem(id); problem != "" {
		return refuse(ErrInvalid, what+": "+problem)
	}
	return nil
}

func idProblem(id string) string {
	switch {
	case id == "":
		return "must not be empty"
	case len(id) > maxID:
		return quote(id) + " has " + strconv.Itoa(len(id)) + " bytes, more than " + strconv.Itoa(maxID)
	case !utf8.ValidString(id):
		return quote(id) + " is not valid UTF-8"
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return quote(id) + " has a control character"
		}
	}
	return ""
}

func (c *checker) mode(path string, m Mode, currencies map[string]bool) {
	checkWord(c, path+".order", m.Order)
	checkWord(c, path+".ties", m.Ties)
	checkWord(c, path+".reports", m.Reports)
	checkWord(c, path+".ranks", m.Ranks)
	checkWord(c, path+".on_crash", m.OnCrash)
	checkWord(c, path+".on_session_end", m.OnSessionEnd)
	checkWord(c, path+".bots.boards", m.Bots.Boards)
	checkWord(c, path+".bots.stats", m.Bots.Stats)
	checkWord(c, path+".bots.rating", m.Bots.Rating)
	checkWord(c, path+".bots.prizes", botPrizes(m.Bots.Prizes))
	checkWord(c, path+".bots.achievements", m.Bots.Achievements)
	checkWord(c, path+".unfinished.boards", m.Unfinished.Boards)
	checkWord(c, path+".unfinished.stats", m.Unfinished.Stats)
	checkWord(c, path+".unfinished.rating", m.Unfinished.Rating)
	checkWord(c, path+".unfinished.prizes", m.Unfinished.Prizes)
	for _, part := range m.later() {
		c.unsupported(path, part)
	}
	c.tieBreak(path+".tie_break", m)
	c.points(path+".points", m.Points)
	c.notNegative(path+".players.min", m.Players.Min)
	c.notNegative(path+".players.max", m.Players.Max)
	if m.Players.Max > 0 && m.Players.Min > m.Players.Max {
		c.fail(path+".players", "min %d is more than max %d", m.Players.Min, m.Players.Max)
	}
	if m.Teams != nil {
		c.notNegative(path+".teams.max_size", m.Teams.MaxSize)
		checkWord(c, path+".teams.fold", m.Teams.Fold)
	}
	c.missing(path+".missing", m.Missing)
	c.duration(path+".expire_created", m.ExpireCreated)
	c.duration(path+".expire_started", m.ExpireStarted)
	c.bounds(path+".bounds", m)
	c.fee(path+".fee", m.Fee, currencies)
	c.prizes(path+".prizes", m.Prizes, m.Fee, currencies)
	c.gains(path+".xp", m.XP)
}

func (c *checker) tieBreak(path string, m Mode) {
	seen := make(map[string]bool, len(m.TieBreak))
	for i, t := range m.TieBreak {
		path := fmt.Sprintf("%s[%d]", path, i)
		c.id(path+".metric", t.Metric)
		checkWord(c, path+".order", t.Order)
		if !m.reportable(t.Metric) {
			c.fail(path+".metric", "%s is not reported with an outcome and cannot break ties", quote(t.Metric))
		}
		if seen[t.Metric] {
			c.fail(path+".metric", "%s comes twice", quote(t.Metric))
		}
		seen[t.Metric] = true
	}
}

// reportable reports whether a record may bring a metric of this name, by the name alone.
func (m Mode) reportable(metric string) bool {
	return !isBuiltin(metric) || metric == "points" && m.Points == nil
}

func (c *checker) points(path string, p *Points) {
	if p == nil {
		return
	}
	c.number(path+".win", p.Win)
	c.number(path+".draw", p.Draw)
	c.number(path+".loss", p.Loss)
	for i, n := range p.ByRank {
		c.number(fmt.Sprintf("%s[%d]", path, i), n)
	}
	if len(p.ByRank) > 0 && (p.Win.Known() || p.Draw.Known() || p.Loss.Known()) {
		c.fail(path, "either by result (win, draw, loss) or by rank, not both")
	}
}

func (c *checker) missing(path string, m Missing) {
	c.number(path+".outcome", m.Outcome)
	if m.Reject && m.Outcome.Known() {
		c.fail(path, "either reject or an outcome, not both")
	}
}

func (c *checker) bounds(path string, m Mode) {
	for _, metric := range slices.Sorted(maps.Keys(m.Bounds)) {
		path, b := strictjson.Child(path, metric), m.Bounds[metric]
		c.id(path, metric)
		if metric != "outcome" && !m.reportable(metric) {
			c.fail(path, "%s is not reported and cannot have bounds", quote(metric))
		}
		c.number(path+".min", b.Min)
		c.number(path+".max", b.Max)
		if c.err == nil && b.Min.Known() && b.Max.Known() && b.Min.Cmp(b.Max) > 0 {
			c.fail(path, "min %s is more than max %s", b.Min, b.Max)
		}
	}
}

// feeding checks what a mode says of its boards.
func (c *checker) feeding(path string, m Mode, boards map[string]*BoardRule) {
	seen := make(map[string]bool, len(m.Boards))
	for i, id := range m.Boards {
		path := fmt.Sprintf("%s.boards[%d]", path, i)
		switch {
		case boards[id] == nil:
			c.fail(path, "no board %s", quote(id))
			return
		case seen[id]:
			c.fail(path, "%s comes twice", quote(id))
		}
		seen[id] = true
	}
	if m.Points == nil {
		return
	}
	// Points that a board cannot keep would make an End be refused, and only on the day of the first draw.
	for _, id := range m.Boards {
		for _, key := range boards[id].Keys {
			if key.Metric != "points" || key.Fold == FoldCount || key.Round || !feeds(key, m.ID) {
				continue
			}
			for _, n := range append([]Number{m.Points.Win, m.Points.Draw, m.Points.Loss}, m.Points.ByRank...) {
				if int(n.scale) > key.Scale {
					c.fail(path+".points", "%s has more decimals than the key points of board %s keeps: raise its scale or let it round", n, quote(id))
				}
			}
		}
	}
}

func (c *checker) board(path string, b BoardRule, currencies map[string]bool) {
	checkWord(c, path+".of", b.Of)
	checkWord(c, path+".per_match", b.PerMatch)
	checkWord(c, path+".ties", b.Ties)
	c.window(path+".window", b.Window)
	c.partition(path+".partition", b)
	if b.Of == OfTeams && len(b.Prizes) > 0 {
		c.fail(path+".prizes", "are for players; a team has nothing to keep them in")
	}
	c.prizes(path+".prizes", b.Prizes, nil, currencies)
	if b.Of != OfTeams && b.PerMatch != "" && b.PerMatch != PerMatchSum {
		c.fail(path+".per_match", "%s is for a board of teams", quote(string(b.PerMatch)))
	}
	if len(b.Keys) == 0 {
		c.fail(path+".keys", "a board needs at least one")
	}
	var row Fold
	for i, key := range b.Keys {
		path := fmt.Sprintf("%s.keys[%d]", path, i)
		c.key(path, key)
		if !key.Fold.isRow() {
			continue
		}
		if row != "" && key.Fold != row {
			c.fail(path+".fold", "%s beside %s: best, worst, first and latest on one board are all the same fold", quote(string(key.Fold)), quote(string(row)))
		}
		row = key.Fold
	}
}

func (c *checker) sessions(path string, s SessionRule) {
	c.duration(path+".idle_after", s.IdleAfter)
	c.duration(path+".reconnect_within", s.ReconnectWithin)
	checkWord(c, path+".devices", s.Devices)
}

func (c *checker) window(path string, w WindowRule) {
	checkWord(c, path+".every", w.Every)
	checkWord(c, path+".week_start", weekday(w.WeekStart))
	checkWord(c, path+".by", w.By)
	c.notNegative(path+".n", w.N)
	c.duration(path+".grace", w.Grace)
	for i, f := range w.Fixed {
		c.id(fmt.Sprintf("%s.fixed[%d].id", path, i), f.ID)
		if f.End.IsZero() {
			c.fail(fmt.Sprintf("%s.fixed[%d].end", path, i), "is missing")
		}
	}
	switch {
	case w.Next != nil && (cmp.Or(w.Every, AllTime) != AllTime || w.N > 1 || w.From != "" || len(w.Fixed) > 0):
		c.fail(path+".next", "stands for every, n, from and fixed, which are left out")
	case w.Next == nil && !w.Origin.IsZero():
		c.fail(path+".origin", "%s is of a calendar of your own, but there is no Next", timetext.Format(w.Origin))
	}
	if c.err == nil {
		if err := w.check(); err != nil {
			field, problem, _ := strings.Cut(err.Error(), ": ") // as package schedule writes them
			c.fail(path+"."+field, "%s", problem)
		}
	}
}

func (c *checker) partition(path string, b BoardRule) {
	if b.Partition == nil {
		return
	}
	checkWord(c, path+".of", b.Partition.Of)
	c.id(path+".attribute", b.Partition.Attribute)
	if b.Of == OfTeams && b.Partition.Of == OfPlayer {
		c.fail(path+".of", "a team's members may differ in an attribute; a board of teams is partitioned by the match's")
	}
}

func (c *checker) key(path string, k Key) {
	checkWord(c, path+".fold", k.Fold)
	checkWord(c, path+".order", k.Order)
	if k.Metric == "rating" {
		c.unsupported(path, later{"metric", true})
	}
	if k.Metric != "" || k.Fold != FoldCount && k.Fold != FoldCountback {
		c.id(path+".metric", k.Metric)
	}
	if k.Scale < 0 || k.Scale > maxScale {
		c.fail(path+".scale", "%d is not between 0 and %d decimals", k.Scale, maxScale)
	}
	if k.Places < 0 || k.Places > maxPlaces {
		c.fail(path+".places", "%d is not between 1 and %d", k.Places, maxPlaces)
	}
	for _, option := range []struct {
		name  string
		given bool
		fits  bool
	}{
		{"metric", k.Metric != "", k.Fold != FoldCountback},
		{"order", k.Order != "" && k.Order != Desc, k.Fold != FoldCountback}, // more of the better places is always better
		{"scale", k.Scale != 0, k.Fold != FoldCountback && k.Fold != FoldCount},
		{"round", k.Round, k.Fold != FoldCountback && k.Fold != FoldCount},
		{"best", len(k.Best) > 0, k.Fold == "" || k.Fold == FoldSum},
		{"places", k.Places != 0, k.Fold == FoldCountback},
	} {
		if option.given && !option.fits {
			c.fail(path+"."+option.name, "the fold %s has none", quote(string(cmp.Or(k.Fold, FoldSum))))
		}
	}
	c.best(path+".best", k.Best)
}

func (c *checker) best(path string, segments []Segment) {
	through := 0
	for i, s := range segments {
		path := path
		if len(segments) > 1 || s.ThroughRound != 0 {
			path = fmt.Sprintf("%s[%d]", path, i)
		}
		switch {
		case s.Count < 1:
			c.fail(path, "the count %d is less than 1", s.Count)
		case s.ThroughRound == 0 && i < len(segments)-1:
			c.fail(path, "only the last segment may be without through_round")
		case s.ThroughRound < 0:
			c.fail(path, "through_round %d is negative", s.ThroughRound)
		case s.ThroughRound != 0 && s.ThroughRound <= through:
			c.fail(path, "through_round %d does not come after %d", s.ThroughRound, through)
		}
		through = s.ThroughRound
	}
}

func (c *checker) keyModes(path string, ids []string, board string, modes map[string]Mode) {
	for i, id := range ids {
		path := fmt.Sprintf("%s[%d]", path, i)
		m, there := modes[id]
		switch {
		case !there:
			c.fail(path, "no mode %s", quote(id))
		case !slices.Contains(m.Boards, board):
			c.fail(path, "mode %s does not feed board %s", quote(id), quote(board))
		case slices.Contains(ids[:i], id):
			c.fail(path, "%s comes twice", quote(id))
		}
	}
}

// later is a part of the rules that a later version brings, and whether these rules ask for it.
type later struct {
	field string
	asked bool
}

func (c *checker) unsupported(path string, part later) {
	if part.asked {
		c.fail(path+"."+part.field, "not supported yet")
	}
}

func (m Mode) later() []later {
	return []later{
		{"rating", m.Rating != nil},
		{"reports", cmp.Or(m.Reports, Authority) != Authority},
		{"bots.rating", m.Bots.Rating == Include},
		{"unfinished.rating", m.Unfinished.Rating == Exclude},
	}
}
