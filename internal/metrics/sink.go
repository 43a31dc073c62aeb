package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// sink is where one scrape's series go.
type sink struct{ ch chan<- prometheus.Metric }

// gauge shows a value. What is no series makes an error of the scrape, and not
// a panic, which would end the watchdog.
func (s sink) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	s.ch <- m
}

// instant shows a time. One that is not known has no series: 0 would be 1970.
func (s sink) instant(d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		s.gauge(d, float64(at.UnixMilli())/1000, labels...)
	}
}

// moment is instant of a time that may be nil.
func (s sink) moment(d *prometheus.Desc, at *time.Time, labels ...string) {
	if at != nil {
		s.instant(d, *at, labels...)
	}
}

// truth is 1 for true.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// age is how long ago a time was, 0 for none. A clock that was set back makes
// nothing younger than now.
func age(now, since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}
