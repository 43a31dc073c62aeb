package openclaw

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// open starts a terminal of i and has it ended with the test.
func open(t *testing.T, i *Install, args ...string) *Terminal {
	t.Helper()
	term, err := i.CLI().Terminal(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.End)
	return term
}

// readUntil reads term up to and with want.
func readUntil(t *testing.T, term *Terminal, want string) string {
	t.Helper()
	var seen bytes.Buffer
	buf := make([]byte, 256)
	for !strings.Contains(seen.String(), want) {
		n, err := term.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("read: %v; before it: %q", err, seen.String())
		}
	}
	return seen.String()
}

func TestTerminalIsATerminal(t *testing.T) {
	i := scripted(t, `[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && stty size && echo "$TERM $NO_COLOR $1"
read line; echo "got <$line>"`)
	t.Setenv("DISPLAY", ":0")
	term := open(t, i, "a b")
	if got := readUntil(t, term, "a b"); !strings.Contains(got, "60 1000\r\n") || !strings.Contains(got, "xterm-256color 1 a b") {
		t.Errorf("%q", got)
	}
	if _, err := term.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	readUntil(t, term, "got <hello>")
	rest, err := io.ReadAll(term)
	if err != nil {
		t.Fatalf("the end of output is %v, after %q", err, rest)
	}
	<-term.Done()
	if err := term.Err(); err != nil {
		t.Errorf("exit code 0 is %v", err)
	}
}

func TestTerminalExitCode(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         int
	}{
		{"its own", "echo a-secret-word; exit 7", 7},
		{"killed", "kill -9 $$", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			term := open(t, scripted(t, tc.script), "models", "auth", "login")
			if _, err := io.ReadAll(term); err != nil {
				t.Fatal(err)
			}
			<-term.Done()
			var e *CLIError
			if !errors.As(term.Err(), &e) || e.ExitCode != tc.want || !slices.Equal(e.Args, []string{"models", "auth", "login"}) {
				t.Fatalf("%#v", term.Err())
			}
			if strings.Contains(e.Error(), "a-secret-word") {
				t.Errorf("the error quotes the screen: %v", e)
			}
		})
	}
}

func TestTerminalCommandNotFound(t *testing.T) {
	for _, tc := range []struct{ name, content string }{
		{"no command", ""},
		{"its interpreter", "#!/nowhere/node\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i := newInstall(t, nil)
			i.Command = filepath.Join(t.TempDir(), "openclaw")
			if tc.content != "" {
				writeFile(t, i.Command, tc.content)
				if err := os.Chmod(i.Command, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			_, err := i.CLI().Terminal("x")
			if _, ok := errors.AsType[*CommandNotFoundError](err); !ok {
				t.Errorf("err = %v", err)
			}
		})
	}
}

// firstPID reads the number that a script prints first.
func firstPID(t *testing.T, term *Terminal) int {
	t.Helper()
	line, _, _ := strings.Cut(readUntil(t, term, "\n"), "\r")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestTerminalEnd(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		atLeast      time.Duration
	}{
		{"a command and its child", `sleep 300 & echo $!; wait`, 0},
		{"deaf to SIGTERM", `trap '' TERM HUP; sleep 300 & echo $!; while :; do wait; done`, terminalGrace},
	} {
		t.Run(tc.name, func(t *testing.T) {
			term := open(t, scripted(t, tc.script))
			child := firstPID(t, term)
			reader := make(chan error, 1)
			go func() { // somebody reads while it is ended
				_, err := io.ReadAll(term)
				reader <- err
			}()
			start := time.Now()
			term.End()
			if took := time.Since(start); took < tc.atLeast {
				t.Errorf("killed after %s, want %s of grace", took, tc.atLeast)
			}
			if err := <-reader; err != nil {
				t.Errorf("the reader ended with %v", err)
			}
			term.End() // again
			eventually(t, func() bool { return gone(child) })
			if _, err := term.Write([]byte("x")); err == nil {
				t.Error("a closed terminal takes input")
			}
		})
	}
}

// A child in a session of its own is not in the group, and keeps the terminal
// open: the output has to end all the same, with what was said before.
func TestTerminalOfAStrayChild(t *testing.T) {
	i := scripted(t, `setsid sh -c 'echo $$; exec sleep 300' & sleep 0.1; echo last words; exit 3`)
	term := open(t, i)
	child := firstPID(t, term)
	defer func() { _ = killProcess(child) }()
	rest, err := io.ReadAll(term)
	if err != nil || !strings.Contains(string(rest), "last words") {
		t.Fatalf("%q, %v", rest, err)
	}
	<-term.Done()
	var e *CLIError
	if !errors.As(term.Err(), &e) || e.ExitCode != 3 {
		t.Errorf("%v", term.Err())
	}
}

func killProcess(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// Nobody reads, so the command has to stand still, and End has to work.
func TestTerminalKeepsNoOutput(t *testing.T) {
	term := open(t, scripted(t, `echo $$; exec yes 'a long line of output that nobody reads'`))
	pid := firstPID(t, term)
	if err := term.Err(); err != nil {
		t.Errorf("there is an error before the end: %v", err)
	}
	term.End()
	eventually(t, func() bool { return gone(pid) })
}

func TestChildrenDoNotGetWhatIsNotTheirs(t *testing.T) {
	for name, value := range map[string]string{
		"HOOK_KEY": "whsec_1", "NOTIFY_SOCKET": "/run/x", "INVOCATION_ID": "i", "CREDENTIALS_DIRECTORY": "/run/c",
		"OPENCLAW_GATEWAY_TOKEN": "of the gateway", "HOOK_KEY_OTHER": "stays",
	} {
		t.Setenv(name, value)
	}
	i := scripted(t, "env; echo the end")
	i.opts.Hide = []string{"HOOK_KEY", "OPENCLAW_GATEWAY_TOKEN"}
	out, err := i.CLI().Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	screen := readUntil(t, open(t, i), "the end")
	for name, env := range map[string]string{"run": string(out.Stdout), "terminal": strings.ReplaceAll(screen, "\r", "")} {
		lines := strings.Split(env, "\n")
		for _, want := range []string{"OPENCLAW_GATEWAY_TOKEN=of the gateway", "HOOK_KEY_OTHER=stays"} {
			if !slices.Contains(lines, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		for _, no := range []string{"HOOK_KEY=", "NOTIFY_SOCKET=", "INVOCATION_ID=", "CREDENTIALS_DIRECTORY="} {
			if slices.ContainsFunc(lines, func(kv string) bool { return strings.HasPrefix(kv, no) }) {
				t.Errorf("%s: %s is there", name, no)
			}
		}
	}
}

func TestTerminalOffersNothingOfThisMachine(t *testing.T) {
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "OPENCLAW_SUPPRESS_NOTES", "CODEX_HOME"} {
		t.Setenv(name, "of this machine")
	}
	screen := readUntil(t, open(t, scripted(t, "env; echo the end")), "the end")
	if strings.Contains(screen, "of this machine") {
		t.Errorf("%q", screen)
	}
	if !strings.Contains(screen, "CODEX_HOME=/nonexistent\r\n") {
		t.Error("the sign-in of the Codex CLI would be taken over")
	}
}
