package gamesparks

import (
	"context"
	"errors"
	"strings"

	"github.com/finalbell/finalbell"
)

const (
	defaultEntries = 50
	maxEntries     = 1000
	maxOffset      = 1 << 40
)

// place is a board that a request asks for, and what of it.
type place struct {
	code        string
	board       *finalbell.Board
	rule        finalbell.BoardRule
	own         bool // the player's entry alone
	first, last int
}

// leaderboardData serves .LeaderboardDataRequest.
func (x *exchange) leaderboardData(ctx context.Context) error {
	r := &x.request
	count, offset := r.whole("entryCount", defaultEntries, 1, maxEntries), r.whole("offset", 0, 0, maxOffset)
	p, err := x.place()
	if err != nil {
		return err
	}
	if p.own {
		return x.around(ctx, p, 0)
	}
	page, err := p.page(ctx, offset, count)
	if err != nil {
		return err
	}
	return x.show(ctx, p, page)
}

// aroundMe serves .AroundMeLeaderboardRequest: the player's entry with so many on either side. Who has none sees none.
func (x *exchange) aroundMe(ctx context.Context) error {
	r := &x.request
	count := r.whole("entryCount", r.whole("count", defaultEntries, 0, maxEntries), 0, maxEntries) // count is what older SDKs say
	p, err := x.place()
	if err != nil {
		return err
	}
	x.reply["social"] = r.flag("social")
	if p.own {
		count = 0
	}
	return x.around(ctx, p, count)
}

func (x *exchange) around(ctx context.Context, p place, by int) error {
	page, err := p.board.Around(ctx, x.player, by)
	if errors.Is(err, finalbell.ErrNotFound) {
		page, err = p.page(ctx, 0, 1) // its keys and its size
		page.Entries = nil
	}
	if err != nil {
		return err
	}
	return x.show(ctx, p, page)
}

// place finds the board and refuses what is not served: boards of friends, of teams' members and of challenges.
func (x *exchange) place() (place, error) {
	r := &x.request
	p := place{code: r.text("leaderboardShortCode"), first: r.whole("includeFirst", 0, 0, maxEntries), last: r.whole("includeLast", 0, 0, maxEntries)}
	challenge, social, lenient := r.text("challengeInstanceId"), r.flag("social"), r.flag("dontErrorOnNotSocial")
	const either = "leaderboardShortCode|challengeInstanceId"
	switch {
	case p.code == "" && challenge == "" && len(r.wrong) == 0:
		r.wrong[either] = "REQUIRED"
	case p.code != "" && challenge != "":
		r.wrong[either] = "ONLY_ONE"
	case challenge != "":
		r.wrong["challengeInstanceId"] = "INVALID" // there are no challenges
	}
	for _, name := range []string{"friendIds", "teamIds", "teamTypes", "customIdFilter"} {
		if r.some(name) {
			r.wrong[name] = "NOT_SUPPORTED"
		}
	}
	if err := r.done(); err != nil {
		return p, err
	}
	if social && !lenient {
		return p, Refusal{"currentUser": "NOTSOCIAL"} // nobody has friends here
	}
	p.own = social
	if x.player == "" && (p.own || x.class == ".AroundMeLeaderboardRequest") {
		return p, Refusal{"playerId": "REQUIRED"}
	}
	return p, p.find(x.server.engine)
}

// find looks a board up by its code, which may name a partition: board.attribute.value.
func (p *place) find(e *finalbell.Engine) error {
	boards := e.Rules().Boards
	ids := make([]string, len(boards))
	for i, b := range boards {
		ids[i] = b.ID
	}
	id, is := same(ids, p.code)
	for _, b := range boards {
		if is && b.ID == id {
			p.rule, p.board = b, e.Board(id)
			return nil
		}
		if b.Partition == nil || is {
			continue
		}
		if value, of := strings.CutPrefix(p.code, b.ID+"."+b.Partition.Attribute+"."); of {
			p.rule, p.board = b, e.Board(b.ID).Partition(value)
			return nil
		}
	}
	return Refusal{"leaderboardShortCode": "INVALID"}
}

// page reads a page of the board. While none of its windows is open nobody is on it, as when a season has not begun.
func (p *place) page(ctx context.Context, offset, limit int) (finalbell.Page, error) {
	page, err := p.board.Page(ctx, offset, limit)
	if errors.Is(err, finalbell.ErrNotFound) {
		return finalbell.Page{}, nil
	}
	return page, err
}

// show answers with a page, and with the first and the last entries of the board where they are asked for.
func (x *exchange) show(ctx context.Context, p place, page finalbell.Page) error {
	pages := map[string]finalbell.Page{"data": page}
	var err error
	if p.first > 0 {
		if pages["first"], err = p.page(ctx, 0, p.first); err != nil {
			return err
		}
	}
	if p.last > 0 {
		if pages["last"], err = p.page(ctx, max(0, page.Size-p.last), p.last); err != nil {
			return err
		}
	}
	var players []string
	for _, some := range pages {
		for _, entry := range some.Entries {
			players = append(players, entry.Player)
		}
	}
	names := map[string]string{}
	if p.rule.Of != finalbell.OfTeams && len(players) > 0 {
		if names, err = x.server.options.Accounts.Names(ctx, players...); err != nil {
			return err
		}
	}
	for name, some := range pages {
		x.reply[name] = x.rows(p.rule, some, names)
	}
	x.reply["leaderboardShortCode"] = p.code
	return nil
}

// rows are entries as the SDK reads them.
func (x *exchange) rows(rule finalbell.BoardRule, page finalbell.Page, names map[string]string) []fields {
	rows := make([]fields, 0, len(page.Entries))
	for _, entry := range page.Entries {
		row := fields{"rank": entry.Rank, "when": entry.ReachedAt.UTC().Format("2006-01-02T15:04Z")}
		if rule.Of == finalbell.OfTeams {
			row["teamId"], row["teamName"] = entry.Player, entry.Player
		} else {
			row["userId"], row["userName"] = entry.Player, names[entry.Player]
		}
		for i, v := range entry.Values {
			row[x.column(row, page.Keys[i])] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// column is the name of a key in a row that has no other member of that name.
func (x *exchange) column(row fields, k finalbell.Key) string {
	name := x.server.options.Columns[k.Metric]
	switch {
	case name != "":
	case k.Metric == "outcome":
		name = outcomeNames[0]
	case k.Metric == "":
		name = "COUNT"
	default:
		name = k.Metric
	}
	for fold := strings.ToUpper(string(k.Fold)); ; name += "_" + fold {
		if _, taken := row[name]; !taken {
			return name
		}
	}
}
