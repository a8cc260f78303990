package finalbell

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkMoney checks rules in JSON, and that they are as good with their defaults.
func checkMoney(t *testing.T, text string) error {
	r, err := decodeRules([]byte(text))
	require.NoError(t, err, text)
	err = r.Validate()
	full := r.withDefaults().Validate()
	if err == nil {
		require.NoError(t, full, text)
	} else {
		require.EqualError(t, full, err.Error(), text)
	}
	return err
}

func money(fields string) string {
	return `{"currencies":[{"id":"coins"},{"id":"gems"}],"modes":[{"id":"m",` + fields + `}]}`
}

func TestPrizeTablesThatMeanSomethingAreTaken(t *testing.T) {
	const fee = `"fee":{"currency":"coins","amount":100,"house_flat":10,"house_percent":90},`
	for _, text := range []string{
		money(`"prizes":[]`),
		money(`"prizes":[{"id":"a","from":1,"to":3,"percent":0,"currency":"coins","amount":50,"shares":[],"ties":"full","claim":false,"expires":""}]`),
		money(`"prizes":[{"id":"a","from":1,"to":3,"currency":"coins","amount":50},{"id":"b","from":4,"currency":"coins","amount":1},{"id":"c","from":1,"currency":"gems","amount":1}]`),
		money(`"prizes":[{"id":"a","percent":1,"currency":"coins","amount":50},{"id":"b","percent":10,"currency":"coins","amount":1},{"id":"c","percent":10,"currency":"gems","amount":1}]`),
		money(`"prizes":[{"id":"a","from":1,"to":1,"currency":"coins","amount":50,"claim":true,"expires":"24h"}]`),
		money(fee + `"prizes":[{"id":"a","from":1,"to":3,"shares":[50,30,20]}]`),
		money(fee + `"prizes":[{"id":"a","from":1,"shares":[50,30],"currency":"coins"},{"id":"b","from":3,"shares":[20]},{"id":"bonus","from":1,"currency":"coins","amount":5}]`),
		money(fee + `"prizes":[{"id":"a","percent":10,"shares":[33.333333333]}]`),
		money(`"prizes":[{"id":"a","from":1,"item":"cup"},{"id":"b","from":1,"custom":"hat"},{"id":"c","from":1,"marker":"xp","amount":5},{"id":"d","from":1,"item":"sword","amount":9007199254740992}]`),
		money(`"bots":{"prizes":"pass_down"},"unfinished":{"prizes":"include"}`),
		`{"currencies":[{"id":"coins","shortfall":"debt"},{"id":"gems","shortfall":"floor"}],"boards":[{"id":"b","keys":[{"metric":"wins"}],"prizes":[{"id":"a","percent":1,"currency":"gems","amount":1}]}]}`,
	} {
		assert.NoError(t, checkMoney(t, text), text)
	}
}

