//go:build packages

package packages

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
)

// TestReproducible: what was built a second time, elsewhere, is the same.
func TestReproducible(t *testing.T) {
	files, err := os.ReadDir(built)
	if err != nil || len(files) != 3*len(architectures())+1 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		one, err := os.ReadFile(filepath.Join(built, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(again, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s is another one when it is built elsewhere", f.Name())
		}
	}
}

func TestChecksums(t *testing.T) {
	check := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	check.Dir = built
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	sums, err := os.ReadFile(filepath.Join(built, "SHA256SUMS"))
	if err != nil || bytes.Count(sums, []byte("\n")) != 3*len(architectures()) {
		t.Errorf("%v\n%s", err, sums)
	}
}

func TestTarball(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	for _, arch := range architectures() {
		t.Run(arch, func(t *testing.T) {
			files := tarball(t, arch)
			for _, name := range []string{
				"README.md", "LICENSE", "third-party.txt", "docs/operations.md", "man/man1/ocwatch.1", "completions/ocwatch.bash",
				"prometheus/alerts.yml", "grafana/ocwatch.json", "skill/SKILL.md",
			} {
				if e, ok := files[name]; !ok || e.Mode != 0o644 || e.Uid != 0 || e.ModTime.Unix() != epoch {
					t.Errorf("%s: %v %s", name, ok, e)
				}
			}
			program := files["ocwatch"]
			if program.Mode != 0o755 {
				t.Errorf("%s", program)
			}
			f, err := elf.NewFile(bytes.NewReader(program.content))
			if err != nil || f.Machine != machines[arch] || f.Section(".interp") != nil {
				t.Fatalf("not a static program for %s: %v", arch, err)
			}
			_, data := deb(t, arch)
			if !bytes.Equal(data["usr/bin/ocwatch"].content, program.content) {
				t.Error("the package has another program")
			}
			if arch == runtime.GOARCH {
				says(t, program.content)
			}
		})
	}
}

// says runs the program.
func says(t *testing.T, program []byte) {
	t.Helper()
	file := written(t, program)
	if err := os.Chmod(file, 0o700); err != nil {
		t.Fatal(err)
	}
	said, err := run1(file, "version")
	if want := "ocwatch " + version + " linux/" + runtime.GOARCH + " " + runtime.Version() + "\n"; err != nil || said != want {
		t.Errorf("%v: it says %q, want %q", err, said, want)
	}
}

// linked are the modules that a program says it is made of.
func linked(t *testing.T, program []byte) []*debug.Module {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil || len(info.Deps) == 0 {
		t.Fatalf("%v, %v", info, err)
	}
	return info.Deps
}

// TestSBOM: the bill of materials has each module of the program, with its
// version, and no other.
func TestSBOM(t *testing.T) {
	for _, arch := range architectures() {
		t.Run(arch, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(built, "ocwatch-"+version+"-linux-"+arch+".cdx.json"))
			if err != nil {
				t.Fatal(err)
			}
			var bill cyclonedx.BOM
			if err := json.Unmarshal(raw, &bill); err != nil {
				t.Fatal(err)
			}
			if main := bill.Metadata.Component; main.Version != version || main.Name != "github.com/ocwatch/ocwatch" {
				t.Errorf("it is the bill of %s %s", main.Name, main.Version)
			}
			want := map[string]string{"std": strings.TrimPrefix(runtime.Version(), "go")}
			for _, m := range linked(t, tarball(t, arch)["ocwatch"].content) {
				want[m.Path] = m.Version
			}
			for _, c := range *bill.Components {
				if want[c.Name] != c.Version || !strings.HasPrefix(c.PackageURL, "pkg:golang/"+c.Name+"@") {
					t.Errorf("%s %s (%s), want version %q", c.Name, c.Version, c.PackageURL, want[c.Name])
				}
				if c.Name != "std" && (c.Hashes == nil || len((*c.Hashes)[0].Value) != 64) {
					t.Errorf("%s has no checksum", c.Name)
				}
				delete(want, c.Name)
			}
			if len(want) > 0 {
				t.Errorf("not in the bill: %v", want)
			}
		})
	}
}
