package watchdog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// afterBlock is the least time between two probes of an account when OpenClaw's
// record of it changes: a refusal is worth a look, a storm of them is not.
const afterBlock = time.Minute

// maxEarly bounds how much before its time an account is asked.
const maxEarly = 30 * time.Second

// account is all that is known of one account. Profiles that bill the same
// account share it: it is asked once and counts once.
type account struct {
	breaker *failover.Breaker
	latest  quota.Reading // the newest probe
	usage   quota.Reading // the newest probe that told of the account
	next    time.Time     // when it is to be asked again
	past    past          // what it said in the last week
	asked   []time.Time   // in the last hour
	blocks  string        // OpenClaw's blocks as last seen, to notice a new one
	listed  bool          // the last snapshot had it
	onPlan  bool          // its usage is a plan's, not billed per token
	live    *liveWatch    // nil: never asked with real requests
}

// accountDoc is an account in the journal.
type accountDoc struct {
	Breaker failover.BreakerState `json:"breaker"`
	Latest  quota.Reading         `json:"latest"`
	Usage   quota.Reading         `json:"usage"`
	Next    time.Time             `json:"next"`
	OnPlan  bool                  `json:"on_plan,omitempty"`
	Live    *liveWatch            `json:"live,omitempty"`
}

func (a *account) doc() accountDoc {
	return accountDoc{Breaker: a.breaker.State(), Latest: a.latest, Usage: a.usage, Next: a.next.Round(0), OnPlan: a.onPlan, Live: a.live}
}

// due reports whether a may be asked at now. One that is well may be asked a
// little early, so that accounts with times of their own share a round. One that
// was asked in times to come may, too: the clock was set back since.
func (a *account) due(now time.Time) bool {
	if a.latest.At.After(now) {
		return true
	}
	early := time.Duration(0)
	if a.latest.Verdict == quota.OK {
		early = min(maxEarly, a.next.Sub(a.latest.At)/6)
	}
	return !now.Add(early).Before(a.next)
}

// wait puts a off until its breaker may admit a probe. An account that stayed
// due meanwhile would bring a round every MinGap.
func (a *account) wait(now time.Time, cfg Config) {
	if a.next = a.breaker.Next(); !a.next.After(now) {
		a.next = now.Add(cfg.Breaker.Settle)
	}
}

// question is one account to be asked now.
type question struct {
	account *account
	ask     probe.Account
	done    func(quota.Reading)
}

// probe asks all accounts of the snapshot that are due and returns the new
// readings.
func (w *Watchdog) probe(ctx context.Context, now time.Time, cfg Config, snap profiles.Snapshot) []quota.Reading {
	var qs []question
	live := w.liveAsks(now, cfg, snap)
	for _, ask := range w.distinct(snap) {
		a := w.account(ask.Key, cfg)
		if !a.due(now) {
			instead, ok := live[ask.Key]
			if !ok {
				continue
			}
			ask = instead
		}
		done, ok := a.breaker.Allow(now)
		if !ok && !ask.Live {
			a.wait(now, cfg)
		}
		if !ok {
			continue
		}
		qs = append(qs, question{account: a, ask: ask, done: done})
	}
	qs = w.pledge(ctx, now, qs)
	readings := w.ask(ctx, qs, cfg)
	for i, r := range readings {
		qs[i].learn(r, cfg)
	}
	return readings
}

// ask asks all questions at once. It returns nothing where ocwatch stopped
// meanwhile: that says nothing of any account. A breaker must hear of the end
// of its probe all the same, even of one that panicked: one that waits for a
// lost answer never admits another.
func (w *Watchdog) ask(ctx context.Context, qs []question, cfg Config) []quota.Reading {
	answered := false
	defer func() {
		for i := 0; !answered && i < len(qs); i++ {
			qs[i].done(quota.Reading{Verdict: quota.Unknown})
		}
	}()
	asks := make([]probe.Account, len(qs))
	for i, q := range qs {
		asks[i] = q.ask
	}
	readings := w.Prober.ProbeAll(ctx, asks, cfg.Probes)
	if ctx.Err() != nil {
		return nil
	}
	answered = true
	return readings
}

func (q question) learn(r quota.Reading, cfg Config) {
	q.done(r)
	a := q.account
	a.latest = r
	a.past.add(r)
	a.noteAsked(r.At)
	if r.Verdict.Conclusive() {
		a.usage = r
	}
	a.onPlan = failover.OnPlan(a.onPlan, r)
	a.turn(q.ask, r, cfg)
}

