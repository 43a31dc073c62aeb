package probe

import (
	"maps"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// liveFuncs are the providers that can be asked with a real request, by
// OpenClaw's id. They stand apart from the table: nothing gets there but an
// Account with Live.
var liveFuncs = map[string]Func{"anthropic": anthropicLive}

// LiveProviders lists the providers that have a live probe, sorted.
func LiveProviders() []string { return slices.Sorted(maps.Keys(liveFuncs)) }

// HasLive reports whether profiles of that provider and type have a live probe.
// A key has none: what it spends is money, and it has no windows.
func HasLive(provider, profileType string) bool {
	_, ok := liveFuncs[quota.Canonical(provider)]
	return ok && isLogin(profileType)
}

func isLogin(profileType string) bool { return profileType == tokenType || profileType == oauthType }

const (
	// LiveEvery is the least time between two real requests for one account.
	LiveEvery = 30 * time.Minute
	// LiveUse is how long after OpenClaw used an account its window is taken to
	// run still. The window may have ended since, and the request would then
	// begin the next: the shorter, the less often.
	LiveUse = 10 * time.Minute
)

// LiveState is what is known of an account that may be asked with real
// requests.
type LiveState struct {
	// Unsupported: the free question was answered that it never will be.
	Unsupported bool
	// Asked is when the last real request was made, zero: never. Last is what it
	// said, the zero Reading: nothing that was heard.
	Asked time.Time
	Last  quota.Reading
	// Reset is when the five-hour window of the newest reading is reset, zero
	// where no reading said. Passed, it still says that what was used before
	// belongs to a window that is over.
	Reset time.Time
	// Used is when OpenClaw last used the account as far as it records, zero:
	// unknown.
	Used time.Time
}

// LiveWait is why no real request is made now.
type LiveWait string

// The waits.
const (
	NoWait       LiveWait = ""         // one may be made
	WaitReadable LiveWait = "readable" // its usage can be read for nothing, as far as is known
	WaitInterval LiveWait = "interval" // the last one is too recent
	WaitVerdict  LiveWait = "verdict"  // the last one's answer holds until then
	WaitUse      LiveWait = "use"      // its window may not have started
)

// LiveDecision is whether a real request may be made, else why not, and when
// the answer may be another by itself, zero where only its use changes that.
type LiveDecision struct {
	Wait LiveWait
	At   time.Time
}

// May reports that a real request may be made now.
func (d LiveDecision) May() bool { return d.Wait == NoWait }

// Decide says whether a real request may be made at now: never within LiveEvery
// of the last one, never while that one's answer holds, and never unless the
// account's window has started. That is known where a reading told a reset which
// is still ahead, and taken for granted for LiveUse after OpenClaw used the
// account, unless a reset that was told lies between. It is pure.
func (s LiveState) Decide(now time.Time) LiveDecision {
	if !s.Unsupported {
		return LiveDecision{Wait: WaitReadable}
	}
	if next := s.Asked.Add(LiveEvery); !s.Asked.IsZero() && now.Before(next) {
		return LiveDecision{Wait: WaitInterval, At: next}
	}
	if until := s.holds(); now.Before(until) {
		return LiveDecision{Wait: WaitVerdict, At: until}
	}
	if !s.started(now) {
		return LiveDecision{Wait: WaitUse}
	}
	return LiveDecision{}
}

// holds is until when the last answer is worth asking nothing more.
func (s LiveState) holds() time.Time {
	switch s.Last.Verdict {
	case quota.Exhausted, quota.Throttled:
		return s.Last.Until
	case quota.Revoked, quota.Billing, quota.Unsupported:
		return s.Last.At.Add(day) // a person has to act, or nobody can
	case quota.OK, quota.Stale, quota.Unreachable, quota.Unknown:
	}
	return time.Time{}
}

// started reports whether the account's five-hour window has started.
func (s LiveState) started(now time.Time) bool {
	if s.Reset.After(now) {
		return true
	}
	used := !s.Used.IsZero() && !s.Used.After(now) && now.Sub(s.Used) < LiveUse
	return used && s.Used.After(s.Reset)
}

// LiveReset returns when the five-hour window of r is reset, zero where r does
// not say so believably. Of a window with nothing used nobody knows whether it
// has started.
func LiveReset(r quota.Reading) time.Time {
	for _, w := range r.Windows {
		used, known := w.Used()
		if w.Name == quota.FiveHour && w.Scope == "" && known && used > 0 {
			t, _ := w.Reset()
			return t
		}
	}
	return time.Time{}
}
