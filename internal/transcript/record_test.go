package transcript

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/store/memory"
)

func parseRecord(t *testing.T, line string) Record {
	t.Helper()
	r, err := ParseRecord([]byte(line))
	require.NoError(t, err)
	return r
}

// Times that a record does not give are those of the steps that it does give.
func TestARecordsTimesDefaultToTheOnesGiven(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(1988, 4, 3, hour, 0, 0, 0, time.UTC) }
	for times, want := range map[string][3]time.Time{
		`"ended_at":"1988-04-03T14:00:00Z"`:                                                                                     {at(14), at(14), at(14)},
		`"started_at":"1988-04-03T13:00:00Z","ended_at":"1988-04-03T14:00:00Z"`:                                                 {at(13), at(13), at(14)},
		`"created_at":"1988-04-03T12:00:00Z","ended_at":"1988-04-03T14:00:00Z"`:                                                 {at(12), at(14), at(14)},
		`"created_at":"1988-04-03T12:00:00Z","started_at":"1988-04-03T13:00:00Z","ended_at":"1988-04-03T16:00:00.000000+02:00"`: {at(12), at(13), at(14)},
		`"created_at":"1988-04-03T12:00:00Z","started_at":"1988-04-03T13:00:00Z"`:                                               {at(12), at(13), at(13)},
		`"started_at":"1988-04-03T13:00:00Z"`:                                                                                   {at(13), at(13), at(13)},
		`"created_at":"1988-04-03T12:00:00Z"`:                                                                                   {at(12), at(12), at(12)},
	} {
		r := parseRecord(t, `{"id":"m","mode":"race","participants":[{"player":"a"}],`+times+`}`)
		require.Equal(t, want, [3]time.Time{r.CreatedAt, r.StartedAt, r.EndedAt}, times)
	}
}

// A record says everything that it holds to create and end, and nothing else.
func TestARecordIsReadWhole(t *testing.T) {
	r := parseRecord(t, `{"type":"match","id":"m","mode":"race","room":"f1","round":7,"ended_at":"1988-04-03T14:00:00.250Z","attributes":{"cup":"w"},
		"participants":[{"player":"a","team":"red","outcome":1.50,"status":"finished","metrics":{"points":9}},{"player":"b","bot":true,"outcome":null}]}`)
	require.Equal(t, finalbell.NewMatch{ID: "m", Mode: "race", Room: "f1", Round: "7", Attributes: map[string]string{"cup": "w"},
		Players: []finalbell.Participant{{Player: "a", Team: "red"}, {Player: "b", Bot: true}}}, r.Match)
	require.Equal(t, []finalbell.Outcome{
		{Player: "a", Value: finalbell.Decimal("1.5"), Status: finalbell.Finished, Metrics: map[string]finalbell.Number{"points": finalbell.Int(9)}},
		{Player: "b"},
	}, r.Outcomes)
}

// The first instant of year 1 is no time to Go and to the engine.
func TestTheFirstInstantOfYearOneIsRefused(t *testing.T) {
	record := func(at string) error {
		_, err := recordAt(at)
		return err
	}
	require.NoError(t, record("0001-01-01T00:00:00.001Z"))
	require.ErrorIs(t, record("0001-01-01T00:00:00Z"), timetext.ErrForm)
	require.ErrorIs(t, record("1988-04-03T14:00:00.0001Z"), timetext.ErrFiner)
}

func recordAt(at string) (Record, error) {
	return ParseRecord([]byte(`{"id":"m","mode":"race","ended_at":"` + at + `","participants":[{"player":"ann"}]}`))
}

// Import does nothing twice, and a record that End refuses can be corrected.
func TestImportGoesOnWhereItStopped(t *testing.T) {
	ctx := context.Background()
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "race", Boards: []string{"sum"}}},
		Boards: []finalbell.BoardRule{{ID: "sum", Keys: []finalbell.Key{{Metric: "outcome"}}}},
	}
	now := time.Date(1988, 4, 3, 14, 0, 0, 0, time.UTC)
	e, err := finalbell.New(ctx, memory.New(), rules, finalbell.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	defer e.Close()
	const line = `{"id":"m","mode":"race","started_at":"1988-04-03T12:00:00Z","ended_at":"1988-04-03T13:00:00Z","participants":[{"player":"a","outcome":1.5}]}`

	_, err = Import(ctx, e, parseRecord(t, line))
	require.ErrorIs(t, err, finalbell.ErrOutcome, "the board keeps no decimals")
	corrected := parseRecord(t, strings.Replace(line, "1.5", "2", 1))
	replayed, err := Import(ctx, e, corrected)
	require.NoError(t, err)
	require.False(t, replayed)
	replayed, err = Import(ctx, e, corrected)
	require.NoError(t, err)
	require.True(t, replayed)
	m, err := e.Match(ctx, "m")
	require.NoError(t, err)
	require.Equal(t, corrected.StartedAt, m.CreatedAt)
	require.Equal(t, corrected.EndedAt, m.EndedAt)

	for _, other := range []string{
		strings.Replace(line, "1.5", "3", 1), strings.Replace(line, "13:00", "13:30", 1), strings.Replace(line, "12:00", "11:00", 1),
		strings.Replace(line, `"a"`, `"b"`, 1),
	} {
		_, err = Import(ctx, e, parseRecord(t, strings.Replace(other, "1.5", "2", 1)))
		require.ErrorIs(t, err, finalbell.ErrExists, other)
		var called *finalbell.Error
		require.ErrorAs(t, err, &called)
		require.Equal(t, "m", called.ID)
	}
	_, err = Import(ctx, e, parseRecord(t, strings.NewReplacer(`"m"`, `"n"`, "1988", "1999", "1.5", "2").Replace(line)))
	require.ErrorIs(t, err, finalbell.ErrInvalid, "a record of the future")
}
