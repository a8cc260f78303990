package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
)

// printJSON writes the boards as one JSON text, entry by entry: a board of millions is never held as text.
func (r *replay) printJSON(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `{"matches":%d,"players":%d,"boards":[`, r.matches, len(r.players))
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

// flush reports what went wrong while writing: a writer keeps its first error.
func flush(w *bufio.Writer) error {
	if err := w.Flush(); err != nil {
		return about("standard output", err)
	}
	return nil
}

// printTables writes the boards for people.
func (r *replay) printTables(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s, %s\n", plural(r.matches, "match", "matches"), plural(len(r.players), "player", "players"))
	for _, board := range r.rules.Boards {
		page, err := r.engine.Board(board.ID).Page(ctx, 0, 1)
		if err != nil {
			return err
		}
		t := newTable(board)
		err = r.each(ctx, board.ID, func(entry finalbell.Entry) error {
			t.add(entry)
			return nil
		})
		if err != nil {
			return err
		}
		period := page.Window
		if period == "all" {
			period = "all time"
		}
		fmt.Fprintf(w, "\n%s · %s · %s\n", board.ID, period, plural(page.Size, "entry", "entries"))
		t.print(w)
	}
	return flush(w)
}

// table is a board in columns: rank, player, and one a key.
type table struct {
	rows   [][]string // the first holds the titles
	widths []int
	left   []bool // which columns begin at the left: names, and a countback, whose first place counts most
}

func newTable(board finalbell.BoardRule) *table {
	subject := "player"
	if board.Of == finalbell.OfTeams {
		subject = "team"
	}
	t := &table{left: []bool{false, true}}
	titles := []string{"rank", subject}
	for _, key := range board.Keys {
		title := key.Metric
		if title == "" {
			title = string(key.Fold) // count and countback need no metric
		}
		titles = append(titles, title)
		t.left = append(t.left, key.Fold == finalbell.FoldCountback)
	}
	t.widths = make([]int, len(titles))
	t.row(titles)
	return t
}

func (t *table) add(entry finalbell.Entry) {
	cells := []string{strconv.Itoa(entry.Rank), entry.Player}
	for _, v := range entry.Values {
		cells = append(cells, cell(v))
	}
	t.row(cells)
}

func (t *table) row(cells []string) {
	for i, text := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(text))
	}
	t.rows = append(t.rows, cells)
}

// cell shows a value; a countback as its counts by place, 8-4-1.
func cell(v finalbell.Value) string {
	if v.Places == nil {
		return v.Number.String()
	}
	counts := make([]string, len(v.Places))
	for i, n := range v.Places {
		counts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(counts, "-")
}

// print writes the columns. A writer keeps its first error, which flush reports.
func (t *table) print(w *bufio.Writer) {
	for _, row := range t.rows {
		var line strings.Builder
		for i, text := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(text))
			if t.left[i] {
				line.WriteString(text + pad)
			} else {
				line.WriteString(pad + text)
			}
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
