package openclaw

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Provider is what openclaw.json says of where one provider's requests go.
type Provider struct {
	// BaseURL is models.providers.<id>.baseUrl, with its variables resolved.
	BaseURL string
	// GitHubDomain is the host that GitHub Copilot's logins are for: github.com,
	// or an enterprise's own ("example.ghe.com").
	GitHubDomain string
}

// githubCopilot is the one provider whose host stands elsewhere than in baseUrl.
const githubCopilot = "github-copilot"

// providers reads models.providers. OpenClaw compares ids without regard to
// case; of two spellings the one that names a base url counts.
func (i *Install) providers(v any, env substitution) map[string]Provider {
	entries, ok := v.(map[string]any)
	if !ok {
		entries = nil
	}
	out := map[string]Provider{}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		id := strings.ToLower(strings.TrimSpace(key))
		had := out[id]
		out[id] = Provider{
			BaseURL:      cmp.Or(had.BaseURL, env.expand(text(field(entries[key], "baseUrl")))),
			GitHubDomain: cmp.Or(had.GitHubDomain, env.expand(text(field(entries[key], "params", "githubDomain")))),
		}
	}
	// The variable goes before the config, as in OpenClaw itself.
	if domain := i.getenv("COPILOT_GITHUB_DOMAIN"); domain != "" {
		p := out[githubCopilot]
		p.GitHubDomain = domain
		out[githubCopilot] = p
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
