package probe

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const (
	isHTML  = "Content-Type: text/html; charset=UTF-8"
	isPlain = "Content-Type: text/plain"
	portal  = `<!doctype html><html><title>Just a moment...</title></html>`
)

func hiddenCode(code string) string {
	return "X-Error-Json: " + base64.StdEncoding.EncodeToString([]byte(`{"error":{"code":"`+code+`"}}`))
}

// refusals are the answers that are no usage, with the verdict each must end in.
var refusals = []struct {
	name          string
	provider, typ string
	status        int
	body          string
	headers       []string
	want          quota.Verdict
}{
	// OpenAI, a ChatGPT login.
	{"bare 401", "openai", "oauth", 401, `{"detail":"Unauthorized"}`, []string{isJSON}, quota.Stale},
	{"401 could not parse", "openai", "oauth", 401, `{"detail":"Could not parse your authentication token. Please try signing in again."}`, []string{isJSON}, quota.Stale},
	{"401 expired in the header", "openai", "oauth", 401, `{"detail":"Unauthorized"}`, []string{isJSON, hiddenCode("token_expired")}, quota.Stale},
	{"401 invalidated in the header", "openai", "oauth", 401, `{"detail":"Unauthorized"}`, []string{isJSON, hiddenCode("token_invalidated")}, quota.Revoked},
	{"401 header that is not base64", "openai", "oauth", 401, `{"detail":"Unauthorized"}`, []string{isJSON, "X-Error-Json: %%%"}, quota.Stale},
	{"401 without a body", "openai", "oauth", 401, ``, nil, quota.Stale},
	{"401 plain text", "openai", "oauth", 401, `Unauthorized`, []string{isPlain}, quota.Stale},
	{"401 html", "openai", "oauth", 401, portal, []string{isHTML}, quota.Unreachable},
	{"401 token_invalidated", "openai", "oauth", 401, `{"error":{"code":"token_invalidated","message":"Your authentication token has been invalidated. Please try signing in again."}}`, []string{isJSON}, quota.Revoked},
	{"401 invalidated in words", "openai", "oauth", 401, `{"error":{"message":"Your authentication token has been invalidated."}}`, []string{isJSON}, quota.Revoked},
	{"401 token_revoked", "openai", "oauth", 401, `{"error":{"code":"token_revoked"}}`, []string{isJSON}, quota.Revoked},
	{"401 deactivated in words", "openai", "oauth", 401, `{"detail":"Your OpenAI account has been deactivated, please check your email."}`, []string{isJSON}, quota.Revoked},
	{"401 account_deactivated", "openai", "oauth", 401, `{"detail":{"code":"account_deactivated"}}`, []string{isJSON}, quota.Revoked},
	{"402 deactivated_workspace", "openai", "oauth", 402, `{"detail":{"code":"deactivated_workspace"}}`, []string{isJSON}, quota.Revoked},
	{"402 deactivated_workspace as error", "openai-codex", "oauth", 402, `{"error":{"code":"deactivated_workspace"}}`, []string{isJSON}, quota.Revoked},
	{"402 without a word", "openai", "oauth", 402, `{}`, []string{isJSON}, quota.Billing},
	{"403 workspace deactivated", "openai", "oauth", 403, `{"detail":"This workspace has been deactivated"}`, []string{isJSON}, quota.Revoked},
	{"403 json without a word", "openai", "oauth", 403, `{"detail":"Forbidden"}`, []string{isJSON}, quota.Unknown},
	{"403 challenge page", "openai", "oauth", 403, portal, []string{isHTML}, quota.Unreachable},
	{"403 page without a type", "openai", "oauth", 403, "\n" + portal, nil, quota.Unreachable},
	{"403 page that mentions revoked", "openai", "oauth", 403, `<html>token_revoked</html>`, []string{isHTML}, quota.Unreachable},
	{"404 during an incident", "openai", "oauth", 404, `{"detail":"Not Found"}`, []string{isJSON}, quota.Unreachable},
	{"404 that talks of deactivation", "openai", "oauth", 404, `{"detail":{"code":"account_deactivated"}}`, []string{isJSON}, quota.Unreachable},
	{"429", "openai", "oauth", 429, `{"detail":"Too many requests"}`, []string{isJSON}, quota.Throttled},
	{"429 html", "openai", "oauth", 429, portal, []string{isHTML}, quota.Throttled},
	{"429 that talks of quota", "openai", "oauth", 429, `{"error":{"type":"usage_limit_reached","resets_at":1800008899}}`, []string{isJSON}, quota.Throttled},
	{"429 with a billing code", "openai", "oauth", 429, `{"error":{"code":"insufficient_quota"}}`, []string{isJSON}, quota.Throttled},
	{"500", "openai", "oauth", 500, `{"error":{"code":"token_revoked"}}`, []string{isJSON}, quota.Unreachable},
	{"503 html", "openai", "oauth", 503, portal, []string{isHTML}, quota.Unreachable},
	{"302", "openai", "oauth", 302, ``, []string{"Location: https://login.example.com/"}, quota.Unreachable},
	{"418", "openai", "oauth", 418, `{}`, []string{isJSON}, quota.Unknown},
	{"204", "openai", "oauth", 204, ``, []string{isJSON}, quota.Unknown},
	{"200 html", "openai", "oauth", 200, portal, []string{isHTML}, quota.Unreachable},
	{"200 json called html", "openai", "oauth", 200, `{"rate_limit":{"allowed":true}}`, []string{isHTML}, quota.Unreachable},
	{"200 json called plain text", "openai", "oauth", 200, `{"rate_limit":{"allowed":true}}`, []string{isPlain}, quota.Unreachable},
	{"200 problem+json", "openai", "oauth", 200, `{"rate_limit":{"allowed":true}}`, []string{"Content-Type: application/problem+json"}, quota.OK},
	{"200 without a type", "openai", "oauth", 200, `{"rate_limit":{"allowed":true}}`, nil, quota.OK},
	{"200 inner error", "openai", "oauth", 200, `{"error":{"message":"oops"}}`, []string{isJSON}, quota.Unreachable},
	{"200 inner revocation", "openai", "oauth", 200, `{"error":{"code":"token_revoked"}}`, []string{isJSON}, quota.Revoked},
	{"200 truncated", "openai", "oauth", 200, `{"rate_limit":{"allo`, []string{isJSON}, quota.Unreachable},
	{"200 array", "openai", "oauth", 200, `[]`, []string{isJSON}, quota.Unreachable},
	{"200 null", "openai", "oauth", 200, `null`, []string{isJSON}, quota.Unreachable},

	// Anthropic, a subscription.
	{"anthropic 401 expired", "anthropic", "oauth", 401, `{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Please obtain a new token."}}`, []string{isJSON}, quota.Stale},
	{"anthropic 401 invalid bearer", "anthropic", "oauth", 401, `{"type":"error","error":{"type":"authentication_error","message":"Invalid bearer token"}}`, []string{isJSON}, quota.Stale},
	{"setup-token 401 invalid bearer", "anthropic", "token", 401, `{"type":"error","error":{"type":"authentication_error","message":"Invalid bearer token"}}`, []string{isJSON}, quota.Stale},
	{"anthropic 403 scope", "anthropic", "oauth", 403, scopeMissing, []string{isJSON}, quota.Unsupported},
	{"anthropic 403 scope, any of", "anthropic", "token", 403, `{"error":{"type":"permission_error","message":"OAuth token does not meet scope requirement any_of(user:profile, user:office)"}}`, []string{isJSON}, quota.Unsupported},
	{"anthropic 403 scope code", "anthropic", "token", 403, `{"error":{"type":"permission_error","details":{"error_code":"oauth_scope_insufficient"}}}`, []string{isJSON}, quota.Unsupported},
	{"anthropic 403 revoked", "anthropic", "oauth", 403, `{"error":{"type":"permission_error","message":"OAuth token has been revoked"}}`, []string{isJSON}, quota.Revoked},
	{"anthropic 403 organization", "anthropic", "oauth", 403, `{"error":{"type":"permission_error","message":"OAuth authentication is currently not allowed for this organization."}}`, []string{isJSON}, quota.Revoked},
	{"anthropic 403 page", "anthropic", "oauth", 403, portal, []string{isHTML}, quota.Unreachable},
	{"anthropic 403 without a word", "anthropic", "oauth", 403, `{"error":{"type":"permission_error","message":"no"}}`, []string{isJSON}, quota.Unknown},
	{"anthropic 429", "anthropic", "oauth", 429, `{"error":{"message":"Rate limited. Please try again later.","type":"rate_limit_error"}}`, []string{isJSON}, quota.Throttled},
	{"anthropic 402", "anthropic", "oauth", 402, `{"error":{"type":"billing_error"}}`, []string{isJSON}, quota.Billing},
	{"anthropic 529", "anthropic", "oauth", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, []string{isJSON}, quota.Unreachable},
	{"openai's words do not count here", "anthropic", "oauth", 401, `{"error":{"code":"account_deactivated"}}`, []string{isJSON}, quota.Stale},

	// Keys.
	{"openai key 200", "openai", "api_key", 200, `{"object":"list","data":[{"id":"gpt-6"}]}`, []string{isJSON}, quota.OK},
	{"openai key 200, not a list", "openai", "api_key", 200, `{"welcome":"to the hotel"}`, []string{isJSON}, quota.Unknown},
	{"openai key 200 html", "openai", "api_key", 200, portal, []string{isHTML}, quota.Unreachable},
	{"openai key invalid", "openai", "api_key", 401, `{"error":{"message":"Incorrect API key provided: sk-***. You can find your key elsewhere.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, []string{isJSON}, quota.Revoked},
	{"openai key invalid in words", "openai", "api_key", 401, `{"error":{"message":"Incorrect API key provided: sk-***."}}`, []string{isJSON}, quota.Revoked},
	{"openai key account deactivated", "openai", "api_key", 401, `{"error":{"code":"account_deactivated"}}`, []string{isJSON}, quota.Revoked},
	{"openai key bare 401", "openai", "api_key", 401, `{}`, []string{isJSON}, quota.Unknown},
	{"openai key restricted", "openai", "api_key", 403, `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read."}}`, []string{isJSON}, quota.Unsupported},
	{"openai key 429 throttle", "openai", "api_key", 429, `{"error":{"message":"Rate limit reached for gpt-6 on requests per min (RPM): Limit 500, Used 500.","type":"requests","code":"rate_limit_exceeded"}}`, []string{isJSON}, quota.Throttled},
	{"openai key 429 slow_down", "openai", "api_key", 429, `{"error":{"code":"slow_down"}}`, []string{isJSON}, quota.Throttled},
	{"openai key 429 insufficient_quota", "openai", "api_key", 429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}`, []string{isJSON}, quota.Billing},
	{"openai key 429 quota in words", "openai", "api_key", 429, `{"error":{"message":"You exceeded your current quota, please check your plan."}}`, []string{isJSON}, quota.Billing},
	{"openai key 429 credit_balance_exhausted", "openai", "api_key", 429, `{"error":{"code":"credit_balance_exhausted","message":"You exceeded your current quota."}}`, []string{isJSON}, quota.Billing},
	{"openai key 429 project limit", "openai", "api_key", 429, `{"error":{"code":"project_spend_limit_exceeded"}}`, []string{isJSON}, quota.Billing},
	{"openai key 429 organization limit", "openai", "api_key", 429, `{"error":{"code":"organization_spend_limit_exceeded"}}`, []string{isJSON}, quota.Billing},
	{"openai key 429 assigned limit", "openai", "api_key", 429, `{"error":{"code":"organization_usage_limit_exceeded"}}`, []string{isJSON}, quota.Billing},
	{"openai key 500", "openai", "api_key", 500, `{}`, []string{isJSON}, quota.Unreachable},
	{"anthropic key 200", "anthropic", "api_key", 200, `{"data":[],"has_more":false}`, []string{isJSON}, quota.OK},
	{"anthropic key invalid", "anthropic", "api_key", 401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, []string{isJSON}, quota.Revoked},
	{"anthropic key without permission", "anthropic", "api_key", 403, `{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission to use the specified resource"}}`, []string{isJSON}, quota.Unsupported},
	{"anthropic key 400 balance", "anthropic", "api_key", 400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`, []string{isJSON}, quota.Billing},
	{"anthropic key 429", "anthropic", "api_key", 429, `{"error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}`, []string{isJSON}, quota.Throttled},
	{"anthropic key credits required", "anthropic", "api_key", 400, `{"error":{"type":"invalid_request_error","details":{"error_code":"credits_required","can_user_purchase_credits":true}}}`, []string{isJSON}, quota.Billing},
	{"anthropic out of extra usage", "anthropic", "oauth", 400, `{"error":{"type":"invalid_request_error","message":"You're out of extra usage."}}`, []string{isJSON}, quota.Billing},
	{"anthropic key 429 spend limit", "anthropic", "api_key", 429, `{"error":{"type":"rate_limit_error","message":"rate_limit_error (enforced_spend_limit_reached)"}}`, []string{isJSON}, quota.Billing},

	// What is not asked at all.
	{"unknown provider", "gemini", "oauth", 200, `{}`, []string{isJSON}, quota.Unsupported},
	{"unknown type", "openai", "aws-sdk", 200, `{}`, []string{isJSON}, quota.Unsupported},
	{"unknown type, anthropic", "anthropic", "", 200, `{}`, []string{isJSON}, quota.Unsupported},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: replying(tt.status, tt.body, tt.headers...)})
			r := p.Probe(t.Context(), account(tt.provider, tt.typ))
			if r.Verdict != tt.want {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, tt.want)
			}
			if r.Verdict != quota.OK && r.Reason == "" {
				t.Error("no reason")
			}
			if tt.typ != keyType && r.Source == quota.FromValidity {
				t.Errorf("source %s", r.Source)
			}
		})
	}
}

