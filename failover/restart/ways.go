package restart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// ways lists the ways that the options allow, in the order to try them.
func (r *Restarter) ways(reason string, forced, live bool) ([]way, error) {
	rpc := way{RPC, r.askRPC(reason, forced)}
	user := way{SystemdUser, r.askUnit(r.opts.UserBus, "systemctl --user", live)}
	system := way{SystemdSystem, r.askUnit(r.opts.SystemBus, "systemctl", live)}
	cli := way{CLI, r.askCLI}
	command := way{Command, r.askCommand}
	switch r.opts.Via {
	case Auto:
		all := []way{rpc, user, system, cli}
		if len(r.opts.Command) > 0 {
			all = append(all, command)
		}
		return all, nil
	case Systemd:
		return []way{user, system}, nil
	case RPC:
		return []way{rpc}, nil
	case SystemdUser:
		return []way{user}, nil
	case SystemdSystem:
		return []way{system}, nil
	case CLI:
		return []way{cli}, nil
	case Command:
		return []way{command}, nil
	}
	return nil, fmt.Errorf("restart.via is %q: it must be auto, rpc, systemd, cli or command", r.opts.Via)
}

// askRPC asks the gateway itself, which restarts within its process or leaves it
// to its service manager. forced tells it not to wait for its work again.
func (r *Restarter) askRPC(reason string, forced bool) func(context.Context, func(taken)) error {
	return func(ctx context.Context, took func(taken)) error {
		if has, err := r.has(ctx, requestMethod); err != nil {
			return unavailable("%w", err)
		} else if !has {
			return unavailable("this gateway does not offer %s", requestMethod)
		}
		params := map[string]any{"reason": reason}
		if forced {
			params["skipDeferral"] = true
		}
		var said struct {
			OK     bool   `json:"ok"`
			Status string `json:"status"`
		}
		if err := r.call(ctx, requestMethod, params, &said); err != nil {
			return refusal(err)
		}
		t := taken{note: "the gateway " + said.Status + " it", within: beginWithin}
		switch said.Status {
		case "scheduled", "coalesced":
		case "deferred": // new work came up; the gateway waits for it itself
			t.within += max(r.opts.Drain, 0)
		default:
			return unavailable("the gateway answered %s with status %q", requestMethod, said.Status)
		}
		took(t)
		return nil
	}
}

// refusal marks the errors that say for certain that a call had no effect.
func refusal(err error) error {
	var said *openclaw.RPCError
	if errors.As(err, &said) || errors.Is(err, openclaw.ErrMethodUnavailable) || errors.Is(err, openclaw.ErrUnauthorized) {
		return &unavailableError{err}
	}
	return err
}

// askCLI runs openclaw gateway restart. Its exit code is 0 also where there was
// nothing to restart, so that only its word counts.
func (r *Restarter) askCLI(ctx context.Context, took func(taken)) error {
	out, err := r.opts.CLI.Run(ctx, nil, "gateway", "restart", "--json")
	if _, missing := errors.AsType[*openclaw.CommandNotFoundError](err); missing {
		return &unavailableError{err}
	}
	if err != nil {
		return err
	}
	note, err := readCLI(out.Stdout)
	if err != nil {
		return err
	}
	took(taken{note: note, within: beginWithin})
	return nil
}

// readCLI reads what openclaw gateway restart --json said.
func readCLI(stdout []byte) (note string, err error) {
	var said struct {
		OK     bool   `json:"ok"`
		Result string `json:"result"`
	}
	start := bytes.IndexByte(stdout, '{')
	if start < 0 || json.NewDecoder(bytes.NewReader(stdout[start:])).Decode(&said) != nil {
		return "", errors.New("openclaw gateway restart --json did not answer in JSON")
	}
	switch {
	case said.Result == "not-loaded":
		return "", unavailable("openclaw knows no gateway service to restart (result not-loaded)")
	case !said.OK:
		return "", fmt.Errorf("openclaw gateway restart failed (result %.40q)", said.Result)
	case said.Result == "restarted", said.Result == "scheduled", said.Result == "coalesced", said.Result == "deferred":
		return "openclaw gateway restart: " + said.Result, nil
	}
	return "", fmt.Errorf("openclaw gateway restart answered with a result that is not known: %.40q", said.Result)
}

// askCommand runs the owner's command. What it prints is dropped: it is not
// ours to show, and may hold anything.
func (r *Restarter) askCommand(ctx context.Context, took func(taken)) error {
	if len(r.opts.Command) == 0 {
		return unavailable("restart.command is not set")
	}
	cmd := exec.CommandContext(ctx, r.opts.Command[0], r.opts.Command[1:]...)
	// A group of its own, so that what the command started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		took(taken{note: r.opts.Command[0] + " ran", within: beginWithin})
		return nil
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %s", r.opts.Command[0], exit.ProcessState)
	case cmd.Process == nil:
		return unavailable("restart.command: %w", err)
	}
	return fmt.Errorf("%s: %w", r.opts.Command[0], err)
}
