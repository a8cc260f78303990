package gamesparks_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/finalbelltest"
)

// books are the kinds of Book, each by a function that opens the same one again.
func books(t *testing.T, o gamesparks.AccountOptions) map[string]func() *gamesparks.Book {
	memory, err := gamesparks.NewAccounts(o)
	require.NoError(t, err)
	db := openDatabase(t)
	return map[string]func() *gamesparks.Book{
		"memory": func() *gamesparks.Book { return memory },
		"sqlite": func() *gamesparks.Book {
			b, err := gamesparks.OpenAccounts(context.Background(), db, o)
			require.NoError(t, err)
			return b
		},
	}
}

func openDatabase(t *testing.T) *sql.DB {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "accounts.db")+"?_pragma=busy_timeout(5000)&_pragma=synchronous(off)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// eachBook runs a test on every kind of Book.
func eachBook(t *testing.T, test func(t *testing.T, clock *finalbelltest.Clock, open func() *gamesparks.Book)) {
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	for name, open := range books(t, gamesparks.AccountOptions{Iterations: 1, TokenLife: time.Hour, Now: clock.Now}) {
		t.Run(name, func(t *testing.T) { test(t, clock, open) })
	}
}

func TestAccountsAreFoundByNameAndByDevice(t *testing.T) {
	eachBook(t, func(t *testing.T, _ *finalbelltest.Clock, open func() *gamesparks.Book) {
		ctx, b := context.Background(), open()
		ann, err := b.Register(ctx, "ann", "right", "Ann")
		require.NoError(t, err)
		require.True(t, ann.New)
		_, err = b.Register(ctx, "ann", "other", "Another")
		require.ErrorIs(t, err, gamesparks.ErrTaken)
		upper, err := b.Register(ctx, "ANN", "right", "Loud")
		require.NoError(t, err, "names are compared by their bytes")
		phone, err := b.Device(ctx, "phone", "")
		require.NoError(t, err)
		require.True(t, phone.New)

		b = open()
		got, err := b.LogIn(ctx, "ann", "right")
		require.NoError(t, err)
		require.Equal(t, gamesparks.Account{Player: ann.Player, DisplayName: "Ann"}, got)
		for _, wrong := range [][2]string{{"ann", "wrong"}, {"ann", ""}, {"nobody", "right"}, {"", ""}, {"phone", ""}, {"' OR 1=1 --", "x"}} {
			_, err = b.LogIn(ctx, wrong[0], wrong[1])
			require.ErrorIs(t, err, gamesparks.ErrUnrecognised, wrong)
		}
		again, err := b.Device(ctx, "phone", "ignored")
		require.NoError(t, err)
		require.Equal(t, gamesparks.Account{Player: phone.Player}, again)

		many := []string{"nobody", ann.Player, upper.Player, phone.Player}
		for i := range 600 {
			many = append(many, "stranger "+strconv.Itoa(i))
		}
		names, err := b.Names(ctx, many...)
		require.NoError(t, err)
		require.Equal(t, map[string]string{ann.Player: "Ann", upper.Player: "Loud"}, names)
		names, err = b.Names(ctx)
		require.NoError(t, err)
		require.Empty(t, names)
	})
}

func TestTokensExpireAndTheOldestGoFirst(t *testing.T) {
	eachBook(t, func(t *testing.T, clock *finalbelltest.Clock, open func() *gamesparks.Book) {
		ctx, b := context.Background(), open()
		var tokens []string
		for range 17 {
			token, err := b.Token(ctx, "ann")
			require.NoError(t, err)
			tokens = append(tokens, token)
		}
		bobs, err := b.Token(ctx, "bob")
		require.NoError(t, err)
		whose := func(token string) string {
			player, ok, err := open().Player(ctx, token)
			require.NoError(t, err)
			require.Equal(t, player != "", ok)
			return player
		}
		require.Empty(t, whose(tokens[0]), "the oldest of 17")
		for _, token := range tokens[1:] {
			require.Equal(t, "ann", whose(token))
		}
		require.Equal(t, "bob", whose(bobs))
		require.Empty(t, whose(""))
		require.Empty(t, whose("nobody's"))

		clock.Advance(time.Hour)
		require.Empty(t, whose(bobs))
		_, err = b.Token(ctx, "ann")
		require.NoError(t, err)
		clock.Advance(-time.Hour)
		require.Empty(t, whose(tokens[16]), "it was let go when it had expired")
	})
}

