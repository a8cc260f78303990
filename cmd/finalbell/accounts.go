package main

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/finalbell/finalbell/dialect/gamesparks"
)

// accounts are those of the players who sign in by GameSparks. They have a file of their own, beside the engine's.
type accounts struct {
	*gamesparks.Book
	file string
	db   *sql.DB // nil: in memory
}

// accountsFile is the file of the accounts that belong to a database.
func accountsFile(db string) string {
	return strings.TrimSuffix(db, ".db") + ".accounts.db"
}

// openAccounts opens the accounts that belong to a database, which are made if they are not there; nil: in memory.
func openAccounts(ctx context.Context, db *string) (*accounts, error) {
	if db == nil {
		book, err := gamesparks.NewAccounts(gamesparks.AccountOptions{})
		return &accounts{Book: book}, err
	}
	file := accountsFile(*db)
	// Passwords, even so, are nobody else's to read.
	made, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = made.Close()
	}
	if err != nil {
		return nil, about(file, err)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, about(file, err)
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"}
	pool, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, about(file, err)
	}
	book, err := gamesparks.OpenAccounts(ctx, pool, gamesparks.AccountOptions{})
	if err != nil {
		return nil, errors.Join(about(file, err), pool.Close())
	}
	return &accounts{book, file, pool}, nil
}

// Close closes the file.
func (a *accounts) Close() error {
	if a.db == nil {
		return nil
	}
	return about(a.file, a.db.Close())
}

// forgetAccount deletes the account of a player who was forgotten, if there are accounts beside the database.
func forgetAccount(ctx context.Context, db, player string) error {
	if _, err := os.Stat(accountsFile(db)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	a, err := openAccounts(ctx, &db)
	if err != nil {
		return err
	}
	return errors.Join(about(a.file, a.Forget(ctx, player)), a.Close())
}
