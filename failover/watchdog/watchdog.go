// Package watchdog is the loop around the decision: it reads OpenClaw, probes
// accounts, lets failover.Decide say what should be, does the difference, and
// remembers what cannot be read again. Level-triggered: every round starts
// from the world as it is, so a crash at any point is repaired by the next.
package watchdog

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// Watchdog watches one OpenClaw.
type Watchdog struct {
	Options

	round    sync.Mutex // one round at a time; guards the fields below
	accounts map[string]*account
	pools    map[string]*pool
	saved    map[string]string // the journal's documents, as committed or owed
	owed     journal.Round     // what is still to be committed
	gateway  gatewayWatch
	snapErr  string
	unread   unreadWatch
	seen     map[string]uint64 // by agent and profile: the credential's revision
	shared   bool              // OpenClaw keeps its profiles in the shared database
	paused   *Pause            // nil: not paused
	pacedBy  int64             // the reload that the accounts' turns go by

	mu     sync.Mutex // guards the fields below
	cfg    Config
	status Status
	why    []PoolWhy   // see Why
	ailing string      // see Failing
	heard  []loginNews // not told yet
	wake   chan struct{}

	codes    sync.WaitGroup // codes that are waited for
	restarts restartQueue
	reloads  atomic.Int64
}

// New returns a Watchdog. Run or Check bring it to life.
func New(o Options) *Watchdog {
	if o.Beat == nil {
		o.Beat = func(string) {}
	}
	return &Watchdog{
		Options:  o,
		cfg:      o.Config,
		accounts: map[string]*account{},
		pools:    map[string]*pool{},
		saved:    map[string]string{},
		seen:     map[string]uint64{},
		status:   Status{Version: o.Version, Gateway: GatewayStatus{URL: o.GatewayURL}, Pools: []PoolStatus{}, Problems: []Problem{}},
		wake:     make(chan struct{}, 1),
	}
}

// Reload swaps the configuration in; the next round uses it.
func (w *Watchdog) Reload(c Config) {
	w.mu.Lock()
	w.cfg = c
	w.mu.Unlock()
	w.reloads.Add(1)
	w.Wake()
}

// Wake asks for a round soon. It never blocks.
func (w *Watchdog) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watchdog) config() Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg
}

// Run watches until ctx ends: one round at once, then by the schedule and by
// the times that a plan or an account names. It returns once a restart that is
// under way came to its end or was cancelled.
func (w *Watchdog) Run(ctx context.Context) error {
	if err := w.load(ctx); err != nil {
		w.Log.Warn().Err(err).Msg("the journal's memory could not be read: starting without it")
	}
	w.announce(ctx, event.WatchdogStarted, "watching")
	ticks := make(chan struct{}, 1)
	scheduler := w.schedule(ctx, ticks)
	scheduledBy := w.reloads.Load()
	defer func() { <-scheduler.Stop().Done() }()
	defer w.restarts.wait()
	defer w.codes.Wait()
	for last := (time.Time{}); ; {
		if err := pause(ctx, time.Until(last.Add(w.config().MinGap))); err != nil {
			break
		}
		if n := w.reloads.Load(); n != scheduledBy {
			// The old one sleeps until the old schedule's next tick.
			scheduler.Stop()
			scheduler, scheduledBy = w.schedule(ctx, ticks), n
		}
		last = time.Now()
		next := w.safeRound(ctx)
		if err := w.waitFor(ctx, ticks, next); err != nil {
			break
		}
	}
	// The context is over; the farewell has to be written all the same.
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	w.announce(bye, event.WatchdogStopped, "stopping")
	return nil
}

// safeRound keeps a panic in one round from ending the watch. The round that
// panicked feeds no Beat, so that a panic in every round is noticed by systemd.
func (w *Watchdog) safeRound(ctx context.Context) (next time.Time) {
	defer w.survive("a round failed: the next one goes on")
	return w.Round(ctx)
}

// survive is deferred where a panic must not end the process.
func (w *Watchdog) survive(what string) {
	if r := recover(); r != nil {
		w.Log.Error().Interface("panic", r).Bytes("stack", debug.Stack()).Msg(what)
	}
}

// waitFor returns when a round is due.
func (w *Watchdog) waitFor(ctx context.Context, ticks <-chan struct{}, next time.Time) error {
	var due <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ticks:
	case <-due:
	case <-w.wake:
	}
	return nil
}
