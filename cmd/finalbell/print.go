package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
)

// printJSON writes the boards as one JSON text, entry by entry: a board of millions is never held as text.
func (r *replay) printJSON(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `{"matches":%d,"players":%d,"replayed":%d,"boards":[`, r.matches, len(r.players), r.replayed)
	all, err := r.rankings(ctx)
	if err != nil {
		return err
	}
	for i, ranking := range all {
		if i > 0 {
			w.WriteByte(',')
		}
		if err := ranking.printJSON(ctx, w); err != nil {
			return err
		}
	}
	w.WriteString("]}\n")
	return flush(w)
}

func (r ranking) printJSON(ctx context.Context, w *bufio.Writer) error {
	head, err := transcript.Encode(struct {
		ID        string `json:"id"`
		Window    string `json:"window"`
		Partition string `json:"partition,omitempty"`
	}{r.page.Board, r.page.Window, r.page.Partition})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `%s,"entries":[`, head[:len(head)-1])
	first := true
	err = r.each(ctx, func(entry finalbell.Entry) error {
		text, err := transcript.Encode(entry)
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.Write(text)
		return err
	})
	w.WriteString("]}")
	return err
}

// printTables writes the boards for people.
func (r *replay) printTables(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s, %s\n", plural(r.matches, "match", "matches"), plural(len(r.players), "player", "players"))
	r.printReplayed(w)
	all, err := r.rankings(ctx)
	if err != nil {
		return err
	}
	for _, ranking := range all {
		t := newBoardTable(ranking.rule, ranking.page)
		err := ranking.each(ctx, func(entry finalbell.Entry) error {
			t.add(entry)
			return nil
		})
		if err != nil {
			return err
		}
		w.WriteByte('\n')
		t.print(w)
	}
	return flush(w)
}

// printReplayed says how many of the records told nothing new, if any.
func (r *replay) printReplayed(w *bufio.Writer) {
	switch {
	case r.replayed == 0:
	case r.replayed < r.matches:
		fmt.Fprintf(w, "%d of %s %s there already\n", r.replayed, plural(r.matches, "match", "matches"), was(r.replayed))
	default:
		all := "the match"
		if r.matches > 1 {
			all = fmt.Sprintf("all %d matches", r.matches)
		}
		if r.due == 0 {
			w.WriteString("nothing changed: ")
		}
		fmt.Fprintf(w, "%s %s there already\n", all, was(r.matches))
	}
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
