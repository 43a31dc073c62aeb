package probe

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const xaiBilling = "https://cli-chat-proxy.grok.com/v1/billing"

// xai probes a Grok subscription through the billing that xAI's own command
// reads. Accounts from before the credits have their figures in its plain
// answer, so they are asked twice.
func xai(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	url, err := xaiSite(a)
	if err != nil {
		return quota.Reading{}, err
	}
	told := true
	q := question{
		url: url, set: xaiHeaders, holds: []string{"config"}, rules: xaiRules,
		parse: func(o object, c clock) quota.Reading {
			told = xaiTells(o.sub("config"))
			return parseXai(o, c)
		},
	}
	r, err := q.ask(ctx, a, c)
	if err != nil || told || a.Endpoint != "" {
		return r, err
	}
	q.url = xaiBilling
	if plain, err := q.ask(ctx, a, c); err == nil && plain.Verdict.Conclusive() {
		return plain, nil
	}
	return r, nil
}

// xaiSite says where a is asked. Keys of the console are billed apart from
// subscriptions, and none for inference can read what its team has left.
func xaiSite(a Account) (string, error) {
	const credits = xaiBilling + "?format=credits"
	sites := map[string]string{"": "", "api.x.ai": "", "cli-chat-proxy.grok.com": credits}
	switch a.Type {
	case oauthType:
		// OpenClaw keeps the console's base url beside a subscription's login.
		sites[""], sites["api.x.ai"] = credits, credits
	case tokenType:
		// It is a subscription's where it is sent to the subscriptions' proxy.
	default:
		return "", refuse(quota.Unsupported, "what is left to an API key of this provider cannot be read")
	}
	site, err := home(a, sites)
	if err == nil && site == "" {
		err = refuse(quota.Unsupported, "what is left to an API key of this provider cannot be read")
	}
	return site, err
}

func xaiHeaders(h http.Header, token secret.Value) {
	bearer(h, token)
	h.Set("X-Grok-Client-Mode", "cli")
	h.Set("X-Grok-Client-Version", "1.0.4")
}

var xaiRules = []rule{
	{
		statuses: []int{innerError, 400, 402, 403, http.StatusTooManyRequests},
		phrases:  []string{"used all available credits", "monthly spending limit"},
		verdict:  quota.Billing, reason: "the provider reports no credit, or a spend limit reached",
	},
}

// xaiTells reports whether the answer has the figures of its account, which
// for one with the newer billing are nowhere else.
func xaiTells(config object) bool {
	unified, _ := config.flag("isUnifiedBillingUser")
	return unified || config.has("creditUsagePercent") || config.has("credit_usage_percent") || config.has("monthlyLimit")
}

// parseXai reads the billing of a subscription, with its credits or without.
// An absent percentage may well be a zero that was left out, but nobody has
// said so. What single products used is a part of the same, not a limit.
func parseXai(o object, c clock) quota.Reading {
	config := o.sub("config")
	r := quota.Reading{
		Source: quota.FromUsage,
		Plan:   label(cmp.Or(o.text("subscriptionTier"), o.text("subscription_tier"))),
	}
	w := xaiPeriod(config, c)
	if p, ok := xaiUsed(config); ok {
		setPercent(&w, p, 100)
	}
	if w.UsedPercent != nil || !w.ResetsAt.IsZero() {
		r.Windows = append(r.Windows, w)
	}
	if p, ok := ofCounts(xaiCents(config, "onDemandCap", "onDemandUsed"), "limit", "used", ""); ok {
		demand := quota.Window{Name: quota.Spend, Scope: "credits"} // comes on top of the plan
		setPercent(&demand, p, 100)
		setReset(&demand, w.ResetsAt, c.now)
		r.Windows = append(r.Windows, demand)
	}
	if cents, _ := config.sub("prepaidBalance").number("val"); cents > 0 {
		r.Credits = &quota.Credits{Balance: cents / 100, Unit: "USD"}
	}
	judge(&r, c.now)
	return r
}

// xaiPeriod is the window that the figures are about, without them.
func xaiPeriod(config object, c clock) quota.Window {
	period := config.sub("currentPeriod")
	if period == nil {
		period = config.sub("current_period")
	}
	start, end := period.instant("start"), period.instant("end")
	if end.IsZero() {
		start, end = config.instant("billingPeriodStart"), config.instant("billingPeriodEnd")
	}
	w := quota.Window{}
	if length := end.Sub(start); !start.IsZero() && length > 0 && length <= horizon {
		w.Length = length
	}
	switch kind := period.text("type"); {
	case strings.HasSuffix(kind, "WEEKLY"):
		w.Name, w.Length = quota.Weekly, 7*day
	case strings.HasSuffix(kind, "MONTHLY"), kind == "" && config.has("monthlyLimit"):
		w.Name, w.Length = quota.Monthly, 31*day
	default:
		w.Name = windowName(w.Length)
	}
	setReset(&w, c.reset(end, 0, false, w.Length), c.now)
	return w
}

// xaiUsed returns how much of the plan is used, in percent.
func xaiUsed(config object) (float64, bool) {
	for _, key := range []string{"creditUsagePercent", "credit_usage_percent"} {
		if p, ok := config.number(key); ok {
			return p, true
		}
	}
	return ofCounts(xaiCents(config, "monthlyLimit", "used"), "limit", "used", "")
}

// xaiCents puts two amounts together, each of which has a place of its own.
func xaiCents(config object, limit, used string) object {
	return object{"limit": config.sub(limit)["val"], "used": config.sub(used)["val"]}
}
