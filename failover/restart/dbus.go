package restart

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

const (
	dialTimeout = 5 * time.Second
	unitTimeout = 10 * time.Second // of one call other than a restart
)

// errBusGone: the job goes on without anybody to tell its end.
var errBusGone = errors.New("the connection to systemd was lost while it worked on the unit")

// DialUser reaches the service manager of this account.
func DialUser(ctx context.Context) (Manager, func(), error) {
	address, err := userBus(os.Getenv, os.Getuid())
	if err != nil {
		return nil, nil, err
	}
	return dial(ctx, address)
}

// DialSystem reaches the service manager of the system.
func DialSystem(ctx context.Context) (Manager, func(), error) {
	address := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS")
	if address == "" {
		address = "unix:path=/run/dbus/system_bus_socket"
	}
	return dial(ctx, address)
}

// userBus finds the account's bus. The library would do it too, and where there
// is none it would start one (dbus-launch), on which no systemd listens.
func userBus(getenv func(string) string, uid int) (string, error) {
	if a := getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" && !strings.HasPrefix(a, "autolaunch:") {
		return a, nil
	}
	dirs := []string{filepath.Join("/run/user", strconv.Itoa(uid))}
	if d := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(d) {
		dirs = []string{d, dirs[0]}
	}
	for _, d := range dirs {
		socket := filepath.Join(d, "bus")
		if _, err := os.Stat(socket); err == nil {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
		}
	}
	return "", fmt.Errorf("no user bus in %s: loginctl enable-linger keeps one without a login", strings.Join(dirs, " or "))
}

// dial connects to the systemd on a bus. The library closes a connection when
// the context that it was dialled with ends, so that this is one of its own,
// tied to ctx only while dialling.
func dial(ctx context.Context, address string) (Manager, func(), error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	wait, stopWait := context.WithTimeout(ctx, dialTimeout)
	defer stopWait()
	detach := context.AfterFunc(wait, end)
	conn, err := systemd.NewConnection(func() (*dbus.Conn, error) { return connect(life, address) })
	if err == nil && !detach() { // too late, and end has closed it
		conn.Close()
		err = context.Cause(wait)
	}
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("no connection to systemd at %s: %w", address, err)
	}
	return &manager{conn}, func() { conn.Close(); end() }, nil
}

func connect(life context.Context, address string) (*dbus.Conn, error) {
	conn, err := dbus.Dial(address, dbus.WithContext(life))
	if err != nil {
		return nil, err
	}
	// The number of the account: its name cannot be looked up in a static binary.
	err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))})
	if err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// manager is a Manager over D-Bus.
type manager struct{ conn *systemd.Conn }

func (m *manager) State(ctx context.Context, name string) (UnitState, error) {
	ctx, cancel := context.WithTimeout(ctx, unitTimeout)
	defer cancel()
	p, err := m.conn.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return UnitState{}, fmt.Errorf("asking systemd: %w", err)
	}
	s := UnitState{}
	s.Load, _ = p["LoadState"].(string)
	s.Active, _ = p["ActiveState"].(string)
	s.Sub, _ = p["SubState"].(string)
	s.Result, _ = p["Result"].(string)
	id, _ := p["InvocationID"].([]byte)
	s.Invocation = string(id)
	s.File, _ = p["UnitFileState"].(string)
	restarts, _ := p["NRestarts"].(uint32)
	burst, _ := p["StartLimitBurst"].(uint32)
	interval, _ := p["StartLimitIntervalUSec"].(uint64)
	s.Restarts, s.StartBurst = int(restarts), int(burst)
	s.StartInterval = time.Duration(min(interval, math.MaxInt64/1000)) * time.Microsecond
	return s, nil
}

func (m *manager) Do(ctx context.Context, what Job, name string) (string, error) {
	ask := map[Job]func(context.Context, string, string, chan<- string) (int, error){
		JobRestart: m.conn.RestartUnitContext, JobStop: m.conn.StopUnitContext, JobStart: m.conn.StartUnitContext,
	}[what]
	job := make(chan string, 1) // the library blocks for ever on one that nobody reads
	asking, cancel := context.WithTimeout(ctx, unitTimeout)
	defer cancel()
	if _, err := ask(asking, name, "replace", job); err != nil {
		return "", refusedByBus(err)
	}
	lost := time.NewTicker(time.Second) // the library does not tell of it
	defer lost.Stop()
	for {
		select {
		case result := <-job:
			return result, nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-lost.C:
			if !m.conn.Connected() {
				return "", errBusGone
			}
		}
	}
}

// refusedByBus marks the answers that are systemd's own: then no job was made.
// The other names are what the bus says in place of an answer.
func refusedByBus(err error) error {
	var said dbus.Error
	if !errors.As(err, &said) {
		return fmt.Errorf("asking systemd: %w", err)
	}
	switch strings.TrimPrefix(said.Name, "org.freedesktop.DBus.Error.") {
	case "NoReply", "Timeout", "TimedOut", "Disconnected":
		return fmt.Errorf("asking systemd: %w", err)
	}
	return unavailable("systemd refused: %w", err)
}

func (m *manager) ResetFailed(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, unitTimeout)
	defer cancel()
	return m.conn.ResetFailedUnitContext(ctx, name)
}
