package login

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const (
	// gatewayLife is that of a whole login, and OpenClaw's own limit for one.
	gatewayLife = 25 * time.Minute
	// pollLimit bounds one wizard.next, which the gateway answers when there is
	// something new. At its end a connection on which even the gateway's ticks
	// stopped is noticed. Those that were given up stay open at the gateway,
	// so that shorter would be many.
	pollLimit = 3 * time.Minute
	// cancelLimit bounds the end of a login that was cancelled.
	cancelLimit = 5 * time.Second
)

// gatewayFlow is a login under way at the gateway.
type gatewayFlow struct {
	gw      Gateway
	session string
	end     context.CancelFunc

	prompted chan struct{} // closed once what is set
	what     Prompt

	cancelled atomic.Bool
	done      chan struct{} // closed once err is set
	err       error
}

// newGatewayFlow follows a login that was started. It outlives ctx.
func newGatewayFlow(ctx context.Context, gw Gateway, session string) *gatewayFlow {
	life, end := context.WithTimeout(context.WithoutCancel(ctx), gatewayLife)
	f := &gatewayFlow{gw: gw, session: session, end: end, prompted: make(chan struct{}), done: make(chan struct{})}
	go f.run(life)
	return f
}

func (f *gatewayFlow) prompt() Prompt { return f.what }

func (f *gatewayFlow) paste(context.Context, string) error { return ErrNoPaste }

func (f *gatewayFlow) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cancel asks OpenClaw to end the login. A login that is being stored just then
// is not ended: it succeeds. Without an answer the connection is closed, which
// ends it too.
func (f *gatewayFlow) cancel() {
	f.cancelled.Store(true)
	ctx, stop := context.WithTimeout(context.Background(), cancelLimit)
	defer stop()
	select {
	case <-f.done:
		return
	default:
		_ = f.abandon(ctx) // what came of it is seen by run
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		f.end()
		<-f.done
	}
}

func (f *gatewayFlow) abandon(ctx context.Context) error {
	return f.gw.Call(ctx, methodCancel, map[string]string{"sessionId": f.session}, nil)
}

// run follows the login to its end.
func (f *gatewayFlow) run(life context.Context) {
	defer close(f.done)
	defer f.end()
	f.err = f.follow(life)
	_ = f.gw.Close() // the login is over; had it not been, this ends it
}

func (f *gatewayFlow) follow(life context.Context) error {
	var next *answer
	for {
		state, err := f.next(life, next)
		next = nil
		switch {
		case err == nil && state.Done:
			return state.ending(f.cancelled.Load())
		case life.Err() != nil:
			return f.outOfTime(life)
		case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, openclaw.ErrGatewayDown):
			continue // nothing new; an answer that went along has arrived
		case err != nil:
			return f.lost(err)
		}
		if next, err = f.take(state.Step); err != nil {
			f.giveUp(life)
			return err
		}
	}
}

// next waits for what comes next, for a while.
func (f *gatewayFlow) next(life context.Context, a *answer) (wizardState, error) {
	ctx, stop := context.WithTimeout(life, pollLimit)
	defer stop()
	params := struct {
		Session string  `json:"sessionId"`
		Answer  *answer `json:"answer,omitempty"`
	}{f.session, a}
	var state wizardState
	err := f.gw.Call(ctx, methodNext, params, &state)
	return state, err
}

// take looks at one step and gives the answer to it.
func (f *gatewayFlow) take(s wizardStep) (*answer, error) {
	p, ok, err := s.prompt(time.Now())
	if err != nil {
		return nil, &FailedError{What: err.Error()}
	}
	select {
	case <-f.prompted: // the later steps repeat it
	default:
		if ok {
			f.what = p
			close(f.prompted)
		}
	}
	a, err := s.reply()
	if err != nil {
		return nil, &FailedError{What: err.Error(), Fix: "log in with openclaw models auth login"}
	}
	return a, nil
}

// giveUp ends a login that cannot go on, also when life has ended.
func (f *gatewayFlow) giveUp(life context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(life), cancelLimit)
	defer stop()
	_ = f.abandon(ctx) // closing the connection ends it too
}

// outOfTime: the whole time was up, or cancel did not wait any longer.
func (f *gatewayFlow) outOfTime(life context.Context) error {
	if f.cancelled.Load() {
		return ErrCancelled
	}
	f.giveUp(life)
	return ErrExpired
}

// lost: a new connection does not help, since OpenClaw ends a login along with
// the connection that it was started on.
func (f *gatewayFlow) lost(err error) error {
	refused, ok := errors.AsType[*openclaw.RPCError](err)
	switch {
	case f.cancelled.Load():
		return ErrCancelled
	case ok && refused.Code == "UNAVAILABLE": // it drains, for a restart or its end
		return &FailedError{What: "the gateway stops or restarts, which ends the login", Fix: "start it again once the gateway is back"}
	case errors.Is(err, openclaw.ErrGatewayDown), ok && refused.Detail == "WIZARD_NOT_FOUND":
		return &FailedError{What: "the connection to the gateway was lost, and the login ended with it", Fix: "start it again once the gateway is back"}
	case ok:
		return &FailedError{What: inWords(refused.Message)}
	default:
		return &FailedError{What: inWords(err.Error())}
	}
}
