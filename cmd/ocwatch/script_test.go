package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// scriptWait is how long a script waits for something that must come.
const scriptWait = 30 * time.Second

// stage is what a script may set up around the command.
type stage struct {
	world *sandbox.World
	hook  *sandbox.Webhook
	// answered counts the codes of logins that were answered or are of no use
	// any more.
	answered int
}

type stageKey struct{}

func setupScript(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	for _, unset := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "OPENCLAW_STATE_DIR", "OPENCLAW_GATEWAY_TOKEN"} {
		env.Setenv(unset, "")
	}
	st := &stage{}
	env.Values[stageKey{}], env.Values[standInKey{}], env.Values[muteKey{}] = st, &standIn{}, &mute{}
	env.Defer(func() {
		if st.world != nil {
			_ = st.world.Close()
		}
		if st.hook != nil {
			_ = st.hook.Close()
		}
	})
	return nil
}

// scriptCondition knows [mounts]: this account may mount file systems for its
// own processes alone; and [systemd]: systemd runs this machine.
func scriptCondition(cond string) (bool, error) {
	switch cond {
	case "mounts":
		return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
	case "systemd":
		_, err := os.Stat("/run/systemd/system")
		return err == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// worldCmd plays OpenClaw and the providers:
//
//	world start [PROFILE...]          three openai accounts and those, and a config file for
//	                                  openai; $HOOK is the webhook's address, hook.secret its secret,
//	                                  and $FREE an address that is free for listen
//	world used PROFILE PERCENT        of the 5-hour window
//	world revoke PROFILE              its login, at the provider
//	world hang PROFILE                the provider takes its time over it for ever
//	world asked                       wait until a provider was asked
//	world sets ID...                  somebody sets that order in OpenClaw
//	world order ID...                 wait until the gateway has that order
//	world event TYPE                  wait for that event at the webhook
//	world writes N                    exactly that many orders were set
//	world approve PROFILE             a person logs in with the newest code, as that account
//	world again PROFILE               as approve, as an account that is there and stays as used
//	world deny                        a person says no to the newest code
//	world forget                      the codes so far are of no use any more
func worldCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: world start|used|revoke|hang|asked|sets|order|event|writes|approve|again|deny|forget")
	}
	st := ts.Value(stageKey{}).(*stage)
	switch args[0] {
	case "start":
		ts.Check(st.start(ts, args[1:]))
	case "used":
		percent, err := strconv.ParseFloat(args[2], 64)
		ts.Check(err)
		st.world.SetUsed(args[1], quota.FiveHour, percent)
	case "revoke":
		st.world.SetFault(args[1], sandbox.TokenInvalidated)
	case "hang":
		st.world.SetFault(args[1], sandbox.Slow)
	case "asked":
		until(ts, "a provider to be asked", func() bool { return len(st.world.Requests()) > 0 })
	case "sets":
		ts.Check(st.world.SetOrderByHand(context.Background(), "main", "openai", args[1:]...))
	case "order":
		until(ts, "order "+strings.Join(args[1:], " "), func() bool {
			return strings.Join(st.world.Order("main", "openai"), " ") == strings.Join(args[1:], " ")
		})
	case "event":
		ctx, cancel := context.WithTimeout(context.Background(), scriptWait)
		defer cancel()
		d, err := st.hook.Wait(ctx, func(e event.Event) bool { return string(e.Type) == args[1] })
		ts.Check(err)
		ts.Logf("%s", d.Body)
	case "writes":
		if got := len(st.world.Writes()); strconv.Itoa(got) != args[1] {
			ts.Fatalf("%d orders were set, want %s", got, args[1])
		}
	case "approve":
		code := st.newestCode(ts)
		ts.Check(st.world.Approve(code, sandbox.Account{Profile: args[1], Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 3}}}))
	case "again":
		code := st.newestCode(ts)
		ts.Check(st.world.Approve(code, sandbox.Account{Profile: args[1]}))
	case "forget":
		st.answered = len(st.world.LoginCodes())
	case "deny":
		ts.Check(st.world.Deny(st.newestCode(ts)))
	default:
		ts.Fatalf("world knows no %q", args[0])
	}
}

