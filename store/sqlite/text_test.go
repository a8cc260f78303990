package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// roster is a participants column and the names and windows that it means by number.
type roster struct {
	written string
	numbers *numbers
}

// write writes participants as a batch does that knows every name and window already.
func write(t testing.TB, participants []store.Participant) roster {
	t.Helper()
	r := roster{numbers: newNumbers()}
	b := &batch{numbers: r.numbers, made: made{names: make(map[string]int64), windows: make(map[store.WindowKey]int64)}}
	note := func(name string) {
		if _, there := r.numbers.nameOf(name); !there {
			r.numbers.noteName(name, int64(len(r.numbers.texts.young))+1)
		}
	}
	for _, p := range participants {
		note(p.Player)
		note(p.Team)
		for _, v := range p.Boards {
			note(v.ID)
			if _, there := r.numbers.windowOf(v.WindowKey); !there {
				r.numbers.noteWindow(v.WindowKey, int64(len(r.numbers.windows))+1)
			}
		}
	}
	column, err := b.participants(participants)
	require.NoError(t, err)
	r.written = column.(string)
	return r
}

// read reads a participants column back.
func read(text string, numbers *numbers) ([]store.Participant, error) {
	w := written{participants: text}
	l := &lookup{numbers: numbers}
	m, err := w.read(l)
	if err == nil && len(l.missingNames)+len(l.missingWindows) > 0 {
		err = errDamaged
	}
	return m.Participants, err
}

func drawParticipants(t *rapid.T) []store.Participant {
	number := rapid.Custom(func(t *rapid.T) store.Number {
		if !rapid.Bool().Draw(t, "known") {
			return store.Number{}
		}
		return store.Number{Units: rapid.Int64().Draw(t, "units"), Scale: rapid.Uint8().Draw(t, "scale"), Known: true}
	})
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{``, `"`, `\`, `\"`, "\x00", "\x1f", "\x7f", "\xff", `a\u0041`, "é", "null", `[`}))
	name := text.Filter(func(s string) bool { return s != "" })
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Participant {
		p := store.Participant{
			Player: name.Draw(t, "player"), Team: text.Draw(t, "team"), Bot: rapid.Bool().Draw(t, "bot"),
			Outcome: number.Draw(t, "outcome"), Status: text.Draw(t, "status"), Reported: rapid.Int().Draw(t, "reported"),
			Rank: rapid.Int().Draw(t, "rank"), Position: rapid.Int().Draw(t, "position"), Result: text.Draw(t, "result"),
			Held: rapid.Int64Range(-1, 1).Draw(t, "held"), Paid: rapid.Int64Range(-1, 1).Draw(t, "paid"),
			Gone: rapid.SampledFrom([]string{"", "", "left", `"`}).Draw(t, "gone"), Counted: rapid.IntRange(-1, 1).Draw(t, "counted"),
			Streak: rapid.IntRange(-1, 1).Draw(t, "streak"), Best: number.Draw(t, "best"),
		}
		metrics := rapid.MapOfN(text, number, 0, 3).Draw(t, "metrics")
		for _, name := range slices.Sorted(maps.Keys(metrics)) {
			p.Metrics = append(p.Metrics, store.Metric{Name: name, Value: metrics[name]})
		}
		attributes := rapid.MapOfN(text, text, 0, 2).Draw(t, "attributes")
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			p.Attributes = append(p.Attributes, store.Attribute{Name: name, Value: attributes[name]})
		}
		for range rapid.IntRange(0, 2).Draw(t, "boards") {
			v := store.BoardValues{ID: p.Player, Late: rapid.Bool().Draw(t, "late"), WindowKey: store.WindowKey{
				Board: text.Draw(t, "board"), Window: text.Draw(t, "window"), Partition: text.Draw(t, "partition"), Generation: rapid.Int().Draw(t, "generation"),
			}}
			if rapid.Bool().Draw(t, "of the team") {
				v.ID = name.Draw(t, "id")
			}
			for range rapid.IntRange(0, 2).Draw(t, "keys") {
				if v.Late {
					break // they have none
				}
				v.Values = append(v.Values, rapid.SliceOfN(rapid.Int64(), 0, 3).Draw(t, "values"))
			}
			p.Boards = append(p.Boards, v)
		}
		return p
	}), 0, 4).Draw(t, "participants")
}

