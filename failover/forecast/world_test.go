package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// simulated is an account that is used, and what the journal keeps of it.
type simulated struct {
	five, week           float64
	fiveReset, weekReset time.Time
	kept                 []quota.Reading
}

const simStep = time.Minute

// simulate lets a demand, in percent of a five-hour window an hour, be served by
// so many accounts for so long, and returns what the journal would have: a
// reading each 15 minutes and at each whole percent, reset times that jitter by
// two seconds, and some readings without an answer.
func simulate(accounts int, d time.Duration, seed uint64, demand func(time.Time) float64) Pool {
	rnd := rand.New(rand.NewPCG(seed, 99))
	list := make([]*simulated, accounts)
	for i := range list {
		list[i] = &simulated{}
	}
	for now := noon; now.Before(noon.Add(d)); now = now.Add(simStep) {
		for _, a := range list {
			a.settle(now)
		}
		if a := inUse(list); a != nil {
			a.spend(now, demand(now)*simStep.Hours())
		}
		for _, a := range list {
			if now.Minute()%5 == 0 {
				a.keep(now, rnd)
			}
		}
	}
	p := Pool{SwitchAt: 95}
	for i, a := range list {
		p.Accounts = append(p.Accounts, Account{ID: fmt.Sprintf("openai:user%d@example.com", i), Readings: a.kept})
	}
	return p
}

func inUse(list []*simulated) *simulated {
	for _, limit := range []float64{95, 100} {
		for _, a := range list {
			if max(a.five, a.week) < limit {
				return a
			}
		}
	}
	return nil
}

func (a *simulated) settle(now time.Time) {
	if !a.fiveReset.After(now) {
		a.five, a.fiveReset = 0, time.Time{}
	}
	if !a.weekReset.After(now) {
		a.week, a.weekReset = 0, time.Time{}
	}
}

func (a *simulated) spend(now time.Time, percent float64) {
	if percent == 0 {
		return
	}
	if a.fiveReset.IsZero() {
		a.fiveReset = now.Add(5 * time.Hour)
	}
	if a.weekReset.IsZero() {
		a.weekReset = now.Add(7 * day)
	}
	a.five, a.week = min(100, a.five+percent), min(100, a.week+0.12*percent)
}

func (a *simulated) keep(now time.Time, rnd *rand.Rand) {
	if rnd.Float64() < 0.03 {
		a.kept = append(a.kept, quota.Reading{At: now, Verdict: quota.Unreachable})
		return
	}
	r := quota.Reading{At: now, Verdict: quota.OK, Source: quota.FromUsage}
	add := func(name string, used float64, reset time.Time, length time.Duration) {
		if reset.IsZero() {
			reset = now.Add(length)
		}
		jitter := time.Duration(rnd.IntN(5)-2) * time.Second
		r.Windows = append(r.Windows, quota.Window{
			Name: name, Length: length, UsedPercent: quota.Percent(math.Floor(used)), ResetsAt: reset.Add(jitter),
		})
		if used >= 100 {
			r.Verdict = quota.Exhausted
			if reset.After(r.Until) {
				r.Until = reset
			}
		}
	}
	add(quota.FiveHour, a.five, a.fiveReset, 5*time.Hour)
	add(quota.Weekly, a.week, a.weekReset, 7*day)
	if n := len(a.kept); n > 0 && a.kept[n-1].Verdict == r.Verdict && now.Sub(a.kept[n-1].At) < 15*time.Minute &&
		*a.kept[n-1].Windows[0].UsedPercent == *r.Windows[0].UsedPercent && *a.kept[n-1].Windows[1].UsedPercent == *r.Windows[1].UsedPercent {
		return
	}
	a.kept = append(a.kept, r)
}

// burst is demand in bursts with quiet between them.
func burst(rnd *rand.Rand, quiet, busy time.Duration, top float64) func(time.Time) float64 {
	var until time.Time
	rate := 0.0
	return func(now time.Time) float64 {
		if now.Before(until) {
			return rate
		}
		mean := quiet
		if rate == 0 {
			rate, mean = top*(0.2+0.8*rnd.Float64()), busy
		} else {
			rate = 0
		}
		until = now.Add(time.Duration(rnd.ExpFloat64() * float64(mean)))
		return rate
	}
}

type profile struct {
	name     string
	accounts int
	demand   func(time.Time) float64
}

// profiles are the kinds of demand that forecasts are measured on.
func profiles(seed uint64) []profile {
	rnd := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	office := burst(rnd(1), 20*time.Minute, 30*time.Minute, 45)
	drift := rnd(5)
	level, changed := 20.0, time.Time{}
	return []profile{
		{"steady", 3, func(time.Time) float64 { return 24 }},
		{"wandering", 3, func(now time.Time) float64 {
			if now.Sub(changed) >= 10*time.Minute {
				level, changed = min(60, max(2, level*math.Exp(0.25*drift.NormFloat64()))), now
			}
			return level
		}},
		{"bursty", 2, burst(rnd(2), 20*time.Minute, 15*time.Minute, 50)},
		{"office hours", 2, func(now time.Time) float64 {
			if h := now.Hour(); h < 9 || h >= 18 {
				return 0
			}
			return office(now)
		}},
		{"several accounts", 4, burst(rnd(3), 15*time.Minute, 30*time.Minute, 60)},
	}
}
