package metrics

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

var update = flag.Bool("update", false, "write testdata anew")

// scrape is what Prometheus gets.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler(zerolog.New(zerolog.NewTestWriter(t))).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d, %s: %s", rec.Code, rec.Header(), rec.Body)
	}
	return rec.Body.String()
}

// ours are the lines and names of ocwatch's own series, but for the build's,
// which differs from build to build.
func ours(text string) (lines string, names []string) {
	var out strings.Builder
	for line := range strings.Lines(text) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if !strings.HasPrefix(name, "ocwatch_") || strings.HasPrefix(name, "ocwatch_build_info") {
			continue
		}
		out.WriteString(line)
		if strings.HasPrefix(line, "# TYPE ") {
			names = append(names, strings.Fields(name)[0])
		}
	}
	return out.String(), names
}

// busy is a watchdog of which everything can be told.
func busy() *Metrics {
	m := New("1.2.3", fixed(everything(time.Now())))
	m.Committed(journal.Round{
		Switches: []journal.Switch{{From: "a", To: "b"}, {From: "a", To: "b", By: journal.ByPerson}},
		Restarts: []journal.Restart{{OK: true}, {OK: false}},
		Logins:   []journal.Login{{Outcome: journal.LoginCompleted}},
	}, func(string, string, string) failover.State { return failover.Exhausted })
	m.Probed("openai", quota.OK, 300*time.Millisecond)
	m.Probed("anthropic", quota.Throttled, 20*time.Second)
	return m
}

// TestAllSeries holds every series word for word.
func TestAllSeries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := busy()
		lines, names := ours(scrape(t, m))
		file := filepath.Join("testdata", "metrics.txt")
		if *update {
			if err := os.WriteFile(file, []byte(lines), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := testutil.GatherAndCompare(all(m), bytes.NewReader(want), names...); err != nil {
			t.Error(err)
		}
		if lines != string(want) {
			t.Errorf("the answer holds series that %s does not; run go test ./internal/metrics -update and read the difference", file)
		}
	})
}

func TestBuildInfo(t *testing.T) {
	t.Parallel()
	want := fmt.Sprintf("ocwatch_build_info{goversion=%q,version=\"1.2.3\"} 1\n", runtime.Version())
	if text := scrape(t, New("1.2.3", fixed(Snapshot{}))); !strings.Contains(text, want) || !strings.Contains(text, "process_resident_memory_bytes") || !strings.Contains(text, "go_goroutines") {
		t.Errorf("no %s, or nothing of the process:\n%s", want, text)
	}
}

// TestConventions: names, units and help as Prometheus would have them.
func TestConventions(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(all(busy()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "ocwatch_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		s    journal.Switch
		left failover.State
		want Reason
	}{
		{"spent", journal.Switch{From: "a", To: "b"}, failover.Exhausted, ReasonExhausted},
		{"needs a login", journal.Switch{From: "a", To: "b"}, failover.Dead, ReasonDead},
		{"low", journal.Switch{From: "a", To: "b"}, failover.Low, ReasonLow},
		{"not known", journal.Switch{From: "a", To: "b"}, failover.Unknown, ReasonUnknown},
		{"a state of tomorrow", journal.Switch{From: "a", To: "b"}, "new", ReasonUnknown},
		{"a better one", journal.Switch{From: "a", To: "b", By: journal.ByOcwatch}, failover.Available, ReasonPreferred},
		{"behind the first", journal.Switch{From: "a", To: "a"}, failover.Exhausted, ReasonBehind},
		{"a person", journal.Switch{From: "a", To: "b", By: journal.ByPerson}, failover.Exhausted, ReasonPerson},
		{"a fresh login", journal.Switch{From: "a", To: "b", By: journal.ByOpenClaw}, failover.Exhausted, ReasonLogin},
		{"past ocwatch", journal.Switch{From: "a", To: "a", By: journal.ByOther}, failover.Exhausted, ReasonOther},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := reasonFor(tc.s, tc.left); got != tc.want || !slices.Contains(Reasons(), got) {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// TestRoundAge: a first round that hangs is old as well, and a clock that was
// set back makes no age negative.
func TestRoundAge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		started, at time.Duration // before now
		want        string
	}{
		{"before the first round", 90 * time.Second, 0, "90"},
		{"after a round", time.Hour, 5 * time.Second, "5"},
		{"the clock was set back", time.Hour, -time.Minute, "0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := Snapshot{Started: time.Now().Add(-tc.started)}
				if tc.at != 0 {
					s.Status.At = time.Now().Add(-tc.at)
				}
				if text := scrape(t, New("", fixed(s))); !strings.Contains(text, "\nocwatch_round_age_seconds "+tc.want+"\n") {
					t.Errorf("want %s in\n%s", tc.want, text)
				}
			})
		})
	}
}

