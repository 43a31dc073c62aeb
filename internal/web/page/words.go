package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// clock is a time of day, with the date where that is not clear.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if d := t.Sub(now); d < 20*time.Hour && d > -20*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}

// about is a time to ten minutes, as exactly as a forecast can be meant.
func about(t, now time.Time) string {
	if round := t.Round(10 * time.Minute); round.After(now) {
		t = round
	}
	return clock(t, now)
}

// ahead is a time to come, both ways: a countdown and a clock.
func ahead(t, now time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return "in " + span(t.Sub(now)) + " (" + clock(t, now) + ")"
}

// ago is a time past.
func ago(t, now time.Time) string {
	if d := now.Sub(t); d >= time.Second {
		return span(d) + " ago"
	}
	return "just now"
}

// span rounds a length of time to its two largest units.
func span(d time.Duration) string {
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

// sentence ends text with a full stop.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// capital lets text begin a sentence.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// How far ahead a person is told what is only likely, and what one account is
// about to do: another one takes over then.
const (
	roughlyAhead = 12 * time.Hour
	accountAhead = 24 * time.Hour
)

// aheadText is what lies ahead of a pool, "" where that is nothing.
func aheadText(p watchdog.PoolStatus, now time.Time) string {
	var parts []string
	if id, at := nextOf(p); at.After(now) && at.Sub(now) <= accountAhead {
		parts = append(parts, fmt.Sprintf("%s is left about %s", id, about(at, now)))
	}
	if dry := p.RunsDryAt; dry != nil && dry.After(now) {
		back := ""
		if p.BackAt != nil {
			back = fmt.Sprintf(", %s is back first, at %s", p.BackFirst, clock(*p.BackAt, now))
		}
		switch {
		case p.Forecast == forecast.High:
			parts = append(parts, "quota runs out about "+about(*dry, now)+back)
		case p.Forecast == forecast.Low && dry.Sub(now) <= roughlyAhead:
			parts = append(parts, "quota may run out about "+about(*dry, now)+back+"; use is too uneven to tell")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Ahead: " + strings.Join(parts, "; ") + "."
}

// nextOf is the account of p that reaches switch_at first while in use.
func nextOf(p watchdog.PoolStatus) (id string, at time.Time) {
	for _, pr := range p.Profiles {
		if t := pr.ReachesAt(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			id, at = pr.ID, t
		}
	}
	return id, at
}
