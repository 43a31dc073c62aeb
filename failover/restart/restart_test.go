package restart

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRestart(t *testing.T) {
	tests := []struct {
		name   string
		world  func(*world, *Options)
		via    Via
		err    string // a part of the error; "": none
		steps  string // names of the steps
		within time.Duration
		times  int // restarts of the gateway that happened
	}{
		{
			name: "by RPC", world: func(*world, *Options) {},
			via: RPC, steps: "drain rpc", within: 7 * time.Second, times: 1,
		},
		{
			name:  "by RPC, of a gateway that does not tell its uptime",
			world: func(w *world, _ *Options) { w.noUptime = true },
			via:   RPC, steps: "drain rpc", within: 7 * time.Second, times: 1,
		},
		{
			name:  "the outage is over between two looks",
			world: func(w *world, _ *Options) { w.outage = time.Millisecond },
			via:   RPC, steps: "drain rpc", within: 2 * time.Second, times: 1,
		},
		{
			name:  "the gateway takes its time before it stops",
			world: func(w *world, _ *Options) { w.delay = time.Minute },
			via:   RPC, steps: "drain rpc", within: 67 * time.Second, times: 1,
		},
		{
			name:  "RPC restart joins one that is pending",
			world: func(w *world, _ *Options) { w.status = "coalesced" },
			via:   RPC, steps: "drain rpc", within: 7 * time.Second, times: 1,
		},
		{
			name:  "new work came up after the drain, and the gateway waits for it",
			world: func(w *world, _ *Options) { w.status, w.delay = "deferred", 4*time.Minute },
			via:   RPC, steps: "drain rpc", within: 5 * time.Minute, times: 1,
		},
		{
			name:  "RPC says yes and does nothing: the unit is next",
			world: func(w *world, _ *Options) { w.deaf, w.user = true, runningUnit() },
			via:   SystemdUser, steps: "drain rpc systemd-user", within: 2 * time.Minute, times: 1,
		},
		{
			name:  "RPC refuses: the unit is next",
			world: func(w *world, _ *Options) { w.status, w.user = "refused", runningUnit() },
			via:   SystemdUser, steps: "drain rpc systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name:  "RPC not announced: the user's unit",
			world: func(w *world, _ *Options) { w.methods, w.user = nil, runningUnit() },
			via:   SystemdUser, steps: "drain rpc systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name:  "no user bus: the system's unit",
			world: func(w *world, _ *Options) { w.methods, w.system = nil, runningUnit() },
			via:   SystemdSystem, steps: "drain rpc systemd-user systemd-system", within: 8 * time.Second, times: 1,
		},
		{
			name:  "no unit: the command line",
			world: func(w *world, _ *Options) { w.methods, w.cliSays = nil, `{"ok":true,"result":"restarted"}` },
			via:   CLI, steps: "drain rpc systemd-user systemd-system cli", within: 12 * time.Second, times: 1,
		},
		{
			name:  "every way fails, and the error lists each",
			world: func(w *world, _ *Options) { w.methods = nil },
			err:   "rpc: this gateway does not offer gateway.restart.request; systemd-user: no bus; systemd-system: no bus; cli: openclaw knows no gateway service to restart (result not-loaded)",
			steps: "drain rpc systemd-user systemd-system cli", within: time.Second,
		},
		{
			name: "the unit that is configured, its suffix left out",
			world: func(w *world, o *Options) {
				o.Via, o.Unit, w.user = Systemd, "my-gateway", runningUnit()
				w.user.name = "my-gateway.service"
			},
			via: SystemdUser, steps: "drain systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name: "the unit of a profile",
			world: func(w *world, o *Options) {
				o.Via, o.Profile, w.user = Systemd, "work", runningUnit()
				w.user.name = "openclaw-gateway-work.service"
			},
			via: SystemdUser, steps: "drain systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name:  "never the default unit for another profile",
			world: func(w *world, o *Options) { o.Via, o.Profile, w.user = SystemdUser, "work", runningUnit() },
			err:   "no unit openclaw-gateway-work.service", steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "a masked unit",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.state.Load, w.user.state.Active = "masked", "inactive"
			},
			err: "openclaw-gateway.service is masked: systemctl --user unmask openclaw-gateway.service", steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "a unit that its owner stopped stays stopped",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.state.Active, w.user.state.Sub = "inactive", "dead"
			},
			err: "is stopped", steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "a unit that somebody is stopping ends it, also for the ways after it",
			world: func(w *world, _ *Options) {
				w.methods, w.user = nil, runningUnit()
				w.user.state.Active = "deactivating"
				w.cliSays = `{"ok":true,"result":"restarted"}`
			},
			err: "too soon", steps: "drain rpc systemd-user", within: time.Second,
		},
		{
			name: "a failed unit while another gateway answers",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.state.Active = "failed"
			},
			err: "another one runs it", steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "somebody stops the unit meanwhile",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.job = "canceled"
			},
			err: `the restart job of systemd ended as "canceled"`, steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "done is not up: the unit fails afterwards",
			world: func(w *world, o *Options) {
				o.Via, w.user, w.broken = SystemdUser, runningUnit(), true
				w.user.failAfter = true
			},
			err: "it failed (exit-code)", steps: "drain systemd-user", within: 5 * time.Second, times: 1,
		},
		{
			name: "start limit: reset once, then it works",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.limit = true
			},
			via: SystemdUser, steps: "drain systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name: "start limit, used up by failures: the unit's result tells only of those",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.limit, w.user.spentBy = true, "signal"
			},
			via: SystemdUser, steps: "drain systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name: "start limit: still after the reset",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.limit, w.user.limitAgain = true, true
			},
			err: "after a reset of its start limit: openclaw-gateway.service: systemd refuses to start it: start limit hit", steps: "drain systemd-user", within: time.Second,
		},
		{
			name: "the bus goes away and the restart happens",
			world: func(w *world, o *Options) {
				o.Via, w.user = SystemdUser, runningUnit()
				w.user.busGone = true
			},
			via: SystemdUser, steps: "drain systemd-user", within: 8 * time.Second, times: 1,
		},
		{
			name:  "the gateway does not come back",
			world: func(w *world, _ *Options) { w.broken = true },
			err:   "no healthy gateway within 6m0s: connection refused", steps: "drain rpc", within: 6*time.Minute + time.Second, times: 1,
		},
		{
			name:  "work ends",
			world: func(w *world, _ *Options) { w.active = []int{3, 2, 1, 0} },
			via:   RPC, steps: "drain rpc", within: 13 * time.Second, times: 1,
		},
		{
			name:  "work does not end",
			world: func(w *world, _ *Options) { w.active = []int{1} },
			via:   RPC, steps: "drain rpc", within: 5*time.Minute + 8*time.Second, times: 1,
		},
		{
			name:  "no drain",
			world: func(w *world, o *Options) { w.active, o.Drain = []int{1}, -1 },
			via:   RPC, steps: "rpc", within: 7 * time.Second, times: 1,
		},
		{
			name:  "the budget is spent",
			world: func(w *world, _ *Options) { w.history = nearby(1, 2, 3) },
			err:   "restart budget is spent", within: time.Millisecond,
		},
		{
			name:  "the gateway has just started",
			world: func(w *world, _ *Options) { w.boot = time.Now().Add(-30 * time.Second); w.gone = w.boot },
			err:   "the gateway started 30s ago", within: time.Millisecond,
		},
		{
			name:  "the gateway is on its way up",
			world: func(w *world, _ *Options) { w.gone, w.boot = time.Now(), time.Now().Add(20*time.Second) },
			err:   "too soon for a restart", within: 22 * time.Second,
		},
		{
			name: "the gateway is down for good, and its unit brings it back",
			world: func(w *world, _ *Options) {
				w.gone, w.boot, w.user = time.Now(), time.Now().Add(time.Hour), runningUnit()
				w.user.state.Active, w.user.state.Result = "failed", "exit-code"
			},
			via: SystemdUser, steps: "drain rpc systemd-user", within: 70 * time.Second, times: 1,
		},
		{
			name:  "a way that does not exist",
			world: func(_ *world, o *Options) { o.Via = "magic" },
			err:   `restart.via is "magic"`, steps: "drain", within: time.Second,
		},
		{
			name:  "a command that is not set",
			world: func(_ *world, o *Options) { o.Via = Command },
			err:   "restart.command is not set", steps: "drain command", within: time.Second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				o := w.options()
				tt.world(w, &o)
				res, err := New(o).Restart(t.Context(), "a test")
				if tt.err == "" && err != nil || err != nil && (tt.err == "" || !strings.Contains(err.Error(), tt.err)) || err == nil && tt.err != "" {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if res.OK != (err == nil) || res.Via != tt.via {
					t.Errorf("ok %v via %q, want via %q", res.OK, res.Via, tt.via)
				}
				if got := names(res.Steps); got != tt.steps {
					t.Errorf("steps %q, want %q", got, tt.steps)
				}
				if res.Took > tt.within {
					t.Errorf("took %s, want at most %s", res.Took, tt.within)
				}
				if w.restarts != tt.times {
					t.Errorf("restarted %d times, want %d", w.restarts, tt.times)
				}
			})
		})
	}
}

