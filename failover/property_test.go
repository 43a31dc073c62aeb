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
		if rapid.Bool().Draw(t, "weekly") {
			week := now.Add(time.Duration(rapid.IntRange(-1, 7*24).Draw(t, "week resets")) * time.Hour)
			r.Windows = append(r.Windows, quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(float64(rapid.IntRange(0, 100).Draw(t, "week used"))), ResetsAt: week})
		}
	case quota.Exhausted:
		if rapid.Bool().Draw(t, "has reset") {
			r.Until = reset
		}
	default:
	}
	return r
}

// everyStrategy checks a property under each strategy.
func everyStrategy(t *testing.T, property func(*rapid.T, *world)) {
	t.Helper()
	for _, s := range Strategies() {
		t.Run(string(s), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { property(t, drawWorld(t, s)) })
		})
	}
}

func drawWorld(t *rapid.T, s Strategy) *world {
	ids := []string{"alice", "bob", "carol", "dave", "key"}[rapid.IntRange(0, 4).Draw(t, "from"):]
	w := newWorld(ids...)
	w.policy.Strategy = s
	if len(ids) > 2 && rapid.IntRange(0, 2).Draw(t, "twins") == 0 {
		w.pool.Candidates[1].Account = w.pool.Candidates[0].Account
	}
	if rapid.IntRange(0, 2).Draw(t, "reserve") == 0 {
		w.policy.Keep = map[string]float64{ids[0]: float64(rapid.IntRange(1, 50).Draw(t, "keep"))}
	}
	if rapid.IntRange(0, 2).Draw(t, "configured") == 0 {
		w.policy.Prefer = rapid.Permutation(ids).Draw(t, "prefer")
	}
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
	everyStrategy(t, func(t *rapid.T, w *world) {
		logins := 0
		var writes []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, w)
			before := w.pool
			plan, evs := w.decide(rapid.IntRange(0, 9).Draw(t, "fails") == 0)
			checkOrder(t, w, before, plan)
			checkPure(t, w, before, plan)
			checkDwell(t, w, before, plan)
			logins = checkLogins(t, plan, evs, logins)
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

// checkLogins: a login is asked for only while the pool is depleted, and once an
// episode. It returns how often it was asked for in the present one.
func checkLogins(t *rapid.T, plan Plan, evs []event.Event, logins int) int {
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
	return logins
}

// checkDwell: a first profile that can serve is not left within the dwell.
func checkDwell(t *rapid.T, w *world, before Pool, plan Plan) {
	was := head(before.current())
	i := slices.IndexFunc(plan.Profiles, func(a Assessment) bool { return a.ID == was })
	if !plan.Change || head(plan.Order) == was || !plan.Profiles[i].Serves() || plan.Profiles[i].Paid && w.policy.Paid == PaidNever {
		return
	}
	if since := w.now.Sub(plan.Memory.SwitchedAt); since < w.policy.MinDwell {
		t.Fatalf("left after %s: %s", since, plan.Reason)
	}
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
			if states[x] == Exhausted && states[y] == Available && plan.State != PoolBlind && !held {
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
	everyStrategy(t, func(t *rapid.T, w *world) {
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
	everyStrategy(t, func(t *rapid.T, w *world) {
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

// renew reads again what was read last.
func (w *world) renew() {
	for i := range w.pool.Candidates {
		if c := &w.pool.Candidates[i]; c.Latest.Verdict != "" {
			w.read(c.ID, c.Latest)
		}
	}
}

// TestSteadyReachesFixpoint: a world that stands still is soon left alone, and
// nobody is told of it any more.
func TestSteadyReachesFixpoint(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		far := w.now.Add(30 * day)
		for i := range w.pool.Candidates {
			c := &w.pool.Candidates[i]
			c.Block = Block{}
			if pm := w.pool.Memory.Profiles[c.ID]; !pm.LowReset.IsZero() {
				pm.LowReset = far
				w.pool.Memory.Profiles[c.ID] = pm
			}
			for _, r := range []*quota.Reading{&c.Latest, &c.Usage} {
				for j := range r.Windows {
					r.Windows[j].ResetsAt = far
				}
				if !r.Until.IsZero() {
					r.Until = far
				}
			}
		}
		for minutes := range 90 {
			w.now = w.now.Add(time.Minute)
			w.renew()
			// Each profile may lead to one step, each a dwell after the last.
			if p, evs := w.decide(false); minutes > 30 && (p.Change || len(evs) > 0) {
				t.Fatalf("after %d minutes of nothing: %s, %s", minutes, p.Reason, typesOf(evs))
			}
		}
	})
}

// TestPersonIsNeverFought: what somebody put first stays there as long as it
// serves no worse than it did then.
func TestPersonIsNeverFought(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		w.policy.Paid = PaidLast
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		theirs := rapid.Permutation(w.pool.ids()).Draw(t, "their order")
		if slices.Equal(theirs, w.pool.Order) {
			t.Skip("no change")
		}
		w.pool.Order = theirs
		first := w.at(theirs[0])
		first.Block = Block{}
		w.read(theirs[0], rapid.SampledFrom([]quota.Reading{resetsIn(5, 90*day), resetsIn(60, 90*day), resetsIn(97, 90*day), says(quota.Unsupported)}).Draw(t, "serves"))
		if first.Latest.Verdict == quota.Unsupported {
			first.Usage = quota.Reading{}
		}
		p, _ := w.decide(false)
		if !p.Adopted {
			t.Fatalf("not taken for a wish: %v", theirs)
		}
		for range rapid.IntRange(0, 20).Draw(t, "rounds") {
			if head(w.pool.Order) != theirs[0] {
				t.Fatalf("%s was put first, now it is %v: %s", theirs[0], w.pool.Order, p.Reason)
			}
			keep := *first
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "minutes")) * time.Minute)
			for _, id := range w.pool.ids()[:len(w.pool.Candidates)] {
				if id != theirs[0] && rapid.Bool().Draw(t, "asked") {
					w.read(id, drawReading(t, w.now))
				}
			}
			*first = keep
			w.read(theirs[0], first.Latest)
			p, _ = w.decide(false)
		}
	})
}

// TestSecondPlace: OpenClaw tries the second and no third, so in an order of
// ours nothing better stands behind it for longer than a dwell.
func TestSecondPlace(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		w.now = w.now.Add(time.Hour)
		w.renew()
		w.decide(false)
		w.now = w.now.Add(w.policy.MinDwell)
		w.renew()
		p, _ := w.decide(false)
		if len(p.Order) < 3 || p.State == PoolBlind || !w.pool.Memory.Ours {
			t.Skip("no second place to judge")
		}
		states, d := map[string]Assessment{}, decision{pool: w.pool}
		for _, a := range p.Profiles {
			states[a.ID] = a
		}
		account := func(id string) string { return d.candidate(id).Account }
		second := states[p.Order[1]]
		flawed := second.Sure && second.State == Low || second.Paid || !second.Serves() || second.Sure && account(second.ID) == account(p.Order[0])
		for _, id := range p.Order[2:] {
			third := states[id]
			if flawed && third.State == Available && !third.Shunned && !third.Paid && account(id) != account(p.Order[0]) {
				t.Fatalf("%s (%s) stands before %s: %v, %s", second.ID, second.State, id, p.Order, p.Reason)
			}
		}
	})
}

