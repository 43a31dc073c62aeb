package failover

import (
	"sync"
	"time"

	"github.com/sony/gobreaker"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// BreakerState is what survives a restart of a Breaker.
type BreakerState struct {
	// OpenUntil is when the account is expected to serve again. While it lies
	// ahead the account counts as spent.
	OpenUntil time.Time `json:"open_until,omitzero"`
	// Failures counts probes in a row that did not reach the provider.
	Failures int `json:"failures,omitempty"`
	// Trips counts how often in a row the breaker opened without a reset time
	// to go by; it drives the backoff.
	Trips   int       `json:"trips,omitempty"`
	AskedAt time.Time `json:"asked_at,omitzero"`
}

// BreakerTiming are the periods of a Breaker.
type BreakerTiming struct {
	// Recheck is how often an open breaker lets a probe through all the same:
	// quota is sometimes restored before its time.
	Recheck time.Duration
	// Settle is how long the breaker stays shut after it opened, whatever the
	// provider says.
	Settle time.Duration
	// First and Most bound the backoff where no reset time is known.
	First, Most time.Duration
}

// DefaultBreakerTiming is what run uses.
func DefaultBreakerTiming() BreakerTiming {
	return BreakerTiming{Recheck: 5 * time.Minute, Settle: 30 * time.Second, First: time.Minute, Most: 30 * time.Minute}
}

// Breaker marks one account as spent. gobreaker counts failures and admits a
// single probe at a time; in front of it stands OpenUntil, since gobreaker's
// own timeout is the same for every trip and measured on a clock that stops
// while the machine sleeps.
type Breaker struct {
	timing BreakerTiming

	mu    sync.Mutex
	cb    *gobreaker.TwoStepCircuitBreaker
	state BreakerState
	spent bool // read by ReadyToTrip, which runs inside done
}

// NewBreaker returns a breaker that goes on from s.
func NewBreaker(account string, s BreakerState, timing BreakerTiming) *Breaker {
	b := &Breaker{state: s, timing: timing}
	b.cb = gobreaker.NewTwoStepCircuitBreaker(gobreaker.Settings{
		Name:        account,
		MaxRequests: 1,
		Timeout:     timing.Settle,
		ReadyToTrip: func(c gobreaker.Counts) bool { return b.spent || c.ConsecutiveFailures >= unreachableRise },
	})
	return b
}

// Allow asks whether the account may be probed at now. If so, done must be
// called exactly once, with what came of it: a breaker that waits for a lost
// answer never admits another probe.
func (b *Breaker) Allow(now time.Time) (done func(quota.Reading), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.next()) && !b.state.AskedAt.After(now) { // else the clock was set back since
		return nil, false
	}
	report, err := b.cb.Allow()
	if err != nil {
		return nil, false
	}
	b.state.AskedAt = now.Round(0)
	return func(r quota.Reading) { b.done(report, r) }, true
}

// Next is when a probe is admitted at the earliest. Where that is not after
// now and Allow says no, the breaker settles or another probe is under way.
func (b *Breaker) Next() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next()
}

// next is Next. The caller holds mu.
func (b *Breaker) next() time.Time {
	recheck := b.state.AskedAt.Add(b.timing.Recheck)
	if b.state.OpenUntil.Before(recheck) {
		return b.state.OpenUntil
	}
	return recheck
}

func (b *Breaker) done(report func(success bool), r quota.Reading) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.state
	success := true
	switch r.Verdict {
	case quota.OK:
		*s = BreakerState{AskedAt: s.AskedAt}
	case quota.Exhausted, quota.Billing, quota.Revoked:
		success, b.spent, s.Failures = false, true, 0
		b.open(r.At, r.Until)
	case quota.Unreachable:
		success = false
		s.Failures++
		if s.Failures >= unreachableRise {
			b.open(r.At, time.Time{})
		}
	case quota.Throttled, quota.Stale, quota.Unsupported, quota.Unknown:
		// The provider was reached and said nothing of the account: an open
		// breaker stays open, a count of failures ends.
		s.Failures = 0
	}
	report(success)
	b.spent = false
}

func (b *Breaker) open(now, until time.Time) {
	if until.After(now) {
		b.state.OpenUntil, b.state.Trips = until.Round(0), 0
		return
	}
	pause := b.timing.First << min(b.state.Trips, 10)
	b.state.Trips++
	b.state.OpenUntil = now.Round(0).Add(min(pause, b.timing.Most))
}

// State returns what is to be kept.
func (b *Breaker) State() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}
