package failover

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Where usage cannot be read, OpenClaw's record alone decides: no active block
// means available, with a quota that nobody knows.
func unsupportedCases() []decideCase {
	two := []string{"alice", "bob"}
	all := reads{"alice": says(quota.Unsupported), "bob": says(quota.Unsupported)}
	limit := func(reason string, d time.Duration, transient bool) Block {
		return Block{Until: t0.Add(d), Reason: reason, Transient: transient}
	}
	return []decideCase{
		{"unsupported: without a block it is available", two, nil, []step{
			{reads: all, order: "alice bob", change: "no", state: PoolOK, reason: "alice is first and available (usage cannot be read)"},
			{after: 24 * time.Hour, reads: all, change: "no", state: PoolOK},
		}},
		{"unsupported: a recorded limit is left and come back from", two, nil, []step{
			{reads: all, change: "no"},
			{after: minute, do: block(limit("subscription_limit", 2*time.Hour, false), "alice"), order: "bob alice", change: "yes", reason: "OpenClaw recorded subscription_limit until", events: "profile.exhausted:alice pool.switched"},
			{after: time.Hour, order: "bob alice", change: "no", state: PoolWarning},
			{after: time.Hour + minute, order: "alice bob", change: "yes", events: "profile.recovered:alice pool.switched"},
		}},
		{"unsupported: so is a rate limit, the only sign of spent quota there", two, nil, []step{
			{reads: all, change: "no"},
			{after: minute, do: block(limit("rate_limit", time.Hour, true), "alice"), order: "bob alice", change: "yes", events: "profile.exhausted:alice pool.switched"},
		}},
		{"unsupported: missing credit is left", two, nil, []step{
			{reads: all, change: "no"},
			{after: minute, do: block(limit("billing", 10*time.Hour, false), "alice"), order: "bob alice", change: "yes", events: "profile.exhausted:alice pool.switched"},
		}},
		{"unsupported: a short cooldown is OpenClaw's own business", two, nil, []step{
			{reads: all, change: "no"},
			{after: minute, do: block(limit("timeout", 30*time.Second, true), "alice"), order: "alice bob", change: "no", state: PoolOK},
		}},
		{"unsupported: all blocked is depleted, and over with the first block", two, nil, []step{
			{reads: all, change: "no"},
			{after: minute, do: block(limit("subscription_limit", time.Hour, false), two...), change: "no", state: PoolDepleted, reason: "first back is alice at 11:01 UTC", events: "profile.exhausted:alice profile.exhausted:bob pool.depleted:login"},
			{after: time.Hour + minute, change: "no", state: PoolOK, events: "profile.recovered:alice profile.recovered:bob pool.recovered"},
		}},
		{"unsupported: one whose usage can be read is no better for it", two, nil, []step{
			{reads: reads{"alice": says(quota.Unsupported), "bob": used(1)}, order: "alice bob", change: "no", state: PoolOK},
		}},
	}
}
