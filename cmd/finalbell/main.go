// Command finalbell runs matches from files: it replays match records and prints the boards, or makes the
// calls of a script and prints the answers. It keeps them in a database, which it reads, checks, rebuilds and copies, and serves
// all of it over HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/finalbell/finalbell"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit statuses, which scripts rely on.
const (
	done    = 0
	failure = 1 // refused input or a failed run
	misuse  = 2 // wrong usage
)

// commands are the commands and their flags.
type commands struct {
	Replay   replayCommand    `cmd:"" help:"Run match records through create, start and end, and print the boards."`
	Script   scriptCommand    `cmd:"" help:"Make one engine call a line under a manual clock and print one line of JSON for each."`
	Serve    serveCommand     `cmd:"" help:"Serve the calls of a script, and the systems that a game may have been written for, over HTTP."`
	Token    tokenCommand     `cmd:"" help:"Make an API key or a player's token for finalbell serve."`
	Board    boardCommand     `cmd:"" help:"Print a board of a database, also while an engine runs on it."`
	Windows  windowsCommand   `cmd:"" help:"List the windows of a board of a database, also while an engine runs on it."`
	Match    matchCommand     `cmd:"" help:"Print a match of a database, also while an engine runs on it."`
	Player   playerCommand    `cmd:"" help:"Print a player's statistics and levels."`
	History  historyCommand   `cmd:"" help:"List the matches of a player, newest first."`
	Sessions sessionsCommand  `cmd:"" help:"List the sessions of players, newest first, and what they come to."`
	Wallet   walletCommand    `cmd:"" help:"Print what money a player has."`
	Ledger   ledgerCommand    `cmd:"" help:"Print the postings that touch a player, or what the ledger says about a match."`
	Grants   grantsCommand    `cmd:"" help:"List what players were given: prizes, experience, achievements."`
	Progress progressCommand  `cmd:"" help:"Print a player's levels, achievements and items."`
	Explain  explainCommand   `cmd:"" help:"Tell why: a rank on a board, a standing in a match, or a grant."`
	Claim    claimCommand     `cmd:"" help:"Claim a prize for a player."`
	Void     voidCommand      `cmd:"" help:"Take a match back, with everything that it did."`
	Amend    amendCommand     `cmd:"" help:"End a match once more, by other outcomes."`
	Verify   verifyCommand    `cmd:"" help:"Check a database: every page of the file, and every standing, entry and rank computed again from its rows."`
	Rebuild  rebuildCommand   `cmd:"" help:"Put other rules in force in a database: boards that are new or changed are made again from history."`
	Backup   backupCommand    `cmd:"" help:"Copy a database to a new file, also while an engine runs on it."`
	Export   exportCommand    `cmd:"" help:"Write the ended matches of a database as match records, or everything that is kept about a player."`
	Import   importCommand    `cmd:"" help:"Bring match records into a database."`
	Forget   forgetCommand    `cmd:"" help:"Take a player's name away: a pseudonym takes its place everywhere."`
	Version  kong.VersionFlag `help:"Print the version and leave."`
}

// streams are what a command talks to.
type streams struct {
	in          io.Reader
	out, errors io.Writer
}

// left is how kong leaves from within a flag such as --help.
type left int

// run is the whole program. Whatever goes wrong is one line on stderr.
func run(args []string, in io.Reader, out, errout io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			exit, ok := r.(left)
			if !ok {
				panic(r)
			}
			status = int(exit)
		}
	}()
	var c commands
	parser, err := kong.New(&c, kong.Name("finalbell"), kong.Description("Matches, rankings and leaderboards, from files."),
		kong.Writers(out, errout), kong.Exit(func(status int) { panic(left(status)) }),
		kong.Vars{"version": "finalbell " + version()})
	if err != nil {
		return complain(errout, err, misuse)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return complain(errout, fmt.Errorf("%w (finalbell --help tells more)", err), misuse)
	}
	if err := command.Run(streams{in, out, errout}); err != nil {
		return complain(errout, err, failure)
	}
	return done
}

// complain says what went wrong, on one line whatever the error holds.
func complain(errout io.Writer, err error, status int) int {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	fmt.Fprintln(errout, "finalbell: "+text)
	return status
}

// version is that of the module when it was installed by version.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// source is where the rules and the data come from: what both commands that run matches are given.
type source struct {
	Rules string  `required:"" placeholder:"RULES.json" help:"The rules: modes and boards."`
	DB    *string `name:"db" placeholder:"FILE.db" help:"Keep the data in this SQLite database, which is made if it is not there. Default: in memory."`
}

// AfterApply refuses an empty name, which a variable leaves that is not set.
func (s source) AfterApply() error {
	if s.DB != nil && *s.DB == "" {
		return errors.New("--db: expected the name of a file")
	}
	return nil
}

// load reads the rules.
func (s source) load() (finalbell.Rules, error) { return loadRules(s.Rules) }

func loadRules(file string) (finalbell.Rules, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return finalbell.Rules{}, about(file, err)
	}
	rules, err := finalbell.ParseRules(text)
	return rules, about(file, err)
}

// input opens a file to read from. A directory can be opened, but not read.
func input(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, about(name, err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, errors.Join(about(name, err), file.Close())
	}
	return file, nil
}

// about names the file that an error is about, once.
func about(file string, err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// background is the context of a command, which ends with the process.
func background() context.Context { return context.Background() }
