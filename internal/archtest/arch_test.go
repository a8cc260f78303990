package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/finalbell/finalbell"

// allowed is the whole import table: what each package may import of ours. A package that is not here may
// not exist; "*" is anything.
var allowed = map[string][]string{
	"":                       {"store", "store/sqlite", "schedule", "internal/ranktree", "internal/strictjson", "internal/timetext"},
	"store":                  {},
	"store/memory":           {"store"},
	"store/sqlite":           {"store"},
	"store/storetest":        {"store", "store/memory"},
	"store/storetest/faulty": {"store"},
	"schedule":               {},
	"internal/ranktree":      {},
	"internal/strictjson":    {},
	"internal/timetext":      {},
	"internal/transcript":    {"", "store", "store/memory", "internal/strictjson", "internal/timetext"},
	"internal/archtest":      {},
	"internal/web":           {"", "dialect", "internal/strictjson"},
	"internal/webtest":       {},
	"internal/emptydb":       {"store/sqlite"},
	"dialect":                {},
	"dialect/api":            {"", "dialect", "internal/strictjson", "internal/transcript", "internal/web"},
	"dialect/specter":        {"", "dialect", "internal/strictjson", "internal/timetext", "internal/web"},
	"dialect/gamezop":        {"", "dialect", "internal/strictjson", "internal/timetext", "internal/web"},
	"dialect/gamesparks":     {"", "dialect", "internal/strictjson", "internal/timetext", "internal/web"},
	"finalbelltest":          {"", "store", "store/memory", "schedule"},
	"cmd/finalbell":          {"*"},
	"examples/proptest":      {"*"},
	"examples/indie":         {"*"},
	"examples/gameserver":    {"*"},
}

// modules are the modules of others that a package may bring along, beside the standard library.
var modules = map[string][]string{
	"":                    slices.Concat([]string{"github.com/google/btree"}, sqliteModules),
	"store":               {},
	"store/memory":        {},
	"store/sqlite":        sqliteModules,
	"schedule":            {},
	"internal/transcript": slices.Concat([]string{"github.com/google/btree"}, sqliteModules),
	"dialect":             {"golang.org/x/time"},
	"dialect/api":         dialectModules,
	"dialect/specter":     dialectModules,
	"dialect/gamezop":     dialectModules,
	"dialect/gamesparks":  slices.Concat([]string{"github.com/coder/websocket"}, dialectModules),
	"examples/indie":      slices.Concat([]string{"github.com/google/btree"}, sqliteModules),
	"examples/gameserver": slices.Concat([]string{"github.com/google/btree"}, sqliteModules),
	"cmd/finalbell": slices.Concat([]string{
		"github.com/google/btree", "github.com/alecthomas/kong", "github.com/schollz/progressbar/v3",
		"github.com/mitchellh/colorstring", "github.com/rivo/uniseg", "golang.org/x/term", "golang.org/x/time", "github.com/coder/websocket",
	}, sqliteModules),
}

// dialectModules are those of the engine, and rate limits.
var dialectModules = slices.Concat([]string{"github.com/google/btree", "golang.org/x/time"}, sqliteModules)

// sqliteModules are the SQLite driver and what it is made of.
var sqliteModules = []string{
	"modernc.org/sqlite", "modernc.org/libc", "modernc.org/mathutil", "modernc.org/memory", "github.com/dustin/go-humanize",
	"github.com/google/uuid", "github.com/mattn/go-isatty", "github.com/ncruces/go-strftime", "github.com/remyoudompheng/bigfft",
	"golang.org/x/sys",
}

// pure are the files of rules: values in, values out.
var pure = []string{
	"lifecycle.go", "asked.go", "roomrules.go", "ranking.go", "report.go", "results.go", "fold.go", "rewards.go", "number.go", "outcome.go",
	"posting.go", "prizes.go", "shares.go", "prizerules.go", "explain_fold.go", "explain_prize.go",
	"facts.go", "progress.go", "statistics.go", "levels.go", "progressrules.go",
	"schedule/schedule.go", "schedule/rule.go", "schedule/calendar.go", "schedule/zone.go", "schedule/ranges.go", "schedule/plug.go",
}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct{ Path string }
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard,Module"}, args...)...)
	cmd.Dir = filepath.Join("..", "..")
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	require.NoError(t, err, failure.String())
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		require.NoError(t, err)
		pkgs = append(pkgs, p)
	}
}

// ours is a package's path inside the module.
func ours(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func TestEveryPackageImportsOnlyWhatTheTableAllows(t *testing.T) {
	for _, p := range list(t, "./...") {
		name, _ := ours(p.ImportPath)
		may, listed := allowed[name]
		if !listed {
			t.Errorf("package %q is not in the import table", name)
			continue
		}
		for _, path := range p.Imports {
			if of, is := ours(path); is && !slices.Contains(may, of) && !slices.Contains(may, "*") {
				t.Errorf("package %q may not import %q", name, of)
			}
		}
	}
}

func TestNoPackageBringsAlongOtherModulesThanListed(t *testing.T) {
	for name, may := range modules {
		for _, p := range list(t, "-deps", "./"+name) {
			if p.Standard || p.Module == nil || p.Module.Path == module {
				continue
			}
			if !slices.Contains(may, p.Module.Path) {
				t.Errorf("package %q brings along %s", name, p.Module.Path)
			}
		}
	}
}

func TestProductionCodeNeverReachesTesting(t *testing.T) {
	for _, name := range []string{"", "store", "store/memory", "store/sqlite", "store/storetest/faulty", "schedule", "internal/transcript", "internal/web",
		"dialect", "dialect/api", "dialect/specter", "dialect/gamezop", "dialect/gamesparks", "cmd/finalbell", "examples/indie"} {
		for _, p := range list(t, "-deps", "./"+name) {
			if p.ImportPath == "testing" || strings.Contains(p.ImportPath, "testify") || strings.Contains(p.ImportPath, "rapid") {
				t.Errorf("package %q reaches %s", name, p.ImportPath)
			}
		}
	}
}

func TestPureFilesTouchNeitherStoreNorClock(t *testing.T) {
	for _, name := range pure {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join("..", "..", name), nil, 0)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			switch path {
			case "context", "log/slog", "os", "math/rand", "math/rand/v2", "crypto/rand", "net", module + "/store":
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && (s.Sel.Name == "Now" || s.Sel.Name == "Since" || s.Sel.Name == "Until") {
					t.Errorf("%s reads the clock", fset.Position(s.Pos()))
				}
			}
			return true
		})
	}
}

// Without open.go the root package knows no database: it is left out where there can be none.
func TestOnlyOpenKnowsSQLite(t *testing.T) {
	for _, p := range list(t, "-deps", "-tags", "finalbell_nosqlite", ".") {
		if strings.Contains(p.ImportPath, "sqlite") {
			t.Errorf("without open.go the root package reaches %s", p.ImportPath)
		}
	}
}

func TestOnlyOptionsReadsTheClockInTheRootPackage(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "*.go"))
	require.NoError(t, err)
	reads := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && s.Sel.Name == "Now" {
					reads++
				}
			}
			return true
		})
	}
	require.Equal(t, 1, reads, "time.Now is the default of Options.Now and nothing else")
}
