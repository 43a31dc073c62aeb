package openclaw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// cliLimit is far above what the slowest command takes (13 s on a busy
	// machine; 60 s while another process holds the old lock file).
	cliLimit = 120 * time.Second
	// cliOutputCap keeps a runaway command from filling memory.
	cliOutputCap = 1 << 20
	// cliMessageCap is what an error quotes of a command's own words.
	cliMessageCap = 400
	// cliWaitDelay is how long output pipes may outlive the killed command.
	cliWaitDelay = 2 * time.Second
)

// CLI runs the openclaw command of one install.
type CLI struct {
	install *Install
	limit   time.Duration
}

// Output is what a command said. Stdout and Stderr are cut off at 1 MiB each.
type Output struct {
	Stdout   []byte
	Stderr   []byte
	Duration time.Duration
}

// CLI gives the command runner.
func (i *Install) CLI() *CLI { return &CLI{install: i, limit: cliLimit} }

// Run runs openclaw with args, for at most 120 s; then, or when ctx ends, the
// command and its children are killed. A nil stdin is empty, never a terminal.
// It fails with *CommandNotFoundError or *CLIError; Output is filled in as far
// as it came in either case.
func (c *CLI) Run(ctx context.Context, stdin io.Reader, args ...string) (Output, error) {
	path, err := resolveCommand(c.install.Command)
	if err != nil {
		return Output{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	var stdout, stderr capped
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = c.install.childEnv(os.Environ(), path)
	cmd.Dir = c.install.StateDir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	killGroup(cmd)
	start := time.Now()
	err = cmd.Run()
	if errors.Is(err, os.ErrNotExist) {
		return Output{}, &CommandNotFoundError{Command: path, Err: err}
	}
	out := Output{Stdout: stdout.buf.Bytes(), Stderr: stderr.buf.Bytes(), Duration: time.Since(start)}
	if err != nil {
		return out, cliError(ctx, args, out, err)
	}
	return out, nil
}

// killGroup makes the command the leader of its own process group and kills all
// of it: openclaw starts a second node, which would otherwise live on.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	cmd.WaitDelay = cliWaitDelay
}

func cliError(ctx context.Context, args []string, out Output, err error) error {
	e := &CLIError{Args: slices.Clone(args), ExitCode: -1, Message: cliMessage(out), Err: err}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		e.ExitCode = exit.ExitCode()
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		e.ExitCode = -1
		e.Err = fmt.Errorf("stopped after %s: %w", out.Duration.Round(time.Second), ctxErr)
	}
	return e
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// cliMessage picks the line that says what went wrong: the error object of JSON
// mode, the reason line of the present releases, else the first line of stderr.
// Other standard output is never quoted: it may hold masked credentials.
func cliMessage(out Output) string {
	var answer struct{ Error struct{ Message string } }
	if json.Unmarshal(out.Stdout, &answer) == nil && answer.Error.Message != "" {
		return shorten(answer.Error.Message)
	}
	var first string
	for line := range strings.Lines(string(out.Stderr)) {
		line = strings.TrimSpace(ansi.ReplaceAllString(line, ""))
		if reason, ok := strings.CutPrefix(line, "[openclaw] Reason: "); ok {
			return shorten(reason)
		}
		if first == "" && !strings.HasPrefix(line, aside) {
			first = line
		}
	}
	return shorten(first)
}

// aside is what 2026.9 says before whatever went wrong, where it cannot ask a
// service manager about the gateway.
const aside = "Installed Gateway service state and config paths could not be verified."

func shorten(s string) string {
	if len(s) <= cliMessageCap {
		return s
	}
	return strings.ToValidUTF8(s[:cliMessageCap], "") + "…"
}

var versionPattern = regexp.MustCompile(`\b(20\d{2}\.\d{1,2}\.\d{1,3}(?:-[0-9A-Za-z.]+)?)\b`)

// Version gives the version of the command, such as 2026.9.6.
func (c *CLI) Version(ctx context.Context) (string, error) {
	out, err := c.Run(ctx, nil, "--version")
	if err != nil {
		return "", err
	}
	m := versionPattern.FindSubmatch(out.Stdout)
	if m == nil {
		return "", fmt.Errorf("openclaw --version: no version in the answer; check that %s is OpenClaw's command", c.install.Command)
	}
	return string(m[1]), nil
}

// ofTheService are what systemd tells ocwatch about ocwatch's own service. A
// child that takes them for its own reports for ocwatch, or thinks that it is
// the service.
var ofTheService = []string{
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "FDSTORE",
	"CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
}

// childEnv addresses the install in the command's environment, and leaves out
// what is ocwatch's alone. A default install is addressed by leaving the
// variables out: OpenClaw refuses service commands when they are set.
func (i *Install) childEnv(env []string, command string) []string {
	env = without(env, "OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH")
	env = without(env, ofTheService...)
	env = without(env, i.hidden()...)
	if filepath.Clean(profileDir(i.opts)) != filepath.Clean(i.StateDir) {
		env = without(env, "OPENCLAW_PROFILE")
	}
	if i.setHome {
		env = append(env, "HOME="+i.opts.Home, "OPENCLAW_HOME=")
	}
	if !i.Default {
		env = append(env, "OPENCLAW_STATE_DIR="+i.StateDir, "OPENCLAW_CONFIG_PATH="+i.ConfigPath)
	}
	if dir, path := filepath.Dir(command), valueOf(env, "PATH"); !slices.Contains(filepath.SplitList(path), dir) {
		// The node that npm installed openclaw with is usually its neighbour.
		env = append(env, "PATH="+dir+string(filepath.ListSeparator)+path)
	}
	return append(env, "NO_COLOR=1")
}

// hidden leaves OpenClaw its own variables: openclaw.json may refer to them.
func (i *Install) hidden() []string {
	names := i.opts.Hide
	if i.hiding != nil {
		if set := i.hiding.Load(); set != nil {
			names = *set
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasPrefix(name, "OPENCLAW_") })
}

// without is env less the variables of these names.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}

// valueOf looks name up in an environment, where the last entry counts.
func valueOf(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// capped is a writer that forgets what goes beyond the cap.
type capped struct{ buf bytes.Buffer }

// Write takes everything and keeps the first cliOutputCap bytes.
func (c *capped) Write(p []byte) (int, error) {
	if room := cliOutputCap - c.buf.Len(); room > 0 {
		c.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
