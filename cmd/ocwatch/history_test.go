package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
)

// past is a journal with one of everything.
func past(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", journal.FileName)
	j, err := journal.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	at := func(minute int) time.Time {
		return time.Date(2026, 11, 21, 23, 0, 0, 0, time.Local).Add(time.Duration(minute) * time.Minute)
	}
	ab, ba := []string{"openai:a", "openai:b"}, []string{"openai:b", "openai:a"}
	err = j.Commit(t.Context(), journal.Round{
		At: at(500),
		Switches: []journal.Switch{
			{At: at(0), Agent: "main", Provider: "openai", From: "openai:a", To: "openai:b", Order: ba, Reason: "openai:a is low", Via: "rpc", Took: 140 * time.Millisecond},
			{At: at(90), Agent: "main", Provider: "openai", From: "openai:b", To: "openai:a", Order: ab, Before: ba, Reason: "set by somebody else", Via: "other", By: journal.ByOther},
			{At: at(91), Agent: "work", Provider: "anthropic", From: "anthropic:x", To: "anthropic:x", Order: []string{"anthropic:x", "anthropic:y"}, Reason: "spent profiles go behind", Via: "cli", Took: 2100 * time.Millisecond},
		},
		Restarts: []journal.Restart{
			{At: at(1), Reason: "the running gateway still uses the old order", Via: "rpc", OK: true, Took: 75 * time.Second},
			{At: at(300), Reason: "openai:a is low", Err: "no health\x1b[2J within 6 minutes", Took: 6 * time.Minute},
		},
		Logins: []journal.Login{
			{At: at(200), Agent: "main", Provider: "openai", Profile: "openai:c", Via: journal.ByOther, Outcome: journal.LoginCompleted, Reason: "plan plus"},
			{At: at(201), Agent: "main", Provider: "openai", Via: journal.ByOcwatch, Outcome: journal.LoginExpired, Reason: "the code expired"},
		},
		Episodes: []journal.Episode{
			{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: at(30), Until: at(119), Reason: "all 2 profiles are spent"},
			{Kind: journal.EpisodeBlind, Since: at(310), Reason: "OpenClaw's state cannot be read: no such file"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHistoryText(t *testing.T) {
	entries, err := readHistory(t.Context(), past(t), historyFilter{})
	if err != nil {
		t.Fatal(err)
	}
	got := historyText(entries, usualWidth, time.Date(2026, 11, 22, 5, 10, 0, 0, time.Local))
	want := `Saturday 21 November 2026
  23:00:00  switch   main / openai: openai:b in place of openai:a (via rpc, 140
                     ms).
                     openai:a is low.
  23:01:00  restart  the gateway was restarted (via rpc, 1 min 15 s).
                     the running gateway still uses the old order.
  23:30:00  episode  main / openai: depleted for 1 h 29 min, until Sun 22 Nov
                     00:59.
                     all 2 profiles are spent.

Sunday 22 November 2026
  00:30:00  switch   main / openai: openai:a in place of openai:b, set by
                     somebody else: it is the preference now.
                     Before: openai:b, openai:a.
                     Now: openai:a, openai:b.
  00:31:00  switch   work / anthropic: the order is anthropic:x, anthropic:y
                     (via cli, 2 s).
                     spent profiles go behind.
  02:20:00  login    main / openai: completed for openai:c, made in OpenClaw.
                     plan plus.
  02:21:00  login    main / openai: expired.
  04:00:00  restart  the gateway could not be restarted: no health [2J within 6
                     minutes.
                     Wanted since: openai:a is low.
  04:10:00  episode  all pools: blind since then, for 1 h so far.
                     OpenClaw's state cannot be read: no such file.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHistoryFilter(t *testing.T) {
	path := past(t)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 22, hour, minute, 0, 0, time.Local) }
	for name, tc := range map[string]struct {
		filter historyFilter
		want   string
	}{
		"all":                             {historyFilter{}, "switch restart episode switch switch login login restart episode"},
		"one kind":                        {historyFilter{kinds: []string{kindLogin}}, "login login"},
		"two kinds":                       {historyFilter{kinds: []string{kindLogin, kindEpisode}}, "episode login login episode"},
		"an agent, and what is for all":   {historyFilter{agent: "work"}, "restart switch restart episode"},
		"a provider, by its other name":   {historyFilter{provider: "openai-codex", kinds: []string{kindSwitch}}, "switch switch"},
		"nobody's":                        {historyFilter{agent: "nobody", kinds: []string{kindSwitch, kindLogin}}, ""},
		"the newest":                      {historyFilter{newest: 2}, "restart episode"},
		"more than there are":             {historyFilter{newest: 99, kinds: []string{kindRestart}}, "restart restart"},
		"since, with what lasted until":   {historyFilter{since: at(0, 59)}, "episode login login restart episode"},
		"since, without what was over":    {historyFilter{since: at(1, 0)}, "login login restart episode"},
		"since, after it all: it goes on": {historyFilter{since: at(20, 0)}, "episode"},
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := readHistory(t.Context(), path, tc.filter)
			var kinds []string
			for _, e := range entries {
				kinds = append(kinds, e.Kind)
			}
			if got := strings.Join(kinds, " "); err != nil || got != tc.want {
				t.Errorf("%q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 30, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "12h": now.Add(-12 * time.Hour), "7d": now.AddDate(0, 0, -7), "2w": now.AddDate(0, 0, -14),
		"0": now, "2026-11-20": time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local),
		"2026-11-20 14:00":     time.Date(2026, 11, 20, 14, 0, 0, 0, time.Local),
		"2026-11-20T14:00:00Z": time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "7", "d", "-7d", "-5m", "yesterday", "7 d", "99999999d", "2026-13-01"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q: %s, no error", text, got)
		}
	}
}

func TestTookText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 999 * time.Millisecond: "999 ms", time.Second: "1 s", 90 * time.Second: "1 min 30 s",
		time.Hour: "1 h", 90 * time.Minute: "1 h 30 min", 49 * time.Hour: "2 d 1 h", 48*time.Hour + time.Minute: "2 d",
	} {
		if got := tookText(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// A reader does not keep the watchdog from writing, nor the other way round.
func TestHistoryBesideAWriter(t *testing.T) {
	path := past(t)
	j, err := journal.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	reader, err := journal.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	now := time.Now()
	for n := range 3 {
		if err := j.Commit(t.Context(), journal.Round{At: now, Restarts: []journal.Restart{{At: now, Reason: "x"}}}); err != nil {
			t.Fatal(err)
		}
		got, err := collect(t.Context(), reader, historyFilter{since: now})
		if err != nil || len(got) != n+2 { // and the episode that goes on
			t.Errorf("%d entries, %v", len(got), err)
		}
	}
	if err := reader.Commit(context.WithoutCancel(t.Context()), journal.Round{At: now, Restarts: []journal.Restart{{}}}); err == nil {
		t.Error("the reader wrote")
	}
}
