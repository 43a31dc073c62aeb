//go:build systemd

package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// buildPackage builds the Debian package of this source into dir/packages. nfpm
// is where make says; without it the tests of the package are skipped.
func buildPackage(root, dir string) error {
	if os.Getenv("NFPM") == "" && os.Getenv("CI") != "true" {
		return nil
	}
	build := exec.Command(filepath.Join(root, "scripts/package"), filepath.Join(dir, "packages"), runtime.GOARCH)
	build.Env = append(os.Environ(), "VERSION=v1.0.0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/package: %w\n%s", err, out)
	}
	return nil
}

// packaged is ocwatch as a Debian package brings it, on a machine of root. The
// account's manager runs there too.
type packaged struct {
	*testing.T
	older, newer string // the packages
}

const (
	packagedBinary = "/usr/bin/ocwatch"
	policy         = "/usr/sbin/policy-rc.d"
)

func newPackaged(t *testing.T) *packaged {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(os.Getenv(binaryEnv)), "packages", "*.deb"))
	if err != nil || len(found) != 1 {
		t.Skipf("no package was built: run make test-systemd (%v)", err)
	}
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("no dpkg here")
	}
	// Images for containers forbid packages to start or stop anything. On a
	// server nothing does.
	if err := os.Remove(policy); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	p := &packaged{T: t, older: found[0], newer: filepath.Join(t.TempDir(), "newer.deb")}
	// A newer one with the same in it: what counts is that dpkg takes it for one.
	tree := filepath.Join(t.TempDir(), "tree")
	p.run("dpkg-deb", "-R", p.older, tree)
	p.run("sed", "-i", "s/^Version: .*/Version: 1.0.1/", filepath.Join(tree, "DEBIAN/control"))
	p.run("dpkg-deb", "-b", "-Znone", tree, p.newer)
	t.Cleanup(func() { _ = exec.Command("dpkg", "--purge", "ocwatch").Run() })
	return p
}

