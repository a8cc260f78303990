// Package webtest plays pairs of request and reply that are written in a file against a handler.
package webtest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file of exchanges is a text of these lines:
//
//	# What it shows: a sentence.
//
//	> POST /v2/client/matches/end-session      a request: its first line, its headers, an empty line, its body
//	> Content-Type: application/json
//	>
//	> {"matchSessionId":"m1"}
//	>" "\xff"                                   a piece of the body as a Go string, for what is no text
//	>* 2000000 x                                a piece of the body many times
//	< 200 OK                                    the reply: its status, the headers of shown, an empty line, its body
//	< Content-Type: application/json
//	<
//	< {"status":"success"}
//
// The lines of the body of a request are joined without their ends.

// shown are the headers of a reply that are written down.
var shown = []string{"Allow", "Content-Type", "Retry-After", "WWW-Authenticate"}

// Play plays the exchanges of every file that a pattern finds, each against a handler of its own, and requires the replies that
// are written there, or writes those of today.
func Play(t *testing.T, pattern string, update bool, handler func(t *testing.T) http.Handler) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			played, err := play(text, handler(t))
			require.NoError(t, err, file)
			if update {
				require.NoError(t, os.WriteFile(file, played, 0o644))
				return
			}
			require.Equal(t, string(text), string(played), file)
		})
	}
}

// play is the text with the replies of a handler.
func play(text []byte, h http.Handler) ([]byte, error) {
	var out bytes.Buffer
	var request []string
	answer := func() error {
		if request == nil {
			return nil
		}
		r, err := read(request)
		if err != nil {
			return err
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		reply(&out, w.Result(), w.Body.String())
		request = nil
		return nil
	}
	for i, line := range strings.SplitAfter(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, ">"):
			request = append(request, strings.TrimSuffix(line, "\n"))
			out.WriteString(line)
			continue
		case strings.HasPrefix(line, "<"):
			continue // answered anew
		case line != "" && line != "\n" && line[0] != '#':
			return nil, fmt.Errorf(`line %d: expected "#", ">" or "<"`, i+1)
		}
		if err := answer(); err != nil {
			return nil, fmt.Errorf("line %d: %w", i, err)
		}
		out.WriteString(line)
	}
	if err := answer(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func read(lines []string) (*http.Request, error) {
	first := strings.TrimSpace(lines[0][1:])
	method, target, is := strings.Cut(first, " ")
	if !is {
		return nil, fmt.Errorf("%q is not a method and a target", first)
	}
	headers := make(http.Header)
	var body bytes.Buffer
	inBody := false
	for _, line := range lines[1:] {
		mark, content := line[:min(2, len(line))], strings.TrimPrefix(line[1:], " ")
		switch {
		case !inBody && strings.TrimSpace(line[1:]) == "":
			inBody = true
		case !inBody:
			name, value, _ := strings.Cut(content, ":")
			headers.Add(name, strings.TrimSpace(value))
		case mark == `>"`:
			piece, err := strconv.Unquote(strings.TrimSpace(line[2:]))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			body.WriteString(piece)
		case mark == ">*":
			var n int
			var piece string
			if _, err := fmt.Sscan(line[2:], &n, &piece); err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			body.WriteString(strings.Repeat(piece, n))
		default:
			body.WriteString(content)
		}
	}
	r := httptest.NewRequest(method, target, &body)
	r.Header = headers
	return r, nil
}

func reply(out *bytes.Buffer, r *http.Response, body string) {
	fmt.Fprintf(out, "< %d %s\n", r.StatusCode, http.StatusText(r.StatusCode))
	for _, name := range shown {
		for _, value := range r.Header.Values(name) {
			fmt.Fprintf(out, "< %s: %s\n", name, value)
		}
	}
	out.WriteString("<\n")
	for line := range strings.Lines(body) {
		out.WriteString("< " + strings.TrimSuffix(line, "\n") + "\n")
	}
}
