package probe

import (
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestDeepSeekAnswers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"one-currency":                 "ok | 86.4 CNY",
		"two-currencies":               "ok | 12.75 USD",
		"debt-beside-credit":           "ok | 40 CNY",
		"used-up":                      "billing: the balance is used up | 0 USD",
		"negative":                     "billing: the balance is used up | -1.07 CNY",
		"empty-but-called-available":   "billing: the balance is used up | 0 USD",
		"too-little":                   "billing: the provider says that the balance does not suffice | 0.01 USD",
		"unavailable-without-figures":  "billing: the provider says that the balance does not suffice",
		"available-without-figures":    "ok: the provider says that the balance suffices, without naming it",
		"available-unsaid":             "ok | 3.1 USD",
		"numbers-and-words":            "ok | 7.25 CNY",
		"no-currency":                  "ok | 9 credits",
		"hostile-array":                "ok | 5.5 USD AND",
		"everything-null":              "unknown: the answer names no balance",
		"everything-of-the-wrong-type": "unknown: the answer names no balance",
		"nothing":                      "unknown: the answer names no balance",
	}
	for _, name := range names(t, "deepseek") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(parseDeepSeek(recorded(t, "deepseek", name), clock{now: noon}), noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "deepseek")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

func TestDeepSeekRefusals(t *testing.T) {
	t.Parallel()
	refusesLike(t, account("deepseek", keyType), map[string]answeredWith{
		"no balance": {
			402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}`,
			quota.Billing, "the balance is used up",
		},
		"payment": {402, `{}`, quota.Billing, "the provider asks for payment"},
		"bad key": {
			401, `{"error":{"message":"Authentication Fails, Your api key: ****ab12 is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}`,
			quota.Revoked, "the provider does not accept this key",
		},
		"incident": {
			401, `{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","param":null,"code":"invalid_request_error"}}`,
			quota.Unknown, "the provider answered 401 without saying what is wrong with the key",
		},
		"bare 401":    {401, `{}`, quota.Unknown, "the provider answered 401 without saying what is wrong with the key"},
		"throttle":    {429, `{"error":{"message":"Rate limit reached"}}`, quota.Throttled, "the provider asks for fewer requests"},
		"overload":    {503, `{"error":{"message":"Insufficient Balance"}}`, quota.Unreachable, "the provider answered 503 Service Unavailable"},
		"inner error": {200, `{"error":{"message":"Insufficient Balance"}}`, quota.Billing, "the balance is used up"},
	})
	refusesLike(t, account("deepseek", tokenType), map[string]answeredWith{
		"bare 401 of a pasted token": {401, `{}`, quota.Unknown, "the provider answered 401 without saying what is wrong with the key"},
	})
}

func FuzzDeepSeek(f *testing.F) {
	seed(f, "deepseek")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			r := parseDeepSeek(o, clock{now: noon})
			mustBeSane(t, r)
			mustBeMoney(t, r)
		}
	})
}

// mustBeMoney holds of every balance: it can be shown, it is no percentage, and
// nobody serves on an empty one.
func mustBeMoney(t *testing.T, r quota.Reading) {
	t.Helper()
	if r.Credits == nil {
		return
	}
	mustBeShowable(t, r.Credits.Unit)
	if r.Credits.Balance <= 0 && r.Verdict == quota.OK {
		t.Errorf("ok with %g %s", r.Credits.Balance, r.Credits.Unit)
	}
}
