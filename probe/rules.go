package probe

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// asked is what kind of question an answer belongs to: the same 429 means "ask
// less often" from a usage endpoint and may mean "no credit" from the API.
type asked string

const (
	usageOf asked = "usage" // a login's usage endpoint
	keyOf   asked = "key"   // an API key's list of models
	liveOf  asked = "live"  // a real request, which the owner allowed
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
	reason   string // "": the status in words
	// until reads from the message, lower case, when the verdict ends; nil
	// where the provider never says. See sayingReset.
	until func(message string) time.Time
	// longest is the longest window that until can be about, 0: nobody knows.
	longest time.Duration
}

// end returns by our clock when the verdict ends. It is zero where the message
// does not say, and where it says what cannot be: a time that has passed, or
// one further away than the window is long.
func (r rule) end(message string, c clock) time.Time {
	if r.until == nil {
		return time.Time{}
	}
	longest := horizon
	if r.longest > 0 {
		longest = r.longest + tolerance
	}
	at := r.until(message).Add(c.skew)
	if !ahead(at, c.now, longest) {
		return time.Time{}
	}
	return at.UTC()
}

// sayingReset makes a rule's until: the first group of expr is a time in
// layout, in zone where the layout has none. What does not parse is zero.
func sayingReset(expr, layout string, zone *time.Location) func(string) time.Time {
	re := regexp.MustCompile(expr)
	return func(message string) time.Time {
		found := re.FindStringSubmatch(message)
		if found == nil {
			return time.Time{}
		}
		// Upper case again: RFC 3339's T and Z are.
		at, err := time.ParseInLocation(layout, strings.ToUpper(found[1]), zone)
		if err != nil {
			return time.Time{}
		}
		return at
	}
}

// innerError stands for an error within an answer of status 200.
const innerError = http.StatusOK

// refused are the statuses in which a provider's word about the login counts.
// On a 5xx or a 404 the same word is noise of an incident.
var refused = []int{innerError, 400, 401, 402, 403}

// everywhere are the rules that hold of every provider, after its own. They are
// tried in order; the first that matches decides. Words come before statuses:
// one status means too many things. "revoked" needs the provider's explicit
// word, since it ends in a person being asked to log in. What a key is refused
// with means the same at a usage endpoint as at the list of models.
var everywhere = []rule{
	{
		types: []string{keyType}, statuses: refused,
		codes: []string{"invalid_api_key"},
		phrases: []string{
			"incorrect api key", "invalid x-api-key", "key has been disabled", "key has been revoked",
			"key has been deleted", "key has been deactivated",
		},
		verdict: quota.Revoked, reason: "the provider does not accept this key",
	},
	{
		types: []string{keyType}, statuses: []int{innerError, 400, 402, 403, 429},
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
		// Some call a window that resets a payment that is due.
		statuses: []int{http.StatusPaymentRequired}, phrases: []string{"usage limit reached"},
		verdict: quota.Exhausted, reason: "limit spent",
	},
	{
		statuses: []int{http.StatusPaymentRequired},
		verdict:  quota.Billing, reason: "the provider asks for payment",
	},
	{
		types: []string{keyType}, statuses: []int{http.StatusUnauthorized},
		verdict: quota.Unknown, reason: "the provider answered 401 without saying what is wrong with the key",
	},
	{
		statuses: []int{http.StatusUnauthorized},
		verdict:  quota.Stale, reason: "the provider did not accept the access token; OpenClaw may refresh it",
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