func TestPrizeTablesThatCannotBeMeantAreRefusedWithTheirPath(t *testing.T) {
	prizes := func(prizes string) string {
		return money(`"fee":{"currency":"coins","amount":100},"prizes":[` + prizes + `]`)
	}
	coins := func(fields string) string { return prizes(`{"id":"a","currency":"coins",` + fields + `}`) }
	two := func(first, second string) string {
		return prizes(`{"id":"a","currency":"coins",` + first + `},{"id":"b","currency":"coins",` + second + `}`)
	}
	fee := func(fields string) string { return money(`"fee":{` + fields + `}`) }
	for text, want := range map[string]string{
		`{"currencies":[{"id":""}],"modes":[{"id":"m"}]}`:                       `currencies[0].id: must not be empty`,
		`{"currencies":[{"id":"coins"},{"id":"coins"}],"modes":[{"id":"m"}]}`:   `currencies[1].id: "coins" comes twice`,
		fee(`"currency":"coin","amount":1`):                                     `modes[0].fee.currency: no currency "coin"`,
		fee(`"amount":1`):                                                       `modes[0].fee.currency: must not be empty`,
		fee(`"currency":"coins"`):                                               `modes[0].fee.amount: 0 is less than 1`,
		fee(`"currency":"coins","amount":9,"house_flat":-1`):                    `modes[0].fee.house_flat: -1 is not between 0 and the fee of 9`,
		fee(`"currency":"coins","amount":9,"house_flat":10`):                    `modes[0].fee.house_flat: 10 is not between 0 and the fee of 9`,
		fee(`"currency":"coins","amount":9,"house_percent":-0.1`):               `modes[0].fee.house_percent: -0.1 is not between 0 and 100 percent`,
		fee(`"currency":"coins","amount":9,"house_percent":100.1`):              `modes[0].fee.house_percent: 100.1 is not between 0 and 100 percent`,
		fee(`"currency":"coins","amount":10,"house_flat":5,"house_percent":60`): `modes[0].fee: house_flat 5 and house_percent 60 together are more than the fee of 10`,
		prizes(`{}`): `modes[0].prizes[0].id: must not be empty`,
		prizes(`{"id":"a","from":1,"to":1,"amount":1,"currency":"gold"}`):      `modes[0].prizes[0].currency: no currency "gold"`,
		prizes(`{"id":"a","from":1,"to":1,"amount":1}`):                        `modes[0].prizes[0]: needs one of currency, item, marker and custom, found none`,
		prizes(`{"id":"a","from":1,"amount":1,"currency":"coins"},{"id":"a"}`): `modes[0].prizes[1].id: "a" comes twice`,
		coins(`"amount":1`):                                              `modes[0].prizes[0].from: needs a place, 1 or more; or give percent`,
		coins(`"from":-1,"amount":1`):                                    `modes[0].prizes[0].from: -1 is negative`,
		coins(`"from":1,"to":-1,"amount":1`):                             `modes[0].prizes[0].to: -1 is negative`,
		coins(`"from":3,"to":2,"amount":1`):                              `modes[0].prizes[0]: from 3 is more than to 2`,
		coins(`"from":1,"percent":5,"amount":1`):                         `modes[0].prizes[0]: either from and to, or percent, not both`,
		coins(`"to":1,"percent":5,"amount":1`):                           `modes[0].prizes[0]: either from and to, or percent, not both`,
		coins(`"percent":-5,"amount":1`):                                 `modes[0].prizes[0].percent: -5 is not between 0 and 100 percent`,
		coins(`"percent":100.5,"amount":1`):                              `modes[0].prizes[0].percent: 100.5 is not between 0 and 100 percent`,
		coins(`"from":1`):                                                `modes[0].prizes[0]: needs an amount or shares`,
		coins(`"from":1,"amount":-1`):                                    `modes[0].prizes[0].amount: -1 is less than 1`,
		coins(`"from":1,"amount":1,"shares":[1]`):                        `modes[0].prizes[0]: either an amount or shares, not both`,
		coins(`"from":1,"amount":1,"expires":"1h"`):                      `modes[0].prizes[0].expires: only what is to be claimed expires`,
		coins(`"from":1,"amount":1,"claim":true,"expires":"0.5ms"`):      `modes[0].prizes[0].expires: 500µs is finer than a millisecond`,
		coins(`"from":1,"to":3,"shares":[50,30]`):                        `modes[0].prizes[0].shares: from 1 to 3 there is a share a place, 3 and not 2`,
		coins(`"from":1,"shares":[50,0]`):                                `modes[0].prizes[0].shares[1]: is nothing`,
		coins(`"from":1,"shares":[-5]`):                                  `modes[0].prizes[0].shares[0]: -5 is not between 0 and 100 percent`,
		coins(`"from":1,"shares":[50,30,20.5]`):                          `modes[0].prizes[0].shares[2]: the shares of the table come to 100.5 percent, more than 100`,
		two(`"from":1,"shares":[50,30]`, `"percent":50,"shares":[20,1]`): `modes[0].prizes[1].shares[1]: the shares of the table come to 101 percent`,
		prizes(`{"id":"a","currency":"gems","from":1,"shares":[50]}`):    `modes[0].prizes[0].currency: the pool is in "coins", the currency of the fee, not in "gems"`,
		money(`"prizes":[{"id":"a","from":1,"shares":[50]}]`):            `modes[0].prizes[0].shares: without a fee there is no pool to share`,
		two(`"from":1,"to":3,"amount":1`, `"from":3,"to":4,"amount":1`):  `modes[0].prizes[1]: has places to which "a" gives "coins" too`,
		two(`"from":5,"amount":1`, `"from":1,"to":5,"amount":1`):         `modes[0].prizes[1]: has places to which "a" gives "coins" too`,
		two(`"from":1,"shares":[10,10]`, `"from":2,"shares":[10]`):       `modes[0].prizes[1]: has places to which "a" gives "coins" too`,
		two(`"percent":10,"amount":1`, `"percent":10.0,"amount":2`):      `modes[0].prizes[1].percent: "a" gives "coins" to 10 percent too`,

		fee(`"currency":"coins","amount":9007199254740993`):                                                                                        `modes[0].fee.amount: 9007199254740993 is more than 9007199254740992`,
		coins(`"from":1,"amount":9007199254740993`):                                                                                                `modes[0].prizes[0].amount: 9007199254740993 is more than 9007199254740992`,
		coins(`"from":1,"amount":1,"item":"cup"`):                                                                                                  `modes[0].prizes[0]: needs one of currency, item, marker and custom, found currency and item`,
		coins(`"from":1,"shares":[1],"marker":"xp"`):                                                                                               `modes[0].prizes[0]: shares are of the pool, which is money and no marker`,
		prizes(`{"id":"a","from":1,"shares":[1],"item":"cup"}`):                                                                                    `modes[0].prizes[0]: shares are of the pool, which is money and no item`,
		prizes(`{"id":"a","from":1,"item":"cup","custom":"hat","amount":1}`):                                                                       `modes[0].prizes[0]: needs one of currency, item, marker and custom, found item and custom`,
		prizes(`{"id":"a","from":1,"item":"cup","amount":-1}`):                                                                                     `modes[0].prizes[0].amount: -1 is less than 1`,
		prizes(`{"id":"a","from":1,"marker":"xp"}`):                                                                                                `modes[0].prizes[0]: needs an amount or shares`,
		prizes(`{"id":"a","from":1,"custom":"\u0001"}`):                                                                                            `modes[0].prizes[0].custom: "\x01" has a control character`,
		prizes(`{"id":"a","from":1,"item":"cup"},{"id":"b","from":2,"item":"cup"}`):                                                                `modes[0].prizes[1]: has places to which "a" gives "cup" too`,
		`{"boards":[{"id":"b","keys":[{"metric":"wins"}],"prizes":[{"id":"a","from":1,"shares":[50]}]}]}`:                                          `boards[0].prizes[0].shares: without a fee there is no pool to share`,
		`{"boards":[{"id":"b","keys":[{"metric":"wins"}],"prizes":[{"id":"a","from":1,"currency":"coins","amount":5}]}]}`:                          `boards[0].prizes[0].currency: no currency "coins"`,
		`{"currencies":[{"id":"coins"}],"boards":[{"id":"b","of":"team","keys":[{"metric":"wins"}],"prizes":[{"id":"a","from":1,"item":"cup"}]}]}`: `boards[0].prizes: are for players; a team has nothing to keep them in`,
	} {
		err := checkMoney(t, text)
		assert.ErrorIs(t, err, ErrInvalid, text)
		assert.ErrorContains(t, err, "rules: "+want, text)
	}
	for want, r := range map[string]Rules{
		`prizes[0].ties: expected "full", "pool", "down_only" or "tie_break", found "x"`: {Modes: []Mode{{ID: "m", Prizes: []Prize{{ID: "a", From: 1, Ties: "x", Amount: 1, Item: "cup"}}}}},
		`currencies[0].shortfall: expected "debt" or "floor", found "x"`:                 {Currencies: []Currency{{"coins", "x"}}},
		`bots.prizes: expected "exclude", "include" or "pass_down", found "x"`:           {Modes: []Mode{{ID: "m", Bots: BotPolicy{Prizes: "x"}}}},
		`bots.boards: expected "exclude" or "include", found "pass_down"`:                {Modes: []Mode{{ID: "m", Bots: BotPolicy{Boards: PassDown}}}},
	} {
		assert.ErrorContains(t, r.Validate(), want)
	}
}
