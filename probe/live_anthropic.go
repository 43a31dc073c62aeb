package probe

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const anthropicMessages = "https://api.anthropic.com/v1/messages"

// anthropicLiveBody is the smallest request that tells what is left: one word
// in, one token out, of the cheapest model. Counting tokens would be free, and
// tells nothing.
const anthropicLiveBody = `{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"quota"}]}`

// anthropicLive asks a subscription with a real request and reads what the
// answer's headers tell. It is for tokens that may not read their usage.
func anthropicLive(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if !isLogin(a.Type) {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	url, err := keyURL(a, anthropicUsage, anthropicMessages)
	if err != nil {
		return quota.Reading{}, err
	}
	ans, err := fetch(ctx, a, c, question{url: url, body: []byte(anthropicLiveBody), set: func(h http.Header, token secret.Value) {
		bearer(h, token)
		h.Set("Anthropic-Beta", "oauth-2025-04-20")
		h.Set("Anthropic-Version", "2023-06-01")
	}})
	if err != nil {
		return quota.Reading{}, err
	}
	headers := limitHeaders(ans.header)
	if ans.isJSON() && (ans.status == http.StatusOK || ans.status == http.StatusTooManyRequests && headers.text("status") == rejected) {
		return parseUnified(headers, ans.clock()), nil
	}
	return classify(a, liveOf, anthropicLiveRules, ans), nil
}

// anthropicLiveRules are for real requests, which are refused in more ways than
// questions about usage.
var anthropicLiveRules = append([]rule{
	{
		statuses: refused,
		phrases:  []string{"token has been revoked"},
		verdict:  quota.Revoked, reason: "the provider revoked this login",
	},
	{
		types: []string{tokenType}, statuses: []int{http.StatusUnauthorized},
		phrases: []string{"token has expired"},
		verdict: quota.Revoked, reason: "this long-lived token expired",
	},
	{
		statuses: []int{400, 402, 403, 429},
		codes:    []string{"credits_required", "billing_error"},
		phrases:  []string{"out of extra usage", "credit balance is too low", "enforced_spend_limit_reached"},
		verdict:  quota.Billing, reason: "the provider reports no credit, or a spend limit reached",
	},
	{
		statuses: []int{http.StatusNotFound},
		codes:    []string{"not_found_error"},
		verdict:  quota.Unsupported, reason: "the provider no longer has the model that is asked",
	},
	{
		statuses: []int{http.StatusUnauthorized},
		verdict:  quota.Stale, reason: "the provider did not accept the access token; OpenClaw may refresh it",
	},
}, anthropicRules...)

// rejected is the status of a window that is spent, and of the whole.
const rejected = "rejected"

// limitHeaders are the rate-limit headers of one answer, by what follows their common
// beginning.
type limitHeaders http.Header

const unifiedPrefix = "Anthropic-Ratelimit-Unified-"

func (t limitHeaders) text(name string) string {
	return strings.ToLower(strings.TrimSpace(http.Header(t).Get(unifiedPrefix + name)))
}

// members hands one window's headers over as an object, to be read as loosely.
func (t limitHeaders) members(window string) object {
	o := object{}
	for _, name := range []string{"utilization", "reset"} {
		if v := t.text(window + "-" + name); v != "" {
			o[name] = json.RawMessage(strconv.Quote(v))
		}
	}
	return o
}

// unifiedWindows are the windows that the headers tell of. 7d_oi is the week of
// the one model that has a week of its own.
var unifiedWindows = []struct {
	header, claim, name, scope string
	length                     time.Duration
}{
	{"5h", "five_hour", quota.FiveHour, "", 5 * time.Hour},
	{"7d", "seven_day", quota.Weekly, "", 7 * day},
	{"7d_oi", "seven_day_overage_included", quota.Weekly, "overage_included", 7 * day},
	{"overage", "overage", quota.Spend, "credits", 0},
}

// parseUnified reads the headers. The status of the whole decides, since a full
// window still serves where overage is allowed. Each window has a reset of its
// own; that of the whole belongs now to one, now to another.
func parseUnified(t limitHeaders, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromLive}
	claim, whole := t.text("representative-claim"), t.text("status")
	for _, known := range unifiedWindows {
		o := t.members(known.header)
		w := quota.Window{Name: known.name, Scope: known.scope, Length: known.length}
		if used, ok := o.number("utilization"); ok {
			setPercent(&w, 100*used, mostOvershoot)
		}
		setReset(&w, c.reset(epoch(o, "reset", 1), 0, false, w.Length), c.now)
		status := t.text(known.header + "-status")
		w.Spent = status == rejected || whole == rejected && status == "" && claim == known.claim
		// Without a percentage, overage is what was never bought.
		if w.UsedPercent != nil || w.Name != quota.Spend && (!w.ResetsAt.IsZero() || w.Spent) {
			r.Windows = append(r.Windows, w)
		}
	}
	switch {
	case whole == rejected:
		refusedAs(&r, claim, c.now)
	case len(r.Windows) > 0 && (whole == "allowed" || whole == "allowed_warning"):
		r.Verdict = quota.OK
	default:
		judge(&r, c.now)
	}
	return r
}

// refusedAs reads a refusal. That of one model's window, or of what is bought on
// top, is the account's only where no window of the account is spent.
func refusedAs(r *quota.Reading, claim string, now time.Time) {
	if spent := spentWindows(r.Windows); len(spent) > 0 {
		exhausted(r, spent)
		return
	}
	switch claim {
	case "seven_day_opus", "seven_day_sonnet", "seven_day_overage_included":
		judge(r, now)
		return
	case "overage":
		r.Verdict, r.Reason = quota.Billing, "the provider reports no credit, or a spend limit reached"
		return
	}
	r.Verdict, r.Reason = quota.Exhausted, "the provider refuses use without naming the limit"
}
