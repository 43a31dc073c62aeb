package probe

import (
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestMinimaxAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "minimax", parseMinimax, map[string]string{
		"general-and-video":          "ok | 5h 17 % +2h30m0s | weekly 29 % +96h0m0s | video 24h 0 % +12h0m0s | video weekly 0 % +96h0m0s",
		"video-spent":                "ok | 5h 17 % +2h30m0s | weekly 29 % +96h0m0s | video 24h 100 % +12h0m0s | video weekly 50 % +96h0m0s",
		"video-first":                "exhausted until +2h30m0s: 5h window 100 % used | video 24h 0 % +12h0m0s | video weekly 0 % +96h0m0s | 5h 100 % +2h30m0s | weekly 29 % +96h0m0s",
		"weekly-spent":               "exhausted until +96h0m0s: weekly window 100 % used | 5h 60 % +2h30m0s | weekly 100 % +96h0m0s",
		"weekly-hidden":              "ok | 5h 60 % +2h30m0s",
		"both-hidden":                "unknown: the answer names no limit of this account | video 24h 0 % +12h0m0s | video weekly 0 % +96h0m0s",
		"counts-are-what-remains":    "ok | 5h 75 % +2h30m0s | weekly 25 % +96h0m0s",
		"counts-all-left":            "ok | 5h 0 % +2h30m0s | weekly 0 % +96h0m0s",
		"counts-none-left":           "exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s | weekly 83.3333 % +96h0m0s",
		"total-zero-without-percent": "unknown: the answer names no limit of this account | 5h +2h30m0s | weekly +96h0m0s",
		"percent-before-counts":      "ok | 5h 75 % +2h30m0s | weekly 50 % +96h0m0s",
		"older-chat-models": "ok | 5h 40 % +2h30m0s | weekly 20 % +96h0m0s" +
			" | MiniMax-M2.7-highspeed 5h 100 % +2h30m0s | MiniMax-M2.7-highspeed weekly 20 % +96h0m0s" +
			" | speech-hd 5h 100 % +2h30m0s | speech-hd weekly 100 % +96h0m0s",
		"no-chat-model": "unknown: the answer names no limit of this account | video 24h 0 % +12h0m0s | video weekly 0 % +96h0m0s" +
			" | other 5h 100 % +2h30m0s | other weekly 100 % +96h0m0s",
		"within-data":      "ok Token Plan Plus | 5h 17 % +2h30m0s | weekly 28.5 % +96h0m0s",
		"other-length":     "ok Team | 6h 17 % +5h0m0s | weekly 29 % +96h0m0s",
		"times-missing":    "exhausted: limit 100 % used | window 100 % | weekly 29 %",
		"spent-but-passed": "unknown: 5h window 100 % used, but its reset has passed | 5h 100 % -1h0m0s suspect | weekly 29 % +96h0m0s",
		"absurd": "unknown: the answer names no limit of this account" +
			" | window -40 % suspect -2h30m0s suspect | weekly 120 % suspect +87600h0m0s suspect",
		"more-left-than-total":         "exhausted until +96h0m0s: weekly window 100 % used | 5h -50 % suspect +2h30m0s | weekly 100 % +96h0m0s",
		"hostile-array":                "ok | 5h 17 % +2h30m0s | weekly 29 % +96h0m0s",
		"nothing":                      "unknown: the answer names no limit of this account",
		"everything-null":              "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type": "unknown: the answer names no limit of this account",
	})
}

