package watchdog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// Round reads, probes, decides and acts once. It returns when the next round
// is due at the latest, zero where only the schedule counts.
func (w *Watchdog) Round(ctx context.Context) time.Time {
	w.round.Lock()
	defer w.round.Unlock()
	cfg, news := w.config(), w.loginNews()
	snap, ok := w.snapshot(ctx)
	if !ok {
		w.tellUnreadable(ctx, news)
		w.publish(snap)
		// The round is complete: restarting ocwatch would mend nothing.
		w.Beat("openclaw's state cannot be read: nothing is changed until it can")
		return time.Time{}
	}
	rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
	w.recall(ctx, rd.At, snap, cfg)
	w.repace(rd.At, snap, cfg)
	w.noticeBlocks(snap, cfg)
	w.reread(ctx, snap, w.noticeLogins(snap, news, cfg))
	rd.Readings = w.probe(ctx, rd.At, cfg, snap)
	if ctx.Err() != nil {
		return time.Time{}
	}
	plans := w.learn(ctx, &rd, snap, news, cfg)
	if ctx.Err() != nil {
		return time.Time{} // what is not in the journal is not acted on
	}
	// What the log tells is in the status. Acting may take a minute.
	w.publish(snap)
	for _, c := range plans {
		w.logPlan(c.before, c.plan)
	}
	w.fetchCodes(ctx)
	w.act(ctx, snap, cfg)
	w.publish(snap)
	w.Beat(w.summary())
	return w.nextRound(cfg)
}

// learn decides and journals it. What a panic leaves unwritten is written with
// the next round.
func (w *Watchdog) learn(ctx context.Context, rd *journal.Round, snap profiles.Snapshot, news []loginNews, cfg Config) []decided {
	complete := false
	defer func() {
		if !complete {
			w.owe(*rd)
		}
	}()
	w.tellReadable(rd)
	plans := w.decide(rd, snap, w.sortLogins(rd, snap, news), cfg)
	w.watchGateway(ctx, rd)
	complete = true
	w.commit(ctx, *rd)
	return plans
}

// Check reads, probes and decides once, and acts on nothing.
func (w *Watchdog) Check(ctx context.Context) (Status, error) {
	w.round.Lock()
	defer w.round.Unlock()
	cfg, news := w.config(), w.loginNews()
	snap, err := w.Source.Snapshot(ctx)
	if err != nil {
		return Status{}, err
	}
	rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
	w.recall(ctx, rd.At, snap, cfg)
	w.noticeLogins(snap, news, cfg)
	w.probe(ctx, rd.At, cfg, snap)
	if err := ctx.Err(); err != nil {
		return Status{}, fmt.Errorf("check: %w", err)
	}
	plans := w.decide(&rd, snap, w.sortLogins(&rd, snap, news), cfg)
	w.watchGateway(ctx, &rd)
	w.publish(snap)
	for _, c := range plans {
		w.logPlan(c.before, c.plan)
	}
	return w.Status(), nil
}

// snapshot reads OpenClaw. Where it cannot be read nothing is decided: that is
// blindness of ours, not a fact about quota.
func (w *Watchdog) snapshot(ctx context.Context) (profiles.Snapshot, bool) {
	snap, err := w.Source.Snapshot(ctx)
	if err != nil {
		if msg := err.Error(); msg != w.snapErr {
			w.snapErr = msg
			w.Log.Error().Err(err).Msg("openclaw's state cannot be read: nothing is changed until it can")
		}
		return snap, false
	}
	w.unread.rounds = 0
	if w.snapErr != "" {
		w.snapErr = ""
		w.Log.Info().Msg("openclaw's state can be read again")
	}
	return snap, true
}

// decided is what one round decided for a pool, and what was before.
type decided struct{ before, plan failover.Plan }

// decide runs the decision for every pool and forgets those that are gone.
// loggedIn are the profiles that logins brought, by pool.
func (w *Watchdog) decide(rd *journal.Round, snap profiles.Snapshot, loggedIn map[string][]string, cfg Config) []decided {
	plans := make([]decided, 0, len(snap.Pools))
	seen := map[string]bool{}
	told := map[string]bool{}
	forecasts := map[string]forecast.Forecast{}
	w.checkPause(rd)
	w.shared = snap.Layout == openclaw.SharedDatabase
	for _, pl := range snap.Pools {
		key := poolKey(pl.Agent, pl.Provider)
		seen[key] = true
		p := w.pool(key)
		before := p.plan
		p.now, p.listed = pl, true
		in := w.poolInput(pl, before.Memory)
		in.LoggedIn, in.Pin, in.Paused = loggedIn[key], before.Pin, w.paused != nil
		p.plan = failover.Decide(rd.At, cfg.Policy(pl.Provider), in)
		recordEpisodes(rd, before.Memory, p.plan)
		plans = append(plans, decided{before, p.plan})
		warnings := w.foresee(rd, p, cfg, forecasts)
		for _, e := range append(w.holdAsks(rd, p, before.Memory), warnings...) {
			if !p.foretold(e) {
				w.route(rd, told, e)
			}
		}
		if p.plan.Adopted || p.plan.Promoted {
			rd.Switches = append(rd.Switches, adopted(rd.At, before, p.plan))
		}
		w.remember(rd, key, p.plan.Memory)
		w.rememberPin(rd, p)
		w.landed(rd, p, before.Memory)
	}
	for key, p := range w.pools {
		switch {
		case seen[key]:
		case len(snap.Problems) == 0:
			w.stopFetch(p)
			endEpisodes(rd, key, p.plan.Memory)
			delete(w.pools, key)
			w.forget(rd, key)
			w.forget(rd, landedKey(key))
			w.forget(rd, asksKey(key))
			w.forget(rd, pinKey(key))
			w.forget(rd, toldKey(key))
		default:
			// A pool whose store cannot be read now is not gone, and its last
			// plan is nothing to act on.
			p.listed, p.plan.NextLook = false, time.Time{}
		}
	}
	w.rememberAccounts(rd, snap)
	return plans
}

func (w *Watchdog) poolInput(pl profiles.Pool, m failover.Memory) failover.Pool {
	in := failover.Pool{Agent: pl.Agent, Provider: pl.Provider, Order: pl.Order, Memory: m}
	for _, p := range pl.Profiles {
		in.Candidates = append(in.Candidates, w.candidate(p))
	}
	return in
}

// nextRound is the earliest time that a plan, an account or a restart names.
func (w *Watchdog) nextRound(cfg Config) time.Time {
	var next time.Time
	take := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, p := range w.pools {
		take(p.plan.NextLook)
	}
	for _, a := range w.accounts {
		if a.listed {
			take(a.next)
			take(a.liveNext())
		}
	}
	if w.paused != nil {
		take(w.paused.Until)
	}
	if p := w.restarts.pending; p != nil && p.After.After(time.Now()) {
		take(p.After)
	}
	if soonest := time.Now().Add(cfg.MinGap); !next.IsZero() && next.Before(soonest) {
		return soonest
	}
	return next
}
