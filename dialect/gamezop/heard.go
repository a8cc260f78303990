package gamezop

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"

	"github.com/finalbell/finalbell/internal/web"
)

// heard remembers what was answered to the last deliveries, so that one that comes again gets the same answer and does nothing:
// a call that was listened in on would throw those out again who have come back since. A match that was created is known by
// the engine also when the process is another one.
type heard struct {
	mu      sync.Mutex
	answers map[delivery]answer
	order   []delivery // in which they came; a ring once it is full
	next    int
}

// delivery names a delivery of a webhook about a room.
type delivery struct{ room, id string }

type answer struct {
	content [sha256.Size]byte
	match   string
}

const mostHeard = 10_000

func newHeard() *heard { return &heard{answers: make(map[delivery]answer)} }

// answer is what was answered to a delivery.
func (h *heard) answer(d delivery) (answer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, there := h.answers[d]
	return a, there
}

// note remembers an answer, and forgets the oldest if there are too many.
func (h *heard) note(d delivery, a answer) {
	if d.id == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.answers[d]; there {
		return
	}
	h.answers[d] = a
	if len(h.order) < mostHeard {
		h.order = append(h.order, d)
		return
	}
	delete(h.answers, h.order[h.next])
	h.order[h.next] = d
	h.next = (h.next + 1) % mostHeard
}

const longestDelivery = 128

// deliveryID is the id of a delivery, empty if the call has none.
func deliveryID(r *http.Request) (string, error) {
	id := r.Header.Get(web.HeaderID)
	if len(id) > longestDelivery || strings.ContainsFunc(id, func(c rune) bool { return c < ' ' || c > '~' }) {
		return "", refuse(http.StatusBadRequest, "webhook-id: expected at most 128 ASCII characters")
	}
	return id, nil
}
