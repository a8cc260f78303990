package main

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
)

// printStanding prints a player's side of a match between its neighbours.
func printStanding(w *bufio.Writer, x finalbell.StandingExplanation) {
	fmt.Fprintf(w, "%s · %s · %s · %s: %s\n", x.Match, x.Mode, x.State, x.Player, standingText(x))
	rules := []string{map[finalbell.Order]string{finalbell.Desc: "the higher outcome wins", finalbell.Asc: "the lower outcome wins"}[x.Order], "ties " + string(x.Ties)}
	for _, b := range x.TieBreak {
		rules = append(rules, "then "+b.Metric+" "+string(b.Order))
	}
	if x.Fold != "" {
		rules = append(rules, "a team's score is the "+string(x.Fold)+" of its members'")
	}
	if x.Accepted {
		rules = append(rules, "the reported ranks count")
	}
	fmt.Fprintln(w, strings.Join(rules, " · "))
	if x.Side == nil {
		return
	}
	columns := []column{{title: "position"}, {title: "rank"}, {"side", true}, {title: "score"}}
	for _, b := range x.TieBreak {
		columns = append(columns, column{title: b.Metric})
	}
	t := newTable(append(columns, column{"status", true}, column{"result", true}, column{"decided by", true})...)
	var sides []*finalbell.SideExplanation
	for _, side := range []*finalbell.SideExplanation{x.Above, x.Side, x.Below} {
		if side != nil {
			sides = append(sides, side)
			t.row(sideRow(x, *side))
		}
	}
	t.print(w)
	if x.Fold != "" {
		printMembers(w, sides)
	}
	printDiffers(w, x.Differs)
}

// standingText is a place and why the result is what it is.
func standingText(x finalbell.StandingExplanation) string {
	why := map[string]string{
		"alone_first": "win, alone at the top", "shares_first": "draw, the top is shared", "behind_first": "loss, somebody is above",
		"not_finished": "loss, did not finish", "one_side": "no result, there is nobody else", "nobody_finished": "no result, nobody finished",
		"no_contest": "no contest, nobody is ranked", "not_ended": "nobody is ranked",
	}[x.Reason]
	if x.Rank == 0 {
		return why
	}
	text := fmt.Sprintf("rank %d, position %d, %s", x.Rank, x.Position, why)
	if x.Provisional {
		text += " (provisional)"
	}
	return text
}

func sideRow(x finalbell.StandingExplanation, side finalbell.SideExplanation) []string {
	status := string(side.Status)
	if side.Finished {
		status = "finished"
	}
	cells := []string{strconv.Itoa(side.Position), strconv.Itoa(side.Rank), side.Player + side.Team, ""}
	if side.Finished {
		cells[3] = side.Score.String()
	}
	for i := range x.TieBreak {
		text := ""
		if i < len(side.Breaks) {
			text = side.Breaks[i].String()
		}
		cells = append(cells, text)
	}
	decided := strings.ReplaceAll(side.Decided, "_", " ")
	switch side.Decided {
	case "tie_break":
		decided = x.TieBreak[side.Break].Metric
	case "reported":
		decided = "reported rank"
	case "roster":
		decided = "equal, roster order"
	}
	return append(cells, status, string(side.Result), decided)
}

// printMembers prints whose outcomes make the scores of teams.
func printMembers(w *bufio.Writer, sides []*finalbell.SideExplanation) {
	fmt.Fprintln(w)
	t := newTable(column{"team", true}, column{"member", true}, column{title: "outcome"}, column{"status", true}, column{"counts", true})
	for _, side := range sides {
		for _, m := range side.Members {
			counts := "yes"
			switch {
			case side.Reported:
				counts = "no, the team's score is reported"
			case !m.Counts:
				counts = "no"
			}
			t.row([]string{side.Team, m.Player, m.Outcome.String(), string(m.Status), counts})
		}
	}
	t.print(w)
}

