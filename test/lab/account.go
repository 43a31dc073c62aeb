package lab

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Kind is how an account signs in.
type Kind string

// The kinds.
const (
	OpenAI    Kind = "openai"    // ChatGPT OAuth
	Anthropic Kind = "anthropic" // a long-lived token
	Key       Kind = "key"       // an OpenAI API key, billed per token
)

// Account is an invented account.
type Account struct {
	Name string
	Kind Kind
}

// Accounts are what a lab holds by default: three ChatGPT logins, two Anthropic
// tokens and one API key.
func Accounts() []Account {
	return []Account{
		{"alice", OpenAI},
		{"bob", OpenAI},
		{"carol", OpenAI},
		{"acc1", Anthropic},
		{"acc2", Anthropic},
		{"backup", Key},
	}
}

// Email is the account's invented address.
func (a Account) Email() string { return a.Name + "@example.com" }

// ID is the provider's own account id.
func (a Account) ID() string { return "acct-" + a.Name }

// Secret is the credential that OpenClaw sends for a: the stand-in knows the
// account by it, and tests look for it where it must not be.
func (a Account) Secret() string {
	switch a.Kind {
	case OpenAI:
		return a.jwt()
	case Anthropic:
		return "sk-ant-oat01-lab-" + a.Name + strings.Repeat("x", 80)
	case Key:
	}
	return "sk-proj-lab-" + a.Name + strings.Repeat("x", 80)
}

// refresh is the refresh token that a is seeded with.
func (a Account) refresh() string { return "rt_lab_" + a.Name }

// expiry of every seeded credential is far away, so that OpenClaw never
// refreshes, and the same in every run, so that seeds can be kept.
func expiry() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }

// jwt is the token that a is seeded with.
func (a Account) jwt() string { return a.token(expiry(), "") }

// token is an access token of a; serial tells a login's tokens apart.
func (a Account) token(expires time.Time, serial string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // maps of strings always encode
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims := map[string]any{
		"exp": expires.Unix(),
		"https://api.openai.com/auth": map[string]any{
			"chatgpt_account_id": a.ID(), "chatgpt_plan_type": "plus", "chatgpt_user_id": "user-" + a.Name,
		},
		"https://api.openai.com/profile": map[string]any{"email": a.Email()},
	}
	if serial != "" {
		claims["jti"] = serial
	}
	return part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(claims) + "." + part("signature of "+a.Name)
}

func (a Account) provider(r release) string {
	if a.Kind == OpenAI {
		return r.openai
	}
	if a.Kind == Key {
		return "openai"
	}
	return string(a.Kind)
}

func (a Account) profileID(r release) string {
	if a.Kind == OpenAI {
		return r.openai + ":" + a.Email()
	}
	return a.provider(r) + ":" + a.Name
}

func (a Account) profile(r release) map[string]any {
	p := map[string]any{"provider": a.provider(r)}
	switch a.Kind {
	case OpenAI:
		p["type"], p["email"], p["accountId"] = "oauth", a.Email(), a.ID()
		p["access"], p["refresh"], p["expires"] = a.Secret(), a.refresh(), expiry().UnixMilli()
	case Anthropic:
		p["type"], p["token"], p["expires"] = "token", a.Secret(), expiry().UnixMilli()
	case Key:
		p["type"], p["key"] = "api_key", a.Secret()
	}
	return p
}
