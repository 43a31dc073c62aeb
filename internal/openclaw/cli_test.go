package openclaw

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scripted gives an install whose openclaw is a shell script.
func scripted(t *testing.T, script string) *Install {
	t.Helper()
	i := newInstall(t, nil)
	i.Command = filepath.Join(t.TempDir(), "openclaw")
	writeFile(t, i.Command, "#!/bin/sh\n"+script)
	if err := os.Chmod(i.Command, 0o700); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestRunPassesArgumentsAndInput(t *testing.T) {
	i := scripted(t, `for a in "$@"; do echo "<$a>"; done; cat; echo warn >&2`)
	out, err := i.CLI().Run(t.Context(), strings.NewReader("in"), "models", "a b", "$HOME; rm", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out.Stdout); got != "<models>\n<a b>\n<$HOME; rm>\n<>\nin" {
		t.Errorf("stdout %q", got)
	}
	if string(out.Stderr) != "warn\n" || out.Duration <= 0 {
		t.Errorf("stderr %q in %s", out.Stderr, out.Duration)
	}
}

func TestRunErrors(t *testing.T) {
	cases := []struct {
		name, script string
		code         int
		message      string
	}{
		{"first line of stderr", "echo; echo 'Auth profile \"x\" not found' >&2; echo more >&2; exit 1", 1, `Auth profile "x" not found`},
		{"reason line", "echo noise >&2; printf '\\033[33m[openclaw] Reason: the reason\\033[39m\\n' >&2; exit 3", 3, "the reason"},
		{"JSON mode", `echo '{"ok":false,"error":{"type":"cli_error","message":"unknown agent"}}'; echo noise >&2; exit 1`, 1, "unknown agent"},
		{"after an aside", "echo 'Installed Gateway service state and config paths could not be verified. Inspect it.' >&2; echo 'Unknown agent id' >&2; exit 1", 1, "Unknown agent id"},
		{"stdout is not quoted", "echo sk-masked; exit 1", 1, ""},
		{"killed", "kill -9 $$", -1, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := scripted(t, c.script).CLI().Run(t.Context(), nil, "models", "list")
			var e *CLIError
			if !errors.As(err, &e) {
				t.Fatalf("err = %v", err)
			}
			if e.ExitCode != c.code || e.Message != c.message || !slices.Equal(e.Args, []string{"models", "list"}) {
				t.Errorf("%#v", e)
			}
			if !strings.Contains(err.Error(), "openclaw models list: ") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestRunCommandNotFound(t *testing.T) {
	for _, command := range []string{"/nowhere/openclaw", "no-such-command"} {
		i := newInstall(t, nil)
		i.Command = command
		_, err := i.CLI().Run(t.Context(), nil, "x")
		if _, ok := errors.AsType[*CommandNotFoundError](err); !ok || !strings.Contains(err.Error(), "openclaw.command") {
			t.Errorf("%s: err = %v", command, err)
		}
	}
	t.Run("its interpreter", func(t *testing.T) {
		i := scripted(t, "")
		writeFile(t, i.Command, "#!/nowhere/node\n")
		_, err := i.CLI().Run(t.Context(), nil, "x")
		if _, ok := errors.AsType[*CommandNotFoundError](err); !ok {
			t.Errorf("err = %v", err)
		}
	})
}

// The command and what it started must both be gone when the time is over.
func TestRunKillsTheWholeGroup(t *testing.T) {
	i := scripted(t, `sleep 300 & echo $!; wait`)
	c := i.CLI()
	c.limit = 300 * time.Millisecond
	out, err := c.Run(t.Context(), nil, "hang")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stopped after") {
		t.Fatalf("err = %v", err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return gone(child) })
}

// gone counts a process that nobody waited for as gone.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("never came true")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := scripted(t, "exec sleep 300").CLI().Run(ctx, nil, "hang")
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
}

func TestRunCapsOutput(t *testing.T) {
	out, err := scripted(t, "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2").CLI().Run(t.Context(), nil)
	if err != nil || len(out.Stdout) != cliOutputCap || len(out.Stderr) != cliOutputCap {
		t.Fatalf("%d and %d bytes, %v", len(out.Stdout), len(out.Stderr), err)
	}
}

func TestVersion(t *testing.T) {
	cases := map[string]string{
		"2026.3.2":                      "2026.3.2",
		"OpenClaw 2026.5.28 (e932160)":  "2026.5.28",
		"OpenClaw 2026.6.1-beta.1 (ab)": "2026.6.1-beta.1",
		"no version at all":             "",
		"10.2026.1":                     "",
	}
	for said, want := range cases {
		t.Run(said, func(t *testing.T) {
			got, err := scripted(t, `[ "$1" = --version ] && echo '`+said+`'`).CLI().Version(t.Context())
			if got != want || (err == nil) != (want != "") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestChildEnv(t *testing.T) {
	ambient := []string{"A=1", "OPENCLAW_STATE_DIR=/x", "OPENCLAW_CONFIG_PATH=/y", "OPENCLAW_PROFILE=dev", "PATH=/bin"}
	home := t.TempDir()
	mkdir(t, filepath.Join(home, ".openclaw"))
	mkdir(t, filepath.Join(home, ".openclaw-dev"))
	mkdir(t, filepath.Join(home, "mine"))
	cases := []struct {
		name     string
		o        Options
		want, no []string
	}{
		{"default", Options{Getenv: env(map[string]string{"HOME": home, "PATH": "/bin"})}, []string{"A=1"}, []string{"OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_PROFILE", "HOME"}},
		{
			"another directory",
			Options{StateDir: "~/mine", Getenv: env(map[string]string{"HOME": home, "PATH": "/bin"})},
			[]string{"OPENCLAW_STATE_DIR=" + home + "/mine", "OPENCLAW_CONFIG_PATH=" + home + "/mine/openclaw.json"},
			[]string{"OPENCLAW_PROFILE"},
		},
		{
			"named profile",
			Options{Getenv: env(map[string]string{"HOME": home, "OPENCLAW_PROFILE": "dev"})},
			[]string{"OPENCLAW_PROFILE=dev", "OPENCLAW_STATE_DIR=" + home + "/.openclaw-dev"},
			nil,
		},
		{"home given", Options{Home: home, Getenv: env(nil)}, []string{"HOME=" + home, "PATH=/opt/node/bin:/bin"}, []string{"OPENCLAW_STATE_DIR"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i, err := Find(c.o)
			if err != nil {
				t.Fatal(err)
			}
			got := i.childEnv(ambient, "/opt/node/bin/openclaw")
			for _, want := range c.want {
				if !slices.Contains(got, want) {
					t.Errorf("no %s in %v", want, got)
				}
			}
			for _, no := range c.no {
				if slices.ContainsFunc(got, func(kv string) bool { return strings.HasPrefix(kv, no+"=") }) {
					t.Errorf("%s is set in %v", no, got)
				}
			}
		})
	}
}
