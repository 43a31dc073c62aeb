package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// credential reads a profile's credential from the store, as OpenClaw does.
func credential(t *testing.T, w *sandbox.World, profile string) string {
	t.Helper()
	var doc struct {
		Profiles map[string]struct{ Access, Token, Key string }
	}
	row := text(t, database(t, w, "state/openclaw.sqlite"), "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.store'")
	if err := json.Unmarshal([]byte(row), &doc); err != nil {
		t.Fatal(err)
	}
	c := doc.Profiles[profile]
	return c.Access + c.Token + c.Key
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func ask(t *testing.T, url, token string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 300 * time.Millisecond}
	res, err := client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body), err}
}

func usage[T any](t *testing.T, w *sandbox.World, profile string) T {
	t.Helper()
	provider, _, _ := strings.Cut(profile, ":")
	a := ask(t, w.UsageURL(provider), credential(t, w, profile))
	if a.status != http.StatusOK || a.err != nil {
		t.Fatalf("%s: %d %v %s", profile, a.status, a.err, a.body)
	}
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

type wham struct {
	AccountID string `json:"account_id"`
	PlanType  string `json:"plan_type"`
	RateLimit struct {
		Allowed      bool        `json:"allowed"`
		LimitReached bool        `json:"limit_reached"`
		Primary      *whamWindow `json:"primary_window"`
		Secondary    *whamWindow `json:"secondary_window"`
	} `json:"rate_limit"`
	Additional []struct {
		Name      string `json:"limit_name"`
		RateLimit struct {
			LimitReached bool `json:"limit_reached"`
		} `json:"rate_limit"`
	} `json:"additional_rate_limits"`
}

type whamWindow struct {
	UsedPercent int   `json:"used_percent"`
	Length      int   `json:"limit_window_seconds"`
	ResetAfter  int   `json:"reset_after_seconds"`
	ResetAt     int64 `json:"reset_at"`
}

func TestOpenAIUsage(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: []sandbox.Account{{
		Profile: alice, Plan: "pro",
		Windows: []sandbox.Window{
			{Name: quota.FiveHour, UsedPercent: 40, ResetsAfter: 20 * time.Second},
			{Name: quota.Weekly, Rate: 0.2},
			{Name: quota.Weekly, Model: "Spark", UsedPercent: 100},
		},
	}}})
	u := usage[wham](t, w, alice)
	if u.PlanType != "pro" || u.AccountID != "acct-alice" || !u.RateLimit.Allowed || u.RateLimit.LimitReached {
		t.Errorf("%+v", u)
	}
	if p := u.RateLimit.Primary; p.UsedPercent != 40 || p.Length != 18000 || p.ResetAfter > 20 || p.ResetAfter < 10 {
		t.Errorf("5h window: %+v", p)
	}
	// An idle window slides: it shows the reset it would have if it started now.
	if s := u.RateLimit.Secondary; s.UsedPercent != 0 || s.Length != 604800 || s.ResetAfter != 604800 {
		t.Errorf("weekly window: %+v", s)
	}
	if len(u.Additional) != 1 || u.Additional[0].Name != "Spark" || !u.Additional[0].RateLimit.LimitReached {
		t.Errorf("additional limits: %+v", u.Additional)
	}
	w.Spend(alice, 75)
	u = usage[wham](t, w, alice)
	if u.RateLimit.Allowed || !u.RateLimit.LimitReached || u.RateLimit.Primary.UsedPercent != 100 || u.RateLimit.Secondary.UsedPercent != 15 {
		t.Errorf("after spending: %+v", u.RateLimit)
	}
	if five, week := w.UsedOf(alice, quota.FiveHour), w.UsedOf(alice, quota.Weekly); five != 100 || week != 15 || w.UsedOf(alice, "36h") != 0 {
		t.Errorf("used %v and %v", five, week)
	}
	w.Reset(alice)
	if u = usage[wham](t, w, alice); !u.RateLimit.Allowed || u.RateLimit.Primary.UsedPercent != 0 {
		t.Errorf("after the reset: %+v", u.RateLimit)
	}
}

func TestWindowResetsByItself(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, UsedPercent: 100, ResetsAfter: 150 * time.Millisecond})})
	if used := w.Used(alice); used != 100 {
		t.Fatalf("used %v at the start", used)
	}
	eventually(t, "the window resets", func() bool { return w.Used(alice) == 0 })
	w.Spend(alice, 30)
	eventually(t, "it starts anew with use, and resets again", func() bool { return w.Used(alice) == 0 })
}

func TestOneAccountUnderTwoProfiles(t *testing.T) {
	accounts := trio(sandbox.Window{Name: quota.FiveHour})
	accounts[1].AccountID = "acct-alice"
	w := start(t, sandbox.Options{Accounts: accounts})
	w.Spend(alice, 12)
	if a, b, c := w.Used(alice), w.Used(bob), w.Used(carol); a != 12 || b != 12 || c != 0 {
		t.Errorf("used %v, %v, %v", a, b, c)
	}
}

