package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations are the steps from an empty file to today's tables; the number of steps taken is the file's
// user_version. A step that was released is never changed.
var migrations = []string{step("0001"), step("0002"), step("0003"), step("0004")}

func step(number string) string {
	text, err := schemaFiles.ReadFile("schema/" + number + ".sql")
	if err != nil {
		panic(err) // embedded above: the tests would not start
	}
	return string(text)
}

// migrate takes the steps that are missing, all in one transaction or none.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) (err error) {
	// A migration that was begun goes on whoever has left, but none is begun for somebody who has.
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version >= len(steps) {
		return nil
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	for i, text := range steps[version:] {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("schema step %d: %w", version+i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}
