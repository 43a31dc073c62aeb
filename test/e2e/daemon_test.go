//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// binary builds the command once, so that no test runs a stale one.
var binary = sync.OnceValues(func() (string, error) {
	out, err := filepath.Abs(filepath.Join("..", "..", "bin", "e2e", "ocwatch"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", out, "./cmd/ocwatch") // bounded by the tests' own limit
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/ocwatch: %w\n%s", err, msg)
	}
	return out, nil
})

// daemon is ocwatch on one stage: its config and its own files, over any
// number of starts.
type daemon struct {
	stage  *stage
	bin    string
	config string
	log    string
	cmd    *exec.Cmd
	done   chan struct{}
}

// newDaemon writes a config that asks as often as is allowed; everything else
// is found by ocwatch itself. Lines of yaml are added to it.
func newDaemon(t *testing.T, s *stage, yaml ...string) *daemon {
	t.Helper()
	return newDaemonAsking(t, s, "30s", yaml...)
}

// newDaemonAsking is newDaemon with rounds, and requests for usage, that are so
// far apart.
func newDaemonAsking(t *testing.T, s *stage, every string, yaml ...string) *daemon {
	t.Helper()
	bin, err := binary()
	must(t, err)
	dir := t.TempDir()
	d := &daemon{stage: s, bin: bin, config: filepath.Join(dir, "config.yaml"), log: filepath.Join(dir, "log")}
	lines := append([]string{
		"data_dir: " + filepath.Join(dir, "data"),
		`listen: ""`,
		"log: {level: debug, format: json}",
		"probe:",
		"  every: " + every,
		"  providers:",
		"    openai: {every: " + every + ", url: " + s.Provider.URL + "/backend-api/wham/usage}",
		"    anthropic: {url: " + s.Provider.URL + "/api/oauth/usage}",
	}, yaml...)
	must(t, os.WriteFile(d.config, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	t.Cleanup(func() {
		d.kill()
		d.assertNoSecrets(t)
		if t.Failed() {
			t.Logf("ocwatch's log:\n%s", d.read())
		}
	})
	return d
}

// start runs `ocwatch run` where OpenClaw's owner would: with the same home.
func (d *daemon) start(t *testing.T) {
	t.Helper()
	file, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), d.bin, "run", "--config", d.config)
	d.cmd.Env, d.cmd.Dir = d.stage.Env(), d.stage.Home
	d.cmd.Stdout, d.cmd.Stderr = file, file
	d.cmd.SysProcAttr = lab.OwnGroup()
	must(t, d.cmd.Start())
	cmd, done := d.cmd, make(chan struct{})
	d.done = done
	go func() {
		defer close(done)
		_ = cmd.Wait()   // killed at the end
		_ = file.Close() // the process has flushed it
	}()
}

// kill ends ocwatch as kill -9 does, without what it started.
func (d *daemon) kill() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Kill() // it may have ended already
	<-d.done
}

// stop asks ocwatch to end and expects it to.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	must(t, d.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-d.done:
	case <-time.After(limit):
		t.Fatal("ocwatch did not end on SIGTERM")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ocwatch ended with status %d on SIGTERM, want 0", code)
	}
}

func (d *daemon) read() string {
	b, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// run calls another command of ocwatch and returns its standard output and
// exit status.
func (d *daemon) run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), d.bin, append(args, "--config", d.config)...)
	cmd.Env, cmd.Dir = d.stage.Env(), d.stage.Home
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatalf("ocwatch %v: %v", args, err)
	}
	if len(out) == 0 && stderr.Len() > 0 {
		t.Logf("ocwatch %v: %s", args, stderr.String())
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// pool is what the tests read of status --json and check --json.
type pool struct {
	Agent    string   `json:"agent"`
	Provider string   `json:"provider"`
	State    string   `json:"state"`
	Order    []string `json:"order"`
	Pending  string   `json:"pending"`
	Profiles []struct {
		ID      string `json:"id"`
		State   string `json:"state"`
		Windows []struct {
			Name string   `json:"name"`
			Used *float64 `json:"used_percent"`
		} `json:"windows"`
	} `json:"profiles"`
}

// ask returns the main agent's pool of OpenAI accounts as command tells it.
func (d *daemon) ask(t *testing.T, command string) (pool, int) {
	t.Helper()
	out, code := d.run(t, command, "--json")
	var doc struct {
		Pools []pool `json:"pools"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		return pool{}, code
	}
	for _, p := range doc.Pools {
		if p.Agent == "main" && p.Provider == d.stage.ProviderID() {
			return p, code
		}
	}
	return pool{}, code
}

// assertNoSecrets looks for every credential in everything ocwatch wrote.
func (d *daemon) assertNoSecrets(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Dir(d.config), func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, a := range d.stage.Accounts {
			if strings.Contains(string(b), a.Secret()) {
				t.Errorf("%s holds %s's credential", filepath.Base(path), a.Name)
			}
		}
		for _, secret := range d.stage.Provider.Issued() {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s holds a secret of a login", filepath.Base(path))
			}
		}
		if strings.Contains(string(b), lab.Token) {
			t.Errorf("%s holds the gateway's token", filepath.Base(path))
		}
		return err
	})
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
