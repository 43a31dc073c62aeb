package config

import (
	"cmp"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// settings looks a provider up under its own name, then under the one that
// OpenClaw gives it today.
func settings[T any](of map[string]T, provider string) (T, bool) {
	if s, ok := of[provider]; ok {
		return s, true
	}
	s, ok := of[quota.Canonical(provider)]
	return s, ok
}

// For returns how a provider is asked, Every filled in.
func (p Probe) For(provider string) Provider {
	s, _ := settings(p.Providers, provider)
	if s.Every == 0 {
		s.Every = defaultPace
	}
	return s
}

// Policy returns the owner's wish for the pools of a provider.
func (c *Config) Policy(provider string) failover.Policy {
	f := c.Failover
	pool, _ := settings(f.Pools, provider)
	return failover.Policy{
		Strategy:    failover.Strategy(cmp.Or(pool.Strategy, f.Strategy)),
		SwitchAt:    or(pool.SwitchAt, f.SwitchAt),
		ReturnBelow: or(pool.ReturnBelow, f.ReturnBelow),
		MinDwell:    or(pool.MinDwell, f.MinDwell),
		Paid:        failover.Paid(cmp.Or(pool.Paid, f.Paid)),
		LoginAfter:  c.Notify.LoginAfter,
		RemindEvery: c.Notify.RemindEvery,
		Prefer:      pool.Prefer,
		Keep:        pool.Keep,
		Models:      c.Probe.For(provider).Models,
	}
}
