//go:build packages

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// brought is what a package user relies on.
var brought = []string{
	"0 0755 0:0 /usr/bin/ocwatch",
	"0 0644 0:0 /usr/lib/systemd/user/ocwatch.service",
	"0 0644 0:0 /usr/share/bash-completion/completions/ocwatch",
	"0 0644 0:0 /usr/share/doc/ocwatch/README.md",
	"0 0644 0:0 /usr/share/doc/ocwatch/changelog.gz",
	"0 0644 0:0 /usr/share/doc/ocwatch/copyright",
	"0 0644 0:0 /usr/share/doc/ocwatch/docs/configuration.md",
	"0 0644 0:0 /usr/share/doc/ocwatch/docs/operations.md",
	"0 0644 0:0 /usr/share/doc/ocwatch/third-party.txt.gz",
	"0 0644 0:0 /usr/share/fish/vendor_completions.d/ocwatch.fish",
	"0 0644 0:0 /usr/share/man/man1/ocwatch.1.gz",
	"0 0644 0:0 /usr/share/man/man1/ocwatch-config-show.1.gz",
	"0 0644 0:0 /usr/share/man/man1/ocwatch-install.1.gz",
	"0 0644 0:0 /usr/share/man/man5/ocwatch-config.yaml.5.gz",
	"0 0644 0:0 /usr/share/ocwatch/grafana/ocwatch.json",
	"0 0644 0:0 /usr/share/ocwatch/prometheus/alerts.yml",
	"0 0644 0:0 /usr/share/ocwatch/skill/SKILL.md",
	"0 0644 0:0 /usr/share/zsh/vendor-completions/_ocwatch",
}

func TestDebBrings(t *testing.T) {
	for _, arch := range architectures() {
		t.Run(arch, func(t *testing.T) {
			_, data := deb(t, arch)
			var there []string
			for _, e := range data {
				there = append(there, e.String())
				if e.Uid != 0 || e.Gid != 0 || e.Uname != "root" || e.Gname != "root" || e.Mode&0o7022 != 0 {
					t.Errorf("%s belongs to %s:%s", e, e.Uname, e.Gname)
				}
				if e.ModTime.Unix() != epoch {
					t.Errorf("%s is of %s, not of the source's time", e, e.ModTime)
				}
			}
			for _, want := range brought {
				if !slices.Contains(there, want) {
					t.Errorf("not in the package: %s", want)
				}
			}
			for name := range data {
				if top, _, _ := strings.Cut(name, "/"); top != "usr" && name != "" {
					t.Errorf("%s: a package changes nothing outside /usr", name)
				}
			}
		})
	}
}

func TestDebControl(t *testing.T) {
	for _, arch := range architectures() {
		t.Run(arch, func(t *testing.T) {
			control, _ := deb(t, arch)
			text := string(control["control"].content)
			for _, line := range []string{"Package: ocwatch", "Version: " + debian, "Architecture: " + arch, "Recommends: ca-certificates"} {
				if !strings.Contains("\n"+text, "\n"+line+"\n") {
					t.Errorf("no line %q in\n%s", line, text)
				}
			}
			for _, script := range []string{"postinst", "prerm", "postrm"} {
				e := control[script]
				if e.Mode != 0o755 {
					t.Errorf("%s", e)
				}
				if said, err := run1("sh", "-n", written(t, e.content)); err != nil || said != "" {
					t.Errorf("%s: %v\n%s", script, err, said)
				}
			}
			if _, ok := control["conffiles"]; ok {
				t.Error("a config file of the package's: the config is the owner's")
			}
		})
	}
}

// TestDebUnit: systemd has nothing to say of the unit, and it starts what the
// package brings.
func TestDebUnit(t *testing.T) {
	_, data := deb(t, architectures()[0])
	unit := string(data["usr/lib/systemd/user/ocwatch.service"].content)
	for _, line := range []string{"ExecStart=/usr/bin/ocwatch run", "Type=notify", "WantedBy=default.target", "NoNewPrivileges=yes", "After=openclaw-gateway.service"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, unit)
		}
	}
	for _, line := range []string{"User=", "ReadWritePaths=", "Environment="} {
		if strings.Contains(unit, "\n"+line) {
			t.Errorf("%s cannot hold for every account", line)
		}
	}
	if strings.Contains(unit, "Written by ocwatch install") {
		t.Error("it says that the installer wrote it")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here (Debian: systemd)")
	}
	file := filepath.Join(t.TempDir(), "ocwatch.service")
	// The program and the gateway are not on this machine.
	text := strings.NewReplacer("/usr/bin/ocwatch", "/bin/true", "\nWants=openclaw-gateway.service", "", "\nAfter=openclaw-gateway.service", "").Replace(unit)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if said, err := run1("systemd-analyze", "verify", "--man=no", "--user", file); err != nil || said != "" {
		t.Errorf("%v\n%s", err, said)
	}
}

// TestDebTexts: who may do what with it, and what is in it.
func TestDebTexts(t *testing.T) {
	_, data := deb(t, architectures()[0])
	if text := string(data["usr/share/doc/ocwatch/copyright"].content); !strings.Contains(text, "\nLicense: Expat\n Permission is hereby granted") ||
		!strings.Contains(text, "\nCopyright: 20") {
		t.Errorf("copyright:\n%s", text)
	}
	changelog := gunzip(t, data["usr/share/doc/ocwatch/changelog.gz"])
	if !strings.HasPrefix(changelog, "ocwatch ("+debian+") unstable; urgency=medium\n") || !strings.Contains(changelog, "Wed, 18 Nov 2026 11:06:40 +0000") {
		t.Errorf("changelog:\n%s", changelog)
	}
	licences := gunzip(t, data["usr/share/doc/ocwatch/third-party.txt.gz"])
	for _, m := range linked(t, data["usr/bin/ocwatch"].content) {
		if !strings.Contains(licences, "\n"+m.Path+" "+m.Version+"\n") {
			t.Errorf("the licence of %s is not in the package", m.Path)
		}
	}
}

func run1(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// written puts content into a file.
func written(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
