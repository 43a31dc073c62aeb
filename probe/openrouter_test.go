package probe

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Each recorded answer holds the two that make one reading.
func TestOpenRouterAnswers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"key-and-account":               "ok | spend 22.5 % +400h0m0s | 38.75 USD",
		"account-has-less-than-the-key": "ok | spend 22.5 % +64h0m0s | 2.5 USD",
		"no-limit-on-the-key":           "ok | 15.5 USD",
		"ordinary-key":                  "ok | spend 25 % +16h0m0s | 9 USD",
		"ordinary-key-without-a-limit":  "ok: the key is valid; its credit cannot be read",
		"zeros-for-an-ordinary-key":     "ok | spend 2.5 % +16h0m0s | 29.25 USD",
		"free-tier":                     "ok free: the key is valid; its credit cannot be read",
		"limit-reached":                 "billing until +16h0m0s: spend limit 100 % used | spend 100 % +16h0m0s spent | 0 USD",
		"limit-overshot":                "billing until +400h0m0s: spend limit 100 % used | spend 100 % +400h0m0s spent | -1.75 USD",
		"limit-without-a-reset-reached": "billing: spend limit 100 % used | spend 100 % spent | 0 USD",
		"limit-of-nothing":              "billing until +64h0m0s: spend limit 100 % used | spend 100 % +64h0m0s spent | 0 USD",
		"account-used-up":               "billing: the balance is used up | spend 22.5 % +400h0m0s | 0 USD",
		"spent-to-the-last-fraction":    "billing: the balance is used up | 0 USD",
		"beyond-all-numbers":            "ok: the key is valid; its credit cannot be read",
		"a-limit-of-hardly-anything":    "unknown: the answer names no limit of this account | spend | 1e+09 USD",
		"account-in-debt":               "billing: the balance is used up | -0.5 USD",
		"both-used-up":                  "billing: the balance is used up | spend 100 % +16h0m0s spent | -1 USD",
		"remaining-unsaid":              "ok | spend 25 % +64h0m0s | 7.5 USD",
		"own-keys-count":                "ok | spend 40 % +16h0m0s | 6 USD",
		"own-keys-do-not-count":         "ok | spend 5 % +16h0m0s | 9.5 USD",
		"remaining-and-usage-unsaid":    "ok: the key is valid; its credit cannot be read",
		"more-left-than-there-is":       "unknown: the answer names no limit of this account | spend -150 % suspect +400h0m0s | 25 USD",
		"negative-limit":                "ok: the key is valid; its credit cannot be read",
		"unknown-period":                "billing: spend limit 100 % used | spend 100 % spent | 0 USD",
		"numbers-as-strings":            "ok | spend 75 % +16h0m0s | 2.5 USD",
		"hostile-label":                 "ok free: the key is valid; its credit cannot be read",
		"half-of-the-credits":           "ok: the key is valid; its credit cannot be read",
		"credits-of-the-wrong-type":     "ok: the key is valid; its credit cannot be read",
		"everything-null":               "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type":  "unknown: the answer names no limit of this account",
		"nothing":                       "unknown: the answer names no limit of this account",
	}
	for _, name := range names(t, "openrouter") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := recorded(t, "openrouter", name)
			r := parseOpenRouter(o.sub("key"), o.sub("credits"), clock{now: noon})
			if got := show(r, noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "openrouter")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

