package probe

import (
	"net/http"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestAnthropicAnswers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"both-halves":               "ok | 5h 13 % +2h30m0s | weekly 7 % +121h0m0s | Saga weekly 6 % +121h0m0s",
		"older-shape":               "ok | 5h 35.5 % +3h0m1s | weekly 14 %",
		"enterprise-spend-limit":    "ok | spend 30.5 % | 20.85 EUR",
		"extra-usage-in-cents":      "ok | 5h 20 % +2h30m0s | credits spend 41 % | 29.5 USD",
		"extra-usage-off":           "ok | 5h 20 % +2h30m0s",
		"extra-usage-without-a-cap": "ok | 5h 20 % +2h30m0s | 0 JPY unlimited",
		"spend-limit-reached":       "billing: spend limit 100 % used | spend 100 % | 0 USD",
		"only-limits-half":          "exhausted until +121h0m0s: weekly window 100 % used | 5h 88 % +2h30m0s | weekly 100 % +121h0m0s spent",
		"window-not-started":        "ok | 5h 0 % | weekly 3 % +121h0m0s",
		"fraction-is-not-guessed":   "ok | 5h 0.4 % +2h30m0s | weekly 0.9 % +121h0m0s",
		"overshoot":                 "exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s spent | weekly 40 % +121h0m0s",
		"utilization-null":          "unknown: the answer names no limit of this account | weekly +121h0m0s",
		"model-window-spent":        "ok | 5h 10 % +2h30m0s | weekly 40 % +121h0m0s | opus weekly 100 % +97h0m0s spent",
		"rounding-does-not-exhaust": "ok | 5h 99.6 % +2h30m0s",
		"both-spent": "exhausted until +121h0m0s: 5h window 100 % used, weekly window 100 % used" +
			" | 5h 100 % +2h30m0s spent | weekly 100 % +121h0m0s spent",
		"spent-reset-unknown": "exhausted: 5h window 100 % used, weekly window 100 % used" +
			" | 5h 100 % +2h30m0s spent | weekly 100 % spent",
		"spent-but-passed": "unknown: 5h window 100 % used, but its reset has passed | 5h 100 % -30m0s suspect spent",
		"absurd": "unknown: the answer names no limit of this account" +
			" | 5h -5 % suspect +876578h30m0s suspect | weekly 5000 % suspect +121h0m0s",
		"unknown-kinds": "ok | 5h 10 % +2h30m0s | monthly_tea monthly 100 % +361h0m0s spent" +
			" | Design weekly 100 % +121h0m0s spent",
		"extra-usage-absurd":            "ok | 5h 20 % +2h30m0s | credits spend 9000 % suspect",
		"extra-usage-nobody-counted":    "ok | 5h 20 % +2h30m0s",
		"extra-usage-of-the-wrong-type": "ok | 5h 20 % +2h30m0s",
		"extra-usage-only-a-percentage": "ok | 5h 20 % +2h30m0s | credits spend 62.5 %",
		"extra-usage-overdrawn":         "ok | 5h 20 % +2h30m0s | credits spend 100 % | 0 GBP",
		"inactive-limit-spent":          "exhausted until +121h0m0s: weekly window 100 % used | 5h 12 % +2h30m0s | weekly 100 % +121h0m0s spent",
		"numbers-as-strings":            "ok | 5h 20.5 % +2h30m0s | weekly 40 % +120h46m40s",
		"oauth-apps-window":             "ok | 5h 12 % +2h30m0s | weekly 30 % +121h0m0s | oauth apps weekly 100 % +121h0m0s spent",
		"nothing":                       "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type":  "unknown: the answer names no limit of this account | weekly -499999h59m53s suspect",
	}
	for _, name := range names(t, "anthropic") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := parseAnthropic(recorded(t, "anthropic", name), clock{now: noon})
			if got := show(r, noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "anthropic")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

func TestAnthropicRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := New(Options{UserAgent: "ocwatch/1.2.3", Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(200, `{"five_hour":{"utilization":3,"resets_at":null}}`, isJSON), nil
	})})
	if r := p.Probe(t.Context(), account("anthropic", "oauth")); r.Verdict != quota.OK {
		t.Fatalf("reading %+v", r)
	}
	want := map[string]string{
		"Authorization": "Bearer " + secretToken, "Anthropic-Beta": "oauth-2025-04-20",
		"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "ocwatch/1.2.3",
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if got.URL.String() != "https://api.anthropic.com/api/oauth/usage" {
		t.Errorf("asked %s", got.URL)
	}
}

const scopeMissing = `{"type":"error","error":{"type":"permission_error","message":"OAuth token does not meet scope requirement user:profile","details":{"error_visibility":"user_facing"}},"request_id":"req_1"}`

// A setup-token is answered 403 as a rule and 429 sometimes. Either way it
// cannot be read; but one 429 is an ordinary throttle, for a login always.
func TestSetupTokenBecomesUnsupported(t *testing.T) {
	t.Parallel()
	const edge = `{"error":{"message":"Rate limited. Please try again later.","type":"rate_limit_error"}}`
	tests := map[string]struct {
		profileType string
		status      int
		body        string
		want        []quota.Verdict
	}{
		"403":              {"token", 403, scopeMissing, []quota.Verdict{quota.Unsupported, quota.Unsupported}},
		"login 403":        {"oauth", 403, scopeMissing, []quota.Verdict{quota.Unsupported}},
		"429 in a row":     {"token", 429, edge, []quota.Verdict{quota.Throttled, quota.Throttled, quota.Unsupported, quota.Unsupported}},
		"a login's 429":    {"oauth", 429, edge, []quota.Verdict{quota.Throttled, quota.Throttled, quota.Throttled, quota.Throttled}},
		"expired for good": {"token", 401, `{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Run setup again."}}`, []quota.Verdict{quota.Revoked}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: replying(tt.status, tt.body, isJSON)})
			for i, want := range tt.want {
				if r := p.Probe(t.Context(), account("anthropic", tt.profileType)); r.Verdict != want {
					t.Errorf("probe %d: %s (%s), want %s", i+1, r.Verdict, r.Reason, want)
				}
			}
		})
	}
}
