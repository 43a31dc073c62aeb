package profiles

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// account decodes one entry and gives its account key.
func account(t *testing.T, id, entry string) string {
	t.Helper()
	c := mustDecode(t, documents(openclaw.SharedDatabase, profilesDoc(`"`+id+`":`+entry), ""), openclaw.Config{})
	key := find(t, c.pools(noon), id).Account
	if !regexp.MustCompile(`^acct-[0-9a-f]{16}$`).MatchString(key) {
		t.Errorf("account key %q has not the form acct-<16 hex>", key)
	}
	return key
}

func TestWhoIsBilled(t *testing.T) {
	oauth := func(provider, fields string) string {
		return `{"type":"oauth","provider":"` + provider + `",` + fields + `}`
	}
	work, home := access(t, "acct-work", "a@example.com"), access(t, "acct-home", "a@example.com")
	for name, tc := range map[string]struct {
		a, b [2]string // id, entry
		same bool
	}{
		"two ids of one account": {
			[2]string{"openai:work", oauth("openai", `"access":"`+work+`"`)},
			[2]string{"openai:a@example.com", oauth("openai", `"access":"x","accountId":"acct-work"`)},
			true,
		},
		"one e-mail, two workspaces": {
			[2]string{"openai:work", oauth("openai", `"access":"`+work+`","email":"a@example.com"`)},
			[2]string{"openai:home", oauth("openai", `"access":"`+home+`","email":"a@example.com"`)},
			false,
		},
		"one e-mail, two workspaces, as the store says": {
			[2]string{"openai:a@example.com", oauth("openai", `"access":"x","accountId":"acct-work","email":"a@example.com"`)},
			[2]string{"openai:a@example.com-2", oauth("openai", `"access":"x","accountId":"acct-home","email":"a@example.com"`)},
			false,
		},
		"one e-mail, of one the workspace is known": {
			[2]string{"openai:a@example.com", oauth("openai", `"access":"x","email":"a@example.com"`)},
			[2]string{"openai:home", oauth("openai", `"access":"`+home+`","email":"a@example.com"`)},
			false,
		},
		"the provider's old name": {
			[2]string{"openai:a", oauth("openai", `"access":"`+work+`"`)},
			[2]string{"openai-codex:a", oauth("openai-codex", `"access":"`+work+`"`)},
			true,
		},
		"what the store says goes before the token": {
			[2]string{"openai:a", oauth("openai", `"access":"`+work+`","accountId":"acct-home"`)},
			[2]string{"openai:b", oauth("openai", `"access":"`+home+`"`)},
			true,
		},
		"refreshed": {
			[2]string{"anthropic:a", oauth("anthropic", `"access":"one","refresh":"r1","email":"A@example.com"`)},
			[2]string{"anthropic:b", oauth("anthropic", `"access":"two","refresh":"r2","email":"a@example.com"`)},
			true,
		},
		"being refreshed": {
			[2]string{"openai:a", oauth("openai", `"access":"`+fenced+`","accountId":"acct-work","expires":1`)},
			[2]string{"openai:b", oauth("openai", `"access":"`+work+`"`)},
			true,
		},
		"logins that tell nothing": {
			[2]string{"anthropic:a", oauth("anthropic", `"access":"same"`)},
			[2]string{"anthropic:b", oauth("anthropic", `"access":"same"`)},
			false,
		},
		"one key twice": {
			[2]string{"openai:a", `{"type":"api_key","provider":"openai","key":"` + apiKey + `"}`},
			[2]string{"openai:b", `{"type":"api_key","provider":"openai","key":"` + apiKey + `"}`},
			true,
		},
		"one secret, two providers": {
			[2]string{"openai:a", `{"type":"api_key","provider":"openai","key":"` + apiKey + `"}`},
			[2]string{"zai:a", `{"type":"api_key","provider":"zai","key":"` + apiKey + `"}`},
			false,
		},
		"keys that could be guessed": {
			[2]string{"local:a", `{"type":"api_key","provider":"local","key":"ollama"}`},
			[2]string{"local:b", `{"type":"api_key","provider":"local","key":"ollama"}`},
			false,
		},
		"one key under two names of the provider": {
			[2]string{"zai:a", `{"type":"api_key","provider":"zai","key":"` + apiKey + `"}`},
			[2]string{"z.ai:b", `{"type":"api_key","provider":"z.ai","key":"` + apiKey + `"}`},
			true,
		},
		"two keys of one provider": {
			[2]string{"zai:a", `{"type":"api_key","provider":"zai","key":"` + apiKey + `"}`},
			[2]string{"zai:b", `{"type":"api_key","provider":"zai","key":"` + apiKey + `2"}`},
			false,
		},
		"one key twice, by OpenRouter's login and pasted": {
			[2]string{"openrouter:default", `{"type":"api_key","provider":"openrouter","key":"` + apiKey + `","metadata":{"userId":"u"}}`},
			[2]string{"openrouter:a", `{"type":"api_key","provider":"openrouter","key":"` + apiKey + `"}`},
			true,
		},
		"a plan's key and a login of the same maker": {
			[2]string{"minimax:a", `{"type":"api_key","provider":"minimax","key":"` + apiKey + `"}`},
			[2]string{"minimax-portal:a", oauth("minimax-portal", `"access":"`+apiKey+`"`)},
			false,
		},
		"one Grok login, refreshed": {
			[2]string{"xai:a", oauth("xai", `"access":"one","accountId":"user-1","email":"a@example.com"`)},
			[2]string{"xai:b", oauth("xai", `"access":"two","accountId":"user-1"`)},
			true,
		},
		"one Google login, refreshed": {
			[2]string{"google-gemini-cli:a", oauth("google-gemini-cli", `"access":"one","projectId":"p","email":"a@example.com"`)},
			[2]string{"google-gemini-cli:b", oauth("google-gemini-cli", `"access":"two","projectId":"p","email":"A@example.com"`)},
			true,
		},
		"one GitHub token, stored both ways": {
			[2]string{"github-copilot:a", oauth("github-copilot", `"access":"`+apiKey+`","refresh":"`+apiKey+`"`)},
			[2]string{"github-copilot:b", `{"type":"token","provider":"github-copilot","token":"` + apiKey + `"}`},
			true,
		},
		"two GitHub tokens": {
			[2]string{"github-copilot:a", oauth("github-copilot", `"access":"`+apiKey+`"`)},
			[2]string{"github-copilot:b", oauth("github-copilot", `"access":"`+apiKey+`2"`)},
			false,
		},
		"an e-mail address is no account id": {
			[2]string{"x:a", oauth("x", `"access":"t","accountId":"a@example.com"`)},
			[2]string{"x:b", oauth("x", `"access":"t","email":"a@example.com"`)},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := account(t, tc.a[0], tc.a[1]), account(t, tc.b[0], tc.b[1])
			if (a == b) != tc.same {
				t.Errorf("%s and %s: same account is %v, want %v", a, b, a == b, tc.same)
			}
		})
	}
}

