package probe

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Pace is how often an account is asked.
type Pace struct {
	// Every is the interval where nothing is known of the account's use.
	Every time.Duration
	// Idle is the longest interval: for an account far from any limit.
	Idle time.Duration
	// Min is the shortest interval that may go on for hours.
	Min time.Duration
	// Rush is the shortest of all: a few in an hour, while a window runs up
	// to its threshold.
	Rush time.Duration
	// Hourly is the most questions in any hour.
	Hourly int
}

// The paces. OpenAI's own client polls its endpoint every 60 s. Anthropic's
// allows some 28 requests an hour for an account, which OpenClaw and Claude
// Code share with us: we take 24 in the worst hour, and 4 in an ordinary one.
var (
	openAIPace = Pace{
		Every: time.Minute, Idle: 10 * time.Minute, Min: time.Minute, Rush: time.Minute, Hourly: 60,
	}
	anthropicPace = Pace{
		Every: 5 * time.Minute, Idle: 15 * time.Minute, Min: 3 * time.Minute, Rush: time.Minute, Hourly: 24,
	}
	otherPace = Pace{
		Every: 5 * time.Minute, Idle: 15 * time.Minute, Min: time.Minute, Rush: time.Minute, Hourly: 60,
	}
)

const (
	// recheck bounds how long a blocked account is left unasked: quota is
	// sometimes given back before its time.
	recheck = 5 * time.Minute
	// unsupportedEvery is how often an account that cannot be read is tried.
	unsupportedEvery = day
	// throttleFirst doubles up to throttleMost, where the provider did not
	// say how long to wait.
	throttleFirst = 5 * time.Minute
	throttleMost  = time.Hour
	// unreachableFirst doubles up to unreachableMost: long enough to spare a
	// network in trouble, short enough to see it come back.
	unreachableFirst = time.Minute
	unreachableMost  = 5 * time.Minute
	// jitterShare spreads accounts out: an interval varies by ±10 %.
	jitterShare = 0.1
)

// Next returns when to ask an account again by the verdict of its newest
// reading alone, never before now and never closer to the last time than the
// provider's Min (than every, where the owner set that below it). It is pure:
// last is the reading (the zero Reading where there is none), every the interval
// in ordinary times (0 for the provider's default), and rand01 a random number
// in [0, 1). A Pacer goes by the account's use, too.
//
// Ordinary verdicts wait one interval ±10 %. A throttle waits until the time the
// provider named, or 5 minutes doubling to an hour, and never less than an
// interval. An exhausted account is asked just after its reset, and every 5
// minutes until then. An unreachable one is asked after 1 minute doubling to 5,
// an unsupported one a day later.
func Next(now time.Time, last quota.Reading, every time.Duration, rand01 float64) time.Time {
	if last.At.IsZero() {
		return now
	}
	pace := PaceOf(last.Provider, "")
	if every <= 0 {
		every = pace.Every
	}
	least := min(pace.Min, every)
	var at time.Time
	switch last.Verdict {
	case quota.Throttled:
		at = throttled(last, every, rand01)
	case quota.Exhausted:
		at = last.At.Add(recheck - lateness(recheck, rand01))
		if after := last.Until.Add(lateness(min(recheck, every), rand01)); !last.Until.IsZero() && after.Before(at) {
			at = after
		}
	case quota.Unreachable:
		wait := doubled(unreachableFirst, unreachableMost, last.Repeats)
		at = later(last.At.Add(jitter(wait, rand01)), last.Until)
	case quota.Unsupported:
		at = last.At.Add(jitter(unsupportedEvery, rand01))
	case quota.Revoked, quota.Billing:
		at = last.At.Add(jitter(max(every, recheck), rand01))
	case quota.OK, quota.Stale, quota.Unknown:
		at = last.At.Add(jitter(every, rand01))
	default:
		at = last.At.Add(jitter(every, rand01))
	}
	return later(later(at, last.At.Add(least)), now)
}

func throttled(last quota.Reading, every time.Duration, rand01 float64) time.Time {
	until := last.Until
	if until.IsZero() {
		until = last.At.Add(throttleWait(last.Repeats))
	}
	until = later(until, last.At.Add(every))
	return until.Add(lateness(until.Sub(last.At), rand01))
}

// throttleWait is the wait after n throttles in a row that named no time.
func throttleWait(n int) time.Duration { return doubled(throttleFirst, throttleMost, n) }

// doubled returns first, doubled for each repeat after the first one, up to most.
func doubled(first, most time.Duration, repeats int) time.Duration {
	for range min(repeats, 16) - 1 {
		first = min(2*first, most)
	}
	return first
}

// jitter varies d by ±10 %.
func jitter(d time.Duration, rand01 float64) time.Duration {
	return d + time.Duration((2*rand01-1)*jitterShare*float64(d))
}

// lateness is up to 10 % of d: for times that must not be anticipated.
func lateness(d time.Duration, rand01 float64) time.Duration {
	return time.Duration(rand01 * jitterShare * float64(d))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
