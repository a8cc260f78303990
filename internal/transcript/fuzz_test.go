package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/store/memory"
)

// A line that is taken as a record is strict JSON, has every number in range and its times in order, and is
// taken by an engine or refused by it with a kind; imported again it changes nothing.
func FuzzRecord(f *testing.F) {
	const whole = `{"type":"match","id":"m","mode":"race","room":"r","round":"Round 1","created_at":"1988-04-03T13:00:00Z","started_at":"1988-04-03T13:30:00Z","ended_at":"1988-04-03T16:00:00.5+02:00","attributes":{"a":"b"},"participants":[{"player":"p","team":"t","bot":true,"outcome":1.5,"status":"finished","metrics":{"points":9}},{"player":"q","outcome":null,"status":"dsq","rank":2}]}`
	f.Add(whole)
	f.Add(`{"id":"m","mode":"race","ended_at":"1988-04-03T14:00:00Z","no_contest":true,"participants":[{"player":"p"}]}`)
	f.Add(`{"id":"m","mode":"race","ended_at":"1988-04-03T14:00:00Z","teams":{"t":3},"participants":[{"player":"p","team":"t","outcome":null,"status":"finished"}]}`)
	for _, change := range [][2]string{
		{`1.5`, `1e400`}, {`1.5`, `-0.0000000001`}, {`1.5`, `"1"`}, {`1.5`, `01`}, {`"id":"m"`, `"id":"m","id":"m"`}, {`}]}`, `}]} x`},
		{`"p"`, "\"\xff\""}, {`"p"`, `"\ud800"`}, {`"p"`, `""`}, {`"p"`, `"q"`}, {`"Round 1"`, `18446744073709551616`}, {`"match"`, `"Match"`},
		{`"bot"`, `"Bot"`}, {`16:00`, `99:00`}, {`"dsq"`, `"finished"`}, {`"points"`, `"outcome"`}, {`"race"`, `"none"`},
	} {
		f.Add(strings.Replace(whole, change[0], change[1], 1))
	}
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "race", Boards: []string{"b"}}},
		Boards: []finalbell.BoardRule{{ID: "b", Keys: []finalbell.Key{{Metric: "points", Scale: 2}}}},
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := ParseRecord([]byte(line))
		if err != nil {
			require.NotContains(t, err.Error(), "\n", "one line")
			return
		}
		require.True(t, utf8.ValidString(line))
		_, err = strictjson.Parse([]byte(line))
		require.NoError(t, err)
		require.NotEmpty(t, r.Match.ID)
		require.False(t, r.StartedAt.Before(r.CreatedAt) || r.EndedAt.Before(r.StartedAt))
		text, err := r.Line()
		require.NoError(t, err)
		again, err := ParseRecord(text)
		require.NoError(t, err, "%s", text)
		same, err := again.Line()
		require.NoError(t, err)
		require.Equal(t, string(text), string(same), "what is written is read as what it was")
		for _, o := range r.Outcomes {
			require.NoError(t, o.Value.Err())
			for _, n := range o.Metrics {
				require.NoError(t, n.Err())
			}
		}
		ctx := context.Background()
		e, err := finalbell.New(ctx, memory.New(), rules, finalbell.Options{Now: func() time.Time { return r.EndedAt }})
		require.NoError(t, err)
		defer e.Close()
		if _, err = Import(ctx, e, r); err != nil {
			requireKind(t, err)
			return
		}
		replayed, err := Import(ctx, e, r)
		require.NoError(t, err)
		require.True(t, replayed)
		v, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	})
}

// Every line of a script is answered by one line of JSON that is either ok or an error with a kind, or stops
// the script because it is not strict JSON; the same script gives the same bytes; and whatever was called,
// Verify finds nothing wrong.
func FuzzScript(f *testing.F) {
	files, err := filepath.Glob("../../testdata/transcripts/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		var script strings.Builder
		for line := range strings.Lines(string(text)) {
			if call, is := strings.CutPrefix(line, "> "); is {
				script.WriteString(call)
			}
		}
		f.Add(script.String())
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 1<<14 {
			return // what goes wrong, goes wrong in few lines
		}
		s := memory.New()
		out, err := runScript(s, script)
		again, _ := runScript(memory.New(), script)
		require.Equal(t, out, again)
		answers := strings.SplitAfter(out, "\n")
		for _, answer := range answers[:len(answers)-1] {
			requireAnswer(t, answer)
		}
		if err != nil {
			var line *LineError
			require.ErrorAs(t, err, &line)
		}
		verified, err := runScript(s.Reopen(), `{"verify":true}`)
		require.NoError(t, err)
		require.Contains(t, verified, `"problems":[]`, script)
	})
}

func requireAnswer(t *testing.T, answer string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(answer)))
	d.DisallowUnknownFields()
	var a struct {
		OK    json.RawMessage `json:"ok"`
		Error *Refusal        `json:"error"`
	}
	require.NoError(t, d.Decode(&a), answer)
	require.NotEqual(t, a.OK == nil, a.Error == nil, answer)
	if a.Error != nil {
		require.NotEmpty(t, a.Error.Kind)
		require.NotEmpty(t, a.Error.Message)
		require.NotEqual(t, finalbell.ErrUnavailable, a.Error.Kind, answer)
		require.NotEqual(t, finalbell.ErrUnknown, a.Error.Kind, answer)
	}
}

func requireKind(t *testing.T, err error) {
	t.Helper()
	var kind finalbell.Kind
	require.ErrorAs(t, err, &kind)
	require.NotEqual(t, finalbell.ErrUnavailable, kind, err)
	require.NotEqual(t, finalbell.ErrUnknown, kind, err)
}
