// Package restart restarts the OpenClaw gateway, which is the most dangerous
// thing that ocwatch ever does: a restart ends the work under way, and a
// watchdog that restarts in a loop, or within the start of the gateway, is
// worse than none. So it is bounded (Allow), it waits for active work to end,
// and it calls a restart done only when a gateway that was started after the
// asking answers /healthz. A job of systemd that says "done", an exit code of 0
// and an RPC that says "ok" each happen without that.
package restart

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Via is a way to restart the gateway.
type Via string

// The ways, in the order in which they are tried.
const (
	RPC           Via = "rpc"            // gateway.restart.request
	SystemdUser   Via = "systemd-user"   // a unit of the account's own manager, over D-Bus
	SystemdSystem Via = "systemd-system" // a unit of the system's manager, over D-Bus
	CLI           Via = "cli"            // openclaw gateway restart
	Command       Via = "command"        // the owner's command
)

// What Options.Via may be besides one of the ways.
const (
	Auto    Via = "auto"    // every way that there is; the default
	Systemd Via = "systemd" // the user's unit, else the system's
)

// The defaults of Options.
const (
	DefaultDrain    = 5 * time.Minute
	DefaultDeadline = 6 * time.Minute // OpenClaw's unit may take 330 s to stop alone
)

// Gateway is the RPC of the running gateway.
type Gateway interface {
	Call(ctx context.Context, method string, params, result any) error
	Has(ctx context.Context, method string) (bool, error)
}

// Commander runs the openclaw command.
type Commander interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error)
}

// Health asks the gateway's health endpoints.
type Health interface {
	Health(ctx context.Context) openclaw.Health
}

// History remembers restarts over the life of the process, so that a crash loop
// of ocwatch itself cannot turn into a restart loop of the gateway.
type History interface {
	// Restarts lists when a restart was tried, from since on. One that is listed
	// twice, at the very same time, counts once.
	Restarts(ctx context.Context, since time.Time) ([]time.Time, error)
	// Restarting notes one before it is tried; at has whole milliseconds.
	Restarting(ctx context.Context, at time.Time, reason string) error
}

// Options say how to restart. Health, Gateway, CLI and History must be set.
type Options struct {
	Via Via // "": Auto
	// Unit is the systemd unit of the gateway; "": OpenClaw's own name for it.
	Unit string
	// Profile is the OpenClaw profile (openclaw --profile), "" for the default
	// one. It is part of the unit's name.
	Profile string
	Command []string      // argv of the owner's command; none: there is none
	Drain   time.Duration // longest wait for active work; 0: DefaultDrain, negative: none
	// Deadline is the longest time from the asking to a healthy gateway; 0:
	// DefaultDeadline.
	Deadline time.Duration
	// Settle is how long a gateway that does not answer is taken to be on its way
	// up, and left alone; 0: MinUptime.
	Settle time.Duration
	Budget Budget // zero: DefaultBudget
	// Yield is called once a restart is allowed, before the gateway's work is
	// waited for, to end what of it is the caller's own. Nil: nothing is.
	Yield func()

	Gateway Gateway
	CLI     Commander
	Health  Health
	History History
	// UserBus and SystemBus reach the systemd managers; nil: DialUser, DialSystem.
	UserBus   Dial
	SystemBus Dial
	Log       zerolog.Logger
}

// Step is one thing that a restart did.
type Step struct {
	Name string // drain, or the way that was tried
	Took time.Duration
	Note string
	Err  error // nil where it worked
}

// Result is how a restart went.
type Result struct {
	At    time.Time // as noted in the History; zero where nothing was tried
	Via   Via       // the way that worked; "" where none did, or none was needed
	OK    bool
	Took  time.Duration
	Steps []Step
	Note  string // in words, for a person
}

// FailedError says that no way restarted the gateway, and why not.
type FailedError struct {
	Steps []Step // of the ways that were tried
}

