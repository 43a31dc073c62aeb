package probe

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const (
	minimaxUsage      = "https://api.minimax.io/v1/token_plan/remains"
	minimaxUsageChina = "https://api.minimaxi.com/v1/token_plan/remains"
)

// minimax probes a token plan, by its key or by a login of MiniMax's portal, at
// the site to which OpenClaw sends its requests. Pay-as-you-go keys have no
// usage to read, and are told so by the provider.
func minimax(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Type != oauthType && a.Type != tokenType && a.Type != keyType {
		return unsupported("profiles of this type cannot be asked for usage"), nil
	}
	url, err := home(a, map[string]string{
		"": minimaxUsage, "api.minimax.io": minimaxUsage, "api.minimaxi.com": minimaxUsageChina,
	})
	if err != nil {
		return quota.Reading{}, err
	}
	return question{
		url: url, set: bearer, holds: []string{"model_remains", "data"}, fails: minimaxFails,
		rules: minimaxRules, parse: parseMinimax,
	}.ask(ctx, a, c)
}

// minimaxFails reports an error, which comes with status 200.
func minimaxFails(o object) bool {
	code, known := o.sub("base_resp").number("status_code")
	return known && code != 0
}

var (
	minimaxStatuses = []int{innerError, 400, 401, 403, http.StatusTooManyRequests}
	minimaxReset    = sayingReset(`resets at (\d{4}-\d\d-\d\dt[\d:.]+(?:z|[+-]\d\d:\d\d))`, time.RFC3339, time.UTC)
)

// minimaxRules go by the codes of base_resp, and by the words that stand for
// them where an error comes in Anthropic's shape.
var minimaxRules = []rule{
	{
		// No quota at all for what was asked: no reset brings any.
		statuses: minimaxStatuses, phrases: []string{"(0/0 used)"},
		verdict: quota.Billing, reason: "the plan does not include this model",
	},
	{
		statuses: minimaxStatuses, phrases: []string{"5-hour usage limit reached"},
		verdict: quota.Exhausted, reason: "5h window spent", until: minimaxReset, longest: 5 * time.Hour,
	},
	{
		statuses: minimaxStatuses, phrases: []string{"weekly usage limit reached"},
		verdict: quota.Exhausted, reason: "weekly window spent", until: minimaxReset, longest: 7 * day,
	},
	{
		statuses: minimaxStatuses, codes: []string{"2056"}, phrases: []string{"usage limit exceeded"},
		verdict: quota.Exhausted, reason: "limit spent", until: minimaxReset, longest: 31 * day,
	},
	{
		statuses: minimaxStatuses, codes: []string{"1008"}, phrases: []string{"insufficient balance"},
		verdict: quota.Billing, reason: "the provider reports no credit, or a spend limit reached",
	},
	{
		statuses: minimaxStatuses, codes: []string{"1002"},
		verdict: quota.Throttled, reason: "the provider asks for fewer requests",
	},
	{
		types: []string{tokenType, keyType}, statuses: minimaxStatuses, phrases: []string{"cookie is missing"},
		verdict: quota.Unsupported, reason: "this key belongs to no plan, so there is no quota to read",
	},
	{
		types: []string{tokenType, keyType}, statuses: minimaxStatuses, codes: []string{"1004"},
		verdict: quota.Unknown, reason: "the provider did not accept this key, which may be of another kind or site",
	},
	{
		statuses: minimaxStatuses, codes: []string{"1004"},
		verdict: quota.Stale, reason: "the provider did not accept the access token; OpenClaw may refresh it",
	},
}

// parseMinimax reads what remains of a token plan: two windows for the models
// that chat, and two for each other product.
func parseMinimax(o object, c clock) quota.Reading {
	if inner := o.sub("data"); inner.has("model_remains") {
		o = inner
	}
	r := quota.Reading{Source: quota.FromUsage}
	for _, key := range []string{"plan", "plan_name", "planName"} {
		if r.Plan == "" {
			r.Plan = label(o.text(key))
		}
	}
	entries := o.list("model_remains")
	chat := minimaxChat(entries)
	for i, e := range entries {
		scope := ""
		if i != chat {
			scope = minimaxScope(e)
		}
		r.Windows = append(r.Windows, minimaxWindows(e, scope, c)...)
	}
	judge(&r, c.now)
	return r
}

// minimaxChat returns the place of the entry that is the account's: the general
// one, else the first of the chat models, which older plans list. -1: none.
func minimaxChat(entries []object) int {
	first := -1
	for i, e := range entries {
		switch name := strings.ToLower(e.text("model_name")); {
		case name == "general":
			return i
		case first < 0 && strings.HasPrefix(name, "minimax-m"):
			first = i
		}
	}
	return first
}

func minimaxScope(e object) string {
	if s := label(e.text("model_name")); s != "" {
		return s
	}
	return "other"
}

// minimaxWindows reads an entry's windows. How long one still runs
// (remains_time) is not looked at: it was seen to be the window's whole length
// in the middle of it.
func minimaxWindows(e object, scope string, c clock) []quota.Window {
	var windows []quota.Window
	for _, slot := range []struct{ counts, start, end string }{
		{"current_interval", "start_time", "end_time"},
		{"current_weekly", "weekly_start_time", "weekly_end_time"},
	} {
		if status, _ := e.number(slot.counts + "_status"); status == minimaxHidden {
			continue
		}
		w := quota.Window{Scope: scope}
		start, end := e.instant(slot.start), e.instant(slot.end)
		if length := end.Sub(start); !start.IsZero() && length > 0 && length <= horizon {
			w.Length = length
		}
		w.Name = windowName(w.Length)
		if slot.counts == "current_weekly" {
			w.Name, w.Length = quota.Weekly, 7*day
		}
		if p, ok := minimaxUsed(e, slot.counts); ok {
			setPercent(&w, p, 100)
		}
		setReset(&w, c.reset(end, 0, false, w.Length), c.now)
		if w.UsedPercent != nil || !w.ResetsAt.IsZero() {
			windows = append(windows, w)
		}
	}
	return windows
}

// minimaxHidden is the status of a window that does not apply; 1 and 2 do.
const minimaxHidden = 3

// minimaxUsed returns a window's used percentage. All of it is told as what
// remains, the count named usage_count included.
func minimaxUsed(e object, counts string) (float64, bool) {
	if left, ok := e.number(counts + "_remaining_percent"); ok {
		return 100 - left, true
	}
	return ofCounts(e, counts+"_total_count", "", counts+"_usage_count")
}
