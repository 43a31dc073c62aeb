package sim

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const (
	shortWindow = 5 * time.Hour
	longWindow  = 7 * 24 * time.Hour

	// full is when a window is used up: sums of small parts may miss 100.
	full = 100 - 1e-6
)

// meter is what a provider counts for one account, in percent: five hours and
// a week, each from its first use on.
type meter struct {
	paid bool // counts nothing, is never spent
	// size is how much more one percent is worth than on the smallest plan,
	// week how many percent of the week one percent of five hours is.
	size, week         float64
	five, weekly       float64
	fiveEnds, weekEnds time.Time
	resets             []time.Time // windows given back before their time
}

// roll closes the windows that are over at now.
func (m *meter) roll(now time.Time) {
	for len(m.resets) > 0 && !now.Before(m.resets[0]) {
		m.resets = m.resets[1:]
		m.fiveEnds, m.weekEnds = time.Time{}, time.Time{}
	}
	if !now.Before(m.fiveEnds) {
		m.five, m.fiveEnds = 0, time.Time{}
	}
	if !now.Before(m.weekEnds) {
		m.weekly, m.weekEnds = 0, time.Time{}
	}
}

// use takes units: percents of five hours on the smallest plan.
func (m *meter) use(now time.Time, units float64) {
	if m.paid {
		return
	}
	m.roll(now)
	if m.fiveEnds.IsZero() {
		m.fiveEnds = now.Add(shortWindow)
	}
	if m.weekEnds.IsZero() {
		m.weekEnds = now.Add(longWindow)
	}
	percent := units / m.size
	m.five, m.weekly = min(100, m.five+percent), min(100, m.weekly+percent*m.week)
}

func (m *meter) spent(now time.Time) bool {
	if m.paid {
		return false
	}
	m.roll(now)
	return m.five >= full || m.weekly >= full
}

// until is when a spent account is back; zero for one that is not spent.
func (m *meter) until(now time.Time) (until time.Time) {
	if !m.spent(now) {
		return until
	}
	if m.five >= full {
		until = m.fiveEnds
	}
	if m.weekly >= full && m.weekEnds.After(until) {
		until = m.weekEnds
	}
	return until
}

// reading is what a probe makes of it. Providers tell whole percents.
func (m *meter) reading(now time.Time) quota.Reading {
	if m.paid {
		return quota.Reading{Verdict: quota.OK, Source: quota.FromValidity}
	}
	r := quota.Reading{Verdict: quota.OK, Source: quota.FromUsage, Until: m.until(now)}
	if !r.Until.IsZero() {
		r.Verdict, r.Reason = quota.Exhausted, "quota spent"
	}
	r.Windows = []quota.Window{
		{Name: quota.FiveHour, UsedPercent: quota.Percent(float64(int(m.five))), ResetsAt: m.fiveEnds, Length: shortWindow},
		{Name: quota.Weekly, UsedPercent: quota.Percent(float64(int(m.weekly))), ResetsAt: m.weekEnds, Length: longWindow},
	}
	return r
}