// Error lists each way on one line.
func (e *FailedError) Error() string {
	tried := make([]string, len(e.Steps))
	for i, s := range e.Steps {
		tried[i] = fmt.Sprintf("%s: %v", s.Name, s.Err)
	}
	return "gateway not restarted: " + strings.Join(tried, "; ")
}

// Unwrap gives the error of each way.
func (e *FailedError) Unwrap() []error {
	errs := make([]error, len(e.Steps))
	for i, s := range e.Steps {
		errs[i] = s.Err
	}
	return errs
}

// Restarter restarts one gateway, one restart at a time.
type Restarter struct {
	opts Options
	busy sync.Mutex // held for the length of a restart

	// This episode's one reset of a unit's start limit: asked for, and done. An
	// episode ends with a gateway that came back. Guarded by busy.
	resetAsked, resetDone bool
}

// New makes a Restarter; it touches nothing yet.
func New(o Options) *Restarter {
	if o.Via == "" {
		o.Via = Auto
	}
	if o.Drain == 0 {
		o.Drain = DefaultDrain
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Settle == 0 {
		o.Settle = MinUptime
	}
	if o.Budget == (Budget{}) {
		o.Budget = DefaultBudget
	}
	if o.UserBus == nil {
		o.UserBus = DialUser
	}
	if o.SystemBus == nil {
		o.SystemBus = DialSystem
	}
	return &Restarter{opts: o}
}

// Restart restarts the gateway and waits until the new one is healthy. It
// returns a *RefusedError where that may not be done now, and a *FailedError
// where every way failed; the Result tells the steps in each case. It can take
// the drain and the deadline together. Cancelling ctx ends it at once and leaves
// nothing of it running; what systemd or the gateway were asked for goes on.
func (r *Restarter) Restart(ctx context.Context, reason string) (Result, error) {
	if !r.busy.TryLock() {
		return Result{}, &RefusedError{Err: ErrTooSoon, Why: "another restart is under way"}
	}
	defer r.busy.Unlock()
	began := time.Now()
	res := Result{}
	err := r.restart(ctx, reason, &res)
	res.Took = time.Since(began)
	res.OK = err == nil
	if res.OK {
		r.resetAsked, r.resetDone = false, false
	}
	r.report(reason, res, err)
	return res, err
}

func (r *Restarter) restart(ctx context.Context, reason string, res *Result) error {
	before, err := r.allowed(ctx)
	if err != nil {
		return err
	}
	if r.opts.Yield != nil {
		r.opts.Yield()
	}
	forced, err := r.drain(ctx, res)
	if err != nil {
		return err
	}
	// Waiting takes minutes, and whoever restarted the gateway meanwhile did
	// what was asked for here.
	now := r.look(ctx)
	if before.live && !now.live {
		if now, err = r.settled(ctx); err != nil {
			return err
		}
	}
	if now.startedAfter(before.at) {
		res.Note = "the gateway was restarted by somebody else while its work was waited for"
		return nil
	}
	ways, err := r.ways(reason, forced, now.live)
	if err != nil {
		return err
	}
	res.At = time.Now().UTC().Truncate(time.Millisecond)
	if err := r.note(ctx, res.At, reason); err != nil {
		return fmt.Errorf("restart not tried, since it could not be noted for the budget: %w", err)
	}
	return r.try(ctx, ways, now.live, res)
}

func (r *Restarter) report(reason string, res Result, err error) {
	for _, s := range res.Steps {
		r.opts.Log.Debug().Str("step", s.Name).Dur("took", s.Took).Str("note", s.Note).AnErr("error", s.Err).Msg("gateway restart step")
	}
	if err != nil {
		r.opts.Log.Warn().Err(err).Str("reason", reason).Dur("took", res.Took).Msg("gateway not restarted")
		return
	}
	r.opts.Log.Info().Str("via", string(res.Via)).Str("reason", reason).Dur("took", res.Took).Str("note", res.Note).Msg("gateway restarted")
}
