package transcript

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

func runScript(s store.Store, script string) (string, error) {
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "duel", WalkIns: true, Boards: []string{"sum", "best"}}, {ID: "team", Teams: &finalbell.Teams{}, Boards: []string{"sum"}}},
		Boards: []finalbell.BoardRule{{ID: "sum", Keys: []finalbell.Key{{Metric: "outcome", Scale: 2}}}, {ID: "best", Keys: []finalbell.Key{{Metric: "kills", Fold: finalbell.FoldBest}, {Fold: finalbell.FoldCountback}}}},
	}
	var out bytes.Buffer
	err := Run(context.Background(), s, rules, strings.NewReader(script), &out)
	return out.String(), err
}

// Blank lines are skipped, and the last line needs no end.
func TestRunSkipsBlankLines(t *testing.T) {
	out, err := runScript(memory.New(), "\n  \r\n{\"matches\":{}}\r\n\t\n{\"matches\":{}}")
	require.NoError(t, err)
	require.Equal(t, "{\"ok\":[]}\n{\"ok\":[]}\n", out)
	out, err = runScript(memory.New(), "")
	require.NoError(t, err)
	require.Empty(t, out)
}

// A line that is no strict JSON stops the run with its number, behind the answers to the lines before it.
func TestRunStopsAtALineThatCannotBeRead(t *testing.T) {
	for bad, want := range map[string]string{
		`{"matches":{}} x`:                       "line 3: byte 15: text after the value",
		`{"matches":{},"matches":{}}`:            "line 3: byte 14: the key \"matches\" comes twice",
		"{\"match\":\"\xff\"}":                   "line 3: byte 10: invalid UTF-8",
		"{\"match\":\"a\tb\"}":                   "line 3: byte 11: match: the control character 0x09 in a string",
		strings.Repeat("[", 100):                 "line 3: byte 32: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested deeper than 32",
		"{" + strings.Repeat(" ", maxLine) + "}": "line 3: the line is longer than 1048576 bytes",
	} {
		out, err := runScript(memory.New(), "{\"matches\":{}}\n\n"+bad+"\n{\"matches\":{}}\n")
		require.EqualError(t, err, want)
		var line *LineError
		require.ErrorAs(t, err, &line)
		require.Equal(t, 3, line.Line)
		require.Equal(t, "{\"ok\":[]}\n", out)
	}
}

// The longest line that is allowed is read.
func TestRunReadsLongLines(t *testing.T) {
	line := `{"matches":{}` + strings.Repeat(" ", maxLine-len(`{"matches":{}}`)) + `}`
	out, err := runScript(memory.New(), line+"\r\n"+line)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("{\"ok\":[]}\n", 2), out)
	_, err = runScript(memory.New(), line+" \n")
	require.EqualError(t, err, "line 1: the line is longer than 1048576 bytes")
}

// Interrupted and continued on the same store, a script answers as if in one piece.
func TestAScriptContinuesFromItsStore(t *testing.T) {
	lines := []string{
		`{"create":{"mode":"duel","players":["ann","bob"]}}`,
		`{"now":"2026-03-02T09:00:00.5Z"}` + "\n" + `{"start":"id-1"}`, // a clock that was moved for nothing is not stored
		`{"end":{"match":"id-1","outcomes":[{"player":"ann","outcome":2.25,"metrics":{"kills":3}},{"player":"cid","outcome":1}]}}`,
		`{"create":{"mode":"team","players":[{"player":"ann","team":"red"},{"player":"bob","team":"blue"}]}}`, `{"start":"id-2"}`,
		`{"end":{"match":"id-2","outcomes":[{"team":"red","outcome":7},{"player":"bob","outcome":-1}]}}`,
		`{"end":{"match":"id-2","outcomes":[{"player":"bob","outcome":-1},{"team":"red","outcome":7}]}}`,
		`{"match":"id-1"}`, `{"board":{"id":"sum"}}`, `{"board":{"id":"best"}}`, `{"verify":true}`, `{"create":{"mode":"duel","players":["ann"]}}`,
	}
	want, err := runScript(memory.New(), strings.Join(lines, "\n"))
	require.NoError(t, err)
	require.Equal(t, 0, strings.Count(want, `"error"`), want)
	s := memory.New()
	var got string
	for _, line := range lines {
		out, err := runScript(s, line)
		require.NoError(t, err)
		got += out
		s = s.Reopen()
	}
	require.Equal(t, want, got)
}

// Run closes its store, also when it cannot begin.
func TestRunClosesItsStore(t *testing.T) {
	s := memory.New()
	_, err := runScript(s, `{"matches":{}}`)
	require.NoError(t, err)
	require.Error(t, s.Close())
	_, err = runScript(s, `{"matches":{}}`)
	require.Error(t, err)
	s = memory.New()
	require.ErrorIs(t, Run(context.Background(), s, finalbell.Rules{Modes: []finalbell.Mode{{}}}, strings.NewReader(""), nil), finalbell.ErrInvalid)
	require.Error(t, s.Close())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Run stops when its answers cannot be written, or its caller leaves.
func TestRunStopsWhenNobodyReads(t *testing.T) {
	err := Run(context.Background(), memory.New(), finalbell.Rules{}, strings.NewReader(`{"verify":true}`), brokenWriter{})
	require.EqualError(t, err, "the answers cannot be written: disk full")
	ctx, leave := context.WithCancel(context.Background())
	leave()
	err = Run(ctx, memory.New(), finalbell.Rules{}, strings.NewReader(`{"verify":true}`), &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)
}

// What encoding/json escapes for HTML is printed as it is; other escapes stay.
func TestAnswersAreNotEscapedForHTML(t *testing.T) {
	for text, want := range map[string]string{
		"<&>":            `"<&>"`,
		`\u003c`:         `"\\u003c"`,
		`\\u003c<`:       `"\\\\u003c<"`,
		"\x01\u2028\"\\": `"\u0001\u2028\"\\"`,
		"é":              `"é"`,
	} {
		got, err := Encode(text)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}
