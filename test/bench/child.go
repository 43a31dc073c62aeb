package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// jobVariable makes this program a part of itself: what is measured by its
// memory is measured in a process of its own.
const jobVariable = "OCWATCH_BENCH_JOB"

// job says what a child measures.
type job struct {
	Part   string
	Dir    string // for the child's files; removed after it
	Result string // the file that the answer goes to, as JSON

	// Of a round.
	StateDir, UsageURL string
	Accounts           int
	// Of switching.
	Runs, CLI int
}

func isChild() bool { return os.Getenv(jobVariable) != "" }

// runChild ends the process.
func runChild(ctx context.Context) {
	var j job
	err := json.Unmarshal([]byte(os.Getenv(jobVariable)), &j)
	if err == nil && j.Part == partSwitch {
		asTest(j, ctx.Done()) //nolint:contextcheck // a test has its own, for its clean-up
	}
	if err == nil {
		err = oneRound(ctx, j)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// asTest runs switching and ends the process: the lab speaks to a *testing.T,
// which only the testing package makes.
func asTest(j job, stop <-chan struct{}) {
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: partSwitch, F: func(t *testing.T) {
		t.Helper()
		switching(t, stop, j)
	}}}, nil, nil)
}

// errSkipped: the child had reasons, which it told, to measure nothing.
var errSkipped = errors.New("skipped")

// inChild has a child do j and decodes its answer into result.
func inChild(ctx context.Context, j job, progress io.Writer, result any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ocwatch-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	j.Dir, j.Result = dir, filepath.Join(dir, "result.json")
	doc, err := json.Marshal(j)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-test.v", "-test.timeout=20m") // of use to testing.Main only
	cmd.Env = append(os.Environ(), jobVariable+"="+string(doc))
	cmd.Stdout, cmd.Stderr = progress, progress
	// It has a gateway to end before it ends itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return err
	}
	doc, err = os.ReadFile(j.Result)
	if errors.Is(err, fs.ErrNotExist) {
		return errSkipped
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(doc, result)
}

func (j job) answer(v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(j.Result, doc, 0o600)
}
