package forecast

import (
	"math"
	"slices"
	"time"
)

const (
	// recentHalf is the half-life of the recent rate's weights.
	recentHalf = 45 * time.Minute
	// session is how long demand stays as it is, on average.
	session = 4 * time.Hour
	// evidence is the least that was used, in percent, and over how long, for a
	// rate to mean anything: providers round to whole percents.
	evidence     = 3.0
	evidenceSpan = 20 * time.Minute
	day          = 24 * time.Hour
)

// rates say how a window is used from now on, in percent an hour.
type rates struct{ recent, long float64 }

// used is what is used within t, in percent.
func (r rates) used(t time.Duration) float64 {
	h, s := t.Hours(), session.Hours()
	return r.long*h + (r.recent-r.long)*s*(1-math.Exp(-h/s))
}

// reach is when percent more are used; false: not within a year.
func (r rates) reach(percent float64) (time.Duration, bool) {
	if percent <= 0 {
		return 0, true
	}
	low, high := time.Duration(0), 365*day
	if !(r.used(high) >= percent) {
		return 0, false
	}
	for high-low > time.Second {
		if mid := low + (high-low)/2; r.used(mid) < percent {
			low = mid
		} else {
			high = mid
		}
	}
	return high, true
}

// demand is what a pool's users ask of one kind of window.
type demand struct {
	known              bool
	likely, fast, slow rates
	// lull: there is less now than there is on average. When it will rise again
	// is not in the readings.
	lull bool
}

// demandOf estimates the demand on each kind of window.
func demandOf(now time.Time, p Pool) map[key]demand {
	out := map[key]demand{}
	for k, c := range curvesOf(now, p) {
		out[k] = c.demand()
	}
	return out
}

// demand reads the rates off the curve.
func (c curve) demand() demand {
	span, total := c.span(), c.total()
	if span < evidenceSpan || total > 0 && total < evidence && span < day {
		return demand{}
	}
	long := c.longRate()
	d := demand{known: true, likely: rates{c.recent(recentHalf), long}}
	d.lull = d.likely.recent < long/2
	all := []float64{d.likely.recent, c.recent(recentHalf / 2), c.recent(recentHalf / 4), c.recent(2 * recentHalf)}
	spread := c.longSpread(long)
	fastest := slices.Max(all)
	d.fast = rates{fastest, max(spread[1], fastest/2)} // a day that has just begun is like no mean
	d.slow = rates{slices.Min(all), spread[0]}
	return d
}

// longRate is the mean over up to a week of whole days, else over all there is.
func (c curve) longRate() float64 {
	span := c.span()
	if span > day {
		span = min(span.Truncate(day), ahead)
	}
	return c.within(span) / span.Hours()
}

// longSpread is the least and the most that the mean may be, by the newer half
// of its time and by all of it.
func (c curve) longSpread(long float64) [2]float64 {
	half := min(c.span(), ahead) / 2
	if half >= day {
		half = half.Truncate(day)
	}
	other := c.within(half) / half.Hours()
	return [2]float64{min(long, other), max(long, other)}
}

func lull(d map[key]demand) bool {
	for _, one := range d {
		if one.lull {
			return true
		}
	}
	return false
}