// What the one writes the other reads, byte for byte.
func TestParticipantsComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		participants := drawParticipants(r)
		column := write(t, participants)
		back, err := read(column.written, column.numbers)
		require.NoError(r, err, column.written)
		require.Equal(r, participants, back, column.written)
	})
}

// The columns are for everybody's SQL, so they must be JSON. A text that is not UTF-8 is kept as it is, which
// encoding/json would not do; there is none in a match that the engine took.
func TestWhatIsWrittenIsJSONThatSaysTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		participants := drawParticipants(r)
		column := write(t, participants).written
		if !utf8.ValidString(column) {
			return
		}
		var rows [][]json.RawMessage
		require.NoError(r, json.Unmarshal([]byte(column), &rows), column)
		require.Len(r, rows, len(participants))
		for i, p := range participants {
			var status, result string
			require.NoError(r, json.Unmarshal(rows[i][5], &status), column)
			require.NoError(r, json.Unmarshal(rows[i][9], &result), column)
			var metrics map[string][]*int64
			require.NoError(r, json.Unmarshal(rows[i][10], &metrics), column)
			assert.Equal(r, [2]string{p.Status, p.Result}, [2]string{status, result})
			require.Len(r, metrics, len(p.Metrics))
			for _, m := range p.Metrics {
				require.Len(r, metrics[m.Name], 2, m.Name)
				assert.Equal(r, m.Value.Known, metrics[m.Name][0] != nil)
			}
			var boards [][]any
			require.NoError(r, json.Unmarshal(rows[i][11], &boards), column)
			require.Len(r, boards, len(p.Boards))
			for at, v := range p.Boards {
				require.Len(r, boards[at], 3)
				assert.Equal(r, v.Late, boards[at][2] == nil)
			}
			stood := p.Gone != "" || p.Counted != 0 || p.Streak != 0 || p.Best.Known
			fee := stood || p.Held != 0 || p.Paid != 0
			if len(p.Attributes) == 0 && !fee {
				require.Len(r, rows[i], 12, "no room for what there is not")
				continue
			}
			if fee {
				var held, paid int64
				require.Len(r, rows[i], map[bool]int{false: 15, true: 20}[stood], "no room for what there is not")
				require.NoError(r, json.Unmarshal(rows[i][13], &held), column)
				require.NoError(r, json.Unmarshal(rows[i][14], &paid), column)
				assert.Equal(r, [2]int64{p.Held, p.Paid}, [2]int64{held, paid})
				if stood {
					assert.Equal(r, []string{strconv.Itoa(p.Counted), strconv.Itoa(p.Streak)}, []string{string(rows[i][16]), string(rows[i][17])})
					assert.Equal(r, p.Best.Known, string(rows[i][18]) != "null")
				}
			} else {
				require.Len(r, rows[i], 13, "no room for what there is not")
			}
			var attributes map[string]string
			require.NoError(r, json.Unmarshal(rows[i][12], &attributes), column)
			require.Len(r, attributes, len(p.Attributes))
			for _, a := range p.Attributes {
				assert.Equal(r, a.Value, attributes[a.Name])
			}
		}
	})
}

