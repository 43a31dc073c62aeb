package metrics

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// Bounds of what one scrape shows. Names of windows and models are the
// provider's, so they are cut and counted; profiles are the owner's own.
const (
	maxProfiles = 5000 // an agent's profile counts for each agent
	maxWindows  = 16   // of one account
	maxText     = 128  // bytes of a label's value
)

// status turns the watchdog's status into series at each scrape. Nothing is
// kept in between: what is gone from the status is gone from the answer.
type status struct {
	read  Read
	descs []*prometheus.Desc

	roundAge, paused, problems, warnings, gatewayUp, loginsPending, journalOK, omitted *prometheus.Desc
	budgetUsed, budgetLimit                                                            *prometheus.Desc

	poolState, poolProfiles, poolAvailable, poolRecovers, poolRunsDry *prometheus.Desc
	profileState, profilePosition, profileProbed                      *prometheus.Desc
	windowUsed, windowReset                                           *prometheus.Desc

	queuePending, queueDead, queueOldest, queueDelivered, queueDisabled *prometheus.Desc
}

func newStatus(read Read) *status {
	s := &status{read: read}
	s.roundAge = s.desc("ocwatch_round_age_seconds", "Time since a round of the watchdog last came to a decision; since its start before the first.")
	s.paused = s.desc("ocwatch_paused", "1 while ocwatch pause is in force: it watches and changes nothing.")
	s.problems = s.desc("ocwatch_problems", "Things that keep ocwatch from seeing; ocwatch status names them.")
	s.warnings = s.desc("ocwatch_warnings", "Things that the owner should mend; ocwatch status names them.")
	s.gatewayUp = s.desc("ocwatch_gateway_up", "1 where the gateway said in the last round that it is live.")
	s.loginsPending = s.desc("ocwatch_logins_pending", "Logins that wait for their approval.")
	s.journalOK = s.desc("ocwatch_journal_healthy", "1 where the journal can be read and written, 0 where memory and messages may be lost.")
	s.omitted = s.desc("ocwatch_omitted_profiles", "Profiles that are not shown here, since there are too many.")
	s.budgetUsed = s.desc("ocwatch_restart_budget_used", "Restarts of the gateway tried within the time of restart.budget.")
	s.budgetLimit = s.desc("ocwatch_restart_budget_limit", "Restarts of the gateway that restart.budget allows within its time.")
	s.describePools()
	s.describeOutbox()
	return s
}

func (s *status) describePools() {
	s.poolState = s.desc("ocwatch_pool_state", "1 for the state that the pool is in, 0 for the others.", "agent", "provider", "state")
	s.poolProfiles = s.desc("ocwatch_pool_profiles", "Profiles of the pool.", "agent", "provider")
	s.poolAvailable = s.desc("ocwatch_pool_available_profiles", "Profiles of the pool that are available: they can serve and are not low.", "agent", "provider")
	s.poolRecovers = s.desc("ocwatch_pool_recovers_timestamp_seconds", "The earliest known return of a spent profile.", "agent", "provider")
	s.poolRunsDry = s.desc("ocwatch_pool_runs_dry_timestamp_seconds", "When no account is expected to be able to serve any more.", "agent", "provider", "forecast")
	s.profileState = s.desc("ocwatch_profile_state", "1 for the state that the profile is in, 0 for the others.", "agent", "provider", "profile", "state")
	s.profilePosition = s.desc("ocwatch_profile_order_position", "The profile's place in the order, 1 for the first.", "agent", "provider", "profile")
	account := []string{"provider", "profile", "account"}
	s.profileProbed = s.desc("ocwatch_profile_probe_timestamp_seconds", "When the profile's account was last asked for its quota.", account...)
	window := append(account, "window", "scope")
	s.windowUsed = s.desc("ocwatch_window_used_ratio", "What is used of the window, 0 to 1.", window...)
	s.windowReset = s.desc("ocwatch_window_reset_timestamp_seconds", "When the window resets.", window...)
}

func (s *status) describeOutbox() {
	s.queuePending = s.desc("ocwatch_outbox_pending_messages", "Messages on their way to the endpoint.", "endpoint")
	s.queueDead = s.desc("ocwatch_outbox_dead_messages", "Messages to the endpoint that were given up in the last 30 days.", "endpoint")
	s.queueOldest = s.desc("ocwatch_outbox_oldest_age_seconds", "Age of the oldest message on its way to the endpoint, 0 where there is none.", "endpoint")
	s.queueDelivered = s.desc("ocwatch_outbox_delivered_timestamp_seconds", "When a message last reached the endpoint.", "endpoint")
	s.queueDisabled = s.desc("ocwatch_outbox_endpoint_disabled", "1 where the endpoint said that it wants nothing more.", "endpoint")
}

