package restart

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// UnitState is what systemd says of a unit; the words are systemd's.
type UnitState struct {
	Load       string // loaded, not-found, masked, …
	Active     string // active, inactive, failed, activating, deactivating, …
	Sub        string // running, auto-restart, …
	Result     string // success, exit-code, signal, start-limit-hit, …
	Invocation string // changes with every start
	File       string // whether it is started at boot: enabled, disabled, static, …; "" where that is not known
	Restarts   int    // how often systemd has started it again by itself
	// At most StartBurst starts within StartInterval, by whomever; 0: no limit.
	StartBurst    int
	StartInterval time.Duration
}

// Manager is a service manager of systemd, as much of it as a restart needs.
type Manager interface {
	State(ctx context.Context, unit string) (UnitState, error)
	// Do waits for the job and returns its result: done, failed, canceled,
	// timeout, … "done" means that the job is, not that the service is up.
	Do(ctx context.Context, job Job, unit string) (result string, err error)
	ResetFailed(ctx context.Context, unit string) error
}

// Job is what a Manager is asked to do with a unit, in systemctl's words.
type Job string

// The jobs.
const (
	JobRestart Job = "restart"
	JobStop    Job = "stop"
	JobStart   Job = "start"
)

// Dial reaches a Manager. The connection outlives ctx, until done is called.
type Dial func(ctx context.Context) (m Manager, done func(), err error)

const (
	unitPoll = time.Second
)

// StartLimitHit is the Result of a unit that systemd refuses to start until it
// is reset, if it did not fail before: the first failure stays.
const StartLimitHit = "start-limit-hit"

var errStartLimit = errors.New("systemd refuses to start it: start limit hit")

func (r *Restarter) units() []string { return Units(r.opts.Unit, r.opts.Profile) }

// Units lists the names that the gateway's unit may have, by Options.Unit and
// Options.Profile. An OpenClaw profile has a unit of its own, and the unit
// without a profile is somebody else's then.
func Units(unit, profile string) []string {
	switch {
	case unit != "" && !strings.Contains(unit, "."):
		return []string{unit + ".service"}
	case unit != "":
		return []string{unit}
	case profile != "" && profile != "default":
		return []string{"openclaw-gateway-" + profile + ".service"}
	}
	return []string{"openclaw-gateway.service", "clawdbot-gateway.service"} // the second of before it was renamed
}

// askUnit restarts the gateway's unit and then watches it until ctx ends, since
// a unit that fails after its job is done says so nowhere else.
func (r *Restarter) askUnit(dial Dial, systemctl string, live bool) func(context.Context, func(taken)) error {
	return func(ctx context.Context, took func(taken)) error {
		m, done, err := dial(ctx)
		if err != nil {
			return unavailable("%w", err)
		}
		defer done()
		u, err := find(ctx, m, r.units(), systemctl, situation{live: live, ours: r.resetAsked})
		if err != nil {
			return err
		}
		err = u.restart(ctx, took)
		if !errors.Is(err, errStartLimit) {
			return err
		}
		if r.resetDone {
			return fmt.Errorf("%w; it was reset once already since the gateway was last healthy: see why it ends, then %s reset-failed %s", err, systemctl, u.name)
		}
		r.resetAsked = true
		if err := m.ResetFailed(ctx, u.name); err != nil {
			return unavailable("%s: start limit hit, and it could not be reset: %w", u.name, err)
		}
		r.resetDone = true
		u.before = UnitState{}
		if err := u.restart(ctx, took); err != nil {
			return fmt.Errorf("after a reset of its start limit: %w", err)
		}
		return nil
	}
}

// unit is the gateway's unit within its manager.
type unit struct {
	m      Manager
	name   string
	before UnitState
}

// situation is what decides whether a unit that does not run may be started.
type situation struct {
	// live: a gateway answers. Then such a unit is not the one that runs it, and
	// would only fight over the port.
	live bool
	// ours: the unit may be stopped because a reset of ours was not followed by
	// a start, and not because its owner stopped it.
	ours bool
}

// find looks for the first of names that exists and may be restarted.
func find(ctx context.Context, m Manager, names []string, systemctl string, now situation) (unit, error) {
	for _, name := range names {
		s, err := m.State(ctx, name)
		if err != nil {
			return unit{}, unavailable("%s: %w", name, err)
		}
		if s.Load == "not-found" {
			continue
		}
		return unit{m, name, s}, restartable(name, s, systemctl, now)
	}
	return unit{}, unavailable("no unit %s", strings.Join(names, " or "))
}

func restartable(name string, s UnitState, systemctl string, now situation) error {
	switch {
	case s.Load == "masked":
		return unavailable("%s is masked: %s unmask %s, or name another unit in restart.unit", name, systemctl, name)
	case s.Load != "loaded":
		return unavailable("%s cannot be loaded (%s): see %s status %s", name, s.Load, systemctl, name)
	case s.Active == "deactivating", s.Active == "activating" && s.Sub != "auto-restart":
		return &unavailableError{&RefusedError{Err: ErrTooSoon, Why: fmt.Sprintf("%s is %s", name, s.Active)}}
	case s.Active == "inactive" && !now.ours:
		return unavailable("%s is stopped: %s start %s if it should run", name, systemctl, name)
	case s.Active != "active" && now.live:
		return unavailable("%s is %s while a gateway answers: another one runs it", name, s.Active)
	}
	return nil
}

// restart restarts the unit, calls took when systemd has started a new process,
// and watches it until ctx ends. Its errors are certain: systemd said them.
func (u unit) restart(ctx context.Context, took func(taken)) error {
	result, err := u.m.Do(ctx, JobRestart, u.name)
	if err != nil {
		return fmt.Errorf("%s: %w", u.name, err)
	}
	s, err := u.m.State(ctx, u.name)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", u.name, err)
	case s.Active == "failed" && result == "failed" && s.Invocation == u.before.Invocation:
		// It failed without having been started. A unit with Restart=always,
		// as OpenClaw's, that used its limit up by failing says it so only.
		return unavailable("%s: %w", u.name, errStartLimit)
	case failed(s) != nil:
		return unavailable("%s: %w", u.name, failed(s))
	case result != "done":
		return unavailable("%s: the restart job of systemd ended as %q", u.name, result)
	case s.Invocation == u.before.Invocation:
		return unavailable("%s: systemd did not start it again", u.name)
	}
	took(taken{note: u.name + " restarted by systemd", within: beginWithin, gone: true})
	return u.watch(ctx)
}

// watch returns when the unit has failed, or with nil when ctx ends.
func (u unit) watch(ctx context.Context) error {
	for sleep(ctx, unitPoll) == nil {
		s, err := u.m.State(ctx, u.name)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
		if err == nil && failed(s) != nil {
			return unavailable("%s: %w", u.name, failed(s))
		}
	}
	return nil
}

// failed says why systemd has given the unit up; a unit that awaits its next
// automatic start is not given up.
func failed(s UnitState) error {
	switch {
	case s.Active != "failed":
		return nil
	case s.Result == StartLimitHit:
		return errStartLimit
	}
	return fmt.Errorf("it failed (%s)", s.Result)
}
