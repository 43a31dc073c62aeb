package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/internal/sandbox"
)

const (
	// few is how many profiles the idle watchdog has.
	few = 10
	// settling is how long its start is left out of the figures.
	settling = 20 * time.Second
	// startLimit is how long the first round may take.
	startLimit = time.Minute
)

const idleConfig = `openclaw: {state_dir: %s}
probe: {every: 1m, providers: {openai: {every: 1m, url: %s}}}
data_dir: %s
listen: %s
log: {level: info, format: json}
`

// measureIdle watches `ocwatch run` while there is nothing for it to do but
// look. The world that it looks at is in this process.
func measureIdle(ctx context.Context, o options, _ io.Writer) ([]row, error) {
	dir, err := os.MkdirTemp("", "ocwatch-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	world, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Accounts: accounts(few)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = world.Close() }()
	if err := writeIdleConfig(ctx, dir, world); err != nil {
		return nil, err
	}
	run, err := startIdle(ctx, o.binary, dir)
	if err != nil {
		return nil, err
	}
	rows, err := run.watch(ctx, o.idle)
	return rows, errors.Join(err, run.end())
}

func writeIdleConfig(ctx context.Context, dir string, world *sandbox.World) error {
	var lc net.ListenConfig
	free, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	doc := fmt.Appendf(nil, idleConfig, world.StateDir(), world.UsageURL("openai"), filepath.Join(dir, "data"), free.Addr())
	return errors.Join(free.Close(), os.WriteFile(filepath.Join(dir, "config.yaml"), doc, 0o600))
}

// idle is an ocwatch run that is being watched.
type idle struct {
	cmd    *exec.Cmd
	log    string
	exited chan error
}

func startIdle(ctx context.Context, binary, dir string) (*idle, error) {
	log, err := os.Create(filepath.Join(dir, "run.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.CommandContext(ctx, binary, "run", "--config", filepath.Join(dir, "config.yaml"))
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("no binary to measure (make build): %w", err)
	}
	i := &idle{cmd: cmd, log: log.Name(), exited: make(chan error, 1)}
	go func() { i.exited <- cmd.Wait() }()
	return i, nil
}

// watch lets the first round and its garbage pass, and measures from then on.
func (i *idle) watch(ctx context.Context, long time.Duration) ([]row, error) {
	if err := i.awaitFirstRound(ctx); err != nil {
		return nil, err
	}
	if err := i.pass(ctx, settling); err != nil {
		return nil, err
	}
	pid := strconv.Itoa(i.cmd.Process.Pid)
	began := time.Now()
	before, err := cpuOf(pid)
	if err != nil {
		return nil, err
	}
	if err := i.pass(ctx, long); err != nil {
		return nil, err
	}
	after, err := cpuOf(pid)
	if err != nil {
		return nil, err
	}
	m, err := memoryOf(pid)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("idle run, %d profiles at 1m", few)
	share := 100 * float64(after-before) / float64(time.Since(began))
	return []row{
		atMost(name+": memory", megabytes(m.Now), 30, "%.1f MB"),
		plain(name+": its peak", fmt.Sprintf("%.1f MB", megabytes(m.Peak))),
		atMost(fmt.Sprintf("%s: share of a core over %s", name, long), share, 0.2, "%.2f %%"),
	}, nil
}

// awaitFirstRound waits until the log tells the state of the pool.
func (i *idle) awaitFirstRound(ctx context.Context) error {
	deadline := time.Now().Add(startLimit)
	for time.Now().Before(deadline) {
		if log, err := os.ReadFile(i.log); err == nil && bytes.Contains(log, []byte(`"state":"ok"`)) {
			return nil
		}
		if err := i.pass(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	log, _ := os.ReadFile(i.log)
	return fmt.Errorf("ocwatch run came to no state within %s; its log:\n%s", startLimit, log)
}

// pass lets d go by, unless the process ends before.
func (i *idle) pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case err := <-i.exited:
		i.exited <- err
		log, _ := os.ReadFile(i.log)
		return fmt.Errorf("ocwatch run ended by itself (%v); its log:\n%s", err, log) //nolint:errorlint // nil is news too
	}
}

func (i *idle) end() error {
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return <-i.exited
}
