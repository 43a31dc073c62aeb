package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/metrics"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// scrape is what Prometheus gets.
func scrape(t *testing.T, a *App) string {
	t.Helper()
	rec := httptest.NewRecorder()
	a.metrics.Handler(zerolog.New(zerolog.NewTestWriter(t))).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

// TestMetricsTellTheStory: a switch, the probes before it and the message of it
// are in the answer, by the state that was left.
func TestMetricsTellTheStory(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	pace := fastPace()
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test", Pace: &pace})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if before := scrape(t, a); !strings.Contains(before, "\nocwatch_switches_total{reason=\"low\"} 0\n") || strings.Contains(before, "ocwatch_pool_state{") {
		t.Errorf("before the first round:\n%s", before)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	waitEvent(t, hook, event.WatchdogStarted)
	world.SetUsed("openai:alice@example.com", quota.FiveHour, 97)
	waitEvent(t, hook, event.PoolSwitched)
	stop()
	<-done
	text := scrape(t, a)
	for _, want := range []string{
		`ocwatch_switches_total{reason="low"} 1`,
		`ocwatch_profile_state{agent="main",profile="openai:alice@example.com",provider="openai",state="low"} 1`,
		`ocwatch_profile_order_position{agent="main",profile="openai:bob@example.com",provider="openai"} 1`,
		`ocwatch_pool_available_profiles{agent="main",provider="openai"} 2`,
		`ocwatch_outbox_pending_messages{endpoint="ops"} 0`,
		`ocwatch_outbox_oldest_age_seconds{endpoint="ops"} 0`,
		`ocwatch_restart_budget_limit 3`,
		`ocwatch_journal_healthy 1`,
		`ocwatch_gateway_up 1`,
		`ocwatch_round_interval_seconds 0.1`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	for _, want := range []string{`ocwatch_outbox_delivered_timestamp_seconds{endpoint="ops"}`, `ocwatch_probes_total{provider="openai",verdict="ok"}`} {
		if !strings.Contains(text, "\n"+want+" ") {
			t.Errorf("no %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestOnlyWhatIsJournalledCounts: a round that could not be written comes again
// with the next one, and counts then.
func TestOnlyWhatIsJournalledCounts(t *testing.T) {
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	a := &App{journal: j, metrics: metrics.New("test", func(context.Context) metrics.Snapshot { return metrics.Snapshot{} })}
	round := journal.Round{At: time.Now().UTC(), Restarts: []journal.Restart{{At: time.Now().UTC(), Reason: "a test", OK: true}}}
	if err := (counted{j, a}).Commit(t.Context(), round); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := (counted{j, a}).Commit(t.Context(), round); err == nil {
		t.Fatal("a closed journal took a round")
	}
	if text := scrape(t, a); !strings.Contains(text, "\nocwatch_gateway_restarts_total{result=\"ok\"} 1\n") {
		t.Error(text)
	}
}

// TestInterval: what a round is late by goes by the schedule, not by its mean.
func TestInterval(t *testing.T) {
	t.Parallel()
	round := time.Date(2026, 11, 22, 20, 0, 5, 300e6, time.UTC)
	for text, want := range map[string]time.Duration{
		"1m": time.Minute, "@every 6h": 6 * time.Hour, "0 8-20 * * *": 12*time.Hour - 5*time.Second, "*/5 * * * *": 5*time.Minute - 5*time.Second,
	} {
		s, err := config.ParseSchedule(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := interval(s, round); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
