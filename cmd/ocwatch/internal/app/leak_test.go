package app

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// locked is a buffer that a log and a test may use at once.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestNoSecretAnywhere plays a whole story, faults included, and looks for
// every secret of the world in everything that ocwatch wrote, said and served.
func TestNoSecretAnywhere(t *testing.T) {
	world, hook := startWorld(t)
	secrets := secretsOf(t, world, hook)
	var log locked
	cfg := configFor(t, world, hook)
	pace := fastPace()
	a, err := New(t.Context(), Options{
		Config: cfg, Log: zerolog.New(&log).Level(zerolog.TraceLevel), Version: "test", Pace: &pace,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	said := runStory(t, a, world, hook)

	said["log"] = log.String()
	for _, d := range hook.Deliveries() {
		said["webhook "+string(d.Event.Type)] = string(d.Body)
	}
	for _, name := range files(t, cfg.DataDir) {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // the socket
		}
		said["file "+filepath.Base(name)] = string(content)
	}
	for where, text := range said {
		for what, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s holds %s", where, what)
			}
		}
	}
	if !strings.Contains(said["log"], "order set") || !strings.Contains(said["status"], "openai:bob@example.com") {
		t.Errorf("the story was not told: there was nothing to look through")
	}
}

// runStory runs the watchdog through a switch, provider faults and a
// depletion, and returns what its API said.
func runStory(t *testing.T, a *App, world *sandbox.World, hook *sandbox.Webhook) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	waitEvent(t, hook, event.WatchdogStarted)
	world.SetUsed("openai:alice@example.com", quota.FiveHour, 97)
	waitEvent(t, hook, event.PoolSwitched)
	world.SetFault("openai:carol@example.com", sandbox.TokenInvalidated)
	waitEvent(t, hook, event.ProfileLoginRequired)
	world.SetFault("openai:carol@example.com", sandbox.NoFault)
	for _, name := range []string{"alice", "bob", "carol"} {
		world.SetUsed("openai:"+name+"@example.com", quota.FiveHour, 100)
	}
	waitEvent(t, hook, event.PoolDepleted)
	status, err := web.NewClient(a.opts.Config.DataDir).Status(t.Context())
	if err != nil {
		t.Error(err)
	}
	stop()
	<-done
	return map[string]string{"status": string(status)}
}

func startWorld(t *testing.T) (*sandbox.World, *sandbox.Webhook) {
	t.Helper()
	account := func(name string) sandbox.Account {
		return sandbox.Account{Profile: "openai:" + name + "@example.com", Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 10}}}
	}
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir:      t.TempDir(),
		Accounts: []sandbox.Account{account("alice"), account("bob"), account("carol")},
		Order:    map[string][]string{"openai": {"openai:alice@example.com", "openai:bob@example.com", "openai:carol@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	hook, err := sandbox.StartWebhook()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hook.Close() })
	return world, hook
}

func configFor(t *testing.T, world *sandbox.World, hook *sandbox.Webhook) *config.Config {
	t.Helper()
	cfg, err := config.Load("", func(string) string { return t.TempDir() })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir, cfg.Listen = filepath.Join(t.TempDir(), "data"), ""
	cfg.OpenClaw.StateDir = world.StateDir()
	cfg.Probe.Providers = map[string]config.Provider{"openai": {URL: world.UsageURL("openai")}}
	cfg.Failover.MinDwell = time.Second
	cfg.Notify.Webhooks = []config.Webhook{{Name: "ops", URL: hook.URL(), Secret: hook.Secret()}}
	return cfg
}

// constantly is a schedule for tests, finer than a second.
type constantly time.Duration

func (c constantly) Next(t time.Time) time.Time { return t.Add(time.Duration(c)) }

func fastPace() Pace {
	return Pace{
		Schedule: constantly(100 * time.Millisecond), MinGap: 20 * time.Millisecond,
		Breaker: failover.BreakerTiming{Recheck: 50 * time.Millisecond, Settle: 10 * time.Millisecond, First: 50 * time.Millisecond, Most: 50 * time.Millisecond},
		Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(50 * time.Millisecond)
		},
	}
}

// secretsOf collects what must never show: access and refresh tokens, the
// gateway's token, the webhook's secret.
func secretsOf(t *testing.T, world *sandbox.World, hook *sandbox.Webhook) map[string]string {
	t.Helper()
	in, err := openclaw.Find(openclaw.Options{StateDir: world.StateDir()})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"the gateway's token": world.Token().Reveal(), "the signing secret": hook.Secret().Reveal()}
	docs, err := in.Documents(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs.Credentials {
		var store struct {
			Profiles map[string]map[string]any `json:"profiles"`
		}
		if err := json.Unmarshal(doc, &store); err != nil {
			t.Fatal(err)
		}
		for id, p := range store.Profiles {
			for _, field := range []string{"access", "refresh", "token", "key"} {
				if s, ok := p[field].(string); ok && s != "" {
					out[field+" of "+id] = s
				}
			}
		}
	}
	if _, err := profiles.NewStore(in, profiles.Options{}).TokenSource("main", "openai:alice@example.com").Token(); err != nil || len(out) < 8 {
		t.Fatalf("%d secrets found, %v", len(out), err)
	}
	return out
}

func waitEvent(t *testing.T, hook *sandbox.Webhook, want event.Type) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := hook.Wait(ctx, func(e event.Event) bool { return e.Type == want }); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
