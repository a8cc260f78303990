package finalbell_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
)

// Whatever was played, paid, given and taken back: once a player is forgotten everything is as it was, with the pseudonym in
// the place of the name, nothing in the store has the name any more, and all goes on as it would have gone on.
func TestWhoIsForgottenHasAnotherNameAndNothingElseChanges(t *testing.T) {
	forgettingOnlyRenames(t, finalbelltest.InMemory)
}

func TestWhoIsForgottenInADatabaseHasAnotherNameAndNothingElseChanges(t *testing.T) {
	forgettingOnlyRenames(t, inFiles(t))
}

func forgettingOnlyRenames(t *testing.T, open finalbelltest.Opener) {
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.game = finalbelltest.NewOn(t, open, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		m.endow(t)
		actions := m.moneyActions()
		for _, twice := range []string{"end", "play", "retry", "jump", "hide"} {
			actions["more "+twice] = actions[twice]
		}
		delete(actions, "walk")
		t.Repeat(actions)
		m.calls = nil // what is called again would name somebody who is no more
		player := rapid.SampledFrom(bench()).Draw(t, "forgotten")
		m.leave(t, player)
		if rapid.Bool().Draw(t, "tick") {
			m.doDue(t)
		}
		_ = history{m.game, m.rules}.tells(t) // reading closes windows, which pays prizes
		before := everything(t, m.game.Store)
		told := history{m.game, m.rules}.tells(t)
		as, err := m.engine.Forget(t.Context(), player)
		if finalbelltest.KindOf(err) == finalbell.ErrNotFound {
			require.NotContains(t, before, strconv.Quote(player)) // nor is there anything of them
			return
		}
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "reopen") {
			m.game.Reopen(t)
			m.engine = m.game.Engine
		}
		kept := strings.ReplaceAll(everything(t, m.game.Store), "endowment of "+player, "") // a key of the host's own
		require.NotRegexp(t, `\b`+player+`\b`, kept)
		now := history{m.game, m.rules}.tells(t)
		wallet, progress := walletAndProgress(t, m.engine, as)
		for about, text := range told {
			switch {
			case strings.HasSuffix(about, " of "+player):
				switch strings.TrimSuffix(about, " of "+player) {
				case "wallet":
					require.Equal(t, renamedText(text, player, as), wallet)
				case "markers and items":
					require.Equal(t, renamedText(text, player, as), progress)
				}
			default:
				require.Equal(t, renamedText(text, player, as), now[renamedText(about, player, as)], about)
			}
		}
		m.verify(t)
		m.goOn(t)
		m.verify(t)
	})
}

// goOn revises some of the matches that there are, and lets time pass.
func (m *machine) goOn(t *rapid.T) {
	var ended []finalbell.Match
	for match, err := range m.engine.Ended(t.Context()) {
		require.NoError(t, err)
		ended = append(ended, match)
	}
	for _, match := range ended {
		switch rapid.SampledFrom([]string{"leave", "void", "amend"}).Draw(t, "revision") {
		case "void":
			_, err := m.engine.Void(t.Context(), match.ID, "")
			require.NoError(t, err)
		case "amend":
			i := slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == match.Mode })
			n, _ := match.Played(m.rules.Modes[i])
			_, err := m.engine.Amend(t.Context(), match.ID, "", finalbelltest.Outcomes(m.rules.Modes[i], n.Players).Draw(t, "outcomes")...)
			if kind := finalbelltest.KindOf(err); kind != "" && kind != finalbell.ErrUnknownPlayer && kind != finalbell.ErrOutcome {
				require.NoError(t, err)
			}
		}
	}
	m.clock.Advance(40 * 24 * time.Hour)
	_, err := m.engine.Tick(t.Context())
	require.NoError(t, err)
}

