//go:build systemd

package systemd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const unitName = "openclaw-gateway.service"

// aged is a health of a gateway whose present start is said to be an hour
// older, so that the test need not wait until it may be restarted.
type aged struct {
	*openclaw.Install
	before time.Time // which start that is
}

// Health implements restart.Health.
func (a aged) Health(ctx context.Context) openclaw.Health {
	h := a.Install.Health(ctx)
	if h.Uptime > 0 && time.Now().Add(-h.Uptime).Before(a.before) {
		h.Uptime += time.Hour
	}
	return h
}

// installed makes OpenClaw a service of this account, by its own installer, and
// waits until the gateway is ready.
func installed(t *testing.T) *openclaw.Install {
	t.Helper()
	if _, err := exec.LookPath("openclaw"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("OpenClaw %s is not in .cache: scripts/fetch-openclaw %s", release, release)
		}
		t.Skipf("OpenClaw %s is not in .cache: scripts/fetch-openclaw %s", release, release)
	}
	port := freePort(t)
	config, err := json.Marshal(map[string]any{"gateway": map[string]any{
		"mode": "local", "port": port, "bind": "loopback", "auth": map[string]any{"mode": "token", "token": "a-token-of-this-test"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(os.Getenv("HOME"), ".openclaw")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "openclaw.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "openclaw", "gateway", "install", "--port", fmt.Sprint(port), "--json").CombinedOutput()
	if err != nil {
		t.Fatalf("openclaw gateway install: %v\n%s", err, out)
	}
	install, err := openclaw.Find(openclaw.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ready(t, install)
	return install
}

func ready(t *testing.T, install *openclaw.Install) {
	t.Helper()
	until(t, 5*time.Minute, "OpenClaw's gateway to be ready", func() bool { return install.Health(t.Context()).Ready })
}

// A service as OpenClaw installs it itself, restarted by its RPC, by systemd and
// by its own command, and killed.
func TestOpenClawAsAService(t *testing.T) {
	install := installed(t)
	gateway := install.Gateway()
	t.Cleanup(func() { _ = gateway.Close() })
	for _, tt := range []struct {
		name string
		via  restart.Via
		want restart.Via
	}{
		{name: "D-Bus", via: restart.Systemd, want: restart.SystemdUser},
		{name: "whatever works first", via: restart.Auto, want: restart.RPC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.via == restart.Systemd && !night() {
				t.Skip("TestServiceOfAccount restarts it over D-Bus too; this one is for the night")
			}
			ready(t, install)
			began := time.Now()
			pid := mainPID(t, "--user", unitName)
			r := restart.New(restart.Options{
				Via: tt.via, Gateway: gateway, CLI: install.CLI(), Health: aged{install, began}, History: &history{},
				Drain: 10 * time.Second, Log: zerolog.New(zerolog.NewTestWriter(t)),
			})
			res, err := r.Restart(t.Context(), "a test")
			if err != nil || res.Via != tt.want {
				t.Fatalf("via %q: %v", res.Via, err)
			}
			h := install.Health(t.Context())
			if !h.Live || h.Uptime <= 0 || time.Now().Add(-h.Uptime).Before(began) {
				t.Errorf("live %v, up for %s, %s after the test began", h.Live, h.Uptime, time.Since(began))
			}
			if now := mainPID(t, "--user", unitName); tt.via == restart.Systemd && now == pid {
				t.Errorf("process %s is still there", now)
			}
			t.Logf("restarted via %s in %s", res.Via, res.Took.Round(time.Millisecond))
		})
	}
	t.Run("stopped and started", func(t *testing.T) {
		ready(t, install)
		stoppedAndStarted(t, restart.New(restart.Options{
			Gateway: gateway, CLI: install.CLI(), Health: install, Drain: 10 * time.Second, Log: zerolog.New(zerolog.NewTestWriter(t)),
		}), restart.Service{Via: restart.SystemdUser, Unit: unitName}, func() bool { return install.Health(t.Context()).Live })
	})
	t.Run("killed", func(t *testing.T) {
		before := restarts(t)
		systemctl(t, "kill", "-s", "KILL", unitName)
		until(t, 10*time.Second, "its end", func() bool { return !install.Health(t.Context()).Live })
		_, err := restart.New(restart.Options{
			Gateway: gateway, CLI: install.CLI(), Health: install, History: &history{}, Log: zerolog.Nop(),
		}).Restart(t.Context(), "a test")
		want(t, err, "too soon for a restart: the gateway started")
		if n := restarts(t) - before; n != 1 {
			t.Errorf("systemd restarted it %d times", n)
		}
	})
}

// restarts is how often systemd started the service by itself.
func restarts(t *testing.T) (n int) {
	t.Helper()
	said := systemctl(t, "show", "--value", "-p", "NRestarts", unitName)
	if _, err := fmt.Sscan(said, &n); err != nil {
		t.Fatalf("NRestarts=%s", said)
	}
	return n
}
