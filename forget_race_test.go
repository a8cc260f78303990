package finalbell

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// Every kind of event is in the table that says where it names players: who adds one has to think of it.
func TestTheTableOfNamesHasEveryKindOfEvent(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	kinds := 0
	look := func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasSuffix(name.Name, "Event") || i >= len(spec.Values) {
				continue
			}
			if text, is := spec.Values[i].(*ast.BasicLit); is && text.Kind == token.STRING {
				require.Contains(t, namings, strings.Trim(text.Value, `"`), name.Name)
				kinds++
			}
		}
		return true
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, look)
	}
	require.Len(t, namings, kinds)
}

// A decision that was taken under the old name, and not written yet, is taken again: neither the name nor its money comes
// back.
func TestWhoIsForgottenDuringAVoidStaysForgotten(t *testing.T) {
	ctx := t.Context()
	rules := Rules{Modes: []Mode{{ID: "race", AutoStart: true, Boards: []string{"all"}, XP: []Gain{{Marker: "xp", Amount: 1}}}},
		Boards: []BoardRule{{ID: "all", Keys: []Key{{Metric: "wins"}}}}}
	s := memory.New()
	var as string
	forget := func() error { return nil }
	e, err := New(ctx, s, rules, Options{ManualTick: true})
	require.NoError(t, err)
	race(t, e, "m1", "ann", "bob")
	race(t, e, "m2", "bob", "ann")
	// The Before hook runs between the first look at the match and the reservation.
	hooked := false
	e.options.Hooks.Before = func(context.Context, *Call) error {
		if hooked {
			return nil
		}
		hooked = true
		return forget()
	}
	forget = func() error {
		done := make(chan error)
		go func() {
			var err error
			as, err = e.Forget(ctx, "ann")
			done <- err
		}()
		return <-done
	}
	m, err := e.Void(ctx, "m1", "")
	require.NoError(t, err)
	require.NotEmpty(t, as)
	require.Equal(t, as, m.Standings[0].Player)
	_, err = e.Board("all").Rank(ctx, "ann")
	require.ErrorIs(t, err, ErrNotFound)
	found, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	_, err = e.Forget(ctx, "ann")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, e.Close())
}

// Whatever others do meanwhile, everything adds up once somebody was forgotten, and who comes back begins anew.
func TestForgettingWhileEverybodyPlays(t *testing.T) {
	ctx := t.Context()
	rules := Rules{Currencies: []Currency{{ID: "coins"}},
		Modes:  []Mode{{ID: "race", AutoStart: true, Boards: []string{"all"}, XP: []Gain{{Marker: "xp", Amount: 1}}}},
		Boards: []BoardRule{{ID: "all", Keys: []Key{{Metric: "wins"}}}}}
	e, err := New(ctx, memory.New(), rules, Options{ManualTick: true})
	require.NoError(t, err)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 25 {
				id := fmt.Sprintf("m%d-%d", w, i)
				_, err := e.Create(ctx, NewMatch{ID: id, Mode: "race", Players: Players("ann", "bob", "cid")})
				if err == nil {
					_, err = e.End(ctx, id, Score("ann", i), Score("bob", 30), Score("cid", w))
				}
				if err == nil && i%3 == 0 {
					_, err = e.Amend(ctx, id, "", Score("bob", i), Score("cid", 5))
				}
				if err == nil && i%4 == 0 {
					_, err = e.Void(ctx, id, "")
				}
				if err == nil {
					_, err = e.Credit(ctx, Money{Player: "ann", Currency: "coins", Amount: 1})
				}
				// Who amends a match names those who were in it.
				if err != nil && !errors.Is(err, ErrUnknownPlayer) {
					t.Error(err)
				}
			}
		})
	}
	forgotten := 0
	for range 25 {
		if _, err := e.Forget(ctx, "bob"); err == nil {
			forgotten++
		} else if !errors.Is(err, ErrState) && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		found, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Empty(t, found.Problems)
	}
	all.Wait()
	if _, err := e.Forget(ctx, "bob"); err == nil { // who may have been in a match whenever it was tried
		forgotten++
	}
	require.NotZero(t, forgotten)
	found, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.NoError(t, e.Close())
}

// The copy of a large board has the pseudonym too, and the board that is filled from it.
func TestTheCopyOfALargeBoardForgets(t *testing.T) {
	ctx := t.Context()
	rules := Rules{Modes: []Mode{{ID: "race", AutoStart: true, Boards: []string{"all"}}},
		Boards: []BoardRule{{ID: "all", Keys: []Key{{Metric: "outcome"}}}}}
	s := memory.New()
	e, err := New(ctx, s, rules, Options{ManualTick: true})
	require.NoError(t, err)
	for i := range 2 {
		var roster []Participant
		var outcomes []Outcome
		for n := range 6000 {
			player := fmt.Sprintf("player-%d-%d", i, n)
			roster, outcomes = append(roster, Participant{Player: player}), append(outcomes, Score(player, n))
		}
		m, err := e.Create(ctx, NewMatch{Mode: "race", Players: roster})
		require.NoError(t, err)
		_, err = e.End(ctx, m.ID, outcomes...)
		require.NoError(t, err)
	}
	require.NoError(t, e.Close()) // which copies
	e, err = New(ctx, s.Reopen(), rules, Options{ManualTick: true})
	require.NoError(t, err)
	copied := e.ruleset().boards["all"].period("all").ranking("").copied()
	require.NotZero(t, copied.position)
	want, err := e.Board("all").Rank(ctx, "player-1-777")
	require.NoError(t, err)
	as, err := e.Forget(ctx, "player-1-777")
	require.NoError(t, err)
	require.NoError(t, e.Close())
	s = s.Reopen()
	seen := false
	for c, err := range s.Chunks(ctx, store.WindowKey{Board: "all", Window: "all"}, 0, 1<<30) {
		require.NoError(t, err)
		require.NotContains(t, string(c.Data), "player-1-777")
		seen = seen || strings.Contains(string(c.Data), as)
	}
	require.True(t, seen)
	e, err = New(ctx, s, rules, Options{ManualTick: true})
	require.NoError(t, err)
	got, err := e.Board("all").Rank(ctx, as)
	require.NoError(t, err)
	want.Player = as
	require.Equal(t, want, got)
	require.Equal(t, copied, e.ruleset().boards["all"].period("all").ranking("").copied())
	require.NoError(t, e.Close())
}
