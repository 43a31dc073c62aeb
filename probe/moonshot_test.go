package probe

import (
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestMoonshotAnswers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"balance":                      "ok | 31.20417 USD",
		"vouchers-outlive-a-debt":      "ok | 5 USD",
		"used-up":                      "billing: the balance is used up | 0 USD",
		"debt":                         "billing: the balance is used up | -0.83 USD",
		"number-as-a-string":           "ok | 2.5 USD",
		"no-total":                     "unknown: the answer names no balance",
		"everything-null":              "unknown: the answer names no balance",
		"everything-of-the-wrong-type": "unknown: the answer names no balance",
		"not-a-number":                 "unknown: the answer names no balance",
		"nothing":                      "unknown: the answer names no balance",
	}
	for _, name := range names(t, "moonshot") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(parseMoonshot(recorded(t, "moonshot", name), "USD"), noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "moonshot")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

// The answer does not name the currency; the site does.
func TestMoonshotCurrency(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ base, endpoint, want string }{
		"the usual site": {"", "", "USD"},
		"abroad":         {"https://api.moonshot.ai/v1", "", "USD"},
		"china":          {"https://api.moonshot.cn/v1", "", "CNY"},
		"china by the owner's word, openclaw abroad": {"https://api.moonshot.ai/v1", "https://api.moonshot.cn/v1/users/me/balance", "CNY"},
		"china through the owner's host":             {"https://api.moonshot.cn/v1", "https://balance.example.com/b", "CNY"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := account("moonshot", keyType)
			a.BaseURL, a.Endpoint = tt.base, tt.endpoint
			_, r := asksAt(t, a, `{"code":0,"data":{"available_balance":3},"status":true}`)
			if r.Credits == nil || r.Credits.Unit != tt.want || r.Verdict != quota.OK {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestMoonshotRefusals(t *testing.T) {
	t.Parallel()
	const invalid = `{"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}`
	a := account("moonshot", keyType)
	refusesLike(t, a, map[string]answeredWith{
		"suspended": {
			429, `{"error":{"type":"exceeded_current_quota_error","message":"Your account org-x is suspended, please check your plan and billing details"}}`,
			quota.Billing, "the balance is used up",
		},
		"suspended, in words alone": {
			429, `{"error":{"message":"Your account org-x<ak-x> is suspended, please check your plan and billing details"}}`,
			quota.Billing, "the balance is used up",
		},
		"no balance": {
			429, `{"error":{"message":"Your account is suspended due to insufficient balance, please recharge your account or check your plan and billing details"}}`,
			quota.Billing, "the balance is used up",
		},
		"no balance, 403": {403, `{"error":{"message":"insufficient balance"}}`, quota.Billing, "the balance is used up"},
		"throttle": {
			429, `{"error":{"type":"rate_limit_reached_error","message":"request reached max request: 3"}}`,
			quota.Throttled, "the provider asks for fewer requests",
		},
		"overload": {
			429, `{"error":{"type":"engine_overloaded_error","message":"The engine is currently overloaded"}}`,
			quota.Unreachable, "the provider answered 429 Too Many Requests",
		},
		"key of another site, or none": {
			401, invalid, quota.Unknown, "the provider answered 401 without saying what is wrong with the key",
		},
		"wrong key": {
			401, `{"error":{"message":"Incorrect API key provided","type":"incorrect_api_key_error"}}`,
			quota.Revoked, "the provider does not accept this key",
		},
		"failure with status 200":     {200, `{"code":5,"data":{},"scode":"0x5","status":false}`, quota.Unreachable, "the answer is not usage"},
		"failure by status alone":     {200, `{"data":{"available_balance":3},"status":false}`, quota.Unreachable, "the answer is not usage"},
		"inner error without balance": {200, `{"error":{"type":"exceeded_current_quota_error"}}`, quota.Billing, "the balance is used up"},
	})
	a.BaseURL = "https://api.moonshot.cn/v1"
	refusesLike(t, a, map[string]answeredWith{
		"key of a known site": {401, invalid, quota.Revoked, "the provider does not accept this key"},
		"bare 401":            {401, `{}`, quota.Unknown, "the provider answered 401 without saying what is wrong with the key"},
	})
}

func FuzzMoonshot(f *testing.F) {
	seed(f, "moonshot")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			r := parseMoonshot(o, "USD")
			mustBeSane(t, r)
			mustBeMoney(t, r)
		}
	})
}
