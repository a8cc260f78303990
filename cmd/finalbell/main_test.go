package main

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the output of today into the transcripts")

// Every command in testdata/commands prints what is written there and leaves with that status. A transcript
// holds files, "-- name --" and their lines, and commands: "$ finalbell …" with "<" before each line of stdout,
// "!" before each of stderr, and "?" before the exit status; "$ sqlite3 FILE SQL" is what others do to a database.
func TestCommands(t *testing.T) {
	files, err := filepath.Glob("../../testdata/commands/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		file, err := filepath.Abs(file)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(want, []byte("# ")), "a transcript begins with the sentence that it shows")
			t.Chdir(t.TempDir())
			got := playCommands(t, string(want))
			if *update && got != string(want) {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(want), got)
		})
	}
}

// playCommands carries out a transcript and returns it with the output of today.
func playCommands(t *testing.T, text string) string {
	var out strings.Builder
	var name string
	var content strings.Builder
	save := func() {
		if name != "" {
			require.NoError(t, os.WriteFile(name, []byte(strings.TrimRight(content.String(), "\n")+"\n"), 0o644))
		}
		name = ""
		content.Reset()
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		begins, ends := strings.CutPrefix(line, "-- ")
		command, called := strings.CutPrefix(line, "$ ")
		switch {
		case ends && strings.HasSuffix(begins, " --"):
			save()
			name = strings.TrimSuffix(begins, " --")
		case called:
			save()
			fmt.Fprintln(&out, line)
			out.WriteString(playCommand(t, strings.Fields(command)))
			continue
		case name != "":
			fmt.Fprintln(&content, line)
		case strings.HasPrefix(line, "<"), strings.HasPrefix(line, "!"), strings.HasPrefix(line, "?"):
			continue
		}
		fmt.Fprintln(&out, line)
	}
	return out.String()
}

func playCommand(t *testing.T, args []string) string {
	var in io.Reader = strings.NewReader("")
	if n := len(args); n > 1 && args[n-2] == "<" {
		text, err := os.ReadFile(args[n-1])
		require.NoError(t, err)
		in, args = bytes.NewReader(text), args[:n-2]
	}
	var stdout, stderr strings.Builder
	status := done
	switch args[0] {
	case "finalbell":
		status = run(args[1:], in, &stdout, &stderr)
	case "sqlite3":
		if err := runSQL(args[1], strings.Join(args[2:], " "), &stdout); err != nil {
			status = complain(&stderr, err, failure)
		}
	default:
		t.Fatalf("no command %q", args[0])
	}
	var out strings.Builder
	for line := range strings.Lines(stdout.String()) {
		fmt.Fprintln(&out, strings.TrimRight("< "+line, "\n "))
	}
	for line := range strings.Lines(stderr.String()) {
		fmt.Fprintln(&out, strings.TrimRight("! "+line, "\n "))
	}
	fmt.Fprintln(&out, "?", status)
	return out.String()
}

// runSQL carries out one statement and prints its rows as SQLite's own shell does.
func runSQL(file, query string, out io.Writer) (err error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(out, "|")
			}
			fmt.Fprint(out, c.String)
		}
		fmt.Fprintln(out)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// write puts a file into the working directory.