// TestRendering: a round's text is made once; the next round's, even one that
// found the same, and what is not of a round are shown at once.
func TestRendering(t *testing.T) {
	t.Parallel()
	snap := everything(time.Now())
	m := New("", func(context.Context) Snapshot { return snap })
	first := scrape(t, m)
	once := m.quota.of(snap.Status.Pools)
	if again := m.quota.of(snap.Status.Pools); &once[0] != &again[0] {
		t.Error("the same round was written twice")
	}
	snap.Status.Paused = false
	if text := scrape(t, m); strings.Contains(text, "\nocwatch_paused 1\n") || !strings.Contains(first, "\nocwatch_paused 1\n") {
		t.Error("the end of a pause waits for a round")
	}
	const bob = `profile="openai:bob@example.com"`
	snap.Status.Pools = slices.Clone(snap.Status.Pools)
	snap.Status.Pools[0].Profiles = slices.DeleteFunc(slices.Clone(snap.Status.Pools[0].Profiles), func(p watchdog.ProfileStatus) bool {
		return p.ID == "openai:bob@example.com"
	})
	if text := scrape(t, m); strings.Contains(text, bob) || !strings.Contains(first, bob) {
		t.Error("a profile that is gone is still shown")
	}
	snap.Status.Pools = nil
	if text := scrape(t, m); strings.Contains(text, "ocwatch_pool_state{") || !strings.Contains(text, "\nocwatch_omitted_profiles 0\n") {
		t.Error("pools that are gone are still shown")
	}
}

// TestUnknownIsAbsent: what nobody knows has no series, and never 0.
func TestUnknownIsAbsent(t *testing.T) {
	t.Parallel()
	text := scrape(t, New("", fixed(Snapshot{Started: time.Now()})))
	for _, name := range []string{"ocwatch_gateway_up", "ocwatch_round_interval_seconds", "ocwatch_pool_state", "ocwatch_outbox_pending_messages"} {
		if strings.Contains(text, name) {
			t.Errorf("%s before the first round", name)
		}
	}
	text = scrape(t, New("", fixed(everything(time.Now()))))
	for _, series := range []string{
		`ocwatch_window_used_ratio{account="acct-dave"`, `ocwatch_window_reset_timestamp_seconds{account="acct-dave"`,
		`ocwatch_profile_probe_timestamp_seconds{account="acct-dave"`, `ocwatch_profile_order_position{agent="main",profile="openai:dave`,
		`ocwatch_pool_recovers_timestamp_seconds{agent="work"`, `ocwatch_outbox_delivered_timestamp_seconds{endpoint="ops"`,
	} {
		if strings.Contains(text, series) {
			t.Errorf("%s: nobody knows that", series)
		}
	}
}

// TestBounds: whatever providers and configs name, the answer stays bounded and
// can be read.
func TestBounds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := crowd(now, maxProfiles+10)
	windows := make([]watchdog.WindowStatus, 1000)
	for i := range windows {
		windows[i] = window(fmt.Sprintf("%dh", i), 1, now)
		windows[i].Scope = strings.Repeat("é", 500) + "\xff"
	}
	s.Status.Pools[0].Profiles[0].Windows = windows
	s.Status.Pools[0].Profiles[1].ID = "not \xff UTF-8"
	m := New("", fixed(s))
	for i := range 1000 {
		m.Probed(fmt.Sprintf("provider-%d", i), quota.OK, time.Second)
	}
	text := scrape(t, m)
	for what, want := range map[string]int{
		`ocwatch_window_used_ratio{account="acct-user0000"`:                  maxWindows,
		"\nocwatch_profile_order_position{":                                  maxProfiles - 1, // one is in no order under its new name
		"\nocwatch_probe_duration_seconds_count{":                            maxProviders + 1,
		"\nocwatch_omitted_profiles 10\n":                                    1,
		"\nocwatch_pool_profiles{agent=\"main\",provider=\"openai\"} 5010\n": 1,
	} {
		if got := strings.Count(text, what); got != want {
			t.Errorf("%d × %s, want %d", got, what, want)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 1000 {
			t.Fatalf("a line of %d bytes: %s", len(line), line)
		}
	}
}

// BenchmarkScrape is one scrape of a watchdog with a thousand accounts, by HTTP
// and read to its end: the first one after a round, and one that finds what the
// last one found. The goal is 50 ms.
func BenchmarkScrape(b *testing.B) {
	now := time.Now()
	rounds := []Snapshot{crowd(now, 1000), crowd(now, 1000)}
	for _, bc := range []struct {
		name   string
		rounds int
	}{
		{"after a round", 2},
		{"again", 1},
	} {
		b.Run(bc.name, func(b *testing.B) {
			asked := 0
			m := New("", func(context.Context) Snapshot { asked++; return rounds[asked%bc.rounds] })
			server := httptest.NewServer(m.Handler(zerolog.Nop()))
			defer server.Close()
			b.ReportAllocs()
			var size int64
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL, http.NoBody)
				if err != nil {
					b.Fatal(err)
				}
				// As Prometheus asks; the client then leaves the answer as it is.
				req.Header.Set("Accept-Encoding", "gzip")
				resp, err := server.Client().Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if size, err = io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ms/op")
			b.ReportMetric(float64(size)/1024, "KiB")
		})
	}
}
