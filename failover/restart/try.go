package restart

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// beginWithin is how long a gateway that took a request may go on before it
	// stops; OpenClaw itself spaces restarts by 30 s.
	beginWithin = 90 * time.Second
	// doubtFor is how long the gateway is watched after an asking that failed
	// in a way that leaves open whether it was heard.
	doubtFor = 10 * time.Second
)

// errDeadline is why the context of an attempt ends by itself.
var errDeadline = errors.New("deadline of the restart")

// unavailableError marks an error after which it is certain that nothing was
// restarted, so that the next way can be tried at once.
type unavailableError struct{ err error }

func (e *unavailableError) Error() string { return e.err.Error() }
func (e *unavailableError) Unwrap() error { return e.err }

func unavailable(format string, args ...any) error {
	return &unavailableError{fmt.Errorf(format, args...)}
}

// taken says that a restart was taken on.
type taken struct {
	note   string
	within time.Duration // how long it may take to begin
	gone   bool          // the old gateway is known to be gone
}

// way is one way to restart.
type way struct {
	via Via
	// ask asks for a restart and calls took when it was taken on. It may then
	// go on to watch it, until ctx ends. An *unavailableError means that
	// nothing was done, any other that it is not known.
	ask func(ctx context.Context, took func(taken)) error
}

// try tries each way until one brought a new gateway. The deadline counts from
// the first asking and holds for all of them.
func (r *Restarter) try(ctx context.Context, ways []way, wasLive bool, res *Result) error {
	limited, cancel := context.WithTimeoutCause(ctx, r.opts.Deadline, errDeadline)
	defer cancel()
	e := &evidence{asked: time.Now(), wasLive: wasLive}
	failed := &FailedError{}
	for _, w := range ways {
		began := time.Now()
		note, err := r.attempt(limited, w, e)
		step := Step{Name: string(w.via), Took: time.Since(began), Note: note, Err: err}
		res.Steps = append(res.Steps, step)
		if err == nil {
			res.Via, res.Note = w.via, note
			return nil
		}
		failed.Steps = append(failed.Steps, step)
		if ctx.Err() != nil {
			return fmt.Errorf("restart given up: %w", context.Cause(ctx))
		}
		if limited.Err() != nil || errors.Is(err, ErrTooSoon) {
			break
		}
	}
	return failed
}

// attempt asks in one way and watches the gateway meanwhile, since a restart
// can be over before the asking is.
func (r *Restarter) attempt(ctx context.Context, w way, e *evidence) (note string, err error) {
	askCtx, cancel := context.WithCancel(ctx)
	a := &attempt{taken: make(chan taken, 4), ended: make(chan error, 1)}
	var asking sync.WaitGroup
	asking.Go(func() { a.ended <- w.ask(askCtx, func(t taken) { a.taken <- t }) })
	defer func() {
		cancel()
		asking.Wait()
	}()
	poll := time.NewTicker(lookPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.note, fmt.Errorf("no healthy gateway within %s: %s", r.opts.Deadline, e.detail)
		case t := <-a.taken:
			a.accept(t, e)
		case err := <-a.ended:
			if err := a.end(err); err != nil {
				return a.note, err
			}
		case <-a.begin:
			if err := a.begun(e); err != nil {
				return a.note, err
			}
		case <-poll.C:
			if e.back(r.look(ctx)) && a.settled {
				return a.note, nil
			}
		}
	}
}

// attempt is where the asking in one way stands.
type attempt struct {
	taken   chan taken
	ended   chan error
	begin   <-chan time.Time // fires when a restart must have begun; nil: not awaited
	settled bool             // a new gateway is what was asked for
	doubt   error            // what ask failed with
	note    string
}

func (a *attempt) accept(t taken, e *evidence) {
	a.settled, a.note = true, t.note
	a.begin = time.After(t.within)
	e.gone = e.gone || t.gone
}

// end takes in the end of ask, and returns the error that ends the attempt.
func (a *attempt) end(err error) error {
	var no *unavailableError
	if err == nil || errors.As(err, &no) {
		return err
	}
	a.doubt, a.settled = err, true
	a.begin = time.After(doubtFor)
	return nil
}

// begun returns why the attempt has failed where nothing has begun in its time,
// and otherwise looks again later: a gateway that was merely busy comes back as
// the old one.
func (a *attempt) begun(e *evidence) error {
	switch {
	case a.doubt != nil && (!e.gone || !e.wasLive):
		return a.doubt
	case !e.gone:
		return errors.New("the restart was taken on and did not begin")
	}
	a.begin = time.After(doubtFor)
	return nil
}
