package main

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
)

// table is lines in columns, under titles.
type table struct {
	columns []column
	widths  []int
	rows    [][]string
}

// column is one of a table's. Numbers stand at its right, what begins with the most important at its left.
type column struct {
	title string
	left  bool
}

func newTable(columns ...column) *table {
	t := &table{columns: columns, widths: make([]int, len(columns))}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	t.row(titles)
	return t
}

func (t *table) row(cells []string) {
	for i, text := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(text))
	}
	t.rows = append(t.rows, cells)
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
			if t.columns[i].left {
				line.WriteString(text + pad)
			} else {
				line.WriteString(pad + text)
			}
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// flush reports what went wrong while writing: a writer keeps its first error.
func flush(w *bufio.Writer) error {
	if err := w.Flush(); err != nil {
		return about("standard output", err)
	}
	return nil
}

// boardTable is a board for people: rank, player, and a column a key.
type boardTable struct {
	page finalbell.Page // whose entries are those that add was given
	*table
}

func newBoardTable(rule finalbell.BoardRule, page finalbell.Page) boardTable {
	subject := "player"
	if rule.Of == finalbell.OfTeams {
		subject = "team"
	}
	columns := []column{{title: "rank"}, {title: subject, left: true}}
	for _, key := range rule.Keys {
		title := key.Metric
		if title == "" {
			title = string(key.Fold) // count and countback need no metric
		}
		columns = append(columns, column{title, key.Fold == finalbell.FoldCountback})
	}
	return boardTable{page, newTable(columns...)}
}

func (t boardTable) add(entry finalbell.Entry) {
	cells := []string{strconv.Itoa(entry.Rank), entry.Player}
	for _, v := range entry.Values {
		cells = append(cells, cell(v))
	}
	t.row(cells)
}

// print writes the table under a line that names the board and says how much it holds in all.
func (t boardTable) print(w *bufio.Writer) {
	period := t.page.Window
	if period == "all" {
		period = "all time"
	}
	fmt.Fprintf(w, "%s · %s · %s\n", t.page.Board, period, plural(t.page.Size, "entry", "entries"))
	t.table.print(w)
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

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