func TestUnsupportedProfilesAreNotAsked(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL.Host)
		return reply(200, `{}`), nil
	})})
	for _, a := range []Account{account("gemini", "oauth"), account("openai", "aws-sdk"), account("anthropic", "")} {
		p.Probe(t.Context(), a)
	}
}

func TestReasonsAreOurOwnWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		headers []string
		want    string
	}{
		"challenge": {403, []string{isHTML}, "something in between answered 403 in place of the provider"},
		"redirect":  {307, nil, "the provider redirects elsewhere (307); not followed"},
		"server":    {502, nil, "the provider answered 502 Bad Gateway"},
		"overload":  {529, nil, "the provider answered 529"},
		"not found": {404, []string{isJSON}, "the provider answered 404 Not Found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: replying(tt.status, `{"detail":"words of theirs"}`, tt.headers...)})
			if r := p.Probe(t.Context(), account("openai", "oauth")); r.Reason != tt.want {
				t.Errorf("reason %q, want %q", r.Reason, tt.want)
			}
		})
	}
}

// classified shows what is made of a login's or key's refusal that came at noon.
func classified(a Account, own []rule, status int, body string) string {
	return show(classify(a, usageOf, own, answer{
		status: status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(body), now: noon,
	}), noon)
}

// What a refusal's text says of its end is believed as far as it can be true.
func TestRefusalsSayUntilWhen(t *testing.T) {
	t.Parallel()
	const layout = "2006-01-02 15:04:05"
	spent := rule{
		verdict: quota.Exhausted, longest: 5 * time.Hour,
		until: sayingReset(`resets at (\S+ \S+)`, layout, time.FixedZone("UTC+8", 8*60*60)),
	}
	tests := map[string]struct {
		rule    rule
		message string
		skew    time.Duration
		want    time.Duration // from noon; 0: nothing is believed
	}{
		"in its zone":                  {spent, "resets at 2027-01-15 18:30:00", 0, 150 * time.Minute},
		"by our clock":                 {spent, "resets at 2027-01-15 18:30:00", time.Hour, 210 * time.Minute},
		"at the end of a whole window": {spent, "resets at 2027-01-15 21:00:30", 0, 5*time.Hour + 30*time.Second},
		"passed":                       {spent, "resets at 2027-01-15 15:59:59", 0, 0},
		"longer than the window":       {spent, "resets at 2027-01-15 21:05:00", 0, 0},
		"no such day":                  {spent, "resets at 2027-02-30 18:30:00", 0, 0},
		"not said":                     {spent, "wait for the next window", 0, 0},
		"length not known": {
			rule{verdict: quota.Exhausted, until: spent.until}, "resets at 2027-02-15 16:00:00", 0, 31 * day,
		},
		"length not known, years away": {rule{verdict: quota.Exhausted, until: spent.until}, "resets at 2029-02-15 16:00:00", 0, 0},
		"a rule without":               {rule{verdict: quota.Exhausted}, "resets at 2027-01-15 18:30:00", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := noon.Add(tt.want)
			if tt.want == 0 {
				want = time.Time{}
			}
			if got := tt.rule.end(tt.message, clock{now: noon, skew: tt.skew}); !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// A key is refused alike wherever it is asked: nothing refreshes it.
func TestKeysAtAUsageEndpoint(t *testing.T) {
	t.Parallel()
	key, login := account("example", keyType), account("example", oauthType)
	tests := map[string]struct {
		account Account
		status  int
		body    string
		want    string
	}{
		"login, bare 401":                  {login, 401, `{}`, "stale: the provider did not accept the access token; OpenClaw may refresh it"},
		"key, bare 401":                    {key, 401, `{}`, "unknown: the provider answered 401 without saying what is wrong with the key"},
		"key, revoked":                     {key, 401, `{"error":{"message":"This key has been revoked"}}`, "revoked: the provider does not accept this key"},
		"key, 402":                         {key, 402, `{"error":{"message":"Payment required"}}`, "billing: the provider asks for payment"},
		"key, 402 of a window that resets": {key, 402, `{"error":{"message":"Weekly usage limit reached, try again later"}}`, "exhausted: limit spent"},
		"key, no credit":                   {key, 429, `{"error":{"code":"insufficient_quota"}}`, "billing: the provider reports no credit, or a spend limit reached"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := classified(tt.account, nil, tt.status, tt.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
