package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// window is a terminal's window with ocwatch status --watch in it.
type window struct {
	file *os.File
	cmd  *exec.Cmd
	done chan struct{} // closed when nothing more comes

	mu  sync.Mutex
	all bytes.Buffer // what was written to it
}

func openWindow(t *testing.T, columns, lines uint16) *window {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte("data_dir: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "ocwatch", "status", "--watch", "--config", config)
	cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=xterm", "LC_ALL=C.UTF-8")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: lines, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	w := &window{file: file, cmd: cmd, done: make(chan struct{})}
	t.Cleanup(func() { _ = file.Close() })
	go func() {
		defer close(w.done)
		buf := make([]byte, 4096)
		for {
			n, err := file.Read(buf)
			w.mu.Lock()
			w.all.Write(buf[:n])
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return w
}

// next is what was written since mark, up to want and behind it.
func (w *window) next(t *testing.T, mark int, want string) (text string, end int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		w.mu.Lock()
		got := w.all.String()[mark:]
		w.mu.Unlock()
		if before, _, ok := strings.Cut(got, want); ok {
			return before + want, mark + len(before) + len(want)
		}
	}
	t.Fatalf("no %q within a minute: %q", want, w.all.String()[mark:])
	return "", 0
}

// TestWatchAtATerminal: the screen is taken and given back, follows the window,
// and lets the shell in between.
func TestWatchAtATerminal(t *testing.T) {
	t.Parallel()
	w := openWindow(t, 100, 12)
	_, at := w.next(t, 0, enterScreen)
	first, at := w.next(t, at, wipe)
	if !strings.Contains(first, home) || !strings.Contains(first, "no watchdog is running") || strings.Contains(first, "\x1b[2J") {
		t.Errorf("the first screen: %q", first)
	}
	if err := pty.Setsize(w.file, &pty.Winsize{Rows: 4, Cols: 30}); err != nil {
		t.Fatal(err)
	}
	_, at = w.next(t, at, " more lines: ocwatch")
	if _, err := w.file.WriteString("\x1a"); err != nil {
		t.Fatal(err)
	}
	_, at = w.next(t, at, leaveScreen)
	w.awaitStopped(t)
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_, at = w.next(t, at, enterScreen+home)
	if _, err := w.file.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	w.next(t, at, leaveScreen)
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	<-w.done
	if !strings.HasSuffix(w.all.String(), leaveScreen) {
		t.Errorf("written after the end: %q", w.all.String())
	}
}

// awaitStopped waits until the shell would have its prompt.
func (w *window) awaitStopped(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(w.cmd.Process.Pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") {
			return
		}
	}
	t.Fatal("Ctrl-Z stopped nothing")
}
