// Package say tells a person of times and of what happens to a pool, in the
// same words in a terminal and on a page.
package say

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// Clock is a time of day in now's time zone, with the date where that is not
// clear.
func Clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Sub(now).Abs() < 20*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}

// About is a time to ten minutes, as exactly as a forecast can be meant.
func About(t, now time.Time) string {
	if round := t.Round(10 * time.Minute); round.After(now) {
		t = round
	}
	return Clock(t, now)
}

// Span is a length of time in its two largest units.
func Span(d time.Duration) string {
	units := []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}
	names := []string{"d", "h", "min", "s"}
	for i, unit := range units {
		if d < unit {
			continue
		}
		text := fmt.Sprintf("%d %s", d/unit, names[i])
		if i+1 < len(units) && d%unit >= units[i+1] {
			text += fmt.Sprintf(" %d %s", d%unit/units[i+1], names[i+1])
		}
		return text
	}
	return "under 1 s"
}

// Sentence ends text with a full stop.
func Sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// WindowsTell reports that p's reason is no more than what its windows show.
func WindowsTell(p watchdog.ProfileStatus) bool {
	return p.State == failover.Available && strings.HasSuffix(p.Reason, "% used")
}

// OrderSource says where an order that nobody set in OpenClaw's store comes
// from, "" for any other.
func OrderSource(source string) string {
	switch source {
	case "config":
		return "The order comes from auth.order in openclaw.json."
	case "none":
		return "Nobody set an order: this is how OpenClaw lists them."
	}
	return ""
}

// First says who goes first after s, "" where that did not change.
func First(s journal.Switch) string {
	switch {
	case s.To == "":
		return "the order was cleared"
	case s.From == s.To:
		return ""
	case s.From != "":
		return s.To + " in place of " + s.From
	}
	return s.To + " goes first"
}

// How far ahead a person is told what is only likely, and what one account is
// about to do: another one takes over then.
const (
	roughlyAhead = 12 * time.Hour
	accountAhead = 24 * time.Hour
)

// Ahead is what lies ahead of a pool, in one line; "" where that is nothing.
// next is the account in use, and at when it reaches switch_at, zero: it does
// not.
func Ahead(o watchdog.Outlook, next string, at, now time.Time) string {
	var parts []string
	if at.After(now) && at.Sub(now) <= accountAhead {
		parts = append(parts, fmt.Sprintf("%s reaches switch_at about %s", next, About(at, now)))
	}
	if dry := o.RunsDryAt; dry != nil && dry.After(now) {
		back := ""
		if o.BackAt != nil {
			back = fmt.Sprintf(", %s is back first, at %s", o.BackFirst, Clock(*o.BackAt, now))
		}
		switch {
		case o.Forecast == forecast.High:
			parts = append(parts, fmt.Sprintf("quota runs out about %s%s", About(*dry, now), back))
		case o.Forecast == forecast.Low && dry.Sub(now) <= roughlyAhead:
			parts = append(parts, fmt.Sprintf("quota may run out about %s%s; use is too uneven to tell", About(*dry, now), back))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Ahead: " + strings.Join(parts, "; ") + "."
}

// AheadOf is Ahead of a pool as the status has it.
func AheadOf(p watchdog.PoolStatus, now time.Time) string {
	next, at := soonest(p.Profiles, func(pr watchdog.ProfileStatus) (string, time.Time) { return pr.ID, pr.ReachesAt() })
	return Ahead(p.Outlook, next, at, now)
}

// AheadOfWhy is Ahead of a pool as the explanation has it.
func AheadOfWhy(p watchdog.PoolWhy, now time.Time) string {
	next, at := soonest(p.Profiles, func(pr watchdog.ProfileWhy) (string, time.Time) { return pr.ID, pr.ReachesAt })
	return Ahead(p.Outlook, next, at, now)
}

// soonest is the profile that reaches switch_at first while in use.
func soonest[P any](profiles []P, reaches func(P) (id string, at time.Time)) (next string, first time.Time) {
	for _, pr := range profiles {
		if id, at := reaches(pr); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			next, first = id, at
		}
	}
	return next, first
}

// NotFirst says of a pinned profile that it is not first, and why where that is
// its own state; "" where it is.
func NotFirst(profile string, p watchdog.PoolStatus) string {
	if len(p.Order) > 0 && p.Order[0] == profile {
		return ""
	}
	for _, pr := range p.Profiles {
		if pr.ID == profile && pr.State == failover.Exhausted && pr.Reason != "" {
			return " and not first yet, since it is spent (" + pr.Reason + ")"
		}
	}
	return " and not first yet"
}