var minimaxRefusals = []refusalCase{
	{"5 hours", 429, `{"type":"error","error":{"type":"rate_limit_error","message":"usage limit exceeded, 5-hour usage limit reached for Token Plan Plus (700/700 used), resets at 2027-01-15T18:30:00+08:00 (2056)"}}`, "exhausted until +2h30m0s: 5h window spent"},
	{"5 hours, in UTC", 200, `{"base_resp":{"status_code":2056,"status_msg":"usage limit exceeded, 5-hour usage limit reached for Token Plan Max (700/700 used), resets at 2027-01-15T10:30:00Z"}}`, "exhausted until +2h30m0s: 5h window spent"},
	{"5 hours, passed", 200, `{"base_resp":{"status_code":2056,"status_msg":"5-hour usage limit reached, resets at 2027-01-15T07:59:00Z"}}`, "exhausted: 5h window spent"},
	{"5 hours, too far away", 200, `{"base_resp":{"status_code":2056,"status_msg":"5-hour usage limit reached, resets at 2027-01-15T18:30:00Z"}}`, "exhausted: 5h window spent"},
	{"week", 200, `{"base_resp":{"status_code":2056,"status_msg":"usage limit exceeded, weekly usage limit reached for Token Plan Max (9/9 used), resets at 2027-01-19T08:00:00Z"}}`, "exhausted until +96h0m0s: weekly window spent"},
	{"no window named", 429, `{"error":{"message":"usage limit exceeded (2056)"}}`, "exhausted: limit spent"},
	{"by code alone", 200, `{"base_resp":{"status_code":2056}}`, "exhausted: limit spent"},
	{"a model that is in no plan", 200, `{"base_resp":{"status_code":2056,"status_msg":"usage limit exceeded, 5-hour usage limit reached for Token Plan Plus (0/0 used), resets at 2027-01-15T10:30:00Z"}}`, "billing: the plan does not include this model"},
	{"balance", 200, `{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, "billing: the provider reports no credit, or a spend limit reached"},
	{"balance, a string", 200, `{"base_resp":{"status_code":"1008"}}`, "billing: the provider reports no credit, or a spend limit reached"},
	{"requests", 200, `{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}`, "throttled: the provider asks for fewer requests"},
	{"pay-as-you-go key", 200, `{"base_resp":{"status_code":1004,"status_msg":"cookie is missing, log in again"}}`, "unsupported: this key belongs to no plan, so there is no quota to read"},
	{"key of the other site", 200, `{"base_resp":{"status_code":1004,"status_msg":"token not match group"}}`, "unknown: the provider did not accept this key, which may be of another kind or site"},
	{"their trouble", 200, `{"base_resp":{"status_code":1033,"status_msg":"system error"}}`, "unreachable: the answer is not usage"},
}

func TestMinimaxRefusals(t *testing.T) {
	t.Parallel()
	mustRefuse(t, account("minimax", keyType), minimaxRules, minimaxRefusals)
	mustRefuse(t, account("minimax-portal", oauthType), minimaxRules, []refusalCase{
		{"login not accepted", 200, `{"base_resp":{"status_code":1004,"status_msg":"cookie is missing, log in again"}}`, "stale: the provider did not accept the access token; OpenClaw may refresh it"},
	})
}

// An error of status 200 holds what an answer holds, too.
func TestMinimaxErrorsInA200(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: replying(200, `{"base_resp":{"status_code":1008},"model_remains":[{"model_name":"general","current_interval_remaining_percent":90}]}`, isJSON)})
	if r := p.Probe(t.Context(), account("minimax", keyType)); r.Verdict != quota.Billing || len(r.Windows) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestMinimaxSites(t *testing.T) {
	t.Parallel()
	for _, w := range []way{{"minimax", keyType}, {"minimax", tokenType}, {"minimax-portal", oauthType}} {
		t.Run(w.provider+" "+w.profileType, func(t *testing.T) {
			t.Parallel()
			mustAsk(t, account(w.provider, w.profileType), `{"model_remains":[{"model_name":"general","current_interval_remaining_percent":90}]}`, map[string]string{
				"":                                  minimaxUsage,
				"https://api.minimax.io/anthropic":  minimaxUsage,
				"https://api.minimaxi.com/v1":       minimaxUsageChina,
				"https://api.minimax.example.com/":  relayed,
				"http://127.0.0.1:4000/anthropic":   relayed,
				"https://api.minimax.io.evil.test/": relayed,
			})
		})
	}
}

func FuzzMinimax(f *testing.F) {
	seed(f, "minimax")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseMinimax(o, clock{now: noon}))
		}
	})
}
