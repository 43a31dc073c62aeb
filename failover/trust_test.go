package failover

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// valid is what a key's probe says: the provider takes it, and tells nobody
// whether it has credit.
func valid() quota.Reading {
	return quota.Reading{Verdict: quota.OK, Source: quota.FromValidity, Reason: "the key is valid; its credit cannot be read"}
}

// trustCases: OpenClaw's reasons are guesses from a status and a text. The
// provider's own word goes before them, where it is about the same thing.
func trustCases() []decideCase {
	paused := func(reason string, d time.Duration) Block { return Block{Until: t0.Add(d), Reason: reason} }
	cooldown := func(reason string, d time.Duration) Block {
		return Block{Until: t0.Add(d), Reason: reason, Transient: true}
	}
	subscription, two := []string{"alice", "key"}, []string{"alice", "bob"}
	return []decideCase{
		{"a valid key without credit is spent, whatever its validity", subscription, nil, []step{
			{reads: reads{"alice": used(10), "key": valid()}, change: "no"},
			{after: minute, do: block(paused("billing", 12*time.Hour), "key"), reads: reads{"key": valid()}, change: "no", state: PoolWarning, events: "profile.exhausted:key"},
			{after: minute, reads: reads{"alice": spent(5 * time.Hour), "key": valid()}, state: PoolDepleted, events: "profile.exhausted:alice pool.depleted:login"},
		}},
		{"a valid key that is refused for an hour is spent as far as anybody can tell", []string{"key"}, nil, []step{
			{do: block(cooldown("rate_limit", time.Hour), "key"), reads: reads{"key": valid()}, state: PoolDepleted, reason: "the only profile is spent", events: "profile.exhausted:key pool.depleted:login"},
		}},
		{"a valid key is left to OpenClaw for its first seconds of refusal", []string{"key"}, nil, []step{
			{do: block(cooldown("rate_limit", 30*time.Second), "key"), reads: reads{"key": valid()}, state: PoolOK},
		}},
		{"a valid key is no refused one", []string{"key", "other"}, nil, []step{
			{do: block(cooldown("auth", time.Hour), "key"), reads: reads{"key": valid(), "other": valid()}, change: "yes", order: "other key", reason: "provider says usable", state: PoolWarning, events: "pool.switched"},
		}},
		{"the end of OpenClaw's billing pause brings no credit", []string{"alice"}, nil, []step{
			{do: block(paused("billing", 8*minute), "alice"), reads: reads{"alice": says(quota.Billing)}, state: PoolDepleted, events: "profile.exhausted:alice pool.depleted:login"},
		}},
		{"spent quota that OpenClaw calls a refused login is back at its reset", two, nil, []step{
			{
				do: block(cooldown("auth", 30*minute), two...), reads: reads{"alice": spent(3 * time.Hour), "bob": spent(4 * time.Hour)}, state: PoolDepleted,
				reason: "all 2 profiles are spent; first back is alice at 13:00 UTC", events: "profile.exhausted:alice profile.exhausted:bob pool.depleted:login",
			},
		}},
		{"a login that OpenClaw calls refused and the provider serves is no dead one", two, nil, []step{
			{
				do: block(cooldown("auth", 12*time.Hour), "alice"), reads: reads{"alice": used(1), "bob": used(1)}, change: "yes", order: "bob alice", state: PoolWarning,
				reason: "blocked by OpenClaw until 22:00 UTC, provider says usable", events: "pool.switched",
			},
		}},
		{"a dead workspace that OpenClaw calls unpaid needs a login", []string{"alice"}, nil, []step{
			{do: block(paused("billing", 10*minute), "alice"), reads: reads{"alice": says(quota.Revoked)}, state: PoolDepleted, reason: "the only profile needs a login", events: "profile.login_required:alice pool.depleted:login"},
		}},
		{"an expired plan that OpenClaw calls a rate limit is not back with its end", []string{"alice"}, nil, []step{
			{do: block(cooldown("rate_limit", 8*minute), "alice"), reads: reads{"alice": says(quota.Billing)}, state: PoolDepleted, events: "profile.exhausted:alice pool.depleted:login"},
		}},
		{"a page in place of the provider is no dead login", []string{"alice"}, nil, []step{
			{reads: reads{"alice": used(1)}, change: "no"},
			{
				after: 15 * minute, do: block(cooldown("auth_permanent", 24*time.Hour), "alice"), reads: reads{"alice": says(quota.Unreachable)}, state: PoolBlind,
			},
		}},
	}
}
