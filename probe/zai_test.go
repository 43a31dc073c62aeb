package probe

import (
	"net/http"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestZaiAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "zai", parseZai, map[string]string{
		"windows-and-tools": "ok Max | 5h 31 % +2h30m0s | weekly 12 % +96h0m0s | mcp monthly 40 %",
		"five-hours-spent":  "exhausted pro until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s | weekly 48 % +96h0m0s",
		"both-spent": "exhausted Lite until +96h0m0s: 5h window 100 % used, weekly window 100 % used" +
			" | 5h 100 % +2h30m0s | weekly 100 % +96h0m0s",
		"tools-spent":               "ok Lite | 5h 3 % +2h30m0s | weekly 9 % +96h0m0s | mcp monthly 100 % +480h0m0s",
		"credits":                   "exhausted max until +48h0m0s: weekly window 100 % used | 5h 70 % +2h0m0s | weekly 100 % +48h0m0s",
		"counts-without-percentage": "ok | 5h 25 % +2h0m0s | weekly 60 % +48h0m0s | mcp monthly 25 %",
		"other-units":               "ok | monthly 7 % +480h0m0s | 90m 8 % +30m0s | 24h 9 % | window 10 % | window 11 % | mcp 5h 12 %",
		"unknown-types":             "ok | 5h 5 % +2h30m0s | brand_new_limit 5h 100 % +2h30m0s | other weekly 100 %",
		"window-not-started":        "ok | 5h 0 % | weekly 2 % +96h0m0s",
		"percentage-missing":        "unknown: the answer names no limit of this account | 5h +2h30m0s | weekly +96h0m0s",
		"fraction-is-not-guessed":   "ok | 5h 0.4 % +2h30m0s",
		"numbers-as-strings":        "ok | 5h 64 % +2h30m0s",
		"reset-in-seconds":          "ok | 5h 64 % +2h30m0s",
		"spent-but-passed":          "unknown: 5h window 100 % used, but its reset has passed | 5h 100 % -10m0s suspect",
		"spent-reset-unknown":       "exhausted: 5h window 100 % used | 5h 100 % | weekly 10 % +96h0m0s",
		"absurd": "unknown: the answer names no limit of this account | 5h -4 % suspect +87600h0m0s suspect" +
			" | weekly 9000 % suspect -2376h0m0s suspect | mcp monthly 101 % suspect",
		"hostile-array":                "ok | 5h 64 % +2h30m0s",
		"nothing":                      "unknown: the answer names no limit of this account",
		"data-is-a-list":               "unknown: the answer names no limit of this account",
		"everything-null":              "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type": "unknown: the answer names no limit of this account",
	})
}

