package probe

import (
	"context"
	"net/http"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const deepSeekBalance = "https://api.deepseek.com/user/balance"

// deepSeek probes an API key of DeepSeek, which is prepaid: what is left is the
// account's balance.
func deepSeek(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	return question{
		set: bearer, holds: []string{"balance_infos", "is_available"}, rules: deepSeekRules, parse: parseDeepSeek,
	}.askWithKey(ctx, a, c, map[string]string{"": deepSeekBalance, "api.deepseek.com": deepSeekBalance})
}

// deepSeekRules believe only the message that names the key: DeepSeek's other
// "Authentication Fails" were seen with good keys, during incidents.
var deepSeekRules = []rule{
	{
		statuses: refused,
		phrases:  []string{"authentication fails, your api key"},
		verdict:  quota.Revoked, reason: "the provider does not accept this key",
	},
	{
		statuses: []int{innerError, 400, 402, 403, 429},
		phrases:  []string{"insufficient balance"},
		verdict:  quota.Billing, reason: "the balance is used up",
	},
}

// parseDeepSeek reads the balances. is_available is the provider's word on
// whether they suffice for a request.
func parseDeepSeek(o object, _ clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	available, said := o.flag("is_available")
	judgeBalance(&r, deepSeekCredits(o.list("balance_infos")))
	switch {
	case said && !available && r.Verdict != quota.Billing:
		r.Verdict, r.Reason = quota.Billing, "the provider says that the balance does not suffice"
	case said && available && r.Verdict == quota.Unknown:
		r.Verdict, r.Reason = quota.OK, "the provider says that the balance suffices, without naming it"
	}
	return r
}

// deepSeekCredits picks the one balance that is shown: the first that has
// something in it, since each currency is spent by itself; else the first.
func deepSeekCredits(infos []object) *quota.Credits {
	var shown *quota.Credits
	for _, info := range infos {
		total, ok := info.number("total_balance")
		if !ok {
			continue
		}
		if shown == nil || shown.Balance <= 0 && total > 0 {
			shown = &quota.Credits{Balance: total, Unit: currency(info.text("currency"))}
		}
	}
	return shown
}
