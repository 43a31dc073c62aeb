package restart

import (
	"context"
	"fmt"
	"time"
)

const (
	preflightMethod = "gateway.restart.preflight"
	requestMethod   = "gateway.restart.request"

	drainPoll   = 2 * time.Second
	callTimeout = 10 * time.Second // of one RPC; the gateway answers in milliseconds
)

// preflight is what the gateway says of its work.
type preflight struct {
	Safe   bool `json:"safe"`
	Counts struct {
		TotalActive int `json:"totalActive"`
	} `json:"counts"`
}

func (p preflight) idle() bool { return p.Safe || p.Counts.TotalActive == 0 }

// drain waits until the gateway has no active work, at most Options.Drain.
// forced reports that work was still active when the wait was over. Not being
// able to ask is no error: a gateway that is down or too old to tell has to be
// restarted all the same.
func (r *Restarter) drain(ctx context.Context, res *Result) (forced bool, err error) {
	if r.opts.Drain < 0 {
		return false, nil
	}
	began := time.Now()
	note, forced := r.waitIdle(ctx, began.Add(r.opts.Drain))
	err = ctx.Err()
	res.Steps = append(res.Steps, Step{Name: "drain", Took: time.Since(began), Note: note, Err: err})
	if err != nil {
		return forced, fmt.Errorf("waiting for the gateway's work to end: %w", err)
	}
	return forced, nil
}

func (r *Restarter) waitIdle(ctx context.Context, until time.Time) (note string, forced bool) {
	began := time.Now()
	if has, err := r.has(ctx, preflightMethod); err != nil {
		return "the gateway could not be asked for its work: " + err.Error(), false
	} else if !has {
		return "this gateway does not tell its work", false
	}
	for {
		var p preflight
		if err := r.call(ctx, preflightMethod, struct{}{}, &p); err != nil {
			return "the gateway could not be asked for its work: " + err.Error(), false
		}
		if p.idle() {
			return fmt.Sprintf("idle after %s", time.Since(began).Round(time.Second)), false
		}
		if left := time.Until(until); left <= 0 {
			return fmt.Sprintf("%d still active after %s", p.Counts.TotalActive, r.opts.Drain), true
		} else if sleep(ctx, min(drainPoll, left)) != nil {
			return fmt.Sprintf("%d still active when it was given up", p.Counts.TotalActive), true
		}
	}
}

func (r *Restarter) has(ctx context.Context, method string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.opts.Gateway.Has(ctx, method)
}

func (r *Restarter) call(ctx context.Context, method string, params, result any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.opts.Gateway.Call(ctx, method, params, result)
}
