package probe

import "testing"

func TestKimiAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "kimi", parseKimi, map[string]string{
		"fresh":                     "ok advanced | weekly 0 % +96h0m0s | 5h 0 % +2h30m0s | monthly 2 %",
		"in-use":                    "ok advanced | weekly 37 % +96h0m0s | 5h 12 % +2h30m0s | monthly 21 %",
		"five-hours-spent":          "exhausted advanced until +2h30m0s: 5h window 100 % used | weekly 37 % +96h0m0s | 5h 100 % +2h30m0s | monthly 21 %",
		"weekly-spent":              "exhausted advanced until +96h0m0s: weekly window 100 % used | weekly 100 % +96h0m0s | 5h 12 % +2h30m0s",
		"billing-cycle-spent":       "exhausted advanced: monthly window 100 % used | weekly 37 % +96h0m0s | 5h 12 % +2h30m0s | monthly 100 %",
		"used-and-remaining-absent": "unknown advanced: the answer names no limit of this account | weekly +96h0m0s | 5h +2h30m0s",
		"remaining-only":            "ok advanced | weekly 25 % +96h0m0s",
		"beyond-the-limit":          "exhausted advanced until +96h0m0s: weekly window 100 % used | weekly 100 % +96h0m0s",
		"other-windows": "ok advanced | 1h 10 % +30m0s | 24h 20 % +24h0m0s | weekly 30 % +24h0m0s | 2m 40 % +1m0s" +
			" | window 50 % | window 60 % | window 70 %",
		"numbers":             "ok advanced | weekly 37 % +96h0m0s | 5h 12.5 % +2h30m0s",
		"limit-zero":          "unknown advanced: the answer names no limit of this account | weekly +96h0m0s",
		"spent-but-passed":    "unknown advanced: weekly window 100 % used, but its reset has passed | weekly 100 % -10m0s suspect",
		"spent-reset-unknown": "exhausted advanced: weekly window 100 % used, 5h window 100 % used | weekly 100 % | 5h 100 % +2h30m0s",
		"absurd": "unknown advanced: the answer names no limit of this account" +
			" | weekly -5 % suspect +87600h0m0s suspect | 5h -800 % suspect -960h0m0s suspect",
		"reset-in-epoch":               "ok advanced | weekly 5 % +96h0m0s | 5h 6 % +2h30m0s",
		"hostile-array":                "ok | weekly 37 % +96h0m0s | 5h 12 % +2h30m0s",
		"nothing":                      "unknown: the answer names no limit of this account",
		"everything-null":              "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type": "unknown: the answer names no limit of this account",
	})
}

func kimiSaid(kind, message string) string {
	return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"}}`
}

// Spent quota comes as a 403 about permissions: the words come before it.
var kimiRefusals = []refusalCase{
	{"billing cycle", 403, kimiSaid("permission_error", "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle. Upgrade your plan."), "exhausted: monthly window spent"},
	{"5 hours", 403, kimiSaid("permission_error", "You've reached your 5-hour usage limit. Your quota will reset when the current 5-hour window ends."), "exhausted: 5h window spent"},
	{"week", 403, kimiSaid("permission_error", "You've reached your weekly (7-day) usage limit. Wait for it."), "exhausted: weekly window spent"},
	{"another window", 403, kimiSaid("permission_error", "You've reached your usage limit."), "exhausted: limit spent"},
	{"period", 429, kimiSaid("rate_limit_error", "You've reached your usage limit for this period"), "exhausted: limit spent"},
	{"overloaded", 429, kimiSaid("engine_overloaded", "The engine is currently overloaded"), "throttled: the provider asks for fewer requests"},
	{"requests", 429, kimiSaid("rate_limit_error", "We're receiving too many requests"), "throttled: the provider asks for fewer requests"},
	{"membership", 402, kimiSaid("billing", "We are unable to verify your membership benefits at this time"), "billing: the provider finds no valid membership"},
	{"402 without a word", 402, `{}`, "billing: the provider asks for payment"},
	{"not for us", 403, kimiSaid("permission_error", "Kimi For Coding is currently only available for Coding Agents such as others"), "unsupported: the provider answers coding agents only"},
	{"terminated", 403, kimiSaid("permission_error", "Access terminated"), "revoked: the provider deactivated this account"},
	{"403 without a word", 403, kimiSaid("permission_error", "no"), "unknown: the provider answered 403 without saying why"},
	{"key invalid", 401, kimiSaid("authentication_error", "The API Key appears to be invalid or may have expired. Please verify it."), "revoked: the provider does not accept this key"},
	{"bare 401", 401, kimiSaid("authentication_error", "Invalid Authentication"), "unknown: the provider answered 401 without saying what is wrong with the key"},
	{"an incident that talks of termination", 502, kimiSaid("x", "Access terminated"), "unreachable: the provider answered 502 Bad Gateway"},
	{"a 404 that talks of termination", 404, kimiSaid("x", "Access terminated"), "unreachable: the provider answered 404 Not Found"},
}

func TestKimiRefusals(t *testing.T) {
	t.Parallel()
	mustRefuse(t, account("kimi", keyType), kimiRules, kimiRefusals)
}

func TestKimiSites(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"kimi", "kimi-coding"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			mustAsk(t, account(id, keyType), `{"usage":{"limit":"100","remaining":"80"}}`, map[string]string{
				"":                               kimiUsage,
				"https://api.kimi.com/coding/":   kimiUsage,
				"https://api.kimi.com/coding/v1": kimiUsage,
				"https://api.moonshot.cn/v1":     relayed, // its keys are another provider's
			})
		})
	}
}

func FuzzKimi(f *testing.F) {
	seed(f, "kimi")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseKimi(o, clock{now: noon}))
		}
	})
}
