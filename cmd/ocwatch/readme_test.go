package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// shapes make one of whatever differs from run to run and machine to machine:
// figures, times, bars, codes, host names.
var shapes = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`[█░]+`), "BAR"},
	{regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4,5}\b`), "CODE"},
	{regexp.MustCompile(`[A-Z][a-z]+day \d+ [A-Z][a-z]+ \d{4}`), "DATE"},
	{regexp.MustCompile(`(?:\b(?:at|on) )?(?:(?:[A-Z][a-z]{2} )?\d+ [A-Z][a-z]{2} )?\d\d:\d\d(?::\d\d)?(?: UTC)?(?: \([^)]*here\))?`), "TIME"},
	{regexp.MustCompile(`\d+ h(?: \d+ min)?|\d[\d.]* ?m?s\b`), "SPAN"},
	{regexp.MustCompile(`Or run on \S+:`), "Or run on HOST:"},
	{regexp.MustCompile(`\d+(?:\.\d+)?`), "N"},
	{regexp.MustCompile(`\s+`), " "},
}

func shape(line string) string {
	for _, s := range shapes {
		line = s.what.ReplaceAllString(line, s.as)
	}
	return strings.TrimSpace(line)
}

// mustPrint checks that an example's lines are printed, in their order; others
// may be between them, and whatever stands for an ellipsis.
func mustPrint(t *testing.T, printed, example string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(printed) {
		lines = append(lines, shape(line))
	}
	for line := range strings.Lines(example) {
		begin, open := strings.CutSuffix(shape(line), "…")
		i := slices.IndexFunc(lines, func(l string) bool { return l == begin || open && strings.HasPrefix(l, begin) })
		if i < 0 {
			t.Fatalf("the example has\n%swhich is not printed there:\n%s", line, printed)
		}
		lines = lines[i+1:]
	}
}

// mustPrintDemo holds the README's piece of the demo against a demo.
func mustPrintDemo(t *testing.T, printed string) {
	t.Helper()
	mustPrint(t, printed, block(t, "../../README.md"))
}

// TestReadmeCheck: the README's example of check is what is printed.
func TestReadmeCheck(t *testing.T) {
	now := time.Date(2026, 11, 22, 16, 10, 0, 0, time.Local)
	profile := func(name string, state failover.State, used float64, reason string) watchdog.ProfileStatus {
		return watchdog.ProfileStatus{
			ID: "openai:" + name + "@example.com", State: state, Reason: reason, ProbedAt: &now, Source: quota.FromUsage,
			Windows: []watchdog.WindowStatus{{Window: quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(used)}}},
		}
	}
	alice := profile("alice", failover.Low, 97, "5h window 97 % used")
	resets := now.Add(85 * time.Minute)
	alice.Until = &resets
	var out strings.Builder
	if err := writeTable(&out, app.Status{Status: watchdog.Status{
		At: now, Gateway: watchdog.GatewayStatus{Healthy: true},
		Pools: []watchdog.PoolStatus{{
			Agent: "main", Provider: "openai", State: failover.PoolWarning,
			Reason:   "openai:alice@example.com is low (5h window 97 % used); next is openai:bob@example.com (5h window 10 % used)",
			Profiles: []watchdog.ProfileStatus{alice, profile("bob", failover.Available, 10, ""), profile("carol", failover.Available, 10, "")},
		}},
	}}, look{}, now); err != nil {
		t.Fatal(err)
	}
	const marker = "`check` asks every account once"
	_, rest, _ := strings.Cut(documents(t)["README.md"], marker)
	if want := blocks(rest); len(want) == 0 || out.String() != want[0][1] {
		t.Errorf("printed\n%swant the first block after %q", out.String(), marker)
	}
}

// TestReadmeCountsProviders: as many as docs/providers.md has.
func TestReadmeCountsProviders(t *testing.T) {
	docs := documents(t)
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| \[([^]]+)\]\(#`).FindAllStringSubmatch(docs["docs/providers.md"], -1) {
		names[m[1]] = true
	}
	m := regexp.MustCompile(`\[(\d+)[^]]*\]\(docs/providers\.md\)`).FindStringSubmatch(docs["README.md"])
	if m == nil || m[1] != strconv.Itoa(len(names)) {
		t.Errorf("the README counts %q providers, docs/providers.md has %d", m, len(names))
	}
}
