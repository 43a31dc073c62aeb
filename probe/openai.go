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
	openAIUsage  = "https://chatgpt.com/backend-api/wham/usage"
	openAIModels = "https://api.openai.com/v1/models"
)

// openAI probes an account of OpenAI: a ChatGPT login through the usage
// endpoint that Codex itself polls, an API key by its validity.
func openAI(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	switch a.Type {
	case "oauth", "token":
		return openAILogin(ctx, a, c)
	case "api_key":
		url, err := keyURL(a, openAIUsage, openAIModels)
		if err != nil {
			return quota.Reading{Source: quota.FromValidity}, err
		}
		return question{url: url, set: bearer, rules: openAIRules}.askKey(ctx, a, c)
	}
	return unsupported("profiles of this type cannot be asked for usage"), nil
}

func openAILogin(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	return question{
		url: cmp.Or(a.Endpoint, openAIUsage),
		set: func(h http.Header, token secret.Value) {
			bearer(h, token)
			if a.ID != "" {
				h.Set("ChatGPT-Account-Id", a.ID) // selects the workspace
			}
			if a.FedRAMP {
				h.Set("X-OpenAI-Fedramp", "true")
			}
		},
		holds: []string{"rate_limit"}, rules: openAIRules,
		parse: func(o object, c clock) quota.Reading { return parseOpenAI(o, a.ID, c) },
	}.ask(ctx, a, c)
}

var openAIRules = []rule{
	{
		statuses: refused,
		codes:    []string{"token_invalidated", "token_revoked"},
		phrases:  []string{"authentication token has been invalidated", "token has been revoked"},
		verdict:  quota.Revoked, reason: "the provider revoked this login",
	},
	{
		statuses: refused,
		codes:    []string{"account_deactivated"},
		phrases:  []string{"account has been deactivated"},
		verdict:  quota.Revoked, reason: "the provider deactivated this account",
	},
	{
		statuses: refused,
		codes:    []string{"deactivated_workspace"},
		phrases:  []string{"workspace has been deactivated", "deactivated_workspace"},
		verdict:  quota.Revoked, reason: "the provider deactivated this workspace",
	},
}

// parseOpenAI reads the usage answer. Whether the account can serve is the
// provider's own word (allowed, limit_reached), not ours to infer: with credits
// an account goes on at 100 %, and a spent window of one model is not a spent
// account.
func parseOpenAI(o object, id string, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage, Plan: label(o.text("plan_type"))}
	if got := o.text("account_id"); got != "" && id != "" && got != id {
		r.Plan, r.Verdict, r.Reason = "", quota.Unknown, "the answer is about another account"
		return r
	}
	limit := o.sub("rate_limit")
	r.Windows = openAIWindows(limit, "", c)
	r.Windows = append(r.Windows, spendWindows(o, r.Windows, c)...)
	if review := o.sub("code_review_rate_limit"); review != nil {
		r.Windows = append(r.Windows, openAIWindows(review, "code_review", c)...)
	}
	for _, extra := range o.list("additional_rate_limits") {
		if scope := extraScope(extra); scope != "" {
			r.Windows = append(r.Windows, openAIWindows(extra.sub("rate_limit"), scope, c)...)
		}
	}
	r.Credits = openAICredits(o.sub("credits"))
	openAIVerdict(&r, o, c.now)
	return r
}

// extraScope names what an additional limit limits: the model, where it says.
func extraScope(extra object) string {
	for _, key := range []string{"normal_model_slug", "limit_name", "metered_feature"} {
		if s := label(extra.text(key)); s != "" {
			return s
		}
	}
	return ""
}

// openAIWindows reads the windows of one limit.
func openAIWindows(limit object, scope string, c clock) []quota.Window {
	var windows []quota.Window
	for _, slot := range []string{"primary_window", "secondary_window"} {
		if w, ok := openAIWindow(limit.sub(slot), c); ok {
			w.Scope = scope
			windows = append(windows, w)
		}
	}
	if usable(limit) == denied {
		markSpent(windows)
	}
	return windows
}

func openAIWindow(o object, c clock) (quota.Window, bool) {
	if o == nil {
		return quota.Window{}, false
	}
	w := quota.Window{}
	w.Length, _ = o.seconds("limit_window_seconds")
	w.Name = windowName(w.Length)
	used, known := o.number("used_percent")
	if known {
		setPercent(&w, used, 100)
	}
	after, hasAfter := o.seconds("reset_after_seconds")
	if known && used == 0 && hasAfter && w.Length > 0 && (w.Length-after).Abs() <= 2*time.Second {
		return w, true // idle: the reset slides along with now, it is no appointment
	}
	setReset(&w, c.reset(o.instant("reset_at"), after, hasAfter, w.Length), c.now)
	return w, known || hasAfter || !w.ResetsAt.IsZero() || w.Length > 0
}

// markSpent marks the windows that a refused limit ran into. The provider's
// figures stick at 99 for a while; a lone window without a figure must be it.
func markSpent(windows []quota.Window) {
	for i := range windows {
		used, known := windows[i].Used()
		if known && used >= 99 || !known && len(windows) == 1 {
			windows[i].Spent = true
		}
	}
}
