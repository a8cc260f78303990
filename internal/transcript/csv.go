package transcript

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Match records as CSV (RFC 4180): a header, then one row a participant, the rows of a match one after the other. What is
// said of the match stands in each of them. A match without participants has one row without a player. Attributes are
// JSON objects, for one may be empty, which a cell could not tell from none; each metric has a column of its own.
//
// Cells hold what is stored, also where a spreadsheet would take it for a formula or a number: who opens the file in one
// imports the columns as text.

// metricColumn begins the names of the metrics' columns.
const metricColumn = "metrics."

// matchColumns are the same in all rows of a match.
var matchColumns = []string{"match", "mode", "room", "round", "created_at", "started_at", "ended_at", "no_contest", "attributes"}

var playerColumns = []string{"player", "team", "bot", "player_attributes", "outcome", "status", "rank", "team_outcome"}

// CSVWriter writes records as CSV.
type CSVWriter struct {
	out     *csv.Writer
	metrics []string
}

// NewCSVWriter begins with the header. The metrics of all records must be among those given.
func NewCSVWriter(out io.Writer, metrics []string) (*CSVWriter, error) {
	w := &CSVWriter{csv.NewWriter(out), metrics}
	header := slices.Concat(matchColumns, playerColumns)
	for _, name := range metrics {
		header = append(header, metricColumn+name)
	}
	return w, w.out.Write(header)
}

