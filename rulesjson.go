package finalbell

import (
	"time"

	"github.com/finalbell/finalbell/internal/strictjson"

	"github.com/finalbell/finalbell/internal/timetext"
)

// Rules read from JSON. The reader takes the whole schema, also what Validate does not support yet, and keeps
// what is written: an explicit default stays explicit, an empty list is none. rulestext.go writes the same.

// ParseRules reads rules from their JSON form and validates them. An error is an ErrInvalid that names the
// field: an unknown one, a wrong type or word, or whatever Validate refuses.
func ParseRules(text []byte) (Rules, error) {
	r, err := decodeRules(text)
	if err != nil {
		return Rules{}, err
	}
	if err := r.Validate(); err != nil {
		return Rules{}, err
	}
	return r, nil
}

// UnmarshalJSON is ParseRules, for rules within a larger JSON text.
func (r *Rules) UnmarshalJSON(text []byte) error {
	parsed, err := ParseRules(text)
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// decodeRules reads rules and does not validate them.
func decodeRules(text []byte) (Rules, error) {
	v, err := strictjson.Parse(text)
	if err == nil {
		var rules Rules
		if rules, err = readRules(v); err == nil {
			return rules, nil
		}
	}
	return Rules{}, refuse(ErrInvalid, "rules: "+err.Error())
}

func readRules(v strictjson.Value) (Rules, error) {
	r := strictjson.Fields(v)
	rules := Rules{
		Currencies:   strictjson.List(r, "currencies", readCurrency),
		Modes:        strictjson.List(r, "modes", readMode),
		Boards:       strictjson.List(r, "boards", readBoard),
		Achievements: strictjson.List(r, "achievements", readAchievement),
		Levels:       strictjson.List(r, "levels", readLevel),
		Sessions:     strictjson.One(r, "sessions", readSessions),
	}
	return rules, r.Done()
}

func readMode(v strictjson.Value) (Mode, error) {
	r := strictjson.Fields(v)
	m := Mode{
		ID:            r.String("id"),
		Order:         readWord[Order](r, "order"),
		Ties:          readWord[TieStyle](r, "ties"),
		TieBreak:      strictjson.List(r, "tie_break", readTieBreak),
		Points:        strictjson.Maybe(r, "points", readPoints),
		Players:       strictjson.One(r, "players", readLimits),
		Teams:         strictjson.Maybe(r, "teams", readTeams),
		Missing:       strictjson.One(r, "missing", readMissing),
		WalkIns:       r.Bool("walk_ins"),
		AutoStart:     r.Bool("auto_start"),
		Exclusive:     r.Bool("exclusive"),
		ExpireCreated: strictjson.One(r, "expire_created", readDuration),
		ExpireStarted: strictjson.One(r, "expire_started", readDuration),
		Reports:       readWord[Reports](r, "reports"),
		Ranks:         readWord[RankSource](r, "ranks"),
		OnCrash:       readWord[CrashPolicy](r, "on_crash"),
		OnSessionEnd:  readWord[SessionPolicy](r, "on_session_end"),
		Bounds:        strictjson.Map(r, "bounds", readBound),
		Bots:          strictjson.One(r, "bots", readBots),
		Unfinished:    strictjson.One(r, "unfinished", readUnfinished),
		Fee:           strictjson.Maybe(r, "fee", readFee),
		Rating:        strictjson.Maybe(r, "rating", readRating),
		Boards:        strictjson.List(r, "boards", strictjson.Value.AsString),
		Prizes:        strictjson.List(r, "prizes", readPrize),
		XP:            strictjson.List(r, "xp", readGain),
	}
	return m, r.Done()
}

func readTieBreak(v strictjson.Value) (TieBreak, error) {
	r := strictjson.Fields(v)
	t := TieBreak{Metric: r.String("metric"), Order: readWord[Order](r, "order")}
	return t, r.Done()
}

// readPoints takes an object of points by result or a list by rank.
func readPoints(v strictjson.Value) (Points, error) {
	if v.Kind() == strictjson.Array {
		byRank, err := strictjson.Items(v, readNumber)
		return Points{ByRank: byRank}, err
	}
	if v.Kind() != strictjson.Object {
		return Points{}, v.Expected("an object or a list")
	}
	r := strictjson.Fields(v)
	p := Points{
		Win:  strictjson.One(r, "win", readNumber),
		Draw: strictjson.One(r, "draw", readNumber),
		Loss: strictjson.One(r, "loss", readNumber),
	}
	return p, r.Done()
}

func readLimits(v strictjson.Value) (Limits, error) {
	r := strictjson.Fields(v)
	l := Limits{Min: r.Int("min"), Max: r.Int("max")}
	return l, r.Done()
}

func readTeams(v strictjson.Value) (Teams, error) {
	r := strictjson.Fields(v)
	t := Teams{MaxSize: r.Int("max_size"), Fold: readWord[TeamFold](r, "fold")}
	return t, r.Done()
}

// readMissing takes a word or a default outcome.
func readMissing(v strictjson.Value) (Missing, error) {
	if v.Kind() == strictjson.Object {
		r := strictjson.Fields(v)
		r.Require("outcome")
		m := Missing{Outcome: strictjson.One(r, "outcome", readNumber)}
		return m, r.Done()
	}
	switch text, err := v.AsString(); {
	case err == nil && text == "dnf":
		return Missing{}, nil
	case err == nil && text == "reject":
		return Missing{Reject: true}, nil
	}
	return Missing{}, v.Expected(`"dnf", "reject" or an object with an outcome`)
}

func readBound(v strictjson.Value) (Bound, error) {
	r := strictjson.Fields(v)
	b := Bound{Min: strictjson.One(r, "min", readNumber), Max: strictjson.One(r, "max", readNumber)}
	return b, r.Done()
}

func readBots(v strictjson.Value) (BotPolicy, error) {
	r := strictjson.Fields(v)
	b := BotPolicy{
		Boards:       readWord[Policy](r, "boards"),
		Stats:        readWord[Policy](r, "stats"),
		Rating:       readWord[Policy](r, "rating"),
		Prizes:       Policy(readWord[botPrizes](r, "prizes")),
		Achievements: readWord[Policy](r, "achievements"),
	}
	return b, r.Done()
}

func readUnfinished(v strictjson.Value) (UnfinishedPolicy, error) {
	r := strictjson.Fields(v)
	u := UnfinishedPolicy{
		Boards: readWord[Policy](r, "boards"),
		Stats:  readWord[Policy](r, "stats"),
		Rating: readWord[Policy](r, "rating"),
		Prizes: readWord[Policy](r, "prizes"),
	}
	return u, r.Done()
}

func readBoard(v strictjson.Value) (BoardRule, error) {
	r := strictjson.Fields(v)
	b := BoardRule{
		ID:        r.String("id"),
		Of:        readWord[Subject](r, "of"),
		PerMatch:  readWord[PerMatch](r, "per_match"),
		Ties:      readWord[BoardTies](r, "ties"),
		Keys:      strictjson.List(r, "keys", readKey),
		Prizes:    strictjson.List(r, "prizes", readPrize),
		Window:    strictjson.One(r, "window", readWindow),
		Partition: strictjson.Maybe(r, "partition", readPartition),
	}
	return b, r.Done()
}

func readPartition(v strictjson.Value) (Partition, error) {
	r := strictjson.Fields(v)
	p := Partition{Of: readWord[Attributed](r, "of"), Attribute: r.String("attribute")}
	return p, r.Done()
}

func readKey(v strictjson.Value) (Key, error) {
	r := strictjson.Fields(v)
	k := Key{
		Metric: r.String("metric"),
		Fold:   readWord[Fold](r, "fold"),
		Order:  readWord[Order](r, "order"),
		Scale:  r.Int("scale"),
		Round:  r.Bool("round"),
		Best:   strictjson.One(r, "best", readBest),
		Modes:  strictjson.List(r, "modes", strictjson.Value.AsString),
		Places: r.Int("places"),
	}
	return k, r.Done()
}

// readBest takes a number, 0 for all, or a list of segments.
func readBest(v strictjson.Value) ([]Segment, error) {
	switch v.Kind() {
	case strictjson.Array:
		return strictjson.Items(v, readSegment)
	case strictjson.Number:
		n, err := v.AsInt()
		if n == 0 {
			return nil, err
		}
		return BestOf(n), nil
	}
	return nil, v.Expected("a whole number or a list of segments")
}

func readSegment(v strictjson.Value) (Segment, error) {
	r := strictjson.Fields(v)
	r.Require("count")
	s := Segment{ThroughRound: r.Int("through_round"), Count: r.Int("count")}
	return s, r.Done()
}

func readWindow(v strictjson.Value) (WindowRule, error) {
	r := strictjson.Fields(v)
	w := WindowRule{
		Every:     readWord[Every](r, "every"),
		N:         r.Int("n"),
		From:      r.String("from"),
		WeekStart: string(readWord[weekday](r, "week_start")),
		Zone:      r.String("zone"),
		Grace:     strictjson.One(r, "grace", readDuration),
		By:        readWord[Attribution](r, "by"),
		Fixed:     strictjson.List(r, "fixed", readFixed),
		Origin:    strictjson.One(r, "origin", readTime),
	}
	return w, r.Done()
}

func readFixed(v strictjson.Value) (FixedWindow, error) {
	r := strictjson.Fields(v)
	r.Require("id", "start", "end")
	f := FixedWindow{
		ID:    r.String("id"),
		Start: strictjson.One(r, "start", readTime),
		End:   strictjson.One(r, "end", readTime),
	}
	return f, r.Done()
}

func readCurrency(v strictjson.Value) (Currency, error) {
	r := strictjson.Fields(v)
	c := Currency{ID: r.String("id"), Shortfall: readWord[Shortfall](r, "shortfall")}
	return c, r.Done()
}

func readFee(v strictjson.Value) (Fee, error) {
	r := strictjson.Fields(v)
	f := Fee{
		Currency:     r.String("currency"),
		Amount:       r.Int64("amount"),
		HouseFlat:    r.Int64("house_flat"),
		HousePercent: strictjson.One(r, "house_percent", readNumber),
	}
	return f, r.Done()
}

func readRating(v strictjson.Value) (RatingRule, error) {
	r := strictjson.Fields(v)
	s := RatingRule{System: string(readWord[ratingSystem](r, "system"))}
	return s, r.Done()
}

func readPrize(v strictjson.Value) (Prize, error) {
	r := strictjson.Fields(v)
	p := Prize{
		ID:       r.String("id"),
		From:     r.Int("from"),
		To:       r.Int("to"),
		Percent:  strictjson.One(r, "percent", readNumber),
		Currency: r.String("currency"),
		Item:     r.String("item"),
		Marker:   r.String("marker"),
		Custom:   r.String("custom"),
		Amount:   r.Int64("amount"),
		Shares:   strictjson.List(r, "shares", readNumber),
		Ties:     readWord[PrizeTies](r, "ties"),
		Claim:    r.Bool("claim"),
		Expires:  strictjson.One(r, "expires", readDuration),
	}
	return p, r.Done()
}

func readGain(v strictjson.Value) (Gain, error) {
	r := strictjson.Fields(v)
	g := Gain{Marker: r.String("marker"), Metric: r.String("metric"), Amount: r.Int64("amount")}
	return g, r.Done()
}

func readAchievement(v strictjson.Value) (Achievement, error) {
	r := strictjson.Fields(v)
	a := Achievement{
		ID:        r.String("id"),
		Metric:    r.String("metric"),
		Rank:      r.Int("rank"),
		Threshold: strictjson.One(r, "threshold", readNumber),
		Type:      readWord[AchievementType](r, "type"),
		Modes:     strictjson.List(r, "modes", strictjson.Value.AsString),
		Window:    readWord[Every](r, "window"),
		Revoke:    r.Bool("revoke"),
		Rewards:   strictjson.List(r, "rewards", readReward),
	}
	return a, r.Done()
}

func readLevel(v strictjson.Value) (Level, error) {
	r := strictjson.Fields(v)
	l := Level{
		Marker:     r.String("marker"),
		Thresholds: strictjson.List(r, "thresholds", strictjson.Value.AsInt64),
		Rewards:    strictjson.Map(r, "rewards", readRewards),
	}
	return l, r.Done()
}

func readSessions(v strictjson.Value) (SessionRule, error) {
	r := strictjson.Fields(v)
	s := SessionRule{
		IdleAfter:       strictjson.One(r, "idle_after", readDuration),
		ReconnectWithin: strictjson.One(r, "reconnect_within", readDuration),
		Devices:         readWord[Devices](r, "devices"),
	}
	return s, r.Done()
}

func readRewards(v strictjson.Value) ([]Reward, error) { return strictjson.Items(v, readReward) }

func readReward(v strictjson.Value) (Reward, error) {
	r := strictjson.Fields(v)
	w := Reward{
		Currency: r.String("currency"),
		Item:     r.String("item"),
		Marker:   r.String("marker"),
		Custom:   r.String("custom"),
		Amount:   r.Int64("amount"),
	}
	return w, r.Done()
}

func readNumber(v strictjson.Value) (Number, error) {
	text, err := v.AsNumber()
	if err != nil {
		return Number{}, err
	}
	n := Decimal(text)
	if err := n.Err(); err != nil {
		return Number{}, v.Errorf("%w", err)
	}
	return n, nil
}

// readDuration takes a duration as Go writes them; empty is none.
func readDuration(v strictjson.Value) (time.Duration, error) {
	text, err := v.AsString()
	if err != nil || text == "" {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, v.Expected(`a duration such as "90s"`)
	}
	if d < 0 {
		return 0, v.Errorf("%s is negative", d)
	}
	return d, nil
}

func readTime(v strictjson.Value) (time.Time, error) {
	text, err := v.AsString()
	if err != nil {
		return time.Time{}, err
	}
	t, err := timetext.Parse(text)
	if err != nil {
		return time.Time{}, v.Errorf("%s %w", quote(text), err)
	}
	return t, nil
}
