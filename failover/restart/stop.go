package restart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Stop stops the gateway that service runs, once its work has ended or the drain
// is over, and returns when it is down. A person asks for it, so that it counts
// for no budget. After an error the gateway may be up or down: Start with the
// same Service is right in either case. Stopping one that is down does nothing.
func (r *Restarter) Stop(ctx context.Context, service Service) error {
	if !service.Running() {
		return nil
	}
	if !r.busy.TryLock() {
		return &RefusedError{Err: ErrTooSoon, Why: "a restart is under way"}
	}
	defer r.busy.Unlock()
	if err := notInside(service.Unit); err != nil {
		return fmt.Errorf("gateway not stopped: %w", err)
	}
	began := time.Now()
	res := Result{}
	if _, err := r.drain(ctx, &res); err != nil {
		return err
	}
	err := r.within(ctx, func(ctx context.Context) error {
		if err := r.order(ctx, service, JobStop); err != nil {
			return err
		}
		return r.await(ctx, service, JobStop)
	})
	if err != nil {
		return fmt.Errorf("gateway not stopped: %w", err)
	}
	r.opts.Log.Info().Str("via", string(service.Via)).Str("unit", service.Unit).Dur("took", time.Since(began)).Msg("gateway stopped")
	return nil
}

// Start starts the gateway again by way of the Service that ran it, and returns
// when it is healthy. One that is up already is left alone.
func (r *Restarter) Start(ctx context.Context, service Service) error {
	if !service.Running() {
		return nil
	}
	if !r.busy.TryLock() {
		return &RefusedError{Err: ErrTooSoon, Why: "a restart is under way"}
	}
	defer r.busy.Unlock()
	began := time.Now()
	err := r.within(ctx, func(ctx context.Context) error {
		if service.up(r.look(ctx)) {
			return nil
		}
		if err := r.order(ctx, service, JobStart); err != nil {
			return err
		}
		return r.await(ctx, service, JobStart)
	})
	if err != nil {
		return fmt.Errorf("gateway not started: %w", err)
	}
	r.opts.Log.Info().Str("via", string(service.Via)).Str("unit", service.Unit).Dur("took", time.Since(began)).Msg("gateway started")
	return nil
}

func (r *Restarter) within(ctx context.Context, act func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.opts.Deadline, errDeadline)
	defer cancel()
	return act(ctx)
}

// order has the service manager do one job.
func (r *Restarter) order(ctx context.Context, service Service, job Job) error {
	if service.Via == CLI {
		return r.orderCLI(ctx, job)
	}
	m, done, err := r.manager(ctx, service.Via)
	if err != nil {
		return err
	}
	defer done()
	result, err := m.Do(ctx, job, service.Unit)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", service.Unit, err)
	case result != "done":
		return fmt.Errorf("%s: the %s job of systemd ended as %q", service.Unit, job, result)
	}
	return nil
}

func (r *Restarter) manager(ctx context.Context, via Via) (Manager, func(), error) {
	if via == SystemdUser {
		return r.opts.UserBus(ctx)
	}
	return r.opts.SystemBus(ctx)
}

// orderCLI takes neither the exit code nor "ok" for an answer: both are given
// where there was nothing to do it to.
func (r *Restarter) orderCLI(ctx context.Context, job Job) error {
	out, err := r.opts.CLI.Run(ctx, nil, "gateway", string(job), "--json")
	if err != nil {
		return err
	}
	var said struct {
		OK     bool   `json:"ok"`
		Result string `json:"result"`
	}
	start := bytes.IndexByte(out.Stdout, '{')
	if start < 0 || json.NewDecoder(bytes.NewReader(out.Stdout[start:])).Decode(&said) != nil {
		return fmt.Errorf("openclaw gateway %s --json did not answer in JSON", job)
	}
	if !said.OK || said.Result == "not-loaded" {
		return fmt.Errorf("openclaw gateway %s failed (result %.40q)", job, said.Result)
	}
	return nil
}

func (s Service) up(seen sight) bool { return seen.live || s.Mute && seen.answers }

// await looks until the job has shown several times in a row: a gateway that is
// busy misses a look, and one that is being killed may answer once more.
func (r *Restarter) await(ctx context.Context, service Service, job Job) error {
	poll := time.NewTicker(lookPoll)
	defer poll.Stop()
	for shown := 0; shown < missesGone; {
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, errDeadline) {
				return cause
			}
			return fmt.Errorf("the %s has not shown on /healthz after %s", job, r.opts.Deadline)
		case <-poll.C:
		}
		s := r.look(ctx)
		if job == JobStop && s.down || job == JobStart && service.up(s) {
			shown++
			continue
		}
		shown = 0
		if job == JobStart {
			if err := r.given(ctx, service); err != nil {
				return err
			}
		}
	}
	return nil
}

// given says why systemd has given the unit up.
func (r *Restarter) given(ctx context.Context, service Service) error {
	if service.Via == CLI {
		return nil
	}
	m, done, err := r.manager(ctx, service.Via)
	if err != nil {
		return nil // the gateway's own answer is what counts
	}
	defer done()
	if s, err := m.State(ctx, service.Unit); err == nil && failed(s) != nil {
		return fmt.Errorf("%s: %w", service.Unit, failed(s))
	}
	return nil
}
