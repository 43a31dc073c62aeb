package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

var updateReplay = flag.Bool("update-replay", false, "write testdata/replay anew")

// replayStart is the first reading of the journals below.
func replayStart() time.Time { return time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC) }

// workDay writes a journal: alice drains within two hours, the watchdog goes to
// bob and comes back when alice's window was reset.
func workDay(t *testing.T) (dataDir string) {
	t.Helper()
	dataDir = t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dataDir, journal.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	memory := failover.Memory{
		Seen: []string{"openai:alice", "openai:bob", "openai:key"}, Preferred: []string{"openai:alice", "openai:bob", "openai:key"}, Known: true,
		Profiles: map[string]failover.ProfileMemory{
			"openai:alice": {Account: "acct-a"}, "openai:bob": {Account: "acct-b"}, "openai:key": {Account: "acct-k", Paid: true},
			"openai:alice2": {Account: "acct-a"}, "openai:fresh": {Account: "acct-f"},
		},
	}
	doc, err := json.Marshal(memory)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 41 {
		at := replayStart().Add(time.Duration(i) * 15 * time.Minute)
		round := journal.Round{At: at, State: map[string]json.RawMessage{"pool/main/openai": doc}, Readings: dayReadings(at)}
		switch i {
		case 12:
			round.Switches = []journal.Switch{daySwitch(at, "openai:alice", "openai:bob")}
		case 20:
			round.Switches = []journal.Switch{daySwitch(at, "openai:bob", "openai:alice")}
		}
		if err := j.Commit(t.Context(), round); err != nil {
			t.Fatal(err)
		}
	}
	return dataDir
}

func daySwitch(at time.Time, from, to string) journal.Switch {
	return journal.Switch{
		At: at, Agent: "main", Provider: "openai", From: from, To: to, Order: []string{to, from, "openai:key"},
		Before: []string{from, to, "openai:key"}, Reason: "as the day went", Via: "rpc",
	}
}

// dayReadings are everybody's at one time of the day.
func dayReadings(at time.Time) []quota.Reading {
	h := at.Sub(replayStart()).Hours()
	alice, bob := min(100, 48*h), max(0, min(60, 20*(h-3)))
	if h >= 5 {
		alice = 10 * (h - 5)
	}
	read := func(account string, used, week float64, resets time.Duration) quota.Reading {
		r := quota.Reading{
			Account: account, Provider: "openai", At: at, Source: quota.FromUsage, Verdict: quota.OK, Plan: "plus",
			Windows: []quota.Window{
				{Name: quota.FiveHour, UsedPercent: quota.Percent(used), ResetsAt: replayStart().Add(resets), Length: 5 * time.Hour},
				{Name: quota.Weekly, UsedPercent: quota.Percent(week), ResetsAt: replayStart().Add(100 * time.Hour), Length: 7 * 24 * time.Hour},
			},
		}
		if used >= 100 {
			r.Verdict, r.Until = quota.Exhausted, r.Windows[0].ResetsAt
		}
		return r
	}
	after := 5 * time.Hour
	if h >= 5 {
		after = 10 * time.Hour
	}
	return []quota.Reading{
		read("acct-a", alice, 5*min(h, 2), after), read("acct-b", bob, bob/10, 7*time.Hour),
		{Account: "acct-k", Provider: "openai", At: at, Source: quota.FromValidity, Verdict: quota.OK},
	}
}

// replayed runs the command at the end of that day.
func replayed(t *testing.T, dataDir string, o replayOptions) (string, error) {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = dataDir
	cmd := newReplayCommand(&global{})
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetContext(t.Context())
	if o.since == "" {
		o.since = defaultSince
	}
	err := o.run(cmd, cfg, replayStart().Add(12*time.Hour))
	return out.String(), err
}

func TestReplayCommand(t *testing.T) {
	dir := workDay(t)
	for _, tc := range []struct {
		golden string
		o      replayOptions
	}{
		{"configured", replayOptions{}},
		{"sticky", replayOptions{strategy: "sticky"}},
		{"switch_at", replayOptions{switchAt: 50}},
	} {
		t.Run(tc.golden, func(t *testing.T) {
			tc.o.asJSON = true
			doc, err := replayed(t, dir, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			var r replay
			if err := json.Unmarshal([]byte(doc), &r); err != nil {
				t.Fatal(err)
			}
			got := r.text(time.UTC)
			path := filepath.Join("testdata", "replay", tc.golden+".txt")
			if *updateReplay {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("printed (error %v; -update-replay writes it anew)\n%s", err, got)
			}
		})
	}
}

func TestReplayRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    replayOptions
		want string
	}{
		{"no such strategy", replayOptions{strategy: "best"}, `--strategy "best": want one of priority, `},
		{"no percentage", replayOptions{switchAt: 950}, "--switch-at 950: want a used percentage, 1 to 100"},
		{"below any", replayOptions{switchAt: -3}, "want a used percentage"},
		{"no time", replayOptions{since: "soon"}, `--since "soon"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if out, err := replayed(t, t.TempDir(), tc.o); err == nil || !strings.Contains(err.Error(), tc.want) || out != "" {
				t.Errorf("error %v, printed %q", err, out)
			}
		})
	}
}

func TestReplayOfNothing(t *testing.T) {
	out, err := replayed(t, t.TempDir(), replayOptions{})
	if err != nil || !strings.HasPrefix(out, "There is nothing to replay: ") {
		t.Errorf("error %v, printed %q", err, out)
	}
	out, err = replayed(t, t.TempDir(), replayOptions{asJSON: true})
	if err != nil || !strings.Contains(out, `"pools": []`) {
		t.Errorf("error %v, printed %q", err, out)
	}
	if out, err = replayed(t, workDay(t), replayOptions{since: "1h"}); err != nil || !strings.HasPrefix(out, "There is nothing") {
		t.Errorf("of the hours after the last reading: error %v, printed %q", err, out)
	}
}

// TestReplayPolicy: a threshold below return_below takes that along.
func TestReplayPolicy(t *testing.T) {
	base := failover.DefaultPolicy()
	for _, tc := range []struct {
		switchAt, wantBelow float64
	}{{0, base.ReturnBelow}, {90, base.ReturnBelow}, {80, 65}, {10, 0}} {
		o := replayOptions{switchAt: tc.switchAt}
		if got := o.policy(base).ReturnBelow; got != tc.wantBelow {
			t.Errorf("switch_at %v: come back below %v, want %v", tc.switchAt, got, tc.wantBelow)
		}
	}
}

// TestReplayDocument: every field and flag is documented.
func TestReplayDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/replay.md")
	if err != nil {
		t.Fatal(err)
	}
	words := jsonFields(reflect.TypeFor[replay]())
	newReplayCommand(&global{}).LocalFlags().VisitAll(func(f *pflag.Flag) { words = append(words, "--"+f.Name) })
	for _, word := range words {
		if !strings.Contains(string(doc), "`"+word+"`") {
			t.Errorf("docs/replay.md does not mention %q", word)
		}
	}
}
