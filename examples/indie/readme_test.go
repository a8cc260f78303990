package main

import (
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the answers into README.md")

// Every curl line of the README, one after the other, gets the answer that stands below it.
func TestTheReadmesAnswers(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	g := newGame(t)
	env := make(map[string]string)
	var out strings.Builder
	inside, asked := false, 0
	for line := range strings.Lines(string(text)) {
		command, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console\n"
		case !inside:
		case !isCommand:
			continue // an answer: it is made anew
		}
		out.WriteString(line)
		if !inside || !isCommand {
			continue
		}
		words := shellWords(t, command, env)
		if words[0] == "export" {
			name, value, _ := strings.Cut(words[1], "=")
			env[name] = value
			continue
		}
		g.clock.Advance(time.Second)
		out.WriteString(broken(g.curl(words)) + "\n")
		asked++
	}
	require.Greater(t, asked, 30)
	g.isWhole()
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(out.String()), 0o644))
		return
	}
	require.Equal(t, out.String(), string(text), "go test ./examples/indie -update writes what is answered today")
}

// curl sends what the command would send.
func (g *game) curl(words []string) string {
	g.t.Helper()
	require.Equal(g.t, "curl", words[0])
	method, url, body := "GET", "", ""
	headers := make(map[string]string)
	for i := 1; i < len(words); i++ {
		value := func() string { i++; return words[i] }
		switch word := words[i]; word {
		case "-s":
		case "-X":
			method = value()
		case "-H":
			name, content, _ := strings.Cut(value(), ": ")
			headers[name] = content
		case "-d":
			method, body = "POST", value()
		default:
			require.Regexp(g.t, `^localhost:8080/`, word)
			url = "http://" + word
		}
	}
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	for name, content := range headers {
		r.Header.Set(name, content)
	}
	_, answer := g.send(r)
	return answer
}

// shellWords takes a command apart as a shell would, as far as the README's go. What one shell reads otherwise than another
// is refused.
func shellWords(t *testing.T, command string, env map[string]string) []string {
	t.Helper()
	words, quote, open := []string{}, rune(0), false
	var word strings.Builder
	runes := []rune(command)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case r == quote:
			quote = 0
		case r == '$' && quote != '\'':
			end := i + 1
			for end < len(runes) && strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", runes[end]) {
				end++
			}
			value, set := env[string(runes[i+1:end])]
			require.True(t, set, "%s: $%s", command, string(runes[i+1:end]))
			word.WriteString(value)
			i, open = end-1, true
		case r == ' ' && quote == 0:
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			require.False(t, quote == 0 && strings.ContainsRune(`?&*[]{}()<>|;#!\`, r), "%s: %q has to be quoted", command, r)
			require.False(t, quote == '"' && strings.ContainsRune("!\\`", r), "%s: %q means something in double quotes", command, r)
			word.WriteRune(r)
			open = true
		}
	}
	require.Zero(t, quote, command)
	return append(words, word.String())
}

// broken breaks JSON before every object in a list, and indents it by its depth.
func broken(text string) string {
	var out strings.Builder
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if inString {
			if out.WriteByte(c); c == '\\' {
				i++
				out.WriteByte(text[i])
			}
			inString = c != '"'
			continue
		}
		switch c {
		case '"':
			inString = true
		case '[':
			depth++
		case ']':
			depth--
		case '{':
			if i > 0 && (text[i-1] == '[' || text[i-1] == ',') {
				out.WriteString("\n" + strings.Repeat("  ", depth))
			}
		}
		out.WriteByte(c)
	}
	return out.String()
}
