package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// How far ahead a person is told what is only likely, and what one account is
// about to do: another one takes over then.
const (
	roughlyAhead = 12 * time.Hour
	accountAhead = 24 * time.Hour
)

// aheadText is what lies ahead of a pool, in one line; "" where that is nothing.
// next is the account in use, and at when it reaches switch_at, zero: it does
// not.
func aheadText(o watchdog.Outlook, next string, at, now time.Time) string {
	var parts []string
	if at.After(now) && at.Sub(now) <= accountAhead {
		parts = append(parts, fmt.Sprintf("%s reaches switch_at about %s", printable(next), aboutText(at, now)))
	}
	if dry := o.RunsDryAt; dry != nil && dry.After(now) {
		switch back := backFirstText(o, now); {
		case o.Forecast == forecast.High:
			parts = append(parts, fmt.Sprintf("quota runs out about %s%s", aboutText(*dry, now), back))
		case o.Forecast == forecast.Low && dry.Sub(now) <= roughlyAhead:
			parts = append(parts, fmt.Sprintf("quota may run out about %s%s; use is too uneven to tell", aboutText(*dry, now), back))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Ahead: " + strings.Join(parts, "; ") + "."
}

func backFirstText(o watchdog.Outlook, now time.Time) string {
	if o.BackAt == nil {
		return ""
	}
	return fmt.Sprintf(", %s is back first, at %s", printable(o.BackFirst), backCell(o.BackAt, now))
}

// aboutText is a time to ten minutes, as exactly as it can be meant.
func aboutText(t, now time.Time) string {
	if round := t.Round(10 * time.Minute); round.After(now) {
		t = round
	}
	return backCell(&t, now)
}

// aheadOf is that line of the status.
func aheadOf(p watchdog.PoolStatus, now time.Time) string {
	next, at := nextOf(p.Profiles, func(pr watchdog.ProfileStatus) (string, time.Time) { return pr.ID, pr.ReachesAt() })
	return aheadText(p.Outlook, next, at, now)
}

// aheadOfWhy is that line of why.
func aheadOfWhy(p watchdog.PoolWhy, now time.Time) string {
	next, at := nextOf(p.Profiles, func(pr watchdog.ProfileWhy) (string, time.Time) { return pr.ID, pr.ReachesAt })
	return aheadText(p.Outlook, next, at, now)
}

// nextOf is the profile that reaches switch_at first while in use.
func nextOf[P any](profiles []P, reaches func(P) (id string, at time.Time)) (next string, first time.Time) {
	for _, pr := range profiles {
		if id, at := reaches(pr); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			next, first = id, at
		}
	}
	return next, first
}
