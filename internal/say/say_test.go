package say

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

func TestAhead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
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
		if got := Ahead(tc.o, "alice", at, now); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 5*3600+1800)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, east)
	for at, want := range map[time.Duration]string{
		0: "10:00", 19 * time.Hour: "05:00", -19 * time.Hour: "15:00",
		21 * time.Hour: "Mon 23 Nov 07:00", -21 * time.Hour: "Sat 21 Nov 13:00",
	} {
		if got := Clock(now.Add(at).UTC(), now); got != want {
			t.Errorf("%s from now is %q, want %q", at, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "under 1 s", 999 * time.Millisecond: "under 1 s", time.Second: "1 s", 61 * time.Second: "1 min 1 s", time.Hour: "1 h",
		time.Hour + 59*time.Second: "1 h", 50*time.Hour + time.Minute: "2 d 2 h", -time.Hour: "under 1 s",
	} {
		if got := Span(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	for s, want := range map[[2]string]string{
		{"a", "b"}: "b in place of a", {"", "b"}: "b goes first", {"a", "a"}: "", {"a", ""}: "the order was cleared", {"", ""}: "the order was cleared",
	} {
		if got := First(journal.Switch{From: s[0], To: s[1]}); got != want {
			t.Errorf("from %q to %q is %q, want %q", s[0], s[1], got, want)
		}
	}
}

// TestNotFirst: a pin that does not show says why.
func TestNotFirst(t *testing.T) {
	t.Parallel()
	p := watchdog.PoolStatus{Order: []string{"alice", "bob", "carol"}, Profiles: []watchdog.ProfileStatus{
		{ID: "alice", State: failover.Available}, {ID: "bob", State: failover.Exhausted, Reason: "5h window 100 % used"}, {ID: "carol", State: failover.Unknown},
	}}
	for profile, want := range map[string]string{
		"alice": "", "bob": " and not first yet, since it is spent (5h window 100 % used)", "carol": " and not first yet",
	} {
		if got := NotFirst(profile, p); got != want {
			t.Errorf("%s: %q, want %q", profile, got, want)
		}
	}
}
