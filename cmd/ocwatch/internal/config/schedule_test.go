package config

import (
	"strings"
	"testing"
	"time"
)

func TestScheduleNext(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// The night in which Berlin's clocks go forward: 02:30 does not exist there.
	from := time.Date(2026, 3, 29, 1, 59, 30, 0, berlin)
	for _, c := range []struct {
		name, spec, shown string
		after             time.Duration
		shortest          time.Duration
	}{
		{"interval", "1m", "1m", time.Minute, time.Minute},
		{"least interval", "30s", "30s", 30 * time.Second, 30 * time.Second},
		{"interval with days", "1d", "24h", 24 * time.Hour, 24 * time.Hour},
		{"parts of a second are dropped", "30.7s", "30s", 30 * time.Second, 30 * time.Second},
		{"@every", "@every 1h30m", "1h30m", 90 * time.Minute, 90 * time.Minute},
		{"spaces", "  */5   * * * * ", "*/5 * * * *", 30 * time.Second, time.Minute},
		{"each hour", "@hourly", "@hourly", 30 * time.Second, time.Minute},
		{"UTC, whatever the zone of the caller", "30 2 * * *", "30 2 * * *", 90*time.Minute + 30*time.Second, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseSchedule(c.spec)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(from).Sub(from); got.Round(time.Second) > c.after || got <= c.after-time.Second {
				t.Errorf("fires after %v, want %v", got, c.after)
			}
			if s.String() != c.shown {
				t.Errorf("shown as %q, want %q", s, c.shown)
			}
			if s.Shortest() != c.shortest {
				t.Errorf("shortest %v, want %v", s.Shortest(), c.shortest)
			}
		})
	}
}

func TestZeroScheduleNeverFires(t *testing.T) {
	var s Schedule
	if next := s.Next(time.Unix(0, 0)); !next.IsZero() || s.Shortest() != 0 || s.String() != "" {
		t.Errorf("next %v, shortest %v, shown %q", next, s.Shortest(), s)
	}
}

func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{
		"1m", "30s", "29s", "", "0", "@every 1m", "@every -1m", "@every 0s", "@hourly", "@reboot", "@",
		"* * * * *", "*/5 * * * *", "0 0 30 2 *", "0 0 29 2 *", "TZ=", "TZ=UTC", "CRON_TZ=UTC * * * * *",
		"1-0 * * * *", "*/0 * * * *", "60 * * * *", "0 0 * * MON-FRI", "9223372036854775807ns", "1d", "65535d23h", "-1d", "1e3", "0x1p-2",
	} {
		f.Add(seed)
	}
	from := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := ParseSchedule(spec)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a word")
			}
			return
		}
		first := s.Next(from)
		second := s.Next(first)
		if first.IsZero() || first.Sub(from) <= 0 || second.Sub(first) < minEvery || second.Sub(first) < s.Shortest() {
			t.Errorf("%q fires at %v, then %v", spec, first, second)
		}
		again, err := ParseSchedule(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q is shown as %q, which reads as %q (%v)", spec, s, again, err)
		}
		if strings.Contains(spec, "TZ=") {
			t.Errorf("%q has a time zone", spec)
		}
	})
}
