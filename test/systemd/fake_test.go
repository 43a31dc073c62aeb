//go:build systemd

package systemd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// fakeEnv makes the test binary a stand-in for the gateway: its port, how long
// it takes to come up, how long to stop, and a file that breaks it.
const fakeEnv = "OCWATCH_TEST_GATEWAY"

// fakeGateway answers /healthz, once it is up, until it is told to end.
func fakeGateway(spec string) (status int) {
	f := strings.Split(spec, ",")
	if _, err := os.Stat(f[3]); err == nil {
		return 1
	}
	up, _ := time.ParseDuration(f[1])
	down, _ := time.ParseDuration(f[2])
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pause(ctx, up)
	began := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "status": "live", "pid": os.Getpid(), "uptimeMs": time.Since(began).Milliseconds()})
	})
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", f[0]), Handler: mux, ReadHeaderTimeout: time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case <-ctx.Done():
	}
	pause(context.Background(), down) // it goes on answering meanwhile, as the real one does
	_ = server.Close()
	return 0
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// gateway is a unit of the account's manager that runs the stand-in.
type gateway struct {
	t    *testing.T
	unit string
	port int

	first int // pid of the process that the test begins with
}

// newGateway writes and starts a unit. unit and service are further lines of
// those sections.
func newGateway(t *testing.T, up, down time.Duration, unit, service []string) *gateway {
	t.Helper()
	g := &gateway{t: t, unit: strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + ".service", port: freePort(t)}
	g.write(up, down, unit, service)
	t.Cleanup(func() {
		_ = exec.Command("systemctl", scoped("stop", g.unit)...).Run()
		_ = os.Remove(g.path())
	})
	systemctl(t, "start", g.unit)
	g.await()
	return g
}

func (g *gateway) path() string {
	if onRootMachine() {
		return filepath.Join("/etc/systemd/system", g.unit)
	}
	return filepath.Join(os.Getenv("HOME"), ".config/systemd/user", g.unit)
}

func onRootMachine() bool { return os.Getenv(machineEnv) == "root" }

// scoped are arguments of systemctl for the manager that is tested.
func scoped(args ...string) []string {
	if onRootMachine() {
		return args
	}
	return append([]string{"--user"}, args...)
}

func (g *gateway) write(up, down time.Duration, unit, service []string) {
	g.t.Helper()
	self, err := os.Executable()
	if err != nil {
		g.t.Fatal(err)
	}
	text := fmt.Sprintf("[Unit]\n%s\n[Service]\nExecStart=%s\nEnvironment=%s=%d,%s,%s,%s\n%s\n",
		strings.Join(unit, "\n"), self, fakeEnv, g.port, up, down, g.broken(), strings.Join(service, "\n"))
	if err := os.MkdirAll(filepath.Dir(g.path()), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(g.path(), []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	systemctl(g.t, "daemon-reload")
}

// broken is a file beside which the stand-in cannot run.
func (g *gateway) broken() string { return filepath.Join(os.Getenv("HOME"), g.unit+".broken") }

func (g *gateway) breakIt() {
	g.t.Helper()
	if err := os.WriteFile(g.broken(), nil, 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) mend() {
	g.t.Helper()
	if err := os.Remove(g.broken()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) show(property string) string {
	g.t.Helper()
	return strings.TrimSpace(systemctl(g.t, "show", "--value", "-p", property, g.unit))
}

// pid asks the gateway itself; 0: it does not answer.
func (g *gateway) pid(ctx context.Context) int {
	pid, _ := g.ask(ctx)
	return pid
}

func (g *gateway) ask(ctx context.Context) (pid int, uptime time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+strconv.Itoa(g.port)+"/healthz", http.NoBody)
	if err != nil {
		return 0, 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0
	}
	defer func() { _ = resp.Body.Close() }()
	var said struct {
		PID      int     `json:"pid"`
		UptimeMs float64 `json:"uptimeMs"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<10)).Decode(&said)
	return said.PID, time.Duration(said.UptimeMs) * time.Millisecond
}

func (g *gateway) await() {
	g.t.Helper()
	until(g.t, 20*time.Second, "the stand-in to answer", func() bool { g.first = g.pid(g.t.Context()); return g.first != 0 })
}

// Health implements restart.Health. The process that the test began with is said
// to be up for an hour more, so that no test has to wait until it may be
// restarted.
func (g *gateway) Health(ctx context.Context) openclaw.Health {
	pid, up := g.ask(ctx)
	if pid == g.first {
		up += time.Hour
	}
	return openclaw.Health{Live: pid != 0, Answers: pid != 0, Down: pid == 0, Ready: true, Uptime: up}
}

// Has implements restart.Gateway: the stand-in has no RPC.
func (g *gateway) Has(context.Context, string) (bool, error) { return false, nil }

// Call implements restart.Gateway.
func (g *gateway) Call(context.Context, string, any, any) error { return openclaw.ErrMethodUnavailable }

// Run implements restart.Commander: there is no openclaw command.
func (g *gateway) Run(context.Context, io.Reader, ...string) (openclaw.Output, error) {
	return openclaw.Output{}, &openclaw.CommandNotFoundError{Command: "openclaw", Err: exec.ErrNotFound}
}

func (g *gateway) options() restart.Options {
	return restart.Options{
		Via: restart.Systemd, Unit: g.unit, Gateway: g, CLI: g, Health: g, History: &history{},
		Deadline: 30 * time.Second, Log: zerolog.New(zerolog.NewTestWriter(g.t)),
	}
}

// history implements restart.History.
type history struct {
	mu   sync.Mutex
	list []time.Time
}

func (h *history) Restarts(context.Context, time.Time) ([]time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list, nil
}

func (h *history) Restarting(_ context.Context, at time.Time, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, at)
	return nil
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func systemctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemctl", scoped(args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || args[0] == "daemon-reload") {
		t.Fatalf("systemctl %v: %v: %s", args, err, out)
	}
	return string(out)
}

func until(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	end := time.After(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %s in vain for %s", limit, what)
		}
	}
}
