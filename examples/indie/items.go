package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/finalbell/finalbell"
	_ "modernc.org/sqlite" // the database driver
)

// items are what players own beside coins: the host's own table, in a file of its own.
type items struct{ db *sql.DB }

// item is one delivery.
type item struct {
	Grant  string `json:"grant"`
	Item   string `json:"item"`
	Amount int64  `json:"amount"`
}

func openItems(path string) (*items, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer at a time
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS items (grant_id TEXT PRIMARY KEY, player TEXT NOT NULL, item TEXT NOT NULL, amount INTEGER NOT NULL) STRICT`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &items{db}, nil
}

func (i *items) Close() error { return i.db.Close() }

// deliver is the engine's Deliver hook. It may be called again for what was delivered already, for example when we died
// before the engine could note it: the grant's id is the key of the row, and the second time nothing happens. A grant that
// is revoked by now is taken back.
func (i *items) deliver(ctx context.Context, g finalbell.Grant) error {
	if g.State == finalbell.GrantRevoked {
		_, err := i.db.ExecContext(ctx, `DELETE FROM items WHERE grant_id = ?`, g.ID)
		return err
	}
	_, err := i.db.ExecContext(ctx, `INSERT INTO items (grant_id, player, item, amount) VALUES (?, ?, ?, ?) ON CONFLICT (grant_id) DO NOTHING`,
		g.ID, g.Player, g.What, g.Amount)
	return err
}

// of are the items of a player, as they came.
func (i *items) of(ctx context.Context, player string) ([]item, error) {
	rows, err := i.db.QueryContext(ctx, `SELECT grant_id, item, amount FROM items WHERE player = ? ORDER BY rowid`, player)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []item{}
	for rows.Next() {
		var one item
		if err := rows.Scan(&one.Grant, &one.Item, &one.Amount); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
