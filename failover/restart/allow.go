package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MinUptime is how long a gateway must be up before it may be restarted. Its
// start takes 4 to 20 seconds, longer on a busy machine, and a watchdog that
// acts within it keeps the gateway from ever coming up.
const MinUptime = time.Minute

const historyTimeout = 10 * time.Second

// Budget bounds restarts: at most N in any stretch of Per.
type Budget struct {
	N   int
	Per time.Duration
}

// DefaultBudget stays far below the start limits of OpenClaw's own units (5 in
// a minute, 10 in five), which count our restarts too.
var DefaultBudget = Budget{N: 3, Per: 30 * time.Minute}

// Why a restart is refused, told apart with errors.Is.
var (
	ErrBudget  = errors.New("restart budget is spent")
	ErrTooSoon = errors.New("too soon for a restart")
)

// RefusedError says that a restart may not be done now.
type RefusedError struct {
	Err   error     // ErrBudget or ErrTooSoon
	Why   string    // in words
	Until time.Time // when it will be possible; zero: not known
}

// Error says why, and when it will be possible.
func (e *RefusedError) Error() string {
	msg := fmt.Sprintf("%v: %s", e.Err, e.Why)
	if e.Until.IsZero() {
		return msg
	}
	return msg + "; possible from " + e.Until.UTC().Format(time.RFC3339)
}

// Unwrap gives ErrBudget or ErrTooSoon.
func (e *RefusedError) Unwrap() error { return e.Err }

// Allow reports why a restart may not be done at now, or nil. history are the
// earlier ones in any order; started is when the gateway was last started, zero
// where that is not known. The error is a *RefusedError.
func Allow(now time.Time, history []time.Time, b Budget, started time.Time, underWay bool) error {
	if underWay {
		return &RefusedError{Err: ErrTooSoon, Why: "another restart is under way"}
	}
	if up := now.Sub(started); !started.IsZero() && up < MinUptime {
		return &RefusedError{
			Err: ErrTooSoon, Until: started.Add(MinUptime),
			Why: fmt.Sprintf("the gateway started %s ago and may still be on its way up", max(up, 0).Round(time.Second)),
		}
	}
	recent := within(now, history, b.Per)
	if len(recent) < b.N {
		return nil
	}
	e := &RefusedError{Err: ErrBudget, Why: fmt.Sprintf("%d restarts in the last %s, %d allowed", len(recent), b.Per, b.N)}
	if b.N > 0 {
		e.Until = recent[len(recent)-b.N].Add(b.Per)
	}
	return e
}

// within lists, sorted, what lies less than per from now. A time that lies a
// little ahead counts, since the clock may have been set back; one that lies
// far ahead is from a clock that was wrong, and must not block for years.
func within(now time.Time, history []time.Time, per time.Duration) []time.Time {
	var recent []time.Time
	for _, t := range history {
		if now.Sub(t).Abs() < per {
			recent = append(recent, t)
		}
	}
	slices.SortFunc(recent, time.Time.Compare)
	return slices.CompactFunc(recent, time.Time.Equal)
}

// allowed asks Allow with the world as it is, and gives the look at the gateway
// that it is based on.
func (r *Restarter) allowed(ctx context.Context) (sight, error) {
	now := time.Now()
	history, err := r.earlier(ctx, now.Add(-r.opts.Budget.Per))
	if err != nil {
		return sight{}, fmt.Errorf("restart not tried, since the earlier ones could not be read: %w", err)
	}
	// The budget first: it needs no gateway, and a look at one that is down
	// takes a minute.
	if err := Allow(now, history, r.opts.Budget, time.Time{}, false); err != nil {
		return sight{}, err
	}
	s, err := r.settled(ctx)
	if err != nil {
		return s, err
	}
	return s, Allow(time.Now(), history, r.opts.Budget, s.started, false)
}

func (r *Restarter) earlier(ctx context.Context, since time.Time) ([]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	return r.opts.History.Restarts(ctx, since)
}

func (r *Restarter) note(ctx context.Context, at time.Time, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	return r.opts.History.Restarting(ctx, at, reason)
}

// settled looks at the gateway. One that does not answer may be on its way up,
// and is left alone for as long as a start may take; if it comes up in that
// time it counts as started then.
func (r *Restarter) settled(ctx context.Context) (sight, error) {
	s := r.look(ctx)
	for until := time.Now().Add(r.opts.Settle); !s.live && time.Now().Before(until); {
		if err := sleep(ctx, settlePoll); err != nil {
			return s, fmt.Errorf("waiting for the gateway to come up before a restart: %w", err)
		}
		if s = r.look(ctx); s.live && s.started.IsZero() {
			s.started = s.at
		}
	}
	return s, ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
