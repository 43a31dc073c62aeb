package probe

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// openAICredits reads prepaid credits, nil where the account has none.
func openAICredits(o object) *quota.Credits {
	balance, _ := o.number("balance")
	unlimited, _ := o.flag("unlimited")
	has, _ := o.flag("has_credits")
	if !has && !unlimited && balance == 0 {
		return nil
	}
	return &quota.Credits{Balance: balance, Unit: "credits", Unlimited: unlimited}
}

// spendWindow reads the spend limit, which sits in one of two places by the
// kind of workspace, with the same members spelled in several ways.
func spendWindow(o object, plan []quota.Window, c clock) (quota.Window, bool) {
	limit := o.sub("spend_control").sub("individual_limit")
	if limit == nil {
		limit = o.sub("rate_limit").sub("individual_limit")
	}
	if limit == nil {
		return quota.Window{}, false
	}
	w := quota.Window{Name: quota.Spend, Scope: moneyScope(plan)}
	if used, ok := spentPercent(limit); ok {
		setPercent(&w, used, 100)
	}
	at := limit.instant("reset_at")
	if at.IsZero() {
		at = limit.instant("resets_at")
	}
	after, hasAfter := limit.seconds("reset_after_seconds")
	setReset(&w, c.reset(at, after, hasAfter, 0), c.now)
	return w, w.UsedPercent != nil || !w.ResetsAt.IsZero()
}

// spentPercent returns how much of a spend limit is used, 0 to 100.
func spentPercent(limit object) (float64, bool) {
	if p, ok := limit.number("used_percent"); ok {
		return p, true
	}
	if p, ok := limit.number("remaining_percent"); ok {
		return 100 - p, true
	}
	most, ok := limit.number("limit")
	if used, known := limit.number("used"); ok && known && most > 0 && used >= 0 {
		return math.Min(100*used/most, 100), true
	}
	return 0, false
}

// withoutMinor are currencies that are counted in whole units.
var withoutMinor = []string{"CLP", "ISK", "JPY", "KRW", "VND"}

// extraUsage reads Anthropic's pay-as-you-go on top of a plan. Amounts come in
// the currency's minor unit.
func extraUsage(o object, plan []quota.Window, now time.Time) (*quota.Credits, quota.Window, bool) {
	if on, _ := o.flag("is_enabled"); !on {
		return nil, quota.Window{}, false
	}
	unit := strings.ToUpper(label(o.text("currency")))
	if unit == "" {
		unit = "USD"
	}
	per := 100.0
	if slices.Contains(withoutMinor, unit) {
		per = 1
	}
	limit, capped := o.number("monthly_limit")
	used, counted := o.number("used_credits")
	credits := &quota.Credits{Unit: unit, Unlimited: !capped}
	if capped {
		credits.Balance = math.Max(0, limit-used) / per
	}
	w := quota.Window{Name: quota.Spend, Scope: moneyScope(plan)}
	if p, ok := o.number("utilization"); ok {
		setPercent(&w, p, mostOvershoot)
	} else if capped && counted && limit > 0 {
		setPercent(&w, 100*used/limit, mostOvershoot)
	}
	setReset(&w, o.instant("resets_at"), now)
	return credits, w, w.UsedPercent != nil
}
