package forecast

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestReplay measures how far forecasts are off, on simulated histories as the
// journal keeps them. The bounds are those of these seeded worlds, with
// room: a worse estimator fails, and so does one that foretells nothing.
func TestReplay(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	var sure Distribution // of windows
	for _, p := range profiles(1) {
		e := Replay(simulate(p.accounts, 9*day, 1, p.demand), 2*time.Hour)
		for _, row := range []struct {
			name string
			d    Distribution
		}{{"windows", e.Windows.All}, {"windows, sure", e.Windows.Sure}, {"pools", e.Pools.All}, {"pools, sure", e.Pools.Sure}} {
			d := row.d
			fmt.Fprintf(&table, "\n%-18s %-14s %5d %5.0f %% %5.0f %% %5d %5d %5d",
				p.name, row.name, d.Came, 100*d.Median, 100*d.P90, d.False, d.Missed, d.Quiet)
		}
		sure.merge(e.Windows.Sure)
		if all := e.Windows.All; p.name == "steady" && (all.Median > 0.05 || all.Missed+all.False > all.Came/10) {
			t.Errorf("steady demand is not foreseen: false %d, missed %d, off by %.0f %%", all.False, all.Missed, 100*all.Median)
		}
	}
	sure.sum()
	if sure.Came < 150 || sure.Median > 0.2 || sure.P90 > 0.8 || sure.False+sure.Missed > (sure.Came+sure.Quiet)/4 {
		t.Errorf("%d foretold, off by %.0f %% in the median and %.0f %% in the worst tenth, false %d, missed %d",
			sure.Came, 100*sure.Median, 100*sure.P90, sure.False, sure.Missed)
	}
	t.Logf("demand, of what: foretold and came, off by in the median and in the worst tenth, false, missed, quiet%s", table.String())
}

// TestGapsAreToldInTime lets simulated pools run dry, and looks at who heard of
// it before.
func TestGapsAreToldInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("weeks take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	for _, p := range profiles(3) {
		w := ReplayWarnings(simulate(p.accounts, 6*day, 3, p.demand), 15*time.Minute, 10*time.Minute)
		t.Logf("%-18s %2d gaps, %2d told, %s ahead on average, %2d messages, %2d without a gap", p.name, w.Gaps, w.Told,
			(w.Ahead / time.Duration(max(w.Told, 1))).Round(time.Minute), w.Messages, w.False)
		if p.name == "steady" && (w.Missed() > 0 || w.Gaps == 0 || w.False > 0) {
			t.Errorf("steady demand: %d of %d gaps were told, %d messages had none", w.Told, w.Gaps, w.False)
		}
	}
}

// TestBetterThanASlope compares with the estimator that comes to mind first: the
// median slope between the last dozen readings of the window.
func TestBetterThanASlope(t *testing.T) {
	if testing.Short() {
		t.Skip("weeks take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	var ours, slope Distribution
	for _, pr := range profiles(10) {
		p := simulate(pr.accounts, 8*day, 4, pr.demand)
		begin, end := extent(p)
		for now := begin.Add(day); now.Before(end.Add(-Judged)); now = now.Add(3 * time.Hour) {
			past := p.before(now)
			for i, w := range Of(now, past).Windows {
				came := p.crossing(now, w)
				if w.Rate == 0 || w.Used >= 95 || !came.IsZero() && came.Sub(now) < shortest {
					continue
				}
				ours.add(now, w.At, came)
				slope.add(now, bySlope(now, past.Accounts[i/2].Readings, w), came)
			}
		}
	}
	ours.sum()
	slope.sum()
	for _, d := range []Distribution{ours, slope} {
		t.Logf("%d foretold and came, off by %.0f %% in the median and %.0f %% in the worst tenth, false %d, missed %d",
			d.Came, 100*d.Median, 100*d.P90, d.False, d.Missed)
	}
	if ours.Median >= slope.Median || ours.P90 >= slope.P90 || ours.Missed >= slope.Missed {
		t.Error("the slope is better")
	}
}

// bySlope is the estimator of Theil and Sen.
func bySlope(now time.Time, readings []quota.Reading, w Window) time.Time {
	ps := points(now, readings, key{w.Name, w.Scope})
	first := len(ps) - 1
	for first > 0 && ps[first-1].used <= ps[first].used && len(ps)-first < 12 {
		first--
	}
	var slopes []float64
	for i := max(first, 0); i < len(ps); i++ {
		for j := max(first, 0); j < i; j++ {
			slopes = append(slopes, (ps[i].used-ps[j].used)/ps[i].at.Sub(ps[j].at).Hours())
		}
	}
	slices.Sort(slopes)
	if len(slopes) == 0 || slopes[len(slopes)/2] <= 0 {
		return time.Time{}
	}
	at := now.Add(time.Duration(min((95-w.Used)/slopes[len(slopes)/2], 1000) * float64(time.Hour)))
	if !w.ResetsAt.IsZero() && at.After(w.ResetsAt) {
		return time.Time{}
	}
	return at
}
