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

func TestAheadText(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	for name, tc := range map[string]struct {
		o    watchdog.Outlook
		in   time.Duration // until alice reaches switch_at, 0: she does not
		want string
	}{
		"nothing known": {watchdog.Outlook{Forecast: forecast.Unknown}, 0, ""},
		"nothing ahead": {watchdog.Outlook{Forecast: forecast.High}, 0, ""},
		"a change":      {watchdog.Outlook{Forecast: forecast.High}, 93 * time.Minute, "Ahead: alice reaches switch_at about 11:30."},
		"a change in days": {
			watchdog.Outlook{Forecast: forecast.High}, 40 * time.Hour, "",
		},
		"runs dry": {
			watchdog.Outlook{RunsDryAt: in(181 * time.Minute), BackAt: in(5 * time.Hour), BackFirst: "bob", Forecast: forecast.High},
			93 * time.Minute,
			"Ahead: alice reaches switch_at about 11:30; quota runs out about 13:00, bob is back first, at 15:00.",
		},
		"runs dry, nobody knows until when": {
			watchdog.Outlook{RunsDryAt: in(26 * time.Hour), Forecast: forecast.High}, 0, "Ahead: quota runs out about Mon 23 Nov 12:00.",
		},
		"perhaps": {
			watchdog.Outlook{RunsDryAt: in(3 * time.Hour), Forecast: forecast.Low},
			0,
			"Ahead: quota may run out about 13:00; use is too uneven to tell.",
		},
		"perhaps in days": {watchdog.Outlook{RunsDryAt: in(30 * time.Hour), Forecast: forecast.Low}, 0, ""},
		"over":            {watchdog.Outlook{RunsDryAt: in(-time.Minute), Forecast: forecast.High}, -time.Minute, ""},
	} {
		var at time.Time
		if tc.in != 0 {
			at = now.Add(tc.in)
		}
		if got := aheadText(tc.o, "alice", at, now); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

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
