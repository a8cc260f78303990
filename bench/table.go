package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

const ours = 2 // rows of ranktree, by slot and by id, which come first

// write prints the two tables of one size.
func write(w io.Writer, n, rounds int, rows []row) error {
	head := []string{fmt.Sprintf("n = %s", grouped(float64(n)))}
	for _, name := range opNames {
		head = append(head, name)
	}
	head = append(head, "B/member")
	times, ratios := [][]string{head}, [][]string{head}
	for _, r := range rows {
		times = append(times, r.figures())
	}
	for _, r := range rows[ours:] {
		own := rows[0]
		if r.byID {
			own = rows[1]
		}
		ratios = append(ratios, r.ratios(own))
	}
	fmt.Fprintf(w, "\nns an op (median of %d rounds), bytes a member\n", rounds)
	if err := align(w, times); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nthe same as multiples of ranktree's: by slot or by id, as the other is asked")
	return align(w, ratios)
}

func (r row) figures() []string {
	cells := []string{r.name}
	for _, ns := range r.ns {
		cells = append(cells, duration(ns))
	}
	return append(cells, grouped(r.bytes))
}

func (r row) ratios(own row) []string {
	name := r.name + " / by slot"
	if r.byID {
		name = r.name + " / by id"
	}
	cells := []string{name}
	for o, ns := range r.ns {
		cells = append(cells, ratio(ns/own.ns[o]))
	}
	return append(cells, ratio(r.bytes/own.bytes))
}

func duration(ns float64) string {
	if ns >= 1e6 {
		return fmt.Sprintf("%.1f ms", ns/1e6)
	}
	return grouped(ns)
}

func ratio(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case x >= 100:
		return grouped(x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// grouped is a whole number with commas between thousands, "-" for none.
func grouped(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// align prints cells in columns, the first one to the left and figures to the right.
func align(w io.Writer, lines [][]string) error {
	width := 0
	for _, cells := range lines {
		width = max(width, len(cells[0]))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, cells := range lines {
		fmt.Fprintf(t, "%-*s\t%s\t\n", width, cells[0], strings.Join(cells[1:], "\t"))
	}
	return t.Flush()
}
