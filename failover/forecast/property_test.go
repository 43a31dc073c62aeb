package forecast

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// drawReadings draws what a provider might say, sane or not.
func drawReadings(t *rapid.T) []quota.Reading {
	var list []quota.Reading
	at := noon.Add(-time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "since")) * time.Minute)
	for range rapid.IntRange(0, 30).Draw(t, "readings") {
		at = at.Add(time.Duration(rapid.IntRange(-10, 600).Draw(t, "step")) * time.Minute)
		r := quota.Reading{At: at, Verdict: rapid.SampledFrom([]quota.Verdict{
			quota.OK, quota.OK, quota.OK, quota.OK, quota.Exhausted, quota.Unreachable, quota.Throttled, quota.Revoked,
		}).Draw(t, "verdict")}
		for _, w := range []struct {
			name   string
			length time.Duration
		}{{quota.FiveHour, 5 * time.Hour}, {quota.Weekly, 7 * day}, {"90m", 0}} {
			if rapid.IntRange(0, 9).Draw(t, "absent") == 0 {
				continue
			}
			win := quota.Window{Name: w.name, Length: w.length, Spent: rapid.IntRange(0, 19).Draw(t, "spent") == 0}
			if rapid.IntRange(0, 9).Draw(t, "unsaid") > 0 {
				win.UsedPercent = quota.Percent(rapid.OneOf(rapid.Float64Range(0, 100), rapid.Float64()).Draw(t, "used"))
			}
			if rapid.Bool().Draw(t, "dated") {
				win.ResetsAt = at.Add(time.Duration(rapid.IntRange(-1000, 20000).Draw(t, "reset")) * time.Minute)
			}
			r.Windows = append(r.Windows, win)
		}
		if r.Verdict == quota.Exhausted && rapid.Bool().Draw(t, "until") {
			r.Until = at.Add(time.Duration(rapid.IntRange(-100, 10000).Draw(t, "back")) * time.Minute)
		}
		list = append(list, r)
	}
	return list
}

// TestAlways: whatever was read, a forecast names no time in the past, none
// beyond a window's reset, and no number that is none.
func TestAlways(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Pool{SwitchAt: rapid.Float64Range(1, 100).Draw(t, "switch_at")}
		for range rapid.IntRange(0, 4).Draw(t, "accounts") {
			p.Accounts = append(p.Accounts, Account{
				ID: rapid.StringMatching(`[a-z]{8}`).Draw(t, "id"), Readings: drawReadings(t), Dead: rapid.IntRange(0, 5).Draw(t, "dead") == 0,
			})
		}
		f := Of(noon, p)
		for _, w := range f.Windows {
			for _, at := range []time.Time{w.At, w.Earliest, w.Latest} {
				if !at.IsZero() && (at.Before(noon) || at.After(noon.Add(ahead)) || !w.ResetsAt.IsZero() && at.After(w.ResetsAt)) {
					t.Fatalf("%+v", w)
				}
			}
			if math.IsNaN(w.Rate) || math.IsInf(w.Rate, 0) || w.Rate < 0 || math.IsNaN(w.Used) || w.Used < 0 || w.Used > 100 {
				t.Fatalf("%+v", w)
			}
			if w.Confidence == Unknown && !w.At.IsZero() {
				t.Fatalf("unknown, and a time: %+v", w)
			}
		}
		if !f.Dry.IsZero() && (f.Dry.Before(noon) || f.Dry.After(noon.Add(ahead)) || f.Confidence == Unknown) {
			t.Fatalf("%+v", f)
		}
		if !f.Back.IsZero() && (f.Dry.IsZero() || f.Back.Before(f.Dry) || f.First == "") {
			t.Fatalf("%+v", f)
		}
		if f.Dry.IsZero() && f.Last != "" {
			t.Fatalf("not dry, and %s serves last", f.Last)
		}
	})
}

// TestMoreUsedIsNotLater: the more of a window is used by now, the sooner it
// reaches its threshold, and the pool runs dry.
func TestMoreUsedIsNotLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		used, list := 0.0, []quota.Reading(nil)
		n := rapid.IntRange(3, 20).Draw(t, "readings")
		for i := range n {
			used += rapid.Float64Range(0, 40/float64(n)).Draw(t, "more")
			list = append(list, reading(time.Duration(n-1-i)*10*time.Minute, used, time.Duration(rapid.IntRange(10, 100).Draw(t, "reset"))*time.Minute))
			list[i].Windows[0].ResetsAt = list[0].Windows[0].ResetsAt
		}
		more := append([]quota.Reading(nil), list...)
		more[n-1].Windows = []quota.Window{list[n-1].Windows[0]}
		more[n-1].Windows[0].UsedPercent = quota.Percent(used + rapid.Float64Range(0, 54).Draw(t, "much more"))
		a, b := Of(noon, one(list...)), Of(noon, one(more...))
		notLater := func(what string, a, b time.Time) {
			if !a.IsZero() && (b.IsZero() || b.After(a.Add(2*time.Second))) {
				t.Fatalf("%s: %s with %.1f %%, %s with more", what, a.Sub(noon), used, b.Sub(noon))
			}
		}
		if *more[n-1].Windows[0].UsedPercent < 95 && b.Windows[0].Confidence != Unknown {
			notLater("the threshold", a.Windows[0].At, b.Windows[0].At)
		}
		notLater("the pool", a.Dry, b.Dry)
	})
}
