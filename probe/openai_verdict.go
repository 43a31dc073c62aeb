package probe

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// permission is the provider's word on whether a limit lets requests through.
type permission int

const (
	unsaid permission = iota
	granted
	denied
)

// usable reads the permission of a limit. Either word against it suffices.
func usable(limit object) permission {
	allowed, saidAllowed := limit.flag("allowed")
	reached, saidReached := limit.flag("limit_reached")
	switch {
	case saidAllowed && !allowed, saidReached && reached:
		return denied
	case saidAllowed && allowed:
		return granted
	}
	return unsaid
}

// openAIVerdict decides from the whole answer.
func openAIVerdict(r *quota.Reading, o object, now time.Time) {
	use := usable(o.sub("rate_limit"))
	overage, _ := o.sub("credits").flag("overage_limit_reached")
	spent := spentWindows(r.Windows)
	switch {
	case use == granted:
		r.Verdict = quota.OK
	case spendReached(o, use):
		r.Verdict, r.Reason = quota.Billing, "the workspace's credit or spend limit is reached"
		r.Until = spendReset(r.Windows)
	case use == denied && len(spent) == 0 && overage:
		r.Verdict, r.Reason = quota.Billing, "the limit of extra credits is reached"
	case use == denied:
		exhausted(r, spent)
		r.Verdict = quota.Exhausted
		if r.Reason == "" {
			r.Reason = "the provider refuses use without naming the limit"
		}
	default:
		judge(r, now)
		if r.Verdict == quota.Unknown {
			judgeMoney(r, o, overage)
		}
	}
}

// judgeMoney reads a verdict off what the answer says of money, where it tells
// no window: such an account pays for all it uses.
func judgeMoney(r *quota.Reading, o object, overage bool) {
	has, _ := o.sub("credits").flag("has_credits")
	reached, said := o.sub("spend_control").flag("reached")
	limited := slices.ContainsFunc(r.Windows, func(w quota.Window) bool { return w.Name == quota.Spend })
	switch {
	case overage:
		r.Verdict, r.Reason = quota.Billing, "the limit of extra credits is reached"
	case r.Credits != nil && (r.Credits.Unlimited || r.Credits.Balance > 0), has && r.Credits == nil:
		r.Verdict, r.Reason = quota.OK, "no window reported; credits are left"
	case said && !reached && limited:
		r.Verdict, r.Reason = quota.OK, "no window reported; the spend limit is not reached"
	}
}

// spendReset is when the spend limit that is reached ends: the last of those
// that are full, else the only one there is. Zero where nobody can tell.
func spendReset(windows []quota.Window) time.Time {
	var full, all []quota.Window
	for _, w := range windows {
		if w.Name != quota.Spend {
			continue
		}
		all = append(all, w)
		if used, ok := w.Used(); ok && used >= 100 {
			full = append(full, w)
		}
	}
	if len(full) == 0 && len(all) == 1 {
		full = all
	}
	var until time.Time
	for _, w := range full {
		at, ok := w.Reset()
		if !ok {
			return time.Time{}
		}
		until = later(until, at)
	}
	return until
}

func spentWindows(all []quota.Window) []quota.Window {
	var spent []quota.Window
	for _, w := range all {
		if w.Scope == "" && w.Spent {
			spent = append(spent, w)
		}
	}
	return spent
}

// spendReached reports that money, not a window, is what stops the account.
func spendReached(o object, use permission) bool {
	if reached, _ := o.sub("spend_control").flag("reached"); reached {
		return true
	}
	kind := o.sub("rate_limit_reached_type").text("type")
	if kind == "" {
		kind = o.text("rate_limit_reached_type")
	}
	switch kind {
	case "workspace_owner_credits_depleted", "workspace_member_credits_depleted",
		"workspace_owner_usage_limit_reached", "workspace_member_usage_limit_reached":
		return use == denied
	}
	return false
}
