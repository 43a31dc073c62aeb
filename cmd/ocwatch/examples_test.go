package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// quoted are command lines in text, and prompted those of a block.
var (
	quoted   = regexp.MustCompile("`ocwatch ([a-z][^`|]*)")
	prompted = regexp.MustCompile(`(?m)^(?:\$ )?(?:bin/)?ocwatch ([a-z][^|#;&\n]*)`)
)

// TestDocumentedCommands: every command line in the documents is one, down to
// its flags.
func TestDocumentedCommands(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(docs, "../../README.md", "../../deploy/skill/SKILL.md", "../../deploy/skill/SKILL.zh-CN.md") {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The track record quotes slips.
		if filepath.Base(path) == "track-record.md" {
			continue
		}
		lines := quoted.FindAllStringSubmatch(string(doc), -1)
		for _, b := range blocks(string(doc)) {
			if b[0] == "sh" || b[0] == "console" {
				lines = append(lines, prompted.FindAllStringSubmatch(b[1], -1)...)
			}
		}
		for _, line := range lines {
			found++
			args := strings.Fields(strings.NewReplacer("[", " ", "]", " ", "…", " ", "'", "", "<", "", ">", "").Replace(line[1]))
			cmd, rest, err := newRoot().Find(args)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s: ocwatch %s: %v", filepath.Base(path), line[1], err)
			}
		}
	}
	if found < 40 {
		t.Errorf("%d command lines found", found)
	}
}

// block is the first block without a language in a document.
func block(t *testing.T, path string) string {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(string(doc)) {
		if b[0] == "" {
			return b[1]
		}
	}
	t.Fatalf("%s has no block without a language", path)
	return ""
}

// blocks are a document's code blocks, each with its language.
func blocks(doc string) (list [][2]string) {
	inside := false
	for line := range strings.Lines(doc) {
		lang, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && inside:
			inside = false
		case fence:
			inside = true
			list = append(list, [2]string{strings.TrimSpace(lang)})
		case inside:
			list[len(list)-1][1] += line
		}
	}
	return list
}

// TestHistoryExample: the example is what is printed.
func TestHistoryExample(t *testing.T) {
	took := int64(23)
	got := historyText([]historyEntry{{
		Kind: kindSwitch, At: time.Date(2026, 11, 22, 16, 39, 13, 0, time.Local), Agent: "main", Provider: "openai",
		From: "openai:alice@example.com", To: "openai:bob@example.com", By: journal.ByOcwatch, Via: "rpc", TookMS: &took,
		Reason: "openai:alice@example.com is low (5h window 96 % used); next is openai:bob@example.com (5h window 10 % used)",
	}}, usualWidth, time.Now())
	if want := block(t, "../../docs/history.md"); got != want {
		t.Errorf("printed\n%swant\n%s", got, want)
	}
}

// TestReplayExample: the example is what TestReplayCommand prints.
func TestReplayExample(t *testing.T) {
	printed, err := os.ReadFile("testdata/replay/sticky.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := block(t, "../../docs/replay.md"); !strings.HasPrefix(string(printed), want) {
		t.Errorf("printed\n%swant\n%s", printed, want)
	}
}

// TestWhyExample: the example is what is printed.
func TestWhyExample(t *testing.T) {
	now := time.Date(2026, 11, 22, 16, 40, 0, 0, time.Local)
	at := func(d time.Duration) *time.Time { later := now.Add(d); return &later }
	usage := func(used float64, resets time.Duration) *watchdog.ReadingWhy {
		return &watchdog.ReadingWhy{At: now.Add(-12 * time.Second), Source: quota.FromUsage, Verdict: quota.OK, Windows: []quota.Window{
			{Name: quota.FiveHour, UsedPercent: quota.Percent(used), ResetsAt: now.Add(resets)},
		}}
	}
	why := watchdog.Why{Pools: []watchdog.PoolWhy{{
		Agent: "main", Provider: "openai", State: "warning", OrderSource: "stored",
		Reason: "openai:bob@example.com is first and available (5h window 10 % used)",
		Order:  []string{"openai:bob@example.com", "openai:alice@example.com"},
		LastChange: &watchdog.Change{
			At: now.Add(-47 * time.Second), By: journal.ByOcwatch,
			Reason: "openai:alice@example.com is low (5h window 96 % used); next is openai:bob@example.com (5h window 10 % used)",
		},
		Profiles: []watchdog.ProfileWhy{
			{
				ID: "openai:bob@example.com", State: "available", Rule: "available: in the order of preference (priority)", Change: "from 95 % used on it is left",
				Usage: usage(10, 4*time.Hour), Credential: watchdog.CredentialWhy{Status: "usable"}, AsksNext: at(9 * time.Minute),
			},
			{
				ID: "openai:alice@example.com", State: "low", Rule: "low, from 95 % used on: behind those that are available",
				Change: "comes back below 80 % used, or after the reset (22 Nov 18:05 UTC)",
				Usage:  usage(96, 85*time.Minute), Credential: watchdog.CredentialWhy{Status: "usable"}, AsksNext: at(time.Minute),
			},
		},
	}}}
	if got, want := whyText(why, usualWidth, now), block(t, "../../docs/why.md"); got != want {
		t.Errorf("printed\n%swant\n%s", got, want)
	}
}
