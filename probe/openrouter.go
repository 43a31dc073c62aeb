package probe

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const openRouterKey = "https://openrouter.ai/api/v1/key"

// openRouter probes an API key of OpenRouter, which two answers tell of: what
// the key may still spend, and what the account has to spend. The second is
// meant for management keys, so a refusal of it says nothing.
func openRouter(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	sites := map[string]string{"": openRouterKey, "openrouter.ai": openRouterKey}
	var (
		key, credits object
		when         clock
	)
	q := question{set: bearer, holds: []string{"data"}, rules: openRouterRules}
	q.parse = func(o object, c clock) quota.Reading {
		key, when = o, c
		return quota.Reading{}
	}
	r, err := q.askWithKey(ctx, a, c, sites)
	if err != nil || key == nil {
		return r, err
	}
	if url, ok := openRouterCredits(cmp.Or(a.Endpoint, openRouterKey)); ok {
		a.Endpoint = url
		q.parse = func(o object, _ clock) quota.Reading {
			credits = o
			return quota.Reading{}
		}
		_, _ = q.askWithKey(ctx, a, c, sites) // the key's own answer stands without it
	}
	return parseOpenRouter(key, credits, when), nil
}

// openRouterCredits is the second question's URL, beside the first one's. An
// owner's URL of another form has no place for it.
func openRouterCredits(key string) (string, bool) {
	base, ok := strings.CutSuffix(key, "/key")
	return base + "/credits", ok
}

// openRouterRules do not take a 401 for the end of a key: "User not found" was
// seen with good keys, during incidents.
var openRouterRules = []rule{
	{
		statuses: []int{innerError, 402, 403, 429},
		phrases:  []string{"key limit exceeded"},
		verdict:  quota.Billing, reason: "the key's spend limit is reached",
	},
	{
		statuses: []int{innerError, 402, 403, 429},
		phrases:  []string{"insufficient credits", "requires more credits"},
		verdict:  quota.Billing, reason: "the balance is used up",
	},
}

// parseOpenRouter joins the two answers; credits is nil where there is none.
// What can be spent is the smaller of the two.
func parseOpenRouter(key, credits object, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	data := key.sub("data")
	_, counted := data.number("usage")
	if _, capped := data.number("limit"); !counted && !capped {
		r.Verdict, r.Reason = quota.Unknown, "the answer names no limit of this account"
		return r
	}
	if free, _ := data.flag("is_free_tier"); free {
		r.Plan = "free"
	}
	w, left, limited := openRouterLimit(data, c)
	balance, known := openRouterBalance(credits.sub("data"))
	switch {
	case limited && known:
		r.Credits = &quota.Credits{Balance: min(left, balance), Unit: "USD"}
	case limited:
		r.Credits = &quota.Credits{Balance: left, Unit: "USD"}
	case known:
		r.Credits = &quota.Credits{Balance: balance, Unit: "USD"}
	}
	if limited {
		r.Windows = []quota.Window{w}
		judge(&r, c.now)
	} else {
		r.Verdict = quota.OK
	}
	switch {
	case known && balance <= 0:
		// A person has to pay, whenever the key's own limit resets.
		r.Verdict, r.Reason, r.Until = quota.Billing, "the balance is used up", time.Time{}
	case !known && !limited:
		r.Reason = "the key is valid; its credit cannot be read"
	}
	return r
}

// difference subtracts amounts of money, to the millionth: an account that spent
// all has nothing left, not what floating point leaves. What no account can hold
// is not believed.
func difference(from, amount float64) (float64, bool) {
	const most = 1e9
	if math.Abs(from) > most || math.Abs(amount) > most {
		return 0, false
	}
	return math.Round((from-amount)*1e6) / 1e6, true
}

// openRouterBalance is what the account has paid for and not used. Two zeros are
// what the endpoint answers to an ordinary key of an account in funds, too, so
// they are no empty account.
func openRouterBalance(data object) (float64, bool) {
	total, bought := data.number("total_credits")
	used, counted := data.number("total_usage")
	if !bought || !counted || total == 0 && used == 0 {
		return 0, false
	}
	return difference(total, used)
}

// openRouterLimit reads the key's own limit: its window, what is left of it in
// dollars, and whether it has one.
func openRouterLimit(data object, c clock) (w quota.Window, left float64, ok bool) {
	limit, capped := data.number("limit")
	if !capped || limit < 0 {
		return w, 0, false
	}
	period := data.text("limit_reset")
	if remaining, told := data.number("limit_remaining"); told {
		left, ok = difference(remaining, 0)
	} else if used, counted := openRouterUsed(data, period); counted {
		left, ok = difference(limit, used)
	}
	if !ok {
		return w, 0, false
	}
	w.Name, w.Spent = quota.Spend, left <= 0
	if w.Spent {
		w.UsedPercent = quota.Percent(100) // requests under way carry a key past its limit
	} else {
		setPercent(&w, 100*(limit-left)/limit, 100)
	}
	var reset time.Time
	reset, w.Length = nextReset(period, c)
	setReset(&w, reset, c.now)
	return w, left, true
}

// openRouterUsed is what counts against the limit in its period, where the
// answer does not say what is left.
func openRouterUsed(data object, period string) (float64, bool) {
	suffix := map[string]string{"daily": "_daily", "weekly": "_weekly", "monthly": "_monthly"}[period]
	used, ok := data.number("usage" + suffix)
	if byok, _ := data.flag("include_byok_in_limit"); byok {
		own, _ := data.number("byok_usage" + suffix)
		used += own
	}
	return used, ok
}

// nextReset is when a period of OpenRouter ends, by our clock, and how long it
// is: periods begin at midnight UTC, weeks on a Monday. Zero for a limit that
// never resets.
func nextReset(period string, c clock) (at time.Time, length time.Duration) {
	year, month, today := c.now.Add(-c.skew).UTC().Date()
	midnight := time.Date(year, month, today, 0, 0, 0, 0, time.UTC)
	switch period {
	case "daily":
		at, length = midnight.AddDate(0, 0, 1), day
	case "weekly":
		sinceMonday := (int(midnight.Weekday()) + 6) % 7
		at, length = midnight.AddDate(0, 0, 7-sinceMonday), 7*day
	case "monthly":
		at, length = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC), 30*day
	default:
		return time.Time{}, 0
	}
	return at.Add(c.skew), length
}
