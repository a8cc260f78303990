package web

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The test vector of https://www.standardwebhooks.com.
func TestTheSignatureIsThatOfTheStandardsVector(t *testing.T) {
	key, err := WebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	h := make(http.Header)
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	Sign(h, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", h.Get(HeaderSignature))
	require.Equal(t, "1614265330", h.Get(HeaderTimestamp))
	require.Equal(t, "msg_p5jXN8AQM9LWM0D4loKWxJek", h.Get(HeaderID))
	require.True(t, Verified(h, key, at, body))
}

func TestASecretIsBase64OrAnyText(t *testing.T) {
	for secret, want := range map[string]string{"whsec_YWJj": "abc", "whsec_YWI=": "ab", "abc": "abc", "YWJj": "YWJj"} {
		key, err := WebhookKey(secret)
		require.NoError(t, err, secret)
		require.Equal(t, want, string(key), secret)
	}
	for _, secret := range []string{"", "whsec_", "whsec_=", "whsec_!!", "whsec_Y", "whsec_YWI"} {
		_, err := WebhookKey(secret)
		require.Error(t, err, secret)
		require.NotContains(t, err.Error(), "!!", "an error repeats no secret")
	}
}

// Whatever of a signed call is changed, it is not verified any more.
func TestASignatureHoldsForOneIDTimeBodyAndKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key")
		id := rapid.StringMatching(`[!-~]{1,20}`).Draw(t, "id")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		at := time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "at"), 0)
		h := make(http.Header)
		Sign(h, key, id, at, body)
		require.True(t, Verified(h, key, at, body))
		other := func(b []byte) []byte {
			i := rapid.IntRange(0, len(b)).Draw(t, "where")
			return append(append(append([]byte{}, b[:i]...), 'x'), b[i:]...)
		}
		require.False(t, Verified(h, key, at, other(body)), "body")
		require.False(t, Verified(h, append([]byte{key[0] + 1}, key[1:]...), at, body), "key")
		changed := h.Clone()
		changed.Set(HeaderID, string(other([]byte(id))))
		require.False(t, Verified(changed, key, at, body), "id")
		changed = h.Clone()
		changed.Set(HeaderTimestamp, strconv.FormatInt(at.Unix()+1, 10))
		require.False(t, Verified(changed, key, at, body), "time")
		changed = h.Clone()
		changed.Set(HeaderSignature, strings.Replace(h.Get(HeaderSignature), "v1,", "v1a,", 1))
		require.False(t, Verified(changed, key, at, body), "version")
		Sign(changed, key, "", at, body)
		require.False(t, Verified(changed, key, at, body), "no id")
		for _, header := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
			changed = h.Clone()
			changed.Del(header)
			require.False(t, Verified(changed, key, at, body), header)
		}
	})
}

func TestAWebhookIsOfThisTimeWithinFiveMinutes(t *testing.T) {
	key, body, now := []byte("key"), []byte("{}"), time.Unix(1_700_000_000, 0)
	verified := func(at time.Time) bool {
		h := make(http.Header)
		Sign(h, key, "d", at, body)
		return Verified(h, key, now, body)
	}
	require.True(t, verified(now.Add(-5*time.Minute)))
	require.True(t, verified(now.Add(5*time.Minute)))
	require.False(t, verified(now.Add(-5*time.Minute-time.Second)))
	require.False(t, verified(now.Add(5*time.Minute+time.Second)))
	for _, stamp := range []string{"", "now", "1e9", "9223372036854775807", "-9223372036854775808", "99999999999999999999"} {
		h := make(http.Header)
		h.Set(HeaderID, "d")
		h.Set(HeaderTimestamp, stamp)
		h.Set(HeaderSignature, "v1,"+sum(signature(key, "d", stamp, body)))
		require.False(t, Verified(h, key, now, body), stamp)
	}
}

// While a key is changed a call is signed by both.
func TestOfSeveralSignaturesOneIsEnough(t *testing.T) {
	now, body := time.Unix(1_700_000_000, 0), []byte("{}")
	old, fresh := make(http.Header), make(http.Header)
	Sign(old, []byte("old"), "d", now, body)
	Sign(fresh, []byte("new"), "d", now, body)
	both := old.Clone()
	both.Set(HeaderSignature, "v1a,AAAA v1, v1,not-base64 "+old.Get(HeaderSignature)+" "+fresh.Get(HeaderSignature))
	for key, is := range map[string]bool{"old": true, "new": true, "other": false} {
		require.Equal(t, is, Verified(both, []byte(key), now, body), key)
	}
}

// Nobody can make Verified panic, or have it take what was not signed.
func FuzzVerified(f *testing.F) {
	f.Add("d", "1700000000", "v1,AAAA", []byte("{}"))
	f.Add("d", "1700000000", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,", []byte{})
	f.Add("", "-1", ",,, v1", []byte("\xff"))
	f.Fuzz(func(t *testing.T, id, stamp, signatures string, body []byte) {
		h := http.Header{}
		h.Set(HeaderID, id)
		h.Set(HeaderTimestamp, stamp)
		h.Set(HeaderSignature, signatures)
		key := []byte("a key that nobody knows")
		if Verified(h, key, time.Unix(1_700_000_000, 0), body) {
			require.Contains(t, signatures, "v1,"+sum(signature(key, id, stamp, body)))
		}
	})
}

func sum(signature []byte) string { return base64.StdEncoding.EncodeToString(signature) }
