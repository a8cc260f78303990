package gamezop

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
)

// What is encoded is read as it was, percent-encoded or not, in either alphabet, padded or not.
func TestWhatIsEncodedIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		text := func(name string) string {
			return rapid.OneOf(rapid.StringN(0, 20, 60), rapid.SampledFrom([]string{"José", "Зоя", "😀\u2028", "<&>\"\\", "\x00\x1f\x7f", "Ã©"})).Draw(t, name)
		}
		d := RoomDetails{
			RoomID: "r" + text("room"), User: User{Name: text("name"), Photo: text("photo"), Sub: text("sub")},
			MinPlayers: number("min", 3), MaxPlayers: 3 + number("more", 4), MaxWait: number("wait", mostWait), Rounds: number("rounds", 9),
			CTA: text("cta"), Text: text("text"), AllowBots: rapid.Bool().Draw(t, "bots"),
		}
		encoded := d.Encode()
		plain, err := url.PathUnescape(encoded)
		require.NoError(t, err)
		for _, form := range []string{encoded, plain, strings.TrimRight(plain, "="), strings.NewReplacer("+", "-", "/", "_").Replace(plain)} {
			read, err := ParseRoomDetails(form)
			require.NoError(t, err)
			require.Equal(t, d, read)
		}
		for _, b := range []byte(encoded) {
			require.True(t, b == '%' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z', "it needs no escape in a query")
		}
		require.Equal(t, finalbell.NewRoom{ID: d.RoomID, Mode: "m", Players: finalbell.Limits{Min: d.MinPlayers, Max: d.MaxPlayers}, Wait: time.Duration(d.MaxWait) * time.Second}, d.Room("m"))
	})
}

// btoa alone takes Latin-1 and no more; who has other names turns them into UTF-8 before. Both were made by a browser's functions.
func TestNamesBeyondASCIIAreReadAsBrowsersWriteThem(t *testing.T) {
	for param, name := range map[string]string{
		"eyJyb29tSWQiOiJSIiwidXNlciI6eyJuYW1lIjoiSm9z6SIsInBob3RvIjoiIiwic3ViIjoiaiJ9LCJtYXhQbGF5ZXJzIjoyfQ%3D%3D":       "José",
		"eyJyb29tSWQiOiJSIiwidXNlciI6eyJuYW1lIjoi0JfQvtGPIPCfmIAiLCJwaG90byI6IiIsInN1YiI6ImoifSwibWF4UGxheWVycyI6Mn0%3D": "Зоя 😀",
	} {
		d, err := ParseRoomDetails(param)
		require.NoError(t, err)
		require.Equal(t, RoomDetails{RoomID: "R", User: User{Name: name, Sub: "j"}, MaxPlayers: 2, MaxWait: 60}, d)
	}
}

func TestRoomDetailsThatAreWrongAreRefusedByField(t *testing.T) {
	for content, want := range map[string]string{
		`{}`:                                           "roomId",
		`{"roomId":""}`:                                "roomId",
		`{"roomId":7}`:                                 "roomId",
		`{"roomId":"R","roomId":"S"}`:                  "roomId",
		`{"roomId":"R","user":"ann"}`:                  "user",
		`{"roomId":"R","user":{"sub":7}}`:              "user.sub",
		`{"roomId":"R","maxPlayers":"4"}`:              "maxPlayers",
		`{"roomId":"R","minPlayers":-1}`:               "minPlayers",
		`{"roomId":"R","minPlayers":1.5}`:              "minPlayers",
		`{"roomId":"R","maxWait":86401}`:               "maxWait",
		`{"roomId":"R","rounds":2147483648}`:           "rounds",
		`{"roomId":"R","allowBots":"yes"}`:             "allowBots",
		`{"roomId":"R","minPlayers":3,"maxPlayers":2}`: "minPlayers",
		`[]`:          "expected an object",
		`{"roomId":1`: "",
		``:            "",
	} {
		_, err := ParseRoomDetails(base64.StdEncoding.EncodeToString([]byte(content)))
		require.ErrorContains(t, err, "roomDetails: ", content)
		require.ErrorContains(t, err, want, content)
	}
	right := RoomDetails{RoomID: "R"}.Encode()
	_, err := ParseRoomDetails(right)
	require.NoError(t, err)
	_, err = ParseRoomDetails(RoomDetails{RoomID: "R", Text: strings.Repeat("e", longestDetails)}.Encode())
	require.ErrorContains(t, err, "bytes are more than 8192")
	for _, text := range []string{"%", "%zz", "!!!", right + " ", right + "\n", right[:8] + "%0D%0A" + right[8:], "e3"} {
		_, err := ParseRoomDetails(text)
		require.Error(t, err, text)
	}
	d, err := ParseRoomDetails(base64.URLEncoding.EncodeToString([]byte(`{"roomId":"R","lang":"en","user":{"age":7}}`)))
	require.NoError(t, err, "Gamezop may have more fields")
	require.Equal(t, RoomDetails{RoomID: "R", MaxWait: 60}, d)
}

// Whatever is read can be written, and is read as the same.
func FuzzParseRoomDetails(f *testing.F) {
	f.Add("eyJyb29tSWQiOiJSIiwidXNlciI6eyJuYW1lIjoiSm9z6SIsInBob3RvIjoiIiwic3ViIjoiaiJ9LCJtYXhQbGF5ZXJzIjoyfQ%3D%3D")
	f.Add(RoomDetails{RoomID: "R", User: User{Name: "😀"}, MaxWait: 3}.Encode())
	f.Add("%25")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseRoomDetails(text)
		if err != nil {
			return
		}
		encoded := d.Encode()
		if len(encoded) > longestDetails {
			return
		}
		again, err := ParseRoomDetails(encoded)
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
