package restart

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestUserBus(t *testing.T) {
	runtime := t.TempDir()
	if err := os.WriteFile(filepath.Join(runtime, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const nobody = 4_000_000_000 // an account without a runtime directory
	tests := []struct {
		name, address, runtime, want, err string
	}{
		{name: "the address that is set", address: "unix:path=/elsewhere/bus", runtime: runtime, want: "unix:path=/elsewhere/bus"},
		{name: "the runtime directory", runtime: runtime, want: "unix:path=" + runtime + "/bus"},
		{name: "never a bus that would have to be launched", address: "autolaunch:", runtime: runtime, want: "unix:path=" + runtime + "/bus"},
		{name: "an empty runtime directory", runtime: "/nowhere", err: "no user bus in /nowhere or /run/user/4000000000: loginctl enable-linger"},
		{name: "nothing is set", err: "no user bus in /run/user/4000000000:"},
		{name: "a relative runtime directory", runtime: "here", err: "no user bus in /run/user/4000000000:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"DBUS_SESSION_BUS_ADDRESS": tt.address, "XDG_RUNTIME_DIR": tt.runtime}
			got, err := userBus(func(k string) string { return env[k] }, nobody)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestDialWithoutBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system")
	for name, dial := range map[string]Dial{"/nowhere/bus": DialUser, "/nowhere/system": DialSystem} {
		if _, _, err := dial(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A bus that accepts and never speaks must not hold a restart up.
func TestDialMuteBus(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+socket)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := l.Accept(); err == nil {
			accepted <- conn
			cancel()
		}
	}()
	ended := make(chan error)
	go func() { _, _, err := DialUser(ctx); ended <- err }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("connected to a mute bus")
		}
	case <-time.After(dialTimeout + 5*time.Second):
		t.Fatal("dialling did not end")
	}
	_ = (<-accepted).Close()
}

func TestRefusedByBus(t *testing.T) {
	tests := []struct {
		err     error
		certain bool
	}{
		{dbus.Error{Name: "org.freedesktop.systemd1.NoSuchUnit"}, true},
		{dbus.Error{Name: "org.freedesktop.systemd1.UnitMasked"}, true},
		{dbus.Error{Name: "org.freedesktop.DBus.Error.AccessDenied"}, true},
		{dbus.Error{Name: "org.freedesktop.DBus.Error.NoReply"}, false},
		{dbus.Error{Name: "org.freedesktop.DBus.Error.Disconnected"}, false},
		{dbus.ErrClosed, false},
		{context.DeadlineExceeded, false},
	}
	for _, tt := range tests {
		var no *unavailableError
		if got := refusedByBus(tt.err); errors.As(got, &no) != tt.certain {
			t.Errorf("%v: certain %v", tt.err, !tt.certain)
		}
	}
}
