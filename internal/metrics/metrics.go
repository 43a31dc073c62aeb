// Package metrics shows the watchdog to Prometheus: what it knows at each
// scrape, and counts of what it did since it was started. Names, units and
// labels are a contract, see docs/metrics.md. No label holds a credential.
package metrics

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
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
	// Interval is how long after the last round, or after the start, the next one
	// is due; 0 where nobody knows.
	Interval time.Duration
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

// Metrics holds all series of one watchdog.
type Metrics struct {
	registry *prometheus.Registry // what is counted, and what Go tells of the process
	read     Read
	quota    rendering
	*counts
}

// New returns the metrics of a watchdog of a version. read may be called from
// then on.
func New(version string, read Read) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), read: read, counts: newCounts()}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ocwatch_build_info", Help: "1, with the version of ocwatch and of the Go that it was built with.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(text(version), runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.counts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// scrapeLimit is less than the ten seconds after which Prometheus gives up.
const scrapeLimit = 5 * time.Second

// Handler answers scrapes in the text format, which every Prometheus reads.
// What cannot be shown is logged and left out. Nothing is compressed: the
// address is on this machine, where that costs more than it saves.
func (m *Metrics) Handler(log zerolog.Logger) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), scrapeLimit)
		defer cancel()
		snap := m.read(ctx)
		var b bytes.Buffer
		if err := m.writeCounts(&b); err != nil {
			log.Warn().Err(err).Msg("the metrics are not complete")
		}
		writeSelf(&b, snap, time.Now())
		rw.Header().Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		for _, text := range [][]byte{b.Bytes(), m.quota.of(snap.Status.Pools)} {
			if _, err := rw.Write(text); err != nil {
				return // whoever asked is gone
			}
		}
	})
}

// writeCounts writes what the registry has.
func (m *Metrics) writeCounts(b *bytes.Buffer) error {
	families, err := m.registry.Gather()
	for _, f := range families {
		if _, writeErr := expfmt.MetricFamilyToText(b, f); writeErr != nil {
			return errors.Join(err, writeErr)
		}
	}
	return err
}
