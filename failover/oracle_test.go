package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// oracle is a second opinion on who should be first. It was written from the
// words of the design alone and shares nothing with the decision but the types
// of the evidence: no ranking, only "who is it, and may it change now".
type oracle struct {
	policy    Policy
	preferred []string
	low       map[string]time.Time // by profile: the reset that ends it
	person    string               // put first by a person, and there since
	forgiven  bool                 // … although low or paid
	switched  time.Time
}

// The places of the design's rank.
const available, low, reserve, unsure, paid, exhausted, dead = 0, 1, 2, 3, 4, 5, 6

type view struct {
	id          string
	place       int
	left        float64   // percent in the tightest window; -1: not known
	reset, back time.Time // of the longest window; of the account, where it is spent
}

// first says who should be first at now, where order[0] is.
func (o *oracle) first(now time.Time, order []string, candidates []Candidate) string {
	var views []view
	for _, c := range candidates {
		c.Paid = c.Paid && slices.ContainsFunc(candidates, func(c Candidate) bool { return !c.Paid })
		views = append(views, o.look(now, c))
	}
	current := views[slices.IndexFunc(views, func(v view) bool { return v.id == order[0] })]
	best := slices.MinFunc(views, o.compare)
	atOnce := current.place >= exhausted && best.place < exhausted
	if !atOnce && (now.Sub(o.switched) < o.policy.MinDwell || !o.worth(current, best)) {
		return current.id
	}
	o.switched, o.person = now, ""
	return best.id
}

// look sums up one profile, and keeps what must be remembered of it.
func (o *oracle) look(now time.Time, c Candidate) view {
	v := view{id: c.ID, left: -1}
	var spent, tightest time.Time
	var longest time.Duration
	for _, w := range c.Usage.Windows {
		if w.Scope != "" && !slices.Contains(o.policy.Models, w.Scope) {
			continue
		}
		used, at := *w.UsedPercent, w.ResetsAt
		if !at.After(now) { // reset since: all of it is there again
			used, at = 0, time.Time{}
		}
		if left := 100 - used; v.left < 0 || left < v.left {
			v.left, tightest = left, at
		}
		if used >= 100 && at.After(spent) {
			spent, tightest = at, at
		}
		if w.Scope == "" && w.Length > longest {
			longest, v.reset = w.Length, at
		}
	}
	keep, ends := o.policy.Keep[c.ID], o.low[c.ID]
	limit, gap := min(o.policy.SwitchAt, 100-keep), o.policy.SwitchAt-o.policy.ReturnBelow
	switch {
	case c.Usage.Verdict == quota.Billing:
		o.low[c.ID] = time.Time{}
	case v.left >= 0 && 100-v.left >= limit:
		o.low[c.ID] = tightest
	case v.left >= 0 && (100-v.left < limit-gap || !ends.IsZero() && c.Usage.At.After(ends)):
		delete(o.low, c.ID)
	}
	_, isLow := o.low[c.ID]
	switch blocked := c.Block.Until.After(now) && c.Latest.Verdict == quota.Unsupported; {
	case c.Usage.Verdict == quota.Revoked:
		v.place = dead
	case blocked:
		v.place, v.back = exhausted, c.Block.Until
	case !spent.IsZero(), c.Usage.Verdict == quota.Billing:
		v.place, v.back = exhausted, spent
	case c.Paid:
		v.place = paid
	case isLow && v.left <= keep:
		v.place = reserve
	case isLow:
		v.place = low
	case v.left < 0 && c.Latest.Verdict != quota.Unsupported:
		v.place = unsure
	}
	if o.person == c.ID { // a choice ends when it is spent, or low and was not when made
		o.forgiven = o.forgiven && (isLow || c.Paid)
		if v.place >= exhausted || isLow && !o.forgiven {
			o.person = ""
		} else if o.forgiven {
			v.place = available
		}
	}
	return v
}

// compare is the rank: the place, then the strategy, then the owner's order.
func (o *oracle) compare(a, b view) int {
	better := far(a.back).Compare(far(b.back))
	switch {
	case o.policy.Strategy == MostRemaining && a.place == available:
		better = cmp.Compare(b.left, a.left)
	case o.policy.Strategy == SoonestReset && a.place == available:
		better = far(a.reset).Compare(far(b.reset))
	}
	return cmp.Or(cmp.Compare(a.place, b.place), better, cmp.Compare(o.wish(a), o.wish(b)))
}

func (o *oracle) wish(v view) int { return slices.Index(o.preferred, v.id) }

// worth tells whether leaving current for best pays, at no hurry.
func (o *oracle) worth(current, best view) bool {
	switch {
	case current.place >= exhausted:
		return current.place == exhausted && best.place == exhausted && sooner(best.back, current.back, 5*time.Minute)
	case best.place == unsure || current.id == best.id || current.id == o.person && (o.forgiven || o.policy.Strategy != Priority):
		return false
	case current.place != best.place && current.place != unsure: // what is not known is no reason
		return best.place < unsure
	case best.place != available && best.place != paid || current.place == unsure && best.place == paid:
		return false
	case o.policy.Strategy == MostRemaining:
		return current.left >= 0 && best.left-current.left >= 20
	case o.policy.Strategy == SoonestReset:
		return current.left >= 0 && sooner(best.reset, current.reset, time.Hour)
	}
	return o.policy.Strategy != Sticky && o.wish(best) < o.wish(current)
}

// far puts a time that nobody knows behind all that are known.
func far(t time.Time) time.Time { return cmp.Or(t, t.AddDate(9000, 0, 0)) }

func sooner(a, b time.Time, by time.Duration) bool { return !far(a).Add(by).After(far(b)) }
