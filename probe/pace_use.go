package probe

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Watch is what an account is watched for.
type Watch struct {
	// Every is the owner's interval, 0 for the provider's default. A longer one
	// than the default slows everything down alike; a shorter one is kept to as
	// it is.
	Every time.Duration
	// SwitchAt is the used percentage at which the account is left, 0 for 95.
	SwitchAt float64
	// Models are those whose own windows count as the account's.
	Models []string
}

// Pacer says when accounts are asked again, by how near their windows are to
// the threshold and how fast they fill. What it remembers is the last hour of
// each account; a new Pacer takes every account for one that may start to fill
// at any moment. It is safe for concurrent use.
type Pacer struct {
	mu   sync.Mutex
	past map[string][]quota.Reading
}

// NewPacer returns a Pacer that remembers nothing.
func NewPacer() *Pacer { return &Pacer{past: map[string][]quota.Reading{}} }

// Next notes a's newest reading and returns when to ask a again, never before
// now. rand01 is a random number in [0, 1). The zero Reading is due now. To note
// the same reading twice changes nothing.
//
// An account that can serve is asked early enough that a window filling as fast
// as it ever does is seen within 3 % of its threshold; every other verdict goes
// by the function Next. The provider's Hourly holds for all of them.
func (p *Pacer) Next(now time.Time, a Account, last quota.Reading, w Watch, rand01 float64) time.Time {
	if last.At.IsZero() {
		return now
	}
	pace := PaceOf(a.Provider, a.Type)
	past := p.note(a.Key, last)
	if w.Every > 0 && w.Every < pace.Every {
		return Next(now, last, w.Every, rand01)
	}
	return paced(now, past, pace.slowed(w.Every), w, rand01)
}

// note appends r to what is remembered of the account, and returns the last
// hour of it, r last.
func (p *Pacer) note(key string, r quota.Reading) []quota.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, past := range p.past {
		if r.At.Sub(past[len(past)-1].At) > 2*day {
			delete(p.past, k) // an account that is gone
		}
	}
	past := p.past[key]
	if n := len(past); n > 0 && !r.At.After(past[n-1].At) {
		if r.At.Equal(past[n-1].At) {
			return slices.Clone(past)
		}
		past = nil // the clock was set back
	}
	past = append(past, r)
	past = slices.DeleteFunc(past, func(old quota.Reading) bool { return r.At.Sub(old.At) >= time.Hour })
	p.past[key] = past
	return slices.Clone(past)
}

// slowed stretches every interval as far as the owner stretched the ordinary
// one. What is rare already is not stretched beyond an hour.
func (p Pace) slowed(every time.Duration) Pace {
	if every <= p.Every {
		return p
	}
	by := float64(every) / float64(p.Every)
	stretch := func(d time.Duration) time.Duration { return time.Duration(by * float64(d)) }
	return Pace{
		Every: every, Idle: max(every, min(stretch(p.Idle), time.Hour)),
		Min: stretch(p.Min), Rush: stretch(p.Rush), Hourly: max(1, int(float64(p.Hourly)/by)),
	}
}

// paced is Next of a Pacer. past is the account's last hour, newest last.
func paced(now time.Time, past []quota.Reading, pace Pace, w Watch, rand01 float64) time.Time {
	last := past[len(past)-1]
	at := Next(now, last, pace.Every, rand01)
	if last.Verdict == quota.OK && len(last.Windows) > 0 {
		wait := interval(past, pace, w)
		at = last.At.Add(wait - time.Duration(rand01*hasteShare*float64(wait)))
		if reset, ok := returning(last, w); ok && reset.Before(at) {
			at = later(reset.Add(lateness(recheck, rand01)), last.At.Add(pace.Min))
		}
	}
	if n := len(past) - pace.Hourly; n >= 0 {
		at = later(at, past[n].At.Add(time.Hour+takenAlong))
	}
	return later(at, now)
}

