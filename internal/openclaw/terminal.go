package openclaw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
)

const (
	// terminalColumns is wide enough for any link on one line, and OpenAI's has
	// 400 characters: a wrapped link is a broken one.
	terminalColumns = 1000
	terminalRows    = 60
	// terminalGrace is how long a command may take to end by itself once it
	// was asked to.
	terminalGrace = 2 * time.Second
	// terminalDrain is how long the terminal of a command that ended is still
	// read: it holds the last words, and a stray child may keep it open.
	terminalDrain = time.Second
)

// Terminal is one openclaw command under a terminal of its own, for what
// OpenClaw does only while somebody seems to be there. Its output is not kept:
// the command stands still until Read takes it. It is safe for concurrent use.
type Terminal struct {
	cmd    *exec.Cmd
	args   []string
	screen *os.File
	done   chan struct{} // closed once the command has ended
	err    error         // written before done is closed

	mu    sync.Mutex
	over  bool // the command was waited for: its pid may be somebody else's
	ended bool // End was called
}

// Terminal starts openclaw with args under a terminal of 1000 columns. There is
// no limit of time: whoever starts a command calls End. It fails with
// *CommandNotFoundError where there is no command.
func (c *CLI) Terminal(args ...string) (*Terminal, error) {
	path, err := resolveCommand(c.install.Command)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.Background(), path, args...) // End is what ends it
	cmd.Env = terminalEnv(c.install.childEnv(os.Environ(), path))
	cmd.Dir = c.install.StateDir
	// A session of its own makes it a process group of its own too.
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: terminalRows, Cols: terminalColumns})
	if errors.Is(err, os.ErrNotExist) {
		return nil, &CommandNotFoundError{Command: path, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("open a terminal for openclaw: %w", err)
	}
	screen, err := pollable(file)
	if err != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // nobody could read it
		_ = cmd.Wait()                                      // killed
		return nil, fmt.Errorf("open a terminal for openclaw: %w", err)
	}
	t := &Terminal{cmd: cmd, args: slices.Clone(args), screen: screen, done: make(chan struct{})}
	go t.wait()
	return t, nil
}

// pollable takes file's place. The pty library asks for the descriptor, which
// makes the file a blocking one, and no Close would end a Read of it.
func pollable(file *os.File) (*os.File, error) {
	defer func() { _ = file.Close() }() // its copy is what goes on
	syscall.ForkLock.RLock()
	fd, err := syscall.Dup(int(file.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd) // of no use
		return nil, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

// wait ends what the command leaves behind, and in the end its terminal.
func (t *Terminal) wait() {
	err := t.cmd.Wait()
	t.mu.Lock()
	t.over = true
	// What is left of the group keeps its number from being given away.
	_ = syscall.Kill(-t.cmd.Process.Pid, syscall.SIGKILL) // nobody, as a rule
	t.mu.Unlock()
	if err != nil {
		t.err = t.failed(err)
	}
	close(t.done)
	// A child in a session of its own may hold the terminal open.
	_ = t.screen.SetReadDeadline(time.Now().Add(terminalDrain)) // it was opened for polling
}

// failed never quotes the screen: it may show what was typed.
func (t *Terminal) failed(err error) error {
	e := &CLIError{Args: t.args, ExitCode: -1, Err: err}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		e.ExitCode = exit.ExitCode()
	}
	return e
}

// Read gives what the command shows, as it comes. It ends with io.EOF once the
// command has ended and all was read, or after End.
func (t *Terminal) Read(p []byte) (int, error) {
	n, err := t.screen.Read(p)
	// Linux says EIO once nobody has the other side open.
	if errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// Write types p. It fails where the command does not take it within 10 s.
func (t *Terminal) Write(p []byte) (int, error) {
	_ = t.screen.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a closed one fails below
	n, err := t.screen.Write(p)
	if err != nil {
		return n, fmt.Errorf("type into openclaw's terminal: %w", err)
	}
	return n, nil
}

// Done is closed once the command has ended.
func (t *Terminal) Done() <-chan struct{} { return t.done }

// Err is nil before Done is closed and where the exit code is 0, else a
// *CLIError without a message.
func (t *Terminal) Err() error {
	select {
	case <-t.done:
		return t.err
	default:
		return nil
	}
}

// End ends the command and its children and closes the terminal, within 3 s. It
// may be called again, and at any time.
func (t *Terminal) End() {
	t.mu.Lock()
	first := !t.ended
	t.ended = true
	t.mu.Unlock()
	if first {
		t.signal(syscall.SIGTERM)
		select {
		case <-t.done:
		case <-time.After(terminalGrace):
			t.signal(syscall.SIGKILL)
		}
		_ = t.screen.Close() // nothing of it is kept
	}
	<-t.done
}

func (t *Terminal) signal(s syscall.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		_ = syscall.Kill(-t.cmd.Process.Pid, s) // it may be gone
	}
}

// terminalEnv takes from a command what would make it look for a browser on
// this machine, where nobody sits, or keep its words to itself. It also hides
// the Codex CLI's own sign-in: since 2026.9 OpenClaw takes that over, where its
// Codex plugin is installed, instead of asking for the new login.
func terminalEnv(env []string) []string {
	env = without(env, "DISPLAY", "WAYLAND_DISPLAY", "WSL_INTEROP", "WSL_DISTRO_NAME", "WSLENV", "BROWSER", "OPENCLAW_SUPPRESS_NOTES", "TERM", "CODEX_HOME")
	return append(env, "TERM=xterm-256color", "CODEX_HOME=/nonexistent")
}
