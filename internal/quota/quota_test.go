package quota

import (
	"testing"
	"time"
)

// What cannot be true is kept for a person to see, and hidden from decisions.
func TestSuspectFieldsAreNotBelieved(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	tests := map[string]struct {
		window    Window
		used      float64
		usedKnown bool
		resetSaid bool
	}{
		"complete":        {Window{UsedPercent: Percent(40), ResetsAt: at}, 40, true, true},
		"nothing said":    {Window{}, 0, false, false},
		"zero is known":   {Window{UsedPercent: Percent(0)}, 0, true, false},
		"suspect percent": {Window{UsedPercent: Percent(9000), SuspectPercent: true, ResetsAt: at}, 0, false, true},
		"suspect reset":   {Window{UsedPercent: Percent(40), ResetsAt: at, SuspectReset: true}, 40, true, false},
	}
	for name, tt := range tests {
		used, known := tt.window.Used()
		if used != tt.used || known != tt.usedKnown {
			t.Errorf("%s: used %g %v", name, used, known)
		}
		reset, said := tt.window.Reset()
		if said != tt.resetSaid || said != reset.Equal(at) {
			t.Errorf("%s: reset %s %v", name, reset, said)
		}
	}
}

func TestConclusive(t *testing.T) {
	t.Parallel()
	tests := map[Verdict]bool{
		OK: true, Exhausted: true, Revoked: true, Billing: true,
		Throttled: false, Stale: false, Unsupported: false, Unreachable: false, Unknown: false,
	}
	for v, want := range tests {
		if v.Conclusive() != want {
			t.Errorf("%s: %v", v, !want)
		}
	}
}

// What a window lost on its way through the journal, its name still says.
func TestLasts(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := map[Window]time.Duration{
		{Name: Weekly, Length: 36 * time.Hour}: 36 * time.Hour,
		{Name: FiveHour}:                       5 * time.Hour,
		{Name: Weekly}:                         7 * day,
		{Name: Monthly}:                        30 * day,
		{Name: "36h"}:                          36 * time.Hour,
		{Name: "90m"}:                          90 * time.Minute,
		{Name: "2d"}:                           2 * day,
		{Name: "window"}:                       0,
		{Name: "odd"}:                          0,
		{Name: Spend}:                          0,
		{}:                                     0,
	}
	for w, want := range tests {
		if got := w.Lasts(); got != want {
			t.Errorf("%+v: %v, want %v", w, got, want)
		}
	}
}
