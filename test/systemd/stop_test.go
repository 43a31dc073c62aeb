//go:build systemd

package systemd

import (
	"errors"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
)

// stoppedAndStarted stops what runs the gateway and starts it again. A unit with
// Restart=always must stay down in between.
func stoppedAndStarted(t *testing.T, r *restart.Restarter, want restart.Service, live func() bool) {
	t.Helper()
	service, err := r.Service(t.Context())
	if err != nil || service != want {
		t.Fatalf("run by %+v, %v; want %+v", service, err, want)
	}
	if err := r.Stop(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if live() {
			t.Fatal("called stopped, and it answers")
		}
		<-time.After(100 * time.Millisecond)
	}
	if now, err := r.Service(t.Context()); err != nil || now.Running() {
		t.Errorf("stopped, and run by %+v, %v", now, err)
	}
	for range 2 { // one that is up is left alone
		if err := r.Start(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		if !live() {
			t.Error("called started, and it does not answer")
		}
	}
}

func (g *gateway) service() restart.Service {
	via := restart.SystemdUser
	if onRootMachine() {
		via = restart.SystemdSystem
	}
	return restart.Service{Via: via, Unit: g.unit}
}

func TestUnitIsStoppedAndStarted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		up, down time.Duration
	}{{"quick", 0, 0}, {"slow", time.Second, 3 * time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, tt.up, tt.down, nil, []string{"Restart=always", "RestartSec=100ms"})
			stoppedAndStarted(t, restart.New(g.options()), g.service(), func() bool { return g.pid(t.Context()) != 0 })
		})
	}
}

func TestUnitThatCannotStartAgain(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	r := restart.New(g.options())
	service, err := r.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	g.breakIt()
	want(t, r.Start(t.Context(), service), g.unit+": it failed (exit-code)")
}

// A gateway that no unit runs is not stopped.
func TestUnitIsNotWhatRuns(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	o := g.options()
	o.Unit = "nowhere.service"
	if _, err := restart.New(o).Service(t.Context()); !errors.Is(err, restart.ErrForeground) {
		t.Errorf("got %v", err)
	}
}

func TestSystemUnitIsStoppedAndStarted(t *testing.T) {
	g := newGateway(t, 500*time.Millisecond, 0, nil, []string{"Restart=always", "RestartSec=100ms"})
	stoppedAndStarted(t, restart.New(g.options()), g.service(), func() bool { return g.pid(t.Context()) != 0 })
}
