package profiles

import (
	"testing"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

func TestWhereACredentialIsFor(t *testing.T) {
	china := map[string]openclaw.Provider{"zai": {BaseURL: "https://open.bigmodel.cn/api/coding/paas/v4"}}
	tenant := map[string]openclaw.Provider{githubCopilot: {
		BaseURL: "https://api.business.githubcopilot.com", GitHubDomain: "example.ghe.com",
	}}
	for name, tc := range map[string]struct {
		entry     string
		providers map[string]openclaw.Provider
		want      string
	}{
		"nothing said":                     {`{"type":"api_key","provider":"zai","key":"k"}`, nil, ""},
		"said of another provider":         {`{"type":"api_key","provider":"kimi","key":"k"}`, china, ""},
		"China's site":                     {`{"type":"api_key","provider":"zai","key":"k"}`, china, "https://open.bigmodel.cn/api/coding/paas/v4"},
		"under another name of it":         {`{"type":"api_key","provider":"Z.AI","key":"k"}`, china, "https://open.bigmodel.cn/api/coding/paas/v4"},
		"an id of China's":                 {`{"type":"api_key","provider":"minimax-cn","key":"k"}`, nil, "https://api.minimaxi.com/anthropic"},
		"an id of China's, with a relay":   {`{"type":"api_key","provider":"minimax-cn","key":"k"}`, map[string]openclaw.Provider{"minimax-cn": {BaseURL: "https://relay.example.com"}}, "https://relay.example.com"},
		"a login that names its host":      {`{"type":"oauth","provider":"qwen-portal","access":"a","resourceUrl":"portal.example.com"}`, nil, "https://portal.example.com"},
		"a login that names its URL":       {`{"type":"oauth","provider":"minimax-portal","access":"a","resourceUrl":"https://api.minimaxi.com/anthropic"}`, map[string]openclaw.Provider{"minimax-portal": {BaseURL: "https://api.minimax.io/anthropic"}}, "https://api.minimaxi.com/anthropic"},
		"an enterprise's GitHub":           {`{"type":"oauth","provider":"github-copilot","access":"a","enterpriseUrl":"example.ghe.com"}`, nil, "https://example.ghe.com"},
		"an OAuth login of GitHub itself":  {`{"type":"oauth","provider":"github-copilot","access":"a"}`, tenant, ""},
		"a token of an enterprise's":       {`{"type":"token","provider":"github-copilot","token":"a"}`, tenant, "https://example.ghe.com"},
		"a token of GitHub itself":         {`{"type":"token","provider":"github-copilot","token":"a"}`, nil, ""},
		"a token of GitHub, business plan": {`{"type":"token","provider":"github-copilot","token":"a"}`, map[string]openclaw.Provider{githubCopilot: {BaseURL: "https://api.business.githubcopilot.com"}}, "https://api.business.githubcopilot.com"},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustDecode(t, documents(openclaw.SharedDatabase, profilesDoc(`"x:a":`+tc.entry), ""), openclaw.Config{Providers: tc.providers})
			if got := find(t, c.pools(noon), "x:a").BaseURL; got != tc.want {
				t.Errorf("base url %q, want %q", got, tc.want)
			}
		})
	}
}

func TestProject(t *testing.T) {
	entries := profilesDoc(
		`"google-gemini-cli:a":{"type":"oauth","provider":"google-gemini-cli","access":"t","projectId":" p-1 ","email":"a@example.com"}`,
		`"google-gemini-cli:b":{"type":"oauth","provider":"google-gemini-cli","access":"t","projectId":7}`,
	)
	pools := mustDecode(t, documents(openclaw.SharedDatabase, entries, ""), openclaw.Config{}).pools(noon)
	if a, b := find(t, pools, "google-gemini-cli:a"), find(t, pools, "google-gemini-cli:b"); a.Project != "p-1" || b.Project != "" {
		t.Errorf("projects %q and %q, want p-1 and none", a.Project, b.Project)
	}
}
