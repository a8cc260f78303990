package gamesparks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell/dialect"
)

// database keeps the records of a Book in SQLite. Every call writes by one statement, or by a transaction that begins with a write,
// so that it waits for other writers and never has to give way to them.
type database struct{ db *sql.DB }

// accountsVersion is the version of the tables.
const accountsVersion = 1

var accountTables = []string{
	`CREATE TABLE IF NOT EXISTS gamesparks_version (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), version INTEGER NOT NULL) STRICT`,
	`INSERT INTO gamesparks_version (only_one, version) VALUES (1, 1) ON CONFLICT (only_one) DO NOTHING`,
	`CREATE TABLE IF NOT EXISTS gamesparks_account (
		player TEXT PRIMARY KEY, user_name TEXT UNIQUE, password TEXT, device BLOB UNIQUE,
		display_name TEXT NOT NULL, made_at INTEGER NOT NULL,
		CHECK ((user_name IS NULL) = (password IS NULL) AND (user_name IS NULL) <> (device IS NULL))
	) STRICT`,
	`CREATE TABLE IF NOT EXISTS gamesparks_token (
		id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, player TEXT NOT NULL, expires_at INTEGER NOT NULL
	) STRICT`,
	`CREATE INDEX IF NOT EXISTS gamesparks_token_player ON gamesparks_token (player)`,
}

// OpenAccounts makes a Book that keeps its accounts in a SQLite database, in tables of its own whose names begin with gamesparks_.
// They are made if they are not there; those of a later version are refused. The database stays the caller's, who closes it; it
// is not the file of an engine, which has one owner. Set a busy timeout on its connections.
func OpenAccounts(ctx context.Context, db *sql.DB, o AccountOptions) (*Book, error) {
	if db == nil {
		return nil, errors.New("db: is required")
	}
	var version int
	err := db.QueryRowContext(ctx, `SELECT version FROM gamesparks_version`).Scan(&version)
	if err != nil { // of a new database: there is no such table
		if err := inTransaction(ctx, db, accountTables); err != nil {
			return nil, fmt.Errorf("make the tables of accounts: %w", err)
		}
		err = db.QueryRowContext(ctx, `SELECT version FROM gamesparks_version`).Scan(&version)
	}
	if err != nil {
		return nil, fmt.Errorf("read the version of the tables of accounts: %w", err)
	}
	if version != accountsVersion {
		return nil, fmt.Errorf("the tables of accounts are of version %d; this program knows version %d", version, accountsVersion)
	}
	return newBook(&database{db}, o)
}

func inTransaction(ctx context.Context, db *sql.DB, statements []string, args ...any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s, args...); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (d *database) add(ctx context.Context, a record) (bool, error) {
	var name, password, device any
	if a.userName != "" {
		name, password = a.userName, a.password
	} else {
		device = a.device[:]
	}
	done, err := d.db.ExecContext(ctx, `INSERT INTO gamesparks_account (player, user_name, password, device, display_name, made_at)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, a.player, name, password, device, a.displayName, a.madeAt.UnixMilli())
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func (d *database) byName(ctx context.Context, userName string) (record, bool, error) {
	return d.account(ctx, `SELECT player, display_name, password FROM gamesparks_account WHERE user_name = ?`, userName)
}

func (d *database) byDevice(ctx context.Context, device dialect.Digest) (record, bool, error) {
	return d.account(ctx, `SELECT player, display_name, '' FROM gamesparks_account WHERE device = ?`, device[:])
}

func (d *database) account(ctx context.Context, query string, by any) (record, bool, error) {
	var a record
	err := d.db.QueryRowContext(ctx, query, by).Scan(&a.player, &a.displayName, &a.password)
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, false, nil
	}
	return a, err == nil, err
}

func (d *database) addToken(ctx context.Context, t tokenRecord, now time.Time) error {
	return inTransaction(ctx, d.db, []string{
		`INSERT INTO gamesparks_token (digest, player, expires_at) VALUES (@digest, @player, @expires)`,
		`DELETE FROM gamesparks_token WHERE player = @player AND (expires_at <= @now OR id NOT IN (
			SELECT id FROM gamesparks_token WHERE player = @player ORDER BY id DESC LIMIT @most))`,
	}, sql.Named("digest", t.digest[:]), sql.Named("player", t.player), sql.Named("expires", t.expires.UnixMilli()),
		sql.Named("now", now.UnixMilli()), sql.Named("most", maxTokens))
}

func (d *database) byToken(ctx context.Context, token dialect.Digest) (tokenRecord, bool, error) {
	t := tokenRecord{digest: token}
	var expires int64
	err := d.db.QueryRowContext(ctx, `SELECT player, expires_at FROM gamesparks_token WHERE digest = ?`, token[:]).Scan(&t.player, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	t.expires = time.UnixMilli(expires)
	return t, err == nil, err
}

// askedAtOnce is how many players one statement names; SQLite takes some hundreds of placeholders, however it was built.
const askedAtOnce = 500

func (d *database) names(ctx context.Context, players []string) (map[string]string, error) {
	names := make(map[string]string, len(players))
	for some := range slices.Chunk(players, askedAtOnce) {
		args := make([]any, len(some))
		for i, player := range some {
			args[i] = player
		}
		// The text of the statement depends on the number of players alone.
		query := `SELECT player, display_name FROM gamesparks_account WHERE display_name <> '' AND player IN (?` + strings.Repeat(", ?", len(some)-1) + `)`
		if err := d.addNames(ctx, names, query, args); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (d *database) addNames(ctx context.Context, names map[string]string, query string, args []any) error {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err says what there is to say
	for rows.Next() {
		var player, name string
		if err := rows.Scan(&player, &name); err != nil {
			return err
		}
		names[player] = name
	}
	return rows.Err()
}

func (d *database) forget(ctx context.Context, player string) error {
	return inTransaction(ctx, d.db, []string{
		`DELETE FROM gamesparks_token WHERE player = @player`,
		`DELETE FROM gamesparks_account WHERE player = @player`,
	}, sql.Named("player", player))
}
