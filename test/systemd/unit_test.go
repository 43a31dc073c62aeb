//go:build systemd

package systemd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
)

func want(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Fatalf("error %v, want %q", err, part)
	}
}

func restarted(t *testing.T, res restart.Result, err error) {
	t.Helper()
	via := restart.SystemdUser
	if onRootMachine() {
		via = restart.SystemdSystem
	}
	if err != nil || !res.OK || res.Via != via {
		t.Fatalf("ok %v via %q: %v", res.OK, res.Via, err)
	}
}

func TestUnitIsRestarted(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 500*time.Millisecond, 0, nil, nil)
	before := g.pid(t.Context())
	res, err := restart.New(g.options()).Restart(t.Context(), "a test")
	restarted(t, res, err)
	if now := g.pid(t.Context()); now == before || now == 0 {
		t.Errorf("pid %d before, %d after", before, now)
	}
}

// The old process answers for as long as it takes to stop; that is not success.
func TestUnitThatStopsSlowly(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 500*time.Millisecond, 3*time.Second, nil, nil)
	before := g.pid(t.Context())
	res, err := restart.New(g.options()).Restart(t.Context(), "a test")
	restarted(t, res, err)
	if now := g.pid(t.Context()); now == before || res.Took < 3*time.Second {
		t.Errorf("pid %d before, %d after %s", before, now, res.Took)
	}
}

func TestUnitThatIsMissing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	o := g.options()
	o.Unit = "nowhere.service"
	before := g.pid(t.Context())
	_, err := restart.New(o).Restart(t.Context(), "a test")
	want(t, err, "systemd-user: no unit nowhere.service; systemd-system: no unit nowhere.service")
	if g.pid(t.Context()) != before {
		t.Error("another unit was restarted")
	}
}

func TestUnitThatIsMasked(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	before := g.pid(t.Context())
	if err := os.Remove(g.path()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", g.path()); err != nil {
		t.Fatal(err)
	}
	systemctl(t, "daemon-reload")
	_, err := restart.New(g.options()).Restart(t.Context(), "a test")
	want(t, err, g.unit+" is masked: systemctl --user unmask "+g.unit)
	if g.pid(t.Context()) != before {
		t.Error("it was restarted all the same")
	}
}

func TestUnitThatIsStoppedStaysStopped(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	other := newGatewayElsewhere(t, g) // so that something answers, and no minute has to be waited
	systemctl(t, "stop", g.unit)
	o := g.options()
	o.Health = other
	_, err := restart.New(o).Restart(t.Context(), "a test")
	want(t, err, "is stopped: systemctl --user start "+g.unit)
	if state := g.show("ActiveState"); state != "inactive" {
		t.Errorf("it is %s", state)
	}
}

// newGatewayElsewhere runs a second stand-in, which no unit of the first knows.
func newGatewayElsewhere(t *testing.T, g *gateway) *gateway {
	t.Helper()
	other := &gateway{t: t, unit: "other-" + g.unit, port: freePort(t)}
	other.write(0, 0, nil, nil)
	t.Cleanup(func() {
		_ = exec.Command("systemctl", scoped("stop", other.unit)...).Run()
		_ = os.Remove(other.path())
	})
	systemctl(t, "start", other.unit)
	other.await()
	return other
}

// systemd counts our restarts as it counts its own: the third start of a unit
// that may have two is refused, with the old process already stopped. Not in
// parallel with the others, since a daemon-reload forgets the count.
func TestStartLimitIsReset(t *testing.T) {
	g := newGateway(t, 0, 0, []string{"StartLimitBurst=2", "StartLimitIntervalSec=300"}, nil)
	systemctl(t, "restart", g.unit)
	g.await()
	before := g.pid(t.Context())
	res, err := restart.New(g.options()).Restart(t.Context(), "a test")
	restarted(t, res, err)
	if now := g.pid(t.Context()); now == before || now == 0 {
		t.Errorf("pid %d before, %d after", before, now)
	}
	if said := journal(t, g.unit); !strings.Contains(said, "Start request repeated too quickly") {
		t.Errorf("the limit was not hit:\n%s", said)
	}
}

