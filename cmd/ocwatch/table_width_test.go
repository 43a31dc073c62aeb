package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// household is a status with what a table has to find room for.
func household(now time.Time) app.Status {
	soon, asked := now.Add(4*time.Hour), now.Add(-42*time.Second)
	account := func(name string, state failover.State, five, week float64) watchdog.ProfileStatus {
		return watchdog.ProfileStatus{ID: "openai:" + name + "@example.com", State: state, ProbedAt: &asked, Windows: []watchdog.WindowStatus{
			{Window: quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(five)}},
			{Window: quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(week)}},
		}}
	}
	bob, dave := account("bob", failover.Low, 97, 55), account("dave", failover.Dead, 3, 4)
	bob.Until, bob.Reason = &soon, "5h window 97 % used"
	dave.Windows, dave.Reason, dave.Fix = nil, "the provider revoked this login", "openclaw models auth login --provider openai"
	return app.Status{Status: watchdog.Status{At: now, Pools: []watchdog.PoolStatus{{
		Agent: "main", Provider: "openai", State: failover.PoolWarning,
		Reason:   "openai:alice@example.com is first and available (5h window 42 % used)",
		Profiles: []watchdog.ProfileStatus{account("alice", failover.Available, 42, 20), bob, dave},
	}}}, Warnings: []string{"failover.pools.openai.prefer names openai:erin@example.com, which no watched agent has as a profile of openai"}}
}

// TestTableExample: the example of the documentation is what a terminal of 80
// columns shows.
func TestTableExample(t *testing.T) {
	t.Parallel()
	s := household(time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local))
	s.Warnings = nil
	var b strings.Builder
	if err := writeTable(&b, s, drawing(80, false), s.At); err != nil {
		t.Fatal(err)
	}
	if want := block(t, "../../docs/status.md"); b.String() != want {
		t.Errorf("printed\n%swant\n%s", b.String(), want)
	}
}

// TestTableFitsTheTerminal: no line is wider than the terminal, and what there
// is room for is shown.
func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		width int
		parts []string
	}{
		{40, []string{"\n  1  openai:alice@example.com\n     available, asked 42s ago\n     5h     ████░░░░░░  42 %\n     weekly ██░░░░░░░░  20 %\n", "low, back 14:00,"}},
		{60, []string{"\n  1  openai:alice@example.com\n"}},
		{66, []string{"  1  openai:alice@example.com  available  42 %  20 %    -\n"}},
		{74, []string{"  1  openai:alice@example.com  available  ██░░  42 %  █░░░  20 %  -\n"}},
		{80, []string{"ASKED\n", "██░░  42 %", "     mend: openclaw models auth login --provider openai\n"}},
		{100, []string{"ASKED\n", "████░░░░░░  42 %", "     the provider revoked this login\n"}},
		{120, []string{"ASKED\n", "\n     mend: openclaw"}},
		{200, []string{"NOTE\n", "the provider revoked this login (mend: openclaw models auth login --provider openai)\n"}},
	} {
		t.Run(fmt.Sprint(tc.width), func(t *testing.T) {
			t.Parallel()
			s := household(time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local))
			var b strings.Builder
			if err := writeTable(&b, s, drawing(tc.width, true), s.At); err != nil {
				t.Fatal(err)
			}
			got := escapes.ReplaceAllString(b.String(), "")
			for line := range strings.Lines(b.String()) {
				if n := columnsOf(strings.TrimSuffix(line, "\n")); n > tc.width {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			for _, part := range tc.parts {
				if !strings.Contains(got, part) {
					t.Errorf("no %q in\n%s", part, got)
				}
			}
		})
	}
}

// TestWrap: whatever the text, no line is wider than it may be unless it is one
// word, and no word is lost.
func TestWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := printable(rapid.StringN(0, 200, -1).Draw(t, "text"))
		columns := rapid.IntRange(1, 120).Draw(t, "columns")
		var b strings.Builder
		wrap(&b, columns, "", "", text)
		if got, want := strings.Join(strings.Fields(b.String()), " "), strings.Join(strings.Fields(text), " "); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if columnsOf(line) > columns && len(strings.Fields(line)) > 1 {
				t.Fatalf("%d columns of %d: %q", columnsOf(line), columns, line)
			}
			if n := columnsOf(clip(line, columns)); n > columns {
				t.Fatalf("clipped to %d columns of %d: %q", n, columns, line)
			}
		}
	})
}

func TestColumnsOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "alice": 5, "\x1b[31mlow\x1b[0m": 3, "████": 4, "经理": 4, "ｗｉｄｅ": 8, "e\u0301": 1, "é": 1,
	} {
		if got := columnsOf(text); got != want {
			t.Errorf("%q takes %d, want %d", text, got, want)
		}
	}
	if got := clip("\x1b[31m经理low\x1b[0m", 5); got != "\x1b[31m经理l\x1b[0m" {
		t.Errorf("%q", got)
	}
}

// TestAsked: in the largest unit, and never less than nothing.
func TestAsked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for ago, want := range map[time.Duration]string{
		-time.Hour: "0s ago", 0: "0s ago", 59900 * time.Millisecond: "59s ago", time.Minute: "1m ago",
		90 * time.Minute: "1h ago", 47 * time.Hour: "47h ago", 72 * time.Hour: "3d ago",
	} {
		at := now.Add(-ago)
		if got := askedCell(&at, now); got != want {
			t.Errorf("%s: %s, want %s", ago, got, want)
		}
	}
}
