package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	codeAssistHost  = "cloudcode-pa.googleapis.com"
	codeAssistLoad  = "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist"
	codeAssistQuota = "https://cloudcode-pa.googleapis.com/v1internal:retrieveUserQuota"
	antigravityUse  = "https://cloudcode-pa.googleapis.com/v1internal:retrieveUserQuotaSummary"
	googleHost      = "generativelanguage.googleapis.com"
	googleModels    = "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1"
)

// google probes an API key of Google AI Studio by its validity: nobody tells
// such a key what is left.
func google(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != keyType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	url, err := keyURL(a, googleModels, googleModels)
	if err != nil {
		return quota.Reading{Source: quota.FromValidity}, err
	}
	return question{
		url: url, holds: []string{"models"}, rules: googleRules,
		set: func(h http.Header, key secret.Value) { h.Set("X-Goog-Api-Key", key.Reveal()) },
	}.askKey(ctx, a, c)
}

// geminiCLI probes a Gemini CLI login: quota is told per model, for a project
// that has to be learned first where OpenClaw did not note it.
func geminiCLI(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != oauthType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	plan := ""
	if a.Project == "" {
		found, r, err := loadCodeAssist(ctx, a, c)
		if err != nil || r.Verdict != quota.OK {
			return r, err
		}
		a.Project, plan = found, r.Plan
	}
	r, err := askCodeAssist(ctx, a, c, codeAssistQuota, parseGoogleModels)
	if err == nil && r.Plan == "" {
		r.Plan = plan
	}
	return r, err
}

// antigravity probes an Antigravity login, which needs no project: its answer
// groups the models that share a quota.
func antigravity(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != oauthType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	return askCodeAssist(ctx, a, c, antigravityUse, parseAntigravity)
}

func askCodeAssist(ctx context.Context, a Account, c *http.Client, site string, parse func(object, clock) quota.Reading) (quota.Reading, error) {
	at, err := home(a, map[string]string{"": site, codeAssistHost: site})
	if err != nil {
		return quota.Reading{}, err
	}
	var ask struct {
		Project string `json:"project,omitempty"`
	}
	ask.Project = a.Project
	body, err := json.Marshal(ask)
	if err != nil {
		return quota.Reading{}, err
	}
	return question{
		url: at, body: body, set: bearer, holds: []string{"buckets", "groups"}, rules: googleRules, parse: parse,
	}.ask(ctx, a, c)
}

// loadCodeAssist learns the project and the plan of a login. Any verdict but OK
// is the account's reading: who may not use Code Assist has no quota there. An
// account without a project is asked without one, as OpenClaw does.
func loadCodeAssist(ctx context.Context, a Account, c *http.Client) (project string, _ quota.Reading, _ error) {
	at, err := home(a, map[string]string{"": codeAssistLoad, codeAssistHost: codeAssistLoad})
	if err != nil {
		return "", quota.Reading{}, err
	}
	if u, err := url.Parse(at); err == nil && a.Endpoint != "" {
		at = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/v1internal:loadCodeAssist"}).String()
	}
	r, err := question{
		url: at, body: []byte(`{"metadata":{"ideType":"GEMINI_CLI","pluginType":"GEMINI"}}`), set: bearer,
		holds: []string{"currentTier", "cloudaicompanionProject"}, rules: googleRules,
		parse: func(o object, _ clock) quota.Reading {
			project = label(cmp.Or(o.text("cloudaicompanionProject"), o.sub("cloudaicompanionProject").text("id")))
			return parseCodeAssist(o)
		},
	}.ask(ctx, a, c)
	return project, r, err
}

// googleRules know no spent quota: a 429 of the usage endpoint speaks of
// requests to it, whatever words it uses, and Google's word for a throttled key
// ("check your plan and billing details") is elsewhere the one for no credit.
var googleRules = []rule{
	{
		asked: usageOf, statuses: refused, codes: []string{"validation_required"},
		verdict: quota.Billing, reason: "the provider wants a person to validate this account",
	},
	{
		asked: usageOf, statuses: refused, codes: []string{"unsupported_client"},
		verdict: quota.Unsupported, reason: "the provider does not serve this account by this kind of login",
	},
	{
		asked: keyOf, statuses: []int{http.StatusBadRequest}, codes: []string{"api_key_invalid"},
		verdict: quota.Revoked, reason: "the provider does not accept this key",
	},
	{
		asked: keyOf, statuses: []int{http.StatusBadRequest}, phrases: []string{"enable billing"},
		verdict: quota.Billing, reason: "the provider asks for payment",
	},
	{
		statuses: []int{http.StatusTooManyRequests},
		verdict:  quota.Throttled, reason: "the provider asks for fewer requests",
	},
}

// parseCodeAssist reads who the account is to Code Assist. Tiers that it may
// not have matter only where it has none.
func parseCodeAssist(o object) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage, Verdict: quota.OK}
	for _, tier := range []object{o.sub("paidTier"), o.sub("currentTier")} {
		r.Plan = cmp.Or(r.Plan, label(tier.text("name")), label(tier.text("id")))
	}
	closed := o.list("ineligibleTiers")
	if o.sub("currentTier") != nil || len(closed) == 0 {
		return r
	}
	r.Verdict, r.Reason = quota.Unsupported, "the provider does not serve this account by this kind of login"
	for _, tier := range closed {
		if tier.text("reasonCode") == "VALIDATION_REQUIRED" {
			r.Verdict, r.Reason = quota.Billing, "the provider wants a person to validate this account"
		}
	}
	return r
}

// parseGoogleModels reads quota per model.
func parseGoogleModels(o object, c clock) quota.Reading {
	var g googleQuota
	for _, b := range o.list("buckets") {
		if model := label(b.text("modelId")); model != "" {
			g.add(b, quota.Window{Name: "window", Scope: model}, c)
		}
	}
	return g.reading(c)
}

// parseAntigravity reads the groups of models that share a quota, each with its
// own windows.
func parseAntigravity(o object, c clock) quota.Reading {
	var g googleQuota
	for _, group := range o.list("groups") {
		scope := cmp.Or(label(group.text("displayName")), "other")
		for _, b := range group.list("buckets") {
			length := antigravityLength(b.text("window"))
			g.add(b, quota.Window{Name: windowName(length), Scope: scope, Length: length}, c)
		}
	}
	return g.reading(c)
}

func antigravityLength(window string) time.Duration {
	if window == "weekly" {
		return 7 * day
	}
	length, err := time.ParseDuration(window)
	if err != nil || length < 0 || length > horizon {
		return 0
	}
	return length
}

// googleQuota gathers what an answer says. One in which nothing is used and no
// window has an end says nothing: Google fills that in where it has no figures.
type googleQuota struct {
	windows []quota.Window
	said    bool
}

// add reads what is left in a bucket. A figure that is left out may be a zero
// or not be known, so it is neither. The end of a window that nothing was used
// of slides along with now: it is no appointment.
func (g *googleQuota) add(b object, w quota.Window, c clock) {
	left, known := b.number("remainingFraction")
	if known {
		setPercent(&w, math.Round((1-left)*1e6)/1e4, 100)
	}
	if left != 1 {
		setReset(&w, c.reset(b.instant("resetTime"), 0, false, w.Length), c.now)
	}
	g.said = g.said || known && left != 1 || !b.instant("resetTime").IsZero()
	if (known || !w.ResetsAt.IsZero()) && len(g.windows) < maxEntries {
		g.windows = addTighter(g.windows, w)
	}
}

func (g *googleQuota) reading(c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	if g.said {
		r.Windows = g.windows
	}
	judgeScopes(&r, c.now)
	return r
}
