package watchdog

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles"
)

// act does what the plans ask for, one pool after the other.
func (w *Watchdog) act(ctx context.Context, snap profiles.Snapshot, cfg Config) {
	if w.paused != nil {
		return // what is not seen through, or waits for a restart, is in the journal
	}
	if w.restarts.underWay() {
		return // an order set now may be lost with the old process
	}
	fresh := snap
	for i, p := range w.changing() {
		if i == 0 {
			var ok bool
			if fresh, ok = w.snapshot(ctx); !ok {
				return
			}
		}
		if !sameOrder(fresh, p.now) {
			// Somebody was quicker. The next round sees it as a wish.
			w.Log.Info().Str("agent", p.now.Agent).Str("provider", p.now.Provider).
				Msg("the order was changed by somebody else meanwhile: deciding again")
			w.Wake()
			continue
		}
		if p.plan.Change {
			w.apply(ctx, p, cfg)
		} else {
			w.verify(ctx, p, cfg)
		}
	}
	w.runRestart(ctx, cfg)
}

// changing are the pools whose order is to be set or seen through.
func (w *Watchdog) changing() []*pool {
	return slices.DeleteFunc(w.sortedPools(), func(p *pool) bool {
		return !p.listed || !p.plan.Change && p.landed == nil
	})
}

func sameOrder(snap profiles.Snapshot, want profiles.Pool) bool {
	for _, pl := range snap.Pools {
		if pl.Agent == want.Agent && pl.Provider == want.Provider {
			return slices.Equal(pl.Order, want.Order)
		}
	}
	return false
}

// apply sets one pool's order and journals the outcome.
func (w *Watchdog) apply(ctx context.Context, p *pool, cfg Config) {
	start := time.Now()
	pl := p.plan
	log := w.Log.With().Str("agent", pl.Agent).Str("provider", pl.Provider).Strs("order", pl.Order).Logger()
	applied, err := w.Orderer.Set(ctx, pl.Agent, pl.Provider, pl.Order)
	now := time.Now().UTC()
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	key := poolKey(pl.Agent, pl.Provider)
	if err != nil || !applied.Stored {
		p.plan.Memory = failover.Failed(now, pl)
		if p.failed = "OpenClaw's store has another order"; err != nil {
			p.failed = err.Error()
		}
		w.remember(&rd, key, p.plan.Memory)
		w.commit(ctx, rd)
		log.Error().Err(err).Time("retry_at", p.plan.Memory.RetryAt).Msg("the order could not be set")
		return
	}
	memory, events := failover.Confirm(now, pl, w.poolInput(p.now, pl.Memory))
	p.plan.Memory, p.plan.Change, p.failed = memory, false, ""
	p.now.Order = pl.Order
	told := map[string]bool{}
	for _, e := range events {
		w.route(&rd, told, e)
	}
	w.remember(&rd, key, memory)
	w.seenThrough(&rd, p, cfg, *pl.Memory.Intent, applied, now.Sub(start))
	w.commit(ctx, rd)
	log.Info().Str("via", string(applied.Via)).Str("gateway", string(applied.Gateway)).Dur("took_ms", now.Sub(start)).
		Msg("order set: " + pl.Reason)
}

func steps(a profiles.Applied) json.RawMessage {
	doc, err := json.Marshal(a.Steps)
	if err != nil {
		return nil
	}
	return doc
}
