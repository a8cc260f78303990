package finalbell

import (
	"time"

	"pgregory.net/rapid"
)

// drawRules draws rules that their JSON form can say, later features included, whether or not they make sense.
// Lists are nil or not empty.
func drawRules(t *rapid.T) Rules {
	return Rules{
		Currencies:   draws(t, func(t *rapid.T) Currency { return Currency{drawText(t), drawWord[Shortfall](t)} }),
		Modes:        draws(t, drawMode),
		Boards:       draws(t, drawBoard),
		Achievements: draws(t, drawAchievement),
		Levels:       draws(t, drawLevel),
		Sessions:     SessionRule{drawDuration(t), drawDuration(t), drawWord[Devices](t)},
	}
}

func drawMode(t *rapid.T) Mode {
	return Mode{
		ID: drawText(t), Order: drawWord[Order](t), Ties: drawWord[TieStyle](t),
		TieBreak: draws(t, func(t *rapid.T) TieBreak { return TieBreak{drawText(t), drawWord[Order](t)} }),
		Points:   drawMaybe(t, drawPoints), Players: Limits{drawInt(t), drawInt(t)},
		Teams:   drawMaybe(t, func(t *rapid.T) Teams { return Teams{drawInt(t), drawWord[TeamFold](t)} }),
		Missing: drawMissing(t), WalkIns: drawBool(t), AutoStart: drawBool(t), Exclusive: drawBool(t),
		ExpireCreated: drawDuration(t), ExpireStarted: drawDuration(t),
		Reports: drawWord[Reports](t), Ranks: drawWord[RankSource](t), OnCrash: drawWord[CrashPolicy](t), OnSessionEnd: drawWord[SessionPolicy](t),
		Bounds: drawMap(t, func(t *rapid.T) Bound { return Bound{drawNumber(t), drawNumber(t)} }),
		Bots:   BotPolicy{drawWord[Policy](t), drawWord[Policy](t), drawWord[Policy](t), Policy(drawWord[botPrizes](t)), drawWord[Policy](t)},
		Unfinished: UnfinishedPolicy{
			drawWord[Policy](t), drawWord[Policy](t), drawWord[Policy](t), drawWord[Policy](t),
		},
		Fee:    drawMaybe(t, func(t *rapid.T) Fee { return Fee{drawText(t), drawInt64(t), drawInt64(t), drawNumber(t)} }),
		Rating: drawMaybe(t, func(t *rapid.T) RatingRule { return RatingRule{string(drawWord[ratingSystem](t))} }),
		Boards: draws(t, drawText), Prizes: draws(t, drawPrize),
		XP: draws(t, func(t *rapid.T) Gain { return Gain{drawText(t), drawText(t), drawInt64(t)} }),
	}
}

func drawPoints(t *rapid.T) Points {
	if drawBool(t) {
		return Points{ByRank: draws(t, drawKnown)}
	}
	return Points{Win: drawNumber(t), Draw: drawNumber(t), Loss: drawNumber(t)}
}

func drawMissing(t *rapid.T) Missing {
	if drawBool(t) {
		return Missing{Reject: true}
	}
	return Missing{Outcome: drawNumber(t)}
}

func drawBoard(t *rapid.T) BoardRule {
	return BoardRule{
		ID: drawText(t), Of: drawWord[Subject](t), PerMatch: drawWord[PerMatch](t), Ties: drawWord[BoardTies](t),
		Keys: draws(t, func(t *rapid.T) Key {
			return Key{
				drawText(t), drawWord[Fold](t), drawWord[Order](t), drawInt(t), drawBool(t),
				draws(t, func(t *rapid.T) Segment { return Segment{drawInt(t), drawInt(t) | 1} }),
				draws(t, drawText), drawInt(t),
			}
		}),
		Prizes: draws(t, drawPrize),
		Window: WindowRule{
			drawWord[Every](t), drawInt(t), drawText(t), string(drawWord[weekday](t)), drawText(t),
			drawDuration(t), drawWord[Attribution](t),
			draws(t, func(t *rapid.T) FixedWindow { return FixedWindow{drawText(t), drawTime(t), drawTime(t)} }),
			nil, drawTime(t),
		},
		Partition: maybeDraw(t, func(t *rapid.T) Partition { return Partition{drawWord[Attributed](t), drawText(t)} }),
	}
}

func maybeDraw[T any](t *rapid.T, draw func(*rapid.T) T) *T {
	if drawBool(t) {
		return nil
	}
	v := draw(t)
	return &v
}

func drawPrize(t *rapid.T) Prize {
	return Prize{
		drawText(t), drawInt(t), drawInt(t), drawNumber(t), drawText(t), drawText(t), drawText(t), drawText(t), drawInt64(t),
		draws(t, drawKnown), drawWord[PrizeTies](t), drawBool(t), drawDuration(t),
	}
}

func drawAchievement(t *rapid.T) Achievement {
	return Achievement{
		drawText(t), drawText(t), drawInt(t), drawNumber(t), drawWord[AchievementType](t), draws(t, drawText),
		drawWord[Every](t), drawBool(t), draws(t, drawReward),
	}
}

func drawLevel(t *rapid.T) Level {
	return Level{
		drawText(t), draws(t, drawInt64),
		drawMap(t, func(t *rapid.T) []Reward { return draws(t, drawReward) }),
	}
}

func drawReward(t *rapid.T) Reward {
	return Reward{drawText(t), drawText(t), drawText(t), drawText(t), drawInt64(t)}
}

func drawBool(t *rapid.T) bool   { return rapid.Bool().Draw(t, "flag") }
func drawInt(t *rapid.T) int     { return rapid.OneOf(rapid.Just(0), rapid.Int()).Draw(t, "int") }
func drawInt64(t *rapid.T) int64 { return rapid.Int64().Draw(t, "int64") }
func drawKnown(t *rapid.T) Number {
	return fromUnits(rapid.Int64Range(-maxUnits, maxUnits).Draw(t, "units"), rapid.IntRange(0, maxScale).Draw(t, "scale"))
}

func drawNumber(t *rapid.T) Number {
	if drawBool(t) {
		return Number{}
	}
	return drawKnown(t)
}

// drawText draws any valid text: nothing of it may be lost on the way.
func drawText(t *rapid.T) string { return rapid.String().Draw(t, "text") }

func drawDuration(t *rapid.T) time.Duration {
	return time.Duration(max(0, rapid.Int64().Draw(t, "duration")))
}

// drawWord draws one of the words of a type, or none.
func drawWord[T vocabulary[T]](t *rapid.T) T {
	return rapid.SampledFrom(append(T("").words(), "")).Draw(t, "word")
}

func drawMaybe[T any](t *rapid.T, draw func(*rapid.T) T) *T {
	if drawBool(t) {
		return nil
	}
	v := draw(t)
	return &v
}

func draws[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	var list []T
	for range rapid.IntRange(0, 2).Draw(t, "length") {
		list = append(list, draw(t))
	}
	return list
}

func drawMap[T any](t *rapid.T, draw func(*rapid.T) T) map[string]T {
	var m map[string]T
	for range rapid.IntRange(0, 2).Draw(t, "length") {
		if m == nil {
			m = make(map[string]T)
		}
		m[drawText(t)] = draw(t)
	}
	return m
}

// drawTime draws a time in UTC with whole milliseconds.
func drawTime(t *rapid.T) time.Time {
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	return time.UnixMilli(rapid.Int64Range(first.UnixMilli(), last.UnixMilli()).Draw(t, "ms")).UTC()
}