// One status stands for everything, so the code decides, be it a string, a
// number, the type or a prefix of the text. Its reset is in UTC+8: at noon, an
// 08:00 UTC, the wall clock there says 16:00.
var zaiRefusals = []refusalCase{
	{"5 hours", 429, `{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2027-01-15 18:30:00"}}`, "exhausted until +2h30m0s: 5h window spent"},
	{"5 hours, a number", 429, `{"error":{"code":1308,"message":"Usage limit reached for 5 hour. Your limit will reset at 2027-01-15 18:30:00"}}`, "exhausted until +2h30m0s: 5h window spent"},
	{"5 hours, of China", 429, `{"type":"error","error":{"type":"1308","message":"已达到 5 小时的使用上限。您的限额将在 2027-01-15 18:30:00 重置。"}}`, "exhausted until +2h30m0s: 5h window spent"},
	{"5 hours, too far away", 429, `{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2027-01-16 18:30:00"}}`, "exhausted: 5h window spent"},
	{"5 hours, passed", 429, `{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2027-01-15 15:30:00"}}`, "exhausted: 5h window spent"},
	{"other hours", 429, `{"error":{"code":"1308","message":"Usage limit reached for 8 hour. Your limit will reset at 2027-01-15 23:00:00"}}`, "exhausted until +7h0m0s: limit spent"},
	{"a code in the text only", 429, `{"error":{"message":"[1308][Usage limit reached. Your limit will reset at 2027-01-15 23:00:00][20270115160001]"}}`, "exhausted until +7h0m0s: limit spent"},
	{"day", 429, `{"error":{"code":"1304","message":"Daily limit reached"}}`, "exhausted: 24h window spent"},
	{"week or month", 429, `{"error":{"type":"rate_limit_error","code":"1310","message":"[1310][Weekly/Monthly Limit Exhausted. Your limit will reset at 2027-01-19 16:00:00][2027011516000000aa]"}}`, "exhausted until +96h0m0s: the quota of the week or month is spent"},
	{"week or month, of China", 429, `{"error":{"message":"您已达到每周/每月使用上限，您的限额将在 2027-01-19 16:00:00 重置。"}}`, "exhausted until +96h0m0s: the quota of the week or month is spent"},
	{"week or month, within a 200", 200, `{"code":1310,"msg":"Weekly/Monthly Limit Exhausted. Your limit will reset at 2027-01-19 16:00:00","success":false}`, "exhausted until +96h0m0s: the quota of the week or month is spent"},
	{"arrears", 429, `{"error":{"code":"1113","message":"Your account is in arrears. Please recharge."}}`, "billing: the provider reports no credit, or a spend limit reached"},
	{"arrears, a number", 400, `{"error":{"code":1113,"message":"Insufficient balance or no resource package."}}`, "billing: the provider reports no credit, or a spend limit reached"},
	{"plan expired", 429, `{"error":{"code":"1309","message":"Your plan has expired"}}`, "billing: the plan has expired"},
	{"model not in plan", 429, `{"error":{"code":"1311","message":"Your current subscription plan does not yet include access"}}`, "billing: the plan does not include this model"},
	{"fair use", 429, `{"error":{"code":"1313","message":"Fair usage"}}`, "billing: the provider restricts this account under its fair-use policy"},
	{"requests", 429, `{"error":{"code":"1302","message":"Rate limit reached for requests"}}`, "throttled: the provider asks for fewer requests"},
	{"overload within a 200", 200, `{"code":"1305","msg":"overloaded","success":false}`, "throttled: the provider asks for fewer requests"},
	{"model busy", 429, `{"error":{"code":"1312"}}`, "throttled: the provider asks for fewer requests"},
	{"no code", 429, `{}`, "throttled: the provider asks for fewer requests"},
	{"account locked", 401, `{"error":{"code":"1112","message":"locked"}}`, "revoked: the provider deactivated this account"},
	{"key illegal", 401, `{"error":{"code":"1002","message":"Invalid token"}}`, "revoked: the provider does not accept this key"},
	{"expired or incorrect", 200, `{"code":401,"msg":"token expired or incorrect","success":false}`, "unknown: the provider did not accept this key, which may be of another kind or site"},
	{"no header came through", 200, `{"code":1001,"msg":"Authentication parameter not received in Header","success":false}`, "unknown: the provider did not accept this key, which may be of another kind or site"},
	{"bare 401", 401, `{}`, "unknown: the provider answered 401 without saying what is wrong with the key"},
	{"some other error in a 200", 200, `{"code":500,"msg":"x","success":false}`, "unreachable: the answer is not usage"},
	{"an incident that talks of arrears", 503, `{"error":{"code":"1113"}}`, "unreachable: the provider answered 503 Service Unavailable"},
}

func TestZaiRefusals(t *testing.T) {
	t.Parallel()
	mustRefuse(t, account("zai", keyType), zaiRules, zaiRefusals)
}

func TestZaiErrorsInA200(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want quota.Verdict
	}{
		"success":            {`{"code":200,"success":true,"data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, quota.OK},
		"no word of success": {`{"data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, quota.OK},
		"success is false":   {`{"code":200,"success":false,"data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, quota.Unreachable},
		"code is another":    {`{"code":500,"success":true,"data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, quota.Unreachable},
		"code is a string":   {`{"code":"1308","data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, quota.Exhausted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: replying(200, tt.body, isJSON)})
			if r := p.Probe(t.Context(), account("zai", keyType)); r.Verdict != tt.want {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, tt.want)
			}
		})
	}
}

func TestZaiSites(t *testing.T) {
	t.Parallel()
	mustAsk(t, account("zai", keyType), `{"code":200,"success":true,"data":{"limits":[{"type":"TOKENS_LIMIT","percentage":1}]}}`, map[string]string{
		"":                                    zaiUsage,
		"https://api.z.ai/api/coding/paas/v4": zaiUsage,
		"https://api.z.ai/api/anthropic":      zaiUsage,
		"https://open.bigmodel.cn/api/coding/paas/v4":  zaiUsageChina,
		"https://relay.example.com/api/coding/paas/v4": relayed,
	})
	var got http.Header
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return reply(200, `{}`, isJSON), nil
	})})
	p.Probe(t.Context(), account("zai", keyType))
	if got.Get("Authorization") != secretToken {
		t.Errorf("sent %v", got)
	}
	if r := p.Probe(t.Context(), account("zai", oauthType)); r.Verdict != quota.Unsupported {
		t.Errorf("a login: %+v", r)
	}
}

func FuzzZai(f *testing.F) {
	seed(f, "zai")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseZai(o, clock{now: noon}))
		}
	})
}
