package probe

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	anthropicUsage  = "https://api.anthropic.com/api/oauth/usage"
	anthropicModels = "https://api.anthropic.com/v1/models?limit=1"
)

// anthropic probes an account of Anthropic: a subscription through the usage
// endpoint, an API key by its validity. A setup-token (type token) is asked
// too: whether its scope suffices only the provider can say.
func anthropic(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	switch a.Type {
	case "oauth", "token":
		return anthropicLogin(ctx, a, c)
	case "api_key":
		url, err := keyURL(a, anthropicUsage, anthropicModels)
		if err != nil {
			return quota.Reading{Source: quota.FromValidity}, err
		}
		return question{
			url: url,
			set: func(h http.Header, token secret.Value) {
				h.Set("X-Api-Key", token.Reveal())
				h.Set("Anthropic-Version", "2023-06-01")
			},
			rules: anthropicRules,
		}.askKey(ctx, a, c)
	}
	return unsupported("profiles of this type cannot be asked for usage"), nil
}

func anthropicLogin(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	return question{
		url: cmp.Or(a.Endpoint, anthropicUsage),
		set: func(h http.Header, token secret.Value) {
			bearer(h, token)
			h.Set("Anthropic-Beta", "oauth-2025-04-20")
			h.Set("Content-Type", "application/json")
		},
		holds: []string{"five_hour", "seven_day", "limits", "extra_usage"}, rules: anthropicRules, parse: parseAnthropic,
	}.ask(ctx, a, c)
}

var anthropicRules = []rule{
	{
		asked: usageOf, statuses: refused,
		phrases: []string{"token has been revoked"},
		verdict: quota.Revoked, reason: "the provider revoked this login",
	},
	{
		statuses: refused,
		phrases:  []string{"not allowed for this organization"},
		verdict:  quota.Revoked, reason: "the organization does not allow this login",
	},
	{
		asked: usageOf, statuses: []int{innerError, 401, 403},
		codes:   []string{"oauth_scope_insufficient"},
		phrases: []string{"scope requirement"},
		verdict: quota.Unsupported, reason: "this token may not read its usage (no user:profile scope)",
	},
	{
		statuses: []int{innerError, 400, 403},
		phrases:  []string{"out of extra usage"},
		verdict:  quota.Billing, reason: "the extra usage is used up",
	},
	{
		// Nothing refreshes a setup-token: expired is the end of it.
		asked: usageOf, types: []string{"token"}, statuses: []int{401},
		phrases: []string{"token has expired"},
		verdict: quota.Revoked, reason: "this long-lived token expired",
	},
}

// anthropicWindows are the windows with a member of their own. Others that the
// answer may hold belong to products that OpenClaw does not use.
var anthropicWindows = []struct {
	key, name, scope string
	length           time.Duration
}{
	{"five_hour", quota.FiveHour, "", 5 * time.Hour},
	{"seven_day", quota.Weekly, "", 7 * day},
	{"seven_day_opus", quota.Weekly, "opus", 7 * day},
	{"seven_day_sonnet", quota.Weekly, "sonnet", 7 * day},
	{"seven_day_oauth_apps", quota.Weekly, "oauth apps", 7 * day},
}

// mostOvershoot is the highest percentage that is still believed: Anthropic
// counts past 100 for what was under way when a window filled up.
const mostOvershoot = 200

// parseAnthropic reads the usage answer, whose two halves tell the same windows
// twice. The members of their own come first: they are exact, while limits
// rounds, and 99.6 must not become 100.
func parseAnthropic(o object, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	for _, known := range anthropicWindows {
		if e := o.sub(known.key); e != nil {
			w := quota.Window{Name: known.name, Scope: known.scope, Length: known.length}
			r.Windows = addAnthropic(r.Windows, w, e, "utilization", c)
		}
	}
	for _, e := range o.list("limits") {
		r.Windows = addAnthropic(r.Windows, limitWindow(e), e, "percent", c)
	}
	credits, w, ok := extraUsage(o.sub("extra_usage"), r.Windows, c.now)
	r.Credits = credits
	if ok {
		r.Windows = append(r.Windows, w)
	}
	judge(&r, c.now)
	return r
}

func addAnthropic(list []quota.Window, w quota.Window, e object, percent string, c clock) []quota.Window {
	if p, ok := e.number(percent); ok {
		setPercent(&w, p, mostOvershoot)
		used, known := w.Used()
		w.Spent = known && used >= 100
	}
	setReset(&w, c.reset(e.instant("resets_at"), 0, false, w.Length), c.now)
	if w.UsedPercent == nil && w.ResetsAt.IsZero() {
		return list
	}
	return addWindow(list, w)
}

// limitWindow names an entry of limits. is_active says which limit binds right
// now, not which apply, so it is not looked at. A kind that is not known gets a
// scope of its own: shown, but not deciding.
func limitWindow(e object) quota.Window {
	w := quota.Window{Scope: limitScope(e)}
	switch e.text("kind") {
	case "session", "weekly_all":
		w.Scope = ""
	case "weekly_scoped":
		if w.Scope == "" {
			w.Scope = "other"
		}
	default:
		if w.Scope == "" {
			w.Scope = "other"
			if kind := label(e.text("kind")); kind != "" {
				w.Scope = kind
			}
		}
	}
	switch group := e.text("group"); {
	case group == "session" || e.text("kind") == "session":
		w.Name, w.Length = quota.FiveHour, 5*time.Hour
	case group == "weekly" || e.text("kind") == "weekly_all" || e.text("kind") == "weekly_scoped":
		w.Name, w.Length = quota.Weekly, 7*day
	case group == "monthly":
		w.Name, w.Length = quota.Monthly, 30*day
	default:
		w.Name = "window"
	}
	return w
}

// limitScope is the model or product that an entry of limits concerns.
func limitScope(e object) string {
	scope := e.sub("scope")
	for _, name := range []string{
		scope.sub("model").text("display_name"),
		scope.sub("model").text("id"),
		scope.sub("surface").text("display_name"),
	} {
		if s := label(name); s != "" {
			return s
		}
	}
	return ""
}
