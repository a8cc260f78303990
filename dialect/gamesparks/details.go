package gamesparks

import (
	"context"
	"strconv"
)

// namedCurrencies is how many currencies have a field of their own: the first of the rules.
const namedCurrencies = 6

// accountDetails serves .AccountDetailsRequest. Where a player is, is not known here and left out.
func (x *exchange) accountDetails(ctx context.Context) error {
	e := x.server.engine
	names, err := x.server.options.Accounts.Names(ctx, x.player)
	if err != nil {
		return err
	}
	wallet, err := e.Wallet(ctx, x.player)
	if err != nil {
		return err
	}
	progress, err := e.Progress(ctx, x.player)
	if err != nil {
		return err
	}
	achievements := []string{}
	for _, goal := range progress.Goals {
		if goal.Reached {
			achievements = append(achievements, goal.Achievement)
		}
	}
	goods := progress.Items
	if goods == nil {
		goods = map[string]int64{}
	}
	x.reply["userId"], x.reply["displayName"] = x.player, names[x.player]
	x.reply["achievements"], x.reply["virtualGoods"], x.reply["externalIds"] = achievements, goods, fields{}
	x.reply["currencies"], x.reply["reservedCurrencies"] = wallet.Balances, wallet.Held
	for i, currency := range e.Rules().Currencies[:min(namedCurrencies, len(e.Rules().Currencies))] {
		x.reply["currency"+strconv.Itoa(i+1)] = wallet.Balances[currency.ID]
	}
	return nil
}
