package failover

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Strategy is how the available profiles of a pool are ordered.
type Strategy string

// The strategies. Whatever the strategy, a profile is left for being low or
// spent, and the preference settles ties.
const (
	// Priority keeps the owner's order and comes back to the preferred profile
	// once it recovered.
	Priority Strategy = "priority"
	// MostRemaining goes to the profile with the most left in its tightest
	// window, once that is leftMargin more than the first one has.
	MostRemaining Strategy = "most-remaining"
	// SoonestReset uses first what would be lost first: the profile whose
	// longest window resets soonest, once that is resetMargin before the first
	// one's.
	SoonestReset Strategy = "soonest-reset"
	// Sticky stays with the first profile until it is low, and never comes back
	// by itself.
	Sticky Strategy = "sticky"
)

// Strategies lists every strategy.
func Strategies() []Strategy { return []Strategy{Priority, MostRemaining, SoonestReset, Sticky} }

const (
	// leftMargin is how many percentage points more a profile must have left
	// than the first to be worth a switch. Two accounts in use by turns then
	// change places five times while a window fills, not with every reading.
	leftMargin = 20

	// resetMargin is how much sooner a profile's longest window must reset.
	// What a week's quota loses within an hour is not worth the sessions'
	// caches, and providers' reset times jitter.
	resetMargin = time.Hour
)

// tactic is a strategy at work among profiles of one class.
type tactic struct {
	// compare ranks two profiles, the better one first; 0: as preferred.
	compare func(x, y ranked) int
	// beats reports whether best is so much better than first that the
	// sessions should move.
	beats func(best, first ranked) bool
}

var tactics = map[Strategy]tactic{
	Priority: {
		compare: func(ranked, ranked) int { return 0 },
		beats:   func(best, first ranked) bool { return best.prefer < first.prefer },
	},
	MostRemaining: {
		compare: func(x, y ranked) int { return cmp.Compare(y.left(), x.left()) },
		beats:   func(best, first ranked) bool { return first.Measured && best.left()-first.left() >= leftMargin },
	},
	SoonestReset: {
		compare: func(x, y ranked) int { return compareTimes(x.Renews, y.Renews) },
		beats: func(best, first ranked) bool {
			return first.Measured && !best.Renews.IsZero() &&
				(first.Renews.IsZero() || first.Renews.Sub(best.Renews) >= resetMargin)
		},
	},
	Sticky: {
		compare: func(ranked, ranked) int { return 0 },
		beats:   func(ranked, ranked) bool { return false },
	},
}

func (p Policy) tactic() tactic {
	if t, ok := tactics[p.Strategy]; ok {
		return t
	}
	return tactics[Priority]
}

// left puts a profile whose quota cannot be read behind all that were
// measured: nothing says that it has more.
func (r ranked) left() float64 {
	if !r.Measured {
		return -1
	}
	return r.Left
}

// compareTimes puts the earlier time first and an unknown one last.
func compareTimes(x, y time.Time) int {
	switch {
	case x.IsZero() && y.IsZero():
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	}
	return x.Compare(y)
}

// measure notes what the newest usage reading leaves of the account: a
// strategy compares it.
func (a *Assessment) measure(now time.Time, p Policy, c Candidate) {
	if _, used, ok := tightest(now, p, c.Usage); ok {
		a.Measured, a.Left = true, max(0, 100-used)
	}
	a.Renews = renews(now, c.Usage)
	keep, kept := p.Keep[c.ID]
	if a.Reserve = kept && a.State == Low && a.Measured && a.Left <= keep; a.Reserve {
		a.Reason = a.Reason + fmt.Sprintf(", the last %s %% are kept", percent(keep))
	}
}

// renews is when the account's longest window resets, zero where that is not
// known. A limit on money is none to use up.
func renews(now time.Time, r quota.Reading) time.Time {
	var at time.Time
	longest := time.Duration(-1)
	for _, w := range r.Windows {
		if l := w.Lasts(); w.Scope == "" && w.Name != quota.Spend && l > longest {
			reset, _ := w.Reset()
			longest, at = l, future(now, reset)
		}
	}
	return at
}
