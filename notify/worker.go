package notify

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

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
	reader
	wake chan struct{}

	// burst is how long a chat's messages wait for others; 0 once hurried.
	burst   time.Duration
	hurried atomic.Bool

	// made is what came of an attempt and is not stored yet. Nothing else is
	// sent before it is: with a store that fails, a receiver would get the same
	// message again and again.
	made []journal.Outcome
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
	queue, err := w.store.NextMessages(ctx, w.Name, w.reach())
	if err != nil {
		return storeWait, err
	}
	if len(queue) == 0 {
		return idlePoll, nil
	}
	if wait := w.until(queue[0]); wait > 0 {
		return wait, nil
	}
	enabled, err := w.store.Enabled(ctx, w.Name, w.Sender.Target())
	if err != nil {
		return storeWait, err
	}
	p := pack(queue, w.Sender.Joins(), w.reader, w.now())
	if !enabled {
		w.made = w.unsent(p)
	} else if w.made = w.attempt(ctx, p); w.made == nil {
		return 0, nil // stopped; the messages stay as they were
	}
	if err := w.settle(ctx); err != nil {
		return storeWait, err
	}
	return 0, nil
}

// reach is how many messages have to be known to choose what goes out.
func (w *worker) reach() int {
	if w.Sender.Joins() {
		return maxQueue
	}
	return 1
}

// until is how long nothing is sent while m is the oldest message.
func (w *worker) until(m journal.Message) time.Duration {
	wait := untilDue(m.NextAt, w.now())
	if w.Sender.Joins() && !w.hurried.Load() {
		wait = max(wait, untilFull(m, w.burst, w.now()))
	}
	return wait
}

// attempt sends p once. It returns nil where the end of ctx cut it short.
func (w *worker) attempt(ctx context.Context, p parcel) []journal.Outcome {
	sendCtx, cancel := withGrace(ctx, attemptTimeout)
	defer cancel()
	a := w.Sender.Send(sendCtx, p.out)
	if ctx.Err() != nil && a.Kind == Failed {
		return nil
	}
	if a.Kind != Accepted {
		a.Text = w.Sender.Shown() + ": " + a.Text
	}
	now, spread := w.now(), jitter()
	list := make([]journal.Outcome, len(p.members))
	for i, m := range p.members {
		list[i] = judge(m, a, now, spread)
		if a.Kind == Gone {
			list[i].Target = w.Sender.Target()
		}
	}
	w.report(p, list)
	return list
}

// unsent are the outcomes for an endpoint that wants no more.
func (w *worker) unsent(p parcel) []journal.Outcome {
	list := make([]journal.Outcome, len(p.members))
	for i, m := range p.members {
		list[i] = journal.Outcome{
			ID: m.ID, Endpoint: w.Name, Result: journal.Dead, At: w.now(), Attempts: m.Attempts, Refusals: m.Refusals,
			Err: w.Sender.Shown() + ": not sent: it wanted nothing more before; give it its new address",
		}
	}
	return list
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
	if err := w.store.Settle(ctx, w.made); err != nil {
		return err
	}
	w.made = nil
	return nil
}

// report logs what came of an attempt. Members of one text differ where one is
// given up for its age; each kind of end is logged.
func (w *worker) report(p parcel, list []journal.Outcome) {
	for i, o := range list {
		if i > 0 && o.Result == list[i-1].Result {
			continue
		}
		e := w.log.WithLevel(level(o.Result)).Str("id", p.out.ID).Int("attempts", o.Attempts)
		if n := len(list); n > 1 {
			e = e.Int("messages", n)
		}
		if o.Err != "" {
			e = e.Str("error", o.Err)
		}
		if !o.NextAt.IsZero() {
			e = e.Time("next_at", o.NextAt)
		}
		e.Msg(story(o.Result))
	}
}

func level(r journal.Result) zerolog.Level {
	switch r {
	case journal.Delivered:
		return zerolog.InfoLevel
	case journal.Retry:
		return zerolog.WarnLevel
	case journal.Dead, journal.Gone:
	}
	return zerolog.ErrorLevel
}

func story(r journal.Result) string {
	switch r {
	case journal.Delivered:
		return "notification delivered"
	case journal.Retry:
		return "notification not delivered; it is tried again"
	case journal.Gone:
		return "endpoint switched off by its receiver; give it its new address"
	case journal.Dead:
	}
	return "notification given up"
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
