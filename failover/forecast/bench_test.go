package forecast

import (
	"testing"
	"time"
)

// BenchmarkOf is one forecast of ten accounts with a week of readings.
func BenchmarkOf(b *testing.B) {
	for _, pr := range profiles(1) {
		p := simulate(10, 7*day, 1, pr.demand)
		_, end := extent(p)
		n := 0
		for _, a := range p.Accounts {
			n += len(a.Readings)
		}
		b.Run(pr.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(end.Add(time.Minute), p)
			}
			b.ReportMetric(float64(n), "readings")
		})
	}
}
