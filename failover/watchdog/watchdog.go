// Package watchdog is the loop around the decision: it reads OpenClaw, probes
// accounts, lets failover.Decide say what should be, does the difference, and
// remembers what cannot be read again. Level-triggered: every round starts
// from the world as it is, so a crash at any point is repaired by the next.
package watchdog

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// Source reads OpenClaw.
type Source interface {
	Snapshot(ctx context.Context) (profiles.Snapshot, error)
	TokenSource(agent, profile string) oauth2.TokenSource
}

// Prober asks providers. Readings come back in the order of the accounts.
type Prober interface {
	ProbeAll(ctx context.Context, accounts []probe.Account, limit int) []quota.Reading
}

// Orderer puts an order in force and says what came of it.
type Orderer interface {
	Set(ctx context.Context, agent, provider string, ids []string) (profiles.Applied, error)
}

// Gateway tells of the running gateway.
type Gateway interface {
	Health(ctx context.Context) openclaw.Health
	// Version is the gateway's release, "" where it cannot be told.
	Version(ctx context.Context) string
	// Idle reports that no turn, queue or task is active.
	Idle(ctx context.Context) (bool, error)
}

// Logins begins logins at OpenClaw that a person elsewhere can approve.
type Logins interface {
	// Prompt gives a fresh link and code. What came of it is told to LoginDone.
	Prompt(ctx context.Context, agent, provider string) (event.Login, error)
	// Withdraw says that nobody was told of the agent's code.
	Withdraw(agent, provider string)
	// Yield ends the automatic logins that keep the gateway at work, and calls
	// void for each agent whose code that made void.
	Yield(void func(agent, provider string))
}

// Restarter restarts the gateway.
type Restarter interface {
	Restart(ctx context.Context, reason string) (restart.Result, error)
}

// Journal keeps what cannot be read again.
type Journal interface {
	Commit(ctx context.Context, r journal.Round) error
	State(ctx context.Context, prefix string) (map[string]json.RawMessage, error)
	// Readings are what was kept of an account since a time, oldest first.
	Readings(ctx context.Context, account string, since time.Time) ([]quota.Reading, error)
}

// Notifier turns an event into messages for the journal's outbox, and is woken
// once they are there.
type Notifier interface {
	Route(e event.Event) ([]journal.Message, error)
	Wake()
}

// RestartWhen is when a switch is followed by a restart of the gateway.
type RestartWhen string

// The restart policies.
const (
	RestartAuto   RestartWhen = "auto"   // where the gateway would not notice the order otherwise
	RestartIdle   RestartWhen = "idle"   // after each switch, once nothing is active
	RestartAlways RestartWhen = "always" // after each switch
	RestartNever  RestartWhen = "never"
)

// Config is what a reload may change.
type Config struct {
	// Schedule says when rounds are due.
	Schedule cron.Schedule
	// Jitter is the longest random delay of a scheduled round.
	Jitter time.Duration
	// MinGap is the least time between two rounds, whatever asks for one.
	MinGap time.Duration
	// Policy is the owner's wish for a provider's pools.
	Policy func(provider string) failover.Policy
	// Next says when an account is to be asked again; random is in [0,1).
	Next func(now time.Time, a probe.Account, last quota.Reading, random float64) time.Time
	// Breaker holds the periods of the account breakers.
	Breaker failover.BreakerTiming
	// Probes is how many accounts are asked at once.
	Probes int
	// Live are the profiles that may be asked with real requests, where their
	// usage cannot be read otherwise.
	Live    []string
	Restart RestartWhen
}

// Options are a Watchdog's surroundings.
type Options struct {
	Source    Source
	Prober    Prober
	Orderer   Orderer
	Gateway   Gateway
	Restarter Restarter
	Logins    Logins // nil: messages name the command alone
	Journal   Journal
	Notifier  Notifier
	Log       zerolog.Logger
	Config    Config
	Version   string
	// GatewayURL is shown in the status.
	GatewayURL string
	// Reread has the running gateway read OpenClaw's store again, and returns
	// the method that did it, "" for none. Nil: nobody does.
	Reread func(ctx context.Context, agent string) (method string, err error)
	// Beat is called after each completed round, with the pool states in one
	// line; it feeds systemd. It may be nil.
	Beat func(summary string)
}

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

// schedule starts cron with one job that asks for a round. The recovery is the
// innermost of the chain: outside SkipIfStillRunning one panic would keep the
// job from ever running again.
func (w *Watchdog) schedule(ctx context.Context, ticks chan<- struct{}) *cron.Cron {
	log := cronLog{w.Log}
	c := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(log),
		cron.WithChain(cron.SkipIfStillRunning(log), cron.Recover(log)))
	c.Schedule(w.config().Schedule, cron.FuncJob(func() {
		if pause(ctx, time.Duration(rand.Float64()*float64(w.config().Jitter))) != nil {
			return
		}
		select {
		case ticks <- struct{}{}:
		default: // a round is due already
		}
	}))
	c.Start()
	return c
}

// cronLog lets cron speak through zerolog, at debug level: a skipped tick is
// no news, and a panic is logged with its stack as an error.
type cronLog struct{ log zerolog.Logger }

func (l cronLog) Info(msg string, kv ...any) { l.log.Debug().Fields(kv).Msg("scheduler: " + msg) }

func (l cronLog) Error(err error, msg string, kv ...any) {
	l.log.Error().Err(err).Fields(kv).Msg("scheduler: " + msg)
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
