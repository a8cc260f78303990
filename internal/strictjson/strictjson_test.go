package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/internal/strictjson"
)

func TestWhatIsNotStrictJSONIsRefusedWithItsPlace(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", "byte 0: the text is empty"},
		{"blank", " \n", "byte 2: the text is empty"},
		{"byte order mark", "\uFEFF{}", "byte 0: the text begins with a byte order mark"},
		{"trailing value", `{} {}`, "byte 3: text after the value"},
		{"trailing letter", `truex`, "byte 4: text after the value"},
		{"NUL after the value", "1\x00", "byte 1: text after the value"},
		{"duplicate key", `{"a":[{"id":1,"id":2}]}`, `byte 14: a[0]: the key "id" comes twice`},
		{"duplicate key after unescaping", `{"id":1,"\u0069d":2}`, `byte 8: the key "id" comes twice`},
		{"duplicate key among many", `{` + manyKeys(50) + `,"k17":0}`, `the key "k17" comes twice`},
		{"invalid UTF-8 in a string", "[\"a\xffb\"]", "byte 3: invalid UTF-8"},
		{"overlong encoding", "\"\xc0\xaf\"", "byte 1: invalid UTF-8"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "byte 1: invalid UTF-8"},
		{"invalid UTF-8 behind a replacement character", "\"\uFFFD\xff\"", "byte 4: invalid UTF-8"},
		{"lone high surrogate", `{"id":"\ud800"}`, `byte 7: id: the lone surrogate \ud800 in a string`},
		{"high surrogate before a letter", `"\ud800\u0041"`, `byte 1: the lone surrogate \ud800 in a string`},
		{"lone low surrogate", `"\udc00"`, `byte 1: the lone surrogate \udc00 in a string`},
		{"surrogates the wrong way round", `"\udc00\ud800"`, `byte 1: the lone surrogate \udc00 in a string`},
		{"lone surrogate in a key", `{"a":{"\ud800":1}}`, `byte 7: a: the lone surrogate \ud800 in a string`},
		{"open key", `{"a`, "byte 3: expected the end of the string"},
		{"control character", "{\"a\":\"x\ny\"}", "byte 7: a: the control character 0x0a in a string"},
		{"unknown escape", `"\x"`, "byte 1: an unknown escape in a string"},
		{"short escape", `"\u12"`, "byte 1: an unknown escape in a string"},
		{"escape at the end", `"\`, "byte 1: an unknown escape in a string"},
		{"open string", `"abc`, "byte 4: expected the end of the string, found the end of the text"},
		{"open list", `[1`, `byte 2: expected "," or "]", found the end of the text`},
		{"comma before the end", `[1,]`, `byte 3: [1]: expected a value, found "]"`},
		{"comma before the brace", `{"a":1,}`, `byte 7: expected a key, found "}"`},
		{"key without quotes", `{a:1}`, `byte 1: expected a key, found "a"`},
		{"no colon", `{"a" 1}`, `byte 5: expected ":", found "1"`},
		{"no value", `{"a":`, "byte 5: a: expected a value, found the end of the text"},
		{"single quotes", `'a'`, `byte 0: expected a value, found "'"`},
		{"NaN", `NaN`, `byte 0: expected a value, found "N"`},
		{"capital", `True`, `byte 0: expected a value, found "T"`},
		{"comment", `1 // one`, "byte 2: text after the value"},
		{"no-break space", "\u00a01", `byte 0: expected a value`},
		{"leading zero", `01`, "byte 0: a number has no leading zeros"},
		{"leading plus", `+1`, `byte 0: expected a value, found "+"`},
		{"minus alone", `-`, "byte 0: a number has no leading zeros and at least one digit"},
		{"leading point", `.5`, `byte 0: expected a value, found "."`},
		{"no digit behind the point", `{"n":[1.]}`, `byte 8: n[0]: expected a digit, found "]"`},
		{"empty exponent", `1e+`, "byte 3: expected a digit, found the end of the text"},
		{"hexadecimal", `0x10`, "byte 1: text after the value"},
		{"too deep", strings.Repeat("[", 33) + strings.Repeat("]", 33), "byte 32: " + strings.Repeat("[0]", 32) + ": nested deeper than 32"},
		{"a path with a dot in it", `{"a.b":{"c":nul}}`, `byte 12: ["a.b"].c: expected a value, found "n"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := strictjson.Parse([]byte(row.text))
			require.ErrorContains(t, err, row.want)
		})
	}
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":0`, i)
	}
	return strings.Join(keys, ",")
}