// Write writes one record.
func (w *CSVWriter) Write(r Record) error {
	text := r.text()
	of := []string{text.ID, text.Mode, text.Room, r.Match.Round, text.CreatedAt, text.StartedAt, text.EndedAt, flagCell(text.NoContest), ""}
	var err error
	if of[len(of)-1], err = attributesCell(text.Attributes); err != nil {
		return err
	}
	if len(text.Participants) == 0 {
		return w.out.Write(append(of, make([]string, len(playerColumns)+len(w.metrics))...))
	}
	for _, p := range text.Participants {
		row := append(slices.Clip(of), p.Player, p.Team, flagCell(p.Bot), "", "", string(p.Status), "", "")
		if row[len(of)+3], err = attributesCell(p.Attributes); err != nil {
			return err
		}
		if string(p.Outcome) != "null" {
			row[len(of)+4] = string(p.Outcome)
		}
		if p.Rank > 0 {
			row[len(of)+6] = strconv.Itoa(p.Rank)
		}
		if score, scored := text.Teams[p.Team]; scored {
			row[len(of)+7] = score.String()
		}
		known := 0
		for _, name := range w.metrics {
			n, has := p.Metrics[name]
			if has {
				known++
			}
			row = append(row, n.String())
		}
		if known < len(p.Metrics) {
			return fmt.Errorf("match %q has come with a metric of which nothing was known when the export began: try again", clip(text.ID))
		}
		if err := w.out.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes what is still to be written.
func (w *CSVWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

func flagCell(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

func attributesCell(attributes map[string]string) (string, error) {
	if len(attributes) == 0 {
		return "", nil
	}
	text, err := Encode(attributes)
	return string(text), err
}

// CSVLines reads CSV as the lines of JSON that say the same.
type CSVLines struct {
	Number int   // of the line at which the match begins that Next returned last, or of the faulty one
	Read   int64 // bytes so far
	in     *csv.Reader
	header []string
	ahead  []string // the row after the match at hand
	line   int      // of it
}

// NewCSVLines begins to read.
func NewCSVLines(in io.Reader) *CSVLines { return &CSVLines{in: csv.NewReader(in)} }

const maxRows = 10_000 // players in a match

// Next returns the next match as a record; io.EOF after the last.
func (l *CSVLines) Next() ([]byte, error) {
	if l.header == nil {
		if err := l.begin(); err != nil {
			return nil, err
		}
	}
	if l.ahead == nil {
		return nil, io.EOF
	}
	first, number := l.ahead, l.line
	l.Number = number
	m := newCSVMatch(l.header)
	for rows := 0; l.ahead != nil && l.cell("match") == m.column(first, "match"); rows++ {
		l.Number = l.line
		if rows == maxRows {
			return nil, fmt.Errorf("match %q has more than %d rows", clip(l.cell("match")), maxRows)
		}
		if err := m.add(first, l.ahead); err != nil {
			return nil, err
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.Number = number
	return Encode(m.text)
}

// begin reads the header and the first row.
func (l *CSVLines) begin() error {
	header, err := l.in.Read()
	if errors.Is(err, io.EOF) {
		l.Number = 1
		return errors.New("there is no header")
	}
	l.Number = 1
	if err != nil {
		return csvError(err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // as spreadsheets begin a file
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return fmt.Errorf("column %q comes twice", clip(name))
		}
		if !slices.Contains(matchColumns, name) && !slices.Contains(playerColumns, name) && !strings.HasPrefix(name, metricColumn) {
			return fmt.Errorf("unknown column %q", clip(name))
		}
	}
	for _, name := range []string{"match", "mode", "player"} {
		if !slices.Contains(header, name) {
			return fmt.Errorf("column %q is missing", name)
		}
	}
	l.header = header
	return l.next()
}

// next reads one row ahead.
func (l *CSVLines) next() error {
	row, err := l.in.Read()
	l.Read = l.in.InputOffset()
	if errors.Is(err, io.EOF) {
		l.ahead = nil
		return nil
	}
	if err != nil {
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			l.Number = wrong.Line
		}
		return csvError(err)
	}
	l.ahead = row
	l.line, _ = l.in.FieldPos(0)
	for i, cell := range row {
		if !utf8.ValidString(cell) {
			l.Number = l.line
			return fmt.Errorf("%s: invalid UTF-8", l.header[i])
		}
	}
	return nil
}

func (l *CSVLines) cell(name string) string { return l.ahead[slices.Index(l.header, name)] }

// csvError is what is wrong with the form, without the line, which the caller names.
func csvError(err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return wrong.Err
	}
	return err
}

// csvMatch is a match that is being put together.
type csvMatch struct {
	header []string
	text   csvText
}

// csvText is a record as text, checked by who reads it as one.
type csvText struct {
	ID           string                     `json:"id"`
	Mode         string                     `json:"mode"`
	Room         string                     `json:"room,omitempty"`
	Round        string                     `json:"round,omitempty"`
	CreatedAt    string                     `json:"created_at,omitempty"`
	StartedAt    string                     `json:"started_at,omitempty"`
	EndedAt      string                     `json:"ended_at,omitempty"`
	NoContest    bool                       `json:"no_contest,omitempty"`
	Attributes   json.RawMessage            `json:"attributes,omitempty"`
	Teams        map[string]json.RawMessage `json:"teams,omitempty"`
	Participants []csvParticipant           `json:"participants"`
}

type csvParticipant struct {
	Player     string                     `json:"player"`
	Team       string                     `json:"team,omitempty"`
	Bot        bool                       `json:"bot,omitempty"`
	Attributes json.RawMessage            `json:"attributes,omitempty"`
	Outcome    json.RawMessage            `json:"outcome,omitempty"`
	Status     string                     `json:"status,omitempty"`
	Rank       json.RawMessage            `json:"rank,omitempty"`
	Metrics    map[string]json.RawMessage `json:"metrics,omitempty"`
}

func newCSVMatch(header []string) *csvMatch {
	return &csvMatch{header: header, text: csvText{Participants: []csvParticipant{}}}
}

// column is a cell by the name of its column, empty without one.
func (m *csvMatch) column(row []string, name string) string {
	if i := slices.Index(m.header, name); i >= 0 {
		return row[i]
	}
	return ""
}

// add takes one row in. What it says of the match must be what the first one says.
func (m *csvMatch) add(first, row []string) error {
	for _, name := range matchColumns {
		if m.column(row, name) != m.column(first, name) {
			return fmt.Errorf("%s: %q is not what the first row of the match says, %q", name, clip(m.column(row, name)), clip(m.column(first, name)))
		}
	}
	of, p := &m.text, csvParticipant{Player: m.column(row, "player"), Team: m.column(row, "team"), Status: m.column(row, "status")}
	of.ID, of.Mode, of.Room, of.Round = m.column(row, "match"), m.column(row, "mode"), m.column(row, "room"), m.column(row, "round")
	of.CreatedAt, of.StartedAt, of.EndedAt = m.column(row, "created_at"), m.column(row, "started_at"), m.column(row, "ended_at")
	var errs [6]error
	of.NoContest, errs[0] = m.flag(row, "no_contest")
	p.Bot, errs[1] = m.flag(row, "bot")
	of.Attributes, errs[2] = m.raw(row, "attributes", '{')
	p.Attributes, errs[3] = m.raw(row, "player_attributes", '{')
	p.Outcome, errs[4] = m.raw(row, "outcome", 0)
	p.Rank, errs[5] = m.raw(row, "rank", 0)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for i, name := range m.header {
		metric, is := strings.CutPrefix(name, metricColumn)
		if !is || row[i] == "" {
			continue
		}
		n, err := m.raw(row, name, 0)
		if err != nil {
			return err
		}
		if p.Metrics == nil {
			p.Metrics = make(map[string]json.RawMessage)
		}
		p.Metrics[metric] = n
	}
	if p.Player != "" {
		of.Participants = append(of.Participants, p)
	} else if len(of.Participants) > 0 || !slices.Equal(first, row) {
		return errors.New("player: must not be empty")
	}
	return m.score(row, p.Team)
}

// score takes in the score of the row's team.
func (m *csvMatch) score(row []string, team string) error {
	score, err := m.raw(row, "team_outcome", 0)
	if err != nil {
		return err
	}
	was, known := m.text.Teams[team]
	others := slices.ContainsFunc(m.text.Participants[:max(0, len(m.text.Participants)-1)], func(p csvParticipant) bool { return p.Team == team })
	switch {
	case others && string(was) != string(score):
		return fmt.Errorf("team_outcome: %q is not what the rows before say of team %q, %q", score, clip(team), was)
	case score == nil || known:
		return nil
	case team == "":
		return errors.New("team_outcome: the row has no team")
	}
	if m.text.Teams == nil {
		m.text.Teams = make(map[string]json.RawMessage)
	}
	m.text.Teams[team] = score
	return nil
}

func (m *csvMatch) flag(row []string, name string) (bool, error) {
	switch cell := m.column(row, name); {
	case cell == "", strings.EqualFold(cell, "false"):
		return false, nil
	case strings.EqualFold(cell, "true"):
		return true, nil
	default:
		return false, fmt.Errorf("%s: expected true or false, found %q", name, clip(cell))
	}
}

// raw is a cell that holds JSON: an object, or a number. An empty one is none.
func (m *csvMatch) raw(row []string, name string, begins byte) (json.RawMessage, error) {
	cell := m.column(row, name)
	switch {
	case cell == "":
		return nil, nil
	case begins != 0 && cell[0] == begins && json.Valid([]byte(cell)):
	case begins == 0 && (cell[0] == '-' || '0' <= cell[0] && cell[0] <= '9') && json.Valid([]byte(cell)):
	case begins == 0:
		return nil, fmt.Errorf("%s: expected a number, found %q", name, clip(cell))
	default:
		return nil, fmt.Errorf("%s: expected a JSON object, found %q", name, clip(cell))
	}
	return json.RawMessage(cell), nil
}
