package gamesparks_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/dialect/gamesparks"
	"github.com/finalbell/finalbell/internal/webtest"
)

var update = flag.Bool("update", false, "write the files of frames and replies anew")

// A file of frames is a text of these lines:
//
//	# What it shows: a sentence.
//	= /ws/demo              a connection, hung up first if there is one
//	= /ws/demo shaken       the same, with the handshake done
//	> {"@class":…}          a frame of the client
//	>" \xff"                the same as a Go string
//	>* 70000 x              the same of so many letters
//	< {"@class":…}          a frame of the server; "< closed 1008 …" is the end
//	! 1h                    time passes, and what is due is done
//
// Every frame of the client that is not blank has one of the server. In a frame of the client $hmac is the signature of the nonce.
func TestFrames(t *testing.T) {
	files, err := filepath.Glob("testdata/*.frames")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".frames"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			played := playFrames(t, string(text))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(played), 0o644))
				return
			}
			require.Equal(t, string(text), played, file)
		})
	}
}

func playFrames(t *testing.T, text string) string {
	w := newWorld(t)
	ctx := context.Background()
	for _, player := range []string{"ann", "bob"} {
		_, err := w.Engine.Credit(ctx, finalbell.Money{Player: player, Currency: "gold", Amount: 50, Key: player})
		require.NoError(t, err)
	}
	_, err := w.Engine.Create(ctx, finalbell.NewMatch{ID: "m-hill", Mode: "hill", Players: finalbell.Players("ann", "bob")})
	require.NoError(t, err)
	_, err = w.Engine.Start(ctx, "m-hill")
	require.NoError(t, err)
	_, err = w.Engine.Create(ctx, finalbell.NewMatch{ID: "m-others", Mode: "hill", Players: finalbell.Players("bob", "cid")})
	require.NoError(t, err)

	c := &sdk{t: t, w: w, secret: secret}
	var out strings.Builder
	var heard string
	for _, line := range strings.SplitAfter(text, "\n") {
		if strings.HasPrefix(line, "<") {
			continue
		}
		out.WriteString(line)
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '=':
			path, shaken := strings.CutSuffix(line[2:], " shaken")
			c.hangUp()
			c.path = path
			if strings.HasPrefix(path, "/ws/server") {
				c.secret = serverSecret
			}
			if c.sessionID = ""; shaken {
				c.authToken = ""
				c.connect()
				continue
			}
			c.open()
			heard = c.heard()
			out.WriteString(heard)
		case line[0] == '!':
			d, err := time.ParseDuration(line[2:])
			require.NoError(t, err)
			w.Clock.Advance(d)
			_, err = w.Engine.Tick(ctx)
			require.NoError(t, err)
		default:
			said := said(t, line)
			if _, nonce, is := strings.Cut(heard, `"nonce":"`); is {
				nonce, _, _ = strings.Cut(nonce, `"`)
				said = strings.ReplaceAll(said, "$hmac", c.sign(nonce))
			}
			c.writeText(said)
			if strings.TrimSpace(said) != "" {
				out.WriteString(c.heard())
			}
		}
	}
	return out.String()
}

func said(t *testing.T, line string) string {
	switch {
	case strings.HasPrefix(line, `>"`):
		text, err := strconv.Unquote(line[1:])
		require.NoError(t, err, line)
		return text
	case strings.HasPrefix(line, ">* "):
		var n int
		var letter string
		_, err := fmt.Sscanf(line, ">* %d %s", &n, &letter)
		require.NoError(t, err, line)
		return strings.Repeat(letter, n)
	}
	require.True(t, strings.HasPrefix(line, "> "), line)
	return line[2:]
}

// heard is what the server says next, as a line.
func (c *sdk) heard() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, text, err := c.socket.Read(ctx)
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return fmt.Sprintf("< closed %d %s\n", closed.Code, closed.Reason)
	}
	require.NoError(c.t, err)
	return "< " + string(bytes.TrimSpace(text)) + "\n"
}

func TestUpgrades(t *testing.T) {
	webtest.Play(t, "testdata/*.http", *update, func(t *testing.T) http.Handler { return newWorld(t).Server })
	webtest.Play(t, "testdata/closed/*.http", *update, func(t *testing.T) http.Handler {
		w := newWorld(t, func(o *gamesparks.Options) { o.ServerSecret = "" })
		require.NoError(t, w.Server.Shutdown(context.Background()))
		return w.Server
	})
}
