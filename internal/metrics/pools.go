package metrics

import (
	"bytes"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// Bounds of what one scrape shows. Names of windows and models are the
// provider's, so they are cut and counted; profiles are the owner's own.
const (
	maxProfiles = 5000 // an agent's profile counts for each agent
	maxWindows  = 16   // of one account
)

// writePools writes what is known of the quota. It depends on nothing else, not
// even on the time, so that it holds until the next round.
func writePools(b *bytes.Buffer, pools []watchdog.PoolStatus) {
	profiles := 0
	for _, pool := range pools {
		profiles += len(pool.Profiles)
	}
	p := newPoolPart(min(profiles, maxProfiles))
	for _, pool := range pools {
		p.pool(pool)
	}
	p.omitted.gauge(float64(p.over))
	p.write(b)
}

// poolPart is the part of the answer that writePools writes.
type poolPart struct {
	part

	omitted, poolState, poolProfiles, poolAvailable, poolRecovers, poolRunsDry *family
	profileState, profilePosition, profileProbed, windowUsed, windowReset      *family

	poolStates, profileStates []label // one for each state

	left, over int // profiles that may still be shown, and that could not be
	seen       map[key]bool
}

// key is what a series is labelled with. An account of several agents is shown
// once, since its quota is the same; a provider may name a window twice; and
// two long names may be one once they are cut.
type key struct{ agent, provider, profile, account, window, scope string }

// first reports whether nothing was labelled so before.
func (p *poolPart) first(k key) bool {
	if p.seen[k] {
		return false
	}
	p.seen[k] = true
	return true
}

func newPoolPart(profiles int) *poolPart {
	p := &poolPart{left: maxProfiles, seen: make(map[key]bool, 4*profiles)}
	p.omitted = p.family("ocwatch_omitted_profiles", "Profiles that are not shown here, since there are too many.")
	p.poolState = p.family("ocwatch_pool_state", "1 for the state that the pool is in, 0 for the others.")
	p.poolProfiles = p.family("ocwatch_pool_profiles", "Profiles of the pool.")
	p.poolAvailable = p.family("ocwatch_pool_available_profiles", "Profiles of the pool that are available: they can serve and are not low.")
	p.poolRecovers = p.family("ocwatch_pool_recovers_timestamp_seconds", "The earliest known return of a spent profile.")
	p.poolRunsDry = p.family("ocwatch_pool_runs_dry_timestamp_seconds", "When no account is expected to be able to serve any more.")
	p.profileState = p.family("ocwatch_profile_state", "1 for the state that the profile is in, 0 for the others.")
	p.profilePosition = p.family("ocwatch_profile_order_position", "The profile's place in the order, 1 for the first.")
	p.profileProbed = p.family("ocwatch_profile_probe_timestamp_seconds", "When the profile's account was last asked for its quota.")
	p.windowUsed = p.family("ocwatch_window_used_ratio", "What is used of the window, 0 to 1.")
	p.windowReset = p.family("ocwatch_window_reset_timestamp_seconds", "When the window resets.")
	for _, s := range poolStates() {
		p.poolStates = append(p.poolStates, labelled("state", string(s)))
	}
	for _, s := range profileStates() {
		p.profileStates = append(p.profileStates, labelled("state", string(s)))
	}
	return p
}

func (p *poolPart) pool(pool watchdog.PoolStatus) {
	agent, provider := labelled("agent", pool.Agent), labelled("provider", pool.Provider)
	if !p.first(key{agent: agent.value, provider: provider.value}) {
		p.over += len(pool.Profiles)
		return
	}
	for _, state := range p.poolStates {
		p.poolState.gauge(truth(string(pool.State) == state.value), agent, provider, state)
	}
	available := 0
	for _, pr := range pool.Profiles {
		if pr.State == failover.Available {
			available++
		}
	}
	p.poolProfiles.gauge(float64(len(pool.Profiles)), agent, provider)
	p.poolAvailable.gauge(float64(available), agent, provider)
	p.poolRecovers.moment(pool.RecoversAt, agent, provider)
	p.poolRunsDry.moment(pool.RunsDryAt, agent, labelled("forecast", string(pool.Forecast)), provider)
	place := places(pool.Order)
	for _, pr := range pool.Profiles {
		p.profile(pr, place[pr.ID], agent, provider)
	}
}

func (p *poolPart) profile(pr watchdog.ProfileStatus, place int, agent, provider label) {
	profile := labelled("profile", pr.ID)
	if p.left == 0 || !p.first(key{agent: agent.value, provider: provider.value, profile: profile.value}) {
		p.over++
		return
	}
	p.left--
	for _, state := range p.profileStates {
		p.profileState.gauge(truth(string(pr.State) == state.value), agent, profile, provider, state)
	}
	if place > 0 {
		p.profilePosition.gauge(float64(place), agent, profile, provider)
	}
	p.account(pr, profile, provider)
}

func (p *poolPart) account(pr watchdog.ProfileStatus, profile, provider label) {
	account := labelled("account", pr.Account)
	// No agent is "\xff", as no label can be.
	k := key{agent: "\xff", provider: provider.value, profile: profile.value, account: account.value}
	if !p.first(k) {
		return
	}
	p.profileProbed.moment(pr.ProbedAt, account, profile, provider)
	for _, w := range pr.Windows[:min(len(pr.Windows), maxWindows)] {
		scope, window := labelled("scope", w.Scope), labelled("window", w.Name)
		k.window, k.scope = window.value, scope.value
		if k.window == "" || !p.first(k) {
			continue
		}
		if used, ok := w.Used(); ok {
			p.windowUsed.gauge(used/100, account, profile, provider, scope, window)
		}
		if at, ok := w.Reset(); ok {
			p.windowReset.instant(at, account, profile, provider, scope, window)
		}
	}
}

// places is each profile's place in an order, from 1.
func places(order []string) map[string]int {
	out := make(map[string]int, len(order))
	for i, id := range order {
		out[id] = i + 1
	}
	return out
}

func poolStates() []failover.PoolState {
	return []failover.PoolState{failover.PoolOK, failover.PoolWarning, failover.PoolDepleted, failover.PoolBlind, failover.PoolUnknown}
}

func profileStates() []failover.State {
	return []failover.State{failover.Available, failover.Low, failover.Exhausted, failover.Dead, failover.Unknown}
}
