package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

const (
	// reaction is how soon a round follows a change in OpenClaw's store.
	reaction = time.Second
	// afterBlock is the least time between two questions about an account when
	// OpenClaw records something new of it.
	afterBlock = time.Minute
	// decideAnyway bounds how long the same evidence is not decided on again:
	// it ages, and a plan does not name each age that matters.
	decideAnyway = 10 * time.Minute
)

// Watchdog is ocwatch: its breakers, its pace and its decision, driven as its
// loop drives them. The loop itself, with its journal and its network, would
// take minutes for a week.
type Watchdog struct {
	policy   failover.Policy
	random   *rand.Rand
	pacer    *probe.Pacer
	accounts map[string]*watched
	memory   failover.Memory
	plan     failover.Plan
	decided  time.Time
	seen     []evidence // what the last decision went by

	// Heard is told every reading, where it is not nil.
	Heard func(quota.Reading)
}

// timing is the breakers' as run has it, but for the time that they settle:
// gobreaker measures it on the machine's own clock, which stands still here.
func timing() failover.BreakerTiming {
	t := failover.DefaultBreakerTiming()
	t.Settle = time.Nanosecond
	return t
}

// watched is what is known of one account.
type watched struct {
	breaker       *failover.Breaker
	latest, usage quota.Reading
	next          time.Time
	block         time.Time
	blocked       bool // a block was seen
}

// NewWatchdog returns an ocwatch with a policy; seed scatters its questions.
func NewWatchdog(policy failover.Policy, seed uint64) *Watchdog {
	return &Watchdog{policy: policy, random: draw(seed, 2), pacer: probe.NewPacer(), accounts: map[string]*watched{}}
}

// Act implements Controller: one round. Rounds in which nothing is asked and
// nothing changed are left out, since they do nothing.
func (w *Watchdog) Act(now time.Time, v View) time.Time {
	accounts := v.Accounts()
	pool := failover.Pool{Agent: "main", Provider: v.Provider(), Order: v.Order(), Memory: w.memory}
	pool.Candidates = make([]failover.Candidate, 0, len(accounts))
	seen := make([]evidence, 0, len(accounts))
	for _, a := range accounts {
		c := w.candidate(now, v, a)
		pool.Candidates = append(pool.Candidates, c)
		seen = append(seen, evidenceOf(c))
	}
	if !slices.Equal(seen, w.seen) || !now.Before(w.decided.Add(decideAnyway)) || !w.plan.NextLook.IsZero() && !now.Before(w.plan.NextLook) {
		w.seen, w.decided = seen, now
		w.decide(now, v, pool)
	}
	return w.next(now)
}

// React implements Reactor.
func (w *Watchdog) React(now time.Time) time.Time { return now.Add(reaction) }

func (w *Watchdog) decide(now time.Time, v View, pool failover.Pool) {
	w.plan = failover.Decide(now, w.policy, pool)
	w.memory = w.plan.Memory
	if w.plan.Change {
		v.SetOrder(w.plan.Order)
		w.memory, _ = failover.Confirm(now, w.plan, pool)
		w.seen = nil // the order is another one
	}
}

// candidate asks where it is time to, and joins what is known.
func (w *Watchdog) candidate(now time.Time, v View, a Account) failover.Candidate {
	k := w.accounts[a.ID]
	if k == nil {
		k = &watched{breaker: failover.NewBreaker(a.ID, failover.BreakerState{}, timing())}
		w.accounts[a.ID] = k
	}
	block := v.Block(now, a.ID)
	k.notice(block)
	if k.due(now) {
		w.ask(now, v, a, k)
	}
	return failover.Candidate{
		ID: a.ID, Account: a.ID, Paid: a.Paid, Credential: failover.CredentialUsable,
		Latest: k.latest, Usage: k.usage, Failures: k.breaker.State().Failures, Block: block,
	}
}

func (k *watched) notice(b failover.Block) {
	if soon := k.latest.At.Add(afterBlock); k.blocked && !b.Until.Equal(k.block) && soon.Before(k.next) {
		k.next = soon
	}
	k.block, k.blocked = b.Until, true
}

func (k *watched) due(now time.Time) bool {
	early := time.Duration(0)
	if k.latest.Verdict == quota.OK {
		early = min(30*time.Second, k.next.Sub(k.latest.At)/6)
	}
	return !now.Add(early).Before(k.next)
}

func (w *Watchdog) ask(now time.Time, v View, a Account, k *watched) {
	done, ok := k.breaker.Allow(now)
	if !ok {
		if k.next = k.breaker.Next(); !k.next.After(now) {
			k.next = now.Add(failover.DefaultBreakerTiming().Settle)
		}
		return
	}
	r := v.Ask(now, a)
	if r.Repeats = 1; r.Verdict == k.latest.Verdict {
		r.Repeats = k.latest.Repeats + 1
	}
	done(r)
	k.latest = r
	if w.Heard != nil {
		w.Heard(r)
	}
	if r.Verdict.Conclusive() {
		k.usage = r
	}
	who := probe.Account{Key: a.ID, Provider: r.Provider, Type: "oauth"}
	if a.Paid {
		who.Type = "api_key"
	}
	k.next = w.pacer.Next(now, who, r, probe.Watch{SwitchAt: w.policy.SwitchAt}, w.random.Float64())
}

// evidence is what of a candidate a decision may turn on, its age apart.
type evidence struct {
	latest, usage quota.Verdict
	failures      int
	block, until  time.Time
	used          [2]float64
	resets        [2]time.Time
}

func evidenceOf(c failover.Candidate) evidence {
	e := evidence{c.Latest.Verdict, c.Usage.Verdict, c.Failures, c.Block.Until, c.Usage.Until, [2]float64{}, [2]time.Time{}}
	for i, win := range c.Usage.Windows {
		e.used[i], e.resets[i] = *win.UsedPercent, win.ResetsAt
	}
	return e
}

// next is when a round is due.
func (w *Watchdog) next(now time.Time) time.Time {
	next := w.decided.Add(decideAnyway)
	for _, k := range w.accounts {
		next = earlier(next, k.next)
	}
	if !w.plan.NextLook.IsZero() {
		next = earlier(next, w.plan.NextLook)
	}
	if soonest := now.Add(time.Second); next.Before(soonest) {
		return soonest
	}
	return next
}
