package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// key is one kind of window. Accounts of one plan have the same kinds.
type key struct{ name, scope string }

// step is what was used between two readings of one account.
type step struct {
	from, to time.Time
	percent  float64
}

// curve is what was used of one kind of window by all accounts, newest first,
// without the times at which none could serve.
type curve struct{ pieces []piece }

// piece is a stretch of even use.
type piece struct {
	length  time.Duration
	percent float64
}

// point is one reading of one window.
type point struct {
	at, reset time.Time
	used      float64
}

// correction is the fall, in percent, up to which a reading is taken to correct
// those before it. A provider that gives quota back gives more.
const correction = 5

// points are the readings of one window that know a percentage, oldest first.
func points(now time.Time, readings []quota.Reading, k key) []point {
	out := make([]point, 0, len(readings))
	for _, r := range readings {
		if r.At.After(now) || now.Sub(r.At) > ahead || len(out) > 0 && !r.At.After(out[len(out)-1].at) {
			continue
		}
		for _, w := range r.Windows {
			used, ok := percent(w)
			if !ok || w.Name != k.name || w.Scope != k.scope {
				continue
			}
			reset, _ := w.Reset()
			out = append(out, point{at: r.At, reset: reset, used: used})
			break
		}
	}
	for i := len(out) - 2; i >= 0; i-- {
		if fall := out[i].used - out[i+1].used; fall > 0 && fall <= correction && !out[i].endedBy(out[i+1].at) {
			out[i].used = out[i+1].used
		}
	}
	return out
}

// percent is what is used of w. The provider's own word that it is spent counts
// for a percentage, and what is no number for none.
func percent(w quota.Window) (float64, bool) {
	used, ok := w.Used()
	if w.Spent && !ok {
		return 100, true
	}
	return min(max(used, 0), 100), ok && !math.IsNaN(used)
}

// endedBy reports whether the window that p was read from was reset by t.
func (p point) endedBy(t time.Time) bool {
	return !p.reset.IsZero() && p.reset.After(p.at) && !p.reset.After(t)
}

func steps(ps []point) []step {
	out := make([]step, 0, len(ps))
	for i := 1; i < len(ps); i++ {
		a, b := ps[i-1], ps[i]
		used := b.used - a.used
		if a.endedBy(b.at) {
			used = b.used
		}
		out = append(out, step{a.at, b.at, max(used, 0)})
	}
	return out
}

// curvesOf lays the use of all accounts end to end, for each kind of window.
func curvesOf(now time.Time, p Pool) map[key]curve {
	var idle []step
	if len(p.Accounts) > 0 {
		idle = drySpans(now, p)
	}
	out := map[key]curve{}
	for _, k := range kinds(p) {
		var all []step
		for _, a := range p.Accounts {
			all = append(all, steps(points(now, a.Readings, k))...)
		}
		if len(all) > 0 {
			out[k] = lay(all, idle)
		}
	}
	return out
}

// kinds are the counting windows of the pool's accounts.
func kinds(p Pool) []key {
	var out []key
	for _, a := range p.Accounts {
		for _, r := range a.Readings {
			for _, w := range r.Windows {
				if k := (key{w.Name, w.Scope}); p.counts(w.Scope) && !slices.Contains(out, k) {
					out = append(out, k)
				}
			}
		}
	}
	return out
}

func (p Pool) counts(scope string) bool { return scope == "" || slices.Contains(p.Models, scope) }

// lay cuts the steps at each other's ends, adds up what runs at the same time,
// and leaves the dry spans out.
func lay(all, dry []step) curve {
	type change struct {
		at   int64   // Unix nanoseconds: a week of readings is sorted in each round
		rate float64 // percent an hour
		dry  int
	}
	changes := make([]change, 0, 2*(len(all)+len(dry)))
	for _, s := range all {
		rate := s.percent / s.to.Sub(s.from).Hours()
		changes = append(changes, change{s.from.UnixNano(), rate, 0}, change{s.to.UnixNano(), -rate, 0})
	}
	for _, s := range dry {
		changes = append(changes, change{s.from.UnixNano(), 0, 1}, change{s.to.UnixNano(), 0, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	from, to := slices.MinFunc(all, byFrom).from.UnixNano(), slices.MaxFunc(all, byTo).to.UnixNano()
	c := curve{pieces: make([]piece, 0, len(changes))}
	rate, isDry := 0.0, 0
	for i, ch := range changes {
		if i > 0 && isDry == 0 {
			if length := time.Duration(min(ch.at, to) - max(changes[i-1].at, from)); length > 0 {
				c.pieces = append(c.pieces, piece{length, max(rate, 0) * length.Hours()})
			}
		}
		rate, isDry = rate+ch.rate, isDry+ch.dry
	}
	slices.Reverse(c.pieces)
	return c
}

func byFrom(a, b step) int { return a.from.Compare(b.from) }
func byTo(a, b step) int   { return a.to.Compare(b.to) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (c curve) span() time.Duration {
	var d time.Duration
	for _, p := range c.pieces {
		d += p.length
	}
	return d
}

func (c curve) total() float64 {
	sum := 0.0
	for _, p := range c.pieces {
		sum += p.percent
	}
	return sum
}

// within is what was used in the last d.
func (c curve) within(d time.Duration) float64 {
	sum := 0.0
	for _, p := range c.pieces {
		if p.length >= d {
			return sum + p.percent*d.Hours()/p.length.Hours()
		}
		sum, d = sum+p.percent, d-p.length
	}
	return sum
}

// recent is the rate in percent an hour with weights that halve every half. A
// history shorter than that is averaged.
func (c curve) recent(half time.Duration) float64 {
	decay := math.Ln2 / half.Hours()
	sum, weights, age := 0.0, 0.0, 0.0
	for _, p := range c.pieces {
		if age > 16*half.Hours() {
			break // the rest weighs nothing
		}
		h := p.length.Hours()
		weight := (math.Exp(-decay*age) - math.Exp(-decay*(age+h))) / decay
		sum, weights, age = sum+weight*p.percent/h, weights+weight, age+h
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}
