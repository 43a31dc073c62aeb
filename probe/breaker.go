package probe

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker"
)

const (
	// breakAfter failures in a row, of whichever accounts, open an
	// endpoint's breaker: with many accounts one round is enough to know.
	breakAfter = 5
	// breakFor is how long a failing endpoint is left alone.
	breakFor = time.Minute
)

// outcome is what one request says about its endpoint.
type outcome int

const (
	inconclusive outcome = iota // given up by us before it could say anything
	answered                    // whatever it answered, short of a 5xx
	failed                      // transport failure or 5xx
)

// breakers keeps one breaker per endpoint, so that a failing usage endpoint is
// not hammered by a thousand accounts. It is about the endpoint; what an
// account has left is failover's to remember.
type breakers struct {
	mu     sync.Mutex
	byHost map[string]*breaker
}

type breaker struct {
	cb *gobreaker.TwoStepCircuitBreaker
	// opened is when it last opened, in Unix nanoseconds: gobreaker does not
	// tell its deadline.
	opened atomic.Int64
}

func newBreakers() *breakers { return &breakers{byHost: map[string]*breaker{}} }

func (b *breakers) of(host string) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byHost[host] == nil {
		b.byHost[host] = newBreaker(host)
	}
	return b.byHost[host]
}

func newBreaker(host string) *breaker {
	b := &breaker{}
	b.cb = gobreaker.NewTwoStepCircuitBreaker(gobreaker.Settings{
		Name:        host,
		Timeout:     breakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		// Called with the breaker's mutex held: asking it anything here
		// would deadlock.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.opened.Store(time.Now().UnixNano())
			}
		},
	})
	return b
}

// allow asks for one request. The returned function must be called with its
// outcome in every case: a half-open breaker that never hears of its one
// request stays shut for ever.
func (b *breaker) allow() (func(outcome), error) {
	done, err := b.cb.Allow()
	if err != nil {
		return nil, b.refusal()
	}
	// An inconclusive request must not close a half-open breaker, nor count
	// against a closed one.
	trial := b.cb.State() == gobreaker.StateHalfOpen
	return func(o outcome) {
		done(o == answered || o == inconclusive && !trial)
	}, nil
}

// endpointFailing is the refusal of an open breaker.
type endpointFailing struct{ until time.Time }

func (e *endpointFailing) Error() string {
	if e.until.IsZero() {
		return "usage endpoint failing, being asked again now"
	}
	return fmt.Sprintf("usage endpoint failing, asked again at %s UTC", e.until.Format("15:04:05"))
}

func (b *breaker) refusal() error {
	until := time.Unix(0, b.opened.Load()).UTC().Add(breakFor)
	if !until.After(time.Now()) {
		return &endpointFailing{} // half-open: another account's probe is the trial
	}
	return &endpointFailing{until: until}
}
