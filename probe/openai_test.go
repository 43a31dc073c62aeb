package probe

import (
	"net/http"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Each recorded answer is a shape that was seen on the wire, with invented
// values, or a way in which one may go wrong.
func TestOpenAIAnswers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"weekly-only":                    "ok pro | weekly 61 % +111h6m40s | GPT-6-Codex-Spark weekly 0 %",
		"plus-weekly-in-the-first-slot":  "ok plus | weekly 22 % +138h53m20s",
		"five-hours-and-week":            "ok pro | 5h 17 % +2h30m0s | weekly 41 % +125h0m0s",
		"slots-the-other-way-round":      "ok pro | weekly 41 % +125h0m0s | 5h 17 % +2h30m0s",
		"free":                           "ok free | weekly 30 % +139h0m0s",
		"enterprise-spend-limit":         "ok enterprise | spend 8.4 % +555h33m20s | 0 credits",
		"exhausted-with-a-reserve-model": "exhausted until +83h20m0s: weekly window 100 % used | weekly 100 % +83h20m0s spent | gpt-6.1-luna window 4 %",
		"hostile-array":                  "ok | 5h 5 % +2h46m40s | GPT-6-Codex-Spark 5h 12 % +1h6m40s",
		"model-limit-spent": "ok pro | 5h 8 % +2h46m40s | code_review weekly 100 % +166h40m0s spent" +
			" | GPT-6-Codex-Spark weekly 100 % +138h53m20s spent",
		"both-windows-spent": "exhausted plus until +126h55m0s: 5h window 100 % used, weekly window 100 % used" +
			" | 5h 100 % +2h15m0s spent | weekly 100 % +126h55m0s spent",
		"five-hours-spent":     "exhausted plus until +2h15m0s: 5h window 100 % used | 5h 100 % +2h15m0s spent | weekly 58 % +126h55m0s",
		"full-but-allowed":     "ok plus | 5h 100 % +2h15m0s | 9.5 credits",
		"unknown-reached-type": "exhausted hyperplus until +2h15m0s: 5h window 100 % used | 5h 100 % +2h15m0s spent",
		"workspace-credits-depleted": "billing business: the workspace's credit or spend limit is reached" +
			" | 5h 40 % +2h15m0s | weekly 50 % +126h55m0s",
		"spend-control-reached": "billing self_serve_business_usage_based until +250h0m0s: the workspace's credit or spend limit is reached" +
			" | spend 100 % +250h0m0s | 3 credits",
		"spend-limit-beside-a-plan":  "ok business | 5h 8 % +2h46m40s | credits spend 100 % +250h0m0s",
		"numbers-as-strings":         "ok plus | 5h 17.5 % +2h30m0s | 9.5 credits",
		"no-word-windows-low":        "ok | 5h 17 % +2h30m0s",
		"no-word-windows-full":       "exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s",
		"no-word-full-but-passed":    "unknown: 5h window 100 % used, but its reset has passed | 5h 100 % -16m40s suspect",
		"stuck-at-99":                "exhausted until +83h20m0s: weekly window 99 % used | 5h 12 % +2h30m0s | weekly 99 % +83h20m0s spent",
		"refused-without-a-limit":    "exhausted: the provider refuses use without naming the limit | 5h 12 % +2h30m0s | weekly 20 % +83h20m0s",
		"refused-with-a-lone-window": "exhausted until +2h30m0s: 5h window spent | 5h +2h30m0s spent",
		"refused-far-from-full":      "exhausted: the provider refuses use without naming the limit | weekly 40 % +83h20m0s",
		"idle-window":                "ok | 5h 0 % | weekly 0 % +83h20m0s",
		"other-lengths":              "ok | monthly 1 % +277h46m40s | 36h 2 % +27h46m40s | a 2d 3 % +27h46m40s | a window 4 %",
		"absurd-percent":             "unknown: the answer names no limit of this account | 5h 9000 % suspect +2h30m0s | weekly -3 % suspect +83h20m0s",
		"absurd-resets": "exhausted: 5h window 100 % used, weekly window 100 % used" +
			" | 5h 100 % +27777h46m40s suspect spent | weekly 100 % -27777h46m40s suspect spent",
		"reset-beyond-the-calendar": "exhausted: 5h window 100 % used | 5h 100 % spent | window 1 %",
		"reset-only-relative":       "exhausted until +10m0s: 5h window 100 % used | 5h 100 % +10m0s spent",
		"another-account":           "unknown: the answer is about another account",
		"nothing":                   "unknown: the answer names no limit of this account",
		"only-credits":              "ok business: no window reported; credits are left | 12.25 credits",
		"budgets-of-a-workspace": "ok business | 5h 20 % +2h15m0s | credits spend 25 % +250h0m0s | group default spend 10 %" +
			" | workspace default spend 60 % +400h0m0s | role budget spend 87.5 % | workspace budget spend 100 % +250h0m0s",
		"budgets-of-the-wrong-type":            "unknown: the answer names no limit of this account | workspace budget spend 7000 % suspect",
		"credits-messages-of-the-wrong-type":   "ok plus",
		"credits-negative":                     "unknown business: the answer names no limit of this account | -2.5 credits",
		"credits-nobody-counted":               "ok business: no window reported; credits are left",
		"credits-unlimited":                    "ok enterprise_cbp_usage_based: no window reported; credits are left | 0 credits unlimited",
		"messages-in-place-of-a-balance":       "ok plus | 5h 100 % +2h15m0s | 14 messages",
		"overage-limit-beside-a-spent-window":  "exhausted plus until +2h15m0s: 5h window 100 % used | 5h 100 % +2h15m0s spent | 1 credits",
		"overage-limit-but-allowed":            "ok plus | 5h 20 % +2h15m0s | 1 credits",
		"overage-limit-reached":                "billing business: the limit of extra credits is reached | 30 credits",
		"overage-limit-without-a-spent-window": "billing plus: the limit of extra credits is reached | 5h 20 % +2h15m0s | 1 credits",
		"reached-by-nobody-knows-what": "billing business: the workspace's credit or spend limit is reached | spend 3 % +138h53m20s" +
			" | workspace budget spend 7 % +138h53m20s",
		"resets-in-milliseconds": "ok | 5h 40 % +2h15m0s | weekly 3 % +126h55m0s",
		"shared-budget-left":     "ok self_serve_business_usage_based: no window reported; the spend limit is not reached | workspace budget spend 40 % +250h0m0s",
		"shared-budget-reached": "billing self_serve_business_usage_based until +250h0m0s: the workspace's credit or spend limit is reached" +
			" | role budget spend 3 % +555h33m20s | group budget spend 100 % +138h53m20s | workspace budget spend 100 % +250h0m0s",
		"shared-budget-reached-end-unknown": "billing business: the workspace's credit or spend limit is reached | group budget spend 100 % +138h53m20s" +
			" | workspace budget spend 100 %",
		"workspace-credits-but-allowed": "ok team | 5h 40 % +2h15m0s",
		"workspace-usage-limit":         "billing team: the workspace's credit or spend limit is reached | 5h 40 % +2h15m0s",
		"everything-null":               "unknown: the answer names no limit of this account",
		"everything-of-the-wrong-type":  "unknown: the answer names no limit of this account",
	}
	for _, name := range names(t, "openai") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := parseOpenAI(recorded(t, "openai", name), "acct-alice", clock{now: noon})
			if got := show(r, noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, "openai")); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

