package probe

import (
	"net/http"
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// answered is one refusal of a provider and what it must end in.
type answeredWith struct {
	status  int
	body    string
	verdict quota.Verdict
	reason  string
}

// refusesLike probes accounts against every refusal in the table.
func refusesLike(t *testing.T, a Account, table map[string]answeredWith) {
	t.Helper()
	for name, tt := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: replying(tt.status, tt.body, isJSON)})
			r := p.Probe(t.Context(), a)
			if r.Verdict != tt.verdict || r.Reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s)", r.Verdict, r.Reason, tt.verdict, tt.reason)
			}
			if r.Source != quota.FromUsage {
				t.Errorf("source %s", r.Source)
			}
		})
	}
}

// asksAt probes an account and returns the URLs that were asked, in order.
func asksAt(t *testing.T, a Account, body string) ([]string, quota.Reading) {
	t.Helper()
	var urls []string
	p := New(Options{UserAgent: "ocwatch/1.2.3", Transport: transport(func(r *http.Request) (*http.Response, error) {
		urls = append(urls, r.URL.String())
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+secretToken || r.Header.Get("User-Agent") != "ocwatch/1.2.3" {
			t.Errorf("%s %s: %v", r.Method, r.URL, r.Header)
		}
		if _, ok := r.Header["Editor-Version"]; ok {
			t.Error("poses as an editor")
		}
		return reply(200, body, isJSON), nil
	})})
	r := p.Probe(t.Context(), a)
	return urls, r
}

// Where a key goes is decided by where OpenClaw sends it.
func TestBalancesAreAskedWhereOpenClawGoes(t *testing.T) {
	t.Parallel()
	const relayed = quota.Unsupported
	tests := map[string]struct {
		provider, typ, base, endpoint string
		want                          []string
		verdict                       quota.Verdict
	}{
		"deepseek": {"deepseek", keyType, "", "", []string{deepSeekBalance}, quota.Unknown},
		"deepseek, a pasted token": {
			"deepseek", tokenType, "https://api.deepseek.com/v1", "", []string{deepSeekBalance}, quota.Unknown,
		},
		"deepseek, anthropic's format": {
			"deepseek", keyType, "https://api.deepseek.com/anthropic", "", []string{deepSeekBalance}, quota.Unknown,
		},
		"deepseek, a relay":    {"deepseek", keyType, "https://relay.example.com/v1", "", nil, relayed},
		"deepseek, lookalike":  {"deepseek", keyType, "https://api.deepseek.com.example.com/v1", "", nil, relayed},
		"deepseek, no url":     {"deepseek", keyType, "://", "", nil, relayed},
		"deepseek, oauth":      {"deepseek", oauthType, "", "", nil, quota.Unsupported},
		"moonshot":             {"moonshot", keyType, "", "", []string{moonshotBalance}, quota.Unknown},
		"moonshot, abroad":     {"moonshot", keyType, "https://api.moonshot.ai/v1", "", []string{moonshotBalance}, quota.Unknown},
		"moonshot, china":      {"moonshot", keyType, "https://API.moonshot.cn/v1", "", []string{moonshotBalanceChina}, quota.Unknown},
		"moonshot, the coding": {"moonshot", keyType, "https://api.kimi.com/coding/", "", nil, relayed},
		"moonshot, the owner's": {
			"moonshot", keyType, "https://api.moonshot.cn/v1", "https://balance.example.com/b", []string{"https://balance.example.com/b"}, quota.Unknown,
		},
		"openrouter": {
			"openrouter", keyType, "https://openrouter.ai/api/v1", "", []string{openRouterKey, "https://openrouter.ai/api/v1/credits"}, quota.Unknown,
		},
		"openrouter, a pasted token": {
			"openrouter", tokenType, "", "", []string{openRouterKey, "https://openrouter.ai/api/v1/credits"}, quota.Unknown,
		},
		"openrouter, a relay": {"openrouter", keyType, "https://relay.example.com/api/v1", "", nil, relayed},
		"openrouter, the owner's": {
			"openrouter", keyType, "", "https://or.example.com/v1/key", []string{"https://or.example.com/v1/key", "https://or.example.com/v1/credits"}, quota.Unknown,
		},
		"openrouter, the owner's of another form": {
			"openrouter", keyType, "", "https://or.example.com/usage", []string{"https://or.example.com/usage"}, quota.Unknown,
		},
		"openrouter, oauth": {"openrouter", oauthType, "", "", nil, quota.Unsupported},
		"copilot":           {"github-copilot", tokenType, "", "", []string{copilotUser}, quota.Unknown},
		"copilot, oauth":    {"github-copilot", oauthType, "https://api.individual.githubcopilot.com", "", []string{copilotUser}, quota.Unknown},
		"copilot, business": {"github-copilot", tokenType, "https://api.business.githubcopilot.com", "", []string{copilotUser}, quota.Unknown},
		"copilot, a tenant": {
			"github-copilot", tokenType, "https://copilot-api.Acme.ghe.com", "", []string{"https://api.acme.ghe.com/copilot_internal/user"}, quota.Unknown,
		},
		"copilot, a tenant's root": {
			"github-copilot", oauthType, "https://acme.ghe.com", "", []string{"https://api.acme.ghe.com/copilot_internal/user"}, quota.Unknown,
		},
		"copilot, a tenant's api": {
			"github-copilot", tokenType, "https://api.acme.ghe.com/", "", []string{"https://api.acme.ghe.com/copilot_internal/user"}, quota.Unknown,
		},
		"copilot, a server of its own":    {"github-copilot", tokenType, "https://github.acme.example.com", "", nil, relayed},
		"copilot, a host within a tenant": {"github-copilot", tokenType, "https://x.y.acme.ghe.com", "", nil, relayed},
		"copilot, lookalike tenant":       {"github-copilot", tokenType, "https://acme.ghe.com.example.com", "", nil, relayed},
		"copilot, lookalike api":          {"github-copilot", tokenType, "https://evilgithubcopilot.com", "", nil, relayed},
		"copilot, a key":                  {"github-copilot", keyType, "", "", nil, quota.Unsupported},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := account(tt.provider, tt.typ)
			a.BaseURL, a.Endpoint = tt.base, tt.endpoint
			got, r := asksAt(t, a, `{}`)
			if !slices.Equal(got, tt.want) || r.Verdict != tt.verdict || r.Reason == "" {
				t.Errorf("asked %v, %s (%s)", got, r.Verdict, r.Reason)
			}
		})
	}
}
