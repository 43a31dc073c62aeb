package notify

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
)

const (
	// firstWait doubles with every attempt, up to maxWait: quick enough for
	// a receiver's restart, and about 80 requests in giveUpAfter.
	firstWait = 5 * time.Second
	maxWait   = time.Hour
	// giveUpAfter bridges a weekend.
	giveUpAfter = 72 * time.Hour
	// maxRefusals: a definite no is asked again twice, because gateways in
	// front of a receiver answer 404 or 403 while it is being deployed.
	maxRefusals = 3
)

// answer is what one attempt met with.
type answer struct {
	status     int           // 0 where there was no answer
	retryAfter time.Duration // 0 where the receiver did not say
	err        string        // why there was no answer; holds no secret
}

// judge decides what becomes of m after an answer. jitter is in [0, 1).
func judge(m journal.Message, a answer, now time.Time, jitter float64) journal.Outcome {
	o := journal.Outcome{
		ID: m.ID, Endpoint: m.Endpoint, Result: journal.Retry, At: now,
		Attempts: m.Attempts + 1, Refusals: m.Refusals, Err: a.String(),
	}
	switch kind(a.status) {
	case accepted:
		o.Result, o.Err = journal.Delivered, ""
		return o
	case gone:
		o.Result = journal.Gone
		return o
	case refused:
		o.Refusals++
	case failed:
	}
	deadline := m.CreatedAt.Add(giveUpAfter)
	if o.Refusals >= maxRefusals || !now.Before(deadline) {
		o.Result = journal.Dead
		return o
	}
	o.NextAt = now.Add(max(backoff(o.Attempts, jitter), a.retryAfter))
	if o.NextAt.After(deadline) {
		o.NextAt = deadline // a last try, for a receiver that came back just in time
	}
	return o
}

// answerKind is what an HTTP status means for the message.
type answerKind int

const (
	failed   answerKind = iota // nobody could take it now
	accepted                   // 2xx
	gone                       // 410: nothing more, please
	refused                    // a definite no
)

func kind(status int) answerKind {
	switch {
	case status >= 200 && status < 300:
		return accepted
	case status == http.StatusGone:
		return gone
	case status == 0, status == http.StatusTooManyRequests, status >= 500:
		return failed
	}
	return refused
}

// String tells a person what was answered. Nothing of it is the receiver's
// own text.
func (a answer) String() string {
	if a.status == 0 {
		return a.err
	}
	text := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
	if a.status >= 300 && a.status < 400 {
		text += ": redirects are not followed; set url to where it leads"
	}
	return text
}

// backoff is the wait after the n-th attempt, n from 1: 5 s doubling to 1 h,
// less up to a quarter, so that many endpoints do not come back at once.
func backoff(n int, jitter float64) time.Duration {
	d := min(firstWait<<min(n-1, 20), maxWait)
	return d - time.Duration(jitter*float64(d)/4)
}

func jitter() float64 {
	return rand.Float64() //nolint:gosec // spreads load, guards nothing
}

// untilDue is how long to wait for next. A time further off than any that is
// ever set means that the clock was set back: then it is due.
func untilDue(next, now time.Time) time.Duration {
	d := next.Sub(now)
	if d > maxWait {
		return 0
	}
	return max(d, 0)
}

// retryAfter reads the header of a 429 or 503: seconds, or a date. It is at
// most an hour, and 0 where there is none or it makes no sense.
func retryAfter(status int, h http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxWait)
}
