package probe

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	zaiUsage      = "https://api.z.ai/api/monitor/usage/quota/limit"
	zaiUsageChina = "https://open.bigmodel.cn/api/monitor/usage/quota/limit"
)

// zaiPace is slow: the endpoint is not documented, and z.ai bans accounts whose
// use it finds unusual.
var zaiPace = Pace{
	Every: 5 * time.Minute, Idle: 15 * time.Minute, Min: 5 * time.Minute, Rush: 5 * time.Minute, Hourly: 12,
}

// zai probes a key of z.ai's coding plan at the site to which OpenClaw sends
// its requests: the two have accounts of their own.
func zai(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != keyType && a.Type != tokenType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	url, err := home(a, map[string]string{"": zaiUsage, "api.z.ai": zaiUsage, "open.bigmodel.cn": zaiUsageChina})
	if err != nil {
		return quota.Reading{}, err
	}
	return question{
		url: url,
		set: func(h http.Header, token secret.Value) {
			// Bare, as the provider's own tool sends it at both sites.
			h.Set("Authorization", token.Reveal())
		},
		holds: []string{"data"}, fails: zaiFails, rules: zaiRules, parse: parseZai,
	}.ask(ctx, a, c)
}

// zaiFails reports an error, which comes with status 200.
func zaiFails(o object) bool {
	success, said := o.flag("success")
	code, known := o.number("code")
	return said && !success || known && code != http.StatusOK
}

var (
	zaiStatuses = []int{innerError, 400, 401, 403, http.StatusTooManyRequests}
	// The only time in z.ai's texts, English or Chinese, is the reset, by the wall
	// clock of UTC+8, which they do not say.
	zaiReset = sayingReset(`(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)`, time.DateTime, time.FixedZone("UTC+8", 8*60*60))
)

// zaiRules go by z.ai's own codes, strings or numbers: one status, 429, stands
// for spent windows, expired plans, bans and throttles alike.
var zaiRules = []rule{
	{
		statuses: zaiStatuses, phrases: []string{"usage limit reached for 5 hour", "5 小时的使用上限"},
		verdict: quota.Exhausted, reason: "5h window spent", until: zaiReset, longest: 5 * time.Hour,
	},
	{
		statuses: zaiStatuses, codes: []string{"1308"}, phrases: []string{"[1308]"},
		verdict: quota.Exhausted, reason: "limit spent", until: zaiReset, longest: day,
	},
	{
		statuses: zaiStatuses, codes: []string{"1304"},
		verdict: quota.Exhausted, reason: "24h window spent", until: zaiReset, longest: day,
	},
	{
		statuses: zaiStatuses, codes: []string{"1310"}, phrases: []string{"[1310]", "每周/每月使用上限"},
		verdict: quota.Exhausted, reason: "the quota of the week or month is spent", until: zaiReset, longest: 31 * day,
	},
	{
		statuses: zaiStatuses, codes: []string{"1113"},
		verdict: quota.Billing, reason: "the provider reports no credit, or a spend limit reached",
	},
	{statuses: zaiStatuses, codes: []string{"1309"}, verdict: quota.Billing, reason: "the plan has expired"},
	{statuses: zaiStatuses, codes: []string{"1311"}, verdict: quota.Billing, reason: "the plan does not include this model"},
	{
		statuses: zaiStatuses, codes: []string{"1313"},
		verdict: quota.Billing, reason: "the provider restricts this account under its fair-use policy",
	},
	{
		statuses: zaiStatuses, codes: []string{"1302", "1303", "1305", "1312"},
		verdict: quota.Throttled, reason: "the provider asks for fewer requests",
	},
	{
		statuses: zaiStatuses, codes: []string{"1110", "1111", "1112", "1121"},
		verdict: quota.Revoked, reason: "the provider deactivated this account",
	},
	{
		statuses: zaiStatuses, codes: []string{"1002", "1003", "1004"},
		verdict: quota.Revoked, reason: "the provider does not accept this key",
	},
	{
		// "Expired or incorrect" is also what a key of the other site hears.
		statuses: []int{innerError, 401}, codes: []string{"401", "1000", "1001"}, phrases: []string{"token expired or incorrect"},
		verdict: quota.Unknown, reason: "the provider did not accept this key, which may be of another kind or site",
	},
}

// parseZai reads the limits of a coding plan.
func parseZai(o object, c clock) quota.Reading {
	data := o.sub("data")
	r := quota.Reading{Source: quota.FromUsage}
	for _, key := range []string{"planName", "plan", "level"} {
		if r.Plan == "" {
			r.Plan = label(data.text(key))
		}
	}
	for _, e := range data.list("limits") {
		if w := zaiWindow(e, c); w.UsedPercent != nil || !w.ResetsAt.IsZero() {
			r.Windows = append(r.Windows, w)
		}
	}
	judge(&r, c.now)
	return r
}

func zaiWindow(e object, c clock) quota.Window {
	w := quota.Window{Scope: zaiScope(e.text("type")), Length: zaiLength(e)}
	w.Name = windowName(w.Length)
	if w.Scope == zaiTools && w.Length == time.Minute {
		w.Name, w.Length = quota.Monthly, 30*day // how it spells its month
	}
	if p, ok := e.number("percentage"); ok {
		setPercent(&w, p, 100)
	} else if p, ok := ofCounts(e, "usage", "currentValue", "remaining"); ok { // usage is the limit
		setPercent(&w, p, 100)
	}
	setReset(&w, c.reset(e.instant("nextResetTime"), 0, false, w.Length), c.now)
	return w
}

// zaiTools is the scope of the allowance of searches and other tools. Without
// it the models go on.
const zaiTools = "mcp"

// zaiScope tells a limit of the account, in tokens or in credits, from others.
func zaiScope(kind string) string {
	switch kind {
	case "TOKENS_LIMIT", "CREDIT_LIMIT":
		return ""
	case "TIME_LIMIT":
		return zaiTools
	}
	if s := label(strings.ToLower(kind)); s != "" {
		return s
	}
	return "other"
}

// zaiLength is the length of a window: so many of a unit.
func zaiLength(e object) time.Duration {
	code, _ := e.number("unit")
	unit := map[float64]time.Duration{1: day, 3: time.Hour, 5: time.Minute, 6: 7 * day}[code]
	n, _ := e.number("number")
	return lengthOf(n, unit)
}