func write(t *testing.T, name, text string) {
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

const duelRules = `{"modes":[{"id":"duel","boards":["ladder"]}],"boards":[{"id":"ladder","keys":[{"metric":"wins"}]}]}`

const duelRecord = `{"id":"m1","mode":"duel","ended_at":"2026-03-02T09:00:00Z","participants":[{"player":"ann","outcome":1},{"player":"bob","outcome":2}]}`

// Input that cannot be written into a transcript is refused with one line and status 1.
func TestUnreadableInputIsRefusedInOneLine(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	write(t, "records.jsonl", duelRecord)
	require.NoError(t, os.Mkdir("directory", 0o755))
	for name, c := range map[string]struct{ file, text, want string }{
		"not UTF-8":        {"bad.jsonl", duelRecord + "\n\n" + strings.Replace(duelRecord, "m1", "m\xff", 1), "finalbell: bad.jsonl:3: byte 8: invalid UTF-8\n"},
		"a NUL":            {"bad.jsonl", duelRecord + "\n\x00\n", "finalbell: bad.jsonl:2: byte 0: expected a value, found \"\\x00\"\n"},
		"a byte order":     {"bad.jsonl", "\uFEFF" + duelRecord, "finalbell: bad.jsonl:1: byte 0: the text begins with a byte order mark\n"},
		"too long a line":  {"bad.jsonl", duelRecord + "\n{" + strings.Repeat(" ", 1<<20) + "}", "finalbell: bad.jsonl:2: the line is longer than 1048576 bytes\n"},
		"a missing file":   {"", "nowhere.jsonl", "finalbell: nowhere.jsonl: no such file or directory\n"},
		"a directory":      {"", "directory", "finalbell: directory: is a directory\n"},
		"an empty name":    {"", "", "finalbell: : no such file or directory\n"},
		"a line of spaces": {"bad.jsonl", "  \n\t\n[]", "finalbell: bad.jsonl:3: expected an object, found a list\n"},
	} {
		t.Run(name, func(t *testing.T) {
			file := c.file
			if file == "" {
				file = c.text
			} else {
				write(t, file, c.text)
			}
			for _, command := range []string{"replay", "script"} {
				var stdout, stderr strings.Builder
				status := run([]string{command, "--rules", "rules.json", file}, strings.NewReader(""), &stdout, &stderr)
				if command == "script" && c.file == "bad.jsonl" && status == done {
					continue // a script answers what is no call
				}
				require.Equal(t, failure, status, stderr.String())
				require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line")
				if command == "replay" {
					require.Empty(t, stdout.String())
					require.Equal(t, c.want, stderr.String())
				}
			}
			var stdout, stderr strings.Builder
			require.Equal(t, failure, run([]string{"replay", "--rules", file, "records.jsonl"}, nil, &stdout, &stderr), "as rules")
			require.True(t, strings.HasPrefix(stderr.String(), "finalbell: "+file+": "), stderr.String())
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line")
		})
	}
}

// brokenWriter is a full disk.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// Output that cannot be written is a failed run.
func TestOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	write(t, "records.jsonl", duelRecord)
	write(t, "script.jsonl", `{"verify":true}`)
	succeed(t, "replay", "--rules", "rules.json", "--db", "game.db", "records.jsonl")
	for _, args := range [][]string{
		{"replay", "--rules", "rules.json", "records.jsonl"},
		{"replay", "--json", "--rules", "rules.json", "records.jsonl"},
		{"script", "--rules", "rules.json", "script.jsonl"},
		{"board", "game.db", "ladder"}, {"board", "game.db", "ladder", "--json"}, {"match", "game.db", "m1"}, {"match", "game.db", "m1", "--json"},
		{"windows", "game.db", "ladder"}, {"windows", "game.db", "ladder", "--json"},
		{"rebuild", "--rules", "rules.json", "--db", "game.db", "--dry-run"}, {"rebuild", "--rules", "rules.json", "--db", "game.db", "--json"},
		{"wallet", "game.db", "ann"}, {"ledger", "game.db", "ann"}, {"grants", "game.db"}, {"progress", "game.db", "ann", "--json"},
		{"explain", "game.db", "--board", "ladder", "--player", "ann"}, {"explain", "game.db", "--match", "m1", "--player", "ann", "--json"},
		{"amend", "game.db", "m1", "--reason", "sheet", "ann=3", "bob=2"}, {"void", "game.db", "m1", "--reason", "cheated"},
		{"verify", "game.db"}, {"verify", "game.db", "--json"}, {"backup", "game.db", "copy.db"},
	} {
		var stderr strings.Builder
		require.Equal(t, failure, run(args, nil, brokenWriter{}, &stderr), args)
		require.Regexp(t, "^finalbell: (standard output|the answers cannot be written): no space left on device\n$", stderr.String())
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

// Whoever writes a script line by line gets each answer before writing the next line.
func TestScriptAnswersEachLineAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	synctest.Test(t, func(t *testing.T) { // a deadlock fails at once
		theirIn, ourOut := io.Pipe()
		ourIn, theirOut := io.Pipe()
		status := make(chan int)
		go func() {
			status <- run([]string{"script", "--rules", "rules.json", "-"}, theirIn, theirOut, io.Discard)
		}()
		buf := make([]byte, 1024)
		for _, c := range [][2]string{
			{`{"now":"2026-03-02T09:00:00Z"}`, `{"ok":{"now":"2026-03-02T09:00:00Z"}}`},
			{`{"matches":{}}`, `{"ok":[]}`},
		} {
			_, err := ourOut.Write([]byte(c[0] + "\n"))
			require.NoError(t, err)
			n, err := ourIn.Read(buf)
			require.NoError(t, err)
			require.Equal(t, c[1]+"\n", string(buf[:n]))
		}
		require.NoError(t, ourOut.Close())
		require.Equal(t, done, <-status)
	})
}

// A replay of thousands of players prints every entry, page by page.
func TestReplayPrintsEveryEntry(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	var records strings.Builder
	for i := range 1201 {
		fmt.Fprintf(&records, `{"id":"m%d","mode":"duel","ended_at":"1950-05-13T14:00:00Z","participants":[{"player":"a%d","outcome":1},{"player":"b%d","outcome":2}]}`+"\n", i, i, i)
	}
	write(t, "records.jsonl", records.String())
	var stdout, stderr strings.Builder
	require.Equal(t, done, run([]string{"replay", "--json", "--rules", "rules.json", "records.jsonl"}, nil, &stdout, &stderr), stderr.String())
	require.Equal(t, 2402, strings.Count(stdout.String(), `"position":`))
	require.Contains(t, stdout.String(), `{"rank":1202,"position":2402,`)
	stdout.Reset()
	require.Equal(t, done, run([]string{"replay", "--rules", "rules.json", "records.jsonl"}, nil, &stdout, &stderr), stderr.String())
	require.Equal(t, 1+1+1+1+2402, strings.Count(stdout.String(), "\n"))
}
