package failover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

var t0 = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// world is a pool under test: what a step leaves out stays as it was.
type world struct {
	policy Policy
	pool   Pool
	now    time.Time
}

func newWorld(ids ...string) *world {
	w := &world{policy: DefaultPolicy(), now: t0}
	w.pool = Pool{Agent: "main", Provider: "openai", Order: slices.Clone(ids)}
	for _, id := range ids {
		w.pool.Candidates = append(w.pool.Candidates, Candidate{
			ID: id, Account: "acct-" + id, Paid: id == "key", Credential: CredentialUsable,
		})
	}
	return w
}

func (w *world) at(id string) *Candidate {
	if c := w.find(id); c != nil {
		return c
	}
	panic("no candidate " + id)
}

// login gives the pool a profile of account, which OpenClaw puts first in an
// order that somebody set.
func (w *world) login(id, account string) {
	if c := w.find(id); c != nil {
		c.Account = account
	} else {
		w.pool.Candidates = append(w.pool.Candidates, Candidate{ID: id, Account: account, Credential: CredentialUsable})
	}
	w.share(id)
	if len(w.pool.Order) > 0 {
		w.pool.Order = append([]string{id}, without(w.pool.Order, id)...)
	}
}

// share gives a profile what is known of its account.
func (w *world) share(id string) {
	c := w.at(id)
	c.Latest, c.Usage, c.Failures = quota.Reading{}, quota.Reading{}, 0
	for _, other := range w.pool.Candidates {
		if other.ID != id && other.Account == c.Account {
			c.Latest, c.Usage, c.Failures = other.Latest, other.Usage, other.Failures
		}
	}
}

func (w *world) find(id string) *Candidate {
	for i := range w.pool.Candidates {
		if w.pool.Candidates[i].ID == id {
			return &w.pool.Candidates[i]
		}
	}
	return nil
}

func (w *world) read(id string, r quota.Reading) {
	c := w.at(id)
	r.At = w.now
	c.Latest = r
	switch {
	case r.Verdict.Conclusive():
		c.Usage, c.Failures = r, 0
	case r.Verdict == quota.Unreachable:
		c.Failures++
	default:
		c.Failures = 0
	}
}

// decide runs one round, as the watchdog does: a change is confirmed unless
// fail is set.
func (w *world) decide(fail bool) (Plan, []event.Event) {
	plan := Decide(w.now, w.policy, w.pool)
	evs := plan.Events
	w.pool.Memory, w.pool.LoggedIn = plan.Memory, nil
	switch {
	case plan.Change && fail:
		w.pool.Memory = Failed(w.now, plan)
	case plan.Change:
		var more []event.Event
		w.pool.Memory, more = Confirm(w.now, plan, w.pool)
		w.pool.Order = slices.Clone(plan.Order)
		evs = append(evs, more...)
	}
	return plan, evs
}

func used(p float64) quota.Reading {
	return quota.Reading{Verdict: quota.OK, Windows: []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(p), ResetsAt: t0.Add(5 * time.Hour)}}}
}

func spent(until time.Duration) quota.Reading {
	r := quota.Reading{Verdict: quota.Exhausted, Reason: "5h window 100 % used"}
	if until != 0 {
		r.Until = t0.Add(until)
	}
	return r
}

func says(v quota.Verdict) quota.Reading { return quota.Reading{Verdict: v, Reason: string(v)} }

func resetsIn(p float64, in time.Duration) quota.Reading {
	r := used(p)
	r.Windows[0].ResetsAt = t0.Add(in)
	return r
}

func modelWindow(p float64, model string) quota.Reading {
	r := used(p)
	r.Windows[0].Scope = model
	return r
}

type step struct {
	after time.Duration // since the last step
	reads map[string]quota.Reading
	do    func(*world)
	fail  bool
	order string // expected plan order; "" where nobody must set one
	// change is expected when change is not "": "no", "yes".
	change string
	reason string // a part of it
	events string // types, blank separated
	says   string // a part of the first event's reason
	state  PoolState
}

type reads = map[string]quota.Reading

const minute = time.Minute

func TestDecide(t *testing.T) {
	abc := []string{"alice", "bob", "carol"}
	for _, tc := range slices.Concat(decideCases(abc), loginCases(abc), depletedCases(abc), expiryCases(), strategyCases(abc), reserveCases(abc), secondCases(abc), fieldCases(abc), trustCases(), personCases(abc), pinCases(abc), billingCases(), unsupportedCases()) {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(tc.ids...)
			if tc.setup != nil {
				tc.setup(w)
			}
			for i, s := range tc.steps {
				w.now = w.now.Add(s.after)
				if s.do != nil {
					s.do(w)
				}
				for _, id := range w.pool.ids() {
					if r, ok := s.reads[id]; ok {
						w.read(id, r)
					}
				}
				plan, evs := w.decide(s.fail)
				s.check(t, i, plan, evs)
			}
		})
	}
}

func (s step) check(t *testing.T, i int, plan Plan, evs []event.Event) {
	t.Helper()
	if got := strings.Join(plan.Order, " "); s.order != "" && got != s.order {
		t.Errorf("step %d: order %q, want %q (%s)", i, got, s.order, plan.Reason)
	}
	if want := s.change == "yes"; s.change != "" && plan.Change != want {
		t.Errorf("step %d: change %v, want %v (%s)", i, plan.Change, want, plan.Reason)
	}
	if !strings.Contains(plan.Reason, s.reason) {
		t.Errorf("step %d: reason %q, want it to contain %q", i, plan.Reason, s.reason)
	}
	if got := typesOf(evs); got != s.events {
		t.Errorf("step %d: events %q, want %q", i, got, s.events)
	}
	if s.says != "" && (len(evs) == 0 || !strings.Contains(evs[0].Data.Reason, s.says)) {
		t.Errorf("step %d: %+v does not say %q", i, evs, s.says)
	}
	if s.state != "" && plan.State != s.state {
		t.Errorf("step %d: state %s, want %s", i, plan.State, s.state)
	}
}

func typesOf(evs []event.Event) string {
	var out []string
	for _, e := range evs {
		name := string(e.Type)
		if e.Data.Profile != "" {
			name += ":" + e.Data.Profile
		}
		if e.Data.Action != "" {
			name += ":" + e.Data.Action
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func ExampleDecide() {
	w := newWorld("alice", "bob")
	w.read("alice", used(96))
	w.read("bob", used(12))
	plan := Decide(w.now, w.policy, w.pool)
	fmt.Println(plan.Order, plan.Reason)
	// Output: [bob alice] alice is low (5h window 96 % used); next is bob (5h window 12 % used)
}
