package transcript

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/store/memory"
)

func onEngine(t *testing.T) *Session {
	e, err := finalbell.New(t.Context(), memory.New(), finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "coins"}}, Modes: []finalbell.Mode{{ID: "duel"}}, Boards: []finalbell.BoardRule{{ID: "b", Keys: []finalbell.Key{{Metric: "wins"}}}},
	}, finalbell.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return On(e)
}

func answer(t *testing.T, s *Session, line string) string {
	text, err := s.Answer(t.Context(), []byte(line))
	require.NoError(t, err)
	return string(text)
}

// On an engine of the caller's nobody moves the clock.
func TestTheClockOfACallersEngineIsItsOwn(t *testing.T) {
	require.Equal(t, `{"error":{"kind":"invalid","message":"now: the clock is the server's"}}`, answer(t, onEngine(t), `{"now":"2099-01-01T00:00:00Z"}`))
}

// A session on an engine of the caller's is safe for concurrent use: every call without an id gets one of its own.
func TestASessionOnACallersEngineIsSafeForConcurrentUse(t *testing.T) {
	s := onEngine(t)
	var ids sync.Map
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 20 {
				text, err := s.Answer(t.Context(), []byte(`{"create":{"mode":"duel","players":["ann","bob"]}}`))
				var made struct{ OK struct{ ID string } }
				if err == nil {
					err = json.Unmarshal(text, &made)
				}
				if _, twice := ids.LoadOrStore(made.OK.ID, true); twice || err != nil || made.OK.ID == "" {
					t.Errorf("%s: %v", text, err)
				}
				if text, err = s.Answer(t.Context(), []byte(`{"credit":{"player":"ann","currency":"coins","amount":1}}`)); err != nil || !strings.HasPrefix(string(text), `{"ok":`) {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
	calls.Wait()
	require.Contains(t, answer(t, s, `{"wallet":"ann"}`), `"coins":160`)
}

// A list without a limit is refused, and not cut short, when it is longer than one answer of a server should be; so are more
// pages than are read at once.
func TestAListThatIsTooLongForAServerIsRefused(t *testing.T) {
	s := onEngine(t)
	for n, want := range map[int]string{mostWhole: "", mostWhole + 1: "there are more than 10000: ask for fewer, or read them from the database"} {
		list, err := whole(s, func(yield func(int, error) bool) {
			for i := 0; i < n && yield(i, nil); i++ {
			}
		})
		if want == "" {
			require.NoError(t, err)
			require.Len(t, list, n)
			continue
		}
		require.EqualError(t, err, want)
	}
	require.Contains(t, answer(t, s, `{"boards":[`+strings.Repeat(`{"id":"b"},`, mostPages-1)+`{"id":"b"}]}`), `{"ok":[`)
	require.Equal(t, `{"error":{"kind":"invalid","message":"boards: `+strconv.Itoa(mostPages+1)+` pages; at most 100 at once"}}`,
		answer(t, s, `{"boards":[`+strings.Repeat(`{"id":"b"},`, mostPages)+`{"id":"b"}]}`))
}

// Every error of a call has a kind, also one that the engine was not asked for.
func TestEveryErrorOfACallHasAKind(t *testing.T) {
	s := onEngine(t)
	for text, want := range map[string]finalbell.Kind{
		`{"match":"nope"}`: finalbell.ErrNotFound, `{"match":5}`: finalbell.ErrInvalid, `{"nope":5}`: finalbell.ErrInvalid, `[]`: finalbell.ErrInvalid, `{}`: finalbell.ErrInvalid,
	} {
		v, err := strictjson.Parse([]byte(text))
		require.NoError(t, err)
		c, err := CallOf(v)
		if err == nil {
			_, err = s.Do(t.Context(), c)
		}
		require.ErrorIs(t, err, want, text)
		require.Equal(t, want, c.Refused(err).Error.Kind)
	}
}
