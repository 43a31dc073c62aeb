package watchdog

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// Status is what the watchdog knows: the answer of status --json and of
// GET /api/v1/status. Its JSON is a contract, see docs/status.md.
type Status struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"` // when the last round decided, or ended
	Paused  bool      `json:"paused"`
	// PausedUntil is null where only Resume ends the pause, or where there is none.
	PausedUntil  *time.Time    `json:"paused_until"`
	PausedReason string        `json:"paused_reason,omitempty"`
	Gateway      GatewayStatus `json:"gateway"`
	Pools        []PoolStatus  `json:"pools"`
	Problems     []Problem     `json:"problems"`
}

// GatewayStatus is the running gateway.
type GatewayStatus struct {
	Healthy bool   `json:"healthy"`
	URL     string `json:"url"`
	Version string `json:"version"`
}

// Problem is something that keeps ocwatch from seeing, with what mends it.
type Problem struct {
	Agent string `json:"agent,omitempty"`
	What  string `json:"what"`
	Fix   string `json:"fix,omitempty"`
}

// PoolStatus is one agent's profiles of one provider.
type PoolStatus struct {
	Agent       string             `json:"agent"`
	Provider    string             `json:"provider"`
	State       failover.PoolState `json:"state"`
	Reason      string             `json:"reason"`
	Order       []string           `json:"order"`
	OrderSource string             `json:"order_source"` // stored, config, none
	// Pending says what Order still lacks, "" where the gateway goes by it.
	Pending    string     `json:"pending,omitempty"`
	RecoversAt *time.Time `json:"recovers_at"`
	Outlook
	Pinned   *PinStatus      `json:"pinned"`
	Profiles []ProfileStatus `json:"profiles"`
}

// PinStatus is a profile that a person put first.
type PinStatus struct {
	Profile string     `json:"profile"`
	Since   time.Time  `json:"since"`
	Until   *time.Time `json:"until"`
}

// ProfileStatus is one profile.
type ProfileStatus struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	State    failover.State `json:"state"`
	Paid     bool           `json:"paid"`
	Account  string         `json:"account"`
	Plan     string         `json:"plan"`
	Reason   string         `json:"reason"`
	Until    *time.Time     `json:"until"`
	Fix      string         `json:"fix,omitempty"`
	Windows  []WindowStatus `json:"windows"`
	ProbedAt *time.Time     `json:"probed_at"`
	Source   quota.Source   `json:"source"`
	Verdict  quota.Verdict  `json:"verdict"`
	// Live is null but for a profile that may be asked with real requests.
	Live *LiveStatus `json:"live,omitempty"`
}

// Status returns what the last round found.
func (w *Watchdog) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// publish makes the state of this round the status.
func (w *Watchdog) publish(snap profiles.Snapshot) {
	s := Status{
		Version: w.Version, At: time.Now().UTC(),
		Gateway:  GatewayStatus{Healthy: w.gateway.live, URL: w.GatewayURL, Version: w.gateway.version},
		Pools:    []PoolStatus{},
		Problems: []Problem{},
	}
	s.setPause(w.paused)
	if w.snapErr != "" {
		s.Problems = append(s.Problems, Problem{What: w.snapErr})
	}
	for _, p := range snap.Problems {
		s.Problems = append(s.Problems, Problem{Agent: p.Agent, What: p.What, Fix: p.Fix})
	}
	if p := w.restarts.pending; p != nil && p.Held != "" {
		s.Problems = append(s.Problems, Problem{What: "the gateway waits for a restart: " + p.Held, Fix: "openclaw gateway restart"})
	}
	for _, p := range w.sortedPools() {
		s.Pools = append(s.Pools, w.poolStatus(p))
	}
	ailing, why := w.failing(snap), w.explain()
	w.mu.Lock()
	w.status, w.ailing, w.why = s, ailing, why
	w.mu.Unlock()
}

// Failing says in one line why the last round found that all is not well: a
// pool without quota, or nothing to be seen of one. "" where all is well. One
// round without an answer is none of it: that is when somebody is told.
func (w *Watchdog) Failing() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ailing
}

func (w *Watchdog) failing(snap profiles.Snapshot) string {
	var parts []string
	if w.unread.alarm != nil && w.snapErr != "" {
		parts = append(parts, "openclaw's state cannot be read: "+w.snapErr)
	}
	for _, p := range snap.Problems {
		parts = append(parts, strings.TrimPrefix(p.Agent+": ", ": ")+p.What)
	}
	for _, p := range w.sortedPools() {
		name := p.plan.Agent + "/" + p.plan.Provider
		switch {
		case p.plan.State == failover.PoolDepleted:
			parts = append(parts, name+" is depleted: "+p.plan.Reason)
		case p.plan.State == failover.PoolBlind && p.plan.Memory.Blind != nil && p.plan.Memory.Blind.Announced:
			parts = append(parts, name+" is blind: "+p.plan.Reason)
		}
	}
	return strings.Join(parts, "; ")
}

func (w *Watchdog) poolStatus(p *pool) PoolStatus {
	out := PoolStatus{
		Agent: p.plan.Agent, Provider: p.plan.Provider, State: p.plan.State, Reason: p.plan.Reason,
		Order: p.plan.Order, OrderSource: string(p.now.Source), RecoversAt: timePtr(p.plan.RecoversAt), Pinned: pinStatus(p.plan.Pin),
		Profiles: []ProfileStatus{}, Pending: p.pending(), Outlook: p.outlook.shown(),
	}
	if p.failed != "" {
		out.Reason += fmt.Sprintf("; the order could not be set (tries: %d, next at %s): %s",
			p.plan.Memory.Attempts, p.plan.Memory.RetryAt.Format("15:04 UTC"), p.failed)
	}
	stored := map[string]profiles.Profile{}
	for _, pr := range p.now.Profiles {
		stored[pr.ID] = pr
	}
	for _, a := range p.plan.Profiles {
		out.Profiles = append(out.Profiles, w.profileStatus(a, stored[a.ID], p.outlook))
	}
	return out
}

// pending says what is still to be done for the order that is wanted.
func (p *pool) pending() string {
	switch {
	case p.plan.Change:
		return "the order is not set yet"
	case p.landed != nil:
		return "the order is set, and whether the gateway goes by it is still to be seen"
	}
	return ""
}

func (w *Watchdog) profileStatus(a failover.Assessment, p profiles.Profile, ahead outlook) ProfileStatus {
	s := ProfileStatus{
		ID: a.ID, Type: string(p.Type), State: a.State, Paid: a.Paid, Account: p.Account, Plan: p.Plan,
		Reason: a.Reason, Until: timePtr(a.Until), Fix: mend(a, p), Windows: []WindowStatus{},
	}
	acc := w.accounts[p.Account]
	if acc == nil || acc.latest.At.IsZero() {
		return s
	}
	s.ProbedAt, s.Verdict, s.Source = timePtr(acc.latest.At), acc.latest.Verdict, acc.latest.Source
	for _, win := range acc.usage.Windows {
		s.Windows = append(s.Windows, ahead.window(p.Account, win))
	}
	s.Plan = cmp.Or(acc.usage.Plan, s.Plan)
	s.Live = w.liveStatus(p)
	return s
}

// mend is the command that helps the profile. What the provider revoked looks
// fine in the store, which therefore has none.
func mend(a failover.Assessment, p profiles.Profile) string {
	if p.Fix == "" && a.State == failover.Dead {
		return p.LoginCommand()
	}
	return p.Fix
}

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
