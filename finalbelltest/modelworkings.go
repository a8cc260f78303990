package finalbelltest

import "slices"

// workings are what the model has worked out before, so that a long game need not be folded from its beginning at every
// read. They hold nothing that is not a function of the results; a clone begins with none.
type workings struct {
	tables map[place]knownTable
	rows   map[place]knownRow
}

// knownTable is a table as of so many results of its window and so many hides and restores.
type knownTable struct {
	results, shows int
	rows           []row
}

// knownRow is what was folded from a list of results.
type knownRow struct {
	from []brought
	row  row
	ok   bool
}

func newWorkings() *workings {
	return &workings{tables: make(map[place]knownTable), rows: make(map[place]knownRow)}
}

func (m *workings) recall(part place, results, shows int) ([]row, bool) {
	t, there := m.tables[part]
	return t.rows, there && t.results == results && t.shows == shows
}

func (m *workings) remember(part place, results, shows int, rows []row) {
	m.tables[part] = knownTable{results, shows, rows}
}

// folded is what fold makes of results; they are the same if they are made of the same cells.
func (m *workings) folded(at place, results []brought, fold func() (row, bool)) (row, bool) {
	same := func(a, b brought) bool { return &a.cells[0] == &b.cells[0] }
	if known, there := m.rows[at]; there && slices.EqualFunc(known.from, results, same) {
		return known.row, known.ok
	}
	r, ok := fold()
	m.rows[at] = knownRow{results, r, ok}
	return r, ok
}
