package failover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const spark = "spark"

// tick is what resets are whole multiples of, so that none is nearly another.
const tick = 10 * time.Minute

// drawUsage draws what a usage endpoint says: windows by which the account is
// fresh, low or spent, and the verdict that a probe makes of them.
func drawUsage(t *rapid.T, now time.Time, models []string) quota.Reading {
	in := func(most int, what string) time.Time {
		return now.Truncate(tick).Add(time.Duration(rapid.IntRange(1, most/10).Draw(t, what)) * tick)
	}
	r := quota.Reading{Verdict: quota.OK, At: now, Windows: []quota.Window{
		{Name: quota.FiveHour, Length: 5 * time.Hour, ResetsAt: in(300, "5h resets")},
		{Name: quota.Weekly, Length: 7 * 24 * time.Hour, ResetsAt: in(7*24*60, "week resets")},
	}}
	if rapid.IntRange(0, 3).Draw(t, "scoped") == 0 {
		r.Windows = append(r.Windows, quota.Window{Name: quota.FiveHour, Length: 5 * time.Hour, Scope: spark, ResetsAt: in(300, "scoped resets")})
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		p := float64(rapid.SampledFrom([]int{0, 5, 20, 40, 60, 70, 74, 79, 81, 89, 90, 91, 95, 100}).Draw(t, "used"))
		w.UsedPercent = &p
		if p >= 100 && (w.Scope == "" || slices.Contains(models, w.Scope)) {
			r.Verdict, r.Until = quota.Exhausted, later(r.Until, w.ResetsAt)
		}
	}
	return r
}

func drawSettled(t *rapid.T) *world {
	ids := []string{"alice", "bob", "carol", "dave", "key"}[rapid.IntRange(0, 3).Draw(t, "from"):]
	w := newWorld(ids...)
	w.policy.Strategy = rapid.SampledFrom(Strategies()).Draw(t, "strategy")
	w.policy.MinDwell = time.Duration(rapid.SampledFrom([]int{5, 30, 120}).Draw(t, "dwell")) * time.Minute
	w.policy.Keep = map[string]float64{"dave": float64(rapid.SampledFrom([]int{0, 10, 30}).Draw(t, "keep"))}
	if rapid.Bool().Draw(t, "listed") {
		w.policy.Models = []string{spark}
	}
	w.pool.Order = rapid.Permutation(ids).Draw(t, "order")
	if rapid.Bool().Draw(t, "prefer") {
		w.policy.Prefer = rapid.Permutation(ids).Draw(t, "preferred")
	}
	return w
}

// learn changes what is known of c. What was reset since it was read is read
// anew, as the watchdog does.
func learn(t *rapid.T, w *world, c *Candidate) {
	passed := slices.ContainsFunc(c.Usage.Windows, func(q quota.Window) bool { return !q.ResetsAt.After(w.now) })
	if c.ID == "bob" && c.Latest.Verdict == quota.Unsupported || c.ID == "bob" && c.Latest.Verdict == "" && rapid.Bool().Draw(t, "unsupported") {
		w.read(c.ID, quota.Reading{Verdict: quota.Unsupported})
		if rapid.IntRange(0, 3).Draw(t, "blocked") == 0 {
			c.Block = Block{Until: w.now.Truncate(tick).Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "block")) * tick), Reason: "subscription_limit"}
		}
		return
	}
	switch k := rapid.IntRange(0, 19).Draw(t, "learned"); {
	case passed || k < 10:
		w.read(c.ID, drawUsage(t, w.now, w.policy.Models))
	case k < 11:
		w.read(c.ID, says(quota.Revoked))
	case k < 12:
		w.read(c.ID, says(quota.Billing))
	case k < 14:
		w.read(c.ID, says(rapid.SampledFrom([]quota.Verdict{quota.Stale, quota.Throttled, quota.Unknown}).Draw(t, "nothing")))
	}
}

// TestOracleAgrees compares the decision with a model of it that was written
// from the design alone, over worlds that are known well enough for the
// design to say who is first.
func TestOracleAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawSettled(t)
		o := &oracle{policy: w.policy, preferred: append(slices.Clone(w.policy.Prefer), w.pool.Order...), low: map[string]time.Time{}}
		if len(w.policy.Prefer) == 0 && w.pool.Order[0] == "key" {
			o.person, o.forgiven = "key", true // put there before anybody watched
		}
		var told []string
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(6, 90).Draw(t, "minutes")) * time.Minute)
			if before := w.pool.Order; len(told) > 0 && rapid.IntRange(0, 9).Draw(t, "person") == 0 {
				w.pool.Order = rapid.Permutation(w.pool.ids()).Draw(t, "their order")
				if !slices.Equal(before, w.pool.Order) {
					o.preferred, o.person, o.forgiven = w.pool.Order, w.pool.Order[0], true
					if before[0] != w.pool.Order[0] {
						o.switched = w.now
					}
				}
			}
			for i := range w.pool.Candidates {
				learn(t, w, &w.pool.Candidates[i])
			}
			was := w.pool.Order
			want := o.first(w.now, was, w.pool.Candidates)
			plan, _ := w.decide(false)
			told = append(told, fmt.Sprintf("%s %v -> %v: %s", w.now.Format("02 15:04"), was, plan.Order, plan.Reason))
			for _, a := range plan.Profiles {
				told = append(told, fmt.Sprintf("    %s %s (%s) left %g renews %s", a.ID, a.State, a.Reason, a.Left, a.Renews.Format("02 15:04")))
			}
			if plan.Order[0] != want {
				t.Fatalf("%s: first is %s, the oracle says %s\n%s", w.policy.Strategy, plan.Order[0], want, strings.Join(told, "\n"))
			}
		}
	})
}
