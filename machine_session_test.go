package finalbell_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"pgregory.net/rapid"
)

// Whoever comes and goes, on whatever devices, at whatever times and however often again, has the sessions that the model
// says, and is gone from the matches that it says; so it is for an engine that is opened again.
func TestSessionsAreTheModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		m.game = finalbelltest.New(t, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		t.Repeat(map[string]func(*rapid.T){
			"in": m.comeIn, "in again": m.comeIn, "out": m.goOut, "heartbeat": m.beHere,
			"create": m.create, "start": m.start, "report": m.report, "end": m.end,
			"advance": m.advance, "tick": m.tick,
			"reopen": func(t *rapid.T) { m.game.Reopen(t); m.engine = m.game.Engine },
			"": func(t *rapid.T) {
				if problem := m.model.DiffSessions(m.engine); problem != "" {
					t.Fatalf("%s", problem)
				}
				m.checkTotals(t)
			},
		})
		m.check(t)
		m.verify(t)
	})
}

// checkTotals holds the totals against the sessions that they add up.
func (m *machine) checkTotals(t *rapid.T) {
	for _, player := range []string{"", "ann"} {
		var want finalbell.SessionTotals
		for _, s := range m.model.Sessions(player) {
			if s.EndedAt.IsZero() {
				want.Open++
				continue
			}
			want.Sessions++
			want.Total += s.Duration()
			want.Longest = max(want.Longest, s.Duration())
		}
		got, err := m.engine.SessionTotals(context.Background(), finalbell.SessionFilter{Player: player})
		off := got.Mean*time.Duration(want.Sessions) - want.Total
		got.Mean = 0
		if err != nil || got != want || want.Sessions > 0 && off.Abs() > time.Duration(want.Sessions)*time.Millisecond/2 {
			t.Fatalf("the totals of %q are %+v, %v, want %+v; the mean is off by %v", player, got, err, want, off)
		}
	}
}

// comeIn starts a session, sometimes under an id that is in use, sometimes a wrong one.
func (m *machine) comeIn(t *rapid.T) {
	n := finalbell.NewSession{Player: drawVisitor(t), Device: drawDevice(t)}
	m.sessions++
	n.ID = "s" + strconv.Itoa(m.sessions)
	switch rapid.IntRange(1, 12).Draw(t, "wrong") {
	case 8, 9:
		n.ID = "s" + strconv.Itoa(rapid.IntRange(1, m.sessions).Draw(t, "id in use"))
	case 10:
		n.Attributes = map[string]string{"version": "1"}
	case 11:
		n.Attributes = map[string]string{"": "1"}
	case 12:
		if m.failing == nil { // who does not know the id cannot try again with it
			n.ID = ""
		}
	}
	m.attend(t, n.Player, m.drawAt(t),
		func(e *finalbell.Engine) (finalbell.Session, error) { return e.StartSession(context.Background(), n) },
		func(m *finalbelltest.Model) (finalbell.Session, error) { return m.StartSession(n) })
}

func (m *machine) goOut(t *rapid.T) {
	player, device := drawVisitor(t), drawDevice(t)
	m.attend(t, player, m.drawAt(t),
		func(e *finalbell.Engine) (finalbell.Session, error) {
			return e.EndSession(context.Background(), player, device)
		},
		func(m *finalbelltest.Model) (finalbell.Session, error) { return m.EndSession(player, device) })
}

func (m *machine) beHere(t *rapid.T) {
	player, device := drawVisitor(t), drawDevice(t)
	m.attend(t, player, m.drawAt(t),
		func(e *finalbell.Engine) (finalbell.Session, error) {
			return e.Heartbeat(context.Background(), player, device)
		},
		func(m *finalbelltest.Model) (finalbell.Session, error) { return m.Heartbeat(player, device) })
}

// drawDevice draws a device, mostly none, seldom one that could be none.
func drawDevice(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", "phone", "phone", "tablet", "a\tb"}).Draw(t, "device")
}

// attend makes a call about sessions of both.
func (m *machine) attend(t *rapid.T, player string, at time.Time, engine func(*finalbell.Engine) (finalbell.Session, error),
	model func(*finalbelltest.Model) (finalbell.Session, error)) {
	before := m.before()
	got, err := engine(m.engine.At(at))
	want, wantErr := model(m.model.At(at))
	if m.failing != nil && m.failing.stopped(err) {
		m.settle(t, err, before, player)
		return
	}
	if finalbelltest.KindOf(err) != finalbelltest.KindOf(wantErr) || err == nil && sessionText(t, got) != sessionText(t, want) {
		t.Fatalf("the engine answers %s, %v, the model %s, %v", sessionText(t, got), err, sessionText(t, want), wantErr)
	}
}

func sessionText(t *rapid.T, s finalbell.Session) string {
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	return string(text)
}

// drawVisitor draws a player, few enough that sessions and matches meet.
func drawVisitor(t *rapid.T) string {
	return rapid.SampledFrom([]string{"ann", "ann", "ann", "bob", "bob", "cat", "dan", "tab\t"}).Draw(t, "visitor")
}
