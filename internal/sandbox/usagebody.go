package sandbox

import (
	"io"
	"log"
	"math"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// quietLog keeps the servers' own words about connections that were cut on
// purpose off the terminal.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// openaiUsage is the body of the Codex usage endpoint.
func (a *account) openaiUsage(now time.Time) map[string]any {
	a.meter.settle(now)
	var account []*windowState
	var additional []any
	for _, w := range a.meter.windows {
		if w.Model == "" {
			account = append(account, w)
			continue
		}
		additional = append(additional, map[string]any{
			"limit_name":      w.Model,
			"metered_feature": "codex_" + strings.ToLower(w.Model),
			"rate_limit":      openaiLimit([]*windowState{w}, now),
		})
	}
	limit := openaiLimit(account, now)
	var reached any
	if limit["limit_reached"] == true {
		reached = map[string]any{"type": "rate_limit_reached"}
	}
	return map[string]any{
		"user_id": "user-" + a.AccountID, "account_id": a.AccountID, "email": a.email(), "plan_type": a.Plan,
		"rate_limit":              limit,
		"additional_rate_limits":  additional,
		"code_review_rate_limit":  nil,
		"credits":                 map[string]any{"has_credits": false, "unlimited": false, "overage_limit_reached": false, "balance": "0"},
		"spend_control":           map[string]any{"reached": false, "individual_limit": nil},
		"rate_limit_reached_type": reached,
	}
}

func openaiLimit(windows []*windowState, now time.Time) map[string]any {
	limit := map[string]any{"primary_window": nil, "secondary_window": nil}
	slots := []string{"primary_window", "secondary_window"}
	reached := false
	for i, w := range windows {
		reached = reached || w.used >= 100
		if i < len(slots) {
			limit[slots[i]] = w.openai(now)
		}
	}
	limit["allowed"], limit["limit_reached"] = !reached, reached
	return limit
}

func (w *windowState) openai(now time.Time) map[string]any {
	// The endpoint shows an idle window as one that would start now.
	resets := now.Add(w.Length)
	if !w.resetsAt.IsZero() {
		resets = w.resetsAt
	}
	return map[string]any{
		// It rounds to whole percents; 100 stays for what is really spent.
		"used_percent":         int(math.Floor(w.used)),
		"limit_window_seconds": int(w.Length.Seconds()),
		"reset_after_seconds":  int(math.Ceil(resets.Sub(now).Seconds())),
		"reset_at":             ceilUnix(resets),
	}
}

// ceilUnix never promises a reset before it happens.
func ceilUnix(t time.Time) int64 { return int64(math.Ceil(float64(t.UnixMilli()) / 1000)) }

// anthropicUsage is the body of the OAuth usage endpoint.
func (a *account) anthropicUsage(now time.Time) map[string]any {
	a.meter.settle(now)
	body := map[string]any{"five_hour": nil, "seven_day": nil, "seven_day_opus": nil, "seven_day_sonnet": nil}
	limits := []any{}
	for _, w := range a.meter.windows {
		var resets any
		if !w.resetsAt.IsZero() {
			resets = w.resetsAt.UTC().Format("2006-01-02T15:04:05.000000-07:00")
		}
		window := map[string]any{"utilization": w.used, "resets_at": resets}
		kind, group, scope := "session", "session", any(nil)
		switch {
		case w.Model != "":
			kind, group = "weekly_scoped", "weekly"
			scope = map[string]any{"model": map[string]any{"id": nil, "display_name": w.Model}, "surface": nil}
		case w.Name == quota.Weekly:
			kind, group = "weekly_all", "weekly"
			body["seven_day"] = window
		default:
			body["five_hour"] = window
		}
		limits = append(limits, map[string]any{
			"kind": kind, "group": group, "percent": int(w.used), "resets_at": resets, "scope": scope, "is_active": kind == "session",
		})
	}
	body["limits"] = limits
	return body
}
