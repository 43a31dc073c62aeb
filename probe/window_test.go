package probe

import (
	"math"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestWindowNamesComeFromTheLength(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]string{
		0: "window", -time.Hour: "window",
		5 * time.Hour: "5h", 17999 * time.Second: "5h", 5*time.Hour + 2*time.Minute: "5h",
		4 * time.Hour: "4h", 6 * time.Hour: "6h",
		7 * day: "weekly", 7*day - time.Second: "weekly", 6 * day: "6d", 8 * day: "8d",
		28 * day: "monthly", 30 * day: "monthly", 31 * day: "monthly", 32 * day: "32d", 27 * day: "27d",
		day: "24h", 36 * time.Hour: "36h", 2 * day: "2d", 365 * day: "365d",
		90 * time.Minute: "90m", 45 * time.Second: "45s", time.Minute: "1m",
	}
	for length, want := range tests {
		if got := windowName(length); got != want {
			t.Errorf("%s: %q, want %q", length, got, want)
		}
	}
}

// The two halves of an answer tell one window each: what the first leaves open
// the second fills in, and never overrules.
func TestAddWindowFillsGapsOnly(t *testing.T) {
	t.Parallel()
	list := []quota.Window{
		{Name: quota.Weekly, ResetsAt: noon},
		{Name: quota.Weekly, Scope: "opus", UsedPercent: quota.Percent(7)},
	}
	list = addWindow(list, quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(100), ResetsAt: noon.Add(time.Hour), Spent: true})
	list = addWindow(list, quota.Window{Name: quota.Weekly, Scope: "Opus", UsedPercent: quota.Percent(8), ResetsAt: noon.Add(time.Hour)})
	list = addWindow(list, quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(1)})
	got := show(quota.Reading{Windows: list}, noon)
	if want := " | weekly 100 % +0s spent | opus weekly 7 % +1h0m0s | 5h 1 %"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpentPercent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want float64
		ok   bool
	}{
		`{"used_percent":40,"remaining_percent":1}`: {40, true},
		`{"remaining_percent":"91.5"}`:              {8.5, true},
		`{"limit":"200","used":50}`:                 {25, true},
		`{"limit":200,"used":500}`:                  {100, true},
		`{"limit":0,"used":0}`:                      {},
		`{"limit":200,"used":-1}`:                   {},
		`{"limit":200}`:                             {},
		`{}`:                                        {},
	}
	for in, want := range tests {
		if got, ok := spentPercent(parsed(t, in)); got != want.want || ok != want.ok {
			t.Errorf("%s: %g %v, want %g %v", in, got, ok, want.want, want.ok)
		}
	}
}

// A share of next to nothing is infinite, which no JSON can hold.
func TestPercentagesCanBeStored(t *testing.T) {
	t.Parallel()
	r := parseAnthropic(parsed(t, `{"extra_usage":{"is_enabled":true,"monthly_limit":1e-300,"used_credits":1e9}}`), clock{now: noon})
	mustBeSane(t, r)
	for _, p := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		w := quota.Window{}
		if setPercent(&w, p, 100); w.UsedPercent != nil || w.SuspectPercent {
			t.Errorf("%g became %+v", p, w)
		}
	}
}