// FuzzEye reads any text as each of the columns. It may be refused, but what is taken is what would be written for
// it, so that damage has no second spelling to hide behind.
func FuzzEye(f *testing.F) {
	known := newNumbers()
	for i, name := range []string{"ann", "bob", "red"} {
		known.noteName(name, int64(i)+1)
	}
	known.noteWindow(store.WindowKey{Board: "ladder", Window: "all"}, 1)
	for _, seed := range []string{
		`[]`, `[[1,0,0,10,0,"",0,1,1,"win",{},[[1,0,[[1]]]]]]`, `[[2,3,1,null,null,"dnf",0,2,2,"",{"a\"\\\u0001":[1,2]},[[1,3,[]]]]]`,
		`[[1,0,0,10,0,"",0,1,1,"win",{},[[1,1,[[1]]]]]]`, `[[1,0,0,10,0,"",0,1,1,"win",{},[[1,0,null]]]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[[1,0,nul]]]]`,
		`[[1,0,0,10,0,"",0,1,1,"",{},[],{"car":"7","tyres":""}],[2,0,0,10,0,"",0,1,1,"",{},[[1,3,null]]]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],{}]]`,
		`[[1,0,0,10,0,"",0,1,1,"",{},[],]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],null]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],{"a":"b"},1]]`, `[[1,10,2]]`,
		`[[1,0,0,10,0,"",0,1,1,"",{},[],{},5,0],[2,0,0,10,0,"",0,1,1,"",{},[],{"a":"b"},0,-5]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],{"a":"b"},0,0]]`,
		`[[1,0,0,10,0,"",0,1,1,"",{},[],{},0,0]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],5,0]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],{},5]]`,
		`[[1,0,0,10,0,"",0,1,1,"",{},[],{},0,0,"left",2,-1,null,null],[2,0,0,10,0,"",0,1,1,"",{},[],{"a":"b"},5,0,"",0,0,7,2]]`, `[[1,0,0,10,0,"",0,1,1,"",{},[],{},0,0,"",0,0,null,null]]`,
		`[[1,2,0,1]]`, `[[1,2,0,1,5]]`, `[[1,2,0,1,0]]`, `[[1,2,0,1,0,[3,1]]]`, `[[1,2,0,1,5,[]]]`, `[[1,0,0,null,5],[2,3,1,0,0,{"a":"b"}]]`, `[[1,0,0,null,5,{}]]`, `"\`, `[[01]]`, `[[-0]]`, `{"\n":""}`, `{"a":"\u00e9"}`, `{"a":"\`, `{"a":"b","c":"\u001f"}`, `["\`, `["\u`, `["\u00`, `[1,,2]`, `[01]`, `[-0]`, `[[1],[]]`, `[null,null]`, `nul`, ``, `"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		known := &batch{numbers: known}
		column := func(w written, again func(m store.Match) (driver.Value, error)) {
			l := &lookup{numbers: known.numbers}
			m, err := w.read(l)
			if err != nil || text == "" || len(l.missingNames)+len(l.missingWindows) > 0 {
				return
			}
			column, err := again(m)
			require.NoError(t, err)
			if column == nil { // a match without them has none
				column = map[byte]string{'[': "[]", '{': "{}"}[text[0]]
			}
			require.Equal(t, text, column, "taken, though it is not what would be written")
			require.True(t, json.Valid([]byte(strings.ToValidUTF8(text, "?"))), text)
		}
		column(written{participants: text}, func(m store.Match) (driver.Value, error) { return known.participants(m.Participants) })
		column(written{teams: text}, func(m store.Match) (driver.Value, error) { return known.teams(m.Teams) })
		column(written{moved: text}, func(m store.Match) (driver.Value, error) { return known.moves(m.Moves) })
		l := &lookup{numbers: known.numbers}
		of := &eye{b: text}
		if members := of.members(l); of.err() == nil && len(l.missingNames) == 0 {
			column, err := known.members(members)
			require.NoError(t, err)
			require.Equal(t, text, column, "taken, though it is not what would be written")
		}
		column(written{attributes: text}, func(m store.Match) (driver.Value, error) { return attributes(m.Attributes), nil })
		e := &eye{b: text}
		if v := e.values(); e.err() == nil {
			var p pen
			p.values(v)
			require.Equal(t, text, string(p.b))
		}
		e = &eye{b: text}
		e.text()
		e.int()
		e.text()
		require.Error(t, e.err(), "no column is like that")
	})
}

// FuzzFold reads any bytes as a fold column. What is taken is what would be written for it.
func FuzzFold(f *testing.F) {
	for _, e := range []store.Entry{{}, {State: []byte{}}, {State: []byte{1, 2}, Last: store.Moment{At: timeOf(int64(0)), Position: 7, Place: 2}},
		{Row: store.Moment{At: timeOf(int64(-5)), Position: 1 << 62, Place: -3}}} {
		f.Add(fold(&e).([]byte))
	}
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e store.Entry
		if readFold(b, &e) == nil {
			require.Equal(t, b, fold(&e))
		}
	})
}