func TestAnthropicUsage(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: []sandbox.Account{
		{Profile: "anthropic:dora", Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 11.5}, {Name: quota.Weekly}}},
		{Profile: "anthropic:setup", Type: "token"},
	}})
	type window struct {
		Utilization float64
		ResetsAt    *string `json:"resets_at"`
	}
	u := usage[struct {
		FiveHour *window `json:"five_hour"`
		SevenDay *window `json:"seven_day"`
		Opus     *window `json:"seven_day_opus"`
		Limits   []struct{ Kind string }
	}](t, w, "anthropic:dora")
	if u.FiveHour.Utilization != 11.5 || u.FiveHour.ResetsAt == nil || u.SevenDay.ResetsAt != nil || u.Opus != nil || len(u.Limits) != 2 {
		t.Errorf("%+v", u)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000+00:00", *u.FiveHour.ResetsAt); err != nil {
		t.Error(err)
	}
	a := ask(t, w.UsageURL("anthropic"), credential(t, w, "anthropic:setup"))
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "user:profile") {
		t.Errorf("setup-token: %d %s", a.status, a.body)
	}
}

func TestKeysAreValidated(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: []sandbox.Account{{Profile: "openai:backup", Type: "api_key"}}})
	if a := ask(t, w.UsageURL("openai-models"), credential(t, w, "openai:backup")); a.status != http.StatusOK {
		t.Errorf("a valid key: %d", a.status)
	}
	if a := ask(t, w.UsageURL("openai-models"), "sk-proj-other"); a.status != http.StatusUnauthorized {
		t.Errorf("an unknown key: %d", a.status)
	}
	if url := w.UsageURL("nobody"); url != "" {
		t.Errorf("a provider that is not there has %s", url)
	}
}

func TestFaults(t *testing.T) {
	cases := []struct {
		name   string
		fault  sandbox.Fault
		status int // 0: no whole answer
		body   string
		header string
	}{
		{"unauthorized", sandbox.Unauthorized, 401, "Could not parse", "X-Error-Json"},
		{"token invalidated", sandbox.TokenInvalidated, 401, "token_invalidated", ""},
		{"account deactivated", sandbox.AccountDeactivated, 401, "account_deactivated", ""},
		{"workspace gone", sandbox.WorkspaceGone, 402, "deactivated_workspace", ""},
		{"forbidden", sandbox.Forbidden, 403, "detail", ""},
		{"the edge's page", sandbox.HTMLForbidden, 403, "<html", "Cf-Mitigated"},
		{"no scope", sandbox.NoScope, 403, "user:profile", ""},
		{"throttled", sandbox.Throttled, 429, "rate_limit_error", "Retry-After"},
		{"server error", sandbox.ServerError, 503, "upstream", ""},
		{"slow", sandbox.Slow, 0, "", ""},
		{"truncated", sandbox.Truncated, 0, "", ""},
		{"unreachable", sandbox.Unreachable, 0, "", ""},
	}
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour})})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w.SetFault(alice, c.fault)
			a := ask(t, w.UsageURL("openai"), credential(t, w, alice))
			switch {
			case c.status == 0 && a.err == nil:
				t.Errorf("a whole answer: %d %s", a.status, a.body)
			case c.status != 0 && (a.status != c.status || !strings.Contains(a.body, c.body)):
				t.Errorf("%d %s %v", a.status, a.body, a.err)
			case c.header != "" && a.header.Get(c.header) == "":
				t.Errorf("no header %s in %v", c.header, a.header)
			}
			if b := ask(t, w.UsageURL("openai"), credential(t, w, bob)); b.status != http.StatusOK {
				t.Errorf("another account got %d %v", b.status, b.err)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	accounts := trio(sandbox.Window{Name: quota.FiveHour})
	accounts[0].ExpiresIn = -time.Minute
	w := start(t, sandbox.Options{Accounts: accounts})
	old := credential(t, w, alice)
	if a := ask(t, w.UsageURL("openai"), old); a.status != http.StatusUnauthorized {
		t.Errorf("an expired token: %d", a.status)
	}
	if err := w.RefreshToken(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	fresh := credential(t, w, alice)
	if a := ask(t, w.UsageURL("openai"), fresh); a.status != http.StatusOK {
		t.Errorf("a fresh token: %d %v", a.status, a.err)
	}
	if a := ask(t, w.UsageURL("openai"), old); a.status != http.StatusUnauthorized {
		t.Errorf("the old token: %d", a.status)
	}
	parts := strings.Split(fresh, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Exp  int64
		Auth struct {
			Account string `json:"chatgpt_account_id"`
			Plan    string `json:"chatgpt_plan_type"`
		} `json:"https://api.openai.com/auth"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	days := time.Until(time.Unix(claims.Exp, 0)).Hours() / 24
	if claims.Auth.Account != "acct-alice" || claims.Auth.Plan != "plus" || days < 9.9 || days > 10 {
		t.Errorf("%+v, %v days", claims, days)
	}
}

func TestRequestsAreAttributed(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour})})
	ask(t, w.UsageURL("openai"), credential(t, w, bob))
	ask(t, w.UsageURL("openai"), "nobody's")
	got := w.Requests()
	if len(got) != 2 || got[0].Profile != bob || got[1].Profile != "" || got[0].Path != "/backend-api/wham/usage" {
		t.Errorf("%+v", got)
	}
}
