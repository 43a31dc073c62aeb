package restart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Service is what runs the gateway, as far as it takes to stop it and to start
// it again. It can be kept over the life of the process.
type Service struct {
	Via  Via    `json:"via,omitempty"` // SystemdUser, SystemdSystem or CLI; "": no gateway runs
	Unit string `json:"unit,omitempty"`
	// Mute: its release tells nothing on /healthz, so that an answer of any
	// kind has to do.
	Mute bool `json:"mute,omitempty"`
}

// Running reports whether a gateway ran when the Service was looked for.
func (s Service) Running() bool { return s.Via != "" }

// StartCommand is what starts the gateway by hand.
func (s Service) StartCommand() string {
	switch s.Via {
	case SystemdUser:
		return "systemctl --user start " + s.Unit
	case SystemdSystem:
		return "systemctl start " + s.Unit
	case RPC, CLI, Command, Auto, Systemd:
	}
	return "openclaw gateway start"
}

// ErrForeground says that the gateway runs outside of every service manager.
var ErrForeground = errors.New("the gateway was started by hand, so that ocwatch could stop it and not start it again: " +
	"end it where it runs, do this again, and start it afterwards with openclaw gateway run")

// Service finds out what runs the gateway, and changes nothing. ErrForeground
// means that it could not be started again, a *RefusedError that it is just
// being started or stopped.
func (r *Restarter) Service(ctx context.Context) (Service, error) {
	s := r.look(ctx)
	for _, m := range []struct {
		via       Via
		dial      Dial
		systemctl string
	}{{SystemdUser, r.opts.UserBus, "systemctl --user"}, {SystemdSystem, r.opts.SystemBus, "systemctl"}} {
		unit, err := r.running(ctx, m.dial, m.systemctl)
		if err != nil {
			return Service{}, err
		}
		if unit != "" {
			return Service{Via: m.via, Unit: unit, Mute: s.answers && !s.live}, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return Service{}, err
	}
	if s.down {
		return Service{}, nil
	}
	if out, err := r.opts.CLI.Run(ctx, nil, "gateway", "status", "--json"); err == nil && managed(out.Stdout) {
		return Service{Via: CLI, Mute: !s.live}, nil
	}
	return Service{}, ErrForeground
}

// running names the gateway's unit that runs under one manager, "" for none: a
// manager that cannot be reached runs nothing that we could stop.
func (r *Restarter) running(ctx context.Context, dial Dial, systemctl string) (string, error) {
	m, done, err := dial(ctx)
	if err != nil {
		return "", nil // the next manager may have it
	}
	defer done()
	for _, name := range r.units() {
		s, err := m.State(ctx, name)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", name, err)
		case s.Active == "active", s.Active == "activating" && s.Sub == "auto-restart":
			return name, nil
		case s.Active == "activating", s.Active == "deactivating", s.Active == "reloading":
			return "", &RefusedError{Err: ErrTooSoon, Why: fmt.Sprintf("%s is %s: see %s status %s", name, s.Active, systemctl, name)}
		}
	}
	return "", nil
}

// managed reads what openclaw gateway status --json said.
func managed(stdout []byte) bool {
	var said struct {
		Service struct {
			Loaded  bool `json:"loaded"`
			Runtime struct {
				Status string `json:"status"`
			} `json:"runtime"`
		} `json:"service"`
	}
	start := bytes.IndexByte(stdout, '{')
	return start >= 0 && json.NewDecoder(bytes.NewReader(stdout[start:])).Decode(&said) == nil &&
		said.Service.Loaded && said.Service.Runtime.Status == "running"
}
