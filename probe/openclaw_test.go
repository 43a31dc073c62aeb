package probe

import (
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// known are refusals for which it is recorded what OpenClaw 2026.9 makes of
// them, and what we make of them where our question is refused so. A reason that
// is wrong would hold an account back for days, or wake a person for a login
// that mends nothing. Refusals that carry no status reach OpenClaw as a text
// only; what of them a question can be answered with stands here with status 200.
var known = []struct {
	provider, profileType string
	asked                 asked
	status                int
	body                  string
	openclaw              string // its reason
	wrong                 bool   // … which is not to be trusted
	want                  quota.Verdict
}{
	// ChatGPT logins and OpenAI keys. A usage endpoint that answers 429 says
	// nothing of quota, whatever its words: the last reading holds.
	{"openai", oauthType, usageOf, 429, `{"error":{"type":"usage_limit_reached","message":"You have hit your ChatGPT usage limit (plus plan). Try again in ~148 min."}}`, "rate_limit", false, quota.Throttled},
	{"openai", oauthType, usageOf, 429, `{"error":{"type":"usage_limit_reached","resets_at":1800008899}}`, "rate_limit", false, quota.Throttled},
	{"openai", oauthType, usageOf, 429, `{"error":{"type":"usage_not_included","message":"To use Codex with your ChatGPT plan, upgrade"}}`, "rate_limit", false, quota.Throttled},
	{"openai", keyType, keyOf, 429, `{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details."}}`, "billing", false, quota.Billing},
	{"openai", keyType, keyOf, 429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details."}}`, "rate_limit", true, quota.Billing},
	{"openai", keyType, keyOf, 429, `{"error":{"code":"credit_balance_exhausted","message":"You exceeded your current quota, please check your plan and billing details."}}`, "rate_limit", true, quota.Billing},
	{"openai", keyType, keyOf, 429, `{"error":{"code":"project_spend_limit_exceeded","message":"Project spend limit exceeded"}}`, "billing", false, quota.Billing},
	{"openai", keyType, keyOf, 429, `{"error":{"code":"rate_limit_exceeded","type":"requests","message":"Rate limit reached for gpt-6 on requests per min (RPM)"}}`, "rate_limit", false, quota.Throttled},
	{"openai", keyType, keyOf, 401, `{"error":{"code":"invalid_api_key","message":"Incorrect API key provided: sk-***."}}`, "auth", false, quota.Revoked},
	{"openai", oauthType, usageOf, 401, `{"error":{"code":"token_invalidated","message":"Your authentication token has been invalidated."}}`, "auth", false, quota.Revoked},
	{"openai", oauthType, usageOf, 402, `{"detail":{"code":"deactivated_workspace"}}`, "billing", true, quota.Revoked},
	{"openai", oauthType, usageOf, 402, `{"error":{"code":"deactivated_workspace","message":"Payment Required"}}`, "auth_permanent", false, quota.Revoked},
	{"openai", oauthType, usageOf, 401, `{"error":{"message":"Your OpenAI account has been deactivated, please check your email."}}`, "auth_permanent", false, quota.Revoked},

	// Claude subscriptions and Anthropic keys.
	{"anthropic", oauthType, usageOf, 429, `{"error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}`, "rate_limit", false, quota.Throttled},
	{"anthropic", keyType, keyOf, 400, `{"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`, "billing", false, quota.Billing},
	{"anthropic", oauthType, usageOf, 400, `{"error":{"type":"invalid_request_error","message":"You're out of extra usage. Add more in the settings and keep going."}}`, "billing", false, quota.Billing},
	// It is one request that needs extra usage, not the account.
	{"anthropic", oauthType, usageOf, 429, `{"error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}`, "billing", false, quota.Throttled},
	{"anthropic", oauthType, usageOf, 401, `{"error":{"type":"authentication_error","message":"OAuth token has expired."}}`, "auth", false, quota.Stale},
	{"anthropic", oauthType, usageOf, 403, `{"error":{"type":"permission_error","message":"OAuth token has been revoked."}}`, "auth", false, quota.Revoked},
	{"anthropic", oauthType, usageOf, 403, `{"error":{"type":"permission_error","message":"OAuth authentication is currently not allowed for this organization."}}`, "auth_permanent", false, quota.Revoked},
	{"anthropic", oauthType, usageOf, 529, `{"error":{"type":"overloaded_error","message":"Overloaded"}}`, "overloaded", false, quota.Unreachable},

	// Google: "check your plan and billing details" is its word for a throttle.
	{"google-gemini-cli", oauthType, usageOf, 429, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"You have exhausted your capacity on this model."}}`, "rate_limit", false, quota.Throttled},
	{"google-antigravity", oauthType, usageOf, 429, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"You have exhausted your capacity on this model."}}`, "rate_limit", false, quota.Throttled},
	{"google", keyType, keyOf, 429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota, please check your plan and billing details."}}`, "rate_limit", false, quota.Throttled},

	// The others.
	{"github-copilot", oauthType, usageOf, 402, `{"error":{"code":"quota_exceeded","message":"You have no quota"}}`, "billing", false, quota.Exhausted},
	{"github-copilot", oauthType, usageOf, 402, `{"error":{"code":"quota_exceeded"}}`, "rate_limit", false, quota.Exhausted},
	{"openrouter", keyType, usageOf, 402, `{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}`, "billing", false, quota.Billing},
	{"openrouter", keyType, usageOf, 403, `{"error":{"code":403,"message":"Key limit exceeded (monthly limit)."}}`, "auth", true, quota.Billing},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1308","message":"Usage limit reached for 5 hour."}}`, "rate_limit", false, quota.Exhausted},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1310","message":"Weekly/Monthly Limit Exhausted."}}`, "rate_limit", false, quota.Exhausted},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1302","message":"High concurrency usage of this API"}}`, "rate_limit", false, quota.Throttled},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1309","message":"Your coding plan has expired"}}`, "rate_limit", false, quota.Billing},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1113","message":"Insufficient balance or no resource package."}}`, "billing", false, quota.Billing},
	{"zai", keyType, usageOf, 429, `{"error":{"code":"1113","message":"Your account is in arrears."}}`, "rate_limit", true, quota.Billing},
	{"zai", keyType, usageOf, 429, `{"error":{"code":1113,"message":"Your account is in arrears."}}`, "auth", true, quota.Billing},
	{"minimax", tokenType, usageOf, 200, `{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, "billing", false, quota.Billing},
	{"kimi", keyType, usageOf, 403, `{"error":{"type":"permission_error","message":"You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."}}`, "auth", true, quota.Exhausted},
	{"kimi", keyType, usageOf, 200, `{"error":{"type":"permission_error","message":"You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."}}`, "rate_limit", false, quota.Exhausted},
	{"kimi", keyType, usageOf, 402, `{"error":{"message":"We are unable to verify your membership benefits"}}`, "billing", false, quota.Billing},
	{"moonshot", keyType, usageOf, 429, `{"error":{"type":"exceeded_current_quota_error","message":"Your account is suspended, please check your plan and billing details"}}`, "rate_limit", false, quota.Billing},
	{"moonshot", keyType, usageOf, 429, `{"error":{"type":"exceeded_current_quota_error","message":"Your account is suspended due to insufficient balance"}}`, "billing", false, quota.Billing},
	{"xai", oauthType, usageOf, 403, `{"error":"Your team has used all available credits or reached its monthly spending limit."}`, "billing", false, quota.Billing},
	{"xai", oauthType, usageOf, 429, `{"error":"Your team has used all available credits or reached its monthly spending limit."}`, "billing", false, quota.Billing},
	{"deepseek", keyType, usageOf, 402, `{"error":{"message":"Insufficient Balance"}}`, "billing", false, quota.Billing},
	{"openai", oauthType, usageOf, 402, `{"error":{"message":"Weekly usage limit reached, try again later"}}`, "rate_limit", false, quota.Exhausted},
	{"anthropic", keyType, keyOf, 402, `{"error":{"message":"Weekly usage limit reached, try again later"}}`, "rate_limit", false, quota.Exhausted},
}