func names(steps []Step) string {
	var ns []string
	for _, s := range steps {
		ns = append(ns, s.Name)
	}
	return strings.Join(ns, " ")
}

func nearby(minutes ...int) []time.Time {
	var ts []time.Time
	for _, m := range minutes {
		ts = append(ts, time.Now().Add(-time.Duration(m)*time.Minute))
	}
	return ts
}

// TestRestartMakesWay: what of the gateway's work is the caller's own ends
// before the rest is waited for, and only for a restart that may be.
func TestRestartMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.active = []int{1}
		o := w.options()
		yielded := 0
		o.Yield = func() { yielded++; w.active = nil }
		r := New(o)
		if res, err := r.Restart(t.Context(), "a test"); err != nil || res.Took > 10*time.Second || yielded != 1 {
			t.Errorf("%+v, %v; made way %d times", res, err, yielded)
		}
		if _, err := r.Restart(t.Context(), "too soon"); err == nil || yielded != 1 {
			t.Errorf("%v; made way %d times", err, yielded)
		}
	})
}

func TestRestartTellsTheGatewayNotToWaitAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, active := range []int{0, 1} {
			w := newWorld()
			w.active = []int{active}
			if _, err := New(w.options()).Restart(t.Context(), "order changed"); err != nil {
				t.Fatal(err)
			}
			if got := w.params["skipDeferral"]; (got == true) != (active > 0) {
				t.Errorf("with %d active: skipDeferral %v", active, got)
			}
			if w.params["reason"] != "order changed" {
				t.Errorf("reason %v", w.params["reason"])
			}
		}
	})
}

