package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// Plan is what a pool should look like, and why.
type Plan struct {
	Agent    string
	Provider string
	State    PoolState
	// Order is the order that should be in force.
	Order []string
	// Change tells that Order is not in force and is to be set now.
	Change bool
	// Adopted tells that somebody else's order became the preference.
	Adopted bool
	// Promoted tells that OpenClaw put the profile of a fresh login first.
	Promoted bool
	// Reason is one sentence: why Order is as it is.
	Reason string
	// Profiles are the assessments, in the order in force.
	Profiles []Assessment
	// RecoversAt is the earliest known return of a spent profile; zero: none.
	RecoversAt time.Time
	// NextLook is when the decision may change without new evidence; zero:
	// never.
	NextLook time.Time
	// Events are to be sent whether or not the change succeeds.
	Events []event.Event
	// Pin is what is left of the pool's.
	Pin Pin
	// Memory goes into the next decision. Where Change is set, it is to be
	// stored before the order is set, and run through Confirm or Failed after.
	Memory Memory
}

// Describe brings what an event says of the pool up to this plan: one that was
// held back shall not tell of an hour ago.
func (p Plan) Describe(data event.Data) event.Data {
	data.Reason, data.RecoversAt, data.Order = p.Reason, timePtr(p.RecoversAt), p.Order
	data.Profiles = profilesOf(p.Profiles)
	return data
}

// decision is the work in progress of one Decide.
type decision struct {
	now    time.Time
	policy Policy
	pool   Pool
	m      Memory
	as     map[string]Assessment
	plan   Plan
}

// Decide says what order the pool's profiles should have at now. It is a pure
// function: equal input gives an equal Plan.
func Decide(now time.Time, policy Policy, pool Pool) Plan {
	d := &decision{now: now.UTC().Round(0), policy: policy, pool: pool, m: pool.Memory.clone()}
	d.plan = Plan{Agent: pool.Agent, Provider: pool.Provider}
	d.m.noticeLogins(d.now, pool)
	var by author
	d.plan.Events, by = d.m.reconcile(d.now, policy, pool)
	d.plan.Adopted, d.plan.Promoted = by == somebody, by == aLogin
	d.keepPin(by)
	d.assessAll()
	d.plan.State = d.poolState()
	d.decideOrder()
	d.tell()
	d.plan.NextLook = d.nextLook()
	d.plan.Memory = d.m
	return d.plan
}

func (d *decision) assessAll() {
	d.as = make(map[string]Assessment, len(d.pool.Candidates))
	for _, c := range d.pool.Candidates {
		pm := d.m.Profiles[c.ID]
		pm.Expiry.track(d.now, c.ExpiresAt)
		a := assess(d.now, d.policy, c, &pm)
		d.m.Profiles[c.ID] = pm
		d.as[c.ID] = a
		if d.m.Chosen == c.ID && !d.excused(a) {
			d.m.Chosen = ""
		}
		if d.m.Held == c.ID && (a.State == Low && d.m.Chosen != c.ID || !a.Serves()) {
			d.m.Held = ""
		}
	}
	for _, id := range d.pool.current() {
		d.plan.Profiles = append(d.plan.Profiles, d.as[id])
	}
}

// excused reports whether a has a flaw that a person's choice outweighs.
func (d *decision) excused(a Assessment) bool {
	return a.Serves() && (a.State == Low || d.pool.paidAmongFree(a.ID))
}

// allowed are the profiles that the policy lets into the order. A pool of
// nothing but paid profiles keeps them: never is meant for spilling over.
func (d *decision) allowed(ids []string) []string {
	if d.policy.Paid != PaidNever || !slices.ContainsFunc(d.pool.Candidates, func(c Candidate) bool { return !c.Paid }) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return d.as[id].Paid })
}

func (d *decision) poolState() PoolState {
	ids := d.allowed(d.pool.current())
	sureServing, spent, wrong := 0, 0, 0
	for _, id := range ids {
		a := d.as[id]
		switch {
		case !a.Serves():
			spent++
			if !a.Until.IsZero() && (d.plan.RecoversAt.IsZero() || a.Until.Before(d.plan.RecoversAt)) {
				d.plan.RecoversAt = a.Until
			}
		case a.State != Unknown:
			sureServing++
		}
		if a.Sure && a.State != Available || a.Shunned {
			wrong++
		}
	}
	switch {
	case d.blind():
		return PoolBlind
	case len(ids) > 0 && spent == len(ids):
		return PoolDepleted
	case sureServing == 0:
		return PoolUnknown
	case wrong > 0 || d.pool.paidAmongFree(head(ids)):
		return PoolWarning
	default:
		return PoolOK
	}
}

