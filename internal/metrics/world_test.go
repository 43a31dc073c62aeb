package metrics

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// fixed reads the same snapshot at every scrape.
func fixed(s Snapshot) Read { return func(context.Context) Snapshot { return s } }

// all are all families of an answer, checked: that their names and labels can
// be, and that no two series are one.
func all(m *Metrics) prometheus.Gatherer {
	return prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		rec := httptest.NewRecorder()
		m.Handler(zerolog.Nop()).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(rec.Body)
		return slices.Collect(maps.Values(families)), err
	})}
}

func window(name string, used float64, resets time.Time) watchdog.WindowStatus {
	return watchdog.WindowStatus{Window: quota.Window{Name: name, UsedPercent: quota.Percent(used), ResetsAt: resets}}
}

func profile(name string, state failover.State, at time.Time, windows ...watchdog.WindowStatus) watchdog.ProfileStatus {
	return watchdog.ProfileStatus{
		ID: "openai:" + name + "@example.com", State: state, Account: "acct-" + name, ProbedAt: &at, Windows: windows,
	}
}

// everything is a snapshot with each kind of series in it, and with what
// providers and owners make of it: two agents that share one account and have
// different ones under one name, windows that say nothing, twice the same one.
func everything(now time.Time) Snapshot {
	soon, later := now.Add(2*time.Hour), now.Add(50*time.Hour)
	unknown := watchdog.WindowStatus{Window: quota.Window{Name: quota.Monthly}}
	suspect := window(quota.Spend, 400, now.Add(-time.Hour))
	suspect.SuspectPercent, suspect.SuspectReset = true, true
	model := window(quota.Weekly, 12.5, later)
	model.Scope = "claude-opus-4"
	alice := profile("alice", failover.Available, now.Add(-time.Minute),
		window(quota.FiveHour, 10, soon), window(quota.Weekly, 40, later), model, window(quota.Weekly, 99, soon))
	other := alice
	other.Account = "acct-alice-at-work"
	dead := profile("dave", failover.Dead, now.Add(-time.Hour), unknown, suspect)
	dead.ProbedAt = nil
	main := watchdog.PoolStatus{
		Agent: "main", Provider: "openai", State: failover.PoolWarning, RecoversAt: &soon,
		Order:   []string{alice.ID, "openai:bob@example.com", "openai:carol@example.com"},
		Outlook: watchdog.Outlook{RunsDryAt: &later, Forecast: forecast.High},
		Profiles: []watchdog.ProfileStatus{
			alice,
			profile("bob", failover.Low, now.Add(-time.Minute), window(quota.FiveHour, 97, soon)),
			profile("carol", failover.Exhausted, now.Add(-time.Minute), window(quota.FiveHour, 100, soon)),
			dead,
		},
	}
	return Snapshot{
		Status: watchdog.Status{
			At: now.Add(-42 * time.Second), Paused: true, Gateway: watchdog.GatewayStatus{Healthy: true},
			Pools: []watchdog.PoolStatus{
				main,
				{Agent: "shared", Provider: "openai", State: failover.PoolOK, Order: []string{alice.ID}, Profiles: []watchdog.ProfileStatus{alice}},
				{Agent: "work", Provider: "openai", State: failover.PoolOK, Order: []string{alice.ID}, Profiles: []watchdog.ProfileStatus{other}},
			},
			Problems: []watchdog.Problem{{What: "something"}},
		},
		Started: now.Add(-time.Hour), Warnings: 2, Logins: 1, Restarts: Budget{Used: 1, Limit: 3}, Journal: true,
		Interval: time.Minute,
		Outbox: []Queue{
			{EndpointStatus: journal.EndpointStatus{Endpoint: "ops", Pending: 3, Dead: 1}, Oldest: now.Add(-20 * time.Minute)},
			{EndpointStatus: journal.EndpointStatus{Endpoint: "phone", LastDelivered: now.Add(-time.Hour), Disabled: true}},
		},
	}
}

// crowd is a status of n accounts in one pool, with two windows each.
func crowd(now time.Time, n int) Snapshot {
	pool := watchdog.PoolStatus{Agent: "main", Provider: "openai", State: failover.PoolOK}
	for i := range n {
		p := profile(fmt.Sprintf("user%04d", i), failover.Available, now,
			window(quota.FiveHour, 10, now.Add(time.Hour)), window(quota.Weekly, 20, now.Add(time.Hour)))
		pool.Order, pool.Profiles = append(pool.Order, p.ID), append(pool.Profiles, p)
	}
	return Snapshot{Status: watchdog.Status{At: now, Pools: []watchdog.PoolStatus{pool}}}
}
