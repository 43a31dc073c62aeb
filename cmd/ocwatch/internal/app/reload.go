package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/probe"
)

// generation is what one version of the config makes.
type generation struct {
	cfg       *config.Config
	prober    *probe.Prober
	restarter *restart.Restarter
	notifier  *notify.Notifier
	heartbeat *notify.Heartbeat // nil: no monitor listens
}

// reloadable stands where the watchdog expects its parts and passes calls on
// to those of the config in force. Everything that can fail is made before
// anything is swapped, so a bad config leaves the old one running.
type reloadable struct {
	mu      sync.Mutex
	gen     generation
	sending context.Context //nolint:containedctx // the life of the delivery, which a reload restarts
	stop    context.CancelFunc
	workers sync.WaitGroup
}

func newReloadable(a *App, cfg *config.Config) (*reloadable, error) {
	gen, err := newGeneration(a, cfg)
	return &reloadable{gen: gen}, err
}

func newGeneration(a *App, cfg *config.Config) (generation, error) {
	n, err := newNotifier(a.opts, cfg, a.install, a.journal)
	if err != nil {
		return generation{}, err
	}
	return generation{
		cfg: cfg, prober: newProber(cfg, a.opts.Version, a.metrics.Probed), notifier: n, heartbeat: newHeartbeat(cfg, a.opts.Version, a.opts.Log),
		restarter: newRestarter(a.install, cfg, attempts{a.journal}, func() { a.watchdog.YieldLogins() }, a.opts.Log),
	}, nil
}

func newRestarter(in *install, cfg *config.Config, past restart.History, yield func(), log zerolog.Logger) *restart.Restarter {
	r := cfg.Restart
	drain := r.Drain
	if drain == 0 {
		drain = -1 // in package restart 0 is the default and none is negative
	}
	unit := r.Unit
	if unit == config.Default().Restart.Unit {
		unit = "" // as OpenClaw names it, for a named profile otherwise
	}
	return restart.New(restart.Options{
		Via: restart.Via(r.Via), Unit: unit, Profile: os.Getenv("OPENCLAW_PROFILE"), Command: r.Command, Drain: drain,
		Budget:  restart.Budget{N: r.Budget.Count, Per: r.Budget.Per},
		Gateway: in.gateway, CLI: in.CLI(), Health: in, History: past, Yield: yield, Log: log,
	})
}

func (r *reloadable) current() generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gen
}

// reload makes the parts anew and puts them in force.
func (r *reloadable) reload(a *App, cfg *config.Config) error {
	gen, err := newGeneration(a, cfg)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.gen
	r.gen = gen
	a.install.SetHidden(cfg.SecretEnv())
	if r.stop != nil {
		// Two senders at once could repeat a message or change the order.
		r.stop()
		r.workers.Wait()
		r.start(r.sending)
	}
	old.prober.Close()
	return nil
}

// deliver sends messages until ctx ends and done was called, which waits for
// the senders.
func (r *reloadable) deliver(ctx context.Context) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sending = ctx
	r.start(ctx)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.stop()
		r.workers.Wait()
		r.stop = nil
	}
}

// start runs the notifier in force. The caller holds mu.
func (r *reloadable) start(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	r.stop = stop
	n, h := r.gen.notifier, r.gen.heartbeat
	r.workers.Go(func() { n.Run(ctx) })
	r.workers.Go(func() { h.Run(ctx) })
}

func (r *reloadable) close() { r.current().prober.Close() }

// ProbeAll serves the watchdog.
func (r *reloadable) ProbeAll(ctx context.Context, accounts []probe.Account, limit int) []quota.Reading {
	return r.current().prober.ProbeAll(ctx, accounts, limit)
}

// Restart serves the watchdog.
func (r *reloadable) Restart(ctx context.Context, reason string) (restart.Result, error) {
	return r.current().restarter.Restart(ctx, reason)
}

// Route serves the watchdog.
func (r *reloadable) Route(e event.Event) ([]journal.Message, error) {
	return r.current().notifier.Route(e)
}

// Wake serves the watchdog.
func (r *reloadable) Wake() { r.current().notifier.Wake() }

// attempts keeps the times of restarts for the budget.
type attempts struct{ j *journal.Journal }

const attemptsKey = "restart/attempts"

// Restarts serves the restarter.
func (a attempts) Restarts(ctx context.Context, since time.Time) ([]time.Time, error) {
	docs, err := a.j.State(ctx, attemptsKey)
	if err != nil {
		return nil, err
	}
	var all, out []time.Time
	if doc, ok := docs[attemptsKey]; ok {
		if err := json.Unmarshal(doc, &all); err != nil {
			return nil, fmt.Errorf("restart attempts: %w", err)
		}
	}
	for _, t := range all {
		if !t.Before(since) {
			out = append(out, t)
		}
	}
	return out, nil
}

// Restarting serves the restarter.
func (a attempts) Restarting(ctx context.Context, at time.Time, _ string) error {
	past, err := a.Restarts(ctx, at.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	doc, err := json.Marshal(append(past, at.UTC()))
	if err != nil {
		return err
	}
	return a.j.Commit(ctx, journal.Round{At: at, State: map[string]json.RawMessage{attemptsKey: doc}})
}
