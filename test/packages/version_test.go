//go:build packages

package packages

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestVersion: versions sort for dpkg as the sources followed one another.
func TestVersion(t *testing.T) {
	last := "0~"
	for _, tt := range []struct{ git, want string }{
		{"0123abc", "0~20261118110640.0123abc"},
		{"v0.1.0-rc1", "0.1.0~rc1"},
		{"v0.1.0-rc1-7-g0123abc", "0.1.0~rc1+7.g0123abc"},
		{"v0.1.0", "0.1.0"},
		{"v0.1.0-dirty", "0.1.0+0.dirty"},
		{"v0.1.0-4-g0123abc", "0.1.0+4.g0123abc"},
		{"v0.1.0-4-g0123abc-dirty", "0.1.0+4.g0123abc.dirty"},
		{"v0.1.0-12-gfedc012", "0.1.0+12.gfedc012"},
		{"v0.1.1", "0.1.1"},
		{"1.0.0", "1.0.0"},
	} {
		t.Run(tt.git, func(t *testing.T) {
			got, err := debianVersion(tt.git)
			if err != nil || got != tt.want {
				t.Fatalf("%v: %q, want %q", err, got, tt.want)
			}
			if _, err := exec.LookPath("dpkg"); err != nil {
				t.Skip("no dpkg here")
			}
			if exec.Command("dpkg", "--compare-versions", got, "gt", last).Run() != nil {
				t.Errorf("%s is not after %s", got, last)
			}
			last = got
		})
	}
	if got, err := debianVersion("release/one"); err == nil || !strings.Contains(got, "release/one") {
		t.Errorf("%v: %q", err, got)
	}
}

func debianVersion(git string) (string, error) {
	cmd := exec.Command("../../scripts/version", "--debian")
	cmd.Env = append(os.Environ(), "VERSION="+git, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
