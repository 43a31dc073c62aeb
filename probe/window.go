package probe

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// horizon is how far ahead a reset is still believed: a yearly window and some
// slack. What lies beyond is a unit mistaken or a joke.
const horizon = 400 * 24 * time.Hour

const day = 24 * time.Hour

// windowName names a window by its length, never by the slot it came in: the
// first slot holds the 5-hour window on one account and the weekly one on the
// next. A percent of slack forgives a provider that counts a second less.
func windowName(length time.Duration) string {
	near := func(l time.Duration) bool { return (length - l).Abs() <= l/100 }
	switch {
	case length <= 0:
		return "window"
	case near(5 * time.Hour):
		return quota.FiveHour
	case near(7 * day):
		return quota.Weekly
	case length >= 28*day && length <= 31*day:
		return quota.Monthly
	}
	return spell(length)
}

// spell writes a length in the largest unit that divides it: "2d", "36h", "90m".
func spell(d time.Duration) string {
	switch {
	case d%day == 0 && d > day:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%dm", d.Round(time.Minute)/time.Minute)
	}
	return fmt.Sprintf("%ds", d.Round(time.Second)/time.Second)
}

// setPercent records a used percentage. One outside 0 to most is kept and
// marked; one between 100 and most is a provider counting the overshoot. A share
// of next to nothing may be no number at all, which could not be written down.
func setPercent(w *quota.Window, p, most float64) {
	if math.IsInf(p, 0) || math.IsNaN(p) {
		return
	}
	w.SuspectPercent = p < 0 || p > most
	if !w.SuspectPercent {
		p = math.Min(p, 100)
	}
	w.UsedPercent = quota.Percent(p)
}

// setReset records a reset time and marks it where it cannot be true.
func setReset(w *quota.Window, t, now time.Time) {
	w.ResetsAt = t
	w.SuspectReset = !t.IsZero() && !ahead(t, now, horizon)
}

// ahead reports whether t lies after now, by at most d.
func ahead(t, now time.Time, d time.Duration) bool {
	return t.After(now) && t.Sub(now) <= d
}

// passed reports a window whose reset has gone by: what it says of use is of a
// window that no longer exists.
func passed(w quota.Window, now time.Time) bool {
	return !w.ResetsAt.IsZero() && !w.ResetsAt.After(now)
}

// addWindow appends w unless the list has that window already, in which case
// the one there stands and only its gaps are filled.
func addWindow(list []quota.Window, w quota.Window) []quota.Window {
	for i := range list {
		if list[i].Name != w.Name || !strings.EqualFold(list[i].Scope, w.Scope) {
			continue
		}
		if list[i].UsedPercent == nil {
			list[i].UsedPercent, list[i].SuspectPercent = w.UsedPercent, w.SuspectPercent
			list[i].Spent = list[i].Spent || w.Spent
		}
		if list[i].ResetsAt.IsZero() {
			list[i].ResetsAt, list[i].SuspectReset = w.ResetsAt, w.SuspectReset
		}
		return list
	}
	return append(list, w)
}

// moneyScope gives a spend limit its scope: where the plan has windows, the
// limit concerns what is bought on top and must not condemn the account; where
// there are none it is all there is.
func moneyScope(windows []quota.Window) string {
	for _, w := range windows {
		if w.Scope == "" {
			return "credits"
		}
	}
	return ""
}

// judge reads a verdict off the account-wide windows, for answers that do not
// state one. A window of one model never decides.
func judge(r *quota.Reading, now time.Time) {
	var spent, gone []quota.Window
	known := false
	for _, w := range r.Windows {
		used, ok := w.Used()
		switch {
		case w.Scope != "" || !ok && !w.Spent:
			continue
		case w.Spent || used >= 100:
			if passed(w, now) {
				gone = append(gone, w)
				continue
			}
			spent = append(spent, w)
		}
		known = true
	}
	switch {
	case len(spent) > 0:
		exhausted(r, spent)
	case len(gone) > 0:
		r.Verdict, r.Reason = quota.Unknown, describe(gone[0])+", but its reset has passed"
	case known:
		r.Verdict = quota.OK
	default:
		r.Verdict, r.Reason = quota.Unknown, "the answer names no limit of this account"
	}
}

// exhausted fills in the verdict from the spent windows: the account is back
// when the last of them has reset, so a reset that is not known leaves the
// whole unknown.
func exhausted(r *quota.Reading, spent []quota.Window) {
	r.Verdict, r.Until = quota.Exhausted, time.Time{}
	var reasons []string
	money, unknown := true, false
	for _, w := range spent {
		reasons = append(reasons, describe(w))
		money = money && w.Name == quota.Spend
		t, ok := w.Reset()
		unknown = unknown || !ok
		if t.After(r.Until) {
			r.Until = t
		}
	}
	if unknown {
		r.Until = time.Time{}
	}
	if money {
		r.Verdict = quota.Billing
	}
	r.Reason = strings.Join(reasons, ", ")
}

// describe says in words how a window stands.
func describe(w quota.Window) string {
	name := w.Name
	switch name {
	case quota.Spend:
		name = "spend limit"
	case "window":
		name = "limit"
	default:
		name += " window"
	}
	if used, ok := w.Used(); ok {
		return fmt.Sprintf("%s %.0f %% used", name, math.Floor(used))
	}
	return name + " spent"
}