func TestStrictJSONIsTakenAsItIsWritten(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, ` false `, `0`, `-0`, `-0.0e-0`, `1e400`, `123456789012345678901234567890.5E+7`, `""`,
		`"é\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t\u0000"`, "\"\uFFFD\u007f\u2028\"", `[]`, `{}`, "\t[ 1 ,\r\n[ ] , { } ]",
		`{"a":1,"A":2,"":3}`, `{` + manyKeys(50) + `}`, strings.Repeat("[", 32) + strings.Repeat("]", 32),
	} {
		v, err := strictjson.Parse([]byte(text))
		require.NoError(t, err, text)
		same(t, v, standard(t, []byte(text)))
	}
}

// standard reads with encoding/json.
func standard(t *testing.T, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF)
	return v
}

func same(t *testing.T, v strictjson.Value, want any) {
	switch want := want.(type) {
	case nil:
		require.Equal(t, strictjson.Null, v.Kind())
	case bool:
		got, err := v.AsBool()
		require.NoError(t, err)
		require.Equal(t, want, got)
	case json.Number:
		got, err := v.AsNumber()
		require.NoError(t, err)
		require.Equal(t, want.String(), got)
	case string:
		got, err := v.AsString()
		require.NoError(t, err)
		require.Equal(t, want, got)
	case []any:
		require.Equal(t, strictjson.Array, v.Kind())
		require.Equal(t, len(want), v.Len())
		i := 0
		for item := range v.Items() {
			same(t, item, want[i])
			i++
		}
		require.Equal(t, len(want), i)
	case map[string]any:
		require.Equal(t, strictjson.Object, v.Kind())
		require.Equal(t, len(want), v.Len())
		for name, member := range v.Members() {
			require.Contains(t, want, name)
			same(t, member, want[name])
		}
	}
}

// What encoding/json rejects is rejected; what is accepted, encoding/json reads as the same values.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"match","id":"f1","participants":[{"player":"a","outcome":1.5,"metrics":{"points":9}},null,true]}`,
		`"\ud83d\ude00\u00e9"`, `"\ud800"`, `-0.1e+7`, `{"a":1,"a":2}`, "\"\xff\"", "\uFEFF1", `[[[[]]]] x`, ` {} `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := strictjson.Parse(text)
		if !json.Valid(text) {
			require.Error(t, err)
		}
		if err == nil {
			same(t, v, standard(t, text))
		}
	})
}

func TestMembersKeepTheirOrder(t *testing.T) {
	v := parse(t, `{"z":1,"a":2,"m":3}`)
	var names []string
	for name := range v.Members() {
		names = append(names, name)
	}
	require.Equal(t, []string{"z", "a", "m"}, names)
}

func TestPathNamesTheWayToAValue(t *testing.T) {
	v := parse(t, `{"modes":[{"id":"x"},{"boards":["a","b"],"odd name":{"in.side":[[7]]}}]}`)
	var paths []string
	var walk func(strictjson.Value)
	walk = func(v strictjson.Value) {
		paths = append(paths, v.Path())
		for _, child := range v.Members() {
			walk(child)
		}
	}
	walk(v)
	require.Equal(t, []string{
		"", "modes", "modes[0]", "modes[0].id", "modes[1]", "modes[1].boards", "modes[1].boards[0]",
		"modes[1].boards[1]", `modes[1]["odd name"]`, `modes[1]["odd name"]["in.side"]`,
		`modes[1]["odd name"]["in.side"][0]`, `modes[1]["odd name"]["in.side"][0][0]`,
	}, paths)
}

func parse(t testing.TB, text string) strictjson.Value {
	v, err := strictjson.Parse([]byte(text))
	require.NoError(t, err)
	return v
}

type color string

// thing has a field of every sort.
type thing struct {
	name  string
	on    bool
	n     int
	big   int64
	color color
	sub   *thing
	list  []string
	by    map[string]int
}

func readThing(v strictjson.Value) (thing, error) {
	r := strictjson.Fields(v)
	r.Require("name")
	t := thing{
		name: r.String("name"), on: r.Bool("on"), n: r.Int("n"), big: r.Int64("big"),
		color: strictjson.Word(r, "color", color("red"), "green", "blue"),
		sub:   strictjson.Maybe(r, "sub", readThing),
		list:  strictjson.List(r, "list", strictjson.Value.AsString),
		by:    strictjson.Map(r, "by", strictjson.Value.AsInt),
	}
	if t.n < 0 {
		r.Fail(errors.New("n: negative"))
	}
	return t, r.Done()
}