// printGrant prints what a player was given, and how it came about.
func printGrant(w *bufio.Writer, x finalbell.GrantExplanation) {
	g := x.Grant
	parts := []string{g.ID, g.Player, gives(g), string(g.State), grantedBy(g)}
	if x.Revision > 0 {
		parts = append(parts, "revision "+strconv.Itoa(x.Revision))
	}
	fmt.Fprintln(w, strings.Join(parts, " · "))
	switch {
	case x.Prize != nil:
		printPrize(w, *x.Prize)
	case x.Gain != nil:
		fmt.Fprintf(w, "%s %s × %d, rounded down: %d\n", x.Gain.Rule.Metric, x.Gain.Value, x.Gain.Rule.Amount, x.Gain.Amount)
	case x.Achievement != nil:
		printAchievement(w, *x.Achievement)
	case x.Level != nil:
		l := x.Level
		fmt.Fprintf(w, "%s %d begins at %d; it is at %d\n", l.Marker, l.Level, l.Threshold, l.Value)
		if l.ReachedBy != "" {
			fmt.Fprintf(w, "reached from %d to %d by %s\n", l.Was, l.Became, l.ReachedBy)
		}
	}
	if len(x.History) > 0 {
		fmt.Fprintln(w)
		if x.Omitted > 0 {
			fmt.Fprintf(w, "%s before, and then\n", plural(x.Omitted, "line", "lines"))
		}
		linesTable(x.History).print(w)
	}
	printDiffers(w, x.Differs)
}

// printPrize prints how much of a prize comes to a player.
func printPrize(w *bufio.Writer, x finalbell.PrizeExplanation) {
	what := "fixed"
	if x.Rule.Currency != "" {
		what = "fixed, the house pays it"
	}
	if x.Pool != nil {
		p := x.Pool
		what = fmt.Sprintf("fees %d of %s − house %d = pool %d", p.Fees, plural(p.Payers, "player", "players"), p.HouseFee, p.Pool)
	}
	fmt.Fprintf(w, "prize %s %s · ties %s · %s\n", x.Rule.ID, placesText(x), x.Rule.Ties, what)
	place := "place " + strconv.Itoa(x.Place)
	if x.First < x.Last {
		place += fmt.Sprintf(", places %d to %d are shared", x.First, x.Last)
	}
	if x.PassedOver > 0 {
		place += ", " + plural(x.PassedOver, "player takes", "players take") + " none"
	}
	fmt.Fprintf(w, "rank %d, position %d · %s\n", x.Rank, x.Position, place)
	rows, omitted := x.Places, 0
	if x.Pool != nil {
		rows, omitted = x.Pool.Shares, x.Pool.Omitted
	}
	columns := []column{{title: "place"}, {"side", true}, {"prize", true}, {title: "worth"}}
	if x.Pool != nil {
		columns = append(columns, column{title: "percent"})
	}
	t := newTable(append(columns, column{title: "amount"})...)
	for _, p := range rows {
		cells := []string{strconv.Itoa(p.Place), p.Player + p.Team, p.Prize, strconv.Itoa(p.Worth)}
		if x.Pool != nil {
			cells = append(cells, p.Percent.String())
		}
		t.row(append(cells, strconv.FormatInt(p.Amount, 10)))
	}
	t.print(w)
	if omitted > 0 {
		fmt.Fprintf(w, "… and %d more\n", omitted)
	}
	if x.Among > 1 {
		fmt.Fprintf(w, "%d among %d players, of whom this is number %d: %d\n", x.Total, x.Among, x.Index+1, x.Amount)
	}
}

// placesText is what a prize is for.
func placesText(x finalbell.PrizeExplanation) string {
	if x.Rule.Percent.Known() && x.Rule.Percent != finalbell.Int(0) {
		return fmt.Sprintf("for the best %s %% of %d, places %d to %d", x.Rule.Percent, x.Size, x.From, x.To)
	}
	switch x.To {
	case x.From:
		return "for place " + strconv.Itoa(x.From)
	case 0:
		return "from place " + strconv.Itoa(x.From)
	}
	return fmt.Sprintf("for places %d to %d", x.From, x.To)
}

func printAchievement(w *bufio.Writer, x finalbell.AchievementExplanation) {
	what := x.Rule.Metric
	if x.Rule.Rank > 0 {
		what = "rank " + strconv.Itoa(x.Rule.Rank) + " or better"
	}
	fmt.Fprintf(w, "%s, %s, in window %s: %s of %s, reached by match %s\n", what, x.Rule.Type, x.Window, x.Value, x.Rule.Threshold, x.Match)
	if x.Omitted > 0 {
		fmt.Fprintf(w, "%s before, and then\n", plural(x.Omitted, "match", "matches"))
	}
	t := newTable(column{"match", true}, column{"at", true}, column{title: "value"}, column{title: "makes"})
	for _, m := range x.Matches {
		t.row([]string{m.Match, timetext.Format(m.At), m.Value.String(), m.After.String()})
	}
	t.print(w)
}