// newestCode is the code of a login that nobody has answered yet.
func (st *stage) newestCode(ts *testscript.TestScript) string {
	ctx, cancel := context.WithTimeout(context.Background(), scriptWait)
	defer cancel()
	code, err := st.world.AwaitLogin(ctx, st.answered)
	ts.Check(err)
	st.answered = len(st.world.LoginCodes())
	return code
}

const worldConfig = `openclaw:
  state_dir: %s
probe:
  every: 30s
  providers:
    openai: {every: 30s, url: %s}
notify:
  webhooks:
    - {name: phone, url: %s, secret_file: %s}
listen: ""
log: {level: debug}
`

func (st *stage) start(ts *testscript.TestScript, more []string) error {
	var err error
	windows := func() []sandbox.Window { return []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 10}} }
	accounts := []sandbox.Account{
		{Profile: "openai:alice@example.com", Windows: windows()},
		{Profile: "openai:bob@example.com", Windows: windows()},
		{Profile: "openai:carol@example.com", Windows: windows()},
	}
	for _, profile := range more {
		accounts = append(accounts, sandbox.Account{Profile: profile, Windows: windows()})
	}
	st.world, err = sandbox.Start(context.Background(), sandbox.Options{
		Dir:      ts.MkAbs("."),
		Accounts: accounts,
		Order:    map[string][]string{"openai": {"openai:alice@example.com", "openai:bob@example.com", "openai:carol@example.com"}},
	})
	if err != nil {
		return err
	}
	if st.hook, err = sandbox.StartWebhook(); err != nil {
		return err
	}
	ts.Setenv("HOOK", st.hook.URL())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ts.Setenv("FREE", free.Addr().String())
	_ = free.Close()
	secretFile := ts.MkAbs("hook.secret")
	dir := ts.MkAbs("home/.config/ocwatch")
	return errors.Join(
		os.WriteFile(secretFile, []byte(st.hook.Secret().Reveal()+"\n"), 0o600),
		os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, worldConfig,
			st.world.StateDir(), st.world.UsageURL("openai"), st.hook.URL(), secretFile), 0o600),
	)
}

// waitforCmd waits until a file has a line that matches: waitfor FILE PATTERN.
func waitforCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor file pattern")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	until(ts, args[0]+" to match "+args[1], func() bool {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && re.Match(content)
	})
}

func until(ts *testscript.TestScript, what string, done func() bool) {
	for end := time.Now().Add(scriptWait); !done(); {
		if time.Now().After(end) {
			ts.Fatalf("waited %s in vain for %s", scriptWait, what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// emptyCmd waits until a directory is empty: empty DIR.
func emptyCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: empty dir")
	}
	until(ts, args[0]+" to be empty", func() bool {
		entries, err := os.ReadDir(ts.MkAbs(args[0]))
		return err == nil && len(entries) == 0
	})
}

// signalCmd sends a signal to a command of the script's own, ocwatch run unless
// it names another: signal HUP, signal INT login.
func signalCmd(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	if neg || len(args) < 1 || len(args) > 2 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal HUP|INT|TERM|KILL [command]")
	}
	pid, err := findCommand(ts.Getenv("WORK"), append(args, "run")[1])
	ts.Check(err)
	ts.Check(syscall.Kill(pid, signals[args[0]]))
}

// findCommand finds the process whose environment belongs to the script.
func findCommand(work, name string) (int, error) {
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, p := range procs {
		args, err := os.ReadFile(p)
		if err != nil || !bytes.Contains(args, []byte("ocwatch\x00"+name+"\x00")) {
			continue
		}
		env, err := os.ReadFile(filepath.Join(filepath.Dir(p), "environ"))
		if err == nil && bytes.Contains(env, []byte("WORK="+work+"\x00")) {
			return strconv.Atoi(filepath.Base(filepath.Dir(p)))
		}
	}
	return 0, fmt.Errorf("no ocwatch %s of this script", name)
}

// filemodeCmd checks permissions: filemode FILE 0600.
func filemodeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: filemode file mode")
	}
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if st.Mode().Perm() != fs.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %o", args[0], st.Mode().Perm(), want)
	}
}
