package restart

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(minutes ...float64) []time.Time {
	var ts []time.Time
	for _, m := range minutes {
		ts = append(ts, noon.Add(-time.Duration(m*float64(time.Minute))))
	}
	return ts
}

func TestAllow(t *testing.T) {
	tests := []struct {
		name     string
		history  []time.Time
		budget   Budget
		started  time.Time
		underWay bool
		want     error
		until    time.Time
	}{
		{name: "never restarted"},
		{name: "two in half an hour", history: ago(1, 29)},
		{name: "three in half an hour", history: ago(1, 10, 29), want: ErrBudget, until: noon.Add(time.Minute)},
		{name: "one that is listed twice", history: ago(1, 29, 29, 1)},
		{name: "in any order", history: ago(10, 29, 1), want: ErrBudget, until: noon.Add(time.Minute)},
		{name: "the third is exactly half an hour old", history: ago(1, 10, 30)},
		{name: "more than the budget", history: ago(1, 2, 10, 20, 29), want: ErrBudget, until: noon.Add(20 * time.Minute)},
		{name: "a clock set back a little", history: ago(-1, -2, 3), want: ErrBudget, until: noon.Add(27 * time.Minute)},
		{name: "a clock that was years ahead", history: ago(-1e6, -2e6, -3e6)},
		{name: "the owner's budget", history: ago(50), budget: Budget{1, time.Hour}, want: ErrBudget, until: noon.Add(10 * time.Minute)},
		{name: "a budget of none", budget: Budget{0, time.Hour}, want: ErrBudget},
		{name: "started a minute ago", started: noon.Add(-time.Minute)},
		{name: "started 59 seconds ago", started: noon.Add(-59 * time.Second), want: ErrTooSoon, until: noon.Add(time.Second)},
		{name: "started in the future", started: noon.Add(time.Second), want: ErrTooSoon, until: noon.Add(61 * time.Second)},
		{name: "another one under way", underWay: true, want: ErrTooSoon},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.budget == (Budget{}) {
				tt.budget = DefaultBudget
			}
			err := Allow(noon, tt.history, tt.budget, tt.started, tt.underWay)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			var refused *RefusedError
			if errors.As(err, &refused) && !refused.Until.Equal(tt.until) {
				t.Errorf("until %v, want %v", refused.Until, tt.until)
			}
		})
	}
}

func TestRefusedErrorSaysWhen(t *testing.T) {
	err := Allow(noon, ago(1, 10, 29), DefaultBudget, time.Time{}, false)
	const want = "restart budget is spent: 3 restarts in the last 30m0s, 3 allowed; possible from 2026-11-22T12:01:00Z"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	err = Allow(noon, nil, DefaultBudget, time.Time{}, true)
	if err == nil || strings.Contains(err.Error(), "possible") {
		t.Errorf("it is not known when the other restart ends, and yet: %v", err)
	}
}

// Whenever restarts are asked for, no stretch holds more than the budget, and
// Until is the very moment from which the answer is yes.
func TestAllowBoundsEveryStretch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Budget{N: rapid.IntRange(1, 5).Draw(t, "n"), Per: time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute}
		var done []time.Time
		now := noon
		for _, gap := range rapid.SliceOfN(rapid.IntRange(1, 3600), 1, 40).Draw(t, "gaps") {
			now = now.Add(time.Duration(gap) * time.Second)
			history := slices.Clone(done)
			slices.Reverse(history)
			err := Allow(now, history, b, time.Time{}, false)
			if err == nil {
				done = append(done, now)
				continue
			}
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("not a *RefusedError: %v", err)
			}
			if Allow(refused.Until, done, b, time.Time{}, false) != nil {
				t.Fatalf("not possible at %v, which it said", refused.Until)
			}
			if Allow(refused.Until.Add(-time.Nanosecond), done, b, time.Time{}, false) == nil {
				t.Fatalf("possible before %v, which it said", refused.Until)
			}
		}
		for i := range done {
			if i >= b.N && done[i].Sub(done[i-b.N]) < b.Per {
				t.Fatalf("%d restarts within %s", b.N+1, done[i].Sub(done[i-b.N]))
			}
		}
	})
}
