// Package lab runs the real OpenClaw for tests: a chosen release from npm, a
// fresh home directory with seeded accounts, a gateway in the foreground, and a
// stand-in for the providers that writes down which account's token arrived.
// Nothing leaves the machine: every host but loopback is answered, or refused,
// by the stand-in's own proxy.
package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience is the limit of whatever OpenClaw does: seconds as a rule, minutes
// on a busy machine.
const patience = 5 * time.Minute

// Token is the gateway's shared token in every lab.
const Token = "lab-gateway-token"

// Options say what a lab holds.
type Options struct {
	// Version is an OpenClaw release that Require can find or fetch.
	Version string
	// Accounts to seed; nil means Accounts().
	Accounts []Account
	// Config edits openclaw.json after seeding, before anything runs on it.
	Config func(config map[string]any)
	// Home is an empty home directory to seed, for another account to use; ""
	// makes one. What runs with it is left alone at the end.
	Home string
	// Telegram gives OpenClaw a bot on a stand-in for Telegram's Bot API.
	Telegram bool
}

// Lab is one OpenClaw install with its own home, ports and providers.
type Lab struct {
	Install  Install
	Home     string
	StateDir string
	Port     int // the gateway's, on 127.0.0.1
	Provider *Provider
	Accounts []Account
	Telegram *Telegram // nil unless it was asked for

	tmp string
}

// New seeds an install of o.Version. Everything it starts is ended, and every
// file removed, when t ends.
func New(t *testing.T, o Options) *Lab {
	t.Helper()
	install := Require(t, o.Version)
	if o.Accounts == nil {
		o.Accounts = Accounts()
	}
	dir := t.TempDir()
	l := &Lab{
		Install:  install,
		Home:     filepath.Join(dir, "home"),
		tmp:      filepath.Join(dir, "tmp"),
		Port:     FreePort(t),
		Provider: NewProvider(t, o.Accounts),
		Accounts: o.Accounts,
	}
	l.StateDir = filepath.Join(l.Home, ".openclaw")
	if o.Telegram {
		l.Telegram = NewTelegram(t)
	}
	must(t, os.MkdirAll(l.tmp, 0o700))
	if o.Home != "" {
		l.Home, l.StateDir = o.Home, filepath.Join(o.Home, ".openclaw")
	} else {
		t.Cleanup(func() { endStrays(t, l.Home) })
	}
	l.seed(t, o.Config)
	return l
}

// ID returns the profile id of the account called name, as this release spells
// it. An account that is not seeded has the id that a login gives it.
func (l *Lab) ID(name string) string {
	for _, a := range l.Accounts {
		if a.Name == name {
			return a.profileID(l.Install.release())
		}
	}
	return Account{name, OpenAI}.profileID(l.Install.release())
}

// IDs returns the profile ids of names, in order.
func (l *Lab) IDs(names ...string) []string {
	ids := make([]string, 0, len(names))
	for _, n := range names {
		ids = append(ids, l.ID(n))
	}
	return ids
}

// Pool names the accounts that OpenClaw rotates among for OpenAI's models.
func (l *Lab) Pool() []string {
	var names []string
	for _, a := range l.Accounts {
		if a.provider(l.Install.release()) == l.ProviderID() {
			names = append(names, a.Name)
		}
	}
	return names
}

// OrderRPC reports whether this release's gateway sets orders itself; the
// others keep serving by the old one until they are told to reload.
func (l *Lab) OrderRPC() bool { return l.Install.release().orderRPC }

// LoginRestarts reports whether this release's gateway restarts itself when
// somebody logs in.
func (l *Lab) LoginRestarts() bool { return l.Install.release().loginRestarts }

// ProviderID is what this release calls OpenAI.
func (l *Lab) ProviderID() string { return l.Install.release().openai }

// GatewayURL is the gateway's WebSocket address.
func (l *Lab) GatewayURL() string { return "ws://" + loopback(l.Port) }

// Env is the environment in which OpenClaw, and whatever calls its CLI, runs.
func (l *Lab) Env() []string {
	return append(l.baseEnv(), l.Provider.proxyEnv()...)
}

func (l *Lab) path() string {
	return "PATH=" + l.Install.nodeDir() + ":" + l.Install.binDir() + ":/usr/local/bin:/usr/bin:/bin"
}

func (l *Lab) baseEnv() []string {
	return []string{
		"HOME=" + l.Home,
		"TMPDIR=" + l.tmp,
		l.path(),
		"LANG=C.UTF-8",
		"OPENCLAW_GATEWAY_TOKEN=" + Token,
		// One compile cache for all labs: a third of a CLI start is parsing.
		"NODE_COMPILE_CACHE=" + l.Install.compileCache(),
	}
}

// CLI runs the OpenClaw command and returns its standard output. A failing
// command fails the test.
func (l *Lab) CLI(t *testing.T, args ...string) string {
	t.Helper()
	out, stderr, err := l.TryCLI(t, args...)
	if err != nil {
		t.Fatalf("openclaw %v: %v\n%s\n%s", args, err, out, stderr)
	}
	return out
}

// TryCLI is CLI for a command that may fail.
func (l *Lab) TryCLI(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return l.run(ctx, l.Env(), l.Install.CLI(), args...)
}

// OwnGroup starts a process in a group of its own, which can be ended with all
// its children, and has it ended when the tests are killed and no cleanup runs.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// run ends the whole process group when ctx does: the CLI starts itself anew
// with other Node flags, and the child would outlive a killed parent.
func (l *Lab) run(ctx context.Context, env []string, name string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = env, l.Home
	cmd.SysProcAttr = OwnGroup()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out, errs capped
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}
