//go:build unix

package sqlite_test

func childWithLimit(args []string) error { return nil }
