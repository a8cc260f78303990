package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The driver is C that was translated together with its libc, and is only tested with that one.
func TestTheLibcIsTheOneThatTheDriverWasMadeFor(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-json", "modernc.org/sqlite", "modernc.org/libc").Output()
	require.NoError(t, err)
	type module struct {
		Path, Version, GoMod string
		Replace              *struct{ Path string }
	}
	modules := make(map[string]module)
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var m module
		require.NoError(t, d.Decode(&m))
		require.Nil(t, m.Replace, m.Path)
		modules[m.Path] = m
	}
	wanted := requiredIn(t, modules["modernc.org/sqlite"].GoMod, "modernc.org/libc")
	require.NotEmpty(t, wanted)
	assert.Equal(t, wanted, modules["modernc.org/libc"].Version, "go get modernc.org/libc@"+wanted)
	assert.Equal(t, wanted, libcVersion, "the constant in open.go")
	assert.Equal(t, wanted, requiredIn(t, "../../go.mod", "modernc.org/libc"))
}

// requiredIn is the version of a module that a go.mod file requires.
func requiredIn(t *testing.T, file, module string) string {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "require "))
		if len(words) >= 2 && words[0] == module {
			return words[1]
		}
	}
	return ""
}

func TestAnotherLibcIsToldOf(t *testing.T) {
	const libc = "modernc.org/libc"
	other := &debug.Module{Path: "modernc.org/sqlite", Version: "v1.0.0"}
	for _, c := range []struct {
		modules []*debug.Module
		found   string
		warned  bool
	}{
		{nil, "", false},
		{[]*debug.Module{other}, "", false},
		{[]*debug.Module{other, {Path: libc, Version: libcVersion}}, libcVersion, false},
		{[]*debug.Module{{Path: libc, Version: "v1.2.3"}, other}, "v1.2.3", true},
		{[]*debug.Module{{Path: libc, Version: libcVersion, Replace: &debug.Module{Path: "../libc"}}}, "../libc ", true},
		{[]*debug.Module{{Path: libc, Version: libcVersion, Replace: &debug.Module{Path: "example.com/libc", Version: "v9"}}}, "example.com/libc v9", true},
	} {
		assert.Equal(t, c.found, libcIn(c.modules))
		var log bytes.Buffer
		warnOfLibc(slog.New(slog.NewTextHandler(&log, nil)), c.modules)
		if !c.warned {
			assert.Empty(t, log.String())
			continue
		}
		for _, part := range []string{"level=WARN", "may corrupt data", "go get modernc.org/libc@" + libcVersion, strings.TrimSpace(c.found)} {
			assert.Contains(t, log.String(), part)
		}
		warnOfLibc(nil, c.modules) // nobody to tell
	}
}

// A program with the right libc is told nothing.
func TestOpeningSaysNothingWhenAllIsWell(t *testing.T) {
	var log bytes.Buffer
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "game.db"), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Empty(t, log.String())
	if modules := builtWith(); len(modules) > 0 {
		assert.Equal(t, libcVersion, libcIn(modules))
	}
}