func (p *packaged) run(argv ...string) string {
	p.Helper()
	out, err := exec.CommandContext(p.Context(), argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		p.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

func (p *packaged) dpkg(args ...string) {
	p.Helper()
	began := time.Now()
	said := p.run(append([]string{"dpkg", "--no-triggers", "--force-unsafe-io"}, args...)...)
	p.Logf("dpkg %v took %s\n%s", args, time.Since(began).Round(time.Millisecond), said)
}

func (p *packaged) owner(argv ...string) string {
	p.Helper()
	return strings.TrimSpace(mustAsAccount(p.T, argv...))
}

func (p *packaged) property(name string) string {
	p.Helper()
	return p.owner("systemctl", "--user", "show", "--value", "-p", name, "ocwatch.service")
}

func (p *packaged) awaits(name, value string) {
	p.Helper()
	until(p.T, 20*time.Second, name+"="+value, func() bool { return p.property(name) == value })
}

// The account's service: by the installer, over updates, a removal and a return;
// then by the package's own unit.
func TestSystemUnitOfPackageForAnAccount(t *testing.T) {
	i := newInstallation(t) // for its OpenClaw and its config
	p := newPackaged(t)
	own := filepath.Join(lingererDir, ".config/systemd/user/ocwatch.service")
	t.Cleanup(func() {
		_, _ = asAccount(t, "systemctl", "--user", "disable", "--now", "ocwatch.service")
		_ = os.Remove(own)
	})
	p.dpkg("-i", p.older)
	if state := p.property("UnitFileState") + " " + p.property("ActiveState"); state != "disabled inactive" {
		t.Errorf("after the package alone it is %s", state)
	}
	p.owner(packagedBinary, "install")
	p.awaits("ActiveState", "active")
	if from := p.property("FragmentPath"); from != own {
		t.Errorf("it runs by %s", from)
	}

	p.owner(packagedBinary, "pause")
	first := p.property("MainPID")
	p.dpkg("-i", p.newer)
	p.awaits("ActiveState", "active")
	if said, _ := asAccount(t, packagedBinary, "status", "--json"); !strings.Contains(said, `"paused":true`) && !strings.Contains(said, `"paused": true`) {
		t.Errorf("the update ended the pause:\n%s", said)
	}
	if now := p.property("MainPID"); now == first || now == "0" {
		t.Errorf("process %s before the update, %s after", first, now)
	}
	if said := p.owner(packagedBinary, "install"); !strings.Contains(said, "nothing to do") {
		t.Errorf("the update left something to do:\n%s", said)
	}
	p.owner("systemctl", "--user", "stop", "ocwatch.service")
	p.dpkg("-i", p.older)
	if state := p.property("ActiveState"); state != "inactive" {
		t.Errorf("it was stopped, and the package made it %s", state)
	}
	p.owner("systemctl", "--user", "start", "ocwatch.service")

	p.dpkg("--remove", "ocwatch")
	p.awaits("ActiveState", "inactive")
	p.owner("systemctl", "--user", "start", "ocwatch.service") // as at the next boot
	if state := p.property("ActiveState") + " " + p.property("Result") + " " + p.property("ConditionResult"); state != "inactive success no" {
		t.Errorf("without its program it is %s", state)
	}
	p.kept(i)
	p.dpkg("-i", p.newer)
	p.owner(packagedBinary, "install")
	p.awaits("ActiveState", "active")

	p.owner(packagedBinary, "uninstall")
	if from := p.property("FragmentPath"); from != "/usr/lib/systemd/user/ocwatch.service" {
		t.Errorf("uninstalled, the unit is %q", from)
	}
	p.byItsOwnUnit(own)
	p.gone()
	p.kept(i)
}

// byItsOwnUnit runs it as the package's unit has it, and has the installer take
// over.
func (p *packaged) byItsOwnUnit(own string) {
	p.Helper()
	p.owner("systemctl", "--user", "enable", "--now", "ocwatch.service")
	p.awaits("ActiveState", "active")
	until(p.T, 15*time.Second, "its first round", func() bool { return strings.Contains(p.property("StatusText"), "openai") })
	p.owner(packagedBinary, "install")
	p.awaits("ActiveState", "active")
	if state := p.property("FragmentPath") + " " + p.property("UnitFileState"); state != own+" enabled" {
		p.Errorf("the installer took over, and it is %s", state)
	}
	p.owner(packagedBinary, "uninstall")
	if state := p.property("UnitFileState") + " " + p.property("ActiveState"); state != "disabled inactive" {
		p.Errorf("uninstalled, it is %s", state)
	}
}

// gone purges the package and holds that nothing of it is left.
func (p *packaged) gone() {
	p.Helper()
	list := strings.Fields(p.run("dpkg", "-L", "ocwatch"))
	p.dpkg("--purge", "ocwatch")
	for _, path := range list {
		info, err := os.Lstat(path)
		if err == nil && info.IsDir() && !strings.Contains(path, "ocwatch") {
			continue // somebody else's
		}
		if !errors.Is(err, fs.ErrNotExist) {
			p.Errorf("purged, and %s is there: %v", path, err)
		}
	}
}

// kept holds that what is the owner's is there.
func (p *packaged) kept(i *installation) {
	p.Helper()
	for _, path := range []string{i.config, filepath.Join(filepath.Dir(i.config), "credentials/hook"), filepath.Join(lingererDir, ".local/state/ocwatch/journal.db")} {
		if _, err := os.Stat(path); err != nil {
			p.Errorf("not kept: %v", err)
		}
	}
}

// The system's service: first of another program, which is not the package's to
// touch, then over an update, a removal and the end.
func TestSystemUnitOfPackage(t *testing.T) {
	p := newPackaged(t)
	i := newInstallation(t)
	i.must("start ocwatch.service", "install")
	i.watches()
	before := i.show("MainPID")
	p.dpkg("-i", p.older)
	p.dpkg("--remove", "ocwatch")
	p.dpkg("-i", p.older)
	if now := i.show("MainPID"); now != before {
		t.Errorf("process %s of another program became %s", before, now)
	}
	t.Setenv(binaryEnv, packagedBinary)
	i.must("restart ocwatch.service", "install")
	i.watches()
	i.must("nothing to do", "install")

	first := i.show("MainPID")
	p.dpkg("-i", p.newer)
	i.watches()
	if now := i.show("MainPID"); now == first {
		t.Errorf("the update left process %s running", now)
	}
	i.must("nothing to do", "install")

	first = i.show("MainPID")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.dpkg("-i", p.older)
	if now := i.show("MainPID"); now != first {
		t.Error("restarted although the machine's policy forbids it")
	}
	if err := os.Remove(policy); err != nil {
		t.Fatal(err)
	}

	p.dpkg("--remove", "ocwatch")
	i.await("ActiveState", "inactive")
	systemctl(t, "start", i.unit)
	if state := i.show("ActiveState") + " " + i.show("Result"); state != "inactive success" {
		t.Errorf("without its program it is %s", state)
	}
	p.dpkg("-i", p.newer)
	i.must("start ocwatch.service", "install")
	i.watches()
	put(t, i.file+".d/mine.conf", "[Service]\nNice=5\n")

	p.gone()
	if state := i.show("LoadState"); state != "not-found" {
		t.Errorf("purged, and systemd says %s", state)
	}
	if left, _ := exec.Command("find", "/etc/systemd", "-name", "*ocwatch*").CombinedOutput(); len(left) > 0 {
		t.Errorf("left behind:\n%s", left)
	}
	p.kept(i)
}
