package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// Account is one OpenClaw profile and the account that it bills.
type Account struct {
	Profile  string // openai:alice@example.com
	Provider string // "": the part of Profile before the colon
	Type     string // oauth, token or api_key; "": oauth
	Plan     string // "": plus
	// AccountID is the provider's id of who is billed; "" makes one from
	// Profile. Two profiles with one AccountID share their quota.
	AccountID string
	// ExpiresIn is how long the access token still lives, negative for an
	// expired one; 0 means 10 days for oauth, a year for token.
	ExpiresIn time.Duration
	Windows   []Window
}

// account is an Account as it is now.
type account struct {
	Account
	credential secret.Value // guarded by World.mu, like what follows
	refresh    secret.Value
	expires    time.Time
	fault      Fault
	meter      *meter
	plan       string // as a login stored it
}

func (w *World) addAccounts(list []Account, now time.Time) error {
	for _, a := range list {
		a, err := withDefaults(a)
		if err != nil {
			return err
		}
		w.addAccount(a, now)
	}
	return nil
}

// addAccount adds one more profile, with w.mu held or w not yet shared. One
// account has one meter, whatever the number of its profiles.
func (w *World) addAccount(a Account, now time.Time) {
	acc := &account{Account: a, expires: now.Add(a.ExpiresIn)}
	for _, other := range w.accounts {
		if other.Provider == a.Provider && other.AccountID == a.AccountID {
			acc.meter = other.meter
		}
	}
	if acc.meter == nil {
		acc.meter = newMeter(a.Windows, now)
	}
	acc.issue(now)
	w.accounts = append(w.accounts, acc)
}

func withDefaults(a Account) (Account, error) {
	prefix, name, ok := strings.Cut(a.Profile, ":")
	if !ok || prefix == "" || name == "" {
		return a, fmt.Errorf("sandbox: profile %q is not of the form provider:name", a.Profile)
	}
	if a.Provider == "" {
		a.Provider = prefix
	}
	if a.Type == "" {
		a.Type = "oauth"
	}
	if a.Plan == "" {
		a.Plan = "plus"
	}
	if a.AccountID == "" {
		user, _, _ := strings.Cut(name, "@")
		a.AccountID = "acct-" + user
	}
	if a.ExpiresIn == 0 {
		a.ExpiresIn = 10 * 24 * time.Hour
		if a.Type == "token" {
			a.ExpiresIn = 365 * 24 * time.Hour
		}
	}
	return a, nil
}

// email is what the profile's name says, where it is one.
func (a *account) email() string {
	_, name, _ := strings.Cut(a.Profile, ":")
	if strings.Contains(name, "@") {
		return name
	}
	return ""
}

// issue gives the account a new credential of the form its provider uses.
func (a *account) issue(now time.Time) {
	switch {
	case a.Type == "api_key" && a.Provider == "anthropic":
		a.credential = randomSecret("sk-ant-api03-")
	case a.Type == "api_key":
		a.credential = randomSecret("sk-proj-")
	case a.Provider == "anthropic":
		a.credential = randomSecret("sk-ant-oat01-")
	default:
		a.credential = a.jwt(now)
	}
	if a.Type == "oauth" {
		a.refresh = randomSecret("rt_")
	}
}

// jwt makes an access token with the claims of a ChatGPT one and a signature
// that nobody can check.
func (a *account) jwt(now time.Time) secret.Value {
	claims := map[string]any{
		"iat": now.Unix(),
		"exp": a.expires.Unix(),
		"jti": rand.Text(),
		"https://api.openai.com/auth": map[string]any{
			"chatgpt_account_id": a.AccountID,
			"chatgpt_plan_type":  a.Plan,
			"chatgpt_user_id":    "user-" + a.AccountID,
		},
		"https://api.openai.com/profile": map[string]any{"email": a.email(), "email_verified": true},
	}
	part := func(v any) string {
		b, _ := json.Marshal(v) // maps of strings and numbers always marshal
		return base64.RawURLEncoding.EncodeToString(b)
	}
	header := map[string]string{"alg": "RS256", "typ": "JWT"}
	return secret.New(part(header) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte(rand.Text())))
}

func randomSecret(prefix string) secret.Value { return secret.New(prefix + rand.Text() + rand.Text()) }
