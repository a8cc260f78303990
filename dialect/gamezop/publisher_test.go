package gamezop

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/internal/web"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// receiver is a publisher's endpoint. It notes what arrives and answers as it is told.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	heard   []*http.Request
	bodies  []string
	answers func(body string) int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard, r.bodies = append(r.heard, q), append(r.bodies, string(body))
		if r.answers != nil {
			if status := r.answers(string(body)); status != http.StatusOK {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				return
			}
		}
		_, _ = io.WriteString(w, `{"success":true,"scores":[]}`)
	}))
	t.Cleanup(r.Close)
	return r
}

// since are the requests and bodies since it was asked last.
func (r *receiver) since() ([]*http.Request, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	heard, bodies := r.heard, r.bodies
	r.heard, r.bodies = nil, nil
	return heard, bodies
}

// pushing is an engine of which the winners are pushed to a receiver.
func pushing(t *testing.T, r *receiver, change ...func(*PublisherOptions)) *finalbelltest.Game {
	t.Helper()
	return pushingOn(t, r, finalbelltest.InMemory, change...)
}

func pushingOn(t *testing.T, r *receiver, open finalbelltest.Opener, change ...func(*PublisherOptions)) *finalbelltest.Game {
	t.Helper()
	return finalbelltest.NewOn(t, open, arcade(), func(o *finalbell.Options) {
		po := PublisherOptions{URL: r.URL + "/games/receive-winners?key=k3y", Secret: secret, Bearer: "b3arer", Private: true, Now: o.Now}
		for _, f := range change {
			f(&po)
		}
		p, err := NewPublisher(po)
		require.NoError(t, err)
		o.Hooks.After = p.After
	})
}

// play ends a match of ann and bob, whom it names in this order.
func play(t *testing.T, e *finalbell.Engine, id string) {
	t.Helper()
	_, err := e.Create(t.Context(), finalbell.NewMatch{ID: id, Mode: "ludo", Room: "R", Players: finalbell.Players("bob", "ann")})
	require.NoError(t, err)
	_, err = e.Start(t.Context(), id)
	require.NoError(t, err)
	_, err = e.End(t.Context(), id, finalbell.Score("bob", 1), finalbell.Outcome{Player: "ann", Value: finalbell.Decimal("2.5")})
	require.NoError(t, err)
}

// tick lets time pass and returns what was pushed then.
func tick(t *testing.T, g *finalbelltest.Game, r *receiver, passed time.Duration) []string {
	t.Helper()
	r.since()
	g.Clock.Advance(passed)
	_, err := g.Engine.Tick(t.Context())
	require.NoError(t, err)
	_, bodies := r.since()
	return bodies
}

func winnersOf(id string) string {
	return `{"match_id":"` + id + `","scores":[{"rank":1,"sub":"ann","score":2.5},{"rank":2,"sub":"bob","score":1}]}`
}

// "Gamezop posts data on match winners to your system at the end of each multiplayer match via this endpoint."
func TestSeedG6WinnersArePushedSigned(t *testing.T) {
	r := newReceiver(t)
	g := pushing(t, r)
	play(t, g.Engine, "m1")
	_, err := g.Engine.Tick(t.Context())
	require.NoError(t, err)
	heard, bodies := r.since()
	require.Equal(t, []string{winnersOf("m1")}, bodies)
	q := heard[0]
	require.Equal(t, "POST", q.Method)
	require.Equal(t, "application/json", q.Header.Get("Content-Type"))
	require.Equal(t, "finalbell", q.Header.Get("User-Agent"))
	require.Equal(t, "Bearer b3arer", q.Header.Get("Authorization"))
	require.Equal(t, "end/m1", q.Header.Get(web.HeaderID))
	key, err := web.WebhookKey(secret)
	require.NoError(t, err)
	require.True(t, web.Verified(q.Header, key, g.Clock.Now(), []byte(bodies[0])))
	require.Empty(t, tick(t, g, r, time.Hour), "once is enough")
}

// A publisher that is down hears of each match when it is up again, in order, and under the same id.
func TestAReceiverThatFailsHearsAgain(t *testing.T) {
	r := newReceiver(t)
	g := pushing(t, r)
	down := true
	r.answers = func(body string) int {
		if down && strings.Contains(body, `"m1"`) {
			return http.StatusBadGateway
		}
		return http.StatusOK
	}
	play(t, g.Engine, "m1")
	_, err := g.Engine.Amend(t.Context(), "m1", "miscounted", finalbell.Score("bob", 3), finalbell.Score("ann", 2))
	require.NoError(t, err)
	play(t, g.Engine, "m2")
	amended := `{"match_id":"m1","scores":[{"rank":1,"sub":"bob","score":3},{"rank":2,"sub":"ann","score":2}]}`
	require.Equal(t, []string{amended, winnersOf("m2")}, tick(t, g, r, 0), "other matches go on, and the winners are those of now")
	require.Empty(t, tick(t, g, r, time.Second-time.Millisecond))
	require.Equal(t, []string{amended}, tick(t, g, r, time.Millisecond), "the amendment waits behind the end")
	down = false
	g.Clock.Advance(2 * time.Second)
	_, err = g.Engine.Tick(t.Context())
	require.NoError(t, err)
	heard, bodies := r.since()
	require.Equal(t, []string{amended, amended}, bodies)
	require.Equal(t, "end/m1", heard[0].Header.Get(web.HeaderID))
	require.NotEqual(t, "end/m1", heard[1].Header.Get(web.HeaderID), "a correction is another delivery")
	key, err := web.WebhookKey(secret)
	require.NoError(t, err)
	require.True(t, web.Verified(heard[1].Header, key, g.Clock.Now(), []byte(bodies[1])), "of the time of the attempt")
}