// The key is on the wire between hosts one day, so its making is fixed.
func TestAccountKeyIsFixed(t *testing.T) {
	if got, want := hashed("openai-codex", "acct-alice"), "acct-39cd40f6abf7d081"; got != want {
		t.Errorf("account key %s, want %s: keys must not change between releases", got, want)
	}
}

func TestClaims(t *testing.T) {
	full := jwt(t, map[string]any{
		"exp":                            noon.Unix(),
		"https://api.openai.com/auth":    map[string]any{"chatgpt_account_id": "acct-1", "chatgpt_plan_type": "pro", "chatgpt_account_is_fedramp": true},
		"https://api.openai.com/profile": map[string]any{"email": "a@example.com"},
		"email":                          "b@example.com",
	})
	want := claims{Expires: noon, AccountID: "acct-1", Plan: "pro", FedRAMP: true, Email: "a@example.com"}
	parts := strings.Split(full, ".")
	for name, tc := range map[string]struct {
		token string
		want  claims
	}{
		"all there":         {full, want},
		"padded":            {parts[0] + "." + parts[1] + "==" + "." + parts[2], want},
		"e-mail at the top": {jwt(t, map[string]any{"email": "b@example.com"}), claims{Email: "b@example.com"}},
		"odd types":         {jwt(t, map[string]any{"exp": "x", "email": 1, "https://api.openai.com/auth": []int{1}}), claims{}},
		"end beyond dates":  {jwt(t, map[string]any{"exp": 1e18}), claims{}},
		"no JWT":            {setupToken, claims{}},
		"two parts":         {"a.b", claims{}},
		"no base64":         {"a.!!!.c", claims{}},
		"no JSON":           {"a." + base64.RawURLEncoding.EncodeToString([]byte("x")) + ".c", claims{}},
		"enormous":          {"a." + strings.Repeat("A", maxToken) + ".c", claims{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decodeClaims(tc.token); got != tc.want {
				t.Errorf("claims %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestWhatTheTokenTells(t *testing.T) {
	token := jwt(t, map[string]any{
		"exp":                         noon.Add(time.Hour).Unix(),
		"https://api.openai.com/auth": map[string]any{"chatgpt_account_id": "acct-1", "chatgpt_plan_type": "pro", "chatgpt_account_is_fedramp": true},
	})
	entries := profilesDoc(
		`"openai:a":{"type":"oauth","provider":"openai","access":"`+token+`","chatgptPlanType":"plus"}`,
		`"openai:b":{"type":"oauth","provider":"openai","access":"`+token+`","expires":`+millis(noon.Add(2*time.Hour))+`}`,
		`"other:c":{"type":"oauth","provider":"other","access":"`+token+`"}`,
	)
	pools := mustDecode(t, documents(openclaw.SharedDatabase, entries, ""), openclaw.Config{}).pools(noon)
	a, b, c := find(t, pools, "openai:a"), find(t, pools, "openai:b"), find(t, pools, "other:c")
	if a.Plan != "pro" || !a.FedRAMP || a.AccountID != "acct-1" || !a.ExpiresAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v: plan, FedRAMP, account id and end come from the token", a)
	}
	if !b.ExpiresAt.Equal(noon.Add(2 * time.Hour)) {
		t.Errorf("the token of b ends %v: the store's word goes before the token's", b.ExpiresAt)
	}
	if c.AccountID != "" || c.FedRAMP || !c.ExpiresAt.IsZero() {
		t.Errorf("%+v: these claims are OpenAI's, and the profile is another provider's", c)
	}
}
