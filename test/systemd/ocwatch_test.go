//go:build systemd

package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// service is ocwatch as a unit of the account, watching an install whose one
// login has expired: nothing can be asked of anybody, and nothing is sent.
type service struct {
	t      *testing.T
	unit   string
	config string
}

func newService(t *testing.T, settings ...string) *service {
	t.Helper()
	dir := filepath.Join(os.Getenv("HOME"), strings.ToLower(t.Name()))
	s := &service{t: t, unit: strings.ToLower(t.Name()) + ".service", config: filepath.Join(dir, "config.yaml")}
	put(t, filepath.Join(dir, "state/openclaw.json"), fmt.Sprintf(
		`{"gateway":{"mode":"local","port":%d,"bind":"loopback","auth":{"mode":"token","token":"a-token-of-this-test"}}}`, freePort(t)))
	put(t, filepath.Join(dir, "state/agents/main/agent/auth-profiles.json"),
		`{"version":1,"profiles":{"openai:alice@example.com":{"type":"oauth","provider":"openai","access":"an-access","refresh":"a-refresh","expires":1}}}`)
	s.configure("30s")
	unit := filepath.Join(os.Getenv("HOME"), ".config/systemd/user", s.unit)
	put(t, unit, fmt.Sprintf("[Unit]\n[Service]\nType=notify\nExecStart=%s --config %s run\nExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\nRestartSec=200ms\n%s\n",
		os.Getenv(binaryEnv), s.config, strings.Join(settings, "\n")))
	systemctl(t, "daemon-reload")
	t.Cleanup(func() {
		_ = exec.Command("systemctl", scoped("kill", "-s", "KILL", s.unit)...).Run()
		_ = exec.Command("systemctl", scoped("stop", s.unit)...).Run()
	})
	if said := systemctl(t, "start", s.unit); said != "" {
		t.Fatalf("start: %s\n%s", said, journal(t, s.unit))
	}
	return s
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *service) configure(every string) {
	s.t.Helper()
	dir := filepath.Dir(s.config)
	put(s.t, s.config, fmt.Sprintf("openclaw: {state_dir: %s/state}\nprobe: {every: %s}\ndata_dir: %s/data\nlisten: \"\"\n", dir, every, dir))
}

func (s *service) show(property string) string {
	s.t.Helper()
	return strings.TrimSpace(systemctl(s.t, "show", "--value", "-p", property, s.unit))
}

func (s *service) await(property, value string) {
	s.t.Helper()
	until(s.t, 15*time.Second, property+"="+value, func() bool { return s.show(property) == value })
}

// told is what ocwatch told systemd, of which systemd keeps a log when asked.
func told(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "journalctl", "--user", "--no-pager", "-o", "cat", "-t", "systemd", "-g", "Got notification message").Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	return string(out)
}

// Not in parallel: the manager is made to log every message.
func TestOcwatchTellsSystemd(t *testing.T) {
	systemctl(t, "log-level", "debug")
	defer systemctl(t, "log-level", "info")
	s := newService(t)
	// Type=notify: systemctl start returned, so that READY=1 was said.
	if state := s.show("ActiveState"); state != "active" {
		t.Fatalf("it is %s", state)
	}
	until(t, 15*time.Second, "the state of the pool in the status", func() bool { return strings.Contains(s.show("StatusText"), "openai") })
	pid := s.show("MainPID")

	systemctl(t, "reload", s.unit)
	until(t, 15*time.Second, "RELOADING=1", func() bool { return strings.Contains(told(t), "RELOADING=1, MONOTONIC_USEC=") })
	s.await("ActiveState", "active")
	s.configure("never") // a bad file keeps the old one running
	systemctl(t, "reload", s.unit)
	until(t, 15*time.Second, "the second reload", func() bool { return strings.Count(told(t), "RELOADING=1") == 2 })
	s.await("ActiveState", "active")
	if now := s.show("MainPID"); now != pid {
		t.Errorf("process %s became %s", pid, now)
	}

	systemctl(t, "stop", s.unit)
	if result := s.show("Result"); result != "success" {
		t.Errorf("stopped with result %s", result)
	}
	if said := told(t); !strings.Contains(said, "STOPPING=1") {
		t.Errorf("STOPPING=1 was not said:\n%s", said)
	}
}

func TestOcwatchIsRestartedWhenKilled(t *testing.T) {
	t.Parallel()
	s := newService(t)
	systemctl(t, "kill", "-s", "KILL", s.unit)
	s.await("NRestarts", "1")
	s.await("ActiveState", "active")
	until(t, 15*time.Second, "its first round", func() bool { return strings.Contains(s.show("StatusText"), "openai") })
}

// A process that does nothing any more is killed by the watchdog of systemd and
// started again; one that waits for its next round, far longer than the
// watchdog's period, is not.
func TestOcwatchHangs(t *testing.T) {
	t.Parallel()
	s := newService(t, "WatchdogSec=2s")
	wait(4 * time.Second)
	if n := s.show("NRestarts"); n != "0" {
		t.Fatalf("restarted %s times while it waited\n%s", n, journal(t, s.unit))
	}
	systemctl(t, "kill", "-s", "STOP", s.unit)
	s.await("NRestarts", "1")
	s.await("ActiveState", "active")
	if said := journal(t, s.unit); !strings.Contains(said, "Watchdog timeout") {
		t.Errorf("not by the watchdog:\n%s", said)
	}
}

// wait lets real time pass where the test is that nothing happens in it.
func wait(d time.Duration) { <-time.After(d) }
