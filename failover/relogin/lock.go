package relogin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// lockName is the lock's name in the data directory.
const lockName = "login.lock"

// HeldError is returned while another process has a login under way.
type HeldError struct {
	// By is the other process, as it calls itself.
	By string
}

// Error names the other process, and what to do about it.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s has a login under way: finish or cancel that one first", e.By)
}

// Lock keeps the watchdog and a login at a terminal apart: two logins at once
// confuse whoever approves them. dir is the data directory. It is flock(2): the
// kernel lets go of it however the process ends. Where another process has it,
// the error is a *HeldError.
func Lock(dir string) (release func(), err error) {
	path := filepath.Join(dir, lockName)
	f := flock.New(path, flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if err != nil {
		_ = f.Close()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("lock for logins: %w: make the directory %s, or set another data_dir", err, dir)
		}
		return nil, fmt.Errorf("lock for logins: %w: set data_dir to a directory that this account can write", err)
	}
	if !ok {
		_ = f.Close()
		return nil, &HeldError{By: holder(path)}
	}
	// Only for the words of HeldError: the lock holds without it.
	_ = os.WriteFile(path, []byte(self()+"\n"), 0o600)
	return func() { _ = f.Close() }, nil
}

// holder is who wrote itself into the lock.
func holder(path string) string {
	content, err := os.ReadFile(path)
	name, _, _ := strings.Cut(string(content), "\n")
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, name)
	if err != nil || name == "" || len(name) > 100 {
		return "another ocwatch"
	}
	return name
}

// self is this process in a few words: the command, never its arguments.
func self() string {
	name := "ocwatch"
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		name += " " + os.Args[1]
	}
	return fmt.Sprintf("%s (process %d)", name, os.Getpid())
}