// After 16 attempts a push is given up, and ReplayEvents brings it.
func TestAPushIsGivenUpAfterSixteenAttemptsAndReplayed(t *testing.T) {
	r := newReceiver(t)
	r.answers = func(string) int { return http.StatusTemporaryRedirect }
	g := pushing(t, r)
	play(t, g.Engine, "m1")
	attempts := len(tick(t, g, r, 0))
	for range 30 {
		attempts += len(tick(t, g, r, time.Hour))
	}
	require.Equal(t, 16, attempts)
	var given []finalbell.Event
	for ev, err := range g.Engine.Undelivered(t.Context()) {
		require.NoError(t, err)
		given = append(given, ev)
	}
	require.Len(t, given, 1)
	require.Equal(t, "end/m1", given[0].Subject)
	host := strings.TrimPrefix(r.URL, "http://")
	require.JSONEq(t, `{"hook":"after","position":3,"problem":"winners for `+host+`: answered 307"}`, string(given[0].Body))
	r.answers = nil
	require.Empty(t, tick(t, g, r, time.Hour))
	require.NoError(t, g.Engine.ReplayEvents(t.Context(), 0))
	require.Equal(t, []string{winnersOf("m1")}, tick(t, g, r, 0))
}

// kept is a store that outlives the engine on it: a process that was killed closes nothing.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

// A process may be killed between the end of a match and its push, and also after the push: nothing is lost.
func TestAKilledProcessLosesNoPush(t *testing.T) {
	r := newReceiver(t)
	s := kept{memory.New()}
	open := func(store.Store) (store.Store, error) { return s, nil }
	first := pushingOn(t, r, open)
	play(t, first.Engine, "m1")
	second := pushingOn(t, r, open) // the first is not closed
	second.Clock.Set(first.Clock.Now())
	require.Equal(t, []string{winnersOf("m1")}, tick(t, second, r, 0))
	play(t, second.Engine, "m2")
	r.answers = func(string) int { return http.StatusInternalServerError }
	require.Equal(t, []string{winnersOf("m2")}, tick(t, second, r, 0))
	r.answers = nil
	third := pushingOn(t, r, open)
	third.Clock.Set(second.Clock.Now())
	require.Contains(t, tick(t, third, r, 0), winnersOf("m2"))
}

// What is no winner is not pushed: a cancelled match, a voided one, one of another kind.
func TestOnlyWinnersArePushed(t *testing.T) {
	r := newReceiver(t)
	g := pushing(t, r, func(o *PublisherOptions) {
		o.Of = func(m finalbell.Match) bool { return !strings.HasPrefix(m.ID, "other") }
	})
	play(t, g.Engine, "other1")
	play(t, g.Engine, "m1")
	_, err := g.Engine.Void(t.Context(), "m1", "cheating")
	require.NoError(t, err)
	_, err = g.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m2", Mode: "ludo", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = g.Engine.Cancel(t.Context(), "m2", "")
	require.NoError(t, err)
	require.Empty(t, tick(t, g, r, 0))
	require.Empty(t, tick(t, g, r, time.Hour), "and nothing has failed")
}

// An end without a contest has no winner: everybody has rank 0.
func TestAnEndWithoutAContestHasNoWinner(t *testing.T) {
	r := newReceiver(t)
	g := pushing(t, r)
	_, err := g.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "ludo", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = g.Engine.Start(t.Context(), "m1")
	require.NoError(t, err)
	_, err = g.Engine.End(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, []string{`{"match_id":"m1","scores":[{"rank":0,"sub":"ann","score":0}]}`}, tick(t, g, r, 0))
}

// Success is any 2xx that does not say otherwise. A redirect is not followed: the secret of the signature is for one receiver.
func TestWhatIsNotSuccessHasFailed(t *testing.T) {
	var status int
	var text string
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		followed = followed || q.URL.Path == "/elsewhere"
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	p, err := NewPublisher(PublisherOptions{URL: server.URL, Secret: "s3cret", Private: true})
	require.NoError(t, err)
	m := finalbell.Match{ID: "m1", State: finalbell.Ended}
	ev := finalbell.Event{ID: "end/m1", Kind: finalbell.EventMatchEnded, Match: &m}
	for _, taken := range []struct {
		status int
		text   string
	}{
		{200, `{"success":true,"scores":[]}`}, {200, ``}, {200, `ok`}, {201, `{}`}, {204, ``}, {200, `{"success":null}`},
		{200, strings.Repeat("x", 2*longestReply)},
	} {
		status, text = taken.status, taken.text
		require.NoError(t, p.After(t.Context(), ev), taken)
	}
	for _, failed := range []struct {
		status int
		text   string
	}{{200, `{"success":false}`}, {301, ``}, {302, ``}, {307, ``}, {400, ``}, {404, ``}, {410, ``}, {429, ``}, {500, ``}, {503, `{"success":true}`}} {
		status, text = failed.status, failed.text
		require.Error(t, p.After(t.Context(), ev), failed)
	}
	require.False(t, followed)
}

