package restart

import (
	"testing"
	"testing/synctest"
	"time"
)

// Every effect goes wrong once, in every way: the n-th one for n from 1 until a
// restart gets by without reaching it. Whatever happens, the restart comes to an
// end in its time, says nothing that is not so, restarts at most once, and the
// next one works.
func TestRestartSurvivesEveryFault(t *testing.T) {
	worlds := map[string]func(*world, *Options){
		"rpc, then unit":        func(w *world, _ *Options) { w.user = runningUnit() },
		"rpc alone":             func(_ *world, o *Options) { o.Via = RPC },
		"rpc, no uptime":        func(w *world, _ *Options) { w.noUptime, w.user = true, runningUnit() },
		"work to wait for":      func(w *world, _ *Options) { w.active, w.user = []int{2, 1, 0}, runningUnit() },
		"user unit":             func(w *world, o *Options) { o.Via, w.user = Systemd, runningUnit() },
		"system unit":           func(w *world, o *Options) { o.Via, w.system = Systemd, runningUnit() },
		"unit with start limit": func(w *world, o *Options) { o.Via, w.user = Systemd, runningUnit(); w.user.limit = true },
		"command line":          func(w *world, o *Options) { o.Via, w.cliSays = CLI, `{"ok":true,"result":"restarted"}` },
		"old gateway":           func(w *world, _ *Options) { w.methods, w.noUptime, w.user = nil, true, runningUnit() },
	}
	for name, build := range worlds {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []faultKind{fails, hangs, failsAfterward} {
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

func faulty(t *testing.T, build func(*world, *Options), kind faultKind, n int) (reached bool) {
	t.Helper()
	w := newWorld()
	o := w.options()
	build(w, &o)
	w.fault, w.faultAt = kind, n
	r := New(o)

	began := time.Now()
	res, err := r.Restart(t.Context(), "a test")
	if took, most := time.Since(began), DefaultDrain+DefaultDeadline+2*MinUptime; took > most {
		t.Errorf("took %s, more than %s", took, most)
	}
	if err == nil && (!w.up(time.Now()) || w.boot.Before(began)) {
		t.Error("called restarted, and no new gateway answers")
	}
	if res.OK != (err == nil) {
		t.Errorf("ok %v with error %v", res.OK, err)
	}
	if w.restarts > 1 {
		t.Errorf("restarted %d times: %+v", w.restarts, res.Steps)
	}
	if w.restarts > 0 && len(w.history) == 0 {
		t.Error("restarted without being counted")
	}
	reached = w.effects >= n

	w.faultAt = 0
	time.Sleep(DefaultBudget.Per)
	if res, err := r.Restart(t.Context(), "again"); err != nil {
		t.Errorf("the next restart: %v after %+v", err, res.Steps)
	}
	return reached
}
