package failover

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func pinOn(id string, lasts time.Duration) func(*world) {
	return func(w *world) {
		w.pool.Pin = Pin{Profile: id, Since: w.now}
		if lasts > 0 {
			w.pool.Pin.Until = w.now.Add(lasts)
		}
	}
}

func pinCases(abc []string) []decideCase {
	healthy := reads{"alice": used(10), "bob": used(20), "carol": used(30)}
	return []decideCase{
		{"a pinned profile goes first at once", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: pinOn("carol", 0), change: "yes", order: "carol alice bob", reason: "carol is pinned by a person", events: "pool.switched"},
			{after: minute, do: pinOn("bob", 0), change: "yes", order: "bob alice carol", events: "pool.switched"},
			{after: minute, change: "no", reason: "bob is first and pinned by a person"},
		}},
		{"it is not left for being low", abc, nil, []step{
			{reads: healthy, do: pinOn("carol", 0), change: "yes", events: "pool.switched"},
			{after: 10 * minute, reads: reads{"carol": used(97)}, change: "no", order: "carol alice bob", events: "profile.low:carol"},
		}},
		{"spent it is left, and come back to", abc, nil, []step{
			{reads: healthy, do: pinOn("carol", 0), change: "yes", events: "pool.switched"},
			{after: minute, reads: reads{"carol": spent(time.Hour)}, change: "yes", order: "alice bob carol", events: "profile.exhausted:carol pool.switched"},
			{after: minute, reads: reads{"carol": used(1)}, change: "no", reason: "carol is pinned by a person", events: "profile.recovered:carol"},
			{after: 5 * minute, change: "yes", order: "carol alice bob", events: "pool.switched"},
		}},
		{"it ends by itself", abc, nil, []step{
			{reads: healthy, do: pinOn("carol", time.Hour), change: "yes", events: "pool.switched"},
			{after: time.Hour - minute, change: "no"},
			{after: minute, change: "yes", order: "alice bob carol", reason: "alice is available and preferred", events: "pool.switched"},
		}},
		{"somebody's order ends it", abc, nil, []step{
			{reads: healthy, do: pinOn("carol", 0), change: "yes", events: "pool.switched"},
			{after: 10 * minute, do: func(w *world) { w.pool.Order = []string{"bob", "alice", "carol"} }, change: "no", order: "bob alice carol"},
		}},
		{"paused: it says what it would do", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: func(w *world) { w.pool.Paused = true }, reads: reads{"alice": spent(time.Hour)}, change: "no", reason: "; ocwatch is paused", events: "profile.exhausted:alice"},
			{after: minute, do: func(w *world) { w.pool.Paused = false }, change: "yes", order: "bob carol alice", events: "pool.switched"},
		}},
	}
}

// TestPinInvariants: whatever is pinned, no exhausted profile goes before an
// available one, and while ocwatch is paused nothing is changed.
func TestPinInvariants(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			churn(t, w)
			if rapid.IntRange(0, 3).Draw(t, "pins") == 0 {
				w.pool.Pin = Pin{Profile: rapid.SampledFrom(w.pool.ids()).Draw(t, "pin"), Since: w.now}
			}
			w.pool.Paused = rapid.IntRange(0, 4).Draw(t, "paused") == 0
			before := w.pool
			plan, _ := w.decide(false)
			w.pool.Pin = plan.Pin
			if !before.Paused {
				checkOrder(t, w, before, plan)
			}
			if before.Paused && plan.Change {
				t.Fatalf("paused, and changed to %v", plan.Order)
			}
			state := func(id string) State {
				return plan.Profiles[slices.IndexFunc(plan.Profiles, func(a Assessment) bool { return a.ID == id })].State
			}
			if plan.Change && plan.Pin.Profile == head(plan.Order) && state(head(plan.Order)) == Exhausted && plan.State != PoolDepleted {
				t.Fatalf("%s is spent and pinned first", plan.Pin.Profile)
			}
		}
	})
}
