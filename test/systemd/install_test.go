//go:build systemd

package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lingerer is the account that test/with-systemd makes.
const (
	lingerer    = "ocw"
	lingererID  = 1500
	lingererDir = "/home/ocw"
)

// installation is ocwatch as its own installer makes it a service: of the
// account, or on the machine of root of the system.
type installation struct {
	service
	args []string // after install and uninstall
	file string   // of the unit
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	home := lingererDir
	i := &installation{
		service: service{t: t, unit: "ocwatch.service", config: filepath.Join(home, ".config/ocwatch/config.yaml")},
		file:    filepath.Join(home, ".config/systemd/user/ocwatch.service"),
	}
	if onRootMachine() {
		i.args, i.file = []string{"--system", "--account", lingerer}, "/etc/systemd/system/ocwatch.service"
	}
	if err := os.RemoveAll(filepath.Join(home, ".openclaw")); err != nil { // what another test's OpenClaw left
		t.Fatal(err)
	}
	put(t, filepath.Join(home, ".openclaw/openclaw.json"), fmt.Sprintf(
		`{"gateway":{"mode":"local","port":%d,"bind":"loopback","auth":{"mode":"token","token":"a-token-of-this-test"}}}`, freePort(t)))
	put(t, filepath.Join(home, ".openclaw/agents/main/agent/auth-profiles.json"),
		`{"version":1,"profiles":{"openai:alice@example.com":{"type":"oauth","provider":"openai","access":"an-access","refresh":"a-refresh","expires":1}}}`)
	put(t, i.config, "probe: {every: 30s}\nlisten: \"\"\nnotify:\n  webhooks:\n"+
		"    - {name: ops, url: \"http://127.0.0.1:9/hook\", secret_file: \"${CREDENTIALS_DIRECTORY}/hook\"}\n")
	put(t, filepath.Join(home, ".config/ocwatch/credentials/hook"), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n")
	if onRootMachine() {
		hand(t, home)
	}
	t.Cleanup(func() {
		if bootAgain {
			return
		}
		_ = exec.Command("systemctl", scoped("disable", "--now", i.unit)...).Run()
		_ = exec.Command("rm", "-rf", i.file, i.file+".d").Run()
	})
	return i
}

// hand gives all below dir to the account.
func hand(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, lingererID, lingererID)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run runs ocwatch and returns what it said.
func (i *installation) run(command string, more ...string) (string, error) {
	i.t.Helper()
	args := append(append([]string{command}, i.args...), more...)
	out, err := exec.CommandContext(i.t.Context(), os.Getenv(binaryEnv), args...).CombinedOutput()
	return string(out), err
}

func (i *installation) must(want, command string, more ...string) string {
	i.t.Helper()
	out, err := i.run(command, more...)
	if err != nil || !strings.Contains(out, want) {
		i.t.Fatalf("ocwatch %s: %v, want %q\n%s\n%s", command, err, want, out, journal(i.t, i.unit))
	}
	return out
}

// watches waits for the first round.
func (i *installation) watches() {
	i.t.Helper()
	i.await("ActiveState", "active")
	until(i.t, 15*time.Second, "its first round", func() bool { return strings.Contains(i.show("StatusText"), "openai") })
}

// cannotWrite installs where the units' directory is closed.
func (i *installation) cannotWrite() {
	i.t.Helper()
	dir := filepath.Dir(i.file)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o500)); err != nil {
		i.t.Fatal(err)
	}
	out, err := i.run("install")
	if err == nil || !strings.Contains(out, "permission denied; make that possible, and run it again") {
		i.t.Errorf("it may not write the unit, and says (%v):\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		i.t.Fatal(err)
	}
}

// story is an installation from its beginning to its end.
func story(t *testing.T) {
	t.Helper()
	i := newInstallation(t)
	i.must("would write", "install", "--dry-run")
	if _, err := os.Stat(i.file); err == nil {
		t.Fatal("a dry run wrote the unit")
	}
	if !onRootMachine() { // root may write wherever it likes
		i.cannotWrite()
	}
	t.Log(i.must("start ocwatch.service", "install"))
	i.watches()
	i.must("nothing to do", "install")
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", managed("verify", "--man=no", i.file)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if state := i.show("UnitFileState"); state != "enabled" {
		t.Errorf("at boot it is %s", state)
	}
	i.sees(t)

	systemctl(t, "kill", "-s", "KILL", i.unit)
	i.await("NRestarts", "1")
	i.watches()

	put(t, i.file+".d/quick.conf", "[Service]\nWatchdogSec=2s\nRestartSec=200ms\n")
	systemctl(t, "daemon-reload")
	systemctl(t, "restart", i.unit)
	i.watches()
	systemctl(t, "kill", "-s", "STOP", i.unit)
	i.await("NRestarts", "1")
	i.watches()
	if said := journal(t, i.unit); !strings.Contains(said, "Watchdog timeout") {
		t.Errorf("not by the watchdog:\n%s", said)
	}

	put(t, i.file, "[Service]\nExecStart=/bin/true\n") // somebody else's
	if out, err := i.run("install"); err == nil || !strings.Contains(out, "was not written by ocwatch install") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := i.run("uninstall"); err == nil || !strings.Contains(out, "was not written by ocwatch install") {
		t.Errorf("%v\n%s", err, out)
	}
	put(t, i.file, "# Written by ocwatch install\n[Service]\nExecStart=/bin/true\n") // as of an older release
	systemctl(t, "daemon-reload")
	i.must("restart ocwatch.service", "install")
	i.watches()

	// At the end, since a new OpenClaw does not serve what an old one left. In the
	// account's service TestServiceOfAccount has it at work.
	if onRootMachine() {
		t.Run("OpenClaw's command", i.runsOpenClaw)
	}
	i.must("kept: ", "uninstall")
	if state := i.show("LoadState"); state != "not-found" {
		t.Errorf("uninstalled, and systemd says %s", state)
	}
	if left, _ := exec.Command("find", filepath.Dir(i.file), "-name", "*ocwatch.service*").CombinedOutput(); len(left) > 0 {
		t.Errorf("left behind:\n%s", left)
	}
	for _, kept := range []string{i.config, filepath.Join(lingererDir, ".local/state/ocwatch/journal.db")} {
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("not kept: %v", err)
		}
	}
	i.must("nothing to do", "uninstall")
}