// The start limit of a unit is reset once; only a gateway that came back makes
// another reset possible.
func TestRestartResetsTheStartLimitOncePerEpisode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.user = runningUnit()
		w.user.limit, w.user.limitAgain = true, true
		o := w.options()
		o.Via, o.Budget = SystemdUser, Budget{10, time.Hour}
		w.gone, w.boot = time.Now(), time.Now().Add(time.Hour)
		r := New(o)
		for range 3 {
			w.user.state.Active = "failed"
			if _, err := r.Restart(t.Context(), "a test"); err == nil {
				t.Fatal("it worked")
			}
		}
		if w.user.resets != 1 {
			t.Fatalf("%d resets in one episode", w.user.resets)
		}
		w.user.limit, w.user.state.Active = false, "failed"
		if _, err := r.Restart(t.Context(), "a test"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * MinUptime)
		w.user.limit, w.user.limitAgain = true, false
		if _, err := r.Restart(t.Context(), "a test"); err != nil {
			t.Fatal(err)
		}
		if w.user.resets != 2 {
			t.Errorf("%d resets after the next episode", w.user.resets)
		}
	})
}

func TestRestartOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := New(w.options())
		first := make(chan error)
		go func() { _, err := r.Restart(t.Context(), "first"); first <- err }()
		synctest.Wait()
		if _, err := r.Restart(t.Context(), "second"); !errors.Is(err, ErrTooSoon) {
			t.Errorf("second: %v", err)
		}
		if err := <-first; err != nil {
			t.Errorf("first: %v", err)
		}
		if w.restarts != 1 {
			t.Errorf("%d restarts", w.restarts)
		}
	})
}

func TestRestartSeesThatSomebodyElseDidIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, told := range []bool{true, false} {
			w := newWorld()
			w.active, w.noUptime = []int{1}, !told
			time.AfterFunc(3*time.Second, w.restart)
			res, err := New(w.options()).Restart(t.Context(), "a test")
			if err != nil || res.Via != "" || w.restarts != 1 || len(w.history) != 0 {
				t.Errorf("uptime told %v: via %q, %d restarts, %d noted, %v", told, res.Via, w.restarts, len(w.history), err)
			}
		}
	})
}

// Cancelled at any moment, Restart returns at once; that nothing goes on is
// what the end of the bubble asserts.
func TestRestartCancelled(t *testing.T) {
	worlds := map[string]func(*world, *Options){
		"rpc":     func(w *world, _ *Options) { w.active = []int{1, 1, 0} },
		"systemd": func(w *world, o *Options) { o.Via, w.user = Systemd, runningUnit() },
		"cli":     func(w *world, o *Options) { o.Via, w.cliSays = CLI, `{"ok":true,"result":"restarted"}` },
		"down":    func(w *world, _ *Options) { w.gone, w.boot = time.Now(), time.Now().Add(time.Hour) },
	}
	for name, build := range worlds {
		t.Run(name, func(t *testing.T) {
			for after := time.Duration(0); after < 5*time.Second; after += 50 * time.Millisecond {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					o := w.options()
					build(w, &o)
					ctx, cancel := context.WithTimeout(t.Context(), after)
					defer cancel()
					began := time.Now()
					_, err := New(o).Restart(ctx, "a test")
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("after %s: %v", after, err)
					}
					if took := time.Since(began); took != after {
						t.Errorf("cancelled after %s, returned after %s", after, took)
					}
				})
			}
		})
	}
}
