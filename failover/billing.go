package failover

import (
	"slices"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// OnPlan says whether an account belongs to a plan, whose use is limited by
// windows of time, rather than being billed per token: so far that was on, and r
// is its newest reading. An account for which the provider keeps such windows is
// on a plan; one of which it tells money alone is not. What tells neither leaves
// it as it was: an outage, or a refusal without numbers, is no change of plan.
func OnPlan(on bool, r quota.Reading) bool {
	switch {
	case r.Source != quota.FromUsage:
		return on
	case slices.ContainsFunc(r.Windows, func(w quota.Window) bool { return w.Name != quota.Spend }):
		return true
	case len(r.Windows) > 0, r.Credits != nil:
		return false
	}
	return on
}
