package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// Reason is why an order was changed, as a label. The sentence that tells it to
// people has names and numbers in it: a series for each would never end.
type Reason string

// The reasons. Those of ocwatch's own decision are the state of the profile
// that was left.
const (
	ReasonExhausted Reason = "exhausted"
	ReasonDead      Reason = "dead"
	ReasonLow       Reason = "low"
	ReasonUnknown   Reason = "unknown"
	ReasonPreferred Reason = "preferred" // the one that was left could serve: the other is better
	ReasonBehind    Reason = "behind"    // the first one stayed; places behind it changed
	ReasonPerson    Reason = "person"    // asked for with ocwatch switch
	ReasonLogin     Reason = "login"     // OpenClaw puts a fresh login first
	ReasonOther     Reason = "other"     // somebody set it past ocwatch
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{
		ReasonExhausted, ReasonDead, ReasonLow, ReasonUnknown, ReasonPreferred,
		ReasonBehind, ReasonPerson, ReasonLogin, ReasonOther,
	}
}

// reasonFor sums up a switch away from a profile in state left.
func reasonFor(s journal.Switch, left failover.State) Reason {
	switch s.By {
	case journal.ByPerson:
		return ReasonPerson
	case journal.ByOpenClaw:
		return ReasonLogin
	case journal.ByOther:
		return ReasonOther
	}
	if s.From == s.To {
		return ReasonBehind
	}
	switch left {
	case failover.Exhausted:
		return ReasonExhausted
	case failover.Dead:
		return ReasonDead
	case failover.Low:
		return ReasonLow
	case failover.Available:
		return ReasonPreferred
	case failover.Unknown:
	}
	return ReasonUnknown
}

// counts are what happened since ocwatch was started.
type counts struct {
	switches, restarts, logins, probes *prometheus.CounterVec
	probeTime                          *prometheus.HistogramVec

	mu        sync.Mutex
	providers map[string]bool // that have series
}

func newCounts() *counts {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	c := &counts{
		switches: counter("ocwatch_switches_total", "Changes of an order since ocwatch was started, by reason.", "reason"),
		restarts: counter("ocwatch_gateway_restarts_total", "Restarts of the gateway that ocwatch tried, by result.", "result"),
		logins:   counter("ocwatch_logins_total", "Logins that came to an end, by outcome.", "outcome"),
		probes:   counter("ocwatch_probes_total", "Questions for an account's quota, by verdict.", "provider", "verdict"),
		probeTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ocwatch_probe_duration_seconds", Help: "How long it took to ask a provider what an account has left.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"provider"}),
		providers: map[string]bool{},
	}
	// A series that begins with its first event hides that event from rate().
	for _, r := range Reasons() {
		c.switches.WithLabelValues(string(r))
	}
	for _, r := range []string{resultOK, resultFailed} {
		c.restarts.WithLabelValues(r)
	}
	for _, o := range []journal.LoginOutcome{journal.LoginCompleted, journal.LoginFailed, journal.LoginExpired, journal.LoginCancelled} {
		c.logins.WithLabelValues(string(o))
	}
	return c
}

func (c *counts) all() []prometheus.Collector {
	return []prometheus.Collector{c.switches, c.restarts, c.logins, c.probes, c.probeTime}
}

// Describe serves the registry.
func (c *counts) Describe(ch chan<- *prometheus.Desc) {
	for _, v := range c.all() {
		v.Describe(ch)
	}
}

// Collect serves the registry.
func (c *counts) Collect(ch chan<- prometheus.Metric) {
	for _, v := range c.all() {
		v.Collect(ch)
	}
}

// The results of a restart.
const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// Committed counts what a round did, once it is in the journal. state tells
// the state that the round found a profile in.
func (c *counts) Committed(r journal.Round, state func(agent, provider, profile string) failover.State) {
	for _, s := range r.Switches {
		c.switches.WithLabelValues(string(reasonFor(s, state(s.Agent, s.Provider, s.From)))).Inc()
	}
	for _, s := range r.Restarts {
		result := resultOK
		if !s.OK {
			result = resultFailed
		}
		c.restarts.WithLabelValues(result).Inc()
	}
	for _, l := range r.Logins {
		c.logins.WithLabelValues(text(string(l.Outcome))).Inc()
	}
}

// Probed counts one probe of an account of a provider, and how long it took.
func (c *counts) Probed(provider string, v quota.Verdict, took time.Duration) {
	provider = c.known(provider)
	c.probes.WithLabelValues(provider, text(string(v))).Inc()
	c.probeTime.WithLabelValues(provider).Observe(took.Seconds())
}

// maxProviders bounds the providers that are counted by name: their ids come
// from OpenClaw's config, and series stay until ocwatch ends.
const maxProviders = 64

// otherProvider stands for those beyond.
const otherProvider = "other"

func (c *counts) known(provider string) string {
	provider = text(provider)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.providers[provider] && len(c.providers) >= maxProviders {
		return otherProvider
	}
	c.providers[provider] = true
	return provider
}
