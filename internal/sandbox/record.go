package sandbox

import (
	"maps"
	"time"
)

// failed counts one failure for reason.
func (s usageStats) failed(reason string, now time.Time) usageStats {
	s.ErrorCount++
	s.FailureCounts = maps.Clone(s.FailureCounts)
	if s.FailureCounts == nil {
		s.FailureCounts = map[string]int{}
	}
	s.FailureCounts[reason]++
	s.LastFailureAt = now.UnixMilli()
	return s
}

// limited records a 429. For a ChatGPT login OpenClaw then asks the usage
// endpoint, and what that says decides.
func (s usageStats) limited(a *account, until, now time.Time) usageStats {
	s = s.failed("rate_limit", now)
	if a.Provider != "openai" || a.Type != "oauth" {
		return s.cool("rate_limit", ladder(30*time.Second, s.FailureCounts["rate_limit"], 24*time.Hour), now)
	}
	s.LastProbeAt = now.UnixMilli()
	switch a.fault {
	case NoFault:
		s.BlockedUntil = until.UnixMilli()
		s.BlockedReason, s.BlockedSource = "subscription_limit", "wham"
		return s
	case HTMLForbidden, NoScope: // taken for a dead account, though it is the edge that answers
		s.CooldownClassification = "wham_account_dead"
		return s.cool("auth_permanent", 24*time.Hour, now)
	case Throttled, ServerError:
		return s.cool("rate_limit", 5*time.Minute, now)
	case Slow, Truncated, Unreachable, Unauthorized, TokenInvalidated, AccountDeactivated, WorkspaceGone, Forbidden:
	}
	return s.cool("rate_limit", 30*time.Second, now)
}

// refused records a request that the provider refused for the account's sake.
func (s usageStats) refused(f Fault, now time.Time) usageStats {
	if f == AccountDeactivated || f == WorkspaceGone {
		s = s.failed("auth_permanent", now)
		wait := ladder(10*time.Minute, s.FailureCounts["auth_permanent"], time.Hour)
		s.DisabledUntil, s.DisabledReason = now.Add(wait).UnixMilli(), "auth_permanent"
		return s
	}
	s = s.failed("auth", now)
	steps := []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute}
	return s.cool("auth", steps[min(s.ErrorCount, len(steps))-1], now)
}

func (s usageStats) cool(reason string, wait time.Duration, now time.Time) usageStats {
	s.CooldownUntil, s.CooldownReason = now.Add(wait).UnixMilli(), reason
	return s
}

// ladder doubles with every failure.
func ladder(first time.Duration, failures int, most time.Duration) time.Duration {
	wait := first
	for range failures - 1 {
		wait = min(2*wait, most)
	}
	return wait
}
