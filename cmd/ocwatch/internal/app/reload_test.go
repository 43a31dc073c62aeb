package app

import (
	"context"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestReload swaps endpoints under a running watchdog: what happens later goes
// to the new one, nothing is sent twice, and the first one hears no more.
func TestReload(t *testing.T) {
	world, first := startWorld(t)
	_, second := startWorld(t)
	cfg := configFor(t, world, first)
	pace := fastPace()
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test", Pace: &pace})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	waitEvent(t, first, event.WatchdogStarted)

	changed := *cfg
	changed.Notify.Webhooks = []config.Webhook{{Name: "new", URL: second.URL(), Secret: second.Secret()}}
	if err := a.Reload(&changed); err != nil {
		t.Fatal(err)
	}
	heard := len(first.Deliveries())
	world.SetUsed("openai:alice@example.com", quota.FiveHour, 97)
	waitEvent(t, second, event.PoolSwitched)
	stop()
	<-done

	if n := len(first.Deliveries()); n != heard {
		t.Errorf("the old endpoint heard %d more messages", n-heard)
	}
	ids := map[string]bool{}
	for _, d := range second.Deliveries() {
		if ids[d.ID] {
			t.Errorf("%s was sent twice", d.Event.Type)
		}
		ids[d.ID] = true
	}
}

// TestReloadRefused: what cannot be made leaves the old parts in force.
func TestReloadRefused(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	before := a.parts.current()
	bad := *cfg
	bad.Notify.Webhooks = []config.Webhook{{Name: "x", URL: "no url", Secret: hook.Secret()}}
	if err := a.Reload(&bad); err == nil {
		t.Fatal("a webhook without a URL was accepted")
	}
	if a.parts.current() != before {
		t.Error("a refused config changed the parts in force")
	}
}

// TestOneWatchdog: the data directory has one user at a time.
func TestOneWatchdog(t *testing.T) {
	world, hook := startWorld(t)
	o := Options{Config: configFor(t, world, hook), Log: zerolog.Nop(), Version: "test"}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := New(t.Context(), o); err == nil {
		b.Close()
		t.Error("two watchdogs on one data directory")
	}
	a.Close()
	c, err := New(t.Context(), o)
	if err != nil {
		t.Fatalf("the lock outlived its watchdog: %v", err)
	}
	c.Close()
}
