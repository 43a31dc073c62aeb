package sandbox

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Window is one rate-limit window of an account.
type Window struct {
	Name string // quota.FiveHour or quota.Weekly, unless Length is given
	// Length is what the provider declares; 0 means what Name says.
	Length      time.Duration
	UsedPercent float64
	// ResetsAfter is when the window really resets, counted from its first
	// use, or from the start of the world where UsedPercent is not 0. Short
	// ones show in seconds what takes hours; 0 means Length.
	ResetsAfter time.Duration
	// Rate is how much of this window one percent of use takes; 0 means 1. A
	// week holds several 5-hour windows, so its rate is a fraction.
	Rate float64
	// Model is the one model that the window limits; "" for the account.
	Model string
}

// meter is the quota of one account. World.mu guards it.
type meter struct{ windows []*windowState }

type windowState struct {
	Window
	used     float64
	resetsAt time.Time // zero: not started
}

func newMeter(windows []Window, now time.Time) *meter {
	m := &meter{}
	for _, w := range windows {
		switch {
		case w.Length == 0 && w.Name == quota.Weekly:
			w.Length = 7 * 24 * time.Hour
		case w.Length == 0:
			w.Length = 5 * time.Hour
		}
		if w.Rate == 0 {
			w.Rate = 1
		}
		if w.ResetsAfter == 0 {
			w.ResetsAfter = w.Length
		}
		s := &windowState{Window: w}
		s.set(w.UsedPercent, now)
		m.windows = append(m.windows, s)
	}
	return m
}

// settle ends the windows whose reset has passed. An ended window is idle: it
// starts with the next use, not by itself.
func (m *meter) settle(now time.Time) {
	for _, w := range m.windows {
		if !w.resetsAt.IsZero() && !now.Before(w.resetsAt) {
			w.used, w.resetsAt = 0, time.Time{}
		}
	}
}

func (w *windowState) set(percent float64, now time.Time) {
	w.used = min(max(percent, 0), 100)
	switch {
	case w.used == 0:
		w.resetsAt = time.Time{}
	case w.resetsAt.IsZero():
		w.resetsAt = now.Add(w.ResetsAfter)
	}
}

// spend uses percent of every account-wide window, at the window's rate.
func (m *meter) spend(percent float64, now time.Time) {
	m.settle(now)
	for _, w := range m.windows {
		if w.Model == "" {
			w.set(w.used+percent*w.Rate, now)
		}
	}
}

// spentUntil reports whether an account-wide window is used up, and the last
// reset among those that are.
func (m *meter) spentUntil(now time.Time) (until time.Time, spent bool) {
	m.settle(now)
	for _, w := range m.windows {
		if w.Model == "" && w.used >= 100 {
			spent = true
			if w.resetsAt.After(until) {
				until = w.resetsAt
			}
		}
	}
	return until, spent
}