func (w *Watchdog) account(key string, cfg Config) *account {
	a, ok := w.accounts[key]
	if !ok {
		a = &account{breaker: failover.NewBreaker(key, failover.BreakerState{}, cfg.Breaker)}
		w.accounts[key] = a
	}
	return a
}

// distinct lists each account once, with the profile that can speak for it
// best.
func (w *Watchdog) distinct(snap profiles.Snapshot) []probe.Account {
	var out []probe.Account
	index := map[string]int{}
	usable := map[string]bool{}
	for _, pl := range snap.Pools {
		for _, p := range pl.Profiles {
			i, known := index[p.Account]
			switch {
			case !known:
				index[p.Account] = len(out)
				out = append(out, w.inquiry(pl.Agent, p))
			case p.Status == profiles.Usable && !usable[p.Account]:
				out[i] = w.inquiry(pl.Agent, p)
			}
			usable[p.Account] = usable[p.Account] || p.Status == profiles.Usable
		}
	}
	return out
}

// repace brings accounts forward whose turn a new configuration sees sooner.
func (w *Watchdog) repace(now time.Time, snap profiles.Snapshot, cfg Config) {
	n := w.reloads.Load()
	if n == w.pacedBy {
		return
	}
	w.pacedBy = n
	for _, ask := range w.distinct(snap) {
		a := w.account(ask.Key, cfg)
		if at := cfg.Next(now, ask, a.latest, rand.Float64()); at.Before(a.next) {
			a.next = at
		}
	}
}

// noticeBlocks makes accounts due about which OpenClaw recorded something new:
// it was refused just now, and the provider knows why.
func (w *Watchdog) noticeBlocks(snap profiles.Snapshot, cfg Config) {
	blocks := map[string]string{}
	for _, pl := range snap.Pools {
		for _, p := range pl.Profiles {
			blocks[p.Account] += fmt.Sprint(pl.Agent, p.ID, p.Block.Until.UnixMilli(), ";")
		}
	}
	for _, ask := range w.distinct(snap) {
		a, b := w.account(ask.Key, cfg), blocks[ask.Key]
		if soon := a.soonest(ask); a.blocks != "" && a.blocks != b && soon.Before(a.next) {
			a.next = soon
		}
		a.blocks = b
	}
}

// soonest is when a may be asked again because OpenClaw was refused. Others ask
// the same endpoint, and its provider counts them all: the hourly budget holds
// whatever happens, with room for a round that takes a along.
func (a *account) soonest(ask probe.Account) time.Time {
	soon := a.latest.At.Add(afterBlock)
	if n := len(a.asked) - probe.PaceOf(ask.Provider, ask.Type).Hourly; n >= 0 {
		if free := a.asked[n].Add(time.Hour + maxEarly); free.After(soon) {
			return free
		}
	}
	return soon
}

// noteAsked remembers that a was asked, for an hour.
func (a *account) noteAsked(at time.Time) {
	a.asked = append(slices.DeleteFunc(a.asked, func(t time.Time) bool { return t.After(at) || at.Sub(t) >= time.Hour+maxEarly }), at)
}

func (w *Watchdog) inquiry(agent string, p profiles.Profile) probe.Account {
	return p.Inquiry(w.Source.TokenSource(agent, p.ID))
}

// candidate joins what the store, the probes and the breaker know of p.
func (w *Watchdog) candidate(p profiles.Profile) failover.Candidate {
	c := failover.Candidate{
		ID: p.ID, Account: p.Account, Paid: p.Paid(), Key: p.Type == profiles.APIKey,
		Credential: credential(p.Status), CredentialReason: p.Reason,
		Block: failover.Block{
			Until: p.Block.Until, Reason: p.Block.Reason, Transient: p.Block.Kind == profiles.Cooldown,
			Failed: p.Block.Failed,
		},
	}
	if p.Type == profiles.Token {
		c.ExpiresAt = p.ExpiresAt // nothing renews it
	}
	if a := w.accounts[p.Account]; a != nil {
		c.Paid = c.Paid && !a.onPlan
		c.Latest, c.Usage, c.Failures = a.latest, a.usage, a.breaker.State().Failures
	}
	return c
}

func credential(s profiles.Status) failover.Credential {
	switch s {
	case profiles.LoginRequired:
		return failover.CredentialLoginRequired
	case profiles.Stale, profiles.Refreshing, profiles.Unreadable:
		return failover.CredentialUnreadable
	case profiles.Usable:
	}
	return failover.CredentialUsable
}
