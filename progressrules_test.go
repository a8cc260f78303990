package finalbell

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGainsAchievementsAndLevelsThatMeanSomethingAreTaken(t *testing.T) {
	for _, text := range []string{
		`{"modes":[{"id":"m","xp":[{"amount":1},{"amount":9007199254740992,"metric":"goals scored"},{"marker":"fame","metric":"points","amount":3}]}]}`,
		`{"achievements":[{"id":"a","metric":"wins","threshold":10,"type":"once","modes":[],"window":"all","rewards":[]}]}`,
		`{"modes":[{"id":"m"}],"achievements":[{"id":"a","rank":1,"threshold":3,"type":"streak","modes":["m"],"window":"day"},{"id":"b","metric":"outcome","threshold":99.5,"window":"month"}]}`,
		`{"levels":[{"marker":"xp","thresholds":[0]},{"marker":"fame","thresholds":[1],"rewards":{"1":[{"marker":"xp","amount":1}]}}]}`,
		`{"currencies":[{"id":"coins"}],"levels":[{"marker":"xp","thresholds":[0,100,300],"rewards":{"2":[{"currency":"coins","amount":5}]}}]}`,
	} {
		assert.NoError(t, checkMoney(t, text), text)
	}
}

func TestGainsAchievementsAndLevelsThatCannotBeMeantAreRefusedWithTheirPath(t *testing.T) {
	xp := func(fields string) string { return `{"modes":[{"id":"m","xp":[{"amount":1},{` + fields + `}]}]}` }
	goal := func(fields string) string {
		return `{"currencies":[{"id":"coins"}],"modes":[{"id":"m"}],"achievements":[{"id":"x","metric":"wins","threshold":1},{"id":"a",` + fields + `}]}`
	}
	wins := func(fields string) string { return goal(`"metric":"wins","threshold":10,` + fields) }
	level := func(fields string) string {
		return `{"currencies":[{"id":"coins"}],"levels":[{"marker":"xp",` + fields + `}]}`
	}
	rewards := func(rewards string) string { return level(`"thresholds":[0,100,300],"rewards":` + rewards) }
	for text, want := range map[string]string{
		xp(`"marker":"xp"`):                                                      `modes[0].xp[1].amount: 0 is less than 1`,
		xp(`"amount":-1`):                                                        `modes[0].xp[1].amount: -1 is less than 1`,
		xp(`"amount":9007199254740993`):                                          `modes[0].xp[1].amount: 9007199254740993 is more than 9007199254740992`,
		xp(`"amount":1,"metric":"rating"`):                                       `modes[0].xp[1].metric: not supported yet`,
		xp(`"amount":1,"metric":"a\u0001"`):                                      `modes[0].xp[1].metric: "a\x01" has a control character`,
		xp(`"amount":1,"marker":"\u0001"`):                                       `modes[0].xp[1].marker: "\x01" has a control character`,
		`{"achievements":[{"metric":"x"}]}`:                                      `achievements[0].id: must not be empty`,
		goal(`"threshold":1`):                                                    `achievements[1]: needs a metric or a rank`,
		goal(`"metric":"wins","rank":1`):                                         `achievements[1]: either a metric or a rank, not both`,
		goal(`"metric":"rank"`):                                                  `achievements[1].metric: a lower rank is the better one; the field rank counts finishes in a rank or better`,
		goal(`"metric":"rating"`):                                                `achievements[1].metric: not supported yet`,
		goal(`"metric":"\u0001"`):                                                `achievements[1].metric: "\x01" has a control character`,
		goal(`"rank":-1`):                                                        `achievements[1].rank: -1 is less than 1`,
		goal(`"metric":"wins"`):                                                  `achievements[1].threshold: must be more than 0`,
		goal(`"rank":1,"threshold":0`):                                           `achievements[1].threshold: must be more than 0`,
		goal(`"metric":"x","threshold":-.5`):                                     `byte`,
		goal(`"metric":"x","threshold":-1`):                                      `achievements[1].threshold: must be more than 0`,
		goal(`"metric":"wins","threshold":2.5`):                                  `achievements[1].threshold: 2.5 is not a whole number of matches`,
		goal(`"metric":"x","type":"streak","threshold":2.5`):                     `achievements[1].threshold: 2.5 is not a whole number of matches`,
		goal(`"rank":3,"type":"cumulative","threshold":2.5`):                     `achievements[1].threshold: 2.5 is not a whole number of matches`,
		wins(`"window":"season"`):                                                `achievements[1].window: a season is begun on a board, and an achievement has none`,
		wins(`"modes":["m","n"]`):                                                `achievements[1].modes[1]: no mode "n"`,
		wins(`"modes":["m","m"]`):                                                `achievements[1].modes[1]: "m" comes twice`,
		wins(`"rewards":[{}]`):                                                   `achievements[1].rewards[0]: needs one of currency, item, marker and custom, found none`,
		wins(`"rewards":[{"item":"a"},{"currency":"coins"}]`):                    `achievements[1].rewards[1].amount: 0 is less than 1`,
		wins(`"rewards":[{"marker":"xp"}]`):                                      `achievements[1].rewards[0].amount: 0 is less than 1`,
		wins(`"rewards":[{"item":"a","amount":-1}]`):                             `achievements[1].rewards[0].amount: -1 is less than 1`,
		wins(`"rewards":[{"custom":"a","marker":"b"}]`):                          `achievements[1].rewards[0]: needs one of currency, item, marker and custom, found marker and custom`,
		wins(`"rewards":[{"currency":"gems","amount":1}]`):                       `achievements[1].rewards[0].currency: no currency "gems"`,
		wins(`"rewards":[{"item":"a","amount":1e3}]`):                            `achievements[1].rewards[0].amount: expected a whole number, found 1e3`,
		wins(`"threshold":10`):                                                   `the key "threshold" comes twice`,
		`{"achievements":[{"id":"a","metric":"wins","threshold":1},{"id":"a"}]}`: `achievements[1].id: "a" comes twice`,

		`{"levels":[{"thresholds":[1]}]}`:                                                `levels[0].marker: must not be empty`,
		`{"levels":[{"marker":"xp","thresholds":[1]},{"marker":"xp","thresholds":[1]}]}`: `levels[1].marker: "xp" comes twice`,
		level(`"thresholds":[]`):                                                         `levels[0].thresholds: a table needs at least one`,
		level(`"thresholds":[-1,2]`):                                                     `levels[0].thresholds[0]: -1 is negative`,
		level(`"thresholds":[1,3,3]`):                                                    `levels[0].thresholds[2]: 3 is not more than 3 before it`,
		level(`"thresholds":[1,3,2]`):                                                    `levels[0].thresholds[2]: 2 is not more than 3 before it`,
		rewards(`{"0":[]}`):                                                              `levels[0].rewards.0: is no level of the table, which has 1 to 3`,
		rewards(`{"4":[]}`):                                                              `levels[0].rewards.4: is no level of the table, which has 1 to 3`,
		rewards(`{"02":[]}`):                                                             `levels[0].rewards.02: is no level of the table`,
		rewards(`{"two":[]}`):                                                            `levels[0].rewards.two: is no level of the table`,
		rewards(`{"1":[]}`):                                                              `levels[0].rewards.1: level 1 begins at 0: nobody ever reaches it`,
		rewards(`{"2":[{"item":"a"},{"item":"","amount":1}]}`):                           `levels[0].rewards.2[1]: needs one of currency, item, marker and custom, found none`,
		rewards(`{"3":[{"currency":"coins"}],"2":[{"currency":"gems","amount":1}]}`): `levels[0].rewards.2[0].currency: no currency "gems"`,
	} {
		_, err := ParseRules([]byte(text))
		assert.ErrorIs(t, err, ErrInvalid, text)
		assert.ErrorContains(t, err, want, text)
	}
	for want, r := range map[string]Rules{
		`achievements[0].type: expected "once", "cumulative" or "streak", found "x"`:               {Achievements: []Achievement{{ID: "a", Metric: "wins", Threshold: Int(1), Type: "x"}}},
		`achievements[0].window: expected "all", "day", "week", "month" or "season", found "hour"`: {Achievements: []Achievement{{ID: "a", Metric: "wins", Threshold: Int(1), Window: "hour"}}},
		`achievements[0].threshold: x is not a decimal`:                                            {Achievements: []Achievement{{ID: "a", Metric: "wins", Threshold: Decimal("x")}}},
	} {
		assert.ErrorContains(t, r.Validate(), want)
	}
}
