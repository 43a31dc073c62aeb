package probe

import (
	"context"
	"net/http"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// askWithKey asks for the usage of an API key, at the one of sites that belongs
// to the host OpenClaw uses (see home). A pasted token of a provider that has
// keys only is such a key: nothing renews it either.
func (q question) askWithKey(ctx context.Context, a Account, c *http.Client, sites map[string]string) (quota.Reading, error) {
	if a.Type != keyType && a.Type != tokenType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	a.Type = keyType
	url, err := home(a, sites)
	if err != nil {
		return quota.Reading{}, err
	}
	q.url = url
	return q.ask(ctx, a, c)
}

// judgeBalance decides by prepaid credit: with nothing left a person has to pay.
// A balance is money and has no top, so it is never made into a percentage.
func judgeBalance(r *quota.Reading, balance *quota.Credits) {
	r.Credits = balance
	switch {
	case balance == nil:
		r.Verdict, r.Reason = quota.Unknown, "the answer names no balance"
	case balance.Balance <= 0:
		r.Verdict, r.Reason = quota.Billing, "the balance is used up"
	default:
		r.Verdict = quota.OK
	}
}

// currency returns the currency's code, "credits" where the answer names none.
func currency(code string) string {
	switch code = strings.ToUpper(clip(code, 8)); code {
	case "":
		return "credits"
	case "RMB":
		return "CNY"
	}
	return code
}