func (s *status) desc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(name, help, labels, nil)
	s.descs = append(s.descs, d)
	return d
}

// Describe serves the registry.
func (s *status) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect serves the registry.
func (s *status) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	snap, out := s.read(ctx), sink{ch}
	now := time.Now()
	s.collectSelf(out, snap, now)
	s.collectOutbox(out, snap.Outbox, now)
	left, omitted := maxProfiles, 0
	windows := map[accountWindow]bool{}
	for _, p := range snap.Status.Pools {
		shown := min(len(p.Profiles), left)
		left, omitted = left-shown, omitted+len(p.Profiles)-shown
		s.collectPool(out, p, p.Profiles[:shown], windows)
	}
	out.gauge(s.omitted, float64(omitted))
}

func (s *status) collectSelf(out sink, snap Snapshot, now time.Time) {
	since := snap.Status.At
	if since.IsZero() {
		since = snap.Started
	}
	out.gauge(s.roundAge, age(now, since))
	out.gauge(s.paused, truth(snap.Status.Paused))
	out.gauge(s.problems, float64(len(snap.Status.Problems)))
	out.gauge(s.warnings, float64(snap.Warnings))
	out.gauge(s.gatewayUp, truth(snap.Status.Gateway.Healthy))
	out.gauge(s.loginsPending, float64(snap.Logins))
	out.gauge(s.journalOK, truth(snap.Journal))
	out.gauge(s.budgetUsed, float64(snap.Restarts.Used))
	out.gauge(s.budgetLimit, float64(snap.Restarts.Limit))
}

func (s *status) collectOutbox(out sink, queues []Queue, now time.Time) {
	for _, q := range queues {
		name := text(q.Endpoint)
		out.gauge(s.queuePending, float64(q.Pending), name)
		out.gauge(s.queueDead, float64(q.Dead), name)
		out.gauge(s.queueOldest, age(now, q.Oldest), name)
		out.gauge(s.queueDisabled, truth(q.Disabled), name)
		out.instant(s.queueDelivered, q.LastDelivered, name)
	}
}

func (s *status) collectPool(out sink, p watchdog.PoolStatus, profiles []watchdog.ProfileStatus, windows map[accountWindow]bool) {
	agent, provider := text(p.Agent), text(p.Provider)
	for _, state := range poolStates() {
		out.gauge(s.poolState, truth(p.State == state), agent, provider, string(state))
	}
	available := 0
	for _, pr := range p.Profiles {
		if pr.State == failover.Available {
			available++
		}
	}
	out.gauge(s.poolProfiles, float64(len(p.Profiles)), agent, provider)
	out.gauge(s.poolAvailable, float64(available), agent, provider)
	out.moment(s.poolRecovers, p.RecoversAt, agent, provider)
	out.moment(s.poolRunsDry, p.RunsDryAt, agent, provider, text(string(p.Forecast)))
	place := places(p.Order)
	for _, pr := range profiles {
		profile := text(pr.ID)
		for _, state := range profileStates() {
			out.gauge(s.profileState, truth(pr.State == state), agent, provider, profile, string(state))
		}
		if at := place[pr.ID]; at > 0 {
			out.gauge(s.profilePosition, float64(at), agent, provider, profile)
		}
		s.collectAccount(out, provider, profile, pr, windows)
	}
}

// accountWindow is a window as it is labelled. An account of several agents is
// shown once: its quota is the same. A provider may name a window twice.
type accountWindow struct{ provider, profile, account, name, scope string }

func (s *status) collectAccount(out sink, provider, profile string, pr watchdog.ProfileStatus, seen map[accountWindow]bool) {
	key := accountWindow{provider: provider, profile: profile, account: text(pr.Account)}
	if seen[key] {
		return
	}
	seen[key] = true
	out.moment(s.profileProbed, pr.ProbedAt, provider, profile, key.account)
	for _, w := range pr.Windows[:min(len(pr.Windows), maxWindows)] {
		key.name, key.scope = text(w.Name), text(w.Scope)
		if key.name == "" || seen[key] {
			continue
		}
		seen[key] = true
		if used, ok := w.Used(); ok {
			out.gauge(s.windowUsed, used/100, provider, profile, key.account, key.name, key.scope)
		}
		if at, ok := w.Reset(); ok {
			out.instant(s.windowReset, at, provider, profile, key.account, key.name, key.scope)
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

// text makes a label's value of what others named: of bounded length, and
// UTF-8, without which Prometheus takes none of the answer.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
