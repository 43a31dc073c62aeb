package probe

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const (
	moonshotBalance      = "https://api.moonshot.ai/v1/users/me/balance"
	moonshotBalanceChina = "https://api.moonshot.cn/v1/users/me/balance"
)

var moonshotSites = map[string]string{
	"": moonshotBalance, "api.moonshot.ai": moonshotBalance, "api.moonshot.cn": moonshotBalanceChina,
}

// moonshot probes an API key of Moonshot's open platform, which is prepaid. It
// has two sites with accounts, keys and a currency each.
func moonshot(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	rules := moonshotRules
	if a.BaseURL != "" {
		rules = slices.Concat(rules, moonshotSiteKnown)
	}
	return question{
		set: bearer, holds: []string{"data"}, fails: moonshotFails, rules: rules,
		parse: func(o object, _ clock) quota.Reading { return parseMoonshot(o, moonshotCurrency(a)) },
	}.askWithKey(ctx, a, c, moonshotSites)
}

var moonshotRules = []rule{
	{
		// A 429 is a throttle only where it says nothing of credit. Both
		// wordings of a suspended account come with this type.
		statuses: []int{innerError, 400, 402, 403, 429},
		codes:    []string{"exceeded_current_quota_error"},
		phrases:  []string{"insufficient balance", "is suspended, please check your plan and billing"},
		verdict:  quota.Billing, reason: "the balance is used up",
	},
	{
		statuses: []int{http.StatusTooManyRequests},
		codes:    []string{"engine_overloaded_error"},
		verdict:  quota.Unreachable,
	},
}

// moonshotSiteKnown holds where OpenClaw's config says whose key this is: the
// other site refuses a good key in the same words.
var moonshotSiteKnown = []rule{
	{
		statuses: refused,
		codes:    []string{"invalid_authentication_error"},
		verdict:  quota.Revoked, reason: "the provider does not accept this key",
	},
}

// moonshotFails reports an answer of status 200 whose own code is not 0.
func moonshotFails(o object) bool {
	code, numbered := o.number("code")
	status, said := o.flag("status")
	return numbered && code != 0 || said && !status
}

// moonshotCurrency is what the account's site counts in; the answer does not say.
func moonshotCurrency(a Account) string {
	for _, raw := range []string{a.Endpoint, a.BaseURL} {
		if u, err := url.Parse(raw); err == nil && strings.EqualFold(u.Hostname(), "api.moonshot.cn") {
			return "CNY"
		}
	}
	return "USD"
}

// parseMoonshot reads the balance. available_balance is what requests are paid
// from: cash and vouchers, where a debt in cash does not eat up the vouchers.
func parseMoonshot(o object, unit string) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	var credits *quota.Credits
	if left, ok := o.sub("data").number("available_balance"); ok {
		credits = &quota.Credits{Balance: left, Unit: unit}
	}
	judgeBalance(&r, credits)
	return r
}
