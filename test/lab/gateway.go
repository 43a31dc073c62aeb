package lab

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Gateway is a running `openclaw gateway run`.
type Gateway struct {
	PID     int
	Started time.Time

	lab  *Lab
	log  string
	done chan struct{} // closed when the process has ended
}

// Start runs the gateway and waits until it says it is ready.
func (l *Lab) Start(t *testing.T) *Gateway {
	t.Helper()
	path := filepath.Join(l.tmp, "gateway.log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), l.Install.CLI(), "gateway", "run")
	cmd.Env, cmd.Dir = l.Env(), l.Home
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = OwnGroup()
	must(t, cmd.Start())
	g := &Gateway{PID: cmd.Process.Pid, Started: time.Now(), lab: l, log: path, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		_ = cmd.Wait()   // killed at the end
		_ = file.Close() // the process has flushed it
	}()
	t.Cleanup(func() {
		g.Stop(t)
		if t.Failed() {
			t.Logf("gateway %s, last lines:\n%s", l.Install.Version, tail(path, 60))
		}
	})
	g.awaitReady(t)
	return g
}

// Stop ends the gateway and its children. It may be called again.
func (g *Gateway) Stop(t *testing.T) {
	t.Helper()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(-g.PID, sig) // it may have ended already
		select {
		case <-g.done:
			_ = syscall.Kill(-g.PID, syscall.SIGKILL) // children that stayed
			return
		case <-time.After(15 * time.Second):
		}
	}
	t.Errorf("the gateway (pid %d) did not end", g.PID)
}

// Alive reports whether the process that Start began still runs: no restart
// has taken place.
func (g *Gateway) Alive() bool {
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

// Starts counts how often the gateway began to listen. A restart within the
// process keeps the pid, so that Alive alone does not prove that there was none.
func (g *Gateway) Starts() int { return strings.Count(g.Log(), "http server listening") }

// Log returns the gateway's output so far.
func (g *Gateway) Log() string { return tail(g.log, 1<<30) }

func (g *Gateway) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url := "http://" + loopback(g.lab.Port) + "/readyz"
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx, url) {
			return
		}
		select {
		case <-tick.C:
		case <-g.done:
			t.Fatalf("the gateway ended before it was ready:\n%s", tail(g.log, 60))
		case <-ctx.Done():
			t.Fatalf("the gateway was not ready in time:\n%s", tail(g.log, 60))
		}
	}
}

// ready demands JSON: a gateway that still starts may answer with its web page.
func ready(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }() // only the head counts
	return resp.StatusCode == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
}
