package sqlite

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The driver's code was made for one version of libc, down to the layout of its memory. A later one may build and
// corrupt data, so ours is the one that the driver itself asks for, and the one that Open warns about.
func TestLibcIsTheOneThatTheDriverWasMadeFor(t *testing.T) {
	list := func(format, module string) string {
		out, err := exec.Command("go", "list", "-m", "-f", format, module).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	text, err := os.ReadFile(list("{{.GoMod}}", "modernc.org/sqlite"))
	require.NoError(t, err)
	asked := regexp.MustCompile(`(?m)^\s*modernc\.org/libc (\S+)`).FindSubmatch(text)
	require.NotNil(t, asked)
	require.Equal(t, string(asked[1]), list("{{.Version}}", "modernc.org/libc"))
	require.Equal(t, string(asked[1]), libcVersion)
}

func TestAnotherLibcIsWarnedAbout(t *testing.T) {
	warning := func(modules ...*debug.Module) string {
		var told bytes.Buffer
		warnOfLibc(slog.New(slog.NewTextHandler(&told, nil)), modules)
		return told.String()
	}
	other := &debug.Module{Path: "modernc.org/libc", Version: "v1.0.0"}
	require.Empty(t, warning(&debug.Module{Path: "modernc.org/libc", Version: libcVersion}))
	require.Empty(t, warning(&debug.Module{Path: "modernc.org/sqlite", Version: "v1.60.1"}), "nothing is known of it")
	require.Contains(t, warning(other), "go get modernc.org/libc@"+libcVersion)
	require.Contains(t, warning(other), "found=v1.0.0")
	require.Contains(t, warning(&debug.Module{Path: "modernc.org/libc", Version: libcVersion, Replace: &debug.Module{Path: "../libc"}}),
		`found="../libc "`)
	warnOfLibc(nil, []*debug.Module{other}) // nobody listens
}
