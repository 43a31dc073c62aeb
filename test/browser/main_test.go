//go:build browser

// Package browser has a real Chromium open the dashboard, as a person does: the
// real page of a running `ocwatch demo`, and the same page server with worlds
// that a demo does not come to. The cases are in *.mjs, in the language of what
// drives the browser; the stage that they play on is here. It needs bin/ocwatch,
// chromium, and the driver in .cache/browser: scripts/test-browser sees to all.
package browser

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	binary  = "../../bin/ocwatch"
	modules = "../../.cache/browser"
	shots   = "../../out/browser" // screenshots, for a person to look at
	cases   = "cases.mjs"
)

// TestBrowser runs the cases, which name themselves in the output: all, or those
// that OCWATCH_CASES, a regular expression, names.
func TestBrowser(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	control := httptest.NewServer(s.handler())
	t.Cleanup(control.Close)
	if err := os.MkdirAll(shots, 0o750); err != nil {
		t.Fatal(err)
	}
	args := []string{"--test-reporter=spec", cases}
	if pattern := os.Getenv("OCWATCH_CASES"); pattern != "" {
		args = append([]string{"--test-name-pattern=" + pattern}, args...)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Env = append(os.Environ(), "OCWATCH_STAGE="+control.URL)
	for name, path := range map[string]string{"OCWATCH_BINARY": binary, "OCWATCH_MODULES": modules, "OCWATCH_SHOTS": shots} {
		whole, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, name+"="+whole)
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("the browser's cases: %v", err)
	}
}
