package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

func TestReadCLI(t *testing.T) {
	tests := []struct {
		name, stdout, note, err string
		certain                 bool // nothing was restarted
	}{
		{name: "restarted", stdout: `{"action":"restart","ok":true,"result":"restarted","message":"…"}`, note: "openclaw gateway restart: restarted"},
		{name: "scheduled", stdout: `{"ok":true,"result":"scheduled"}`, note: "openclaw gateway restart: scheduled"},
		{name: "a line before it", stdout: "warning: old config\n{\"ok\":true,\"result\":\"restarted\"}\n", note: "openclaw gateway restart: restarted"},
		{name: "no service, exit code 0", stdout: `{"action":"restart","ok":true,"result":"not-loaded"}`, err: "knows no gateway service", certain: true},
		{name: "not healthy afterwards", stdout: `{"ok":false,"result":"restarted"}`, err: "restart failed"},
		{name: "a new word", stdout: `{"ok":true,"result":"pondering"}`, err: `not known: "pondering"`},
		{name: "a long word is cut", stdout: `{"ok":true,"result":"` + strings.Repeat("x", 500) + `"}`, err: `not known: "` + strings.Repeat("x", 40) + `"`},
		{name: "nothing", stdout: "", err: "did not answer in JSON"},
		{name: "text", stdout: "Gateway restarted.\n", err: "did not answer in JSON"},
		{name: "cut off", stdout: `{"ok":true,"result":"rest`, err: "did not answer in JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			note, err := readCLI([]byte(tt.stdout))
			if note != tt.note {
				t.Errorf("note %q, want %q", note, tt.note)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			var no *unavailableError
			if errors.As(err, &no) != tt.certain {
				t.Errorf("certain that nothing happened: %v", !tt.certain)
			}
		})
	}
}

func FuzzReadCLI(f *testing.F) {
	f.Add([]byte(`{"ok":true,"result":"restarted"}`))
	f.Add([]byte(`{"ok":true,"result":"not-loaded"}`))
	f.Add([]byte(`{"result":"restarted"}`))
	f.Add([]byte("x{"))
	f.Fuzz(func(t *testing.T, stdout []byte) {
		note, err := readCLI(stdout)
		if (note == "") == (err == nil) {
			t.Fatalf("note %q with error %v", note, err)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		if err == nil && strings.Contains(string(stdout), "not-loaded") && !strings.Contains(string(stdout), "ed\"") {
			t.Fatalf("%q is no restart", stdout)
		}
	})
}

func TestRefusal(t *testing.T) {
	tests := []struct {
		err     error
		certain bool
	}{
		{&openclaw.RPCError{Code: "INVALID_REQUEST"}, true},
		{openclaw.ErrMethodUnavailable, true},
		{openclaw.ErrUnauthorized, true},
		{openclaw.ErrGatewayDown, false}, // the connection may have gone after the call arrived
		{context.DeadlineExceeded, false},
	}
	for _, tt := range tests {
		var no *unavailableError
		if got := refusal(tt.err); errors.As(got, &no) != tt.certain || !errors.Is(got, tt.err) {
			t.Errorf("%v: certain %v", tt.err, !tt.certain)
		}
	}
}

func command(argv ...string) *Restarter { return New(Options{Via: Command, Command: argv}) }

func TestCommand(t *testing.T) {
	script := filepath.Join(t.TempDir(), "restart")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho printed; echo complaint >&2\nexit ${1:-0}\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		argv    []string
		err     string
		certain bool
	}{
		{name: "works", argv: []string{script}},
		{name: "exits with 3", argv: []string{script, "3"}, err: script + ": exit status 3"},
		{name: "is not there", argv: []string{"/nowhere/restart"}, err: "restart.command:", certain: true},
		{name: "may not be run", argv: []string{plain}, err: "permission denied", certain: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			times := 0
			err := command(tt.argv...).askCommand(t.Context(), func(taken) { times++ })
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if err != nil && (strings.Contains(err.Error(), "printed") || strings.Contains(err.Error(), "complaint")) {
				t.Errorf("what it printed is in the error: %v", err)
			}
			if (times == 1) != (err == nil) {
				t.Errorf("taken on %d times", times)
			}
			var no *unavailableError
			if errors.As(err, &no) != tt.certain {
				t.Errorf("certain that nothing happened: %v", !tt.certain)
			}
		})
	}
}

// A cancelled command ends with everything that it started.
func TestCommandCancelled(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- command("/bin/sh", "-c", `sleep 600 & echo $! >"$0.new"; mv "$0.new" "$0"; wait`, pidFile).askCommand(ctx, func(taken) {})
	}()
	pid := 0
	waitFor(t, "the command's child", func() bool {
		said, err := os.ReadFile(pidFile)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(said)))
		}
		return err == nil
	})
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	waitFor(t, "the end of the command's child", func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) })
}

// zombie reports whether a process has ended and nobody has asked how.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
