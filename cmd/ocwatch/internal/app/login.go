package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// lockPatience is how long the watchdog may take to let go of the lock after
// its own login was cancelled.
const lockPatience = 3 * time.Second

// Login is what a login from a terminal needs. It works beside a watchdog and
// without one.
type Login struct {
	opts    Options
	install *install
	prober  *probe.Prober
	starter *login.Starter
	daemon  *web.Client
	// judge decides as the watchdog does, and acts on nothing.
	judge *watchdog.Watchdog
	heard *heard
}

// OpenLogin finds OpenClaw. Close must be called.
func OpenLogin(o Options) (*Login, error) {
	in, err := findInstall(o.Config, o.Log)
	if err != nil {
		return nil, err
	}
	l := &Login{
		opts: o, install: in, prober: newProber(o.Config, o.Version, nil), starter: in.starter(o.Log),
		daemon: web.NewClient(o.Config.DataDir), heard: &heard{},
	}
	l.judge = watchdog.New(watchdog.Options{
		Source: in.store, Prober: l.prober, Gateway: in, Orderer: nothing{}, Restarter: nothing{}, Journal: nothing{}, Notifier: l.heard,
		Log: o.Log, Version: o.Version, Config: watchdogConfig(o.Config, l.prober, defaultPace(o.Config)),
	})
	return l, nil
}

// Close lets go of OpenClaw.
func (l *Login) Close() {
	l.prober.Close()
	l.install.close()
}

// Target finds the pool that a login is for; see chooseTarget.
func (l *Login) Target(ctx context.Context, agent, provider string) (Target, error) {
	snap, err := l.install.store.Snapshot(ctx)
	if err != nil {
		return Target{}, err
	}
	agents, err := l.install.Agents()
	if err != nil {
		return Target{}, fmt.Errorf("list openclaw's agents: %w", err)
	}
	return chooseTarget(snap, agents, agent, provider)
}

// TargetOf finds the pool that has profile.
func (l *Login) TargetOf(ctx context.Context, agent, profile string) (Target, error) {
	snap, err := l.install.store.Snapshot(ctx)
	if err != nil {
		return Target{}, err
	}
	return targetOf(snap, agent, profile)
}

// Hold keeps every other login away until release is called. The watchdog's own
// is cancelled, since a person at a terminal is nearer; another terminal's is
// left alone, and the error is a *relogin.HeldError.
func (l *Login) Hold(ctx context.Context, t Target) (release func(), err error) {
	if err := os.MkdirAll(l.opts.Config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w: set data_dir to a directory that this account can write", err)
	}
	if err := l.daemon.CancelLogin(ctx, t.Agent, t.Provider); err != nil && !errors.Is(err, web.ErrNotRunning) {
		return nil, fmt.Errorf("cancel the watchdog's own login: %w", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(lockPatience); ; {
		release, err := relogin.Lock(l.opts.Config.DataDir)
		var held *relogin.HeldError
		if !errors.As(err, &held) || time.Now().After(end) {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// Begin starts a login at OpenClaw; see login.Starter.
func (l *Login) Begin(ctx context.Context, r login.Request) (*login.Attempt, error) {
	return l.starter.Start(ctx, r)
}

// Paste has OpenClaw store a token or key; see login.Starter.
func (l *Login) Paste(ctx context.Context, r login.PasteRequest) (login.Result, error) {
	return l.starter.PasteToken(ctx, r)
}

// Look learns what there is before a login, so that Judge can tell what it
// brought. It asks every account once.
func (l *Login) Look(ctx context.Context) error {
	_, err := l.judge.Check(ctx)
	return err
}

// Tell lets a watchdog that runs know at once of a login that was made here.
func (l *Login) Tell(ctx context.Context, t Target, profile string) error {
	err := l.daemon.LoggedIn(ctx, t.Agent, t.Provider, profile)
	if err == nil || errors.Is(err, web.ErrNotRunning) {
		return nil
	}
	return fmt.Errorf("tell the watchdog: %w", err)
}

// Outcome is what a login came to.
type Outcome struct {
	// Told is login.completed or login.failed, and nil where the provider could
	// not be asked about the new login yet.
	Told *event.Event
	// Reason is why Told is nil, "" where nobody can say.
	Reason string
	// Order is the order in force, or in a moment where Watched is set.
	Order []string
	// Watched: a watchdog runs, and sees to the order.
	Watched bool
}

// Judge proves a login as the watchdog does: it asks the provider about it, and
// sees that OpenClaw uses it. Where no watchdog runs it sets the order itself.
func (l *Login) Judge(ctx context.Context, t Target, r login.Result) (Outcome, error) {
	l.judge.LoginDone(t.Agent, t.Provider, r, nil)
	s, err := l.judge.Check(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("look what the login brought: %w", err)
	}
	out := Outcome{Told: l.heard.about(t)}
	for _, p := range s.Pools {
		if p.Agent == t.Agent && p.Provider == t.Provider {
			out.Order, out.Reason = p.Order, reasonOf(p, r.Profile)
		}
	}
	err = l.daemon.LoggedIn(ctx, t.Agent, t.Provider, r.Profile)
	switch {
	case err == nil:
		out.Watched = true
		return out, nil
	case !errors.Is(err, web.ErrNotRunning):
		return out, fmt.Errorf("tell the watchdog: %w", err)
	case len(out.Order) < 2 || out.Told == nil || out.Told.Type != event.LoginCompleted:
		return out, nil
	}
	_, err = l.install.orderer.Set(ctx, t.Agent, t.Provider, out.Order)
	return out, err
}

// starter begins logins at i, each at the gateway with a connection of its own.
func (i *install) starter(log zerolog.Logger) *login.Starter {
	return login.New(login.Options{
		Dial: func() login.Gateway { return i.Gateway() }, CLI: i.CLI(), Store: i.store, Log: log,
	})
}

// heard keeps what the judge would have told the world.
type heard struct {
	mu     sync.Mutex
	events []event.Event
}

// Route serves the watchdog.
func (h *heard) Route(e event.Event) ([]journal.Message, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	return nil, nil
}

// Wake serves the watchdog.
func (h *heard) Wake() {}

// about is the last word on a login of t.
func (h *heard) about(t Target) *event.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range slices.Backward(h.events) {
		ended := e.Type == event.LoginCompleted || e.Type == event.LoginFailed
		if ended && e.Data.Agent == t.Agent && e.Data.Provider == t.Provider {
			return &e
		}
	}
	return nil
}

// reasonOf is what is known of a profile in words.
func reasonOf(p watchdog.PoolStatus, profile string) string {
	for _, s := range p.Profiles {
		if s.ID == profile {
			return s.Reason
		}
	}
	return ""
}
