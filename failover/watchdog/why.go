package watchdog

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// Why is the explanation of every pool's order: the answer of why --json. Its
// JSON is a contract, see docs/why.md. It holds no secret.
type Why struct {
	At           time.Time  `json:"at"` // of the last completed round
	Paused       bool       `json:"paused"`
	PausedUntil  *time.Time `json:"paused_until"`
	PausedReason string     `json:"paused_reason,omitempty"`
	Pools        []PoolWhy  `json:"pools"`
}

// PoolWhy explains one pool's order.
type PoolWhy struct {
	Agent       string             `json:"agent"`
	Provider    string             `json:"provider"`
	State       failover.PoolState `json:"state"`
	Reason      string             `json:"reason"`
	Order       []string           `json:"order"`
	OrderSource string             `json:"order_source"`
	Outlook
	Pinned *PinStatus `json:"pinned"`
	// LastChange is null where none is in the history.
	LastChange *Change      `json:"last_change"`
	Profiles   []ProfileWhy `json:"profiles"`
}

// Change is the newest change of an order.
type Change struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// ProfileWhy explains one profile's place.
type ProfileWhy struct {
	ID     string         `json:"id"`
	State  failover.State `json:"state"`
	Rule   string         `json:"rule"`
	Change string         `json:"change,omitempty"`
	// Usage is the newest reading that told of the account, Probe the newest
	// one, where that is another.
	Usage      *ReadingWhy   `json:"usage"`
	Probe      *ReadingWhy   `json:"probe,omitempty"`
	Block      *BlockWhy     `json:"block"`
	Credential CredentialWhy `json:"credential"`
	// ReachesAt is when the first of its windows is expected to reach switch_at,
	// while the account is in use.
	ReachesAt time.Time `json:"reaches_at,omitzero"`
	// OpenUntil is until when the account's breaker is open.
	OpenUntil *time.Time `json:"open_until"`
	// AsksNext is when ocwatch asks the provider again.
	AsksNext *time.Time `json:"asks_next"`
	// Live is null but for a profile that may be asked with real requests.
	Live *LiveStatus `json:"live,omitempty"`
}

// ReadingWhy is one answer of a provider.
type ReadingWhy struct {
	At      time.Time      `json:"at"`
	Source  quota.Source   `json:"source"`
	Verdict quota.Verdict  `json:"verdict"`
	Reason  string         `json:"reason,omitempty"`
	Windows []quota.Window `json:"windows,omitempty"`
}

// BlockWhy is OpenClaw's record that it does not use the profile.
type BlockWhy struct {
	Until  time.Time          `json:"until"`
	Kind   profiles.BlockKind `json:"kind"`
	Reason string             `json:"reason,omitempty"`
}

// CredentialWhy is what OpenClaw's store says of the credential.
type CredentialWhy struct {
	Status profiles.Status `json:"status"`
	Reason string          `json:"reason,omitempty"`
}

// Why explains the order of every pool as of the last round. It waits for none:
// a round may take as long as the slowest provider.
func (w *Watchdog) Why() Why {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, now := w.status, time.Now()
	out := Why{At: s.At, Paused: s.Paused, PausedUntil: s.PausedUntil, PausedReason: s.PausedReason, Pools: []PoolWhy{}}
	for _, p := range w.why {
		p.Profiles = slices.Clone(p.Profiles)
		for i := range p.Profiles {
			p.Profiles[i].forgetOver(now)
		}
		out.Pools = append(out.Pools, p)
	}
	return out
}

// explain is what Why tells of the pools until the next round.
func (w *Watchdog) explain() []PoolWhy {
	var out []PoolWhy
	cfg := w.config()
	for _, p := range w.sortedPools() {
		ps := w.poolStatus(p)
		pw := PoolWhy{
			Agent: ps.Agent, Provider: ps.Provider, State: ps.State, Reason: ps.Reason, Order: ps.Order,
			OrderSource: ps.OrderSource, Outlook: ps.Outlook, Pinned: ps.Pinned, Profiles: []ProfileWhy{},
		}
		stored := map[string]profiles.Profile{}
		for _, pr := range p.now.Profiles {
			stored[pr.ID] = pr
		}
		for i, a := range p.plan.Profiles {
			one := w.profileWhy(failover.Explain(cfg.Policy(ps.Provider), p.plan, a), a, stored[a.ID])
			one.ReachesAt = ps.Profiles[i].ReachesAt()
			pw.Profiles = append(pw.Profiles, one)
		}
		out = append(out, pw)
	}
	return out
}

// forgetOver drops what was over by now.
func (p *ProfileWhy) forgetOver(now time.Time) {
	if p.Block != nil && !p.Block.Until.After(now) {
		p.Block = nil
	}
	if p.OpenUntil != nil && !p.OpenUntil.After(now) {
		p.OpenUntil = nil
	}
}

func (w *Watchdog) profileWhy(e failover.Explanation, a failover.Assessment, p profiles.Profile) ProfileWhy {
	out := ProfileWhy{
		ID: a.ID, State: a.State, Rule: e.Rule, Change: e.Change,
		Credential: CredentialWhy{Status: p.Status, Reason: p.Reason},
	}
	if !p.Block.Until.IsZero() {
		out.Block = &BlockWhy{Until: p.Block.Until.UTC(), Kind: p.Block.Kind, Reason: p.Block.Reason}
	}
	acc := w.accounts[p.Account]
	if acc == nil {
		return out
	}
	out.Usage = readingWhy(acc.usage)
	if !acc.latest.At.Equal(acc.usage.At) {
		out.Probe = readingWhy(acc.latest)
	}
	out.OpenUntil = timePtr(acc.breaker.State().OpenUntil.UTC())
	out.AsksNext, out.Live = timePtr(acc.next), w.liveStatus(p)
	return out
}

func readingWhy(r quota.Reading) *ReadingWhy {
	if r.At.IsZero() {
		return nil
	}
	return &ReadingWhy{At: r.At.UTC(), Source: r.Source, Verdict: r.Verdict, Reason: r.Reason, Windows: r.Windows}
}
