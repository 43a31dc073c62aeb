package failover

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// ask lets one probe through and reports whether it was admitted.
func ask(b *Breaker, v quota.Verdict, until time.Duration) bool {
	now := time.Now()
	done, ok := b.Allow(now)
	if !ok {
		return false
	}
	r := quota.Reading{Verdict: v, At: now}
	if until != 0 {
		r.Until = now.Add(until)
	}
	done(r)
	return true
}

func open(b *Breaker) bool { return time.Now().Before(b.State().OpenUntil) }

func TestBreaker(t *testing.T) {
	cases := map[string]func(*testing.T, *Breaker){
		"stays closed while all is well": func(t *testing.T, b *Breaker) {
			t.Helper()
			for range 10 {
				if !ask(b, quota.OK, 0) || open(b) {
					t.Fatal("opened")
				}
			}
		},
		"opens at once on exhaustion, until the reset": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Exhausted, 3*time.Hour)
			if got := time.Until(b.State().OpenUntil); got != 3*time.Hour {
				t.Fatalf("open for %s", got)
			}
			if ask(b, quota.OK, 0) {
				t.Fatal("asked again at once")
			}
		},
		"is asked early all the same, and closes": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Exhausted, 3*time.Hour)
			time.Sleep(5*time.Minute - time.Second)
			if ask(b, quota.OK, 0) {
				t.Fatal("asked before the recheck")
			}
			time.Sleep(time.Second)
			if !ask(b, quota.OK, 0) || open(b) {
				t.Fatal("not closed by good news")
			}
		},
		"backs off where nobody names a reset": func(t *testing.T, b *Breaker) {
			t.Helper()
			for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
				time.Sleep(30 * time.Minute)
				if !ask(b, quota.Billing, 0) {
					t.Fatal("not asked")
				}
				if got := time.Until(b.State().OpenUntil); got != want {
					t.Fatalf("open for %s, want %s", got, want)
				}
			}
		},
		"takes three failures to open": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Unreachable, 0)
			ask(b, quota.Unreachable, 0)
			if open(b) {
				t.Fatal("opened after two")
			}
			ask(b, quota.Unreachable, 0)
			if !open(b) || b.State().Failures != 3 {
				t.Fatalf("state %+v", b.State())
			}
		},
		"a throttle ends a row of failures and leaves an open breaker open": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Unreachable, 0)
			ask(b, quota.Unreachable, 0)
			ask(b, quota.Throttled, 0)
			if b.State().Failures != 0 {
				t.Fatal("still counting")
			}
			ask(b, quota.Exhausted, time.Hour)
			time.Sleep(5 * time.Minute)
			if !ask(b, quota.Throttled, 0) || !open(b) {
				t.Fatal("closed by a throttle")
			}
		},
		"one probe at a time while half-open": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Exhausted, time.Hour)
			time.Sleep(time.Hour + time.Second)
			done, ok := b.Allow(time.Now())
			if !ok {
				t.Fatal("not asked after the reset")
			}
			if _, again := b.Allow(time.Now()); again {
				t.Fatal("two at once")
			}
			done(quota.Reading{Verdict: quota.OK, At: time.Now()})
			if !ask(b, quota.OK, 0) {
				t.Fatal("not closed")
			}
		},
		"a reset in the past is no reset": func(t *testing.T, b *Breaker) {
			t.Helper()
			ask(b, quota.Exhausted, -time.Hour)
			if got := time.Until(b.State().OpenUntil); got != time.Minute {
				t.Fatalf("open for %s", got)
			}
		},
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run(t, NewBreaker("acct", BreakerState{}, DefaultBreakerTiming()))
			})
		})
	}
}

// TestBreakerGoesOn: a breaker that was stored and made anew admits the same
// probes at the same times, whatever happened before.
func TestBreakerGoesOn(t *testing.T) {
	verdicts := []quota.Verdict{quota.OK, quota.Exhausted, quota.Billing, quota.Unreachable, quota.Throttled, quota.Unknown}
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) breakerStep {
			return breakerStep{
				rapid.SampledFrom(verdicts).Draw(t, "verdict"),
				time.Duration(rapid.IntRange(-60, 600).Draw(t, "until")) * time.Minute,
				time.Duration(rapid.IntRange(31, 4000).Draw(t, "wait")) * time.Second,
			}
		}), 1, 30).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			b := NewBreaker("acct", BreakerState{}, DefaultBreakerTiming())
			var asked time.Time
			for _, s := range steps {
				state := b.State()
				if ask(b, s.verdict, s.until) {
					if time.Now().Before(state.OpenUntil) && time.Since(asked) < 5*time.Minute {
						rt.Fatalf("asked %s after the last time, open until %s", time.Since(asked), state.OpenUntil)
					}
					asked = time.Now()
				} else if time.Since(asked) >= 5*time.Minute {
					rt.Fatalf("not asked for %s", time.Since(asked))
				}
				b = NewBreaker("acct", stored(rt, b.State()), DefaultBreakerTiming())
				time.Sleep(s.wait)
			}
		})
	})
}

type breakerStep struct {
	verdict     quota.Verdict
	until, wait time.Duration
}

func stored(t *rapid.T, s BreakerState) BreakerState {
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out BreakerState
	if err := json.Unmarshal(doc, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
