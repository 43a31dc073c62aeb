package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const acmeUsage = "https://api.acme.example.com/v1/quota"

// acme reads an answer with every kind of member.
func acme(tb testing.TB) *Generic {
	tb.Helper()
	path := func(s string) Path { return mustPath(tb, s) }
	return &Generic{
		Windows: []GenericWindow{
			{Name: "5h", Used: path("limits[0].percent"), Reset: path("limits[0].resets_at"), Want: quota.Percent(12)},
			{Name: "weekly", Remaining: path("limits[1].left"), Unit: Fraction, Reset: path("limits[1].reset"), ResetUnit: EpochSeconds, Want: quota.Percent(40)},
			{Name: "monthly", Used: path("calls.used"), Limit: path("calls.limit"), Reset: path("calls.reset_ms"), ResetUnit: EpochMillis, Want: quota.Percent(25)},
			{Name: "36h", Scope: "big", Remaining: path(`calls["big.left"]`), Limit: path(`calls["big.limit"]`), Reset: path("calls.in"), ResetUnit: SecondsLeft, Want: quota.Percent(80)},
		},
		Plan: path("account.tier"), Balance: path("account.wallet"), BalanceUnit: "USD",
	}
}

const acmeAnswer = `{"account":{"tier":"team","wallet":"12.50"},
	"limits":[{"percent":12,"resets_at":"2027-01-15T10:30:00Z"},{"left":0.6,"reset":1800400000}],
	"calls":{"used":500,"limit":2000,"reset_ms":1801000000000,"big.left":20,"big.limit":100,"in":3600}}`

func TestGenericAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ answer, want string }{
		"everything": {acmeAnswer, "ok team | 5h 12 % +2h30m0s | weekly 40 % +111h6m40s | monthly 25 % +277h46m40s | big 36h 80 % +1h0m0s | 12.5 USD"},
		"numbers as strings": {
			`{"limits":[{"percent":"12.5"},{"left":"0.25","reset":"1800400000"}]}`, "ok | 5h 12.5 % | weekly 75 % +111h6m40s",
		},
		"a window spent": {
			`{"limits":[{"percent":100,"resets_at":"2027-01-15T10:30:00Z"},{"left":0.6}]}`,
			"exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s | weekly 40 %",
		},
		"nothing left of a limit": {`{"limits":[null,{"left":0,"reset":1800400000}]}`, "exhausted until +111h6m40s: weekly window 100 % used | weekly 100 % +111h6m40s"},
		"a model's window spent":  {`{"limits":[{"percent":3}],"calls":{"big.left":0,"big.limit":100}}`, "ok | 5h 3 % | big 36h 100 %"},
		"counts beyond the limit": {`{"calls":{"used":2400,"limit":2000}}`, "exhausted: monthly window 100 % used | monthly 100 %"},
		"percent beyond 100":      {`{"limits":[{"percent":140}]}`, "unknown: the answer names no limit of this account | 5h 140 % suspect"},
		"percent below 0":         {`{"limits":[{"percent":-1}]}`, "unknown: the answer names no limit of this account | 5h -1 % suspect"},
		"fraction beyond 1":       {`{"limits":[null,{"left":60}]}`, "unknown: the answer names no limit of this account | weekly -5900 % suspect"},
		"a limit of 0":            {`{"calls":{"used":0,"limit":0}}`, "unknown: the answer names no limit of this account"},
		"a negative count":        {`{"calls":{"used":-5,"limit":100}}`, "unknown: the answer names no limit of this account"},
		"a limit without a count": {`{"calls":{"limit":100}}`, "unknown: the answer names no limit of this account"},
		"seconds for a time":      {`{"limits":[{"percent":5,"resets_at":1800009000}]}`, "ok | 5h 5 %"},
		"milliseconds for seconds": {
			`{"limits":[null,{"left":0.5,"reset":1800400000000}]}`, "ok | weekly 50 %",
		},
		"a reset that passed":  {`{"limits":[{"percent":5,"resets_at":"2027-01-15T07:30:00Z"}]}`, "ok | 5h 5 % -30m0s suspect"},
		"a reset years ahead":  {`{"limits":[{"percent":5,"resets_at":"2031-01-15T07:30:00Z"}]}`, "ok | 5h 5 % +35063h30m0s suspect"},
		"full, and it passed":  {`{"limits":[{"percent":100,"resets_at":"2027-01-15T07:30:00Z"}]}`, "unknown: 5h window 100 % used, but its reset has passed | 5h 100 % -30m0s suspect"},
		"negative seconds":     {`{"calls":{"big.left":20,"big.limit":100,"in":-5}}`, "unknown: the answer names no limit of this account | big 36h 80 %"},
		"nulls":                {`{"account":null,"limits":[null,null],"calls":{"used":null,"limit":null}}`, "unknown: the answer names no limit of this account"},
		"wrong types":          {`{"account":[],"limits":{"0":1},"calls":"x"}`, "unknown: the answer names no limit of this account"},
		"booleans for numbers": {`{"limits":[{"percent":true,"resets_at":false}]}`, "unknown: the answer names no limit of this account"},
		"nothing":              {`{}`, "unknown: the answer names no limit of this account"},
		"a plan not to be shown": {
			`{"account":{"tier":"a\u001b[31mb\n"},"limits":[{"percent":1}]}`, "ok a[31mb | 5h 1 %",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, ok := parseObject([]byte(tt.answer))
			if !ok {
				t.Fatal("not an object")
			}
			if got := show(acme(t).parse(o, clock{now: noon}), noon); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A provider that tells nothing but a balance serves as long as there is one.
func TestGenericBalance(t *testing.T) {
	t.Parallel()
	g := &Generic{Balance: mustPath(t, "balance"), BalanceUnit: "CNY"}
	for answer, want := range map[string]string{
		`{"balance":3.5}`:   "ok: no window reported; credits are left | 3.5 CNY",
		`{"balance":0}`:     "billing: the provider reports no credit, or a spend limit reached | 0 CNY",
		`{"balance":-2}`:    "billing: the provider reports no credit, or a spend limit reached | -2 CNY",
		`{"balance":"n/a"}`: "unknown: the answer names no limit of this account",
	} {
		o, _ := parseObject([]byte(answer))
		if got := show(g.parse(o, clock{now: noon}), noon); got != want {
			t.Errorf("%s: %s, want %s", answer, got, want)
		}
	}
}

func TestGenericRequest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ provider, header, name, value string }{
		"an unknown provider":    {"acme", "", "Authorization", "Bearer " + secretToken},
		"a header of its own":    {"acme", "X-Api-Key: {token}", "X-Api-Key", secretToken},
		"in place of a known":    {"openai", "Cookie: session={token}; a=b", "Cookie", "session=" + secretToken + "; a=b"},
		"under its earlier name": {"openai-codex", "", "Authorization", "Bearer " + secretToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			g := acme(t)
			g.Header = tt.header
			p := New(Options{
				UserAgent: "ocwatch/1.2.3",
				Providers: map[string]Settings{quota.Canonical(tt.provider): {URL: acmeUsage, Generic: g}},
				Transport: transport(func(r *http.Request) (*http.Response, error) {
					got = r
					return reply(200, acmeAnswer, isJSON), nil
				}),
			})
			r := p.Probe(t.Context(), account(tt.provider, "oauth"))
			if r.Verdict != quota.OK || r.Source != quota.FromUsage || r.Provider != tt.provider {
				t.Fatalf("%+v", r)
			}
			if got.Method != http.MethodGet || got.URL.String() != acmeUsage || got.Header.Get("User-Agent") != "ocwatch/1.2.3" {
				t.Errorf("%s %s as %s", got.Method, got.URL, got.Header.Get("User-Agent"))
			}
			carrying := 0
			for name, values := range got.Header {
				if strings.Contains(fmt.Sprint(values), secretToken) {
					carrying++
				}
				if strings.EqualFold(name, tt.name) && values[0] != tt.value {
					t.Errorf("%s: %s", name, values[0])
				}
			}
			if carrying != 1 || got.Header.Get(tt.name) == "" {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

// Types that are not named are asked as ever, or not at all.
func TestGenericServesItsTypesAlone(t *testing.T) {
	t.Parallel()
	g := acme(t)
	g.Types = []string{"token"}
	var asked []string
	p := New(Options{
		Providers: map[string]Settings{"anthropic": {URL: acmeUsage, Generic: g}, "acme": {URL: acmeUsage, Generic: g}},
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return reply(200, `{"data":[]}`, isJSON), nil
		}),
	})
	p.Probe(t.Context(), account("anthropic", "api_key"))
	if r := p.Probe(t.Context(), account("acme", "api_key")); r.Verdict != quota.Unsupported {
		t.Errorf("%+v", r)
	}
	p.Probe(t.Context(), account("anthropic", "token"))
	if got := strings.Join(asked, " "); got != "https://api.acme.example.com/v1/models?limit=1 "+acmeUsage {
		t.Errorf("asked %s", got)
	}
}

// Refusals are classified as everybody's, and a key's 401 is nothing that
// OpenClaw could mend.
func TestGenericRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		profileType string
		status      int
		body        string
		want        quota.Verdict
	}{
		"a login's 401":               {"oauth", 401, `{}`, quota.Stale},
		"a key's 401":                 {"api_key", 401, `{}`, quota.Unknown},
		"payment":                     {"api_key", 402, `{}`, quota.Billing},
		"throttled":                   {"oauth", 429, `{}`, quota.Throttled},
		"gone":                        {"oauth", 404, `{}`, quota.Unreachable},
		"an error beside no usage":    {"oauth", 200, `{"error":{"message":"x"}}`, quota.Unreachable},
		"usage beside an error":       {"oauth", 200, `{"error":"x","limits":[{"percent":3}]}`, quota.OK},
		"an array":                    {"oauth", 200, `[{"limits":[{"percent":3}]}]`, quota.Unreachable},
		"a page where there is usage": {"oauth", 200, portal, quota.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{
				Providers: map[string]Settings{"acme": {URL: acmeUsage, Generic: acme(t)}},
				Transport: replying(tt.status, tt.body, isJSON),
			})
			r := p.Probe(t.Context(), account("acme", tt.profileType))
			if r.Verdict != tt.want {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, tt.want)
			}
			mustNotLeak(t, r)
		})
	}
}

