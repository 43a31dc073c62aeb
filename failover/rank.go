package failover

import (
	"cmp"
	"slices"
	"time"
)

// class is a profile's place in the ranking; lower goes first.
type class int

const (
	classAvailable class = iota
	classLow
	classReserve
	classTwin // behind a profile of the same account, whose fate it shares
	classUnknown
	classPaid
	classExhausted
	classDead
)

// classPinned stands before all: a person asked for it, low, paid or unknown.
const classPinned class = -1

// ranked is a candidate with all that its place depends on.
type ranked struct {
	Assessment
	class   class
	account string
	// chosen: somebody put it first, so it is not left while it serves. held:
	// somebody did, so no strategy leaves it before it is low.
	chosen, held bool
	prefer       int // index in the preference
}

// classify says where a stands; paid tells that its being paid matters.
func classify(a Assessment, chosen, paid bool) class {
	switch {
	case a.State == Exhausted:
		return classExhausted
	case a.State == Dead:
		return classDead
	case paid && !chosen:
		return classPaid // a bill is certain, whatever the quota
	case a.State == Unknown:
		return classUnknown
	case chosen && (a.State == Low || !a.Shunned):
		return classAvailable
	case a.Reserve:
		return classReserve
	case a.State == Low || a.Shunned:
		return classLow
	default:
		return classAvailable
	}
}

// placed reports whether r's class was learned, not assumed.
func (r ranked) placed() bool { return r.Sure || r.class == classPaid }

// ranking orders profiles. theirs tells that somebody else set the order in
// force, asked that a person waits for the pinned profile.
type ranking struct {
	tactic

	theirs bool
	asked  bool
}

// target is the full ranking, best first.
func (k ranking) target(rs []ranked) []ranked {
	out := slices.Clone(rs)
	slices.SortStableFunc(out, k.compare)
	return append(out[:1], k.behind(out[0], out[1:])...)
}

func (k ranking) compare(x, y ranked) int {
	c := cmp.Compare(x.class, y.class)
	switch {
	case c != 0:
	case x.class == classExhausted:
		c = compareUntil(x.Until, y.Until)
	case x.class == classAvailable, x.class == classPaid:
		c = k.tactic.compare(x, y)
	}
	return cmp.Or(c, cmp.Compare(x.prefer, y.prefer))
}

// behind ranks the places after first.
func (k ranking) behind(first ranked, rest []ranked) []ranked {
	out := twins(first, rest)
	slices.SortStableFunc(out, k.compare)
	return out
}

// twins marks what bills the same account as first: it is spent with it, so it
// is no second try while another account has quota.
func twins(first ranked, rest []ranked) []ranked {
	out := slices.Clone(rest)
	for i, r := range out {
		if r.class < classTwin && r.account != "" && r.account == first.account {
			out[i].class = classTwin
		}
	}
	return out
}

// compareUntil compares returns. Those within resetSlack of each other count as
// equal, by rounding, so that it stays a total order.
func compareUntil(x, y time.Time) int {
	return compareTimes(x.Truncate(resetSlack), y.Truncate(resetSlack))
}

// urgency says how soon a better order should be in force.
type urgency int

const (
	settled   urgency = iota // the order is good as it is
	voluntary                // better, and can wait for the dwell
	forced                   // something that cannot serve stands before something that can
)

// moveFirst returns the order that cur should have by its first profile, with
// how much that matters. Only what is sure counts: an unknown profile is
// neither pushed back nor pulled ahead for being unknown.
func (k ranking) moveFirst(cur []ranked) ([]ranked, urgency) {
	if len(cur) < 2 {
		return cur, settled
	}
	tgt := k.target(cur)
	return tgt, k.leaveFirst(cur[0], tgt[0])
}

// moveTail is moveFirst for the places behind the first, which stays: moving
// it is what costs the sessions their cache. OpenClaw tries one more profile
// before it gives a model up, so the second place must be able to serve;
// preference alone is not worth a write here.
func (k ranking) moveTail(cur []ranked) ([]ranked, urgency) {
	if len(cur) < 3 {
		return cur, settled
	}
	tail, most := twins(cur[0], cur[1:]), settled
	for i, x := range tail {
		for _, y := range tail[i+1:] {
			most = max(most, k.wrongPair(x, y))
		}
	}
	return append([]ranked{cur[0]}, k.behind(cur[0], tail)...), most
}

// leaveFirst judges whether first should give way to best, the head of the
// ranking.
func (k ranking) leaveFirst(first, best ranked) urgency {
	switch {
	case first.ID == best.ID:
		return settled
	case best.class == classPinned && k.asked:
		return forced
	case best.class == classPinned && first.class < classExhausted:
		return voluntary
	case first.class >= classExhausted && best.class < classExhausted:
		return forced
	case first.class == classExhausted && best.class == classExhausted:
		// Depleted: whoever is back first should be met first.
		if !best.Until.IsZero() && (first.Until.IsZero() || first.Until.Sub(best.Until) >= resetSlack) {
			return voluntary
		}
		return settled
	case first.Refused && best.class < first.class:
		return forced // it serves nobody until the provider was asked again
	case first.class >= classExhausted || !best.Sure || first.chosen && first.class == classAvailable:
		return settled
	}
	// One that cannot be read is left for what is known to be better, never for
	// being unknown.
	same := first.class == best.class || !first.placed() && best.class == classAvailable
	switch {
	case same && (best.class == classAvailable || best.class == classPaid) && !first.held && k.beats(best, first):
		return voluntary
	case first.placed() && first.class > best.class:
		return voluntary
	default:
		return settled
	}
}

// wrongPair judges x standing before y. One that cannot serve is no second try,
// so even what is unknown goes before it.
func (k ranking) wrongPair(x, y ranked) urgency {
	switch {
	case x.class <= y.class || y.class >= classExhausted || !x.placed():
		return settled
	case x.class >= classExhausted:
		return forced
	case !y.Sure:
		return settled
	case (x.class == classPaid || x.class == classTwin) && k.theirs:
		return settled // somebody put it there
	default:
		return voluntary
	}
}
