package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// shortDir is a directory whose socket's path fits into 107 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocw") //nolint:usetesting // t.TempDir has the test's name in it, and a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve serves status on l until the test ends.
func serve(t *testing.T, l net.Listener, status Status) {
	t.Helper()
	serveWith(t, l, status, nil)
}

func serveWith(t *testing.T, l net.Listener, status Status, logins Logins) {
	t.Helper()
	s := New(status, logins, zerolog.Nop())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if l.Addr().Network() == "unix" {
			s.ServeOwner(l)
			return
		}
		s.Serve(l)
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func fixed(v any) Status { return func(context.Context, bool) any { return v } }

// TestStatusIsForTheOwner: what the socket shows and the port does not.
func TestStatusIsForTheOwner(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	tcp, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	status := func(_ context.Context, owner bool) any { return owner }
	serve(t, listen(t, dir), status)
	serve(t, tcp, status)
	if body, err := NewClient(dir).Status(t.Context()); err != nil || string(body) != "true\n" {
		t.Errorf("the socket answers %q, %v", body, err)
	}
	if _, _, body := ask(t, tcp, http.MethodGet, "localhost", "/api/v1/status"); body != "false\n" {
		t.Errorf("the port answers %q", body)
	}
}

func listen(t *testing.T, dir string) net.Listener {
	t.Helper()
	l, err := ListenUnix(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// leftover is a socket file that nobody serves, as kill -9 leaves it.
func leftover(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, SocketName)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStatus(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	leftover(t, dir)
	serve(t, listen(t, dir), fixed(map[string]string{"version": "1.2.3", "reason": "<b>5h</b>"}))
	body, err := NewClient(dir).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(body, &got); err != nil || got["version"] != "1.2.3" || got["reason"] != "<b>5h</b>" {
		t.Errorf("%s, %v", body, err)
	}
	info, err := os.Stat(filepath.Join(dir, SocketName))
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestStatusWithoutWatchdog(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		dir  func(t *testing.T) string
	}{
		{"no socket", shortDir},
		{"no directory", func(t *testing.T) string { t.Helper(); return filepath.Join(shortDir(t), "none") }},
		{"a dead socket", func(t *testing.T) string {
			t.Helper()
			dir := shortDir(t)
			leftover(t, dir)
			return dir
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewClient(tc.dir(t)).Status(t.Context())
			if !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "ocwatch run") || !strings.Contains(err.Error(), SocketName) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestStatusForbidden runs itself as an account that may not use the socket.
func TestStatusForbidden(t *testing.T) {
	if dir := os.Getenv("OCWATCH_TEST_FORBIDDEN"); dir != "" {
		_, err := NewClient(dir).Status(t.Context())
		if err == nil || errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "run this as the account that runs the watchdog") {
			t.Errorf("%v", err)
		}
		return
	}
	t.Parallel()
	dir := shortDir(t)
	serve(t, listen(t, dir), fixed("secret"))
	cmd := exec.CommandContext(t.Context(), copyOfTest(t, dir), "-test.run=^TestStatusForbidden$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OCWATCH_TEST_FORBIDDEN="+dir)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	} else if err := os.Chmod(filepath.Join(dir, SocketName), 0); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestStatusForbidden") {
		t.Errorf("%v: %s", err, out)
	}
}

// copyOfTest is this program where every account can run it.
func copyOfTest(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "test")
	if err := errors.Join(os.WriteFile(path, program, 0o700), os.Chmod(path, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStatusStopsWaiting: a watchdog that hangs does not hang the commands.
func TestStatusStopsWaiting(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	serve(t, listen(t, dir), func(ctx context.Context, _ bool) any { <-ctx.Done(); return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := NewClient(dir).Status(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

// TestStatusLarge: a thousand accounts come whole, and what does not is an
// error rather than half a document.
func TestStatusLarge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		size int
		ok   bool
	}{
		{"two megabytes", 2 << 20, true},
		{"as much as is allowed", maxAnswer - len("\"\"\n"), true},
		{"more than is allowed", maxAnswer, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			serve(t, listen(t, dir), fixed(strings.Repeat("x", tc.size)))
			// Not by Status: how fast a busy machine moves 16 MiB is not its matter.
			body, err := NewClient(dir).do(t.Context(), http.MethodGet, "/api/v1/status", nil)
			if tc.ok && (err != nil || len(body) != tc.size+len("\"\"\n")) || !tc.ok && err == nil {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
}

// TestStatusRefused: an answer that is no status is an error.
func TestStatusRefused(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	serve(t, listen(t, dir), fixed(math.Inf(1))) // JSON has no word for it
	body, err := NewClient(dir).Status(t.Context())
	if err == nil || errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "500") {
		t.Errorf("%q, %v", body, err)
	}
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	long := filepath.Join(shortDir(t), strings.Repeat("d", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), long); err == nil || !strings.Contains(err.Error(), "choose a shorter data_dir") {
		t.Errorf("%v", err)
	}
	blocked := shortDir(t)
	if err := os.MkdirAll(filepath.Join(blocked, SocketName, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), blocked); err == nil || !strings.HasPrefix(err.Error(), "status socket: ") {
		t.Errorf("%v", err)
	}
	l, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := ListenTCP(t.Context(), l.Addr().String()); err == nil || !strings.Contains(err.Error(), "set listen to a free loopback address") {
		t.Errorf("%v", err)
	}
}

// TestHosts: a page elsewhere can make a browser ask a loopback address, under
// a name of its own. Only names of this machine are answered, and nothing is
// ever HTML.
func TestHosts(t *testing.T) {
	t.Parallel()
	l, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, fixed(map[string]string{"reason": "<script>alert(1)</script>"}))
	for _, tc := range []struct {
		host, method, path string
		status             int
	}{
		{"127.0.0.1:18790", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"127.0.0.1", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"127.8.8.8:18790", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"localhost:18790", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"LocalHost:18790", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"[::1]:18790", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"[::1]", http.MethodGet, "/api/v1/status", http.StatusOK},
		{"ocwatch", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest}, // the socket's alone
		{"localhost", http.MethodHead, "/api/v1/status", http.StatusOK},
		{"rebound.example.com:18790", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest},
		{"rebound.example.com", http.MethodGet, "/<script>", http.StatusMisdirectedRequest},
		{"127.0.0.1.example.com", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest},
		{"localhost.example.com", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest},
		{"192.168.1.5:18790", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest},
		{"0.0.0.0:18790", http.MethodGet, "/api/v1/status", http.StatusMisdirectedRequest},
		{"localhost", http.MethodPost, "/api/v1/status", http.StatusMethodNotAllowed},
		{"localhost", http.MethodDelete, "/api/v1/status", http.StatusMethodNotAllowed},
		{"localhost", http.MethodGet, "/", http.StatusNotFound},
		{"localhost", http.MethodGet, "/<script>alert(1)</script>", http.StatusNotFound},
		{"localhost", http.MethodGet, "/api/<script>/../x", http.StatusTemporaryRedirect},
	} {
		t.Run(tc.method+" "+tc.host+tc.path, func(t *testing.T) {
			t.Parallel()
			status, kind, body := ask(t, l, tc.method, tc.host, tc.path)
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			if strings.Contains(kind, "html") || strings.Contains(body, "<script") {
				t.Errorf("%s: %s", kind, body)
			}
			if status == http.StatusOK && kind != "application/json" {
				t.Errorf("content type %q", kind)
			}
		})
	}
}

// ask sends one request, and follows no redirect.
func ask(t *testing.T, l net.Listener, method, host, path string) (status int, kind, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Path, req.Host = path, host
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}
