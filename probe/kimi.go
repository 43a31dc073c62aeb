package probe

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const kimiUsage = "https://api.kimi.com/coding/v1/usages"

// kimi probes a key of the Kimi coding plan. Keys of Moonshot's API, which is
// another provider, have no usage here.
func kimi(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != tokenType && a.Type != keyType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	url, err := home(a, map[string]string{"": kimiUsage, "api.kimi.com": kimiUsage})
	if err != nil {
		return quota.Reading{}, err
	}
	return question{
		url: url, set: bearer, holds: []string{"usage", "limits"}, rules: kimiRules, parse: parseKimi,
	}.ask(ctx, a, c)
}

// kimiSpent are the statuses of a spent window: mostly 403, with the type of a
// missing permission, so only the words tell it from one.
var kimiSpent = []int{innerError, 402, 403, http.StatusTooManyRequests}

// kimiRules go by words. None of them says when a window resets.
var kimiRules = []rule{
	{
		statuses: kimiSpent, phrases: []string{"5-hour usage limit"},
		verdict: quota.Exhausted, reason: "5h window spent",
	},
	{
		statuses: kimiSpent, phrases: []string{"weekly (7-day) usage limit", "weekly usage limit"},
		verdict: quota.Exhausted, reason: "weekly window spent",
	},
	{
		statuses: kimiSpent, phrases: []string{"usage limit for this billing cycle"},
		verdict: quota.Exhausted, reason: "monthly window spent",
	},
	{
		statuses: kimiSpent, phrases: []string{"reached your usage limit", "usage limit for this period"},
		verdict: quota.Exhausted, reason: "limit spent",
	},
	{
		statuses: refused, phrases: []string{"verify your membership"},
		verdict: quota.Billing, reason: "the provider finds no valid membership",
	},
	{
		statuses: refused, phrases: []string{"access terminated"},
		verdict: quota.Revoked, reason: "the provider deactivated this account",
	},
	{
		statuses: refused, phrases: []string{"only available for coding agents"},
		verdict: quota.Unsupported, reason: "the provider answers coding agents only",
	},
	{
		statuses: refused, phrases: []string{"api key appears to be invalid"},
		verdict: quota.Revoked, reason: "the provider does not accept this key",
	},
}

// parseKimi reads the windows of a coding plan: the week, the shorter ones, and
// the billing cycle, which has no reset of its own in the answer.
func parseKimi(o object, c clock) quota.Reading {
	level := strings.TrimPrefix(o.sub("user").sub("membership").text("level"), "LEVEL_")
	r := quota.Reading{Source: quota.FromUsage, Plan: label(strings.ToLower(level))}
	if w, ok := kimiWindow(quota.Window{Name: quota.Weekly, Length: 7 * day}, o.sub("usage"), c); ok {
		r.Windows = append(r.Windows, w)
	}
	for _, e := range o.list("limits") {
		length := kimiLength(e.sub("window"))
		if w, ok := kimiWindow(quota.Window{Name: windowName(length), Length: length}, e.sub("detail"), c); ok {
			r.Windows = append(r.Windows, w)
		}
	}
	if w, ok := kimiWindow(quota.Window{Name: quota.Monthly, Length: 30 * day}, o.sub("totalQuota"), c); ok {
		r.Windows = append(r.Windows, w)
	}
	judge(&r, c.now)
	return r
}

// kimiWindow fills w with what detail says of it. The counts are strings, and
// what is zero is left out of them.
func kimiWindow(w quota.Window, detail object, c clock) (quota.Window, bool) {
	if p, ok := ofCounts(detail, "limit", "used", "remaining"); ok {
		setPercent(&w, p, 100)
	}
	setReset(&w, c.reset(detail.instant("resetTime"), 0, false, w.Length), c.now)
	return w, w.UsedPercent != nil || !w.ResetsAt.IsZero()
}

// kimiLength is the length of a window: so many of a unit.
func kimiLength(window object) time.Duration {
	unit := map[string]time.Duration{
		"TIME_UNIT_SECOND": time.Second, "TIME_UNIT_MINUTE": time.Minute, "TIME_UNIT_HOUR": time.Hour,
		"TIME_UNIT_DAY": day, "TIME_UNIT_WEEK": 7 * day,
	}[window.text("timeUnit")]
	n, _ := window.number("duration")
	return lengthOf(n, unit)
}
