package main

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
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
	rule finalbell.BoardRule
	page finalbell.Page // whose entries are those that add was given
	*table
}

func newBoardTable(rule finalbell.BoardRule, page finalbell.Page) boardTable {
	columns := []column{{title: "rank"}, {title: subject(rule), left: true}}
	return boardTable{rule, page, newTable(append(columns, keyColumns(page.Keys, "")...)...)}
}

// subject is whom a board ranks.
func subject(rule finalbell.BoardRule) string {
	if rule.Of == finalbell.OfTeams {
		return "team"
	}
	return "player"
}

// keyColumns are a column a key, with something before each title.
func keyColumns(keys []finalbell.Key, before string) []column {
	var columns []column
	for _, key := range keys {
		title := key.Metric
		if title == "" {
			title = string(key.Fold) // count and countback need no metric
		}
		columns = append(columns, column{before + title, key.Fold == finalbell.FoldCountback})
	}
	return columns
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
	parts := []string{t.page.Board}
	if allTime(t.page) {
		parts = append(parts, "all time")
	} else {
		parts = append(parts, t.page.Window, bounds(t.page), string(t.page.State))
	}
	if t.page.Partition != "" {
		parts = append(parts, partitionText(t.rule, t.page.Partition))
	}
	fmt.Fprintf(w, "%s · %s\n", strings.Join(parts, " · "), plural(t.page.Size, "entry", "entries"))
	t.table.print(w)
}

// allTime reports whether a page is of the one window that a board without others has. A season may have its name.
func allTime(page finalbell.Page) bool {
	return page.Window == "all" && page.Start.IsZero() && page.End.IsZero()
}

// bounds are from when to when a window goes. A season that is running has no end yet.
func bounds(page finalbell.Page) string {
	if page.End.IsZero() {
		return "from " + timeText(page.Start)
	}
	return timeText(page.Start) + " to " + timeText(page.End)
}

// partitionText names a partition and what the board is divided by.
func partitionText(rule finalbell.BoardRule, partition string) string {
	if rule.Partition == nil {
		return partition
	}
	return rule.Partition.Attribute + " " + partition
}

// timeText is a bound of a window; one that is not known yet is left out.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timetext.Format(t)
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