// leave lets a player be in no running match, no room and no session.
func (m *machine) leave(t *rapid.T, player string) {
	for _, match := range m.model.Matches() {
		running := match.State == finalbell.Created || match.State == finalbell.Started || match.State == finalbell.Disputed
		in := slices.ContainsFunc(match.Standings, func(s finalbell.Standing) bool { return s.Player == player })
		if !running || !in {
			continue
		}
		_, err := m.engine.Forget(t.Context(), player)
		require.ErrorIs(t, err, finalbell.ErrState)
		_, _ = m.do(t, call{
			id:     match.ID,
			engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Cancel(t.Context(), match.ID, "") },
			model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Cancel(match.ID, "") },
		})
	}
	for s, err := range m.engine.Sessions(t.Context(), finalbell.SessionFilter{Player: player, Open: true}) {
		require.NoError(t, err)
		_, err = m.engine.Forget(t.Context(), player)
		require.ErrorIs(t, err, finalbell.ErrState)
		_, err = m.engine.EndSession(t.Context(), player, s.Device)
		_, wantErr := m.model.EndSession(player, s.Device)
		require.Equal(t, finalbelltest.KindOf(wantErr), finalbelltest.KindOf(err)) // it may be idle by now
	}
	for r, err := range m.engine.Rooms(t.Context(), finalbell.RoomFilter{Player: player}) {
		require.NoError(t, err)
		if r.State != finalbell.RoomOpen {
			continue
		}
		if r.Match != "" { // in which others play
			_, err := m.engine.Cancel(t.Context(), r.Match, "")
			require.NoError(t, err)
			_, err = m.model.Cancel(r.Match, "")
			require.NoError(t, err)
		}
		_, err = m.engine.Leave(t.Context(), r.ID, player)
		require.NoError(t, err)
		_, err = m.model.Leave(r.ID, player)
		require.NoError(t, err)
	}
}

func walletAndProgress(t *rapid.T, e *finalbell.Engine, player string) (wallet, progress string) {
	w, err := e.Wallet(t.Context(), player)
	require.NoError(t, err)
	p, err := e.Progress(t.Context(), player)
	require.NoError(t, err)
	return fmt.Sprint(w), fmt.Sprint(p.Markers, p.Items)
}

// renamedText has another name wherever the old one is a word of its own: an achievement has an eve in it.
func renamedText(text, from, to string) string {
	return regexp.MustCompile(`\b`+from+`\b`).ReplaceAllString(text, to)
}

// everything is all that a store keeps, as text.
func everything(t finalbelltest.TB, s store.Store) string {
	t.Helper()
	ctx, e := t.(interface{ Context() context.Context }).Context(), &everyRecord{t: t}
	players := make(map[string]bool)
	for m, err := range s.Matches(ctx, store.MatchQuery{}) {
		e.add(m, err)
		for r, err := range s.Revisions(ctx, m.ID) {
			e.add(r, err)
		}
		for _, p := range m.Participants {
			players[p.Player] = true
		}
	}
	for w, err := range s.Windows(ctx, store.WindowQuery{}) {
		e.add(w, err)
		for r, err := range s.Entries(ctx, store.EntryQuery{WindowKey: w.WindowKey}) {
			e.add(r, err)
		}
		for c, err := range s.Chunks(ctx, w.WindowKey, 0, 1<<30) {
			e.add(c.WindowKey, err)
			e.text.WriteString(string(c.Data) + "\n")
		}
	}
	for r, err := range s.Lines(ctx, store.LineQuery{}) {
		e.add(r, err)
	}
	for r, err := range s.Grants(ctx, store.GrantQuery{}) {
		e.add(r, err)
	}
	for r, err := range s.Facts(ctx, nil) {
		e.add(r, err)
		e.text.WriteString(string(r.Data) + "\n")
	}
	for r, err := range s.Sessions(ctx, store.SessionQuery{}) {
		e.add(r, err)
	}
	for r, err := range s.Rooms(ctx, store.RoomQuery{}) {
		e.add(r, err)
	}
	for r, err := range s.Events(ctx, 0) {
		e.add(r, err)
		e.text.WriteString(string(r.Body) + "\n")
	}
	for _, player := range slices.Sorted(maps.Keys(players)) {
		for _, kind := range []string{"player", "hold", "escrow", "debt"} {
			for r, err := range s.Balances(ctx, []store.Account{{Kind: kind, ID: player}}) {
				e.add(r, err)
			}
		}
	}
	return e.text.String()
}

type everyRecord struct {
	t    finalbelltest.TB
	text bytes.Buffer
}

func (e *everyRecord) add(r any, err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("read: %v", err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		e.t.Fatalf("marshal: %v", err)
	}
	e.text.Write(append(line, '\n'))
}