func TestAForgottenPlayerHasNoAccount(t *testing.T) {
	eachBook(t, func(t *testing.T, _ *finalbelltest.Clock, open func() *gamesparks.Book) {
		ctx, b := context.Background(), open()
		ann, err := b.Register(ctx, "ann", "right", "Ann")
		require.NoError(t, err)
		phone, err := b.Device(ctx, "phone", "Phone")
		require.NoError(t, err)
		token, err := b.Token(ctx, ann.Player)
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, b.Forget(ctx, ann.Player))
			require.NoError(t, b.Forget(ctx, phone.Player))
		}
		_, err = b.LogIn(ctx, "ann", "right")
		require.ErrorIs(t, err, gamesparks.ErrUnrecognised)
		_, ok, err := b.Player(ctx, token)
		require.NoError(t, err)
		require.False(t, ok)
		names, err := b.Names(ctx, ann.Player, phone.Player)
		require.NoError(t, err)
		require.Empty(t, names)
		back, err := b.Device(ctx, "phone", "")
		require.NoError(t, err)
		require.True(t, back.New)
		require.NotEqual(t, phone.Player, back.Player, "who comes back is a new player")
	})
}

func TestOneOfManyGetsAName(t *testing.T) {
	eachBook(t, func(t *testing.T, _ *finalbelltest.Clock, open func() *gamesparks.Book) {
		ctx, b := context.Background(), open()
		var wait sync.WaitGroup
		made, players := make([]bool, 8), make([]string, 8)
		for i := range 8 {
			wait.Go(func() {
				_, err := b.Register(ctx, "ann", "right", "Ann")
				made[i] = err == nil
				a, err := b.Device(ctx, "phone", "")
				if err == nil {
					players[i] = a.Player
				}
			})
		}
		wait.Wait()
		count := 0
		for i := range 8 {
			if made[i] {
				count++
			}
			require.Equal(t, players[0], players[i])
		}
		require.Equal(t, 1, count)
	})
}

// What is stored is no password, no token and no device.
func TestNoSecretIsStored(t *testing.T) {
	ctx, db := context.Background(), openDatabase(t)
	b, err := gamesparks.OpenAccounts(ctx, db, gamesparks.AccountOptions{Iterations: 1})
	require.NoError(t, err)
	ann, err := b.Register(ctx, "ann", "pa55", "Ann")
	require.NoError(t, err)
	_, err = b.Device(ctx, "phone", "")
	require.NoError(t, err)
	token, err := b.Token(ctx, ann.Player)
	require.NoError(t, err)
	for _, query := range []string{
		`SELECT group_concat(player || coalesce(user_name, '') || coalesce(password, '') || coalesce(hex(device), '') || coalesce(device, '')) FROM gamesparks_account`,
		`SELECT group_concat(hex(digest) || digest || player) FROM gamesparks_token`,
	} {
		var text string
		require.NoError(t, db.QueryRow(query).Scan(&text))
		for _, hidden := range []string{"pa55", "phone", token} {
			require.NotContains(t, text, hidden)
		}
	}
	var password string
	require.NoError(t, db.QueryRow(`SELECT password FROM gamesparks_account WHERE user_name = 'ann'`).Scan(&password))
	require.True(t, strings.HasPrefix(password, "pbkdf2-sha256$1$"), password)
}

func TestTablesOfALaterVersionAreRefused(t *testing.T) {
	ctx, db := context.Background(), openDatabase(t)
	_, err := gamesparks.OpenAccounts(ctx, db, gamesparks.AccountOptions{})
	require.NoError(t, err)
	_, err = db.Exec(`UPDATE gamesparks_version SET version = 2`)
	require.NoError(t, err)
	_, err = gamesparks.OpenAccounts(ctx, db, gamesparks.AccountOptions{})
	require.ErrorContains(t, err, "the tables of accounts are of version 2; this program knows version 1")
	_, err = gamesparks.OpenAccounts(ctx, nil, gamesparks.AccountOptions{})
	require.ErrorContains(t, err, "db: is required")
}

func BenchmarkPassword(b *testing.B) {
	book, err := gamesparks.NewAccounts(gamesparks.AccountOptions{})
	require.NoError(b, err)
	for b.Loop() {
		_, err := book.LogIn(context.Background(), "nobody", "password")
		require.ErrorIs(b, err, gamesparks.ErrUnrecognised)
	}
}