// TestPaidIsLastAndTold: ocwatch goes over to what is billed per token only when
// no subscription can serve, never where the owner said never, and each time
// somebody is told.
func TestPaidIsLastAndTold(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		if len(w.pool.Candidates) < 2 {
			t.Skip("nothing but a key")
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, w)
			was := head(w.pool.current())
			plan, evs := w.decide(false)
			spills := plan.Change && head(plan.Order) == "key" && was != "key"
			if told := slices.ContainsFunc(evs, func(e event.Event) bool { return e.Type == event.PoolPaid }); told != spills {
				t.Fatalf("goes over to the key: %v, told: %v (%s)", spills, told, plan.Reason)
			}
			if !spills {
				continue
			}
			if w.policy.Paid == PaidNever {
				t.Fatalf("paid: never, and the key goes first: %s", plan.Reason)
			}
			for _, a := range plan.Profiles {
				if !a.Paid && a.Serves() {
					t.Fatalf("%s is %s, and the key goes first: %s", a.ID, a.State, plan.Reason)
				}
			}
		}
	})
}

// TestReserveIsKept: a profile on its reserve goes first only when no other
// subscription is known to serve.
func TestReserveIsKept(t *testing.T) {
	everyStrategy(t, func(t *rapid.T, w *world) {
		w.policy.Keep = map[string]float64{w.pool.ids()[0]: float64(rapid.IntRange(5, 50).Draw(t, "keep"))}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, w)
			was := head(w.pool.current())
			plan, _ := w.decide(false)
			if !plan.Change || head(plan.Order) == was {
				continue
			}
			as := map[string]Assessment{}
			for _, a := range plan.Profiles {
				as[a.ID] = a
			}
			if !as[head(plan.Order)].Reserve {
				continue
			}
			for id, a := range as {
				if a.Sure && a.Serves() && !a.Paid && !a.Reserve && a.State != Unknown {
					t.Fatalf("%s is %s, and the reserve of %s is used: %s", id, a.State, head(plan.Order), plan.Reason)
				}
			}
		}
	})
}
