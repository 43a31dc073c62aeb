package probe

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestCopilotAnswers(t *testing.T) {
	t.Parallel()
	const (
		spent     = "exhausted until +400h0m0s: monthly window 100 % used | monthly 100 % +400h0m0s spent"
		unnamed   = "unknown: the answer names no limit of this account"
		uncounted = "unknown: what is left of the plan's credits cannot be read"
	)
	want := map[string]string{
		"business":                   "ok business | monthly 17.7 % +400h0m0s",
		"credits-overdrawn":          strings.Replace(spent, "exhausted", "exhausted individual_pro", 1),
		"overdrawn-by-one":           strings.Replace(spent, "exhausted", "exhausted individual", 1),
		"overdrawn-by-credits-alone": spent,
		"used-up-to-the-last":        "exhausted individual until +400h0m0s: monthly window 100 % used | monthly 100 % +400h0m0s",
		"placeholders":               strings.Replace(uncounted, "unknown", "unknown enterprise", 1),
		"placeholders-at-zero":       strings.Replace(uncounted, "unknown", "unknown business", 1),
		"sentinels":                  "ok business | monthly 20 % +400h0m0s",
		"everything-unlimited":       "ok enterprise: the plan has no limit",
		"no-premium-requests":        "ok business: the plan has no limit",
		"free":                       "ok individual | monthly 60 % +640h0m0s | completions monthly 75 % +640h0m0s",
		"free-chat-spent": "exhausted free_limited_copilot until +640h0m0s: monthly window 100 % used" +
			" | monthly 100 % +640h0m0s | completions monthly 0.05 % +640h0m0s",
		"free-completions-only":  unnamed + " | completions monthly 25 %",
		"free-with-placeholders": "ok individual | monthly 90 % +400h0m0s",
		"free-nonsense":          unnamed,
		"free-sentinel":          unnamed,
		"completions-spent": "ok individual | monthly 50 % +400h0m0s | chat monthly 100 % +400h0m0s" +
			" | completions monthly 100 % +400h0m0s",
		"percentage-only":              "ok | monthly 87.5 % +400h0m0s",
		"counts-only":                  "ok | monthly 75 % +400h0m0s",
		"entitlement-only":             uncounted,
		"absurd-percent":               unnamed + " | monthly 1000 % suspect +400h0m0s | chat monthly -40 % suspect +400h0m0s",
		"slight-overshoot":             "exhausted until +400h0m0s: monthly window 100 % used | monthly 100 % +400h0m0s",
		"over-and-a-percentage-left":   "ok | monthly 60 % +400h0m0s",
		"spent-but-passed":             "unknown: monthly window 100 % used, but its reset has passed | monthly 100 % -8h0m0s suspect",
		"reset-years-away":             "exhausted: monthly window 100 % used | monthly 100 % +631552h0m0s suspect",
		"reset-in-milliseconds":        "ok | monthly 30 % +400h0m0s",
		"reset-is-no-date":             "exhausted: monthly window 100 % used | monthly 100 %",
		"reset-beyond-the-calendar":    "ok | monthly 30 % +2562047h47m16.854775807s suspect",
		"numbers-as-strings":           "ok business | monthly 75 % +400h0m0s",
		"hostile-plan":                 "ok [31mpro | monthly 30 %",
		"everything-null":              unnamed,
		"everything-of-the-wrong-type": unnamed,
		"nothing":                      unnamed,
	}
	for _, name := range names(t, "copilot") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(parseCopilot(recorded(t, "copilot", name), clock{now: noon}), noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "copilot")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

func TestCopilotRefusals(t *testing.T) {
	t.Parallel()
	const badCredentials = `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`
	common := map[string]answeredWith{
		"quota": {402, `{"error":{"message":"You have no quota","code":"quota_exceeded"}}`, quota.Exhausted, "the provider reports no quota left"},
		"quota in words": {
			402, `{"error":{"message":"You have no quota"}}`, quota.Exhausted, "the provider reports no quota left",
		},
		"402 without a word": {402, `{}`, quota.Billing, "the provider asks for payment"},
		"no seat":            {404, `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`, quota.Billing, "this account has no Copilot seat"},
		"404 of something else": {
			404, `{}`, quota.Unreachable, "the provider answered 404 Not Found",
		},
		"no seat, 403": {
			403, `{"error_details":{"message":"x"},"error":{"code":"no_copilot_access"},"message":"Resource not accessible by integration"}`,
			quota.Billing, "this account has no Copilot seat",
		},
		"no access": {
			403, `{"message":"No access to GitHub Copilot found. You are currently logged in as alice."}`,
			quota.Billing, "this account has no Copilot seat",
		},
		"another kind of token": {
			403, `{"message":"Resource not accessible by personal access token","status":"403"}`,
			quota.Unsupported, "this token may not read Copilot's usage",
		},
		"403 without a word": {403, `{"message":"Forbidden"}`, quota.Unknown, "the provider answered 403 without saying why"},
		"primary limit": {
			403, `{"message":"API rate limit exceeded for user ID 1."}`, quota.Throttled, "the provider asks for fewer requests",
		},
		"secondary limit": {
			403, `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}`,
			quota.Throttled, "the provider asks for fewer requests",
		},
		"429":      {429, `{"message":"API rate limit exceeded"}`, quota.Throttled, "the provider asks for fewer requests"},
		"incident": {503, `{"message":"Bad credentials"}`, quota.Unreachable, "the provider answered 503 Service Unavailable"},
		"bare 401": {401, `{}`, quota.Stale, "the provider did not accept the access token; OpenClaw may refresh it"},
	}
	for _, typ := range []string{oauthType, tokenType} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			refusesLike(t, account("github-copilot", typ), common)
		})
	}
	refusesLike(t, account("github-copilot", tokenType), map[string]answeredWith{
		"token gone": {401, badCredentials, quota.Revoked, "the provider does not accept this token, and nothing renews it"},
	})
	refusesLike(t, account("github-copilot", oauthType), map[string]answeredWith{
		"copilot's short-lived token": {401, badCredentials, quota.Stale, "the provider did not accept the access token; OpenClaw may refresh it"},
	})
}

func TestCopilotRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := New(Options{UserAgent: "ocwatch/1.2.3", Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(200, `{}`, isJSON), nil
	})})
	p.Probe(t.Context(), account("github-copilot", tokenType))
	want := map[string]string{
		"Authorization": "Bearer " + secretToken, "Accept": "application/json", "X-Github-Api-Version": "2025-04-01",
		"User-Agent": "ocwatch/1.2.3", "Editor-Version": "", "Editor-Plugin-Version": "", "Copilot-Integration-Id": "",
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
}

func FuzzCopilot(f *testing.F) {
	seed(f, "copilot")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseCopilot(o, clock{now: noon}))
		}
	})
}
