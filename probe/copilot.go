package probe

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const copilotUser = "https://api.github.com/copilot_internal/user"

// copilot probes a GitHub Copilot login. What OpenClaw keeps of it is GitHub's
// own token, which the endpoint takes from any client.
func copilot(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != oauthType && a.Type != tokenType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	site, err := home(a, copilotSites(a.BaseURL))
	if err != nil {
		return quota.Reading{}, err
	}
	return question{
		url: site,
		set: func(h http.Header, token secret.Value) {
			bearer(h, token)
			h.Set("X-Github-Api-Version", "2025-04-01") // the shapes read below
		},
		holds: []string{"quota_snapshots", "copilot_plan"}, rules: copilotRules, parse: parseCopilot,
	}.ask(ctx, a, c)
}

// copilotTenant matches the hosts of a company's own GitHub with data residency,
// of which OpenClaw knows the same form only.
var copilotTenant = regexp.MustCompile(`^(?:api\.|copilot-api\.)?([a-z0-9-]+\.ghe\.com)$`)

// copilotSites maps OpenClaw's host to the GitHub that issued the login: a
// tenant's token is no token of github.com's.
func copilotSites(baseURL string) map[string]string {
	sites := map[string]string{"": copilotUser, "github.com": copilotUser, "api.github.com": copilotUser}
	u, err := url.Parse(baseURL)
	if err != nil {
		return sites
	}
	host := strings.ToLower(u.Hostname())
	if tenant := copilotTenant.FindStringSubmatch(host); tenant != nil {
		sites[host] = "https://api." + tenant[1] + "/copilot_internal/user"
	} else if strings.HasSuffix(host, ".githubcopilot.com") {
		sites[host] = copilotUser
	}
	return sites
}

var copilotRules = []rule{
	{
		// GitHub throttles with 403 as well as with 429.
		statuses: []int{http.StatusForbidden},
		phrases:  []string{"rate limit exceeded", "secondary rate limit"},
		verdict:  quota.Throttled, reason: "the provider asks for fewer requests",
	},
	{
		// An oauth profile may hold Copilot's own short-lived token, which
		// OpenClaw renews; nothing renews the token of a token profile.
		types: []string{tokenType}, statuses: []int{http.StatusUnauthorized},
		phrases: []string{"bad credentials"},
		verdict: quota.Revoked, reason: "the provider does not accept this token, and nothing renews it",
	},
	{
		statuses: []int{innerError, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests},
		codes:    []string{"quota_exceeded"},
		phrases:  []string{"you have no quota"},
		verdict:  quota.Exhausted, reason: "the provider reports no quota left",
	},
	{
		statuses: []int{http.StatusForbidden},
		codes:    []string{"no_copilot_access"},
		phrases:  []string{"no access to github copilot", "not authorized to use this copilot"},
		verdict:  quota.Billing, reason: "this account has no Copilot seat",
	},
	{
		statuses: []int{http.StatusForbidden},
		phrases:  []string{"not accessible by"},
		verdict:  quota.Unsupported, reason: "this token may not read Copilot's usage",
	},
	{
		statuses: []int{http.StatusNotFound},
		phrases:  []string{"not found"},
		verdict:  quota.Billing, reason: "this account has no Copilot seat",
	},
}

// copilotState is what the answer says of one of Copilot's products.
type copilotState int

const (
	copilotUnsaid    copilotState = iota
	copilotUncounted              // placeholders in place of figures, or none
	copilotUnlimited
	copilotLimited
)

// parseCopilot reads the usage answer. Agents spend premium requests, or AI
// credits under the same name, and on plans without them chat. That decides;
// the others are shown.
func parseCopilot(o object, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage, Plan: label(o.text("copilot_plan"))}
	if r.Plan == "" {
		r.Plan = label(o.text("access_type_sku"))
	}
	at := copilotReset(o)
	state := map[string]copilotState{}
	for _, product := range []string{"premium_interactions", "chat", "completions"} {
		w := quota.Window{Name: quota.Monthly, Scope: product, Length: 30 * day}
		state[product] = copilotSnapshot(o.sub("quota_snapshots").sub(product), &w)
		if state[product] <= copilotUncounted && copilotCounts(o, product, &w) {
			state[product] = copilotLimited
		}
		if state[product] == copilotLimited {
			setReset(&w, c.reset(at, 0, false, w.Length), c.now)
			r.Windows = append(r.Windows, w)
		}
	}
	copilotVerdict(&r, state["premium_interactions"], state["chat"], c.now)
	return r
}

// copilotVerdict lets the product decide that agents use.
func copilotVerdict(r *quota.Reading, premium, chat copilotState, now time.Time) {
	deciding := "premium_interactions"
	if premium != copilotLimited && premium != copilotUnlimited && chat == copilotLimited {
		deciding = "chat"
	}
	for i := range r.Windows {
		if r.Windows[i].Scope == deciding {
			r.Windows[i].Scope = ""
		}
	}
	switch {
	case premium == copilotUnlimited, premium == copilotUnsaid && chat == copilotUnlimited:
		r.Verdict, r.Reason = quota.OK, "the plan has no limit"
	case deciding == "premium_interactions" && premium == copilotUncounted:
		r.Verdict, r.Reason = quota.Unknown, "what is left of the plan's credits cannot be read"
	default:
		judge(r, now)
	}
}

// copilotSnapshot reads a snapshot's use into w. What was used beyond the quota
// is told by other members than the percentage, which stops at 0 left; whether
// more may be used (overage_permitted) is not told reliably, so it is not read.
func copilotSnapshot(s object, w *quota.Window) copilotState {
	if s == nil {
		return copilotUnsaid
	}
	if unlimited, _ := s.flag("unlimited"); unlimited {
		return copilotUnlimited
	}
	total, counted := s.number("entitlement")
	percent, told := s.number("percent_remaining")
	left, known := s.number("remaining")
	if exact, ok := s.number("quota_remaining"); ok {
		left, known = exact, true
	}
	credits, _ := s.number("credits_used")
	beyond := counted && percent <= 0 && (credits > total || known && left < 0)
	switch {
	case counted && total <= 0, percent == -1 && !beyond, !counted && !told:
		return copilotUncounted // zero of zero, whatever the percentage, or -1
	case beyond:
		w.UsedPercent, w.Spent = quota.Percent(100), true
	case told:
		setPercent(w, 100-percent, mostOvershoot)
	case known:
		setPercent(w, 100*(total-left)/total, mostOvershoot)
	default:
		return copilotUncounted
	}
	return copilotLimited
}

// copilotCounts reads the free plan's members into w, which hold what the month
// has and what is left of it, and whether there is such a limit.
func copilotCounts(o object, product string, w *quota.Window) bool {
	total, counted := o.sub("monthly_quotas").number(product)
	left, known := o.sub("limited_user_quotas").number(product)
	if !counted || !known || total <= 0 || left == -1 {
		return false
	}
	setPercent(w, 100*(total-left)/total, mostOvershoot)
	return true
}

// copilotReset is when the month ends: a time, or a date, which begins at
// midnight UTC.
func copilotReset(o object) time.Time {
	for _, key := range []string{"quota_reset_date_utc", "quota_reset_date", "limited_user_reset_date"} {
		if at := o.instant(key); !at.IsZero() {
			return at
		}
		if at, err := time.Parse(time.DateOnly, o.text(key)); err == nil {
			return writable(at)
		}
	}
	return time.Time{}
}
