//go:build packages

// Package packages builds the packages as a release does and looks into them:
//
//	make test-packages
//
// They are built twice, in two directories, and have to be the same. With
// OCWATCH_NIGHT set it is done for every architecture, else for this machine's.
package packages

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

const (
	version = "v1.2.3-4-g0123abc" // as git describes a source after a release
	debian  = "1.2.3+4.g0123abc"
	epoch   = 1795000000
)

// built is where the packages are, there the second time in a directory of
// another name, by somebody with other habits.
var built, again string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ocwatch-packages-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built, again = filepath.Join(dir, "one"), filepath.Join(dir, "two")
	source, err := copySource(filepath.Join(dir, "another place for the source"))
	if err == nil {
		err = build("../..", built)
	}
	if err == nil {
		err = build(source, again, "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "HOME="+dir, "TMPDIR="+dir, "USER=somebody",
			"GOAMD64=v3", "GOFLAGS=-tags=prometheus")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func architectures() []string {
	if os.Getenv("OCWATCH_NIGHT") != "" {
		return []string{"amd64", "arm64"}
	}
	return []string{runtime.GOARCH}
}

// build runs the script of the source, by day and by night the same.
func build(source, out string, env ...string) error {
	began := time.Now()
	cmd := exec.Command(filepath.Join(source, "scripts/package"), append([]string{out}, architectures()...)...)
	cmd.Env = append(os.Environ(), "VERSION="+version, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch))
	// Those of the caller hold for a home that moves: what was compiled is kept.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		said, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, name+"="+string(bytes.TrimSpace(said)))
	}
	cmd.Env = append(cmd.Env, env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/package in %s: %w\n%s", source, err, said)
	}
	fmt.Printf("built %v in %s\n", architectures(), time.Since(began).Round(100*time.Millisecond))
	return nil
}

// copySource copies what git knows of the source, as it is now, without git's
// own record of it: a version and a time have to come with it.
func copySource(to string) (string, error) {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", err
	}
	list := exec.Command("git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	files, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	copying := exec.Command("sh", "-c", `tar -C ../.. --null -T - --ignore-failed-read -c | tar -C "$0" -x`, to)
	copying.Stdin = bytes.NewReader(files)
	if said, err := copying.CombinedOutput(); err != nil {
		return "", fmt.Errorf("copying the source: %w\n%s", err, said)
	}
	return to, nil
}
