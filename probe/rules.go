package probe

import (
	"net/http"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// asked is what kind of question an answer belongs to: the same 429 means "ask
// less often" from a usage endpoint and may mean "no credit" from the API.
type asked string

const (
	usageOf asked = "usage" // a login's usage endpoint
	keyOf   asked = "key"   // an API key's list of models
)

// rule maps one kind of refusal to a verdict. Empty fields match anything; of
// codes and phrases together one is enough.
type rule struct {
	asked    asked
	types    []string // the profile's type
	statuses []int
	codes    []string // machine-readable, lower case
	phrases  []string // within the message, lower case
	verdict  quota.Verdict
	reason   string
}

// innerError stands for an error within an answer of status 200.
const innerError = http.StatusOK

// refused are the statuses in which a provider's word about the login counts.
// On a 5xx or a 404 the same word is noise of an incident.
var refused = []int{innerError, 400, 401, 402, 403}

// everywhere are the rules that hold of every provider, after its own. They are
// tried in order; the first that matches decides. Words come before statuses:
// one status means too many things. "revoked" needs the provider's explicit
// word, since it ends in a person being asked to log in.
var everywhere = []rule{
	{
		asked: keyOf, statuses: refused,
		codes: []string{"invalid_api_key"},
		phrases: []string{
			"incorrect api key", "invalid x-api-key", "key has been disabled", "key has been revoked",
			"key has been deleted", "key has been deactivated",
		},
		verdict: quota.Revoked, reason: "the provider does not accept this key",
	},
	{
		asked: keyOf, statuses: []int{innerError, 400, 402, 403, 429},
		codes: []string{
			"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
			"project_spend_limit_exceeded", "organization_usage_limit_exceeded", "credits_required", "billing_error",
		},
		phrases: []string{"exceeded your current quota", "credit balance is too low", "enforced_spend_limit_reached"},
		verdict: quota.Billing, reason: "the provider reports no credit, or a spend limit reached",
	},
	{
		asked: keyOf, statuses: []int{401, 403},
		codes:   []string{"permission_error"},
		phrases: []string{"missing scopes", "insufficient permissions"},
		verdict: quota.Unsupported, reason: "this key may not list models, so its validity cannot be read",
	},
	{
		statuses: []int{http.StatusPaymentRequired},
		verdict:  quota.Billing, reason: "the provider asks for payment",
	},
	{
		asked: usageOf, statuses: []int{http.StatusUnauthorized},
		verdict: quota.Stale, reason: "the provider did not accept the access token; OpenClaw may refresh it",
	},
	{
		asked: keyOf, statuses: []int{http.StatusUnauthorized},
		verdict: quota.Unknown, reason: "the provider answered 401 without saying what is wrong with the key",
	},
	{
		statuses: []int{http.StatusForbidden},
		verdict:  quota.Unknown, reason: "the provider answered 403 without saying why",
	},
	{
		statuses: []int{http.StatusTooManyRequests},
		verdict:  quota.Throttled, reason: "the provider asks for fewer requests",
	},
	{
		statuses: []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusRequestTimeout},
		verdict:  quota.Unreachable,
	},
}
