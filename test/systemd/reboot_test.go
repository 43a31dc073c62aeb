//go:build systemd

package systemd

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// The service of the system has a config and a journal of its own here, so
	// that both kinds of service go through one boot.
	systemConfig = lingererDir + "/system.yaml"
	systemData   = "/var/lib/ocwatch"
	lingerFile   = "/var/lib/systemd/linger/" + lingerer
	// listing keeps over the boot which files there were before.
	listing = "/root/files-before"
)

// TestReboot: both kinds of service are installed, the machine loses its power,
// and after its boot they are there by themselves and know what they knew. What
// uninstall leaves then is what its words say.
func TestReboot(t *testing.T) {
	if os.Getenv(bootEnv) == "1" {
		beforeBoot(t)
		bootAgain = !t.Failed()
		return
	}
	afterBoot(t)
}

func beforeBoot(t *testing.T) {
	t.Helper()
	i := newInstallation(t)
	put(t, systemConfig, fmt.Sprintf("data_dir: %s\nlisten: \"\"\nprobe: {every: 30s}\n", systemData))
	hand(t, lingererDir)
	put(t, listing, strings.Join(files(t), "\n"))

	ocwatch := os.Getenv(binaryEnv)
	if err := os.Remove(lingerFile); err != nil {
		t.Fatal(err)
	}
	said := mustAsAccount(t, ocwatch, "install")
	if want := "loginctl enable-linger " + lingerer; !strings.Contains(said, want) {
		t.Errorf("without lingering, want %q\n%s", want, said)
	}
	put(t, lingerFile, "")
	if said = mustAsAccount(t, ocwatch, "install"); strings.Contains(said, "linger") || !strings.Contains(said, "nothing to do") {
		t.Errorf("with lingering:\n%s", said)
	}
	system := []string{"--config", systemConfig, "install", "--system", "--account", lingerer}
	out, err := exec.CommandContext(t.Context(), ocwatch, system...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "runs as a service of the account already") {
		t.Errorf("a second service beside the first: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), ocwatch, append(system, "--force")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// systemd made the directory, for the account alone.
	info, err := os.Stat(systemData)
	if err != nil || info.Mode().Perm() != 0o700 || i.show("StateDirectory") != "ocwatch" {
		t.Errorf("%v, %v, StateDirectory=%s", info, err, i.show("StateDirectory"))
	}
	mustAsAccount(t, ocwatch, "install", "--skill")
	mustAsAccount(t, ocwatch, "pause")
	mustAsAccount(t, ocwatch, "--config", systemConfig, "pause")
	for _, args := range watchdogs {
		until(t, 20*time.Second, "the pause", func() bool { return paused(t, args...) })
	}
}

// watchdogs are the flags by which each is asked.
var watchdogs = [][]string{nil, {"--config", systemConfig}}

// paused reports whether a watchdog answers, and is paused.
func paused(t *testing.T, args ...string) bool {
	t.Helper()
	out, _ := asAccount(t, append(append([]string{os.Getenv(binaryEnv)}, args...), "status", "--json")...)
	var said struct {
		Paused bool
		Pools  []struct{}
	}
	return json.Unmarshal([]byte(out), &said) == nil && said.Paused && len(said.Pools) > 0
}

func afterBoot(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := exec.Command("journalctl", "--no-pager", "-n", "150").CombinedOutput()
			t.Logf("the journal:\n%s", out)
		}
	})
	for _, args := range watchdogs {
		until(t, time.Minute, fmt.Sprintf("the watchdog %v to be back, and paused", args), func() bool { return paused(t, args...) })
	}
	for _, show := range [][]string{{"systemctl", "--user"}, {"systemctl"}} {
		out := mustAsAccount(t, append(show, "show", "-p", "ActiveState,UnitFileState,NRestarts", "ocwatch.service")...)
		if got := strings.Fields(out); !slices.Contains(got, "ActiveState=active") || !slices.Contains(got, "UnitFileState=enabled") || !slices.Contains(got, "NRestarts=0") {
			t.Errorf("%v: %v", show, got)
		}
	}

	ocwatch := os.Getenv(binaryEnv)
	out, err := exec.CommandContext(t.Context(), ocwatch, "--config", systemConfig, "uninstall", "--system").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	for _, kept := range []string{systemConfig, systemData} {
		if !strings.Contains(string(out), "kept: "+kept+"\n") {
			t.Errorf("%s is not named", kept)
		}
	}
	t.Log(mustAsAccount(t, ocwatch, "uninstall"))
	before, err := os.ReadFile(listing)
	if err != nil {
		t.Fatal(err)
	}
	now := slices.DeleteFunc(files(t), func(path string) bool {
		return filepath.Dir(path) == systemData || filepath.Dir(path) == lingererDir+"/.local/state/ocwatch"
	})
	if was := strings.Split(string(before), "\n"); !slices.Equal(was, now) {
		t.Errorf("files before:\n%s\n\nnow:\n%s", before, strings.Join(now, "\n"))
	}
}

// files lists all that an installer might have touched, without directories.
func files(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "find", lingererDir, "/etc", "/var/lib/ocwatch", "/var/lib/systemd/linger", "/usr/lib/systemd", "/usr/local",
		"-not", "-type", "d", "-not", "-path", "*/.openclaw/logs/*").Output()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(list)
	return list
}
