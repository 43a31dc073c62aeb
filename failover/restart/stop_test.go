package restart

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestService(t *testing.T) {
	tests := []struct {
		name  string
		world func(*world)
		want  Service
		start string
		err   error
	}{
		{name: "the user's unit", world: func(w *world) { w.user = runningUnit() }, want: Service{Via: SystemdUser, Unit: "openclaw-gateway.service"}, start: "systemctl --user start openclaw-gateway.service"},
		{name: "the system's unit", world: func(w *world) { w.system = runningUnit() }, want: Service{Via: SystemdSystem, Unit: "openclaw-gateway.service"}, start: "systemctl start openclaw-gateway.service"},
		{name: "a service that only the command knows", world: func(w *world) { w.managed = true }, want: Service{Via: CLI}, start: "openclaw gateway start"},
		{name: "one that tells nothing on /healthz", world: func(w *world) { w.mute, w.user = true, runningUnit() }, want: Service{Via: SystemdUser, Unit: "openclaw-gateway.service", Mute: true}, start: "systemctl --user start openclaw-gateway.service"},
		{name: "in the foreground", world: func(*world) {}, err: ErrForeground},
		{name: "in the foreground, of the oldest releases", world: func(w *world) { w.mute = true }, err: ErrForeground},
		{
			name:  "in the foreground, with a unit that is stopped",
			world: func(w *world) { w.user = runningUnit(); w.user.state.Active = "inactive" }, err: ErrForeground,
		},
		{name: "being stopped just now", world: func(w *world) { w.user = runningUnit(); w.user.state.Active = "deactivating" }, err: ErrTooSoon},
		{name: "down, with a unit", world: func(w *world) {
			w.user = runningUnit()
			w.switchUnit(w.user, false)
			time.Sleep(time.Second)
		}},
		{name: "hung, with a unit that runs", world: func(w *world) { w.user, w.gone, w.boot = runningUnit(), time.Now(), time.Now().Add(time.Hour) }, want: Service{Via: SystemdUser, Unit: "openclaw-gateway.service"}, start: "systemctl --user start openclaw-gateway.service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				tt.world(w)
				got, err := New(w.options()).Service(t.Context())
				if got != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("got %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
				}
				if tt.start != "" && got.StartCommand() != tt.start {
					t.Errorf("started by %q, want %q", got.StartCommand(), tt.start)
				}
				if w.restarts > 0 || got.Running() != (tt.want.Via != "") {
					t.Errorf("looking changed something: %+v", w)
				}
			})
		})
	}
}

func TestStopAndStart(t *testing.T) {
	tests := []struct {
		name        string
		world       func(*world)
		stop, start string        // parts of the errors
		within      time.Duration // both together; 0: the deadlines
	}{
		{name: "by the user's unit", world: func(w *world) { w.user = runningUnit() }, within: 10 * time.Second},
		{name: "by the system's unit", world: func(w *world) { w.system = runningUnit() }, within: 10 * time.Second},
		{name: "by the command", world: func(w *world) { w.managed = true }, within: 10 * time.Second},
		{name: "the oldest releases", world: func(w *world) { w.mute, w.user = true, runningUnit() }, within: 10 * time.Second},
		{name: "work is waited for", world: func(w *world) { w.user, w.active = runningUnit(), []int{2, 1, 0} }, within: 15 * time.Second},
		{name: "a slow gateway", world: func(w *world) { w.user, w.delay, w.outage = runningUnit(), time.Minute, time.Minute }, within: 3 * time.Minute},
		{name: "a job that ends badly", world: func(w *world) { w.user = runningUnit(); w.user.job = "timeout" }, stop: `openclaw-gateway.service: the stop job of systemd ended as "timeout"`},
		{name: "a stop that is said and not done", world: func(w *world) { w.user = runningUnit(); w.user.deaf = true }, stop: "the stop has not shown on /healthz after 6m0s"},
		{name: "it does not come up", world: func(w *world) { w.user, w.broken = runningUnit(), true }, start: "the start has not shown on /healthz after 6m0s"},
		{name: "the unit fails to start", world: func(w *world) { w.user = runningUnit(); w.user.failAfter = true }, start: "openclaw-gateway.service: it failed (exit-code)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				tt.world(w)
				r := New(w.options())
				service, err := r.Service(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err = r.Stop(t.Context(), service)
				says(t, "stop", err, tt.stop)
				if err == nil && w.up(time.Now()) {
					t.Error("called stopped, and it answers")
				}
				if tt.stop != "" {
					return
				}
				err = r.Start(t.Context(), service)
				says(t, "start", err, tt.start)
				if err == nil && !w.up(time.Now()) {
					t.Error("called started, and it does not answer")
				}
				if took := time.Since(began); tt.within > 0 && took > tt.within {
					t.Errorf("took %s, more than %s", took, tt.within)
				}
			})
		})
	}
}

func says(t *testing.T, what string, err error, part string) {
	t.Helper()
	if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
		t.Errorf("%s: error %v, want %q", what, err, part)
	}
}

func TestStopOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := New(w.options())
		if err := errors.Join(r.Stop(t.Context(), Service{}), r.Start(t.Context(), Service{})); err != nil || w.effects > 0 {
			t.Errorf("%v after %d effects", err, w.effects)
		}
	})
}

// Whatever goes wrong on the way, a gateway that is called stopped is down, one
// that is called started is up, and starting it again mends everything.
func TestStopAndStartSurviveEveryFault(t *testing.T) {
	worlds := map[string]func(*world){
		"user unit":   func(w *world) { w.user = runningUnit() },
		"system unit": func(w *world) { w.system = runningUnit() },
		"command":     func(w *world) { w.managed = true },
	}
	for name, build := range worlds {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []faultKind{fails, hangs, failsAfterward} {
				for n := 1; ; n++ {
					reached := true
					synctest.Test(t, func(t *testing.T) { reached = stopFaulty(t, build, kind, n) })
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

func stopFaulty(t *testing.T, build func(*world), kind faultKind, n int) (reached bool) {
	t.Helper()
	w := newWorld()
	build(w)
	r := New(w.options())
	service, err := r.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.effects, w.fault, w.faultAt = 0, kind, n
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := r.Stop(ctx, service); err == nil && w.up(time.Now()) {
		t.Error("called stopped, and it answers")
	}
	if err := r.Start(ctx, service); err == nil && !w.up(time.Now()) {
		t.Error("called started, and it does not answer")
	}
	reached = w.effects >= n
	w.faultAt = 0
	time.Sleep(time.Minute)
	if err := r.Start(t.Context(), service); err != nil || !w.up(time.Now()) {
		t.Errorf("started again: %v", err)
	}
	return reached
}
