package watchdog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/profiles"
)

// pool is what the loop keeps of one agent's profiles of one provider.
type pool struct {
	now  profiles.Pool // as last read
	plan failover.Plan // as last decided
	// landed is an order of ours in force that is still to be seen through.
	landed *failover.Intent
	listed bool // the last snapshot had it
	// failed is why the order could not be set, "" where it could.
	failed string
	// asks are events that wait for a login's code, and fetch brings it.
	asks  []ask
	fetch *fetch
	// outlook is what lies ahead, and told what was told of it.
	outlook outlook
	told    forecast.Told
}

// summary is one line for systemctl status.
func (w *Watchdog) summary() string {
	parts := make([]string, 0, len(w.pools))
	for _, p := range w.sortedPools() {
		parts = append(parts, fmt.Sprintf("%s/%s %s: %s", p.plan.Agent, p.plan.Provider, p.plan.State, first(p.plan.Order)))
	}
	if len(parts) == 0 {
		return "no profiles found"
	}
	return strings.Join(parts, "; ")
}

// sortedPools lists the pools that were decided on in this life of ocwatch.
func (w *Watchdog) sortedPools() []*pool {
	out := make([]*pool, 0, len(w.pools))
	for _, p := range w.pools {
		if p.plan.State != "" {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *pool) int {
		return cmp.Or(cmp.Compare(a.plan.Agent, b.plan.Agent), cmp.Compare(a.plan.Provider, b.plan.Provider))
	})
	return out
}

const poolPrefix = "pool/"

func poolKey(agent, provider string) string { return poolPrefix + agent + "/" + provider }

func first(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}