func journal(t *testing.T, unit string) string {
	t.Helper()
	by := "--user-unit="
	if onRootMachine() {
		by = "--unit="
	}
	out, err := exec.CommandContext(t.Context(), "journalctl", "--no-pager", "-o", "cat", by+unit).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The last try after a reset may fail as well, and then it is over.
func TestStartLimitOfAUnitThatFails(t *testing.T) {
	g := newGateway(t, 0, 0, []string{"StartLimitBurst=2", "StartLimitIntervalSec=300"}, nil)
	systemctl(t, "restart", g.unit)
	g.await()
	g.breakIt()
	_, err := restart.New(g.options()).Restart(t.Context(), "a test")
	want(t, err, "after a reset of its start limit: "+g.unit+": it failed (exit-code)")
}

func TestUnitThatFailsAfterItsJobIsDone(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	g.breakIt()
	began := time.Now()
	_, err := restart.New(g.options()).Restart(t.Context(), "a test")
	want(t, err, "it failed (exit-code)")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("noticed after %s", took)
	}
}

// Killed during its start, the unit is started once more by systemd; the
// restart waits for that one.
func TestUnitIsKilledDuringItsRestart(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 2*time.Second, 0, nil, []string{"Restart=always", "RestartSec=1"})
	first := g.show("MainPID")
	ended := make(chan error)
	var res restart.Result
	go func() {
		var err error
		res, err = restart.New(g.options()).Restart(t.Context(), "a test")
		ended <- err
	}()
	until(t, 10*time.Second, "the new process", func() bool { p := g.show("MainPID"); return p != first && p != "0" })
	systemctl(t, "kill", "-s", "KILL", g.unit)
	err := <-ended
	restarted(t, res, err)
	if n := g.show("NRestarts"); n != "1" {
		t.Errorf("systemd restarted it %s times", n)
	}
}

// A gateway that systemd is already bringing back is left alone.
func TestUnitThatWasKilledIsLeftToSystemd(t *testing.T) {
	t.Parallel()
	g := newGateway(t, time.Second, 0, nil, []string{"Restart=always", "RestartSec=2"})
	systemctl(t, "kill", "-s", "KILL", g.unit)
	until(t, 5*time.Second, "its end", func() bool { return g.pid(t.Context()) == 0 })
	_, err := restart.New(g.options()).Restart(t.Context(), "a test")
	if !errors.Is(err, restart.ErrTooSoon) {
		t.Errorf("error %v", err)
	}
	if n := g.show("NRestarts"); n != "1" {
		t.Errorf("systemd restarted it %s times", n)
	}
}

func TestNoBus(t *testing.T) {
	g := newGateway(t, 0, 0, nil, nil)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
	before := g.pid(t.Context())
	o := g.options()
	o.Via = restart.Auto
	o.Command = []string{"systemctl", "--user", "restart", g.unit}
	res, err := restart.New(o).Restart(t.Context(), "a test")
	if err != nil || res.Via != restart.Command {
		t.Fatalf("via %q: %v", res.Via, err)
	}
	if g.pid(t.Context()) == before {
		t.Error("the same process")
	}
	if len(res.Steps) < 2 || !strings.Contains(res.Steps[2].Err.Error(), "/nowhere/bus") {
		t.Errorf("steps %+v", res.Steps)
	}
}

// The bus dies while systemd restarts the unit: the restart goes on without
// anybody to tell its end, and is seen at the gateway itself.
func TestBusDiesDuringTheRestart(t *testing.T) {
	g := newGateway(t, 2*time.Second, 2*time.Second, nil, nil)
	before := g.pid(t.Context())
	ended := make(chan error)
	var res restart.Result
	go func() {
		var err error
		res, err = restart.New(g.options()).Restart(t.Context(), "a test")
		ended <- err
	}()
	until(t, 10*time.Second, "the stop to begin", func() bool { return g.show("ActiveState") == "deactivating" })
	systemctl(t, "kill", "-s", "KILL", "dbus.service")
	err := <-ended
	restarted(t, res, err)
	if g.pid(t.Context()) == before {
		t.Error("the same process")
	}
}