const (
	// defaultSwitchAt is failover's default.
	defaultSwitchAt = 95
	// unseen is how far, in percent, a window may get beyond its threshold
	// before it is seen. Providers round percentages, which hides up to one.
	unseen, rounding = 3, 1
	// sprint is how fast a five-hour window may begin to fill from standing
	// still, in percent an hour: a fleet of agents empties it in an hour. Longer
	// windows fill more slowly, but never less than walk is reckoned with: some
	// plans have a weekly window alone.
	sprint, walk = 100.0, 30.0
	// haste is how much faster than lately a window may fill next.
	haste = 1.5
	// hasteShare spreads accounts out without asking late: an interval is up to
	// 5 % shorter.
	hasteShare = 0.05
	// lately is the time that tells how fast a window fills now.
	lately = 15 * time.Minute
	// takenAlong is how long before its time a round of another account's may
	// ask this one, too.
	takenAlong = 30 * time.Second
	// rushes is how many intervals an hour may be below the pace's Min.
	rushes = 4
)

// interval is how long the account may be left unasked after the last reading
// of past.
func interval(past []quota.Reading, pace Pace, w Watch) time.Duration {
	last := past[len(past)-1]
	wait, moving := pace.Idle, false
	for _, win := range last.Windows {
		used, ok := win.Used()
		if !ok || !w.counts(win) {
			continue
		}
		rate := lastRate(past, win)
		d := room(used, rate, w, win)
		moving = moving || rate > 0
		wait = min(wait, d)
	}
	least := pace.Min
	if moving && rushed(past, pace) < rushes {
		least = pace.Rush
	}
	if throttledLately(past) {
		least = pace.Every // somebody else is asking, too
	}
	return max(wait, least)
}

func (w Watch) counts(win quota.Window) bool {
	return win.Scope == "" || slices.Contains(w.Models, win.Scope)
}

func (w Watch) switchAt() float64 {
	if w.SwitchAt > 0 {
		return w.SwitchAt
	}
	return defaultSwitchAt
}

// room is how long a window needs at least until it is as far beyond its
// threshold as may stay unseen. Beyond switch_at the next threshold is its end,
// and that only matters while the account is in use.
func room(used, rate float64, w Watch, win quota.Window) time.Duration {
	to := w.switchAt()
	if used >= to {
		if rate == 0 {
			return day
		}
		to = 100
	}
	hours := (to - used + unseen - rounding) / max(fastest(win), haste*rate)
	return time.Duration(min(hours, 24) * float64(time.Hour))
}

// fastest is how fast win may fill from standing still, in percent an hour.
func fastest(win quota.Window) float64 {
	length := cmp.Or(win.Lasts(), 5*time.Hour)
	return max(walk, sprint*5/max(length.Hours(), 1))
}

// lastRate is the fastest that win filled lately, in percent an hour, up to its
// newest reading; 0 where it stands still or nothing is known.
func lastRate(past []quota.Reading, win quota.Window) float64 {
	last := past[len(past)-1]
	now, _ := win.Used()
	rate := 0.0
	for i := len(past) - 2; i >= 0; i-- {
		span := last.At.Sub(past[i].At)
		was, ok := sameWindow(past[i], win)
		if ok && was > now {
			break // it was reset between
		}
		if ok && span > 0 {
			rate = max(rate, (now-was)/span.Hours())
		}
		if span >= lately {
			break
		}
	}
	return rate
}

func sameWindow(r quota.Reading, win quota.Window) (used float64, ok bool) {
	for _, w := range r.Windows {
		if w.Name == win.Name && w.Scope == win.Scope {
			return w.Used()
		}
	}
	return 0, false
}

// rushed counts the intervals of the last hour that were below the pace's Min.
// A round that another account asked for may take this one along up to half a
// minute early, which is not meant.
func rushed(past []quota.Reading, pace Pace) int {
	n := 0
	for i := 1; i < len(past); i++ {
		if past[i].At.Sub(past[i-1].At) < pace.Min*3/4 {
			n++
		}
	}
	return n
}

func throttledLately(past []quota.Reading) bool {
	return slices.ContainsFunc(past, func(r quota.Reading) bool { return r.Verdict == quota.Throttled })
}

// returning is when the last of the windows beyond the threshold is reset, which
// brings the account back.
func returning(last quota.Reading, w Watch) (time.Time, bool) {
	var back time.Time
	for _, win := range last.Windows {
		used, ok := win.Used()
		if !ok || used < w.switchAt() || !w.counts(win) {
			continue
		}
		reset, known := win.Reset()
		if !known || !reset.After(last.At) {
			return time.Time{}, false
		}
		back = later(back, reset)
	}
	return back, !back.IsZero()
}
