// Package metrics shows the watchdog to Prometheus: what it knows, read anew at
// each scrape, and counts of what it did since it was started. Names, units and
// labels are a contract, see docs/metrics.md. No label holds a credential.
package metrics

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// Snapshot is what one scrape shows.
type Snapshot struct {
	Status   watchdog.Status
	Started  time.Time // of the watchdog
	Warnings int       // what its owner should mend
	Logins   int       // under way
	Outbox   []Queue
	Restarts Budget
	// Journal tells that what ocwatch remembers is safe on the disk.
	Journal bool
}

// Queue is one endpoint's part of the outbox.
type Queue struct {
	journal.EndpointStatus

	// Oldest is when the first of the pending messages was written, zero where
	// there is none.
	Oldest time.Time
}

// Budget is how often the gateway may be restarted, and how often it was.
type Budget struct {
	Used  int // restarts tried within the time that Limit is for
	Limit int
}

// Read returns what is to be shown now. It is called once a scrape.
type Read func(ctx context.Context) Snapshot

// Metrics holds all series of one watchdog, in a registry of its own.
type Metrics struct {
	registry *prometheus.Registry
	*counts
}

// New returns the metrics of a watchdog of a version. read may be called from
// then on.
func New(version string, read Read) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), counts: newCounts()}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ocwatch_build_info", Help: "1, with the version of ocwatch and of the Go that it was built with.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(text(version), runtime.Version()).Set(1)
	m.registry.MustRegister(build, newStatus(read), m.counts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// scrapeLimit is less than the ten seconds after which Prometheus gives up.
const scrapeLimit = 5 * time.Second

// Handler answers scrapes. What cannot be shown is logged and left out.
func (m *Metrics) Handler(log zerolog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            errorLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             2 * scrapeLimit,
	})
}

// errorLog lets promhttp speak through zerolog.
type errorLog struct{ log zerolog.Logger }

func (l errorLog) Println(v ...any) { l.log.Warn().Interface("what", v).Msg("metrics") }
