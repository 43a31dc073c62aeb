package main

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// TestQuickstart follows docs/quickstart.md word by word: every command of a
// console block is typed, its output held against what the page shows, and the
// config file is the page's.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	for _, b := range blocks(documents(t)["docs/quickstart.md"]) {
		switch {
		case b[0] == "console":
			n.type_(t, b[1])
		case b[0] == "sh" && b[1] == "ocwatch run\n":
			n.watch(t)
		case b[0] == "yaml":
			n.configure(t, b[1])
		}
	}
	n.mustKeepOwnFiles(t)
	if n.typed < 7 || n.running == nil || len(n.phone) == 0 {
		t.Errorf("%d commands were typed, watching: %v, messages on the phone: %d", n.typed, n.running != nil, len(n.phone))
	}
	if err := n.running.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := n.running.Wait(); err != nil {
		t.Errorf("ocwatch run after Ctrl-C: %v\n%s", err, n.said())
	}
}

// newcomer is somebody with three accounts, a phone, and nothing else.
type newcomer struct {
	home    string
	config  string // what makes the stand-in the provider
	ntfy    string
	phone   chan string
	running *exec.Cmd
	log     string // a file
	typed   int
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	n := &newcomer{home: t.TempDir(), phone: make(chan string, 8), log: filepath.Join(t.TempDir(), "log")}
	account := func(name string, fiveHour, weekly float64) sandbox.Account {
		return sandbox.Account{Profile: "openai:" + name + "@example.com", Windows: []sandbox.Window{
			{Name: quota.FiveHour, UsedPercent: fiveHour}, {Name: quota.Weekly, UsedPercent: weekly},
		}}
	}
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: n.home, Accounts: []sandbox.Account{account("alice", 38, 52), account("bob", 4, 11), account("carol", 61, 70)},
		Order: map[string][]string{"openai": {"openai:alice@example.com", "openai:bob@example.com", "openai:carol@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n.phone <- string(body)
		_, _ = io.WriteString(w, `{"id":"1","event":"message"}`)
	}))
	t.Cleanup(service.Close)
	n.ntfy = strings.Replace(service.URL, "http://", "ntfy://", 1) + "/topic?scheme=http\n"
	n.config = fmt.Sprintf("probe: {providers: {openai: {url: %q}}}\nlisten: 127.0.0.1:%d\n", world.UsageURL("openai"), freePort(t))
	n.configure(t, "")
	return n
}

// configure writes the page's config file, and has the phone's service here.
func (n *newcomer) configure(t *testing.T, page string) {
	t.Helper()
	dir := filepath.Join(n.home, ".config", "ocwatch")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"config.yaml": n.config + page, "phone.url": n.ntfy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *newcomer) command(t *testing.T, line string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = []string{"HOME=" + n.home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	cmd.Dir = n.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// type_ types what stands behind each prompt of a block.
func (n *newcomer) type_(t *testing.T, console string) {
	t.Helper()
	for _, part := range strings.Split("\n"+console, "\n$ ")[1:] {
		line, want, _ := strings.Cut(part, "\n")
		out, err := n.command(t, line).CombinedOutput()
		if err != nil {
			t.Fatalf("$ %s: %v\n%s\nthe watchdog said\n%s", line, err, out, n.said())
		}
		mustPrint(t, string(out), strings.ReplaceAll(want, "/home/oc/", n.home+"/"))
		n.typed++
	}
}

// watch starts the watchdog in another terminal.
func (n *newcomer) watch(t *testing.T) {
	t.Helper()
	n.running = n.command(t, "exec ocwatch run")
	log, err := os.Create(n.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	n.running.Stderr = log
	if err := n.running.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(scriptWait); n.command(t, "ocwatch status").Run() != nil; {
		if time.Now().After(end) {
			t.Fatal("no watchdog answers")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// mustKeepOwnFiles: what docs/security.md lists is in data_dir, and nothing else,
// for nobody else.
func (n *newcomer) mustKeepOwnFiles(t *testing.T) {
	t.Helper()
	dir := filepath.Join(n.home, ".local", "state", "ocwatch")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	mode := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if got := mode(dir); got != 0o700 {
		t.Errorf("data_dir has mode %o", got)
	}
	listed := documents(t)["docs/security.md"]
	for _, f := range files {
		if got := mode(filepath.Join(dir, f.Name())); got != 0o600 || !strings.Contains(listed, "`"+f.Name()+"`") {
			t.Errorf("%s has mode %o, or docs/security.md does not list it", f.Name(), got)
		}
	}
	if len(files) < 5 {
		t.Errorf("%d files in data_dir", len(files))
	}
}

func (n *newcomer) said() string {
	log, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	return string(log)
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
