package openclaw

import (
	"maps"
	"testing"
)

func TestConfigProviders(t *testing.T) {
	for name, c := range map[string]struct {
		config, dotEnv string
		vars           map[string]string
		want           map[string]Provider
	}{
		"nothing said":    {config: `{}`},
		"no object":       {config: `{models: {providers: ["zai"]}}`},
		"no base url":     {config: `{models: {providers: {zai: {models: []}}}}`, want: map[string]Provider{"zai": {}}},
		"a base url":      {config: `{models: {providers: {zai: {baseUrl: " https://open.bigmodel.cn/api/paas/v4 "}}}}`, want: map[string]Provider{"zai": {BaseURL: "https://open.bigmodel.cn/api/paas/v4"}}},
		"other case":      {config: `{models: {providers: {ZAI: {baseUrl: "https://one.example.com"}, zai: {}}}}`, want: map[string]Provider{"zai": {BaseURL: "https://one.example.com"}}},
		"odd entries":     {config: `{models: {providers: {zai: 3, kimi: {baseUrl: 4}}}}`, want: map[string]Provider{"zai": {}, "kimi": {}}},
		"a variable":      {config: `{models: {providers: {kimi: {baseUrl: "https://${HOST}/v1"}}}}`, vars: map[string]string{"HOST": "relay.example.com"}, want: map[string]Provider{"kimi": {BaseURL: "https://relay.example.com/v1"}}},
		"one of .env":     {config: `{models: {providers: {kimi: {baseUrl: "${URL}"}}}}`, dotEnv: "URL=https://relay.example.com", want: map[string]Provider{"kimi": {BaseURL: "https://relay.example.com"}}},
		"an unknown one":  {config: `{models: {providers: {kimi: {baseUrl: "${URL}"}}}}`, want: map[string]Provider{"kimi": {BaseURL: "${URL}"}}},
		"a GitHub domain": {config: `{models: {providers: {"github-copilot": {params: {githubDomain: "example.ghe.com"}}}}}`, want: map[string]Provider{"github-copilot": {GitHubDomain: "example.ghe.com"}}},
		"the variable for it wins": {
			config: `{models: {providers: {"github-copilot": {baseUrl: "https://x.example.com", params: {githubDomain: "example.ghe.com"}}}}}`,
			vars:   map[string]string{"COPILOT_GITHUB_DOMAIN": "other.ghe.com"},
			want:   map[string]Provider{"github-copilot": {BaseURL: "https://x.example.com", GitHubDomain: "other.ghe.com"}},
		},
		"and stands alone": {
			config: `{}`, vars: map[string]string{"COPILOT_GITHUB_DOMAIN": "other.ghe.com"},
			want: map[string]Provider{"github-copilot": {GitHubDomain: "other.ghe.com"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"openclaw.json": c.config, ".env": c.dotEnv}
			got, err := newInstallEnv(t, files, c.vars).Config()
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got.Providers, c.want) {
				t.Errorf("got %+v, want %+v", got.Providers, c.want)
			}
		})
	}
}
