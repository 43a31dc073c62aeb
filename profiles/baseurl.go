package profiles

import (
	"cmp"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const githubCopilot = "github-copilot"

// chinese are the sites of ids that name China's site of a service, where
// openclaw.json names none.
var chinese = map[string]string{
	"minimax-cn":        "https://api.minimaxi.com/anthropic",
	"minimax-portal-cn": "https://api.minimaxi.com/anthropic",
}

// baseURL says where cred is for: the host that the login itself named, else
// the one in openclaw.json. "" is the provider's usual one.
func (c content) baseURL(cred credential) string {
	if cred.site != "" {
		return siteURL(cred.site)
	}
	if cred.provider == githubCopilot {
		// A token for one GitHub is none for another, whichever host serves
		// the models.
		if domain := c.cfg.Providers[githubCopilot].GitHubDomain; domain != "" && cred.kind != OAuth {
			return siteURL(domain)
		}
		if cred.kind == OAuth {
			return "" // a login that names no host is for github.com
		}
	}
	return cmp.Or(
		c.cfg.Providers[cred.provider].BaseURL,
		c.cfg.Providers[quota.Canonical(cred.provider)].BaseURL,
		chinese[cred.provider],
	)
}

// siteURL makes a URL of a host's bare name.
func siteURL(site string) string {
	if strings.Contains(site, "://") {
		return site
	}
	return "https://" + site
}
