package notify

import (
	"math/rand/v2"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
)

const (
	// firstWait doubles with every attempt, up to MaxWait: quick enough for
	// a receiver's restart, and about 80 requests in giveUpAfter.
	firstWait = 5 * time.Second
	// MaxWait is the longest that a receiver is left alone for, whatever it asks.
	MaxWait = time.Hour
	// giveUpAfter bridges a weekend.
	giveUpAfter = 72 * time.Hour
	// maxRefusals: a definite no is asked again twice, because gateways in
	// front of a receiver answer 404 or 403 while it is being deployed.
	maxRefusals = 3
)

// judge decides what becomes of m after an answer. jitter is in [0, 1).
func judge(m journal.Message, a Answer, now time.Time, jitter float64) journal.Outcome {
	o := journal.Outcome{
		ID: m.ID, Endpoint: m.Endpoint, Result: journal.Retry, At: now,
		Attempts: m.Attempts + 1, Refusals: m.Refusals, Err: a.Text,
	}
	switch a.Kind {
	case Accepted:
		o.Result, o.Err = journal.Delivered, ""
		return o
	case Gone:
		o.Result = journal.Gone
		return o
	case Refused:
		o.Refusals++
	case Failed:
	}
	deadline := m.CreatedAt.Add(giveUpAfter)
	if o.Refusals >= maxRefusals || !now.Before(deadline) {
		o.Result = journal.Dead
		return o
	}
	wait := min(max(a.RetryAfter, 0), MaxWait)
	o.NextAt = now.Add(max(backoff(o.Attempts, jitter), wait))
	if o.NextAt.After(deadline) {
		o.NextAt = deadline // a last try, for a receiver that came back just in time
	}
	return o
}

// backoff is the wait after the n-th attempt, n from 1: 5 s doubling to 1 h,
// less up to a quarter, so that many endpoints do not come back at once.
func backoff(n int, jitter float64) time.Duration {
	d := min(firstWait<<min(n-1, 20), MaxWait)
	return d - time.Duration(jitter*float64(d)/4)
}

func jitter() float64 {
	return rand.Float64() //nolint:gosec // spreads load, guards nothing
}

// untilDue is how long to wait for next. A time further off than any that is
// ever set means that the clock was set back: then it is due.
func untilDue(next, now time.Time) time.Duration {
	d := next.Sub(now)
	if d > MaxWait {
		return 0
	}
	return max(d, 0)
}
