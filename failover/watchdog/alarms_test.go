package watchdog

import (
	"errors"
	"testing"
	"time"
)

// TestAlarmsOutliveOcwatch: an alarm is raised once and its end is told once,
// also where ocwatch was restarted in between.
func TestAlarmsOutliveOcwatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		set  func(w *world, wrong bool)
		news string
	}{
		{"the gateway is down", func(w *world, wrong bool) { w.down = wrong }, "gateway.down gateway.restarted:gateway.down"},
		{"openclaw cannot be read", func(w *world, wrong bool) {
			if w.unread = nil; wrong {
				w.unread = errors.New("permission denied")
			}
		}, "watchdog.blind watchdog.started:watchdog.blind"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				first := w.born(t, brisk()).run()
				time.Sleep(3 * time.Minute)
				w.with(func() { tc.set(w, true) })
				time.Sleep(10 * time.Minute)
				first.stop()
				second := w.born(t, brisk()).run()
				time.Sleep(10 * time.Minute)
				second.stop()
				w.with(func() { tc.set(w, false) })
				third := w.born(t, brisk()).run()
				time.Sleep(10 * time.Minute)
				third.stop()
				if got := w.news(); got != tc.news {
					t.Errorf("told %q, want %q", got, tc.news)
				}
				for _, key := range []string{downKey, unreadKey} {
					if doc, ok := w.disk.docs[key]; ok {
						t.Errorf("the journal still has %s: %s", key, doc)
					}
				}
			})
		})
	}
}

func TestLasted(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second: "less than a minute", 12*time.Minute + 20*time.Second: "12 min", 119 * time.Minute: "119 min", 30 * time.Hour: "30 h",
	} {
		a := alarm{Since: start()}
		if got := a.lasted(start().Add(d)); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
