package failover

import (
	"fmt"
	"slices"
)

// Explanation says why a profile stands where it does.
type Explanation struct {
	// Rule is what placed it, and Change what would place it elsewhere; ""
	// where nothing but its own evidence would.
	Rule, Change string
}

// Explain says for each of plan's profiles what placed it. It is for people:
// nothing decides by it.
func Explain(policy Policy, plan Plan, a Assessment) Explanation {
	pinned := plan.Pin.Profile == a.ID
	rule, change := explainState(policy, a)
	switch {
	case pinned && a.Serves():
		rule, change = "pinned by a person: before all others, low or not", "when it is spent, or when the pin ends"+pinEnd(plan.Pin)
	case pinned:
		rule += "; pinned by a person, so it is come back to"
	case !slices.Contains(plan.Order, a.ID):
		rule, change = "paid, and paid profiles are left out (paid: never)", "failover.paid: last"
	case a.Paid && a.Serves() && mixed(plan):
		rule, change = "paid: behind every subscription that can serve", "when no subscription can serve"
	}
	return Explanation{Rule: rule, Change: change}
}

// mixed reports whether the pool has subscriptions besides paid profiles.
func mixed(plan Plan) bool {
	return slices.ContainsFunc(plan.Profiles, func(a Assessment) bool { return !a.Paid })
}

func explainState(policy Policy, a Assessment) (rule, change string) {
	leave, back := policy.limits(a.ID)
	at := ""
	if !a.Until.IsZero() {
		at = a.Until.UTC().Format(" (2 Jan 15:04 UTC)")
	}
	switch {
	case a.State == Dead:
		return "needs a login: behind all others", "a login"
	case a.State == Exhausted && a.Hiccup:
		return "refused by OpenClaw after errors: behind those that can serve", "when OpenClaw's cooldown is over" + at
	case a.State == Exhausted:
		return "spent: behind those that can serve; the first back goes first among the spent", "when its quota is back" + at
	case a.State == Unknown:
		return "cannot be read: neither pushed back nor pulled ahead for that", "when it can be read again"
	case a.Reserve:
		return "on its reserve: behind every other subscription that can serve", cameBack(back, at)
	case a.State == Low:
		return fmt.Sprintf("low, from %s %% used on: behind those that are available", percent(leave)), cameBack(back, at)
	case a.Refused:
		return "OpenClaw was refused after the provider last said usable: behind those that are available", "when the provider was asked again"
	case a.Shunned:
		return "OpenClaw refuses it, though the provider says usable: behind those that are available", "when OpenClaw's block ends"
	}
	return "available: " + placing(policy.Strategy), fmt.Sprintf("from %s %% used on it is left", percent(leave))
}

func cameBack(back float64, at string) string {
	return fmt.Sprintf("comes back below %s %% used, or after the reset%s", percent(back), at)
}

func placing(s Strategy) string {
	switch s {
	case MostRemaining:
		return "the one with the most left goes first (most-remaining)"
	case SoonestReset:
		return "the one that resets soonest goes first (soonest-reset)"
	case Sticky:
		return "the first one stays until it is low (sticky)"
	case Priority:
	}
	return "in the order of preference (priority)"
}

func pinEnd(p Pin) string {
	if p.Until.IsZero() {
		return ""
	}
	return p.Until.UTC().Format(" (2 Jan 15:04 UTC)")
}
