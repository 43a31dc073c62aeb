package failover

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// drawReading draws anything a probe may say.
func drawReading(t *rapid.T, now time.Time) quota.Reading {
	v := rapid.SampledFrom([]quota.Verdict{
		quota.OK, quota.OK, quota.OK, quota.Exhausted, quota.Exhausted, quota.Throttled, quota.Stale, quota.Revoked,
		quota.Billing, quota.Unsupported, quota.Unreachable, quota.Unreachable, quota.Unknown,
	}).Draw(t, "verdict")
	r := quota.Reading{Verdict: v, At: now}
	reset := now.Add(time.Duration(rapid.IntRange(-60, 600).Draw(t, "reset")) * time.Minute)
	switch v {
	case quota.OK:
		r.Windows = []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(float64(rapid.IntRange(0, 100).Draw(t, "used"))), ResetsAt: reset}}
	case quota.Exhausted:
		if rapid.Bool().Draw(t, "has reset") {
			r.Until = reset
		}
	default:
	}
	return r
}

func drawWorld(t *rapid.T) *world {
	ids := []string{"alice", "bob", "carol", "dave", "key"}[rapid.IntRange(0, 4).Draw(t, "from"):]
	w := newWorld(ids...)
	if rapid.IntRange(0, 3).Draw(t, "order") == 0 {
		w.pool.Order = nil
	}
	if rapid.IntRange(0, 3).Draw(t, "paid") == 0 {
		w.policy.Paid = PaidNever
	}
	w.policy.RemindEvery = 0
	return w
}

// churn changes the world by one step.
func churn(t *rapid.T, w *world) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(30, 1200).Draw(t, "elapsed")) * time.Second)
	for i := range w.pool.Candidates {
		c := &w.pool.Candidates[i]
		if rapid.Bool().Draw(t, "asked") {
			w.read(c.ID, drawReading(t, w.now))
		}
		if rapid.IntRange(0, 9).Draw(t, "blocked") == 0 {
			c.Block = Block{
				Until:     w.now.Add(time.Duration(rapid.IntRange(-10, 120).Draw(t, "block")) * time.Minute),
				Transient: rapid.Bool().Draw(t, "transient"),
			}
		}
	}
	if rapid.IntRange(0, 14).Draw(t, "person") == 0 {
		w.pool.Order = rapid.Permutation(w.pool.ids()).Draw(t, "their order")
	}
}

func TestDecideInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		logins := 0
		var writes []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, w)
			before := w.pool
			plan, evs := w.decide(rapid.IntRange(0, 9).Draw(t, "fails") == 0)
			checkOrder(t, w, before, plan)
			checkPure(t, w, before, plan)
			for _, e := range evs {
				switch {
				case e.Type == event.PoolDepleted && e.Data.Action == event.ActionLogin:
					logins++
					if plan.State != PoolDepleted {
						t.Fatalf("login asked for in state %s", plan.State)
					}
				case e.Type == event.PoolRecovered:
					logins = 0
				}
			}
			if logins > 1 {
				t.Fatal("login asked for twice in an episode")
			}
			if plan.Change {
				writes = append(writes, w.now)
			}
		}
		for i, at := range writes {
			hour := slices.DeleteFunc(slices.Clone(writes[i:]), func(x time.Time) bool { return x.Sub(at) > time.Hour })
			// The forced budget, and then one a dwell.
			if len(hour) > forcedBudget+int(time.Hour/w.policy.MinDwell)+1 {
				t.Fatalf("%d changes within an hour", len(hour))
			}
		}
	})
}

func checkOrder(t *rapid.T, w *world, before Pool, plan Plan) {
	want := before.ids()
	if w.policy.Paid == PaidNever && len(want) > 1 {
		want = slices.DeleteFunc(want, func(id string) bool { return id == "key" })
	}
	got := slices.Clone(plan.Order)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("order %v is no permutation of %v", plan.Order, want)
	}
	states := map[string]State{}
	for _, a := range plan.Profiles {
		states[a.ID] = a.State
	}
	held := w.now.Before(before.Memory.RetryAt) || len(before.Memory.Writes) >= forcedBudget
	for i, x := range plan.Order {
		for _, y := range plan.Order[i+1:] {
			if states[x] == Exhausted && states[y] == Available && plan.State != PoolBlind && !held && y != "key" && x != "key" {
				t.Fatalf("exhausted %s before available %s: %s", x, y, plan.Reason)
			}
		}
	}
	if plan.State == PoolBlind && plan.Change {
		t.Fatal("blind and acting")
	}
}

// checkPure: equal input gives equal output, the input is left alone, the
// memory survives JSON, and the outcome is a fixpoint.
func checkPure(t *rapid.T, w *world, before Pool, plan Plan) {
	again := Decide(w.now, w.policy, before)
	if !reflect.DeepEqual(again, plan) {
		t.Fatalf("equal input, other plan:\n%+v\n%+v", plan, again)
	}
	stored := before
	doc, err := json.Marshal(before.Memory)
	if err != nil {
		t.Fatal(err)
	}
	stored.Memory = Memory{}
	if err := json.Unmarshal(doc, &stored.Memory); err != nil {
		t.Fatal(err)
	}
	if p := Decide(w.now, w.policy, stored); !slices.Equal(p.Order, plan.Order) || p.Change != plan.Change || p.Reason != plan.Reason {
		t.Fatalf("memory changed by JSON: %v %q, then %v %q", plan.Order, plan.Reason, p.Order, p.Reason)
	}
	next := Decide(w.now, w.policy, w.pool)
	if next.Change || len(next.Events) > 0 {
		t.Fatalf("no fixpoint: after %q comes %q with %v", plan.Reason, next.Reason, typesOf(next.Events))
	}
}

// TestUnknownMovesNothing: a settled pool stays as it is when readings turn
// into ones that say nothing.
func TestUnknownMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		if p := Decide(w.now, w.policy, w.pool); p.Change || p.State == PoolBlind {
			t.Skip("not settled")
		}
		for i := range w.pool.Candidates {
			c := &w.pool.Candidates[i]
			// That usage cannot be read is knowledge too.
			if c.Latest.Verdict != quota.Unsupported && rapid.Bool().Draw(t, "unknown") {
				c.Latest = quota.Reading{At: w.now, Verdict: rapid.SampledFrom([]quota.Verdict{quota.Unknown, quota.Throttled, quota.Stale}).Draw(t, "verdict")}
				c.Failures = 0
			}
		}
		if p := Decide(w.now, w.policy, w.pool); p.Change {
			t.Fatalf("moved by nothing but unknowns: %v: %s", p.Order, p.Reason)
		}
	})
}

// TestAllUnreachableIsBlind: whatever was known, a world that cannot be
// reached is left alone.
func TestAllUnreachableIsBlind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		for range rapid.IntRange(1, 10).Draw(t, "rounds") {
			w.now = w.now.Add(time.Minute)
			for _, id := range w.pool.ids() {
				w.read(id, quota.Reading{Verdict: quota.Unreachable})
			}
			if p, _ := w.decide(false); p.Change || p.State != PoolBlind {
				t.Fatalf("state %s, change %v", p.State, p.Change)
			}
		}
	})
}
