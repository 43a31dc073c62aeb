package watchdog

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
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

// TestFailing: the heartbeat fails with what alarms, and with no blip.
func TestFailing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		set    func(w *world)
		rounds int
		want   string // a part of it, "": all is well
	}{
		{"all is well", func(*world) {}, 2, ""},
		{"one account is spent", func(w *world) { w.says["acct-alice"] = spent(time.Hour) }, 2, ""},
		{"all are", func(w *world) {
			for _, id := range abc {
				w.says["acct-"+id] = spent(5 * time.Hour)
			}
		}, 1, "main/openai is depleted: all 3 profiles are spent"},
		{"one round without an answer", func(w *world) { w.says = unreachable() }, 1, ""},
		{"no answer", func(w *world) { w.says = unreachable() }, 3, "main/openai is blind: no provider answer"},
		{"one round without OpenClaw's state", func(w *world) { w.unread = errors.New("permission denied") }, 1, ""},
		{"no state", func(w *world) { w.unread = errors.New("permission denied") }, 3, "openclaw's state cannot be read: permission denied"},
		{"an agent's store cannot be read", func(w *world) {
			w.problems = []profiles.Problem{{Agent: "work", What: "the store awaits a migration"}}
		}, 1, "work: the store awaits a migration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				p := w.born(t, brisk())
				p.rounds(1)
				w.with(func() { tc.set(w) })
				p.rounds(tc.rounds)
				if got := p.dog.Failing(); tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
					t.Errorf("%q, want %q", got, tc.want)
				}
			})
		})
	}
}

func unreachable() map[string]quota.Reading {
	out := map[string]quota.Reading{}
	for _, id := range abc {
		out["acct-"+id] = verdict(quota.Unreachable)
	}
	return out
}