// The token goes to the configured host over https, or to this machine, and
// follows no redirect.
func TestGenericHostile(t *testing.T) {
	t.Parallel()
	g := &Generic{
		Windows: []GenericWindow{{Name: "5h", Used: mustPath(t, "rate_limit.used"), Reset: mustPath(t, "limits[0].reset")}},
		Plan:    mustPath(t, "plan_type"), Balance: mustPath(t, "credits.balance"), // where some of them echo the token
	}
	for name, handler := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			d := &dials{addrs: map[string]int{}}
			tr := newTransport()
			tr.DialContext = d.dial
			t.Cleanup(tr.CloseIdleConnections)
			p := New(Options{
				Transport: tr, Timeout: 500 * time.Millisecond,
				Providers: map[string]Settings{"acme": {URL: server.URL + "/quota", Generic: g}},
			})
			r := p.Probe(t.Context(), account("acme", "oauth"))
			if r.Verdict != quota.Unreachable && r.Verdict != quota.Unknown {
				t.Errorf("%s (%s)", r.Verdict, r.Reason)
			}
			mustNotLeak(t, r)
			if len(d.addrs) != 1 || d.addrs[server.Listener.Addr().String()] == 0 {
				t.Errorf("connected to %v", d.addrs)
			}
		})
	}
}

func TestGenericSendsNoTokenInTheClear(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://api.acme.example.com/quota", "ftp://127.0.0.1/quota", "https://user:word@api.acme.example.com/", ""} {
		p := New(Options{
			Providers: map[string]Settings{"acme": {URL: url, Generic: acme(t)}},
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				t.Errorf("asked %s", r.URL)
				return reply(200, acmeAnswer, isJSON), nil
			}),
		})
		if r := p.Probe(t.Context(), account("acme", "oauth")); r.Verdict != quota.Unknown && r.Verdict != quota.Unsupported {
			t.Errorf("%s: %+v", url, r)
		}
	}
}

func FuzzGeneric(f *testing.F) {
	f.Add([]byte(acmeAnswer))
	f.Add([]byte(`{"limits":[{"percent":1e308,"resets_at":"9999-12-31T23:59:59Z"},{"left":-1e308,"reset":1e308}],"calls":{"used":1e-320,"limit":1e-320,"reset_ms":-1,"in":1e9}}`))
	f.Add([]byte(`{"account":{"tier":7,"wallet":{}},"limits":[[],"x"],"calls":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, acme(t).parse(o, clock{now: noon}))
		}
		for _, fault := range acme(t).Check(body) {
			if fault.At == "" || fault.What == "" {
				t.Errorf("%+v", fault)
			}
		}
	})
}
