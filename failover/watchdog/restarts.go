package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// restartKey is the wanted restart in the journal: it outlives ocwatch.
const restartKey = "restart/wanted"

// restartAgain is the pause after a restart that failed or was refused.
const restartAgain = time.Minute

// wanted is a restart that a switch calls for.
type wanted struct {
	Reason string `json:"reason"`
	Idle   bool   `json:"idle,omitempty"` // only once nothing is active
	Told   bool   `json:"told,omitempty"` // that it failed, or may not be
	Held   string `json:"held,omitempty"` // why it was not done yet
	// After is the earliest time for it. It is not kept: the restarter has a
	// budget that outlives ocwatch, and a clock may be set back.
	After time.Time `json:"-"`
}

// restartQueue runs one restart at a time beside the rounds: a restart may
// take eleven minutes, and watching must not stop for that.
type restartQueue struct {
	pending *wanted // guarded by Watchdog.round
	running sync.WaitGroup
	mu      sync.Mutex
	over    chan struct{} // closed at the end of the one under way; nil: there is none
}

func (q *restartQueue) underWay() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.over != nil
}

func (q *restartQueue) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = make(chan struct{})
}

func (q *restartQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.over)
	q.over = nil
}

// settled waits until no restart is under way, or until ctx ends.
func (q *restartQueue) settled(ctx context.Context) error {
	q.mu.Lock()
	over := q.over
	q.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *restartQueue) wait() { q.running.Wait() }

// wantRestart notes a restart where the switch needs one.
func (w *Watchdog) wantRestart(rd *journal.Round, cfg Config, firstChanged bool, a profiles.Applied, reason string) {
	switch cfg.Restart {
	case RestartNever:
		if a.Gateway == profiles.ViewOld {
			w.Log.Warn().Msg("the running gateway still uses the old order, and restart.when is never: run openclaw gateway restart")
		}
		return
	case RestartAuto:
		if a.Gateway != profiles.ViewOld {
			return
		}
		reason = "the running gateway still uses the old order: " + reason
	case RestartIdle, RestartAlways:
		if !firstChanged {
			return
		}
	}
	next := &wanted{Reason: reason, Idle: cfg.Restart == RestartIdle}
	if p := w.restarts.pending; p != nil {
		next.Told = p.Told // somebody was alarmed, and waits for the end of it
	}
	w.restarts.pending = next
	w.remember(rd, restartKey, w.restarts.pending)
}

// runRestart starts the wanted restart where it may run now.
func (w *Watchdog) runRestart(ctx context.Context, cfg Config) {
	p := w.restarts.pending
	if p == nil || time.Now().Before(p.After) || w.restarts.underWay() {
		return
	}
	if cfg.Restart == RestartNever {
		rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
		if p.Told {
			w.raise(&rd, downKey, &w.gateway.alarm) // it ends as soon as the gateway answers
		}
		w.endRestart(ctx, rd, nil)
		return
	}
	if p.Idle && !w.idle(ctx) {
		return
	}
	// Should all of the below end in a panic, it is not tried again at once.
	p.After = time.Now().Add(restartAgain)
	w.restarts.begin()
	w.restarts.running.Go(func() {
		defer w.Wake()
		defer w.restarts.end()
		defer w.survive("a restart could not be finished")
		res, err := w.tryRestart(ctx, p.Reason)
		w.restarted(ctx, *p, res, err)
	})
}

// tryRestart makes an error of a panic.
func (w *Watchdog) tryRestart(ctx context.Context, reason string) (res restart.Result, err error) {
	returned := false
	defer func() {
		if !returned {
			err = errors.New("the restart failed within ocwatch")
		}
	}()
	defer w.survive("a restart failed")
	res, err = w.Restarter.Restart(ctx, reason)
	returned = true
	return res, err
}

// YieldLogins makes way for a restart that may run now: a login under way is
// work to the gateway, which would be waited for until the drain is over, and
// the restart would end it all the same. Whoever was told of a code hears that
// it is void; what is not told yet gets its code after the restart. It must not
// be called within a round.
func (w *Watchdog) YieldLogins() {
	if w.Logins == nil {
		return
	}
	untold := map[string]bool{}
	w.round.Lock()
	for key, p := range w.pools {
		if p.fetch != nil {
			untold[key] = true
			w.stopFetch(p)
		}
	}
	w.round.Unlock()
	w.Logins.Yield(func(agent, provider string) {
		if !untold[poolKey(agent, provider)] {
			w.LoginDone(agent, provider, login.Result{}, errRestart)
		}
	})
	w.Wake()
}

// errRestart is what became of a login that made way.
var errRestart = &login.FailedError{
	What: "the gateway stops or restarts, which ends the login", Fix: "start it again once the gateway is back",
}

func (w *Watchdog) idle(ctx context.Context) bool {
	idle, err := w.Gateway.Idle(ctx)
	if err != nil {
		w.Log.Debug().Err(err).Msg("whether the gateway is idle cannot be told: the restart waits")
	}
	return err == nil && idle
}

// restarted journals how a restart went. It runs beside the rounds and takes
// their lock.
func (w *Watchdog) restarted(ctx context.Context, p wanted, res restart.Result, err error) {
	if ctx.Err() != nil {
		return // ocwatch stops; the wish is in the journal
	}
	w.round.Lock()
	defer w.round.Unlock()
	now := time.Now().UTC()
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	var refused *restart.RefusedError
	switch {
	case errors.As(err, &refused):
		if p.After = now.Add(restartAgain); refused.Until.After(now) {
			p.After = refused.Until.UTC()
		}
		w.Log.Warn().Err(err).Time("retry_at", p.After).Msg("the gateway is not restarted now")
		p.Held = err.Error()
		if errors.Is(err, restart.ErrBudget) && !p.Told {
			// The budget is there to end a loop that nobody watches: somebody
			// has to look now.
			w.alert(&rd, "it is not restarted again: "+p.Held+"; wanted since "+p.Reason)
			p.Told = true
		}
		w.endRestart(ctx, rd, &p)
		return
	case err != nil:
		p.After = now.Add(restartAgain)
		rd.Restarts = append(rd.Restarts, record(now, p, res, err))
		if !p.Told {
			w.gatewayDown(&rd, "restart failed: "+err.Error())
			p.Told = true
		}
		w.endRestart(ctx, rd, &p)
		return
	}
	rd.Restarts = append(rd.Restarts, record(now, p, res, nil))
	data := event.Data{Reason: p.Reason}
	if w.gateway.alarm != nil || p.Told {
		data.Ends = event.GatewayDown
	}
	w.lower(&rd, downKey, &w.gateway.alarm)
	w.route(&rd, map[string]bool{}, event.Event{Type: event.GatewayRestarted, Timestamp: now, Data: data})
	w.endRestart(ctx, rd, nil)
}

func (w *Watchdog) endRestart(ctx context.Context, rd journal.Round, next *wanted) {
	w.restarts.pending = next
	if next == nil {
		w.forget(&rd, restartKey)
	} else {
		w.remember(&rd, restartKey, next)
	}
	w.commit(ctx, rd)
}

func record(now time.Time, p wanted, res restart.Result, err error) journal.Restart {
	r := journal.Restart{At: now, Reason: p.Reason, Via: string(res.Via), OK: err == nil, Took: res.Took}
	if err != nil {
		r.Err = err.Error()
	}
	return r
}
