package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
)

// running runs an app until stop is called or the test ends.
func running(t *testing.T, cfg *config.Config) (a *App, stop func()) {
	t.Helper()
	pace := fastPace()
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test", Pace: &pace})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
		a.Close()
	}
	t.Cleanup(stop)
	return a, stop
}

// TestStopCancelsLogins: a login that waits when ocwatch stops is cancelled at
// OpenClaw, the lock is free at once, and who was told of it hears its end.
func TestStopCancelsLogins(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	a, stop := running(t, cfg)
	waitEvent(t, hook, event.WatchdogStarted)
	begun, err := web.NewClient(cfg.DataDir).BeginLogin(t.Context(), "main", "openai")
	if err != nil {
		t.Fatal(err)
	}
	waitEvent(t, hook, event.LoginStarted)
	if list := a.Logins().List(); len(list) != 1 || list[0].Code != begun.Code || begun.Command != "ocwatch login --provider openai" {
		t.Errorf("%+v, %+v", list, begun)
	}
	if _, err := relogin.Lock(cfg.DataDir); err == nil {
		t.Error("a terminal may log in while the watchdog does")
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > farewell+3*time.Second {
		t.Errorf("stopping took %s", took)
	}
	release, err := relogin.Lock(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	release()
	running(t, cfg)
	if e := awaitEvent(t, hook, event.LoginFailed); !strings.Contains(e.Data.Reason, "ocwatch was stopped") {
		t.Errorf("%+v", e.Data)
	}
}

// TestLoggedInElsewhere: a login at a terminal is proved as soon as it is told.
func TestLoggedInElsewhere(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	cfg.Probe.Providers["openai"] = config.Provider{URL: world.UsageURL("openai"), Every: time.Hour}
	a, _ := running(t, cfg)
	waitEvent(t, hook, event.WatchdogStarted)
	begun, err := a.Logins().Prompt(t.Context(), "main", "openai")
	if err != nil {
		t.Fatal(err)
	}
	if err := world.Approve(begun.Code, sandbox.Account{Profile: "openai:dave@example.com"}); err != nil {
		t.Fatal(err)
	}
	waitEvent(t, hook, event.LoginCompleted)
	// Over the socket, as a terminal tells it: nobody else saw this one.
	if err := web.NewClient(cfg.DataDir).LoggedIn(t.Context(), "main", "openai", "openai:alice@example.com"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := hook.Wait(ctx, func(e event.Event) bool {
		return e.Type == event.LoginCompleted && e.Data.Profile == "openai:alice@example.com"
	}); err != nil {
		t.Fatal(err)
	}
}

// TestReloadHeartbeat: the monitor of a new config hears the rounds from then
// on, and the old one hears no more.
func TestReloadHeartbeat(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	old, fresh := listener(t), listener(t)
	beat := func(e *ear) config.Heartbeat {
		return config.Heartbeat{URL: secret.New("http://" + e.address + "/beat"), Every: 50 * time.Millisecond}
	}
	cfg.Heartbeat = beat(old)
	a, _ := running(t, cfg)
	until(t, func() bool { return old.heard("/beat") })
	changed := *cfg
	changed.Heartbeat = beat(fresh)
	if err := a.Reload(&changed); err != nil {
		t.Fatal(err)
	}
	n := old.count()
	until(t, func() bool { return fresh.heard("/beat") })
	if old.count() != n {
		t.Error("the old monitor still hears of it")
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		world.SetUsed("openai:"+name+"@example.com", "5h", 100)
	}
	until(t, func() bool { return fresh.heard("/beat/fail") })
	changed.Heartbeat = config.Heartbeat{}
	if err := a.Reload(&changed); err != nil {
		t.Fatal(err)
	}
}

func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.paths)
}

// until waits for something that comes soon.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it did not come")
		}
	}
}
