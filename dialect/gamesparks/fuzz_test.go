package gamesparks_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever comes is answered by one object whose class the SDK knows how to read.
func FuzzFrames(f *testing.F) {
	files, err := filepath.Glob("testdata/*.frames")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		for line := range strings.Lines(string(text)) {
			if frame, is := strings.CutPrefix(line, "> "); is {
				f.Add(frame)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld(t)
		reply := w.Server.Do(context.Background(), "ann", []byte(text))
		var got struct {
			Class string            `json:"@class"`
			Error map[string]string `json:"error"`
		}
		require.NoError(t, json.Unmarshal(reply, &got), string(reply))
		require.True(t, strings.HasSuffix(got.Class, "Response"), string(reply))
		require.NotContains(t, got.Error["server"], "FAILED", text)
	})
}
