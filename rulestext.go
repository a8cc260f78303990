package finalbell

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/finalbell/finalbell/internal/strictjson"

	"github.com/finalbell/finalbell/internal/timetext"
)

// MarshalJSON writes the rules in the form that ParseRules reads, without what is zero or empty. They come
// back equal, but that an empty list comes back nil and an unknown number in Points.ByRank as the 0 that it
// stands for. It does not validate; refused, with ErrInvalid, is only what the form cannot say: a bad Number,
// invalid UTF-8, a time finer than a millisecond, a Missing or Points that means two things.
func (r Rules) MarshalJSON() ([]byte, error) {
	var c checker
	for i, m := range r.Modes {
		path := fmt.Sprintf("modes[%d]", i)
		c.points(path+".points", m.Points)
		c.missing(path+".missing", m.Missing)
	}
	text := c.append(nil, "", rulesObject(r))
	return text, c.err
}

// object is a JSON object with its fields in order, none of them empty.
type object []field

type field struct {
	name  string
	value any
}

// fields makes an object of those that are not empty. A pointer to an object is not, whatever the object.
func fields(all ...field) object {
	return slices.DeleteFunc(all, func(f field) bool {
		v := reflect.ValueOf(f.value)
		if !v.IsValid() || v.IsZero() {
			return true
		}
		return (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
	})
}

// maybe is what a pointer leads to: nil for nil, which fields leaves out.
func maybe[T any](p *T, f func(T) object) *object {
	if p == nil {
		return nil
	}
	o := f(*p)
	return &o
}

// dictionary is an object with free names, in their order.
func dictionary[T, U any](m map[string]T, f func(T) U) object {
	var o object
	for _, name := range slices.Sorted(maps.Keys(m)) {
		o = append(o, field{name, f(m[name])})
	}
	return o
}

func rulesObject(r Rules) object {
	return fields(
		field{"currencies", each(r.Currencies, func(c Currency) object {
			return fields(field{"id", c.ID}, field{"shortfall", c.Shortfall})
		})},
		field{"modes", each(r.Modes, modeObject)},
		field{"boards", each(r.Boards, boardObject)},
		field{"achievements", each(r.Achievements, achievementObject)},
		field{"levels", each(r.Levels, func(l Level) object {
			return fields(
				field{"marker", l.Marker}, field{"thresholds", l.Thresholds},
				field{"rewards", dictionary(l.Rewards, rewardObjects)})
		})},
		field{"sessions", fields(
			field{"idle_after", r.Sessions.IdleAfter}, field{"reconnect_within", r.Sessions.ReconnectWithin},
			field{"devices", r.Sessions.Devices})},
	)
}

func achievementObject(a Achievement) object {
	return fields(
		field{"id", a.ID}, field{"metric", a.Metric}, field{"rank", a.Rank}, field{"threshold", a.Threshold},
		field{"type", a.Type}, field{"modes", a.Modes}, field{"window", a.Window}, field{"revoke", a.Revoke},
		field{"rewards", rewardObjects(a.Rewards)})
}

func rewardObjects(rewards []Reward) []object {
	return each(rewards, func(r Reward) object {
		return fields(
			field{"currency", r.Currency}, field{"item", r.Item}, field{"marker", r.Marker}, field{"custom", r.Custom},
			field{"amount", r.Amount})
	})
}

func modeObject(m Mode) object {
	return fields(
		field{"id", m.ID}, field{"order", m.Order}, field{"ties", m.Ties},
		field{"tie_break", each(m.TieBreak, func(t TieBreak) object {
			return fields(field{"metric", t.Metric}, field{"order", t.Order})
		})},
		field{"points", pointsValue(m.Points)},
		field{"players", fields(field{"min", m.Players.Min}, field{"max", m.Players.Max})},
		field{"teams", maybe(m.Teams, func(t Teams) object {
			return fields(field{"max_size", t.MaxSize}, field{"fold", t.Fold})
		})},
		field{"missing", missingValue(m.Missing)},
		field{"walk_ins", m.WalkIns}, field{"auto_start", m.AutoStart}, field{"exclusive", m.Exclusive},
		field{"expire_created", m.ExpireCreated}, field{"expire_started", m.ExpireStarted},
		field{"reports", m.Reports}, field{"ranks", m.Ranks}, field{"on_crash", m.OnCrash},
		field{"on_session_end", m.OnSessionEnd},
		field{"bounds", dictionary(m.Bounds, func(b Bound) object {
			return fields(field{"min", b.Min}, field{"max", b.Max})
		})},
		field{"bots", fields(
			field{"boards", m.Bots.Boards}, field{"stats", m.Bots.Stats}, field{"rating", m.Bots.Rating},
			field{"prizes", m.Bots.Prizes}, field{"achievements", m.Bots.Achievements})},
		field{"unfinished", fields(
			field{"boards", m.Unfinished.Boards}, field{"stats", m.Unfinished.Stats},
			field{"rating", m.Unfinished.Rating}, field{"prizes", m.Unfinished.Prizes})},
		field{"fee", maybe(m.Fee, feeObject)},
		field{"rating", maybe(m.Rating, func(r RatingRule) object { return fields(field{"system", r.System}) })},
		field{"boards", m.Boards}, field{"prizes", each(m.Prizes, prizeObject)},
		field{"xp", each(m.XP, gainObject)},
	)
}

func feeObject(f Fee) object {
	return fields(
		field{"currency", f.Currency}, field{"amount", f.Amount},
		field{"house_flat", f.HouseFlat}, field{"house_percent", f.HousePercent})
}

func gainObject(g Gain) object {
	return fields(field{"marker", g.Marker}, field{"metric", g.Metric}, field{"amount", g.Amount})
}

func pointsValue(p *Points) any {
	if p != nil && len(p.ByRank) > 0 {
		return p.withDefaults().ByRank
	}
	return maybe(p, func(p Points) object {
		return fields(field{"win", p.Win}, field{"draw", p.Draw}, field{"loss", p.Loss})
	})
}

func missingValue(m Missing) any {
	if m.Reject {
		return "reject"
	}
	return fields(field{"outcome", m.Outcome})
}

func boardObject(b BoardRule) object {
	w := b.Window
	return fields(
		field{"id", b.ID}, field{"of", b.Of}, field{"per_match", b.PerMatch}, field{"ties", b.Ties},
		field{"keys", each(b.Keys, keyObject)}, field{"prizes", each(b.Prizes, prizeObject)},
		field{"window", fields(
			field{"every", w.Every}, field{"n", w.N}, field{"from", w.From}, field{"week_start", w.WeekStart},
			field{"zone", w.Zone}, field{"grace", w.Grace}, field{"by", w.By},
			field{"fixed", each(w.Fixed, func(f FixedWindow) object {
				return object{{"id", f.ID}, {"start", f.Start}, {"end", f.End}}
			})}, field{"origin", w.Origin})},
		field{"partition", maybe(b.Partition, func(p Partition) object {
			return fields(field{"of", p.Of}, field{"attribute", p.Attribute})
		})},
	)
}

func keyObject(k Key) object {
	var best any = each(k.Best, func(s Segment) object {
		return fields(field{"through_round", s.ThroughRound}, field{"count", s.Count})
	})
	if len(k.Best) == 1 && k.Best[0].ThroughRound == 0 {
		best = k.Best[0].Count
	}
	return fields(
		field{"metric", k.Metric}, field{"fold", k.Fold}, field{"order", k.Order}, field{"scale", k.Scale},
		field{"round", k.Round}, field{"best", best}, field{"modes", k.Modes}, field{"places", k.Places},
	)
}

func prizeObject(p Prize) object {
	return fields(
		field{"id", p.ID}, field{"from", p.From}, field{"to", p.To}, field{"percent", p.Percent},
		field{"currency", p.Currency}, field{"item", p.Item}, field{"marker", p.Marker}, field{"custom", p.Custom},
		field{"amount", p.Amount}, field{"shares", p.Shares}, field{"ties", p.Ties}, field{"claim", p.Claim},
		field{"expires", p.Expires},
	)
}

// append writes a value. What JSON cannot say is kept as the checker's error, with its path; encoding/json
// would put other bytes in its place.
func (c *checker) append(dst []byte, path string, value any) []byte {
	switch v := value.(type) {
	case *object:
		return c.append(dst, path, *v)
	case object:
		dst = append(dst, '{')
		for i, f := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			at := strictjson.Child(path, f.name)
			dst = append(c.append(dst, at, f.name), ':')
			dst = c.append(dst, at, f.value)
		}
		return append(dst, '}')
	case time.Duration:
		return c.append(dst, path, v.String())
	case time.Time:
		if !timetext.Writable(v) || v.Nanosecond()%int(time.Millisecond) != 0 {
			c.fail(path, "%s is not a time in milliseconds", v)
		}
		return c.append(dst, path, timetext.Format(v))
	case Number:
		c.number(path, v)
		return append(dst, v.String()...)
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice:
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = c.append(dst, path+"["+strconv.Itoa(i)+"]", v.Index(i).Interface())
		}
		return append(dst, ']')
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			c.fail(path, "%s is not valid UTF-8", quote(v.String()))
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		c.fail(path, "%s", err.Error())
	}
	return append(dst, text...)
}
