//go:build systemd

package systemd

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestInstallBesideForegroundRun: whoever tries ocwatch in a terminal, and installs
// it without ending that, is told so before anything is written.
func TestInstallBesideForegroundRun(t *testing.T) {
	i := newInstallation(t)
	put(t, i.config, "listen: \"\"\n")
	run := exec.CommandContext(t.Context(), os.Getenv(binaryEnv), "run")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, 15*time.Second, "the watchdog", func() bool {
		out, _ := i.run("status")
		return strings.Contains(out, "openai")
	})
	if out, err := i.run("install"); err == nil || !strings.Contains(out, "ocwatch run watches already") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(i.file); err == nil {
		t.Error("the unit was written all the same")
	}
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Error(err)
	}
	i.must("start ocwatch.service", "install")
	i.watches()
	i.must("kept: ", "uninstall")
}