func TestAReaderReadsEveryFieldAndLeavesAbsentOnesZero(t *testing.T) {
	got, err := readThing(parse(t, `{"name":"a","on":true,"n":-0,"big":-9223372036854775808,"color":"blue",
		"sub":{"name":""},"list":["x","y"],"by":{"one":1}}`))
	require.NoError(t, err)
	require.Equal(t, thing{"a", true, 0, -1 << 63, "blue", &thing{}, []string{"x", "y"}, map[string]int{"one": 1}}, got)
	got, err = readThing(parse(t, `{"name":"a","list":[],"by":{}}`))
	require.NoError(t, err)
	require.Equal(t, thing{name: "a"}, got)
}

func TestTheFirstErrorOfAReaderNamesPathExpectationAndWhatWasFound(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                         `expected an object, found a list`,
		`{}`:                         `name: the field is missing`,
		`{"name":null}`:              `name: expected a string, found null`,
		`{"name":"a","on":0}`:        `on: expected true or false, found 0`,
		`{"name":"a","on":"true"}`:   `on: expected true or false, found "true"`,
		`{"name":"a","n":"1"}`:       `n: expected a whole number, found "1"`,
		`{"name":"a","n":1.0}`:       `n: expected a whole number, found 1.0`,
		`{"name":"a","n":1e2}`:       `n: expected a whole number, found 1e2`,
		`{"name":"a","n":-1}`:        `n: negative`,
		`{"name":"a","n":-1,"x":1}`:  `n: negative`,
		`{"name":1,"n":-1}`:          `name: expected a string, found 1`,
		`{"name":"a","big":{}}`:      `big: expected a whole number, found an object`,
		`{"name":"a","color":"up"}`:  `color: expected "red", "green" or "blue", found "up"`,
		`{"name":"a","color":""}`:    `color: expected "red", "green" or "blue", found ""`,
		`{"name":"a","color":3}`:     `color: expected "red", "green" or "blue", found 3`,
		`{"name":"a","sub":null}`:    `sub: expected an object, found null`,
		`{"name":"a","list":{}}`:     `list: expected a list, found an object`,
		`{"name":"a","list":["",2]}`: `list[1]: expected a string, found 2`,
		`{"name":"a","by":[1]}`:      `by: expected an object, found a list`,
		`{"name":"a","by":{"x":[]}}`: `by.x: expected a whole number, found a list`,
		`{"name":"a","nam":1}`:       `nam: unknown field`,
		`{"name":"a","NAME":1}`:      `NAME: unknown field`,

		`{"name":"a","sub":{"name":"b","sub":{"name":"c","x y":1}}}`: `sub.sub["x y"]: unknown field`,
		`{"name":"a","big":9223372036854775808}`:                     `big: expected a whole number, found 9223372036854775808`,
		`{"name":"a","n":` + strings.Repeat("9", 999) + `}`:          strings.Repeat("9", 140) + "…",
		`{` + manyKeys(70) + `,"name":"a"}`:                          `k0: unknown field`,
	} {
		_, err := readThing(parse(t, text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestAStringIsNoNumber(t *testing.T) {
	_, err := parse(t, `"12"`).AsNumber()
	require.EqualError(t, err, `expected a number, found "12"`)
}

func TestAListHasNoFields(t *testing.T) {
	r := strictjson.Fields(parse(t, `["x"]`))
	require.False(t, r.Has(""))
	require.Empty(t, r.String(""))
	require.EqualError(t, r.Done(), "expected an object, found a list")
}

func TestTheZeroValueIsANull(t *testing.T) {
	var v strictjson.Value
	require.Equal(t, strictjson.Null, v.Kind())
	require.Equal(t, "null", v.Text())
	require.Empty(t, v.Path())
	require.Zero(t, v.Len())
}

func TestAnErrorRepeatsOnlyTheBeginningOfALongText(t *testing.T) {
	_, err := parse(t, `"`+strings.Repeat("é", 100)+`"`).AsBool()
	require.EqualError(t, err, `expected true or false, found "`+strings.Repeat("é", 70)+`…"`)
}

func TestAFieldBehindThe64thIsReadAndUnknown(t *testing.T) {
	r := strictjson.Fields(parse(t, `{`+manyKeys(64)+`,"name":"a"}`))
	for i := range 64 {
		r.Int(fmt.Sprintf("k%d", i))
	}
	require.Equal(t, "a", r.String("name"))
	require.EqualError(t, r.Done(), "name: unknown field")
}

func BenchmarkParse(b *testing.B) {
	var text bytes.Buffer
	text.WriteString(`{"type":"match","id":"f1-1988-01","mode":"race","room":"f1-1988","round":1,"ended_at":"1988-04-03T14:00:00Z","participants":[`)
	for i := range 10 {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"player":"player-%d","team":"team-%d","outcome":%d,"status":"finished","metrics":{"points":9}}`, i, i/2, i)
	}
	text.WriteString("]}")
	b.Run("strict", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := strictjson.Parse(text.Bytes()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text.Bytes(), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
