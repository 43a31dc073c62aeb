package forecast

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// state is an account as it is known now, and then as it is thought to be.
type state struct {
	id      string
	windows []window
	// known: a reading of late tells what is left.
	known bool
	// out: it cannot serve before outUntil (zero: nobody knows when) whatever its
	// windows say.
	out      bool
	outUntil time.Time
	dead     bool
	plan     string
}

type window struct {
	key    key
	used   float64
	known  bool
	read   time.Time
	reset  time.Time // zero: unknown, or not started
	length time.Duration
	// renewed: it was reset since the forecast began.
	renewed bool
}

// statesOf reads each account's newest telling reading as of now.
func statesOf(now time.Time, p Pool) []state {
	out := make([]state, len(p.Accounts))
	for i, a := range p.Accounts {
		out[i] = stateOf(now, p, a)
	}
	return out
}

func stateOf(now time.Time, p Pool, a Account) state {
	s := state{id: a.ID, dead: a.Dead}
	r, ok := newest(now, a.Readings)
	if !ok {
		return s
	}
	s.plan = r.Plan
	s.dead = s.dead || r.Verdict == quota.Revoked
	s.known = now.Sub(r.At) <= fresh || r.Verdict == quota.Exhausted && r.Until.After(now)
	if r.Verdict == quota.Exhausted || r.Verdict == quota.Billing {
		s.out = r.Until.IsZero() || r.Until.After(now)
		s.outUntil = r.Until
	}
	for _, w := range r.Windows {
		if p.counts(w.Scope) {
			s.windows = append(s.windows, windowOf(now, r, w))
		}
	}
	return s
}

// newest is the last reading up to now that tells something of the account.
func newest(now time.Time, readings []quota.Reading) (quota.Reading, bool) {
	for _, r := range slices.Backward(readings) {
		if r.Verdict.Conclusive() && !r.At.After(now) {
			return r, true
		}
	}
	return quota.Reading{}, false
}

func windowOf(now time.Time, r quota.Reading, w quota.Window) window {
	out := window{key: key{w.Name, w.Scope}, read: r.At, length: w.Lasts()}
	out.used, out.known = percent(w)
	out.known = out.known && now.Sub(r.At) <= fresh
	out.reset, _ = w.Reset()
	if !out.reset.IsZero() && !out.reset.After(now) {
		out.used, out.reset, out.read = 0, time.Time{}, now // begun anew, or not begun
	}
	if out.used == 0 {
		out.reset = time.Time{} // it starts with the next use
	}
	return out
}

// most is the use of the fullest window.
func (s state) most() float64 {
	most := 0.0
	for _, w := range s.windows {
		most = max(most, w.used)
	}
	return most
}

func (s state) serves() bool { return !s.dead && !s.out && s.most() < spentAt }

// back is when s serves again; zero: nobody knows.
func (s state) back() time.Time {
	if s.dead || s.out && s.outUntil.IsZero() {
		return time.Time{}
	}
	var at time.Time
	if s.out {
		at = s.outUntil
	}
	for _, w := range s.windows {
		if w.used < spentAt {
			continue
		}
		if w.reset.IsZero() {
			return time.Time{}
		}
		at = later(at, w.reset)
	}
	return at
}

// serving is the index of the account in use: the first below its threshold,
// else the first that has anything left; -1: none.
func serving(states []state, switchAt float64) int {
	for i, s := range states {
		if s.serves() && s.most() < switchAt {
			return i
		}
	}
	for i, s := range states {
		if s.serves() {
			return i
		}
	}
	return -1
}

// drySpans are the times at which every account was spent: demand that could not
// be served is not seen.
func drySpans(now time.Time, p Pool) []step {
	var common []step
	for i, a := range p.Accounts {
		spans := spentSpans(now, p, a)
		if i == 0 {
			common = spans
			continue
		}
		common = overlap(common, spans)
	}
	return common
}

// spentSpans are the times between two readings at which a was spent.
func spentSpans(now time.Time, p Pool, a Account) []step {
	if a.Dead {
		return []step{{from: now.Add(-2 * ahead), to: now}}
	}
	var out []step
	for i, r := range a.Readings {
		if r.At.After(now) || !spentBy(p, r) {
			continue
		}
		end := now
		if i+1 < len(a.Readings) {
			end = earlier(end, a.Readings[i+1].At)
		}
		if r.Until.After(r.At) {
			end = earlier(end, r.Until)
		}
		if end.After(r.At) {
			out = append(out, step{from: r.At, to: end})
		}
	}
	return out
}

func spentBy(p Pool, r quota.Reading) bool {
	switch r.Verdict {
	case quota.Exhausted, quota.Billing, quota.Revoked:
		return true
	case quota.OK:
	case quota.Throttled, quota.Stale, quota.Unsupported, quota.Unreachable, quota.Unknown:
		return false
	}
	for _, w := range r.Windows {
		if used, ok := percent(w); ok && used >= spentAt && p.counts(w.Scope) {
			return true
		}
	}
	return false
}

// overlap is what two lists of spans, each in order of time, have in common.
func overlap(a, b []step) []step {
	var out []step
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := later(a[i].from, b[j].from), earlier(a[i].to, b[j].to)
		if to.After(from) {
			out = append(out, step{from: from, to: to})
		}
		if a[i].to.Before(b[j].to) {
			i++
		} else {
			j++
		}
	}
	return out
}
