package dialect

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// meter counts the calls of each caller.
type meter struct {
	rate Rate

	mu      sync.Mutex
	callers map[string]*caller
}

type caller struct {
	limiter *rate.Limiter
	last    time.Time
}

// metered is how many callers are known before those are forgotten who have all their calls again.
const metered = 1 << 16

func newMeter(name string, r, otherwise Rate) (*meter, error) {
	if r == (Rate{}) {
		r = otherwise
	}
	if !(r.PerSecond > 0) || r.Burst < 1 {
		return nil, fmt.Errorf("%s: %v a second and %d at once: both must be above 0", name, r.PerSecond, r.Burst)
	}
	return &meter{rate: r, callers: make(map[string]*caller)}, nil
}

// take counts a call, or says when there is one again.
func (m *meter) take(name string, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, there := m.callers[name]
	if !there {
		m.forget(now)
		c = &caller{limiter: rate.NewLimiter(rate.Limit(m.rate.PerSecond), m.rate.Burst)}
		m.callers[name] = c
	}
	c.last = now
	r := c.limiter.ReserveN(now, 1)
	if after := r.DelayFrom(now); after > 0 {
		r.CancelAt(now) // who is refused has not called
		return &TooMany{After: after}
	}
	return nil
}

// forget makes room where there are many: of who has not called for long enough nothing is lost.
func (m *meter) forget(now time.Time) {
	if len(m.callers) < metered {
		return
	}
	full := time.Duration(float64(m.rate.Burst) / m.rate.PerSecond * float64(time.Second))
	for name, c := range m.callers {
		if now.Sub(c.last) >= full {
			delete(m.callers, name)
		}
	}
	if len(m.callers) >= metered {
		clear(m.callers) // all of them call at once: no count is better than no memory
	}
}
