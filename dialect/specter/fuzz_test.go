package specter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/finalbell/finalbell"
	"github.com/stretchr/testify/require"
)

// Whatever a request says, it is answered in one of the two shapes, and never by a failure of the server's.
func FuzzEndSession(f *testing.F) {
	for _, body := range []string{
		`{"matchSessionId":"SESSION"}`,
		`{"matchSessionId":"SESSION","userInfo":[{"id":"ann","outcome":12.50},{"id":"bob","outcome":1e3}]}`,
		`{"sessionId":"SESSION","score":5000,"result":"won","customParams":{"enemiesDefeated":25,"text":["a",{"b":null}]}}`,
		`{"matchSessionId":"SESSION","userInfo":[{"id":"ann","outcome":1,"entryId":"e","teamId":"t","specterParams":{"a":1},"customParams":{"b":true}}],"meta":{"m":"x"}}`,
		`{"matchSessionId":"SESSION","userInfo":[{"id":"ann","outcome":"1"}]}`,
		`{"matchSessionId":"SESSION","matchSessionId":"x"}`,
		"{\"matchSessionId\":\"\xff\"}", `[]`, ``,
	} {
		f.Add(body)
	}
	w := openWith(f, keeping, maySetOthers, keeps)
	id := w.started(f, "walk", "ann", "bob")
	f.Fuzz(func(t *testing.T, body string) {
		if w.match(t, id).State != finalbell.Started {
			id = w.started(t, "walk", "ann", "bob")
		}
		body = strings.ReplaceAll(body, "SESSION", id)
		for path, player := range map[string]string{endPath: "ann", serverEndPath: ""} {
			a := w.post(t, player, path+"?include=match", body)
			require.Less(t, a.Status, http.StatusInternalServerError, a.Body)
			require.True(t, a.Error != "" || a.Result != "", a.Body)
		}
	})
}
