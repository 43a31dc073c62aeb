package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestAheadIsShown: by status and by why, on one line, of the account in use.
func TestAheadIsShown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local)
	dry, back := now.Add(5*time.Hour), now.Add(6*time.Hour)
	o := watchdog.Outlook{RunsDryAt: &dry, BackAt: &back, BackFirst: "bob", Forecast: forecast.High}
	window := func(rate float64, in time.Duration) []watchdog.WindowStatus {
		return []watchdog.WindowStatus{{
			Window: quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(40)}, PerHour: rate, ReachesAt: now.Add(in), Forecast: forecast.High,
		}}
	}
	s := watchdog.Status{Pools: []watchdog.PoolStatus{{
		Agent: "main", Provider: "openai", State: failover.PoolOK, Reason: "alice is first and available", Outlook: o,
		Profiles: []watchdog.ProfileStatus{{ID: "bob", Windows: window(0, time.Hour)}, {ID: "alice", Windows: window(20, 2*time.Hour)}},
	}}}
	var b strings.Builder
	if err := writeTable(&b, app.Status{Status: s}, look{}, now); err != nil {
		t.Fatal(err)
	}
	const want = "Ahead: alice reaches switch_at about 12:00; quota runs out about 15:00, bob is back first, at 16:00."
	if !strings.Contains(b.String(), "\n"+want+"\n") {
		t.Errorf("status prints\n%s", b.String())
	}
	why := whyText(watchdog.Why{Pools: []watchdog.PoolWhy{{
		Agent: "main", Provider: "openai", Outlook: o, Profiles: []watchdog.ProfileWhy{{ID: "bob"}, {ID: "alice", ReachesAt: now.Add(2 * time.Hour)}},
	}}}, usualWidth, now)
	if !strings.Contains(strings.Join(strings.Fields(why), " "), want) {
		t.Errorf("why prints\n%s", why)
	}
}
