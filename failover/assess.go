package failover

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Assessment is what all evidence about one profile comes to.
type Assessment struct {
	ID    string
	State State
	Paid  bool
	// Key: it is an API key, which no login renews.
	Key bool
	// Reason is one clause for a person.
	Reason string
	// Until is when an exhausted profile is expected back; zero: unknown.
	Until time.Time
	// Sure: the state was learned, not assumed. Only sure states move a
	// profile.
	Sure bool
	// Shunned: the provider says usable, OpenClaw refuses all the same.
	Shunned bool
	// Refused: it was refused for spent quota after the provider last said
	// usable, so that word may be out of date.
	Refused bool
	// Unreachable: the newest probe did not reach the provider.
	Unreachable bool
	// Reserve: the profile is Low and has no more left than is to be kept.
	Reserve bool
	// Measured: Left is the percent left in the tightest window that counts.
	Measured bool
	Left     float64
	// Renews is when the longest window resets; zero: unknown.
	Renews time.Time
	// Hiccup: OpenClaw refuses the profile after errors that are no sign of
	// spent quota or of a dead login, so no login would help.
	Hiccup bool
}

// Serves reports whether OpenClaw can be expected to get an answer with it.
func (a Assessment) Serves() bool { return a.State != Exhausted && a.State != Dead }

// assess derives the state of c. pm is updated to the threshold's new side.
func assess(now time.Time, p Policy, c Candidate, pm *ProfileMemory) Assessment {
	a := assessEvidence(now, p, c, pm)
	a.ID, a.Paid, a.Key = c.ID, c.Paid, c.isKey()
	a.Unreachable = c.Latest.Verdict == quota.Unreachable
	a.measure(now, p, c)
	return a
}

func assessEvidence(now time.Time, p Policy, c Candidate, pm *ProfileMemory) Assessment {
	if c.Credential == CredentialLoginRequired {
		return Assessment{State: Dead, Sure: true, Reason: cmp.Or(c.CredentialReason, "login required")}
	}
	if c.Usage.Verdict == quota.Revoked {
		return Assessment{State: Dead, Sure: true, Reason: cmp.Or(c.Usage.Reason, "login revoked")}
	}
	a := assessUsage(now, p, c, pm)
	return withBlock(now, c, a)
}

// assessUsage reads the newest usage reading as of now: what it said may have
// expired since.
func assessUsage(now time.Time, p Policy, c Candidate, pm *ProfileMemory) Assessment {
	u := c.Usage
	switch u.Verdict {
	case quota.Exhausted, quota.Billing:
		return assessSpent(now, c, pm)
	case quota.OK:
		return assessWindows(now, p, c, pm)
	case quota.Throttled, quota.Stale, quota.Revoked, quota.Unsupported, quota.Unreachable, quota.Unknown:
	}
	if c.Latest.Verdict == quota.Unsupported {
		return Assessment{State: Available, Sure: true, Reason: "usage cannot be read"}
	}
	return unknown(c)
}

func assessSpent(now time.Time, c Candidate, pm *ProfileMemory) Assessment {
	u := c.Usage
	pm.Low, pm.LowReset = true, u.Until
	if !u.Until.After(u.At) || now.Before(u.Until) {
		return Assessment{State: Exhausted, Sure: true, Reason: cmp.Or(u.Reason, "quota spent"), Until: future(now, u.Until)}
	}
	// The reset passed and nobody could look since: providers ask clients not
	// to infer recovery from a clock.
	a := unknown(c)
	a.Reason = "reset passed, not yet confirmed"
	return a
}

func assessWindows(now time.Time, p Policy, c Candidate, pm *ProfileMemory) Assessment {
	w, used, known := tightest(now, p, c.Usage)
	leave, back := p.limits(c.ID)
	if pm.Low && !pm.LowReset.IsZero() && c.Usage.At.After(pm.LowReset) {
		pm.Low = false
	}
	switch {
	case !known:
		// Nothing is left of the reading's windows: what was low is fresh again.
		pm.Low = pm.Low && pm.LowReset.After(now)
	case used >= leave:
		pm.Low = true
		pm.LowReset, _ = w.Reset()
	case used < back:
		pm.Low = false
	}
	a := Assessment{State: Available, Sure: true}
	if known {
		a.Reason = fmt.Sprintf("%s window %s %% used", windowName(w), percent(used))
	}
	if pm.Low {
		a.State = Low
		a.Until = future(now, pm.LowReset)
	}
	return withReach(c, a)
}

// withReach doubts a reading that cannot be renewed: after unreachableRise
// failures in a row the profile is taken for unknown.
func withReach(c Candidate, a Assessment) Assessment {
	if c.Failures < unreachableRise {
		return a
	}
	a.State, a.Sure = Unknown, true
	a.Reason = cmp.Or(c.Latest.Reason, "provider unreachable")
	return a
}

func unknown(c Candidate) Assessment {
	reason := c.Latest.Reason
	if c.Credential == CredentialUnreadable {
		reason = cmp.Or(c.CredentialReason, reason)
	}
	return withReach(c, Assessment{State: Unknown, Reason: cmp.Or(reason, "not probed yet")})
}

// tightest is the counting window with the most used, of those whose reset
// has not passed since the reading.
func tightest(now time.Time, p Policy, r quota.Reading) (quota.Window, float64, bool) {
	var best quota.Window
	most, known := 0.0, false
	for _, w := range r.Windows {
		used, ok := w.Used()
		if !ok || !p.counts(w.Scope) || resetPassed(now, r.At, w) {
			continue
		}
		if !known || used > most {
			best, most, known = w, used, true
		}
	}
	return best, most, known
}

// resetPassed reports whether w's reset lies between the reading and now. One
// that was past already when it was read tells nothing.
func resetPassed(now, read time.Time, w quota.Window) bool {
	reset, ok := w.Reset()
	return ok && reset.After(read) && !now.Before(reset)
}

func future(now, t time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

func windowName(w quota.Window) string {
	if w.Scope == "" {
		return w.Name
	}
	return w.Scope + " " + w.Name
}

func percent(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprintf("%.1f", v)
}

func clock(t time.Time) string { return t.UTC().Format("15:04 UTC") }
