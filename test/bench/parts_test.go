package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/profiles"
)

// TestMain lets the test binary be its own child, as the program is.
func TestMain(m *testing.M) {
	if isChild() {
		runChild(context.Background())
		return
	}
	os.Exit(m.Run())
}

func TestRoundIsMeasuredInAChild(t *testing.T) {
	rows, err := measureRound(t.Context(), options{crowd: 60}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || !strings.HasPrefix(rows[0].figure, "round of 60 accounts") || rows[1].measured == "0.0 MB" {
		t.Errorf("rows %+v", rows)
	}
}

func TestRoundThatLearnsTooLittleIsNoFigure(t *testing.T) {
	world, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Accounts: accounts(2)})
	check(t, err)
	t.Cleanup(func() { _ = world.Close() })
	world.SetFault("openai:user0001@example.com", sandbox.ServerError)
	dir := t.TempDir()
	j := job{StateDir: world.StateDir(), UsageURL: world.UsageURL("openai"), Accounts: 2, Dir: dir, Result: filepath.Join(dir, "result")}
	if err := oneRound(t.Context(), j); err == nil || !strings.Contains(err.Error(), "learned of 1 accounts, want 2") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(j.Result); err == nil {
		t.Error("there is a result")
	}
}

func TestStopwatchTimesTheWayToTheOrder(t *testing.T) {
	list := accounts(3)
	list[0].Windows[0].UsedPercent = 97
	world, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Accounts: list})
	check(t, err)
	t.Cleanup(func() { _ = world.Close() })
	var watch stopwatch
	usage := map[string]string{"openai": world.UsageURL("openai")}
	rig, err := newRig(t.Context(), openclaw.Options{StateDir: world.StateDir()}, usage, t.TempDir(), func(o *watchdog.Options) { watch.around(o) })
	check(t, err)
	t.Cleanup(func() { _ = rig.Close() })
	rig.Round(t.Context())
	if watch.sets != 1 || watch.order[0] != list[1].Profile || watch.applied.Gateway != profiles.ViewConfirmed {
		t.Fatalf("%d orders were set, the last %v, and the gateway has %q", watch.sets, watch.order, watch.applied.Gateway)
	}
	var names []string
	var sum time.Duration
	for _, s := range watch.steps() {
		names = append(names, s.Name)
		sum += s.Took
	}
	want := []string{
		"decide, queue events", "ask the gateway's health", "journal the round", "read the store again",
		"read store", "rpc", "read back", "gateway",
	}
	if !slices.Equal(names, want) {
		t.Errorf("steps %q, want %q", names, want)
	}
	if whole := watch.confirmed.Sub(watch.read); sum > whole || sum < watch.asked.Sub(watch.read) {
		t.Errorf("the steps took %v of %v", sum, whole)
	}
}

func TestIdleThatEndsByItselfIsAnErrorWithItsLog(t *testing.T) {
	binary := script(t, "echo no OpenClaw here >&2; exit 3")
	_, err := measureIdle(t.Context(), options{binary: binary, idle: time.Second}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no OpenClaw here") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

func TestBinary(t *testing.T) {
	for _, tc := range []struct{ name, script, wantErr string }{
		{"measured", "exit 0", ""},
		{"a command that fails is no figure", "exit 1", "version: exit status 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := measureBinary(t.Context(), options{binary: script(t, tc.script)}, io.Discard)
			switch {
			case tc.wantErr == "" && (err != nil || len(rows) != 2 || rows[0].verdict != kept):
				t.Errorf("rows %+v, error %v", rows, err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("error %v, want %q", err, tc.wantErr)
			}
		})
	}
}

func TestMissingBinaryIsNamedAndKeepsNothingElseFromBeingMeasured(t *testing.T) {
	var out strings.Builder
	err := run(t.Context(), []string{"-binary", "/nowhere/ocwatch", "-parts", "binary,round", "-accounts", "5"}, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(out.String(), "round of 5 accounts") {
		t.Errorf("the table lacks the round:\n%s", &out)
	}
}

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ocwatch")
	check(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755))
	return path
}
