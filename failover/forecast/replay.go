package forecast

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Errors is how forecasts over a recorded or simulated history turned out.
type Errors struct {
	// Windows are the forecasts of windows in use, Pools those of pools that run
	// dry within Judged.
	Windows, Pools Tally
}

// Tally tells all forecasts, and those of high confidence alone.
type Tally struct{ All, Sure Distribution }

// Distribution is how far forecasts were off.
type Distribution struct {
	// Came counts what was foretold and came, False what was foretold and did
	// not come, Missed what came untold, and Quiet what neither came nor was told.
	Came, False, Missed, Quiet int
	// Median and P90 are quantiles of |foretold − actual| relative to the time
	// that was left.
	Median, P90 float64

	off []float64
}

// Judged is how far ahead Replay looks at pools that run dry.
const Judged = 12 * time.Hour

// shortest is the shortest time ahead that is judged: closer than the readings
// are to each other there is nothing to foretell.
const shortest = 15 * time.Minute

// Replay makes the forecast of p as of every so often from the second day of its
// readings on, and compares it with the readings that followed.
func Replay(p Pool, every time.Duration) Errors {
	var e Errors
	begin, end := extent(p)
	for now := begin.Add(day); now.Before(end.Add(-Judged)); now = now.Add(every) {
		past := p.before(now)
		f := Of(now, past)
		for _, w := range f.Windows {
			if w.Account == f.Serving && w.Used < p.SwitchAt && w.Confidence != Unknown {
				e.Windows.add(w.Confidence, now, w.At, p.crossing(now, w))
			}
		}
		if f.Confidence != Unknown && !f.Dry.Equal(now) {
			e.Pools.add(f.Confidence, now, within(now, f.Dry), within(now, p.dryAfter(now)))
		}
	}
	for _, t := range []*Tally{&e.Windows, &e.Pools} {
		t.All.sum()
		t.Sure.sum()
	}
	return e
}

func extent(p Pool) (begin, end time.Time) {
	for _, a := range p.Accounts {
		if n := len(a.Readings); n > 0 {
			if begin.IsZero() || a.Readings[0].At.Before(begin) {
				begin = a.Readings[0].At
			}
			end = later(end, a.Readings[n-1].At)
		}
	}
	return begin, end
}

// before is p as it was known at now.
func (p Pool) before(now time.Time) Pool {
	accounts := make([]Account, len(p.Accounts))
	for i, a := range p.Accounts {
		from := search(a.Readings, now.Add(-ahead))
		to := search(a.Readings, now.Add(time.Nanosecond))
		a.Readings = a.Readings[from:to]
		accounts[i] = a
	}
	p.Accounts = accounts
	return p
}

func search(readings []quota.Reading, at time.Time) int {
	i, _ := slices.BinarySearchFunc(readings, at, func(r quota.Reading, t time.Time) int { return r.At.Compare(t) })
	return i
}

// crossing is when w really reached the threshold; zero: its reset came first,
// or the account was no longer in use.
func (p Pool) crossing(now time.Time, w Window) time.Time {
	for _, a := range p.Accounts {
		if a.ID != w.Account {
			continue
		}
		last := point{at: now, used: w.Used}
		for _, r := range a.Readings[search(a.Readings, now.Add(time.Nanosecond)):] {
			if !w.ResetsAt.IsZero() && !r.At.Before(w.ResetsAt) || r.At.Sub(now) > ahead {
				break
			}
			for _, pt := range points(r.At, []quota.Reading{r}, key{w.Name, w.Scope}) {
				if last.used > 0 && last.endedBy(pt.at) || pt.used < last.used-correction {
					return time.Time{} // it had not started, and was reset since
				}
				if pt.used >= p.SwitchAt {
					share := (p.SwitchAt - last.used) / (pt.used - last.used)
					return last.at.Add(time.Duration(share * float64(pt.at.Sub(last.at))))
				}
				last = pt
			}
		}
	}
	return time.Time{}
}

// dryAfter is when every account was spent for the first time after now.
func (p Pool) dryAfter(now time.Time) time.Time {
	_, end := extent(p)
	later := Pool{Accounts: slices.Clone(p.Accounts), SwitchAt: p.SwitchAt, Models: p.Models}
	for i, a := range later.Accounts {
		from := search(a.Readings, now)
		later.Accounts[i].Readings = a.Readings[from:search(a.Readings, now.Add(2*Judged))]
	}
	for _, s := range drySpans(end, later) {
		return s.from
	}
	return time.Time{}
}

// within forgets what lies beyond Judged.
func within(now, t time.Time) time.Time {
	if t.Sub(now) > Judged {
		return time.Time{}
	}
	return t
}

func (t *Tally) add(c Confidence, now, told, came time.Time) {
	if !came.IsZero() && came.Sub(now) < shortest {
		return
	}
	t.All.add(now, told, came)
	if c == High {
		t.Sure.add(now, told, came)
	}
}

func (d *Distribution) add(now, told, came time.Time) {
	switch {
	case told.IsZero() && came.IsZero():
		d.Quiet++
	case told.IsZero():
		d.Missed++
	case came.IsZero():
		d.False++
	default:
		d.Came++
		d.off = append(d.off, float64(told.Sub(came).Abs())/float64(came.Sub(now)))
	}
}

// Add adds what another history brought.
func (e *Errors) Add(o Errors) {
	e.Windows.merge(o.Windows)
	e.Pools.merge(o.Pools)
}

func (t *Tally) merge(o Tally) {
	t.All.merge(o.All)
	t.Sure.merge(o.Sure)
	t.All.sum()
	t.Sure.sum()
}

func (d *Distribution) merge(o Distribution) {
	d.Came, d.False, d.Missed, d.Quiet = d.Came+o.Came, d.False+o.False, d.Missed+o.Missed, d.Quiet+o.Quiet
	d.off = append(d.off, o.off...)
}

func (d *Distribution) sum() {
	slices.Sort(d.off)
	if n := len(d.off); n > 0 {
		d.Median, d.P90 = d.off[n/2], d.off[n*9/10]
	}
}
