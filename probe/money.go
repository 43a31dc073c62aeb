package probe

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// openAICredits reads prepaid credits, nil where the account has none or where
// nobody says how many. In place of a balance, what it is good for may be told:
// the fewest messages to a model on this machine.
func openAICredits(o object) *quota.Credits {
	unlimited, _ := o.flag("unlimited")
	has, _ := o.flag("has_credits")
	balance, known := o.number("balance")
	messages, approx := o.first("approx_local_messages")
	switch {
	case unlimited, known && (has || balance != 0):
		return &quota.Credits{Balance: balance, Unit: "credits", Unlimited: unlimited}
	case has && approx && messages > 0:
		return &quota.Credits{Balance: messages, Unit: "messages"}
	}
	return nil
}

// budgets are the places of a spend limit, the account's own first. Those of
// its group, role and workspace bind as well, but whether they do the answer
// says by itself, so they are shown and decide nothing.
var budgets = []struct{ key, scope string }{
	{"individual_limit", ""},
	{"group_default", "group default"},
	{"workspace_default", "workspace default"},
	{"role_budget", "role budget"},
	{"group_shared", "group budget"},
	{"workspace_shared", "workspace budget"},
}

// spendWindows reads the spend limits. The account's own sits in one of two
// places by the kind of workspace.
func spendWindows(o object, plan []quota.Window, c clock) []quota.Window {
	var windows []quota.Window
	for _, b := range budgets {
		limit, scope := o.sub("spend_control").sub(b.key), b.scope
		if scope == "" {
			scope = moneyScope(plan)
			if limit == nil {
				limit = o.sub("rate_limit").sub(b.key)
			}
		}
		if w, ok := spendWindow(limit, scope, c); ok {
			windows = append(windows, w)
		}
	}
	return windows
}

// spendWindow reads one spend limit, whose members are spelled in several ways.
func spendWindow(limit object, scope string, c clock) (quota.Window, bool) {
	if limit == nil {
		return quota.Window{}, false
	}
	w := quota.Window{Name: quota.Spend, Scope: scope}
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
	used, known := limit.number("used")
	if left, told := limit.number("remaining"); told && !known {
		used, known = most-left, true
	}
	if ok && known && most > 0 && used >= 0 {
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
	_, told := o["monthly_limit"]
	boundless := told && !o.has("monthly_limit") // null; left out, nobody knows
	used, counted := o.number("used_credits")
	w := quota.Window{Name: quota.Spend, Scope: moneyScope(plan)}
	p, known := o.number("utilization")
	if !known && capped && counted && limit > 0 {
		p, known = 100*used/limit, true
	}
	if known {
		setPercent(&w, p, mostOvershoot)
	}
	var credits *quota.Credits
	switch {
	case boundless:
		credits = &quota.Credits{Unit: unit, Unlimited: true}
	case counted && used >= 0 && limit >= 0: // what nobody counted may all be spent
		credits = &quota.Credits{Balance: math.Max(0, limit-used) / per, Unit: unit}
	}
	setReset(&w, o.instant("resets_at"), now)
	return credits, w, w.UsedPercent != nil
}
