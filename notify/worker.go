package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/journal"
)

const (
	// attemptTimeout bounds one attempt, the answer's body included.
	attemptTimeout = 15 * time.Second
	// stopGrace is what an attempt under way still gets at the end. Whoever
	// stops a Notifier may have waited for it before, and a person waits too.
	stopGrace = time.Second
	// settleLimit bounds the storing of an outcome, which a stop waits for.
	settleLimit = 5 * time.Second
	// idlePoll is how often the outbox is looked at though nobody called
	// Wake. It costs one indexed read.
	idlePoll = 5 * time.Minute
	// storeWait is how long a failing store is left alone.
	storeWait = 30 * time.Second
)

// worker serves one endpoint: one message at a time, so that the order holds.
type worker struct {
	Endpoint
	key    Key
	shown  string // what may be shown of the URL: scheme and host
	target string // a hash of the URL
	agent  string
	store  Store
	client *http.Client
	log    zerolog.Logger
	now    func() time.Time
	wake   chan struct{}

	// made is an attempt that was made and is not stored yet. Nothing else
	// is sent before it is: with a store that fails, a receiver would get the
	// same message again and again.
	made *journal.Outcome
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := w.step(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error().Err(err).Msg("the outbox cannot be used; notifications wait")
		}
		w.sleep(ctx, wait)
	}
	if w.made != nil {
		// The last chance to save the receiver a repetition.
		if err := w.settle(ctx); err != nil {
			w.log.Error().Err(err).Msg("a notification's outcome could not be stored; it may be sent again")
		}
	}
}

// step brings the endpoint's queue on by one attempt and says how long nothing
// needs to be done then.
func (w *worker) step(ctx context.Context) (time.Duration, error) {
	if w.made != nil {
		if err := w.settle(ctx); err != nil {
			return storeWait, err
		}
	}
	m, ok, err := w.store.NextMessage(ctx, w.Name)
	if err != nil {
		return storeWait, err
	}
	if !ok {
		return idlePoll, nil
	}
	if wait := untilDue(m.NextAt, w.now()); wait > 0 {
		return wait, nil
	}
	enabled, err := w.store.Enabled(ctx, w.Name, w.target)
	if err != nil {
		return storeWait, err
	}
	if !enabled {
		o := w.unsent(m)
		w.made = &o
	} else if o, done := w.attempt(ctx, m); done {
		w.made = &o
	} else {
		return 0, nil // stopped; the message stays as it was
	}
	if err := w.settle(ctx); err != nil {
		return storeWait, err
	}
	return 0, nil
}

// attempt sends m once. It reports false where the end of ctx cut it short.
func (w *worker) attempt(ctx context.Context, m journal.Message) (journal.Outcome, bool) {
	sendCtx, cancel := withGrace(ctx)
	defer cancel()
	a := w.post(sendCtx, m.ID, m.Body)
	if ctx.Err() != nil && a.status == 0 {
		return journal.Outcome{}, false
	}
	o := judge(m, a, w.now(), jitter())
	if o.Err != "" {
		o.Err = w.shown + ": " + o.Err
	}
	if o.Result == journal.Gone {
		o.Target = w.target
	}
	w.report(m, o)
	return o, true
}

// unsent is the outcome for a message to an endpoint that wants no more.
func (w *worker) unsent(m journal.Message) journal.Outcome {
	return journal.Outcome{
		ID: m.ID, Endpoint: w.Name, Result: journal.Dead, At: w.now(), Attempts: m.Attempts, Refusals: m.Refusals,
		Err: w.shown + ": not sent: it answered 410 Gone before; give the webhook its new url",
	}
}

// withGrace gives an attempt its time, and a little of it after ctx ended.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })
	return out, func() {
		stop()
		cancel()
	}
}

// settle stores the attempt that was made, also while ocwatch is stopping.
func (w *worker) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	if err := w.store.Settle(ctx, *w.made); err != nil {
		return err
	}
	w.made = nil
	return nil
}

func (w *worker) report(m journal.Message, o journal.Outcome) {
	level := zerolog.WarnLevel
	text := "notification not delivered; it is tried again"
	switch o.Result {
	case journal.Delivered:
		level, text = zerolog.InfoLevel, "notification delivered"
	case journal.Retry:
	case journal.Dead:
		level, text = zerolog.ErrorLevel, "notification given up"
	case journal.Gone:
		level, text = zerolog.ErrorLevel, "webhook switched off by its receiver; give it its new url"
	}
	e := w.log.WithLevel(level).Str("id", m.ID).Int("attempts", o.Attempts)
	if o.Err != "" {
		e = e.Str("error", o.Err)
	}
	if !o.NextAt.IsZero() {
		e = e.Time("next_at", o.NextAt)
	}
	e.Msg(text)
}

// sleep waits for d, for Wake or for the end.
func (w *worker) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-t.C:
	}
}