// blind reports that no profile's provider could be reached: then it is our
// network or the provider, and no reading says anything of quota. Of a
// credential that cannot be read nobody was asked, so it speaks for neither.
func (d *decision) blind() bool {
	unreachable := 0
	for _, c := range d.pool.Candidates {
		switch {
		case d.as[c.ID].Unreachable:
			unreachable++
		case !c.Latest.At.IsZero() && c.Credential != CredentialUnreadable:
			return false
		}
	}
	return unreachable > 0
}

func (d *decision) decideOrder() {
	cur := d.allowed(d.pool.current())
	d.plan.Order = cur
	dropPaid := len(cur) < len(d.inUse())
	if d.plan.State == PoolBlind {
		d.plan.Reason = d.sayKept("no provider answer for any profile, so it is the network or the provider")
		return
	}
	rs := d.rank(cur)
	k := ranking{tactic: d.policy.tactic(), theirs: len(d.pool.Order) > 0 && !d.m.Ours, asked: d.asked()}
	want, u := k.moveFirst(rs)
	if u == voluntary && head(d.inUse()) != head(cur) {
		u = forced // the first one is left out and gone in any case: one switch, not two
	}
	if d.try(cur, idsOf(want), u) {
		return
	}
	why := d.plan.Reason
	want, u = k.moveTail(rs)
	if dropPaid {
		u = forced
	}
	if !d.try(cur, idsOf(want), u) {
		d.plan.Reason = cmp.Or(why, cmp.Or(d.plan.Reason, d.sayWhy(cur, cur)))
	}
}

// try plans the change from cur to order if it matters and may be made now.
// Where it has to wait, the reason says until when.
func (d *decision) try(cur, order []string, u urgency) bool {
	d.plan.Reason = ""
	if u == settled {
		return false
	}
	why := d.sayWhy(cur, order)
	if d.pool.Paused {
		d.plan.Reason = why + "; ocwatch is paused"
		return false
	}
	if wait := d.waitUntil(u, head(cur) != head(order)); d.now.Before(wait) {
		d.plan.Reason = why + "; the order is changed at " + clock(wait)
		d.consider(wait)
		return false
	}
	d.plan.Order, d.plan.Change, d.plan.Reason = order, true, why
	d.m.Intent = &Intent{
		Order: order, From: head(d.pool.current()), Reason: why, At: d.now, RecoversAt: d.plan.RecoversAt,
		Asked: head(cur) != head(order) && d.pinned(head(order)) && d.asked(),
	}
	return true
}

// inUse is what OpenClaw would use now: its order, or without one
// every profile.
func (d *decision) inUse() []string {
	if len(d.pool.Order) > 0 {
		return slices.DeleteFunc(d.pool.current(), func(id string) bool {
			return d.as[id].Paid && !slices.Contains(d.pool.Order, id)
		})
	}
	return d.pool.current()
}

// waitUntil is when a change of urgency u may be made; not after now: at once.
func (d *decision) waitUntil(u urgency, first bool) time.Time {
	wait := d.m.RetryAt
	if u == forced && len(d.m.Writes) < forcedBudget {
		return wait
	}
	last := d.m.SwitchedAt
	if n := len(d.m.Writes); n > 0 && (!first || u == forced) {
		last = d.m.Writes[n-1]
	}
	if !last.IsZero() {
		wait = later(wait, last.Add(d.policy.MinDwell))
	}
	return wait
}

func (d *decision) rank(ids []string) []ranked {
	pref := d.m.preference(d.policy, d.pool)
	out := make([]ranked, len(ids))
	for i, id := range ids {
		chosen := id == d.m.Chosen
		out[i] = ranked{
			Assessment: d.as[id], class: classify(d.as[id], chosen, d.pool.paidAmongFree(id)), account: d.candidate(id).Account,
			chosen: chosen, held: id == d.m.Held, prefer: slices.Index(pref, id),
		}
		if d.pinned(id) {
			out[i].class = classPinned
		}
	}
	return out
}

// nextLook is the earliest time at which the passing of time alone may change
// the decision.
func (d *decision) nextLook() time.Time {
	for _, a := range d.plan.Profiles {
		d.consider(a.Until)
		if d.policy.Strategy == SoonestReset {
			d.consider(a.Renews)
		}
	}
	d.consider(d.m.RetryAt)
	if e := d.m.Depleted; e != nil {
		d.consider(e.RemindAt)
	}
	for _, c := range d.pool.Candidates {
		d.consider(d.m.Profiles[c.ID].nextLook(c))
	}
	return d.plan.NextLook
}

func (d *decision) consider(t time.Time) {
	if t.After(d.now) && (d.plan.NextLook.IsZero() || t.Before(d.plan.NextLook)) {
		d.plan.NextLook = t
	}
}

func idsOf(rs []ranked) []string {
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = r.ID
	}
	return ids
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
