package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Signatures of webhooks, in the form of https://www.standardwebhooks.com: HMAC-SHA256 over "id.timestamp.body".

// The headers of a signed webhook.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far the time of a webhook may be from the receiver's, either way.
const Tolerance = 5 * time.Minute

const secretPrefix = "whsec_"

// WebhookKey is the key that a secret stands for: with the prefix whsec_ the bytes of its base64, else its own.
func WebhookKey(secret string) ([]byte, error) {
	text, is := strings.CutPrefix(secret, secretPrefix)
	if !is {
		if secret == "" {
			return nil, errors.New("must not be empty")
		}
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return nil, errors.New("after whsec_: expected base64")
	}
	return key, nil
}

// Sign puts the headers of a signed webhook on a request.
func Sign(h http.Header, key []byte, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(signature(key, id, stamp, body)))
}

// Verified reports whether a webhook is signed by a key, and of this time. Of several signatures, while a key is changed, one is
// enough.
func Verified(h http.Header, key []byte, now time.Time, body []byte) bool {
	id, stamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > Tolerance {
		return false
	}
	wanted, right := signature(key, id, stamp, body), false
	for _, one := range strings.Fields(h.Get(HeaderSignature)) {
		version, text, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(text)
		right = right || version == "v1" && err == nil && hmac.Equal(given, wanted)
	}
	return right
}

func signature(key []byte, id, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
