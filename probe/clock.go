package probe

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// clock relates the provider's time to ours, for one answer.
type clock struct {
	now  time.Time     // ours, when the answer had come
	skew time.Duration // ours minus theirs; 0 where they agree or they did not say
}

// tolerance is how far two clocks, or two ways of stating one reset, may be
// apart and still be called equal: the Date header counts whole seconds, and
// the answer was some seconds on its way.
const tolerance = time.Minute

// readClock compares our time with the answer's Date (older by Age where a
// cache kept it).
func readClock(now time.Time, h http.Header) clock {
	c := clock{now: now}
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return c
	}
	if age, err := time.ParseDuration(h.Get("Age") + "s"); err == nil && age > 0 && age < day {
		theirs = theirs.Add(age)
	}
	if skew := now.Sub(theirs); skew.Abs() > tolerance && skew.Abs() < horizon {
		c.skew = skew
	}
	return c
}

// reset decides when a window resets, by our clock, since ours is what wakes us
// up and what a person compares with.
//
// The absolute time comes first: it is the same from probe to probe, while
// "now plus so many seconds" trembles with the latency. It is in the provider's
// time, so it is shifted where the Date header says that our clocks differ. The
// relative one stands in where the absolute is missing or impossible: passed,
// or further away than the window is long. Where neither is possible the
// absolute one is returned as it was reported, for the caller to mark.
func (c clock) reset(at time.Time, after time.Duration, hasAfter bool, length time.Duration) time.Time {
	var candidates []time.Time
	if !at.IsZero() {
		candidates = append(candidates, at.Add(c.skew))
	}
	if hasAfter && after > 0 {
		candidates = append(candidates, c.now.Add(after).Truncate(time.Second))
	}
	limits := []time.Duration{horizon}
	if length > 0 {
		limits = []time.Duration{length + length/20 + tolerance, horizon}
	}
	for _, limit := range limits {
		for _, t := range candidates {
			if ahead(t, c.now, limit) {
				return writable(t)
			}
		}
	}
	return at
}

// retryMost is the longest Retry-After that is believed.
const retryMost = day

// askAgain returns when a throttled account may be asked again: the time to wait
// that the answer names, else the end of its rate limit where nothing of that is
// left. Zero where it says neither.
func askAgain(h http.Header, c clock) time.Time {
	if at := retryAfter(h.Get("Retry-After"), c); !at.IsZero() {
		return at
	}
	if strings.TrimSpace(h.Get("X-Ratelimit-Remaining")) != "0" {
		return time.Time{}
	}
	at := sinceEpoch(h.Get("X-Ratelimit-Reset")).Add(c.skew)
	if !at.After(c.now) {
		return time.Time{}
	}
	return c.now.Add(min(at.Sub(c.now), retryMost))
}

// sinceEpoch reads seconds or milliseconds since 1970; providers use either.
func sinceEpoch(s string) time.Time {
	return object{"at": json.RawMessage(strconv.Quote(strings.TrimSpace(s)))}.instant("at")
}

// retryAfter returns when to ask again, zero where the header does not say
// (absent, passed, unreadable, or the 0 of a saturated edge): the pace then backs off by itself.
// It counts seconds, is a date, or (in Google's bodies) a duration.
func retryAfter(h string, c clock) time.Time {
	h = strings.TrimSpace(h)
	var wait time.Duration
	if s, err := strconv.ParseInt(h, 10, 32); err == nil {
		wait = time.Duration(s) * time.Second
	} else if at, err := http.ParseTime(h); err == nil {
		wait = at.Add(c.skew).Sub(c.now)
	} else if d, err := time.ParseDuration(h); err == nil {
		wait = d
	}
	if wait <= 0 {
		return time.Time{}
	}
	return c.now.Add(min(wait, retryMost))
}
