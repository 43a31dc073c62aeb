package probe

import (
	"net/http"
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestXaiAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "xai", parseXai, map[string]string{
		"weekly":                       "ok SuperGrok | weekly 62.5 % +96h0m0s",
		"weekly-spent":                 "exhausted until +96h0m0s: weekly window 100 % used | weekly 100 % +96h0m0s",
		"product-full-account-not":     "ok | weekly 88 % +96h0m0s",
		"monthly":                      "ok SuperGrok Heavy | monthly 10 % +504h0m0s",
		"percent-absent":               "unknown: the answer names no limit of this account | weekly +96h0m0s",
		"on-demand-and-prepaid":        "exhausted until +96h0m0s: weekly window 100 % used | weekly 100 % +96h0m0s | credits spend 25 % +96h0m0s | 19.99 USD",
		"on-demand-spent":              "ok | weekly 40 % +96h0m0s | credits spend 100 % +96h0m0s",
		"without-format":               "ok | monthly 22.5 % +504h0m0s",
		"without-format-spent":         "exhausted until +504h0m0s: monthly window 100 % used | monthly 100 % +504h0m0s",
		"without-format-used-absent":   "unknown: the answer names no limit of this account | monthly +504h0m0s",
		"without-a-plan":               "unknown: the answer names no limit of this account | monthly +504h0m0s",
		"snake-case":                   "ok | weekly 33 % +96h0m0s",
		"other-period":                 "ok | 2d 5 % +24h0m0s",
		"numbers-as-strings":           "ok | monthly 25 % +504h0m0s | 2.5 USD",
		"period-missing":               "exhausted: limit 100 % used | window 100 %",
		"spent-but-passed":             "unknown: weekly window 100 % used, but its reset has passed | weekly 100 % -24h0m0s suspect",
		"absurd":                       "unknown: the answer names no limit of this account | weekly -7 % suspect +96000h0m0s suspect",
		"over-a-hundred":               "unknown: the answer names no limit of this account | weekly 140 % suspect +96h0m0s",
		"nothing":                      "unknown: the answer names no limit of this account",
		"everything-null":              "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type": "unknown: the answer names no limit of this account | monthly -499999h59m48s suspect",
	})
}

const xaiSpent = `{"error":"Your team has used all available credits or reached its monthly spending limit. Ask an owner."}`

var xaiRefusals = []refusalCase{
	{"403, no credit", 403, `{"code":"x","message":"Your team 6a has used all available credits or reached its monthly spending limit."}`, "billing: the provider reports no credit, or a spend limit reached"},
	{"429, no credit", 429, xaiSpent, "billing: the provider reports no credit, or a spend limit reached"},
	{"403, without a word", 403, `{}`, "unknown: the provider answered 403 without saying why"},
	{"429", 429, `{"error":"slow down"}`, "throttled: the provider asks for fewer requests"},
	{"401", 401, `{"error":"no auth context"}`, "stale: the provider did not accept the access token; OpenClaw may refresh it"},
	{"500 that talks of credit", 500, xaiSpent, "unreachable: the provider answered 500 Internal Server Error"},
}

func TestXaiRefusals(t *testing.T) {
	t.Parallel()
	mustRefuse(t, account("xai", oauthType), xaiRules, xaiRefusals)
}

// The credits are asked for first; the plain answer only where those hold no
// figures of an account from before them.
func TestXaiAsksWithoutFormatToo(t *testing.T) {
	t.Parallel()
	const (
		credits = xaiBilling + "?format=credits"
		plan    = `{"config":{"monthlyLimit":{"val":1000},"used":{"val":250}}}`
	)
	tests := map[string]struct {
		first, second string
		asked         []string
		want          string
	}{
		"credits":                        {`{"config":{"creditUsagePercent":5}}`, plan, []string{credits}, "ok | window 5 %"},
		"nothing yet of new credits":     {`{"config":{"isUnifiedBillingUser":true,"currentPeriod":{"type":"USAGE_PERIOD_TYPE_WEEKLY"}}}`, plan, []string{credits}, "unknown: the answer names no limit of this account"},
		"from before the credits":        {`{"config":{"onDemandCap":{"val":0}}}`, plan, []string{credits, xaiBilling}, "ok | monthly 25 %"},
		"not there either":               {`{"config":{}}`, `{"config":{}}`, []string{credits, xaiBilling}, "unknown: the answer names no limit of this account"},
		"the second answer is no answer": {`{"config":{}}`, `[]`, []string{credits, xaiBilling}, "unknown: the answer names no limit of this account"},
		"the first is an error":          {`{"error":"x"}`, plan, []string{credits}, "unreachable: the answer is not usage"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.String())
				return reply(200, map[bool]string{true: tt.first, false: tt.second}[len(asked) == 1], isJSON), nil
			})})
			if got := show(p.Probe(t.Context(), account("xai", oauthType)), noon); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !slices.Equal(asked, tt.asked) {
				t.Errorf("asked %v, want %v", asked, tt.asked)
			}
		})
	}
}

func TestXaiSites(t *testing.T) {
	t.Parallel()
	const (
		body  = `{"config":{"creditUsagePercent":5}}`
		usage = xaiBilling + "?format=credits"
	)
	mustAsk(t, account("xai", oauthType), body, map[string]string{
		"": usage, "https://api.x.ai/v1": usage, "https://cli-chat-proxy.grok.com/v1": usage, "https://relay.example.com/v1": relayed,
	})
	t.Run("a token", func(t *testing.T) {
		t.Parallel()
		mustAsk(t, account("xai", tokenType), body, map[string]string{
			"": relayed, "https://api.x.ai/v1": relayed, "https://cli-chat-proxy.grok.com/v1": usage,
		})
	})
	t.Run("a key", func(t *testing.T) {
		t.Parallel()
		mustAsk(t, account("xai", keyType), body, map[string]string{"": relayed, "https://cli-chat-proxy.grok.com/v1": relayed})
	})
}

func TestXaiRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(200, `{"config":{"creditUsagePercent":5}}`, isJSON), nil
	})})
	if r := p.Probe(t.Context(), account("xai", oauthType)); r.Verdict != quota.OK {
		t.Fatalf("%+v", r)
	}
	want := map[string]string{
		"Authorization": "Bearer " + secretToken, "X-Grok-Client-Mode": "cli", "X-Grok-Client-Version": "1.0.4",
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
}

func FuzzXai(f *testing.F) {
	seed(f, "xai")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseXai(o, clock{now: noon}))
		}
	})
}
