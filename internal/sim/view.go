package sim

import (
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// View is what a controller can see and do.
type View struct{ run *run }

// Accounts are the accounts, as OpenClaw lists them.
func (v View) Accounts() []Account { return v.run.Accounts }

// Provider is whose accounts they are.
func (v View) Provider() string { return v.run.Provider }

// Order is the order in force.
func (v View) Order() []string { return v.run.gateway.Order() }

// SetOrder puts an order in force.
func (v View) SetOrder(ids []string) {
	if v.run.gateway.Order()[0] != ids[0] {
		v.run.result.Switches++
	}
	v.run.gateway.SetOrder(ids)
}

// Block is what OpenClaw's store says against an account.
func (v View) Block(now time.Time, id string) failover.Block { return v.run.gateway.Block(now, id) }

// TokenEnds is when the account's access token ends, as the store has it.
func (v View) TokenEnds(id string) time.Time { return v.run.tokens[id] }

// FirstRefused reports whether the first account refused a call since the last
// question, as a log shows it.
func (v View) FirstRefused() bool {
	refused := v.run.refused
	v.run.refused = false
	return refused
}

// restartTakes is how long the gateway answers nobody while it restarts.
const restartTakes = 20 * time.Second

// Restart restarts the gateway. What it knows of accounts and sessions is in
// its store.
func (v View) Restart(now time.Time) {
	v.run.result.Restarts++
	v.run.downTill = now.Add(restartTakes)
}

// Ask asks an account's usage endpoint.
func (v View) Ask(now time.Time, a Account) quota.Reading {
	v.run.result.Asked++
	r := quota.Reading{Source: quota.FromUsage}
	switch {
	case within(v.run.outages, now):
		r.Verdict, r.Reason = quota.Unreachable, "no answer"
	case within(a.throttled, now):
		r.Verdict, r.Reason = quota.Throttled, "too many requests"
	case !now.Before(v.run.tokens[a.ID]):
		r.Verdict, r.Reason = quota.Stale, "access token expired"
	default:
		r = v.run.meters[a.ID].reading(now)
	}
	r.Account, r.Provider, r.At = a.ID, v.run.Provider, now
	return r
}
