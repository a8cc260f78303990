package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/finalbell/finalbell"
)

// print writes the line of an ended match: how it went, and what it did to the ladder.
func (v *server) print(m finalbell.Match) {
	_, _ = fmt.Fprintln(v.out, line(m))
}

func line(m finalbell.Match) string {
	scores := make([]string, len(m.Standings))
	var won string
	var moves []string
	for i, s := range m.Standings {
		scores[i] = s.Player + " " + s.Outcome.String()
		if s.Status != finalbell.Finished {
			scores[i] = s.Player + " " + string(s.Status)
		}
		if s.Result == finalbell.Win {
			won = s.Player + " wins"
		}
		for _, b := range s.Boards {
			if b.Board == "ladder" && b.Rank != b.OldRank {
				moves = append(moves, fmt.Sprintf("%s %s to %d", s.Player, rankName(b.OldRank), b.Rank))
			}
		}
	}
	switch {
	case m.NoContest:
		won = "no contest"
	case won == "":
		won = "a draw"
	}
	text := fmt.Sprintf("%-10s %s: %s", m.ID, won, strings.Join(scores, ", "))
	if moves != nil {
		text += "; ladder: " + strings.Join(moves, ", ")
	}
	return text
}

func rankName(rank int) string {
	if rank == 0 {
		return "new"
	}
	return fmt.Sprint(rank)
}

// printLadder writes the ladder and the best of the day.
func (v *server) printLadder(ctx context.Context) error {
	pages, err := v.engine.Boards(ctx, finalbell.Read{Board: "ladder"}, finalbell.Read{Board: "daily", Limit: 1})
	if err != nil {
		return err
	}
	ladder, daily := pages[0], pages[1]
	_, _ = fmt.Fprintf(v.out, "\n%d matches ended. The ladder of %d players:\n", v.ended, ladder.Size)
	for _, e := range ladder.Entries {
		_, _ = fmt.Fprintf(v.out, "%4d  %-8s %3s won\n", e.Rank, e.Player, e.Values[0].Number)
	}
	for _, e := range daily.Entries {
		_, _ = fmt.Fprintf(v.out, "Best of the day: %s with %s coins\n", e.Player, e.Values[0].Number)
	}
	return nil
}
