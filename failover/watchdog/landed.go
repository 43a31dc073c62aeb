package watchdog

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles"
)

// landed finds an order of ours in force whose setting was never seen through:
// ocwatch died in it, or an error came back although it worked. The store has
// it; whether the running gateway noticed is still to be asked, and only that
// tells whether a restart is needed.
func (w *Watchdog) landed(rd *journal.Round, p *pool, before failover.Memory) {
	if in := before.Intent; in != nil && slices.Equal(p.now.Order, in.Order) {
		p.landed = in
	}
	key := landedKey(poolKey(p.now.Agent, p.now.Provider))
	if p.landed == nil || !slices.Equal(p.now.Order, p.landed.Order) {
		p.landed = nil
		w.forget(rd, key)
		return
	}
	w.remember(rd, key, p.landed)
}

// verify sees a landed order through. To set an order that the store has
// writes nothing and asks the gateway.
func (w *Watchdog) verify(ctx context.Context, p *pool, cfg Config) {
	start, in := time.Now(), *p.landed
	applied, err := w.Orderer.Set(ctx, p.now.Agent, p.now.Provider, in.Order)
	if err != nil {
		w.Log.Warn().Err(err).Str("agent", p.now.Agent).Str("provider", p.now.Provider).
			Msg("whether the gateway uses the new order could not be seen: it is asked again")
		return
	}
	now := time.Now().UTC()
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	w.seenThrough(&rd, p, cfg, in, applied, now.Sub(start))
	w.commit(ctx, rd)
}

// seenThrough notes that the order of in is in force, and what it calls for.
func (w *Watchdog) seenThrough(rd *journal.Round, p *pool, cfg Config, in failover.Intent, applied profiles.Applied, took time.Duration) {
	p.landed = nil
	w.forget(rd, landedKey(poolKey(p.now.Agent, p.now.Provider)))
	rd.Switches = append(rd.Switches, journal.Switch{
		At: rd.At, Agent: p.now.Agent, Provider: p.now.Provider, From: in.From, To: first(in.Order), Order: in.Order,
		Reason: in.Reason, Via: string(applied.Via), By: author(in), Took: took, Steps: steps(applied),
	})
	w.wantRestart(rd, cfg, in.From != first(in.Order), applied, in.Reason)
}

// author is who wanted the order of in.
func author(in failover.Intent) string {
	if in.Asked {
		return journal.ByPerson
	}
	return journal.ByOcwatch
}

const landedPrefix = "landed/"

// landedKey is where a pool's landed order is journalled.
func landedKey(poolKey string) string { return landedPrefix + strings.TrimPrefix(poolKey, poolPrefix) }
