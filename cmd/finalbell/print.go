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
	for i, board := range r.rules.Boards {
		page, err := r.engine.Board(board.ID).Page(ctx, 0, 1)
		if err != nil {
			return err
		}
		if i > 0 {
			w.WriteByte(',')
		}
		id, err := transcript.Encode(board.ID)
		if err != nil {
			return err
		}
		window, err := transcript.Encode(page.Window)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, `{"id":%s,"window":%s,"entries":[`, id, window)
		first := true
		err = r.each(ctx, board.ID, func(entry finalbell.Entry) error {
			text, err := transcript.Encode(entry)
			if !first {
				w.WriteByte(',')
			}
			first = false
			w.Write(text)
			return err
		})
		if err != nil {
			return err
		}
		w.WriteString("]}")
	}
	w.WriteString("]}\n")
	return flush(w)
}

// printTables writes the boards for people.
func (r *replay) printTables(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s, %s\n", plural(r.matches, "match", "matches"), plural(len(r.players), "player", "players"))
	r.printReplayed(w)
	for _, board := range r.rules.Boards {
		page, err := r.engine.Board(board.ID).Page(ctx, 0, 1)
		if err != nil {
			return err
		}
		t := newBoardTable(board, page)
		err = r.each(ctx, board.ID, func(entry finalbell.Entry) error {
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
