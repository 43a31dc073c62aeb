package replace

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// Every effect goes wrong once, in every way: the n-th one for n from 1 until a
// change gets by without reaching it. Whatever happens, nothing is lost, the old
// profile goes only after the new one is proven and first (world.watch holds
// it at every moment), a gateway that is left stopped is said to be, and running
// it again completes.
func TestReplaceSurvivesEveryFault(t *testing.T) {
	worlds := map[string]func(*world){
		"today's release": func(*world) {},
		"JSON files": func(w *world) {
			w.layout, w.version, w.way = openclaw.JSONFiles, "2026.5.28", profiles.RemoveByFile
		},
		"the oldest releases": func(w *world) {
			w.layout, w.version, w.way = openclaw.JSONFiles, "2026.3.13", profiles.RemoveByFile
		},
		"a database without a logout": func(w *world) { w.layout, w.way = openclaw.AgentDatabase, profiles.RemoveByOrder },
		"one id for every login":      func(w *world) { w.name = func(account) string { return alice } },
	}
	for name, build := range worlds {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []faultKind{fails, hangs, failsAfter, killed, killedAt} {
				for n := 1; ; n++ {
					reached := true
					synctest.Test(t, func(t *testing.T) { reached = faulty(t, build, kind, n) })
					if !reached {
						break
					}
					if t.Failed() {
						t.Fatalf("when effect %d %s", n, kind)
					}
				}
			}
		})
	}
}

func faulty(t *testing.T, build func(*world), kind faultKind, n int) (reached bool) {
	t.Helper()
	w := newWorld(t)
	build(w)
	w.fault, w.faultAt = kind, n
	began := time.Now()
	_, err := w.run(t.Context(), Request{})
	if took := time.Since(began); took > 10*time.Minute {
		t.Errorf("took %s", took)
	}
	reached = w.effects >= n
	stopped, said := errors.AsType[*StoppedError](err)
	if !w.running && !w.dead && (!said || !strings.Contains(err.Error(), stopped.Command)) {
		t.Errorf("the gateway is left stopped, and all that is said is %v", err)
	}
	if err == nil {
		w.changed(t)
		return reached
	}

	w.faultAt, w.dead = 0, false
	time.Sleep(time.Minute)
	if _, again := w.run(t.Context(), Request{}); again != nil {
		t.Errorf("first %v, and run again %v; %v", err, again, w.log)
	}
	w.changed(t)
	if w.logins > 2 {
		t.Errorf("%d logins", w.logins)
	}
	return reached
}

// changed holds what must be after a change.
func (w *world) changed(t *testing.T) {
	t.Helper()
	w.turn()
	first := ""
	if len(w.disk.order) > 0 {
		first = w.disk.order[0]
	}
	if w.disk.accounts[first] != w.approves || !w.running {
		t.Errorf("%s; %v", w.state(), w.log)
	}
	if first == alice {
		return
	}
	if slices.Contains(w.disk.order, alice) || slices.Contains(w.disk.listed, alice) != (w.way == profiles.RemoveByOrder) {
		t.Errorf("the old profile is still there: %s; %v", w.state(), w.log)
	}
}

// Whatever is known, the plan takes nothing away before what replaces it is in
// its place, comes to an end, and leaves no gateway stopped.
func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		s := state{
			writesBack: flag("writes back"), running: flag("running"), loggedIn: flag("logged in"), removed: flag("removed"),
			way: rapid.SampledFrom([]profiles.RemoveWay{profiles.RemoveByCommand, profiles.RemoveByFile, profiles.RemoveByOrder}).Draw(t, "way"),
		}
		s.stopped = !s.running && flag("stopped")
		up := s.running || s.stopped
		s.inPlace = s.loggedIn && !s.removed && flag("in place")
		for n := 0; ; n++ {
			step := next(s)
			switch step {
			case Stop:
				if !s.running {
					t.Fatal("stops what does not run")
				}
				s.running, s.stopped = false, true
			case LogIn:
				s.loggedIn, s.inPlace = true, !s.removed && flag("lands in place")
			case Check:
				s.checked = true
			case PutFirst:
				if !s.checked {
					t.Fatal("puts first what was not checked")
				}
				s.first = true
			case Remove:
				if !s.loggedIn || !s.checked || !s.first || s.inPlace || s.way == profiles.RemoveByOrder {
					t.Fatalf("removes in %+v", s)
				}
				if s.running && (s.writesBack || s.way == profiles.RemoveByFile) {
					t.Fatalf("removes under a running gateway in %+v", s)
				}
				s.removed = true
			case Settle:
				s.settled = true
			case Start:
				if !s.stopped {
					t.Fatal("starts what it did not stop")
				}
				s.running, s.stopped = true, false
			case Health:
				s.healthy = true
			case Done:
				if s.stopped || s.running != up || !s.settled || !s.healthy {
					t.Fatalf("done in %+v", s)
				}
				return
			}
			if n > 12 {
				t.Fatalf("no end in %+v", s)
			}
		}
	})
}