// Periods begin at midnight UTC and weeks on a Monday, by the provider's clock.
func TestOpenRouterPeriods(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	tests := map[string]struct {
		period, now string
		skew        time.Duration
		want        string
	}{
		"a day":                      {"daily", "2027-01-15T08:00:00Z", 0, "2027-01-16T00:00:00Z"},
		"the moment a day begins":    {"daily", "2027-01-15T00:00:00Z", 0, "2027-01-16T00:00:00Z"},
		"our clock is a day's end":   {"daily", "2027-01-16T00:30:00Z", time.Hour, "2027-01-16T01:00:00Z"},
		"a local evening":            {"daily", "2027-01-15T20:00:00-05:00", 0, "2027-01-17T00:00:00Z"},
		"a week from a Friday":       {"weekly", "2027-01-15T08:00:00Z", 0, "2027-01-18T00:00:00Z"},
		"a week from a Monday":       {"weekly", "2027-01-18T00:00:00Z", 0, "2027-01-25T00:00:00Z"},
		"a week from a Sunday":       {"weekly", "2027-01-17T23:59:59Z", 0, "2027-01-18T00:00:00Z"},
		"a month":                    {"monthly", "2027-01-31T08:00:00Z", 0, "2027-02-01T00:00:00Z"},
		"the year's last month":      {"monthly", "2026-12-31T23:59:59Z", 0, "2027-01-01T00:00:00Z"},
		"a period that nobody knows": {"hourly", "2027-01-15T08:00:00Z", 0, "0001-01-01T00:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, length := nextReset(tt.period, clock{now: at(tt.now), skew: tt.skew})
			if !got.Equal(at(tt.want)) || (length > 0) == got.IsZero() {
				t.Errorf("%s after %s, want %s", got, length, tt.want)
			}
		})
	}
}

// Whatever becomes of the second question, the key's own answer stands.
func TestOpenRouterStandsWithoutCredits(t *testing.T) {
	t.Parallel()
	const key = `{"data":{"limit":12,"limit_remaining":9,"limit_reset":null,"usage":3}}`
	tests := map[string]struct {
		status int
		body   string
		err    error
		want   string
	}{
		"an account in funds": {200, `{"data":{"total_credits":20,"total_usage":15}}`, nil, "ok | spend 25 % | 5 USD"},
		"ordinary key":        {403, `{"error":{"code":403,"message":"Only management keys can perform this operation"}}`, nil, "ok | spend 25 % | 9 USD"},
		"not authorized":      {401, `{"error":{"code":401,"message":"No auth credentials found"}}`, nil, "ok | spend 25 % | 9 USD"},
		"out of credits":      {402, `{"error":{"code":402,"message":"Insufficient credits"}}`, nil, "ok | spend 25 % | 9 USD"},
		"throttled":           {429, `{}`, nil, "ok | spend 25 % | 9 USD"},
		"broken":              {500, portal, nil, "ok | spend 25 % | 9 USD"},
		"no answer":           {0, ``, errors.New("no route"), "ok | spend 25 % | 9 USD"},
		"gibberish":           {200, `[]`, nil, "ok | spend 25 % | 9 USD"},
		"inner error":         {200, `{"error":{"code":500}}`, nil, "ok | spend 25 % | 9 USD"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/key") {
					return reply(200, key, isJSON), nil
				}
				return reply(tt.status, tt.body, isJSON), tt.err
			})})
			if got := show(p.Probe(t.Context(), account("openrouter", keyType)), noon); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOpenRouterRefusals(t *testing.T) {
	t.Parallel()
	refusesLike(t, account("openrouter", keyType), map[string]answeredWith{
		"key limit": {
			403, `{"error":{"message":"Key limit exceeded (monthly limit). Manage it using the settings page","code":403}}`,
			quota.Billing, "the key's spend limit is reached",
		},
		"no credits": {
			402, `{"error":{"code":402,"message":"Insufficient credits. Add more using the settings page"}}`,
			quota.Billing, "the balance is used up",
		},
		"more credits": {
			402, `{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}`,
			quota.Billing, "the balance is used up",
		},
		"user not found": {
			401, `{"error":{"message":"User not found.","code":401}}`,
			quota.Unknown, "the provider answered 401 without saying what is wrong with the key",
		},
		"disabled": {
			401, `{"error":{"message":"This key has been disabled","code":401}}`,
			quota.Revoked, "the provider does not accept this key",
		},
		"403 without a word": {403, `{"error":{"code":403}}`, quota.Unknown, "the provider answered 403 without saying why"},
		"free models for today": {
			429, `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day"}}`,
			quota.Throttled, "the provider asks for fewer requests",
		},
	})
}

func FuzzOpenRouter(f *testing.F) {
	seed(f, "openrouter")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			r := parseOpenRouter(o.sub("key"), o.sub("credits"), clock{now: noon})
			mustBeSane(t, r)
			mustBeMoney(t, r)
		}
	})
}