func managed(args ...string) []string {
	if onRootMachine() {
		return append([]string{"--system"}, args...)
	}
	return append([]string{"--user"}, args...)
}

// sees holds that the service has the account's rights and no more.
func (i *installation) sees(t *testing.T) {
	t.Helper()
	pid := i.show("MainPID")
	info, err := os.Stat("/proc/" + pid)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner != lingererID {
		t.Errorf("it runs as uid %d", owner)
	}
	if got := i.show("ProtectSystem"); got != "strict" {
		t.Errorf("ProtectSystem=%s", got)
	}
	if !onRootMachine() {
		return
	}
	within := func(args ...string) error {
		return exec.Command("nsenter", append([]string{"-t", pid, "-m"}, args...)...).Run()
	}
	for path, writable := range map[string]bool{
		lingererDir + "/.local/state/ocwatch/x": true, lingererDir + "/.openclaw/x": true, "/tmp/x": true,
		lingererDir + "/x": false, "/etc/x": false, "/var/lib/x": false, lingererDir + "/.config/ocwatch/x": false,
	} {
		if err := within("touch", path); (err == nil) != writable {
			t.Errorf("%s: writable %v, want %v", path, err == nil, writable)
		}
		_ = os.Remove(path)
	}
}

// runsOpenClaw runs OpenClaw's own command under the same settings: it reads
// and writes its state directory there.
func (i *installation) runsOpenClaw(t *testing.T) {
	if _, err := exec.LookPath("openclaw"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("OpenClaw %s is not in .cache: scripts/fetch-openclaw %s", release, release)
		}
		t.Skipf("OpenClaw %s is not in .cache: scripts/fetch-openclaw %s", release, release)
	}
	command, _ := exec.LookPath("openclaw")
	text, err := os.ReadFile(i.file)
	if err != nil {
		t.Fatal(err)
	}
	unit := regexp.MustCompile(`(?m)^(WatchdogSec|Restart|RestartSec|NotifyAccess|ExecReload|TimeoutStopSec)=.*\n`).ReplaceAllString(string(text), "")
	unit = strings.Replace(unit, "Type=notify", "Type=oneshot", 1)
	unit = regexp.MustCompile(`(?m)^ExecStart=.*$`).ReplaceAllString(unit, "ExecStart="+command+" config set gateway.port 18999\nExecStart="+command+" config get gateway")
	name := "with-openclaw.service"
	put(t, filepath.Join(filepath.Dir(i.file), name), unit)
	systemctl(t, "daemon-reload")
	said := systemctl(t, "start", name)
	if result := strings.TrimSpace(systemctl(t, "show", "--value", "-p", "Result", name)); result != "success" {
		t.Fatalf("%s %s\n%s", result, said, journal(t, name))
	}
	if said := journal(t, name); !strings.Contains(said, "18999") {
		t.Errorf("it does not show what it wrote:\n%s", said)
	}
	_ = os.Remove(filepath.Join(filepath.Dir(i.file), name))
	systemctl(t, "daemon-reload")
}

func TestOcwatchInstallsItself(t *testing.T) { story(t) }

func TestSystemUnitIsInstalled(t *testing.T) { story(t) }

// exposure is what systemd-analyze security may say at most of the unit of the
// system; docs/operations.md has the table.
const exposure = 2.5

func TestSystemUnitExposure(t *testing.T) {
	i := newInstallation(t)
	i.must("start ocwatch.service", "install")
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--no-pager", i.unit).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(leftOpen(string(out))) < 5 {
		t.Errorf("nothing is left open:\n%s", out)
	}
	m := regexp.MustCompile(`Overall exposure level for ocwatch.service: ([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("no level:\n%s", out)
	}
	level, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil || level > exposure {
		t.Errorf("exposure %s, want at most %v\n%s", m[1], exposure, out)
	}
	t.Logf("exposure %.1f", level)
	doc, err := os.ReadFile(filepath.Join(place, "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range leftOpen(string(out)) {
		if !strings.Contains(string(doc), "`"+open) {
			t.Errorf("docs/operations.md does not say why %s is left open", open)
		}
	}
}

// leftOpen are the directives that systemd-analyze security counts as exposure.
func leftOpen(said string) (list []string) {
	for line := range strings.Lines(said) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "✗" {
			continue
		}
		name, of, _ := strings.Cut(fields[1], "=")
		if name == "RestrictAddressFamilies" {
			name = strings.Trim(strings.Replace(of, "(INET|INET6)", "INET", 1), "~…")
		}
		list = append(list, name)
	}
	return list
}

// What the account cannot use, root's installer says, and installs nothing.
func TestSystemUnitOfAnAccountWithoutOpenClaw(t *testing.T) {
	i := newInstallation(t)
	if err := os.Rename(lingererDir+"/.openclaw", lingererDir+"/elsewhere"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Rename(lingererDir+"/elsewhere", lingererDir+"/.openclaw") }()
	out, err := i.run("install")
	if err == nil || !strings.Contains(out, "as ocw: ") || !strings.Contains(out, lingererDir+"/.openclaw") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(i.file); err == nil {
		t.Error("the unit was written")
	}
}