func TestOpenAIKeepsWindowLengths(t *testing.T) {
	t.Parallel()
	r := parseOpenAI(recorded(t, "openai", "five-hours-and-week"), "", clock{now: noon})
	if r.Windows[0].Length != 5*time.Hour || r.Windows[1].Length != 7*day {
		t.Errorf("lengths %v, %v", r.Windows[0].Length, r.Windows[1].Length)
	}
}

func TestOpenAIRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := New(Options{UserAgent: "ocwatch/1.2.3", Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(200, `{"rate_limit":{"allowed":true}}`, isJSON), nil
	})})
	a := account("openai", "oauth")
	a.FedRAMP = true
	if r := p.Probe(t.Context(), a); r.Verdict != quota.OK || r.Source != quota.FromUsage {
		t.Fatalf("reading %+v", r)
	}
	want := map[string]string{
		"Authorization": "Bearer " + secretToken, "ChatGPT-Account-Id": "acct-alice", "X-OpenAI-Fedramp": "true",
		"Accept": "application/json", "User-Agent": "ocwatch/1.2.3", "X-Openai-Codex-Luna-Reserve": "",
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if got.Method != http.MethodGet || got.URL.String() != "https://chatgpt.com/backend-api/wham/usage" {
		t.Errorf("%s %s", got.Method, got.URL)
	}
}

func TestOpenAIRequestWithoutAccountID(t *testing.T) {
	t.Parallel()
	var got http.Header
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return reply(200, `{"account_id":"acct-any","rate_limit":{"allowed":true}}`, isJSON), nil
	})})
	a := account("openai-codex", "oauth")
	a.ID = ""
	r := p.Probe(t.Context(), a)
	if _, sent := got["Chatgpt-Account-Id"]; sent || got.Get("X-OpenAI-Fedramp") != "" {
		t.Errorf("headers %v", got)
	}
	if r.Verdict != quota.OK || r.Provider != "openai-codex" {
		t.Errorf("reading %+v", r)
	}
}

// Two workspaces of one person share an e-mail address and a kind of token, and
// no quota: each is asked for by its own id, and its answer is its own.
func TestOpenAIWorkspacesAreAskedApart(t *testing.T) {
	t.Parallel()
	used := map[string]string{"acct-work": "91", "acct-home": "3"}
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		id := r.Header.Get("ChatGPT-Account-Id")
		return reply(200, `{"account_id":"`+id+`","email":"alice@example.com","rate_limit":{"allowed":true,"primary_window":{"used_percent":`+used[id]+
			`,"limit_window_seconds":18000}}}`, isJSON), nil
	})})
	var accounts []Account
	for _, id := range []string{"acct-work", "acct-home"} {
		a := account("openai", "oauth")
		a.ID, a.Key = id, "key-of-"+id
		accounts = append(accounts, a)
	}
	for i, r := range p.ProbeAll(t.Context(), accounts, 0) {
		got, want := show(r, noon), "ok | 5h "+used[accounts[i].ID]+" %"
		if got != want || r.Account != accounts[i].Key {
			t.Errorf("%s: %s of %s, want %s", accounts[i].ID, got, r.Account, want)
		}
	}
}
