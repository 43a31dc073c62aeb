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
	classUnknown
	classPaid
	classExhausted
	classDead
)

// ranked is a candidate with all that its place depends on.
type ranked struct {
	Assessment
	class class
	// chosen: somebody put it first, so it is not left while it serves.
	chosen bool
	prefer int // index in the preference
}

func classify(a Assessment, chosen bool) class {
	switch a.State {
	case Exhausted:
		return classExhausted
	case Dead:
		return classDead
	case Unknown:
		return classUnknown
	case Low:
		if chosen {
			return classAvailable
		}
	case Available:
	}
	switch {
	case a.Paid && !chosen:
		return classPaid
	case a.State == Low || a.Shunned:
		return classLow
	default:
		return classAvailable
	}
}

// target is the full ranking, best first.
func target(rs []ranked) []ranked {
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(x, y ranked) int {
		if c := cmp.Compare(x.class, y.class); c != 0 {
			return c
		}
		if x.class == classExhausted {
			if c := compareUntil(x.Until, y.Until); c != 0 {
				return c
			}
		}
		return cmp.Compare(x.prefer, y.prefer)
	})
	return out
}

// compareUntil puts the soonest first and the unknown last. Resets within
// resetSlack of each other count as equal, by rounding, so that it stays a
// total order.
func compareUntil(x, y time.Time) int {
	switch {
	case x.IsZero() && y.IsZero():
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	default:
		return x.Truncate(resetSlack).Compare(y.Truncate(resetSlack))
	}
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
func moveFirst(cur []ranked) ([]ranked, urgency) {
	if len(cur) < 2 {
		return cur, settled
	}
	tgt := target(cur)
	return tgt, leaveFirst(cur[0], tgt[0])
}

// moveTail is moveFirst for the places behind the first, which stays: moving
// it is what costs the sessions their cache. OpenClaw tries one more profile
// before it gives a model up, so the second place must be able to serve;
// preference alone is not worth a write here. ours tells that ocwatch set cur.
func moveTail(cur []ranked, ours bool) ([]ranked, urgency) {
	if len(cur) < 3 {
		return cur, settled
	}
	tail, most := cur[1:], settled
	for i, x := range tail {
		for _, y := range tail[i+1:] {
			most = max(most, wrongPair(x, y, ours))
		}
	}
	return append([]ranked{cur[0]}, target(tail)...), most
}

// leaveFirst judges whether first should give way to best, the head of the
// ranking.
func leaveFirst(first, best ranked) urgency {
	switch {
	case first.ID == best.ID:
		return settled
	case first.class >= classExhausted && best.class < classExhausted:
		return forced
	case first.class == classExhausted && best.class == classExhausted:
		// Depleted: whoever is back first should be met first.
		if !best.Until.IsZero() && (first.Until.IsZero() || first.Until.Sub(best.Until) >= resetSlack) {
			return voluntary
		}
		return settled
	case first.class >= classExhausted || !first.Sure || !best.Sure:
		return settled
	case first.class > best.class || first.class == classAvailable:
		return voluntary
	default:
		return settled
	}
}

func wrongPair(x, y ranked, ours bool) urgency {
	switch {
	case x.class <= y.class || y.class >= classExhausted || !x.Sure || !y.Sure:
		return settled
	case x.class >= classExhausted:
		return forced
	case x.class == classPaid && !ours:
		return settled // somebody put the paid profile there
	default:
		return voluntary
	}
}