// An error is stored and logged: it names the host and no more of the URL, and no secret.
func TestTheErrorOfAPushTellsNoSecret(t *testing.T) {
	r := newReceiver(t)
	address := strings.Replace(r.URL, "http://", "https://", 1) + "/p4th?key=k3y"
	m := finalbell.Match{ID: "m1", State: finalbell.Ended}
	ev := finalbell.Event{ID: "end/m1", Kind: finalbell.EventMatchEnded, Match: &m}
	clean := func(err error) {
		t.Helper()
		require.Error(t, err)
		for _, s := range []string{"k3y", "p4th", "s3cret", "b3arer"} {
			require.NotContains(t, err.Error(), s)
		}
	}
	p, err := NewPublisher(PublisherOptions{URL: address, Secret: "s3cret", Bearer: "b3arer"})
	require.NoError(t, err)
	err = p.After(t.Context(), ev)
	clean(err)
	require.ErrorContains(t, err, "not an address of the public internet")
	p, err = NewPublisher(PublisherOptions{URL: address, Secret: "s3cret", Bearer: "b3arer", Private: true})
	require.NoError(t, err)
	clean(p.After(t.Context(), ev)) // it speaks no TLS
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err = p.After(ctx, ev)
	clean(err)
	require.ErrorIs(t, err, context.Canceled)
	r.Close()
	clean(p.After(t.Context(), ev))
	clean(reason(errors.New("plain")))
	heard, _ := r.since()
	require.Empty(t, heard)
}

func TestPublisherOptionsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	right := PublisherOptions{URL: "https://example.com/hook?key=k3y", Secret: "s3cret"}
	_, err := NewPublisher(right)
	require.NoError(t, err)
	for want, change := range map[string]func(*PublisherOptions){
		"URL: expected https":       func(o *PublisherOptions) { o.URL = "http://example.com/hook?key=k3y" },
		"URL: not a URL":            func(o *PublisherOptions) { o.URL = "https://exam ple.com/k3y" },
		"URL: it may not name":      func(o *PublisherOptions) { o.URL = "https://k3y@example.com/" },
		"Secret: must not be empty": func(o *PublisherOptions) { o.Secret = "" },
		"Secret: after whsec_":      func(o *PublisherOptions) { o.Secret = "whsec_s3cret!" },
		"Bearer":                    func(o *PublisherOptions) { o.Bearer = "s3cret\r\nX: y" },
	} {
		o := right
		change(&o)
		_, err := NewPublisher(o)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "k3y")
		require.NotContains(t, err.Error(), "s3cret")
	}
}

// What a header or a signature cannot carry of an id is percent-encoded, so that no two ids become one.
func TestAnIDIsWrittenAsAHeaderCanCarryIt(t *testing.T) {
	for id, want := range map[string]string{
		"end/m1": "end/m1", "end/a.b": "end/a%2Eb", "end/a%2Eb": "end/a%252Eb", "end/m1 ": "end/m1%20", "end/é": "end/%C3%A9", "amend/m#1": "amend/m#1",
	} {
		require.Equal(t, want, headerText(id))
	}
}

// The two sides fit: what the Publisher pushes, the Handler records.
func TestWhatIsPushedIsReceived(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Mode, o.Bearer = "ludo", dialect.Digest{} })
	match := f.create(t, "R", "MATCH_FOUND", []string{"ann", "bob"}, "Authorization", "Bearer a-server-key")
	server := httptest.NewServer(f)
	defer server.Close()
	g := finalbelltest.New(t, arcade(), func(o *finalbell.Options) {
		p, err := NewPublisher(PublisherOptions{URL: server.URL + "/games/receive-winners", Secret: secret, Private: true, Now: f.Clock.Now})
		require.NoError(t, err)
		o.Hooks.After = p.After
	})
	play(t, g.Engine, match)
	for range 2 {
		_, err := g.Engine.Tick(t.Context())
		require.NoError(t, err)
		m, err := f.Engine.Match(t.Context(), match)
		require.NoError(t, err)
		require.Equal(t, finalbell.Ended, m.State)
		require.Equal(t, "ann", m.Standings[0].Player)
		require.NoError(t, g.Engine.ReplayEvents(t.Context(), 0))
	}
	for range g.Engine.Undelivered(t.Context()) {
		t.Fatal("the repeat was refused")
	}
}
