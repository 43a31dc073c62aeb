package notify

import (
	"context"
	"encoding/json"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

const (
	// attemptTimeout bounds one attempt, whoever makes it. It is long enough
	// for a chat that is reached by starting OpenClaw's command.
	attemptTimeout = time.Minute
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
	store Store
	log   zerolog.Logger
	now   func() time.Time
	wake  chan struct{}

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
	enabled, err := w.store.Enabled(ctx, w.Name, w.Sender.Target())
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
	sendCtx, cancel := withGrace(ctx, attemptTimeout)
	defer cancel()
	a := w.Sender.Send(sendCtx, w.outgoing(m.ID, m.Body))
	if ctx.Err() != nil && a.Kind == Failed {
		return journal.Outcome{}, false
	}
	o := judge(m, a, w.now(), jitter())
	if o.Err != "" {
		o.Err = w.Sender.Shown() + ": " + o.Err
	}
	if o.Result == journal.Gone {
		o.Target = w.Sender.Target()
	}
	w.report(m, o)
	return o, true
}

// outgoing is a message as the endpoint's kind of sender takes it.
func (w *worker) outgoing(id string, body []byte) Outgoing {
	if w.Sender.Joins() {
		body = text(body)
	}
	return Outgoing{ID: id, Body: body}
}

// text is what a person is to read of an event's JSON.
func text(body []byte) []byte {
	var e event.Event
	if err := json.Unmarshal(body, &e); err != nil || e.Data.Message == "" {
		return body // better than nothing
	}
	return []byte(e.Data.Message)
}

// unsent is the outcome for a message to an endpoint that wants no more.
func (w *worker) unsent(m journal.Message) journal.Outcome {
	return journal.Outcome{
		ID: m.ID, Endpoint: w.Name, Result: journal.Dead, At: w.now(), Attempts: m.Attempts, Refusals: m.Refusals,
		Err: w.Sender.Shown() + ": not sent: it answered 410 Gone before; give it its new address",
	}
}

// withGrace gives an attempt its time, and a little of it after ctx ended.
func withGrace(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
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
		level, text = zerolog.ErrorLevel, "endpoint switched off by its receiver; give it its new address"
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
