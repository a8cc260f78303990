package gamezop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/web"
)

// PublisherOptions says where and how winners are pushed.
type PublisherOptions struct {
	URL string // of the publisher's receive-winners: https
	// Secret signs what is pushed, in the form of Standard Webhooks: "whsec_" and base64, or any text. It is required.
	Secret string
	Bearer string // a token for the Authorization header; empty: none
	// Of selects the matches of which the winners are pushed; default: all of the engine.
	Of func(m finalbell.Match) bool
	// Private lets the URL be one of the host's own network, and without TLS: for tests and for a publisher next door. Otherwise
	// only addresses of the public internet are called.
	Private bool
	Now     func() time.Time // default time.Now; the signatures' clock
}

// Publisher pushes the winners of matches to a publisher, as Gamezop does. It is safe for concurrent use.
type Publisher struct {
	options PublisherOptions
	key     []byte
	host    string
	client  *http.Client
}

// NewPublisher checks where to push. The error names the field and no secret.
func NewPublisher(o PublisherOptions) (*Publisher, error) {
	if err := web.CheckURL(o.URL, o.Private); err != nil {
		return nil, fmt.Errorf("gamezop: URL: %w", err)
	}
	key, err := web.WebhookKey(o.Secret)
	if err != nil {
		return nil, fmt.Errorf("gamezop: Secret: %w", err)
	}
	if strings.ContainsFunc(o.Bearer, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("gamezop: Bearer: expected printable ASCII characters and no space")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("gamezop: URL: not a URL") // unreachable: it was checked
	}
	return &Publisher{options: o, key: key, host: u.Host, client: web.NewClient(o.Private)}, nil
}

// pushed is the body of a push.
type pushed struct {
	MatchID string  `json:"match_id"`
	Scores  []score `json:"scores"`
}

// After pushes the winners of a match that has ended, and of one that was amended once more. It is for Hooks.After, alone or
// called by the host's own: then the engine's outbox hands it every event, in order for each match, again and again until it is
// taken or, after 16 attempts, given up; see Engine.Undelivered and Engine.ReplayEvents. It does nothing for other events.
//
// The body is the match as it stands now, so that of a match that was amended in the meantime the same is pushed twice. One that
// was voided is not pushed: there is no form for that. The header webhook-id is the event's ID, the same with every attempt.
func (p *Publisher) After(ctx context.Context, ev finalbell.Event) error {
	if ev.Kind != finalbell.EventMatchEnded && ev.Kind != finalbell.EventMatchAmended || ev.Match == nil {
		return nil
	}
	m := *ev.Match
	if m.State != finalbell.Ended || p.options.Of != nil && !p.options.Of(m) {
		return nil
	}
	body, err := json.Marshal(pushed{m.ID, scores(m)})
	if err == nil {
		err = p.push(ctx, ev.ID, body)
	}
	if err != nil {
		return fmt.Errorf("winners for %s: %w", p.host, err)
	}
	return nil
}

// push makes one attempt. Whatever is not 2xx has failed, a redirect among it.
func (p *Publisher) push(ctx context.Context, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.options.URL, bytes.NewReader(body))
	if err != nil {
		return reason(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "finalbell")
	if p.options.Bearer != "" {
		r.Header.Set("Authorization", "Bearer "+p.options.Bearer)
	}
	web.Sign(r.Header, p.key, headerText(id), p.options.Now(), body)
	reply, err := p.client.Do(r)
	if err != nil {
		return reason(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode < 200 || reply.StatusCode > 299 {
		return fmt.Errorf("answered %d", reply.StatusCode)
	}
	return recorded(reply.Body)
}

// reason is an error without the URL, whose path and query may hold secrets of the publisher's.
func reason(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

const longestReply = 64 << 10 // bytes; what is beyond is not read

// recorded looks whether a publisher says in so many words that it has not recorded the winners, as some do with status 200.
func recorded(body io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(body, longestReply))
	if err != nil {
		return reason(err)
	}
	var said struct {
		Success *bool `json:"success"`
	}
	if json.Unmarshal(text, &said) == nil && said.Success != nil && !*said.Success {
		return errors.New("answered success: false")
	}
	return nil
}

// headerText is an id as a header can carry it: what is no plain character is percent-encoded, and so is the point, which
// separates what is signed.
func headerText(id string) string {
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '%' || c == '.' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