func TestRefusalsThatOpenClawKnows(t *testing.T) {
	t.Parallel()
	for _, tt := range known {
		p := New(Options{Transport: replying(tt.status, tt.body, isJSON)})
		r := p.Probe(t.Context(), account(tt.provider, tt.profileType))
		if r.Verdict != tt.want || r.Source != sourceOf(tt.asked) {
			t.Errorf("%s %s, %d %s\n%s (%s) from %s, want %s from %s; OpenClaw calls it %s (wrong: %v)", tt.provider, tt.profileType, tt.status, tt.body,
				r.Verdict, r.Reason, r.Source, tt.want, sourceOf(tt.asked), tt.openclaw, tt.wrong)
		}
	}
}

// samePlace are the verdicts that OpenClaw's reason comes to.
var samePlace = map[string][]quota.Verdict{
	"rate_limit":     {quota.Throttled, quota.Exhausted},
	"billing":        {quota.Billing},
	"auth":           {quota.Stale, quota.Revoked},
	"auth_permanent": {quota.Revoked},
	"overloaded":     {quota.Unreachable},
}

// Where a reason of OpenClaw's is called wrong ours differs in kind.
func TestWrongReasonsAreNotFollowed(t *testing.T) {
	t.Parallel()
	wrong := 0
	for _, tt := range known {
		if !tt.wrong {
			continue
		}
		wrong++
		if slices.Contains(samePlace[tt.openclaw], tt.want) {
			t.Errorf("%s, %d %s: %s is what OpenClaw's %s comes to", tt.provider, tt.status, tt.body, tt.want, tt.openclaw)
		}
	}
	if wrong < 7 {
		t.Errorf("%d wrong reasons", wrong)
	}
}
