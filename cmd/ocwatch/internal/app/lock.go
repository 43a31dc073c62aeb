package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

// noRoom reports whether err is of a disk that takes nothing now: full, or
// read-only since it failed. Nothing that ocwatch keeps there is worth not
// watching for; any other error is a mistake in the configuration.
func noRoom(err error) bool {
	for _, code := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// lock keeps a second watchdog off a data directory. It is flock(2): the
// kernel lets go of it however the process ends.
type lock struct{ f *flock.Flock }

func lockDir(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w: set data_dir to a directory that this account can write", err)
	}
	f := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data_dir: %w: set data_dir to a directory that this account can write", err)
	}
	if !ok {
		return nil, fmt.Errorf("another ocwatch run uses data_dir %s: stop it, or set another data_dir", dir)
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.f.Unlock() }