func TestCancelDuringTheRestart(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 2*time.Second, nil, nil)
	before := g.pid(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { _, err := restart.New(g.options()).Restart(ctx, "a test"); ended <- err }()
	until(t, 10*time.Second, "the stop to begin", func() bool { return g.show("ActiveState") == "deactivating" })
	cancel()
	began := time.Now()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("returned %s after it was cancelled", took)
	}
	// What systemd was asked for it does.
	until(t, 10*time.Second, "the new process", func() bool { p := g.pid(t.Context()); return p != 0 && p != before })
}

// An account may look at the system's units and not restart them.
func TestSystemsUnitIsRefusedToAnAccount(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 0, 0, nil, nil)
	before := mainPID(t, "--system", "systemd-logind.service")
	o := g.options()
	o.Via, o.Unit = restart.SystemdSystem, "systemd-logind"
	_, err := restart.New(o).Restart(t.Context(), "a test")
	want(t, err, "systemd-system: systemd-logind.service: systemd refused: ")
	if now := mainPID(t, "--system", "systemd-logind.service"); now != before {
		t.Error("it was restarted")
	}
}

func mainPID(t *testing.T, manager, unit string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemctl", manager, "show", "--value", "-p", "MainPID", unit).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// The tests whose names begin with TestSystemUnit run on the machine of root.

func TestSystemUnit(t *testing.T) {
	g := newGateway(t, 500*time.Millisecond, 0, nil, nil)
	before := g.pid(t.Context())
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	res, err := restart.New(g.options()).Restart(t.Context(), "a test")
	restarted(t, res, err)
	if now := g.pid(t.Context()); now == before || now == 0 {
		t.Errorf("pid %d before, %d after", before, now)
	}
}

// Where systemd's own restarts use the limit up, the unit's result stays that of
// its failures, and only a start that does not happen tells of the limit.
func TestSystemUnitWhoseLimitIsUsedUpByFailures(t *testing.T) {
	g := newGateway(t, 0, 0, []string{"StartLimitBurst=3", "StartLimitIntervalSec=300"}, []string{"Restart=always", "RestartSec=100ms"})
	g.breakIt()
	o := g.options()
	o.Settle = time.Second
	r := restart.New(o)
	_, err := r.Restart(t.Context(), "a test")
	want(t, err, g.unit+": it failed (exit-code)")
	g.mend()
	before := strings.Count(journal(t, g.unit), "Start request repeated too quickly")
	res, err := r.Restart(t.Context(), "again")
	restarted(t, res, err)
	if after := strings.Count(journal(t, g.unit), "Start request repeated too quickly"); after != before+1 {
		t.Errorf("the limit was hit %d times", after-before)
	}
}

// TestUnitState: what a doctor reads of a unit, as systemd spells it.
func TestUnitState(t *testing.T) {
	g := newGateway(t, 0, 0, []string{"StartLimitBurst=7", "StartLimitIntervalSec=90"}, []string{"Restart=always", "RestartSec=100ms"})
	dial := restart.DialUser
	if onRootMachine() {
		dial = restart.DialSystem
	}
	m, done, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	s, err := m.State(t.Context(), g.unit)
	if err != nil {
		t.Fatal(err)
	}
	// A unit without [Install] cannot be enabled.
	if s.Active != "active" || s.StartBurst != 7 || s.StartInterval != 90*time.Second || s.File != "static" || s.Restarts != 0 {
		t.Errorf("state %+v", s)
	}
	systemctl(t, "kill", "--signal=KILL", g.unit)
	until(t, 20*time.Second, "systemd to start it again", func() bool {
		s, err := m.State(t.Context(), g.unit)
		return err == nil && s.Active == "active" && s.Restarts == 1
	})
}
